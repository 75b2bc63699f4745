/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The libibverbs provider of ub devices: a map of it.
 *
 *   ub_context	an opened device			device.c
 *   ub_pd	protection, parent and thread domains	pd.c
 *   (verbs')	memory regions and windows		memory.c
 *   ub_ah	where datagrams go			ah.c
 *   ub_cq	completions: objects			cq.c
 *		... reading them			poll.c
 *   ub_srq	shared receives				srq.c
 *   ub_qp	queue pairs				qp.c
 *		... posting receives			receive.c
 *		... posting requests, ibv_post_send()	send.c
 *		... the same, ibv_wr_*()		send_wr.c
 *
 * Objects are made by the kernel. Requests, receives and completions pass through
 * rings that it shares with us (<ub/ring.h>, lib/ring); posting requests makes one
 * system call, the doorbell, in which the kernel executes them. All else of the data
 * path makes none, but when the kernel asks for it by a flag.
 *
 * Rules of verbs: functions return 0 or an errno (positive), or NULL and set errno.
 */
#ifndef UB_PROVIDER_H
#define UB_PROVIDER_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <infiniband/driver.h>
#include <infiniband/kern-abi.h>
#include <ub/verbs-abi.h>

#include "ring/ring.h"

/*
 * What differs between the private ABIs of libibverbs: arguments that were added, for
 * what we do not use. Each brings its comma along.
 */
#if IBVERBS_PABI_VERSION >= 57
#define UB_PABI_57(argument)	argument,
#else
#define UB_PABI_57(argument)
#endif
#if IBVERBS_PABI_VERSION >= 59
#define UB_PABI_59(argument)	argument,
#else
#define UB_PABI_59(argument)
#endif
#if IBVERBS_PABI_VERSION >= 65
#define UB_PABI_65(argument)	, argument
#else
#define UB_PABI_65(argument)
#endif

/* Left out where the program says that one thread at a time comes. */
struct ub_lock {
	pthread_spinlock_t spin;
	bool elided;
};

static inline void ub_lock_init(struct ub_lock *lock, bool elided)
{
	lock->elided = elided;
	pthread_spin_init(&lock->spin, PTHREAD_PROCESS_PRIVATE);
}

static inline void ub_lock(struct ub_lock *lock)
{
	if (!lock->elided)
		pthread_spin_lock(&lock->spin);
}

static inline void ub_unlock(struct ub_lock *lock)
{
	if (!lock->elided)
		pthread_spin_unlock(&lock->spin);
}

/* What a function that makes an object returns when it cannot. */
static inline void *ub_failed(void *object, int err)
{
	free(object);
	errno = err;
	return NULL;
}

/* ---- objects ------------------------------------------------------------------- */

/**
 * struct ub_context - an opened device
 * @verbs:	verbs'
 * @max_inline:	bytes of a request
 * @max_sge:	of a request
 * @send_ops:	requests that the device has, IBV_QP_EX_WITH_*
 */
struct ub_context {
	struct verbs_context verbs;
	uint32_t max_inline;
	uint32_t max_sge;
	uint64_t send_ops;
};

struct ub_td {
	struct ibv_td td;
	atomic_int users;
};

/**
 * struct ub_pd - a protection domain, or a parent domain above one
 * @pd:		verbs'
 * @below:	the protection domain of a parent domain, else NULL
 * @td:		of a parent domain: its queues are used by one thread at a time
 * @users:	parent domains above it
 */
struct ub_pd {
	struct ibv_pd pd;
	struct ub_pd *below;
	struct ub_td *td;
	atomic_int users;
};

struct ub_ah {
	struct ibv_ah ah;
	uint32_t number;
};

/**
 * struct ub_cq - a queue of completions
 * @verbs:	verbs'
 * @lock:	protects what follows
 * @ring:	consumer's side
 * @current:	of start_poll() to end_poll(); NULL: there are no more
 * @idle:	polls in a row that found nothing
 * @lost:	a new ring could not be mapped: nothing comes any more
 */
struct ub_cq {
	struct verbs_cq verbs;
	struct ub_lock lock;
	struct ub_ring ring;
	const struct ub_cqe *current;
	uint32_t idle;
	bool lost;
};

/* Receives, of a queue pair or shared. @lock protects @ring, the producer's side. */
struct ub_rq {
	struct ub_lock lock;
	struct ub_ring ring;
	uint32_t max_sge;
};

struct ub_srq {
	struct ibv_srq srq;
	struct ub_rq rq;
};

/**
 * struct ub_qp - a queue pair
 * @verbs:	verbs'
 * @rq:		no mapping, if receives come from a shared queue
 * @lock:	protects @sq and what follows it
 * @sq:		producer's side
 * @max_sge:	of a request
 * @max_inline:	bytes of a request
 * @send_ops:	requests that it has, IBV_QP_EX_WITH_*
 * @current:	the request that ibv_wr_*() is building
 * @err:	of ibv_wr_*() since ibv_wr_start()
 */
struct ub_qp {
	struct verbs_qp verbs;
	struct ub_rq rq;
	struct ub_lock lock;
	struct ub_ring sq;
	uint32_t max_sge;
	uint32_t max_inline;
	uint64_t send_ops;
	struct ub_sqe *current;
	int err;
};

static inline struct ub_context *to_ub_context(struct ibv_context *context)
{
	return container_of(context, struct ub_context, verbs.context);
}

static inline struct ub_pd *to_ub_pd(struct ibv_pd *pd)
{
	return container_of(pd, struct ub_pd, pd);
}

static inline struct ub_ah *to_ub_ah(struct ibv_ah *ah)
{
	return container_of(ah, struct ub_ah, ah);
}

static inline struct ub_cq *to_ub_cq(struct ibv_cq *cq)
{
	return container_of(cq, struct ub_cq, verbs.cq);
}

static inline struct ub_srq *to_ub_srq(struct ibv_srq *srq)
{
	return container_of(srq, struct ub_srq, srq);
}

static inline struct ub_qp *to_ub_qp(struct ibv_qp *qp)
{
	return container_of(qp, struct ub_qp, verbs.qp);
}

/* ---- rings: queue.c -------------------------------------------------------------- */

/*
 * Maps what a create call answered; entries are of at least @bytes. 0, or an errno;
 * then there is nothing to unmap.
 */
int ub_queue_map(struct ub_ring *ring, int fd, const struct ub_verbs_ring *answer,
		 uint32_t bytes);
/* Of one that was never mapped too. */
void ub_queue_unmap(struct ub_ring *ring);

/* ---- pd.c ------------------------------------------------------------------------ */

struct ibv_pd *ub_pd_alloc(struct ibv_context *context);
int ub_pd_dealloc(struct ibv_pd *pd);
struct ibv_td *ub_td_alloc(struct ibv_context *context, struct ibv_td_init_attr *attr);
int ub_td_dealloc(struct ibv_td *td);
struct ibv_pd *ub_parent_domain_alloc(struct ibv_context *context,
				      struct ibv_parent_domain_init_attr *attr);

static inline bool ub_pd_single_threaded(struct ibv_pd *pd)
{
	return to_ub_pd(pd)->td;
}

/* ---- memory.c -------------------------------------------------------------------- */

struct ibv_mr *ub_mr_reg(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova,
			 int access);
struct ibv_mr *ub_mr_reg_dmabuf(struct ibv_pd *pd, uint64_t offset, size_t length,
				uint64_t iova, int fd, int access);
int ub_mr_rereg(struct verbs_mr *mr, int flags, struct ibv_pd *pd, void *addr,
		size_t length, int access);
int ub_mr_dereg(struct verbs_mr *mr);
struct ibv_mw *ub_mw_alloc(struct ibv_pd *pd, enum ibv_mw_type type);
int ub_mw_dealloc(struct ibv_mw *mw);

/* ---- ah.c ------------------------------------------------------------------------ */

struct ibv_ah *ub_ah_create(struct ibv_pd *pd, struct ibv_ah_attr *attr);
int ub_ah_destroy(struct ibv_ah *ah);

/* ---- cq.c, poll.c ---------------------------------------------------------------- */

struct ibv_cq *ub_cq_create(struct ibv_context *context, int entries,
			    struct ibv_comp_channel *channel, int vector);
struct ibv_cq_ex *ub_cq_create_ex(struct ibv_context *context,
				  struct ibv_cq_init_attr_ex *attr);
int ub_cq_resize(struct ibv_cq *cq, int entries);
int ub_cq_destroy(struct ibv_cq *cq);
int ub_cq_arm(struct ibv_cq *cq, int solicited_only);
/* Takes out the completions of a queue pair that is no more. */
void ub_cq_clean(struct ub_cq *cq, uint32_t qp_num);

int ub_cq_poll(struct ibv_cq *cq, int max, struct ibv_wc *wc);
/* What ub_cq_set_readers() can read of a completion, IBV_WC_EX_WITH_*. */
#define UB_CQ_READERS \
	((uint64_t)IBV_WC_STANDARD_FLAGS | IBV_WC_EX_WITH_COMPLETION_TIMESTAMP)
void ub_cq_set_readers(struct ub_cq *cq, uint64_t wc_flags);

/* ---- srq.c, receive.c ------------------------------------------------------------- */

struct ibv_srq *ub_srq_create(struct ibv_pd *pd, struct ibv_srq_init_attr *attr);
int ub_srq_modify(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask);
int ub_srq_query(struct ibv_srq *srq, struct ibv_srq_attr *attr);
int ub_srq_destroy(struct ibv_srq *srq);

static inline uint32_t ub_rqe_bytes(uint32_t max_sge)
{
	return sizeof(struct ub_rqe) + max_sge * sizeof(struct ub_sge);
}

int ub_srq_receive(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
int ub_qp_receive(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);

/* ---- qp.c, send.c, send_wr.c ------------------------------------------------------- */

struct ibv_qp *ub_qp_create(struct ibv_pd *pd, struct ibv_qp_init_attr *attr);
struct ibv_qp *ub_qp_create_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attr);
int ub_qp_modify(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask);
int ub_qp_query(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
		struct ibv_qp_init_attr *init);
int ub_qp_destroy(struct ibv_qp *qp);

/* Before it is ready to send, verbs refuses requests at once. */
static inline bool ub_qp_may_send(const struct ibv_qp *qp)
{
	return qp->state != IBV_QPS_RESET && qp->state != IBV_QPS_INIT &&
	       qp->state != IBV_QPS_RTR;
}

/* The kernel executes what was published. 0, or an errno. */
int ub_qp_doorbell(struct ub_qp *qp);
int ub_qp_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad);
int ub_qp_bind_mw(struct ibv_qp *qp, struct ibv_mw *mw, struct ibv_mw_bind *bind);
/* The requests that a type of queue pair has, IBV_QP_EX_WITH_*; 0: no such type. */
uint64_t ub_type_send_ops(enum ibv_qp_type type);
void ub_qp_set_builders(struct ub_qp *qp, uint64_t send_ops);

#endif /* UB_PROVIDER_H */
