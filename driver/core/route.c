// SPDX-License-Identifier: GPL-2.0
/*
 * Which links lead from one UBPU to another.
 *
 *	1. the direct link, if it is up;
 *	2. else over switches: one (NPU-sw-NPU), else three (NPU-L1-L2-L1-NPU);
 *	3. else a detour of two hops over a third NPU or CPU.
 *
 * Among equals (planes, detours) a hash of the two ends chooses, so that pairs
 * spread over all of them and a pair keeps its route while the graph does not
 * change. The hash starts the search; the first that is up in cyclic order wins.
 * The route back is found on its own and may use another plane.
 */
#include "route.h"

/* Of (from, to): Knuth's multiplicative hash, good enough to spread pairs. */
static u32 ub_route_hash(u32 from, u32 to)
{
	return (from * 2654435761u) ^ (to * 2246822519u);
}

static u32 ub_edge_other(const struct ub_edge *edge, u32 ubpu)
{
	return edge->end[0] == ubpu ? edge->end[1] : edge->end[0];
}

static void ub_route_push(struct ub_route *route, const struct ub_graph *graph,
			  u32 link, u32 from)
{
	route->hop[route->nr++] = link << 1 | (graph->edge[link].end[0] != from);
}

/* Is there a link from @from to @to that is up? Parallel links: by hash. */
static bool ub_route_direct(const struct ub_graph *graph, u32 from, u32 to,
			    u32 hash, struct ub_route *route)
{
	const struct ub_vertex *v = &graph->vertex[from];
	u32 i;

	for (i = 0; i < v->nr; i++) {
		u32 link = graph->index[v->first + (hash % v->nr + i) % v->nr];

		if (graph->edge[link].up &&
		    ub_edge_other(&graph->edge[link], from) == to) {
			ub_route_push(route, graph, link, from);
			return true;
		}
	}
	return false;
}

/*
 * Two hops over something that is a switch, or is not. Each step of @depth puts
 * one more switch between: 2 is L1, L2, L1.
 */
static bool ub_route_over(const struct ub_graph *graph, u32 from, u32 to,
			  bool over_switch, u32 depth, u32 hash,
			  struct ub_route *route)
{
	const struct ub_vertex *v = &graph->vertex[from];
	u32 nr = route->nr;
	u32 i;

	for (i = 0; i < v->nr; i++) {
		u32 link = graph->index[v->first + (hash % v->nr + i) % v->nr];
		u32 mid = ub_edge_other(&graph->edge[link], from);

		if (!graph->edge[link].up ||
		    graph->vertex[mid].is_switch != over_switch)
			continue;
		ub_route_push(route, graph, link, from);
		if (depth == 0 ? ub_route_direct(graph, mid, to, hash, route) :
				 ub_route_over(graph, mid, to, over_switch,
					       depth - 1, hash, route))
			return true;
		route->nr = nr;
	}
	return false;
}

/**
 * ub_route_find - find the route between two UBPUs
 * @graph:	the graph
 * @from:	index of the first
 * @to:		index of the last
 * @route:	the result
 *
 * Return: 0, or -ENOLINK when there is none.
 */
int ub_route_find(const struct ub_graph *graph, u32 from, u32 to,
		  struct ub_route *route)
{
	u32 hash = ub_route_hash(from, to);

	route->nr = 0;
	if (from == to ||
	    ub_route_direct(graph, from, to, hash, route) ||
	    ub_route_over(graph, from, to, true, 0, hash, route) ||
	    ub_route_over(graph, from, to, true, 2, hash, route) ||
	    ub_route_over(graph, from, to, false, 0, hash, route))
		return 0;
	return -ENOLINK;
}
