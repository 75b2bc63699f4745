// SPDX-License-Identifier: BSD-2-Clause
/*
 * Is a step well formed, and within what its plan declares? Whoever interprets a step
 * after this may index by it.
 */
#include "check_state.h"

static int bad(struct state *st, const struct stream *s, const char *what)
{
	return check_fail(st, 6, stream_id(st, s), "malformed step: %s", what);
}

static int ranks_check(struct state *st, const struct stream *s, const struct ub_ranks *set)
{
	if (!set->count)
		return 0;
	if (!set->stride || !set->mod || set->count > st->p)
		return bad(st, s, "a set of ranks without stride, block or bound");
	if (set->first >= st->p)
		return bad(st, s, "a rank that does not exist");
	for (uint32_t i = 0; i < set->count; i++)
		if (ub_ranks_get(set, i, 0) >= st->p)
			return bad(st, s, "a rank that does not exist");
	/* Then no rank comes twice. */
	if ((uint64_t)(set->count - 1) * set->stride >= set->mod)
		return bad(st, s, "a set that wraps around more than once");
	return 0;
}

/* @set: whose positions the slice takes. */
static int slice_check(struct state *st, const struct stream *s, const struct ub_slice *slice,
		       const struct ub_ranks *set)
{
	uint32_t self = stream_rank(st, stream_id(st, s));
	uint64_t limit = st->plan->tmp_chunks, end, pos;

	if (slice->space > UB_TMP)
		return bad(st, s, "an unknown space");
	if (!slice->run || !slice->reps)
		return bad(st, s, "a slice without chunks");
	if (slice->space != UB_TMP) {
		if (slice->region >= st->plan->nregions)
			return bad(st, s, "a region that does not exist");
		limit = st->plan->regions[slice->region].chunks;
	}
	for (uint32_t i = 0; i < ub_ranks_count(set); i++) {
		pos = ub_ranks_pos(set, ub_ranks_get(set, i, self));
		end = slice->first + pos * slice->per_rank +
		      (slice->reps - 1ull) * slice->stride + slice->run;
		if (end > limit)
			return bad(st, s, slice->space == UB_TMP ? "TMP beyond what was declared" :
							     "a chunk that does not exist");
		if (!slice->per_rank)
			break;
	}
	return 0;
}

static int data_check(struct state *st, const struct stream *s)
{
	const struct ub_step *step = &s->step;
	bool move = step->op == UB_STEP_MOVE;
	const struct ub_ranks *set = ub_move_set(step);
	int err;

	if (move && ub_ranks_count(&step->from) > 1 && ub_ranks_count(&step->to) > 1)
		return bad(st, s, "a MOVE from many to many");
	if (step->flags & UB_STEP_OWN && (move || step->dst.per_rank))
		return bad(st, s, "OWN without one set of chunks");
	err = slice_check(st, s, &step->src, move ? set : &step->from);
	if (!err)
		err = slice_check(st, s, &step->dst, move ? set : &step->to);
	if (!err && (uint64_t)step->src.run * step->src.reps !=
		    (uint64_t)step->dst.run * step->dst.reps)
		return bad(st, s, "source and destination of different length");
	return err;
}

static int cells_check(struct state *st, const struct stream *s, const struct ub_ranks *set)
{
	const struct ub_step *step = &s->step;
	uint32_t self = stream_rank(st, stream_id(st, s));

	if (!step->value || step->value > UB_SIGNAL_MAX)
		return bad(st, s, "a value that a cell cannot hold");
	for (uint32_t i = 0; i < ub_ranks_count(set); i++) {
		uint64_t pos = ub_ranks_pos(set, ub_ranks_get(set, i, self));

		if (step->signal + pos * step->signal_per_rank >= st->plan->nsignals)
			return bad(st, s, "a cell beyond what was declared");
	}
	return 0;
}

int step_check(struct state *st, const struct stream *s)
{
	const struct ub_step *step = &s->step;
	int err = ranks_check(st, s, &step->from);

	if (!err)
		err = ranks_check(st, s, &step->to);
	if (err)
		return err;
	switch (step->op) {
	case UB_STEP_MOVE:
	case UB_STEP_REDUCE:
		return data_check(st, s);
	case UB_STEP_SIGNAL:
		return cells_check(st, s, &step->to);
	case UB_STEP_WAIT:
		return cells_check(st, s, &step->from);
	case UB_STEP_FLUSH:
		return 0;
	}
	return bad(st, s, "an unknown operation");
}
