// SPDX-License-Identifier: BSD-2-Clause
/*
 * superpod-a3: nodes 1 … 48 (2), planes 1 … 7 (7), l2 1 … 16 (16),
 *	mem_mib 1 … 16777216 (131072) of an NPU
 *
 * One plane; there are several, and nothing links them but the NPUs:
 *
 *	L2(p,0)   L2(p,1)  …	l2 of them, one x2 link from each L1 to each
 *	  │    ╲ ╱   │
 *	L1(0,p)   L1(1,p)  …	one in each node
 *	 │││││││   │││││││
 *	NPU 0…7   NPU 8…15 …	one x4 link each
 *
 * UBPUs: NPUs; L1 switches, node by node and in a node by plane; L2 switches, plane by
 * plane. Links: L1 switch by L1 switch, first those to its NPUs, then those to
 * its L2 switches.
 *
 * Numbers: CloudMatrix384 on Atlas 900 A3 as published. 224 Gbit/s per die and plane,
 * two dies: x4 = 56 GB/s. 28 GB/s from an L1 to an L2: x2. 128 GB of HBM in an NPU.
 * CPUs are left out: no lanes give their 160 GB/s over 7 planes.
 */
#include "preset.h"

#define NODE_NPUS 8

static void superpod_make(struct sketch *s, const uint32_t *value)
{
	uint32_t nodes = value[0], planes = value[1], l2 = value[2];
	uint32_t npus = ub_sketch_npus(s, nodes * NODE_NPUS, value[3]);
	uint32_t lower = ub_sketch_switches(s, nodes * planes);
	uint32_t upper = ub_sketch_switches(s, planes * l2);

	for (uint32_t sw = 0; sw < nodes * planes; sw++) {
		uint32_t node = sw / planes, plane = sw % planes;

		for (uint32_t i = 0; i < NODE_NPUS; i++)
			ub_sketch_link(s, npus + node * NODE_NPUS + i, lower + sw, 4);
		for (uint32_t i = 0; i < l2; i++)
			ub_sketch_link(s, lower + sw, upper + plane * l2 + i, 2);
	}
}

const struct shape ub_shape_superpod_a3 = {
	.name = "superpod-a3",
	.unknown = "superpod-a3 has the parameters nodes, planes, l2, mem_mib",
	.range = "superpod-a3: nodes is 1 to 48, planes 1 to 7, l2 1 to 16, mem_mib 1 to 16777216",
	.param = {
		{ "nodes", 1, 48, 2 },
		{ "planes", 1, 7, 7 },
		{ "l2", 1, 16, 16 },
		{ "mem_mib", 1, MEM_MIB_MAX, 2 * DIE_MIB },
	},
	.make = superpod_make,
};
