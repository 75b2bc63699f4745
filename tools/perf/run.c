// SPDX-License-Identifier: BSD-2-Clause
/*
 * The ranks and the sizes: fork or join, then each type, operator and size, out of
 * place and in place.
 */
#include <stdlib.h>
#include <string.h>
#include "perf.h"

struct job {
	const struct perf_options *opt;
	const struct perf_coll *coll;
};

static void *get_buffer(struct perf *p, uint64_t bytes)
{
	void *ptr = NULL;

	if (p->opt->private)
		return aligned_alloc(4096, (bytes + 4096) & ~4095ULL);
	return ub_alloc(ub_comm_device(p->comm), bytes ? bytes : 1, &ptr) ? NULL : ptr;
}

static void put_buffer(struct perf *p, void *ptr)
{
	if (p->opt->private)
		free(ptr);
	else
		ub_free(ptr);
}

static uint64_t next_size(const struct perf_options *o, uint64_t bytes)
{
	uint64_t next = o->step_factor > 1 ? (uint64_t)((double)bytes * o->step_factor) :
			bytes + o->step_bytes;

	return next > bytes ? next : bytes + 1;
}

static int run_sizes(struct perf *p, struct perf_report *report)
{
	uint64_t elem = ub_type_size(p->type), last = UINT64_MAX;
	struct perf_time out, in;

	for (uint64_t b = p->opt->min_bytes; b <= p->opt->max_bytes; b = next_size(p->opt, b)) {
		uint64_t bytes = b / elem * elem;
		int err;

		if (bytes == last)	/* sizes below an element look alike */
			continue;
		last = bytes;
		err = perf_measure(p, bytes, false, &out);
		if (!err)
			err = perf_measure(p, bytes, true, &in);
		if (err)
			return err;
		perf_report_row(report, p, bytes, &out, &in);
	}
	return 0;
}

static int run_all(struct perf *p, struct perf_report *report)
{
	const struct perf_options *o = p->opt;

	for (int t = 0; t < o->ntypes; t++)
		for (int i = 0; i < (p->coll->has_op ? o->nops : 1); i++) {
			int err;

			p->type = o->types[t];
			p->op = o->ops[i];
			err = run_sizes(p, report);
			if (err)
				return err;
		}
	return 0;
}

static int body(struct ub_comm *comm, void *arg)
{
	const struct job *job = arg;
	struct perf p = {
		.opt = job->opt, .coll = job->coll, .comm = comm,
		.rank = ub_comm_rank(comm), .nranks = ub_comm_size(comm), .root = job->opt->root,
	};
	struct perf_report *report;
	uint64_t wrong = 1;
	int err;

	if (p.root >= p.nranks) {
		if (!p.rank)
			fprintf(stderr, "%s: there is no rank %d of %d.\n", p.coll->name, p.root,
				p.nranks);
		ub_comm_destroy(comm);
		return 2;
	}
	p.send = get_buffer(&p, job->opt->max_bytes);
	p.recv = get_buffer(&p, job->opt->max_bytes);
	report = perf_report_begin(&p);
	if (!p.send || !p.recv || !report) {
		fprintf(stderr, "rank %d: no memory for two buffers of %llu bytes\n", p.rank,
			(unsigned long long)job->opt->max_bytes);
		return 1;	/* the others see this rank end, by name */
	}
	err = run_all(&p, report);
	if (err)
		fprintf(stderr, "rank %d: %s\n", p.rank, ub_comm_error(comm));
	wrong = perf_report_end(report, &p);
	ub_comm_destroy(comm);
	put_buffer(&p, p.send);
	put_buffer(&p, p.recv);
	return err || wrong;
}

int perf_main(int argc, char **argv, const struct perf_coll *coll)
{
	struct ub_comm_config config = UB_COMM_CONFIG_INIT;
	struct perf_options opt;
	struct job job = { &opt, coll };
	struct ub_comm *comm;
	int err;

	err = perf_parse(argc, argv, coll, &opt);
	if (err)
		return err > 0 ? 0 : 2;
	config.deadline_ms = opt.timeout_ms;
	if (opt.ranks)
		return ub_comm_fork(opt.ranks, body, &job, NULL, &config) ? 1 : 0;
	err = ub_comm_create(&comm, &config);
	if (err) {
		fprintf(stderr, "%s: %s\n", coll->name, ub_comm_error(NULL));
		return 1;
	}
	return body(comm, &job);
}
