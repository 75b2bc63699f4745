// SPDX-License-Identifier: BSD-2-Clause
/*
 * Messages of the netlink family as structs: whole ones, ones with something
 * missing, and ones that no honest kernel sends.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "ubnl.h"

static struct nl_msg *message(uint8_t cmd)
{
	struct nl_msg *msg = nlmsg_alloc();

	assert_non_null(msg);
	assert_non_null(genlmsg_put(msg, 1, 1, 30, 0, 0, cmd, UB_GENL_VERSION));
	return msg;
}

static void put_end(struct nl_msg *msg, const char *name, uint32_t port)
{
	struct nlattr *nest = nla_nest_start(msg, UB_A_END);

	nla_put_u32(msg, UB_A_UBPU_INDEX, port + 10);
	nla_put_string(msg, UB_A_UBPU_NAME, name);
	nla_put_u32(msg, UB_A_PORT, port);
	nla_nest_end(msg, nest);
}

static void put_dir(struct nl_msg *msg, uint64_t bytes)
{
	struct nlattr *nest = nla_nest_start(msg, UB_A_DIR);

	nla_put_u64(msg, UB_A_BYTES, bytes);
	nla_nest_end(msg, nest);
}

static void a_pod(void **state)
{
	struct nl_msg *msg = message(UB_CMD_POD_GET);
	struct ubnl_pod pod;

	nla_put_string(msg, UB_A_POD, "pod0");
	nla_put_string(msg, UB_A_BACKEND, "soft");
	nla_put_u64(msg, UB_A_GENERATION, UINT64_MAX);
	nla_put_u32(msg, UB_A_NR_NPUS, 8);
	nla_put_u32(msg, UB_A_MAX + 1, 1);	/* of a newer kernel */
	assert_int_equal(ubnl_parse_pod(nlmsg_hdr(msg), &pod), 0);
	assert_string_equal(pod.name, "pod0");
	assert_string_equal(pod.backend, "soft");
	assert_true(pod.generation == UINT64_MAX);
	assert_int_equal(pod.nr_npus, 8);
	assert_true(pod.has & UBNL_BIT(UB_A_NR_NPUS));
	assert_false(pod.has & UBNL_BIT(UB_A_UPI));
	assert_false(pod.gone);
	nla_put_flag(msg, UB_A_GONE);
	assert_int_equal(ubnl_parse_pod(nlmsg_hdr(msg), &pod), 0);
	assert_true(pod.gone);
	nlmsg_free(msg);
}

static void a_ubpu(void **state)
{
	struct nl_msg *msg = message(UB_CMD_UBPU_GET);
	uint8_t eid[UB_EID_LEN] = { 0xfd, [15] = 9 };
	struct ubnl_ubpu ubpu;

	nla_put_string(msg, UB_A_POD, "pod0");
	nla_put_string(msg, UB_A_UBPU_NAME, "ub3");
	nla_put(msg, UB_A_EID, sizeof(eid), eid);
	nla_put_s32(msg, UB_A_NUMA_NODE, -1);
	assert_int_equal(ubnl_parse_ubpu(nlmsg_hdr(msg), &ubpu), 0);
	assert_string_equal(ubpu.name, "ub3");
	assert_memory_equal(ubpu.eid, eid, sizeof(eid));
	assert_int_equal(ubpu.numa_node, -1);
	assert_false(ubpu.has & UBNL_BIT(UB_A_MEM_SIZE));
	nlmsg_free(msg);
}

