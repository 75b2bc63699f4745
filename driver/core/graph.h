/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The graph of a pod: as a fabric describes it, and as the router reads it.
 * Pure: no locks, no allocation, no kernel services.
 */
#ifndef _UB_CORE_GRAPH_H
#define _UB_CORE_GRAPH_H

#include "pure.h"

/* One UBPU of a pod to be. */
struct ub_ubpu_desc {
	u8 type;		/* UB_UBPU_* */
	u64 mem_size;		/* of an NPU, in bytes */
};

/* One link of a pod to be. Ports are numbered in the order of the links. */
struct ub_link_desc {
	u32 ubpu[2];
	u8 width;		/* lanes */
	u32 lane_mbps;		/* of one lane, per direction */
};

/* A link as the router sees it. */
struct ub_edge {
	u32 end[2];		/* indices of UBPUs */
	u16 port[2];		/* there */
	bool up;
};

/* A UBPU as the router sees it: edge[first … first + nr - 1] of the index. */
struct ub_vertex {
	u32 first;
	u32 nr;
	bool is_switch;
};

/**
 * struct ub_graph - a pod's graph
 * @vertex:	the UBPUs
 * @edge:	the links
 * @index:	indices of links, those of one UBPU together, in port order
 */
struct ub_graph {
	const struct ub_vertex *vertex;
	const struct ub_edge *edge;
	const u32 *index;
};

void ub_graph_build(struct ub_vertex *vertex, u32 nr_ubpus, struct ub_edge *edge,
		    u32 *index, const struct ub_link_desc *link, u32 nr_links);

#endif /* _UB_CORE_GRAPH_H */
