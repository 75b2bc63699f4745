/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-2-Clause) */
/*
 * Rings: queues that the kernel and a process share. Work goes in by them, and
 * completions come out.
 *
 * What this file guarantees
 *   - A ring is a mapping of a head, struct ub_ring_head, and of entries of one
 *     size from UB_RING_ENTRIES on. The number of entries is a power of two.
 *   - Indices run freely over 32 bits: entry i is at (i & (entries - 1)); a ring
 *     is empty when both are equal, full when they differ by the number of entries.
 *   - Each word of the head has one writer. It stores with release what the other
 *     side loads with acquire, so an entry is whole before it is seen, and read
 *     before its place is used again.
 *   - The kernel trusts nothing in it: it keeps indices of its own, copies an
 *     entry once, and checks and uses the copy. A process that writes nonsense
 *     gets completions in error, and hurts nobody else.
 *   - No struct has holes, and all have one layout on 32 and 64 bit.
 *
 *	ring		producer	consumer	entry
 *	send queue	process		kernel		struct ub_sqe, then its data
 *	receive queue	process		kernel		struct ub_rqe, then its SGEs
 *	completions	kernel		process		struct ub_cqe
 *
 * Posting: fill entries, store the producer (release), and for a send queue ring
 * the doorbell. A receive queue needs a doorbell only when, after a full barrier,
 * UB_RING_NEED_WAKEUP is set in its flags: somebody was told that it was empty. The
 * kernel sets the flag, then looks at the producer again, so one of the two sees
 * the other.
 *
 * Waiting: to be told of the next completion, store UB_ARM_* in @arm, then, after a
 * full barrier, look for completions once more. The kernel publishes a completion,
 * then, after a full barrier, takes the word; it notifies when that was armed.
 */
#ifndef _UAPI_UB_RING_H
#define _UAPI_UB_RING_H

#include <linux/types.h>

/* struct ub_ring_head.flags */
#define UB_RING_NEED_WAKEUP	(1U << 0)	/* receive: ring the doorbell after posting */
#define UB_RING_BACKLOG		(1U << 1)	/* completions: work waits that the poller may run */
#define UB_RING_OVERFLOW	(1U << 2)	/* completions: one was lost, nothing follows */
#define UB_RING_DEAD		(1U << 3)	/* the device is gone; the kernel has let go */

/* struct ub_ring_head.arm */
#define UB_ARM_NONE		0
#define UB_ARM_SOLICITED	1	/* by a solicited completion, or one in error */
#define UB_ARM_ANY		2

/**
 * struct ub_ring_head - the start of a ring, one cache line for each writer
 * @producer:	index of the next entry to be filled
 * @consumer:	index of the next entry to be read
 * @flags:	UB_RING_*; the kernel's
 * @arm:	UB_ARM_*; stored by the process, taken by the kernel
 */
struct ub_ring_head {
	__u32	producer;
	__u32	reserved0[15];
	__u32	consumer;
	__u32	reserved1[15];
	__u32	flags;
	__u32	reserved2[15];
	__u32	arm;
	__u32	reserved3[15];
};

#define UB_RING_ENTRIES	256	/* bytes from the head to entry 0 */

/* Entries are multiples of this. */
#define UB_RING_STRIDE	64

/**
 * struct ub_sge - a piece of local memory
 * @addr:	as the region of @key counts it
 * @length:	bytes
 * @key:	of the region
 */
struct ub_sge {
	__u64	addr;
	__u32	length;
	__u32	key;
};

#define UB_MAX_SGE	32	/* of an entry */
#define UB_MAX_INLINE	(UB_MAX_SGE * 16)	/* bytes */

/* struct ub_sqe.op. */
enum ub_op {
	UB_OP_WRITE		= 0,
	UB_OP_WRITE_IMM		= 1,
	UB_OP_SEND		= 2,
	UB_OP_SEND_IMM		= 3,
	UB_OP_READ		= 4,
	UB_OP_COMPARE_SWAP	= 5,
	UB_OP_FETCH_ADD		= 6,
	UB_OP_LOCAL_INVALIDATE	= 7,
	UB_OP_BIND		= 8,	/* a memory window */
	UB_OP_SEND_INVALIDATE	= 9,
	UB_OP_REGISTER		= 10,	/* of kernel users only */
};

/* struct ub_sqe.flags */
#define UB_SQE_SIGNALED		(1U << 0)	/* completes with an entry also when well */
#define UB_SQE_SOLICITED	(1U << 1)
#define UB_SQE_FENCE		(1U << 2)	/* given by the order of a queue: accepted */
#define UB_SQE_INLINE		(1U << 3)	/* the data follows, instead of SGEs */

