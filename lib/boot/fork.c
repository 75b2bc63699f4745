// SPDX-License-Identifier: BSD-2-Clause
/*
 * ub_comm_fork(): a process per rank, for tools and tests.
 *
 * The ranks meet like any others, under a random job name. The parent is no rank: it
 * only waits, so it may itself be killed or stopped without harm to them; the ranks
 * ask the kernel to be killed when it ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ub/comm.h>
#include "boot/boot.h"
#include "comm/comm.h"

static int run_rank(int (*body)(struct ub_comm *comm, void *arg), void *arg,
		    const struct ub_comm_config *config, pid_t parent)
{
	struct ub_comm *comm;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return 1;
	err = ub_comm_create(&comm, config);
	if (err) {
		fprintf(stderr, "rank %d: %s\n", config->rank, ub_comm_error(NULL));
		return 1;
	}
	return body(comm, arg);
}

static int reap(const pid_t *pids, int n, int *status)
{
	int failed = 0;

	for (int r = 0; r < n; r++) {
		int st = 0;

		while (waitpid(pids[r], &st, 0) < 0 && errno == EINTR)
			;
		if (status)
			status[r] = st;
		failed |= st;
	}
	return failed ? -ECHILD : 0;
}

int ub_comm_fork(int nranks, int (*body)(struct ub_comm *comm, void *arg), void *arg,
		 int *status, const struct ub_comm_config *config)
{
	struct ub_comm_config cfg = UB_COMM_CONFIG_INIT;
	pid_t parent = getpid(), *pids;
	char job[UB_JOB_MAX + 1];
	uint64_t nonce;
	int r, err = 0;

	if (nranks < 1 || nranks > UB_MAX_RANKS)
		return -EINVAL;
	if (config && ub_struct_copy(&cfg, sizeof(cfg), config))
		return -EINVAL;
	pids = calloc((size_t)nranks, sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		nonce = (uint64_t)parent;
	snprintf(job, sizeof(job), "fork-%016llx", (unsigned long long)nonce);
	cfg.nranks = nranks;
	cfg.job = job;
	/* What is buffered now would be written by every child. */
	fflush(NULL);
	for (r = 0; r < nranks; r++) {
		cfg.rank = r;
		pids[r] = fork();
		if (!pids[r]) {
			free(pids);
			exit(run_rank(body, arg, &cfg, parent));
		}
		if (pids[r] < 0) {
			err = -errno;
			break;
		}
	}
	/* Some are missing: the others would wait for them in vain. */
	for (int k = 0; err && k < r; k++)
		kill(pids[k], SIGKILL);
	if (err)
		reap(pids, r, NULL);
	else
		err = reap(pids, nranks, status);
	free(pids);
	return err;
}
