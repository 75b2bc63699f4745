// SPDX-License-Identifier: BSD-2-Clause
/* See trace.h. */
#include "trace.h"

/* FNV-1a: Fowler, Noll, Vo; the offset basis and prime of 64 bits. */
#define FNV_BASIS	0xcbf29ce484222325ull
#define FNV_PRIME	0x100000001b3ull

/* A number as four bytes, the lowest first. */
static uint64_t add_number(uint64_t hash, uint32_t number)
{
	for (int i = 0; i < 4; i++, number >>= 8)
		hash = (hash ^ (number & 0xff)) * FNV_PRIME;
	return hash;
}

static uint64_t add_ranks(uint64_t hash, const struct ub_ranks *ranks)
{
	hash = add_number(hash, ranks->first);
	hash = add_number(hash, ranks->count);
	hash = add_number(hash, ranks->stride);
	return add_number(hash, ranks->mod);
}

static uint64_t add_slice(uint64_t hash, const struct ub_slice *slice)
{
	hash = add_number(hash, slice->space);
	hash = add_number(hash, slice->region);
	hash = add_number(hash, slice->first);
	hash = add_number(hash, slice->run);
	hash = add_number(hash, slice->reps);
	hash = add_number(hash, slice->stride);
	return add_number(hash, slice->per_rank);
}

uint64_t ub_trace_begin(uint32_t rank, uint32_t stream)
{
	return add_number(add_number(FNV_BASIS, rank), stream);
}

uint64_t ub_trace_add(uint64_t hash, const struct ub_step *step)
{
	hash = add_number(hash, step->op);
	hash = add_number(hash, step->flags);
	hash = add_number(hash, step->signal);
	hash = add_number(hash, step->signal_per_rank);
	hash = add_number(hash, step->value);
	hash = add_ranks(hash, &step->from);
	hash = add_ranks(hash, &step->to);
	hash = add_slice(hash, &step->src);
	return add_slice(hash, &step->dst);
}

uint64_t ub_trace_stream(const struct ub_plan *plan, uint32_t rank, uint32_t stream)
{
	uint64_t hash = ub_trace_begin(rank, stream);
	struct ub_cursor cur;
	struct ub_step step;

	ub_cursor_open(plan, rank, stream, &cur);
	while (ub_cursor_next(plan, &cur, &step))
		hash = ub_trace_add(hash, &step);
	return hash;
}
