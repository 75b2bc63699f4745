// SPDX-License-Identifier: BSD-2-Clause
#include "perf.h"

static int run(struct perf *p, const void *send, void *recv, uint64_t count)
{
	return ub_broadcast(send, recv, count, p->type, p->root, p->comm, NULL);
}

/* nccl-tests, doc/PERFORMANCE.md: bound by what the root sends. */
static double factor(int nranks)
{
	return 1;
}

static double expect(const struct perf *p, int rank, uint64_t i)
{
	return perf_value(p->root, i);
}

int main(int argc, char **argv)
{
	static const struct perf_coll broadcast = {
		.name = "broadcast_perf", .has_root = true,
		.run = run, .factor = factor, .expect = expect,
	};

	return perf_main(argc, argv, &broadcast);
}
