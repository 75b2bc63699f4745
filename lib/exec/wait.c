// SPDX-License-Identifier: BSD-2-Clause
/*
 * The slow half of waiting: yielding, sleeping, the deadline, the line about who
 * is late.
 *
 * Guarantees: every turn looks at the abort word; the deadline is met within one
 * sleep (at most 100 ms late); a rank that made a different call is found even
 * when the plan would not have this rank hear from it.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "boot/boot.h"
#include "exec/wait.h"

#define SPIN_TURNS	4000		/* some 100 µs: longer than a step of 1 MiB */
#define SPIN_CROWDED	16		/* when the awaited rank may need my processor */
#define YIELD_NS	200000ULL	/* then sleep: somebody has real work */
#define CLOCK_TURNS	16		/* yields between looks at the clock; all when crowded */
#define SLEEP_NS	100000000L	/* at most; a lost wake-up would cost this */

bool ub_wait_register(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) == 0;
}

bool ub_wait_has_room(uint32_t nranks)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return false;
	/*
	 * Pinned to fewer processors than there are ranks says nothing about the
	 * others' processors, so a rank pinned to one of its own has room.
	 */
	if (CPU_COUNT(&set) > 1 && (uint32_t)CPU_COUNT(&set) < nranks)
		return false;
	return (uint32_t)sysconf(_SC_NPROCESSORS_ONLN) >= nranks;
}

uint32_t ub_wait_spin(bool crowded)
{
	return crowded ? SPIN_CROWDED : SPIN_TURNS;
}

void ub_notify_slow(struct ub_ctl_rank *peer)
{
	atomic_fetch_add(&peer->bell, 1);
	syscall(SYS_futex, &peer->bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Another rank in the same operation with another header: tell both. */
static bool mismatched(struct ub_comm *comm)
{
	uint32_t bank = comm->seq % UB_BANKS;
	struct ub_entry *own = ub_control_entry(comm->ctl, comm->rank, bank);

	for (uint32_t r = 0; r < comm->nranks; r++) {
		struct ub_entry *entry = ub_control_entry(comm->ctl, r, bank);

		if (atomic_load_explicit(&entry->seq, memory_order_acquire) == comm->seq &&
		    entry->hash != own->hash) {
			ub_comm_fail(comm, UB_REASON_MISMATCH, r, 0);
			return true;
		}
	}
	return false;
}

static void notice(struct ub_comm *comm, uint32_t awaited)
{
	comm->noticed = true;
	fprintf(stderr,
		"libub: rank %u has waited %d s in %s #%" PRIu64 ", step %u, for rank %u (pid %u)\n",
		comm->rank, UB_NOTICE_MS / 1000, ub_coll_name(comm->call.coll), comm->seq,
		atomic_load_explicit(&comm->self->progress.step, memory_order_relaxed),
		awaited, comm->ctl->ranks[awaited].pid);
}

/* 0: go on waiting. */
static int check_clock(struct ub_comm *comm, uint32_t awaited, uint64_t *waited_ns)
{
	uint64_t now = ub_now_ns();

	if (!comm->start_ns)
		comm->start_ns = now;
	*waited_ns = now - comm->start_ns;
	if (*waited_ns / 1000000 >= comm->deadline_ms) {
		ub_comm_fail(comm, UB_REASON_DEADLINE, awaited,
			     atomic_load_explicit(&comm->self->progress.step,
						  memory_order_relaxed));
		return -ETIMEDOUT;
	}
	if (!comm->noticed && *waited_ns / 1000000 >= UB_NOTICE_MS)
		notice(comm, awaited);
	return 0;
}

/*
 * Sleep until the bell rings. The bell is read before the last look, so that a
 * ring between the look and the sleep makes the sleep return at once.
 */
static void sleep_once(struct ub_comm *comm, ub_ready_fn *ready, void *arg, uint64_t left_ns)
{
	struct ub_ctl_rank *self = comm->self;
	uint32_t bell = atomic_load(&self->bell), awaited;
	struct timespec ts = { .tv_nsec = SLEEP_NS };

	if (left_ns < SLEEP_NS)
		ts.tv_nsec = (long)left_ns;
	atomic_store(&self->asleep, 1);
	if (comm->fence)
		atomic_thread_fence(memory_order_seq_cst);
	else
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
	if (!ready(comm, arg, &awaited) && !ub_comm_aborted(comm))
		syscall(SYS_futex, &self->bell, FUTEX_WAIT, bell, &ts, NULL, 0);
	atomic_store(&self->asleep, 0);
}

int ub_wait_slow(struct ub_comm *comm, ub_ready_fn *ready, void *arg)
{
	uint32_t awaited = UB_NOBODY, turn = 0;
	uint64_t waited = 0, began = UINT64_MAX;

	for (;;) {
		if (ready(comm, arg, &awaited))
			return 0;
		if (ub_comm_aborted(comm) || mismatched(comm))
			break;
		if (turn++ % CLOCK_TURNS == 0) {
			if (check_clock(comm, awaited, &waited))
				break;
			if (began == UINT64_MAX)
				began = waited;
		}
		if (comm->crowded ? turn <= CLOCK_TURNS : waited - began < YIELD_NS) {
			sched_yield();
			continue;
		}
		sleep_once(comm, ready, arg, comm->deadline_ms * 1000000 - waited);
		turn = 0;
	}
	return ub_comm_failed_at(comm, awaited);
}

struct word {
	const _Atomic uint64_t *word;
	uint64_t want;
	uint32_t rank;
};

static bool word_ready(struct ub_comm *comm, void *arg, uint32_t *awaited)
{
	struct word *w = arg;

	*awaited = w->rank;
	return ub_reached(w->word, w->want);
}

int ub_wait_word_slow(struct ub_comm *comm, const _Atomic uint64_t *word, uint64_t want,
		      uint32_t rank)
{
	struct word w = { word, want, rank };

	return ub_wait_slow(comm, word_ready, &w);
}
