/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Element types, reduction operators and collectives of libub.
 *
 * What this file guarantees
 *   - The numbers are part of the ABI and never change: they travel between
 *     ranks, into recorder files and across versions of the library.
 *   - Gaps are kept for what is named beside them; a number that the library
 *     does not know is -EINVAL, one that it knows but has not built is
 *     -EOPNOTSUPP. Nothing is ever silently computed in another type.
 */
#ifndef UB_TYPES_H
#define UB_TYPES_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Element types, little endian as the machine has them.
 * 0-3: 8 and 16 bit integers; 5, 7: unsigned; 8, 9: fp16, bf16; 12-13: fp8
 * e4m3, e5m2; 14-16: the MX block formats.
 */
enum ub_type {
	UB_INT32	= 4,
	UB_INT64	= 6,
	UB_FLOAT32	= 10,
	UB_FLOAT64	= 11,
};

/*
 * Reduction operators. 1: product; 5: premultiplied sum; 6-8: bitwise.
 *
 * UB_SUM	integers wrap modulo 2^n
 * UB_MIN,	if any element is a NaN the result is a NaN (which one is not
 * UB_MAX	specified); of -0 and +0 the one that comes first in the fold
 * UB_AVG	the sum, divided once at the end by the number of ranks; integers
 *		truncate toward zero, and the sum may wrap before
 */
enum ub_op {
	UB_SUM	= 0,
	UB_MAX	= 2,
	UB_MIN	= 3,
	UB_AVG	= 4,
};

/*
 * Collectives. 0 is none, so that a cleared struct is not a valid call.
 * 4-15: reduce, reduce-scatter, all-gather, gather, scatter, all-to-all, their
 * v forms, send and receive.
 */
enum ub_coll {
	UB_COLL_ALLREDUCE	= 1,
	UB_COLL_BROADCAST	= 2,
	UB_COLL_BARRIER		= 3,
};

/**
 * ub_type_size - bytes of one element
 * @type: one of enum ub_type
 *
 * Return: the size, or 0 for a type that this library has not built.
 */
static inline size_t ub_type_size(enum ub_type type)
{
	switch (type) {
	case UB_INT32:
	case UB_FLOAT32:
		return 4;
	case UB_INT64:
	case UB_FLOAT64:
		return 8;
	}
	return 0;
}

#ifdef __cplusplus
}
#endif

#endif /* UB_TYPES_H */
