// SPDX-License-Identifier: BSD-2-Clause
/*
 * A call from its arguments to its windows.
 *
 * Which plan, and how many windows, is a function of what all ranks agree on: the
 * call's header, the communicator, and the flags of all entries. Never of this
 * rank's own buffers alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "device/device.h"
#include "exec/exec.h"

/* UB_ALLREDUCE, UB_BROADCAST: name of an algorithm; the same on all ranks. */
static const char *forced_by_environment(enum ub_coll coll, const char *name)
{
	const char *alg = getenv(name);

	return alg && ub_alg_find(coll, alg) ? alg : NULL;
}

uint64_t ub_exec_salt(const struct ub_comm *comm)
{
	uint64_t h = 0;

	for (int i = 0; i < 2; i++)
		for (const char *s = comm->exec->forced[i]; s && *s; s++)
			h = ub_trace_word(h, (uint64_t)i << 8 | (unsigned char)*s);
	return h;
}

static bool is_small(const struct ub_exec *x, const struct ub_job *job)
{
	bool forced = job->coll == UB_COLL_ALLREDUCE ? x->forced[0] :
		      job->coll == UB_COLL_BROADCAST ? x->forced[1] : NULL;

	return job->bytes <= UB_SMALL_MAX && (!forced || !job->bytes);
}

const struct ub_plan *ub_exec_plan(struct ub_comm *comm, enum ub_coll coll, uint32_t root,
				   const char *name)
{
	struct ub_sched_args args = { .coll = coll, .nranks = comm->nranks, .root = root };
	struct ub_exec *x = comm->exec;
	struct ub_plan *plan;

	for (uint32_t i = 0; i < x->nplans; i++) {
		plan = &x->plans[i];
		if (plan->args.coll == coll && plan->args.root == root &&
		    !strcmp(plan->alg->name, name))
			return plan;
	}
	if (x->nplans == UB_PLANS) {	/* roots beyond the cache: start again */
		for (int i = 0; i < UB_PROGRAMS; i++)
			ub_program_free(&x->programs[i]);
		x->nplans = 0;
	}
	plan = &x->plans[x->nplans];
	if (!ub_alg_find(coll, name) || ub_plan_make(plan, ub_alg_find(coll, name), &args) ||
	    plan->nsignals > comm->ctl->ncells)
		return NULL;
	x->nplans++;
	return plan;
}

/* What was asked for, where it can serve; else the fewest passes over memory. */
static const struct ub_plan *choose(struct ub_comm *comm, const struct ub_job *job)
{
	bool fold = job->coll == UB_COLL_ALLREDUCE;
	const char *forced = comm->exec->forced[!fold];
	const struct ub_plan *plan = NULL;

	if (forced)
		plan = ub_exec_plan(comm, job->coll, job->root, forced);
	return plan ? plan : ub_exec_plan(comm, job->coll, job->root, fold ? "twoshot" : "flat");
}

int ub_exec_trace_small(struct ub_comm *comm, const struct ub_job *job)
{
	const char *name = job->coll == UB_COLL_ALLREDUCE ? "oneshot" :
			   job->coll == UB_COLL_BROADCAST ? "eager" : "meet";
	const struct ub_plan *plan = ub_exec_plan(comm, job->coll, job->root, name);

	if (plan)
		ub_trace_done(comm, plan, job->bytes, job->elem, 1);
	return 0;
}

