// SPDX-License-Identifier: GPL-2.0
/*
 * Completions: publishing, waking who waits, and the rest that pollers may run.
 *
 * A completion is published whole, in order, and never twice. One that finds no
 * place breaks the queue for good: nothing is ever overwritten. The process owns the
 * consumer index, so the worst that a wrong one does is to break its own queue.
 */
#include <linux/ktime.h>

#include "execute.h"

int ub_jfc_init(struct ub_jfc *jfc, struct ub_engine *engine,
		const struct ub_jfc_ops *ops, u32 entries)
{
	BUILD_BUG_ON(sizeof(struct ub_cqe) != UB_RING_STRIDE);
	jfc->engine = engine;
	jfc->ops = ops;
	spin_lock_init(&jfc->lock);
	jfc->producer = 0;
	jfc->backlog = 0;
	jfc->broken = false;
	return ub_ring_create(&jfc->ring, entries, sizeof(struct ub_cqe));
}
EXPORT_SYMBOL_GPL(ub_jfc_init);

void ub_jfc_exit(struct ub_jfc *jfc)
{
	ub_ring_set_dead(&jfc->ring);
	ub_ring_destroy(&jfc->ring);
}
EXPORT_SYMBOL_GPL(ub_jfc_exit);

/* Under jfc->lock. False: there is no place. */
static bool ub_jfc_store(struct ub_jfc *jfc, const struct ub_cqe *cqe)
{
	struct ub_ring_head *head = jfc->ring.head;
	/* Pairs with the release by which the process returns a place. */
	u32 used = jfc->producer - smp_load_acquire(&head->consumer);

	if (used >= ub_ring_entries(&jfc->ring)) {
		jfc->broken = true;
		WRITE_ONCE(head->flags, head->flags | UB_RING_OVERFLOW);
		return false;
	}
	*(struct ub_cqe *)ub_ring_entry(&jfc->ring, jfc->producer) = *cqe;
	jfc->producer++;
	/* Pairs with the acquire by which the process looks for completions. */
	smp_store_release(&head->producer, jfc->producer);
	return true;
}

/* Under jfc->lock, after a completion was stored: was it waited for? */
static bool ub_jfc_disarm(struct ub_jfc *jfc, bool solicited)
{
	struct ub_ring_head *head = jfc->ring.head;
	u32 arm;

	/*
	 * Pairs with the barrier after the process arms: it sees the completion, or
	 * we see that it is armed.
	 */
	smp_mb();
	arm = READ_ONCE(head->arm);
	if (arm != UB_ARM_ANY && !(arm == UB_ARM_SOLICITED && solicited))
		return false;
	/* If it changes now, the process has yet to look once more. */
	return cmpxchg(&head->arm, arm, UB_ARM_NONE) == arm;
}

/**
 * ub_jfc_publish - complete a request
 * @jfc:	where
 * @cqe:	the completion
 * @solicited:	wakes also who waits for solicited ones only; errors always do
 *
 * Under no lock.
 *
 * Return: false if the queue is broken.
 */
bool ub_jfc_publish(struct ub_jfc *jfc, struct ub_cqe *cqe, bool solicited)
{
	bool stored = false, notify = false, was_broken;
	unsigned long flags;

	if (jfc->timestamps)
		cqe->time_ns = ktime_get_raw_ns();
	spin_lock_irqsave(&jfc->lock, flags);
	was_broken = jfc->broken;
	if (!was_broken)
		stored = ub_jfc_store(jfc, cqe);
	if (stored)
		notify = ub_jfc_disarm(jfc, solicited || cqe->status);
	spin_unlock_irqrestore(&jfc->lock, flags);

	if (notify)
		jfc->ops->notify(jfc);
	else if (!stored && !was_broken)
		jfc->ops->overflow(jfc);
	return stored;
}

int ub_jfc_resize(struct ub_jfc *jfc, u32 entries, struct ub_ring *old)
{
	struct ub_ring ring;
	unsigned long flags;
	u32 i, consumer;
	int ret;

	ret = ub_ring_create(&ring, entries, sizeof(struct ub_cqe));
	if (ret)
		return ret;
	spin_lock_irqsave(&jfc->lock, flags);
	consumer = smp_load_acquire(&jfc->ring.head->consumer);
	if (jfc->broken || jfc->producer - consumer > ub_ring_entries(&ring)) {
		spin_unlock_irqrestore(&jfc->lock, flags);
		ub_ring_destroy(&ring);
		return -EINVAL;
	}
	/* Indices go on, so the process need not change its own. */
	for (i = consumer; i != jfc->producer; i++)
		memcpy(ub_ring_entry(&ring, i), ub_ring_entry(&jfc->ring, i),
		       sizeof(struct ub_cqe));
	ring.head->producer = jfc->producer;
	ring.head->consumer = consumer;
	ring.head->arm = READ_ONCE(jfc->ring.head->arm);
	ring.head->flags = jfc->ring.head->flags;
	*old = jfc->ring;
	jfc->ring = ring;
	spin_unlock_irqrestore(&jfc->lock, flags);
	return 0;
}
EXPORT_SYMBOL_GPL(ub_jfc_resize);

bool ub_jfc_take(struct ub_jfc *jfc, struct ub_cqe *cqe)
{
	struct ub_ring_head *head = jfc->ring.head;
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&jfc->lock, flags);
	taken = head->consumer != jfc->producer;
	if (taken) {
		*cqe = *(struct ub_cqe *)ub_ring_entry(&jfc->ring, head->consumer);
		smp_store_release(&head->consumer, head->consumer + 1);
	}
	spin_unlock_irqrestore(&jfc->lock, flags);
	return taken;
}
EXPORT_SYMBOL_GPL(ub_jfc_take);

bool ub_jfc_arm(struct ub_jfc *jfc, u32 arm)
{
	struct ub_ring_head *head = jfc->ring.head;
	unsigned long flags;
	bool pending;

	spin_lock_irqsave(&jfc->lock, flags);
	/* As a process would: solicited only never takes back any. */
	if (arm > READ_ONCE(head->arm))
		WRITE_ONCE(head->arm, arm);
	pending = head->consumer != jfc->producer;
	spin_unlock_irqrestore(&jfc->lock, flags);
	return pending;
}
EXPORT_SYMBOL_GPL(ub_jfc_arm);

/* One send queue more (+1) or less (-1) has work that a poller may run. */
void ub_jfc_count_backlog(struct ub_jfc *jfc, int change)
{
	struct ub_ring_head *head;
	unsigned long flags;

	spin_lock_irqsave(&jfc->lock, flags);
	head = jfc->ring.head;
	jfc->backlog += change;
	if (jfc->backlog)
		WRITE_ONCE(head->flags, head->flags | UB_RING_BACKLOG);
	else
		WRITE_ONCE(head->flags, head->flags & ~UB_RING_BACKLOG);
	spin_unlock_irqrestore(&jfc->lock, flags);
}

/*
 * The poller does what the worker would, up to a budget, with what is ready now: one
 * that is ready again at once, as its time is so short, must not keep him.
 */
void ub_jfc_run_backlog(struct ub_jfc *jfc)
{
	u32 nr = READ_ONCE(jfc->backlog);
	u64 budget = ub_engine_budget();
	struct ub_jetty *jetty;

	while (budget && nr--) {
		jetty = ub_engine_take_ready(jfc->engine, jfc);
		if (!jetty)
			return;
		ub_jetty_run(jetty, &budget);
		ub_jetty_put(jetty);
	}
}
EXPORT_SYMBOL_GPL(ub_jfc_run_backlog);
