// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory as check sees it: for each chunk what it holds, and the accesses that a later
 * one could race with. A write that comes after all of them replaces them: who is after
 * the write is after them too.
 */
#include <errno.h>

#include "check_state.h"

static const char *const space_names[] = { "IN", "OUT", "TMP" };

/* One end of a step: a chunk of somebody's memory. NULL location: not followed. */
struct place {
	struct location *loc;
	uint32_t rank;
	uint32_t chunk;
	uint8_t space;
};

static struct location *locate(const struct state *st, uint32_t rank, uint8_t space, uint32_t index)
{
	struct location *mine = st->locations + (size_t)rank * st->nlocations;

	if (space == UB_TMP)
		return mine + 2 * st->ncolumns + index;
	if (space == UB_OUT && !(st->check->in_place && st->check->in_place[rank]))
		return mine + st->ncolumns + index;
	return mine + index;
}

/* Chunk @j of a slice. */
static struct place place_at(const struct state *st, uint32_t rank, const struct ub_slice *slice,
			     uint32_t pos, uint32_t j)
{
	struct place at = { .rank = rank, .space = slice->space };
	uint32_t index;

	at.chunk = ub_slice_run(slice, pos, j / slice->run) + j % slice->run;
	index = at.chunk;
	if (at.space != UB_TMP)
		index = st->column_of[st->region_first[slice->region] + at.chunk];
	if (index != NONE)
		at.loc = locate(st, rank, at.space, index);
	return at;
}

static struct access *access_make(struct state *st, struct location *loc)
{
	struct access *a = st->free_accesses;

	if (a)
		st->free_accesses = a->next;
	else
		a = check_alloc(st, sizeof(*a));
	if (a) {
		*a = (struct access){ .next = loc->accesses };
		loc->accesses = a;
	}
	return a;
}

static bool same_step(const struct access *a, uint32_t stream, uint32_t time)
{
	return a->stream == stream && a->time == time;
}

/* A write replaces all accesses that are before it; those of its own step stay. */
static void accesses_replace(struct state *st, struct location *loc, uint32_t stream, uint32_t time)
{
	struct access **link = &loc->accesses, *a;

	while ((a = *link)) {
		if (same_step(a, stream, time)) {
			link = &a->next;
			continue;
		}
		*link = a->next;
		a->next = st->free_accesses;
		st->free_accesses = a;
	}
}

static int race(struct state *st, uint32_t stream, const struct place *at, bool write,
		const struct access *a)
{
	uint32_t rank = stream_rank(st, a->stream);

	if (a->time == 1 && !a->issue && !a->post)
		return check_fail(st, 3, stream, "%s chunk %u of rank %u's %s before its caller is known to have come",
				  write ? "writes" : "reads", at->chunk, at->rank,
				  space_names[at->space]);
	return check_fail(st, 2, stream, "%s chunk %u of rank %u's %s while rank %u stream %u step %u may still %s it",
			  write ? "writes" : "reads", at->chunk, at->rank, space_names[at->space],
			  rank, a->stream % st->plan->nstreams, a->time - 2,
			  a->write ? "write" : "read");
}

/*
 * Within one step an element may be read and written, once, by the same turn; other
 * meetings are overlaps. *@again: this step has read it already.
 */
static int stamp(struct state *st, const struct stream *s, const struct place *at, uint32_t turn,
		 bool write, bool *again)
{
	struct location *loc = at->loc;
	uint32_t stream = stream_id(st, s), time = stream_time(s);

	*again = loc->stamp_time == time && loc->stamp_stream == stream;
	if (*again && write && (loc->stamp_write || loc->stamp_turn != turn))
		return check_fail(st, 2, stream, "writes chunk %u of rank %u's %s, which the step itself uses otherwise",
				  at->chunk, at->rank, space_names[at->space]);
	if (*again && loc->stamp_turn != turn)
		turn = NONE;
	loc->stamp_time = time;
	loc->stamp_stream = stream;
	loc->stamp_turn = turn;
	loc->stamp_write = write;
	return 0;
}

