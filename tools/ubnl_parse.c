// SPDX-License-Identifier: BSD-2-Clause
/*
 * Messages of the family "ub" as plain structs. Nothing is taken on trust: an
 * attribute that is too short or too long makes the message -EPROTO, one that
 * is unknown is skipped, one that is not there leaves its bit in @has clear.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <string.h>

#include "ubnl.h"

static const struct nla_policy ubnl_policy[UB_A_MAX + 1] = {
	[UB_A_POD] = { .type = NLA_STRING, .maxlen = UB_NAME_LEN },
	[UB_A_BACKEND] = { .type = NLA_STRING, .maxlen = UB_NAME_LEN },
	[UB_A_GONE] = { .type = NLA_FLAG },
	[UB_A_UPI] = { .type = NLA_U32 },
	[UB_A_GENERATION] = { .type = NLA_U64 },
	[UB_A_NR_UBPUS] = { .type = NLA_U32 },
	[UB_A_NR_NPUS] = { .type = NLA_U32 },
	[UB_A_NR_LINKS] = { .type = NLA_U32 },
	[UB_A_NR_PORTS] = { .type = NLA_U32 },
	[UB_A_UBPU_INDEX] = { .type = NLA_U32 },
	[UB_A_UBPU_NAME] = { .type = NLA_STRING, .maxlen = UBNL_NAME_LEN },
	[UB_A_UBPU_TYPE] = { .type = NLA_U32 },
	[UB_A_GUID] = { .minlen = UB_GUID_LEN, .maxlen = UB_GUID_LEN },
	[UB_A_EID] = { .minlen = UB_EID_LEN, .maxlen = UB_EID_LEN },
	[UB_A_CNA] = { .type = NLA_U32 },
	[UB_A_NUMA_NODE] = { .type = NLA_U32 },
	[UB_A_MEM_SIZE] = { .type = NLA_U64 },
	[UB_A_MEM_USED] = { .type = NLA_U64 },
	[UB_A_MEM_BACKED] = { .type = NLA_U64 },
	[UB_A_TOKEN_DENIED] = { .type = NLA_U64 },
	[UB_A_LINK_INDEX] = { .type = NLA_U32 },
	[UB_A_PORT] = { .type = NLA_U32 },
	[UB_A_STATE] = { .type = NLA_U32 },
	[UB_A_WIDTH] = { .type = NLA_U32 },
	[UB_A_WIDTH_MAX] = { .type = NLA_U32 },
	[UB_A_LANE_MBPS] = { .type = NLA_U32 },
	[UB_A_LINK_UPS] = { .type = NLA_U64 },
	[UB_A_LINK_DOWNS] = { .type = NLA_U64 },
	[UB_A_PACKETS] = { .type = NLA_U64 },
	[UB_A_BYTES] = { .type = NLA_U64 },
	[UB_A_FLITS] = { .type = NLA_U64 },
	[UB_A_LDST_REPORTED_BYTES] = { .type = NLA_U64 },
};

/* Where an attribute goes. */
struct ubnl_field {
	int attr;
	size_t offset;
	size_t size;	/* of a string with its NUL, or of a number or an array */
	bool string;
};

#define NUMBER(type, attr, member) \
	{ attr, offsetof(struct type, member), sizeof(((struct type *)0)->member), false }
#define STRING(type, attr, member) \
	{ attr, offsetof(struct type, member), sizeof(((struct type *)0)->member), true }

/* Fills the struct at @to, whose first member is its mask @has. */
static void ubnl_take(struct nlattr **tb, const struct ubnl_field *field, size_t nr, void *to)
{
	uint64_t *has = to;
	size_t i;

	for (i = 0; i < nr; i++) {
		const struct nlattr *attr = tb[field[i].attr];
		char *at = (char *)to + field[i].offset;

		if (!attr)
			continue;
		if (field[i].string)
			nla_strlcpy(at, attr, field[i].size);
		else
			memcpy(at, nla_data(attr), field[i].size);
		*has |= UBNL_BIT(field[i].attr);
	}
}

#define TAKE(tb, fields, to) ubnl_take(tb, fields, sizeof(fields) / sizeof((fields)[0]), to)

static int ubnl_parse(struct nlmsghdr *hdr, struct nlattr **tb)
{
	return genlmsg_parse(hdr, 0, tb, UB_A_MAX, ubnl_policy) ? -EPROTO : 0;
}

static int ubnl_parse_nest(struct nlattr *nest, struct nlattr **tb)
{
	return nla_parse_nested(tb, UB_A_MAX, nest, ubnl_policy) ? -EPROTO : 0;
}

int ubnl_parse_pod(struct nlmsghdr *hdr, struct ubnl_pod *pod)
{
	static const struct ubnl_field fields[] = {
		STRING(ubnl_pod, UB_A_POD, name),
		STRING(ubnl_pod, UB_A_BACKEND, backend),
		NUMBER(ubnl_pod, UB_A_UPI, upi),
		NUMBER(ubnl_pod, UB_A_GENERATION, generation),
		NUMBER(ubnl_pod, UB_A_NR_UBPUS, nr_ubpus),
		NUMBER(ubnl_pod, UB_A_NR_NPUS, nr_npus),
		NUMBER(ubnl_pod, UB_A_NR_LINKS, nr_links),
	};
	struct nlattr *tb[UB_A_MAX + 1];

	memset(pod, 0, sizeof(*pod));
	if (ubnl_parse(hdr, tb) || !tb[UB_A_POD])
		return -EPROTO;
	TAKE(tb, fields, pod);
	pod->gone = tb[UB_A_GONE];
	return 0;
}

