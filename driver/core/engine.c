// SPDX-License-Identifier: GPL-2.0
/*
 * The engine of an NPU: which jetties shall run, and when.
 *
 * A jetty with work that nobody executes is in exactly one of two places: ready, for
 * the worker or a poller; or waiting, for the clock. Either holds a reference. Ready
 * ones are announced to who polls their completions (UB_RING_BACKLOG): where pollers
 * own all processors, a worker alone would have to wait for its turn.
 */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "execute.h"

static unsigned int doorbell_budget_kib = 1024;
module_param(doorbell_budget_kib, uint, 0644);
MODULE_PARM_DESC(doorbell_budget_kib,
		 "KiB that a doorbell executes before the worker takes over");

static struct workqueue_struct *ub_engine_wq;

u64 ub_engine_budget(void)
{
	return max_t(u64, (u64)READ_ONCE(doorbell_budget_kib) << 10, UB_TXN_CHUNK);
}

/* Under engine->lock. True: it was not ready before, and a reference is due. */
static bool ub_engine_add_ready(struct ub_jetty *jetty)
{
	if (!list_empty(&jetty->ready))
		return false;
	list_add_tail(&jetty->ready, &jetty->engine->ready);
	return true;
}

void ub_engine_queue(struct ub_jetty *jetty)
{
	struct ub_engine *engine = jetty->engine;
	unsigned long flags;
	bool added;

	spin_lock_irqsave(&engine->lock, flags);
	added = ub_engine_add_ready(jetty);
	if (added)
		refcount_inc(&jetty->ref);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (!added)
		return;
	ub_engine_bump(engine, UB_CTR_BACKLOG);
	ub_jfc_count_backlog(jetty->send_jfc, 1);
	queue_work(ub_engine_wq, &engine->work);
}

