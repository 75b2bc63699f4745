// SPDX-License-Identifier: BSD-2-Clause
/*
 * Data that can be checked exactly: small integers, different at each rank and
 * place, whose sums over thousands of ranks no type of the library rounds.
 */
#include <math.h>
#include "perf.h"

double perf_value(int rank, uint64_t i)
{
	/* 61 and 127 are prime to each other: neighbours in rank and place differ. */
	return (double)((i * 7 + (uint64_t)rank * 31) % 61 + (i >> 10) % 127);
}

static void store(void *buf, enum ub_type type, uint64_t i, double v)
{
	switch (type) {
	case UB_INT32:
		((int32_t *)buf)[i] = (int32_t)v;
		break;
	case UB_INT64:
		((int64_t *)buf)[i] = (int64_t)v;
		break;
	case UB_FLOAT32:
		((float *)buf)[i] = (float)v;
		break;
	case UB_FLOAT64:
		((double *)buf)[i] = v;
		break;
	}
}

static double load(const void *buf, enum ub_type type, uint64_t i)
{
	switch (type) {
	case UB_INT32:
		return ((const int32_t *)buf)[i];
	case UB_INT64:
		return (double)((const int64_t *)buf)[i];
	case UB_FLOAT32:
		return ((const float *)buf)[i];
	case UB_FLOAT64:
		return ((const double *)buf)[i];
	}
	return NAN;
}

/* Divide as the type does: integers truncate, floats round once. */
static double divide(enum ub_type type, double sum, int n)
{
	if (type == UB_INT32 || type == UB_INT64)
		return trunc(sum / n);
	return type == UB_FLOAT32 ? (float)sum / (float)n : sum / n;
}

/* The reduction's definition, for element i. */
double perf_fold(const struct perf *p, uint64_t i)
{
	double acc = perf_value(0, i);

	for (int r = 1; r < p->nranks; r++) {
		double v = perf_value(r, i);

		if (p->op == UB_MAX)
			acc = v > acc ? v : acc;
		else if (p->op == UB_MIN)
			acc = v < acc ? v : acc;
		else
			acc += v;
	}
	return p->op == UB_AVG ? divide(p->type, acc, p->nranks) : acc;
}

void perf_fill(const struct perf *p, void *buf, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		store(buf, p->type, i, perf_value(p->rank, i));
}

uint64_t perf_check(const struct perf *p, const void *buf, uint64_t count)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < count; i++)
		wrong += load(buf, p->type, i) != p->coll->expect(p, p->rank, i);
	return wrong;
}
