/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family "ub" with nothing but libc: pods, links, counters.
 *
 * Functions return 0 or -errno, as the kernel answered.
 */
#ifndef UB_GENL_H
#define UB_GENL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/netlink.h>
#include <linux/types.h>

#include <ub/netlink.h>

#define GENL_MAX_ATTR 64

/* A socket, and what the controller told about the family. */
struct genl {
	int fd;
	__u16 family;
	__u32 group;	/* of events */
	__u32 seq;
};

/* A request that is being put together. */
struct genl_msg {
	size_t len;
	char buf[4096] __attribute__((aligned(8)));
};

/* The attributes of an answer; of repeated ones the first and the last. */
struct genl_attrs {
	const struct nlattr *first[GENL_MAX_ATTR];
	const struct nlattr *last[GENL_MAX_ATTR];
};

typedef void (*genl_item_t)(__u8 cmd, const struct genl_attrs *attrs, void *data);

int genl_open(struct genl *genl);
void genl_close(struct genl *genl);

void genl_msg_init(struct genl_msg *msg, __u8 cmd);
void genl_put(struct genl_msg *msg, __u16 type, const void *data, size_t len);
void genl_put_str(struct genl_msg *msg, __u16 type, const char *str);
void genl_put_u32(struct genl_msg *msg, __u16 type, __u32 value);
size_t genl_nest_start(struct genl_msg *msg, __u16 type);
void genl_nest_end(struct genl_msg *msg, size_t nest);

void genl_parse(struct genl_attrs *attrs, const void *data, size_t len);
__u32 genl_u32(const struct nlattr *attr);
__u64 genl_u64(const struct nlattr *attr);
const char *genl_str(const struct nlattr *attr);
void genl_nested(struct genl_attrs *attrs, const struct nlattr *nest);

int genl_do(struct genl *genl, struct genl_msg *msg, genl_item_t item, void *data);
int genl_dump(struct genl *genl, struct genl_msg *msg, genl_item_t item, void *data,
	      bool *interrupted);
int genl_dump_start(struct genl *genl, struct genl_msg *msg);
int genl_dump_more(struct genl *genl, size_t size, genl_item_t item, void *data,
		   bool *interrupted);

/* One thing each, with a socket of its own. */
int ub_pod_add(const char *name, unsigned int npus, unsigned int mem_mib);
int ub_pod_del(const char *name, bool force);
int ub_link_set(unsigned int npu, unsigned int port, bool up);
int ub_link_set_width(unsigned int npu, unsigned int port, __u32 width);

struct ub_link_counters {
	bool found;
	__u32 index;
	__u32 state;
	__u64 ups;
	__u64 downs;
	__u64 packets[2];
	__u64 bytes[2];
	__u64 flits[2];
	__u64 ldst[2];
};

int ub_link_counters(const char *pod, __u32 end0, __u32 end1, struct ub_link_counters *out);

#endif /* UB_GENL_H */
