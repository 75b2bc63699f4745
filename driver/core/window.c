// SPDX-License-Identifier: GPL-2.0
/*
 * Memory windows: a part of a region, with a key and rights of its own, opened and
 * closed by requests of a send queue.
 *
 * Opening one anew, or closing it, waits for the chunks that go through it, so what
 * follows on the queue happens after. engine->windows is held while a window is found
 * and changed, or ends; the chunks that are waited for never take it with a window in
 * their hands.
 */
#include "execute.h"

/* Programs say LOCAL_WRITE too, which means nothing for others. */
#define UB_WINDOW_RIGHTS (UB_REGION_LOCAL_WRITE | UB_REGION_WRITE | UB_REGION_READ | \
			  UB_REGION_ATOMIC | UB_REGION_ZERO_BASED)

/* The window whose key is @key but for the byte that changes. Under engine->windows. */
static struct ub_tseg *ub_window_find(struct ub_engine *engine, u32 key)
{
	struct ub_tseg *window = xa_load(&engine->tsegs, key >> 8);

	return window && window->type == UB_TSEG_WINDOW ? window : NULL;
}

static void ub_window_close(struct ub_tseg *window)
{
	if (window->base)
		atomic_dec(&window->base->windows);
	window->base = NULL;
	window->bound_by = 0;
}

/* May such a window be opened on @base? */
static bool ub_window_fits(const struct ub_jetty *jetty, const struct ub_tseg *window,
			   const struct ub_tseg *base, const struct ub_sqe *sqe)
{
	u32 access = sqe->bind.access;

	if (window->pd != jetty->pd || access & ~UB_WINDOW_RIGHTS)
		return false;
	if (!window->type_2 && access & UB_REGION_ZERO_BASED)
		return false;
	/* One of type 2 is opened only once, until it is invalidated. */
	if (window->type_2 && window->base)
		return false;
	if (access & (UB_REGION_WRITE | UB_REGION_ATOMIC) &&
	    !(base->access & UB_REGION_LOCAL_WRITE))
		return false;
	return ub_tseg_admits(base, jetty, sqe->addr, sqe->bind.length, UB_REGION_BIND);
}

/* While it is hidden. */
static void ub_window_open(struct ub_jetty *jetty, struct ub_tseg *window,
			   struct ub_tseg *base, const struct ub_sqe *sqe)
{
	ub_window_close(window);
	WRITE_ONCE(window->key, sqe->key);
	if (!base)
		return;
	atomic_inc(&base->windows);
	window->base = base;
	window->bound_by = window->type_2 ? jetty->serial : 0;
	window->length = sqe->bind.length;
	window->access = sqe->bind.access;
	window->start = sqe->bind.access & UB_REGION_ZERO_BASED ? 0 : sqe->addr;
	window->offset = sqe->addr;
}

/* @base: NULL for a window of no length, which is closed. */
static bool ub_window_rebind(struct ub_jetty *jetty, struct ub_tseg *base,
			     const struct ub_sqe *sqe)
{
	struct ub_tseg *window;
	bool fits;

	mutex_lock(&jetty->engine->windows);
	window = ub_window_find(jetty->engine, sqe->key);
	if (!window)
		fits = false;
	else if (base)
		fits = ub_window_fits(jetty, window, base, sqe);
	else
		fits = window->pd == jetty->pd && !window->type_2;
	if (fits) {
		ub_tseg_hide(window);
		ub_window_open(jetty, window, base, sqe);
		ub_tseg_show(window);
	}
	mutex_unlock(&jetty->engine->windows);
	return fits;
}

bool ub_window_bind(struct ub_jetty *jetty, const struct ub_sqe *sqe)
{
	struct ub_tseg *base = NULL;
	bool bound;

	if (sqe->bind.length) {
		base = ub_tseg_get(jetty->engine, sqe->bind.key);
		if (!base)
			return false;
	}
	bound = ub_window_rebind(jetty, base, sqe);
	if (base)
		ub_tseg_put(base);
	return bound;
}

bool ub_window_invalidate(struct ub_jetty *jetty, u32 key)
{
	struct ub_tseg *window;
	bool mine;

	mutex_lock(&jetty->engine->windows);
	window = ub_window_find(jetty->engine, key);
	mine = window && window->key == key && window->type_2 && window->base &&
	       window->bound_by == jetty->serial;
	if (mine) {
		ub_tseg_hide(window);
		ub_window_close(window);
		ub_tseg_show(window);
	}
	mutex_unlock(&jetty->engine->windows);
	return mine;
}

void ub_window_end(struct ub_tseg *window)
{
	mutex_lock(&window->engine->windows);
	ub_tseg_hide(window);
	ub_window_close(window);
	xa_erase(&window->engine->tsegs, window->key >> 8);
	mutex_unlock(&window->engine->windows);
}
