// SPDX-License-Identifier: BSD-2-Clause
/*
 * Life and death on one host.
 *
 * One thread per communicator and rank. It holds this rank's @life word in the
 * kernel's robust futex format (Documentation/locking/robust-futex-ABI.rst): when
 * the thread is gone, for whatever reason, the kernel marks the word at the start
 * of the process's exit and wakes a waiter. The thread itself waits on the word
 * of the next live rank; on its death it fails the communicator for all, and
 * moves on to the one after.
 *
 * Guarantees
 *   - Death is seen in a fraction of a millisecond, before the dead rank's memory
 *     is torn down (a socket or a pidfd tells only after).
 *   - A forked child of the dead rank hides nothing: it has no such thread.
 *   - If the watcher dies as well, its own watcher takes over its neighbour.
 *   - exec() counts as death. A stopped process is not dead.
 * Not guaranteed: anything about ranks of other hosts.
 *
 * The thread replaces the robust list that the C library registered for it,
 * which is allowed because it takes no robust pthread mutex.
 */
#include <errno.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "comm/comm.h"

struct ub_guard {
	struct ub_comm		*comm;
	pthread_t		thread;
	sem_t			alive;		/* the thread holds @life */
	sem_t			watch;		/* everybody does: begin to watch */
	atomic_bool		stop;
	/* What the kernel walks when the thread ends; the word is elsewhere. */
	struct robust_list_head	head;
	struct robust_list	node;
};

static void hold_life(struct ub_guard *g)
{
	_Atomic uint32_t *life = &g->comm->self->life;

	g->node.next = &g->head.list;
	g->head.list.next = &g->node;
	g->head.futex_offset = (long)((char *)life - (char *)&g->node);
	g->head.list_op_pending = NULL;
	syscall(SYS_set_robust_list, &g->head, sizeof(g->head));
	/* With the waiters' bit always set, death always wakes the watcher. */
	atomic_store(life, (uint32_t)syscall(SYS_gettid) | FUTEX_WAITERS);
}

static void leave_life(struct ub_guard *g)
{
	/* LEFT before 0: who finds no owner must find the reason. */
	atomic_store(&g->comm->self->state, UB_RANK_LEFT);
	atomic_store(&g->comm->self->life, 0);
	g->head.list.next = &g->head.list;
	syscall(SYS_futex, &g->comm->self->life, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void declare_dead(struct ub_comm *comm, uint32_t rank)
{
	struct ub_ctl_rank *dead = &comm->ctl->ranks[rank];

	atomic_store(&dead->state, UB_RANK_DEAD);
	ub_comm_fail(comm, UB_REASON_DIED, rank,
		     atomic_load_explicit(&dead->progress.step, memory_order_relaxed));
	/* Whoever failed it first may have died before it could wake the others. */
	ub_comm_ring(comm);
}

/* Wait for the end of one rank. Returns when it is over or the guard must stop. */
static void watch_rank(struct ub_guard *g, uint32_t rank)
{
	_Atomic uint32_t *life = &g->comm->ctl->ranks[rank].life;
	uint32_t word;

	while (!atomic_load(&g->stop)) {
		word = atomic_load(life);
		if (word & FUTEX_OWNER_DIED) {
			declare_dead(g->comm, rank);
			return;
		}
		if (!word)
			return;
		syscall(SYS_futex, life, FUTEX_WAIT, word, NULL, NULL, 0);
	}
}

static void *guard_main(void *arg)
{
	struct ub_guard *g = arg;
	uint32_t n = g->comm->nranks, rank = g->comm->rank;

	pthread_setname_np(pthread_self(), "ub-guard");
	hold_life(g);
	sem_post(&g->alive);
	while (sem_wait(&g->watch))
		;
	for (uint32_t i = 1; i < n; i++)
		watch_rank(g, (rank + i) % n);
	/* Nobody else is left, but this rank still lives: until it is told to leave. */
	while (!atomic_load(&g->stop))
		while (sem_wait(&g->watch))
			;
	leave_life(g);
	return NULL;
}

int ub_guard_start(struct ub_comm *comm)
{
	struct ub_guard *g;
	sigset_t all, old;
	int err;

	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->comm = comm;
	sem_init(&g->alive, 0, 0);
	sem_init(&g->watch, 0, 0);
	/* Signals are the program's business, not this thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&g->thread, NULL, guard_main, g);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err) {
		free(g);
		return err;
	}
	while (sem_wait(&g->alive))
		;
	comm->guard = g;
	return 0;
}

void ub_guard_watch(struct ub_comm *comm)
{
	if (comm->guard)
		sem_post(&comm->guard->watch);
}

/*
 * The thread sleeps on another rank's word, which does not change when we want it
 * to stop: wake the sleepers of all words until it has gone.
 */
void ub_guard_stop(struct ub_comm *comm)
{
	struct ub_guard *g = comm->guard;
	struct timespec until;

	if (!g)
		return;
	atomic_store(&g->stop, true);
	do {
		sem_post(&g->watch);
		for (uint32_t r = 0; r < comm->nranks; r++)
			syscall(SYS_futex, &comm->ctl->ranks[r].life, FUTEX_WAKE, INT32_MAX,
				NULL, NULL, 0);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 1000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
	} while (pthread_timedjoin_np(g->thread, NULL, &until) == ETIMEDOUT);
	sem_destroy(&g->alive);
	sem_destroy(&g->watch);
	free(g);
	comm->guard = NULL;
}
