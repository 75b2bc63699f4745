// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubstat: shows UnifiedBus devices and their links. Changes nothing and needs no
 * privilege. Errors are sentences on stderr that say what to do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ubstat.h"

struct watch {
	const struct ubstat_request *req;
	uint32_t seen;
};

#define WATCH_ENOUGH 1

static bool watch_wants(const struct ubstat_request *req, const struct ubnl_event *event)
{
	if (event->is_link)
		return ubstat_wants_link(req, &event->link);
	return !req->nr_names && (!req->pod || !strcmp(req->pod, event->pod.name));
}

static int watch_tell(const struct ubnl_event *event, void *arg)
{
	struct watch *watch = arg;
	time_t now = time(NULL);
	char text[32] = "";
	struct tm tm;

	if (!watch_wants(watch->req, event))
		return 0;
	if (localtime_r(&now, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S%z", &tm);
	if (ubstat_show_event(watch->req->json, event, text, stdout))
		return -ENOMEM;
	/* Into a pipe, each at once; a reader that is gone ends us. */
	if (fflush(stdout))
		return WATCH_ENOUGH;
	return ++watch->seen == watch->req->count ? WATCH_ENOUGH : 0;
}

static int run_events(const struct ubstat_request *req, struct ubnl *nl)
{
	struct watch watch = { .req = req };
	int ret = ubnl_listen(nl, watch_tell, &watch);

	if (ret == WATCH_ENOUGH)
		return EXIT_OK;
	fprintf(stderr, "ubstat: %s\n", ubnl_sentence(nl, ret));
	return EXIT_UNKNOWN;
}

static int run_show(const struct ubstat_request *req, struct ubnl *nl)
{
	char name[UBNL_NAME_LEN] = "";
	struct ubnl_snapshot snap;
	int64_t port;
	int ret;

	/* One device is common, and in a large pod spares most of the links. */
	if (req->nr_names == 1)
		word_port(req->name[0], name, &port);
	ret = ubnl_snapshot(nl, req->pod, name[0] ? name : NULL, &snap);
	if (ret) {
		fprintf(stderr, "ubstat: %s\n", ubnl_sentence(nl, ret));
		return EXIT_UNKNOWN;
	}
	ret = ubstat_check_names(req, &snap, stderr);
	if (!ret) {
		ret = req->json ? ubstat_show_json(req, &snap, stdout) :
				  ubstat_show_table(req, &snap, stdout);
		if (ret)
			fprintf(stderr, "ubstat: %s\n", ubnl_sentence(nl, ret));
		else if (!snap.nr_pods && !req->json)
			fputs("ubstat: there is no pod; make one: "
			      "ubadm pod add pod0 preset mesh1d\n", stderr);
	}
	ubnl_snapshot_free(&snap);
	return ret ? EXIT_UNKNOWN : EXIT_OK;
}

int main(int argc, char **argv)
{
	struct ubstat_request req;
	struct ubnl *nl;
	int ret;

	if (ubstat_parse(argc, argv, &req, stderr))
		return EXIT_USAGE;
	if (req.help || req.version) {
		if (req.help)
			ubstat_help(stdout);
		else
			puts("ubstat " UB_VERSION);
		return fflush(stdout) ? EXIT_UNKNOWN : EXIT_OK;
	}
	ret = ubnl_open(&nl);
	if (ret) {
		fprintf(stderr, "ubstat: %s\n", ubnl_sentence(nl, ret));
		ret = EXIT_UNKNOWN;
	} else if (req.verb == UBSTAT_EVENTS) {
		ret = run_events(&req, nl);
	} else {
		ret = run_show(&req, nl);
	}
	ubnl_close(nl);
	/* A full disk must not look like success. */
	if (fclose(stdout) && !ret) {
		fprintf(stderr, "ubstat: the output could not be written: %s\n",
			strerror(errno));
		ret = EXIT_UNKNOWN;
	}
	return ret;
}
