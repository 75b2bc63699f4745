// SPDX-License-Identifier: BSD-2-Clause
/*
 * Picks the kernel: by the processor once, by type and operator each time.
 */
#include <errno.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "fold.h"

/* A block that stays in the first-level cache while it goes to all destinations. */
#define MOVE_BLOCK	8192

const struct ub_fold_isa *const ub_fold_isas[] = {
#if defined(__x86_64__)
	&ub_fold_avx512,
	&ub_fold_avx2,
#endif
	&ub_fold_portable,
	NULL,
};

/*
 * Threads that come here first at the same time find the same answer, so a relaxed
 * store is enough.
 */
static const struct ub_fold_isa *fold_best(void)
{
	static const struct ub_fold_isa *best;
	const struct ub_fold_isa *isa = __atomic_load_n(&best, __ATOMIC_RELAXED);

	if (isa)
		return isa;
	for (int i = 0; !isa; i++)
		if (ub_fold_isas[i]->usable())
			isa = ub_fold_isas[i];
	__atomic_store_n(&best, isa, __ATOMIC_RELAXED);
	return isa;
}

static int fold_type(enum ub_type type)
{
	switch (type) {
	case UB_INT32:
		return UB_FOLD_I32;
	case UB_INT64:
		return UB_FOLD_I64;
	case UB_FLOAT32:
		return UB_FOLD_F32;
	case UB_FLOAT64:
		return UB_FOLD_F64;
	}
	return -EOPNOTSUPP;
}

static int fold_op(enum ub_op op)
{
	switch (op) {
	case UB_SUM:
	case UB_AVG:
		return UB_FOLD_SUM;
	case UB_MIN:
		return UB_FOLD_MIN;
	case UB_MAX:
		return UB_FOLD_MAX;
	}
	return -EOPNOTSUPP;
}

int ub_reduce_with(const struct ub_fold_isa *isa, const struct ub_reduce *r)
{
	int type = fold_type(r->type), op = fold_op(r->op);
	struct ub_reduce fold = *r;

	if (!r->nsrc || !r->ndst)
		return -EINVAL;
	if (type < 0 || op < 0)
		return -EOPNOTSUPP;
	/* Kernels divide whenever there is a divisor; one of 1 changes nothing. */
	if (r->op != UB_AVG || r->divisor == 1)
		fold.divisor = 0;
	isa->fold[type][op](&fold);
	return 0;
}

int ub_reduce(const struct ub_reduce *r)
{
	return ub_reduce_with(fold_best(), r);
}

static void copy(void *dst, const void *src, size_t bytes)
{
	if (dst != src)
		memcpy(dst, src, bytes);
}

void ub_move(void *const *dst, uint32_t ndst, const void *src, size_t bytes, uint32_t flags)
{
	size_t at, n;

	if (!ndst || (ndst == 1 && dst[0] == src))
		return;
	if (flags & UB_REDUCE_NT) {
		fold_best()->stream(dst, ndst, src, bytes);
		return;
	}
	for (at = 0; ndst > 1 && bytes - at > MOVE_BLOCK; at += n) {
		n = MOVE_BLOCK;
		for (uint32_t d = 0; d < ndst; d++)
			copy((char *)dst[d] + at, (const char *)src + at, n);
	}
	for (uint32_t d = 0; d < ndst; d++)
		copy((char *)dst[d] + at, (const char *)src + at, bytes - at);
}

void ub_store_drain(void)
{
#if defined(__x86_64__)
	_mm_sfence();
#endif
}

const char *ub_reduce_isa(void)
{
	return fold_best()->name;
}
