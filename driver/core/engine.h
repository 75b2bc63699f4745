/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The transaction engine, as its faces see it. The verbs face (driver/verbs) is the
 * first; it translates objects and attributes, and has no data path of its own.
 *
 *   ub_engine	the engine of an NPU: its jetties, regions, worker	engine.c
 *   ub_ring	a queue that a process and the kernel share	ring.c
 *   ub_jfc	completions (verbs: CQ)				jfc.c
 *   ub_jfr	receives, of one jetty or shared (RQ, SRQ)		jfr.c
 *   ub_tseg	memory that transactions reach by a key (MR)		tseg.c
 *   ub_ah	where datagrams go (AH)					ah.c mcast.c
 *   ub_jetty	an endpoint: a send queue, where it receives (QP)	jetty.c
 *
 * A face embeds these in objects of its own and gives a table of callbacks. Engine
 * locks are never held in a callback; it may run in process context or in the
 * worker, for an object that ub_*_exit() or ub_jetty_destroy() has not returned for.
 *
 * Who executes a send queue holds its busy bit: the doorbell's caller up to a
 * budget, after that the NPU's worker or whoever polls (execute.c). Locks, in order:
 *
 *	jetty busy bit	the send queue: indices, the current request, its progress
 *	engine->windows, pod->members_lock	(mutexes) windows; multicast groups
 *	jetty->lock	state and attributes of a jetty
 *	jfr->lock	claiming a receive, who waits for one (irqsave)
 *	jfc->lock	publishing a completion (irqsave, leaf)
 *	engine->lock	who waits for the worker or the clock (irqsave, leaf)
 *
 * Never two of one class at once: a jetty connected to itself, two that send to each
 * other, one queue for both need no special case. No lock but the bit is held while
 * bytes move. Targets are kept by references, for one bounded chunk.
 */
#ifndef _UB_CORE_ENGINE_H
#define _UB_CORE_ENGINE_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/timerqueue.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <ub/ring.h>
#include <ub/verbs-abi.h>

#include "fabric.h"

struct ub_jetty;
struct ub_jfc;
struct ub_jfr;
struct ub_npu;
struct vm_area_struct;

/* ---- the engine of an NPU: engine.c -------------------------------------- */

/* What went wrong, or nearly: counted per NPU. */
enum ub_engine_counter {
	UB_CTR_RNR,		/* a message found no receive */
	UB_CTR_RETRY,		/* an expiry without answer */
	UB_CTR_RETRY_EXCEEDED,	/* jetties that gave up for it */
	UB_CTR_RNR_EXCEEDED,	/* jetties that gave up for want of a receive */
	UB_CTR_DROPPED,		/* messages of UC and UD that were lost */
	UB_CTR_REMOTE_ACCESS,	/* requests refused here for a key or a range */
	UB_CTR_REMOTE_INVALID,	/* requests refused here otherwise */
	UB_CTR_BACKLOG,		/* send queues given to the worker */
	UB_CTR_MAX,
};

/**
 * struct ub_engine - the engine of an NPU
 * @npu:	whose it is; lives as long
 * @jetties:	number -> jetty; under its xa_lock, which also makes a jetty that was
 *		found stay until its reference is taken
 * @tsegs:	key >> 8 -> region; read under RCU
 * @ahs:	number -> address handle; read under RCU
 * @next_jetty:	where the search for a free number starts
 * @next_key:	the same
 * @windows:	held while windows are opened and closed
 * @lock:	protects what follows
 * @ready:	jetties that the worker shall run
 * @waiting:	jetties by the time at which they shall be tried again
 * @timer:	of the first of them
 * @work:	runs @ready
 * @counter:	enum ub_engine_counter
 */
struct ub_engine {
	struct ub_npu *npu;
	struct xarray jetties;
	struct xarray tsegs;
	struct xarray ahs;
	u32 next_jetty;
	u32 next_key;
	struct mutex windows;
	spinlock_t lock;
	struct list_head ready;
	struct timerqueue_head waiting;
	struct hrtimer timer;
	struct work_struct work;
	atomic64_t counter[UB_CTR_MAX];
};

