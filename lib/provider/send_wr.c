// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Posting requests: ibv_wr_*(). Between ibv_wr_start() and ibv_wr_complete() the lock is
 * held; all requests are posted, or none.
 */
#include "sqe.h"

static struct ub_qp *of(struct ibv_qp_ex *qp)
{
	return container_of(qp, struct ub_qp, verbs.qp_ex);
}

/* The first thing that is wrong is told by ibv_wr_complete(); the rest is passed over. */
static void fail(struct ub_qp *qp, int err)
{
	if (!qp->err)
		qp->err = err;
	qp->current = NULL;
}

static struct ub_sqe *begin(struct ibv_qp_ex *qp_ex, enum ub_op op)
{
	struct ub_qp *qp = of(qp_ex);

	if (qp->err)
		return NULL;
	qp->current = ub_sqe_begin(qp, op, qp_ex->wr_id, qp_ex->wr_flags);
	if (qp->current)
		ub_ring_filled(&qp->sq);
	else
		fail(qp, ENOMEM);
	return qp->current;
}

static void wr_start(struct ibv_qp_ex *qp_ex)
{
	struct ub_qp *qp = of(qp_ex);

	ub_lock(&qp->lock);
	qp->err = ub_qp_may_send(&qp_ex->qp_base) ? 0 : EINVAL;
	qp->current = NULL;
}

static int wr_complete(struct ibv_qp_ex *qp_ex)
{
	struct ub_qp *qp = of(qp_ex);
	bool posted = false;
	int err = qp->err;

	if (err)
		ub_ring_take_back(&qp->sq);
	else
		posted = ub_ring_publish(&qp->sq);
	ub_unlock(&qp->lock);
	return posted ? ub_qp_doorbell(qp) : err;
}

static void wr_abort(struct ibv_qp_ex *qp_ex)
{
	struct ub_qp *qp = of(qp_ex);

	ub_ring_take_back(&qp->sq);
	ub_unlock(&qp->lock);
}

/* ---- operations -------------------------------------------------------------------- */

static void wr_send(struct ibv_qp_ex *qp)
{
	begin(qp, UB_OP_SEND);
}

static void wr_send_imm(struct ibv_qp_ex *qp, __be32 imm)
{
	struct ub_sqe *sqe = begin(qp, UB_OP_SEND_IMM);

	if (sqe)
		ub_sqe_set_imm(sqe, imm);
}

static void wr_send_inv(struct ibv_qp_ex *qp, uint32_t rkey)
{
	struct ub_sqe *sqe = begin(qp, UB_OP_SEND_INVALIDATE);

	if (sqe)
		sqe->imm = rkey;
}

static void wr_rdma_write(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr)
{
	struct ub_sqe *sqe = begin(qp, UB_OP_WRITE);

	if (sqe)
		ub_sqe_set_remote(sqe, rkey, addr);
}

static void wr_rdma_write_imm(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr, __be32 imm)
{
	struct ub_sqe *sqe = begin(qp, UB_OP_WRITE_IMM);

	if (!sqe)
		return;
	ub_sqe_set_remote(sqe, rkey, addr);
	ub_sqe_set_imm(sqe, imm);
}

static void wr_rdma_read(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr)
{
	struct ub_sqe *sqe = begin(qp, UB_OP_READ);

	if (sqe)
		ub_sqe_set_remote(sqe, rkey, addr);
}

static void wr_atomic_cmp_swp(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr,
			      uint64_t compare, uint64_t swap)
{
	struct ub_sqe *sqe = begin(qp, UB_OP_COMPARE_SWAP);

	if (!sqe)
		return;
	ub_sqe_set_remote(sqe, rkey, addr);
	sqe->atomic.compare = compare;
	sqe->atomic.operand = swap;
}

static void wr_atomic_fetch_add(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr,
				uint64_t add)
{
	struct ub_sqe *sqe = begin(qp, UB_OP_FETCH_ADD);

	if (!sqe)
		return;
	ub_sqe_set_remote(sqe, rkey, addr);
	sqe->atomic.operand = add;
}

static void wr_local_inv(struct ibv_qp_ex *qp, uint32_t rkey)
{
	struct ub_sqe *sqe = begin(qp, UB_OP_LOCAL_INVALIDATE);

	if (sqe)
		sqe->key = rkey;
}

static void wr_bind_mw(struct ibv_qp_ex *qp, struct ibv_mw *mw, uint32_t rkey,
		       const struct ibv_mw_bind_info *info)
{
	struct ub_sqe *sqe;

	if (mw->type != IBV_MW_TYPE_2) {
		fail(of(qp), EINVAL);
		return;
	}
	sqe = begin(qp, UB_OP_BIND);
	if (sqe)
		ub_sqe_set_window(sqe, rkey, info);
}

