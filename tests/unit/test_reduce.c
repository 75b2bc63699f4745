// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every instruction set folds to the bits of a plain scalar loop: all types and
 * operators, odd sizes, odd alignments, many sources and destinations, and a
 * destination that is a source. UB_TEST_LONG=1 tries every combination.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reduce/fold.h"

#define MAX_RANKS	9
#define MAX_BYTES	8192
#define GUARD		64	/* untouched bytes on both sides */

static uint64_t seed;

static uint32_t rnd(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 33;
}

static unsigned char in[MAX_RANKS][MAX_BYTES + 2 * GUARD] __attribute__((aligned(64)));
static unsigned char out[MAX_RANKS][MAX_BYTES + 2 * GUARD] __attribute__((aligned(64)));
static unsigned char want[MAX_BYTES];

/* The definition, in the plainest C that says it. */
#define SCALAR(name, elem, wide)							\
static elem name##_scalar(const struct ub_reduce *r, size_t i)				\
{											\
	elem acc, x;									\
											\
	memcpy(&acc, (const char *)r->src[0] + i * sizeof(acc), sizeof(acc));		\
	for (uint32_t s = 1; s < r->nsrc; s++) {					\
		memcpy(&x, (const char *)r->src[s] + i * sizeof(x), sizeof(x));		\
		if (r->op == UB_SUM || r->op == UB_AVG)					\
			acc = (elem)((wide)acc + (wide)x);				\
		else if (x != x)							\
			acc = x;							\
		else if (r->op == UB_MIN && x < acc)					\
			acc = x;							\
		else if (r->op == UB_MAX && x > acc)					\
			acc = x;							\
	}										\
	return r->op == UB_AVG && r->divisor ? acc / (elem)r->divisor : acc;		\
}

SCALAR(i32, int32_t, uint32_t)
SCALAR(i64, int64_t, uint64_t)
SCALAR(f32, float, float)
SCALAR(f64, double, double)

static void scalar(const struct ub_reduce *r)
{
	for (size_t i = 0; i < r->count; i++) {
		if (r->type == UB_INT32)
			((int32_t *)want)[i] = i32_scalar(r, i);
		else if (r->type == UB_INT64)
			((int64_t *)want)[i] = i64_scalar(r, i);
		else if (r->type == UB_FLOAT32)
			((float *)want)[i] = f32_scalar(r, i);
		else
			((double *)want)[i] = f64_scalar(r, i);
	}
}

/* Random bits make every float there is, NaN and denormals too; some equal, some -0. */
static void fill(void)
{
	for (int r = 0; r < MAX_RANKS; r++) {
		for (size_t i = 0; i < sizeof(in[r]); i += 4) {
			uint32_t x = rnd() ^ rnd() << 16;

			if (x % 8 == 0)
				x = x & 8 ? 0x80000000 : 0;
			else if (x % 8 < 4)
				x = 0x3f800000 + (x & 0x807fffff);
			else if (x % 64 == 4)
				x = 0x7fc00000 | x;
			memcpy(in[r] + i, &x, 4);
		}
		memset(out[r], 0xa5, sizeof(out[r]));
	}
}

static bool same(enum ub_type type, const void *a, const void *b)
{
	float fa, fb;
	double da, db;

	if (!memcmp(a, b, ub_type_size(type)))
		return true;
	if (type == UB_FLOAT32) {
		memcpy(&fa, a, 4);
		memcpy(&fb, b, 4);
		return isnan(fa) && isnan(fb);
	}
	if (type == UB_FLOAT64) {
		memcpy(&da, a, 8);
		memcpy(&db, b, 8);
		return isnan(da) && isnan(db);
	}
	return false;
}

static void expect_guards(const unsigned char *buf, const unsigned char *data, size_t bytes)
{
	for (const unsigned char *p = buf; p < data; p++)
		assert_int_equal(*p, 0xa5);
	for (const unsigned char *p = data + bytes; p < buf + MAX_BYTES + 2 * GUARD; p++)
		assert_int_equal(*p, 0xa5);
}

