// SPDX-License-Identifier: BSD-2-Clause
/*
 * Small plans that are wrong in one way each, and what check says of them; and small
 * right ones with several streams, which no algorithm has yet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/check.h"
#include "sched/emit.h"
#include "sched/traffic.h"

#define STREAMS	2
#define STEPS	16

/* Two ranks, by stream: the steps of the plan under test. */
static struct ub_step steps[2][STREAMS][STEPS];
static uint32_t nsteps[2][STREAMS];

static bool list_next(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step)
{
	if (cur->i == nsteps[cur->rank][cur->stream])
		return false;
	*step = steps[cur->rank][cur->stream][cur->i++];
	step->stream = cur->stream;
	return true;
}

/* Whatever the steps do: claim 9 is not what these tests are about. */
static uint64_t any_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
			  uint32_t from, uint32_t to)
{
	uint64_t bytes[4] = { 0 };

	ub_plan_traffic(plan, layout, bytes);
	return bytes[from * 2 + to];
}

static const struct ub_alg list_alg = {
	.name = "list", .coll = UB_COLL_ALLREDUCE, .next = list_next, .bytes = any_bytes,
};

static struct ub_step *add(uint32_t rank, uint32_t stream)
{
	struct ub_step *step = &steps[rank][stream][nsteps[rank][stream]++];

	memset(step, 0, sizeof(*step));
	return step;
}

static struct ub_plan list_plan(uint32_t nstreams)
{
	memset(nsteps, 0, sizeof(nsteps));
	return (struct ub_plan){
		.alg = &list_alg, .args = { .coll = UB_COLL_ALLREDUCE, .nranks = 2 },
		.nstreams = nstreams, .nregions = 1, .regions = { { 1, nstreams } },
		.tmp_chunks = nstreams, .nsignals = nstreams + 1,
	};
}

/*
 * One-shot allreduce of 2 ranks, stream by stream: chunk s over cell s.
 * Steps of a stream: 0 push, 1 tell, 2 wait, 3 flush, 4 fold.
 */
static void fill(uint32_t nstreams)
{
	for (uint32_t i = 0; i < 2 * nstreams; i++) {
		uint32_t r = i % 2, s = i / 2;
		struct ub_step *fold;

		ub_emit_move(add(r, s), ub_self(), ub_chunks(UB_IN, s, 1), ub_rank(!r),
			     ub_chunks(UB_TMP, s, 1));
		ub_emit_signal(add(r, s), UB_STEP_ENTRY, ub_rank(!r), s, 1);
		ub_emit_wait(add(r, s), UB_STEP_ENTRY, ub_rank(!r), s, 1);
		ub_emit_flush(add(r, s));
		fold = add(r, s);
		ub_emit_reduce(fold, UB_STEP_LOCAL | UB_STEP_OWN | UB_STEP_FINISH,
			       (struct ub_ranks){ 0, 2, 1, 2 }, ub_chunks(UB_TMP, s, 1), ub_self(),
			       ub_chunks(UB_OUT, s, 1));
	}
}

static void expect(const struct ub_plan *plan, int claim, const char *words)
{
	struct ub_check_report report;
	int worst = 0;

	for (int mode = 0; mode < 2 && !worst; mode++) {
		bool in_place[4] = { mode, mode, mode, mode };

		ub_check_plan(&(struct ub_check){ .plan = plan, .in_place = in_place }, &report);
		worst = report.claim;
	}
	if (worst != claim || (claim && !strstr(report.text, words)))
		fail_msg("claim %d (%s), not %d (%s)", worst, report.text, claim, words ? words : "");
}

static void test_right_with_one_and_two_streams(void **state)
{
	for (uint32_t n = 1; n <= STREAMS; n++) {
		struct ub_plan plan = list_plan(n);

		fill(n);
		plan.props = UB_PLAN_ORDERED | UB_PLAN_ONE_ROUND | UB_PLAN_SYNC | UB_PLAN_RESTARTABLE;
		expect(&plan, 0, NULL);
	}
}

static void test_a_contribution_taken_twice(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	steps[1][0][4].flags &= ~UB_STEP_OWN;
	expect(&plan, 1, "contribution of rank 0 to chunk 0 twice");
}

static void test_the_wrong_chunk(void **state)
{
	struct ub_plan plan = list_plan(2);

	fill(2);
	steps[0][1][0].src.first = 0;
	expect(&plan, 1, "folds chunk");
}

static void test_an_end_applied_twice_or_never(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	steps[0][0][4].flags &= ~UB_STEP_FINISH;
	expect(&plan, 1, "without the operator's end");
	steps[0][0][4].flags |= UB_STEP_FINISH;
	ub_emit_reduce(add(0, 0), UB_STEP_FINISH, ub_self(), ub_chunks(UB_OUT, 0, 1), ub_self(),
		       ub_chunks(UB_OUT, 0, 1));
	expect(&plan, 1, "end twice");
}

