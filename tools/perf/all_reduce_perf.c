// SPDX-License-Identifier: BSD-2-Clause
#include "perf.h"

static int run(struct perf *p, const void *send, void *recv, uint64_t count)
{
	return ub_allreduce(send, recv, count, p->type, p->op, p->comm, NULL);
}

/* nccl-tests, doc/PERFORMANCE.md: each element crosses 2(n-1)/n times. */
static double factor(int nranks)
{
	return 2.0 * (nranks - 1) / nranks;
}

static double expect(const struct perf *p, int rank, uint64_t i)
{
	return perf_fold(p, i);
}

int main(int argc, char **argv)
{
	static const struct perf_coll all_reduce = {
		.name = "all_reduce_perf", .has_op = true,
		.run = run, .factor = factor, .expect = expect,
	};

	return perf_main(argc, argv, &all_reduce);
}
