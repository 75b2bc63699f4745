// SPDX-License-Identifier: GPL-2.0
/*
 * Imports: the right of a context to use somebody's segment, and its state.
 *
 *	ALIVE <-> SUSPENDED	the route to the home went or returned
 *	      --> DEAD		freed, rotated, revoked, owner or pod gone: final
 *
 * A DUMMY import that showed its page of zeros while suspended is dead too: its
 * user may have read zeros, so it must not silently go on.
 *
 * Each change is stored in the import's state word first, then the pod's
 * generation changes, both under seg->lock, and only then mappings are taken away:
 * who sees the effect can see the cause. What was not mapped shows it earlier, to
 * the first fault after seg->lock.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "ub.h"

/* User space can write anything: more in one fold is not believed. */
#define UB_FOLD_MAX (1ULL << 40)

/* Tells the state to user space. Under seg->lock. */
static void ub_import_publish_state(struct ub_import *import, u32 state)
{
	struct ub_ctx *ctx = import->obj.ctx;
	union {
		struct ub_import_state s;
		u64 word;
	} new = { .s = { .state = state, .zaps = import->zaps } };

	BUILD_BUG_ON(sizeof(new) != sizeof(u64));
	if (import->has_slot)
		WRITE_ONCE(*(u64 *)ub_area_at(ctx->states, import->slot * sizeof(u64)),
			   new.word);
}

/* Under seg->lock. The caller zaps. */
static void ub_import_set_state(struct ub_import *import, u32 state)
{
	struct ub_event event = {
		.type = UB_EVENT_IMPORT,
		.a = import->slot,
		.b = state,
	};

	WRITE_ONCE(import->state, state);
	if (state != UB_IMPORT_ALIVE)
		import->zaps++;
	ub_import_publish_state(import, state);
	if (import->has_slot)
		ub_event_post(import->obj.ctx, &event);
}

/*
 * All imports of the segment die. Under seg->lock, and the generation changes under
 * it too: user space must be able to see the cause before it feels the effect, and
 * a fault feels it as soon as the lock is free.
 */
void ub_imports_end(struct ub_seg *seg)
{
	struct ub_import *import;
	bool changed = false;

	list_for_each_entry(import, &seg->imports, node) {
		if (import->state == UB_IMPORT_DEAD)
			continue;
		ub_import_set_state(import, UB_IMPORT_DEAD);
		changed = true;
	}
	if (changed)
		ub_pod_changed(seg->npu->pod);
}

static struct ub_npu *ub_import_npu(const struct ub_import *import)
{
	return import->obj.ctx->npu;
}

static bool ub_import_has_route(const struct ub_import *import)
{
	struct ub_pod *pod = import->seg->npu->pod;
	struct ub_route route;

	return !ub_route_find(&pod->graph, ub_import_npu(import)->ubpu->index,
			      import->seg->npu->ubpu->index, &route);
}

/* Under pod->topo and seg->lock. True if the state changed. */
static bool ub_import_reroute(struct ub_import *import, bool *zap)
{
	bool route = ub_import_has_route(import);

	if (import->state == UB_IMPORT_ALIVE && !route) {
		ub_import_set_state(import, UB_IMPORT_SUSPENDED);
		*zap = true;
		return true;
	}
	if (import->state != UB_IMPORT_SUSPENDED || !route)
		return false;
	/* What is mapped, if anything, is the page of a dead import: no zap. */
	ub_import_set_state(import, READ_ONCE(import->dummy_seen) ?
			    UB_IMPORT_DEAD : UB_IMPORT_ALIVE);
	return true;
}

static void ub_seg_reroute(struct ub_seg *seg)
{
	struct ub_import *import;
	bool changed = false, zap = false;

	down_write(&seg->lock);
	list_for_each_entry(import, &seg->imports, node)
		changed |= ub_import_reroute(import, &zap);
	if (changed)
		ub_pod_changed(seg->npu->pod);
	up_write(&seg->lock);
	if (!zap)
		return;
	ub_seg_zap(seg);
	ub_wait_wake_seg(seg);
}

/* Routes have changed: suspends and resumes. Under pod->topo for writing. */
void ub_imports_reroute(struct ub_pod *pod)
{
	struct ub_seg *seg;

	mutex_lock(&pod->segs_lock);
	list_for_each_entry(seg, &pod->segs, node)
		ub_seg_reroute(seg);
	mutex_unlock(&pod->segs_lock);
}

/* What was reported since the last fold. Counters that go back count as 0. */
static u64 ub_fold_delta(u64 *seen, u64 now)
{
	u64 delta = now - *seen;

	*seen = now;
	return delta > UB_FOLD_MAX ? 0 : delta;
}

/*
 * Moves what user space reported to the links of the routes in force. Under
 * pod->topo, so before every change of routes.
 */
