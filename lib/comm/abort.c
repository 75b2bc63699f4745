// SPDX-License-Identifier: BSD-2-Clause
/*
 * Abort: end all calls of all ranks, and give this rank its buffers back.
 *
 * A rank that is inside a call when the communicator fails may store to the buffers of
 * that call until it has seen the abort word. So abort waits until everybody is outside.
 * Who does not come out (it is stopped) is shut out: its imports of what this rank has
 * shared in its last windows are revoked. When it goes on it meets zeros of its own.
 *
 * What cannot be revoked is a memfd: abort says so, and whose the memory is then.
 * Private buffers were never anybody else's; the stage and TMP are not given back.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "boot/boot.h"
#include "comm/comm.h"
#include "exec/exec.h"
#include "segment/segment.h"

#define ABORT_NS	1000000000ULL	/* how long abort waits for the others */

static bool is_inside(struct ub_ctl_rank *peer)
{
	return atomic_load(&peer->state) == UB_RANK_LIVE &&
	       atomic_load_explicit(&peer->progress.inside, memory_order_acquire);
}

/*
 * Wait until no live rank is inside a call: UB_NOBODY, or one that still is. This rank
 * first: its own call, in another thread, ends by the same word, and shares nothing more.
 *
 * Who enters now sees the abort word: membarrier orders its store of @inside before its
 * look at the word (call.c).
 */
static uint32_t wait_outside(struct ub_comm *comm)
{
	uint64_t until = ub_now_ns() + ABORT_NS;
	struct timespec pause = { .tv_nsec = 100000 };

	if (comm->membarrier)
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
	else
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	for (uint32_t i = 0; i < comm->nranks; i++) {
		uint32_t rank = ub_comm_after(comm, i);

		while (is_inside(&comm->ctl->ranks[rank])) {
			if (ub_now_ns() >= until)
				return rank;
			nanosleep(&pause, NULL);
		}
	}
	return UB_NOBODY;
}

/* True when nobody reaches this rank's buffers any more, inside a call or not. */
static bool shut_out(struct ub_comm *comm)
{
	uint32_t ids[UB_SHARED_IDS], n = ub_exec_shared(comm, ids);
	bool all = true;

	/* First: nobody may ask for what is to be revoked. */
	ub_server_refuse(comm);
	for (uint32_t i = 0; i < n; i++)
		all &= ub_registry_revoke(ids[i]) == 0;
	return all;
}

int ub_comm_abort(struct ub_comm *comm)
{
	uint32_t laggard;
	bool reaches;

	ub_comm_fail(comm, UB_REASON_ABORTED, comm->rank,
		     atomic_load_explicit(&comm->self->progress.step, memory_order_relaxed));
	laggard = wait_outside(comm);
	if (laggard == UB_NOBODY)
		return 0;
	reaches = laggard == comm->rank || !shut_out(comm);
	ub_comm_blame(comm, laggard, reaches);
	return reaches ? -EBUSY : 0;
}
