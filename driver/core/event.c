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
	mutex_init(&ctx->event_read);
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

/* Looks at the oldest event. The overflow comes after what was kept. */
static bool ub_event_peek(struct ub_ctx *ctx, struct ub_event *event)
{
	bool got = true;

	spin_lock_irq(&ctx->event_lock);
	if (ctx->event_head != ctx->event_tail) {
		*event = ctx->event[ctx->event_tail % UB_EVENTS];
	} else if (ctx->events_lost) {
		*event = (struct ub_event){
			.type = UB_EVENT_OVERFLOW,
			.value = ctx->events_lost,
			.time_ns = ktime_get_boottime_ns(),
		};
	} else {
		got = false;
	}
	spin_unlock_irq(&ctx->event_lock);
	return got;
}

/* User space has what ub_event_peek() showed. */
static void ub_event_took(struct ub_ctx *ctx, const struct ub_event *event)
{
	spin_lock_irq(&ctx->event_lock);
	if (event->type == UB_EVENT_OVERFLOW)
		ctx->events_lost -= event->value;
	else
		ctx->event_tail++;
	spin_unlock_irq(&ctx->event_lock);
}

/* As many as fit; an event that cannot be written stays. */
static ssize_t ub_event_copy(struct ub_ctx *ctx, char __user *buf, size_t len)
{
	struct ub_event event;
	size_t done = 0;

	if (mutex_lock_interruptible(&ctx->event_read))
		return -ERESTARTSYS;
	while (len - done >= sizeof(event) && ub_event_peek(ctx, &event)) {
		if (copy_to_user(buf + done, &event, sizeof(event))) {
			mutex_unlock(&ctx->event_read);
			return done ? done : -EFAULT;
		}
		ub_event_took(ctx, &event);
		done += sizeof(event);
	}
	mutex_unlock(&ctx->event_read);
	return done;
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
	ssize_t ret;

	if (len < sizeof(struct ub_event))
		return -EINVAL;

	do { /* another reader may have been faster */
		ret = ub_event_wait(ctx, block) ?: ub_event_copy(ctx, buf, len);
	} while (!ret);
	return ret;
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
