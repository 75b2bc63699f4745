// SPDX-License-Identifier: GPL-2.0
/*
 * Sleeping on a word of a segment, and waking.
 *
 * futex() cannot do it: its pages cannot be pinned. A sleeper is found by
 * (segment, offset), so the two sides may use different handles, mappings and
 * processes. When the segment or the import ends, or its route is lost, sleepers
 * return and see why.
 */
#include <linux/hash.h>
#include <linux/highmem.h>
#include <linux/hrtimer.h>
#include <linux/sched/signal.h>

#include "ub.h"

#define UB_WAIT_BITS	8
#define UB_WAIT_ANY	U64_MAX	/* all offsets of the segment */

/**
 * struct ub_waiter - a sleeper, on its own stack
 * @node:	in the bucket of its key
 * @seg:	where it sleeps
 * @offset:	the same
 * @ctx:	of the call
 * @task:	who
 * @woken:	set by the waker, under the bucket's lock
 */
struct ub_waiter {
	struct list_head node;
	const struct ub_seg *seg;
	u64 offset;
	const struct ub_ctx *ctx;
	struct task_struct *task;
	bool woken;
};

static struct ub_wait_bucket {
	spinlock_t lock;	/* protects the list and its waiters */
	struct list_head waiters;
} ub_wait_bucket[1 << UB_WAIT_BITS];

void ub_waits_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(ub_wait_bucket); i++) {
		spin_lock_init(&ub_wait_bucket[i].lock);
		INIT_LIST_HEAD(&ub_wait_bucket[i].waiters);
	}
}

static struct ub_wait_bucket *ub_wait_bucket_of(const struct ub_seg *seg, u64 offset)
{
	return &ub_wait_bucket[hash_64((unsigned long)seg + offset, UB_WAIT_BITS)];
}

/*
 * Wakes at most @count sleepers of the key; each is woken by one waker only.
 * A sleeper leaves its bucket under the lock, so its task is there while we
 * hold it.
 */
static u32 ub_bucket_wake(struct ub_wait_bucket *bucket, const struct ub_seg *seg,
			  u64 offset, u32 count)
{
	struct ub_waiter *waiter;
	u32 woken = 0;

	/*
	 * The waker has stored the word before; the sleeper reads the word after
	 * it queued. The lock orders the two: one of them sees the other.
	 */
	spin_lock(&bucket->lock);
	list_for_each_entry(waiter, &bucket->waiters, node) {
		if (woken == count)
			break;
		if (waiter->woken || waiter->seg != seg ||
		    (offset != UB_WAIT_ANY && waiter->offset != offset))
			continue;
		WRITE_ONCE(waiter->woken, true);
		wake_up_process(waiter->task);
		woken++;
	}
	spin_unlock(&bucket->lock);
	return woken;
}

/* Wakes all sleepers of a segment, so that they look at its state. */
void ub_wait_wake_seg(struct ub_seg *seg)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(ub_wait_bucket); i++)
		ub_bucket_wake(&ub_wait_bucket[i], seg, UB_WAIT_ANY, U32_MAX);
}

/* Wakes all sleepers of a context that has ended. */
void ub_wait_wake_ctx(struct ub_ctx *ctx)
{
	struct ub_waiter *waiter;
	int i;

	for (i = 0; i < ARRAY_SIZE(ub_wait_bucket); i++) {
		spin_lock(&ub_wait_bucket[i].lock);
		list_for_each_entry(waiter, &ub_wait_bucket[i].waiters, node) {
			if (waiter->ctx != ctx)
				continue;
			WRITE_ONCE(waiter->woken, true);
			wake_up_process(waiter->task);
		}
		spin_unlock(&ub_wait_bucket[i].lock);
	}
}

/* The word, if the handle may be touched now; a page is backed if need be. */
static int ub_word_read(const struct ub_access_to *to, u64 offset, u32 *word)
{
	struct page *page;
	int ret, idx;
	void *addr;

	idx = srcu_read_lock(&ub_txn_srcu);
	ret = ub_access_check(to);
	if (ret)
		goto out;
	page = ub_seg_page(to->seg, offset >> PAGE_SHIFT);
	if (!page) {
		ret = -ENOMEM;
		goto out;
	}
	addr = kmap_local_page(page);
	*word = READ_ONCE(*(u32 *)(addr + offset_in_page(offset)));
	kunmap_local(addr);
out:
	srcu_read_unlock(&ub_txn_srcu, idx);
	return ret;
}

/* Sleeps once. 0: look again. */
static int ub_waiter_sleep(struct ub_waiter *waiter, ktime_t *end)
{
	int ret = 0;

	set_current_state(TASK_INTERRUPTIBLE);
	if (!READ_ONCE(waiter->woken)) {
		if (signal_pending(current))
			ret = -EINTR;
		else if (!schedule_hrtimeout_range(end, current->timer_slack_ns,
						   HRTIMER_MODE_ABS))
			ret = -ETIMEDOUT;
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

/* Queue first, then look at the word: see ub_bucket_wake(). */
static int ub_wait(const struct ub_ctx *ctx, const struct ub_access_to *to,
		   const struct ub_ioc_wait *arg)
{
	struct ub_wait_bucket *bucket = ub_wait_bucket_of(to->seg, arg->offset);
	struct ub_waiter waiter = {
		.seg = to->seg,
		.offset = arg->offset,
		.ctx = ctx,
		.task = current,
	};
	ktime_t end = ktime_add_safe(ktime_get(), ns_to_ktime(arg->timeout_ns));
	u32 word;
	int ret;

	spin_lock(&bucket->lock);
	list_add_tail(&waiter.node, &bucket->waiters);
	spin_unlock(&bucket->lock);

	ret = ub_ctx_check(ctx) ?: ub_word_read(to, arg->offset, &word);
	if (!ret && word != arg->expected)
		ret = -EAGAIN;
	while (!ret && !READ_ONCE(waiter.woken))
		ret = ub_waiter_sleep(&waiter, arg->timeout_ns < 0 ? NULL : &end);

	spin_lock(&bucket->lock);
	list_del(&waiter.node);
	spin_unlock(&bucket->lock);
	if (waiter.woken || ret == -ETIMEDOUT)
		ret = ub_ctx_check(ctx) ?: ub_access_check(to) ?: (waiter.woken ? 0 : ret);
	return ret;
}

int ub_ioctl_wait(struct ub_call *call)
{
	const struct ub_ioc_wait *arg = call->arg;
	struct ub_access_to to;
	int ret;

	if (arg->flags || arg->offset % sizeof(u32))
		return -EINVAL;
	ret = ub_access_open(call->ctx, arg->handle, UB_ACCESS_READ, &to);
	if (ret)
		return ret;
	ret = arg->offset < to.seg->length ? ub_wait(call->ctx, &to, arg) : -ERANGE;
	ub_access_close(&to);
	return ret;
}

int ub_ioctl_wake(struct ub_call *call)
{
	struct ub_ioc_wake *arg = call->arg;
	struct ub_access_to to;
	int ret;

	if (arg->offset % sizeof(u32))
		return -EINVAL;
	ret = ub_access_open(call->ctx, arg->handle, UB_ACCESS_WRITE, &to);
	if (ret)
		return ret;
	if (arg->offset >= to.seg->length)
		ret = -ERANGE;
	else
		ret = ub_access_check(&to);
	if (!ret) {
		arg->woken = ub_bucket_wake(ub_wait_bucket_of(to.seg, arg->offset),
					    to.seg, arg->offset, arg->count);
		ret = ub_call_respond(call, sizeof(*arg));
	}
	ub_access_close(&to);
	return ret;
}