static int touch(struct state *st, const struct stream *s, const struct place *at, uint32_t turn,
		 const struct issue *issue, const struct post *post, bool write)
{
	uint32_t stream = stream_id(st, s), time = stream_time(s);
	struct access now = { .issue = issue, .post = post, .stream = stream, .time = time,
			      .write = write };
	struct access *a;
	bool again;
	int err;

	if (at->space != UB_TMP && at->chunk != stream_rank(st, stream))
		st->strays = true;
	if (st->left[at->rank])
		return check_fail(st, at->space == UB_TMP ? 7 : 3, stream,
				  "touches chunk %u of rank %u's %s when that rank may have ended",
				  at->chunk, at->rank, space_names[at->space]);
	err = stamp(st, s, at, turn, write, &again);
	if (err || (again && !write))
		return err;
	for (a = at->loc->accesses; a; a = a->next) {
		if (!(write || a->write) || same_step(a, stream, time))
			continue;
		if (!order_before(st, a, s->clock) && !order_same_channel(a, &now))
			return race(st, stream, at, write, a);
	}
	if (write)
		accesses_replace(st, at->loc, stream, time);
	a = access_make(st, at->loc);
	if (!a)
		return -ENOMEM;
	now.next = a->next;
	*a = now;
	return 0;
}

static int fetch(struct state *st, const struct stream *s, const struct place *at, uint32_t turn,
		 const struct issue *issue)
{
	if (!at->loc->value)
		return check_fail(st, at->space == UB_TMP ? 6 : 1, stream_id(st, s),
				  "reads chunk %u of rank %u's %s, which was never written",
				  at->chunk, at->rank, space_names[at->space]);
	return touch(st, s, at, turn, issue, NULL, false);
}

static int store(struct state *st, const struct stream *s, const struct place *at, uint32_t turn,
		 const struct post *post, struct value *value)
{
	if (at->space == UB_IN)
		st->writes_in = true;
	at->loc->value = value;
	return touch(st, s, at, turn, NULL, post, true);
}

/*
 * A MOVE, as pairs (i of the set, chunk j). The turn tells pairs with different
 * sources apart.
 */
struct move {
	const struct ub_step *step;
	const struct ub_ranks *set;
	uint32_t self;
	uint32_t chunks;
	struct issue *issue;
};

static uint32_t move_pair(const struct state *st, const struct move *m, uint32_t i, uint32_t j,
			  struct place *src, struct place *dst)
{
	const struct ub_step *step = m->step;
	bool many_from = m->set == &step->from;
	uint32_t pos = ub_ranks_pos(m->set, ub_ranks_get(m->set, i, m->self));
	uint32_t from = ub_ranks_get(&step->from, many_from ? i : 0, m->self);

	if (step->flags & UB_STEP_LOCAL)
		from = m->self;
	*src = place_at(st, from, &step->src, pos, j);
	*dst = place_at(st, ub_ranks_get(&step->to, many_from ? 0 : i, m->self), &step->dst, pos, j);
	/*
	 * A chunk that is moved onto itself is not touched. Sampling: a slot of TMP is
	 * as little followed as what it was filled from.
	 */
	if (!dst->loc || src->loc == dst->loc ||
	    (st->check->columns && src->loc && !src->loc->value))
		src->loc = NULL;
	return many_from || step->src.per_rank ? i * m->chunks + j : j;
}

static int move_read(struct state *st, struct stream *s, struct move *m)
{
	uint32_t remote = ub_ranks_count(&m->step->to), n = ub_ranks_count(m->set), turn;
	struct place src, dst;
	int err = 0;

	for (uint32_t i = 0; !err && i < n; i++) {
		for (uint32_t j = 0; !err && j < m->chunks; j++) {
			turn = move_pair(st, m, i, j, &src, &dst);
			if (!src.loc)
				continue;
			if (!m->issue && (dst.rank != m->self || remote > 1)) {
				m->issue = order_issue(st, s, remote);
				if (!m->issue)
					return -ENOMEM;
			}
			err = fetch(st, s, &src, turn, m->issue);
		}
	}
	return err;
}

