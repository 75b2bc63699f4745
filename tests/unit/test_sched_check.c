// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every algorithm is proved by check: for up to 9 ranks every root, and every mixture
 * of ranks in place and not up to 5; for larger numbers by following random columns.
 * UB_TEST_SEED takes a seed back; UB_TEST_LONG=1 follows more columns.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/check.h"

#define SMALL		9
#define MIXED		5	/* every mixture of in place ranks up to here */
#define MAX_COLUMNS	64

static uint64_t seed;
static unsigned int proofs;

static uint32_t rnd(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 33;
}

static void prove(const struct ub_check *check)
{
	struct ub_check_report report;
	int err = ub_check_plan(check, &report);

	if (err)
		fail_msg("%s, %u ranks, root %u: claim %d: %s", check->plan->alg->name,
			 check->plan->args.nranks, check->plan->args.root, report.claim, report.text);
	assert_int_equal(report.props & check->plan->props, check->plan->props);
	proofs++;
}

/* Bit r of @mask: rank r is in place. */
static void prove_mask(const struct ub_plan *plan, uint32_t mask)
{
	bool in_place[32];

	for (uint32_t r = 0; r < plan->args.nranks; r++)
		in_place[r] = mask >> r & 1;
	prove(&(struct ub_check){ .plan = plan, .in_place = in_place });
}

static void prove_exhaustively(const struct ub_plan *plan)
{
	uint32_t p = plan->args.nranks, all = (1u << p) - 1;

	if (p <= MIXED) {
		for (uint32_t mask = 0; mask <= all; mask++)
			prove_mask(plan, mask);
		return;
	}
	prove_mask(plan, 0);
	prove_mask(plan, all);
	for (int i = 0; i < 4; i++)
		prove_mask(plan, rnd() & all);
}

/* Only the scattered broadcast needs three ranks. */
static bool make(struct ub_plan *plan, const struct ub_alg *alg, const struct ub_sched_args *args)
{
	int err = ub_plan_make(plan, alg, args);

	if (err == -EOPNOTSUPP && args->nranks < 3 && !strcmp(alg->name, "scatter"))
		return false;
	assert_int_equal(err, 0);
	return true;
}

static void test_all_up_to_nine_ranks(void **state)
{
	struct ub_plan plan;

	for (int a = 0; ub_algs[a]; a++) {
		for (uint32_t p = 1; p <= SMALL; p++) {
			uint32_t roots = ub_algs[a]->coll == UB_COLL_BROADCAST ? p : 1;

			for (uint32_t root = 0; root < roots; root++) {
				struct ub_sched_args args = { .coll = ub_algs[a]->coll,
							      .nranks = p, .root = root };

				if (make(&plan, ub_algs[a], &args))
					prove_exhaustively(&plan);
			}
		}
	}
	printf("%u proofs\n", proofs);
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint32_t random_columns(const struct ub_plan *plan, uint32_t *columns, uint32_t want)
{
	uint32_t chunks = plan->regions[0].chunks, n = 0;

	if (chunks <= want) {
		for (n = 0; n < chunks; n++)
			columns[n] = n;
		return n;
	}
	for (uint32_t i = 0; i < want; i++)
		columns[i] = rnd() % chunks;
	qsort(columns, want, sizeof(*columns), by_number);
	for (uint32_t i = 0; i < want; i++)
		if (!n || columns[n - 1] != columns[i])
			columns[n++] = columns[i];
	return n;
}

static void prove_columns(const struct ub_alg *alg, uint32_t p, uint32_t ncolumns)
{
	struct ub_sched_args args = { .coll = alg->coll, .nranks = p };
	bool *in_place = calloc(p, sizeof(*in_place));
	uint32_t columns[MAX_COLUMNS];
	struct ub_plan plan;

	assert_non_null(in_place);
	if (alg->coll == UB_COLL_BROADCAST)
		args.root = rnd() % p;
	assert_int_equal(ub_plan_make(&plan, alg, &args), 0);
	for (uint32_t r = 0; r < p; r++)
		in_place[r] = rnd() & 1;
	ncolumns = random_columns(&plan, columns, ncolumns);
	prove(&(struct ub_check){ .plan = &plan, .in_place = in_place,
				  .columns = columns, .ncolumns = ncolumns });
	free(in_place);
}

static void test_random_columns_of_many_ranks(void **state)
{
	static const uint32_t counts[] = { 16, 17, 64, 100, 257, 1024 };
	bool every = getenv("UB_TEST_LONG");

	for (int a = 0; ub_algs[a]; a++) {
		for (int i = 0; i < 6; i++)
			prove_columns(ub_algs[a], counts[i], every ? MAX_COLUMNS : 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_up_to_nine_ranks),
		cmocka_unit_test(test_random_columns_of_many_ranks),
	};
	const char *env = getenv("UB_TEST_SEED");

	seed = env ? strtoull(env, NULL, 0) : 20261121;
	printf("check: UB_TEST_SEED=%llu; UB_TEST_LONG=1 follows 64 columns, not 6\n",
	       (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