static void a_link(void **state)
{
	struct nl_msg *msg = message(UB_CMD_LINK_GET);
	struct ubnl_link link;

	nla_put_string(msg, UB_A_POD, "pod0");
	put_end(msg, "ub0", 3);
	put_end(msg, "ub4", 0);
	nla_put_u32(msg, UB_A_STATE, UB_LINK_UP);
	put_dir(msg, 100);
	put_dir(msg, 200);
	assert_int_equal(ubnl_parse_link(nlmsg_hdr(msg), &link), 0);
	assert_string_equal(link.end[0].name, "ub0");
	assert_int_equal(link.end[0].port, 3);
	assert_int_equal(link.end[0].ubpu, 13);
	assert_string_equal(link.end[1].name, "ub4");
	assert_int_equal(link.dir[0].bytes, 100);
	assert_int_equal(link.dir[1].bytes, 200);
	assert_false(link.dir[0].has & UBNL_BIT(UB_A_FLITS));
	assert_false(link.has & UBNL_BIT(UB_A_WIDTH));
	/* More of them than a link has are not written anywhere. */
	put_end(msg, "ub5", 5);
	put_dir(msg, 300);
	assert_int_equal(ubnl_parse_link(nlmsg_hdr(msg), &link), 0);
	assert_int_equal(link.dir[1].bytes, 200);
	nlmsg_free(msg);
}

static void a_route(void **state)
{
	struct nl_msg *msg = message(UB_CMD_ROUTE_GET);
	struct ubnl_route route;
	uint32_t i;

	for (i = 0; i < UBNL_MAX_HOPS + 2; i++) {
		struct nlattr *nest = nla_nest_start(msg, UB_A_HOP);

		nla_put_string(msg, UB_A_UBPU_NAME, "ub0");
		nla_put_u32(msg, UB_A_PORT, i);
		nla_nest_end(msg, nest);
	}
	assert_int_equal(ubnl_parse_route(nlmsg_hdr(msg), &route), 0);
	assert_int_equal(route.nr, UBNL_MAX_HOPS);
	assert_int_equal(route.hop[UBNL_MAX_HOPS - 1].port, UBNL_MAX_HOPS - 1);
	nlmsg_free(msg);
}

static void what_is_broken_is_refused(void **state)
{
	struct ubnl_link link;
	struct ubnl_ubpu ubpu;
	struct ubnl_pod pod;
	struct nl_msg *msg;

	msg = message(UB_CMD_POD_GET);	/* nothing in it */
	assert_int_equal(ubnl_parse_pod(nlmsg_hdr(msg), &pod), -EPROTO);
	nla_put_string(msg, UB_A_POD, "a name that is longer than any name");
	assert_int_equal(ubnl_parse_pod(nlmsg_hdr(msg), &pod), -EPROTO);
	nlmsg_free(msg);

	msg = message(UB_CMD_UBPU_GET);
	nla_put_string(msg, UB_A_POD, "p");
	nla_put_string(msg, UB_A_UBPU_NAME, "ub0");
	nla_put(msg, UB_A_GUID, 3, "abc");
	assert_int_equal(ubnl_parse_ubpu(nlmsg_hdr(msg), &ubpu), -EPROTO);
	nlmsg_free(msg);

	msg = message(UB_CMD_LINK_GET);	/* one end only */
	nla_put_string(msg, UB_A_POD, "p");
	put_end(msg, "ub0", 0);
	assert_int_equal(ubnl_parse_link(nlmsg_hdr(msg), &link), -EPROTO);
	nla_put(msg, UB_A_END, 0, NULL);	/* an empty nest */
	assert_int_equal(ubnl_parse_link(nlmsg_hdr(msg), &link), -EPROTO);
	nlmsg_free(msg);

	msg = message(UB_CMD_LINK_GET);	/* a short number */
	nla_put_string(msg, UB_A_POD, "p");
	put_end(msg, "ub0", 0);
	put_end(msg, "ub1", 0);
	nla_put_u32(msg, UB_A_LINK_UPS, 1);
	assert_int_equal(ubnl_parse_link(nlmsg_hdr(msg), &link), -EPROTO);
	nlmsg_free(msg);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod),
		cmocka_unit_test(a_ubpu),
		cmocka_unit_test(a_link),
		cmocka_unit_test(a_route),
		cmocka_unit_test(what_is_broken_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
