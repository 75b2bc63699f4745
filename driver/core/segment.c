// SPDX-License-Identifier: GPL-2.0
/*
 * Segments: allocation and end.
 *
 * A segment ends by SEG_FREE, with its owner, or with its pod, always the same
 * way and always at once: no new import, no new fault, mappings taken away,
 * running transactions waited for, pages returned. The object itself stays as
 * long as somebody holds it, and answers -EOWNERDEAD.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>

#include "ub.h"

#define UB_FS_MAGIC 0x55424653	/* "UBFS" */

DEFINE_SRCU(ub_txn_srcu);

static unsigned long ctx_quota_mib;
module_param(ctx_quota_mib, ulong, 0644);
MODULE_PARM_DESC(ctx_quota_mib,
		 "MiB that the segments of one open file may hold (0: as much as the NPU has)");

/*
 * A small file system only to have an inode per segment: its mappings are
 * mappings of that inode, so that one call takes all of them away, whichever
 * device node they were made through.
 */
static struct vfsmount *ub_fs_mount;
static int ub_fs_count;

static int ub_fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, UB_FS_MAGIC) ? 0 : -ENOMEM;
}

static struct file_system_type ub_fs = {
	.name = "ub_seg",
	.owner = THIS_MODULE,
	.init_fs_context = ub_fs_init_context,
	.kill_sb = kill_anon_super,
};

/* The file is never seen by user space; its owner keeps the code of vm_ops. */
static const struct file_operations ub_seg_fops = {
	.owner = THIS_MODULE,
};

static struct file *ub_seg_file_create(void)
{
	struct inode *inode;
	struct file *file;
	int ret;

	ret = simple_pin_fs(&ub_fs, &ub_fs_mount, &ub_fs_count);
	if (ret)
		return ERR_PTR(ret);
	inode = alloc_anon_inode(ub_fs_mount->mnt_sb);
	if (IS_ERR(inode)) {
		file = ERR_CAST(inode);
		goto err_release;
	}
	__module_get(THIS_MODULE); /* __fput() puts ub_seg_fops.owner */
	file = alloc_file_pseudo(inode, ub_fs_mount, "ub_seg", O_RDWR, &ub_seg_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(inode);
		goto err_release;
	}
	return file;

err_release:
	simple_release_fs(&ub_fs_mount, &ub_fs_count);
	return file;
}

static void ub_seg_file_release(struct file *file)
{
	fput(file);
	simple_release_fs(&ub_fs_mount, &ub_fs_count);
}

/* All or nothing, at once: what does not fit is never seen by others. */
bool ub_charge(atomic64_t *used, u64 bytes, u64 limit)
{
	s64 old = atomic64_read(used);

	do {
		if (bytes > limit || old > (s64)(limit - bytes))
			return false;
	} while (!atomic64_try_cmpxchg(used, &old, old + bytes));
	return true;
}

/* NPU memory, or RLIMIT_MEMLOCK; and the quotas of the context and of the user. */
static int ub_seg_charge(struct ub_seg *seg)
{
	struct ub_ctx *ctx = seg->obj.ctx;
	int ret;

	if (!ub_charge(&ctx->mem_used, seg->length, ub_quota(ctx_quota_mib)))
		return -EDQUOT;
	ret = ub_user_charge_mem(ctx->user, seg->length);
	if (ret)
		goto err_ctx;
	if (seg->host)
		ret = account_locked_vm(ctx->mm, seg->length >> PAGE_SHIFT, true);
	else if (!ub_charge(&seg->npu->mem_used, seg->length, seg->npu->mem_size))
		ret = -ENOMEM;
	if (ret)
		goto err_user;
	seg->charged = true;
	return 0;

err_user:
	ub_user_uncharge_mem(ctx->user, seg->length);
err_ctx:
	atomic64_sub(seg->length, &ctx->mem_used);
	return ret;
}

static void ub_seg_uncharge(struct ub_seg *seg)
{
	struct ub_ctx *ctx = seg->obj.ctx;

	if (!seg->charged)
		return;
	seg->charged = false;
	if (seg->host)
		account_locked_vm(ctx->mm, seg->length >> PAGE_SHIFT, false);
	else
		atomic64_sub(seg->length, &seg->npu->mem_used);
	ub_user_uncharge_mem(ctx->user, seg->length);
	atomic64_sub(seg->length, &ctx->mem_used);
}

/* Takes all mappings of the segment away; the next touch of each faults. */
void ub_seg_zap(struct ub_seg *seg)
{
	unmap_mapping_range(seg->file->f_mapping, 0, 0, 1);
}

/*
 * First half of the end: nobody gets in any more. False if somebody else does
 * or did it. Under pod->topo: what was reported goes to the routes it has now.
 */
static bool ub_seg_end(struct ub_seg *seg)
{
	down_write(&seg->lock);
	if (seg->dead) {
		up_write(&seg->lock);
		return false;
	}
	WRITE_ONCE(seg->dead, true);
	ub_seg_forget_token(seg);
	ub_seg_fold(seg);
	ub_imports_end(seg);
	up_write(&seg->lock);

	if (seg->file)
		ub_seg_zap(seg);
	ub_wait_wake_seg(seg);
	return true;
}

/* Second half, after running transactions are gone. */
static void ub_seg_reclaim(struct ub_seg *seg)
{
	struct ub_pod *pod = seg->npu->pod;

	mutex_lock(&pod->segs_lock);
	list_del_init(&seg->node);
	mutex_unlock(&pod->segs_lock);
	ub_seg_free_pages(seg);
	ub_seg_uncharge(seg);
}

