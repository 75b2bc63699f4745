// SPDX-License-Identifier: GPL-2.0
/*
 * Tokens: how the home of a segment lets others in, and puts them out.
 *
 * TokenID and TokenValue are random. Export makes them, rotate replaces the
 * value, revoke ends both; the last two kill every import made before, while the
 * owner's own mapping goes on.
 */
#include <linux/random.h>

#include "ub.h"

/* WRITE requires READ, ATOMIC both, LOCAL_ONLY excludes them all. */
bool ub_access_valid(u32 access)
{
	switch (access) {
	case UB_ACCESS_LOCAL_ONLY:
	case UB_ACCESS_READ:
	case UB_ACCESS_READ | UB_ACCESS_WRITE:
	case UB_ACCESS_READ | UB_ACCESS_WRITE | UB_ACCESS_ATOMIC:
		return true;
	default:
		return false;
	}
}

static struct ub_seg *ub_seg_get(struct ub_ctx *ctx, u32 handle)
{
	struct ub_obj *obj = ub_obj_get(ctx, handle);

	if (obj && obj->type != UB_OBJ_SEG) {
		ub_obj_put(obj);
		obj = NULL;
	}
	return obj ? ub_seg_from_obj(obj) : NULL;
}

/* Takes a random TokenID that is not in use. 0 is never one. */
static int ub_token_insert(struct ub_seg *seg)
{
	int ret, tries;
	u32 id;

	for (tries = 0; tries < 16; tries++) {
		id = get_random_u32();
		if (!id)
			continue;
		ret = xa_insert(&seg->npu->tokens, id, seg, GFP_KERNEL_ACCOUNT);
		if (ret != -EBUSY) {
			seg->token_id = id;
			return ret;
		}
	}
	return -EBUSY;
}

/* Under seg->lock. */
void ub_seg_forget_token(struct ub_seg *seg)
{
	if (!seg->exported)
		return;
	xa_erase(&seg->npu->tokens, seg->token_id);
	seg->exported = false;
}

int ub_ioctl_seg_export(struct ub_call *call)
{
	struct ub_ioc_seg_export *arg = call->arg;
	struct ub_seg *seg;
	u32 value, id;
	int ret;

	if (arg->flags & ~UB_SEG_EXPORT_ANY_UID || !ub_access_valid(arg->access))
		return -EINVAL;
	seg = ub_seg_get(call->ctx, arg->handle);
	if (!seg)
		return -ENOENT;

	value = get_random_u32();
	down_write(&seg->lock);
	ret = seg->dead ? -EOWNERDEAD : seg->exported ? -EEXIST : ub_token_insert(seg);
	if (!ret) {
		seg->exported = true;
		seg->token_value = value;
		seg->access = arg->access;
		seg->any_uid = arg->flags & UB_SEG_EXPORT_ANY_UID;
	}
	id = seg->token_id;
	up_write(&seg->lock);
	if (ret)
		goto out;

	arg->token_id = id;
	arg->token_value = value;
	ret = ub_call_respond(call, sizeof(*arg));
	if (ret) { /* nobody has learnt the token */
		down_write(&seg->lock);
		if (seg->exported && seg->token_id == id && seg->token_value == value)
			ub_seg_forget_token(seg);
		up_write(&seg->lock);
	}
out:
	ub_obj_put(&seg->obj);
	return ret;
}

/* After imports were ended under seg->lock. */
static void ub_seg_shut_out(struct ub_seg *seg)
{
	ub_seg_zap(seg);
	ub_wait_wake_seg(seg);
	/* "At once": what ran with the old token has ended when we return. */
	synchronize_srcu_expedited(&ub_txn_srcu);
}

int ub_ioctl_seg_rotate(struct ub_call *call)
{
	struct ub_ioc_seg_rotate *arg = call->arg;
	struct ub_seg *seg;
	int ret;

	if (arg->reserved)
		return -EINVAL;
	seg = ub_seg_get(call->ctx, arg->handle);
	if (!seg)
		return -ENOENT;

	/* Tell first: a value that its owner cannot learn must not take effect. */
	ret = READ_ONCE(seg->exported) ? 0 : -ENOENT;
	if (ret)
		goto out;
	do {
		arg->token_value = get_random_u32();
	} while (arg->token_value == READ_ONCE(seg->token_value));
	ret = ub_call_respond(call, sizeof(*arg));
	if (ret)
		goto out;

	down_write(&seg->lock);
	ret = seg->dead ? -EOWNERDEAD : seg->exported ? 0 : -ENOENT;
	if (!ret) {
		WRITE_ONCE(seg->token_value, arg->token_value);
		ub_imports_end(seg);
	}
	up_write(&seg->lock);
	if (!ret)
		ub_seg_shut_out(seg);
out:
	ub_obj_put(&seg->obj);
	return ret;
}

int ub_ioctl_seg_revoke(struct ub_call *call)
{
	struct ub_ioc_handle *arg = call->arg;
	struct ub_seg *seg;
	int ret;

	seg = ub_seg_get(call->ctx, arg->handle);
	if (!seg)
		return -ENOENT;

	down_write(&seg->lock);
	ret = seg->dead ? -EOWNERDEAD : seg->exported ? 0 : -ENOENT;
	if (!ret) {
		ub_seg_forget_token(seg);
		ub_imports_end(seg);
	}
	up_write(&seg->lock);
	if (!ret)
		ub_seg_shut_out(seg);
	ub_obj_put(&seg->obj);
	return ret;
}