void ub_import_fold(struct ub_import *import)
{
	struct ub_pod *pod = import->seg->npu->pod;
	u32 user = ub_import_npu(import)->ubpu->index;
	u32 home = import->seg->npu->ubpu->index;
	const struct ub_account *account;
	struct ub_route route;
	u64 loaded, stored;

	account = ub_area_at(import->obj.ctx->accounts, import->slot * sizeof(*account));
	spin_lock(&import->fold);
	loaded = ub_fold_delta(&import->loaded, READ_ONCE(account->loaded));
	stored = ub_fold_delta(&import->stored, READ_ONCE(account->stored));
	spin_unlock(&import->fold);

	if (loaded && !ub_route_find(&pod->graph, home, user, &route))
		ub_route_report(pod, &route, loaded);
	if (stored && !ub_route_find(&pod->graph, user, home, &route))
		ub_route_report(pod, &route, stored);
}

/* All imports of a segment. Under pod->topo and seg->lock. */
void ub_seg_fold(struct ub_seg *seg)
{
	struct ub_import *import;

	list_for_each_entry(import, &seg->imports, node)
		if (import->has_slot)
			ub_import_fold(import);
}

/* All imports of a pod. Under pod->topo. */
void ub_imports_fold(struct ub_pod *pod)
{
	struct ub_seg *seg;

	mutex_lock(&pod->segs_lock);
	list_for_each_entry(seg, &pod->segs, node) {
		down_read(&seg->lock);
		ub_seg_fold(seg);
		up_read(&seg->lock);
	}
	mutex_unlock(&pod->segs_lock);
}

/* The last reference is gone: handle and mappings. */
void ub_import_release(struct ub_import *import)
{
	struct ub_seg *seg = import->seg;

	if (seg) {
		down_write(&seg->lock);
		list_del(&import->node);
		up_write(&seg->lock);
		ub_obj_put(&seg->obj);
	}
	if (import->dummy)
		__free_page(import->dummy);
	kfree(import);
}

/* The handle is gone: the slot is free, mappings live on. */
void ub_import_detach(struct ub_import *import)
{
	struct ub_pod *pod = import->seg->npu->pod;

	down_read(&pod->topo);
	down_write(&import->seg->lock);
	ub_import_fold(import);
	import->zaps = 0;
	ub_import_publish_state(import, UB_IMPORT_NONE);
	import->has_slot = false;
	up_write(&import->seg->lock);
	up_read(&pod->topo);
	ida_free(&import->obj.ctx->slots, import->slot);
}

/*
 * A slot in the context's pages. They are touched here, so that later users
 * need not fail; and what is reported counts from now.
 */
static int ub_import_take_slot(struct ub_import *import)
{
	struct ub_ctx *ctx = import->obj.ctx;
	const struct ub_account *account;
	int slot;

	slot = ida_alloc_max(&ctx->slots, UB_MAX_SLOTS - 1, GFP_KERNEL_ACCOUNT);
	if (slot < 0)
		return slot;
	account = ub_area_at(ctx->accounts, slot * sizeof(*account));
	if (!account || !ub_area_at(ctx->states, slot * sizeof(u64))) {
		ida_free(&ctx->slots, slot);
		return -ENOMEM;
	}
	import->slot = slot;
	import->loaded = READ_ONCE(account->loaded);
	import->stored = READ_ONCE(account->stored);
	return 0;
}

static struct ub_import *ub_import_create(struct ub_ctx *ctx, bool dummy)
{
	struct ub_import *import;
	int ret;

	import = kzalloc(sizeof(*import), GFP_KERNEL_ACCOUNT);
	if (!import)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&import->fold);
	ret = ub_obj_reserve(ctx, &import->obj, UB_OBJ_IMPORT);
	if (ret) {
		kfree(import);
		return ERR_PTR(ret);
	}
	ret = ub_import_take_slot(import);
	if (ret)
		goto err_unreserve;
	if (dummy) {
		ret = -ENOMEM;
		import->dummy = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!import->dummy)
			goto err_slot;
	}
	return import;

err_slot:
	ida_free(&ctx->slots, import->slot);
err_unreserve:
	ub_obj_unreserve(&import->obj);
	ub_obj_put(&import->obj);
	return ERR_PTR(ret);
}

/* Undoes create, and attach if that was done. */
static void ub_import_destroy(struct ub_import *import)
{
	ub_obj_unreserve(&import->obj);
	if (import->seg)
		ub_import_detach(import);
	else
		ida_free(&import->obj.ctx->slots, import->slot);
	ub_obj_put(&import->obj);
}

/* EIDs are made of the pod and the index, so the index is only to be checked. */
static struct ub_npu *ub_npu_by_eid(struct ub_pod *pod, const u8 *eid)
{
	u32 i;

