// SPDX-License-Identifier: BSD-2-Clause
/* Kernels for x86-64 with AVX-512: vectors of 64 bytes, non-temporal stores. */
#if defined(__x86_64__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw"))), \
			     apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw")
#endif

#define VEC 64
#define vec_stream(p, v) _mm512_stream_si512((void *)(p), (__m512i)(v))

#include "fold_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

static int usable(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

const struct ub_fold_isa ub_fold_avx512 = {
	.name = "avx512",
	.usable = usable,
	.fold = FOLD_TABLE,
	.stream = stream_copy,
};

#endif
