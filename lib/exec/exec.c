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
static const struct ub_alg *forced_by_environment(enum ub_coll coll, const char *name)
{
	const char *alg = getenv(name);

	return alg ? ub_alg_find(coll, alg) : NULL;
}

static const char *alg_name(const struct ub_alg *alg)
{
	return alg ? alg->name : "";
}

uint64_t ub_exec_salt(const struct ub_comm *comm)
{
	uint64_t h = 0;

	for (int i = 0; i < 2; i++)
		for (const char *s = alg_name(comm->exec->forced[i]); *s; s++)
			h = ub_trace_word(h, (uint64_t)i << 8 | (unsigned char)*s);
	return h;
}

static bool is_small(const struct ub_exec *x, const struct ub_job *job)
{
	const struct ub_alg *forced = job->coll == UB_COLL_ALLREDUCE ? x->forced[0] :
				      job->coll == UB_COLL_BROADCAST ? x->forced[1] : NULL;

	return job->bytes <= UB_SMALL_MAX && (!forced || !job->bytes);
}

const struct ub_plan *ub_exec_plan(struct ub_comm *comm, const struct ub_alg *alg,
				   uint32_t root)
{
	struct ub_sched_args args = { .coll = alg->coll, .nranks = comm->nranks, .root = root };
	struct ub_exec *x = comm->exec;
	struct ub_plan *plan;

	for (uint32_t i = 0; i < x->nplans; i++) {
		plan = &x->plans[i];
		if (plan->alg == alg && plan->args.root == root)
			return plan;
	}
	if (x->nplans == UB_PLANS) {	/* roots beyond the cache: start again */
		for (int i = 0; i < UB_PROGRAMS; i++)
			ub_program_free(&x->programs[i]);
		x->nplans = 0;
	}
	plan = &x->plans[x->nplans];
	if (ub_plan_make(plan, alg, &args) || plan->nsignals > comm->ctl->ncells)
		return NULL;
	x->nplans++;
	return plan;
}

/* What was asked for, where it can serve; else the fewest passes over memory. */
static const struct ub_plan *choose(struct ub_comm *comm, const struct ub_job *job)
{
	bool fold = job->coll == UB_COLL_ALLREDUCE;
	const struct ub_alg *forced = comm->exec->forced[!fold];
	const struct ub_plan *plan = forced ? ub_exec_plan(comm, forced, job->root) : NULL;

	return plan ? plan : ub_exec_plan(comm, comm->exec->usual[!fold], job->root);
}

int ub_exec_trace_small(struct ub_comm *comm, const struct ub_job *job)
{
	const char *name = job->coll == UB_COLL_ALLREDUCE ? "oneshot" :
			   job->coll == UB_COLL_BROADCAST ? "eager" : "meet";
	const struct ub_plan *plan = ub_exec_plan(comm, ub_alg_find(job->coll, name), job->root);

	if (plan)
		ub_trace_done(comm, plan, job->bytes, job->elem, 1);
	return 0;
}

/* A buffer of the call, and what it is to peers. */
struct buffer {
	char		*ptr;		/* NULL: this rank has none */
	uint32_t	seg;		/* 0: private */
	uint64_t	offset;
	bool		staged;
};

/* One window of a call: from @at, so many bytes as its program. */
struct window {
	const struct ub_plan	*plan;
	const struct ub_job	*job;
	uint64_t		at;
	uint64_t		limit;		/* what TMP allows */
	struct buffer		in, out;
};

static void look_up(struct ub_comm *comm, const char *ptr, uint64_t bytes, struct buffer *b)
{
	*b = (struct buffer){ .ptr = (char *)ptr };
	if (!ptr || comm->nranks == 1)
		return;
	ub_import_own(comm, ptr, bytes, &b->seg, &b->offset);
	b->staged = !b->seg;
}

static bool is_staged(const struct window *w)
{
	return w->in.staged || w->out.staged;
}

/* The program of the window, when it is cut for somebody's staging, or not. */
static int get_program(struct ub_comm *comm, const struct window *w, bool staged,
		       struct ub_program **prog)
{
	uint64_t n = w->job->bytes - w->at;

	n = n < w->limit ? n : w->limit;
	if (staged && n > UB_STAGE_BYTES)
		n = UB_STAGE_BYTES;
	return ub_program_get(comm, w->plan, n, w->job->elem, prog);
}

/* This rank's buffer in the window, and what peers use as or instead of it. */
static char *share(const struct ub_exec *x, const struct buffer *b, uint64_t at, char *stage,
		   uint32_t *seg, uint64_t *offset)
{
	*seg = b->staged ? x->stage_seg : b->seg;
	*offset = b->staged ? (uint64_t)(stage - x->stage) : b->offset + at;
	return b->staged ? stage : b->ptr ? b->ptr + at : NULL;
}

/* This rank's memory for the window, and what peers must know of it. */
static void lay_out(struct ub_comm *comm, const struct window *w, const struct ub_program *prog,
		    struct ub_where *where)
{
	uint32_t bank = comm->seq % UB_BANKS, self = comm->rank;
	bool direct = w->plan->props & UB_PLAN_OWN_PARTS;
	struct ub_exec *x = comm->exec;
	char *in, *out;

