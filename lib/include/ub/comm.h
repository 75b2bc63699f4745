/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Communicators: ranks that work together.
 *
 * What libub promises about failure
 *   - No call waits for ever: every one has a deadline.
 *   - A rank whose process ends is known to all others within milliseconds, in
 *     the call they are in or by ub_comm_fd(), and is named. Children that it
 *     forked may live on; they hide nothing.
 *   - A stopped or late rank is not dead. After 10 s one line on stderr names
 *     it; the deadline ends the wait and names it.
 *   - Ranks that make different calls get -EPROTO, both named.
 *   - The first failure is the communicator's for good: every rank sees the same
 *     one, and every later call returns it. ub_comm_error() has the sentence.
 *
 * What it does not promise: which ranks finished the call during which a rank
 * died. Contents of receive buffers after an error are undefined.
 *
 * Environment, read at creation
 *	UB_RANK, UB_NRANKS, UB_JOB	who I am, before any launcher's variables
 *	UB_DEVICE	"host" or N of /dev/ub/ubN
 *	UB_ALLREDUCE, UB_BROADCAST	name of an algorithm (`ubsched list`) to use
 *			where it can serve; the same on all ranks, else -EPROTO
 *	UB_TRACE	FILE: a line per operation to FILE.<rank>, what was executed
 *
 * Threads: one at a time in the calls of one communicator, except
 * ub_comm_abort(), ub_comm_fd() and the accessors, which any thread may call at
 * any time before ub_comm_destroy().
 */
#ifndef UB_COMM_H
#define UB_COMM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ub_comm;
struct ub_device;

/**
 * struct ub_comm_config - how to create a communicator
 * @size:	sizeof(struct ub_comm_config)
 * @rank:	of the caller; -1: from the environment
 * @nranks:	of the communicator; 0: from the environment
 * @npu:	home of the staging memory and ub_comm_device(): N of /dev/ub/ubN, or
 *		UB_DEVICE_HOST; UB_DEVICE_AUTO: what UB_DEVICE says, else NPU @rank when
 *		this host has at least as many as there are ranks, else the host
 * @job:	what ranks of one job have in common, at most 64 bytes; NULL: from
 *		the environment. Required when @rank is given.
 * @deadline_ms: of creation and of calls without their own; 0: 600,000
 *
 * Begin with UB_COMM_CONFIG_INIT.
 */
struct ub_comm_config {
	size_t		size;
	int		rank;
	int		nranks;
	int		npu;
	const char	*job;
	uint64_t	deadline_ms;
};

#define UB_COMM_CONFIG_INIT { sizeof(struct ub_comm_config), -1, 0, -2, NULL, 0 }

/**
 * ub_comm_create() - join the other ranks (collective)
 * @comm:	out
 * @config:	NULL: everything from the environment
 *
 * The environment is torchrun's (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT),
 * Open MPI's mpirun's or Slurm's srun's; without any the caller is rank 0 of 1.
 * A process that creates several communicators creates them in the same order
 * on every rank.
 *
 * Errors: -EINVAL a field or a variable makes no sense; -EOPNOTSUPP ranks on
 * several hosts; -ETIMEDOUT some rank did not come; -EPROTO ranks disagree about
 * the number of ranks or the version; -EADDRINUSE two processes say that they
 * are the same rank; -EPERM a process of another user answered; -ENOMEM,
 * -EMFILE. ub_comm_error(NULL) has the sentence.
 */
int ub_comm_create(struct ub_comm **comm, const struct ub_comm_config *config);

/**
 * ub_comm_fork() - run a function as every rank of a new communicator
 * @nranks:	processes to fork
 * @body:	what each runs; its result is the process's exit status
 * @arg:	passed on
 * @status:	out: @nranks wait(2) statuses by rank; may be NULL
 * @config:	@npu and @deadline_ms are used; NULL: defaults
 *
 * For tools and tests. The caller is no rank; it waits for all of them. A rank
 * that cannot join prints the sentence and exits with 1. @body destroys its
 * communicator.
 *
 * Returns 0 when every rank exited with 0, else -ECHILD. Errors: -EINVAL;
 * -EAGAIN, -ENOMEM no more processes.
 */
int ub_comm_fork(int nranks, int (*body)(struct ub_comm *comm, void *arg), void *arg,
		 int *status, const struct ub_comm_config *config);

/**
 * ub_comm_destroy() - leave (collective)
 * @comm:	freed in any case; NULL is nothing to do
 *
 * A rank that exits without it has died, for the others. Of a failed
 * communicator it is local: ub_comm_abort() and the end.
 *
 * Returns 0, or what ended the communicator.
 */
int ub_comm_destroy(struct ub_comm *comm);

/**
 * ub_comm_abort() - end all calls of all ranks
 * @comm:	stays allocated
 *
 * Any rank, any thread, any time, any number of times. Unfinished and later
 * calls return -ECONNABORTED on every rank, or the failure that came first.
 * Waits at most 1 s until no live rank is inside a call: then the buffers of
 * unfinished calls are the caller's again, with undefined content. From a rank that
 * does not react (it is stopped) they are taken away: on an NPU by revoking what
 * others have mapped of this rank's buffers of the unfinished call. A communicator
 * that shares such a buffer fails too, with -EOWNERDEAD.
 *
 * Returns 0, or -EBUSY: a live rank did not react and may still write to the
 * buffers of the unfinished call, because they are memory of the host, which cannot
 * be taken away; ub_comm_error() names it. Keep those buffers until it has ended, or
 * call again.
 */
int ub_comm_abort(struct ub_comm *comm);

/**
 * ub_comm_error() - why calls fail
 * @comm:	NULL: why ub_comm_create() failed last in this thread
 *
 * Returns one sentence without a final newline, naming ranks, operation, step
 * and link as far as known; "no error" before any. Valid until the communicator
 * is destroyed (with NULL: until the thread creates another).
 */
const char *ub_comm_error(struct ub_comm *comm);

/* 0, or the negative errno with which every call fails now. Never waits. */
int ub_comm_status(struct ub_comm *comm);

/**
 * ub_comm_fd() - a file descriptor that tells of failure
 * @comm:	owns it; do not close it
 *
 * poll(2) reports POLLIN from the first failure on. There is nothing to read.
 */
int ub_comm_fd(struct ub_comm *comm);

int ub_comm_rank(const struct ub_comm *comm);
int ub_comm_size(const struct ub_comm *comm);

/* The device of the communicator, for ub_alloc(). Not to be closed. */
struct ub_device *ub_comm_device(const struct ub_comm *comm);

#ifdef __cplusplus
}
#endif
#endif /* UB_COMM_H */
