// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compiles a plan for one rank and one size: symbolic steps become places in ranks'
 * memory and lengths.
 *
 * Fused: one source to many destinations, many sources to many destinations (the
 * whole two-shot is one instruction), contiguous chunks. Dropped: empty chunks and
 * FLUSH, which has nothing to wait for because this executor's posts are done when
 * issued. The order within a stream is the generator's.
 *
 * Programs are kept in a small cache; two ranks' programs never need to agree.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "exec/exec.h"

struct compiler {
	struct ub_program	*prog;
	uint32_t		self;
	uint32_t		ninstrs, iroom;
	uint32_t		nrefs, rroom;
	uint32_t		step;
	bool			nomem;
};

static struct ub_instr *add_instr(struct compiler *c, const struct ub_step *step, uint64_t len)
{
	struct ub_instr *instr;

	if (c->ninstrs == c->iroom) {
		uint32_t more = c->iroom ? 2 * c->iroom : 16;
		void *p = realloc(c->prog->instrs, more * sizeof(*instr));

		if (!p) {
			c->nomem = true;
			return NULL;
		}
		c->prog->instrs = p;
		c->iroom = more;
	}
	instr = &c->prog->instrs[c->ninstrs++];
	*instr = (struct ub_instr){
		.op = step->op, .flags = step->flags, .step = c->step, .ref = c->nrefs,
		.len = len,
	};
	return instr;
}

static void add_ref(struct compiler *c, uint32_t *count, uint32_t rank, uint32_t space,
		    uint64_t offset)
{
	if (c->nrefs == c->rroom) {
		uint32_t more = c->rroom ? 2 * c->rroom : 64;
		void *p = realloc(c->prog->refs, more * sizeof(struct ub_ref));

		if (!p) {
			c->nomem = true;
			return;
		}
		c->prog->refs = p;
		c->rroom = more;
	}
	c->prog->refs[c->nrefs++] = (struct ub_ref){ rank, space, offset };
	++*count;
}

static uint64_t place(const struct ub_program *prog, const struct ub_slice *slice, uint32_t chunk)
{
	if (slice->space == UB_TMP)
		return prog->layout.tmp_stride * chunk;
	return ub_layout_offset(&prog->layout, prog->plan, slice->region, chunk);
}

/* Bytes of @n chunks from @chunk of @slice, or of its TMP slots. */
static uint64_t extent(const struct ub_program *prog, const struct ub_slice *slice,
		       uint32_t chunk, uint32_t n)
{
	return place(prog, slice, chunk + n) - place(prog, slice, chunk);
}

/*
 * Runs are contiguous in IN and OUT; in TMP each chunk has a slot of its own, so a
 * run that has TMP at one side is done chunk by chunk.
 */
static uint32_t piece(const struct ub_step *step, const struct ub_slice *slice)
{
	return step->src.space == UB_TMP || step->dst.space == UB_TMP ? 1 : slice->run;
}

/* The side that knows the length: the one that is not TMP. */
static const struct ub_slice *measure(const struct ub_step *step)
{
	return step->dst.space == UB_TMP ? &step->src : &step->dst;
}

static void add_signals(struct compiler *c, const struct ub_step *step)
{
	const struct ub_ranks *set = step->op == UB_STEP_SIGNAL ? &step->to : &step->from;
	struct ub_instr *instr = add_instr(c, step, step->value);
	uint32_t n = 0;

	if (!instr)
		return;
	for (uint32_t i = 0; i < ub_ranks_count(set); i++) {
		uint32_t rank = ub_ranks_get(set, i, c->self);

		add_ref(c, &n, rank, step->signal +
			ub_ranks_pos(set, rank) * step->signal_per_rank, 0);
	}
	if (step->op == UB_STEP_SIGNAL)
		instr->ndst = n;
	else
		instr->nsrc = n;
}

