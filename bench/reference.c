// SPDX-License-Identifier: BSD-2-Clause
/*
 * The reference: what a person writes who has shared memory, one algorithm and no
 * library. A spin barrier; each rank sums its part of all inputs into all outputs, in
 * one pass, past the caches when they would not hold it; a spin barrier.
 *
 * It finds no dead rank, no mismatch and no deadline, and sums floats only.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "bench.h"
#include "vector.h"

#define SPINS	2000	/* then yield; at once when ranks outnumber processors */

struct flag {
	_Alignas(128) _Atomic uint32_t turn;
};

struct reference {
	struct flag	*flags;		/* one per rank; each is the only writer of its own */
	char		*vectors;	/* in and out of each rank */
	size_t		stride;
	uint32_t	turn;
	int		rank, nranks, spins;
	size_t		nt_bytes;
};

static size_t whole_lines(size_t bytes)
{
	return (bytes + sizeof(line) - 1) & ~(sizeof(line) - 1);
}

size_t reference_size(int nranks, size_t max_bytes)
{
	return (size_t)nranks * (sizeof(struct flag) + 2 * whole_lines(max_bytes)) + 4096;
}

struct reference *reference_open(void *shared, int rank, int nranks, size_t max_bytes)
{
	struct reference *ref = calloc(1, sizeof(*ref));
	size_t flags = (nranks * sizeof(struct flag) + 4095) & ~(size_t)4095;
	long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);

	if (!ref)
		return NULL;
	ref->flags = shared;
	ref->vectors = (char *)shared + flags;
	ref->stride = whole_lines(max_bytes);
	ref->rank = rank;
	ref->nranks = nranks;
	ref->spins = sysconf(_SC_NPROCESSORS_ONLN) < nranks ? 16 : SPINS;
	ref->nt_bytes = l2 > 0 ? (size_t)l2 : 1 << 20;
	return ref;
}

float *reference_in(struct reference *ref, int rank)
{
	return (float *)(ref->vectors + 2 * rank * ref->stride);
}

float *reference_out(struct reference *ref, int rank)
{
	return (float *)(ref->vectors + (2 * rank + 1) * ref->stride);
}

static void barrier(struct reference *ref)
{
	uint32_t turn = ++ref->turn;

	atomic_store_explicit(&ref->flags[ref->rank].turn, turn, memory_order_release);
	for (int r = 0; r < ref->nranks; r++)
		for (int i = 0; (int32_t)(atomic_load_explicit(&ref->flags[r].turn,
				memory_order_acquire) - turn) < 0; i++)
			i < ref->spins ? cpu_relax() : (void)sched_yield();
}

/*
 * @n lines from @at. A constant @n keeps the sums in registers, and @ref is a copy, so
 * that no store of a line can be one to it.
 */
static inline __attribute__((always_inline))
void fold(const struct reference ref, size_t at, size_t n, bool nt)
{
	line *vectors = (line *)ref.vectors + at, sum[4];
	size_t stride = ref.stride / sizeof(line);

	for (size_t k = 0; k < n; k++)
		sum[k] = vectors[k];
	for (int r = 1; r < ref.nranks; r++)
		for (size_t k = 0; k < n; k++)
			sum[k] += vectors[2 * r * stride + k];
	for (int r = 0; r < ref.nranks; r++)
		for (size_t k = 0; k < n; k++) {
			line *out = &vectors[(2 * r + 1) * stride + k];

			if (nt)
				line_stream(out, sum[k]);
			else
				*out = sum[k];
		}
}

void reference_allreduce(struct reference *ref, size_t bytes)
{
	size_t lines = (bytes + sizeof(line) - 1) / sizeof(line), n = (size_t)ref->nranks;
	size_t part = (lines + n - 1) / n, at = (size_t)ref->rank * part;
	size_t end = at + part < lines ? at + part : lines;

	barrier(ref);
	if (bytes >= ref->nt_bytes)
		for (; at + 4 <= end; at += 4)
			fold(*ref, at, 4, true);
	for (; at + 4 <= end; at += 4)
		fold(*ref, at, 4, false);
	for (; at < end; at++)
		fold(*ref, at, 1, false);
	line_drain();
	barrier(ref);
}
