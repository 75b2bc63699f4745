// SPDX-License-Identifier: GPL-2.0
/*
 * Multicast groups of a pod: jetties that get the datagrams sent to a GID.
 *
 * A datagram is delivered to each member that there is when it is executed, or lost
 * for that member alone; its sender gets it too when it is one. A member stays at
 * least until its delivery is over.
 */
#include <linux/slab.h>

#include "execute.h"

/**
 * struct ub_member - a jetty in a group
 * @node:	in pod->members, under pod->members_lock
 * @gid:	of the group
 * @jetty:	leaves before it ends
 */
struct ub_member {
	struct list_head node;
	u8 gid[UB_EID_LEN];
	struct ub_jetty *jetty;
};

static struct ub_member *ub_member_find(struct ub_pod *pod, const struct ub_jetty *jetty,
					const u8 *gid)
{
	struct ub_member *member;

	list_for_each_entry(member, &pod->members, node)
		if (member->jetty == jetty && !memcmp(member->gid, gid, UB_EID_LEN))
			return member;
	return NULL;
}

int ub_mcast_join(struct ub_jetty *jetty, const u8 *gid)
{
	struct ub_pod *pod = jetty->engine->npu->pod;
	struct ub_member *member;
	int ret = 0;

	if (jetty->type != UB_JETTY_UD)
		return -EINVAL;
	member = kzalloc(sizeof(*member), GFP_KERNEL_ACCOUNT);
	if (!member)
		return -ENOMEM;
	memcpy(member->gid, gid, UB_EID_LEN);
	member->jetty = jetty;
	mutex_lock(&pod->members_lock);
	if (ub_member_find(pod, jetty, gid))
		ret = -EEXIST;
	else
		list_add_tail(&member->node, &pod->members);
	mutex_unlock(&pod->members_lock);
	if (ret)
		kfree(member);
	return ret;
}
EXPORT_SYMBOL_GPL(ub_mcast_join);

int ub_mcast_leave(struct ub_jetty *jetty, const u8 *gid)
{
	struct ub_pod *pod = jetty->engine->npu->pod;
	struct ub_member *member;

	mutex_lock(&pod->members_lock);
	member = ub_member_find(pod, jetty, gid);
	if (member)
		list_del(&member->node);
	mutex_unlock(&pod->members_lock);
	kfree(member);
	return member ? 0 : -ENOENT;
}
EXPORT_SYMBOL_GPL(ub_mcast_leave);

/* A jetty that ends leaves all its groups. */
void ub_mcast_leave_all(struct ub_jetty *jetty)
{
	struct ub_pod *pod = jetty->engine->npu->pod;
	struct ub_member *member, *next;

	if (jetty->type != UB_JETTY_UD)
		return;
	mutex_lock(&pod->members_lock);
	list_for_each_entry_safe(member, next, &pod->members, node) {
		if (member->jetty != jetty)
			continue;
		list_del(&member->node);
		kfree(member);
	}
	mutex_unlock(&pod->members_lock);
}

/**
 * ub_mcast_members - who is in a group
 * @pod:	the pod
 * @gid:	of the group
 * @nr:		how many
 *
 * Return: them, each with a reference, in an array to be freed; NULL: nobody, or no
 * memory, when the datagram is lost for all.
 */
struct ub_jetty **ub_mcast_members(struct ub_pod *pod, const u8 *gid, u32 *nr)
{
	struct ub_jetty **list = NULL;
	struct ub_member *member;
	u32 i = 0;

	*nr = 0;
	mutex_lock(&pod->members_lock);
	list_for_each_entry(member, &pod->members, node)
		*nr += !memcmp(member->gid, gid, UB_EID_LEN);
	if (*nr)
		list = kmalloc_array(*nr, sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!list) {
		*nr = 0;
		goto out;
	}
	list_for_each_entry(member, &pod->members, node) {
		if (memcmp(member->gid, gid, UB_EID_LEN))
			continue;
		refcount_inc(&member->jetty->ref);
		list[i++] = member->jetty;
	}
out:
	mutex_unlock(&pod->members_lock);
	return list;
}
