/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is a plan right? check walks the steps of all ranks, as one thread polling all
 * streams would, and proves for every size, every interleaving and every delay that
 * the rules of sched.h allow:
 *
 *   1  OUT is the collective's definition, each contribution once
 *   2  no two unordered accesses to the same memory of which one writes
 *   3  the caller's own accesses, before the call and after it, are ordered too
 *   4  all streams end
 *   5  a cell has one writer and one reader, its values increase, each signal is
 *      awaited (by a wait for its value or a later one; of the entry exchange: by its own),
 *      each wait signalled
 *   6  ranks, chunks, TMP and cells lie within what the plan declares, and TMP is
 *      written before it is read
 *   7  banks may be reused (see sched.h): the plan is SYNC, and closed: nothing
 *      touches a rank's memory or cells after that rank has ended
 *   8  what the plan claims of itself (enum ub_plan_props)
 *   9  the bytes between each two ranks are the algorithm's formula
 *
 * Why one walk proves all interleavings: a cell has one writer, so which SIGNAL
 * satisfies which WAIT does not depend on timing, and happens-before is one fixed
 * partial order. Vector clocks compute it; a post is complete only for those who
 * acquired a later signal of its channel (or, for its reads, a later FLUSH). Values
 * then need no second order: without a race every order computes the same.
 *
 * Time is linear in steps × streams and in accesses × the readers of a chunk. With a
 * choice of columns (chunks that are followed) large p are feasible; everything
 * that is not about memory is checked in full anyway.
 */
#ifndef UB_SCHED_CHECK_H
#define UB_SCHED_CHECK_H

#include "sched.h"

/**
 * struct ub_check - what to check
 * @plan: the plan
 * @in_place: for each rank whether its IN is its OUT; NULL: none
 * @columns: which chunks to follow, ascending, counted through all regions; NULL: all
 * @ncolumns: how many
 */
struct ub_check {
	const struct ub_plan *plan;
	const bool *in_place;
	const uint32_t *columns;
	uint32_t ncolumns;
};

/**
 * struct ub_check_report - what was found
 * @claim: 0, or the number of the claim that is false
 * @rank: at which rank
 * @stream: in which stream
 * @step: at which step of it, from 0; at its end: the number of its steps
 * @props: enum ub_plan_props as computed
 * @steps: steps of all ranks
 * @text: a sentence that says what and where
 */
struct ub_check_report {
	int claim;
	uint32_t rank;
	uint32_t stream;
	uint32_t step;
	uint32_t props;
	uint64_t steps;
	char text[256];
};

/**
 * ub_check_plan - prove claims 1 to 9
 * @check: what
 * @report: filled in
 *
 * Return: 0: proved; -EPROTO: a claim is false, see @report; -ENOMEM.
 */
int ub_check_plan(const struct ub_check *check, struct ub_check_report *report);

#endif /* UB_SCHED_CHECK_H */
