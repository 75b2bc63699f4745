/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collectives.
 *
 * The order of arguments is NCCL's; where NCCL has a stream there are options.
 *
 * What holds for all
 *   - All ranks make the same calls on a communicator in the same order, with
 *     the same count, type, operator and root; else -EPROTO on the ranks
 *     concerned. Buffers may differ: mapped (ub_alloc) on one, private on another.
 *   - A call returns when the caller's part is done: the receive buffer holds
 *     the result and no peer touches the caller's buffers any more.
 *   - In place means send == recv. Buffers that overlap otherwise: -EINVAL.
 *   - count 0 is allowed, with NULL buffers too; ranks still meet.
 *   - Results are the same from run to run for the same ranks and count, and the
 *     same on all ranks. Sums fold the ranks in ascending order.
 *
 * Errors of all: -EINVAL arguments (nothing was sent, the communicator is well);
 * -EOPNOTSUPP not built, same; -E2BIG options of a newer library, same.
 * From then on for every call: -EPROTO, -EOWNERDEAD a rank died, -ETIMEDOUT the
 * deadline, -ECONNABORTED ub_comm_abort(), -ENOLINK no route to a rank, -EIO the pod was
 * removed, -ENOMEM.
 */
#ifndef UB_COLL_H
#define UB_COLL_H

#include <stddef.h>
#include <stdint.h>
#include <ub/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ub_comm;

/**
 * struct ub_opts - options of one call
 * @size:	sizeof(struct ub_opts)
 * @deadline_ms: of this call; 0: the communicator's
 *
 * Options may differ between ranks. NULL is all defaults.
 */
struct ub_opts {
	size_t		size;
	uint64_t	deadline_ms;
};

#define UB_OPTS_INIT { sizeof(struct ub_opts), 0 }

/**
 * ub_allreduce() - reduce over all ranks, result on all
 * @send:	@count elements
 * @recv:	@count elements; may be @send
 * @count:	elements
 * @type:	of an element
 * @op:		how two become one; UB_AVG divides by the number of ranks at the end
 * @comm:	communicator
 * @opts:	NULL or options
 */
int ub_allreduce(const void *send, void *recv, size_t count, enum ub_type type,
		 enum ub_op op, struct ub_comm *comm, const struct ub_opts *opts);

/**
 * ub_broadcast() - copy from one rank to all
 * @send:	@count elements, used on @root only
 * @recv:	@count elements; on @root may be @send
 * @count:	elements
 * @type:	of an element
 * @root:	rank that has the data
 * @comm:	communicator
 * @opts:	NULL or options
 */
int ub_broadcast(const void *send, void *recv, size_t count, enum ub_type type,
		 int root, struct ub_comm *comm, const struct ub_opts *opts);

/**
 * ub_barrier() - return when all ranks have called it
 * @comm:	communicator
 * @opts:	NULL or options
 */
int ub_barrier(struct ub_comm *comm, const struct ub_opts *opts);

#ifdef __cplusplus
}
#endif
#endif /* UB_COLL_H */