/* One piece of a fold: all sources, all destinations, @off chunks into run @rep. */
static void add_fold(struct compiler *c, const struct ub_step *step, uint32_t rep, uint32_t off,
		     uint32_t chunks)
{
	const struct ub_program *prog = c->prog;
	uint32_t to = ub_ranks_get(&step->to, 0, c->self), nsrc = 0, ndst = 0;
	uint32_t out = ub_slice_run(&step->dst, ub_ranks_pos(&step->to, to), rep) + off;
	uint32_t ninstr = c->ninstrs;
	uint64_t len = step->dst.space != UB_TMP ? extent(prog, &step->dst, out, chunks) : 0;

	if (step->dst.space == UB_TMP) {
		uint32_t from = ub_ranks_get(&step->from, 0, c->self);

		len = extent(prog, &step->src, ub_slice_run(&step->src,
			     ub_ranks_pos(&step->from, from), rep) + off, chunks);
	}
	if (!len || !add_instr(c, step, len))
		return;
	for (uint32_t i = 0; i < ub_ranks_count(&step->from); i++) {
		uint32_t rank = ub_ranks_get(&step->from, i, c->self);
		uint32_t chunk = ub_slice_run(&step->src, ub_ranks_pos(&step->from, rank), rep);

		if (step->flags & UB_STEP_OWN && rank == c->self)
			add_ref(c, &nsrc, rank, UB_IN, ub_layout_offset(&prog->layout, prog->plan,
				step->dst.region, out));
		else
			add_ref(c, &nsrc, step->flags & UB_STEP_LOCAL ? c->self : rank,
				step->src.space, place(prog, &step->src, chunk + off));
	}
	for (uint32_t i = 0; i < ub_ranks_count(&step->to); i++) {
		uint32_t rank = ub_ranks_get(&step->to, i, c->self);
		uint32_t chunk = ub_slice_run(&step->dst, ub_ranks_pos(&step->to, rank), rep);

		add_ref(c, &ndst, rank, step->dst.space, place(prog, &step->dst, chunk + off));
	}
	c->prog->instrs[ninstr].nsrc = nsrc;
	c->prog->instrs[ninstr].ndst = ndst;
}

/* One piece of a move for the rank at place i of the step's set. */
static void add_copy(struct compiler *c, const struct ub_step *step, uint32_t i, uint32_t rep,
		     uint32_t off, uint32_t chunks)
{
	const struct ub_ranks *set = ub_move_set(step);
	uint32_t member = ub_ranks_get(set, i, c->self), pos = ub_ranks_pos(set, member);
	uint32_t from = set == &step->from ? member : ub_ranks_get(&step->from, 0, c->self);
	uint32_t to = set == &step->to ? member : ub_ranks_get(&step->to, 0, c->self);
	uint32_t src = ub_slice_run(&step->src, pos, rep) + off;
	uint32_t dst = ub_slice_run(&step->dst, pos, rep) + off;
	const struct ub_slice *side = measure(step);
	uint64_t len = extent(c->prog, side, side == &step->src ? src : dst, chunks);
	uint64_t src_at = place(c->prog, &step->src, src), dst_at = place(c->prog, &step->dst, dst);
	uint32_t nsrc = 0, ndst = 0;
	struct ub_instr *instr, *last = c->ninstrs ? &c->prog->instrs[c->ninstrs - 1] : NULL;

	if (step->flags & UB_STEP_LOCAL)
		from = c->self;
	if (!len)
		return;
	/* The same source as the copy before: one more destination of it. */
	if (i && last && last->op == UB_STEP_MOVE && last->step == c->step && last->len == len &&
	    c->prog->refs[last->ref].rank == from && c->prog->refs[last->ref].offset == src_at) {
		add_ref(c, &last->ndst, to, step->dst.space, dst_at);
		return;
	}
	instr = add_instr(c, step, len);
	if (!instr)
		return;
	add_ref(c, &nsrc, from, step->src.space, src_at);
	add_ref(c, &ndst, to, step->dst.space, dst_at);
	instr->nsrc = nsrc;
	instr->ndst = ndst;
}

