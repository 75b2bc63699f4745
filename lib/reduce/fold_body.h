/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of every kernel, compiled once per instruction set. The including file
 * defines
 *   VEC		bytes of a vector register
 *   vec_stream(p, v)	non-temporal store of a vector to aligned @p
 * and includes it under the target's pragma.
 *
 * A turn of the main loop takes one block of BLOCK vectors through all sources,
 * with the sums in registers, and stores it to all destinations: each byte of
 * memory is touched once, and a destination may be a source, because a block is
 * read before it is written. Elements before the first aligned block and after
 * the last take the same path one by one, so they round alike.
 */
#include <stdbool.h>
#include <string.h>

#include "fold.h"

#define BLOCK	4
#define LINE	64	/* non-temporal stores want whole lines */

#define ALWAYS	static inline __attribute__((always_inline))

/* Whole loops over a block: else gcc keeps the block in memory at -O2. */
#if defined(__clang__)
#define UNROLL
#else
#define UNROLL	_Pragma("GCC unroll 4")
#endif

typedef int32_t vec_any __attribute__((vector_size(VEC), aligned(1), may_alias));

ALWAYS bool vec_aligned(const void *p)
{
	return ((uintptr_t)p & (VEC - 1)) == 0;
}

ALWAYS void vec_store(void *p, vec_any v, bool nt)
{
	if (nt && vec_aligned(p))
		vec_stream(p, v);
	else
		*(vec_any *)p = v;
}

/* How many destinations, from the first, are written past the caches. */
ALWAYS uint32_t nt_stores(const struct ub_reduce *r)
{
	if (r->flags & UB_REDUCE_NT)
		return r->ndst;
	return r->flags & UB_REDUCE_NT_FIRST ? 1 : 0;
}

/* Elements of @size bytes until @p stands at a line; 0 when it never does. */
ALWAYS size_t head_elems(const void *p, size_t size, size_t count)
{
	size_t bytes = -(uintptr_t)p & (LINE - 1);

	if (bytes % size || bytes / size > count)
		return 0;
	return bytes / size;
}

/*
 * The vectors of a type. @elem: the type in memory; @sum: the type to add in (unsigned for
 * integers, which wrap); @mask: the integer of its width.
 */
#define FOLD_VECTORS(name, elem, sum, mask)							\
typedef elem name##_mem __attribute__((aligned(1), may_alias));				\
typedef elem name##_vec __attribute__((vector_size(VEC), aligned(1), may_alias));		\
typedef sum name##_sum __attribute__((vector_size(VEC)));					\
typedef mask name##_mask __attribute__((vector_size(VEC)))

FOLD_VECTORS(i32, int32_t, uint32_t, int32_t);
FOLD_VECTORS(i64, int64_t, uint64_t, int64_t);
FOLD_VECTORS(f32, float, float, int32_t);
FOLD_VECTORS(f64, double, double, int64_t);

typedef double vec_wide __attribute__((vector_size(2 * VEC)));

/*
 * There are vectors of division for floats only. A double does it for 32 bits: unless x/n
 * is a whole number, it is 1/n or more away from one, and that is more than the double's
 * error, x/n × 2^-53; so truncation gives the integer quotient.
 */
ALWAYS i32_vec i32_divide(i32_vec x, int32_t n)
{
	vec_wide quotient = __builtin_convertvector((i32_mask)x, vec_wide) / (double)n;

	return (i32_vec)__builtin_convertvector(quotient, i32_mask);
}

#define i64_divide(x, n) ((x) / (n))
#define f32_divide(x, n) ((x) / (n))
#define f64_divide(x, n) ((x) / (n))

/*
 * FOLD_TYPE makes the kernels of one type; its arguments as above.
 *
 * better: x is to replace acc. A NaN always does, and once there, stays: no comparison
 * with it is true.
 */
#define FOLD_TYPE(name, elem, sum, mask)							\
ALWAYS elem name##_one(enum ub_fold_op op, elem acc, elem x)					\
{												\
	if (op == UB_FOLD_SUM)									\
		return (elem)((sum)acc + (sum)x);						\
	if (x != x || (op == UB_FOLD_MIN ? x < acc : x > acc))					\
		return x;									\
	return acc;										\
}												\
												\
