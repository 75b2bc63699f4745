/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * What the verbs device and its libibverbs provider say to each other beyond
 * standard verbs: where rings are, and how large.
 *
 * What this file guarantees
 *   - Structs grow at their end; both sides accept a longer and a shorter one of
 *     the other. Reserved fields are 0. No holes, one layout on 32 and 64 bit.
 *   - Rings are those of <ub/ring.h>. Each is mapped at the offset that the call
 *     which made it returned; a mapping is shared, and is not inherited by fork().
 *
 * Doorbells are verbs' own commands without a work request (write() on the uverbs
 * file): POST_SEND executes a send queue, POST_RECV and POST_SRQ_RECV wake who waits
 * for a receive, POLL_CQ runs what UB_RING_BACKLOG announced. POST_SEND and POST_RECV
 * return when there is nothing left to do, or what is left goes on by itself.
 */
#ifndef _UAPI_UB_VERBS_ABI_H
#define _UAPI_UB_VERBS_ABI_H

#include <linux/types.h>

#define UB_VERBS_ABI_VERSION	1
#define UB_VERBS_DRIVER_ID	0x5542	/* "UB"; of nobody else's drivers */

/* Rights of a region or a window, the values of enum ib_access_flags. */
#define UB_REGION_LOCAL_WRITE	(1U << 0)
#define UB_REGION_WRITE		(1U << 1)	/* remote */
#define UB_REGION_READ		(1U << 2)	/* remote */
#define UB_REGION_ATOMIC	(1U << 3)	/* remote */
#define UB_REGION_BIND		(1U << 4)	/* windows may be opened on it */
#define UB_REGION_ZERO_BASED	(1U << 5)	/* of a window of type 2: addresses count from 0 */

/**
 * struct ub_verbs_ring - where a ring is
 * @offset:	for mmap() of the uverbs file
 * @length:	bytes to map
 * @entries:	a power of two, at least what was asked for
 * @stride:	bytes of an entry
 */
struct ub_verbs_ring {
	__aligned_u64	offset;
	__aligned_u64	length;
	__u32	entries;
	__u32	stride;
};

/**
 * struct ub_verbs_alloc_ucontext_resp - what the device can
 * @max_inline:	bytes
 * @max_sge:	of a request
 */
struct ub_verbs_alloc_ucontext_resp {
	__u32	max_inline;
	__u32	max_sge;
	__aligned_u64	reserved[3];
};

/* @number: of the completion queue, for people. Also the answer of resizing. */
struct ub_verbs_create_cq_resp {
	struct ub_verbs_ring ring;
	__u32	number;
	__u32	reserved;
};

struct ub_verbs_create_srq_resp {
	struct ub_verbs_ring ring;
	__u32	number;
	__u32	reserved;
};

/* @rq is all zero when the receives come from a shared queue. */
struct ub_verbs_create_qp_resp {
	struct ub_verbs_ring sq;
	struct ub_verbs_ring rq;
	__aligned_u64	reserved;
};

/* @ah: for struct ub_sqe.ud.ah */
struct ub_verbs_create_ah_resp {
	__u32	ah;
	__u32	reserved;
};

#endif /* _UAPI_UB_VERBS_ABI_H */
