// SPDX-License-Identifier: BSD-2-Clause
/*
 * A rank is killed: every survivor learns it, in its call or by the communicator's
 * file descriptor, and is told who it was and at which step.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include "ranks.h"

static uint64_t seed;

struct scene {
	int		victim;		/* who is killed */
	unsigned int	after_us;
	size_t		bytes;		/* of each call */
	bool		child_lives;	/* the victim has forked somebody who lives on */
	bool		idle;		/* survivors are outside of any call */
	void		*memory;	/* that the victim has mapped and touched */
	size_t		resident;	/* its bytes */
	int		hold[2];	/* a pipe: the child lives until the play is over */
	struct times	*times;		/* NULL: nobody wants to know */
};

/* Shared by all processes of a scene; each word is written by one. */
struct times {
	uint64_t	killed_ns;
	uint64_t	told_ns[8];	/* by rank: its call has returned */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void check_told(struct ub_comm *comm, int err, int victim)
{
	struct pollfd p = { .fd = ub_comm_fd(comm), .events = POLLIN };
	char name[32];

	snprintf(name, sizeof(name), "rank %d (pid", victim);
	EXPECT(comm, err == -EOWNERDEAD);
	EXPECT(comm, strstr(ub_comm_error(comm), name));
	EXPECT(comm, strstr(ub_comm_error(comm), "died"));
	EXPECT(comm, strstr(ub_comm_error(comm), "step") || strstr(ub_comm_error(comm), "outside"));
	EXPECT(comm, poll(&p, 1, LIVENESS_S * 1000) == 1 && p.revents == POLLIN);
	EXPECT(comm, ub_barrier(comm, NULL) == -EOWNERDEAD);
	EXPECT(comm, ub_comm_status(comm) == -EOWNERDEAD);
	expect_aborted(comm);
	expect_aborted(comm);
	EXPECT(comm, ub_comm_destroy(comm) == -EOWNERDEAD);
}

/* A process of its own kills the victim: at any instruction, not only at ours. */
static void hire_killer(const struct scene *s)
{
	pid_t victim = getpid(), killer = fork();

	if (killer)
		return;
	test_sleep_us(s->after_us);
	if (s->times)
		s->times->killed_ns = now_ns();
	kill(victim, SIGKILL);
	/* Holds all that fork has inherited until every survivor has told its story. */
	if (s->child_lives) {
		char c;

		close(s->hold[1]);
		_exit(read(s->hold[0], &c, 1) != 0);
	}
	_exit(0);
}

static int scene_body(struct ub_comm *comm, void *arg)
{
	const struct scene *s = arg;
	int rank = ub_comm_rank(comm), err = 0;
	size_t bytes = s->bytes ? s->bytes : 8;
	char *buf;

	EXPECT(comm, !ub_alloc(ub_comm_device(comm), bytes, (void **)&buf));
	if (s->resident)
		alarm(LIVENESS_S * 6);	/* all wait until it is mapped */
	if (rank == s->victim && s->resident)
		EXPECT(comm, !madvise(s->memory, s->resident, MADV_POPULATE_WRITE));
	EXPECT(comm, !ub_barrier(comm, NULL));
	still_alive();
	if (rank == s->victim)
		hire_killer(s);
	if (s->idle && rank != s->victim) {
		struct pollfd p = { .fd = ub_comm_fd(comm), .events = POLLIN };

		EXPECT(comm, poll(&p, 1, LIVENESS_S * 1000) == 1);
		err = ub_comm_status(comm);
	}
	while (s->idle && rank == s->victim)
		pause();
	while (!err)
		err = ub_allreduce(buf, buf, bytes / 4, UB_INT32, UB_SUM, comm, NULL);
	if (s->times)
		s->times->told_ns[rank] = now_ns();
	expect_transport(comm, 1);
	check_told(comm, err, s->victim);
	ub_free(buf);
	return 0;
}

static void play(int n, struct scene *s)
{
	int status[8];

	assert_int_equal(pipe(s->hold), 0);
	assert_int_equal(run_ranks(n, scene_body, s, status), -ECHILD);
	close(s->hold[0]);
	close(s->hold[1]);
	for (int r = 0; r < n; r++)
		if (r == s->victim)
			assert_true(WIFSIGNALED(status[r]) && WTERMSIG(status[r]) == SIGKILL);
		else
			assert_int_equal(status[r], 0);
}

static void killed_at_random_points(void **state)
{
	static const int ranks[] = { 2, 3, 4, 8 };
	static const size_t bytes[] = { 8, 256, 4096, 1 << 20 };
	uint64_t rnd = seed;

	for (int i = 0; i < test_thin(24); i++) {
		struct scene s = {
			.victim = (int)test_random(&rnd) % ranks[i % 4],
			.after_us = test_random(&rnd) % 20000,
			.bytes = bytes[test_random(&rnd) % 4],
		};

		play(ranks[i % 4], &s);
	}
}

static void killed_with_a_surviving_child(void **state)
{
	struct scene s = { .victim = 1, .after_us = 5000, .bytes = 4096, .child_lives = true };

	play(3, &s);
}

static void killed_while_others_are_idle(void **state)
{
	struct scene s = { .victim = 2, .after_us = 5000, .idle = true };

	play(4, &s);
}

static uint64_t available_mib(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long long kib = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f) && sscanf(line, "MemAvailable: %llu", &kib) != 1)
		;
	if (f)
		fclose(f);
	return kib >> 10;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Until the last survivor's call had returned, in microseconds. */
static uint64_t play_timed(int n, struct scene *s)
{
	uint64_t last = 0;

	memset(s->times, 0, sizeof(*s->times));
	play(n, s);
	for (int r = 0; r < n; r++)
		if (s->times->told_ns[r] > last)
			last = s->times->told_ns[r];
	return (last - s->times->killed_ns) / 1000;
}

