// SPDX-License-Identifier: BSD-2-Clause
/*
 * Eager broadcast: the root pushes, before anybody has asked, into memory that the
 * library keeps for it, its own too; everybody takes it from there.
 *
 *	        ┌▶ TMP ──▶ OUT  root
 *	root IN ┼▶ TMP ──▶ OUT  rank 1
 *	        └▶ TMP ──▶ OUT  rank 2
 *
 * Steps 1. On a full mesh of links of bandwidth B_l:
 *	t = α + S/B_l
 * and a copy of S at the receiver: for small S. As in the one-shot allreduce nobody
 * touches another rank's IN or OUT, so the signal that follows the data is the entry
 * exchange, and there is no exit. The root's FLUSH lies between its posts, which read
 * IN, and its own taking, which writes it when in place.
 */
#include "algs.h"
#include "emit.h"

static int bcast_eager_plan(struct ub_plan *plan)
{
	plan->tmp_chunks = 1;
	plan->nsignals = plan->args.nranks;
	plan->props = UB_PLAN_RESTARTABLE | UB_PLAN_ONE_ROUND | UB_PLAN_ORDERED | UB_PLAN_SYNC;
	return 0;
}

static bool bcast_eager_next(const struct ub_plan *plan, struct ub_cursor *cur,
			     struct ub_step *step)
{
	enum { PUSH, TELL, WAIT, FLUSH, TAKE, END };
	bool is_root = cur->rank == plan->args.root;

	if (!is_root && (cur->phase == PUSH || cur->phase == FLUSH))
		cur->phase++;
	if (plan->args.nranks == 1 && cur->phase == TELL)
		cur->phase = TAKE;
	switch (cur->phase++) {
	case PUSH:
		return ub_emit_move(step, ub_self(), ub_chunks(UB_IN, 0, 1),
				    ub_rank_all(plan, cur->rank), ub_chunks(UB_TMP, 0, 1));
	case TELL:
		return ub_emit_signal_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case WAIT:
		return ub_emit_wait_all(plan, cur, step, UB_STEP_ENTRY, 1);
	case FLUSH:
		return ub_emit_flush(step);
	case TAKE:
		return ub_emit_move(step, ub_self(), ub_chunks(UB_TMP, 0, 1),
				    ub_self(), ub_chunks(UB_OUT, 0, 1));
	}
	cur->phase = END;
	return false;
}

static uint64_t bcast_eager_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
				  uint32_t from, uint32_t to)
{
	return from == plan->args.root ? layout->bytes : 0;
}

const struct ub_alg ub_alg_bcast_eager = {
	.name = "eager",
	.coll = UB_COLL_BROADCAST,
	.plan = bcast_eager_plan,
	.next = bcast_eager_next,
	.bytes = bcast_eager_bytes,
};
