// SPDX-License-Identifier: BSD-2-Clause
/*
 * Flat broadcast: everybody reads the root's vector.
 *
 *	root IN ──┬──▶ rank 1 OUT
 *	          ├──▶ rank 2 OUT
 *	          └──▶ rank 3 OUT
 *
 * Steps 1. With B the root's bandwidth and B_l a link's:
 *	t = α + S/B_l on a full mesh, α + (p−1)·S/B behind one port
 * On one host, where B is the memory's, nothing writes less: each OUT once.
 *
 * All meet all at the entry, so that no rank leaves before all have come: that is
 * what lets banks be reused (sched.h), and a mismatched call be seen by everybody.
 * At the exit only the root must hear that nobody reads its IN any more.
 */
#include "algs.h"
#include "emit.h"

static int bcast_flat_plan(struct ub_plan *plan)
{
	plan->nsignals = plan->args.nranks;
	plan->props = UB_PLAN_RESTARTABLE | UB_PLAN_ONE_ROUND | UB_PLAN_ORDERED | UB_PLAN_SYNC;
	return 0;
}

static bool bcast_flat_next(const struct ub_plan *plan, struct ub_cursor *cur,
			    struct ub_step *step)
{
	enum { ENTER, ENTERED, COPY, LEAVE, END };
	uint32_t root = plan->args.root;

	if (plan->args.nranks == 1 && cur->phase != COPY)
		cur->phase = cur->phase < COPY ? COPY : END;
	switch (cur->phase++) {
	case ENTER:
		return ub_emit_signal_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case ENTERED:
		return ub_emit_wait_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case COPY:
		return ub_emit_move(step, ub_rank(root), ub_chunks(UB_IN, 0, 1),
				    ub_self(), ub_chunks(UB_OUT, 0, 1));
	case LEAVE:
		if (cur->rank == root)
			return ub_emit_wait_all(plan, cur, step, UB_STEP_EXIT, 2);
		return ub_emit_signal(step, UB_STEP_EXIT, ub_rank(root), cur->rank, 2);
	}
	cur->phase--;
	return false;
}

static uint64_t bcast_flat_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
				 uint32_t from, uint32_t to)
{
	return from == plan->args.root ? layout->bytes : 0;
}

const struct ub_alg ub_alg_bcast_flat = {
	.name = "flat",
	.coll = UB_COLL_BROADCAST,
	.plan = bcast_flat_plan,
	.next = bcast_flat_next,
	.bytes = bcast_flat_bytes,
};