	*where = (struct ub_where){ .flags = is_staged(w) ? UB_WHERE_STAGED : 0 };
	in = share(x, &w->in, w->at, ub_stage_at(x, UB_IN, bank), &where->in_seg,
		   &where->in_offset);
	out = share(x, &w->out, w->at, ub_stage_at(x, UB_OUT, bank), &where->out_seg,
		    &where->out_offset);
	if (w->in.staged)
		ub_stage_copy(comm, prog, w->job, in, w->in.ptr + w->at);
	x->base[bank][UB_IN][self] = direct && w->in.staged ? w->in.ptr + w->at : in;
	x->base[bank][UB_OUT][self] = direct ? w->out.ptr + w->at : out;
	x->base[bank][UB_TMP][self] = NULL;
	if (w->plan->tmp_chunks) {
		where->tmp_seg = x->tmp_seg;
		where->tmp_offset = bank * UB_TMP_BYTES;
		x->base[bank][UB_TMP][self] = x->tmp + where->tmp_offset;
	}
}

static int run_window(struct ub_comm *comm, const struct window *w, uint64_t *done)
{
	uint32_t bank = ub_exec_next(comm) % UB_BANKS, any;
	struct ub_program *prog;
	struct ub_where where;
	int err;

	err = get_program(comm, w, is_staged(w), &prog);
	if (err)
		return err;
	lay_out(comm, w, prog, &where);
	err = ub_entry_exchange(comm, &where, &any);
	/* How much is done now is known once everybody has entered. */
	if (!err && any != where.flags)
		err = get_program(comm, w, any & UB_WHERE_STAGED, &prog);
	if (!err)
		err = ub_entry_resolve(comm, prog->bytes, ub_layout_tmp(&prog->layout, w->plan));
	if (!err)
		err = ub_run(comm, prog, w->job);
	if (err)
		return err;
	if (w->out.staged)
		ub_stage_copy(comm, prog, w->job, w->out.ptr + w->at,
			      ub_stage_at(comm->exec, UB_OUT, bank));
	*done = prog->bytes;
	return 0;
}

int ub_exec_call(struct ub_comm *comm, const struct ub_job *job)
{
	struct window w = { .job = job };
	uint64_t done;
	int err;

	if (is_small(comm->exec, job))
		return ub_small(comm, job);
	w.plan = choose(comm, job);
	if (!w.plan)
		return -EOPNOTSUPP;	/* on all ranks alike, before anything was sent */
	w.limit = ub_layout_window(w.plan, UB_TMP_BYTES, job->elem);
	if (!w.limit)
		return -EOPNOTSUPP;
	look_up(comm, job->send, job->bytes, &w.in);
	look_up(comm, job->recv, job->bytes, &w.out);
	err = ub_stage_prepare(comm, is_staged(&w), w.plan->tmp_chunks);
	for (; !err && w.at < job->bytes; w.at += done)
		err = run_window(comm, &w, &done);
	return err;
}

uint32_t ub_exec_shared(const struct ub_comm *comm, uint32_t *ids)
{
	const struct ub_exec *x = comm->exec;
	uint32_t n = 0;

	for (int b = 0; b < UB_BANKS; b++) {
		const struct ub_where *mine = &x->seen[b][comm->rank].where;

		if (mine->in_seg && mine->in_seg != x->stage_seg)
			ids[n++] = mine->in_seg;
		if (mine->out_seg && mine->out_seg != x->stage_seg)
			ids[n++] = mine->out_seg;
	}
	return n;
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

static int create_bank(struct ub_comm *comm, int bank)
{
	struct ub_exec *x = comm->exec;

	x->seen[bank] = calloc(comm->nranks, sizeof(*x->seen[bank]));
	for (int s = 0; s < 3; s++) {
		x->base[bank][s] = calloc(comm->nranks, sizeof(char *));
		if (!x->base[bank][s])
			return -ENOMEM;
	}
	return x->seen[bank] ? 0 : -ENOMEM;
}

static void destroy_bank(struct ub_exec *x, int bank)
{
	free(x->seen[bank]);
	for (int s = 0; s < 3; s++)
		free(x->base[bank][s]);
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
		x->watch[s] = calloc(comm->nranks, sizeof(*x->watch[s]));
		if (!x->watch[s])
			goto err_destroy;
	}
	for (int b = 0; b < UB_BANKS; b++)
		if (create_bank(comm, b))
			goto err_destroy;
	x->nt_bytes = private_cache_bytes();
	x->forced[0] = forced_by_environment(UB_COLL_ALLREDUCE, "UB_ALLREDUCE");
	x->forced[1] = forced_by_environment(UB_COLL_BROADCAST, "UB_BROADCAST");
	x->usual[0] = ub_alg_find(UB_COLL_ALLREDUCE, "twoshot");
	x->usual[1] = ub_alg_find(UB_COLL_BROADCAST, "flat");
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
	for (int b = 0; b < UB_BANKS; b++)
		destroy_bank(x, b);
	for (int s = 0; s < 3; s++)
		free(x->watch[s]);
	free(x->used);
	free(x->src);
	free(x->dst);
	free(x->streams);
	if (x->trace_file)
		fclose(x->trace_file);
	free(x);
	comm->exec = NULL;
}
