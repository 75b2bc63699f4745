// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs a program: the heads of its streams are polled by the caller's thread.
 *
 * Loads and stores are done when an instruction is over, so everything posted on any
 * channel is ordered before the next signal by its release store; non-temporal
 * stores, which that does not order, are drained before. A wait blocks its stream
 * only.
 */
#include <stdlib.h>
#include "exec/exec.h"
#include "exec/wait.h"
#include "reduce/reduce.h"

struct run {
	struct ub_comm			*comm;
	struct ub_exec			*x;
	const struct ub_program		*prog;
	const struct ub_job		*job;
	char				**const *base;	/* of this bank */
	uint32_t			bank;
	uint32_t			nt;	/* enum ub_reduce_flags */
	bool				undrained;
};

static char *address(const struct run *run, const struct ub_ref *ref)
{
	return run->base[ref->space][ref->rank] + ref->offset;
}

static _Atomic uint64_t *cell(const struct run *run, uint32_t rank, uint32_t number)
{
	return &ub_control_cells(run->comm->ctl, rank, run->bank)[number].value;
}

/* From the address that was used back to a place. */
static uint64_t trace_address(const struct run *run, uint64_t h, const struct ub_ref *ref,
			      const void *ptr)
{
	const char *base = run->base[ref->space][ref->rank];

	return ub_trace_place(h, ref->rank, ref->space, (uint64_t)((const char *)ptr - base));
}

static void trace_fold(struct run *run, struct ub_stream *st, const struct ub_instr *in)
{
	const struct ub_ref *src = &run->prog->refs[in->ref], *dst = src + in->nsrc;
	uint64_t h = ub_trace_word(st->hash, UB_STEP_REDUCE);

	for (uint32_t i = 0; i < in->nsrc; i++)
		h = trace_address(run, h, &src[i], run->x->src[i]);
	for (uint32_t i = 0; i < in->ndst; i++)
		h = trace_address(run, h, &dst[i], run->x->dst[i]);
	h = ub_trace_word(h, in->len);
	st->hash = ub_trace_word(h, in->flags & UB_STEP_FINISH);
}

static void trace_copy(struct run *run, struct ub_stream *st, const struct ub_instr *in)
{
	const struct ub_ref *src = &run->prog->refs[in->ref], *dst = src + 1;
	uint64_t h = st->hash;

	for (uint32_t i = 0; i < in->ndst; i++) {
		h = ub_trace_word(h, UB_STEP_MOVE);
		h = trace_address(run, h, src, run->x->src[0]);
		h = trace_address(run, h, &dst[i], run->x->dst[i]);
		h = ub_trace_word(h, in->len);
	}
	st->hash = h;
}

static void trace_signal(struct ub_stream *st, const struct ub_instr *in,
			 const struct ub_ref *ref)
{
	st->hash = ub_trace_word(st->hash, in->op);
	st->hash = ub_trace_place(st->hash, ref->rank, ref->space, in->len);
}

static int do_data(struct run *run, struct ub_stream *st, const struct ub_instr *in)
{
	const struct ub_ref *src = &run->prog->refs[in->ref], *dst = src + in->nsrc;
	struct ub_exec *x = run->x;

	for (uint32_t i = 0; i < in->nsrc; i++)
		x->src[i] = address(run, &src[i]);
	for (uint32_t i = 0; i < in->ndst; i++)
		x->dst[i] = address(run, &dst[i]);
	run->undrained = run->nt;
	if (in->op == UB_STEP_REDUCE) {
		struct ub_reduce r = {
			.type = run->job->type, .op = run->job->op, .flags = run->nt,
			.divisor = in->flags & UB_STEP_FINISH ? run->comm->nranks : 0,
			.nsrc = in->nsrc, .ndst = in->ndst, .src = x->src, .dst = x->dst,
			.count = in->len / run->prog->elem,
		};

		int err = ub_reduce(&r);

		if (err)
			return err;
		if (__builtin_expect(x->tracing, 0))
			trace_fold(run, st, in);
	} else {
		ub_move(x->dst, in->ndst, x->src[0], in->len, run->nt);
		if (__builtin_expect(x->tracing, 0))
			trace_copy(run, st, in);
	}
	ub_health_account(x, src, in);
	return 0;
}

/*
 * Signals of the entry have been given and heard by entry.c already, before any step.
 * They are given again where data may go before them, with the signal that follows as
 * their release: that takes TMP, for nobody else's memory may be touched before entry.
 */
static bool is_given(const struct run *run, const struct ub_instr *in)
{
	return in->flags & UB_STEP_ENTRY && !run->prog->plan->tmp_chunks;
}

static int do_signal(struct run *run, struct ub_stream *st, const struct ub_instr *in)
{
	const struct ub_ref *ref = &run->prog->refs[in->ref];
	uint64_t value = run->comm->seq << UB_SIGNAL_SHIFT | in->len;
	int err;

	if (run->undrained)
		ub_store_drain();
	run->undrained = false;
	err = is_given(run, in) ? 0 : ub_health_check(run->comm);
	if (err)
		return err;
	for (uint32_t i = 0; i < in->ndst; i++) {
		if (__builtin_expect(run->x->tracing, 0))
			trace_signal(st, in, &ref[i]);
		if (is_given(run, in))
			continue;
		ub_publish(cell(run, ref[i].rank, ref[i].space), value);
		ub_notify(run->comm, &run->comm->ctl->ranks[ref[i].rank]);
	}
	return 0;
}

