// SPDX-License-Identifier: BSD-2-Clause
/*
 * Failure that is no death: mismatched calls, stopped and late ranks, abort, wrong
 * arguments, bootstrap that cannot succeed. Each ends with the right errno and a
 * sentence that names the right ranks.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include "ranks.h"

/* Two ranks, two different calls. */
struct call {
	int	coll;		/* 'a'llreduce, 'b'roadcast, 'm' barrier, 'd'estroy */
	size_t	count;
	int	type, op, root;
};

struct pair {
	struct call	call[2];
	bool		private;
};

static char private[1 << 20];

static int do_call(struct ub_comm *comm, const struct call *c, void *buf)
{
	switch (c->coll) {
	case 'a':
		return ub_allreduce(buf, buf, c->count, c->type, c->op, comm, NULL);
	case 'b':
		return ub_broadcast(buf, buf, c->count, c->type, c->root, comm, NULL);
	case 'm':
		return ub_barrier(comm, NULL);
	}
	return ub_comm_destroy(comm);
}

static int mismatch_body(struct ub_comm *comm, void *arg)
{
	const struct pair *p = arg;
	int rank = ub_comm_rank(comm), err;
	void *buf;

	EXPECT(comm, !ub_alloc(ub_comm_device(comm), 1 << 20, &buf));
	EXPECT(comm, !ub_barrier(comm, NULL));
	if (p->private)
		buf = private;
	/* With three ranks the third agrees with the second. */
	err = do_call(comm, &p->call[rank > 0], buf);
	if (p->call[rank > 0].coll == 'd')
		return err != -EPROTO;
	EXPECT(comm, err == -EPROTO);
	EXPECT(comm, strstr(ub_comm_error(comm), "rank 0 "));
	EXPECT(comm, strstr(ub_comm_error(comm), "rank 1 ") ||
		     strstr(ub_comm_error(comm), "rank 2 "));
	EXPECT(comm, ub_barrier(comm, NULL) == -EPROTO);
	EXPECT(comm, ub_comm_destroy(comm) == -EPROTO);
	return 0;
}

