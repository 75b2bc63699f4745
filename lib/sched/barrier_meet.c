// SPDX-License-Identifier: BSD-2-Clause
/*
 * Barrier in one step: everybody tells everybody.
 *
 *	0 ──▶ 1, 2, 3     1 ──▶ 2, 3, 0     2 ──▶ 3, 0, 1     3 ──▶ 0, 1, 2
 *
 * Steps 1: t = α on a full mesh, (p−1)·α behind one port. Where a signal to all is
 * one store that all can see (a control line of shared memory), this is the shortest.
 */
#include "algs.h"
#include "emit.h"

static int meet_plan(struct ub_plan *plan)
{
	plan->nsignals = plan->args.nranks;
	plan->props = UB_PLAN_RESTARTABLE | UB_PLAN_ONE_ROUND | UB_PLAN_ORDERED | UB_PLAN_SYNC;
	return 0;
}

static bool meet_next(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step)
{
	enum { TELL, WAIT, END };

	if (plan->args.nranks == 1)
		cur->phase = END;
	switch (cur->phase++) {
	case TELL:
		return ub_emit_signal_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case WAIT:
		return ub_emit_wait_all(plan, cur, step, UB_STEP_ENTRY, 1);
	}
	cur->phase = END;
	return false;
}

static uint64_t meet_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
			   uint32_t from, uint32_t to)
{
	return 0;
}

const struct ub_alg ub_alg_barrier_meet = {
	.name = "meet",
	.coll = UB_COLL_BARRIER,
	.plan = meet_plan,
	.next = meet_next,
	.bytes = meet_bytes,
};
