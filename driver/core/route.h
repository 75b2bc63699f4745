/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Routing over a pod's graph. Pure: no locks, no allocation, no kernel services,
 * so that unit tests and fuzzers build it in user space.
 */
#ifndef _UB_CORE_ROUTE_H
#define _UB_CORE_ROUTE_H

#include "graph.h"

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

int ub_route_find(const struct ub_graph *graph, u32 from, u32 to,
		  struct ub_route *route);

#endif /* _UB_CORE_ROUTE_H */