static void mismatched_calls_name_both(void **state)
{
	static const struct pair pairs[] = {
		{ { { 'a', 2, UB_INT32, UB_SUM }, { 'a', 3, UB_INT32, UB_SUM } } },
		{ { { 'a', 2, UB_INT32, UB_SUM }, { 'a', 2, UB_FLOAT32, UB_SUM } } },
		{ { { 'a', 2, UB_INT32, UB_SUM }, { 'a', 2, UB_INT32, UB_MAX } } },
		{ { { 'a', 2, UB_INT32, UB_SUM }, { 'm' } } },
		{ { { 'm' }, { 'b', 2, UB_INT32 } } },
		{ { { 'b', 2, UB_INT32, 0, 0 }, { 'b', 2, UB_INT32, 0, 1 } } },
		{ { { 'a', 100000, UB_INT32, UB_SUM }, { 'a', 100001, UB_INT32, UB_SUM } } },
		{ { { 'a', 100000, UB_INT32, UB_SUM }, { 'a', 1, UB_INT32, UB_SUM } } },
		{ { { 'b', 100000, UB_INT32, 0, 0 }, { 'a', 100000, UB_INT32, UB_SUM } }, true },
		{ { { 'a', 100000, UB_INT32, UB_SUM }, { 'd' } } },
		{ { { 'd' }, { 'm' } } },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (int n = 2; n <= 3; n++)
			assert_int_equal(run_ranks(n, mismatch_body, (void *)&pairs[i], NULL), 0);
}

/* Stops this process soon, and later ends it: nobody waits for a stopped one for ever. */
static void hire_stopper(void)
{
	pid_t self = getpid();

	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* its number may be another's then */
	test_sleep_us(200000);
	kill(self, SIGSTOP);
	test_sleep_us(LIVENESS_S * 500000);
	kill(self, SIGKILL);
	_exit(0);
}

/*
 * Rank 1 is stopped in the middle of calls. The deadline ends the others' calls and
 * names it; it is not said to be dead; abort says whose buffers are not safe.
 */
static int stopped_body(struct ub_comm *comm, void *arg)
{
	struct ub_opts opts = UB_OPTS_INIT;
	int rank = ub_comm_rank(comm), err = 0;
	int64_t pid[4] = { 0 };
	size_t count = 1 << 18;
	int32_t *buf;

	if (rank == 1)
		hire_stopper();
	pid[rank] = getpid();
	EXPECT(comm, !ub_alloc(ub_comm_device(comm), count * 4, (void **)&buf));
	EXPECT(comm, !ub_allreduce(pid, pid, 4, UB_INT64, UB_SUM, comm, NULL));
	opts.deadline_ms = 500;
	while (!err)
		err = ub_allreduce(buf, buf, count, UB_INT32, UB_MAX, comm, &opts);
	EXPECT(comm, rank != 1);
	EXPECT(comm, err == -ETIMEDOUT);
	EXPECT(comm, strstr(ub_comm_error(comm), "in vain for rank 1 (pid"));
	EXPECT(comm, strstr(ub_comm_error(comm), "step"));
	EXPECT(comm, !strstr(ub_comm_error(comm), "died"));
	expect_transport(comm, 1);	/* perhaps it was stopped before anything was mapped */
	if (rank == 0) {
		expect_stopped(comm);
		kill((pid_t)pid[1], SIGKILL);
	}
	/* Now it is gone, and abort can say that the buffers are ours. */
	while (ub_comm_abort(comm) == -EBUSY)
		;
	EXPECT(comm, ub_comm_destroy(comm) == -ETIMEDOUT);
	return 0;
}

static void a_stopped_rank_is_named_by_the_deadline(void **state)
{
	int status[4];

	assert_int_equal(run_ranks(4, stopped_body, NULL, status), -ECHILD);
	assert_true(WIFSIGNALED(status[1]));
	assert_int_equal(status[0] | status[2] | status[3], 0);
}

/*
 * Late by so much that the others sleep, each time. Were a wake-up lost, each barrier
 * would take the longest sleep, 100 ms: more than the limit in all.
 */
static int late_body(struct ub_comm *comm, void *arg)
{
	still_alive();
	for (int i = 0; i < 200; i++) {
		if (ub_comm_rank(comm) == 1)
			test_sleep_us(2000);
		EXPECT(comm, !ub_barrier(comm, NULL));
	}
	EXPECT(comm, !ub_comm_destroy(comm));
	return 0;
}

static void a_late_rank_is_waited_for(void **state)
{
	assert_int_equal(run_ranks(4, late_body, NULL, NULL), 0);
}

static int abort_body(struct ub_comm *comm, void *arg)
{
	struct pollfd p = { .fd = ub_comm_fd(comm), .events = POLLIN };
	int err = 0;

	EXPECT(comm, poll(&p, 1, 0) == 0);
	EXPECT(comm, !ub_barrier(comm, NULL));
	if (ub_comm_rank(comm) == 0) {
		test_sleep_us(50000);
		expect_aborted(comm);
		expect_aborted(comm);
		err = ub_barrier(comm, NULL);
	}
	while (!err)
		err = ub_barrier(comm, NULL);
	EXPECT(comm, err == -ECONNABORTED);
	EXPECT(comm, strstr(ub_comm_error(comm), "rank 0 called ub_comm_abort"));
	EXPECT(comm, poll(&p, 1, LIVENESS_S * 1000) == 1);
	EXPECT(comm, ub_comm_destroy(comm) == -ECONNABORTED);
	return 0;
}

static void abort_ends_all_calls(void **state)
{
	assert_int_equal(run_ranks(2, abort_body, NULL, NULL), 0);
	assert_int_equal(run_ranks(4, abort_body, NULL, NULL), 0);
}

static void *abort_soon(void *comm)
{
	test_sleep_us(50000);
	return ub_comm_abort(comm) ? comm : NULL;
}

/* From another thread, into a call of this rank. */
static int thread_abort_body(struct ub_comm *comm, void *arg)
{
	pthread_t t;
	void *bad = NULL;

	if (ub_comm_rank(comm) == 1) {
		pthread_create(&t, NULL, abort_soon, comm);
		EXPECT(comm, ub_barrier(comm, NULL) == -ECONNABORTED);
		pthread_join(t, &bad);
		EXPECT(comm, !bad);
	} else {
		while (!ub_comm_status(comm))
			test_sleep_us(1000);
	}
	ub_comm_destroy(comm);
	return 0;
}

static void abort_from_another_thread(void **state)
{
	assert_int_equal(run_ranks(2, thread_abort_body, NULL, NULL), 0);
}

/* Wrong arguments are local, and the communicator stays well. */
static int arguments_body(struct ub_comm *comm, void *arg)
{
	struct { struct ub_opts opts; uint64_t later; } newer = {
		{ sizeof(newer), 0 }, 1
	};
	struct ub_opts uninit = { 0 };
	float a[8] = { 0 }, b[8];

	EXPECT(comm, ub_allreduce(NULL, b, 4, UB_FLOAT32, UB_SUM, comm, NULL) == -EINVAL);
	EXPECT(comm, ub_allreduce(a, NULL, 4, UB_FLOAT32, UB_SUM, comm, NULL) == -EINVAL);
	EXPECT(comm, ub_allreduce(a, a + 1, 4, UB_FLOAT32, UB_SUM, comm, NULL) == -EINVAL);
	EXPECT(comm, ub_allreduce(a, b, SIZE_MAX, UB_FLOAT32, UB_SUM, comm, NULL) == -EINVAL);
	EXPECT(comm, ub_allreduce(a, b, 4, UB_FLOAT32, UB_SUM, NULL, NULL) == -EINVAL);
	EXPECT(comm, ub_allreduce(a, b, 4, 99, UB_SUM, comm, NULL) == -EOPNOTSUPP);
	EXPECT(comm, ub_allreduce(a, b, 4, UB_FLOAT32, 99, comm, NULL) == -EOPNOTSUPP);
	EXPECT(comm, ub_allreduce(a, b, 4, UB_FLOAT32, UB_SUM, comm, &newer.opts) == -E2BIG);
	EXPECT(comm, ub_allreduce(a, b, 4, UB_FLOAT32, UB_SUM, comm, &uninit) == -EINVAL);
	EXPECT(comm, ub_broadcast(a, b, 4, UB_FLOAT32, 2, comm, NULL) == -EINVAL);
	EXPECT(comm, ub_broadcast(a, b, 4, UB_FLOAT32, -1, comm, NULL) == -EINVAL);
	EXPECT(comm, ub_barrier(NULL, NULL) == -EINVAL);
	newer.later = 0;
	EXPECT(comm, ub_allreduce(a, b, 4, UB_FLOAT32, UB_SUM, comm, &newer.opts) == 0);
	EXPECT(comm, ub_allreduce(NULL, NULL, 0, UB_FLOAT32, UB_SUM, comm, NULL) == 0);
	EXPECT(comm, !strcmp(ub_comm_error(comm), "no error"));
	EXPECT(comm, !ub_comm_destroy(comm));
	return 0;
}

static void wrong_arguments_harm_nobody(void **state)
{
	assert_int_equal(run_ranks(2, arguments_body, NULL, NULL), 0);
}

/* One process that joins with what it believes; its result is its exit status. */
static pid_t join(int rank, int nranks, const char *job, uint64_t deadline_ms, int want,
		  const char *word)
{
	struct ub_comm_config config = UB_COMM_CONFIG_INIT;
	struct ub_comm *comm;
	pid_t pid = fork();
	int err;

	if (pid)
		return pid;
	config.rank = rank;
	config.nranks = nranks;
	config.job = job;
	config.deadline_ms = deadline_ms;
	err = ub_comm_create(&comm, &config);
	if (err != want || (err && !strstr(ub_comm_error(NULL), word))) {
		fprintf(stderr, "rank %d: %d, not %d: %s\n", rank, err, want, ub_comm_error(NULL));
		_exit(1);
	}
	_exit(0);
}

static void reap(const pid_t *pids, int n)
{
	alarm(LIVENESS_S);
	for (int i = 0; i < n; i++) {
		int status;

		waitpid(pids[i], &status, 0);
		assert_int_equal(status, 0);
	}
	alarm(0);
}

static void bootstrap_says_what_is_wrong(void **state)
{
	char job[32];
	pid_t p[3];

	snprintf(job, sizeof(job), "wrong-%d", (int)getpid());
	p[0] = join(0, 3, job, 700, -ETIMEDOUT, "rank 2 did not come");
	p[1] = join(1, 3, job, 700, -ETIMEDOUT, "rank 2 did not come");
	reap(p, 2);
	p[0] = join(1, 2, job, 300, -ETIMEDOUT, "rank 0 did not come");
	reap(p, 1);
	p[0] = join(0, 2, job, 5000, -EPROTO, "there are 3 ranks, rank 0 says 2");
	p[1] = join(1, 3, job, 5000, -EPROTO, "there are 3 ranks, rank 0 says 2");
	reap(p, 2);
	p[0] = join(0, 3, job, 5000, -EADDRINUSE, "two processes say that they are rank 1");
	p[1] = join(1, 3, job, 5000, -EADDRINUSE, "two processes say");
	p[2] = join(1, 3, job, 5000, -EADDRINUSE, "two processes say");
	reap(p, 3);
}

static void set_environment(const char *const *vars)
{
	for (; vars[0]; vars += 2)
		setenv(vars[0], vars[1], 1);
}

/* What the launchers set; wrong values get a sentence that names the variable. */
static void environment_is_understood(void **state)
{
	static const struct { const char *vars[12]; int err; const char *word; } cases[] = {
		{ { "RANK", "0", "WORLD_SIZE", "1", "MASTER_PORT", "1" }, 0, "" },
		{ { "RANK", "2", "WORLD_SIZE", "2", "MASTER_PORT", "1" }, -EINVAL, "RANK=2" },
		{ { "RANK", "x", "WORLD_SIZE", "2", "MASTER_PORT", "1" }, -EINVAL, "RANK=x" },
		{ { "RANK", "0", "MASTER_PORT", "1" }, -EINVAL, "WORLD_SIZE" },
		{ { "RANK", "0", "WORLD_SIZE", "1" }, -EINVAL, "MASTER_ADDR" },
		{ { "RANK", "0", "WORLD_SIZE", "4", "LOCAL_WORLD_SIZE", "2", "MASTER_PORT", "1" },
		  -EOPNOTSUPP, "several hosts" },
		{ { "OMPI_COMM_WORLD_RANK", "0", "OMPI_COMM_WORLD_SIZE", "1",
		    "PMIX_NAMESPACE", "a", "RANK", "x" }, 0, "" },
		{ { "SLURM_PROCID", "0", "SLURM_NTASKS", "1", "SLURM_JOB_ID", "1" }, 0, "" },
		{ { "SLURM_PROCID", "0", "SLURM_NTASKS", "2", "SLURM_STEP_NUM_NODES", "2",
		    "SLURM_JOB_ID", "1" }, -EOPNOTSUPP, "several hosts" },
		{ { "UB_DEVICE", "x" }, -EINVAL, "cannot open" },
		{ { "UB_DEVICE", "3000" }, -ENODEV, "cannot open" },
	};
	struct ub_comm *comm;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid_t pid = fork();
		int err;

		if (!pid) {
			clearenv();
			set_environment(cases[i].vars);
			err = ub_comm_create(&comm, NULL);
			if (err != cases[i].err || (err && !strstr(ub_comm_error(NULL), cases[i].word)))
				fprintf(stderr, "case %zu: %d: %s\n", i, err, ub_comm_error(NULL));
			else
				_exit(err ? 0 : ub_comm_destroy(comm) != 0);
			_exit(1);
		}
		reap(&pid, 1);
	}
}

