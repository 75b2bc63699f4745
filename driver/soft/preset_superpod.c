// SPDX-License-Identifier: GPL-2.0
/*
 *   superpod-a3 [nodes N] [planes P] [l2 S] [mem_mib M]
 *	N nodes of 8 NPUs (1 … 48; 2) on P planes (1 … 7; 7). A plane has one L1
 *	switch in each node and S L2 switches (1 … 16; 16); planes do not meet.
 *	nodes 48 is CloudMatrix384 of Atlas 900 A3: 384 NPUs, 336 L1, 112 L2
 *	switches, 8,064 links.
 *
 * UBPUs in this order: NPU 8n + i; L1(n, p), number nP + p of the switches;
 * L2(p, s), number NP + pS + s. Ports: an NPU's p leads to plane p; an L1's i to
 * NPU i of its node, 8 + s to L2 s; an L2's n to node n.
 *
 * Speeds, from the published description of CloudMatrix384: an NPU, which is two
 * dies, has one 224 Gbit/s link per die and plane: x4 of 112 Gbit/s, 56 GB/s,
 * 392 GB/s over all planes. An L1 has one link of 28 GB/s to each L2 of its plane:
 * x2. That closes: 8 · 56 = 16 · 28 GB/s, so with l2 16 nothing is oversubscribed.
 *
 * Not there: the four CPUs of a node. Their published 160 GB/s over seven planes
 * is no number of lanes, and nothing in a pod has its home on a CPU. The RoCE and
 * VPC networks are no UB.
 */
#include "preset.h"

#define A3_NODE_NPUS	8
#define A3_NPU_LANES	4
#define A3_L2_LANES	2
#define A3_NPU_MIB	(2 * UB_PRESET_DIE_MIB)

enum { A3_NODES, A3_PLANES, A3_L2, A3_MEM };

static void ub_superpod_a3_draw(struct ub_blueprint *paper, const u32 *value)
{
	u32 nodes = value[A3_NODES], planes = value[A3_PLANES], l2 = value[A3_L2];
	u32 npus = nodes * A3_NODE_NPUS;
	u32 node, plane, i;

	ub_draw_npus(paper, npus, value[A3_MEM]);
	ub_draw_switches(paper, nodes * planes + planes * l2);
	for (node = 0; node < nodes; node++) {
		for (plane = 0; plane < planes; plane++) {
			u32 first = npus + node * planes + plane;
			u32 second = npus + nodes * planes + plane * l2;

			for (i = 0; i < A3_NODE_NPUS; i++)
				ub_draw_link(paper, node * A3_NODE_NPUS + i, first, A3_NPU_LANES);
			for (i = 0; i < l2; i++)
				ub_draw_link(paper, first, second + i, A3_L2_LANES);
		}
	}
}

const struct ub_preset ub_preset_superpod_a3 = {
	.name = "superpod-a3",
	.keys = "superpod-a3 knows nodes, planes, l2, mem_mib",
	.ranges = "superpod-a3: nodes is 1 to 48, planes 1 to 7, l2 1 to 16, mem_mib 1 to 16777216",
	.key = {
		[A3_NODES] = { "nodes", 1, UB_PRESET_MAX_NPUS / A3_NODE_NPUS, 2 },
		[A3_PLANES] = { "planes", 1, 7, 7 },
		[A3_L2] = { "l2", 1, 16, 16 },
		[A3_MEM] = { "mem_mib", 1, UB_PRESET_MAX_MIB, A3_NPU_MIB },
	},
	.draw = ub_superpod_a3_draw,
};
