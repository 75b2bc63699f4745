/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Building a request in its place in the send queue, under its lock. Nothing is told to
 * the kernel here; what was begun can be taken back (ub_ring_take_back()).
 */
#ifndef UB_SQE_H
#define UB_SQE_H

#include <string.h>

#include "provider.h"

/* An operation has one number as IBV_WR_*, as UB_OP_* and as bit of IBV_QP_EX_WITH_*. */
#define UB_SAME_OP(ub, ibv, with) \
	static_assert((int)(ub) == (int)(ibv) && 1 << (ub) == (int)(with), #ub)

UB_SAME_OP(UB_OP_WRITE, IBV_WR_RDMA_WRITE, IBV_QP_EX_WITH_RDMA_WRITE);
UB_SAME_OP(UB_OP_WRITE_IMM, IBV_WR_RDMA_WRITE_WITH_IMM, IBV_QP_EX_WITH_RDMA_WRITE_WITH_IMM);
UB_SAME_OP(UB_OP_SEND, IBV_WR_SEND, IBV_QP_EX_WITH_SEND);
UB_SAME_OP(UB_OP_SEND_IMM, IBV_WR_SEND_WITH_IMM, IBV_QP_EX_WITH_SEND_WITH_IMM);
UB_SAME_OP(UB_OP_READ, IBV_WR_RDMA_READ, IBV_QP_EX_WITH_RDMA_READ);
UB_SAME_OP(UB_OP_COMPARE_SWAP, IBV_WR_ATOMIC_CMP_AND_SWP, IBV_QP_EX_WITH_ATOMIC_CMP_AND_SWP);
UB_SAME_OP(UB_OP_FETCH_ADD, IBV_WR_ATOMIC_FETCH_AND_ADD, IBV_QP_EX_WITH_ATOMIC_FETCH_AND_ADD);
UB_SAME_OP(UB_OP_LOCAL_INVALIDATE, IBV_WR_LOCAL_INV, IBV_QP_EX_WITH_LOCAL_INV);
UB_SAME_OP(UB_OP_BIND, IBV_WR_BIND_MW, IBV_QP_EX_WITH_BIND_MW);
UB_SAME_OP(UB_OP_SEND_INVALIDATE, IBV_WR_SEND_WITH_INV, IBV_QP_EX_WITH_SEND_WITH_INV);

/* Operations that carry data away: it may stand in the request itself. */
#define UB_INLINE_OPS \
	(1u << UB_OP_WRITE | 1u << UB_OP_WRITE_IMM | 1u << UB_OP_SEND | \
	 1u << UB_OP_SEND_IMM | 1u << UB_OP_SEND_INVALIDATE)

/* IBV_SEND_INLINE comes with the data. */
static inline uint8_t ub_sqe_flags(unsigned int send_flags)
{
	return (send_flags & IBV_SEND_SIGNALED ? UB_SQE_SIGNALED : 0) |
	       (send_flags & IBV_SEND_SOLICITED ? UB_SQE_SOLICITED : 0) |
	       (send_flags & IBV_SEND_FENCE ? UB_SQE_FENCE : 0);
}

/* NULL: the queue is full. */
static inline struct ub_sqe *ub_sqe_begin(struct ub_qp *qp, enum ub_op op, uint64_t wr_id,
					  unsigned int send_flags)
{
	struct ub_sqe *sqe = ub_ring_free_entry(&qp->sq);

	if (sqe)
		*sqe = (struct ub_sqe) {
			.op = op,
			.flags = ub_sqe_flags(send_flags),
			.wr_id = wr_id,
		};
	return sqe;
}

static inline void ub_sqe_set_remote(struct ub_sqe *sqe, uint32_t rkey, uint64_t addr)
{
	sqe->key = rkey;
	sqe->addr = addr;
}

static inline void ub_sqe_set_imm(struct ub_sqe *sqe, __be32 imm)
{
	sqe->imm = (__force uint32_t)imm;
}

static inline void ub_sqe_set_target(struct ub_sqe *sqe, struct ibv_ah *ah, uint32_t qp_num,
				     uint32_t qkey)
{
	sqe->ud.ah = to_ub_ah(ah)->number;
	sqe->ud.jetty = qp_num;
	sqe->ud.qkey = qkey;
}

/* To unbind, a region need not be named. */
static inline void ub_sqe_set_window(struct ub_sqe *sqe, uint32_t rkey,
				     const struct ibv_mw_bind_info *info)
{
	ub_sqe_set_remote(sqe, rkey, info->addr);
	sqe->bind.length = info->length;
	sqe->bind.key = info->mr ? info->mr->lkey : 0;
	sqe->bind.access = info->mw_access_flags;
}

static inline int ub_sqe_set_sges(const struct ub_qp *qp, struct ub_sqe *sqe, size_t nr,
				  const struct ibv_sge *sge)
{
	if (nr > qp->max_sge)
		return EINVAL;
	sqe->nr_sge = nr;
	if (nr)
		memcpy(sqe + 1, sge, nr * sizeof(*sge));
	return 0;
}

/* Appends to what is inline already. */
static inline int ub_sqe_add_inline(const struct ub_qp *qp, struct ub_sqe *sqe,
				    const void *data, size_t length)
{
	if (!(UB_INLINE_OPS & 1u << sqe->op))
		return EINVAL;
	if (length > qp->max_inline - sqe->inline_length)
		return EINVAL;
	sqe->flags |= UB_SQE_INLINE;
	if (length)
		memcpy((char *)(sqe + 1) + sqe->inline_length, data, length);
	sqe->inline_length += length;
	return 0;
}

#endif /* UB_SQE_H */
