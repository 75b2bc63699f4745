// SPDX-License-Identifier: GPL-2.0
/*
 * Jetties: life and state.
 *
 * Whoever finds a jetty by its number holds it until a reference is put; its owner
 * takes it out of sight, stops its send queue, and waits for the references, each of
 * which lasts one chunk. A jetty that fails is in ERR at once, for its peers too; what
 * it has queued completes as flushed by whoever executes it next.
 */
#include <linux/slab.h>

#include "execute.h"

#define UB_MAX_JETTY 0xffffff	/* 24 bits; 0 and 1 are special */

static atomic64_t ub_jetty_serial;

/* ---- looking up ------------------------------------------------------------------ */

struct ub_jetty *ub_jetty_find(struct ub_engine *engine, u32 number)
{
	struct ub_jetty *jetty;

	xa_lock(&engine->jetties);
	jetty = xa_load(&engine->jetties, number);
	if (jetty)
		refcount_inc(&jetty->ref);
	xa_unlock(&engine->jetties);
	return jetty;
}

void ub_jetty_put(struct ub_jetty *jetty)
{
	if (refcount_dec_and_test(&jetty->ref))
		complete(&jetty->unused);
}

/* ---- failing ---------------------------------------------------------------------- */

void ub_jetty_event(struct ub_jetty *jetty, enum ub_jetty_event event)
{
	if (event != UB_JETTY_EVENT_NONE)
		jetty->ops->event(jetty, event);
}

static bool ub_jetty_set_failed(struct ub_jetty *jetty, enum ub_jetty_state to)
{
	bool failed;

	spin_lock(&jetty->lock);
	failed = jetty->attr.state > UB_JETTY_INIT && jetty->attr.state < UB_JETTY_SQE;
	if (to == UB_JETTY_ERR)
		failed |= jetty->attr.state == UB_JETTY_SQE || jetty->attr.state == UB_JETTY_INIT;
	if (failed) {
		set_bit(UB_JETTY_FLUSH, &jetty->flags);
		smp_store_release(&jetty->attr.state, to);
	}
	spin_unlock(&jetty->lock);
	return failed;
}

/* By its executor: the others than RC can go on receiving. */
void ub_jetty_fail(struct ub_jetty *jetty)
{
	ub_jetty_set_failed(jetty, jetty->type == UB_JETTY_RC ? UB_JETTY_ERR : UB_JETTY_SQE);
}

void ub_jetty_fail_target(struct ub_jetty *jetty, enum ub_jetty_event event)
{
	if (!ub_jetty_set_failed(jetty, UB_JETTY_ERR))
		return;
	ub_jetty_event(jetty, event);
	ub_engine_queue(jetty);
}

/* ---- making ------------------------------------------------------------------------ */

static int ub_jetty_init_queues(struct ub_jetty *jetty, const struct ub_jetty_desc *desc)
{
	int ret;

	if (desc->send_sge > UB_MAX_SGE || desc->inline_length > UB_MAX_INLINE ||
	    !desc->send_entries)
		return -EINVAL;
	jetty->exec = kzalloc(sizeof(*jetty->exec), GFP_KERNEL_ACCOUNT);
	if (!jetty->exec)
		return -ENOMEM;
	ret = ub_ring_create(&jetty->sq, desc->send_entries,
			     ub_jetty_sq_stride(desc->send_sge, desc->inline_length));
	if (ret)
		goto err_exec;
	if (desc->jfr) {
		jetty->jfr = desc->jfr;
		return 0;
	}
	ret = ub_jfr_init(&jetty->own_jfr, NULL, desc->recv_entries, desc->recv_sge);
	if (ret)
		goto err_sq;
	jetty->jfr = &jetty->own_jfr;
	jetty->own_jfr.owner = jetty;
	return 0;

err_sq:
	ub_ring_destroy(&jetty->sq);
err_exec:
	kfree(jetty->exec);
	return ret;
}

static void ub_jetty_exit_queues(struct ub_jetty *jetty)
{
	if (jetty->jfr == &jetty->own_jfr)
		ub_jfr_exit(&jetty->own_jfr);
	ub_ring_set_dead(&jetty->sq);
	ub_ring_destroy(&jetty->sq);
	kfree(jetty->exec);
}

