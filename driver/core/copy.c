// SPDX-License-Identifier: GPL-2.0
/*
 * UB_IOC_COPY: a transaction between two segments, executed in the call.
 *
 * It is cut in chunks. Each finds its routes at its time, and the fabric decides
 * about it before it is executed: a chunk is moved whole or not at all, and what
 * is told as copied was copied.
 */
#include <linux/highmem.h>
#include <linux/sched/signal.h>

#include "ub.h"

static int ub_copy_routes(struct ub_txn *txn, const struct ub_ctx *ctx)
{
	struct ub_pod *pod = txn->pod;
	u32 self = ctx->npu->ubpu->index;
	int ret;

	down_read(&pod->topo);
	ret = ub_route_find(&pod->graph, txn->src.seg->npu->ubpu->index, self, &txn->in);
	if (!ret)
		ret = ub_route_find(&pod->graph, self, txn->dst.seg->npu->ubpu->index,
				    &txn->out);
	up_read(&pod->topo);
	return ret;
}

static int ub_copy_chunk(const struct ub_ctx *ctx, const struct ub_access_to *src,
			 const struct ub_access_to *dst, struct ub_txn *txn)
{
	int ret, idx;

	idx = srcu_read_lock(&ub_txn_srcu);
	ret = ub_access_check(src) ?: ub_access_check(dst);
	if (!ret)
		ret = ub_copy_routes(txn, ctx);
	if (!ret)
		ret = ctx->pod->ops->execute(txn);
	srcu_read_unlock(&ub_txn_srcu, idx);
	return ret;
}

static int ub_copy(const struct ub_ctx *ctx, const struct ub_access_to *src,
		   const struct ub_access_to *dst, struct ub_ioc_copy *arg)
{
	struct ub_txn txn = {
		.pod = ctx->pod,
		.src = { .seg = src->seg },
		.dst = { .seg = dst->seg },
	};
	int ret;

	while (arg->copied < arg->length) {
		txn.src.offset = arg->src_offset + arg->copied;
		txn.dst.offset = arg->dst_offset + arg->copied;
		txn.length = min_t(u64, arg->length - arg->copied, UB_TXN_CHUNK);
		ret = ub_copy_chunk(ctx, src, dst, &txn);
		if (ret)
			return ret;
		arg->copied += txn.length;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
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

static void ub_move_within_pages(struct page *dst, size_t dst_offset,
				 struct page *src, size_t src_offset, size_t len)
{
	void *to = kmap_local_page(dst);
	void *from = kmap_local_page(src);

	memcpy(to + dst_offset, from + src_offset, len);
	kunmap_local(from);
	kunmap_local(to);
}

static int ub_mem_back(const struct ub_mem *mem, u32 length)
{
	pgoff_t i;

	for (i = mem->offset >> PAGE_SHIFT; i <= (mem->offset + length - 1) >> PAGE_SHIFT; i++)
		if (!ub_seg_page(mem->seg, i))
			return -ENOMEM;
	return 0;
}

/**
 * ub_txn_prepare - get everything that executing a chunk needs
 * @txn:	the chunk
 *
 * After it ub_route_account() and ub_txn_move() cannot fail, so a chunk is
 * executed and counted whole or not at all.
 *
 * Return: 0 or -ENOMEM.
 */
int ub_txn_prepare(struct ub_txn *txn)
{
	return ub_mem_back(&txn->src, txn->length) ?:
	       ub_mem_back(&txn->dst, txn->length) ?:
	       ub_route_prepare(txn->pod, &txn->in) ?:
	       ub_route_prepare(txn->pod, &txn->out);
}
EXPORT_SYMBOL_GPL(ub_txn_prepare);

/* Moves the bytes of a chunk that was prepared. */
void ub_txn_move(struct ub_txn *txn)
{
	u64 src = txn->src.offset, dst = txn->dst.offset;
	u64 end = dst + txn->length;
	size_t n;

	for (; dst < end; src += n, dst += n) {
		n = min3(end - dst, (u64)(PAGE_SIZE - offset_in_page(src)),
			 (u64)(PAGE_SIZE - offset_in_page(dst)));
		ub_move_within_pages(ub_seg_page(txn->dst.seg, dst >> PAGE_SHIFT),
				     offset_in_page(dst),
				     ub_seg_page(txn->src.seg, src >> PAGE_SHIFT),
				     offset_in_page(src), n);
	}
}
EXPORT_SYMBOL_GPL(ub_txn_move);
