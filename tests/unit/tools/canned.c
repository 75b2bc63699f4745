// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two NPUs and a switch: one link is whole, one is down, one has lost a lane.
 * Counters reach the end of 64 bits. The kernel of pod "old" says less: its
 * attributes are absent, and what stands in their place must never be shown.
 */
#include "canned.h"

#define ALL (~0ULL)
#define WITHOUT(attr) (ALL & ~UBNL_BIT(attr))
#define JUNK 4711

static struct ubnl_pod pods[] = {
	{ ALL, "pod0", "soft", 7, 12, 3, 2, 3, false },
	{ UBNL_BIT(UB_A_POD), "old", "", JUNK, JUNK, JUNK, JUNK, JUNK, false },
};

static struct ubnl_ubpu ubpus[] = {
	{
		.has = ALL, .pod = "pod0", .index = 0, .name = "ub0", .type = UB_UBPU_NPU,
		.guid = { 0x55, 0x42, 0, 1, 0x21, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1 },
		.eid = { 0xfd, 0x55, 0x42, 0, [15] = 1 },
		.nr_ports = 2, .cna = 1, .numa_node = 0, .mem_size = 64ULL << 30,
		.mem_used = 1536ULL << 20, .mem_backed = 4096, .token_denied = 3,
	}, {
		.has = ALL, .pod = "pod0", .index = 1, .name = "ub1", .type = UB_UBPU_NPU,
		.guid = { 0x55, 0x42, 0, 1, [15] = 2 },
		.eid = { 0xfd, 0x55, 0x42, 0, [15] = 2 },
		.nr_ports = 2, .cna = 0x103, .numa_node = -1, .mem_size = 64ULL << 30,
	}, {
		.has = UBNL_BIT(UB_A_UBPU_INDEX) | UBNL_BIT(UB_A_NR_PORTS) |
		       UBNL_BIT(UB_A_CNA) | UBNL_BIT(UB_A_UBPU_TYPE),
		.pod = "pod0", .index = 2, .name = "pod0-sw0", .type = UB_UBPU_SWITCH,
		.nr_ports = 2, .cna = 5, .mem_size = JUNK,
	}, {
		.has = UBNL_BIT(UB_A_UBPU_TYPE), .pod = "old", .index = JUNK, .name = "ub9",
		.type = UB_UBPU_NPU, .nr_ports = JUNK, .cna = JUNK, .numa_node = JUNK,
		.mem_size = JUNK, .mem_used = JUNK, .mem_backed = JUNK,
		.token_denied = JUNK,
	}, {
		.has = UBNL_BIT(UB_A_UBPU_TYPE), .pod = "old", .name = "old-x0", .type = 9,
	},
};

static struct ubnl_link links[] = {
	{
		.has = ALL, .pod = "pod0", .backend = "soft", .index = 0,
		.end = { { ALL, 0, "ub0", 0 }, { ALL, 1, "ub1", 0 } },
		.state = UB_LINK_UP, .width = 4, .width_max = 4, .lane_mbps = 112000,
		.ups = 1, .downs = 0,
		.dir = { { ALL, 10, UINT64_MAX, 2048, 4096 }, { ALL, 1, 8192, 410, 0 } },
	}, {
		.has = ALL, .pod = "pod0", .backend = "soft", .index = 1,
		.end = { { ALL, 0, "ub0", 1 }, { ALL, 2, "pod0-sw0", 0 } },
		.state = UB_LINK_DOWN, .width = 4, .width_max = 4, .lane_mbps = 112000,
		.ups = 3, .downs = 3,
		.dir = { { ALL, 0, 0, 0, 0 }, { ALL, 0, 0, 0, 0 } },
	}, {
		.has = ALL, .pod = "pod0", .backend = "soft", .index = 2,
		.end = { { ALL, 2, "pod0-sw0", 1 }, { ALL, 1, "ub1", 1 } },
		.state = UB_LINK_UP, .width = 3, .width_max = 4, .lane_mbps = 112000,
		.ups = 1, .downs = 0,
		.dir = {
			{ WITHOUT(UB_A_LDST_REPORTED_BYTES), 5, 500, 25, JUNK },
			{ ALL, 6, 600, 30, 0 },
		},
	}, {
		.has = UBNL_BIT(UB_A_POD), .pod = "old", .backend = "",
		.index = JUNK, .state = JUNK, .width = JUNK, .width_max = JUNK,
		.lane_mbps = JUNK, .ups = JUNK, .downs = JUNK,
		.end = { { ALL, 0, "ub9", 0 }, { ALL, 1, "old-x0", 0 } },
		.dir = { { 0, JUNK, JUNK, JUNK, JUNK }, { 0, JUNK, JUNK, JUNK, JUNK } },
	},
};

const struct ubnl_snapshot canned = {
	.pod = pods, .nr_pods = sizeof(pods) / sizeof(pods[0]),
	.ubpu = ubpus, .nr_ubpus = sizeof(ubpus) / sizeof(ubpus[0]),
	.link = links, .nr_links = sizeof(links) / sizeof(links[0]),
};
