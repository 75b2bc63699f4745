// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a plan looks like: the text of a small one word for word; the graph and the time
 * line have a node, an event for every step. And the trace hash tells streams apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sched/print.h"
#include "sched/trace.h"

static struct ub_plan plan_of(const struct ub_alg *alg, uint32_t p)
{
	struct ub_sched_args args = { .coll = alg->coll, .nranks = p };
	struct ub_plan plan;

	assert_int_equal(ub_plan_make(&plan, alg, &args), 0);
	return plan;
}

static char *text;
static size_t length;

static FILE *begin(void)
{
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	return out;
}

static unsigned int count(const char *word)
{
	unsigned int n = 0;

	for (const char *p = text; (p = strstr(p, word)); p++)
		n++;
	return n;
}

static unsigned int steps_of(const struct ub_plan *plan)
{
	struct ub_cursor cur;
	struct ub_step step;
	unsigned int n = 0;

	for (uint32_t r = 0; r < plan->args.nranks; r++) {
		ub_cursor_open(plan, r, 0, &cur);
		while (ub_cursor_next(plan, &cur, &step))
			n++;
		assert_false(ub_cursor_next(plan, &cur, &step));
	}
	return n;
}

static void test_text(void **state)
{
	struct ub_plan plan = plan_of(ub_alg_find(UB_COLL_ALLREDUCE, "twoshot"), 2);
	FILE *out = begin();

	ub_print_text(out, &plan);
	fclose(out);
	assert_string_equal(text,
		"twoshot: 2 ranks, 2 chunks, 0 TMP, 2 cells\n"
		"rank 0\n"
		"    0  signal 1 to 1, cell 0 (entry)\n"
		"    1  wait   1 from 1, cell 0+1·pos (entry)\n"
		"    2  reduce IN[0] of 0,1 → OUT[0] of 0,1, finish\n"
		"    3  flush\n"
		"    4  signal 2 to 1, cell 0 (exit)\n"
		"    5  wait   2 from 1, cell 0+1·pos (exit)\n"
		"rank 1\n"
		"    0  signal 1 to 0, cell 1 (entry)\n"
		"    1  wait   1 from 0, cell 0+1·pos (entry)\n"
		"    2  reduce IN[1] of 0,1 → OUT[1] of 1,0, finish\n"
		"    3  flush\n"
		"    4  signal 2 to 0, cell 1 (exit)\n"
		"    5  wait   2 from 0, cell 0+1·pos (exit)\n");
	free(text);
}

static void test_graph_and_time_line_have_every_step(void **state)
{
	struct ub_cost_model model = { .alpha = 1000 };
	struct ub_layout layout;

	for (int a = 0; ub_algs[a]; a++) {
		struct ub_plan plan = plan_of(ub_algs[a], 5);
		unsigned int steps = steps_of(&plan);
		FILE *out = begin();

		assert_int_equal(ub_print_dot(out, &plan), 0);
		fclose(out);
		assert_int_equal(count("[label="), steps);
		assert_true(count("style=dashed") >= 5);
		free(text);
		out = begin();
		ub_layout_bind(&layout, &plan, 1000, 4);
		assert_int_equal(ub_print_chrome(out, &plan, &layout, &model), 0);
		fclose(out);
		assert_int_equal(count("\"ph\":\"X\""), steps);
		assert_int_equal(count("{"), count("}"));
		free(text);
	}
}

/* Any change of any field of any step changes the hash. */
static void test_trace_tells_streams_apart(void **state)
{
	struct ub_plan plan = plan_of(ub_alg_find(UB_COLL_ALLREDUCE, "ring"), 4);
	uint64_t right = ub_trace_stream(&plan, 1, 0);
	struct ub_cursor cur;
	struct ub_step step;

	assert_int_not_equal(right, ub_trace_stream(&plan, 2, 0));
	for (unsigned int skip = 0; skip < steps_of(&plan) / 4; skip++) {
		uint64_t without = ub_trace_begin(1, 0), twice = without, other = without;

		ub_cursor_open(&plan, 1, 0, &cur);
		for (unsigned int i = 0; ub_cursor_next(&plan, &cur, &step); i++) {
			twice = ub_trace_add(twice, &step);
			if (i == skip)
				twice = ub_trace_add(twice, &step);
			else
				without = ub_trace_add(without, &step);
			step.dst.first += i == skip;
			other = ub_trace_add(other, &step);
		}
		assert_int_not_equal(without, right);
		assert_int_not_equal(twice, right);
		assert_int_not_equal(other, right);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_graph_and_time_line_have_every_step),
		cmocka_unit_test(test_trace_tells_streams_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
