/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control segment: what the ranks of a communicator share beside data.
 *
 * One memfd, made by rank 0 and passed in bootstrap. It is always a memfd: its
 * words are futexes, and the kernel marks them when their owner dies.
 *
 * Guarantees
 *   - Every word has one writer, named below; only @abort has many, and its
 *     first writer wins (compare and swap from 0).
 *   - What one rank writes while others spin lies on lines of its own, in pairs
 *     (the adjacent-line prefetcher takes two).
 *   - Nothing read from here is used as a length or an index without a check:
 *     a peer may be of another mind, though not of another user.
 */
#ifndef LIBUB_CONTROL_H
#define LIBUB_CONTROL_H

#include <stdatomic.h>
#include <stdint.h>

#define UB_CTL_MAGIC	0x31424c5443425555ULL
#define UB_CTL_VERSION	1	/* all ranks run the same layout, or -EPROTO in bootstrap */
#define UB_PAIR		128	/* two cache lines */
#define UB_BANKS	2	/* sched/sched.h says why two are enough */
#define UB_SMALL_MAX	256	/* bytes of payload in a control line */
#define UB_MAX_RANKS	4096

/*
 * The word @life of a rank, in the kernel's robust futex format: the thread id
 * of its guard thread (comm/guard.c) and FUTEX_WAITERS. The kernel sets
 * FUTEX_OWNER_DIED when that thread is gone, at the start of the process's exit.
 * 0: not yet, or left.
 */
enum ub_rank_state { UB_RANK_JOINING, UB_RANK_LIVE, UB_RANK_LEFT, UB_RANK_DEAD };

/*
 * What a rank says about the call it is in: for sentences and for abort. Plain
 * stores to a line that only its owner writes cost nothing in the fast path;
 * readers look when something has gone wrong.
 */
struct ub_progress {
	_Atomic uint64_t	inside;	/* sequence of the call, 0 outside */
	_Atomic uint64_t	seq;	/* of the last operation begun */
	_Atomic uint64_t	call;	/* coll << 48 | type << 40 | op << 32 | root */
	_Atomic uint64_t	count;
	_Atomic uint32_t	step;
};

struct ub_ctl_rank {
	_Alignas(UB_PAIR) _Atomic uint32_t life;	/* its guard, then the kernel */
	_Atomic uint32_t	state;	/* itself; DEAD: who saw it die */
	uint32_t		pid;	/* itself, before LIVE */
	uint32_t		features;
	_Alignas(UB_PAIR) _Atomic uint32_t bell;	/* futex; whoever wakes adds 1 */
	_Atomic uint32_t	asleep;	/* itself: ring the bell, I sleep */
	_Alignas(UB_PAIR) struct ub_progress progress;	/* itself */
};

#define UB_FEATURE_MEMBARRIER	1u	/* registered for expedited barriers */
#define UB_FEATURE_ROOM		2u	/* no fewer processors than ranks, as it sees them */

/*
 * The entry of a rank into an operation: one slot per bank, written by the rank,
 * read by all. @seq is stored last (release; pairs with the acquire in
 * exec/wait.h). A small call carries its payload here, any other says where its
 * buffers are. Two banks suffice as for cells.
 */
struct ub_where {
	uint32_t	in_seg;		/* segment ids of this rank; 0: none */
	uint32_t	out_seg;
	uint32_t	tmp_seg;
	uint32_t	flags;		/* UB_WHERE_* */
	uint64_t	in_offset;
	uint64_t	out_offset;
	uint64_t	tmp_offset;
};

#define UB_WHERE_STAGED		1u	/* private buffers: the call is cut into windows */

struct ub_entry {
	_Alignas(UB_PAIR) _Atomic uint64_t seq;
	uint64_t	hash;	/* of the call; equal on all ranks */
	union {
		struct ub_where	where;
		unsigned char	payload[UB_SMALL_MAX];
	};
};

/* A signal cell, on a line of its own so that its writers do not disturb others. */
struct ub_cell {
	_Alignas(64) _Atomic uint64_t value;
};

/*
 * The abort word: reason << 56 | culprit << 36 | by << 16 | step. One word, so
 * that it is complete whenever it is seen, even if its writer dies next.
 */
enum ub_reason {
	UB_REASON_NONE,
	UB_REASON_DIED,		/* culprit's process ended */
	UB_REASON_DEADLINE,	/* by gave up waiting for culprit at step */
	UB_REASON_ABORTED,	/* by called ub_comm_abort() */
	UB_REASON_MISMATCH,	/* by and culprit made different calls */
	UB_REASON_MAP,		/* by cannot map memory of culprit; step is the errno */
	UB_REASON_LINK,		/* by lost its route to culprit at step */
	UB_REASON_LOCAL,	/* by could not go on; step is the errno */
	UB_REASON_POD,		/* the pod of by's NPU was removed, seen at step */
};

struct ub_control {
	uint64_t	magic;
	uint32_t	version;
	uint32_t	nranks;
	uint64_t	size;		/* of the segment */
	uint64_t	secret;		/* who knows it is a member */
	uint32_t	ncells;		/* per rank and bank */
	uint32_t	reserved;
	_Alignas(UB_PAIR) _Atomic uint64_t abort;
	struct ub_ctl_rank ranks[];
	/* struct ub_entry [nranks][UB_BANKS]; struct ub_cell [nranks][UB_BANKS][ncells] */
};

/* Cells that plans may use: rings and trees need a few per peer. */
static inline uint32_t ub_control_ncells(uint32_t nranks)
{
	return 4 * nranks + 16;
}

static inline uint64_t ub_control_size(uint32_t nranks)
{
	uint64_t n = nranks;

	return sizeof(struct ub_control) + n * sizeof(struct ub_ctl_rank) +
	       n * UB_BANKS * sizeof(struct ub_entry) +
	       n * UB_BANKS * ub_control_ncells(nranks) * sizeof(struct ub_cell);
}

static inline struct ub_entry *ub_control_entry(struct ub_control *ctl, uint32_t rank,
						uint32_t bank)
{
	struct ub_entry *entries = (struct ub_entry *)&ctl->ranks[ctl->nranks];

	return &entries[rank * UB_BANKS + bank];
}

static inline struct ub_cell *ub_control_cells(struct ub_control *ctl, uint32_t rank,
					       uint32_t bank)
{
	struct ub_cell *cells = (struct ub_cell *)ub_control_entry(ctl, ctl->nranks, 0);

	return &cells[((uint64_t)rank * UB_BANKS + bank) * ctl->ncells];
}

#endif /* LIBUB_CONTROL_H */
