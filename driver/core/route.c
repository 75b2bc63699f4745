// SPDX-License-Identifier: GPL-2.0
/*
 * Which links lead from one UBPU to another. The first of these that is up:
 *
 *	1. from - to		directly;
 *	2. from - s - to	over one switch;
 *	3. from - s - t - r - to	over three;
 *	4. from - m - to	a detour over what is no switch.
 *
 * Choosing. Wherever there are several, the candidates are the links of the UBPU
 * that lead to the wanted UBPU, or kind of UBPU, in port order, whether they are
 * up or not. The search begins at candidate number (h mod their number) and goes
 * on in cyclic order until everything behind is up. What is chosen, outermost
 * first, and by which h:
 *
 *	1. a link of from (to "to")			by H
 *	2. a link of from (to s), one of s (to "to")	both by H
 *	3. a link of from (to s), one of to (to r)	both by H,
 *	   one of s (to t)				by H >> 16,
 *	   one of t (to r)				by H
 *	4. as 2.
 *
 * H is a hash of the two indices, in 32-bit arithmetic:
 *
 *	H = from * 2654435761 ^ to * 2246822519
 *	H ^= H >> 16;  H *= 0x85ebca6b;  H ^= H >> 13;  H *= 0xc2b2ae35;  H ^= H >> 16
 *
 * (Knuth's multiplicative hash; Appleby's finalizer of MurmurHash3, without which
 * pairs at equal distances would crowd on a few planes.) So pairs spread over
 * planes, second-level switches and detours, both ends of a route use the same
 * plane, and a link that goes down moves only the pairs that used it. The route
 * back is found on its own and may use another plane.
 */
#include "route.h"

static u32 ub_route_hash(u32 from, u32 to)
{
	u32 hash = (from * 2654435761u) ^ (to * 2246822519u);

	hash ^= hash >> 16;
	hash *= 0x85ebca6bu;
	hash ^= hash >> 13;
	hash *= 0xc2b2ae35u;
	return hash ^ hash >> 16;
}

/* What a link must lead to. */
enum ub_route_kind { UB_TO_UBPU, UB_TO_SWITCH, UB_TO_OTHER };

/**
 * struct ub_route_pick - candidates in the order in which they are tried
 * @graph:	the graph
 * @from:	the UBPU whose links they are
 * @kind:	where they lead
 * @to:		there, of UB_TO_UBPU
 * @nr:		candidates
 * @left:	of them, still to try
 * @port:	of the next to look at
 * @link:	the current one
 * @peer:	where it leads
 */
struct ub_route_pick {
	const struct ub_graph *graph;
	u32 from;
	enum ub_route_kind kind;
	u32 to;
	u32 nr;
	u32 left;
	u32 port;
	u32 link;
	u32 peer;
};

/* Looks at the link of pick->port; is it a candidate? */
static bool ub_pick_look(struct ub_route_pick *pick)
{
	const struct ub_graph *graph = pick->graph;
	const struct ub_edge *edge;

	pick->link = graph->index[graph->vertex[pick->from].first + pick->port];
	edge = &graph->edge[pick->link];
	pick->peer = edge->end[edge->end[0] == pick->from];
	if (pick->kind == UB_TO_UBPU)
		return pick->peer == pick->to;
	return graph->vertex[pick->peer].is_switch == (pick->kind == UB_TO_SWITCH);
}

static struct ub_route_pick ub_pick(const struct ub_graph *graph, u32 from,
				    enum ub_route_kind kind, u32 to, u32 hash)
{
	struct ub_route_pick pick = { .graph = graph, .from = from, .kind = kind, .to = to };
	u32 ports = graph->vertex[from].nr;
	u32 skip;

	for (pick.port = 0; pick.port < ports; pick.port++)
		pick.nr += ub_pick_look(&pick);
	pick.left = pick.nr;
	if (!pick.nr)
		return pick;
	skip = hash % pick.nr;
	for (pick.port = 0; skip || !ub_pick_look(&pick); pick.port++)
		skip -= ub_pick_look(&pick);
	return pick;
}

/* The next candidate that is up; false: there is no more. */
static bool ub_pick_next(struct ub_route_pick *pick)
{
	u32 ports = pick->graph->vertex[pick->from].nr;

	while (pick->left) {
		bool candidate = ub_pick_look(pick);

		pick->port = pick->port + 1 == ports ? 0 : pick->port + 1;
		pick->left -= candidate;
		if (candidate && pick->graph->edge[pick->link].up)
			return true;
	}
	return false;
}

static void ub_route_push(struct ub_route *route, const struct ub_graph *graph,
			  u32 link, u32 from)
{
	route->hop[route->nr++] = link << 1 | (graph->edge[link].end[0] != from);
}

static bool ub_route_direct(const struct ub_graph *graph, u32 from, u32 to,
			    u32 hash, struct ub_route *route)
{
	struct ub_route_pick pick = ub_pick(graph, from, UB_TO_UBPU, to, hash);

	if (!ub_pick_next(&pick))
		return false;
	ub_route_push(route, graph, pick.link, from);
	return true;
}

/* Over one: a switch, or what is none. */
static bool ub_route_over(const struct ub_graph *graph, u32 from, u32 to,
			  enum ub_route_kind kind, u32 hash, struct ub_route *route)
{
	struct ub_route_pick mid = ub_pick(graph, from, kind, 0, hash);
	u32 nr = route->nr;

	while (ub_pick_next(&mid)) {
		ub_route_push(route, graph, mid.link, from);
		if (ub_route_direct(graph, mid.peer, to, hash, route))
			return true;
		route->nr = nr;
	}
	return false;
}

/* From switch @first over another to switch @last. */
static bool ub_route_middle(const struct ub_graph *graph, u32 first, u32 last,
			    u32 hash, struct ub_route *route)
{
	struct ub_route_pick mid = ub_pick(graph, first, UB_TO_SWITCH, 0, hash >> 16);
	u32 nr = route->nr;

	while (ub_pick_next(&mid)) {
		ub_route_push(route, graph, mid.link, first);
		if (ub_route_direct(graph, mid.peer, last, hash, route))
			return true;
		route->nr = nr;
	}
	return false;
}

/*
 * Over three switches. The outer two are chosen first: a middle one that leads to
 * a wrong place would only be seen to do so after a search of its ports.
 */
static bool ub_route_over_three(const struct ub_graph *graph, u32 from, u32 to,
				u32 hash, struct ub_route *route)
{
	struct ub_route_pick first = ub_pick(graph, from, UB_TO_SWITCH, 0, hash);
	struct ub_route_pick last;

	while (ub_pick_next(&first)) {
		last = ub_pick(graph, to, UB_TO_SWITCH, 0, hash);
		while (ub_pick_next(&last)) {
			ub_route_push(route, graph, first.link, from);
			if (ub_route_middle(graph, first.peer, last.peer, hash, route)) {
				ub_route_push(route, graph, last.link, last.peer);
				return true;
			}
			route->nr = 0;
		}
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
	    ub_route_over(graph, from, to, UB_TO_SWITCH, hash, route) ||
	    ub_route_over_three(graph, from, to, hash, route) ||
	    ub_route_over(graph, from, to, UB_TO_OTHER, hash, route))
		return 0;
	return -ENOLINK;
}
