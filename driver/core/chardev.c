// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/ub/ubN: open, ioctl, mmap, read, poll.
 *
 * Every ioctl argument is copied once, checked, and only the copy is used. A
 * handler sees it whole, zero-extended, whatever the age of the caller; see
 * <ub/ioctl.h> for the rules.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "ub.h"

static int ub_open(struct inode *inode, struct file *file)
{
	struct ub_npu *npu = container_of(inode->i_cdev, struct ub_npu, cdev);
	struct ub_pod *pod = NULL;
	struct ub_ctx *ctx;

	/*
	 * The pod may be going, and its fabric with it: both are ours to touch
	 * only with a reference, and there is one to take only while the NPU is
	 * not gone.
	 */
	mutex_lock(&ub_pods_lock);
	if (!npu->gone && try_module_get(npu->pod->ops->owner)) {
		pod = npu->pod;
		kref_get(&pod->ref);
	}
	mutex_unlock(&ub_pods_lock);
	if (!pod)
		return -ENODEV;
	ctx = ub_ctx_create(npu);
	module_put(pod->ops->owner);
	ub_pod_put(pod);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	file->private_data = ctx;
	return nonseekable_open(inode, file);
}

static int ub_release(struct inode *inode, struct file *file)
{
	ub_ctx_close(file->private_data);
	return 0;
}

static ssize_t ub_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	return ub_event_read(file->private_data, buf, len, !(file->f_flags & O_NONBLOCK));
}

static __poll_t ub_poll(struct file *file, struct poll_table_struct *wait)
{
	return ub_event_poll(file->private_data, file, wait);
}

/* The fixed offsets, below the first handle's. */
static int ub_mmap_fixed(struct ub_ctx *ctx, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;

	if (offset < UB_MMAP_STATES)
		return ub_area_mmap(ctx->pod->status, vma, false, vma->vm_pgoff);
	if (offset < UB_MMAP_ACCOUNT)
		return ub_area_mmap(ctx->states, vma, false,
				    vma->vm_pgoff - (UB_MMAP_STATES >> PAGE_SHIFT));
	return ub_area_mmap(ctx->accounts, vma, true,
			    vma->vm_pgoff - (UB_MMAP_ACCOUNT >> PAGE_SHIFT));
}

static int ub_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned int shift = ub_obj_offset_shift() - PAGE_SHIFT;
	u64 handle = (u64)vma->vm_pgoff >> shift;
	struct ub_ctx *ctx = file->private_data;
	struct ub_obj *obj;
	int ret;

	ret = ub_ctx_check(ctx);
	if (ret)
		return ret;
	if (!handle)
		return ub_mmap_fixed(ctx, vma);
	if (handle > UB_MAX_HANDLES)
		return -EINVAL;
	obj = ub_obj_get(ctx, handle);
	if (!obj)
		return -EINVAL;
	ret = ub_seg_mmap(obj, vma, vma->vm_pgoff & ((1UL << shift) - 1));
	ub_obj_put(obj);
	return ret;
}

static int ub_ioctl_query(struct ub_call *call)
{
	struct ub_ioc_query *arg = call->arg;
	struct ub_npu *npu = call->ctx->npu;
	struct ub_pod *pod = call->ctx->pod;

	if (arg->flags || arg->reserved)
		return -EINVAL;
	*arg = (struct ub_ioc_query){
		.size = arg->size,
		.abi_version = UB_ABI_VERSION,
		.npu = npu->minor,
		.features = UB_FEATURE_SEG | UB_FEATURE_WAIT | UB_FEATURE_COPY |
			    UB_FEATURE_EVENTS,
		.index = npu->ubpu->index,
		.nr_npus = pod->nr_npus,
		.mem_size = npu->mem_size,
		.mem_used = atomic64_read(&npu->mem_used),
		.max_handles = UB_MAX_HANDLES,
		.upi = READ_ONCE(pod->upi),
		.nr_links = pod->nr_links,
	};
	memcpy(arg->eid, npu->ubpu->eid, sizeof(arg->eid));
	memcpy(arg->guid, npu->ubpu->guid, sizeof(arg->guid));
	strscpy(arg->pod, pod->name, sizeof(arg->pod));
	strscpy(arg->backend, pod->ops->name, sizeof(arg->backend));
	return ub_call_respond(call, sizeof(*arg));
}

