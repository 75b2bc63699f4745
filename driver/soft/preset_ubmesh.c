// SPDX-License-Identifier: GPL-2.0
/*
 *   ubmesh-rack [spare K] [mem_mib M]
 *	A rack of UB-Mesh: 8 boards of 8 NPUs, linked as mesh2d rows 8 cols 8
 *	lanes 4, and K spare NPUs (0 or 1; 1), number 64. Four switches, one per
 *	backplane; every NPU has an x4 port to each.
 *
 * The published lanes close: 14 neighbours · x4 + x16 to the LRS is the NPU's x72
 * (18 ports of x4), and 64 · x16 = x1024 = 4 backplanes · x256.
 *
 * Ports: an NPU's 0 … 13 lead to its neighbours in ascending order, 14 + b to
 * backplane b (the spare's: b); a backplane's i to NPU i.
 *
 * Chosen here, because it is not published:
 *   - Which LRS of a rack (there are 48, of x72) is linked to which. A switch
 *     here is all LRS of a backplane together, so that a spare is one switch away
 *     from everybody, as is said of it.
 *   - The spare's lanes: x16 to the LRS, like every NPU's.
 *   - The lane's 112 Gbit/s, which is Ascend 950's.
 * Links that leave the rack, the CPU board and the HRS are not there.
 *
 * By the router's rules NPUs that share neither board nor column reach each other
 * over a backplane, and over a third NPU only when all four are down. In UB-Mesh
 * they use both.
 */
#include "preset.h"

#define UBMESH_BOARDS		8
#define UBMESH_BOARD_NPUS	8
#define UBMESH_BACKPLANES	4
#define UBMESH_LANES		4

enum { UBMESH_SPARE, UBMESH_MEM };

static void ub_ubmesh_rack_draw(struct ub_blueprint *paper, const u32 *value)
{
	u32 npus = UBMESH_BOARDS * UBMESH_BOARD_NPUS + value[UBMESH_SPARE];
	u32 npu, b;

	ub_draw_npus(paper, npus, value[UBMESH_MEM]);
	ub_draw_switches(paper, UBMESH_BACKPLANES);
	ub_draw_mesh(paper, UBMESH_BOARDS, UBMESH_BOARD_NPUS, UBMESH_LANES);
	for (npu = 0; npu < npus; npu++)
		for (b = 0; b < UBMESH_BACKPLANES; b++)
			ub_draw_link(paper, npu, npus + b, UBMESH_LANES);
}

const struct ub_preset ub_preset_ubmesh_rack = {
	.name = "ubmesh-rack",
	.keys = "ubmesh-rack knows spare, mem_mib",
	.ranges = "ubmesh-rack: spare is 0 to 1, mem_mib 1 to 16777216",
	.key = {
		[UBMESH_SPARE] = { "spare", 0, 1, 1 },
		[UBMESH_MEM] = { "mem_mib", 1, UB_PRESET_MAX_MIB, UB_PRESET_DIE_MIB },
	},
	.draw = ub_ubmesh_rack_draw,
};
