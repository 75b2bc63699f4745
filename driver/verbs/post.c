// SPDX-License-Identifier: GPL-2.0
/*
 * Posting. A process writes to its rings; what reaches us is a post without a request,
 * the doorbell. Kernel users' requests are translated; they may come in any context, and
 * are executed by the worker.
 */
#include "verbs.h"

/* SGEs are handed over as they are. */
static_assert(sizeof(struct ib_sge) == sizeof(struct ub_sge));
static_assert(offsetof(struct ib_sge, length) == offsetof(struct ub_sge, length));
static_assert(offsetof(struct ib_sge, lkey) == offsetof(struct ub_sge, key));

static const struct ub_sge *ub_sges(const struct ib_sge *sge)
{
	return (const struct ub_sge *)sge;
}

static int ub_op_of(enum ib_wr_opcode opcode)
{
	switch (opcode) {
	case IB_WR_RDMA_WRITE:
		return UB_OP_WRITE;
	case IB_WR_RDMA_WRITE_WITH_IMM:
		return UB_OP_WRITE_IMM;
	case IB_WR_SEND:
		return UB_OP_SEND;
	case IB_WR_SEND_WITH_IMM:
		return UB_OP_SEND_IMM;
	case IB_WR_SEND_WITH_INV:
		return UB_OP_SEND_INVALIDATE;
	case IB_WR_RDMA_READ:
		return UB_OP_READ;
	case IB_WR_ATOMIC_CMP_AND_SWP:
		return UB_OP_COMPARE_SWAP;
	case IB_WR_ATOMIC_FETCH_AND_ADD:
		return UB_OP_FETCH_ADD;
	case IB_WR_LOCAL_INV:
		return UB_OP_LOCAL_INVALIDATE;
	default:
		return -EOPNOTSUPP;
	}
}

static u8 ub_sqe_flags(int flags)
{
	return (flags & IB_SEND_SIGNALED ? UB_SQE_SIGNALED : 0) |
	       (flags & IB_SEND_SOLICITED ? UB_SQE_SOLICITED : 0) |
	       (flags & IB_SEND_FENCE ? UB_SQE_FENCE : 0) |
	       (flags & IB_SEND_INLINE ? UB_SQE_INLINE : 0);
}

static void ub_sqe_fill_target(struct ub_sqe *sqe, const struct ib_send_wr *wr)
{
	switch (sqe->op) {
	case UB_OP_WRITE_IMM:
		sqe->imm = (__force u32)wr->ex.imm_data;
		fallthrough;
	case UB_OP_WRITE:
	case UB_OP_READ:
		sqe->addr = rdma_wr(wr)->remote_addr;
		sqe->key = rdma_wr(wr)->rkey;
		break;
	case UB_OP_COMPARE_SWAP:
		sqe->addr = atomic_wr(wr)->remote_addr;
		sqe->key = atomic_wr(wr)->rkey;
		sqe->atomic.compare = atomic_wr(wr)->compare_add;
		sqe->atomic.operand = atomic_wr(wr)->swap;
		break;
	case UB_OP_FETCH_ADD:
		sqe->addr = atomic_wr(wr)->remote_addr;
		sqe->key = atomic_wr(wr)->rkey;
		sqe->atomic.operand = atomic_wr(wr)->compare_add;
		break;
	case UB_OP_LOCAL_INVALIDATE:
		sqe->key = wr->ex.invalidate_rkey;
		break;
	case UB_OP_SEND_INVALIDATE:
		sqe->imm = wr->ex.invalidate_rkey;
		break;
	case UB_OP_SEND_IMM:
		sqe->imm = (__force u32)wr->ex.imm_data;
		break;
	}
}

