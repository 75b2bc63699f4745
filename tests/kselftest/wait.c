// SPDX-License-Identifier: GPL-2.0
/* Sleeping on a word of a segment, and waking. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>

#include "ub_test.h"

#define PAGE 4096UL
#define SECOND 1000000000LL
#define LIMIT (UB_LIVENESS_S * SECOND)

FIXTURE(wait) {
	struct ub_pod pod;
	int fd, user;
	struct ub_ioc_seg_alloc seg;
	struct ub_ioc_seg_import import;
	struct ub_cred cred;
	volatile int *mem;
	struct ub_board *board;
};

FIXTURE_SETUP(wait)
{
	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-wait", 3, 64));
	self->fd = ub_open(self->pod.npu[0]);
	self->user = ub_open(self->pod.npu[1]);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->user);
	ASSERT_EQ(0, ub_alloc(self->fd, 0, 2 * PAGE, &self->seg));
	self->mem = ub_map(self->fd, self->seg.mmap_offset, 2 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)self->mem);
	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, 0, &self->cred));
	ASSERT_EQ(0, ub_import(self->user, &self->cred, RW, 0, &self->import));
	self->board = ub_board_make();
	ASSERT_NE(NULL, self->board);
}

FIXTURE_TEARDOWN(wait)
{
	close(self->user);
	close(self->fd);
	ub_pod_drop(&self->pod);
}

TEST_F(wait, a_different_value_is_eagain)
{
	self->mem[3] = 5;
	EXPECT_EQ(-EAGAIN, ub_wait(self->fd, self->seg.handle, 12, 4, -1));
	EXPECT_EQ(-EAGAIN, ub_wait(self->user, self->import.handle, 12, 4, -1));
	EXPECT_EQ(-EAGAIN, ub_wait(self->user, self->import.handle, 0, 5, LIMIT));
}

TEST_F(wait, timeout_is_etimedout)
{
	unsigned long long start = ub_now_ns();

	EXPECT_EQ(-ETIMEDOUT, ub_wait(self->fd, self->seg.handle, 0, 0, 0));
	EXPECT_EQ(-ETIMEDOUT, ub_wait(self->fd, self->seg.handle, PAGE, 0, 20000000));
	EXPECT_EQ(-ETIMEDOUT, ub_wait(self->user, self->import.handle, 0, 0, 30000000));
	EXPECT_LE(50000000ULL, ub_now_ns() - start);
	EXPECT_EQ(-EAGAIN, ub_wait(self->fd, self->seg.handle, 0, 1, INT64_MAX));
}

TEST_F(wait, bad_places_are_refused)
{
	struct ub_ioc_seg_import ro;
	__u32 i;

	for (i = 1; i < 4; i++) {
		EXPECT_EQ(-EINVAL, ub_wait(self->fd, self->seg.handle, i, 0, 0));
		EXPECT_EQ(-EINVAL, ub_wake(self->fd, self->seg.handle, i, 1, NULL));
	}
	EXPECT_EQ(-ERANGE, ub_wait(self->fd, self->seg.handle, 2 * PAGE, 0, 0));
	EXPECT_EQ(-ERANGE, ub_wait(self->fd, self->seg.handle, ~3ULL, 0, 0));
	EXPECT_EQ(-ERANGE, ub_wake(self->fd, self->seg.handle, 2 * PAGE, 1, NULL));
	EXPECT_EQ(-ERANGE, ub_wake(self->fd, self->seg.handle, ~3ULL, 1, NULL));
	EXPECT_EQ(-ETIMEDOUT, ub_wait(self->fd, self->seg.handle, 2 * PAGE - 4, 0, 0));
	/* Waking is for those who can write. */
	ASSERT_EQ(0, ub_import(self->user, &self->cred, UB_ACCESS_READ, 0, &ro));
	EXPECT_EQ(-EACCES, ub_wake(self->user, ro.handle, 0, 1, NULL));
	EXPECT_EQ(-ETIMEDOUT, ub_wait(self->user, ro.handle, 0, 0, 0));
}

/* A process that sleeps on a word; its answer is its exit status. */
static pid_t sleeper(FIXTURE_DATA(wait) *self, bool by_import, __u64 offset)
{
	pid_t pid = ub_fork();
	int ret;

	if (pid)
		return pid;
	__atomic_fetch_add(&self->board->n[0], 1, __ATOMIC_SEQ_CST);
	ret = by_import ? ub_wait(self->user, self->import.handle, offset, 0, LIMIT) :
			  ub_wait(self->fd, self->seg.handle, offset, 0, LIMIT);
	_exit(-ret);
}

