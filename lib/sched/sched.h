/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collective schedules as data: the step, the plan, the generator.
 *
 * A *plan* is what all ranks of a collective agree on; it sees no rank. From it
 * each rank pulls one stream of flat *steps* at a time, or several. The same
 * steps are run, checked, costed and printed; nothing describes a collective
 * twice.
 *
 * What this file guarantees
 *   - ub_plan_make() is a pure function of its arguments, ub_cursor_next() of
 *     plan and cursor. Nothing is allocated, nothing is global.
 *   - A plan is immutable after ub_plan_make() and may be shared by threads.
 *   - Sizes are symbolic: steps count chunks. A layout (below) binds chunks to
 *     bytes, so one plan serves every size.
 *   - A plan is right for every mixture of ranks that work in place (IN and OUT
 *     are the same memory) and ranks that do not: that is a rank's own affair,
 *     and is never agreed upon.
 *
 * Memory. Each rank has IN and OUT (the caller's) and TMP (the library's, one
 * per bank). A step may name the memory of other ranks: mapped, or behind a
 * transport.
 *
 * Order. This is all that an executor promises, and all that a generator may
 * rely on:
 *   - The steps of one stream are issued in order. Streams of one rank are not
 *     ordered among themselves, but by signals.
 *   - A MOVE or REDUCE all of whose destinations are my own memory has read its
 *     sources, of whatever rank, and written when the next step is issued.
 *   - Towards another rank the work is *posted* on the channel (rank, stream,
 *     peer): between issue and completion it reads its sources and writes at
 *     any time. Only later steps of the same channel are ordered after it. One
 *     step to m destinations is m posts.
 *   - SIGNAL to a peer is delivered after all that was posted on its channel
 *     before, and after all that its stream had completed before (a release; the
 *     executor drains non-temporal stores first). It says nothing about posts
 *     on other channels.
 *   - WAIT is an acquire and blocks its stream only.
 *   - FLUSH waits until every post of its stream has read its sources. It does
 *     not say that they have arrived: that takes a signal.
 *   - Within one step a source and a destination may be the same bytes, never
 *     overlap otherwise: an element is read from all sources before it is
 *     written to any destination. A MOVE onto itself (IN to OUT, in place) touches
 *     nothing: others may be reading there.
 *
 * Signals. A cell belongs to the rank that waits on it; one stream of one rank
 * writes it and one stream reads it. A SIGNAL stores
 * `operation sequence << UB_SIGNAL_SHIFT | value`; a WAIT is satisfied when the
 * cell holds at least that, compared modulo 2^64. Within an operation the values
 * of a cell increase and lie in 1 … UB_SIGNAL_MAX.
 *
 * Banks. An operation uses bank (sequence modulo 2) of cells and TMP. Every plan
 * is UB_PLAN_SYNC and closed (see below), and a rank runs the operations of a
 * communicator in order; therefore two banks are enough: who enters operation
 * n + 2 has finished n + 1, so everybody has entered n + 1, so everybody has
 * finished n. check proves both premises for each plan. (Overlapping
 * operations need more banks, by the same argument.)
 */
#ifndef UB_SCHED_SCHED_H
#define UB_SCHED_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ub/types.h>

#define UB_SIGNAL_SHIFT		24
#define UB_SIGNAL_MAX		((1u << UB_SIGNAL_SHIFT) - 1)

#define UB_MAX_REGIONS		8	/* of a plan: unequal splits are few */
#define UB_GRANULE		64	/* bytes: a chunk begins on a cache line */

enum ub_step_op {
	UB_STEP_MOVE	= 1,	/* copy src to dst */
	UB_STEP_REDUCE	= 2,	/* fold the sources in the order of @from, to every @to */
	UB_STEP_SIGNAL	= 3,	/* store @value into a cell of every @to */
	UB_STEP_WAIT	= 4,	/* until every @from has stored @value into its cell */
	UB_STEP_FLUSH	= 5,	/* until my posts have read their sources */
};

