/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for a word that a peer stores, and telling a peer that one was stored.
 *
 * A wait spins, then yields, then sleeps. Spinning reads the word and the abort
 * word, nothing else: no clock, no system call. When ranks outnumber processors
 * the spin is short, because who is awaited may need this processor; and so are the
 * yields, because a scheduler that is fair lets those who yield take turns while the
 * one with work has to wait until they have had as much as it has.
 *
 * Pairs
 *   - ub_publish() (release) with ub_reached() (acquire): what was stored before
 *     is seen after.
 *   - ub_notify()'s load of @asleep after the publishing store with the sleeper's
 *     store of @asleep before its last look. That needs a full barrier on both
 *     sides. Where sleeps are rare the sleeper makes it for both (membarrier, which
 *     interrupts the others), so a signal costs no barrier. Where ranks outnumber
 *     processors, or one has no membarrier, each makes its own.
 */
#ifndef LIBUB_WAIT_H
#define LIBUB_WAIT_H

#include "comm/comm.h"

#define UB_EAGER_TURNS	128	/* turns without a pause: what a hand-over takes */

static inline void ub_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Sequence numbers wrap; what is compared is never half the range apart. */
static inline bool ub_reached(const _Atomic uint64_t *word, uint64_t want)
{
	return (int64_t)(atomic_load_explicit(word, memory_order_acquire) - want) >= 0;
}

static inline void ub_publish(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

void ub_notify_slow(struct ub_ctl_rank *peer);

/* After ub_publish(): wake the peer if it sleeps. */
static inline void ub_notify(const struct ub_comm *comm, struct ub_ctl_rank *peer)
{
	/* The compiler must not move the load up; the processor: see above. */
	if (comm->fence)
		atomic_thread_fence(memory_order_seq_cst);
	else
		atomic_signal_fence(memory_order_seq_cst);
	if (__builtin_expect(atomic_load_explicit(&peer->asleep, memory_order_relaxed), 0))
		ub_notify_slow(peer);
}

/* Spin. False: not yet, or the communicator failed; go on with ub_wait_slow(). */
static inline bool ub_spin(const struct ub_comm *comm, const _Atomic uint64_t *word,
			   uint64_t want)
{
	for (uint32_t i = 0; i < comm->spin; i++) {
		if (ub_reached(word, want))
			return true;
		if (ub_comm_aborted(comm))
			return false;
		if (i >= UB_EAGER_TURNS)
			ub_cpu_relax();
	}
	return false;
}

/*
 * What a slow wait waits for: true when there. Else it stores who is awaited.
 * Called often; must not block.
 */
typedef bool ub_ready_fn(struct ub_comm *comm, void *arg, uint32_t *awaited);

/*
 * Yield, then sleep, until ready() or the end: 0, or the errno of the failure that
 * this rank found or made (deadline, mismatch) or was told of.
 */
int ub_wait_slow(struct ub_comm *comm, ub_ready_fn *ready, void *arg);

/* Wait for one word of one rank. */
int ub_wait_word_slow(struct ub_comm *comm, const _Atomic uint64_t *word, uint64_t want,
		      uint32_t rank);

static inline int ub_wait_word(struct ub_comm *comm, const _Atomic uint64_t *word,
			       uint64_t want, uint32_t rank)
{
	if (__builtin_expect(ub_spin(comm, word, want), 1))
		return 0;
	return ub_wait_word_slow(comm, word, want, rank);
}

/* At creation: register for membarrier, look for processors, choose how long to spin. */
bool ub_wait_register(void);
bool ub_wait_has_room(uint32_t nranks);
uint32_t ub_wait_spin(bool crowded);

#endif /* LIBUB_WAIT_H */
