// SPDX-License-Identifier: BSD-2-Clause
/*
 * Happens-before: vector clocks over streams, and the completion of posts.
 *
 * A clock entry says up to which step of another stream everything that was complete
 * there is before me. What that stream had posted is not covered by it: a post
 * carries its own mark, set when a stream of its destination acquires a signal that
 * was sent on the post's channel after it. Others learn of it through that stream.
 */
#include <errno.h>
#include <string.h>

#include "check_state.h"

static struct channel **channel_bucket(struct state *st, uint32_t stream, uint32_t rank)
{
	uint32_t hash = (stream * 2654435761u ^ rank * 2246822519u) >> 7;

	return &st->buckets[hash % st->nbuckets];
}

static struct channel *channel_find(struct state *st, uint32_t stream, uint32_t rank)
{
	struct channel *ch = *channel_bucket(st, stream, rank);

	while (ch && (ch->stream != stream || ch->rank != rank))
		ch = ch->next;
	return ch;
}

static struct channel *channel_make(struct state *st, uint32_t stream, uint32_t rank)
{
	struct channel **bucket = channel_bucket(st, stream, rank);
	struct channel *ch = channel_find(st, stream, rank);

	if (ch)
		return ch;
	ch = check_alloc(st, sizeof(*ch) + st->plan->nstreams * sizeof(ch->mark[0]));
	if (!ch)
		return NULL;
	ch->stream = stream;
	ch->rank = rank;
	ch->next = *bucket;
	*bucket = ch;
	return ch;
}

struct issue *order_issue(struct state *st, struct stream *s, uint32_t max_posts)
{
	struct issue *issue = check_alloc(st, sizeof(*issue) + max_posts * sizeof(issue->posts[0]));

	if (!issue)
		return NULL;
	issue->stream = stream_id(st, s);
	issue->next = s->unflushed;
	s->unflushed = issue;
	return issue;
}

struct post *order_post(struct state *st, struct issue *issue, uint32_t rank)
{
	struct channel *ch = channel_make(st, issue->stream, rank);
	struct post *post;

	if (!ch)
		return NULL;
	post = check_alloc(st, sizeof(*post) + st->plan->nstreams * sizeof(post->done[0]));
	if (!post)
		return NULL;
	post->rank = rank;
	post->seq = ++ch->posted;
	if (ch->last)
		ch->last->next = post;
	ch->last = post;
	for (uint32_t i = 0; i < st->plan->nstreams; i++)
		if (!ch->mark[i])
			ch->mark[i] = post;
	issue->posts[issue->nposts++] = post;
	return post;
}

static struct snapshot *snapshot_take(struct state *st, const struct stream *s)
{
	struct snapshot *snap = st->free_snapshots;
	size_t bytes = st->nstreams * sizeof(snap->clock[0]);

	if (snap)
		st->free_snapshots = snap->next;
	else
		snap = check_alloc(st, sizeof(*snap) + bytes);
	if (!snap)
		return NULL;
	snap->refs = 0;
	memcpy(snap->clock, s->clock, bytes);
	return snap;
}

static struct signal *signal_make(struct state *st)
{
	struct signal *signal = st->free_signals;

	if (!signal)
		return check_alloc(st, sizeof(*signal));
	st->free_signals = signal->next;
	return signal;
}

static int signal_store(struct state *st, struct stream *s, uint32_t to, struct snapshot *snap)
{
	uint32_t self = stream_id(st, s), value = s->step.value;
	uint32_t index = s->step.signal + ub_ranks_pos(&s->step.to, to) * s->step.signal_per_rank;
	struct cell *cell = st->cells + (size_t)to * st->plan->nsignals + index;
	struct signal *signal = signal_make(st);

	if (!signal)
		return -ENOMEM;
	if (cell->writer != NONE && cell->writer != self)
		return check_fail(st, 5, self, "writes cell %u of rank %u, as stream %u of rank %u does",
				  index, to, cell->writer % st->plan->nstreams,
				  stream_rank(st, cell->writer));
	if (value <= cell->value)
		return check_fail(st, 5, self, "stores %u after %u into cell %u of rank %u", value,
				  cell->value, index, to);
	cell->writer = self;
	cell->value = value;
	signal->next = NULL;
	signal->value = value;
	signal->entry = s->step.flags & UB_STEP_ENTRY;
	signal->snapshot = snap;
	snap->refs++;
	signal->channel = channel_find(st, self, to);
	signal->cover = signal->channel ? signal->channel->posted : 0;
	*cell->end = signal;
	cell->end = &signal->next;
	return 0;
}

int order_signal(struct state *st, struct stream *s)
{
	struct snapshot *snap = snapshot_take(st, s);
	uint32_t rank = stream_rank(st, stream_id(st, s));
	int err = snap ? 0 : -ENOMEM;

	for (uint32_t i = 0; !err && i < ub_ranks_count(&s->step.to); i++)
		err = signal_store(st, s, ub_ranks_get(&s->step.to, i, rank), snap);
	return err;
}

/*
 * The maximum, entry by entry: where check spends its time when ranks are many. So it
 * goes by vectors, and not under the sanitizers; its operands are whole clocks.
 */