int ubnl_parse_ubpu(struct nlmsghdr *hdr, struct ubnl_ubpu *ubpu)
{
	static const struct ubnl_field fields[] = {
		STRING(ubnl_ubpu, UB_A_POD, pod),
		NUMBER(ubnl_ubpu, UB_A_UBPU_INDEX, index),
		STRING(ubnl_ubpu, UB_A_UBPU_NAME, name),
		NUMBER(ubnl_ubpu, UB_A_UBPU_TYPE, type),
		NUMBER(ubnl_ubpu, UB_A_GUID, guid),
		NUMBER(ubnl_ubpu, UB_A_EID, eid),
		NUMBER(ubnl_ubpu, UB_A_NR_PORTS, nr_ports),
		NUMBER(ubnl_ubpu, UB_A_CNA, cna),
		NUMBER(ubnl_ubpu, UB_A_NUMA_NODE, numa_node),
		NUMBER(ubnl_ubpu, UB_A_MEM_SIZE, mem_size),
		NUMBER(ubnl_ubpu, UB_A_MEM_USED, mem_used),
		NUMBER(ubnl_ubpu, UB_A_MEM_BACKED, mem_backed),
		NUMBER(ubnl_ubpu, UB_A_TOKEN_DENIED, token_denied),
	};
	struct nlattr *tb[UB_A_MAX + 1];

	memset(ubpu, 0, sizeof(*ubpu));
	if (ubnl_parse(hdr, tb) || !tb[UB_A_POD] || !tb[UB_A_UBPU_NAME])
		return -EPROTO;
	TAKE(tb, fields, ubpu);
	return 0;
}

static int ubnl_parse_end(struct nlattr *nest, struct ubnl_end *end)
{
	static const struct ubnl_field fields[] = {
		NUMBER(ubnl_end, UB_A_UBPU_INDEX, ubpu),
		STRING(ubnl_end, UB_A_UBPU_NAME, name),
		NUMBER(ubnl_end, UB_A_PORT, port),
	};
	struct nlattr *tb[UB_A_MAX + 1];

	if (ubnl_parse_nest(nest, tb) || !tb[UB_A_UBPU_NAME] || !tb[UB_A_PORT])
		return -EPROTO;
	TAKE(tb, fields, end);
	return 0;
}

static int ubnl_parse_dir(struct nlattr *nest, struct ubnl_dir *dir)
{
	static const struct ubnl_field fields[] = {
		NUMBER(ubnl_dir, UB_A_PACKETS, packets),
		NUMBER(ubnl_dir, UB_A_BYTES, bytes),
		NUMBER(ubnl_dir, UB_A_FLITS, flits),
		NUMBER(ubnl_dir, UB_A_LDST_REPORTED_BYTES, ldst_reported_bytes),
	};
	struct nlattr *tb[UB_A_MAX + 1];

	if (ubnl_parse_nest(nest, tb))
		return -EPROTO;
	TAKE(tb, fields, dir);
	return 0;
}

int ubnl_parse_link(struct nlmsghdr *hdr, struct ubnl_link *link)
{
	static const struct ubnl_field fields[] = {
		STRING(ubnl_link, UB_A_POD, pod),
		STRING(ubnl_link, UB_A_BACKEND, backend),
		NUMBER(ubnl_link, UB_A_LINK_INDEX, index),
		NUMBER(ubnl_link, UB_A_STATE, state),
		NUMBER(ubnl_link, UB_A_WIDTH, width),
		NUMBER(ubnl_link, UB_A_WIDTH_MAX, width_max),
		NUMBER(ubnl_link, UB_A_LANE_MBPS, lane_mbps),
		NUMBER(ubnl_link, UB_A_LINK_UPS, ups),
		NUMBER(ubnl_link, UB_A_LINK_DOWNS, downs),
	};
	struct nlattr *tb[UB_A_MAX + 1], *nest;
	int ends = 0, dirs = 0, rest, ret = 0;

	memset(link, 0, sizeof(*link));
	if (ubnl_parse(hdr, tb) || !tb[UB_A_POD])
		return -EPROTO;
	TAKE(tb, fields, link);
	nlmsg_for_each_attr(nest, hdr, GENL_HDRLEN, rest) {
		if (nla_type(nest) == UB_A_END && ends < 2)
			ret = ubnl_parse_end(nest, &link->end[ends++]);
		else if (nla_type(nest) == UB_A_DIR && dirs < 2)
			ret = ubnl_parse_dir(nest, &link->dir[dirs++]);
		if (ret)
			return ret;
	}
	return ends == 2 ? 0 : -EPROTO;
}

int ubnl_parse_route(struct nlmsghdr *hdr, struct ubnl_route *route)
{
	static const struct ubnl_field fields[] = {
		NUMBER(ubnl_hop, UB_A_LINK_INDEX, link),
		STRING(ubnl_hop, UB_A_UBPU_NAME, name),
		NUMBER(ubnl_hop, UB_A_PORT, port),
	};
	struct nlattr *tb[UB_A_MAX + 1], *nest;
	int rest;

	memset(route, 0, sizeof(*route));
	nlmsg_for_each_attr(nest, hdr, GENL_HDRLEN, rest) {
		if (nla_type(nest) != UB_A_HOP || route->nr == UBNL_MAX_HOPS)
			continue;
		if (ubnl_parse_nest(nest, tb) || !tb[UB_A_UBPU_NAME] || !tb[UB_A_PORT])
			return -EPROTO;
		TAKE(tb, fields, &route->hop[route->nr++]);
	}
	return 0;
}
