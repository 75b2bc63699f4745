// SPDX-License-Identifier: GPL-2.0
/* Posting, polling and events: see uverbs.h and <ub/ring.h>. */
#define _GNU_SOURCE
#include "uverbs.h"

/* Empty polls after which a poller runs what waits for one. */
#define UV_PATIENCE 8

/* ---- posting --------------------------------------------------------------------- */

/* The next entry to fill, or NULL. */
static void *uv_ring_place(struct uv_ring *ring)
{
	__u32 consumer = __atomic_load_n(&ring->head->consumer, __ATOMIC_ACQUIRE);

	return ring->index - consumer < ring->entries ? uv_entry(ring, ring->index) : NULL;
}

static void uv_ring_publish(struct uv_ring *ring)
{
	ring->index++;
	__atomic_store_n(&ring->head->producer, ring->index, __ATOMIC_RELEASE);
}

int uv_post(struct uv_qp *qp, struct ub_sqe sqe, const struct ub_sge *sge, __u32 nr)
{
	struct ub_sqe *entry = uv_ring_place(&qp->sq);

	if (!entry)
		return -ENOSPC;
	sqe.nr_sge = nr;
	*entry = sqe;
	memcpy(entry + 1, sge, nr * sizeof(*sge));
	uv_ring_publish(&qp->sq);
	return 0;
}

int uv_post_inline(struct uv_qp *qp, struct ub_sqe sqe, const void *data, __u32 length)
{
	struct ub_sqe *entry = uv_ring_place(&qp->sq);

	if (!entry)
		return -ENOSPC;
	sqe.flags |= UB_SQE_INLINE;
	sqe.inline_length = length;
	*entry = sqe;
	memcpy(entry + 1, data, length);
	uv_ring_publish(&qp->sq);
	return 0;
}

int uv_bell(struct uv_qp *qp)
{
	__u32 bad;
	struct ib_uverbs_post_send cmd = {
		.qp_handle = qp->handle, .wqe_size = sizeof(struct ib_uverbs_send_wr),
	};

	return uv_command(qp->dev->fd, IB_USER_VERBS_CMD_POST_SEND, &cmd, sizeof(cmd), &bad,
			  sizeof(bad));
}

int uv_send(struct uv_qp *qp, struct ub_sqe sqe, const struct ub_sge *sge, __u32 nr)
{
	return uv_post(qp, sqe, sge, nr) ?: uv_bell(qp);
}

int uv_recv_bell(struct uv_qp *qp)
{
	__u32 bad;
	struct ib_uverbs_post_recv cmd = {
		.qp_handle = qp->handle, .wqe_size = sizeof(struct ib_uverbs_recv_wr),
	};
	struct ib_uverbs_post_srq_recv shared = { .wqe_size = cmd.wqe_size };

	if (!qp->srq)
		return uv_command(qp->dev->fd, IB_USER_VERBS_CMD_POST_RECV, &cmd, sizeof(cmd),
				  &bad, sizeof(bad));
	shared.srq_handle = qp->srq->handle;
	return uv_command(qp->dev->fd, IB_USER_VERBS_CMD_POST_SRQ_RECV, &shared, sizeof(shared),
			  &bad, sizeof(bad));
}

