// SPDX-License-Identifier: GPL-2.0
/*
 * UB_IOC_COPY: a transaction between two segments, executed in the call.
 *
 * It is cut in chunks. Each finds its routes at its time, and the fabric decides
 * about it before it is executed: a chunk is moved whole or not at all, and what
 * is told as copied was copied.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ub.h"

/**
 * struct ub_copy - a copy in progress
 * @txn:	the current chunk
 * @from:	its source
 * @to:		its destination
 */
struct ub_copy {
	struct ub_txn txn;
	struct ub_span from;
	struct ub_span to;
};

static int ub_copy_routes(struct ub_txn *txn, const struct ub_ctx *ctx, u32 src, u32 dst)
{
	struct ub_pod *pod = txn->pod;
	u32 self = ctx->npu->ubpu->index;
	int ret;

	down_read(&pod->topo);
	ret = ub_route_find(&pod->graph, src, self, &txn->in);
	if (!ret)
		ret = ub_route_find(&pod->graph, self, dst, &txn->out);
	up_read(&pod->topo);
	return ret;
}

/* One chunk, where @arg says that the copy stands. */
static int ub_copy_chunk(const struct ub_ctx *ctx, const struct ub_access_to *src,
			 const struct ub_access_to *dst, const struct ub_ioc_copy *arg,
			 struct ub_copy *copy)
{
	struct ub_txn *txn = &copy->txn;
	int ret, idx;

	txn->length = min_t(u64, arg->length - arg->copied, UB_TXN_CHUNK);
	txn->last = arg->copied + txn->length == arg->length;
	copy->from.nr = copy->from.length = 0;
	copy->to.nr = copy->to.length = 0;

	idx = srcu_read_lock(&ub_txn_srcu);
	ret = ub_access_check(src) ?: ub_access_check(dst) ?:
	      ub_seg_span(src->seg, arg->src_offset + arg->copied, txn->length, &copy->from) ?:
	      ub_seg_span(dst->seg, arg->dst_offset + arg->copied, txn->length, &copy->to) ?:
	      ub_copy_routes(txn, ctx, src->seg->npu->ubpu->index,
			     dst->seg->npu->ubpu->index) ?:
	      ctx->pod->ops->admit(txn);
	if (!ret)
		ctx->pod->ops->execute(txn);
	srcu_read_unlock(&ub_txn_srcu, idx);
	return ret;
}

static int ub_copy(const struct ub_ctx *ctx, const struct ub_access_to *src,
		   const struct ub_access_to *dst, struct ub_ioc_copy *arg)
{
	struct ub_copy *copy;
	int ret = 0;

	copy = kmalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	copy->txn = (struct ub_txn){
		.pod = ctx->pod,
		.op = UB_TXN_MOVE,
		.src = &copy->from,
		.dst = &copy->to,
	};
	while (arg->copied < arg->length) {
		ret = ub_copy_chunk(ctx, src, dst, arg, copy);
		if (ret)
			break;
		arg->copied += copy->txn.length;
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	kfree(copy);
	return ret;
}

static bool ub_range_inside(u64 offset, u64 length, u64 size)
{
	return offset <= size && length <= size - offset;
}

static int ub_copy_valid(const struct ub_access_to *src, const struct ub_access_to *dst,
			 const struct ub_ioc_copy *arg)
{
	if (!ub_range_inside(arg->src_offset, arg->length, src->seg->length) ||
	    !ub_range_inside(arg->dst_offset, arg->length, dst->seg->length))
		return -ERANGE;
	if (src->seg == dst->seg &&
	    arg->src_offset < arg->dst_offset + arg->length &&
	    arg->dst_offset < arg->src_offset + arg->length)
		return -EINVAL;
	return ub_access_check(src) ?: ub_access_check(dst);
}

int ub_ioctl_copy(struct ub_call *call)
{
	struct ub_ioc_copy *arg = call->arg;
	struct ub_access_to src, dst;
	int ret, fault;

	if (arg->flags)
		return -EINVAL;
	ret = ub_access_open(call->ctx, arg->src, UB_ACCESS_READ, &src);
	if (ret)
		return ret;
	ret = ub_access_open(call->ctx, arg->dst, UB_ACCESS_WRITE, &dst);
	if (ret)
		goto out_src;

	arg->copied = 0;
	ret = ub_copy_valid(&src, &dst, arg);
	if (!ret)
		ret = ub_copy(call->ctx, &src, &dst, arg);
	fault = ub_call_respond(call, sizeof(*arg));
	ret = ret ?: fault;

	ub_access_close(&dst);
out_src:
	ub_access_close(&src);
	return ret;
}
