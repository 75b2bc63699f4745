// SPDX-License-Identifier: BSD-2-Clause
/*
 * Cost agrees with the algorithms' formulas (on a full mesh, entry and exit added), and
 * the choice follows it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/cost.h"

#define ALPHA	1000000ull	/* 1 µs */

/* A mesh of links of 50 GB/s, where folding and copying cost nothing. */
static struct ub_cost_model mesh(void)
{
	return (struct ub_cost_model){ .alpha = ALPHA, .link = ub_cost_rate(50000000000ull) };
}

static struct ub_cost cost_of(enum ub_coll coll, const char *name, uint32_t p, uint64_t bytes)
{
	const struct ub_alg *alg = ub_alg_find(coll, name);
	struct ub_sched_args args = { .coll = coll, .nranks = p };
	struct ub_cost_model model = mesh();
	struct ub_layout layout;
	struct ub_plan plan;
	struct ub_cost cost;

	assert_non_null(alg);
	assert_int_equal(ub_plan_make(&plan, alg, &args), 0);
	ub_layout_bind(&layout, &plan, bytes, 4);
	assert_int_equal(ub_cost_plan(&plan, &layout, &model, &cost, NULL, NULL), 0);
	return cost;
}

static uint64_t on_link(uint64_t bytes)
{
	return bytes * 20;	/* ps at 50 GB/s */
}

/* Equal but for the rounding of rates: 0.1 %. */
static void expect_time(uint64_t got, uint64_t want)
{
	uint64_t diff = got > want ? got - want : want - got;

	if (diff > want / 1000)
		fail_msg("%llu ps, not %llu", (unsigned long long)got, (unsigned long long)want);
}

static void test_formulas(void **state)
{
	const uint64_t S = 8 << 20;
	const uint32_t p = 8;

	expect_time(cost_of(UB_COLL_ALLREDUCE, "oneshot", p, S).total, ALPHA + on_link(S));
	/* 2S/p over each link, or 3α (entry, data, exit) and one way through. */
	expect_time(cost_of(UB_COLL_ALLREDUCE, "twoshot", p, S).link, on_link(2 * S / p));
	expect_time(cost_of(UB_COLL_ALLREDUCE, "twoshot", p, 64 * p).total, 3 * ALPHA + on_link(2 * 64));
	/* 2(p−1) parts over one link; each step reads at α after a signal at α, and the exit. */
	expect_time(cost_of(UB_COLL_ALLREDUCE, "ring", p, S).link, on_link(2 * S * (p - 1) / p));
	expect_time(cost_of(UB_COLL_ALLREDUCE, "ring", p, S).path,
		    on_link(2 * S * (p - 1) / p) + (2 * 2 * (p - 1) + 1) * ALPHA);
	expect_time(cost_of(UB_COLL_BROADCAST, "flat", p, S).total, 3 * ALPHA + on_link(S));
	expect_time(cost_of(UB_COLL_BROADCAST, "scatter", p, S).total,
		    5 * ALPHA + on_link(2 * S / p));
	expect_time(cost_of(UB_COLL_BARRIER, "dissemination", 9, 0).total, 4 * ALPHA);
}

/* On one host two-shot reads p·S and writes p·S; flat reads and writes S for each rank. */
static void test_memory_is_shared_by_all(void **state)
{
	struct ub_cost_model model = { .memory = ub_cost_rate(50000000000ull) };
	const struct ub_alg *algs[] = { ub_alg_find(UB_COLL_ALLREDUCE, "twoshot"),
					ub_alg_find(UB_COLL_BROADCAST, "flat") };
	struct ub_layout layout;
	struct ub_plan plan;
	struct ub_cost cost;

	for (int i = 0; i < 2; i++) {
		struct ub_sched_args args = { .coll = algs[i]->coll, .nranks = 8 };

		assert_int_equal(ub_plan_make(&plan, algs[i], &args), 0);
		ub_layout_bind(&layout, &plan, 1 << 20, 4);
		assert_int_equal(ub_cost_plan(&plan, &layout, &model, &cost, NULL, NULL), 0);
		expect_time(cost.total, on_link(2 * 8 << 20));
		assert_int_equal(cost.bound, UB_COST_MEMORY);
	}
}

static const char *chosen(enum ub_coll coll, uint32_t p, uint64_t bytes, uint64_t tmp)
{
	struct ub_choice choice = { .args = { .coll = coll, .nranks = p }, .bytes = bytes,
				    .elem = 4, .tmp = tmp };
	struct ub_cost_model model = mesh();

	assert_int_equal(ub_sched_choose(&choice, &model), 0);
	return choice.alg->name;
}

static void test_choice(void **state)
{
	const uint64_t tmp = 4 << 20;

	assert_string_equal(chosen(UB_COLL_ALLREDUCE, 8, 8, tmp), "oneshot");
	assert_string_equal(chosen(UB_COLL_ALLREDUCE, 8, 4 << 20, tmp), "twoshot");
	assert_string_equal(chosen(UB_COLL_ALLREDUCE, 1, 1 << 30, tmp), "oneshot");
	/* Without TMP there is no one-shot. */
	assert_string_equal(chosen(UB_COLL_ALLREDUCE, 8, 8, 0), "twoshot");
	assert_string_equal(chosen(UB_COLL_BROADCAST, 8, 8, tmp), "eager");
	assert_string_equal(chosen(UB_COLL_BROADCAST, 8, 4 << 20, tmp), "scatter");
	assert_string_equal(chosen(UB_COLL_BARRIER, 8, 0, tmp), "meet");
}

static void test_choice_honours_properties(void **state)
{
	struct ub_choice choice = { .args = { .coll = UB_COLL_ALLREDUCE, .nranks = 4 },
				    .bytes = 1 << 20, .elem = 4, .tmp = 1 << 20 };
	struct ub_cost_model model = mesh();

	choice.props = UB_PLAN_ORDERED | UB_PLAN_ONE_ROUND;
	assert_int_equal(ub_sched_choose(&choice, &model), 0);
	assert_int_equal(choice.plan.props & choice.props, choice.props);
	choice.props = 1u << 31;
	assert_int_equal(ub_sched_choose(&choice, &model), -EOPNOTSUPP);
	choice.props = 0;
	choice.args.root = 9;
	assert_int_equal(ub_sched_choose(&choice, &model), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formulas),
		cmocka_unit_test(test_memory_is_shared_by_all),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_choice_honours_properties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