static int move_write(struct state *st, struct stream *s, struct move *m)
{
	uint32_t n = ub_ranks_count(m->set), turn;
	struct place src, dst;
	int err = 0;

	for (uint32_t i = 0; !err && i < n; i++) {
		struct post *post = NULL;

		for (uint32_t j = 0; !err && j < m->chunks; j++) {
			turn = move_pair(st, m, i, j, &src, &dst);
			if (!src.loc)
				continue;
			if (!post && dst.rank != m->self) {
				post = order_post(st, m->issue, dst.rank);
				if (!post)
					return -ENOMEM;
			}
			err = store(st, s, &dst, turn, post, src.loc->value);
		}
	}
	return err;
}

int memory_move(struct state *st, struct stream *s)
{
	struct move m = {
		.step = &s->step,
		.set = ub_move_set(&s->step),
		.self = stream_rank(st, stream_id(st, s)),
		.chunks = s->step.src.run * s->step.src.reps,
	};
	int err = move_read(st, s, &m);

	return err ? err : move_write(st, s, &m);
}

/* Source i of a REDUCE, chunk j. */
static struct place reduce_source(const struct state *st, const struct ub_step *step, uint32_t self,
				  uint32_t i, uint32_t j)
{
	uint32_t from = ub_ranks_get(&step->from, i, self);
	struct ub_slice own = step->dst;

	if (step->flags & UB_STEP_OWN && from == self) {
		own.space = UB_IN;
		return place_at(st, self, &own, 0, j);
	}
	return place_at(st, step->flags & UB_STEP_LOCAL ? self : from, &step->src,
			ub_ranks_pos(&step->from, from), j);
}

static int reduce_fold(struct state *st, struct stream *s, uint32_t j, const struct issue *issue,
		       struct value **result)
{
	uint32_t stream = stream_id(st, s), self = stream_rank(st, stream);
	struct value *acc = NULL;
	int err = 0;

	for (uint32_t i = 0; !err && i < ub_ranks_count(&s->step.from); i++) {
		struct place src = reduce_source(st, &s->step, self, i, j);

		if (!src.loc)
			return 0;
		err = fetch(st, s, &src, j, issue);
		if (err)
			return err;
		if (acc)
			err = value_fold(st, stream, acc, src.loc->value);
		else
			acc = value_fold_begin(st, src.loc->value);
		if (!acc)
			return -ENOMEM;
	}
	if (err)
		return err;
	if (s->step.flags & UB_STEP_FINISH && acc->finished)
		return check_fail(st, 1, stream, "applies the operator's end twice");
	acc->rounds++;
	acc->finished |= !!(s->step.flags & UB_STEP_FINISH);
	*result = acc;
	return 0;
}

static int reduce_store(struct state *st, struct stream *s, uint32_t j, struct issue *issue,
			struct post **posts, struct value *value)
{
	uint32_t self = stream_rank(st, stream_id(st, s));
	int err = 0;

	for (uint32_t i = 0; !err && i < ub_ranks_count(&s->step.to); i++) {
		uint32_t to = ub_ranks_get(&s->step.to, i, self);
		struct place dst = place_at(st, to, &s->step.dst, ub_ranks_pos(&s->step.to, to), j);

		if (!dst.loc)
			continue;
		if (to != self && !posts[i]) {
			posts[i] = order_post(st, issue, to);
			if (!posts[i])
				return -ENOMEM;
		}
		err = store(st, s, &dst, j, posts[i], value);
	}
	return err;
}

