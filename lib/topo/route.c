// SPDX-License-Identifier: BSD-2-Clause
/*
 * Routes, by the kernel's rules and with the kernel's results:
 *
 *	direct			a ── b
 *	over a switch		a ── s ── b
 *	over three		a ── s ── t ── r ── b
 *	a detour		a ── m ── b		m is no switch
 *
 * The first kind that is up throughout is taken. Among several of a kind a hash h of
 * (a, b) says where the search begins: every choice is made from a list of links in
 * port order, of which entry (h mod length) is tried first, then the next ones,
 * cyclically. The list holds links that are down too, or one dead link would
 * move pairs that never used it. Lists, from the outermost choice to the innermost:
 *
 *	direct			links a─b by h
 *	over a switch, detour	links from a to switches (to others) by h, links s─b by h
 *	over three		links from a to switches by h, links from b to switches by h,
 *				links from s to switches by h >> 16, links t─r by h
 */
#include <errno.h>

#include "topo.h"

/* A list of links: of one UBPU, those to switches, to others, or to one UBPU. */
struct choices {
	const uint32_t *link;
	uint32_t nr;
	uint32_t begin;
};

static uint32_t hash_of(uint32_t a, uint32_t b)
{
	uint32_t h = (a * UINT32_C(2654435761)) ^ (b * UINT32_C(2246822519));

	/* The finalizer of MurmurHash3. */
	h = (h ^ (h >> 16)) * UINT32_C(0x85ebca6b);
	h = (h ^ (h >> 13)) * UINT32_C(0xc2b2ae35);
	return h ^ (h >> 16);
}

static struct choices choices_make(const uint32_t *link, uint32_t nr, uint32_t h)
{
	return (struct choices){ link, nr, nr ? h % nr : 0 };
}

static struct choices to_switches(const struct ub_topo *topo, uint32_t u, uint32_t h)
{
	const struct ub_topo_ubpu *ubpu = &topo->ubpu[u];

	return choices_make(topo->sorted + ubpu->first, ubpu->nr_uplinks, h);
}

static struct choices to_others(const struct ub_topo *topo, uint32_t u, uint32_t h)
{
	const struct ub_topo_ubpu *ubpu = &topo->ubpu[u];

	return choices_make(topo->sorted + ubpu->first + ubpu->nr_uplinks,
			    ubpu->nr_ports - ubpu->nr_uplinks, h);
}

/* The i-th in the order of the search. */
static uint32_t choice(const struct choices *c, uint32_t i)
{
	return c->link[((uint64_t)c->begin + i) % c->nr];
}

static void add_hop(const struct ub_topo *topo, struct ub_topo_route *route, uint32_t link,
		    uint32_t from)
{
	route->hop[route->nr].link = link;
	route->hop[route->nr++].end = topo->link[link].ubpu[1] == from;
}

/*
 * The links between two UBPUs are few, mostly one: the first that is up at or after
 * the beginning, else the first of all. Both ends have them in the same order, so
 * the end with fewer ports is searched.
 */
static bool direct(const struct ub_topo *topo, uint32_t a, uint32_t b, uint32_t h,
		   struct ub_topo_route *route)
{
	uint32_t near = topo->ubpu[a].nr_ports <= topo->ubpu[b].nr_ports ? a : b;
	uint32_t far = near == a ? b : a, nr = 0, seen = 0;
	uint32_t before = UINT32_MAX, after = UINT32_MAX;
	const struct ub_topo_ubpu *ubpu = &topo->ubpu[near];

	for (uint32_t p = 0; p < ubpu->nr_ports; p++)
		nr += ub_topo_far(ub_topo_at(topo, near, p), near) == far;
	for (uint32_t p = 0; nr && p < ubpu->nr_ports; p++) {
		const struct ub_topo_link *link = ub_topo_at(topo, near, p);
		uint32_t *found = seen >= h % nr ? &after : &before;

		if (ub_topo_far(link, near) != far)
			continue;
		seen++;
		if (link->up && *found == UINT32_MAX)
			*found = link - topo->link;
	}
	if (after == UINT32_MAX)
		after = before;
	if (after == UINT32_MAX)
		return false;
	add_hop(topo, route, after, a);
	return true;
}

/* Over a UBPU that one of @c leads to. */
static bool over(const struct ub_topo *topo, const struct choices *c, uint32_t a, uint32_t b,
		 uint32_t h, struct ub_topo_route *route)
{
	uint32_t nr = route->nr;

	for (uint32_t i = 0; i < c->nr; i++) {
		uint32_t link = choice(c, i);

		if (!topo->link[link].up)
			continue;
		add_hop(topo, route, link, a);
		if (direct(topo, ub_topo_far(&topo->link[link], a), b, h, route))
			return true;
		route->nr = nr;
	}
	return false;
}

static bool over_switch(const struct ub_topo *topo, uint32_t a, uint32_t b, uint32_t h_mid,
			uint32_t h, struct ub_topo_route *route)
{
	struct choices c = to_switches(topo, a, h_mid);

	return over(topo, &c, a, b, h, route);
}

static bool over_three(const struct ub_topo *topo, uint32_t a, uint32_t b, uint32_t h,
		       struct ub_topo_route *route)
{
	struct choices first = to_switches(topo, a, h), last = to_switches(topo, b, h);

	for (uint64_t i = 0; i < (uint64_t)first.nr * last.nr; i++) {
		uint32_t out = choice(&first, i / last.nr), in = choice(&last, i % last.nr);
		uint32_t s = ub_topo_far(&topo->link[out], a);
		uint32_t r = ub_topo_far(&topo->link[in], b);

		route->nr = 0;
		if (!topo->link[out].up || !topo->link[in].up)
			continue;
		add_hop(topo, route, out, a);
		if (over_switch(topo, s, r, h >> 16, h, route)) {
			add_hop(topo, route, in, r);
			return true;
		}
	}
	route->nr = 0;
	return false;
}

static bool detour(const struct ub_topo *topo, uint32_t a, uint32_t b, uint32_t h,
		   struct ub_topo_route *route)
{
	struct choices c = to_others(topo, a, h);

	return over(topo, &c, a, b, h, route);
}

int ub_topo_route(const struct ub_topo *topo, uint32_t from, uint32_t to,
		  struct ub_topo_route *route)
{
	uint32_t h = hash_of(from, to);

	route->nr = 0;
	if (from >= topo->nr_ubpus || to >= topo->nr_ubpus)
		return -EINVAL;
	if (from == to || direct(topo, from, to, h, route) ||
	    over_switch(topo, from, to, h, h, route) || over_three(topo, from, to, h, route) ||
	    detour(topo, from, to, h, route))
		return 0;
	return -ENOLINK;
}

uint64_t ub_topo_route_rate(const struct ub_topo *topo, const struct ub_topo_route *route)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < route->nr; i++) {
		uint64_t rate = ub_topo_link_rate(&topo->link[route->hop[i].link]);

		if (rate < least)
			least = rate;
	}
	return least;
}
