// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts: the life of an open file of /dev/ub/ubN.
 *
 * A context ends, and its segments die, when the address space that opened it
 * starts to exit, or at the last close, whichever is first. Release of the file
 * alone would come after the whole address space is torn down, or never while a
 * forked child still has the file. What has ended stays a file whose every call
 * fails.
 *
 * The end holds up others who exit: it is called inside of the SRCU that all users of
 * mmu notifiers share. So it only keeps everybody out; a work item returns the pages.
 * The last close waits for it: who has closed its files, or was waited for, holds no
 * memory any more.
 */
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "ub.h"

static struct workqueue_struct *ub_reclaim_wq;

int ub_ctxs_init(void)
{
	ub_reclaim_wq = alloc_workqueue("ub_reclaim", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return ub_reclaim_wq ? 0 : -ENOMEM;
}

void ub_ctxs_exit(void)
{
	destroy_workqueue(ub_reclaim_wq);
}

static void ub_ctx_reclaim(struct work_struct *work)
{
	struct ub_ctx *ctx = container_of(work, struct ub_ctx, reclaim);

	ub_seg_reclaim_list(&ctx->dying);
}

static void ub_ctx_end(struct ub_ctx *ctx)
{
	bool first;

	mutex_lock(&ctx->lock);
	first = !ctx->ended;
	WRITE_ONCE(ctx->ended, true);
	mutex_unlock(&ctx->lock);
	if (!first)
		return;
	ub_seg_end_list(ctx->pod, ctx, &ctx->dying);
	if (!list_empty(&ctx->dying))
		queue_work(ub_reclaim_wq, &ctx->reclaim);
	ub_wait_wake_ctx(ctx);
	wake_up_interruptible_all(&ctx->event_wait);
}

/* The opener's address space starts to exit (or ub_ctx_close() unregisters). */
static void ub_ctx_mm_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	ub_ctx_end(container_of(mn, struct ub_ctx, mn));
}

static const struct mmu_notifier_ops ub_ctx_mn_ops = {
	.release = ub_ctx_mm_release,
};

static int ub_ctx_init_state(struct ub_ctx *ctx)
{
	kref_init(&ctx->ref);
	mutex_init(&ctx->lock);
	xa_init_flags(&ctx->objs, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	ida_init(&ctx->slots);
	ub_event_init(ctx);
	INIT_LIST_HEAD(&ctx->node);
	INIT_LIST_HEAD(&ctx->dying);
	INIT_WORK(&ctx->reclaim, ub_ctx_reclaim);
	ctx->states = ub_area_create(UB_MAX_SLOTS * sizeof(struct ub_import_state));
	ctx->accounts = ub_area_create(UB_MAX_SLOTS * sizeof(struct ub_account));
	return ctx->states && ctx->accounts ? 0 : -ENOMEM;
}

/* Joins the pod's contexts, unless the pod has just been removed. */
static int ub_ctx_join(struct ub_ctx *ctx)
{
	struct ub_pod *pod = ctx->pod;
	int ret = 0;

	spin_lock(&pod->ctxs_lock);
	if (pod->dead)
		ret = -ENODEV;
	else
		list_add_tail(&ctx->node, &pod->ctxs);
	spin_unlock(&pod->ctxs_lock);
	return ret;
}

struct ub_ctx *ub_ctx_create(struct ub_npu *npu)
{
	struct ub_ctx *ctx;
	int ret;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return ERR_PTR(-ENOMEM);
	__module_get(npu->pod->ops->owner); /* ub_open() holds it meanwhile */
	get_device(&npu->dev);
	ctx->npu = npu;
	ctx->pod = npu->pod;
	kref_get(&ctx->pod->ref);
	atomic_inc(&ctx->pod->nr_users);
	ctx->uid = current_euid();

	ret = ub_ctx_init_state(ctx);
	if (ret)
		goto err_put;
	ctx->user = ub_user_get(ctx->uid);
	if (!ctx->user) {
		ret = -ENOMEM;
		goto err_put;
	}
	ctx->memcg = get_mem_cgroup_from_mm(current->mm);
	ret = ub_ctx_join(ctx);
	if (ret)
		goto err_put;

	/* Last: from here on the end of the mm ends the context. */
	ctx->mn.ops = &ub_ctx_mn_ops;
	ret = mmu_notifier_register(&ctx->mn, current->mm);
	if (ret)
		goto err_put;
	mmgrab(current->mm);
	ctx->mm = current->mm;
	return ctx;

err_put:
	ub_ctx_put(ctx);
	return ERR_PTR(ret);
}

/* The last close of the file. */
void ub_ctx_close(struct ub_ctx *ctx)
{
	struct ub_obj *obj;
	unsigned long handle;

	/* Ends the context through ub_ctx_mm_release(), if exit did not. */
	mmu_notifier_unregister(&ctx->mn, ctx->mm);
	flush_work(&ctx->reclaim);

	xa_for_each(&ctx->objs, handle, obj) {
		ub_obj_take(ctx, handle, obj->type);
		if (obj->type == UB_OBJ_IMPORT)
			ub_import_detach(ub_import_from_obj(obj));
		ub_obj_put(obj);
	}
	ub_ctx_put(ctx);
}

void ub_ctx_free(struct kref *ref)
{
	struct ub_ctx *ctx = container_of(ref, struct ub_ctx, ref);
	struct module *owner = ctx->pod->ops->owner;

	spin_lock(&ctx->pod->ctxs_lock);
	list_del(&ctx->node);
	spin_unlock(&ctx->pod->ctxs_lock);

	if (ctx->mm)
		mmdrop(ctx->mm);
	mem_cgroup_put(ctx->memcg);
	if (ctx->user)
		ub_user_put(ctx->user);
	xa_destroy(&ctx->objs);
	ida_destroy(&ctx->slots);
	ub_area_put(ctx->accounts);
	ub_area_put(ctx->states);
	atomic_dec(&ctx->pod->nr_users);
	ub_pod_put(ctx->pod);
	put_device(&ctx->npu->dev);
	kfree(ctx);
	module_put(owner);
}

/* 0 while calls are possible. */
int ub_ctx_check(const struct ub_ctx *ctx)
{
	if (READ_ONCE(ctx->pod->dead))
		return -EIO;
	if (READ_ONCE(ctx->ended))
		return -EOWNERDEAD;
	return 0;
}
