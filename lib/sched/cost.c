// SPDX-License-Identifier: BSD-2-Clause
/*
 * Walks the streams of all ranks with a clock each. A step's sources and destinations
 * go in parallel, each over its own link, and element by element: a step that reads
 * from one rank and writes to another takes the longer of both. A signal takes alpha, and
 * leaves when what was posted on its channel has gone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cost.h"
#include "traffic.h"

#define NONE UINT32_MAX

struct arrival {
	uint64_t time;
	uint32_t value;
	uint32_t next;
};

struct cell {
	uint32_t first, last;	/* arrivals */
};

struct stream {
	struct ub_cursor cursor;
	struct ub_step step;
	uint64_t now;
	uint64_t read;		/* when all that was posted has read its sources */
	uint64_t begin;
	uint32_t index;
	uint32_t waited;
	bool loaded;
	bool ended;
};

struct walk {
	const struct ub_plan *plan;
	const struct ub_layout *layout;
	const struct ub_cost_model *model;
	struct stream *streams;
	uint64_t *channels;	/* by stream and rank: when it is free */
	struct cell *cells;
	struct arrival *arrivals;
	uint32_t narrivals, room;
	uint64_t moved;		/* bytes read and written, by all */
};

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t span(uint64_t bytes, uint64_t per_kib)
{
	return (bytes >> 10) * per_kib + ((bytes & 1023) * per_kib >> 10);
}

/* Bytes that go from one source to one destination: as to the first ones. */
static uint64_t pair_bytes(const struct walk *w, const struct ub_step *step, uint32_t self)
{
	const struct ub_ranks *set = step->op == UB_STEP_MOVE ? ub_move_set(step) : NULL;
	const struct ub_ranks *from = set ? set : &step->from, *to = set ? set : &step->to;

	return ub_step_bytes(w->plan, w->layout, step,
			     ub_ranks_pos(from, ub_ranks_get(from, 0, self)),
			     ub_ranks_pos(to, ub_ranks_get(to, 0, self)));
}

static void data_step(struct walk *w, struct stream *s, uint32_t self)
{
	const struct ub_step *step = &s->step;
	uint32_t p = w->plan->args.nranks, stream = s - w->streams;
	uint32_t nfrom = ub_ranks_count(&step->from), nto = ub_ranks_count(&step->to);
	uint64_t bytes = pair_bytes(w, step, self), arrive = s->now, *channel;
	uint32_t in = 0, out = 0;
	bool mine = false;

	for (uint32_t i = 0; i < nfrom && !(step->flags & UB_STEP_LOCAL); i++)
		in += ub_ranks_get(&step->from, i, self) != self;
	for (uint32_t i = 0; i < nto; i++)
		mine |= ub_ranks_get(&step->to, i, self) == self;
	out = nto - mine;
	if (in)
		arrive += w->model->alpha + later(span(bytes, w->model->link),
						  span(bytes * in, w->model->inject));
	if (step->op == UB_STEP_REDUCE)
		arrive += span(bytes * nfrom, w->model->fold);
	else if (mine && !in)
		arrive += span(bytes, w->model->copy);
	for (uint32_t i = 0; i < nto; i++) {
		uint32_t to = ub_ranks_get(&step->to, i, self);

		if (to == self)
			continue;
		channel = w->channels + (size_t)stream * p + to;
		*channel = later(later(*channel, s->now) + span(bytes, w->model->link), arrive);
		*channel = later(*channel, s->now + span(bytes * out, w->model->inject));
		s->read = later(s->read, *channel);
	}
	if (mine || !out)
		s->now = arrive;
	/* A gather writes once per source; otherwise one source is read once. */
	w->moved += bytes * nfrom;
	w->moved += bytes * (step->op == UB_STEP_MOVE ? later(nfrom, nto) : nto);
}

static int signal_step(struct walk *w, struct stream *s, uint32_t self)
{
	const struct ub_step *step = &s->step;
	uint32_t stream = s - w->streams;

	for (uint32_t i = 0; i < ub_ranks_count(&step->to); i++) {
		uint32_t to = ub_ranks_get(&step->to, i, self);
		struct cell *cell = w->cells + (size_t)to * w->plan->nsignals + step->signal +
				    ub_ranks_pos(&step->to, to) * step->signal_per_rank;
		uint64_t channel = w->channels[(size_t)stream * w->plan->args.nranks + to];
		struct arrival *a;

		if (w->narrivals == w->room) {
			w->room = w->room ? 2 * w->room : 1024;
			a = realloc(w->arrivals, w->room * sizeof(*a));
			if (!a)
				return -ENOMEM;
			w->arrivals = a;
		}
		a = &w->arrivals[w->narrivals];
		*a = (struct arrival){ .time = later(channel, s->now) + w->model->alpha,
				       .value = step->value, .next = NONE };
		if (cell->first == NONE)
			cell->first = w->narrivals;
		else
			w->arrivals[cell->last].next = w->narrivals;
		cell->last = w->narrivals++;
	}
	return 0;
}

