// SPDX-License-Identifier: GPL-2.0
/*
 * Pods and fabrics: registry, creation, removal.
 *
 * A pod is complete when user space can first see it, and gone from sight before
 * anything of it is taken apart. Removing one that is in use is refused, or,
 * forced, is hot: its segments die, its files answer -EIO, its status area stays
 * readable with UB_STATUS_DEAD.
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "ub.h"

/* Public ids of this project; none is a hardware vendor's. 0x5542 is "UB". */
#define UB_GUID_VENDOR	0x5542
#define UB_EID_PREFIX	0xfd554200	/* a unique local IPv6 prefix */

DEFINE_MUTEX(ub_pods_lock);
LIST_HEAD(ub_pods);
unsigned int ub_pods_seq;

static DEFINE_IDA(ub_pod_ids);

/* Fabrics that are loaded, under ub_pods_lock. */
#define UB_MAX_FABRICS 8
static const struct ub_fabric_ops *ub_fabric[UB_MAX_FABRICS];

static const struct ub_fabric_ops *ub_fabric_find(const char *name)
{
	int i;

	for (i = 0; i < UB_MAX_FABRICS; i++)
		if (ub_fabric[i] && !strcmp(ub_fabric[i]->name, name))
			return ub_fabric[i];
	return NULL;
}

