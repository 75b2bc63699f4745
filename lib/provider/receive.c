// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Posting receives, to a queue pair or to a shared queue. No system call is made, unless
 * a sender was told that there was no room, and waits.
 */
#include <string.h>

#include "provider.h"

static_assert(sizeof(struct ub_sge) == sizeof(struct ibv_sge) &&
	      offsetof(struct ub_sge, addr) == offsetof(struct ibv_sge, addr) &&
	      offsetof(struct ub_sge, length) == offsetof(struct ibv_sge, length) &&
	      offsetof(struct ub_sge, key) == offsetof(struct ibv_sge, lkey),
	      "SGEs are copied as they are");

static int fill_one(struct ub_rq *rq, const struct ibv_recv_wr *wr)
{
	struct ub_rqe *rqe;

	if (wr->num_sge < 0 || (uint32_t)wr->num_sge > rq->max_sge)
		return EINVAL;
	rqe = ub_ring_free_entry(&rq->ring);
	if (!rqe)
		return ENOMEM;
	*rqe = (struct ub_rqe) { .wr_id = wr->wr_id, .nr_sge = wr->num_sge };
	if (wr->num_sge)
		memcpy(rqe + 1, wr->sg_list, wr->num_sge * sizeof(struct ub_sge));
	ub_ring_filled(&rq->ring);
	return 0;
}

/* Posts up to the first that is wrong. *wakeup: somebody waits for what was posted. */
static int post(struct ub_rq *rq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad,
		bool *wakeup)
{
	int err = 0;

	ub_lock(&rq->lock);
	for (; wr; wr = wr->next) {
		err = fill_one(rq, wr);
		if (err) {
			*bad = wr;
			break;
		}
	}
	*wakeup = ub_ring_publish(&rq->ring) && ub_ring_wakeup_wanted(&rq->ring);
	ub_unlock(&rq->lock);
	return err;
}

int ub_srq_receive(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	struct ibv_recv_wr *none;
	bool wakeup;
	int err;

	err = post(&to_ub_srq(srq)->rq, wr, bad, &wakeup);
	/* What was posted stays posted: a doorbell that fails is no reason to say else. */
	if (wakeup)
		ibv_cmd_post_srq_recv(srq, NULL, &none);
	return err;
}

int ub_qp_receive(struct ibv_qp *ibqp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	struct ub_qp *qp = to_ub_qp(ibqp);
	struct ibv_recv_wr *none;
	bool wakeup;
	int err;

	if (!qp->rq.ring.head || ibqp->state == IBV_QPS_RESET) {
		*bad = wr;
		return EINVAL;
	}
	err = post(&qp->rq, wr, bad, &wakeup);
	if (wakeup)
		ibv_cmd_post_recv(ibqp, NULL, &none);
	return err;
}