/* What an unfinished WAIT waits for next. */
static const struct ub_ref *awaited(const struct run *run, const struct ub_stream *st)
{
	return &run->prog->refs[run->prog->instrs[st->pc].ref + st->done];
}

/* What its cell will hold then, or more. */
static uint64_t awaited_value(const struct run *run, const struct ub_stream *st)
{
	return run->comm->seq << UB_SIGNAL_SHIFT | run->prog->instrs[st->pc].len;
}

static bool signalled(const struct run *run, const struct ub_stream *st)
{
	return ub_reached(cell(run, run->comm->rank, awaited(run, st)->space),
			  awaited_value(run, st));
}

/* True when all writers have signalled; else stopped at the first that has not. */
static bool do_wait(struct run *run, struct ub_stream *st, const struct ub_instr *in)
{
	for (; st->done < in->nsrc; st->done++) {
		if (!is_given(run, in) && !signalled(run, st))
			return false;
		if (__builtin_expect(run->x->tracing, 0))
			trace_signal(st, in, awaited(run, st));
	}
	st->done = 0;
	return true;
}

/* Go on until the stream ends or blocks: 1 blocked, 0 at its end, or -errno. */
static int advance(struct run *run, struct ub_stream *st)
{
	for (; st->pc < st->end; st->pc++) {
		const struct ub_instr *in = &run->prog->instrs[st->pc];
		int err = 0;

		ub_comm_step(run->comm, in->step);
		if (in->op == UB_STEP_WAIT) {
			if (!do_wait(run, st, in))
				return 1;
		} else if (in->op == UB_STEP_SIGNAL) {
			err = do_signal(run, st, in);
		} else {
			err = do_data(run, st, in);
		}
		if (err)
			return err;
	}
	return 0;
}

/* Is the head of any stream free to go on? Names the first that is not. */
static bool any_ready(struct ub_comm *comm, void *arg, uint32_t *who)
{
	struct run *run = arg;

	*who = UB_NOBODY;
	for (uint32_t s = 0; s < run->prog->nstreams; s++) {
		struct ub_stream *st = &run->x->streams[s];

		if (st->pc == st->end)
			continue;
		if (signalled(run, st))
			return true;
		if (*who == UB_NOBODY)
			*who = awaited(run, st)->rank;
	}
	return false;
}

static int wait_any(struct run *run)
{
	struct ub_comm *comm = run->comm;
	const struct ub_stream *st = run->x->streams;
	uint32_t who;

	if (run->prog->nstreams == 1)	/* one word is enough */
		return ub_wait_word(comm, cell(run, comm->rank, awaited(run, st)->space),
				    awaited_value(run, st), awaited(run, st)->rank);
	for (uint32_t i = 0; i < comm->spin; i++) {
		if (any_ready(comm, run, &who))
			return 0;
		if (ub_comm_aborted(comm))
			break;
		if (i >= UB_EAGER_TURNS)
			ub_cpu_relax();
	}
	return ub_wait_slow(comm, any_ready, run);
}

static int run_streams(struct run *run)
{
	for (;;) {
		bool blocked = false;

		for (uint32_t s = 0; s < run->prog->nstreams; s++) {
			int err = advance(run, &run->x->streams[s]);

			if (err < 0)
				return err;
			blocked |= err;
		}
		if (!blocked)
			return 0;
		if (wait_any(run))
			return ub_comm_status(run->comm);
	}
}

/*
 * What is larger than a private cache is written past it. Of a call that is cut into
 * windows for staging, that is each rank's own part, which goes to the caller's buffer at
 * once and comes first (UB_PLAN_OWN_PARTS); what goes to a stage is read soon.
 */
static uint32_t past_caches(const struct ub_comm *comm, const struct ub_program *prog,
			    const struct ub_job *job)
{
	uint64_t limit = comm->exec->nt_bytes;

	if (prog->bytes >= limit)
		return UB_REDUCE_NT;
	if (job->bytes >= limit && prog->plan->props & UB_PLAN_OWN_PARTS)
		return UB_REDUCE_NT_FIRST;
	return 0;
}

int ub_run(struct ub_comm *comm, const struct ub_program *prog, const struct ub_job *job)
{
	struct run run = {
		.comm = comm, .x = comm->exec, .prog = prog, .job = job,
		.bank = comm->seq % UB_BANKS, .base = comm->exec->base[comm->seq % UB_BANKS],
		.nt = past_caches(comm, prog, job),
	};
	int err;

	for (uint32_t s = 0; s < prog->nstreams; s++)
		run.x->streams[s] = (struct ub_stream){
			.pc = prog->streams[s], .end = prog->streams[s + 1],
			.hash = UB_TRACE_SEED,
		};
	err = run_streams(&run);
	/* What this rank's own stores must be ordered before is its return. */
	if (run.undrained)
		ub_store_drain();
	if (!err)
		err = ub_health_check(comm);
	if (__builtin_expect(comm->exec->tracing, 0) && !err)
		ub_trace_done(comm, prog->plan, prog->bytes, prog->elem, prog->nstreams);
	return err;
}
