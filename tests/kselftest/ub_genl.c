// SPDX-License-Identifier: GPL-2.0
/* See ub_genl.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <linux/genetlink.h>

#include <ub/ioctl.h>

#include "ub_genl.h"

/* ---- requests -------------------------------------------------------------- */

static void genl_msg_init_family(struct genl_msg *msg, __u16 family, __u8 cmd, __u8 version)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)msg->buf;
	struct genlmsghdr *genlh = NLMSG_DATA(nlh);

	memset(msg, 0, NLMSG_HDRLEN + GENL_HDRLEN + offsetof(struct genl_msg, buf));
	nlh->nlmsg_type = family;
	genlh->cmd = cmd;
	genlh->version = version;
	msg->len = NLMSG_HDRLEN + GENL_HDRLEN;
}

void genl_msg_init(struct genl_msg *msg, __u8 cmd)
{
	genl_msg_init_family(msg, 0, cmd, UB_GENL_VERSION);
}

void genl_put(struct genl_msg *msg, __u16 type, const void *data, size_t len)
{
	struct nlattr *attr = (struct nlattr *)(msg->buf + msg->len);

	if (msg->len + NLA_ALIGN(NLA_HDRLEN + len) > sizeof(msg->buf))
		return;
	memset(attr, 0, NLA_ALIGN(NLA_HDRLEN + len));
	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((char *)attr + NLA_HDRLEN, data, len);
	msg->len += NLA_ALIGN(attr->nla_len);
}

void genl_put_str(struct genl_msg *msg, __u16 type, const char *str)
{
	genl_put(msg, type, str, strlen(str) + 1);
}

void genl_put_u32(struct genl_msg *msg, __u16 type, __u32 value)
{
	genl_put(msg, type, &value, sizeof(value));
}

size_t genl_nest_start(struct genl_msg *msg, __u16 type)
{
	size_t nest = msg->len;

	genl_put(msg, type | NLA_F_NESTED, NULL, 0);
	return nest;
}

void genl_nest_end(struct genl_msg *msg, size_t nest)
{
	((struct nlattr *)(msg->buf + nest))->nla_len = msg->len - nest;
}

static int genl_send(struct genl *genl, struct genl_msg *msg, __u16 flags)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)msg->buf;

	if (!nlh->nlmsg_type)
		nlh->nlmsg_type = genl->family;
	nlh->nlmsg_len = msg->len;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++genl->seq;
	return send(genl->fd, msg->buf, msg->len, 0) < 0 ? -errno : 0;
}

/* ---- answers ----------------------------------------------------------------- */

void genl_parse(struct genl_attrs *attrs, const void *data, size_t len)
{
	const struct nlattr *attr = data;
	__u16 type;

	memset(attrs, 0, sizeof(*attrs));
	while (len >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN && attr->nla_len <= len) {
		type = attr->nla_type & NLA_TYPE_MASK;
		if (type < GENL_MAX_ATTR) {
			if (!attrs->first[type])
				attrs->first[type] = attr;
			attrs->last[type] = attr;
		}
		if (NLA_ALIGN(attr->nla_len) >= len)
			break;
		len -= NLA_ALIGN(attr->nla_len);
		attr = (const void *)((const char *)attr + NLA_ALIGN(attr->nla_len));
	}
}

void genl_nested(struct genl_attrs *attrs, const struct nlattr *nest)
{
	genl_parse(attrs, (const char *)nest + NLA_HDRLEN, nest->nla_len - NLA_HDRLEN);
}

__u32 genl_u32(const struct nlattr *attr)
{
	__u32 value = ~0U;

	if (attr)
		memcpy(&value, (const char *)attr + NLA_HDRLEN, sizeof(value));
	return value;
}

__u64 genl_u64(const struct nlattr *attr)
{
	__u64 value = ~0ULL;

	if (attr)
		memcpy(&value, (const char *)attr + NLA_HDRLEN, sizeof(value));
	return value;
}

const char *genl_str(const struct nlattr *attr)
{
	return attr ? (const char *)attr + NLA_HDRLEN : "";
}

