// SPDX-License-Identifier: BSD-2-Clause
/*
 * The collectives of ub/coll.h: arguments checked, then handed to the executor.
 */
#include <errno.h>
#include "comm/comm.h"
#include "exec/exec.h"

/* Same memory or none in common. */
static bool overlap(const void *a, const void *b, uint64_t bytes)
{
	uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;

	return a && x != y && x < y + bytes && y < x + bytes;
}

static int check_vector(const struct ub_comm *comm, const void *send, const void *recv,
			size_t count, enum ub_type type, uint64_t *bytes)
{
	size_t elem = ub_type_size(type);

	if (!comm)
		return -EINVAL;
	if (!elem)
		return -EOPNOTSUPP;
	if (__builtin_mul_overflow(count, elem, bytes) || *bytes >> 56)
		return -EINVAL;
	if ((count && !recv) || overlap(send, recv, *bytes))
		return -EINVAL;
	return 0;
}

static int run(struct ub_comm *comm, const struct ub_call *call, const struct ub_job *job,
	       const struct ub_opts *opts)
{
	int err = ub_call_begin(comm, call, opts);

	return err ? err : ub_call_end(comm, ub_exec_call(comm, job));
}

int ub_allreduce(const void *send, void *recv, size_t count, enum ub_type type,
		 enum ub_op op, struct ub_comm *comm, const struct ub_opts *opts)
{
	struct ub_call call = {
		.coll = UB_COLL_ALLREDUCE, .type = type, .op = op, .count = count,
	};
	struct ub_job job = {
		.coll = UB_COLL_ALLREDUCE, .send = send, .recv = recv, .type = type, .op = op,
		.elem = (uint32_t)ub_type_size(type),
	};
	int err = check_vector(comm, send, recv, count, type, &job.bytes);

	if (err)
		return err;
	if (count && !send)
		return -EINVAL;
	if (op != UB_SUM && op != UB_MIN && op != UB_MAX && op != UB_AVG)
		return -EOPNOTSUPP;
	return run(comm, &call, &job, opts);
}

int ub_broadcast(const void *send, void *recv, size_t count, enum ub_type type,
		 int root, struct ub_comm *comm, const struct ub_opts *opts)
{
	struct ub_call call = {
		.coll = UB_COLL_BROADCAST, .type = type, .root = (uint32_t)root, .count = count,
	};
	struct ub_job job = {
		.coll = UB_COLL_BROADCAST, .recv = recv, .type = type, .root = (uint32_t)root,
		.elem = (uint32_t)ub_type_size(type),
	};
	int err;

	if (!comm || root < 0 || (uint32_t)root >= comm->nranks)
		return -EINVAL;
	if ((uint32_t)root == comm->rank)
		job.send = send;
	err = check_vector(comm, job.send, recv, count, type, &job.bytes);
	if (err)
		return err;
	if (count && (uint32_t)root == comm->rank && !send)
		return -EINVAL;
	return run(comm, &call, &job, opts);
}

int ub_barrier(struct ub_comm *comm, const struct ub_opts *opts)
{
	struct ub_call call = { .coll = UB_COLL_BARRIER };
	struct ub_job job = { .coll = UB_COLL_BARRIER, .elem = 1 };

	return comm ? run(comm, &call, &job, opts) : -EINVAL;
}
