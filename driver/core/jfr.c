// SPDX-License-Identifier: GPL-2.0
/*
 * Receives: a queue of room for messages, of one jetty or shared by many.
 *
 * A receive is claimed by one message, whole, under the queue's lock, and copied
 * before it is checked. Senders that find none are remembered and run as soon as
 * the process posts: it sees UB_RING_NEED_WAKEUP, or they see what it posted.
 */
#include <linux/slab.h>

#include "execute.h"

/*
 * Protects all lists of starved jetties and ub_jetty.starved_of, so that either side
 * may go first. Starving is rare. Inside of jfr->lock.
 */
static DEFINE_SPINLOCK(ub_starved_lock);

int ub_jfr_init(struct ub_jfr *jfr, const struct ub_jfr_ops *ops, u32 entries, u32 max_sge)
{
	jfr->ops = ops;
	jfr->owner = NULL;
	jfr->max_sge = max_sge;
	jfr->consumer = 0;
	jfr->limit = 0;
	jfr->ring.head = NULL;
	spin_lock_init(&jfr->lock);
	INIT_LIST_HEAD(&jfr->starved);
	if (max_sge > UB_MAX_SGE)
		return -EINVAL;
	return entries ? ub_ring_create(&jfr->ring, entries, ub_jfr_stride(max_sge)) : 0;
}
EXPORT_SYMBOL_GPL(ub_jfr_init);

void ub_jfr_exit(struct ub_jfr *jfr)
{
	struct ub_jetty *jetty, *next;
	unsigned long flags;

	/* Who starves goes on to be woken by the clock. */
	spin_lock_irqsave(&ub_starved_lock, flags);
	list_for_each_entry_safe(jetty, next, &jfr->starved, starved) {
		list_del_init(&jetty->starved);
		jetty->starved_of = NULL;
	}
	spin_unlock_irqrestore(&ub_starved_lock, flags);
	if (!jfr->ring.head)
		return;
	ub_ring_set_dead(&jfr->ring);
	ub_ring_destroy(&jfr->ring);
}
EXPORT_SYMBOL_GPL(ub_jfr_exit);

/* What the process has posted and nobody claimed; under jfr->lock. */
static u32 ub_jfr_posted(const struct ub_jfr *jfr)
{
	/* Pairs with the release by which the process posts. */
	return smp_load_acquire(&jfr->ring.head->producer) - jfr->consumer;
}

/* Copies the next receive. Whatever it says, it is one, and fits into @copy. */
static void ub_jfr_copy(const struct ub_jfr *jfr, struct ub_recv_copy *copy)
{
	const struct ub_rqe *entry = ub_ring_entry(&jfr->ring, jfr->consumer);
	u32 i;

	memcpy(&copy->rqe, entry, sizeof(*entry));
	copy->bad = copy->rqe.nr_sge > jfr->max_sge || copy->rqe.reserved;
	if (copy->bad)
		copy->rqe.nr_sge = 0;
	memcpy(copy->sge, entry + 1, copy->rqe.nr_sge * sizeof(copy->sge[0]));
	copy->room = 0;
	for (i = 0; i < copy->rqe.nr_sge; i++)
		copy->room += copy->sge[i].length;
}

/* Under jfr->lock. True: the limit was reached. */
static bool ub_jfr_consume(struct ub_jfr *jfr, u32 posted)
{
	jfr->consumer++;
	/* Pairs with the acquire by which the process looks for a place. */
	smp_store_release(&jfr->ring.head->consumer, jfr->consumer);
	if (posted - 1 >= jfr->limit)
		return false;
	jfr->limit = 0;
	return true;
}

/* Under jfr->lock. @sender waits for the next post, unless one came just now. */
static bool ub_jfr_starve(struct ub_jfr *jfr, struct ub_jetty *sender)
{
	struct ub_ring_head *head = jfr->ring.head;

	WRITE_ONCE(head->flags, head->flags | UB_RING_NEED_WAKEUP);
	/* Pairs with the barrier after the process posts. */
	smp_mb();
	if (ub_jfr_posted(jfr))
		return false;
	if (!sender)
		return true;
	spin_lock(&ub_starved_lock);
	list_move_tail(&sender->starved, &jfr->starved);
	sender->starved_of = jfr;
	spin_unlock(&ub_starved_lock);
	return true;
}

/**
 * ub_jfr_claim - take the next receive for a message
 * @jfr:	where
 * @sender:	is run when there is one again; NULL: it does not wait
 * @room:	take it only if it has room for so many bytes
 * @copy:	the receive
 *
 * Return: 0; -EAGAIN there is none; -EMSGSIZE it has no room; -EPROTO the indices
 * make no sense.
 */
int ub_jfr_claim(struct ub_jfr *jfr, struct ub_jetty *sender, u64 room,
		 struct ub_recv_copy *copy)
{
	bool limit = false;
	unsigned long flags;
	int ret = 0;
	u32 posted;

	if (!jfr->ring.head)
		return -EAGAIN;
	spin_lock_irqsave(&jfr->lock, flags);
	posted = ub_jfr_posted(jfr);
	if (!posted && ub_jfr_starve(jfr, sender)) {
		ret = -EAGAIN;
		goto out;
	}
	posted = ub_jfr_posted(jfr);
	if (posted > ub_ring_entries(&jfr->ring)) {
		ret = -EPROTO;
		goto out;
	}
	ub_jfr_copy(jfr, copy);
	if (copy->room < room)
		ret = -EMSGSIZE;
	else
		limit = ub_jfr_consume(jfr, posted);
out:
	spin_unlock_irqrestore(&jfr->lock, flags);
	if (limit && jfr->ops)
		jfr->ops->limit(jfr);
	return ret;
}

