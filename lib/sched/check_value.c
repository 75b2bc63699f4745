// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a value is made of: the semantics of buffers, without data. A value is a chunk
 * of a rank's IN or a fold of such; a fold must not take a contribution twice, nor mix
 * chunks, nor go on after its end was applied.
 */
#include <string.h>

#include "check_state.h"

struct value *value_input(struct state *st, uint32_t rank, uint32_t column)
{
	struct value *v = check_alloc(st, sizeof(*v));

	if (v)
		*v = (struct value){ .column = column, .count = 1, .last = rank, .ordered = true };
	return v;
}

static bool value_has(const struct value *v, uint32_t rank)
{
	return v->set ? v->set[rank / 64] >> rank % 64 & 1 : v->last == rank;
}

/* A copy that may be folded into. */
struct value *value_fold_begin(struct state *st, const struct value *x)
{
	struct value *v = check_alloc(st, sizeof(*v));
	uint64_t *set = check_alloc(st, st->nwords * sizeof(*set));

	if (!v || !set)
		return NULL;
	*v = *x;
	v->set = set;
	if (x->set)
		memcpy(set, x->set, st->nwords * sizeof(*set));
	else
		set[x->last / 64] |= 1ull << x->last % 64;
	return v;
}

int value_fold(struct state *st, uint32_t stream, struct value *acc, const struct value *x)
{
	if (acc->column != x->column)
		return check_fail(st, 1, stream, "folds chunk %u with chunk %u",
				  st->column_chunk[acc->column], st->column_chunk[x->column]);
	if (acc->finished || x->finished)
		return check_fail(st, 1, stream, "folds chunk %u after its end was applied",
				  st->column_chunk[acc->column]);
	for (uint32_t r = 0; r < st->p; r++) {
		if (!x->set)
			r = x->last;
		if (value_has(x, r)) {
			if (value_has(acc, r))
				return check_fail(st, 1, stream,
						  "takes the contribution of rank %u to chunk %u twice",
						  r, st->column_chunk[acc->column]);
			acc->set[r / 64] |= 1ull << r % 64;
		}
		if (!x->set)
			break;
	}
	acc->ordered = acc->ordered && x->count == 1 && x->last > acc->last;
	acc->count += x->count;
	acc->last = x->last;
	if (x->rounds > acc->rounds)
		acc->rounds = x->rounds;
	return 0;
}

static int expect_fold(struct state *st, uint32_t stream, uint32_t chunk, const struct value *v)
{
	uint32_t missing = 0;

	if (v->count != st->p) {
		while (value_has(v, missing))
			missing++;
		return check_fail(st, 1, stream, "ends without rank %u's contribution to chunk %u",
				  missing, chunk);
	}
	if (!v->finished)
		return check_fail(st, 1, stream, "chunk %u ends without the operator's end", chunk);
	if (v->rounds > st->max_rounds)
		st->max_rounds = v->rounds;
	st->all_ordered &= v->ordered;
	return 0;
}

/* The collective's definition, for one chunk of a rank's OUT after the call. */
int value_expect(struct state *st, uint32_t rank, uint32_t column, const struct value *v)
{
	const struct ub_sched_args *args = &st->plan->args;
	uint32_t stream = rank * st->plan->nstreams, chunk = st->column_chunk[column];

	if (args->coll == UB_COLL_BARRIER)
		return 0;
	if (!v)
		return check_fail(st, 1, stream, "chunk %u of OUT was never written", chunk);
	if (v->column != column)
		return check_fail(st, 1, stream, "chunk %u of OUT holds chunk %u", chunk,
				  st->column_chunk[v->column]);
	if (args->coll == UB_COLL_ALLREDUCE)
		return expect_fold(st, stream, chunk, v);
	if (v->count != 1 || v->last != args->root || v->finished)
		return check_fail(st, 1, stream, "chunk %u of OUT is not the root's", chunk);
	return 0;
}
