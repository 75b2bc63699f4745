// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubmesh-rack: spare 0 … 1 (1), mem_mib 1 … 16777216 (65536) of an NPU
 *
 * A rack of UB-Mesh: mesh2d rows 8 cols 8 lanes 4 (a row is a board); then, if there
 * is one, the spare; then four switches, to each of which every NPU has an x4
 * link, in the order of NPUs and of each NPU's switches. So an NPU has x72:
 * 14 · x4 to its neighbours and x16 to the LRS.
 *
 * A switch stands for all LRS of a backplane: how the 48 of a rack are linked is
 * not published. Links that leave the rack are left out, and its CPUs.
 */
#include "preset.h"

static void ubmesh_make(struct sketch *s, const uint32_t *value)
{
	uint32_t npus = 64 + value[0];
	uint32_t lrs;

	ub_sketch_npus(s, npus, value[1]);
	lrs = ub_sketch_switches(s, 4);
	ub_sketch_mesh(s, 8, 8, 4);
	for (uint32_t i = 0; i < 4 * npus; i++)
		ub_sketch_link(s, i / 4, lrs + i % 4, 4);
}

const struct shape ub_shape_ubmesh_rack = {
	.name = "ubmesh-rack",
	.unknown = "ubmesh-rack has the parameters spare, mem_mib",
	.range = "ubmesh-rack: spare is 0 to 1, mem_mib 1 to 16777216",
	.param = {
		{ "spare", 0, 1, 1 },
		{ "mem_mib", 1, MEM_MIB_MAX, DIE_MIB },
	},
	.make = ubmesh_make,
};
