/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long does a plan take? cost walks the steps of all ranks with a clock for each
 * stream, and answers max(longest path, busiest resource).
 *
 * What this file guarantees
 *   - All is integers, in picoseconds: the answer, and so a choice made of it, has
 *     the same bits on every machine. Ranks that chose differently would hang.
 *   - The same steps are costed that are run, entry and exit included. (The formulas
 *     in the algorithms' files count data steps only.)
 *
 * What it does not: it knows a full mesh of equal links, or one memory that all share;
 * transfers do not slow each other down but by the busiest resource's bound. Where
 * links are shared, or two answers are within 10 %, simulate decides.
 */
#ifndef UB_SCHED_COST_H
#define UB_SCHED_COST_H

#include "sched.h"

/**
 * struct ub_cost_model - what things cost; 0 means nothing
 * @alpha: ps from a store at one rank until another one sees it
 * @link: ps per KiB over the link from one rank to another, each direction
 * @inject: ps per KiB out of a rank, and into it, all links together
 * @memory: ps per KiB read or written, by all ranks together (ranks of one host)
 * @fold: ps per KiB of each source folded
 * @copy: ps per KiB moved within a rank
 */
struct ub_cost_model {
	uint64_t alpha;
	uint64_t link;
	uint64_t inject;
	uint64_t memory;
	uint64_t fold;
	uint64_t copy;
};

/* ps per KiB of so many bytes per second. */
static inline uint64_t ub_cost_rate(uint64_t bytes_per_second)
{
	return 1024000000000000ull / bytes_per_second;
}

enum ub_cost_bound { UB_COST_PATH, UB_COST_LINK, UB_COST_INJECT, UB_COST_MEMORY };

/**
 * struct ub_cost - the answer, in ps
 * @total: the maximum of what follows
 * @path: until the last stream ends
 * @link: the busiest link
 * @inject: the rank that sends or receives most
 * @memory: all reads and writes
 * @bound: which of them is the total
 */
struct ub_cost {
	uint64_t total;
	uint64_t path;
	uint64_t link;
	uint64_t inject;
	uint64_t memory;
	enum ub_cost_bound bound;
};

/**
 * typedef ub_cost_watch - sees each step as it is costed
 * @ctx: the caller's
 * @rank: whose
 * @index: of the step in its stream
 * @step: the step
 * @begin: ps
 * @end: ps; of a step that posts: when it is posted
 */
typedef void (*ub_cost_watch)(void *ctx, uint32_t rank, uint32_t index, const struct ub_step *step,
			      uint64_t begin, uint64_t end);

/**
 * ub_cost_plan - cost a plan
 * @plan: a plan that check has proved
 * @layout: its sizes
 * @model: what things cost
 * @cost: filled in
 * @watch: called for each step, or NULL
 * @ctx: its first argument
 *
 * Return: 0; -ENOMEM; -EDEADLK for a plan that does not end.
 */
int ub_cost_plan(const struct ub_plan *plan, const struct ub_layout *layout,
		 const struct ub_cost_model *model, struct ub_cost *cost,
		 ub_cost_watch watch, void *ctx);

/**
 * struct ub_choice - the question and the answer of ub_sched_choose()
 * @args: the collective; agreed
 * @bytes: of the vector; agreed
 * @elem: bytes of an element; agreed
 * @tmp: bytes of TMP per bank; agreed. Longer calls are cut into windows
 * @props: enum ub_plan_props that are asked for; agreed
 * @alg: out: the algorithm
 * @plan: out: its plan
 * @cost: out: of one window; its time times @windows is what was compared
 * @windows: out: how many windows the call takes
 */
struct ub_choice {
	struct ub_sched_args args;
	uint64_t bytes;
	uint32_t elem;
	uint64_t tmp;
	uint32_t props;

	const struct ub_alg *alg;
	struct ub_plan plan;
	struct ub_cost cost;
	uint64_t windows;
};

/**
 * ub_sched_choose - the cheapest algorithm
 * @choice: question and answer
 * @model: agreed at the creation of the communicator
 *
 * A pure function of its arguments, all of which are agreed values. Of equally cheap
 * ones the first in ub_algs[].
 *
 * Return: 0; -EOPNOTSUPP when no algorithm serves; -EINVAL, -ENOMEM.
 */
int ub_sched_choose(struct ub_choice *choice, const struct ub_cost_model *model);

#endif /* UB_SCHED_COST_H */
