// SPDX-License-Identifier: BSD-2-Clause
/* Kernels for x86-64 with AVX2: vectors of 32 bytes, non-temporal stores. */
#if defined(__x86_64__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#define VEC 32
#define vec_stream(p, v) _mm256_stream_si256((void *)(p), (__m256i)(v))

#include "fold_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

static int usable(void)
{
	return __builtin_cpu_supports("avx2");
}

const struct ub_fold_isa ub_fold_avx2 = {
	.name = "avx2",
	.usable = usable,
	.fold = FOLD_TABLE,
	.stream = stream_copy,
};

#endif