int ub_fabric_register(const struct ub_fabric_ops *ops)
{
	int i, ret = -ENOSPC;

	mutex_lock(&ub_pods_lock);
	if (ub_fabric_find(ops->name))
		ret = -EEXIST;
	for (i = 0; ret == -ENOSPC && i < UB_MAX_FABRICS; i++) {
		if (!ub_fabric[i]) {
			ub_fabric[i] = ops;
			ret = 0;
		}
	}
	mutex_unlock(&ub_pods_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(ub_fabric_register);

/* A fabric by name, with a reference to its module; it is loaded if need be. */
const struct ub_fabric_ops *ub_fabric_get(const char *name)
{
	const struct ub_fabric_ops *ops;
	bool loaded = false;

again:
	mutex_lock(&ub_pods_lock);
	ops = ub_fabric_find(name);
	if (ops && !try_module_get(ops->owner))
		ops = NULL;
	mutex_unlock(&ub_pods_lock);
	if (!ops && !loaded) {
		loaded = true;
		if (!request_module("ub-fabric-%s", name))
			goto again;
	}
	return ops;
}

/* The fabric's pods go with it: nobody uses them, or its module would stay. */
void ub_fabric_unregister(const struct ub_fabric_ops *ops)
{
	struct ub_pod *pod, *next;
	int i;

	mutex_lock(&ub_pods_lock);
	for (i = 0; i < UB_MAX_FABRICS; i++)
		if (ub_fabric[i] == ops)
			ub_fabric[i] = NULL;
	list_for_each_entry_safe(pod, next, &ub_pods, node)
		if (pod->ops == ops)
			ub_pod_remove(pod->name, true, NULL);
	mutex_unlock(&ub_pods_lock);
}
EXPORT_SYMBOL_GPL(ub_fabric_unregister);

struct ub_pod *ub_pod_find(const char *name)
{
	struct ub_pod *pod;

	list_for_each_entry(pod, &ub_pods, node)
		if (!strcmp(pod->name, name))
			return pod;
	return NULL;
}

struct ub_ubpu *ub_ubpu_find(const char *name, struct ub_pod **found)
{
	struct ub_pod *pod;
	u32 i;

	list_for_each_entry(pod, &ub_pods, node) {
		*found = pod;
		for (i = 0; i < pod->nr_ubpus; i++)
			if (!strcmp(pod->ubpu[i].name, name))
				return &pod->ubpu[i];
	}
	return NULL;
}

static bool ub_pod_name_valid(const char *name)
{
	size_t i, len = strlen(name);

	if (!len || len >= UB_NAME_LEN)
		return false;
	for (i = 0; i < len; i++)
		if (!isalnum(name[i]) && name[i] != '_' && name[i] != '-')
			return false;
	return true;
}

/* EID: prefix, pod, index. GUID: vendor, device, version and type, number. */
static void ub_ubpu_identify(const struct ub_pod *pod, struct ub_ubpu *ubpu)
{
	put_unaligned_be32(UB_EID_PREFIX, ubpu->eid);
	put_unaligned_be32(pod->id, ubpu->eid + 4);
	put_unaligned_be32(ubpu->index + 1, ubpu->eid + 12);

	put_unaligned_be16(UB_GUID_VENDOR, ubpu->guid);
	put_unaligned_be16(ubpu->type, ubpu->guid + 2);
	put_unaligned_be32(pod->id, ubpu->guid + 8);
	put_unaligned_be32(ubpu->index + 1, ubpu->guid + 12);
}

static int ub_ubpus_init(struct ub_pod *pod, const struct ub_ubpu_desc *desc)
{
	static const char * const kind[] = { [UB_UBPU_CPU] = "cpu", [UB_UBPU_SWITCH] = "sw" };
	u32 seen[UB_UBPU_SWITCH + 1] = {};
	struct ub_ubpu *ubpu;
	u32 i;

	pod->ubpu = kvcalloc(pod->nr_ubpus, sizeof(*pod->ubpu), GFP_KERNEL_ACCOUNT);
	if (!pod->ubpu)
		return -ENOMEM;
	for (i = 0; i < pod->nr_ubpus; i++) {
		ubpu = &pod->ubpu[i];
		ubpu->index = i;
		ubpu->type = desc[i].type;
		ub_ubpu_identify(pod, ubpu);
		if (ubpu->type == UB_UBPU_NPU) {
			ubpu->npu = ub_npu_create(pod, ubpu, desc[i].mem_size);
			if (IS_ERR(ubpu->npu)) {
				int ret = PTR_ERR(ubpu->npu);

				ubpu->npu = NULL;
				return ret;
			}
			strscpy(ubpu->name, dev_name(&ubpu->npu->dev), sizeof(ubpu->name));
		} else {
			snprintf(ubpu->name, sizeof(ubpu->name), "%s-%s%u", pod->name,
				 kind[ubpu->type], seen[ubpu->type]++);
		}
	}
	return 0;
}

void ub_pod_free(struct kref *ref)
{
	struct ub_pod *pod = container_of(ref, struct ub_pod, ref);
	u32 i;

	for (i = 0; pod->ubpu && i < pod->nr_npus; i++)
		if (pod->ubpu[i].npu)
			put_device(&pod->ubpu[i].npu->dev);
	ub_links_free(pod);
	kvfree(pod->ubpu);
	ida_free(&ub_pod_ids, pod->id);
	kfree(pod);
}

static struct ub_pod *ub_pod_alloc(const struct ub_pod_desc *desc)
{
	struct ub_pod *pod;
	int id;

	pod = kzalloc(sizeof(*pod), GFP_KERNEL_ACCOUNT);
	if (!pod)
		return NULL;
	id = ida_alloc(&ub_pod_ids, GFP_KERNEL_ACCOUNT);
	if (id < 0) {
		kfree(pod);
		return NULL;
	}
	kref_init(&pod->ref);
	strscpy(pod->name, desc->name, sizeof(pod->name));
	pod->id = id;
	pod->upi = 1;
	pod->route_seq = 1;
	pod->ops = desc->ops;
	pod->nr_ubpus = desc->nr_ubpus;
	pod->nr_npus = desc->nr_npus;
	pod->nr_links = desc->nr_links;
	init_rwsem(&pod->topo);
	mutex_init(&pod->members_lock);
	INIT_LIST_HEAD(&pod->members);
	mutex_init(&pod->segs_lock);
	INIT_LIST_HEAD(&pod->segs);
	spin_lock_init(&pod->ctxs_lock);
	INIT_LIST_HEAD(&pod->ctxs);
	spin_lock_init(&pod->status_lock);
	return pod;
}

static int ub_pod_add_npus(struct ub_pod *pod)
{
	u32 i;
	int ret;

	for (i = 0; i < pod->nr_npus; i++) {
		ret = ub_npu_add(pod->ubpu[i].npu);
		if (ret)
			goto err_remove;
	}
	return 0;

err_remove:
	while (i--)
		ub_npu_remove(pod->ubpu[i].npu);
	return ret;
}

/**
 * ub_pod_create - make a pod and show it
 * @desc:	what it consists of; not used after the call
 * @extack:	gets the reason of an error; may be NULL
 *
 * Return: 0; -EINVAL a bad name; -EEXIST it is taken; -ENOSPC too many devices;
 * -ENOMEM.
 */
int ub_pod_create(const struct ub_pod_desc *desc, struct netlink_ext_ack *extack)
{
	struct ub_pod *pod;
	int ret;

	if (!ub_pod_name_valid(desc->name)) {
		NL_SET_ERR_MSG(extack, "a pod's name has 1 to 15 of a-z A-Z 0-9 _ -");
		return -EINVAL;
	}
	pod = ub_pod_alloc(desc);
	if (!pod)
		return -ENOMEM;

	mutex_lock(&ub_pods_lock);
	if (ub_pod_find(desc->name)) {
		NL_SET_ERR_MSG(extack, "a pod of this name exists");
		ret = -EEXIST;
		goto err_put;
	}
	ret = ub_ubpus_init(pod, desc->ubpu) ?: ub_links_init(pod, desc->link) ?:
	      ub_pod_add_npus(pod);
	if (ret)
		goto err_put;
	list_add_tail(&pod->node, &ub_pods);
	ub_pods_seq++;
	ub_netlink_tell_pod(pod, false);
	mutex_unlock(&ub_pods_lock);
	return 0;

err_put:
	mutex_unlock(&ub_pods_lock);
	ub_pod_put(pod);
	return ret;
}
EXPORT_SYMBOL_GPL(ub_pod_create);

/* Marks the pod dead under every lock that somebody checks it under. */
static int ub_pod_mark_dead(struct ub_pod *pod, bool force)
{
	int ret = 0;

	down_write(&pod->topo);
	mutex_lock(&pod->segs_lock);
	spin_lock(&pod->ctxs_lock);
	if (!force && atomic_read(&pod->nr_users))
		ret = -EBUSY;
	else
		WRITE_ONCE(pod->dead, true);
	spin_unlock(&pod->ctxs_lock);
	mutex_unlock(&pod->segs_lock);
	up_write(&pod->topo);
	return ret;
}

/**
 * ub_pod_remove - remove a pod
 * @name:	its name
 * @force:	even when it is in use
 * @extack:	gets the reason of an error; may be NULL
 *
 * Under ub_pods_lock.
 *
 * Return: 0, -ENOENT, -EBUSY.
 */
int ub_pod_remove(const char *name, bool force, struct netlink_ext_ack *extack)
{
	struct ub_event event = { .type = UB_EVENT_POD_GONE };
	struct ub_pod *pod = ub_pod_find(name);
	struct ub_status *head;
	LIST_HEAD(dying);
	u32 i;

	lockdep_assert_held(&ub_pods_lock);
	if (!pod) {
		NL_SET_ERR_MSG(extack, "no pod of this name");
		return -ENOENT;
	}
	if (ub_pod_mark_dead(pod, force)) {
		NL_SET_ERR_MSG(extack, "processes have devices or segments of it open; force removes it nevertheless");
		return -EBUSY;
	}
	list_del(&pod->node);
	ub_pods_seq++;
	for (i = 0; i < pod->nr_npus; i++)
		ub_npu_remove(pod->ubpu[i].npu);

	head = ub_area_at(pod->status, 0);
	WRITE_ONCE(head->flags, UB_STATUS_DEAD);
	ub_pod_changed(pod);
	ub_seg_end_list(pod, NULL, &dying);
	ub_seg_reclaim_list(&dying);
	ub_pod_tell(pod, &event);
	ub_netlink_tell_pod(pod, true);
	ub_pod_put(pod);
	return 0;
}

/* Gives an event to every context of the pod. */
void ub_pod_tell(struct ub_pod *pod, const struct ub_event *event)
{
	struct ub_ctx *ctx;

	spin_lock(&pod->ctxs_lock);
	list_for_each_entry(ctx, &pod->ctxs, node)
		ub_event_post(ctx, event);
	spin_unlock(&pod->ctxs_lock);
}