/* ---- what belongs to the operation begun last ----------------------------------------- */

static void wr_set_ud_addr(struct ibv_qp_ex *qp, struct ibv_ah *ah, uint32_t qp_num,
			   uint32_t qkey)
{
	if (of(qp)->current)
		ub_sqe_set_target(of(qp)->current, ah, qp_num, qkey);
}

static void wr_set_sge_list(struct ibv_qp_ex *qp_ex, size_t nr, const struct ibv_sge *sge)
{
	struct ub_qp *qp = of(qp_ex);
	int err;

	if (!qp->current)
		return;
	err = ub_sqe_set_sges(qp, qp->current, nr, sge);
	if (err)
		fail(qp, err);
}

static void wr_set_sge(struct ibv_qp_ex *qp, uint32_t lkey, uint64_t addr, uint32_t length)
{
	struct ibv_sge sge = { .addr = addr, .length = length, .lkey = lkey };

	wr_set_sge_list(qp, 1, &sge);
}

static void wr_set_inline_data_list(struct ibv_qp_ex *qp_ex, size_t nr,
				    const struct ibv_data_buf *data)
{
	struct ub_qp *qp = of(qp_ex);
	int err = 0;

	if (!qp->current)
		return;
	for (size_t i = 0; !err && i < nr; i++)
		err = ub_sqe_add_inline(qp, qp->current, data[i].addr, data[i].length);
	if (err)
		fail(qp, err);
}

static void wr_set_inline_data(struct ibv_qp_ex *qp, void *addr, size_t length)
{
	struct ibv_data_buf data = { .addr = addr, .length = length };

	wr_set_inline_data_list(qp, 1, &data);
}

/* ---- which there are -------------------------------------------------------------------- */

uint64_t ub_type_send_ops(enum ibv_qp_type type)
{
	const uint64_t ud = IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_SEND_WITH_IMM;
	const uint64_t uc = ud | IBV_QP_EX_WITH_RDMA_WRITE |
			    IBV_QP_EX_WITH_RDMA_WRITE_WITH_IMM |
			    IBV_QP_EX_WITH_LOCAL_INV | IBV_QP_EX_WITH_BIND_MW;

	switch (type) {
	case IBV_QPT_RC:
		return uc | IBV_QP_EX_WITH_RDMA_READ |
		       IBV_QP_EX_WITH_ATOMIC_CMP_AND_SWP |
		       IBV_QP_EX_WITH_ATOMIC_FETCH_AND_ADD |
		       IBV_QP_EX_WITH_SEND_WITH_INV;
	case IBV_QPT_UC:
		return uc;
	case IBV_QPT_UD:
		return ud;
	default:
		return 0;
	}
}

void ub_qp_set_builders(struct ub_qp *qp, uint64_t ops)
{
	struct ibv_qp_ex *ex = &qp->verbs.qp_ex;

	ex->wr_start = wr_start;
	ex->wr_complete = wr_complete;
	ex->wr_abort = wr_abort;
	ex->wr_set_ud_addr = wr_set_ud_addr;
	ex->wr_set_sge = wr_set_sge;
	ex->wr_set_sge_list = wr_set_sge_list;
	ex->wr_set_inline_data = wr_set_inline_data;
	ex->wr_set_inline_data_list = wr_set_inline_data_list;
	if (ops & IBV_QP_EX_WITH_SEND)
		ex->wr_send = wr_send;
	if (ops & IBV_QP_EX_WITH_SEND_WITH_IMM)
		ex->wr_send_imm = wr_send_imm;
	if (ops & IBV_QP_EX_WITH_SEND_WITH_INV)
		ex->wr_send_inv = wr_send_inv;
	if (ops & IBV_QP_EX_WITH_RDMA_WRITE)
		ex->wr_rdma_write = wr_rdma_write;
	if (ops & IBV_QP_EX_WITH_RDMA_WRITE_WITH_IMM)
		ex->wr_rdma_write_imm = wr_rdma_write_imm;
	if (ops & IBV_QP_EX_WITH_RDMA_READ)
		ex->wr_rdma_read = wr_rdma_read;
	if (ops & IBV_QP_EX_WITH_ATOMIC_CMP_AND_SWP)
		ex->wr_atomic_cmp_swp = wr_atomic_cmp_swp;
	if (ops & IBV_QP_EX_WITH_ATOMIC_FETCH_AND_ADD)
		ex->wr_atomic_fetch_add = wr_atomic_fetch_add;
	if (ops & IBV_QP_EX_WITH_LOCAL_INV)
		ex->wr_local_inv = wr_local_inv;
	if (ops & IBV_QP_EX_WITH_BIND_MW)
		ex->wr_bind_mw = wr_bind_mw;
}