__attribute__((no_sanitize("address", "undefined")))
static void clock_join(uint32_t *mine, const uint32_t *theirs, uint32_t n)
{
	typedef int32_t four __attribute__((vector_size(16), aligned(4), may_alias));
	uint32_t i;

	for (i = 0; i + 4 <= n; i += 4) {
		four a = *(four *)(mine + i), b = *(const four *)(theirs + i);
		four less = a < b;

		*(four *)(mine + i) = (b & less) | (a & ~less);
	}
	for (; i < n; i++)
		mine[i] = mine[i] > theirs[i] ? mine[i] : theirs[i];
}

/* The waiter knows what the signaller knew, and that the posts before the signal are done. */
static void signal_acquire(struct state *st, struct stream *s, struct cell *cell)
{
	struct signal *signal = cell->first;
	struct snapshot *snap = signal->snapshot;
	uint32_t in_rank = stream_id(st, s) % st->plan->nstreams;

	clock_join(s->clock, snap->clock, st->nstreams);
	while (signal->channel) {
		struct post *post = signal->channel->mark[in_rank];

		if (!post || post->seq > signal->cover)
			break;
		post->done[in_rank] = stream_time(s);
		signal->channel->mark[in_rank] = post->next;
	}
	cell->first = signal->next;
	if (!cell->first)
		cell->end = &cell->first;
	if (!--snap->refs) {
		snap->next = st->free_snapshots;
		st->free_snapshots = snap;
	}
	signal->next = st->free_signals;
	st->free_signals = signal;
}

static int wait_cell(struct state *st, struct stream *s, uint32_t from, bool *satisfied)
{
	uint32_t self = stream_id(st, s), rank = stream_rank(st, self), value = s->step.value;
	uint32_t index = s->step.signal + ub_ranks_pos(&s->step.from, from) * s->step.signal_per_rank;
	struct cell *cell = st->cells + (size_t)rank * st->plan->nsignals + index;

	if (cell->reader != NONE && cell->reader != self)
		return check_fail(st, 5, self, "waits for cell %u, as stream %u does", index,
				  cell->reader % st->plan->nstreams);
	cell->reader = self;
	if (cell->first && stream_rank(st, cell->writer) != from)
		return check_fail(st, 5, self, "waits for rank %u in cell %u, which rank %u writes",
				  from, index, stream_rank(st, cell->writer));
	/* A wait for a later value is one for the earlier ones too. Headers must be seen. */
	while (cell->first && cell->first->value < value && !cell->first->entry)
		signal_acquire(st, s, cell);
	*satisfied = cell->first;
	if (!cell->first)
		return 0;
	if (cell->first->value > value)
		return check_fail(st, 5, self, "waits for value %u in cell %u; rank %u stores %u",
				  value, index, from, cell->first->value);
	if (cell->first->value < value || cell->first->entry != !!(s->step.flags & UB_STEP_ENTRY))
		return check_fail(st, 5, self, "rank %u's signal %u in cell %u and this wait do not agree on being an entry",
				  from, cell->first->value, index);
	signal_acquire(st, s, cell);
	return 0;
}

/* Polled again, it goes on where it stopped. */
int order_wait(struct state *st, struct stream *s, bool *satisfied)
{
	uint32_t rank = stream_rank(st, stream_id(st, s));
	int err;

	for (; s->waited < ub_ranks_count(&s->step.from); s->waited++) {
		err = wait_cell(st, s, ub_ranks_get(&s->step.from, s->waited, rank), satisfied);
		if (err || !*satisfied)
			return err;
	}
	return 0;
}

void order_flush(struct state *st, struct stream *s)
{
	for (; s->unflushed; s->unflushed = s->unflushed->next)
		s->unflushed->flushed = stream_time(s);
}

int order_end(struct state *st)
{
	for (size_t i = 0; i < (size_t)st->p * st->plan->nsignals; i++)
		if (st->cells[i].first)
			return check_fail(st, 5, st->cells[i].writer,
					  "value %u in cell %zu of rank %zu is never awaited",
					  st->cells[i].first->value, i % st->plan->nsignals,
					  i / st->plan->nsignals);
	return 0;
}

static bool post_before(const struct state *st, const struct post *post, const uint32_t *clock)
{
	const uint32_t *of_rank = clock + post->rank * st->plan->nstreams;

	for (uint32_t i = 0; i < st->plan->nstreams; i++)
		if (post->done[i] && of_rank[i] >= post->done[i])
			return true;
	return false;
}

/* Whether a past access is complete for someone who knows @clock. */
bool order_before(const struct state *st, const struct access *a, const uint32_t *clock)
{
	const struct issue *issue = a->issue;

	if (a->post)
		return post_before(st, a->post, clock);
	if (!issue)
		return clock[a->stream] >= a->time;
	if (issue->flushed && clock[issue->stream] >= issue->flushed)
		return true;
	for (uint32_t i = 0; i < issue->nposts; i++)
		if (!post_before(st, issue->posts[i], clock))
			return false;
	return true;
}

/* Two stores to one place over one channel keep their order. */
bool order_same_channel(const struct access *a, const struct access *b)
{
	return a->post && b->post && a->stream == b->stream && a->post->rank == b->post->rank;
}
