// SPDX-License-Identifier: BSD-2-Clause
/*
 * Time one size: warm up, a barrier, the calls, as nccl-tests does. Beside it, in the
 * same run and on the same buffers, memcpy of the same bytes by all ranks at once:
 * what an allreduce on one host cannot beat once buffers are larger than the caches.
 */
#include <string.h>
#include <time.h>
#include "perf.h"

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int barrier(struct perf *p)
{
	return ub_barrier(p->comm, NULL);
}

static int time_calls(struct perf *p, const void *send, void *recv, uint64_t count, int calls,
		      double *us)
{
	double spent = 0, begin;
	int err = barrier(p);

	begin = now_us();
	for (int i = 0; i < calls && !err; i++) {
		if (p->opt->touch) {
			spent += now_us() - begin;
			perf_fill(p, (void *)send, count);
			err = barrier(p);
			begin = now_us();
		}
		if (!err)
			err = p->coll->run(p, send, recv, count);
	}
	*us = calls ? (spent + now_us() - begin) / calls : 0;
	return err;
}

static int time_memcpy(struct perf *p, uint64_t bytes, int calls, double *us)
{
	double begin;
	int err = barrier(p);

	/* Until the last has copied: ranks that share a processor take turns. */
	begin = now_us();
	for (int i = 0; i < calls; i++) {
		memcpy(p->recv, p->send, bytes);
		/* The copy is wanted though nobody reads it. */
		__asm__ volatile("" : : "r"(p->recv) : "memory");
	}
	if (!err)
		err = barrier(p);
	*us = (now_us() - begin) / calls;
	return err;
}

/* One number of all ranks, the way that --average asks for. */
static int combine(struct perf *p, double *us)
{
	static const enum ub_op ops[] = { UB_SUM, UB_AVG, UB_MIN, UB_MAX };
	double v = p->opt->average || !p->rank ? *us : 0;

	return ub_allreduce(&v, us, 1, UB_FLOAT64, ops[p->opt->average], p->comm, NULL);
}

static int check_once(struct perf *p, const void *send, void *recv, uint64_t count,
		      uint64_t *wrong)
{
	int64_t mine, all;
	int err;

	perf_fill(p, (void *)send, count);
	if (recv != send)
		memset(recv, 0xff, count * ub_type_size(p->type));
	err = p->coll->run(p, send, recv, count);
	if (err)
		return err;
	mine = (int64_t)perf_check(p, recv, count);
	err = ub_allreduce(&mine, &all, 1, UB_INT64, UB_SUM, p->comm, NULL);
	*wrong = (uint64_t)all;
	return err;
}

int perf_measure(struct perf *p, uint64_t bytes, bool in_place, struct perf_time *t)
{
	uint64_t count = bytes / ub_type_size(p->type);
	int calls = p->opt->iters * p->opt->aggregate, err;
	const void *send = in_place ? p->recv : p->send;
	double ignored;

	t->wrong = 0;
	t->memcpy_us = -1;
	perf_fill(p, (void *)send, count);
	err = time_calls(p, send, p->recv, count, p->opt->warmup, &ignored);
	if (!err)
		err = time_calls(p, send, p->recv, count, calls, &t->us);
	if (!err)
		err = combine(p, &t->us);
	if (!err && !in_place && bytes) {
		err = time_memcpy(p, bytes, calls, &t->memcpy_us);
		if (!err)
			err = combine(p, &t->memcpy_us);
	}
	for (int i = 0; i < p->opt->check && !err; i++) {
		uint64_t wrong = 0;

		err = check_once(p, send, p->recv, count, &wrong);
		t->wrong += wrong;
	}
	return err;
}
