// SPDX-License-Identifier: GPL-2.0
/*
 * The pages of segments: backed when touched, zeroed, charged to the owner.
 *
 * The module as a whole never takes more than its cap, and a page that cannot
 * be had is an error for whoever touched it: nothing here may wake the OOM
 * killer.
 *
 * Callers keep the segment from ending: they hold seg->lock or ub_txn_srcu and
 * have found it alive inside.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "ub.h"

static unsigned long backed_cap_mib;
module_param(backed_cap_mib, ulong, 0644);
MODULE_PARM_DESC(backed_cap_mib,
		 "MiB of RAM that all segments together may take (0: a quarter of RAM)");

static atomic_long_t ub_backed;	/* pages */

/* Pages that all segments together may take. */
unsigned long ub_backed_cap(void)
{
	unsigned long mib = READ_ONCE(backed_cap_mib);

	return mib ? ub_quota(mib) >> PAGE_SHIFT : totalram_pages() / 4;
}

static struct page *ub_seg_alloc_page(struct ub_seg *seg, gfp_t gfp)
{
	struct page *page;

	if (atomic_long_inc_return(&ub_backed) > ub_backed_cap())
		goto err_cap;
	page = alloc_pages_node(dev_to_node(&seg->npu->dev), gfp | __GFP_ZERO, 0);
	if (!page)
		goto err_cap;
	if (!seg->host)
		atomic64_add(PAGE_SIZE, &seg->npu->mem_backed);
	return page;

err_cap:
	atomic_long_dec(&ub_backed);
	return NULL;
}

static void ub_seg_free_page(struct ub_seg *seg, struct page *page)
{
	if (!seg->host)
		atomic64_sub(PAGE_SIZE, &seg->npu->mem_backed);
	atomic_long_dec(&ub_backed);
	__free_page(page);
}

static struct page *ub_seg_fill(struct ub_seg *seg, pgoff_t index, gfp_t gfp)
{
	struct page *page, *old;

	page = ub_seg_alloc_page(seg, gfp);
	if (!page)
		return NULL;
	old = xa_cmpxchg(&seg->pages, index, NULL, page, gfp & ~__GFP_ACCOUNT);
	if (!old)
		return page;
	ub_seg_free_page(seg, page);
	return xa_is_err(old) ? NULL : old; /* somebody was faster */
}

static struct page *ub_seg_back(struct ub_seg *seg, pgoff_t index, gfp_t gfp)
{
	struct page *page = xa_load(&seg->pages, index);
	struct mem_cgroup *old;

	if (page)
		return page;
	/* The owner pays for the page and its place, whoever touches. */
	old = set_active_memcg(seg->obj.ctx->memcg);
	page = ub_seg_fill(seg, index, gfp);
	set_active_memcg(old);
	return page;
}

/* The page at @index, or NULL without memory. May sleep and reclaim. */
struct page *ub_seg_page(struct ub_seg *seg, pgoff_t index)
{
	return ub_seg_back(seg, index, GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
}

/* The same for a page that nobody asked for yet: only while memory is plenty. */
struct page *ub_seg_page_try(struct ub_seg *seg, pgoff_t index)
{
	if (atomic_long_read(&ub_backed) > ub_backed_cap() / 2)
		return xa_load(&seg->pages, index);
	return ub_seg_back(seg, index, GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
}

/**
 * ub_seg_span - add a part of a segment to a span
 * @seg:	the segment
 * @offset:	in it; the range is inside
 * @length:	bytes
 * @span:	has room for a chunk
 *
 * Return: 0, or -ENOMEM.
 */
int ub_seg_span(struct ub_seg *seg, u64 offset, u64 length, struct ub_span *span)
{
	struct page *page;
	u32 n;

	for (; length; offset += n, length -= n) {
		n = min_t(u64, length, PAGE_SIZE - offset_in_page(offset));
		page = ub_seg_page(seg, offset >> PAGE_SHIFT);
		if (!page)
			return -ENOMEM;
		if (!ub_span_add(span, page, offset_in_page(offset), n))
			return 0;
	}
	return 0;
}

/* Its pod or its owner may end the segment meanwhile: then it must get no page. */
static int ub_seg_populate_page(struct ub_seg *seg, pgoff_t index)
{
	int idx = srcu_read_lock(&ub_txn_srcu);
	int ret = 0;

	if (READ_ONCE(seg->dead))
		ret = ub_ctx_check(seg->obj.ctx) ?: -EOWNERDEAD;
	else if (!ub_seg_page(seg, index))
		ret = -ENOMEM;
	srcu_read_unlock(&ub_txn_srcu, idx);
	return ret;
}

int ub_seg_populate(struct ub_seg *seg)
{
	pgoff_t i, nr = seg->length >> PAGE_SHIFT;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = ub_seg_populate_page(seg, i);
		if (ret)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

void ub_seg_free_pages(struct ub_seg *seg)
{
	struct page *page;
	unsigned long index;

	xa_for_each(&seg->pages, index, page) {
		ub_seg_free_page(seg, page);
		cond_resched();
	}
	xa_destroy(&seg->pages);
}
