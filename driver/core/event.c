// SPDX-License-Identifier: GPL-2.0
/*
 * Events of a context: a small ring that read() empties.
 *
 * A full ring drops new events, counts them, and tells the count by one
 * UB_EVENT_OVERFLOW as soon as there is room. State is never only in an event:
 * who lost some reads the status area.
 */
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "ub.h"

void ub_event_init(struct ub_ctx *ctx)
{
	spin_lock_init(&ctx->event_lock);
	init_waitqueue_head(&ctx->event_wait);
}

static bool ub_event_put(struct ub_ctx *ctx, const struct ub_event *event)
{
	struct ub_event *slot;

	if (ctx->event_head - ctx->event_tail == UB_EVENTS)
		return false;
	slot = &ctx->event[ctx->event_head++ % UB_EVENTS];
	*slot = *event;
	slot->time_ns = ktime_get_boottime_ns();
	return true;
}

/* May be called with any lock of ours; does not sleep. */
void ub_event_post(struct ub_ctx *ctx, const struct ub_event *event)
{
	unsigned long flags;

	spin_lock_irqsave(&ctx->event_lock, flags);
	if (ctx->events_lost || !ub_event_put(ctx, event))
		ctx->events_lost++;
	spin_unlock_irqrestore(&ctx->event_lock, flags);
	wake_up_interruptible(&ctx->event_wait);
}

/* Takes the oldest event. The overflow comes after what was kept. */
static bool ub_event_get(struct ub_ctx *ctx, struct ub_event *event)
{
	bool got = true;

	spin_lock_irq(&ctx->event_lock);
	if (ctx->event_head != ctx->event_tail) {
		*event = ctx->event[ctx->event_tail++ % UB_EVENTS];
	} else if (ctx->events_lost) {
		*event = (struct ub_event){
			.type = UB_EVENT_OVERFLOW,
			.value = ctx->events_lost,
			.time_ns = ktime_get_boottime_ns(),
		};
		ctx->events_lost = 0;
	} else {
		got = false;
	}
	spin_unlock_irq(&ctx->event_lock);
	return got;
}

static bool ub_event_pending(struct ub_ctx *ctx)
{
	return READ_ONCE(ctx->event_head) != READ_ONCE(ctx->event_tail) ||
	       READ_ONCE(ctx->events_lost);
}

/* A context that has ended will see no event any more: do not wait. */
static int ub_event_wait(struct ub_ctx *ctx, bool block)
{
	if (ub_event_pending(ctx))
		return 0;
	if (ub_ctx_check(ctx))
		return ub_ctx_check(ctx);
	if (!block)
		return -EAGAIN;
	return wait_event_interruptible(ctx->event_wait,
					ub_event_pending(ctx) || ub_ctx_check(ctx));
}

ssize_t ub_event_read(struct ub_ctx *ctx, char __user *buf, size_t len, bool block)
{
	struct ub_event event;
	size_t done = 0;
	int ret;

	if (len < sizeof(event))
		return -EINVAL;

	while (!done) {
		ret = ub_event_wait(ctx, block);
		if (ret)
			return ret;
		/* Look before taking, so that a bad buffer loses little. */
		while (len - done >= sizeof(event) && ub_event_get(ctx, &event)) {
			if (copy_to_user(buf + done, &event, sizeof(event)))
				return done ? done : -EFAULT;
			done += sizeof(event);
		}
	}
	return done;
}

__poll_t ub_event_poll(struct ub_ctx *ctx, struct file *file, struct poll_table_struct *wait)
{
	__poll_t mask = 0;

	poll_wait(file, &ctx->event_wait, wait);
	if (ub_event_pending(ctx))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (ub_ctx_check(ctx))
		mask |= EPOLLERR | EPOLLHUP;
	return mask;
}