/**
 * struct ub_sqe - a work request
 * @op:		enum ub_op
 * @flags:	UB_SQE_*
 * @nr_sge:	struct ub_sge that follow; 0 with UB_SQE_INLINE
 * @reserved:	0
 * @inline_length: bytes that follow with UB_SQE_INLINE, else 0
 * @wr_id:	given back in the completion
 * @addr:	remote address of WRITE, READ and the atomics; start of a window
 * @key:	remote key of these; new key of a window; key to invalidate locally
 * @imm:	immediate data as it stands in memory, or the key that SEND_INVALIDATE
 *		takes away from the target
 * @atomic.operand: what is stored if equal to @atomic.compare, or what is added
 * @atomic.compare: of COMPARE_SWAP
 * @ud.ah:	address handle, of datagrams
 * @ud.jetty:	number of the target
 * @ud.qkey:	its key
 * @bind.length: bytes of the window
 * @bind.key:	of the region below it
 * @bind.access: UB_REGION_* of <ub/verbs-abi.h>
 *
 * Followed by nr_sge struct ub_sge, or by inline_length bytes.
 */
struct ub_sqe {
	__u8	op;
	__u8	flags;
	__u8	nr_sge;
	__u8	reserved;
	__u32	inline_length;
	__u64	wr_id;
	__u64	addr;
	__u32	key;
	__u32	imm;
	union {
		struct {
			__u64	operand;
			__u64	compare;
		} atomic;
		struct {
			__u32	ah;
			__u32	jetty;
			__u32	qkey;
			__u32	reserved;
		} ud;
		struct {
			__u64	length;
			__u32	key;
			__u32	access;
		} bind;
		__u64	reserved1[4];
	};
};

/**
 * struct ub_rqe - room for a message
 * @wr_id:	given back in the completion
 * @nr_sge:	struct ub_sge that follow
 * @reserved:	0
 */
struct ub_rqe {
	__u64	wr_id;
	__u32	nr_sge;
	__u32	reserved;
};

/* struct ub_cqe.status: why, in the order of the IBTA's completion statuses. */
enum ub_status_code {
	UB_CR_SUCCESS		= 0,
	UB_CR_LOC_LEN		= 1,	/* local: too long for the message or the memory */
	UB_CR_LOC_QP_OP		= 2,	/* local: the request makes no sense */
	UB_CR_LOC_PROT		= 4,	/* local: a key or a range that does not admit it */
	UB_CR_FLUSH		= 5,	/* not executed: the jetty is in error */
	UB_CR_BIND		= 6,	/* a window could not be bound */
	UB_CR_LOC_ACCESS	= 8,	/* local: a remote write did not find its memory */
	UB_CR_REM_INVALID	= 9,	/* remote: the request makes no sense there */
	UB_CR_REM_ACCESS	= 10,	/* remote: a key or a range that does not admit it */
	UB_CR_REM_OP		= 11,	/* remote: could not be carried out there */
	UB_CR_RETRY_EXCEEDED	= 12,	/* no answer: no route, or nobody there */
	UB_CR_RNR_EXCEEDED	= 13,	/* the target had no room for the message */
	UB_CR_FATAL		= 19,
	UB_CR_GENERAL		= 21,
};

/* struct ub_cqe.op: enum ub_op of what was sent, or one of these. */
#define UB_CQE_RECV		128
#define UB_CQE_RECV_WRITE_IMM	129

/* struct ub_cqe.flags */
#define UB_CQE_IMM		(1U << 0)	/* @imm is immediate data */
#define UB_CQE_INVALIDATED	(1U << 1)	/* @imm is the key that was invalidated */
#define UB_CQE_GRH		(1U << 2)	/* 40 bytes before the data say whence it came */
#define UB_CQE_IPV4		(1U << 3)	/* ... as an IPv4 header in the last 20 of them */

/**
 * struct ub_cqe - a completion
 * @wr_id:	of the request
 * @status:	enum ub_status_code; if not success only @wr_id, @jetty and
 *		@vendor_error are good as well
 * @op:		enum ub_op, UB_CQE_RECV*
 * @flags:	UB_CQE_*
 * @sl:		service level of a datagram received
 * @length:	bytes that were received, read, or changed by an atomic
 * @imm:	by @flags
 * @jetty:	number of the jetty whose request it was
 * @src_jetty:	number of the jetty that sent a datagram
 * @vendor_error: more about a status, for people
 * @time_ns:	when it was published, CLOCK_MONOTONIC_RAW
 * @reserved:	0
 */
struct ub_cqe {
	__u64	wr_id;
	__u8	status;
	__u8	op;
	__u8	flags;
	__u8	sl;
	__u32	length;
	__u32	imm;
	__u32	jetty;
	__u32	src_jetty;
	__u32	vendor_error;
	__u64	time_ns;
	__u64	reserved[3];
};

#endif /* _UAPI_UB_RING_H */
