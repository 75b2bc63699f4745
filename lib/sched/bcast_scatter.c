// SPDX-License-Identifier: BSD-2-Clause
/*
 * Broadcast by scatter and all-gather: each rank fetches one part from the root, and
 * the other parts from the ranks that fetched them.
 *
 *	              part 1                  part 2
 *	root IN ──┬──────────▶ rank 1 OUT ◀───────────┐
 *	          │                │                  │
 *	          │ part 2         └─── part 1 ──▶ rank 2 OUT
 *	          └───────────────────────────────────┘
 *
 * Steps 2. On a full mesh of links of bandwidth B_l:
 *	t = 2α + 2S/(p·B_l)
 * against α + S/B_l for the flat one: for large S. (The bound is S/((p−1)·B_l), for
 * a pipeline of many parts.)
 *
 * The root's own part is fetched from its OUT, like everybody's; the root itself
 * copies its whole vector at once, and then only waits for the exit of all.
 */
#include <errno.h>

#include "algs.h"
#include "emit.h"

static int bcast_scatter_plan(struct ub_plan *plan)
{
	/* Two ranks have nothing to gather from each other. */
	if (plan->args.nranks < 3)
		return -EOPNOTSUPP;
	plan->regions[0].chunks = plan->args.nranks;
	plan->nsignals = plan->args.nranks;
	plan->props = UB_PLAN_RESTARTABLE | UB_PLAN_ONE_ROUND | UB_PLAN_ORDERED | UB_PLAN_SYNC;
	return 0;
}

static bool bcast_scatter_next(const struct ub_plan *plan, struct ub_cursor *cur,
			       struct ub_step *step)
{
	enum { ENTER, ENTERED, SCATTER, TELL, WAIT, GATHER, LEAVE, LEFT };
	uint32_t p = plan->args.nranks, root = plan->args.root, self = cur->rank;
	bool is_root = self == root;

	if (is_root && cur->phase == WAIT)
		cur->phase = LEAVE;
	switch (cur->phase++) {
	case ENTER:
		return ub_emit_signal_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case ENTERED:
		return ub_emit_wait_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case SCATTER:
		return ub_emit_move(step, ub_rank(root),
				    ub_chunks(UB_IN, is_root ? 0 : self, is_root ? p : 1),
				    ub_self(),
				    ub_chunks(UB_OUT, is_root ? 0 : self, is_root ? p : 1));
	case TELL:
		return ub_emit_signal_all(plan, cur, step, 0, 2);
	case WAIT:
		return ub_emit_wait_all(plan, cur, step, 0, 2);
	case GATHER:
		return ub_emit_move(step, ub_rank_others(plan, self), ub_chunk_each(UB_OUT, 0),
				    ub_self(), ub_chunk_each(UB_OUT, 0));
	case LEAVE:
		return ub_emit_signal_all(plan, cur, step, UB_STEP_EXIT, 3);
	case LEFT:
		return ub_emit_wait_all(plan, cur, step, UB_STEP_EXIT, 3);
	}
	cur->phase--;
	return false;
}

/* Everybody but the root gets part @from from @from, and its own part from the root. */
static uint64_t bcast_scatter_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
				    uint32_t from, uint32_t to)
{
	if (to == plan->args.root)
		return 0;
	return ub_layout_len(layout, plan, 0, from) +
	       (from == plan->args.root ? ub_layout_len(layout, plan, 0, to) : 0);
}

const struct ub_alg ub_alg_bcast_scatter = {
	.name = "scatter",
	.coll = UB_COLL_BROADCAST,
	.plan = bcast_scatter_plan,
	.next = bcast_scatter_next,
	.bytes = bcast_scatter_bytes,
};