/* Wakes until @nr were, however long it takes them to fall asleep. */
static int wake_all(FIXTURE_DATA(wait) *self, __u64 offset, __u32 nr)
{
	unsigned long long end = ub_now_ns() + LIMIT;
	__u32 woken, sum = 0;

	while (sum < nr && ub_now_ns() < end) {
		if (ub_wake(self->fd, self->seg.handle, offset, nr - sum, &woken))
			return -1;
		sum += woken;
		ub_sleep_ms(1);
	}
	return sum;
}

/* The opener goes, a forked child sleeps on: its context has ended under it. */
TEST_F(wait, the_end_of_the_context_wakes_its_sleepers)
{
	struct ub_ioc_seg_import import;
	pid_t opener = ub_fork();
	int fd;

	if (!opener) {
		fd = ub_open(self->pod.npu[1]);
		if (fd < 0 || ub_import(fd, &self->cred, RW, 0, &import))
			_exit(1);
		if (!fork()) {
			self->board->n[0] = 1;
			self->board->n[1] = -ub_wait(fd, import.handle, 0, 0, LIMIT);
			_exit(0);
		}
		ub_until(&self->board->n[0], 1);
		ub_sleep_ms(20); /* asleep by now, or it finds the end when it looks */
		_exit(0);
	}
	EXPECT_EQ(0, ub_join(opener));
	EXPECT_EQ(0, ub_until(&self->board->n[1], EOWNERDEAD));
}

TEST_F(wait, woken_across_processes_npus_and_handles)
{
	pid_t a = sleeper(self, false, 8), b = sleeper(self, true, 8);

	EXPECT_EQ(2, wake_all(self, 8, 2));
	EXPECT_EQ(0, ub_join(a));
	EXPECT_EQ(0, ub_join(b));
}

TEST_F(wait, wake_by_the_import_reaches_the_owner)
{
	pid_t pid = sleeper(self, false, 4);
	__u32 woken = 0;
	int i;

	for (i = 0; !woken && i < 10000; i++) {
		ASSERT_EQ(0, ub_wake(self->user, self->import.handle, 4, 1, &woken));
		ub_sleep_ms(1);
	}
	EXPECT_EQ(1, woken);
	EXPECT_EQ(0, ub_join(pid));
}

TEST_F(wait, wake_counts_and_wakes_no_more_than_asked)
{
	pid_t pid[4];
	__u32 woken;
	int i;

	for (i = 0; i < 4; i++)
		pid[i] = sleeper(self, i & 1, 0);
	ASSERT_EQ(0, ub_until(&self->board->n[0], 4));
	ASSERT_EQ(0, ub_wake(self->fd, self->seg.handle, 0, 0, &woken));
	EXPECT_EQ(0, woken);
	/* Other words of the page sleep on. */
	ASSERT_EQ(0, ub_wake(self->fd, self->seg.handle, 4, 99, &woken));
	EXPECT_EQ(0, woken);
	EXPECT_EQ(1, wake_all(self, 0, 1));
	EXPECT_EQ(3, wake_all(self, 0, 3));
	ASSERT_EQ(0, ub_wake(self->fd, self->seg.handle, 0, 99, &woken));
	EXPECT_EQ(0, woken);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, ub_join(pid[i]));
}

static void on_signal(int sig)
{
}

TEST_F(wait, a_signal_is_eintr)
{
	struct sigaction action = { .sa_handler = on_signal };
	siginfo_t info;
	pid_t pid;

	sigaction(SIGUSR1, &action, NULL);
	pid = sleeper(self, true, 0);
	ASSERT_EQ(0, ub_until(&self->board->n[0], 1));
	do { /* the first may come before it sleeps */
		info.si_pid = 0;
		kill(pid, SIGUSR1);
		ub_sleep_ms(5);
	} while (!waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid);
	EXPECT_EQ(EINTR, ub_join(pid));
}

TEST_F(wait, a_sleeper_can_be_killed)
{
	pid_t pid = sleeper(self, true, 0);

	ASSERT_EQ(0, ub_until(&self->board->n[0], 1));
	ub_sleep_ms(20);
	kill(pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, ub_join(pid));
}

TEST_F(wait, revoke_wakes_importers_with_eownerdead_but_not_the_owner)
{
	pid_t user = sleeper(self, true, 0), owner = sleeper(self, false, 64);

	ASSERT_EQ(0, ub_until(&self->board->n[0], 2));
	ub_sleep_ms(20);
	ASSERT_EQ(0, ub_revoke(self->fd, self->seg.handle));
	EXPECT_EQ(EOWNERDEAD, ub_join(user));
	EXPECT_EQ(-EOWNERDEAD, ub_wait(self->user, self->import.handle, 0, 0, 0));
	EXPECT_EQ(-EOWNERDEAD, ub_wake(self->user, self->import.handle, 0, 1, NULL));
	/* Revoking may have woken the owner for nothing; then it returned 0 already. */
	ASSERT_EQ(0, ub_wake(self->fd, self->seg.handle, 64, 1, NULL));
	EXPECT_EQ(0, ub_join(owner));
}