static void test_a_fold_while_posts_still_read(void **state)
{
	struct ub_plan plan = list_plan(1);

	/* Without FLUSH: the caller goes on, or in place the fold writes what the post reads. */
	fill(1);
	steps[0][0][3] = steps[0][0][4];
	nsteps[0][0] = 4;
	expect(&plan, 3, "may still read");
}

static void test_a_signal_does_not_cover_another_streams_posts(void **state)
{
	struct ub_plan plan = list_plan(2);

	/* Rank 0's stream 1 pushes both chunks, rank 1 waits for stream 0's signal only. */
	fill(2);
	steps[0][1][0].src.first = 0;
	steps[0][1][0].src.run = 2;
	steps[0][1][0].dst.first = 0;
	steps[0][1][0].dst.run = 2;
	ub_emit_flush(&steps[0][0][0]);
	memset(&steps[0][0][0].from, 0, sizeof(steps[0][0][0]) - offsetof(struct ub_step, from));
	expect(&plan, 2, "may still write");
}

static void test_a_signal_does_not_cover_later_posts(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	/* Pushed again between the signal and the wait: rank 0 comes that far alone. */
	memmove(&steps[0][0][3], &steps[0][0][2], 3 * sizeof(steps[0][0][0]));
	steps[0][0][2] = steps[0][0][0];
	nsteps[0][0]++;
	expect(&plan, 2, "may still write");
}

static void test_streams_are_not_ordered_but_by_signals(void **state)
{
	struct ub_plan plan = list_plan(2);

	/* Stream 1 of rank 0 folds chunk 0 too, which stream 0 has waited for. */
	fill(2);
	*add(0, 1) = steps[0][0][4];
	nsteps[0][0] = 4;
	expect(&plan, 2, "may still write");
	/* Once stream 0 tells stream 1 it is right; the plan has a cell for it. */
	nsteps[0][1]--;
	ub_emit_signal(add(0, 0), 0, ub_self(), 2, 1);
	ub_emit_wait(add(0, 1), 0, ub_self(), 2, 1);
	*add(0, 1) = steps[0][0][4];
	steps[0][1][nsteps[0][1] - 1] = steps[1][0][4];
	expect(&plan, 0, NULL);
}

static void test_an_early_use_of_a_callers_buffer(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	ub_emit_move(add(0, 0), ub_rank(1), ub_chunks(UB_IN, 0, 1), ub_self(),
		     ub_chunks(UB_TMP, 0, 1));
	expect(&plan, 3, "rank 1");
}

static void test_waiting_for_each_other(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	for (int r = 0; r < 2; r++) {
		struct ub_step tell = steps[r][0][1];

		steps[r][0][1] = steps[r][0][2];
		steps[r][0][2] = tell;
	}
	expect(&plan, 4, "waits for ever for value 1 of rank 1");
}

static void test_two_writers_of_a_cell(void **state)
{
	struct ub_plan plan = list_plan(2);

	fill(2);
	steps[0][1][1].signal = 0;
	steps[0][1][1].value = 2;
	expect(&plan, 5, "writes cell 0 of rank 1, as stream 0 of rank 0 does");
}

static void test_two_readers_of_a_cell(void **state)
{
	struct ub_plan plan = list_plan(2);

	fill(2);
	ub_emit_signal(add(0, 0), 0, ub_rank(1), 0, 2);
	ub_emit_wait(add(1, 1), 0, ub_rank(0), 0, 2);
	expect(&plan, 5, "waits for cell 0, as stream 0 does");
}

static void test_a_value_that_does_not_grow(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	ub_emit_signal(add(0, 0), 0, ub_rank(1), 0, 1);
	expect(&plan, 5, "stores 1 after 1");
}

static void test_a_signal_that_nobody_awaits(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	ub_emit_signal(add(0, 0), 0, ub_rank(1), 0, 2);
	expect(&plan, 5, "never awaited");
}

static void test_beyond_what_was_declared(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	plan.tmp_chunks = 0;
	expect(&plan, 6, "TMP beyond");
	plan.tmp_chunks = 1;
	plan.nsignals = 0;
	expect(&plan, 6, "cell beyond");
	plan.nsignals = 1;
	steps[1][0][0].src.first = 1;
	expect(&plan, 6, "chunk that does not exist");
	steps[1][0][0].src.first = 0;
	steps[1][0][0].to.first = 2;
	expect(&plan, 6, "rank that does not exist");
	steps[1][0][0].to.first = 0;
	steps[1][0][0].op = 9;
	expect(&plan, 6, "unknown operation");
}

