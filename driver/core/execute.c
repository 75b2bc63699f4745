// SPDX-License-Identifier: GPL-2.0
/*
 * The executor of a send queue: strictly in order, one at a time.
 *
 * Whoever rings the doorbell takes the busy bit and executes what is posted, in his
 * own time; who finds it taken leaves, for the holder looks again after giving it
 * back. So nothing is forgotten and nobody waits. Every chunk may be the last before
 * the jetty is stopped.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/wait_bit.h>

#include "execute.h"

/* What a request costs of a budget besides its bytes. */
#define UB_REQUEST_COST 256

/* ub_jetty_attr.rnr_retry that is no number. */
#define UB_FOR_EVER 7

/* A jetty without a timeout looks again after so long. */
#define UB_PATIENCE_NS (100 * NSEC_PER_MSEC)

/* ---- the busy bit ------------------------------------------------------------- */

static bool ub_jetty_take(struct ub_jetty *jetty)
{
	return !test_and_set_bit_lock(UB_JETTY_BUSY, &jetty->flags);
}

void ub_jetty_stop(struct ub_jetty *jetty)
{
	wait_on_bit_lock(&jetty->flags, UB_JETTY_BUSY, TASK_UNINTERRUPTIBLE);
}

void ub_jetty_release(struct ub_jetty *jetty)
{
	clear_bit_unlock(UB_JETTY_BUSY, &jetty->flags);
	/*
	 * Before we look for work again, and for who waits. Pairs with the atomic
	 * operation by which a doorbell finds the bit taken, after it posted.
	 */
	smp_mb__after_atomic();
	wake_up_bit(&jetty->flags, UB_JETTY_BUSY);
}

/* ---- the queue ------------------------------------------------------------------ */

static u32 ub_sq_posted(const struct ub_jetty *jetty)
{
	/* Pairs with the release by which the process posts. */
	return smp_load_acquire(&jetty->sq.head->producer) - READ_ONCE(jetty->sq_consumer);
}

static void ub_sq_consume(struct ub_jetty *jetty)
{
	WRITE_ONCE(jetty->sq_consumer, jetty->sq_consumer + 1);
	/* Pairs with the acquire by which the process looks for a place. */
	smp_store_release(&jetty->sq.head->consumer, jetty->sq_consumer);
	jetty->exec->loaded = false;
}

/* Forgets what is posted. */
void ub_sq_empty(struct ub_jetty *jetty)
{
	WRITE_ONCE(jetty->sq_consumer, READ_ONCE(jetty->sq.head->producer));
	WRITE_ONCE(jetty->sq.head->consumer, jetty->sq_consumer);
}

/* Copies the next request; how much depends on the copy only. */
static void ub_sq_copy(struct ub_jetty *jetty)
{
	const struct ub_sqe *entry = ub_ring_entry(&jetty->sq, jetty->sq_consumer);
	struct ub_exec *exec = jetty->exec;
	u32 bytes;

	memcpy(&exec->sqe, entry, sizeof(*entry));
	if (exec->sqe.flags & UB_SQE_INLINE)
		bytes = exec->sqe.inline_length;
	else
		bytes = exec->sqe.nr_sge * sizeof(struct ub_sge);
	bytes = min_t(u32, bytes, jetty->sq.stride - sizeof(*entry));
	memcpy(&exec->data, entry + 1, bytes);
}

static bool ub_sq_signaled(const struct ub_jetty *jetty)
{
	return jetty->signal_all || jetty->exec->sqe.flags & UB_SQE_SIGNALED;
}

/* The current request is over. */
static void ub_sq_complete(struct ub_jetty *jetty, enum ub_status_code status)
{
	struct ub_exec *exec = jetty->exec;
	struct ub_cqe cqe = {
		.wr_id = exec->sqe.wr_id,
		.status = status,
		.op = exec->sqe.op,
		.length = exec->length,
		.jetty = jetty->number,
		.vendor_error = status == UB_CR_SUCCESS ? 0 : exec->vendor_error,
	};
	bool told = true;

	ub_sq_consume(jetty);
	if (status != UB_CR_SUCCESS || ub_sq_signaled(jetty))
		told = ub_jfc_publish(jetty->send_jfc, &cqe, false);
	if (!told)
		ub_jetty_fail_target(jetty, UB_JETTY_EVENT_FATAL);
}

