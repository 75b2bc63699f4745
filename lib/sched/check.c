// SPDX-License-Identifier: BSD-2-Clause
/*
 * Walks a plan: one thread that polls the heads of all streams of all ranks, until all
 * have ended or none can go on. See check.h for what that proves.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_state.h"
#include "traffic.h"

#define ARENA_BLOCK	(256u << 10)
#define CHANNEL_BUCKETS	(1u << 19)

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	_Alignas(16) char data[];
};

void *check_alloc(struct state *st, size_t bytes)
{
	struct arena_block *block = st->arena;
	size_t size = bytes > ARENA_BLOCK ? bytes : ARENA_BLOCK;
	void *p;

	bytes = (bytes + 15) & ~(size_t)15;
	if (!block || block->size - block->used < bytes) {
		block = calloc(1, sizeof(*block) + ((size + 15) & ~(size_t)15));
		if (!block)
			return NULL;
		block->size = (size + 15) & ~(size_t)15;
		block->next = st->arena;
		st->arena = block;
	}
	p = block->data + block->used;
	block->used += bytes;
	return p;
}

int check_fail(struct state *st, int claim, uint32_t stream, const char *fmt, ...)
{
	struct ub_check_report *report = st->report;
	int n;
	va_list args;

	report->claim = claim;
	report->rank = stream_rank(st, stream);
	report->stream = stream % st->plan->nstreams;
	report->step = st->streams[stream].index;
	n = snprintf(report->text, sizeof(report->text), "%s: rank %u stream %u step %u: ",
		     st->plan->alg->name, report->rank, report->stream, report->step);
	va_start(args, fmt);
	vsnprintf(report->text + n, sizeof(report->text) - n, fmt, args);
	va_end(args);
	return -EPROTO;
}

/* Number the chunks through all regions, and choose the columns. */
static int columns_init(struct state *st)
{
	const struct ub_check *check = st->check;
	uint32_t total = 0;

	for (uint32_t r = 0; r < st->plan->nregions; r++) {
		st->region_first[r] = total;
		total += st->plan->regions[r].chunks;
	}
	st->region_first[st->plan->nregions] = total;
	st->ncolumns = check->columns ? check->ncolumns : total;
	st->column_of = check_alloc(st, total * sizeof(*st->column_of));
	st->column_chunk = check_alloc(st, st->ncolumns * sizeof(*st->column_chunk));
	if (!st->column_of || !st->column_chunk)
		return -ENOMEM;
	memset(st->column_of, 0xff, total * sizeof(*st->column_of));
	for (uint32_t c = 0; c < st->ncolumns; c++) {
		st->column_chunk[c] = check->columns ? check->columns[c] : c;
		st->column_of[st->column_chunk[c]] = c;
	}
	return 0;
}

static int streams_init(struct state *st)
{
	size_t n = st->nstreams, ncells = (size_t)st->p * st->plan->nsignals;

	st->streams = check_alloc(st, n * sizeof(*st->streams));
	st->clocks = check_alloc(st, n * n * sizeof(*st->clocks));
	st->cells = check_alloc(st, ncells * sizeof(*st->cells));
	st->left = check_alloc(st, st->p * sizeof(*st->left));
	/* A channel for every pair is the most that there can be. */
	st->nbuckets = n * st->p < CHANNEL_BUCKETS ? n * st->p : CHANNEL_BUCKETS;
	st->buckets = check_alloc(st, st->nbuckets * sizeof(*st->buckets));
	if (!st->streams || !st->clocks || !st->cells || !st->left || !st->buckets)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		uint32_t rank = stream_rank(st, i);

		ub_cursor_open(st->plan, rank, i % st->plan->nstreams, &st->streams[i].cursor);
		st->streams[i].clock = st->clocks + i * n;
		/* A rank's entry is time 1 of its first stream, and before all of them. */
		st->streams[i].clock[rank * st->plan->nstreams] = 1;
		st->streams[i].clock[i] = 1;
	}
	for (size_t i = 0; i < ncells; i++) {
		st->cells[i].end = &st->cells[i].first;
		st->cells[i].writer = NONE;
		st->cells[i].reader = NONE;
	}
	return 0;
}

/* The last stream of a rank has ended: its caller goes on. */
static int rank_leave(struct state *st, uint32_t rank)
{
	struct stream *first = st->streams + rank * st->plan->nstreams;

	for (uint32_t i = 0; i < st->plan->nstreams; i++)
		if (!first[i].ended)
			return 0;
	for (uint32_t i = 1; i < st->plan->nstreams; i++)
		for (uint32_t j = 0; j < st->nstreams; j++)
			if (first[i].clock[j] > first->clock[j])
				first->clock[j] = first[i].clock[j];
	for (uint32_t q = 0; q < st->p; q++) {
		if (!first->clock[q * st->plan->nstreams])
			return check_fail(st, 7, stream_id(st, first),
					  "may end before rank %u has begun", q);
	}
	st->left[rank] = true;
	return memory_leave(st, rank, first->clock);
}