static bool wait_step(struct walk *w, struct stream *s, uint32_t self)
{
	const struct ub_step *step = &s->step;

	for (; s->waited < ub_ranks_count(&step->from); s->waited++) {
		uint32_t from = ub_ranks_get(&step->from, s->waited, self);
		struct cell *cell = w->cells + (size_t)self * w->plan->nsignals + step->signal +
				    ub_ranks_pos(&step->from, from) * step->signal_per_rank;

		while (cell->first != NONE && w->arrivals[cell->first].value < step->value)
			cell->first = w->arrivals[cell->first].next;
		if (cell->first == NONE)
			return false;
		s->now = later(s->now, w->arrivals[cell->first].time);
	}
	return true;
}

/* 1: went on, 0: cannot now, or -errno. */
static int poll(struct walk *w, struct stream *s, ub_cost_watch watch, void *ctx)
{
	uint32_t self = (s - w->streams) / w->plan->nstreams;
	int err = 0;

	if (!s->loaded && !ub_cursor_next(w->plan, &s->cursor, &s->step)) {
		s->ended = true;
		s->now = later(s->now, s->read);
		return 1;
	}
	if (!s->loaded) {
		s->loaded = true;
		s->waited = 0;
		s->begin = s->now;
	}
	if (s->step.op == UB_STEP_SIGNAL)
		err = signal_step(w, s, self);
	else if (s->step.op == UB_STEP_FLUSH)
		s->now = later(s->now, s->read);
	else if (s->step.op != UB_STEP_WAIT)
		data_step(w, s, self);
	else if (!wait_step(w, s, self))
		return 0;
	if (err)
		return err;
	if (watch)
		watch(ctx, self, s->index, &s->step, s->begin, s->now);
	s->loaded = false;
	s->index++;
	return 1;
}

static int walk_all(struct walk *w, ub_cost_watch watch, void *ctx)
{
	uint32_t n = w->plan->args.nranks * w->plan->nstreams, left = n;

	while (left) {
		bool any = false;

		for (uint32_t i = 0; i < n; i++) {
			int moved = !w->streams[i].ended;

			while (moved && !w->streams[i].ended) {
				moved = poll(w, &w->streams[i], watch, ctx);
				if (moved < 0)
					return moved;
				any |= moved;
				left -= w->streams[i].ended;
			}
		}
		if (!any)
			return -EDEADLK;
	}
	return 0;
}

/* The busiest link and the busiest rank. */
static int resources(const struct walk *w, struct ub_cost *cost)
{
	size_t p = w->plan->args.nranks;
	uint64_t *bytes = calloc(p * p, sizeof(*bytes)), in, out;

	if (!bytes)
		return -ENOMEM;
	ub_plan_traffic(w->plan, w->layout, bytes);
	for (size_t r = 0; r < p; r++) {
		in = 0;
		out = 0;
		for (size_t q = 0; q < p; q++) {
			in += bytes[q * p + r];
			out += bytes[r * p + q];
			cost->link = later(cost->link, span(bytes[r * p + q], w->model->link));
		}
		cost->inject = later(cost->inject, span(later(in, out), w->model->inject));
	}
	free(bytes);
	cost->memory = span(w->moved, w->model->memory);
	return 0;
}

static void conclude(const struct walk *w, struct ub_cost *cost)
{
	const uint64_t parts[] = { cost->path, cost->link, cost->inject, cost->memory };

	for (int i = 0; i < 4; i++) {
		if (parts[i] > cost->total) {
			cost->total = parts[i];
			cost->bound = i;
		}
	}
}

int ub_cost_plan(const struct ub_plan *plan, const struct ub_layout *layout,
		 const struct ub_cost_model *model, struct ub_cost *cost,
		 ub_cost_watch watch, void *ctx)
{
	size_t p = plan->args.nranks, n = p * plan->nstreams, ncells = p * plan->nsignals;
	struct walk w = { .plan = plan, .layout = layout, .model = model };
	int err = -ENOMEM;

	memset(cost, 0, sizeof(*cost));
	w.streams = calloc(n, sizeof(*w.streams));
	w.channels = calloc(n * p, sizeof(*w.channels));
	w.cells = calloc(ncells + 1, sizeof(*w.cells));
	if (!w.streams || !w.channels || !w.cells)
		goto out;
	for (size_t i = 0; i < ncells; i++)
		w.cells[i].first = NONE;
	for (size_t i = 0; i < n; i++)
		ub_cursor_open(plan, i / plan->nstreams, i % plan->nstreams, &w.streams[i].cursor);
	err = walk_all(&w, watch, ctx);
	for (size_t i = 0; !err && i < n; i++)
		cost->path = later(cost->path, w.streams[i].now);
	if (!err)
		err = resources(&w, cost);
	if (!err)
		conclude(&w, cost);
out:
	free(w.arrivals);
	free(w.cells);
	free(w.channels);
	free(w.streams);
	return err;
}
