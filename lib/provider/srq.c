// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Shared receive queues: objects. Posting to them is receive.c.
 */
#include "provider.h"

struct ub_create_srq_resp {
	struct ib_uverbs_create_srq_resp core;
	struct ub_verbs_create_srq_resp ub;
};

static_assert(sizeof(struct ub_create_srq_resp) ==
	      sizeof(struct ib_uverbs_create_srq_resp) +
	      sizeof(struct ub_verbs_create_srq_resp), "a hole in the answer");

struct ibv_srq *ub_srq_create(struct ibv_pd *pd, struct ibv_srq_init_attr *attr)
{
	struct ub_create_srq_resp resp = {};
	struct ibv_create_srq cmd;
	struct ub_srq *srq;
	int err;

	if (!attr->attr.max_wr || attr->attr.max_sge > to_ub_context(pd->context)->max_sge)
		return ub_failed(NULL, EINVAL);
	srq = calloc(1, sizeof(*srq));
	if (!srq)
		return NULL;
	err = ibv_cmd_create_srq(pd, &srq->srq, attr, &cmd, sizeof(cmd), &resp.core,
				 sizeof(resp));
	if (err)
		return ub_failed(srq, err);
	srq->rq.max_sge = attr->attr.max_sge;
	err = ub_queue_map(&srq->rq.ring, pd->context->cmd_fd, &resp.ub.ring,
			   ub_rqe_bytes(srq->rq.max_sge));
	if (err) {
		ibv_cmd_destroy_srq(&srq->srq);
		return ub_failed(srq, err);
	}
	ub_ring_start_producing(&srq->rq.ring);
	ub_lock_init(&srq->rq.lock, ub_pd_single_threaded(pd));
	return &srq->srq;
}

/* The limit; the size cannot be changed. */
int ub_srq_modify(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask)
{
	struct ibv_modify_srq cmd;

	if (mask & IBV_SRQ_MAX_WR)
		return EOPNOTSUPP;
	return ibv_cmd_modify_srq(srq, attr, mask, &cmd, sizeof(cmd));
}

int ub_srq_query(struct ibv_srq *srq, struct ibv_srq_attr *attr)
{
	struct ibv_query_srq cmd;

	return ibv_cmd_query_srq(srq, attr, &cmd, sizeof(cmd));
}

int ub_srq_destroy(struct ibv_srq *ibsrq)
{
	struct ub_srq *srq = to_ub_srq(ibsrq);
	int err;

	err = ibv_cmd_destroy_srq(ibsrq);
	if (err)
		return err;
	ub_queue_unmap(&srq->rq.ring);
	free(srq);
	return 0;
}
