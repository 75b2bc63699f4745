// SPDX-License-Identifier: GPL-2.0
/* Draws UBPUs and links. NPUs come first, as the core wants them. */
#include <ub/netlink.h>

#include "blueprint.h"

static void ub_draw_ubpus(struct ub_blueprint *paper, u32 nr, u8 type, u64 mem_size)
{
	u32 i;

	for (i = 0; paper->ubpu && i < nr; i++) {
		paper->ubpu[paper->nr_ubpus + i] = (struct ub_ubpu_desc){
			.type = type,
			.mem_size = mem_size,
		};
	}
	paper->nr_ubpus += nr;
}

void ub_draw_npus(struct ub_blueprint *paper, u32 nr, u32 mem_mib)
{
	ub_draw_ubpus(paper, nr, UB_UBPU_NPU, (u64)mem_mib << 20);
	paper->nr_npus += nr;
}

void ub_draw_switches(struct ub_blueprint *paper, u32 nr)
{
	ub_draw_ubpus(paper, nr, UB_UBPU_SWITCH, 0);
}

/* The order of calls numbers the ports at both ends. */
void ub_draw_link(struct ub_blueprint *paper, u32 a, u32 b, u32 lanes)
{
	if (paper->link) {
		paper->link[paper->nr_links] = (struct ub_link_desc){
			.ubpu = { a, b },
			.width = lanes,
			.lane_mbps = UB_LANE_MBPS,
		};
	}
	paper->nr_links++;
}