enum ub_step_flags {
	/*
	 * MOVE, REDUCE: all sources lie in my own memory; @from only numbers
	 * them (its positions select the slots).
	 */
	UB_STEP_LOCAL	= 1 << 0,
	/*
	 * REDUCE: the source that is myself is my IN, with the chunks of @dst,
	 * instead of @src.
	 */
	UB_STEP_OWN	= 1 << 1,
	/*
	 * REDUCE: the result is complete; apply the operator's end (UB_AVG
	 * divides). Once for each element of the result.
	 */
	UB_STEP_FINISH	= 1 << 2,
	/*
	 * SIGNAL, WAIT: part of the entry exchange. With it travel, by the
	 * executor's means, the sender's header (buffers, hash of the call).
	 */
	UB_STEP_ENTRY	= 1 << 3,
	/*
	 * SIGNAL, WAIT: part of the exit handshake: the sender has done with
	 * the receiver's buffers.
	 */
	UB_STEP_EXIT	= 1 << 4,
};

/**
 * struct ub_ranks - an arithmetic progression of ranks within an aligned block
 * @first: the first rank
 * @count: how many; 0 means: myself
 * @stride: from one to the next; ≥ 1
 * @mod: size of the block of ranks, aligned to itself, in which the progression
 *	wraps around; = nranks for all. A row of a mesh is (stride 1, mod k), a
 *	column (stride k, mod k × rows).
 *
 * Rank i is  b + (first − b + i × stride) mod @mod,  b = @first rounded down to @mod.
 * Its *position* is  (rank mod @mod) / @stride:  its place in the group, whoever
 * comes first. @mod is a multiple of @stride where positions are used.
 */
struct ub_ranks {
	uint32_t first;
	uint32_t count;
	uint32_t stride;
	uint32_t mod;
};

enum ub_space { UB_IN, UB_OUT, UB_TMP };

/**
 * struct ub_slice - some chunks of one space of one rank
 * @space: enum ub_space
 * @region: of IN and OUT; TMP has none
 * @first: the first chunk, at position 0
 * @run: chunks in a row
 * @reps: how many such runs, ≥ 1
 * @stride: chunks from the start of a run to that of the next
 * @per_rank: added to @first for each position of the rank (struct ub_ranks)
 *
 * Chunks number the whole vector of the collective; where a rank holds only its
 * part of it (the IN of all-gather), that part keeps its numbers. The chunks of
 * a run are contiguous in IN and OUT. In TMP each chunk has a slot of its own,
 * and holds as many bytes as the chunk at the other side of the step; a step
 * from TMP to TMP moves whole slots.
 */
struct ub_slice {
	uint8_t space;
	uint8_t region;
	uint16_t reserved;
	uint32_t first;
	uint32_t run;
	uint32_t reps;
	uint32_t stride;
	uint32_t per_rank;
};

/**
 * struct ub_step - what one rank does next in one stream
 * @op: enum ub_step_op
 * @flags: enum ub_step_flags
 * @stream: number of the stream
 * @signal: SIGNAL, WAIT: the cell at position 0
 * @signal_per_rank: added for each position: of the receiver in @to (SIGNAL), of
 *	the writer in @from (WAIT)
 * @value: SIGNAL, WAIT: 1 … UB_SIGNAL_MAX
 * @from: whose memory is read; whose signals are awaited
 * @to: whose memory is written; who is signalled
 * @src: what is read
 * @dst: what is written
 *
 * REDUCE: the sources are folded from the left in the order of @from, in the
 *	accumulator's type, rounded once, and stored to every rank of @to.
 *	@src takes positions from @from, @dst from @to.
 * MOVE: at least one of @from and @to is a single rank. Both slices take their
 *	positions from the other one: gather (n sources, my n slots), scatter, or,
 *	where neither slice has @per_rank, one source to m destinations.
 */
struct ub_step {
	uint8_t op;
	uint8_t flags;
	uint16_t stream;
	uint32_t signal;
	uint32_t signal_per_rank;
	uint32_t value;
	struct ub_ranks from;
	struct ub_ranks to;
	struct ub_slice src;
	struct ub_slice dst;
};

struct ub_alg;
struct ub_topo;

/* What a plan claims. check computes each, and fails a plan whose claim is false. */
enum ub_plan_props {
	/* No step writes IN, so an out of place call can be run again. */
	UB_PLAN_RESTARTABLE	= 1 << 0,
	/* Each element of the result is rounded at most once. */
	UB_PLAN_ONE_ROUND	= 1 << 1,
	/* The result is the left fold over ascending ranks: deterministic mode. */
	UB_PLAN_ORDERED		= 1 << 2,
	/* No rank ends before every rank has begun. */
	UB_PLAN_SYNC		= 1 << 3,
	/*
	 * One region of a chunk per rank; chunk r of anybody's IN and OUT is touched by
	 * rank r only.
	 */
	UB_PLAN_OWN_PARTS	= 1 << 4,
};