static void add_step(struct compiler *c, const struct ub_step *step)
{
	const struct ub_slice *runs = step->op == UB_STEP_MOVE ? measure(step) : &step->dst;
	uint32_t chunks = piece(step, runs);

	if (step->op == UB_STEP_FLUSH)
		return;
	if (step->op == UB_STEP_SIGNAL || step->op == UB_STEP_WAIT) {
		add_signals(c, step);
		return;
	}
	for (uint32_t rep = 0; rep < runs->reps; rep++)
		for (uint32_t off = 0; off < runs->run && chunks; off += chunks) {
			if (step->op == UB_STEP_REDUCE) {
				add_fold(c, step, rep, off, chunks);
				continue;
			}
			for (uint32_t i = 0; i < ub_ranks_count(ub_move_set(step)); i++)
				add_copy(c, step, i, rep, off, chunks);
		}
}

static int compile(struct ub_comm *comm, struct ub_program *prog)
{
	struct compiler c = { .prog = prog, .self = comm->rank };
	const struct ub_plan *plan = prog->plan;
	struct ub_cursor cur;
	struct ub_step step;

	ub_layout_bind(&prog->layout, plan, prog->bytes, prog->elem);
	if (plan->props & UB_PLAN_OWN_PARTS) {
		prog->own = ub_layout_offset(&prog->layout, plan, 0, comm->rank);
		prog->own_end = ub_layout_offset(&prog->layout, plan, 0, comm->rank + 1);
	}
	prog->nstreams = plan->nstreams;
	prog->streams = calloc(plan->nstreams + 1, sizeof(uint32_t));
	if (!prog->streams)
		return -ENOMEM;
	for (uint32_t s = 0; s < plan->nstreams; s++) {
		prog->streams[s] = c.ninstrs;
		ub_cursor_open(plan, comm->rank, s, &cur);
		for (c.step = 0; ub_cursor_next(plan, &cur, &step); c.step++)
			add_step(&c, &step);
	}
	prog->streams[plan->nstreams] = c.ninstrs;
	for (uint32_t i = 0; i < c.ninstrs; i++) {
		const struct ub_instr *in = &prog->instrs[i];
		uint32_t n = in->nsrc > in->ndst ? in->nsrc : in->ndst;

		if (n > prog->max_refs)
			prog->max_refs = n;
	}
	return c.nomem ? -ENOMEM : 0;
}

void ub_program_free(struct ub_program *prog)
{
	free(prog->instrs);
	free(prog->refs);
	free(prog->streams);
	memset(prog, 0, sizeof(*prog));
}

/* Scratch that run.c uses without asking. */
static int make_room(struct ub_exec *x, const struct ub_program *prog)
{
	if (prog->max_refs > x->room) {
		void *src = realloc(x->src, prog->max_refs * sizeof(*x->src));
		void *dst;

		if (!src)
			return -ENOMEM;
		x->src = src;
		dst = realloc(x->dst, prog->max_refs * sizeof(*x->dst));
		if (!dst)
			return -ENOMEM;
		x->dst = dst;
		x->room = prog->max_refs;
	}
	if (prog->nstreams > x->nstreams) {
		void *p = realloc(x->streams, prog->nstreams * sizeof(*x->streams));

		if (!p)
			return -ENOMEM;
		x->streams = p;
		x->nstreams = prog->nstreams;
	}
	return 0;
}

int ub_program_get(struct ub_comm *comm, const struct ub_plan *plan, uint64_t bytes,
		   uint32_t elem, struct ub_program **out)
{
	struct ub_exec *x = comm->exec;
	struct ub_program *prog = x->programs;
	int err;

	for (int i = 0; i < UB_PROGRAMS; i++) {
		struct ub_program *p = &x->programs[i];

		if (p->plan == plan && p->bytes == bytes && p->elem == elem) {
			p->used = ++x->clock;
			*out = p;
			return 0;
		}
		if (p->used < prog->used)
			prog = p;
	}
	ub_program_free(prog);
	prog->plan = plan;
	prog->bytes = bytes;
	prog->elem = elem;
	err = compile(comm, prog);
	if (!err)
		err = make_room(x, prog);
	if (err) {
		ub_program_free(prog);
		ub_comm_fail(comm, UB_REASON_LOCAL, comm->rank, (uint32_t)-err);
		return ub_comm_failed_at(comm, UB_NOBODY);
	}
	prog->used = ++x->clock;
	*out = prog;
	return 0;
}
