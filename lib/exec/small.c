// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls of at most 256 bytes: the compiled one-shot.
 *
 * The payload travels in the control line, behind the sequence number that says it
 * is there: up to 48 bytes are one cache line, and a call of two ranks is two
 * hand-overs of a line. Each rank stores its input once, reads everybody's, and
 * folds for itself.
 *
 *	rank 0: [seq hash payload]──┬──▶ rank 1: fold(0, 1)
 *	rank 1: [seq hash payload]──┴──▶ rank 0: fold(0, 1)
 *
 * Guarantees
 *   - No allocation, lock, system call or clock read while it spins.
 *   - No exit handshake: nobody's buffer but the line is touched by others, and a
 *     line is written again two operations later, when everybody has come to the
 *     next one and so has read it (two banks, sched/sched.h).
 *   - The same bits on all ranks, and as in the plan: the fold has rank order.
 *
 * It is the stream of the plan "oneshot" ("eager" for broadcast, "meet" for
 * barrier) with its posts to all ranks made one store; the trace says so.
 */
#include <string.h>
#include "exec/exec.h"
#include "exec/wait.h"
#include "reduce/reduce.h"

/*
 * The trace of a small call. A peer's view of my line is slot @rank of its TMP; what
 * I read from a line is slot @peer of mine, or my own IN.
 */
static uint64_t slot(uint32_t rank, const struct ub_job *job)
{
	struct ub_layout layout;
	struct ub_plan plan = { .nregions = 1, .regions[0] = { 1, 1 }, .tmp_chunks = 1 };

	ub_layout_bind(&layout, &plan, job->bytes, job->elem);
	return layout.tmp_stride * rank;
}

static void trace_post(struct ub_comm *comm, const struct ub_job *job)
{
	uint32_t n = comm->nranks, self = comm->rank;
	uint64_t *hash = &comm->exec->streams[0].hash, h = UB_TRACE_SEED;
	bool fold = job->coll == UB_COLL_ALLREDUCE;
	uint64_t at = fold ? slot(self, job) : 0;

	for (uint32_t i = fold; i < n && job->send && job->bytes; i++) {
		h = ub_trace_word(h, UB_STEP_MOVE);
		h = ub_trace_place(h, self, UB_IN, 0);
		h = ub_trace_place(h, (self + i) % n, UB_TMP, at);
		h = ub_trace_word(h, job->bytes);
	}
	for (uint32_t i = 1; i < n; i++) {
		h = ub_trace_word(h, UB_STEP_SIGNAL);
		h = ub_trace_place(h, (self + i) % n, self, 1);
	}
	*hash = h;
}

static void trace_hear(struct ub_comm *comm, uint32_t rank)
{
	uint64_t *hash = &comm->exec->streams[0].hash;

	*hash = ub_trace_word(*hash, UB_STEP_WAIT);
	*hash = ub_trace_place(*hash, rank, rank, 1);
}

static uint64_t trace_source(struct ub_comm *comm, const struct ub_job *job, uint64_t h,
			     const char *payload)
{
	const char *first = (const char *)ub_control_entry(comm->ctl, 0, 0);
	uint32_t rank = (uint32_t)((size_t)(payload - first) /
				   (UB_BANKS * sizeof(struct ub_entry)));

	if (job->coll != UB_COLL_ALLREDUCE)
		return ub_trace_place(h, comm->rank, UB_TMP, 0);
	if (rank == comm->rank)
		return ub_trace_place(h, rank, UB_IN, 0);
	return ub_trace_place(h, comm->rank, UB_TMP, slot(rank, job));
}

static void trace_finish(struct ub_comm *comm, const struct ub_job *job, uint32_t nsrc,
			 const void **src)
{
	bool fold = job->coll == UB_COLL_ALLREDUCE;
	uint64_t h = comm->exec->streams[0].hash;

	h = ub_trace_word(h, fold ? UB_STEP_REDUCE : UB_STEP_MOVE);
	for (uint32_t i = 0; i < nsrc; i++)
		h = trace_source(comm, job, h, src[i]);
	h = ub_trace_place(h, comm->rank, UB_OUT, 0);
	h = ub_trace_word(h, job->bytes);
	if (fold)
		h = ub_trace_word(h, UB_STEP_FINISH);
	comm->exec->streams[0].hash = h;
}

static void post(struct ub_comm *comm, struct ub_entry *own, const struct ub_job *job)
{
	uint32_t n = comm->nranks;

	own->hash = ub_call_hash(&comm->call);
	if (job->send && job->bytes)
		memcpy(own->payload, job->send, job->bytes);
	ub_publish(&own->seq, comm->seq);
	for (uint32_t i = 1; i < n; i++)
		ub_notify(comm, &comm->ctl->ranks[ub_comm_after(comm, i)]);
	if (__builtin_expect(comm->exec->tracing, 0))
		trace_post(comm, job);
}

static int hear(struct ub_comm *comm, const struct ub_entry *own, uint32_t rank, uint32_t bank)
{
	struct ub_entry *entry = ub_control_entry(comm->ctl, rank, bank);
	int err;

	err = ub_wait_word(comm, &entry->seq, comm->seq, rank);
	if (err)
		return err;
	if (__builtin_expect(entry->hash != own->hash, 0)) {
		ub_comm_fail(comm, UB_REASON_MISMATCH, rank, 0);
		return ub_comm_failed_at(comm, UB_NOBODY);
	}
	comm->exec->src[rank] = entry->payload;
	if (__builtin_expect(comm->exec->tracing, 0))
		trace_hear(comm, rank);
	return 0;
}

static int finish(struct ub_comm *comm, const struct ub_job *job)
{
	bool fold = job->coll == UB_COLL_ALLREDUCE;
	const void **src = comm->exec->src + (fold ? 0 : job->root);
	void *out = job->recv;
	struct ub_reduce r = {
		.type = job->type, .op = job->op, .divisor = comm->nranks,
		.nsrc = comm->nranks, .ndst = 1, .src = src, .dst = &out,
		.count = job->bytes / job->elem,
	};

	if (!job->bytes)
		return 0;
	if (__builtin_expect(comm->exec->tracing, 0))
		trace_finish(comm, job, fold ? comm->nranks : 1, src);
	if (fold)
		return ub_reduce(&r);
	memcpy(out, src[0], job->bytes);
	return 0;
}

int ub_small(struct ub_comm *comm, const struct ub_job *job)
{
	uint32_t bank = ub_exec_next(comm) % UB_BANKS, n = comm->nranks;
	struct ub_entry *own = ub_control_entry(comm->ctl, comm->rank, bank);
	int err;

	post(comm, own, job);
	comm->exec->src[comm->rank] = own->payload;
	for (uint32_t i = 1; i < n; i++) {
		err = hear(comm, own, ub_comm_after(comm, i), bank);
		if (err)
			return err;
	}
	err = finish(comm, job);
	if (__builtin_expect(comm->exec->tracing, 0) && !err)
		err = ub_exec_trace_small(comm, job);
	return err;
}
