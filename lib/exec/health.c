// SPDX-License-Identifier: BSD-2-Clause
/*
 * Did what we loaded and stored reach the peers' memory?
 *
 * A mapping of an NPU's segment can die under us: its home ends, its token is revoked,
 * its last route goes. It then reads zeros and swallows stores (DUMMY), and its state
 * word changes before that. So the word is read when the window begins, and compared
 * before every signal that says "done" and before success is returned: a peer never
 * takes for complete what was not.
 *
 * Only mappings that were used since the last look are compared. Plans are closed: who
 * has had our last signal may return from its call and free its buffer at once, while
 * we are still in ours. What was used and not yet signalled cannot be freed so.
 *
 * Memfd mappings do not die; for them all of this is an empty list.
 */
#include <errno.h>
#include <time.h>
#include "device/device.h"
#include "exec/exec.h"

/*
 * Something was taken away. The home's process may have died: its guard's word says so
 * within a millisecond, and better than we can. Else it is the pod, the link, or the
 * segment alone.
 */
static int lost(struct ub_comm *comm, uint32_t rank, bool link)
{
	uint32_t step = atomic_load_explicit(&comm->self->progress.step, memory_order_relaxed);
	struct timespec ms = { .tv_nsec = 1000000 };
	bool gone = ub_npu_gone(comm->dev);

	for (int i = 0; i < 200 && !gone && !link && !ub_comm_aborted(comm); i++)
		nanosleep(&ms, NULL);
	if (gone)
		ub_comm_fail(comm, UB_REASON_POD, rank, step);
	else if (link)
		ub_comm_fail(comm, UB_REASON_LINK, rank, step);
	else
		ub_comm_fail(comm, UB_REASON_MAP, rank, EOWNERDEAD);
	return ub_comm_failed_at(comm, rank);
}

int ub_health_watch(struct ub_comm *comm, uint32_t rank, uint32_t space,
		    const struct ub_mapping *map)
{
	struct ub_exec *x = comm->exec;
	struct ub_used *used = &x->used[x->nused];

	x->watch[space][rank] = NULL;
	if (!map->ops->watched)
		return 0;
	*used = (struct ub_used){ .map = *map, .rank = rank, .word = ub_mapping_state(map) };
	if (!ub_state_alive(used->word))
		return lost(comm, rank, ub_state_lost_route(used->word, used->word));
	x->watch[space][rank] = used;
	x->nused++;
	return 0;
}

int ub_health_check_slow(struct ub_comm *comm)
{
	struct ub_exec *x = comm->exec;

	/* The words are read after the last load and store has taken effect. */
	atomic_thread_fence(memory_order_seq_cst);
	/* That ends this rank's own segments, too, which have no word. */
	if (ub_npu_gone(comm->dev))
		return lost(comm, comm->rank, false);
	for (uint32_t i = 0; i < x->nused; i++) {
		struct ub_used *used = &x->used[i];
		uint64_t word;

		if (!used->touched)
			continue;
		word = ub_mapping_state(&used->map);
		if (word != used->word)
			return lost(comm, used->rank, ub_state_lost_route(used->word, word));
		used->touched = false;
	}
	return 0;
}

void ub_health_account_slow(struct ub_exec *x, const struct ub_ref *refs,
			    const struct ub_instr *in)
{
	for (uint32_t i = 0; i < in->nsrc + in->ndst; i++) {
		struct ub_used *used = x->watch[refs[i].space][refs[i].rank];

		if (!used)
			continue;
		used->touched = true;
		ub_mapping_account(&used->map, i < in->nsrc ? in->len : 0,
				   i < in->nsrc ? 0 : in->len);
	}
}