/* @sender does not wait for a receive any more. */
void ub_jfr_leave(struct ub_jetty *sender)
{
	unsigned long flags;

	spin_lock_irqsave(&ub_starved_lock, flags);
	list_del_init(&sender->starved);
	sender->starved_of = NULL;
	spin_unlock_irqrestore(&ub_starved_lock, flags);
}

/*
 * Who starves and may run, as there is a receive: with a reference. NULL: nobody, and
 * if some go on starving, the next post is told of too. One that finds no receive after
 * all starves anew, so who wakes them one by one comes to an end.
 */
static struct ub_jetty *ub_jfr_next_starved(struct ub_jfr *jfr)
{
	struct ub_ring_head *head = jfr->ring.head;
	struct ub_jetty *jetty;
	unsigned long flags;

	spin_lock_irqsave(&jfr->lock, flags);
	spin_lock(&ub_starved_lock);
	jetty = list_first_entry_or_null(&jfr->starved, struct ub_jetty, starved);
	if (!jetty) {
		WRITE_ONCE(head->flags, head->flags & ~UB_RING_NEED_WAKEUP);
		goto out;
	}
	WRITE_ONCE(head->flags, head->flags | UB_RING_NEED_WAKEUP);
	/* Pairs with the barrier after the process posts. */
	smp_mb();
	if (!ub_jfr_posted(jfr)) {
		jetty = NULL;
		goto out;
	}
	list_del_init(&jetty->starved);
	jetty->starved_of = NULL;
	refcount_inc(&jetty->ref); /* it leaves the list before it ends */
out:
	spin_unlock(&ub_starved_lock);
	spin_unlock_irqrestore(&jfr->lock, flags);
	return jetty;
}

/*
 * The caller executes what starved: a worker might not get a processor while sender
 * and receiver poll.
 */
void ub_jfr_doorbell(struct ub_jfr *jfr)
{
	u64 budget = ub_engine_budget();
	struct ub_jetty *jetty;

	if (!jfr->ring.head)
		return;
	if (jfr->owner && READ_ONCE(jfr->owner->attr.state) == UB_JETTY_ERR) {
		set_bit(UB_JETTY_FLUSH, &jfr->owner->flags);
		ub_jetty_run(jfr->owner, &budget); /* they are flushed */
		return;
	}
	while ((jetty = ub_jfr_next_starved(jfr))) {
		ub_jetty_wake(jetty);
		ub_jetty_run(jetty, &budget);
		ub_jetty_put(jetty);
	}
}
EXPORT_SYMBOL_GPL(ub_jfr_doorbell);

/* Under no lock: empties the queue for a jetty that is reset. */
void ub_jfr_reset(struct ub_jfr *jfr)
{
	unsigned long flags;

	if (!jfr->ring.head)
		return;
	spin_lock_irqsave(&jfr->lock, flags);
	jfr->consumer = READ_ONCE(jfr->ring.head->producer);
	WRITE_ONCE(jfr->ring.head->consumer, jfr->consumer);
	WRITE_ONCE(jfr->ring.head->flags, 0);
	spin_unlock_irqrestore(&jfr->lock, flags);
}

void ub_jfr_set_limit(struct ub_jfr *jfr, u32 limit)
{
	bool reached = false;
	unsigned long flags;

	spin_lock_irqsave(&jfr->lock, flags);
	jfr->limit = limit;
	if (jfr->ring.head && ub_jfr_posted(jfr) < limit) {
		jfr->limit = 0;
		reached = true;
	}
	spin_unlock_irqrestore(&jfr->lock, flags);
	if (reached && jfr->ops)
		jfr->ops->limit(jfr);
}
EXPORT_SYMBOL_GPL(ub_jfr_set_limit);

u32 ub_jfr_limit(struct ub_jfr *jfr)
{
	return READ_ONCE(jfr->limit);
}
EXPORT_SYMBOL_GPL(ub_jfr_limit);

int ub_jfr_post(struct ub_jfr *jfr, u64 wr_id, const struct ub_sge *sge, u32 nr_sge)
{
	struct ub_ring_head *head = jfr->ring.head;
	struct ub_rqe *entry;

	if (nr_sge > jfr->max_sge)
		return -EINVAL;
	if (!head || head->producer - smp_load_acquire(&head->consumer) >=
		     ub_ring_entries(&jfr->ring))
		return -ENOMEM;
	entry = ub_ring_entry(&jfr->ring, head->producer);
	entry->wr_id = wr_id;
	entry->nr_sge = nr_sge;
	entry->reserved = 0;
	memcpy(entry + 1, sge, nr_sge * sizeof(*sge));
	smp_store_release(&head->producer, head->producer + 1);
	/* Pairs with the barrier in ub_jfr_starve(). */
	smp_mb();
	if (READ_ONCE(head->flags) & UB_RING_NEED_WAKEUP)
		ub_jfr_wake_starved(jfr);
	return 0;
}
EXPORT_SYMBOL_GPL(ub_jfr_post);

/* For posters that may not execute: a worker does. One receive wakes one. */
void ub_jfr_wake_starved(struct ub_jfr *jfr)
{
	struct ub_jetty *jetty = ub_jfr_next_starved(jfr);

	if (!jetty)
		return;
	ub_jetty_wake(jetty);
	ub_engine_queue(jetty);
	ub_jetty_put(jetty);
}