/* Gets the NPU's engine, making it at first use; NULL without memory. */
struct ub_engine *ub_engine_of(struct ub_npu *npu);

static inline u64 ub_engine_count(const struct ub_engine *engine,
				  enum ub_engine_counter counter)
{
	return atomic64_read(&engine->counter[counter]);
}

/* ---- rings: ring.c --------------------------------------------------------- */

/**
 * struct ub_ring - kernel's view of a ring
 * @head:	the memory, zeroed; vmalloc()ed, charged to who made it
 * @length:	bytes, whole pages
 * @mask:	entries - 1
 * @stride:	bytes of an entry
 */
struct ub_ring {
	struct ub_ring_head *head;
	size_t length;
	u32 mask;
	u32 stride;
};

#define UB_RING_MAX_ENTRIES (1u << 20)

/*
 * ub_ring_create() rounds entries up to a power of two. -EINVAL: none, or more than
 * UB_RING_MAX_ENTRIES; -ENOMEM. ub_ring_mmap() maps the whole ring, shared, not
 * inherited by fork(); -EINVAL for another size. Pages live while they are mapped.
 */
int ub_ring_create(struct ub_ring *ring, u32 entries, u32 stride);
void ub_ring_destroy(struct ub_ring *ring);
int ub_ring_mmap(const struct ub_ring *ring, struct vm_area_struct *vma);

static inline void *ub_ring_entry(const struct ub_ring *ring, u32 index)
{
	return (void *)ring->head + UB_RING_ENTRIES +
	       (size_t)(index & ring->mask) * ring->stride;
}

static inline u32 ub_ring_entries(const struct ub_ring *ring)
{
	return ring->mask + 1;
}

/* Tells the process that nobody is behind the ring any more. */
static inline void ub_ring_set_dead(struct ub_ring *ring)
{
	WRITE_ONCE(ring->head->flags, ring->head->flags | UB_RING_DEAD);
}

/* ---- completions: jfc.c ------------------------------------------------------ */

/**
 * struct ub_jfc_ops - what a face wants to know of its completions
 * @notify:	a completion came that was waited for (UB_ARM_*)
 * @overflow:	one found no place: the queue is broken
 */
struct ub_jfc_ops {
	void (*notify)(struct ub_jfc *jfc);
	void (*overflow)(struct ub_jfc *jfc);
};

/**
 * struct ub_jfc - a queue of completions
 * @engine:	of its NPU
 * @ops:	of the face
 * @timestamps:	fill in ub_cqe.time_ns
 * @lock:	protects what follows
 * @ring:	of struct ub_cqe
 * @producer:	index of the next to publish; the ring's is a copy
 * @backlog:	send queues whose rest is announced by UB_RING_BACKLOG
 * @broken:	overflown, for good
 */
struct ub_jfc {
	struct ub_engine *engine;
	const struct ub_jfc_ops *ops;
	bool timestamps;
	spinlock_t lock;
	struct ub_ring ring;
	u32 producer;
	u32 backlog;
	bool broken;
};

int ub_jfc_init(struct ub_jfc *jfc, struct ub_engine *engine,
		const struct ub_jfc_ops *ops, u32 entries);
void ub_jfc_exit(struct ub_jfc *jfc);
/*
 * Moves to a ring of @entries; what it holds moves along. The old ring stays the
 * caller's, in @old, to be destroyed. -EINVAL: too small for what is in it.
 */
int ub_jfc_resize(struct ub_jfc *jfc, u32 entries, struct ub_ring *old);
/* For kernel users, who have no process to read the ring. True: there was one. */
bool ub_jfc_take(struct ub_jfc *jfc, struct ub_cqe *cqe);
/* Arms; true if there are completions already. */
bool ub_jfc_arm(struct ub_jfc *jfc, u32 arm);
/* A poller found nothing and saw UB_RING_BACKLOG. */
void ub_jfc_run_backlog(struct ub_jfc *jfc);

/* ---- receives: jfr.c --------------------------------------------------------- */

