// SPDX-License-Identifier: BSD-2-Clause
/* See async_run.h. One element per chunk, one stream per rank, sums of int64_t. */
#include <stdlib.h>
#include <string.h>

#include "async_run.h"

#define CHUNKS	16
#define CELLS	16
#define QUEUE	64	/* posts and signals of a channel that are under way */
#define TRASH	(-1000000007ll)

/* A step under way: captured once, then written to each destination. */
struct work {
	bool captured;
	uint32_t users;
	struct ub_step step;
	int64_t value[CHUNKS * ASYNC_RANKS];
	uint32_t rank, bank;
};

struct parcel {
	struct work *work;	/* NULL: a signal */
	uint32_t to, cell, bank;
	uint64_t value;
};

struct channel {
	struct parcel queue[QUEUE];
	uint32_t first, last;
};

struct rank {
	struct ub_cursor cur;
	struct ub_step step;
	bool loaded, inside;
	uint32_t op;
	int64_t in[CHUNKS], out[CHUNKS], tmp[2][CHUNKS];
	uint64_t cells[2][CELLS];
	struct work *unread[QUEUE];
	uint32_t nunread;
};

static const struct ub_plan *plan;
static const bool *in_place;
static struct rank ranks[ASYNC_RANKS];
static struct channel channels[ASYNC_RANKS][ASYNC_RANKS];
static uint64_t *state;
static const char *wrong;

static uint32_t rnd(uint32_t n)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (*state >> 33) % n;
}

static int64_t *memory(uint32_t r, uint32_t bank, uint8_t space)
{
	if (space == UB_TMP)
		return ranks[r].tmp[bank];
	return space == UB_OUT && !in_place[r] ? ranks[r].out : ranks[r].in;
}

static int64_t contribution(uint32_t r, uint32_t op, uint32_t chunk)
{
	return (1ll << (6 * r)) + op * 1000 + chunk;
}

static uint32_t chunk_of(const struct ub_slice *slice, uint32_t pos, uint32_t j)
{
	return ub_slice_run(slice, pos, j / slice->run) + j % slice->run;
}

static uint32_t chunks_of(const struct ub_step *step)
{
	return step->src.run * step->src.reps;
}

/* Read all sources. */
static void capture(struct work *w)
{
	const struct ub_step *step = &w->step;
	const struct ub_ranks *set = step->op == UB_STEP_MOVE ? ub_move_set(step) : &step->from;
	uint32_t n = chunks_of(step);

	w->captured = true;
	memset(w->value, 0, sizeof(w->value));
	for (uint32_t i = 0; i < ub_ranks_count(set); i++) {
		uint32_t member = ub_ranks_get(set, i, w->rank), pos = ub_ranks_pos(set, member);
		uint32_t from = set == &step->from ? member : ub_ranks_get(&step->from, 0, w->rank);
		bool own = step->flags & UB_STEP_OWN && from == w->rank;
		int64_t *mem = memory(step->flags & UB_STEP_LOCAL ? w->rank : from, w->bank,
				      own ? UB_IN : step->src.space);

		for (uint32_t j = 0; j < n; j++) {
			int64_t x = mem[own ? chunk_of(&step->dst, 0, j) :
					chunk_of(&step->src, pos, j)];

			if (step->op == UB_STEP_REDUCE)
				w->value[j] += x;
			else
				w->value[i * n + j] = x;
		}
	}
}

/* Write to the i-th destination (of a gather: all that was gathered). */
static void deliver(const struct work *w, uint32_t i)
{
	const struct ub_step *step = &w->step;
	const struct ub_ranks *set = step->op == UB_STEP_MOVE ? ub_move_set(step) : &step->to;
	uint32_t n = chunks_of(step), to = ub_ranks_get(&step->to, i, w->rank);
	bool gather = step->op == UB_STEP_MOVE && set == &step->from;
	int64_t *mem = memory(to, w->bank, step->dst.space);

	for (uint32_t k = gather ? 0 : i; k < (gather ? ub_ranks_count(set) : i + 1); k++) {
		uint32_t pos = ub_ranks_pos(set, ub_ranks_get(set, k, w->rank));

		for (uint32_t j = 0; j < n; j++)
			mem[chunk_of(&step->dst, pos, j)] =
				w->value[step->op == UB_STEP_REDUCE ? j : k * n + j];
	}
}

static void work_put(struct work *w)
{
	if (!--w->users)
		free(w);
}

static void send(uint32_t from, uint32_t to, struct parcel parcel)
{
	struct channel *ch = &channels[from][to];

	ch->queue[ch->last++ % QUEUE] = parcel;
	if (ch->last - ch->first >= QUEUE)
		wrong = "too much under way";
}

static void issue(struct rank *r, uint32_t self)
{
	struct work *w = calloc(1, sizeof(*w));

	w->users = 2;
	w->step = r->step;
	w->rank = self;
	w->bank = r->op % 2;
	for (uint32_t i = 0; i < ub_ranks_count(&r->step.to); i++) {
		uint32_t to = ub_ranks_get(&r->step.to, i, self);

		if (to == self) {
			if (!w->captured)
				capture(w);
			deliver(w, i);
			continue;
		}
		w->users++;
		send(self, to, (struct parcel){ .work = w, .to = i });
	}
	if (!w->captured && rnd(2))
		capture(w);
	if (r->nunread < QUEUE)
		r->unread[r->nunread++] = w;
	else
		wrong = "too many posts without FLUSH";
	work_put(w);
}

