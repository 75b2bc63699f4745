// SPDX-License-Identifier: BSD-2-Clause
/*
 * Begin and end of every call, and its header.
 *
 * Between them this rank is "inside": ub_comm_abort() of any rank waits for it to
 * come out. The store of @inside must be seen before the abort word is read; the
 * aborter makes that barrier for both sides (membarrier), so here it is the
 * compiler's only.
 */
#include <errno.h>
#include <string.h>
#include "comm/comm.h"
#include "exec/exec.h"

int ub_struct_copy(void *to, size_t size, const void *from)
{
	const unsigned char *bytes = from;
	size_t theirs;

	memcpy(&theirs, from, sizeof(theirs));
	if (theirs < sizeof(theirs))
		return -EINVAL;
	for (size_t i = size; i < theirs; i++)
		if (bytes[i])
			return -E2BIG;
	memset(to, 0, size);
	memcpy(to, from, theirs < size ? theirs : size);
	return 0;
}

/* What stands in progress.call, and together with the count in the hash. */
static uint64_t pack_call(const struct ub_call *call)
{
	return (uint64_t)call->coll << 48 | (uint64_t)call->type << 40 |
	       (uint64_t)call->op << 32 | call->root;
}

uint64_t ub_call_hash(const struct ub_call *call)
{
	uint64_t h = (pack_call(call) + 0x9e3779b97f4a7c15ULL) * 0xbf58476d1ce4e5b9ULL;

	h = (h ^ h >> 31 ^ call->count) * 0x94d049bb133111ebULL;
	return h ^ h >> 29 ^ call->salt;
}

int ub_call_begin(struct ub_comm *comm, const struct ub_call *call, const struct ub_opts *opts)
{
	struct ub_progress *p = &comm->self->progress;
	struct ub_opts o = { .size = sizeof(o) };
	int err;

	if (opts) {
		err = ub_struct_copy(&o, sizeof(o), opts);
		if (err)
			return err;
	}
	atomic_store_explicit(&p->inside, comm->seq + 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (__builtin_expect(ub_comm_aborted(comm), 0)) {
		atomic_store_explicit(&p->inside, 0, memory_order_release);
		return ub_comm_status(comm);
	}
	atomic_store_explicit(&p->call, pack_call(call), memory_order_relaxed);
	atomic_store_explicit(&p->count, call->count, memory_order_relaxed);
	comm->call = *call;
	comm->call.salt = comm->salt;
	comm->deadline_ms = o.deadline_ms ? o.deadline_ms : comm->default_ms;
	comm->start_ns = 0;
	comm->noticed = false;
	return 0;
}

int ub_call_end(struct ub_comm *comm, int err)
{
	/* Release: what this call did to anybody's buffers is done. */
	atomic_store_explicit(&comm->self->progress.inside, 0, memory_order_release);
	return err;
}