static void genl_item(const struct nlmsghdr *nlh, genl_item_t item, void *data)
{
	const struct genlmsghdr *genlh = NLMSG_DATA(nlh);
	struct genl_attrs attrs;

	if (!item)
		return;
	genl_parse(&attrs, (const char *)genlh + GENL_HDRLEN,
		   nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
	item(genlh->cmd, &attrs, data);
}

/*
 * Reads one datagram. 1: the answer is complete; 0: there is more; -errno.
 */
static int genl_read(struct genl *genl, size_t size, genl_item_t item, void *data,
		     bool *interrupted)
{
	char buf[32768] __attribute__((aligned(8)));
	const struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	int len;

	len = recv(genl->fd, buf, size && size < sizeof(buf) ? size : sizeof(buf), 0);
	if (len < 0)
		return -errno;
	for (; NLMSG_OK(nlh, (unsigned int)len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_seq != genl->seq)
			continue;
		if (interrupted && nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (nlh->nlmsg_type == NLMSG_DONE)
			return *(int *)NLMSG_DATA(nlh) ?: 1;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error ?: 1;
		genl_item(nlh, item, data);
	}
	return 0;
}

int genl_do(struct genl *genl, struct genl_msg *msg, genl_item_t item, void *data)
{
	int ret = genl_send(genl, msg, NLM_F_ACK);

	while (!ret)
		ret = genl_read(genl, 0, item, data, NULL);
	return ret < 0 ? ret : 0;
}

int genl_dump_start(struct genl *genl, struct genl_msg *msg)
{
	return genl_send(genl, msg, NLM_F_DUMP);
}

int genl_dump_more(struct genl *genl, size_t size, genl_item_t item, void *data,
		   bool *interrupted)
{
	return genl_read(genl, size, item, data, interrupted);
}

int genl_dump(struct genl *genl, struct genl_msg *msg, genl_item_t item, void *data,
	      bool *interrupted)
{
	int ret = genl_send(genl, msg, NLM_F_DUMP);

	while (!ret)
		ret = genl_read(genl, 0, item, data, interrupted);
	return ret < 0 ? ret : 0;
}

/* ---- the family ------------------------------------------------------------------ */

static void genl_learn_family(__u8 cmd, const struct genl_attrs *attrs, void *data)
{
	const struct nlattr *groups = attrs->first[CTRL_ATTR_MCAST_GROUPS];
	struct genl_attrs list, group;
	struct genl *genl = data;

	(void)cmd;
	if (attrs->first[CTRL_ATTR_FAMILY_ID])
		memcpy(&genl->family, genl_str(attrs->first[CTRL_ATTR_FAMILY_ID]),
		       sizeof(genl->family));
	if (!groups)
		return;
	genl_nested(&list, groups);
	if (!list.first[1])
		return;
	genl_nested(&group, list.first[1]);
	genl->group = genl_u32(group.first[CTRL_ATTR_MCAST_GRP_ID]);
}

int genl_open(struct genl *genl)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct timeval limit = { .tv_sec = 20 };
	struct genl_msg msg;
	int ret;

	memset(genl, 0, sizeof(*genl));
	genl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (genl->fd < 0)
		return -errno;
	setsockopt(genl->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (bind(genl->fd, (struct sockaddr *)&addr, sizeof(addr))) {
		ret = -errno;
		goto err;
	}
	genl_msg_init_family(&msg, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	genl_put_str(&msg, CTRL_ATTR_FAMILY_NAME, UB_GENL_NAME);
	ret = genl_do(genl, &msg, genl_learn_family, genl);
	if (!ret && !genl->family)
		ret = -ENOENT;
	if (!ret)
		return 0;
err:
	close(genl->fd);
	return ret;
}

void genl_close(struct genl *genl)
{
	close(genl->fd);
}

/* ---- one thing each ----------------------------------------------------------------- */

static int ub_do(struct genl_msg *msg)
{
	struct genl genl;
	int ret = genl_open(&genl);

	if (ret)
		return ret;
	ret = genl_do(&genl, msg, NULL, NULL);
	genl_close(&genl);
	return ret;
}

static void ub_put_param(struct genl_msg *msg, const char *key, unsigned int value)
{
	size_t nest = genl_nest_start(msg, UB_A_PARAM);
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	genl_put_str(msg, UB_A_KEY, key);
	genl_put_str(msg, UB_A_VALUE, text);
	genl_nest_end(msg, nest);
}

int ub_pod_add(const char *name, unsigned int npus, unsigned int mem_mib)
{
	struct genl_msg msg;

	genl_msg_init(&msg, UB_CMD_POD_NEW);
	genl_put_str(&msg, UB_A_POD, name);
	genl_put_str(&msg, UB_A_PRESET, "mesh1d");
	ub_put_param(&msg, "npus", npus);
	if (mem_mib)
		ub_put_param(&msg, "mem_mib", mem_mib);
	return ub_do(&msg);
}

int ub_pod_del(const char *name, bool force)
{
	struct genl_msg msg;

	genl_msg_init(&msg, UB_CMD_POD_DEL);
	genl_put_str(&msg, UB_A_POD, name);
	if (force)
		genl_put(&msg, UB_A_FORCE, NULL, 0);
	return ub_do(&msg);
}

static void ub_link_msg(struct genl_msg *msg, unsigned int npu, unsigned int port)
{
	char name[16];

	snprintf(name, sizeof(name), "ub%u", npu);
	genl_msg_init(msg, UB_CMD_LINK_SET);
	genl_put_str(msg, UB_A_UBPU_NAME, name);
	genl_put_u32(msg, UB_A_PORT, port);
}

int ub_link_set(unsigned int npu, unsigned int port, bool up)
{
	struct genl_msg msg;

	ub_link_msg(&msg, npu, port);
	genl_put_u32(&msg, UB_A_STATE, up ? UB_LINK_UP : UB_LINK_DOWN);
	return ub_do(&msg);
}

int ub_link_set_width(unsigned int npu, unsigned int port, __u32 width)
{
	struct genl_msg msg;

	ub_link_msg(&msg, npu, port);
	genl_put_u32(&msg, UB_A_WIDTH, width);
	return ub_do(&msg);
}

struct ub_link_wanted {
	__u32 end[2];
	struct ub_link_counters *out;
};

static void ub_link_read(__u8 cmd, const struct genl_attrs *attrs, void *data)
{
	const struct nlattr *ends[2] = { attrs->first[UB_A_END], attrs->last[UB_A_END] };
	const struct nlattr *dirs[2] = { attrs->first[UB_A_DIR], attrs->last[UB_A_DIR] };
	const struct ub_link_wanted *wanted = data;
	struct ub_link_counters *out = wanted->out;
	struct genl_attrs nest;
	int i;

	if (cmd != UB_CMD_LINK_GET || !ends[0] || !dirs[0])
		return;
	for (i = 0; i < 2; i++) {
		genl_nested(&nest, ends[i]);
		if (genl_u32(nest.first[UB_A_UBPU_INDEX]) != wanted->end[i])
			return;
	}
	out->found = true;
	out->index = genl_u32(attrs->first[UB_A_LINK_INDEX]);
	out->state = genl_u32(attrs->first[UB_A_STATE]);
	out->ups = genl_u64(attrs->first[UB_A_LINK_UPS]);
	out->downs = genl_u64(attrs->first[UB_A_LINK_DOWNS]);
	for (i = 0; i < 2; i++) {
		genl_nested(&nest, dirs[i]);
		out->packets[i] = genl_u64(nest.first[UB_A_PACKETS]);
		out->bytes[i] = genl_u64(nest.first[UB_A_BYTES]);
		out->flits[i] = genl_u64(nest.first[UB_A_FLITS]);
		out->ldst[i] = genl_u64(nest.first[UB_A_LDST_REPORTED_BYTES]);
	}
}

/* The link between UBPUs @end0 < @end1 of a pod. */
int ub_link_counters(const char *pod, __u32 end0, __u32 end1, struct ub_link_counters *out)
{
	struct ub_link_wanted wanted = { .end = { end0, end1 }, .out = out };
	struct genl_msg msg;
	struct genl genl;
	int ret = genl_open(&genl);

	if (ret)
		return ret;
	memset(out, 0, sizeof(*out));
	genl_msg_init(&msg, UB_CMD_LINK_GET);
	genl_put_str(&msg, UB_A_POD, pod);
	ret = genl_dump(&genl, &msg, ub_link_read, &wanted, NULL);
	genl_close(&genl);
	return ret ?: out->found ? 0 : -ENOENT;
}