void ub_seg_kill(struct ub_seg *seg)
{
	struct ub_pod *pod = seg->npu->pod;
	bool first;

	down_read(&pod->topo);
	first = ub_seg_end(seg);
	up_read(&pod->topo);
	if (!first)
		return;
	synchronize_srcu_expedited(&ub_txn_srcu);
	ub_seg_reclaim(seg);
}

/**
 * ub_seg_end_list - end the segments of a context, or of a pod: nobody gets in
 * @pod:	the pod
 * @ctx:	the context, or NULL: all
 * @dying:	gets those that were ended here, so reclaimed by nobody else: give
 *		it to ub_seg_reclaim_list()
 */
void ub_seg_end_list(struct ub_pod *pod, struct ub_ctx *ctx, struct list_head *dying)
{
	struct ub_seg *seg, *next;

	down_read(&pod->topo);
	mutex_lock(&pod->segs_lock);
	list_for_each_entry_safe(seg, next, &pod->segs, node) {
		if (ctx && seg->obj.ctx != ctx)
			continue;
		/* Without a reference left it is being released. */
		if (!kref_get_unless_zero(&seg->obj.ref))
			continue;
		if (ub_seg_end(seg))
			list_move_tail(&seg->node, dying);
		else
			ub_obj_put(&seg->obj);
	}
	mutex_unlock(&pod->segs_lock);
	up_read(&pod->topo);
}

/* Waits for transactions and returns the pages. */
void ub_seg_reclaim_list(struct list_head *dying)
{
	struct ub_seg *seg, *next;

	if (list_empty(dying))
		return;
	synchronize_srcu_expedited(&ub_txn_srcu);
	list_for_each_entry_safe(seg, next, dying, node) {
		ub_seg_reclaim(seg);
		ub_obj_put(&seg->obj);
	}
}

/* The last reference is gone. */
void ub_seg_release(struct ub_seg *seg)
{
	if (!seg->dead)
		ub_seg_kill(seg); /* an allocation that failed halfway */
	if (seg->file)
		ub_seg_file_release(seg->file);
	if (seg->dummy)
		__free_page(seg->dummy);
	xa_destroy(&seg->pages);
	put_device(&seg->npu->dev);
	kfree(seg);
}

/* Joins the pod's segments, unless the pod has been removed meanwhile. */
static int ub_seg_join(struct ub_seg *seg)
{
	struct ub_pod *pod = seg->npu->pod;
	int ret = 0;

	mutex_lock(&pod->segs_lock);
	if (READ_ONCE(pod->dead))
		ret = -EIO;
	else
		list_add_tail(&seg->node, &pod->segs);
	mutex_unlock(&pod->segs_lock);
	return ret;
}

static struct ub_seg *ub_seg_create(struct ub_ctx *ctx, u64 length, bool host)
{
	struct ub_seg *seg;
	int ret;

	seg = kzalloc(sizeof(*seg), GFP_KERNEL_ACCOUNT);
	if (!seg)
		return ERR_PTR(-ENOMEM);
	ret = ub_obj_reserve(ctx, &seg->obj, UB_OBJ_SEG);
	if (ret) {
		kfree(seg);
		return ERR_PTR(ret);
	}
	get_device(&ctx->npu->dev);
	seg->npu = ctx->npu;
	seg->length = length;
	seg->host = host;
	init_rwsem(&seg->lock);
	xa_init_flags(&seg->pages, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&seg->imports);
	INIT_LIST_HEAD(&seg->node);
	return seg;
}

int ub_ioctl_seg_alloc(struct ub_call *call)
{
	struct ub_ioc_seg_alloc *arg = call->arg;
	struct ub_seg *seg;
	int ret;

	if (arg->flags & ~(UB_SEG_HOST | UB_SEG_POPULATE | UB_SEG_DUMMY) || arg->reserved)
		return -EINVAL;
	if (!arg->length || !ub_obj_reaches(arg->length))
		return -EINVAL;

	seg = ub_seg_create(call->ctx, PAGE_ALIGN(arg->length), arg->flags & UB_SEG_HOST);
	if (IS_ERR(seg))
		return PTR_ERR(seg);
	ret = ub_seg_charge(seg);
	if (ret)
		goto err_free;
	if (arg->flags & UB_SEG_DUMMY) {
		ret = -ENOMEM;
		seg->dummy = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!seg->dummy)
			goto err_free;
	}
	seg->file = ub_seg_file_create();
	if (IS_ERR(seg->file)) {
		ret = PTR_ERR(seg->file);
		seg->file = NULL;
		goto err_free;
	}
	ret = ub_seg_join(seg);
	if (ret)
		goto err_free;
	if (arg->flags & UB_SEG_POPULATE) {
		ret = ub_seg_populate(seg);
		if (ret)
			goto err_free;
	}

	arg->length = seg->length;
	arg->handle = seg->obj.handle;
	arg->mmap_offset = ub_obj_mmap_offset(&seg->obj);
	ret = ub_call_respond(call, sizeof(*arg));
	if (ret)
		goto err_free;
	ret = ub_obj_publish(&seg->obj);
	if (ret)
		goto err_free;
	return 0;

err_free:
	ub_obj_unreserve(&seg->obj);
	ub_obj_put(&seg->obj);
	return ret;
}

int ub_ioctl_seg_free(struct ub_call *call)
{
	struct ub_ioc_handle *arg = call->arg;
	struct ub_obj *obj;

	obj = ub_obj_take(call->ctx, arg->handle, UB_OBJ_SEG);
	if (!obj)
		return -ENOENT;
	ub_seg_kill(ub_seg_from_obj(obj));
	ub_obj_put(obj);
	return 0;
}
