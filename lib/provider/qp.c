// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Queue pairs: objects. Requests are send.c and send_wr.c, receives receive.c.
 *
 * When a queue pair is destroyed or reset its completions vanish from the queues, as
 * programs that destroy a queue pair before they have read everything expect.
 */
#include "provider.h"

struct ub_create_qp_resp {
	struct ib_uverbs_ex_create_qp_resp core;
	struct ub_verbs_create_qp_resp ub;
};

static_assert(sizeof(struct ub_create_qp_resp) ==
	      sizeof(struct ib_uverbs_ex_create_qp_resp) +
	      sizeof(struct ub_verbs_create_qp_resp), "a hole in the answer");

/* What is unknown is not offered: programs that probe (UCX) rely on EOPNOTSUPP. */
static int check_offered(const struct ibv_qp_init_attr_ex *attr, uint64_t ops)
{
	if (!ops)
		return EOPNOTSUPP;
	if (attr->comp_mask & ~(IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS |
				IBV_QP_INIT_ATTR_SEND_OPS_FLAGS))
		return EOPNOTSUPP;
	if (attr->comp_mask & IBV_QP_INIT_ATTR_CREATE_FLAGS && attr->create_flags)
		return EOPNOTSUPP;
	if (attr->comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS &&
	    attr->send_ops_flags & ~ops)
		return EOPNOTSUPP;
	return 0;
}

/* Without a system call: libfabric looks for the limits by trying out. */
static int check_limits(const struct ub_context *ctx, const struct ibv_qp_init_attr_ex *attr)
{
	const struct ibv_qp_cap *cap = &attr->cap;

	if (cap->max_inline_data > ctx->max_inline || cap->max_send_sge > ctx->max_sge)
		return EINVAL;
	if (!attr->srq && cap->max_recv_sge > ctx->max_sge)
		return EINVAL;
	return 0;
}

/*
 * The library gives the builders to the program when it finds VERBS_QP_EX. In PABI 34
 * struct ibv_qp_ex has grown without a new number: rdma-core 44 has no wr_flush yet, so
 * there comp_mask is where that is now. Nobody calls wr_flush: it is not offered.
 */
static void show_builders(struct verbs_qp *qp)
{
#if IBVERBS_PABI_VERSION == 34
	const uint32_t mask = VERBS_QP_EX;

	static_assert(offsetof(struct verbs_qp, comp_mask) ==
		      offsetof(struct verbs_qp, qp_ex.wr_flush) + sizeof(qp->qp_ex.wr_flush),
		      "wr_flush is the last of the builders");
	memcpy(&qp->qp_ex.wr_flush, &mask, sizeof(mask));
#endif
	qp->comp_mask |= VERBS_QP_EX;
}

static uint32_t max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static int map_queues(struct ub_qp *qp, const struct ibv_qp_init_attr_ex *attr,
		      const struct ub_verbs_create_qp_resp *answer)
{
	int fd = attr->pd->context->cmd_fd;
	int err;

	qp->max_sge = attr->cap.max_send_sge;
	qp->max_inline = attr->cap.max_inline_data;
	err = ub_queue_map(&qp->sq, fd, &answer->sq, sizeof(struct ub_sqe) +
			   max(qp->max_sge * sizeof(struct ub_sge), qp->max_inline));
	if (err)
		return err;
	ub_ring_start_producing(&qp->sq);
	if (!answer->rq.length)
		return 0;
	qp->rq.max_sge = attr->cap.max_recv_sge;
	err = ub_queue_map(&qp->rq.ring, fd, &answer->rq, ub_rqe_bytes(qp->rq.max_sge));
	if (err) {
		ub_queue_unmap(&qp->sq);
		return err;
	}
	ub_ring_start_producing(&qp->rq.ring);
	return 0;
}