int uv_recv(struct uv_qp *qp, __u64 wr_id, const struct ub_sge *sge, __u32 nr)
{
	struct uv_ring *ring = qp->srq ? &qp->srq->ring : &qp->rq;
	struct ub_rqe *entry = uv_ring_place(ring);

	if (!entry)
		return -ENOSPC;
	*entry = (struct ub_rqe){ .wr_id = wr_id, .nr_sge = nr };
	memcpy(entry + 1, sge, nr * sizeof(*sge));
	uv_ring_publish(ring);
	/* The kernel sets the flag, then looks at the producer; we the other way. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&ring->head->flags, __ATOMIC_RELAXED) & UB_RING_NEED_WAKEUP)
		return uv_recv_bell(qp);
	return 0;
}

/* ---- completions -------------------------------------------------------------------- */

static int uv_run_backlog(struct uv_cq *cq)
{
	struct ib_uverbs_poll_cq cmd = { .cq_handle = cq->handle };
	struct ib_uverbs_poll_cq_resp resp;

	return uv_command(cq->dev->fd, IB_USER_VERBS_CMD_POLL_CQ, &cmd, sizeof(cmd), &resp,
			  sizeof(resp));
}

bool uv_poll(struct uv_cq *cq, struct ub_cqe *cqe)
{
	struct ub_ring_head *head = cq->ring.head;

	if (__atomic_load_n(&head->producer, __ATOMIC_ACQUIRE) == cq->ring.index) {
		if (++cq->empty % UV_PATIENCE == 0 &&
		    __atomic_load_n(&head->flags, __ATOMIC_RELAXED) & UB_RING_BACKLOG)
			uv_run_backlog(cq);
		return false;
	}
	cq->empty = 0;
	memcpy(cqe, uv_entry(&cq->ring, cq->ring.index), sizeof(*cqe));
	cq->ring.index++;
	__atomic_store_n(&head->consumer, cq->ring.index, __ATOMIC_RELEASE);
	return true;
}

static bool uv_next_until(struct uv_cq *cq, struct ub_cqe *cqe, unsigned long long end)
{
	unsigned int polls = 0;

	while (!uv_poll(cq, cqe)) {
		if (++polls < 100) {
			sched_yield();
			continue;
		}
		if (ub_now_ns() > end)
			return false;
		usleep(100);
	}
	return true;
}

int uv_next(struct uv_cq *cq, struct ub_cqe *cqe)
{
	unsigned long long end = ub_now_ns() + UB_LIVENESS_S * 1000000000ULL;

	return uv_next_until(cq, cqe, end) ? 0 : -ETIMEDOUT;
}

int uv_status(struct uv_cq *cq, __u64 wr_id)
{
	struct ub_cqe cqe;
	int ret = uv_next(cq, &cqe);

	if (ret)
		return ret;
	if (cqe.wr_id != wr_id) {
		printf("# completion of %llu (status %u), expected that of %llu\n",
		       (unsigned long long)cqe.wr_id, cqe.status, (unsigned long long)wr_id);
		return -EBADMSG;
	}
	return cqe.status;
}

int uv_do(struct uv_qp *qp, struct uv_cq *cq, struct ub_sqe sqe, const struct ub_sge *sge,
	  __u32 nr)
{
	return uv_send(qp, sqe, sge, nr) ?: uv_status(cq, sqe.wr_id);
}

unsigned int uv_count_for(struct uv_cq *cq, unsigned int ms)
{
	unsigned long long end = ub_now_ns() + ms * 1000000ULL;
	struct ub_cqe cqe;
	unsigned int n = 0;

	while (uv_next_until(cq, &cqe, end))
		n++;
	return n;
}

/* ---- events ----------------------------------------------------------------------------- */

void uv_arm(struct uv_cq *cq, __u32 arm)
{
	__atomic_store_n(&cq->ring.head->arm, arm, __ATOMIC_RELAXED);
	/* Pairs with the kernel's between publishing and taking the word. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Readable within a time: 0; -ETIMEDOUT. */
static int uv_readable(int fd, unsigned int ms)
{
	struct pollfd file = { .fd = fd, .events = POLLIN };

	return poll(&file, 1, ms) == 1 ? 0 : -ETIMEDOUT;
}

int uv_notified(int channel, unsigned int ms, __u64 *user)
{
	struct ib_uverbs_comp_event_desc event;
	int ret = uv_readable(channel, ms);

	if (ret)
		return ret;
	if (read(channel, &event, sizeof(event)) != sizeof(event))
		return -EIO;
	if (user)
		*user = event.cq_handle;
	return 0;
}

/* Those of ports and their addresses come at any time. */
static bool uv_event_of_port(__u32 type)
{
	return (type >= UV_PORT_ACTIVE && type < UV_SRQ_LIMIT_REACHED - 1) ||
	       type >= UV_GID_CHANGE - 1;
}

int uv_event_within(struct uv_dev *dev, unsigned int ms, __u64 *user)
{
	unsigned long long end = ub_now_ns() + ms * 1000000ULL, now;
	struct ib_uverbs_async_event_desc event;
	int ret;

	for (;;) {
		now = ub_now_ns();
		ret = uv_readable(dev->async, now < end ? (end - now) / 1000000 + 1 : 0);
		if (ret)
			return ret;
		if (read(dev->async, &event, sizeof(event)) != sizeof(event))
			return -EIO;
		if (uv_event_of_port(event.event_type))
			continue;
		if (user)
			*user = event.element;
		return event.event_type;
	}
}

int uv_event(struct uv_dev *dev, __u64 *user)
{
	return uv_event_within(dev, UB_LIVENESS_S * 1000, user);
}
