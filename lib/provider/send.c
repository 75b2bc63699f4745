// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Posting requests: ibv_post_send(), ibv_bind_mw(), and the doorbell.
 *
 * One doorbell per call. It is rung even if another thread's is being served: that one
 * looks at the producer again when it has done, so nothing would be lost, but neither
 * do we learn that it has.
 */
#include "sqe.h"

/* verbs' own command, without a request: those are in the ring. */
int ub_qp_doorbell(struct ub_qp *qp)
{
	struct ibv_send_wr *none;

	return ibv_cmd_post_send(&qp->verbs.qp, NULL, &none);
}

static int set_data(const struct ub_qp *qp, struct ub_sqe *sqe, const struct ibv_send_wr *wr)
{
	int err = 0;

	if (wr->num_sge < 0)
		return EINVAL;
	if (!(wr->send_flags & IBV_SEND_INLINE))
		return ub_sqe_set_sges(qp, sqe, wr->num_sge, wr->sg_list);
	for (int i = 0; !err && i < wr->num_sge; i++)
		err = ub_sqe_add_inline(qp, sqe, (void *)(uintptr_t)wr->sg_list[i].addr,
					wr->sg_list[i].length);
	return err;
}

static void set_operands(struct ub_sqe *sqe, const struct ibv_send_wr *wr)
{
	switch (sqe->op) {
	case UB_OP_WRITE_IMM:
		ub_sqe_set_imm(sqe, wr->imm_data);
		/* fall through */
	case UB_OP_WRITE:
	case UB_OP_READ:
		ub_sqe_set_remote(sqe, wr->wr.rdma.rkey, wr->wr.rdma.remote_addr);
		break;
	case UB_OP_SEND_IMM:
		ub_sqe_set_imm(sqe, wr->imm_data);
		break;
	case UB_OP_SEND_INVALIDATE:
		sqe->imm = wr->invalidate_rkey;
		break;
	case UB_OP_COMPARE_SWAP:
		ub_sqe_set_remote(sqe, wr->wr.atomic.rkey, wr->wr.atomic.remote_addr);
		sqe->atomic.compare = wr->wr.atomic.compare_add;
		sqe->atomic.operand = wr->wr.atomic.swap;
		break;
	case UB_OP_FETCH_ADD:
		ub_sqe_set_remote(sqe, wr->wr.atomic.rkey, wr->wr.atomic.remote_addr);
		sqe->atomic.operand = wr->wr.atomic.compare_add;
		break;
	case UB_OP_LOCAL_INVALIDATE:
		sqe->key = wr->invalidate_rkey;
		break;
	case UB_OP_BIND:
		ub_sqe_set_window(sqe, wr->bind_mw.rkey, &wr->bind_mw.bind_info);
		break;
	}
}

static bool is_offered(const struct ub_qp *qp, const struct ibv_send_wr *wr)
{
	return (unsigned int)wr->opcode <= UB_OP_SEND_INVALIDATE &&
	       qp->send_ops & 1u << wr->opcode &&
	       !(wr->send_flags & IBV_SEND_IP_CSUM);
}

/* A window of type 1 is bound by ibv_bind_mw() only, which changes its key. */
static bool is_bind_of(const struct ibv_send_wr *wr, enum ibv_mw_type type)
{
	return wr->opcode == IBV_WR_BIND_MW && wr->bind_mw.mw->type == type;
}

static int fill_one(struct ub_qp *qp, const struct ibv_send_wr *wr, bool type_1)
{
	struct ub_sqe *sqe;
	int err;

	if (!is_offered(qp, wr) || (is_bind_of(wr, IBV_MW_TYPE_1) && !type_1))
		return EINVAL;
	sqe = ub_sqe_begin(qp, (enum ub_op)wr->opcode, wr->wr_id, wr->send_flags);
	if (!sqe)
		return ENOMEM;
	set_operands(sqe, wr);
	if (qp->verbs.qp.qp_type == IBV_QPT_UD)
		ub_sqe_set_target(sqe, wr->wr.ud.ah, wr->wr.ud.remote_qpn,
				  wr->wr.ud.remote_qkey);
	err = set_data(qp, sqe, wr);
	if (!err)
		ub_ring_filled(&qp->sq);
	return err;
}

/* What stands before the first that is wrong is posted. */
static int post(struct ibv_qp *ibqp, struct ibv_send_wr *wr, struct ibv_send_wr **bad,
		bool type_1)
{
	struct ub_qp *qp = to_ub_qp(ibqp);
	struct ibv_send_wr *first = wr;
	int err = 0, rung = 0;
	bool posted;

	if (!ub_qp_may_send(ibqp)) {
		*bad = wr;
		return EINVAL;
	}
	ub_lock(&qp->lock);
	for (; wr; wr = wr->next) {
		err = fill_one(qp, wr, type_1);
		if (err) {
			*bad = wr;
			break;
		}
	}
	posted = ub_ring_publish(&qp->sq);
	ub_unlock(&qp->lock);
	if (posted)
		rung = ub_qp_doorbell(qp);
	if (rung)
		*bad = first;
	return rung ? rung : err;
}

int ub_qp_send(struct ibv_qp *ibqp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	return post(ibqp, wr, bad, false);
}

int ub_qp_bind_mw(struct ibv_qp *ibqp, struct ibv_mw *mw, struct ibv_mw_bind *bind)
{
	struct ibv_send_wr wr = {
		.wr_id = bind->wr_id,
		.opcode = IBV_WR_BIND_MW,
		.send_flags = bind->send_flags,
		.bind_mw = {
			.mw = mw,
			.rkey = ibv_inc_rkey(mw->rkey),
			.bind_info = bind->bind_info,
		},
	};
	struct ibv_send_wr *bad;
	int err;

	err = post(ibqp, &wr, &bad, true);
	if (!err)
		mw->rkey = wr.bind_mw.rkey;
	return err;
}