/* ---- the end of a jetty in error --------------------------------------------------- */

static void ub_flush_receive(struct ub_jetty *jetty, u64 wr_id)
{
	struct ub_cqe cqe = {
		.wr_id = wr_id,
		.status = UB_CR_FLUSH,
		.op = UB_CQE_RECV,
		.jetty = jetty->number,
	};

	ub_jfc_publish(jetty->recv_jfc, &cqe, false);
}

/* The message that was coming, then, unless others use the queue, what is posted. */
static void ub_flush_receives(struct ub_jetty *jetty)
{
	struct ub_recv_copy *copy = &jetty->exec->receive;
	bool last;
	u64 wr_id;

	if (ub_recv_take(jetty, &wr_id)) {
		/* Its memory is the user's again: no chunk may still be on its way there. */
		synchronize_srcu_expedited(&ub_txn_srcu);
		ub_flush_receive(jetty, wr_id);
	}
	if (jetty->jfr == &jetty->own_jfr) {
		while (!ub_jfr_claim(jetty->jfr, NULL, 0, copy))
			ub_flush_receive(jetty, copy->rqe.wr_id);
		return;
	}
	spin_lock(&jetty->lock);
	last = !jetty->last_told;
	jetty->last_told = true;
	spin_unlock(&jetty->lock);
	if (last)
		ub_jetty_event(jetty, UB_JETTY_EVENT_LAST_RECEIVE);
}

/* In ERR, or for the sends in SQE: all that is queued completes as flushed. */
static void ub_jetty_flush(struct ub_jetty *jetty, enum ub_jetty_state state, u64 *budget)
{
	struct ub_exec *exec = jetty->exec;

	clear_bit(UB_JETTY_FLUSH, &jetty->flags);
	ub_jfr_leave(jetty);
	exec->waiting = false;
	exec->length = 0;
	exec->vendor_error = 0;
	if (exec->loaded)
		ub_sq_complete(jetty, UB_CR_FLUSH);
	if (ub_sq_posted(jetty) > ub_ring_entries(&jetty->sq)) /* makes no sense */
		ub_sq_empty(jetty);
	while (*budget && ub_sq_posted(jetty)) {
		ub_sq_copy(jetty);
		ub_sq_complete(jetty, UB_CR_FLUSH);
		*budget -= min_t(u64, *budget, UB_REQUEST_COST);
	}
	if (state == UB_JETTY_ERR)
		ub_flush_receives(jetty);
}

/* ---- waiting ------------------------------------------------------------------------- */

/* IBTA, encoding of the RNR NAK timer field, in units of 10 us. */
static const u16 ub_rnr_time[32] = {
	65535, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192,
	256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192,
	12288, 16384, 24576, 32768, 49152,
};

static void ub_exec_wait(struct ub_jetty *jetty, u64 ns)
{
	struct ub_exec *exec = jetty->exec;

	WRITE_ONCE(exec->until, ktime_add_ns(ktime_get(), ns));
	WRITE_ONCE(exec->waiting, true);
	ub_engine_wait(jetty, exec->until);
}

/* Nobody answered: an expiry is due, unless the jetty waits for ever. */
static void ub_exec_no_answer(struct ub_jetty *jetty)
{
	u8 timeout = READ_ONCE(jetty->attr.timeout) & 31;

	jetty->exec->for_receive = false;
	/* IBTA: 4.096 us * 2^timeout. */
	ub_exec_wait(jetty, timeout ? 4096ULL << timeout : UB_PATIENCE_NS);
}

/* The target had no receive. False: that was once too often. */
static bool ub_exec_no_receive(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;

	if (!exec->rnr_left) {
		ub_jfr_leave(jetty);
		ub_engine_bump(jetty->engine, UB_CTR_RNR_EXCEEDED);
		return false;
	}
	exec->for_receive = true;
	ub_exec_wait(jetty, ub_rnr_time[exec->rnr_timer & 31] * 10ULL * NSEC_PER_USEC);
	return true;
}

