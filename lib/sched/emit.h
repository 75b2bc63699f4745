/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words in which generators write their steps. A generator's next() is a
 * switch over cur->phase; each case fills in one step.
 */
#ifndef UB_SCHED_EMIT_H
#define UB_SCHED_EMIT_H

#include "sched.h"

/* Myself. */
static inline struct ub_ranks ub_self(void)
{
	return (struct ub_ranks){ .stride = 1, .mod = 1 };
}

/* One rank, at position 0. */
static inline struct ub_ranks ub_rank(uint32_t rank)
{
	return (struct ub_ranks){ .first = rank, .count = 1, .stride = 1, .mod = 1 };
}

/* @count ranks in a row, beginning with @first and wrapping around; position = rank. */
static inline struct ub_ranks ub_rank_row(const struct ub_plan *plan, uint32_t first,
					  uint32_t count)
{
	return (struct ub_ranks){ .first = first % plan->args.nranks, .count = count, .stride = 1,
				  .mod = plan->args.nranks };
}

/* Everybody, beginning with rank @first. */
static inline struct ub_ranks ub_rank_all(const struct ub_plan *plan, uint32_t first)
{
	return ub_rank_row(plan, first, plan->args.nranks);
}

/*
 * Everybody but @self, beginning with the next, so that the ranks do not all turn
 * to the same one first. There must be somebody.
 */
static inline struct ub_ranks ub_rank_others(const struct ub_plan *plan, uint32_t self)
{
	return ub_rank_row(plan, self + 1, plan->args.nranks - 1);
}

/* @run chunks of region 0 from @first. */
static inline struct ub_slice ub_chunks(enum ub_space space, uint32_t first, uint32_t run)
{
	return (struct ub_slice){ .space = space, .first = first, .run = run, .reps = 1 };
}

/* For the rank at position i the chunk @first + i. */
static inline struct ub_slice ub_chunk_each(enum ub_space space, uint32_t first)
{
	return (struct ub_slice){ .space = space, .first = first, .run = 1, .reps = 1,
				  .per_rank = 1 };
}

static inline bool ub_emit_signal(struct ub_step *step, uint8_t flags, struct ub_ranks to,
				  uint32_t cell, uint32_t value)
{
	step->op = UB_STEP_SIGNAL;
	step->flags = flags;
	step->to = to;
	step->signal = cell;
	step->value = value;
	return true;
}

static inline bool ub_emit_wait(struct ub_step *step, uint8_t flags, struct ub_ranks from,
				uint32_t cell, uint32_t value)
{
	step->op = UB_STEP_WAIT;
	step->flags = flags;
	step->from = from;
	step->signal = cell;
	step->value = value;
	return true;
}

/*
 * The meeting of all with all: the cell that rank r writes is number r, at every
 * receiver.
 */
static inline bool ub_emit_signal_all(const struct ub_plan *plan, const struct ub_cursor *cur,
				      struct ub_step *step, uint8_t flags, uint32_t value)
{
	return ub_emit_signal(step, flags, ub_rank_others(plan, cur->rank), cur->rank, value);
}

static inline bool ub_emit_wait_all(const struct ub_plan *plan, const struct ub_cursor *cur,
				    struct ub_step *step, uint8_t flags, uint32_t value)
{
	step->signal_per_rank = 1;
	return ub_emit_wait(step, flags, ub_rank_others(plan, cur->rank), 0, value);
}

static inline bool ub_emit_move(struct ub_step *step, struct ub_ranks from, struct ub_slice src,
				struct ub_ranks to, struct ub_slice dst)
{
	step->op = UB_STEP_MOVE;
	step->from = from;
	step->src = src;
	step->to = to;
	step->dst = dst;
	return true;
}

static inline bool ub_emit_reduce(struct ub_step *step, uint8_t flags, struct ub_ranks from,
				  struct ub_slice src, struct ub_ranks to, struct ub_slice dst)
{
	step->op = UB_STEP_REDUCE;
	step->flags = flags;
	step->from = from;
	step->src = src;
	step->to = to;
	step->dst = dst;
	return true;
}

static inline bool ub_emit_flush(struct ub_step *step)
{
	step->op = UB_STEP_FLUSH;
	return true;
}

#endif /* UB_SCHED_EMIT_H */