static void *map_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	assert_true(p != MAP_FAILED);
	return p;
}

/*
 * The kernel takes its time to take 8 GiB of pages from a process; the others are told
 * before. How soon is printed; limits are bench/deaths' business. The memory is shared
 * with this process, as segments are, so it has to be filled only once.
 */
static void killed_with(size_t mib, int kills)
{
	struct scene s = { .after_us = 5000, .bytes = 4096, .resident = mib << 20 };
	uint64_t us[64], rnd = seed;

	s.times = map_shared(sizeof(*s.times));
	if (mib)
		s.memory = map_shared(s.resident);
	for (int i = 0; i < kills; i++) {
		s.victim = (int)test_random(&rnd) % 4;
		us[i] = play_timed(4, &s);
	}
	munmap(s.times, sizeof(*s.times));
	if (mib)
		munmap(s.memory, s.resident);
	qsort(us, (size_t)kills, sizeof(us[0]), ascending);
	print_message("killed with %zu MiB resident, %d times: the last survivor was told after %llu us (least %llu, most %llu)\n",
		      mib, kills, (unsigned long long)us[kills / 2], (unsigned long long)us[0],
		      (unsigned long long)us[kills - 1]);
}

static void killed_with_little_memory(void **state)
{
	killed_with(0, test_thin(25));
}

/* UB_TEST_RESIDENT_MIB: another size. */
static void killed_with_much_memory(void **state)
{
	uint64_t mib = test_number("UB_TEST_RESIDENT_MIB", 8192), available = available_mib();

	if (available < mib + mib / 4) {
		print_message("skipped: %llu MiB are available, %llu are to be resident\n",
			      (unsigned long long)available, (unsigned long long)mib);
		skip();
	}
	killed_with(mib, 3);
}

/* Two neighbours die at once: the watcher of the first takes over the second. */
static int two_body(struct ub_comm *comm, void *arg)
{
	int rank = ub_comm_rank(comm), err = 0;

	EXPECT(comm, !ub_barrier(comm, NULL));
	if (rank == 1 || rank == 2)
		raise(SIGKILL);
	while (!err)
		err = ub_barrier(comm, NULL);
	EXPECT(comm, err == -EOWNERDEAD);
	EXPECT(comm, strstr(ub_comm_error(comm), "rank 1 (pid") ||
		     strstr(ub_comm_error(comm), "rank 2 (pid"));
	ub_comm_destroy(comm);
	return 0;
}

static void two_killed_at_once(void **state)
{
	int status[4];

	assert_int_equal(run_ranks(4, two_body, NULL, status), -ECHILD);
	assert_int_equal(status[0], 0);
	assert_int_equal(status[3], 0);
}

/* An exit without ub_comm_destroy() is a death too, and so is exec(). */
static int leave_body(struct ub_comm *comm, void *arg)
{
	int err = 0;

	if (ub_comm_rank(comm) == 1) {
		if (arg)
			execl("/bin/sleep", "sleep", "2", (char *)NULL);
		_exit(0);
	}
	while (!err)
		err = ub_barrier(comm, NULL);
	check_told(comm, err, 1);
	return 0;
}

static void leaving_without_destroy_is_a_death(void **state)
{
	assert_int_equal(run_ranks(2, leave_body, NULL, NULL), 0);
}

static void exec_is_a_death(void **state)
{
	assert_int_equal(run_ranks(2, leave_body, "exec", NULL), 0);
}

static void set_number(const char *variable, int value)
{
	char s[16];

	snprintf(s, sizeof(s), "%d", value);
	setenv(variable, s, 1);
}

/*
 * Ranks that are nobody's children: no SIGCHLD, no common parent tells anybody. They
 * find each other as torchrun's do, by what is in the environment.
 */
static void orphan(int rank, int n, int port, struct scene *s, int report)
{
	struct ub_comm *comm;
	char ok = 1;

	if (fork())
		_exit(0);
	setsid();
	alarm(LIVENESS_S);
	set_number("RANK", rank);
	set_number("WORLD_SIZE", n);
	set_number("MASTER_PORT", port);
	setenv("MASTER_ADDR", "localhost", 1);
	if (ub_comm_create(&comm, NULL)) {
		fprintf(stderr, "orphan %d: %s\n", rank, ub_comm_error(NULL));
		_exit(1);
	}
	scene_body(comm, s);
	if (write(report, &ok, 1) != 1)
		_exit(1);
	_exit(0);
}

static void killed_without_a_common_parent(void **state)
{
	struct scene s = { .victim = 1, .after_us = 5000, .bytes = 65536 };
	int port = 1024 + (int)getpid() % 60000, fds[2], told = 0;
	char ok;

	assert_int_equal(pipe(fds), 0);
	for (int r = 0; r < 3; r++) {
		pid_t pid = fork();

		if (!pid) {
			close(fds[0]);
			orphan(r, 3, port, &s, fds[1]);
		}
		waitpid(pid, NULL, 0);
	}
	close(fds[1]);
	alarm(LIVENESS_S);
	while (read(fds[0], &ok, 1) == 1)
		told++;
	alarm(0);
	close(fds[0]);
	assert_int_equal(told, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_random_points),
		cmocka_unit_test(killed_with_a_surviving_child),
		cmocka_unit_test(killed_while_others_are_idle),
		cmocka_unit_test(killed_with_little_memory),
		cmocka_unit_test(killed_with_much_memory),
		cmocka_unit_test(two_killed_at_once),
		cmocka_unit_test(leaving_without_destroy_is_a_death),
		cmocka_unit_test(exec_is_a_death),
		cmocka_unit_test(killed_without_a_common_parent),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