static int ub_jetty_publish(struct ub_jetty *jetty, u32 number)
{
	struct ub_engine *engine = jetty->engine;
	int ret;

	if (number) {
		jetty->number = number;
		ret = xa_insert(&engine->jetties, number, jetty, GFP_KERNEL_ACCOUNT);
		return ret == -EBUSY ? -EEXIST : ret;
	}
	/* Reserved first: who finds it finds its number. */
	ret = xa_alloc_cyclic(&engine->jetties, &jetty->number, NULL,
			      XA_LIMIT(2, UB_MAX_JETTY), &engine->next_jetty,
			      GFP_KERNEL_ACCOUNT);
	if (ret < 0)
		return ret == -EBUSY ? -ENOSPC : ret;
	xa_store(&engine->jetties, jetty->number, jetty, GFP_KERNEL_ACCOUNT);
	return 0;
}

int ub_jetty_init(struct ub_jetty *jetty, const struct ub_jetty_desc *desc)
{
	int ret;

	refcount_set(&jetty->ref, 1);
	init_completion(&jetty->unused);
	jetty->engine = desc->engine;
	jetty->ops = desc->ops;
	jetty->type = desc->type;
	jetty->serial = atomic64_inc_return(&ub_jetty_serial);
	jetty->kernel = desc->kernel;
	jetty->signal_all = desc->signal_all;
	jetty->pd = desc->pd;
	jetty->send_jfc = desc->send_jfc;
	jetty->recv_jfc = desc->recv_jfc;
	jetty->send_sge = desc->send_sge;
	jetty->inline_length = desc->inline_length;
	spin_lock_init(&jetty->lock);
	INIT_LIST_HEAD(&jetty->ready);
	INIT_LIST_HEAD(&jetty->starved);
	timerqueue_init(&jetty->waiting);
	ret = ub_jetty_init_queues(jetty, desc);
	if (ret)
		return ret;
	ret = ub_jetty_publish(jetty, desc->number);
	if (ret)
		ub_jetty_exit_queues(jetty);
	return ret;
}
EXPORT_SYMBOL_GPL(ub_jetty_init);

/* Forgets everything that is in progress. By the busy bit. */
static void ub_jetty_drop(struct ub_jetty *jetty)
{
	jetty->exec->loaded = false;
	jetty->exec->waiting = false;
	jetty->exec->claimed = false;
	ub_jfr_leave(jetty);
	ub_engine_forget(jetty);
}

void ub_jetty_destroy(struct ub_jetty *jetty)
{
	xa_erase(&jetty->engine->jetties, jetty->number);
	ub_mcast_leave_all(jetty);
	spin_lock(&jetty->lock);
	WRITE_ONCE(jetty->attr.state, UB_JETTY_RESET);
	jetty->recv.active = false;
	spin_unlock(&jetty->lock);

	/* Kept for good: nobody executes it any more. */
	ub_jetty_stop(jetty);
	ub_jetty_drop(jetty);
	ub_jetty_put(jetty);
	wait_for_completion(&jetty->unused);
	/* Who held it last may have queued it, or made it starve no more. */
	ub_jetty_exit_queues(jetty);
}
EXPORT_SYMBOL_GPL(ub_jetty_destroy);

/* ---- attributes ------------------------------------------------------------------------ */

#define UB_COPY_ATTR(_bit, _field) do {			\
	if (mask & (_bit))				\
		WRITE_ONCE(jetty->attr._field, attr->_field);	\
} while (0)