static void test_tmp_read_before_it_is_written(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	plan.tmp_chunks = 2;
	steps[0][0][4].src.first = 1;
	expect(&plan, 6, "never written");
}

static void test_one_element_written_twice_by_a_step(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	ub_emit_move(add(0, 0), (struct ub_ranks){ 0, 2, 1, 2 }, ub_chunks(UB_OUT, 0, 1), ub_self(),
		     ub_chunks(UB_TMP, 0, 1));
	steps[0][0][5].flags = UB_STEP_LOCAL;
	expect(&plan, 2, "uses otherwise");
}

static void test_leaving_before_others_have_come(void **state)
{
	struct ub_plan plan = list_plan(1);

	/* Rank 1 gets what it needs, and never tells. */
	fill(1);
	plan.args.coll = UB_COLL_BROADCAST;
	nsteps[0][0] = 0;
	nsteps[1][0] = 0;
	ub_emit_move(add(0, 0), ub_self(), ub_chunks(UB_IN, 0, 1), ub_self(), ub_chunks(UB_OUT, 0, 1));
	ub_emit_move(add(0, 0), ub_self(), ub_chunks(UB_IN, 0, 1), ub_rank(1), ub_chunks(UB_TMP, 0, 1));
	ub_emit_signal(add(0, 0), UB_STEP_ENTRY, ub_rank(1), 0, 1);
	ub_emit_flush(add(0, 0));
	ub_emit_wait(add(1, 0), UB_STEP_ENTRY, ub_rank(0), 0, 1);
	ub_emit_move(add(1, 0), ub_self(), ub_chunks(UB_TMP, 0, 1), ub_self(), ub_chunks(UB_OUT, 0, 1));
	expect(&plan, 7, "may end before rank 1 has begun");
}

static void test_false_claims(void **state)
{
	struct ub_sched_args args = { .coll = UB_COLL_ALLREDUCE, .nranks = 4 };
	struct ub_plan plan;

	assert_int_equal(ub_plan_make(&plan, ub_alg_find(args.coll, "ring"), &args), 0);
	plan.props |= UB_PLAN_ORDERED;
	expect(&plan, 8, "ordered");
	plan.props ^= UB_PLAN_ORDERED | UB_PLAN_ONE_ROUND;
	expect(&plan, 8, "one-round");
	plan.props ^= UB_PLAN_ONE_ROUND | UB_PLAN_OWN_PARTS;
	expect(&plan, 8, "in own parts");
}

static uint64_t wrong_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
			    uint32_t from, uint32_t to)
{
	return layout->bytes + 1;
}

static void test_a_false_formula(void **state)
{
	struct ub_plan plan = list_plan(1);
	struct ub_alg alg = list_alg;

	fill(1);
	alg.bytes = wrong_bytes;
	plan.alg = &alg;
	expect(&plan, 9, "the formula says");
}

static void test_in_is_the_callers(void **state)
{
	struct ub_plan plan = list_plan(1);

	fill(1);
	ub_emit_move(add(0, 0), ub_self(), ub_chunks(UB_OUT, 0, 1), ub_self(),
		     ub_chunks(UB_IN, 0, 1));
	expect(&plan, 1, "IN was changed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_with_one_and_two_streams),
		cmocka_unit_test(test_a_contribution_taken_twice),
		cmocka_unit_test(test_the_wrong_chunk),
		cmocka_unit_test(test_an_end_applied_twice_or_never),
		cmocka_unit_test(test_a_fold_while_posts_still_read),
		cmocka_unit_test(test_a_signal_does_not_cover_another_streams_posts),
		cmocka_unit_test(test_a_signal_does_not_cover_later_posts),
		cmocka_unit_test(test_streams_are_not_ordered_but_by_signals),
		cmocka_unit_test(test_an_early_use_of_a_callers_buffer),
		cmocka_unit_test(test_waiting_for_each_other),
		cmocka_unit_test(test_two_writers_of_a_cell),
		cmocka_unit_test(test_two_readers_of_a_cell),
		cmocka_unit_test(test_a_value_that_does_not_grow),
		cmocka_unit_test(test_a_signal_that_nobody_awaits),
		cmocka_unit_test(test_beyond_what_was_declared),
		cmocka_unit_test(test_tmp_read_before_it_is_written),
		cmocka_unit_test(test_one_element_written_twice_by_a_step),
		cmocka_unit_test(test_leaving_before_others_have_come),
		cmocka_unit_test(test_false_claims),
		cmocka_unit_test(test_a_false_formula),
		cmocka_unit_test(test_in_is_the_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
