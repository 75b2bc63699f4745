/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of check share. check.c walks; check_order.c knows what happens before
 * what; check_memory.c knows who touched a chunk and what it holds; check_value.c
 * knows what a value is made of; check_step.c whether a step is well formed.
 *
 * Every function that returns int returns 0, -ENOMEM, or -EPROTO with the report
 * filled in. All memory comes from one arena and goes with it.
 */
#ifndef UB_SCHED_CHECK_STATE_H
#define UB_SCHED_CHECK_STATE_H

#include "check.h"

#define NONE UINT32_MAX

/*
 * A value: one chunk of one rank's IN, or a fold of several. @set tells the ranks by
 * bits; NULL when there is only one, @last.
 */
struct value {
	uint32_t column;
	uint32_t count;
	uint32_t last;		/* the rank that was folded last */
	uint32_t rounds;	/* roundings on the longest way */
	bool ordered;		/* a left fold over ascending ranks */
	bool finished;		/* UB_STEP_FINISH was applied */
	uint64_t *set;
};

/* A step's work towards one other rank. */
struct post {
	struct post *next;	/* in its channel */
	uint32_t seq;		/* there, from 1 */
	uint32_t rank;		/* the destination */
	uint32_t done[];	/* by stream of @rank: since when it knows; 0: never yet */
};

/* All that a step posted; its sources have been read when it is flushed, or all posts are done. */
struct issue {
	struct issue *next;	/* in its stream, not flushed */
	uint32_t stream;
	uint32_t flushed;	/* since when its stream knows; 0: not yet */
	uint32_t nposts;
	struct post *posts[];
};

/* An access in the past. Complete at once, unless it is part of an issue or a post. */
struct access {
	struct access *next;
	const struct issue *issue;
	const struct post *post;
	uint32_t stream;
	uint32_t time;
	bool write;
};

/* A chunk of memory. */
struct location {
	struct value *value;
	struct access *accesses;
	/* The step that touched it last, which element of it, and whether it writes. */
	uint32_t stamp_stream;
	uint32_t stamp_time;
	uint32_t stamp_turn;
	bool stamp_write;
};

/* What a stream knew when it signalled. */
struct snapshot {
	struct snapshot *next;	/* when free */
	uint32_t refs;
	uint32_t clock[];
};

/* The posts of a (stream, rank), oldest first; mark: by stream of that rank, not yet known done. */
struct channel {
	struct channel *next;	/* in its bucket */
	uint32_t stream;
	uint32_t rank;
	uint32_t posted;
	struct post *last;
	struct post *mark[];
};

struct signal {
	struct signal *next;
	struct snapshot *snapshot;
	struct channel *channel;
	uint32_t cover;		/* the last post that it follows */
	uint32_t value;
	bool entry;		/* UB_STEP_ENTRY */
};

struct cell {
	struct signal *first;
	struct signal **end;
	uint32_t writer;	/* stream; NONE: not yet */
	uint32_t reader;
	uint32_t value;		/* the last */
};

/* One stream of one rank. Time: 1 at the caller's entry, step k is at k + 2. */
struct stream {
	struct ub_cursor cursor;
	struct ub_step step;
	struct issue *unflushed;
	uint32_t *clock;	/* by stream: up to when its steps are before mine */
	uint32_t index;		/* of the step */
	uint32_t waited;	/* of a WAIT: so many cells are satisfied */
	bool loaded;
	bool ended;
};

struct arena_block;

struct state {
	const struct ub_check *check;
	const struct ub_plan *plan;
	struct ub_check_report *report;
	uint32_t p;
	uint32_t nstreams;		/* of all ranks */
	uint32_t ncolumns;
	uint32_t nwords;		/* of a set of ranks */
	uint32_t region_first[UB_MAX_REGIONS + 1];	/* chunk number through all regions */
	uint32_t *column_of;		/* by that number: the column, or NONE */
	uint32_t *column_chunk;		/* the inverse */
	struct stream *streams;
	uint32_t *clocks;
	struct cell *cells;
	struct location *locations;	/* by rank: IN, OUT, TMP */
	uint32_t nlocations;		/* of one rank */
	bool *left;			/* by rank: it has ended */
	uint32_t ended;			/* streams */
	bool writes_in;			/* some step writes IN */
	bool strays;			/* some step touches another chunk than its rank's */
	bool all_ordered;
	uint32_t max_rounds;
	bool sync;

	struct channel **buckets;
	uint32_t nbuckets;
	struct snapshot *free_snapshots;
	struct signal *free_signals;
	struct access *free_accesses;
	struct arena_block *arena;
};

/* check.c */
int check_fail(struct state *st, int claim, uint32_t stream, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void *check_alloc(struct state *st, size_t bytes);

/* check_order.c */
int order_signal(struct state *st, struct stream *s);
int order_wait(struct state *st, struct stream *s, bool *satisfied);
void order_flush(struct state *st, struct stream *s);
int order_end(struct state *st);
struct issue *order_issue(struct state *st, struct stream *s, uint32_t max_posts);
struct post *order_post(struct state *st, struct issue *issue, uint32_t rank);
bool order_before(const struct state *st, const struct access *a, const uint32_t *clock);
bool order_same_channel(const struct access *a, const struct access *b);

/* check_memory.c */
int memory_init(struct state *st);
int memory_move(struct state *st, struct stream *s);
int memory_reduce(struct state *st, struct stream *s);
int memory_leave(struct state *st, uint32_t rank, const uint32_t *clock);

/* check_value.c */
struct value *value_input(struct state *st, uint32_t rank, uint32_t column);
int value_fold(struct state *st, uint32_t stream, struct value *acc, const struct value *x);
struct value *value_fold_begin(struct state *st, const struct value *x);
int value_expect(struct state *st, uint32_t rank, uint32_t column, const struct value *v);

/* check_step.c */
int step_check(struct state *st, const struct stream *s);

static inline uint32_t stream_id(const struct state *st, const struct stream *s)
{
	return s - st->streams;
}

static inline uint32_t stream_rank(const struct state *st, uint32_t stream)
{
	return stream / st->plan->nstreams;
}

static inline uint32_t stream_time(const struct stream *s)
{
	return s->index + 2;
}

#endif /* UB_SCHED_CHECK_STATE_H */
