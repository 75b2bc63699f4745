// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whose are the buffers when abort has returned? Rank 1 is stopped just before it folds
 * and stores, and goes on only then: what abort has said is what happens.
 *
 * It is stopped by a ub_reduce() of ours, which stands before the library's.
 */
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include "ranks.h"
#include "reduce/reduce.h"

#define RANKS	3
#define BYTES	65536

int __real_ub_reduce(const struct ub_reduce *r);
int __wrap_ub_reduce(const struct ub_reduce *r);

static bool stop_now;

int __wrap_ub_reduce(const struct ub_reduce *r)
{
	if (stop_now) {
		stop_now = false;
		raise(SIGSTOP);
	}
	return __real_ub_reduce(r);
}

/* Seen by all ranks. */
struct scene {
	bool		mapped;
	pid_t		pid;		/* of rank 1 */
	_Atomic int	aborted;	/* ranks whose abort has returned */
	_Atomic int	gone_on;	/* rank 1 has left its call */
};

/* Nobody waits for a stopped process for ever. */
static void hire_rescuer(void)
{
	pid_t stopped = getpid();

	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	test_sleep_us(LIVENESS_S * 2000000);
	kill(stopped, SIGKILL);
	_exit(0);
}

static void wait_for(_Atomic int *number, int value)
{
	still_alive();
	while (atomic_load(number) < value)
		test_sleep_us(1000);
	still_alive();
}

static bool all_bytes(const void *buf, int byte, size_t n)
{
	const unsigned char *p = buf;

	return p[0] == byte && !memcmp(p, p + 1, n - 1);
}

static void stop(struct ub_comm *comm, struct scene *s, void *buf)
{
	int err;

	stop_now = true;
	hire_rescuer();
	/* It may succeed: the others' signals had all come. */
	err = ub_allreduce(buf, buf, BYTES / 4, UB_INT32, UB_SUM, comm, NULL);
	EXPECT(comm, !err || err == -ETIMEDOUT);
	EXPECT(comm, !stop_now);
	atomic_store(&s->gone_on, 1);
}

static void survive(struct ub_comm *comm, struct scene *s, void *buf)
{
	struct ub_opts opts = UB_OPTS_INIT;
	bool safe = !s->mapped || test_on_module();

	opts.deadline_ms = LIVENESS_S * 50;
	EXPECT(comm, ub_allreduce(buf, buf, BYTES / 4, UB_INT32, UB_SUM, comm, &opts) == -ETIMEDOUT);
	if (s->mapped)
		expect_stopped(comm);
	else
		EXPECT(comm, !ub_comm_abort(comm));
	memset(buf, 0x77, BYTES);
	if (atomic_fetch_add(&s->aborted, 1) == RANKS - 2)
		kill(s->pid, SIGCONT);
	wait_for(&s->gone_on, 1);
	EXPECT(comm, all_bytes(buf, 0x77, BYTES) == safe);
}

static int body(struct ub_comm *comm, void *arg)
{
	struct scene *s = arg;
	void *buf;

	if (s->mapped)
		EXPECT(comm, !ub_alloc(ub_comm_device(comm), BYTES, &buf));
	else
		EXPECT(comm, (buf = malloc(BYTES)));
	memset(buf, 0, BYTES);
	/* The first call maps; a stopped rank does not answer who wants to. */
	EXPECT(comm, !ub_allreduce(buf, buf, BYTES / 4, UB_INT32, UB_SUM, comm, NULL));
	if (ub_comm_rank(comm) == 1)
		s->pid = getpid();
	EXPECT(comm, !ub_barrier(comm, NULL));
	if (ub_comm_rank(comm) == 1)
		stop(comm, s, buf);
	else
		survive(comm, s, buf);
	EXPECT(comm, ub_comm_destroy(comm) == -ETIMEDOUT);
	if (s->mapped)
		EXPECT(comm, !ub_free(buf));
	else
		free(buf);
	return 0;
}

static void play(bool mapped)
{
	struct scene *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(s != MAP_FAILED);
	s->mapped = mapped;
	assert_int_equal(run_ranks(RANKS, body, s, NULL), 0);
	munmap(s, sizeof(*s));
}

/* On memory of the host it writes all the same, and abort has said that it may. */
static void a_stopped_rank_is_shut_out_of_memory_of_an_npu(void **state)
{
	play(true);
}

static void a_stopped_rank_never_had_private_buffers(void **state)
{
	play(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stopped_rank_is_shut_out_of_memory_of_an_npu),
		cmocka_unit_test(a_stopped_rank_never_had_private_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
