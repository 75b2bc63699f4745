// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command line of ubadm: object, verb, and what the verb takes, as in
 * ip(8). Objects, verbs and keywords may be abbreviated; a preset's own keys may
 * not, because the kernel knows them and we do not.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "ubadm.h"

/* The words that are still to be read, ending with NULL. */
struct words {
	char **at;
	FILE *err;
};

enum { OPT_FORCE = 256, OPT_VERSION };

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL }
};

void ubadm_help(FILE *out)
{
	fputs("usage: ubadm [options] OBJECT VERB ...\n"
	      "\n"
	      "Changes UnifiedBus pods, links and interfaces. Changes need root (CAP_NET_ADMIN).\n"
	      "\n"
	      "  pod add NAME [backend B] preset P [KEY VALUE]...\n"
	      "                   make a pod: pod add pod1 preset mesh1d npus 4 lanes 2;\n"
	      "                   presets: mesh1d, mesh2d, superpod-a3, ubmesh-rack\n"
	      "  pod del NAME [--force]\n"
	      "                   remove it; with --force even when it is in use\n"
	      "  pod set NAME upi N\n"
	      "                   its partition, 1 to 32767\n"
	      "  link set DEV/PORT up | down | width N\n"
	      "                   the link of that port, at both ends\n"
	      "  route get FROM TO\n"
	      "                   the way from a device to another\n"
	      "  net up POD | down POD\n"
	      "                   the network interfaces of its NPUs, and their addresses\n"
	      "\n"
	      "  -j, --json       of route get: JSON\n"
	      "      --force      see pod del\n"
	      "  -h, --help\n"
	      "      --version\n"
	      "\n"
	      "Objects, verbs and keywords may be abbreviated. DEV is a name like ub0,\n"
	      "DEV/PORT like ub0/3; `ubstat port` lists all.\n"
	      "Exit status: 0, 1 the kernel refused, 3 it could not be asked, 4 usage.\n", out);
}

/* Takes the next word, which must be one of @list; its index or -EINVAL. */
static int take_word(struct words *words, const char *what, const char * const *list)
{
	const char *given = *words->at;
	int found = given ? word_find(list, given) : -ENOENT;

	if (found >= 0) {
		words->at++;
		return found;
	}
	if (!given)
		fprintf(words->err, "ubadm: %s is missing: ", what);
	else if (found == -E2BIG)
		fprintf(words->err, "ubadm: '%s' is short for several: ", given);
	else
		fprintf(words->err, "ubadm: '%s' is no %s; there is ", given, what);
	word_list(words->err, list, found == -E2BIG ? given : NULL);
	fputc('\n', words->err);
	return -EINVAL;
}

/* Takes the next word whatever it is; NULL and a sentence without one. */
static const char *take_any(struct words *words, const char *what)
{
	if (*words->at)
		return *words->at++;
	fprintf(words->err, "ubadm: %s is missing; see ubadm --help\n", what);
	return NULL;
}

static int take_end(struct words *words)
{
	if (!*words->at)
		return 0;
	fprintf(words->err, "ubadm: '%s' is too much; see ubadm --help\n", *words->at);
	return -EINVAL;
}

static int take_number(struct words *words, const char *what, uint32_t min, uint32_t max,
		       uint32_t *value)
{
	const char *given = take_any(words, what);

	if (!given)
		return -EINVAL;
	if (!word_u32(given, value) && *value >= min && *value <= max)
		return 0;
	fprintf(words->err, "ubadm: %s is a number from %u to %u, not '%s'\n", what, min, max,
		given);
	return -EINVAL;
}

/* ---- pod ------------------------------------------------------------------------ */

static int parse_pod_name(struct words *words, struct ubadm_request *req)
{
	req->pod = take_any(words, "the pod's name");
	if (!req->pod)
		return -EINVAL;
	if (req->pod[0] && strlen(req->pod) < UB_NAME_LEN)
		return 0;
	fprintf(words->err, "ubadm: a pod's name has 1 to %d characters\n", UB_NAME_LEN - 1);
	return -EINVAL;
}

static int add_param(struct words *words, struct ubadm_request *req, const char *key,
		     const char *value)
{
	if (req->nr_params == UBADM_MAX_PARAMS) {
		fprintf(words->err, "ubadm: more than %d parameters\n", UBADM_MAX_PARAMS);
		return -EINVAL;
	}
	req->param[req->nr_params++] = (struct ubnl_param){ key, value };
	return 0;
}

static int parse_pod_add(struct words *words, struct ubadm_request *req)
{
	req->op = UBADM_POD_ADD;
	if (parse_pod_name(words, req))
		return -EINVAL;
	while (*words->at) {
		const char *key = *words->at++;
		const char *value = *words->at;

		if (!value) {
			fprintf(words->err, "ubadm: the value of '%s' is missing\n", key);
			return -EINVAL;
		}
		/* The kernel's limit of each of these strings. */
		if (strlen(key) > 31 || strlen(value) > 31) {
			fprintf(words->err, "ubadm: '%s %s' is too long\n", key, value);
			return -EINVAL;
		}
		words->at++;
		if (!strcmp(key, "preset"))
			req->preset = value;
		else if (!strcmp(key, "backend"))
			req->backend = value;
		else if (add_param(words, req, key, value))
			return -EINVAL;
	}
	if (!req->preset) {
		fprintf(words->err, "ubadm: the preset is missing: pod add %s preset mesh1d\n",
			req->pod);
		return -EINVAL;
	}
	if (req->backend && strlen(req->backend) >= UB_NAME_LEN) {
		fprintf(words->err, "ubadm: a backend's name has 1 to %d characters\n",
			UB_NAME_LEN - 1);
		return -EINVAL;
	}
	return 0;
}

