// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "exec/exec.h"
#include "fault.h"

struct fault fault;

/* The program as it is run: of one window, the cached one stays as it was compiled. */
static struct ub_program wrong;
static struct ub_instr *instrs;
static uint32_t starts[64];

int __real_ub_program_get(struct ub_comm *comm, const struct ub_plan *plan, uint64_t bytes,
			  uint32_t elem, struct ub_program **prog);
int __wrap_ub_program_get(struct ub_comm *comm, const struct ub_plan *plan, uint64_t bytes,
			  uint32_t elem, struct ub_program **prog);

static bool touches_a_peer(const struct ub_program *prog, const struct ub_instr *in,
			   uint32_t self)
{
	for (uint32_t i = 0; i < in->nsrc + in->ndst; i++)
		if (prog->refs[in->ref + i].rank != self)
			return true;
	return false;
}

/* Copies the program, instruction by instruction; the one that is hit 0 or 2 times. */
static int copy_wrong(const struct ub_program *prog, uint32_t self)
{
	uint32_t end = prog->streams[prog->nstreams], n = 0;

	free(instrs);
	instrs = calloc(end + 1, sizeof(*instrs));
	if (!instrs || prog->nstreams >= sizeof(starts) / sizeof(starts[0]))
		return -ENOMEM;
	fault.ndata = 0;
	for (uint32_t s = 0; s < prog->nstreams; s++) {
		starts[s] = n;
		for (uint32_t i = prog->streams[s]; i < prog->streams[s + 1]; i++) {
			const struct ub_instr *in = &prog->instrs[i];
			bool data = in->op == UB_STEP_MOVE || in->op == UB_STEP_REDUCE;
			bool hit = data && fault.ndata == fault.nth && fault.kind;
			int times = !hit ? 1 : fault.kind == FAULT_SKIP ? 0 : 2;

			fault.ndata += data;
			if (hit)
				fault.remote = touches_a_peer(prog, in, self);
			while (times--)
				instrs[n++] = *in;
		}
	}
	starts[prog->nstreams] = n;
	wrong = *prog;
	wrong.instrs = instrs;
	wrong.streams = starts;
	return 0;
}

int __wrap_ub_program_get(struct ub_comm *comm, const struct ub_plan *plan, uint64_t bytes,
			  uint32_t elem, struct ub_program **prog)
{
	int err = __real_ub_program_get(comm, plan, bytes, elem, prog);

	if (!err)
		err = copy_wrong(*prog, comm->rank);
	if (!err)
		*prog = &wrong;
	return err;
}
