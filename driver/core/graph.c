// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers the ports of a pod's graph: those of a UBPU count from 0 in the order
 * of its links, so the order of a fabric's links is part of what it offers.
 */
#include "graph.h"

/**
 * ub_graph_build - fill the arrays that the router reads
 * @vertex:	one per UBPU, zeroed; is_switch is the caller's
 * @nr_ubpus:	number of @vertex
 * @edge:	one per link; all up
 * @index:	two per link
 * @link:	the links
 * @nr_links:	number of @link
 */
void ub_graph_build(struct ub_vertex *vertex, u32 nr_ubpus, struct ub_edge *edge,
		    u32 *index, const struct ub_link_desc *link, u32 nr_links)
{
	u32 next = 0, i, e;

	for (i = 0; i < nr_links; i++)
		for (e = 0; e < 2; e++)
			vertex[link[i].ubpu[e]].nr++;
	for (i = 0; i < nr_ubpus; i++) {
		vertex[i].first = next;
		next += vertex[i].nr;
		vertex[i].nr = 0;
	}
	for (i = 0; i < nr_links; i++) {
		edge[i].up = true;
		for (e = 0; e < 2; e++) {
			struct ub_vertex *v = &vertex[link[i].ubpu[e]];

			edge[i].end[e] = link[i].ubpu[e];
			edge[i].port[e] = v->nr;
			index[v->first + v->nr++] = i;
		}
	}
}
