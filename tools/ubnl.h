/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the generic netlink family "ub": what there is, as plain structs,
 * and its administration. <ub/netlink.h> is the contract.
 *
 * Every struct has a mask @has of the attributes (UB_A_*) that the kernel gave.
 * What it did not give is absent, which is not the same as 0.
 *
 * Functions return 0 or -errno; ubnl_sentence() says it in words, with what the
 * kernel said about it. Dumps need no privilege, changes need CAP_NET_ADMIN.
 */
#ifndef UBNL_H
#define UBNL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ub/ioctl.h>
#include <ub/netlink.h>

#define UBNL_NAME_LEN	32	/* of a UBPU, with the final NUL */

#define UBNL_BIT(attr)	(1ULL << (attr))

struct nl_msg;
struct nlmsghdr;

struct ubnl_pod {
	uint64_t has;
	char name[UB_NAME_LEN];
	char backend[UB_NAME_LEN];
	uint32_t upi;
	uint64_t generation;
	uint32_t nr_ubpus;
	uint32_t nr_npus;
	uint32_t nr_links;
	bool gone;
};

/* Memory and @token_denied are of NPUs only. */
struct ubnl_ubpu {
	uint64_t has;
	char pod[UB_NAME_LEN];
	uint32_t index;
	char name[UBNL_NAME_LEN];
	uint32_t type;
	uint8_t guid[UB_GUID_LEN];
	uint8_t eid[UB_EID_LEN];
	uint32_t nr_ports;
	uint32_t cna;
	int32_t numa_node;
	uint64_t mem_size;
	uint64_t mem_used;
	uint64_t mem_backed;
	uint64_t token_denied;
};

struct ubnl_end {
	uint64_t has;
	uint32_t ubpu;
	char name[UBNL_NAME_LEN];
	uint32_t port;
};

struct ubnl_dir {
	uint64_t has;
	uint64_t packets;
	uint64_t bytes;
	uint64_t flits;
	uint64_t ldst_reported_bytes;
};

/* @dir[i] is what end i sends. */
struct ubnl_link {
	uint64_t has;
	char pod[UB_NAME_LEN];
	char backend[UB_NAME_LEN];
	uint32_t index;
	struct ubnl_end end[2];
	uint32_t state;
	uint32_t width;
	uint32_t width_max;
	uint32_t lane_mbps;
	uint64_t ups;
	uint64_t downs;
	struct ubnl_dir dir[2];
};

struct ubnl_hop {
	uint64_t has;
	uint32_t link;
	char name[UBNL_NAME_LEN];	/* the UBPU that it leaves, */
	uint32_t port;			/* and the port it leaves by */
};

/* The longest route is four hops; a kernel that gives more is cut off. */
#define UBNL_MAX_HOPS	8

struct ubnl_route {
	uint32_t nr;
	struct ubnl_hop hop[UBNL_MAX_HOPS];
};

/* What there is; filled by ubnl_snapshot(), emptied by ubnl_snapshot_free(). */
struct ubnl_snapshot {
	struct ubnl_pod *pod;
	struct ubnl_ubpu *ubpu;
	struct ubnl_link *link;
	size_t nr_pods, nr_ubpus, nr_links;
};

struct ubnl_event {
	bool is_link;
	union {
		struct ubnl_pod pod;
		struct ubnl_link link;
	};
};

struct ubnl_param {
	const char *key;
	const char *value;
};

struct ubnl;

/* -ENOENT: the module is not loaded. *nl is NULL only with -ENOMEM. */
int ubnl_open(struct ubnl **nl);
void ubnl_close(struct ubnl *nl);

/* What the error of the last call means, and what to do, without a full stop. */
const char *ubnl_sentence(struct ubnl *nl, int err);

/*
 * @pod: of this one only, NULL: of all. @ubpu: only the links of this one, NULL:
 * all. -EINTR: pods came and went all the time.
 */
int ubnl_snapshot(struct ubnl *nl, const char *pod, const char *ubpu,
		  struct ubnl_snapshot *snap);
void ubnl_snapshot_free(struct ubnl_snapshot *snap);

const struct ubnl_pod *ubnl_pod_find(const struct ubnl_snapshot *snap, const char *name);
const struct ubnl_ubpu *ubnl_ubpu_find(const struct ubnl_snapshot *snap, const char *name);

int ubnl_route(struct ubnl *nl, const char *from, const char *to, struct ubnl_route *route);

int ubnl_pod_add(struct ubnl *nl, const char *name, const char *backend,
		 const char *preset, const struct ubnl_param *param, size_t nr);
int ubnl_pod_del(struct ubnl *nl, const char *name, bool force);
int ubnl_pod_set_upi(struct ubnl *nl, const char *name, uint32_t upi);
int ubnl_link_set_state(struct ubnl *nl, const char *ubpu, uint32_t port, uint32_t state);
int ubnl_link_set_width(struct ubnl *nl, const char *ubpu, uint32_t port, uint32_t width);

/*
 * Calls @tell for each event until it returns non-zero, which is returned.
 * -ENOBUFS: events were lost, because they came faster than they were read.
 */
int ubnl_listen(struct ubnl *nl, int (*tell)(const struct ubnl_event *event, void *arg),
		void *arg);

/* ---- messages: ubnl_parse.c ------------------------------------------------ */

int ubnl_parse_pod(struct nlmsghdr *hdr, struct ubnl_pod *pod);
int ubnl_parse_ubpu(struct nlmsghdr *hdr, struct ubnl_ubpu *ubpu);
int ubnl_parse_link(struct nlmsghdr *hdr, struct ubnl_link *link);
int ubnl_parse_route(struct nlmsghdr *hdr, struct ubnl_route *route);

/* ---- between ubnl.c and ubnl_admin.c --------------------------------------- */

/* A request to be filled; NULL without memory. */
struct nl_msg *ubnl_request(struct ubnl *nl, uint8_t cmd, int flags);

/*
 * Sends @msg, which is consumed, and gives each answer to @take (may be NULL)
 * until the kernel says that it is done. @bad: @msg could not be filled.
 */
int ubnl_call(struct ubnl *nl, struct nl_msg *msg, bool bad,
	      int (*take)(struct nlmsghdr *hdr, void *arg), void *arg);

#endif /* UBNL_H */