/**
 * struct ub_region - a part of the vector
 * @share: its weight; the vector is split in proportion
 * @chunks: how many chunks it is cut into
 */
struct ub_region {
	uint32_t share;
	uint32_t chunks;
};

/**
 * struct ub_sched_args - the agreed values that a plan is made of
 * @coll: the collective
 * @nranks: how many ranks, ≥ 1
 * @root: of a broadcast, else 0
 * @topo: the graph, or NULL for a full mesh
 */
struct ub_sched_args {
	enum ub_coll coll;
	uint32_t nranks;
	uint32_t root;
	const struct ub_topo *topo;
};

/**
 * struct ub_plan - a schedule for all ranks
 * @alg: who generates its steps
 * @args: what it was made of
 * @nstreams: streams of each rank
 * @nregions: used entries of @regions; ≥ 1
 * @regions: the vector's split
 * @tmp_chunks: TMP slots of each rank, per bank
 * @nsignals: cells of each rank, per bank
 * @props: enum ub_plan_props
 */
struct ub_plan {
	const struct ub_alg *alg;
	struct ub_sched_args args;
	uint32_t nstreams;
	uint32_t nregions;
	struct ub_region regions[UB_MAX_REGIONS];
	uint32_t tmp_chunks;
	uint32_t nsignals;
	uint32_t props;
};

/**
 * struct ub_cursor - a position in the stream of one rank
 * @rank: whose
 * @stream: which
 * @phase: which part of the algorithm comes next
 * @i: which turn within it
 * @word: what the generator likes to remember
 *
 * A value: copy it to remember a place, throw it away at will.
 */
struct ub_cursor {
	uint32_t rank;
	uint32_t stream;
	uint32_t phase;
	uint32_t i;
	uint32_t word[12];
};

_Static_assert(sizeof(struct ub_cursor) <= 64, "15,488 ranks are 15,488 cursors");

struct ub_layout;

/**
 * struct ub_alg - an algorithm
 * @name: lower case, as printed and as asked for by users
 * @coll: the collective that it does
 * @plan: fill in a plan (@alg and @args are set, the rest is zero). 0, or
 *	-EOPNOTSUPP when it cannot serve these arguments.
 * @next: generate the next step of a stream: true, or false at its end. @step
 *	comes zeroed, with @stream set.
 * @bytes: the algorithm's own formula for the bytes of payload that go from
 *	rank @from to rank @to ≠ @from, whoever moves them (check's claim 9)
 */
struct ub_alg {
	const char *name;
	enum ub_coll coll;
	int (*plan)(struct ub_plan *plan);
	bool (*next)(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step);
	uint64_t (*bytes)(const struct ub_plan *plan, const struct ub_layout *layout,
			  uint32_t from, uint32_t to);
};

/* Every algorithm, ended by NULL, in order of preference among equals. */
extern const struct ub_alg *const ub_algs[];

/**
 * ub_alg_find - look an algorithm up
 * @coll: the collective
 * @name: its name
 *
 * Return: the algorithm, or NULL.
 */
const struct ub_alg *ub_alg_find(enum ub_coll coll, const char *name);

/**
 * ub_plan_make - make a plan
 * @plan: filled in
 * @alg: the algorithm
 * @args: agreed values
 *
 * Return: 0; -EINVAL for impossible arguments; -EOPNOTSUPP when @alg does
 * something else or cannot do it for so many ranks.
 */
int ub_plan_make(struct ub_plan *plan, const struct ub_alg *alg,
		 const struct ub_sched_args *args);

/**
 * ub_cursor_open - begin a stream
 * @plan: the plan
 * @rank: < nranks
 * @stream: < plan->nstreams
 * @cur: set to the first step
 */
void ub_cursor_open(const struct ub_plan *plan, uint32_t rank, uint32_t stream,
		    struct ub_cursor *cur);

/**
 * ub_cursor_next - pull a step
 * @plan: the plan
 * @cur: advanced
 * @step: the step; every field is set, unused ones to zero
 *
 * Return: true, or false at the end of the stream (and ever after).
 */
