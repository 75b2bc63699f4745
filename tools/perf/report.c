// SPDX-License-Identifier: BSD-2-Clause
/*
 * Output: nccl-tests' columns to the character, because scripts parse them. All else
 * is on comment lines before and after, or in the JSON file.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "perf.h"

struct perf_report {
	FILE		*json;
	double		busbw_sum;
	int		busbw_n;
	uint64_t	wrong;
	uint64_t	bytes;		/* the largest size: */
	double		us, memcpy_us;
};

/* Who is where, gathered by the library itself, rank by rank. */
static void print_ranks(const struct perf *p)
{
	struct ub_device_info info = { .size = sizeof(info) };
	char host[64] = "?", line[128];

	gethostname(host, sizeof(host) - 1);
	if (ub_device_query(ub_comm_device(p->comm), &info))
		strcpy(info.backend, "?");
	snprintf(line, sizeof(line), "#  Rank %2d Group %2d Pid %6d on %10.20s device %2d [%.15s]",
		 p->rank, 0, (int)getpid(), host, info.npu, info.backend);
	for (int r = 0; r < p->nranks; r++) {
		char theirs[128];
		int err = ub_broadcast(line, theirs, sizeof(theirs) / 4, UB_INT32, r, p->comm,
				       NULL);

		if (!err && !p->rank)
			printf("%s\n", theirs);
	}
}

struct perf_report *perf_report_begin(const struct perf *p)
{
	const struct perf_options *o = p->opt;
	struct perf_report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	if (!p->rank) {
		printf("# nThread %d nGpus %d minBytes %" PRIu64 " maxBytes %" PRIu64
		       " step: %" PRIu64 "(%s) warmup iters: %d iters: %d agg iters: %d validation: %d graph: %d\n",
		       1, 1, o->min_bytes, o->max_bytes,
		       o->step_factor > 1 ? (uint64_t)o->step_factor : o->step_bytes,
		       o->step_factor > 1 ? "factor" : "bytes", o->warmup, o->iters,
		       o->aggregate, o->check, 0);
		printf("#\n# Using devices\n");
	}
	print_ranks(p);
	if (p->rank)
		return r;
	if (o->json) {
		r->json = fopen(o->json, "w");
		if (!r->json)
			fprintf(stderr, "cannot write %s\n", o->json);
	}
	printf("#\n# buffers: %s\n#\n", o->private ? "private (malloc)" : "mapped (ub_alloc)");
	printf("# %10s  %12s  %8s  %6s  %6s           out-of-place                       in-place          \n",
	       "", "", "", "", "");
	printf("# %10s  %12s  %8s  %6s  %6s  %7s  %6s  %6s %6s  %7s  %6s  %6s %6s\n",
	       "size", "count", "type", "redop", "root", "time", "algbw", "busbw", "#wrong",
	       "time", "algbw", "busbw", "#wrong");
	printf("# %10s  %12s  %8s  %6s  %6s  %7s  %6s  %6s  %5s  %7s  %6s  %6s  %5s\n",
	       "(B)", "(elements)", "", "", "", "(us)", "(GB/s)", "(GB/s)", "",
	       "(us)", "(GB/s)", "(GB/s)", "");
	fflush(stdout);
	return r;
}

static void print_time(struct perf_report *r, const struct perf *p, uint64_t bytes,
		       const struct perf_time *t)
{
	double algbw = t->us > 0 ? (double)bytes / t->us / 1e3 : 0;
	double busbw = algbw * p->coll->factor(p->nranks);

	printf("  %7.*f  %6.2f  %6.2f", t->us >= 10000 ? 0 : t->us >= 100 ? 1 : 2, t->us, algbw,
	       busbw);
	if (p->opt->check)
		printf("  %5g", (double)t->wrong);
	else
		printf("  %5s", "N/A");
	r->busbw_sum += busbw;
	r->busbw_n++;
	r->wrong += t->wrong;
}

static void write_json(struct perf_report *r, const struct perf *p, uint64_t bytes,
		       const struct perf_time *t, bool in_place)
{
	double algbw = t->us > 0 ? (double)bytes / t->us / 1e3 : 0;

	fprintf(r->json,
		"{\"tool\":\"%s\",\"ranks\":%d,\"buffers\":\"%s\",\"size\":%" PRIu64
		",\"type\":\"%s\",\"redop\":\"%s\",\"in_place\":%s,\"time_us\":%.3f,\"algbw\":%.3f,\"busbw\":%.3f",
		p->coll->name, p->nranks, p->opt->private ? "private" : "mapped", bytes,
		perf_type_name(p->type), p->coll->has_op ? perf_op_name(p->op) : "none",
		in_place ? "true" : "false", t->us, algbw,
		algbw * p->coll->factor(p->nranks));
	if (p->opt->check)
		fprintf(r->json, ",\"wrong\":%" PRIu64, t->wrong);
	if (t->memcpy_us >= 0)
		fprintf(r->json, ",\"memcpy_us\":%.3f", t->memcpy_us);
	fprintf(r->json, "}\n");
}

void perf_report_row(struct perf_report *r, const struct perf *p, uint64_t bytes,
		     const struct perf_time *out, const struct perf_time *in)
{
	if (p->rank)
		return;
	printf("%12" PRIu64 "  %12" PRIu64 "  %8s  %6s  %6i", bytes,
	       bytes / ub_type_size(p->type), perf_type_name(p->type),
	       p->coll->has_op ? perf_op_name(p->op) : "none", p->coll->has_root ? p->root : -1);
	print_time(r, p, bytes, out);
	print_time(r, p, bytes, in);
	printf("\n");
	fflush(stdout);
	if (r->json) {
		write_json(r, p, bytes, out, false);
		write_json(r, p, bytes, in, true);
	}
	if (bytes >= r->bytes && out->memcpy_us >= 0) {
		r->bytes = bytes;
		r->us = out->us;
		r->memcpy_us = out->memcpy_us;
	}
}

uint64_t perf_report_end(struct perf_report *r, const struct perf *p)
{
	uint64_t wrong = r->wrong;

	if (!p->rank) {
		printf("# Out of bounds values : %" PRIu64 " %s\n", wrong, wrong ? "FAILED" : "OK");
		printf("# Avg bus bandwidth    : %g\n",
		       r->busbw_n ? r->busbw_sum / r->busbw_n : 0);
		if (r->memcpy_us > 0)
			printf("# memcpy by all ranks  : %.2f us for %" PRIu64 " B in this run; the collective took %.2f times that\n",
			       r->memcpy_us, r->bytes, r->us / r->memcpy_us);
		printf("#\n");
	}
	if (r->json)
		fclose(r->json);
	free(r);
	return wrong;
}