static int parse_pod_del(struct words *words, struct ubadm_request *req)
{
	static const char * const force[] = { "force", NULL };

	req->op = UBADM_POD_DEL;
	if (parse_pod_name(words, req))
		return -EINVAL;
	if (*words->at) {
		if (take_word(words, "option", force) < 0)
			return -EINVAL;
		req->force = true;
	}
	return take_end(words);
}

static int parse_pod_set(struct words *words, struct ubadm_request *req)
{
	static const char * const what[] = { "upi", NULL };

	req->op = UBADM_POD_SET_UPI;
	if (parse_pod_name(words, req) || take_word(words, "property", what) < 0 ||
	    take_number(words, "upi", 1, 0x7fff, &req->value))
		return -EINVAL;
	return take_end(words);
}

static int parse_pod(struct words *words, struct ubadm_request *req)
{
	static const char * const verbs[] = { "add", "del", "set", NULL };

	switch (take_word(words, "verb of pod", verbs)) {
	case 0:
		return parse_pod_add(words, req);
	case 1:
		return parse_pod_del(words, req);
	case 2:
		return parse_pod_set(words, req);
	default:
		return -EINVAL;
	}
}

/* ---- link ------------------------------------------------------------------------- */

static int parse_port(struct words *words, struct ubadm_request *req)
{
	const char *given = take_any(words, "the port");
	int64_t port;

	if (!given)
		return -EINVAL;
	if (word_port(given, req->device, &port) || port < 0) {
		fprintf(words->err, "ubadm: '%s' is no port like ub0/3; `ubstat port` lists all\n",
			given);
		return -EINVAL;
	}
	req->port = port;
	return 0;
}

static int parse_link(struct words *words, struct ubadm_request *req)
{
	static const char * const verbs[] = { "set", NULL };
	static const char * const what[] = { "up", "down", "width", NULL };
	int found;

	if (take_word(words, "verb of link", verbs) < 0 || parse_port(words, req))
		return -EINVAL;
	found = take_word(words, "property of a link", what);
	if (found < 0)
		return -EINVAL;
	req->op = found < 2 ? UBADM_LINK_SET_STATE : UBADM_LINK_SET_WIDTH;
	req->value = found ? UB_LINK_DOWN : UB_LINK_UP;
	if (found == 2 && take_number(words, "a width", 1, 255, &req->value))
		return -EINVAL;
	return take_end(words);
}

/* ---- route ------------------------------------------------------------------------ */

static int parse_device(struct words *words, const char *what, char name[UBNL_NAME_LEN])
{
	const char *given = take_any(words, what);
	int64_t port;

	if (!given)
		return -EINVAL;
	if (!word_port(given, name, &port) && port < 0)
		return 0;
	fprintf(words->err, "ubadm: '%s' is no device like ub0; `ubstat` lists all\n", given);
	return -EINVAL;
}

static int parse_route(struct words *words, struct ubadm_request *req)
{
	static const char * const verbs[] = { "get", NULL };

	req->op = UBADM_ROUTE_GET;
	if (take_word(words, "verb of route", verbs) < 0 ||
	    parse_device(words, "the device it begins at", req->device) ||
	    parse_device(words, "the device it leads to", req->peer))
		return -EINVAL;
	return take_end(words);
}

/* ---- net ---------------------------------------------------------------------------- */

static int parse_net(struct words *words, struct ubadm_request *req)
{
	static const char * const verbs[] = { "up", "down", NULL };
	int found = take_word(words, "verb of net", verbs);

	if (found < 0 || parse_pod_name(words, req))
		return -EINVAL;
	req->op = found ? UBADM_NET_DOWN : UBADM_NET_UP;
	return take_end(words);
}

/* ---- all --------------------------------------------------------------------------- */

static int parse_option(int option, char **argv, struct ubadm_request *req, FILE *err)
{
	switch (option) {
	case 'j':
		req->json = true;
		return 0;
	case OPT_FORCE:
		req->force = true;
		return 0;
	case 'h':
		req->help = true;
		return 0;
	case OPT_VERSION:
		req->version = true;
		return 0;
	default:
		if (optopt && optopt < 256)
			fprintf(err, "ubadm: there is no option '-%c'", optopt);
		else
			fprintf(err, "ubadm: there is no option '%s'", argv[optind - 1]);
		fputs("; see ubadm --help\n", err);
		return -EINVAL;
	}
}

static int parse_object(struct words *words, struct ubadm_request *req)
{
	static const char * const objects[] = { "pod", "link", "route", "net", NULL };

	switch (take_word(words, "object", objects)) {
	case 0:
		return parse_pod(words, req);
	case 1:
		return parse_link(words, req);
	case 2:
		return parse_route(words, req);
	case 3:
		return parse_net(words, req);
	default:
		return -EINVAL;
	}
}

int ubadm_parse(int argc, char **argv, struct ubadm_request *req, FILE *err)
{
	struct words words = { .err = err };
	int option;

	*req = (struct ubadm_request){};
	optind = 0;	/* glibc: begin anew */
	opterr = 0;
	while ((option = getopt_long(argc, argv, "jh", options, NULL)) != -1)
		if (parse_option(option, argv, req, err))
			return -EINVAL;
	if (req->help || req->version)
		return 0;
	words.at = argv + optind;
	if (parse_object(&words, req))
		return -EINVAL;
	if (req->force && req->op != UBADM_POD_DEL) {
		fputs("ubadm: --force is for pod del\n", err);
		return -EINVAL;
	}
	if (req->json && req->op != UBADM_ROUTE_GET) {
		fputs("ubadm: --json is for route get; nothing else has an answer\n", err);
		return -EINVAL;
	}
	return 0;
}