int memory_reduce(struct state *st, struct stream *s)
{
	uint32_t self = stream_rank(st, stream_id(st, s)), n = ub_ranks_count(&s->step.to);
	bool posted = n > 1 || ub_ranks_get(&s->step.to, 0, self) != self;
	struct issue *issue = NULL;
	struct post **posts = NULL;
	struct place dst;
	int err = 0;

	for (uint32_t j = 0; !err && j < s->step.dst.run * s->step.dst.reps; j++) {
		struct value *value = NULL;

		dst = place_at(st, ub_ranks_get(&s->step.to, 0, self), &s->step.dst,
			       ub_ranks_pos(&s->step.to, ub_ranks_get(&s->step.to, 0, self)), j);
		if (!dst.loc)
			continue;
		if (!posts) {
			posts = check_alloc(st, n * sizeof(struct post *));
			issue = posted ? order_issue(st, s, n) : NULL;
			if (!posts || (posted && !issue))
				return -ENOMEM;
		}
		err = reduce_fold(st, s, j, issue, &value);
		if (!err && value)
			err = reduce_store(st, s, j, issue, posts, value);
	}
	return err;
}

/* Before the call the caller filled IN and used OUT as he liked. */
static int entry(struct state *st, uint32_t rank, uint32_t column)
{
	const struct ub_sched_args *args = &st->plan->args;
	bool has_input = args->coll == UB_COLL_ALLREDUCE ||
			 (args->coll == UB_COLL_BROADCAST && rank == args->root);
	struct location *in = locate(st, rank, UB_IN, column);
	struct location *out = locate(st, rank, UB_OUT, column);

	for (int i = 0; i < (in == out ? 1 : 2); i++) {
		struct access *a = access_make(st, i ? out : in);

		if (!a)
			return -ENOMEM;
		a->stream = rank * st->plan->nstreams;
		a->time = 1;
		a->write = true;
	}
	if (has_input)
		in->value = value_input(st, rank, column);
	return has_input && !in->value ? -ENOMEM : 0;
}

int memory_init(struct state *st)
{
	int err = 0;

	st->nlocations = 2 * st->ncolumns + st->plan->tmp_chunks;
	st->locations = check_alloc(st, (size_t)st->p * st->nlocations * sizeof(*st->locations));
	if (!st->locations)
		return -ENOMEM;
	for (uint32_t rank = 0; rank < st->p; rank++)
		for (uint32_t c = 0; !err && c < st->ncolumns; c++)
			err = entry(st, rank, c);
	return err;
}

/* All accesses to a chunk are over for a caller who knows @clock. */
static int exit_place(struct state *st, const struct place *at, const uint32_t *clock)
{
	uint32_t last = at->rank * st->plan->nstreams;
	const struct access *a;

	for (a = at->loc->accesses; a; a = a->next)
		if (!order_before(st, a, clock))
			return check_fail(st, at->space == UB_TMP ? 7 : 3, last,
				"ends while rank %u stream %u step %u may still %s chunk %u of its %s",
				stream_rank(st, a->stream), a->stream % st->plan->nstreams,
				a->time - 2, a->write ? "write" : "read", at->chunk,
				space_names[at->space]);
	return 0;
}

int memory_leave(struct state *st, uint32_t rank, const uint32_t *clock)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < st->nlocations; i++) {
		uint32_t column = i % (st->ncolumns ? st->ncolumns : 1);
		struct place at = { .rank = rank, .space = UB_TMP,
				    .chunk = i - 2 * st->ncolumns };

		if (i < 2 * st->ncolumns) {
			at.space = i < st->ncolumns ? UB_IN : UB_OUT;
			at.chunk = st->column_chunk[column];
		}
		at.loc = st->locations + (size_t)rank * st->nlocations + i;
		err = exit_place(st, &at, clock);
	}
	for (uint32_t c = 0; !err && c < st->ncolumns; c++) {
		const struct location *in = locate(st, rank, UB_IN, c);
		const struct location *out = locate(st, rank, UB_OUT, c);

		if (in != out && in->value && (in->value->count != 1 || in->value->last != rank ||
					       in->value->column != c || in->value->rounds))
			return check_fail(st, 1, rank * st->plan->nstreams,
					  "chunk %u of IN was changed", st->column_chunk[c]);
		err = value_expect(st, rank, c, out->value);
	}
	return err;
}