/* Execute the head of a stream. *@moved: it did something. */
static int stream_poll(struct state *st, struct stream *s, bool *moved)
{
	bool satisfied = true;
	int err = 0;

	if (!s->loaded) {
		if (!ub_cursor_next(st->plan, &s->cursor, &s->step)) {
			s->ended = *moved = true;
			st->ended++;
			return rank_leave(st, stream_rank(st, stream_id(st, s)));
		}
		s->loaded = true;
		s->waited = 0;
		s->clock[stream_id(st, s)] = stream_time(s);
		err = step_check(st, s);
	}
	if (!err && s->step.op == UB_STEP_MOVE)
		err = memory_move(st, s);
	else if (!err && s->step.op == UB_STEP_REDUCE)
		err = memory_reduce(st, s);
	else if (!err && s->step.op == UB_STEP_SIGNAL)
		err = order_signal(st, s);
	else if (!err && s->step.op == UB_STEP_WAIT)
		err = order_wait(st, s, &satisfied);
	else if (!err)
		order_flush(st, s);
	if (err || !satisfied)
		return err;
	s->loaded = false;
	s->index++;
	st->report->steps++;
	*moved = true;
	return 0;
}

static int stuck(struct state *st)
{
	struct stream *s = st->streams;
	const struct ub_step *step;
	uint32_t writer;

	while (s->ended)
		s++;
	step = &s->step;
	writer = ub_ranks_get(&step->from, s->waited, stream_rank(st, stream_id(st, s)));
	return check_fail(st, 4, stream_id(st, s), "waits for ever for value %u of rank %u (cell %u)",
			  step->value, writer,
			  step->signal + ub_ranks_pos(&step->from, writer) * step->signal_per_rank);
}

static int walk(struct state *st)
{
	int err;

	while (st->ended < st->nstreams) {
		bool any = false;

		for (uint32_t i = 0; i < st->nstreams; i++) {
			bool moved = true;

			while (moved && !st->streams[i].ended) {
				moved = false;
				err = stream_poll(st, st->streams + i, &moved);
				if (err)
					return err;
				any |= moved;
			}
		}
		if (!any)
			return stuck(st);
	}
	return order_end(st);
}

/* Claim 8. SYNC has been proved for whoever got here. */
static int props_check(struct state *st)
{
	static const char *const names[] = { "restartable", "one-round", "ordered", "sync",
					     "in own parts" };
	uint32_t props = UB_PLAN_SYNC, missing;

	if (!st->writes_in)
		props |= UB_PLAN_RESTARTABLE;
	if (st->max_rounds <= 1)
		props |= UB_PLAN_ONE_ROUND;
	if (st->all_ordered)
		props |= UB_PLAN_ORDERED;
	if (!st->strays && st->plan->nregions == 1 && st->plan->regions[0].chunks == st->p)
		props |= UB_PLAN_OWN_PARTS;
	st->report->props = props;
	missing = st->plan->props & ~props;
	if (!missing)
		return 0;
	return check_fail(st, 8, 0, "the plan claims to be %s and is not",
			  names[__builtin_ctz(missing)]);
}

/* Claim 9, for a vector of odd length, and for one that leaves chunks empty. */
static int traffic_check(struct state *st)
{
	uint32_t chunks = st->region_first[st->plan->nregions];
	uint64_t sizes[] = { chunks * 3ull * UB_GRANULE + 100, 4 * UB_GRANULE + 8 };
	size_t p = st->p;
	uint64_t *bytes = check_alloc(st, p * p * sizeof(*bytes));
	struct ub_layout layout;

	if (!bytes)
		return -ENOMEM;
	for (int i = 0; i < 2; i++) {
		memset(bytes, 0, p * p * sizeof(*bytes));
		ub_layout_bind(&layout, st->plan, sizes[i], 4);
		ub_plan_traffic(st->plan, &layout, bytes);
		for (size_t k = 0; k < p * p; k++) {
			uint64_t want = k / p == k % p ? 0 :
				st->plan->alg->bytes(st->plan, &layout, k / p, k % p);

			if (bytes[k] != want)
				return check_fail(st, 9, k / p * st->plan->nstreams,
					"%llu bytes go to rank %zu; the formula says %llu (of %llu)",
					(unsigned long long)bytes[k], k % p,
					(unsigned long long)want, (unsigned long long)sizes[i]);
		}
	}
	return 0;
}

int ub_check_plan(const struct ub_check *check, struct ub_check_report *report)
{
	const struct ub_plan *plan = check->plan;
	struct arena_block *block;
	struct state st = {
		.check = check,
		.plan = plan,
		.report = report,
		.p = plan->args.nranks,
		.nstreams = plan->args.nranks * plan->nstreams,
		.nwords = (plan->args.nranks + 63) / 64,
		.all_ordered = true,
	};
	int err;

	memset(report, 0, sizeof(*report));
	err = columns_init(&st);
	if (!err)
		err = streams_init(&st);
	if (!err)
		err = memory_init(&st);
	if (!err)
		err = walk(&st);
	if (!err)
		err = props_check(&st);
	if (!err)
		err = traffic_check(&st);
	while ((block = st.arena)) {
		st.arena = block->next;
		free(block);
	}
	return err;
}