/**
 * struct ub_jfr_ops - what a face wants to know of its receives
 * @limit:	fewer than the limit are left; told once
 */
struct ub_jfr_ops {
	void (*limit)(struct ub_jfr *jfr);
};

/**
 * struct ub_jfr - a queue of receives
 * @ops:	of the face; NULL if it belongs to one jetty
 * @owner:	that jetty
 * @max_sge:	of an entry
 * @lock:	protects what follows
 * @ring:	of struct ub_rqe and its SGEs; no head when never used
 * @consumer:	index of the next to claim; the ring's is a copy
 * @limit:	0: none
 * @starved:	jetties that were told RNR, by ub_jetty.starved
 */
struct ub_jfr {
	const struct ub_jfr_ops *ops;
	struct ub_jetty *owner;
	u32 max_sge;
	spinlock_t lock;
	struct ub_ring ring;
	u32 consumer;
	u32 limit;
	struct list_head starved;
};

int ub_jfr_init(struct ub_jfr *jfr, const struct ub_jfr_ops *ops, u32 entries, u32 max_sge);
void ub_jfr_exit(struct ub_jfr *jfr);
void ub_jfr_set_limit(struct ub_jfr *jfr, u32 limit);
u32 ub_jfr_limit(struct ub_jfr *jfr);
/* Entries were posted while UB_RING_NEED_WAKEUP was set. */
void ub_jfr_doorbell(struct ub_jfr *jfr);
/* For kernel users: -ENOMEM when full. The caller serialises. */
int ub_jfr_post(struct ub_jfr *jfr, u64 wr_id, const struct ub_sge *sge, u32 nr_sge);

static inline u32 ub_jfr_stride(u32 max_sge)
{
	return ALIGN(sizeof(struct ub_rqe) + max_sge * sizeof(struct ub_sge),
		     UB_RING_STRIDE);
}

/* ---- memory by key: tseg.c ----------------------------------------------------- */

enum ub_tseg_type {
	UB_TSEG_USER,		/* pinned pages of a process */
	UB_TSEG_SEG,		/* a segment of the driver's, as a process maps it */
	UB_TSEG_KERNEL,		/* kernel virtual addresses: all of them */
	UB_TSEG_WINDOW,		/* a part of another one, with rights of its own */
};

/**
 * struct ub_tseg - memory that transactions reach by a key: a target segment
 * @ref:	held by the key and by chunks in progress
 * @unused:	completed with the last of them
 * @rcu:	frees it
 * @engine:	of its NPU
 * @type:	what it is
 * @key:	index << 8 | a byte that changes; local and remote
 * @pd:		protection domain, compared only
 * @start:	first address, as requests count it
 * @length:	bytes
 * @access:	UB_REGION_*
 * @access_max:	what @access may be changed to
 * @offset:	of @start in the first page
 * @page:	pinned pages, of UB_TSEG_USER
 * @nr_pages:	how many
 * @mm:		charged for them (mmgrab)
 * @to:		the handle behind the mapping, of UB_TSEG_SEG
 * @windows:	on it; while there are, it stays
 * @base:	of UB_TSEG_WINDOW: what it is on, or NULL: it is not bound
 * @bound_by:	of a window of type 2: ub_jetty.serial of the one that it is for
 * @type_2:	of UB_TSEG_WINDOW
 */
struct ub_tseg {
	refcount_t ref;
	struct completion unused;
	struct rcu_head rcu;
	struct ub_engine *engine;
	enum ub_tseg_type type;
	u32 key;
	const void *pd;
	u64 start;
	u64 length;
	u32 access;
	u32 access_max;
	u64 offset;
	struct page **page;
	unsigned long nr_pages;
	struct mm_struct *mm;
	struct ub_obj *to;
	atomic_t windows;
	struct ub_tseg *base;
	u64 bound_by;
	bool type_2;
};