enum ub_due { UB_DUE, UB_NOT_YET, UB_TOO_LATE };

/* Its time is over. False: that was once too often. */
static bool ub_exec_expire(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;

	if (exec->for_receive) {
		if (exec->rnr_left != UB_FOR_EVER)
			exec->rnr_left--;
		return true;
	}
	if (!READ_ONCE(jetty->attr.timeout))
		return true;
	ub_engine_bump(jetty->engine, UB_CTR_RETRY);
	if (!exec->retry_left)
		return false;
	exec->retry_left--;
	return true;
}

/* May the request be tried again? Who is woken has not waited in vain. */
static enum ub_due ub_exec_due(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;

	if (!exec->waiting)
		return UB_DUE;
	if (!test_and_clear_bit(UB_JETTY_WOKEN, &jetty->flags)) {
		if (ktime_before(ktime_get(), exec->until))
			return UB_NOT_YET;
		if (!ub_exec_expire(jetty))
			return UB_TOO_LATE;
	}
	WRITE_ONCE(exec->waiting, false);
	ub_jfr_leave(jetty);
	return UB_DUE;
}

static void ub_exec_refill(struct ub_jetty *jetty)
{
	jetty->exec->retry_left = READ_ONCE(jetty->attr.retry);
	jetty->exec->rnr_left = READ_ONCE(jetty->attr.rnr_retry);
}

/* ---- the loop ---------------------------------------------------------------------------- */

/* Why an executor stops. */
enum ub_pause {
	UB_IDLE,	/* nothing is posted */
	UB_BLOCKED,	/* by the state, or until the clock or a receive comes */
	UB_MORE,	/* there may be more to do */
};

/* The current request was refused, or nobody answers any more. */
static void ub_sq_fail(struct ub_jetty *jetty, enum ub_status_code status)
{
	ub_sq_complete(jetty, status);
	ub_jetty_fail(jetty);
}

/* Returns false if the executor has to stop. */
static bool ub_sq_judge(struct ub_jetty *jetty, enum ub_verdict verdict)
{
	struct ub_exec *exec = jetty->exec;

	switch (verdict) {
	case UB_GO_ON:
		ub_exec_refill(jetty);
		return true;
	case UB_DONE:
		ub_sq_complete(jetty, UB_CR_SUCCESS);
		return true;
	case UB_REFUSED:
		ub_sq_fail(jetty, exec->status);
		return true;
	case UB_NO_ANSWER:
	case UB_NO_RECEIVE:
		break;
	}
	if (jetty->type != UB_JETTY_RC) {
		ub_engine_bump(jetty->engine, UB_CTR_DROPPED);
		ub_sq_complete(jetty, UB_CR_SUCCESS);
		return true;
	}
	if (verdict == UB_NO_ANSWER) {
		ub_exec_no_answer(jetty);
		return false;
	}
	if (ub_exec_no_receive(jetty))
		return false;
	ub_sq_fail(jetty, UB_CR_RNR_EXCEEDED);
	return true;
}

/* Takes the next request in. False: there is none. */
static bool ub_sq_fetch(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;
	u32 posted = ub_sq_posted(jetty);

	if (!posted)
		return false;
	if (posted > ub_ring_entries(&jetty->sq)) {
		ub_jetty_fail_target(jetty, UB_JETTY_EVENT_FATAL);
		return false;
	}
	ub_sq_copy(jetty);
	exec->loaded = true;
	exec->waiting = false;
	exec->claimed = false;
	exec->done = 0;
	clear_bit(UB_JETTY_WOKEN, &jetty->flags);
	ub_exec_refill(jetty);
	return true;
}

/* One step of the current request, or of the next one. */
static enum ub_pause ub_sq_step(struct ub_jetty *jetty, u64 *budget)
{
	struct ub_exec *exec = jetty->exec;
	enum ub_verdict verdict = UB_GO_ON;
	u64 cost = UB_REQUEST_COST;

