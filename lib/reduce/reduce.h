/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reduction kernels: n sources folded into m destinations in one pass.
 *
 * What this file guarantees
 *   - The result is the left fold over the sources in the order given,
 *     ((s0 + s1) + s2) + …, element by element: the same bits on every machine
 *     and with every instruction set (a NaN's payload excepted).
 *   - A destination may be the very same memory as a source, or as another
 *     destination. Other overlaps are not allowed.
 *   - Any alignment is right; vectors aligned alike to 64 bytes are fast.
 *   - No allocation, no system call, no floating-point environment touched.
 *
 * What it does not: ordering towards other processors. Ordinary stores are
 * released by the caller's own release store. Non-temporal ones need
 * ub_store_drain() before it.
 */
#ifndef UB_REDUCE_REDUCE_H
#define UB_REDUCE_REDUCE_H

#include <stddef.h>
#include <stdint.h>

#include <ub/types.h>

enum ub_reduce_flags {
	/*
	 * Write past the caches. Pays when the destinations together are larger
	 * than the private caches, and nobody reads them soon; else it hurts.
	 * A hint: destinations that are aligned unlike the first are stored
	 * ordinarily.
	 */
	UB_REDUCE_NT	= 1 << 0,
	/* ub_reduce(): the same for the first destination alone. */
	UB_REDUCE_NT_FIRST	= 1 << 1,
};

/**
 * struct ub_reduce - a fold
 * @type: of the elements
 * @op: the operator; UB_AVG folds as UB_SUM does
 * @flags: enum ub_reduce_flags
 * @divisor: UB_AVG: divide the finished sum by this; 0 while it is unfinished.
 *	Not used by other operators
 * @nsrc: sources, ≥ 1
 * @ndst: destinations, ≥ 1
 * @src: where the sources begin
 * @dst: where the destinations begin
 * @count: elements
 */
struct ub_reduce {
	enum ub_type type;
	enum ub_op op;
	uint32_t flags;
	uint32_t divisor;
	uint32_t nsrc;
	uint32_t ndst;
	const void *const *src;
	void *const *dst;
	size_t count;
};

/**
 * ub_reduce - fold @nsrc sources into @ndst destinations
 * @r: what to do
 *
 * UB_MIN, UB_MAX: an element that is a NaN anywhere is a NaN in the result.
 * Integers: sums wrap; UB_AVG truncates toward zero.
 *
 * Return: 0; -EINVAL without source or destination; -EOPNOTSUPP for a type or an
 * operator that is not built. Nothing was written then.
 */
int ub_reduce(const struct ub_reduce *r);

/**
 * ub_move - copy one source to several destinations in one pass
 * @dst: where the destinations begin
 * @ndst: how many
 * @src: the source; a destination may be the same memory, and when it is the only
 *	one it is not touched
 * @bytes: how many
 * @flags: enum ub_reduce_flags
 */
void ub_move(void *const *dst, uint32_t ndst, const void *src, size_t bytes, uint32_t flags);

/**
 * ub_store_drain - order non-temporal stores before every later store
 *
 * Call it between a use of UB_REDUCE_NT and the store that tells others.
 */
void ub_store_drain(void);

/**
 * ub_reduce_isa - the name of the instruction set in use: "portable", "avx2", …
 */
const char *ub_reduce_isa(void);

#endif /* UB_REDUCE_REDUCE_H */
