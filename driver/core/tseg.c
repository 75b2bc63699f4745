// SPDX-License-Identifier: GPL-2.0
/*
 * Target segments: memory that transactions reach by a key.
 *
 * A key is found, checked and used for one chunk at a time, under a reference; who
 * takes the key away waits for that chunk, and nobody touches the memory after it.
 * A region that lies in a mapping of a driver segment is one of the segment: it has
 * at most the rights of the import, and is as dead as it.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "execute.h"

#define UB_REGION_STORES (UB_REGION_LOCAL_WRITE | UB_REGION_WRITE | UB_REGION_ATOMIC)
#define UB_REGION_ALL	 (UB_REGION_STORES | UB_REGION_READ | UB_REGION_BIND)

/* Pages that are pinned before others get their turn. */
#define UB_PIN_BATCH 512

/* ---- keys ------------------------------------------------------------------- */

static struct ub_tseg *ub_tseg_create(struct ub_engine *engine, enum ub_tseg_type type,
				      const void *pd, u64 start, u64 length, u32 access)
{
	struct ub_tseg *tseg;

	if (access & ~UB_REGION_ALL)
		return ERR_PTR(-EINVAL);
	tseg = kzalloc(sizeof(*tseg), GFP_KERNEL_ACCOUNT);
	if (!tseg)
		return ERR_PTR(-ENOMEM);
	refcount_set(&tseg->ref, 1);
	init_completion(&tseg->unused);
	tseg->engine = engine;
	tseg->type = type;
	tseg->pd = pd;
	tseg->start = start;
	tseg->length = length;
	tseg->access = access;
	tseg->access_max = access & UB_REGION_STORES ? UB_REGION_ALL :
				UB_REGION_READ | UB_REGION_BIND;
	return tseg;
}

/* Gives it a key; from now on it can be used. */
static int ub_tseg_publish(struct ub_tseg *tseg)
{
	struct ub_engine *engine = tseg->engine;
	u32 index;
	int ret;

	ret = xa_alloc_cyclic(&engine->tsegs, &index, NULL, XA_LIMIT(1, 0xffffff),
			      &engine->next_key, GFP_KERNEL_ACCOUNT);
	if (ret < 0)
		return ret == -EBUSY ? -ENOSPC : ret;
	/* An old key of the same index is, most likely, not this one. */
	tseg->key = index << 8 | get_random_u8();
	xa_store(&engine->tsegs, index, tseg, GFP_KERNEL_ACCOUNT); /* it was reserved */
	return 0;
}

/* The region of a key, with a reference; NULL: there is none. */
struct ub_tseg *ub_tseg_get(struct ub_engine *engine, u32 key)
{
	struct ub_tseg *tseg;

	rcu_read_lock();
	tseg = xa_load(&engine->tsegs, key >> 8);
	if (tseg && (READ_ONCE(tseg->key) != key || !refcount_inc_not_zero(&tseg->ref)))
		tseg = NULL;
	rcu_read_unlock();
	return tseg;
}

void ub_tseg_put(struct ub_tseg *tseg)
{
	if (refcount_dec_and_test(&tseg->ref))
		complete(&tseg->unused);
}

/*
 * Nobody finds it, and nobody uses it, until it is shown again. Its place is kept: in
 * an allocating array NULL does that, so showing it cannot fail.
 */
void ub_tseg_hide(struct ub_tseg *tseg)
{
	xa_store(&tseg->engine->tsegs, tseg->key >> 8, NULL, GFP_KERNEL_ACCOUNT);
	ub_tseg_put(tseg);
	wait_for_completion(&tseg->unused);
	reinit_completion(&tseg->unused);
}

void ub_tseg_show(struct ub_tseg *tseg)
{
	refcount_set(&tseg->ref, 1);
	xa_store(&tseg->engine->tsegs, tseg->key >> 8, tseg, GFP_KERNEL_ACCOUNT);
}

/* ---- pages of a process -------------------------------------------------------- */

static void ub_tseg_unpin(struct ub_tseg *tseg)
{
	if (tseg->nr_pages)
		unpin_user_pages_dirty_lock(tseg->page, tseg->nr_pages,
					    tseg->access_max & UB_REGION_STORES);
	kvfree(tseg->page);
}