static uint64_t min3(uint64_t a, uint64_t b, uint64_t c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* One window of a call: [at, at + n) bytes. n is known once everybody has entered. */
struct window {
	const struct ub_plan	*plan;
	const struct ub_job	*job;
	uint64_t		at;
	uint64_t		tmp_limit;	/* what TMP allows */
	bool			in_private;
	bool			out_private;
};

/* This rank's memory for the window, and what peers must know of it. */
static void lay_out(struct ub_comm *comm, const struct window *w, struct ub_where *where)
{
	uint64_t most = min3(w->job->bytes - w->at, UB_STAGE_BYTES, w->tmp_limit);
	uint32_t bank = comm->seq % UB_BANKS, self = comm->rank;
	bool direct = w->plan->props & UB_PLAN_OWN_PARTS;
	uint64_t left = w->job->bytes - w->at;
	struct ub_exec *x = comm->exec;
	char *in = (char *)w->job->send, *out = w->job->recv;
	char *shared_in, *shared_out;

	memset(where, 0, sizeof(*where));
	if (in)
		in += w->at;
	out += w->at;
	shared_in = w->in_private ? ub_stage_at(x, UB_IN, bank) : in;
	shared_out = w->out_private ? ub_stage_at(x, UB_OUT, bank) : out;
	if (w->in_private)
		ub_stage_copy(comm, w->plan, w->job, shared_in, in, most);
	if (w->in_private || w->out_private)
		where->flags = UB_WHERE_STAGED;
	x->base[UB_IN][self] = direct ? in : shared_in;
	x->base[UB_OUT][self] = direct ? out : shared_out;
	x->base[UB_TMP][self] = x->tmp ? x->tmp + bank * UB_TMP_BYTES : NULL;
	if (comm->nranks == 1)
		return;
	if (in)
		ub_import_own(comm, shared_in, w->in_private ? most : left, &where->in_seg,
			      &where->in_offset);
	ub_import_own(comm, shared_out, w->out_private ? most : left, &where->out_seg,
		      &where->out_offset);
	if (w->plan->tmp_chunks)
		ub_import_own(comm, x->base[UB_TMP][self], UB_TMP_BYTES, &where->tmp_seg,
			      &where->tmp_offset);
}

static int run_window(struct ub_comm *comm, const struct window *w, uint64_t *done)
{
	const struct ub_job *job = w->job;
	uint32_t bank = ub_exec_next(comm) % UB_BANKS, any;
	struct ub_program *prog;
	struct ub_where where;
	uint64_t n;
	int err;

	lay_out(comm, w, &where);
	err = ub_entry_exchange(comm, &where, &any);
	if (err)
		return err;
	n = min3(job->bytes - w->at, any & UB_WHERE_STAGED ? UB_STAGE_BYTES : UINT64_MAX,
		 w->tmp_limit);
	err = ub_program_get(comm, w->plan, n, job->elem, &prog);
	if (!err)
		err = ub_entry_resolve(comm, job, n, ub_layout_tmp(&prog->layout, w->plan));
	if (!err)
		err = ub_run(comm, prog, job);
	if (!err && w->out_private)
		ub_stage_copy(comm, w->plan, job, job->recv + w->at,
			      ub_stage_at(comm->exec, UB_OUT, bank), n);
	*done = n;
	return err;
}

static bool is_private(struct ub_comm *comm, const char *ptr, uint64_t bytes)
{
	uint64_t offset;
	uint32_t id;

	if (!ptr || comm->nranks == 1)
		return false;
	ub_import_own(comm, ptr, bytes, &id, &offset);
	return !id;
}

int ub_exec_call(struct ub_comm *comm, const struct ub_job *job)
{
	struct window w = { .job = job };
	uint64_t done = 0;
	int err;

	if (is_small(comm->exec, job))
		return ub_small(comm, job);
	w.plan = choose(comm, job);
	if (!w.plan)
		return -EOPNOTSUPP;	/* on all ranks alike, before anything was sent */
	w.tmp_limit = ub_layout_window(w.plan, UB_TMP_BYTES, job->elem);
	if (!w.tmp_limit)
		return -EOPNOTSUPP;
	w.in_private = is_private(comm, job->send, job->bytes);
	w.out_private = is_private(comm, job->recv, job->bytes);
	err = ub_stage_prepare(comm, w.in_private || w.out_private, w.plan->tmp_chunks);
	for (; !err && w.at < job->bytes; w.at += done)
		err = run_window(comm, &w, &done);
	return err;
}

static uint64_t private_cache_bytes(void)
{
	long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);

	return l2 > 0 ? (uint64_t)l2 : 1UL << 20;
}

static int open_trace(struct ub_comm *comm, struct ub_exec *x)
{
	const char *prefix = getenv("UB_TRACE");
	char path[4096];

	if (!prefix || !*prefix)
		return 0;
	snprintf(path, sizeof(path), "%s.%u", prefix, comm->rank);
	x->trace_file = fopen(path, "ae");
	if (!x->trace_file)
		return -errno;
	x->tracing = true;
	return 0;
}

int ub_exec_create(struct ub_comm *comm)
{
	struct ub_exec *x;
	int err = -ENOMEM;

	x = calloc(1, sizeof(*x));
	if (!x)
		return err;
	comm->exec = x;
	x->room = comm->nranks;
	x->nstreams = 1;
	x->mortal = comm->dev->ops->watched;
	x->src = calloc(x->room, sizeof(*x->src));
	x->dst = calloc(x->room, sizeof(*x->dst));
	x->streams = calloc(x->nstreams, sizeof(*x->streams));
	x->used = calloc(3 * (size_t)comm->nranks, sizeof(*x->used));
	if (!x->src || !x->dst || !x->streams || !x->used)
		goto err_destroy;
	for (int s = 0; s < 3; s++) {
		x->base[s] = calloc(comm->nranks, sizeof(*x->base[s]));
		x->watch[s] = calloc(comm->nranks, sizeof(*x->watch[s]));
		if (!x->base[s] || !x->watch[s])
			goto err_destroy;
	}
	x->nt_bytes = private_cache_bytes();
	x->forced[0] = forced_by_environment(UB_COLL_ALLREDUCE, "UB_ALLREDUCE");
	x->forced[1] = forced_by_environment(UB_COLL_BROADCAST, "UB_BROADCAST");
	err = open_trace(comm, x);
	if (err)
		goto err_destroy;
	return 0;

err_destroy:
	ub_exec_destroy(comm);
	return err;
}

void ub_exec_destroy(struct ub_comm *comm)
{
	struct ub_exec *x = comm->exec;

	if (!x)
		return;
	ub_stage_free(comm);
	for (int i = 0; i < UB_PROGRAMS; i++)
		ub_program_free(&x->programs[i]);
	for (int s = 0; s < 3; s++) {
		free(x->base[s]);
		free(x->watch[s]);
	}
	free(x->used);
	free(x->src);
	free(x->dst);
	free(x->streams);
	if (x->trace_file)
		fclose(x->trace_file);
	free(x);
	comm->exec = NULL;
}