	for (i = 0; i < pod->nr_npus; i++)
		if (!memcmp(pod->ubpu[i].eid, eid, UB_EID_LEN))
			return pod->ubpu[i].npu;
	return NULL;
}

/* The segment that has this TokenID now, with a reference. */
static struct ub_seg *ub_token_find(struct ub_npu *home, u32 id)
{
	struct ub_seg *seg;

	xa_lock(&home->tokens);
	seg = xa_load(&home->tokens, id);
	if (seg && !kref_get_unless_zero(&seg->obj.ref))
		seg = NULL;
	xa_unlock(&home->tokens);
	return seg;
}

/* Under seg->lock. Every reason to say no is the same no. */
static bool ub_token_admits(const struct ub_seg *seg, const struct ub_ctx *ctx,
			    const struct ub_ioc_seg_import *arg)
{
	return !seg->dead && seg->exported &&
	       seg->token_id == arg->token_id &&
	       seg->token_value == arg->token_value &&
	       (seg->any_uid || uid_eq(seg->obj.ctx->uid, ctx->uid)) &&
	       (seg->access & arg->access) == arg->access;
}

/* Makes @import one of the segment that the credentials name. Under pod->topo. */
static int ub_import_attach(struct ub_import *import, struct ub_npu *home,
			    const struct ub_ioc_seg_import *arg)
{
	struct ub_seg *seg = ub_token_find(home, arg->token_id);

	if (!seg)
		return -EACCES;
	down_write(&seg->lock);
	if (!ub_token_admits(seg, import->obj.ctx, arg)) {
		up_write(&seg->lock);
		ub_obj_put(&seg->obj);
		return -EACCES;
	}
	import->seg = seg;
	import->access = arg->access;
	import->has_slot = true;
	import->state = UB_IMPORT_ALIVE;
	ub_import_publish_state(import, UB_IMPORT_ALIVE);
	list_add_tail(&import->node, &seg->imports);
	up_write(&seg->lock);
	return 0;
}

/* The answer about credentials, and its price. */
static int ub_import_judge(struct ub_import *import, struct ub_npu *home,
			   const struct ub_ioc_seg_import *arg)
{
	struct ub_ctx *ctx = import->obj.ctx;
	struct ub_route route;
	int ret;

	down_read(&ctx->pod->topo);
	ret = ub_route_find(&ctx->pod->graph, ctx->npu->ubpu->index,
			    home->ubpu->index, &route);
	if (!ret)
		ret = ub_import_attach(import, home, arg);
	up_read(&ctx->pod->topo);

	if (ret == -EACCES) {
		atomic64_inc(&home->token_denied);
		ub_user_denied(ctx->user);
	} else if (!ret) {
		ub_user_granted(ctx->user);
	}
	return ret;
}

int ub_ioctl_seg_import(struct ub_call *call)
{
	struct ub_ioc_seg_import *arg = call->arg;
	struct ub_import *import;
	struct ub_npu *home;
	int ret;

	if (arg->flags & ~UB_SEG_IMPORT_DUMMY || arg->reserved)
		return -EINVAL;
	if (!ub_access_valid(arg->access) || arg->access & UB_ACCESS_LOCAL_ONLY)
		return -EINVAL;
	home = ub_npu_by_eid(call->ctx->pod, arg->eid);
	if (!home)
		return -ENXIO;
	ret = ub_user_backoff(call->ctx->user);
	if (ret)
		return ret;

	import = ub_import_create(call->ctx, arg->flags & UB_SEG_IMPORT_DUMMY);
	if (IS_ERR(import))
		return PTR_ERR(import);
	ret = ub_import_judge(import, home, arg);
	if (ret)
		goto err_destroy;
	ret = -EOVERFLOW;
	if (!ub_obj_reaches(import->seg->length))
		goto err_destroy;

	arg->handle = import->obj.handle;
	arg->length = import->seg->length;
	arg->mmap_offset = ub_obj_mmap_offset(&import->obj);
	arg->slot = import->slot;
	ret = ub_call_respond(call, sizeof(*arg));
	if (ret)
		goto err_destroy;
	ret = ub_obj_publish(&import->obj);
	if (ret)
		goto err_destroy;
	return 0;

err_destroy:
	ub_import_destroy(import);
	return ret;
}

int ub_ioctl_seg_unimport(struct ub_call *call)
{
	struct ub_ioc_handle *arg = call->arg;
	struct ub_obj *obj;

	obj = ub_obj_take(call->ctx, arg->handle, UB_OBJ_IMPORT);
	if (!obj)
		return -ENOENT;
	ub_import_detach(ub_import_from_obj(obj));
	ub_obj_put(obj);
	return 0;
}