union ub_ioc_any {
	u32 size;
	struct ub_ioc_query query;
	struct ub_ioc_seg_alloc seg_alloc;
	struct ub_ioc_handle handle;
	struct ub_ioc_seg_export seg_export;
	struct ub_ioc_seg_rotate seg_rotate;
	struct ub_ioc_seg_import seg_import;
	struct ub_ioc_wait wait;
	struct ub_ioc_wake wake;
	struct ub_ioc_copy copy;
};

/**
 * struct ub_ioctl - an ioctl
 * @handler:	does it
 * @min_size:	of the argument's first version
 * @size:	of the argument that this kernel knows
 */
struct ub_ioctl {
	int (*handler)(struct ub_call *call);
	u32 min_size;
	u32 size;
};

#define UB_IOCTL(_nr, _handler, _struct, _last)					\
	[_IOC_NR(_nr)] = {							\
		.handler = _handler,						\
		.min_size = offsetofend(struct _struct, _last),			\
		.size = sizeof(struct _struct),					\
	}

static const struct ub_ioctl ub_ioctls[] = {
	UB_IOCTL(UB_IOC_QUERY, ub_ioctl_query, ub_ioc_query, reserved),
	UB_IOCTL(UB_IOC_SEG_ALLOC, ub_ioctl_seg_alloc, ub_ioc_seg_alloc, reserved),
	UB_IOCTL(UB_IOC_SEG_FREE, ub_ioctl_seg_free, ub_ioc_handle, handle),
	UB_IOCTL(UB_IOC_SEG_EXPORT, ub_ioctl_seg_export, ub_ioc_seg_export, token_value),
	UB_IOCTL(UB_IOC_SEG_ROTATE, ub_ioctl_seg_rotate, ub_ioc_seg_rotate, reserved),
	UB_IOCTL(UB_IOC_SEG_REVOKE, ub_ioctl_seg_revoke, ub_ioc_handle, handle),
	UB_IOCTL(UB_IOC_SEG_IMPORT, ub_ioctl_seg_import, ub_ioc_seg_import, reserved),
	UB_IOCTL(UB_IOC_SEG_UNIMPORT, ub_ioctl_seg_unimport, ub_ioc_handle, handle),
	UB_IOCTL(UB_IOC_WAIT, ub_ioctl_wait, ub_ioc_wait, timeout_ns),
	UB_IOCTL(UB_IOC_WAKE, ub_ioctl_wake, ub_ioc_wake, woken),
	UB_IOCTL(UB_IOC_COPY, ub_ioctl_copy, ub_ioc_copy, copied),
};

/* Copies the answer out: as much as the caller knows. */
int ub_call_respond(struct ub_call *call, u32 size)
{
	return copy_to_user(call->uarg, call->arg, min(call->usize, size)) ? -EFAULT : 0;
}

static long ub_ioctl(struct file *file, unsigned int nr, unsigned long uarg)
{
	struct ub_call call = {
		.ctx = file->private_data,
		.uarg = (void __user *)uarg,
	};
	const struct ub_ioctl *ioctl;
	union ub_ioc_any arg;
	unsigned int i;
	int ret;

	if (_IOC_TYPE(nr) != UB_IOC_MAGIC || _IOC_NR(nr) >= ARRAY_SIZE(ub_ioctls) ||
	    nr != _IO(UB_IOC_MAGIC, _IOC_NR(nr)))
		return -ENOTTY;
	i = array_index_nospec(_IOC_NR(nr), ARRAY_SIZE(ub_ioctls));
	ioctl = &ub_ioctls[i];
	ret = ub_ctx_check(call.ctx);
	if (ret)
		return ret;

	if (get_user(call.usize, (u32 __user *)call.uarg))
		return -EFAULT;
	if (call.usize < ioctl->min_size)
		return -EINVAL;
	if (call.usize > PAGE_SIZE)
		return -E2BIG;
	memset(&arg, 0, sizeof(arg));
	ret = copy_struct_from_user(&arg, ioctl->size, call.uarg, call.usize);
	if (ret)
		return ret;
	arg.size = call.usize; /* it was read twice: the first look counts */
	call.arg = &arg;
	return ioctl->handler(&call);
}

const struct file_operations ub_npu_fops = {
	.owner = THIS_MODULE,
	.open = ub_open,
	.release = ub_release,
	.read = ub_read,
	.poll = ub_poll,
	.mmap = ub_mmap,
	.unlocked_ioctl = ub_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
