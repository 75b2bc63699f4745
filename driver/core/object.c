// SPDX-License-Identifier: GPL-2.0
/*
 * Handles of a context and the life of what they name, in one place.
 *
 *	reserve	 the object has a number that nobody can look up
 *	publish	 it can; fails when the context has ended meanwhile
 *	get	 look up, with a reference
 *	take	 look up and remove: the handle's reference becomes the caller's
 *	put	 the last one frees
 *
 * Between reserve and publish a call tells the number to user space, so that a
 * bad pointer there leaves nothing behind.
 */
#include <linux/mm.h>
#include <linux/nospec.h>

#include "ub.h"

int ub_obj_reserve(struct ub_ctx *ctx, struct ub_obj *obj, enum ub_obj_type type)
{
	int ret;

	ret = ub_user_charge_handle(ctx->user);
	if (ret)
		return ret;
	ret = xa_alloc(&ctx->objs, &obj->handle, NULL,
		       XA_LIMIT(1, UB_MAX_HANDLES), GFP_KERNEL_ACCOUNT);
	if (ret) {
		ub_user_uncharge_handle(ctx->user);
		return ret == -EBUSY ? -ENOSPC : ret;
	}
	kref_init(&obj->ref);
	obj->type = type;
	kref_get(&ctx->ref);
	obj->ctx = ctx;
	return 0;
}

static void ub_obj_give_number_back(struct ub_obj *obj)
{
	ub_user_uncharge_handle(obj->ctx->user);
}

void ub_obj_unreserve(struct ub_obj *obj)
{
	xa_erase(&obj->ctx->objs, obj->handle);
	ub_obj_give_number_back(obj);
}

int ub_obj_publish(struct ub_obj *obj)
{
	struct ub_ctx *ctx = obj->ctx;
	int ret;

	mutex_lock(&ctx->lock);
	ret = ub_ctx_check(ctx);
	if (!ret) /* cannot fail: the entry was reserved */
		xa_store(&ctx->objs, obj->handle, obj, GFP_KERNEL_ACCOUNT);
	mutex_unlock(&ctx->lock);
	return ret;
}

struct ub_obj *ub_obj_get(struct ub_ctx *ctx, u32 handle)
{
	struct ub_obj *obj;

	if (handle > UB_MAX_HANDLES)
		return NULL;
	handle = array_index_nospec(handle, UB_MAX_HANDLES + 1);
	xa_lock(&ctx->objs);
	obj = xa_load(&ctx->objs, handle);
	if (obj)
		kref_get(&obj->ref);
	xa_unlock(&ctx->objs);
	return obj;
}

struct ub_obj *ub_obj_take(struct ub_ctx *ctx, u32 handle, enum ub_obj_type type)
{
	struct ub_obj *obj;

	if (handle > UB_MAX_HANDLES)
		return NULL;
	handle = array_index_nospec(handle, UB_MAX_HANDLES + 1);
	xa_lock(&ctx->objs);
	obj = xa_load(&ctx->objs, handle);
	if (obj && obj->type == type)
		__xa_erase(&ctx->objs, handle);
	else
		obj = NULL;
	xa_unlock(&ctx->objs);
	if (obj)
		ub_obj_give_number_back(obj);
	return obj;
}

void ub_obj_free(struct kref *ref)
{
	struct ub_obj *obj = container_of(ref, struct ub_obj, ref);
	struct ub_ctx *ctx = obj->ctx;

	switch (obj->type) {
	case UB_OBJ_SEG:
		ub_seg_release(ub_seg_from_obj(obj));
		break;
	case UB_OBJ_IMPORT:
		ub_import_release(ub_import_from_obj(obj));
		break;
	}
	ub_ctx_put(ctx);
}

/**
 * ub_access_open - look up a handle for reading or writing
 * @ctx:	the context
 * @handle:	of a segment or an import
 * @access:	UB_ACCESS_* that is needed
 * @to:		the result; close it
 *
 * Return: 0; -ENOENT no such handle; -EACCES the import lacks a right.
 */
int ub_access_open(struct ub_ctx *ctx, u32 handle, u32 access, struct ub_access_to *to)
{
	struct ub_obj *obj = ub_obj_get(ctx, handle);

	if (!obj)
		return -ENOENT;
	to->obj = obj;
	if (obj->type == UB_OBJ_SEG) {
		to->seg = ub_seg_from_obj(obj);
		to->import = NULL;
		return 0;
	}
	to->import = ub_import_from_obj(obj);
	to->seg = to->import->seg;
	if ((to->import->access & access) == access)
		return 0;
	ub_obj_put(obj);
	return -EACCES;
}

/*
 * May it be touched now? Inside of ub_txn_srcu the answer stays good enough
 * until unlock: whoever ends the segment waits before it frees pages.
 */
int ub_access_check(const struct ub_access_to *to)
{
	if (READ_ONCE(to->seg->npu->pod->dead))
		return -EIO;
	if (READ_ONCE(to->seg->dead))
		return -EOWNERDEAD;
	if (!to->import)
		return 0;
	switch (READ_ONCE(to->import->state)) {
	case UB_IMPORT_ALIVE:
		return 0;
	case UB_IMPORT_SUSPENDED:
		return -ENOLINK;
	default:
		return -EOWNERDEAD;
	}
}
