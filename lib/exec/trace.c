// SPDX-License-Identifier: BSD-2-Clause
/*
 * The trace: a hash over what the executor really did.
 *
 * It is fed where the work is done, from the addresses that were used, so that a
 * step left out, done twice or done elsewhere changes it. Tests compare it with the
 * hash of the generator's own stream. UB_TRACE=FILE appends a line per window to
 * FILE.<rank>:  sequence, algorithm, ranks, bytes, bytes of an element, hash.
 */
#include <inttypes.h>
#include "exec/exec.h"

uint64_t ub_trace_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

uint64_t ub_trace_place(uint64_t hash, uint32_t rank, uint32_t space, uint64_t offset)
{
	hash = ub_trace_word(hash, (uint64_t)rank << 32 | space);
	return ub_trace_word(hash, offset);
}

void ub_trace_done(struct ub_comm *comm, const struct ub_plan *plan, uint64_t bytes,
		   uint32_t elem, uint32_t nstreams)
{
	struct ub_exec *x = comm->exec;
	uint64_t hash = UB_TRACE_SEED;

	for (uint32_t s = 0; s < nstreams; s++)
		hash = ub_trace_word(hash, x->streams[s].hash);
	x->trace = (struct ub_trace){
		.plan = plan, .bytes = bytes, .elem = elem, .seq = comm->seq, .hash = hash,
	};
	if (x->trace_file)
		fprintf(x->trace_file, "%" PRIu64 " %s %u %" PRIu64 " %u %016" PRIx64 "\n",
			comm->seq, plan->alg->name, comm->nranks, bytes, elem, hash);
}