struct ibv_qp *ub_qp_create_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attr)
{
	struct ub_create_qp_resp resp = {};
	struct ub_context *ctx = to_ub_context(context);
	uint64_t ops = ub_type_send_ops(attr->qp_type) & ctx->send_ops;
	struct ibv_create_qp_ex cmd = {};
	struct ub_qp *qp;
	int err;

	if (!(attr->comp_mask & IBV_QP_INIT_ATTR_PD))
		return ub_failed(NULL, EINVAL);
	err = check_offered(attr, ops);
	if (!err)
		err = check_limits(ctx, attr);
	if (err)
		return ub_failed(NULL, err);
	qp = calloc(1, sizeof(*qp));
	if (!qp)
		return NULL;
	err = ibv_cmd_create_qp_ex2(context, &qp->verbs, attr, &cmd, sizeof(cmd),
				    &resp.core, sizeof(resp) UB_PABI_65(NULL));
	if (err)
		return ub_failed(qp, err);
	err = map_queues(qp, attr, &resp.ub);
	if (err) {
		ibv_cmd_destroy_qp(&qp->verbs.qp);
		return ub_failed(qp, err);
	}
	qp->send_ops = ops;
	ub_lock_init(&qp->lock, ub_pd_single_threaded(attr->pd));
	ub_lock_init(&qp->rq.lock, ub_pd_single_threaded(attr->pd));
	if (attr->comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS) {
		ub_qp_set_builders(qp, attr->send_ops_flags);
		show_builders(&qp->verbs);
	}
	return &qp->verbs.qp;
}

struct ibv_qp *ub_qp_create(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	struct ibv_qp_init_attr_ex ex = {
		.qp_context = attr->qp_context,
		.send_cq = attr->send_cq,
		.recv_cq = attr->recv_cq,
		.srq = attr->srq,
		.cap = attr->cap,
		.qp_type = attr->qp_type,
		.sq_sig_all = attr->sq_sig_all,
		.comp_mask = IBV_QP_INIT_ATTR_PD,
		.pd = pd,
	};
	struct ibv_qp *qp;

	qp = ub_qp_create_ex(pd->context, &ex);
	if (qp)
		attr->cap = ex.cap;
	return qp;
}

static void clean_cqs(struct ibv_qp *qp)
{
	ub_cq_clean(to_ub_cq(qp->recv_cq), qp->qp_num);
	if (qp->send_cq != qp->recv_cq)
		ub_cq_clean(to_ub_cq(qp->send_cq), qp->qp_num);
}

/* The kernel has emptied the queues. */
static void reset(struct ub_qp *qp)
{
	ub_lock(&qp->lock);
	ub_ring_start_producing(&qp->sq);
	ub_unlock(&qp->lock);
	if (qp->rq.ring.head) {
		ub_lock(&qp->rq.lock);
		ub_ring_start_producing(&qp->rq.ring);
		ub_unlock(&qp->rq.lock);
	}
	clean_cqs(&qp->verbs.qp);
}

int ub_qp_modify(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	struct ibv_modify_qp cmd = {};
	int err;

	err = ibv_cmd_modify_qp(qp, attr, mask, &cmd, sizeof(cmd));
	if (!err && mask & IBV_QP_STATE && attr->qp_state == IBV_QPS_RESET)
		reset(to_ub_qp(qp));
	return err;
}

int ub_qp_query(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
		struct ibv_qp_init_attr *init)
{
	struct ibv_query_qp cmd;

	return ibv_cmd_query_qp(qp, attr, mask, init, &cmd, sizeof(cmd));
}

int ub_qp_destroy(struct ibv_qp *ibqp)
{
	struct ub_qp *qp = to_ub_qp(ibqp);
	int err;

	err = ibv_cmd_destroy_qp(ibqp);
	if (err)
		return err;
	clean_cqs(ibqp);
	ub_queue_unmap(&qp->sq);
	ub_queue_unmap(&qp->rq.ring);
	free(qp);
	return 0;
}