/*
 * Registers memory of the calling process. A range inside of one mapping of a driver
 * segment becomes a region of that segment, with rights at most the import's, which
 * ends with it; anything else is pinned and charged to RLIMIT_MEMLOCK (unless
 * CAP_IPC_LOCK). Requests count addresses from @iova.
 *
 * ERR_PTR: -EINVAL a bad range or rights; -EFAULT what cannot be pinned; -EACCES more
 * rights than the import has; -EOPNOTSUPP the segment's home is another NPU; -ENOMEM
 * memory, or the limit; -EINTR.
 */
struct ub_tseg *ub_tseg_register(struct ub_engine *engine, const void *pd, u64 start,
				 u64 length, u64 iova, u32 access);
/* All of the kernel's memory, for kernel users. */
struct ub_tseg *ub_tseg_register_kernel(struct ub_engine *engine, const void *pd, u32 access);
/*
 * A window: opened by requests (UB_OP_BIND), on memory that has UB_REGION_BIND. One of
 * type 1 is for all of @pd, one of type 2 for the jetty that opened it, and can be
 * invalidated. While it is not open nothing is reached by it.
 */
struct ub_tseg *ub_tseg_create_window(struct ub_engine *engine, const void *pd, bool type_2);
/*
 * After it nobody reaches the memory: chunks in progress have ended. Also ends windows.
 * -EBUSY: windows are open on it, and nothing has changed.
 */
int ub_tseg_unregister(struct ub_tseg *tseg);
/*
 * Changes rights and domain; after it nothing runs by the old ones. -EACCES: pinned
 * for reading only, or more than the import has.
 */
int ub_tseg_change(struct ub_tseg *tseg, const void *pd, u32 access);

/* ---- datagrams' targets: ah.c ---------------------------------------------------- */

#define UB_GRH_LEN 40
#define UB_MAX_MTU 4096

/**
 * struct ub_ah_desc - where a datagram goes, and what its receiver is told
 * @pd:		protection domain
 * @npu:	index of the target in the pod
 * @multicast:	to all members of the group @mgid instead
 * @mgid:	network byte order
 * @grh:	what stands before the data
 * @ipv4:	as an IPv4 header, in its last 20 bytes
 * @sl:		to report
 */
struct ub_ah_desc {
	const void *pd;
	u32 npu;
	bool multicast;
	u8 mgid[UB_EID_LEN];
	u8 grh[UB_GRH_LEN];
	bool ipv4;
	u8 sl;
};

int ub_ah_create(struct ub_engine *engine, const struct ub_ah_desc *desc, gfp_t gfp,
		 u32 *number);
void ub_ah_destroy(struct ub_engine *engine, u32 number);

/* A jetty of datagrams gets what is sent to @gid. -EEXIST, -ENOENT, -EINVAL, -ENOMEM. */
int ub_mcast_join(struct ub_jetty *jetty, const u8 *gid);
int ub_mcast_leave(struct ub_jetty *jetty, const u8 *gid);

/* ---- jetties: jetty.c, execute.c ---------------------------------------------------- */

enum ub_jetty_type { UB_JETTY_RC, UB_JETTY_UC, UB_JETTY_UD };

/* In the order of enum ib_qp_state. */
enum ub_jetty_state {
	UB_JETTY_RESET,
	UB_JETTY_INIT,
	UB_JETTY_RTR,
	UB_JETTY_RTS,
	UB_JETTY_SQD,
	UB_JETTY_SQE,
	UB_JETTY_ERR,
};

/**
 * enum ub_jetty_event - what a face is told of a jetty
 * @UB_JETTY_EVENT_NONE:	not told: a completion says it
 * @UB_JETTY_EVENT_ESTABLISHED:	a message came before it was made ready to send
 * @UB_JETTY_EVENT_DRAINED:	its send queue stopped, as asked
 * @UB_JETTY_EVENT_LAST_RECEIVE: in error, it takes no more from a shared queue
 * @UB_JETTY_EVENT_FATAL:	a completion found no place
 * @UB_JETTY_EVENT_REQUEST:	a request came that makes no sense
 * @UB_JETTY_EVENT_ACCESS:	a request came with a bad key or range
 */