/* Under jetty->lock. The state comes last: what it needs is there. */
static void ub_jetty_set(struct ub_jetty *jetty, const struct ub_jetty_attr *attr, u32 mask)
{
	UB_COPY_ATTR(UB_ATTR_ACCESS, access);
	UB_COPY_ATTR(UB_ATTR_PEER, peer_npu);
	UB_COPY_ATTR(UB_ATTR_PEER, peer_jetty);
	UB_COPY_ATTR(UB_ATTR_MTU, mtu);
	UB_COPY_ATTR(UB_ATTR_TX_PSN, tx_psn);
	UB_COPY_ATTR(UB_ATTR_RX_PSN, rx_psn);
	UB_COPY_ATTR(UB_ATTR_QKEY, qkey);
	UB_COPY_ATTR(UB_ATTR_TIMEOUT, timeout);
	UB_COPY_ATTR(UB_ATTR_RETRY, retry);
	UB_COPY_ATTR(UB_ATTR_RNR_RETRY, rnr_retry);
	UB_COPY_ATTR(UB_ATTR_RNR_TIMER, rnr_timer);
	if (mask & UB_ATTR_NOTIFY_DRAINED)
		jetty->notify_drained = true;
	if (!(mask & UB_ATTR_STATE))
		return;
	if (attr->state == UB_JETTY_ERR)
		set_bit(UB_JETTY_FLUSH, &jetty->flags);
	smp_store_release(&jetty->attr.state, attr->state);
}

/*
 * Nothing is queued, nothing is in progress: not even a chunk that a peer had begun,
 * for receives are the user's again, who is not told of each.
 */
static void ub_jetty_reset(struct ub_jetty *jetty)
{
	synchronize_srcu_expedited(&ub_txn_srcu);
	ub_jetty_stop(jetty);
	ub_jetty_drop(jetty);
	ub_sq_empty(jetty);
	if (jetty->jfr == &jetty->own_jfr)
		ub_jfr_reset(&jetty->own_jfr);
	spin_lock(&jetty->lock);
	jetty->recv.active = false;
	jetty->last_told = false;
	jetty->notify_drained = false;
	jetty->attr = (struct ub_jetty_attr){ .state = UB_JETTY_RESET };
	spin_unlock(&jetty->lock);
	clear_bit(UB_JETTY_ESTABLISHED, &jetty->flags);
	ub_jetty_release(jetty);
}

int ub_jetty_modify(struct ub_jetty *jetty, const struct ub_jetty_attr *attr, u32 mask)
{
	u64 budget = ub_engine_budget();

	if (mask & UB_ATTR_MTU && (!is_power_of_2(attr->mtu) || attr->mtu > UB_MAX_MTU))
		return -EINVAL;
	spin_lock(&jetty->lock);
	ub_jetty_set(jetty, attr, mask);
	spin_unlock(&jetty->lock);
	if (!(mask & UB_ATTR_STATE))
		return 0;
	switch (attr->state) {
	case UB_JETTY_RESET:
		ub_jetty_reset(jetty);
		break;
	case UB_JETTY_RTS:
	case UB_JETTY_SQD:
	case UB_JETTY_SQE:
	case UB_JETTY_ERR:
		/* Executes, drains or flushes. */
		if (jetty->kernel)
			ub_engine_queue(jetty);
		else
			ub_jetty_run(jetty, &budget);
		break;
	default:
		break;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(ub_jetty_modify);

void ub_jetty_query(struct ub_jetty *jetty, struct ub_jetty_attr *attr)
{
	spin_lock(&jetty->lock);
	*attr = jetty->attr;
	spin_unlock(&jetty->lock);
}
EXPORT_SYMBOL_GPL(ub_jetty_query);

/* ---- posting ----------------------------------------------------------------------------- */

void ub_jetty_doorbell(struct ub_jetty *jetty)
{
	u64 budget = ub_engine_budget();

	ub_jetty_run(jetty, &budget);
}
EXPORT_SYMBOL_GPL(ub_jetty_doorbell);

int ub_jetty_post(struct ub_jetty *jetty, const struct ub_sqe *sqe, const void *data, u32 bytes)
{
	struct ub_ring_head *head = jetty->sq.head;
	struct ub_sqe *entry;

	if (sizeof(*sqe) + bytes > jetty->sq.stride)
		return -EINVAL;
	if (head->producer - smp_load_acquire(&head->consumer) >= ub_ring_entries(&jetty->sq))
		return -ENOMEM;
	entry = ub_ring_entry(&jetty->sq, head->producer);
	*entry = *sqe;
	memcpy(entry + 1, data, bytes);
	smp_store_release(&head->producer, head->producer + 1);
	ub_engine_queue(jetty);
	return 0;
}
EXPORT_SYMBOL_GPL(ub_jetty_post);
