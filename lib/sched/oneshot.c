// SPDX-License-Identifier: BSD-2-Clause
/*
 * One-shot allreduce: everybody gives all to everybody, and folds for himself.
 *
 *	      TMP of rank 1                           OUT of rank 1
 *	rank 0 ──IN──▶ [slot 0] ┐
 *	rank 1   IN ────────────┼─ fold, in the order of ranks ─▶ [result]
 *	rank 2 ──IN──▶ [slot 2] ┘
 *
 * Steps 1. On a full mesh of links of bandwidth B_l:
 *	t = α + S/B_l + p·S·γ
 * Each rank sends S to each other one: for small S, where α is all that counts.
 *
 * Nobody touches another rank's IN or OUT: no entry exchange is waited for before
 * the data go, the signal that follows them is the entry exchange, and there is no
 * exit. That is also why ranks may be in place: the FLUSH is all that lies between
 * my posts, which read IN, and my fold, which may write it.
 */
#include "algs.h"
#include "emit.h"

static int oneshot_plan(struct ub_plan *plan)
{
	/* Alone one needs no slots, and so no windows. */
	plan->tmp_chunks = plan->args.nranks > 1 ? plan->args.nranks : 0;
	plan->nsignals = plan->args.nranks;
	plan->props = UB_PLAN_RESTARTABLE | UB_PLAN_ONE_ROUND | UB_PLAN_ORDERED | UB_PLAN_SYNC;
	return 0;
}

static bool oneshot_next(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step)
{
	enum { PUSH, TELL, WAIT, FLUSH, FOLD };

	if (plan->args.nranks == 1 && cur->phase < FOLD)
		cur->phase = FOLD;
	switch (cur->phase++) {
	case PUSH:
		return ub_emit_move(step, ub_self(), ub_chunks(UB_IN, 0, 1),
				    ub_rank_others(plan, cur->rank),
				    ub_chunks(UB_TMP, cur->rank, 1));
	case TELL:
		return ub_emit_signal_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case WAIT:
		return ub_emit_wait_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case FLUSH:
		return ub_emit_flush(step);
	case FOLD:
		return ub_emit_reduce(step, UB_STEP_LOCAL | UB_STEP_OWN | UB_STEP_FINISH,
				      ub_rank_all(plan, 0),
				      plan->tmp_chunks ? ub_chunk_each(UB_TMP, 0) :
							 ub_chunks(UB_IN, 0, 1),
				      ub_self(), ub_chunks(UB_OUT, 0, 1));
	}
	cur->phase--;
	return false;
}

static uint64_t oneshot_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
			      uint32_t from, uint32_t to)
{
	return layout->bytes;
}

const struct ub_alg ub_alg_oneshot = {
	.name = "oneshot",
	.coll = UB_COLL_ALLREDUCE,
	.plan = oneshot_plan,
	.next = oneshot_next,
	.bytes = oneshot_bytes,
};
