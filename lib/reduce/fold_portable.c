// SPDX-License-Identifier: BSD-2-Clause
/*
 * Kernels for any processor: vectors of 16 bytes, which the compiler lowers to
 * what the baseline has. Stores are always ordinary.
 */
#define VEC 16
#define vec_stream(p, v) (*(vec_any *)(p) = (v))

#include "fold_body.h"

static int always(void)
{
	return 1;
}

const struct ub_fold_isa ub_fold_portable = {
	.name = "portable",
	.usable = always,
	.fold = FOLD_TABLE,
	.stream = stream_copy,
};