enum ub_jetty_event {
	UB_JETTY_EVENT_NONE,
	UB_JETTY_EVENT_ESTABLISHED,
	UB_JETTY_EVENT_DRAINED,
	UB_JETTY_EVENT_LAST_RECEIVE,
	UB_JETTY_EVENT_FATAL,
	UB_JETTY_EVENT_REQUEST,
	UB_JETTY_EVENT_ACCESS,
};

struct ub_jetty_ops {
	void (*event)(struct ub_jetty *jetty, enum ub_jetty_event event);
};

/* struct ub_jetty_attr: what ub_jetty_modify() shall change */
#define UB_ATTR_STATE		(1U << 0)
#define UB_ATTR_ACCESS		(1U << 1)
#define UB_ATTR_PEER		(1U << 2)	/* peer_npu, peer_jetty */
#define UB_ATTR_MTU		(1U << 3)
#define UB_ATTR_TX_PSN		(1U << 4)
#define UB_ATTR_RX_PSN		(1U << 5)
#define UB_ATTR_QKEY		(1U << 6)
#define UB_ATTR_TIMEOUT		(1U << 7)
#define UB_ATTR_RETRY		(1U << 8)
#define UB_ATTR_RNR_RETRY	(1U << 9)
#define UB_ATTR_RNR_TIMER	(1U << 10)
#define UB_ATTR_NOTIFY_DRAINED	(1U << 11)	/* tell UB_JETTY_EVENT_DRAINED, once */

/**
 * struct ub_jetty_attr - attributes of a jetty
 * @state:	enum ub_jetty_state; the face has checked the transition
 * @access:	UB_REGION_* that the peer has through this jetty
 * @peer_npu:	index in the pod
 * @peer_jetty:	number there
 * @mtu:	bytes; only PSNs are counted by it
 * @tx_psn:	of the next request sent, 24 bits
 * @rx_psn:	of the next request expected
 * @qkey:	of datagrams
 * @timeout:	4.096 us * 2^timeout without an answer is an expiry; 0: never
 * @retry:	expiries in a row that are borne, 0 ... 7: 7 is seven
 * @rnr_retry:	the same for RNR, but 7 is for ever
 * @rnr_timer:	code of the time that a sender waits when told RNR here
 */
struct ub_jetty_attr {
	enum ub_jetty_state state;
	u32 access;
	u32 peer_npu;
	u32 peer_jetty;
	u32 mtu;
	u32 tx_psn;
	u32 rx_psn;
	u32 qkey;
	u8 timeout;
	u8 retry;
	u8 rnr_retry;
	u8 rnr_timer;
};

/**
 * struct ub_jetty_desc - a jetty to be
 * @engine:	of its NPU
 * @ops:	of the face
 * @type:	enum ub_jetty_type
 * @number:	0: any free one; else this (verbs: 1 is the GSI's)
 * @pd:		protection domain
 * @send_jfc:	where sends complete
 * @recv_jfc:	where receives complete
 * @jfr:	shared receives, or NULL: it gets its own
 * @send_entries: of the send queue
 * @send_sge:	of a request
 * @inline_length: bytes of a request
 * @recv_entries: of its own receive queue; may be 0
 * @recv_sge:	of a receive
 * @signal_all:	all requests are signaled
 * @kernel:	of a kernel user: posted by ub_jetty_post(), executed by the worker
 */
struct ub_jetty_desc {
	struct ub_engine *engine;
	const struct ub_jetty_ops *ops;
	enum ub_jetty_type type;
	u32 number;
	const void *pd;
	struct ub_jfc *send_jfc;
	struct ub_jfc *recv_jfc;
	struct ub_jfr *jfr;
	u32 send_entries;
	u32 send_sge;
	u32 inline_length;
	u32 recv_entries;
	u32 recv_sge;
	bool signal_all;
	bool kernel;
};

struct ub_exec;

/**
 * struct ub_recv - a message that a jetty of RC or UC is receiving
 * @active:	a receive was claimed for it
 * @claim:	changes with every claim: whose it is
 * @wr_id:	of the receive
 */
