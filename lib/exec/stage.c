// SPDX-License-Identifier: BSD-2-Clause
/*
 * Memory of the library's own that peers map: windows of private buffers, and TMP.
 *
 * Where a plan keeps ranks to their own parts (UB_PLAN_OWN_PARTS), a rank's own part of
 * its private buffers does not come here: nobody else touches it.
 *
 * Why not process_vm_readv(), with which a peer copies once and no stage is needed: it
 * pins each page, and its copy comes through the caches on the way out. The stage stays
 * in them on the way in, and the results are written past them; so two copies cost less
 * than one from 1 to 4 MiB (940 and 1430 us at 4 MiB, prototypes of two ranks), and about
 * the same below. Above, with ranks that each have a processor, it is not settled. It
 * would need the right to trace each other, too.
 *
 * Allocated when first needed, kept until the communicator ends: 1 MiB for private
 * buffers, 8 MiB for plans that use TMP, nothing for others.
 */
#include <errno.h>
#include <string.h>
#include "exec/exec.h"
#include "reduce/reduce.h"

static int allocate(struct ub_comm *comm, size_t size, char **ptr, uint32_t *seg)
{
	uint64_t offset;
	void *p;
	int err;

	if (*ptr)
		return 0;
	err = ub_alloc(comm->dev, size, &p);
	if (err)
		return ub_comm_fail(comm, UB_REASON_LOCAL, comm->rank, (uint32_t)-err);
	*ptr = p;
	ub_import_own(comm, p, size, seg, &offset);
	return 0;
}

int ub_stage_prepare(struct ub_comm *comm, bool private, bool tmp)
{
	struct ub_exec *x = comm->exec;
	int err = 0;

	if (private)
		err = allocate(comm, 2 * UB_BANKS * UB_STAGE_BYTES, &x->stage, &x->stage_seg);
	if (!err && tmp)
		err = allocate(comm, UB_BANKS * UB_TMP_BYTES, &x->tmp, &x->tmp_seg);
	return err;
}

static void copy(char *to, const char *from, uint64_t bytes, bool stream)
{
	void *dst = to;

	if (stream)
		ub_move(&dst, 1, from, bytes, UB_REDUCE_NT);
	else if (bytes)
		memcpy(to, from, bytes);
}

void ub_stage_copy(struct ub_comm *comm, const struct ub_program *prog,
		   const struct ub_job *job, char *to, const char *from)
{
	bool out = to >= job->recv && to < job->recv + job->bytes;
	/* Gone from the private cache before its last window is there: as in run.c. */
	bool stream = out && job->bytes >= comm->exec->nt_bytes;
	uint64_t end = prog->own_end;

	copy(to, from, prog->own, stream);
	copy(to + end, from + end, prog->bytes - end, stream);
	if (stream)
		ub_store_drain();
}

void ub_stage_free(struct ub_comm *comm)
{
	ub_free(comm->exec->stage);
	ub_free(comm->exec->tmp);
}
