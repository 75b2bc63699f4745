/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pod on paper. A preset draws the same thing twice: first to be counted, then
 * into arrays of that size. Pure.
 */
#ifndef _UB_SOFT_BLUEPRINT_H
#define _UB_SOFT_BLUEPRINT_H

#include "core/graph.h"

/* A lane of a UB 2.0 port: 112 Gbit/s; an x4 port is 56 GB/s per direction. */
#define UB_LANE_MBPS 112000

/**
 * struct ub_blueprint - UBPUs and links
 * @ubpu:	room for them, or NULL: they are only counted
 * @link:	the same
 * @nr_ubpus:	drawn so far
 * @nr_npus:	of them
 * @nr_links:	drawn so far
 */
struct ub_blueprint {
	struct ub_ubpu_desc *ubpu;
	struct ub_link_desc *link;
	u32 nr_ubpus;
	u32 nr_npus;
	u32 nr_links;
};

void ub_draw_npus(struct ub_blueprint *paper, u32 nr, u32 mem_mib);
void ub_draw_switches(struct ub_blueprint *paper, u32 nr);
void ub_draw_link(struct ub_blueprint *paper, u32 a, u32 b, u32 lanes);

#endif /* _UB_SOFT_BLUEPRINT_H */