/* Communicators one after the other, and two at once. */
static int again_body(struct ub_comm *comm, void *arg)
{
	struct ub_comm_config config = UB_COMM_CONFIG_INIT;
	struct ub_comm *second, *third;

	config.rank = ub_comm_rank(comm);
	config.nranks = ub_comm_size(comm);
	config.job = arg;
	EXPECT(comm, !ub_comm_create(&second, &config));
	EXPECT(comm, !ub_comm_create(&third, &config));
	EXPECT(comm, !ub_barrier(third, NULL) && !ub_barrier(second, NULL));
	EXPECT(comm, !ub_comm_destroy(second));
	EXPECT(comm, !ub_barrier(third, NULL) && !ub_barrier(comm, NULL));
	/* The failure of one is not the other's. */
	EXPECT(comm, !ub_comm_abort(third));
	EXPECT(comm, !ub_barrier(comm, NULL));
	ub_comm_destroy(third);
	EXPECT(comm, !ub_comm_destroy(comm));
	return 0;
}

static void several_communicators(void **state)
{
	char job[32];

	snprintf(job, sizeof(job), "several-%d", (int)getpid());
	assert_int_equal(run_ranks(3, again_body, job, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mismatched_calls_name_both),
		cmocka_unit_test(a_stopped_rank_is_named_by_the_deadline),
		cmocka_unit_test(a_late_rank_is_waited_for),
		cmocka_unit_test(abort_ends_all_calls),
		cmocka_unit_test(abort_from_another_thread),
		cmocka_unit_test(wrong_arguments_harm_nobody),
		cmocka_unit_test(bootstrap_says_what_is_wrong),
		cmocka_unit_test(environment_is_understood),
		cmocka_unit_test(several_communicators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
