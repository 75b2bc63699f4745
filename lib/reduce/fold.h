/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one instruction set offers. The kernels' one body is fold_body.h.
 */
#ifndef UB_REDUCE_FOLD_H
#define UB_REDUCE_FOLD_H

#include <stdint.h>

#include "reduce.h"

/* Operators as the kernels see them: UB_AVG is a sum with an end. */
enum ub_fold_op { UB_FOLD_SUM, UB_FOLD_MIN, UB_FOLD_MAX, UB_FOLD_NOPS };
enum ub_fold_type { UB_FOLD_I32, UB_FOLD_I64, UB_FOLD_F32, UB_FOLD_F64, UB_FOLD_NTYPES };

typedef void (*ub_fold_fn)(const struct ub_reduce *r);

/**
 * struct ub_fold_isa - the kernels for one instruction set
 * @name: as a person knows it
 * @usable: whether this processor has it
 * @fold: by type and operator. With a divisor (sums only), divides at the end
 * @stream: non-temporal copy of one source to several destinations
 */
struct ub_fold_isa {
	const char *name;
	int (*usable)(void);
	ub_fold_fn fold[UB_FOLD_NTYPES][UB_FOLD_NOPS];
	void (*stream)(void *const *dst, uint32_t ndst, const void *src, size_t bytes);
};

/* Best first; the last is portable and always usable; ended by NULL. */
extern const struct ub_fold_isa *const ub_fold_isas[];

/* ub_reduce() with a chosen instruction set. Tests compare them by it. */
int ub_reduce_with(const struct ub_fold_isa *isa, const struct ub_reduce *r);

extern const struct ub_fold_isa ub_fold_avx512;
extern const struct ub_fold_isa ub_fold_avx2;
extern const struct ub_fold_isa ub_fold_portable;

#endif /* UB_REDUCE_FOLD_H */
