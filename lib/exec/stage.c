// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory of the library's own that peers map: windows of private buffers, and TMP.
 *
 * Where a plan keeps ranks to their own parts (UB_PLAN_OWN_PARTS), a rank's own part of
 * its private buffers does not come here: nobody else touches it.
 *
 * Allocated when first needed, kept until the communicator ends: 1 MiB for private
 * buffers, 8 MiB for plans that use TMP, nothing for others.
 */
#include <errno.h>
#include <string.h>
#include "exec/exec.h"
#include "reduce/reduce.h"

static int allocate(struct ub_comm *comm, size_t size, char **ptr)
{
	void *p;
	int err;

	if (*ptr)
		return 0;
	err = ub_alloc(comm->dev, size, &p);
	if (err)
		return ub_comm_fail(comm, UB_REASON_LOCAL, comm->rank, (uint32_t)-err);
	*ptr = p;
	return 0;
}

int ub_stage_prepare(struct ub_comm *comm, bool private, bool tmp)
{
	struct ub_exec *x = comm->exec;
	int err = 0;

	if (private)
		err = allocate(comm, 2 * UB_BANKS * UB_STAGE_BYTES, &x->stage);
	if (!err && tmp)
		err = allocate(comm, UB_BANKS * UB_TMP_BYTES, &x->tmp);
	return err;
}

static void copy(char *to, const char *from, uint64_t bytes, uint32_t flags)
{
	void *dst = to;

	ub_move(&dst, 1, from, bytes, flags);
}

void ub_stage_copy(struct ub_comm *comm, const struct ub_plan *plan, const struct ub_job *job,
		   char *to, const char *from, uint64_t bytes)
{
	struct ub_layout layout;
	bool out = to >= job->recv && to < job->recv + job->bytes;
	/* Gone from the private cache before its last window is there: as in run.c. */
	bool stream = out && job->bytes >= comm->exec->nt_bytes;
	uint32_t flags = stream ? UB_REDUCE_NT : 0;
	uint64_t own = 0, end = 0;

	if (plan->props & UB_PLAN_OWN_PARTS) {
		ub_layout_bind(&layout, plan, bytes, job->elem);
		own = ub_layout_offset(&layout, plan, 0, comm->rank);
		end = ub_layout_offset(&layout, plan, 0, comm->rank + 1);
	}
	copy(to, from, own, flags);
	copy(to + end, from + end, bytes - end, flags);
	if (stream)
		ub_store_drain();
}

void ub_stage_free(struct ub_comm *comm)
{
	ub_free(comm->exec->stage);
	ub_free(comm->exec->tmp);
}