/* @shift bytes off alignment; @alias: destination d is source d. */
static void try(const struct ub_fold_isa *isa, struct ub_reduce r, uint32_t shift, bool alias)
{
	const void *src[MAX_RANKS];
	void *dst[MAX_RANKS];
	size_t size = ub_type_size(r.type), bytes = r.count * size;

	fill();
	for (uint32_t s = 0; s < MAX_RANKS; s++) {
		uint32_t skew = shift & 1 ? 0 : s * size % GUARD;

		src[s] = in[s] + shift + skew / 2 / size * size;
		dst[s] = alias && s < r.nsrc ? (void *)src[s] : out[s] + shift;
	}
	r.src = src;
	r.dst = dst;
	scalar(&r);
	assert_int_equal(ub_reduce_with(isa, &r), 0);
	for (uint32_t d = 0; d < r.ndst; d++) {
		for (size_t i = 0; i < r.count; i++)
			if (!same(r.type, want + i * size, (char *)dst[d] + i * size))
				fail_msg("%s: type %d op %d count %zu shift %u alias %d: %u sources, destination %u, element %zu",
					 isa->name, r.type, r.op, r.count, shift, alias, r.nsrc, d, i);
		if (!alias)
			expect_guards(out[d], dst[d], bytes);
	}
}

static const enum ub_type types[] = { UB_INT32, UB_INT64, UB_FLOAT32, UB_FLOAT64 };
static const enum ub_op ops[] = { UB_SUM, UB_MIN, UB_MAX, UB_AVG };
static const uint32_t shifts[] = { 0, 4, 8, 16, 3, 40 };

static void try_shapes(const struct ub_fold_isa *isa, struct ub_reduce r)
{
	bool every = getenv("UB_TEST_LONG");
	size_t size = ub_type_size(r.type);

	for (r.nsrc = 1; r.nsrc <= MAX_RANKS; r.nsrc++) {
		for (r.ndst = 1; r.ndst <= MAX_RANKS; r.ndst++) {
			for (int i = 0; i < (every ? 60 : 3); i++) {
				uint32_t flags = rnd();

				r.count = rnd() % 8 ? rnd() % 400 : MAX_BYTES / size - rnd() % 9;
				r.flags = (flags & 1 ? UB_REDUCE_NT : 0) | (flags & 8 ? UB_REDUCE_NT_FIRST : 0);
				r.divisor = flags & 2 ? rnd() % 9 : 0;
				try(isa, r, shifts[rnd() % 6], flags & 4);
			}
		}
	}
}

static void test_every_isa_folds_like_scalar_code(void **state)
{
	for (int i = 0; ub_fold_isas[i]; i++) {
		if (!ub_fold_isas[i]->usable()) {
			printf("skipped: this processor has no %s\n", ub_fold_isas[i]->name);
			continue;
		}
		for (int t = 0; t < 4; t++)
			for (int o = 0; o < 4; o++)
				try_shapes(ub_fold_isas[i], (struct ub_reduce){
					.type = types[t], .op = ops[o] });
	}
}

static void test_every_small_count(void **state)
{
	for (int i = 0; ub_fold_isas[i]; i++)
		for (size_t n = 0; ub_fold_isas[i]->usable() && n < 300; n++)
			try(ub_fold_isas[i], (struct ub_reduce){
				.type = n & 1 ? UB_FLOAT32 : UB_INT64, .op = UB_SUM, .nsrc = 3,
				.ndst = 2, .count = n, .flags = n & 2 ? UB_REDUCE_NT : 0 }, 4 * (n & 8), n & 4);
}

static void test_integer_average_truncates_toward_zero(void **state)
{
	int32_t a[] = { 7, -7, 1, -1, 0 }, b[] = { 0, 0, 0, 0, -3 }, got[5];
	const void *src[] = { a, b };
	void *dst[] = { got };
	struct ub_reduce r = { .type = UB_INT32, .op = UB_AVG, .divisor = 2, .nsrc = 2, .ndst = 1,
			       .src = src, .dst = dst, .count = 5 };

	assert_int_equal(ub_reduce(&r), 0);
	assert_memory_equal(got, ((int32_t[]){ 3, -3, 0, 0, -1 }), sizeof(got));
	r.divisor = 0;
	assert_int_equal(ub_reduce(&r), 0);
	assert_memory_equal(got, ((int32_t[]){ 7, -7, 1, -1, -3 }), sizeof(got));
}