struct ub_recv {
	bool active;
	u32 claim;
	u64 wr_id;
};

/**
 * struct ub_jetty - an endpoint
 * @ref:	held by its owner, by chunks that it is the target of, by the worker
 * @unused:	completed with the last
 * @engine:	of its NPU
 * @ops:	of the face
 * @type:	enum ub_jetty_type
 * @number:	24 bits
 * @serial:	of no other jetty, ever
 * @kernel:	of a kernel user
 * @signal_all:	all requests are signaled
 * @pd:		protection domain
 * @send_jfc:	where sends complete
 * @recv_jfc:	where receives complete
 * @jfr:	where it receives from: shared, or @own_jfr
 * @own_jfr:	its own
 * @sq:		send queue
 * @send_sge:	limit of a request
 * @inline_length: the same
 * @flags:	UB_JETTY_BUSY and others, see execute.c
 * @sq_consumer: next request; by the busy bit
 * @exec:	the current request and room to work; by the busy bit
 * @lock:	protects what follows, to @recv; irqs off is not needed
 * @attr:	attributes; single ones are read without the lock too
 * @notify_drained: tell when the send queue has stopped
 * @last_told:	UB_JETTY_EVENT_LAST_RECEIVE was told
 * @recv:	the message that is coming
 * @ready:	in engine->ready; under engine->lock
 * @is_waiting:	it is in engine->waiting; under engine->lock
 * @waiting:	there
 * @starved:	in the list of the jfr that had no receive for it
 * @starved_of:	that jfr; both under a lock of jfr.c
 */
struct ub_jetty {
	refcount_t ref;
	struct completion unused;
	struct ub_engine *engine;
	const struct ub_jetty_ops *ops;
	enum ub_jetty_type type;
	u32 number;
	u64 serial;
	bool kernel;
	bool signal_all;
	const void *pd;
	struct ub_jfc *send_jfc;
	struct ub_jfc *recv_jfc;
	struct ub_jfr *jfr;
	struct ub_jfr own_jfr;
	struct ub_ring sq;
	u32 send_sge;
	u32 inline_length;
	unsigned long flags;
	u32 sq_consumer;
	struct ub_exec *exec;
	spinlock_t lock;
	struct ub_jetty_attr attr;
	bool notify_drained;
	bool last_told;
	struct ub_recv recv;
	struct list_head ready;
	bool is_waiting;
	struct timerqueue_node waiting;
	struct list_head starved;
	struct ub_jfr *starved_of;
};

/*
 * Makes @jetty (zeroed memory of the face) and publishes its number; state RESET.
 * -EINVAL limits; -ENOMEM; -EEXIST the number is taken; -ENOSPC no number is free.
 */
int ub_jetty_init(struct ub_jetty *jetty, const struct ub_jetty_desc *desc);
/*
 * Takes it away: nobody finds it, nothing runs for it, no callback comes any more.
 */
void ub_jetty_destroy(struct ub_jetty *jetty);
/*
 * Sleeps until the send queue is at rest where the new state demands it. To RESET:
 * queues are empty. To ERR: what is queued completes as flushed.
 */
int ub_jetty_modify(struct ub_jetty *jetty, const struct ub_jetty_attr *attr, u32 mask);
void ub_jetty_query(struct ub_jetty *jetty, struct ub_jetty_attr *attr);
/* The process posted requests: executes them, or sees to it that they are. */
void ub_jetty_doorbell(struct ub_jetty *jetty);
/*
 * For kernel users: a request with its SGEs or inline data behind it. The caller
 * serialises, may be atomic. -ENOMEM: the queue is full.
 */
int ub_jetty_post(struct ub_jetty *jetty, const struct ub_sqe *sqe, const void *data, u32 bytes);

static inline u32 ub_jetty_sq_stride(u32 max_sge, u32 inline_length)
{
	return ALIGN(sizeof(struct ub_sqe) +
		     max_t(u32, max_sge * sizeof(struct ub_sge), inline_length),
		     UB_RING_STRIDE);
}

#endif /* _UB_CORE_ENGINE_H */
