// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ring allreduce: a part of the vector travels around, gathers everybody's
 * contribution, and then goes around once more, complete.
 *
 *	part c:   rank c ─▶ c+1 ─▶ … ─▶ c−1 ─▶ c ─▶ c+1 ─▶ … ─▶ c−2
 *	          x_c     + x_c+1        + x_c−1 │
 *	          └─── p−1 folding steps ───┘    └ p−1 copying steps ┘
 *
 *	step k of the first round:   rank r folds part r−k    (k = 1 … p−1)
 *	step k of the second round:  rank r copies part r−k+1
 *
 * Steps 2(p−1). With B one rank's bandwidth to its neighbour:
 *	t = 2(p−1)α + 2(p−1)/p·S/B + (p−1)/p·S·γ
 * for few ranks and one good cycle of links.
 *
 * Every rank reads from its left neighbour and writes nobody's memory but its own
 * OUT, which serves as accumulator: no TMP. A cell counts the left neighbour's
 * finished steps. Nobody overwrites what his right neighbour still reads: a part
 * comes to me a second time only after it went all around, over that neighbour.
 * The exit says that the right neighbour has done with my buffers.
 *
 * The order of the fold depends on the part, and it rounds at every hop.
 */
#include <errno.h>

#include "algs.h"
#include "emit.h"

enum { CELL_LEFT, CELL_RIGHT, NCELLS };

static int ring_plan(struct ub_plan *plan)
{
	/* The cell counts to 2(p−1). */
	if (plan->args.nranks > UB_SIGNAL_MAX / 2)
		return -EOPNOTSUPP;
	plan->regions[0].chunks = plan->args.nranks;
	plan->nsignals = NCELLS;
	plan->props = UB_PLAN_RESTARTABLE | UB_PLAN_SYNC;
	/* Up to two ranks there is but one rounding. */
	if (plan->args.nranks <= 2)
		plan->props |= UB_PLAN_ONE_ROUND;
	return 0;
}

/* The part that rank r works on in its @turn-th step, 1 … 2(p−1). */
static uint32_t ring_part(uint32_t p, uint32_t rank, uint32_t turn)
{
	return turn < p ? (rank + p - turn) % p : (rank + 2 * p - turn) % p;
}

static bool ring_work(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step)
{
	uint32_t p = plan->args.nranks, left = (cur->rank + p - 1) % p, turn = cur->i;
	uint32_t part = ring_part(p, cur->rank, turn);
	uint8_t flags = UB_STEP_OWN | (turn == p - 1 ? UB_STEP_FINISH : 0);
	struct ub_slice out = ub_chunks(UB_OUT, part, 1);

	if (turn >= p)
		return ub_emit_move(step, ub_rank(left), out, ub_self(), out);
	return ub_emit_reduce(step, flags, ub_rank_row(plan, left, 2),
			      ub_chunks(turn == 1 ? UB_IN : UB_OUT, part, 1), ub_self(), out);
}

static bool ring_next(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step)
{
	enum { ENTER, WAIT, WORK, TELL, LEAVE, LEFT, END };
	uint32_t p = plan->args.nranks;
	struct ub_ranks left = ub_rank((cur->rank + p - 1) % p);
	struct ub_ranks right = ub_rank((cur->rank + 1) % p);

	if (p == 1) {
		if (cur->phase++ == ENTER)
			return ub_emit_reduce(step, UB_STEP_FINISH, ub_self(),
					      ub_chunks(UB_IN, 0, 1), ub_self(),
					      ub_chunks(UB_OUT, 0, 1));
		cur->phase = END;
		return false;
	}
	switch (cur->phase++) {
	case ENTER:
		return ub_emit_signal(step, UB_STEP_ENTRY, right, CELL_LEFT, 1);
	case WAIT:
		cur->i++;
		return ub_emit_wait(step, cur->i == 1 ? UB_STEP_ENTRY : 0, left, CELL_LEFT, cur->i);
	case WORK:
		/* Of my last step nobody needs to know. */
		if (cur->i == 2 * (p - 1))
			cur->phase = LEAVE;
		return ring_work(plan, cur, step);
	case TELL:
		cur->phase = WAIT;
		return ub_emit_signal(step, 0, right, CELL_LEFT, cur->i + 1);
	case LEAVE:
		return ub_emit_signal(step, UB_STEP_EXIT, left, CELL_RIGHT, 1);
	case LEFT:
		return ub_emit_wait(step, UB_STEP_EXIT, right, CELL_RIGHT, 1);
	}
	cur->phase = END;
	return false;
}

/* In each round a rank reads from its left neighbour all parts but one. */
static uint64_t ring_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
			   uint32_t from, uint32_t to)
{
	uint32_t p = plan->args.nranks;

	if (to != (from + 1) % p)
		return 0;
	return 2 * layout->bytes - ub_layout_len(layout, plan, 0, to) -
	       ub_layout_len(layout, plan, 0, (to + 1) % p);
}

const struct ub_alg ub_alg_ring = {
	.name = "ring",
	.coll = UB_COLL_ALLREDUCE,
	.plan = ring_plan,
	.next = ring_next,
	.bytes = ring_bytes,
};