static void test_min_max_keep_nan_and_first_zero(void **state)
{
	float a[] = { NAN, 1, -0.0f, 0.0f }, b[] = { 1, NAN, 0.0f, -0.0f }, got[4];
	const void *src[] = { a, b };
	void *dst[] = { got };
	struct ub_reduce r = { .type = UB_FLOAT32, .op = UB_MIN, .nsrc = 2, .ndst = 1,
			       .src = src, .dst = dst, .count = 4 };

	for (int pass = 0; pass < 2; pass++, r.op = UB_MAX) {
		assert_int_equal(ub_reduce(&r), 0);
		assert_true(isnan(got[0]) && isnan(got[1]));
		assert_true(signbit(got[2]) && !signbit(got[3]));
	}
}

static void test_unknown_is_refused(void **state)
{
	int32_t a = 1, got = 5;
	const void *src[] = { &a };
	void *dst[] = { &got };
	struct ub_reduce r = { .type = UB_INT32, .op = (enum ub_op)1, .nsrc = 1, .ndst = 1,
			       .src = src, .dst = dst, .count = 1 };

	assert_int_equal(ub_reduce(&r), -EOPNOTSUPP);
	r.op = UB_SUM;
	r.type = (enum ub_type)5;
	assert_int_equal(ub_reduce(&r), -EOPNOTSUPP);
	r.type = UB_INT32;
	r.nsrc = 0;
	assert_int_equal(ub_reduce(&r), -EINVAL);
	assert_int_equal(got, 5);
}

static void test_move_copies_to_all(void **state)
{
	for (int i = 0; i < 400; i++) {
		uint32_t ndst = 1 + rnd() % MAX_RANKS, shift = rnd() % GUARD;
		size_t bytes = i % 4 ? rnd() % 700 : MAX_BYTES - rnd() % 99;
		void *dst[MAX_RANKS];

		fill();
		for (uint32_t d = 0; d < ndst; d++)
			dst[d] = out[d] + (i & 1 ? shift : rnd() % GUARD);
		if (i & 16)
			dst[0] = in[0] + shift;
		ub_move(dst, ndst, in[0] + shift, bytes, i & 2 ? UB_REDUCE_NT : 0);
		ub_store_drain();
		for (uint32_t d = i & 16 ? 1 : 0; d < ndst; d++) {
			assert_memory_equal(dst[d], in[0] + shift, bytes);
			expect_guards(out[d], dst[d], bytes);
		}
	}
}

/* Longer than the block in which a MOVE to several destinations goes. */
static void test_a_long_move(void **state)
{
	static unsigned char from[50021], to[3][50021];
	void *dst[] = { to[0], to[1], to[2] };

	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = rnd();
	for (uint32_t flags = 0; flags <= UB_REDUCE_NT; flags++) {
		memset(to, 0, sizeof(to));
		ub_move(dst, 3, from, sizeof(from) - 1, flags);
		for (int d = 0; d < 3; d++) {
			assert_memory_equal(to[d], from, sizeof(from) - 1);
			assert_int_equal(to[d][sizeof(from) - 1], 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_isa_folds_like_scalar_code),
		cmocka_unit_test(test_every_small_count),
		cmocka_unit_test(test_integer_average_truncates_toward_zero),
		cmocka_unit_test(test_min_max_keep_nan_and_first_zero),
		cmocka_unit_test(test_unknown_is_refused),
		cmocka_unit_test(test_move_copies_to_all),
		cmocka_unit_test(test_a_long_move),
	};
	const char *env = getenv("UB_TEST_SEED");

	seed = env ? strtoull(env, NULL, 0) : 20261121;
	printf("reduce: in use %s; UB_TEST_SEED=%llu; UB_TEST_LONG=1 tries 20 times as many shapes\n",
	       ub_reduce_isa(), (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