TEST_F(wait, free_wakes_all_with_eownerdead)
{
	pid_t user = sleeper(self, true, 0), owner = sleeper(self, false, PAGE);

	ASSERT_EQ(0, ub_until(&self->board->n[0], 2));
	ub_sleep_ms(20);
	ASSERT_EQ(0, ub_free(self->fd, self->seg.handle));
	EXPECT_EQ(EOWNERDEAD, ub_join(user));
	EXPECT_EQ(EOWNERDEAD, ub_join(owner));
}

TEST_F(wait, a_lost_route_wakes_with_enolink)
{
	pid_t pid = sleeper(self, true, 0);

	ASSERT_EQ(0, ub_until(&self->board->n[0], 1));
	ub_sleep_ms(20);
	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, false));
	EXPECT_EQ(ENOLINK, ub_join(pid));
	EXPECT_EQ(-ENOLINK, ub_wait(self->user, self->import.handle, 0, 0, 0));
	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, true));
	EXPECT_EQ(-ETIMEDOUT, ub_wait(self->user, self->import.handle, 0, 0, 0));
}

TEST_F(wait, removing_the_pod_wakes_with_eio)
{
	pid_t user = sleeper(self, true, 0), owner = sleeper(self, false, 0);

	ASSERT_EQ(0, ub_until(&self->board->n[0], 2));
	ub_sleep_ms(20);
	ASSERT_EQ(0, ub_pod_del(self->pod.name, true));
	EXPECT_EQ(EIO, ub_join(user));
	EXPECT_EQ(EIO, ub_join(owner));
}

/* Two processes hand a token to and fro; a lost wake would be a hang. */
TEST_F_TIMEOUT(wait, no_wake_is_lost, 60)
{
	int rounds = ub_long() ? 200000 : 500;
	int i, missed = 0, ret;
	pid_t pid;

	pid = ub_fork();
	if (!pid) {
		for (i = 0; i < rounds; i++) {
			while ((ret = self->mem[0]) != 2 * i + 1) {
				ret = ub_wait(self->user, self->import.handle, 0, ret, LIMIT);
				if (ret && ret != -EAGAIN && ret != -EINTR)
					_exit(-ret);
			}
			__atomic_store_n(&self->mem[0], 2 * i + 2, __ATOMIC_SEQ_CST);
			ub_wake(self->user, self->import.handle, 0, 1, NULL);
		}
		_exit(0);
	}
	for (i = 0; i < rounds && !missed; i++) {
		__atomic_store_n(&self->mem[0], 2 * i + 1, __ATOMIC_SEQ_CST);
		ub_wake(self->fd, self->seg.handle, 0, 1, NULL);
		while (self->mem[0] != 2 * i + 2 && !missed) {
			ret = ub_wait(self->fd, self->seg.handle, 0, 2 * i + 1, LIMIT);
			missed = ret == -ETIMEDOUT;
		}
	}
	EXPECT_EQ(0, missed);
	EXPECT_EQ(rounds, i);
	EXPECT_EQ(0, ub_join(pid));
}

struct counter {
	FIXTURE_DATA(wait) *self;
	volatile int stop;
	volatile long long slept;
};

static void *count_sleeps(void *data)
{
	struct counter *c = data;
	int ret;

	while (!c->stop) {
		ret = ub_wait(c->self->fd, c->self->seg.handle, 128, 0, LIMIT);
		if (!ret)
			__atomic_fetch_add(&c->slept, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* Each wake that was counted ended exactly one sleep, also beside timeouts. */
TEST_F(wait, woken_is_the_number_of_sleeps_that_ended)
{
	struct counter c = { .self = self };
	unsigned long long end;
	long long sum = 0;
	pthread_t t[3];
	__u32 woken;
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, count_sleeps, &c));
	for (i = 0; i < 2000; i++) {
		ASSERT_EQ(0, ub_wake(self->fd, self->seg.handle, 128, 1 + i % 3, &woken));
		EXPECT_GE(1 + i % 3, woken);
		sum += woken;
	}
	c.stop = 1;
	self->mem[32] = 1;
	end = ub_now_ns() + LIMIT;
	for (i = 0; i < 3 && ub_now_ns() < end; ) {
		ASSERT_EQ(0, ub_wake(self->fd, self->seg.handle, 128, 3, &woken));
		sum += woken;
		while (i < 3 && !pthread_tryjoin_np(t[i], NULL))
			i++;
	}
	EXPECT_EQ(3, i);
	EXPECT_EQ(sum, c.slept);
}

TEST_HARNESS_MAIN
