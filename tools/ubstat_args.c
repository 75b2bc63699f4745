// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command line of ubstat.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "ubstat.h"

/* In the order of enum ubstat_verb. */
static const char * const verbs[] = {
	"device", "port", "link", "topo", "npu", "pod", "events", NULL
};

enum { OPT_POD = 256, OPT_COUNT, OPT_VERSION };

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "pod", required_argument, NULL, OPT_POD },
	{ "follow", no_argument, NULL, 'f' },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL }
};

void ubstat_help(FILE *out)
{
	fputs("usage: ubstat [options] [VERB] [DEV | DEV/PORT]...\n"
	      "\n"
	      "Shows UnifiedBus devices and their links. Needs no privilege.\n"
	      "\n"
	      "  device    a line per device (default)\n"
	      "  port      a line per port: what it sent and received\n"
	      "  link      a line per link, both ends joined\n"
	      "  topo      who is linked to whom\n"
	      "  npu       NPUs: identity and memory\n"
	      "  pod       a line per pod\n"
	      "  events    wait for changes and print each\n"
	      "\n"
	      "  -j, --json       JSON; the keys are in ubstat(8)\n"
	      "      --pod POD    of this pod only\n"
	      "  -f, --follow     of events: go on (it always does)\n"
	      "      --count N    of events: end after N\n"
	      "  -h, --help\n"
	      "      --version\n"
	      "\n"
	      "Verbs may be abbreviated. DEV is a name like ub0, DEV/PORT like ub0/3.\n"
	      "Exit status: 0, 3 it could not be found out, 4 usage.\n", out);
}

static int ubstat_option(int option, char **argv, struct ubstat_request *req, FILE *err)
{
	switch (option) {
	case 'j':
		req->json = true;
		return 0;
	case 'f':
		return 0;
	case 'h':
		req->help = true;
		return 0;
	case OPT_VERSION:
		req->version = true;
		return 0;
	case OPT_POD:
		req->pod = optarg;
		return 0;
	case OPT_COUNT:
		if (!word_u32(optarg, &req->count) && req->count)
			return 0;
		fprintf(err, "ubstat: --count takes a number from 1 on, not '%s'\n", optarg);
		return -EINVAL;
	case ':':
		fprintf(err, "ubstat: %s needs an argument; see ubstat --help\n",
			argv[optind - 1]);
		return -EINVAL;
	default:
		/* Of a cluster of short ones getopt is still inside of the word. */
		if (optopt && optopt < 256)
			fprintf(err, "ubstat: there is no option '-%c'", optopt);
		else
			fprintf(err, "ubstat: there is no option '%s'", argv[optind - 1]);
		fputs("; see ubstat --help\n", err);
		return -EINVAL;
	}
}

static int ubstat_verb(const char *given, struct ubstat_request *req, FILE *err)
{
	int verb = word_find(verbs, given);

	if (verb >= 0) {
		req->verb = verb;
		return 0;
	}
	if (verb == -E2BIG)
		fprintf(err, "ubstat: '%s' is short for several verbs: ", given);
	else
		fprintf(err, "ubstat: there is no verb '%s'; there is ", given);
	word_list(err, verbs, verb == -E2BIG ? given : NULL);
	if (verb != -E2BIG)
		fputs("; for a device: ubstat device DEV", err);
	fputc('\n', err);
	return -EINVAL;
}

static int ubstat_names(struct ubstat_request *req, FILE *err)
{
	char name[UBNL_NAME_LEN];
	int64_t port;
	int i;

	for (i = 0; i < req->nr_names; i++) {
		if (word_port(req->name[i], name, &port)) {
			fprintf(err, "ubstat: '%s' is no device like ub0 and no port like ub0/3\n",
				req->name[i]);
			return -EINVAL;
		}
	}
	return 0;
}

int ubstat_parse(int argc, char **argv, struct ubstat_request *req, FILE *err)
{
	int option;

	*req = (struct ubstat_request){};
	optind = 0;	/* glibc: begin anew */
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":jfh", options, NULL)) != -1)
		if (ubstat_option(option, argv, req, err))
			return -EINVAL;
	if (optind < argc && ubstat_verb(argv[optind++], req, err))
		return -EINVAL;
	req->name = argv + optind;
	req->nr_names = argc - optind;
	if (req->pod && (!req->pod[0] || strlen(req->pod) >= UB_NAME_LEN)) {
		fprintf(err, "ubstat: a pod's name has 1 to %d characters\n", UB_NAME_LEN - 1);
		return -EINVAL;
	}
	if (req->verb == UBSTAT_POD && req->nr_names) {
		fputs("ubstat: for one pod: ubstat pod --pod POD\n", err);
		return -EINVAL;
	}
	return ubstat_names(req, err);
}
