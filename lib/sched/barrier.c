// SPDX-License-Identifier: BSD-2-Clause
/*
 * Dissemination barrier: in round k rank r tells r + 2^k and hears from r − 2^k; what
 * it tells is that 2^k ranks, itself the last, have come.
 *
 *	round 0   0 → 1 → 2 → 3 → 4 → 0
 *	round 1   0 → 2 → 4 → 1 → 3 → 0
 *	round 2   0 → 4 → 3 → 2 → 1 → 0
 *
 * Steps ⌈log2 p⌉, none of them with data:
 *	t = ⌈log2 p⌉·α
 * which is the bound for one port. Each round has a cell of its own. That no rank ends
 * before all have begun is the plan's property SYNC; it is the whole result.
 */
#include "algs.h"
#include "emit.h"

/* ⌈log2 p⌉ */
static uint32_t barrier_rounds(uint32_t p)
{
	uint32_t rounds = 0;

	while (rounds < 32 && (1ull << rounds) < p)
		rounds++;
	return rounds;
}

static int barrier_plan(struct ub_plan *plan)
{
	plan->nsignals = barrier_rounds(plan->args.nranks);
	plan->props = UB_PLAN_RESTARTABLE | UB_PLAN_ONE_ROUND | UB_PLAN_ORDERED | UB_PLAN_SYNC;
	return 0;
}

static bool barrier_next(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step)
{
	enum { TELL, HEAR };
	uint32_t p = plan->args.nranks, round = cur->i;
	uint64_t distance = 1ull << round;

	if (round == plan->nsignals)
		return false;
	if (cur->phase == TELL) {
		cur->phase = HEAR;
		return ub_emit_signal(step, round ? 0 : UB_STEP_ENTRY,
				      ub_rank((cur->rank + distance) % p), round, 1);
	}
	cur->phase = TELL;
	cur->i++;
	return ub_emit_wait(step, round ? 0 : UB_STEP_ENTRY,
			    ub_rank((cur->rank + p - distance) % p), round, 1);
}

static uint64_t barrier_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
			      uint32_t from, uint32_t to)
{
	return 0;
}

const struct ub_alg ub_alg_barrier = {
	.name = "dissemination",
	.coll = UB_COLL_BARRIER,
	.plan = barrier_plan,
	.next = barrier_next,
	.bytes = barrier_bytes,
};