static int ub_tseg_pin(struct ub_tseg *tseg, u64 start, unsigned long nr)
{
	unsigned int flags = UB_PIN_FLAGS(tseg->access & UB_REGION_STORES);
	int got;

	tseg->page = kvmalloc_array(nr, sizeof(*tseg->page), GFP_KERNEL_ACCOUNT);
	if (!tseg->page)
		return -ENOMEM;
	while (tseg->nr_pages < nr) {
		got = pin_user_pages_fast((start & PAGE_MASK) + tseg->nr_pages * PAGE_SIZE,
					  min_t(unsigned long, nr - tseg->nr_pages,
						UB_PIN_BATCH),
					  flags, tseg->page + tseg->nr_pages);
		if (got < 0)
			return got;
		tseg->nr_pages += got;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* As all that pins for long: against RLIMIT_MEMLOCK, in mm->pinned_vm. */
static int ub_tseg_charge(struct ub_tseg *tseg, unsigned long nr)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	struct mm_struct *mm = current->mm;

	if (atomic64_add_return(nr, &mm->pinned_vm) > limit && !capable(CAP_IPC_LOCK)) {
		atomic64_sub(nr, &mm->pinned_vm);
		return -ENOMEM;
	}
	mmgrab(mm);
	tseg->mm = mm;
	return 0;
}

static int ub_tseg_add_pages(struct ub_tseg *tseg, u64 start)
{
	unsigned long nr = (PAGE_ALIGN(start + tseg->length) - (start & PAGE_MASK)) >> PAGE_SHIFT;
	int ret;

	tseg->offset = offset_in_page(start);
	ret = ub_tseg_charge(tseg, nr);
	if (ret)
		return ret;
	ret = ub_tseg_pin(tseg, start, nr);
	if (!ret)
		return 0;
	ub_tseg_unpin(tseg);
	atomic64_sub(nr, &tseg->mm->pinned_vm);
	mmdrop(tseg->mm);
	return ret;
}

/* ---- segments of the driver --------------------------------------------------------- */

/* What an import may be used for, as rights of a region. */
static u32 ub_region_of_import(const struct ub_import *import)
{
	u32 access = UB_REGION_BIND;

	if (import->access & UB_ACCESS_READ)
		access |= UB_REGION_READ;
	if (import->access & UB_ACCESS_WRITE)
		access |= UB_REGION_LOCAL_WRITE | UB_REGION_WRITE;
	if (import->access & UB_ACCESS_ATOMIC)
		access |= UB_REGION_ATOMIC;
	return access;
}

static struct ub_seg *ub_obj_seg(struct ub_obj *obj)
{
	return obj->type == UB_OBJ_IMPORT ? ub_import_from_obj(obj)->seg : ub_seg_from_obj(obj);
}

/* 1: the range is in a mapping of a segment, held in tseg->to; 0: it is not. */
static int ub_tseg_find_seg(struct ub_tseg *tseg, u64 start)
{
	struct ub_obj *obj;
	int ret;

	ret = ub_seg_lookup(start, tseg->length, &obj, &tseg->offset);
	if (ret <= 0)
		return ret;
	tseg->type = UB_TSEG_SEG;
	tseg->to = obj;
	if (obj->type == UB_OBJ_IMPORT)
		tseg->access_max = ub_region_of_import(ub_import_from_obj(obj));
	/* From another NPU's memory a transaction would have a third route. */
	if (ub_obj_seg(obj)->npu != tseg->engine->npu)
		ret = -EOPNOTSUPP;
	else if (tseg->access & ~tseg->access_max)
		ret = -EACCES;
	if (ret < 0)
		ub_obj_put(obj);
	return ret;
}

/* ---- making and ending ------------------------------------------------------------------ */

static void ub_tseg_release(struct ub_tseg *tseg)
{
	switch (tseg->type) {
	case UB_TSEG_USER:
		atomic64_sub(tseg->nr_pages, &tseg->mm->pinned_vm);
		ub_tseg_unpin(tseg);
		mmdrop(tseg->mm);
		break;
	case UB_TSEG_SEG:
		ub_obj_put(tseg->to);
		break;
	case UB_TSEG_WINDOW:
	case UB_TSEG_KERNEL:
		break;
	}
	kfree_rcu(tseg, rcu);
}

struct ub_tseg *ub_tseg_register(struct ub_engine *engine, const void *pd, u64 start,
				 u64 length, u64 iova, u32 access)
{
	struct ub_tseg *tseg;
	u64 end;
	int ret;

	if (!length || check_add_overflow(start, length, &end) || end > TASK_SIZE ||
	    check_add_overflow(iova, length, &end))
		return ERR_PTR(-EINVAL);
	tseg = ub_tseg_create(engine, UB_TSEG_USER, pd, iova, length, access);
	if (IS_ERR(tseg))
		return tseg;
	ret = ub_tseg_find_seg(tseg, start);
	if (!ret)
		ret = ub_tseg_add_pages(tseg, start);
	if (ret < 0)
		goto err_free;
	ret = ub_tseg_publish(tseg);
	if (!ret)
		return tseg;
	ub_tseg_release(tseg);
	return ERR_PTR(ret);

err_free:
	kfree(tseg);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(ub_tseg_register);

struct ub_tseg *ub_tseg_create_window(struct ub_engine *engine, const void *pd, bool type_2)
{
	struct ub_tseg *tseg;
	int ret;

	tseg = ub_tseg_create(engine, UB_TSEG_WINDOW, pd, 0, 0, 0);
	if (IS_ERR(tseg))
		return tseg;
	tseg->type_2 = type_2;
	ret = ub_tseg_publish(tseg);
	if (!ret)
		return tseg;
	kfree(tseg);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(ub_tseg_create_window);

struct ub_tseg *ub_tseg_register_kernel(struct ub_engine *engine, const void *pd, u32 access)
{
	struct ub_tseg *tseg;
	int ret;

	tseg = ub_tseg_create(engine, UB_TSEG_KERNEL, pd, 0, U64_MAX, access);
	if (IS_ERR(tseg))
		return tseg;
	ret = ub_tseg_publish(tseg);
	if (!ret)
		return tseg;
	kfree(tseg);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(ub_tseg_register_kernel);

int ub_tseg_unregister(struct ub_tseg *tseg)
{
	if (tseg->type == UB_TSEG_WINDOW) {
		ub_window_end(tseg);
		ub_tseg_release(tseg);
		return 0;
	}
	ub_tseg_hide(tseg);
	/* Who opens a window holds it meanwhile, so no more will be. */
	if (atomic_read(&tseg->windows)) {
		ub_tseg_show(tseg);
		return -EBUSY;
	}
	xa_erase(&tseg->engine->tsegs, tseg->key >> 8);
	ub_tseg_release(tseg);
	return 0;
}
EXPORT_SYMBOL_GPL(ub_tseg_unregister);

int ub_tseg_change(struct ub_tseg *tseg, const void *pd, u32 access)
{
	if (access & ~tseg->access_max)
		return -EACCES;
	ub_tseg_hide(tseg);
	tseg->pd = pd;
	tseg->access = access;
	ub_tseg_show(tseg);
	return 0;
}
EXPORT_SYMBOL_GPL(ub_tseg_change);

/* ---- use by a chunk ------------------------------------------------------------------------ */

static bool ub_tseg_includes(const struct ub_tseg *tseg, u64 addr, u64 length)
{
	return addr >= tseg->start && length <= tseg->length &&
	       addr - tseg->start <= tseg->length - length;
}

bool ub_tseg_admits(const struct ub_tseg *tseg, const struct ub_jetty *jetty, u64 addr,
		    u64 length, u32 access)
{
	/* Windows are for others. */
	return tseg->type != UB_TSEG_WINDOW && tseg->pd == jetty->pd &&
	       (tseg->access & access) == access && ub_tseg_includes(tseg, addr, length);
}

bool ub_tseg_admits_peer(const struct ub_tseg *tseg, const struct ub_jetty *target, u64 addr,
			 u64 length, u32 access)
{
	if (tseg->type != UB_TSEG_WINDOW)
		return ub_tseg_admits(tseg, target, addr, length, access);
	return tseg->base && tseg->pd == target->pd &&
	       (!tseg->type_2 || tseg->bound_by == target->serial) &&
	       (tseg->access & access) == access && ub_tseg_includes(tseg, addr, length);
}

static int ub_tseg_span_seg(const struct ub_tseg *tseg, u64 at, u64 length,
			    struct ub_span *span)
{
	struct ub_access_to to = {
		.obj = tseg->to,
		.seg = ub_obj_seg(tseg->to),
		.import = tseg->to->type == UB_OBJ_IMPORT ? ub_import_from_obj(tseg->to) : NULL,
	};

	return ub_access_check(&to) ?: ub_seg_span(to.seg, at, length, span);
}

static void ub_tseg_span_user(const struct ub_tseg *tseg, u64 at, u64 length,
			      struct ub_span *span)
{
	u32 n;

	for (; length; at += n, length -= n) {
		n = min_t(u64, length, PAGE_SIZE - offset_in_page(at));
		if (!ub_span_add(span, tseg->page[at >> PAGE_SHIFT], offset_in_page(at), n))
			return;
	}
}

int ub_tseg_span(const struct ub_tseg *tseg, u64 addr, u64 length, struct ub_span *span)
{
	u64 at = addr - tseg->start + tseg->offset;

	switch (tseg->type) {
	case UB_TSEG_USER:
		ub_tseg_span_user(tseg, at, length, span);
		return 0;
	case UB_TSEG_SEG:
		return ub_tseg_span_seg(tseg, at, length, span);
	case UB_TSEG_KERNEL:
		ub_span_add_kernel(span, (void *)(unsigned long)addr, length);
		return 0;
	case UB_TSEG_WINDOW:
		return ub_tseg_span(tseg->base, addr - tseg->start + tseg->offset, length, span);
	}
	return -EINVAL;
}