bool ub_cursor_next(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step);

/* How many ranks a set has; count 0 is myself alone. */
static inline uint32_t ub_ranks_count(const struct ub_ranks *set)
{
	return set->count ? set->count : 1;
}

/* The i-th rank of a set, seen from rank @self. */
static inline uint32_t ub_ranks_get(const struct ub_ranks *set, uint32_t i, uint32_t self)
{
	uint32_t in_block;

	if (!set->count)
		return self;
	in_block = set->first % set->mod;
	return set->first - in_block + (in_block + (uint64_t)i * set->stride) % set->mod;
}

/* The position in its group of @rank, a member of a set; myself is 0. */
static inline uint32_t ub_ranks_pos(const struct ub_ranks *set, uint32_t rank)
{
	return set->count ? rank % set->mod / set->stride : 0;
}

/* First chunk of the rep-th run of a slice, for a rank at position @pos. */
static inline uint32_t ub_slice_run(const struct ub_slice *slice, uint32_t pos, uint32_t rep)
{
	return slice->first + pos * slice->per_rank + rep * slice->stride;
}

/*
 * MOVE: the set over whose ranks both slices run; the other one is single.
 */
static inline const struct ub_ranks *ub_move_set(const struct ub_step *step)
{
	return ub_ranks_count(&step->to) > 1 || !step->from.count ? &step->to : &step->from;
}

/**
 * struct ub_layout - binds the chunks of a plan to bytes
 * @bytes: of the vector
 * @granule: bytes; a multiple of the element's size. Chunks begin at multiples
 *	of it, so an element (or an MX block of 32) is never split.
 * @granules: @bytes / @granule, rounded up
 * @start: first granule of each region, and the end of the last
 * @tmp_stride: bytes of a TMP slot: the largest chunk, rounded up to granules
 *
 * The granules are dealt out as evenly as they go, in proportion to the shares;
 * chunks of a vector that is small may be empty (they still signal).
 */
struct ub_layout {
	uint64_t bytes;
	uint64_t granule;
	uint64_t granules;
	uint64_t start[UB_MAX_REGIONS + 1];
	uint64_t tmp_stride;
};

/**
 * ub_layout_bind - make a layout
 * @layout: filled in
 * @plan: whose chunks
 * @bytes: of the vector (of this window of it); < 2^56
 * @elem: bytes of an element, a power of two (or of a block that may not be split)
 */
void ub_layout_bind(struct ub_layout *layout, const struct ub_plan *plan, uint64_t bytes,
		    uint32_t elem);

/**
 * ub_layout_offset - where a chunk begins
 * @layout: the layout
 * @plan: the plan it was made for
 * @region: < plan->nregions
 * @chunk: ≤ chunks of the region; the last + 1 gives the end
 *
 * A run of chunks is the bytes from the offset of the first to that of the one
 * after the last.
 *
 * Return: bytes from the start of IN and of OUT.
 */
uint64_t ub_layout_offset(const struct ub_layout *layout, const struct ub_plan *plan,
			  uint32_t region, uint32_t chunk);

/* Bytes of a chunk; may be 0. */
static inline uint64_t ub_layout_len(const struct ub_layout *layout, const struct ub_plan *plan,
				     uint32_t region, uint32_t chunk)
{
	return ub_layout_offset(layout, plan, region, chunk + 1) -
	       ub_layout_offset(layout, plan, region, chunk);
}

/* Bytes of TMP that a rank needs, per bank. */
static inline uint64_t ub_layout_tmp(const struct ub_layout *layout, const struct ub_plan *plan)
{
	return layout->tmp_stride * plan->tmp_chunks;
}

/**
 * ub_layout_window - how much of a vector fits
 * @plan: the plan
 * @tmp: bytes of TMP per bank
 * @elem: as for ub_layout_bind()
 *
 * An executor cuts longer vectors into windows of this size and runs the plan
 * for each.
 *
 * Return: bytes, a multiple of the granule; UINT64_MAX for a plan without TMP; 0
 * when not even one granule per chunk fits.
 */
uint64_t ub_layout_window(const struct ub_plan *plan, uint64_t tmp, uint32_t elem);

#endif /* UB_SCHED_SCHED_H */
