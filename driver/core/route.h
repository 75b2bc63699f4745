/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Routing over a pod's graph. Pure: no locks, no allocation, no kernel services,
 * so that unit tests and fuzzers build it in user space.
 */
#ifndef _UB_CORE_ROUTE_H
#define _UB_CORE_ROUTE_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint32_t u32;
#endif

/* The longest route: NPU, L1 switch, L2 switch, L1 switch, NPU. */
#define UB_ROUTE_MAX_HOPS 4

/**
 * struct ub_route - the links from one UBPU to another, in order
 * @nr:		hops; 0 within one UBPU
 * @hop:	index of the link << 1 | direction (0: from its end 0 to its end 1)
 */
struct ub_route {
	u32 nr;
	u32 hop[UB_ROUTE_MAX_HOPS];
};

/* A link as the router sees it. */
struct ub_edge {
	u32 end[2];		/* indices of UBPUs */
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

int ub_route_find(const struct ub_graph *graph, u32 from, u32 to,
		  struct ub_route *route);

#endif /* _UB_CORE_ROUTE_H */