static int ub_sqe_fill(struct ub_sqe *sqe, const struct ub_vqp *qp, const struct ib_send_wr *wr)
{
	int op = ub_op_of(wr->opcode);

	if (op < 0)
		return op;
	if (wr->num_sge < 0 || wr->num_sge > qp->cap.max_send_sge)
		return -EINVAL;
	*sqe = (struct ub_sqe){
		.op = op,
		.flags = ub_sqe_flags(wr->send_flags),
		.nr_sge = wr->num_sge,
		.wr_id = wr->wr_id,
	};
	ub_sqe_fill_target(sqe, wr);
	if (qp->jetty.type == UB_JETTY_UD) {
		sqe->ud.ah = to_ub_vah(ud_wr(wr)->ah)->number;
		sqe->ud.jetty = ud_wr(wr)->remote_qpn;
		sqe->ud.qkey = ud_wr(wr)->remote_qkey;
	}
	return 0;
}

/* Addresses of kernel users are virtual ones. */
static int ub_gather_inline(const struct ib_send_wr *wr, u32 room, u8 *data)
{
	u32 bytes = 0;
	int i;

	for (i = 0; i < wr->num_sge; i++) {
		const struct ib_sge *sge = &wr->sg_list[i];

		if (sge->length > room - bytes)
			return -EINVAL;
		memcpy(data + bytes, (const void *)(uintptr_t)sge->addr, sge->length);
		bytes += sge->length;
	}
	return bytes;
}

static int ub_vqp_post(struct ub_vqp *qp, const struct ib_send_wr *wr)
{
	u8 data[UB_MAX_INLINE];
	struct ub_sqe sqe;
	int ret;

	ret = ub_sqe_fill(&sqe, qp, wr);
	if (ret)
		return ret;
	if (!(sqe.flags & UB_SQE_INLINE))
		return ub_jetty_post(&qp->jetty, &sqe, wr->sg_list,
				     wr->num_sge * sizeof(struct ub_sge));
	ret = ub_gather_inline(wr, qp->cap.max_inline_data, data);
	if (ret < 0)
		return ret;
	sqe.nr_sge = 0;
	sqe.inline_length = ret;
	return ub_jetty_post(&qp->jetty, &sqe, data, ret);
}

int ub_verbs_post_send(struct ib_qp *ib, const struct ib_send_wr *wr,
		       const struct ib_send_wr **bad)
{
	struct ub_vqp *qp = to_ub_vqp(ib);
	unsigned long flags;
	int ret = 0;

	if (!qp->jetty.kernel) {
		if (wr) {
			*bad = wr;
			return -EOPNOTSUPP;
		}
		ub_jetty_doorbell(&qp->jetty);
		return 0;
	}
	spin_lock_irqsave(&qp->sq_lock, flags);
	for (; wr; wr = wr->next) {
		ret = ub_vqp_post(qp, wr);
		if (ret) {
			*bad = wr;
			break;
		}
	}
	spin_unlock_irqrestore(&qp->sq_lock, flags);
	return ret;
}

int ub_jfr_post_wrs(struct ub_jfr *jfr, spinlock_t *lock, const struct ib_recv_wr *wr,
		    const struct ib_recv_wr **bad)
{
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(lock, flags);
	for (; wr; wr = wr->next) {
		if (wr->num_sge < 0 || wr->num_sge > jfr->max_sge)
			ret = -EINVAL;
		else
			ret = ub_jfr_post(jfr, wr->wr_id, ub_sges(wr->sg_list), wr->num_sge);
		if (ret) {
			*bad = wr;
			break;
		}
	}
	spin_unlock_irqrestore(lock, flags);
	return ret;
}

int ub_verbs_post_recv(struct ib_qp *ib, const struct ib_recv_wr *wr,
		       const struct ib_recv_wr **bad)
{
	struct ub_vqp *qp = to_ub_vqp(ib);

	/* Without entries, or with an SRQ, there is nothing to post to. */
	if (!qp->cap.max_recv_wr) {
		*bad = wr;
		return -EINVAL;
	}
	if (qp->jetty.kernel)
		return ub_jfr_post_wrs(&qp->jetty.own_jfr, &qp->rq_lock, wr, bad);
	if (wr) {
		*bad = wr;
		return -EOPNOTSUPP;
	}
	ub_jfr_doorbell(&qp->jetty.own_jfr);
	return 0;
}
