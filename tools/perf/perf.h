/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the *_perf tools share: nccl-tests' options, method and columns.
 *
 *	options.c	the command line
 *	data.c		fill send buffers, check every element of receive buffers
 *	measure.c	time one size
 *	report.c	print, as nccl-tests does; JSON beside it
 *	run.c		the ranks and the sizes
 *
 * A tool is a struct perf_coll and one line of main().
 */
#ifndef PERF_H
#define PERF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <ub/ub.h>

struct perf_options {
	uint64_t	min_bytes, max_bytes, step_bytes;
	double		step_factor;	/* 1: add step_bytes */
	int		iters, warmup, aggregate;
	int		check;		/* how often to check; 0: never */
	int		ranks;		/* 0: from the environment */
	int		average;	/* 0 rank 0, 1 average, 2 minimum, 3 maximum */
	int		root;
	uint64_t	timeout_ms;
	enum ub_type	types[4];
	int		ntypes;
	enum ub_op	ops[4];
	int		nops;
	bool		private;	/* malloc() instead of ub_alloc() */
	bool		touch;		/* rewrite the send buffer before each call */
	const char	*json;		/* file, or NULL */
};

/* One rank's view of a run. */
struct perf {
	const struct perf_options *opt;
	const struct perf_coll	*coll;
	struct ub_comm		*comm;
	int			rank, nranks;
	char			*send, *recv;
	enum ub_type		type;
	enum ub_op		op;
	int			root;
	bool			failed;	/* a call did; ub_comm_error() says why */
};

struct perf_coll {
	const char *name;	/* "all_reduce_perf" */
	bool has_op, has_root;
	int (*run)(struct perf *p, const void *send, void *recv, uint64_t count);
	/* bus bandwidth over algorithm bandwidth */
	double (*factor)(int nranks);
	/* element i of the result at rank */
	double (*expect)(const struct perf *p, int rank, uint64_t i);
};

struct perf_time {
	double		us;
	double		memcpy_us;	/* the same bytes by all ranks at once; < 0: not asked */
	uint64_t	wrong;
};

/* 0; 1 --help; -1 wrong, and a sentence was printed. */
int perf_parse(int argc, char **argv, const struct perf_coll *coll, struct perf_options *opt);

const char *perf_type_name(enum ub_type type);
const char *perf_op_name(enum ub_op op);

double perf_value(int rank, uint64_t i);
void perf_fill(const struct perf *p, void *buf, uint64_t count);
uint64_t perf_check(const struct perf *p, const void *buf, uint64_t count);
double perf_fold(const struct perf *p, uint64_t i);

/* 0, or the errno of the call that failed. */
int perf_measure(struct perf *p, uint64_t bytes, bool in_place, struct perf_time *t);

struct perf_report;
struct perf_report *perf_report_begin(const struct perf *p);
void perf_report_row(struct perf_report *r, const struct perf *p, uint64_t bytes,
		     const struct perf_time *out, const struct perf_time *in);
/* Returns the number of wrong elements. */
uint64_t perf_report_end(struct perf_report *r, const struct perf *p);

int perf_main(int argc, char **argv, const struct perf_coll *coll);

#endif /* PERF_H */