struct ub_jetty *ub_engine_take_ready(struct ub_engine *engine, const struct ub_jfc *jfc)
{
	struct ub_jetty *jetty, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	list_for_each_entry(jetty, &engine->ready, ready) {
		if (jfc && jetty->send_jfc != jfc)
			continue;
		list_del_init(&jetty->ready);
		found = jetty;
		break;
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	if (found)
		ub_jfc_count_backlog(found->send_jfc, -1);
	return found;
}

static void ub_engine_work(struct work_struct *work)
{
	struct ub_engine *engine = container_of(work, struct ub_engine, work);
	struct ub_jetty *jetty;
	u64 budget;

	while ((jetty = ub_engine_take_ready(engine, NULL))) {
		budget = ub_engine_budget();
		ub_jetty_run(jetty, &budget);
		ub_jetty_put(jetty);
		cond_resched();
	}
}

/* ---- the clock ------------------------------------------------------------- */

/* Under engine->lock. Sets the timer for the first that waits. */
static void ub_engine_set_timer(struct ub_engine *engine)
{
	struct timerqueue_node *first = timerqueue_getnext(&engine->waiting);

	if (first)
		hrtimer_start(&engine->timer, first->expires, HRTIMER_MODE_ABS);
}

void ub_engine_wait(struct ub_jetty *jetty, ktime_t when)
{
	struct ub_engine *engine = jetty->engine;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (jetty->is_waiting)
		timerqueue_del(&engine->waiting, &jetty->waiting);
	else
		refcount_inc(&jetty->ref);
	jetty->is_waiting = true;
	jetty->waiting.expires = when;
	if (timerqueue_add(&engine->waiting, &jetty->waiting))
		ub_engine_set_timer(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
}

/*
 * Under engine->lock: from waiting to ready, along with the reference. False: it was
 * ready too, so a reference is left over.
 */
static bool ub_engine_move(struct ub_jetty *jetty)
{
	timerqueue_del(&jetty->engine->waiting, &jetty->waiting);
	jetty->is_waiting = false;
	return ub_engine_add_ready(jetty);
}

/*
 * Makes ready the first one that has waited until @now; with an extra reference, for
 * what is left to do without the lock. NULL: nobody has.
 */
static struct ub_jetty *ub_engine_expire(struct ub_engine *engine, ktime_t now, bool *added)
{
	struct timerqueue_node *node;
	struct ub_jetty *jetty = NULL;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	node = timerqueue_getnext(&engine->waiting);
	if (node && node->expires <= now) {
		jetty = container_of(node, struct ub_jetty, waiting);
		refcount_inc(&jetty->ref);
		*added = ub_engine_move(jetty);
	}
	spin_unlock_irqrestore(&engine->lock, flags);
	return jetty;
}

/* Ready are all that have waited until @now. Any context. */
static void ub_engine_expire_all(struct ub_engine *engine, ktime_t now, bool wake)
{
	struct ub_jetty *jetty;
	bool added, any = false;

	while ((jetty = ub_engine_expire(engine, now, &added))) {
		if (wake)
			ub_jetty_wake(jetty);
		if (added)
			ub_jfc_count_backlog(jetty->send_jfc, 1);
		else
			ub_jetty_put(jetty); /* the one of waiting */
		ub_jetty_put(jetty);
		any = true;
	}
	if (any)
		queue_work(ub_engine_wq, &engine->work);
}

static enum hrtimer_restart ub_engine_tick(struct hrtimer *timer)
{
	struct ub_engine *engine = container_of(timer, struct ub_engine, timer);
	unsigned long flags;

	ub_engine_expire_all(engine, ktime_get(), false);
	spin_lock_irqsave(&engine->lock, flags);
	ub_engine_set_timer(engine);
	spin_unlock_irqrestore(&engine->lock, flags);
	return HRTIMER_NORESTART; /* if it was set again, it runs */
}

void ub_engine_routes_changed(struct ub_pod *pod)
{
	struct ub_engine *engine;
	u32 i;

	for (i = 0; i < pod->nr_npus; i++) {
		engine = READ_ONCE(pod->ubpu[i].npu->engine);
		if (engine)
			ub_engine_expire_all(engine, KTIME_MAX, true);
	}
}

void ub_engine_forget(struct ub_jetty *jetty)
{
	struct ub_engine *engine = jetty->engine;
	bool waited, ready;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	waited = jetty->is_waiting;
	if (waited)
		timerqueue_del(&engine->waiting, &jetty->waiting);
	jetty->is_waiting = false;
	ready = !list_empty(&jetty->ready);
	list_del_init(&jetty->ready);
	spin_unlock_irqrestore(&engine->lock, flags);
	if (ready) {
		ub_jfc_count_backlog(jetty->send_jfc, -1);
		ub_jetty_put(jetty);
	}
	if (waited)
		ub_jetty_put(jetty);
}

/* ---- life --------------------------------------------------------------------- */

static struct ub_engine *ub_engine_create(struct ub_npu *npu)
{
	struct ub_engine *engine;

	engine = kzalloc(sizeof(*engine), GFP_KERNEL_ACCOUNT);
	if (!engine)
		return NULL;
	engine->npu = npu;
	xa_init_flags(&engine->jetties, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	xa_init_flags(&engine->tsegs, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	xa_init_flags(&engine->ahs, XA_FLAGS_ALLOC | XA_FLAGS_LOCK_IRQ);
	engine->next_jetty = 2;
	mutex_init(&engine->windows);
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->ready);
	timerqueue_init_head(&engine->waiting);
	ub_hrtimer_setup(&engine->timer, ub_engine_tick, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	INIT_WORK(&engine->work, ub_engine_work);
	return engine;
}

struct ub_engine *ub_engine_of(struct ub_npu *npu)
{
	struct ub_engine *engine = READ_ONCE(npu->engine);
	struct ub_engine *old;

	if (engine)
		return engine;
	engine = ub_engine_create(npu);
	if (!engine)
		return NULL;
	/* Pairs with the READ_ONCE() of who looks for it: it is complete. */
	old = cmpxchg(&npu->engine, NULL, engine);
	if (!old)
		return engine;
	ub_engine_free(engine);
	return old;
}
EXPORT_SYMBOL_GPL(ub_engine_of);

/* With its NPU: it has no jetty and no region any more. */
void ub_engine_free(struct ub_engine *engine)
{
	if (!engine)
		return;
	hrtimer_cancel(&engine->timer);
	cancel_work_sync(&engine->work);
	WARN_ON(!xa_empty(&engine->jetties) || !xa_empty(&engine->tsegs));
	xa_destroy(&engine->jetties);
	xa_destroy(&engine->tsegs);
	xa_destroy(&engine->ahs);
	kfree(engine);
}

int ub_engines_init(void)
{
	ub_engine_wq = alloc_workqueue("ub_engine", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return ub_engine_wq ? 0 : -ENOMEM;
}

void ub_engines_exit(void)
{
	destroy_workqueue(ub_engine_wq);
}
