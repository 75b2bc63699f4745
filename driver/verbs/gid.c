// SPDX-License-Identifier: GPL-2.0
/*
 * Whose a GID is: a table of all pods' GIDs, fed by the core of InfiniBand, which makes
 * a GID of every address of a network interface.
 *
 * Targets are looked up here and nowhere else: neither ARP nor routes between
 * interfaces of one host say anything. A GID that two interfaces of a pod have, which
 * needs two network namespaces, is the one's that got it last.
 */
#include <linux/hashtable.h>
#include <linux/jhash.h>
#include <linux/slab.h>

#include "verbs.h"

struct ub_gid {
	struct hlist_node node;
	union ib_gid gid;
	struct ub_vdev *dev;
	struct rcu_head rcu;
};

static DEFINE_HASHTABLE(ub_gids, 8);
static DEFINE_SPINLOCK(ub_gids_lock);

static u32 ub_gid_hash(const union ib_gid *gid)
{
	return jhash(gid, sizeof(*gid), 0);
}

int ub_verbs_add_gid(const struct ib_gid_attr *attr, void **context)
{
	struct ub_gid *entry = kmalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry)
		return -ENOMEM;
	entry->gid = attr->gid;
	entry->dev = to_ub_vdev(attr->device);
	spin_lock(&ub_gids_lock);
	hash_add_rcu(ub_gids, &entry->node, ub_gid_hash(&entry->gid));
	spin_unlock(&ub_gids_lock);
	*context = entry;
	return 0;
}

int ub_verbs_del_gid(const struct ib_gid_attr *attr, void **context)
{
	struct ub_gid *entry = *context;

	if (!entry)
		return 0;
	spin_lock(&ub_gids_lock);
	hash_del_rcu(&entry->node);
	spin_unlock(&ub_gids_lock);
	kfree_rcu(entry, rcu);
	*context = NULL;
	return 0;
}

struct ub_vdev *ub_gid_find(const struct ub_vdev *dev, const union ib_gid *gid)
{
	struct ub_gid *entry;

	hash_for_each_possible_rcu(ub_gids, entry, node, ub_gid_hash(gid))
		if (entry->dev->npu->pod == dev->npu->pod &&
		    !memcmp(&entry->gid, gid, sizeof(*gid)))
			return entry->dev;
	return NULL;
}

int ub_gid_npu(const struct ub_vdev *dev, const union ib_gid *gid, u32 *npu)
{
	const struct ub_vdev *target;

	rcu_read_lock();
	target = ub_gid_find(dev, gid);
	if (target)
		*npu = target->npu->ubpu->index;
	rcu_read_unlock();
	return target ? 0 : -EHOSTUNREACH;
}
