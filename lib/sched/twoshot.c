// SPDX-License-Identifier: BSD-2-Clause
/*
 * Two-shot allreduce, direct and without a copy: rank r owns the r-th part of the
 * vector; it folds that part of everybody's IN and stores it to everybody's OUT, in
 * one pass.
 *
 *	IN    rank 0  [a0][b0][c0]              OUT  rank 0  [ ][B][ ]
 *	      rank 1  [a1][b1][c1]   rank 1:         rank 1  [ ][B][ ]
 *	      rank 2  [a2][b2][c2]  ──────────▶      rank 2  [ ][B][ ]
 *	                   └ B = b0 + b1 + b2
 *
 * Steps 2 (reduce-scatter, all-gather, here fused element by element). On a full
 * mesh of links of bandwidth B_l, S bytes:
 *	t = 2α + 2S/(p·B_l) + (p−1)/p·S·γ
 * which meets the bound 2(p−1)/p·S/B of injection: B = (p−1)·B_l. On one host it
 * reads p·S and writes p·S bytes in all, as p memcpy(S) do.
 *
 * The entry exchange says that everybody's IN is filled and OUT may be written, the
 * exit that nobody reads my IN or writes my OUT any more. Part r of any buffer is
 * touched by one step only, rank r's: hence in place is as good as not. FLUSH comes
 * before the exit because posts towards one rank read the IN of all others.
 */
#include "algs.h"
#include "emit.h"

static int twoshot_plan(struct ub_plan *plan)
{
	plan->regions[0].chunks = plan->args.nranks;
	plan->nsignals = plan->args.nranks;
	plan->props = UB_PLAN_RESTARTABLE | UB_PLAN_ONE_ROUND | UB_PLAN_ORDERED | UB_PLAN_SYNC |
		      UB_PLAN_OWN_PARTS;
	return 0;
}

static bool twoshot_next(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step)
{
	enum { ENTER, ENTERED, FOLD, FLUSH, LEAVE, LEFT };

	if (plan->args.nranks == 1 && cur->phase != FOLD)
		cur->phase = cur->phase < FOLD ? FOLD : LEFT + 1;
	switch (cur->phase++) {
	case ENTER:
		return ub_emit_signal_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case ENTERED:
		return ub_emit_wait_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case FOLD:
		return ub_emit_reduce(step, UB_STEP_FINISH,
				      ub_rank_all(plan, 0), ub_chunks(UB_IN, cur->rank, 1),
				      ub_rank_all(plan, cur->rank),
				      ub_chunks(UB_OUT, cur->rank, 1));
	case FLUSH:
		return ub_emit_flush(step);
	case LEAVE:
		return ub_emit_signal_all(plan, cur, step, UB_STEP_EXIT, 2);
	case LEFT:
		return ub_emit_wait_all(plan, cur, step, UB_STEP_EXIT, 2);
	}
	cur->phase--;
	return false;
}

/* @to reads its part of @from's vector; @from stores its own part to @to. */
static uint64_t twoshot_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
			      uint32_t from, uint32_t to)
{
	return ub_layout_len(layout, plan, 0, to) + ub_layout_len(layout, plan, 0, from);
}

const struct ub_alg ub_alg_twoshot = {
	.name = "twoshot",
	.coll = UB_COLL_ALLREDUCE,
	.plan = twoshot_plan,
	.next = twoshot_next,
	.bytes = twoshot_bytes,
};
