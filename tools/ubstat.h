/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ubstat: what is asked, and what answers. The parts know a snapshot and a FILE
 * only, so that tests feed them with one that no kernel made.
 */
#ifndef UBSTAT_H
#define UBSTAT_H

#include <stdbool.h>
#include <stdio.h>

#include "ubnl.h"
#include "word.h"

/* Of the JSON; grows when a key changes its meaning or goes. */
#define UBSTAT_SCHEMA	1

/* In the order of the verbs in ubstat_args.c. */
enum ubstat_verb {
	UBSTAT_DEVICE,
	UBSTAT_PORT,
	UBSTAT_LINK,
	UBSTAT_TOPO,
	UBSTAT_NPU,
	UBSTAT_POD,
	UBSTAT_EVENTS,
};

/**
 * struct ubstat_request - a command line
 * @verb:	what to show
 * @json:	as JSON
 * @help:	print the help and nothing else
 * @version:	the same for the version
 * @count:	end after as many events; 0: never
 * @pod:	of this pod only, or NULL
 * @name:	of these devices and ports only; they stay in argv
 * @nr_names:	of them; 0: all
 */
struct ubstat_request {
	enum ubstat_verb verb;
	bool json;
	bool help;
	bool version;
	uint32_t count;
	const char *pod;
	char **name;
	int nr_names;
};

/* 0, or -EINVAL when @err got a sentence about what is wrong. argv is permuted. */
int ubstat_parse(int argc, char **argv, struct ubstat_request *req, FILE *err);
void ubstat_help(FILE *out);

/* ---- what of a snapshot is asked for: ubstat_select.c ----------------------- */

/* 0, or -ENOENT when a name is of nothing in the snapshot; @err gets a sentence. */
int ubstat_check_names(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		       FILE *err);
bool ubstat_wants_ubpu(const struct ubstat_request *req, const struct ubnl_ubpu *ubpu);
bool ubstat_wants_port(const struct ubstat_request *req, const struct ubnl_end *end);
bool ubstat_wants_link(const struct ubstat_request *req, const struct ubnl_link *link);

/* A port: an end of a link. */
struct ubstat_port {
	const struct ubnl_link *link;
	int end;
};

/*
 * The ports that are asked for, ordered by pod, device and number; to be freed.
 * NULL: no memory.
 */
struct ubstat_port *ubstat_ports(const struct ubstat_request *req,
				 const struct ubnl_snapshot *snap, size_t *nr);

/* What the links of a UBPU sum up to. */
struct ubstat_sum {
	uint32_t ports;
	uint32_t ports_up;
	uint32_t width;		/* active lanes of links that are up */
	uint32_t width_max;
	uint64_t mbps;
	uint64_t mbps_max;
	bool known;		/* false: a link lacks something of these */
};

/* Of every UBPU, in the order of the snapshot's; to be freed. NULL without memory. */
struct ubstat_sum *ubstat_sums(const struct ubnl_snapshot *snap);

/* "soft", or NULL when the snapshot does not have the pod any more. */
const char *ubstat_backend(const struct ubnl_snapshot *snap, const char *pod);

/* NULL for what is absent or what this program does not know. */
const char *ubstat_type(const struct ubnl_ubpu *ubpu);
const char *ubstat_state(const struct ubnl_link *link);

/* In Mbit/s. False: the link is not up or the kernel did not say. */
bool ubstat_speed(const struct ubnl_link *link, uint64_t *mbps);

/* As in sysfs: an EID like an IPv6 address, a GUID by its fields. */
#define UBSTAT_ID_LEN	48
void ubstat_eid(const struct ubnl_ubpu *ubpu, char text[UBSTAT_ID_LEN]);
void ubstat_guid(const struct ubnl_ubpu *ubpu, char text[UBSTAT_ID_LEN]);

/* ---- answers: 0 or -ENOMEM ---------------------------------------------------- */

int ubstat_show_table(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		      FILE *out);
int ubstat_show_topo(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		     FILE *out);
int ubstat_show_json(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		     FILE *out);

/* An event on a line of its own; @time: in front of it, "" for none. */
int ubstat_show_event(bool json, const struct ubnl_event *event, const char *time, FILE *out);

/* For ubstat_show_event(). */
struct json_object;
struct json_object *ubstat_json_pod(const struct ubnl_pod *pod);
struct json_object *ubstat_json_link(const struct ubnl_link *link);

#endif /* UBSTAT_H */
