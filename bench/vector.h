/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cache line as a vector, and its store past the caches, for the instruction set
 * of the machine that builds (-march=native).
 */
#ifndef BENCH_VECTOR_H
#define BENCH_VECTOR_H

#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef float line __attribute__((vector_size(64), may_alias));

static inline void line_stream(line *p, line v)
{
#if defined(__AVX512F__)
	_mm512_stream_ps((float *)p, (__m512)v);
#elif defined(__SSE2__)
	const __m128 *part = (const __m128 *)&v;

	for (int i = 0; i < 4; i++)
		_mm_stream_ps((float *)p + 4 * i, part[i]);
#else
	*p = v;
#endif
}

/* Streamed stores are ordered before every later one. */
static inline void line_drain(void)
{
#if defined(__SSE2__)
	_mm_sfence();
#endif
}

static inline void cpu_relax(void)
{
#if defined(__SSE2__)
	_mm_pause();
#endif
}

#endif /* BENCH_VECTOR_H */
