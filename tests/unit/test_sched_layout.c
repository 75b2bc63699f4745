// SPDX-License-Identifier: BSD-2-Clause
/*
 * Chunks bind to bytes: they cover the vector once and in order, begin at granules, are as
 * even as granules go, and fit the window that was asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sched/sched.h"

static struct ub_plan even(uint32_t chunks)
{
	return (struct ub_plan){ .nregions = 1, .regions = { { 1, chunks } },
				 .tmp_chunks = chunks };
}

static struct ub_plan uneven(void)
{
	return (struct ub_plan){ .nregions = 3, .regions = { { 2, 4 }, { 1, 3 }, { 5, 1 } },
				 .tmp_chunks = 8 };
}

static void expect_cover(const struct ub_plan *plan, uint64_t bytes, uint32_t elem)
{
	struct ub_layout layout;
	uint64_t at = 0, len;

	ub_layout_bind(&layout, plan, bytes, elem);
	for (uint32_t r = 0; r < plan->nregions; r++) {
		for (uint32_t c = 0; c < plan->regions[r].chunks; c++) {
			assert_int_equal(ub_layout_offset(&layout, plan, r, c), at);
			len = ub_layout_len(&layout, plan, r, c);
			assert_true(at % layout.granule == 0 || at == bytes);
			assert_true(len <= layout.tmp_stride);
			at += len;
		}
	}
	assert_int_equal(at, bytes);
}

static void test_chunks_cover_the_vector(void **state)
{
	struct ub_plan three = uneven(), many = even(15488);

	for (uint64_t bytes = 0; bytes < 3000; bytes += 4) {
		for (uint32_t chunks = 1; chunks < 20; chunks++) {
			struct ub_plan plan = even(chunks);

			expect_cover(&plan, bytes, bytes & 4 ? 4 : 8);
		}
		expect_cover(&three, bytes, 128);
	}
	expect_cover(&many, (1ull << 56) - 8, 8);
}

static void test_chunks_are_even(void **state)
{
	struct ub_plan plan = even(7);
	struct ub_layout layout;

	ub_layout_bind(&layout, &plan, 100 * UB_GRANULE, 4);
	for (uint32_t c = 0; c < 7; c++) {
		uint64_t granules = ub_layout_len(&layout, &plan, 0, c) / UB_GRANULE;

		assert_true(granules == 14 || granules == 15);
	}
}

static void test_a_short_vector_is_in_the_first_chunks(void **state)
{
	struct ub_plan plan = even(8);
	struct ub_layout layout;

	ub_layout_bind(&layout, &plan, 8, 8);
	assert_int_equal(ub_layout_len(&layout, &plan, 0, 0), 8);
	for (uint32_t c = 1; c < 8; c++)
		assert_int_equal(ub_layout_len(&layout, &plan, 0, c), 0);
}

static void test_a_window_fits_and_no_more_does(void **state)
{
	struct ub_plan plans[] = { even(1), even(7), even(64), uneven() };
	struct ub_layout layout;

	for (int i = 0; i < 4; i++) {
		for (uint64_t tmp = 0; tmp < 40000; tmp += 977) {
			uint64_t window = ub_layout_window(&plans[i], tmp, 4);

			ub_layout_bind(&layout, &plans[i], window, 4);
			assert_true(ub_layout_tmp(&layout, &plans[i]) <= tmp);
			/* A region's rounding may waste a granule for each chunk of it. */
			ub_layout_bind(&layout, &plans[i], window + 8 * UB_GRANULE * 4, 4);
			assert_true(ub_layout_tmp(&layout, &plans[i]) > tmp || i == 2);
		}
	}
	plans[0].tmp_chunks = 0;
	assert_true(ub_layout_window(&plans[0], 0, 4) == UINT64_MAX);
}

static void test_ranks_wrap_within_their_block(void **state)
{
	/* The second row of a mesh of 4 columns, and its third column (of 3 rows). */
	struct ub_ranks row = { .first = 6, .count = 4, .stride = 1, .mod = 4 };
	struct ub_ranks column = { .first = 6, .count = 3, .stride = 4, .mod = 12 };
	uint32_t in_row[] = { 6, 7, 4, 5 }, in_column[] = { 6, 10, 2 };

	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(ub_ranks_get(&row, i, 0), in_row[i]);
		assert_int_equal(ub_ranks_pos(&row, in_row[i]), in_row[i] - 4);
	}
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(ub_ranks_get(&column, i, 0), in_column[i]);
		assert_int_equal(ub_ranks_pos(&column, in_column[i]), in_column[i] / 4);
	}
	assert_int_equal(ub_ranks_get(&(struct ub_ranks){ .mod = 1 }, 0, 9), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks_cover_the_vector),
		cmocka_unit_test(test_chunks_are_even),
		cmocka_unit_test(test_a_short_vector_is_in_the_first_chunks),
		cmocka_unit_test(test_a_window_fits_and_no_more_does),
		cmocka_unit_test(test_ranks_wrap_within_their_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