	if (!exec->loaded) {
		if (!ub_sq_fetch(jetty))
			return UB_IDLE;
		verdict = ub_request_start(jetty);
	}
	if (verdict == UB_GO_ON) {
		switch (ub_exec_due(jetty)) {
		case UB_NOT_YET:
			return UB_BLOCKED;
		case UB_TOO_LATE:
			exec->waiting = false;
			ub_engine_bump(jetty->engine, UB_CTR_RETRY_EXCEEDED);
			ub_sq_fail(jetty, UB_CR_RETRY_EXCEEDED);
			return UB_MORE;
		case UB_DUE:
			break;
		}
		verdict = ub_request_step(jetty);
		cost += exec->txn.length;
	}
	*budget -= min(*budget, cost);
	return ub_sq_judge(jetty, verdict) ? UB_MORE : UB_BLOCKED;
}

static void ub_sq_drained(struct ub_jetty *jetty)
{
	bool tell;

	spin_lock(&jetty->lock);
	tell = jetty->notify_drained;
	jetty->notify_drained = false;
	spin_unlock(&jetty->lock);
	if (tell)
		ub_jetty_event(jetty, UB_JETTY_EVENT_DRAINED);
}

/* By the busy bit. UB_MORE: the budget is spent, or the process is being killed. */
static enum ub_pause ub_sq_run(struct ub_jetty *jetty, u64 *budget)
{
	enum ub_jetty_state state;
	enum ub_pause pause;

	while (*budget) {
		state = smp_load_acquire(&jetty->attr.state);
		switch (state) {
		case UB_JETTY_RTS:
			break;
		case UB_JETTY_SQD:
			if (jetty->exec->loaded)
				break;
			ub_sq_drained(jetty);
			return UB_BLOCKED;
		case UB_JETTY_SQE:
		case UB_JETTY_ERR:
			ub_jetty_flush(jetty, state, budget);
			return *budget ? UB_IDLE : UB_MORE;
		default:
			return UB_BLOCKED;
		}
		pause = ub_sq_step(jetty, budget);
		if (pause != UB_MORE)
			return pause;
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return jetty->exec->loaded || ub_sq_posted(jetty) ? UB_MORE : UB_IDLE;
}

/* The current request waits for nothing, or for what has come. */
static bool ub_exec_ready(const struct ub_jetty *jetty)
{
	return !READ_ONCE(jetty->exec->waiting) || test_bit(UB_JETTY_WOKEN, &jetty->flags);
}

/* After the busy bit was given back: did something come that its holder missed? */
static bool ub_jetty_runnable(const struct ub_jetty *jetty)
{
	bool loaded = READ_ONCE(jetty->exec->loaded);
	bool work = loaded || ub_sq_posted(jetty);

	switch (READ_ONCE(jetty->attr.state)) {
	case UB_JETTY_RTS:
		return work && ub_exec_ready(jetty);
	case UB_JETTY_SQD:
		return loaded ? ub_exec_ready(jetty) : READ_ONCE(jetty->notify_drained);
	case UB_JETTY_SQE:
	case UB_JETTY_ERR:
		return work || test_bit(UB_JETTY_FLUSH, &jetty->flags);
	default:
		return false;
	}
}

/*
 * The same of the clock: who found the bit taken when the time was over did so before
 * its holder asks here.
 */
static bool ub_jetty_overdue(const struct ub_jetty *jetty)
{
	enum ub_jetty_state state = READ_ONCE(jetty->attr.state);
	const struct ub_exec *exec = jetty->exec;

	return (state == UB_JETTY_RTS || state == UB_JETTY_SQD) &&
	       READ_ONCE(exec->loaded) && READ_ONCE(exec->waiting) &&
	       !ktime_before(ktime_get(), READ_ONCE(exec->until));
}

void ub_jetty_run(struct ub_jetty *jetty, u64 *budget)
{
	enum ub_pause pause;
	bool runnable;

	do {
		if (!ub_jetty_take(jetty))
			return;
		pause = ub_sq_run(jetty, budget);
		ub_jetty_release(jetty);
		runnable = ub_jetty_runnable(jetty);
	} while (pause != UB_MORE && *budget && runnable);
	/*
	 * Waiting is no work of the caller's: where each try takes longer than the time
	 * between two, he would not come back.
	 */
	if (pause == UB_MORE || runnable || ub_jetty_overdue(jetty))
		ub_engine_queue(jetty);
}