static bool satisfied(const struct rank *r, uint32_t self)
{
	const struct ub_step *step = &r->step;
	uint64_t want = (uint64_t)(r->op + 1) << UB_SIGNAL_SHIFT | step->value;

	for (uint32_t i = 0; i < ub_ranks_count(&step->from); i++) {
		uint32_t pos = ub_ranks_pos(&step->from, ub_ranks_get(&step->from, i, self));

		if (r->cells[r->op % 2][step->signal + pos * step->signal_per_rank] < want)
			return false;
	}
	return true;
}

static void tell(const struct rank *r, uint32_t self)
{
	const struct ub_step *step = &r->step;

	for (uint32_t i = 0; i < ub_ranks_count(&step->to); i++) {
		uint32_t to = ub_ranks_get(&step->to, i, self);

		send(self, to, (struct parcel){
			.to = to, .bank = r->op % 2,
			.cell = step->signal + ub_ranks_pos(&step->to, to) * step->signal_per_rank,
			.value = (uint64_t)(r->op + 1) << UB_SIGNAL_SHIFT | step->value });
	}
}

static bool flushed(const struct rank *r)
{
	for (uint32_t i = 0; i < r->nunread; i++)
		if (!r->unread[i]->captured)
			return false;
	return true;
}

static void enter(struct rank *r, uint32_t self)
{
	ub_cursor_open(plan, self, 0, &r->cur);
	r->inside = true;
	r->loaded = false;
	for (uint32_t c = 0; c < CHUNKS; c++) {
		r->in[c] = contribution(self, r->op, c);
		r->out[c] = TRASH;
	}
}

/* The caller reads his result and goes on to use his buffers otherwise. */
static void leave(struct rank *r, uint32_t self)
{
	const int64_t *out = memory(self, 0, UB_OUT);

	for (uint32_t c = 0; c < plan->regions[0].chunks; c++) {
		int64_t want = 0;

		for (uint32_t q = 0; q < plan->args.nranks; q++)
			if (plan->args.coll == UB_COLL_ALLREDUCE || q == plan->args.root)
				want += contribution(q, r->op, c);
		if (plan->args.coll != UB_COLL_BARRIER && out[c] != want)
			wrong = "a wrong result";
	}
	for (uint32_t q = 0; plan->args.coll == UB_COLL_BARRIER && q < plan->args.nranks; q++)
		if (ranks[q].op < r->op || (ranks[q].op == r->op && !ranks[q].inside))
			wrong = "a barrier passed early";
	for (uint32_t c = 0; c < CHUNKS; c++)
		r->in[c] = r->out[c] = TRASH;
	r->inside = false;
	r->op++;
}

static bool advance(struct rank *r, uint32_t self)
{
	if (!r->inside) {
		if (r->op == ASYNC_OPS)
			return false;
		enter(r, self);
		return true;
	}
	if (!r->loaded && !ub_cursor_next(plan, &r->cur, &r->step)) {
		leave(r, self);
		return true;
	}
	r->loaded = true;
	if (r->step.op == UB_STEP_MOVE || r->step.op == UB_STEP_REDUCE)
		issue(r, self);
	else if (r->step.op == UB_STEP_SIGNAL)
		tell(r, self);
	else if (r->step.op == UB_STEP_WAIT && !satisfied(r, self))
		return false;
	else if (r->step.op == UB_STEP_FLUSH && !flushed(r))
		return false;
	r->loaded = false;
	return true;
}

/* A channel is in order: its head reads, then, later, writes. */
static bool carry(struct channel *ch)
{
	struct parcel *p = &ch->queue[ch->first % QUEUE];

	if (ch->first == ch->last)
		return false;
	if (!p->work) {
		ranks[p->to].cells[p->bank][p->cell] = p->value;
	} else if (!p->work->captured) {
		capture(p->work);
		return true;
	} else {
		deliver(p->work, p->to);
		work_put(p->work);
	}
	ch->first++;
	return true;
}

/* Forget what was read; the rest stays until a FLUSH has seen it. */
static void forget(struct rank *r, bool all)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->nunread; i++) {
		if (all || r->unread[i]->captured)
			work_put(r->unread[i]);
		else
			r->unread[kept++] = r->unread[i];
	}
	r->nunread = kept;
}

/* Something random that can happen; when nothing can, all is over or stuck. */
static bool any_event(void)
{
	uint32_t p = plan->args.nranks, n = p + p * p, start = rnd(n);

	for (uint32_t k = 0; k < n; k++) {
		uint32_t e = (start + k) % n;
		bool moved = e < p ? advance(&ranks[e], e) :
				     carry(&channels[(e - p) / p][(e - p) % p]);

		if (e < p)
			forget(&ranks[e], false);
		if (moved)
			return true;
	}
	return false;
}

const char *async_run(const struct ub_plan *the_plan, const bool *the_in_place, uint64_t *seed)
{
	plan = the_plan;
	in_place = the_in_place;
	state = seed;
	wrong = NULL;
	memset(ranks, 0, sizeof(ranks));
	memset(channels, 0, sizeof(channels));
	while (!wrong && any_event())
		;
	for (uint32_t r = 0; r < plan->args.nranks; r++) {
		struct parcel *p;

		forget(&ranks[r], true);
		if (!wrong && ranks[r].op < ASYNC_OPS)
			wrong = "a rank that never ends";
		for (uint32_t q = 0; q < ASYNC_RANKS; q++)
			for (; channels[r][q].first < channels[r][q].last; channels[r][q].first++) {
				p = &channels[r][q].queue[channels[r][q].first % QUEUE];
				if (p->work)
					work_put(p->work);
			}
	}
	return wrong;
}
