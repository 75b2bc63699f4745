// SPDX-License-Identifier: GPL-2.0
/*
 * Address handles: where datagrams go. A request names one by its number; what it
 * says is copied for the request, so it may be destroyed at any time.
 */
#include <linux/slab.h>

#include "execute.h"

struct ub_ah {
	struct rcu_head rcu;
	struct ub_ah_desc desc;
};

int ub_ah_create(struct ub_engine *engine, const struct ub_ah_desc *desc, gfp_t gfp,
		 u32 *number)
{
	unsigned long flags;
	struct ub_ah *ah;
	int ret;

	ah = kmalloc(sizeof(*ah), gfp | __GFP_ACCOUNT);
	if (!ah)
		return -ENOMEM;
	ah->desc = *desc;
	/* Kernel users make them under spinlocks. */
	xa_lock_irqsave(&engine->ahs, flags);
	ret = __xa_alloc(&engine->ahs, number, ah, XA_LIMIT(1, 0xffffff), GFP_ATOMIC);
	xa_unlock_irqrestore(&engine->ahs, flags);
	if (ret)
		kfree(ah);
	return ret == -EBUSY ? -ENOSPC : ret;
}
EXPORT_SYMBOL_GPL(ub_ah_create);

void ub_ah_destroy(struct ub_engine *engine, u32 number)
{
	unsigned long flags;
	struct ub_ah *ah;

	xa_lock_irqsave(&engine->ahs, flags);
	ah = __xa_erase(&engine->ahs, number);
	xa_unlock_irqrestore(&engine->ahs, flags);
	if (ah)
		kfree_rcu(ah, rcu);
}
EXPORT_SYMBOL_GPL(ub_ah_destroy);

/* Copies what it says. -ENOENT: there is none. */
int ub_ah_read(struct ub_engine *engine, u32 number, struct ub_ah_desc *desc)
{
	const struct ub_ah *ah;

	rcu_read_lock();
	ah = xa_load(&engine->ahs, number);
	if (ah)
		*desc = ah->desc;
	rcu_read_unlock();
	return ah ? 0 : -ENOENT;
}
