/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a plan on numbers, with the delays that sched.h allows chosen at random: which
 * stream goes on, when a post reads, when it writes, when a signal arrives, when a
 * caller comes, and that he overwrites his buffers when he leaves. Several operations
 * run one after another in two banks. It shares nothing with check but the steps, so
 * each is a test of the other.
 */
#ifndef UB_TEST_ASYNC_RUN_H
#define UB_TEST_ASYNC_RUN_H

#include "sched/sched.h"

#define ASYNC_RANKS	9
#define ASYNC_OPS	4	/* operations in a row: each bank is used twice */

/*
 * @in_place: by rank. Return: NULL when all results are right, else what went wrong.
 * @seed is advanced.
 */
const char *async_run(const struct ub_plan *plan, const bool *in_place, uint64_t *seed);

#endif