ALWAYS name##_vec name##_many(enum ub_fold_op op, name##_vec acc, name##_vec x)		\
{												\
	name##_mask better;									\
												\
	if (op == UB_FOLD_SUM)									\
		return (name##_vec)((name##_sum)acc + (name##_sum)x);				\
	better = (name##_mask)(op == UB_FOLD_MIN ? x < acc : x > acc) | (name##_mask)(x != x);	\
	return (name##_vec)(((name##_mask)x & better) | ((name##_mask)acc & ~better));	\
}												\
												\
ALWAYS void name##_elems(const struct ub_reduce *r, enum ub_fold_op op, elem div,		\
			 size_t i, size_t end)							\
{												\
	for (; i < end; i++) {									\
		elem acc = ((const name##_mem *)r->src[0])[i];					\
												\
		for (uint32_t s = 1; s < r->nsrc; s++)						\
			acc = name##_one(op, acc, ((const name##_mem *)r->src[s])[i]);		\
		if (op == UB_FOLD_SUM && div)							\
			acc /= div;								\
		for (uint32_t d = 0; d < r->ndst; d++)						\
			((name##_mem *)r->dst[d])[i] = acc;					\
	}											\
}												\
												\
ALWAYS void name##_block(const struct ub_reduce *r, enum ub_fold_op op, elem div,		\
			 uint32_t nt, size_t at)						\
{												\
	const name##_vec *in = (const name##_vec *)((const char *)r->src[0] + at);		\
	name##_vec acc[BLOCK];									\
												\
	UNROLL											\
	for (int k = 0; k < BLOCK; k++)								\
		acc[k] = in[k];									\
	for (uint32_t s = 1; s < r->nsrc; s++) {						\
		in = (const name##_vec *)((const char *)r->src[s] + at);			\
		UNROLL										\
		for (int k = 0; k < BLOCK; k++)							\
			acc[k] = name##_many(op, acc[k], in[k]);				\
	}											\
	if (op == UB_FOLD_SUM && div) {								\
		UNROLL										\
		for (int k = 0; k < BLOCK; k++)							\
			acc[k] = name##_divide(acc[k], div);					\
	}											\
	for (uint32_t d = 0; d < r->ndst; d++) {						\
		char *out = (char *)r->dst[d] + at;						\
												\
		UNROLL										\
		for (int k = 0; k < BLOCK; k++)							\
			vec_store(out + k * VEC, (vec_any)acc[k], d < nt);			\
	}											\
}												\
												\
ALWAYS void name##_fold(const struct ub_reduce *r, enum ub_fold_op op, elem div, uint32_t nt)	\
{												\
	const size_t step = BLOCK * VEC / sizeof(elem);						\
	size_t i = head_elems(r->dst[0], sizeof(elem), r->count);				\
												\
	name##_elems(r, op, div, 0, i);								\
	for (; i + step <= r->count; i += step)							\
		name##_block(r, op, div, nt, i * sizeof(elem));					\
	name##_elems(r, op, div, i, r->count);							\
}												\
												\
static void name##_sum_fn(const struct ub_reduce *r)						\
{												\
	elem div = (elem)r->divisor;								\
	uint32_t nt = nt_stores(r);								\
												\
	if (nt)											\
		name##_fold(r, UB_FOLD_SUM, div, nt);						\
	else if (div)										\
		name##_fold(r, UB_FOLD_SUM, div, 0);						\
	else											\
		name##_fold(r, UB_FOLD_SUM, 0, 0);						\
}												\
												\
static void name##_min_fn(const struct ub_reduce *r)						\
{												\
	name##_fold(r, UB_FOLD_MIN, 0, nt_stores(r));						\
}												\
												\
static void name##_max_fn(const struct ub_reduce *r)						\
{												\
	name##_fold(r, UB_FOLD_MAX, 0, nt_stores(r));						\
}

FOLD_TYPE(i32, int32_t, uint32_t, int32_t)
FOLD_TYPE(i64, int64_t, uint64_t, int64_t)
FOLD_TYPE(f32, float, float, int32_t)
FOLD_TYPE(f64, double, double, int64_t)

#define FOLD_FNS(name)	{ name##_sum_fn, name##_min_fn, name##_max_fn }
#define FOLD_TABLE	{									\
	[UB_FOLD_I32] = FOLD_FNS(i32), [UB_FOLD_I64] = FOLD_FNS(i64),				\
	[UB_FOLD_F32] = FOLD_FNS(f32), [UB_FOLD_F64] = FOLD_FNS(f64),				\
}

static void stream_copy(void *const *dst, uint32_t ndst, const void *src, size_t bytes)
{
	size_t i = head_elems(dst[0], 1, bytes);

	for (uint32_t d = 0; d < ndst; d++)
		memmove(dst[d], src, i);
	for (; i + BLOCK * VEC <= bytes; i += BLOCK * VEC) {
		const vec_any *in = (const vec_any *)((const char *)src + i);
		vec_any v[BLOCK];

		UNROLL
		for (int k = 0; k < BLOCK; k++)
			v[k] = in[k];
		for (uint32_t d = 0; d < ndst; d++) {
			char *out = (char *)dst[d] + i;

			UNROLL
			for (int k = 0; k < BLOCK; k++)
				vec_store(out + k * VEC, v[k], true);
		}
	}
	for (uint32_t d = 0; d < ndst; d++)
		memmove((char *)dst[d] + i, (const char *)src + i, bytes - i);
}
