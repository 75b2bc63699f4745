// SPDX-License-Identifier: BSD-2-Clause
/*
 * How long after a rank is killed have all others heard of it in their calls?
 *
 *	deaths [--kills N] [--ranks N]
 *
 * Ranks repeat an allreduce; a process of its own kills one at a random moment and
 * notes when. Each survivor notes when its call returned with the error, and the time
 * of a kill is the last survivor's. One JSON line per size of call to stdout.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <ub/ub.h>

#define MAX_RANKS	64
#define MAX_KILLS	10000

struct scene {
	int		victim;
	long		after_us;
	size_t		bytes;
	/* Shared by all ranks; each is written by one. */
	uint64_t	killed_ns;
	uint64_t	told_ns[MAX_RANKS];
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int hire_killer(struct scene *s)
{
	pid_t victim = getpid(), killer = fork();
	struct timespec delay = { .tv_nsec = s->after_us * 1000 };

	if (killer)
		return killer < 0 ? -errno : 0;
	nanosleep(&delay, NULL);
	s->killed_ns = now_ns();
	kill(victim, SIGKILL);
	_exit(0);
}

static int body(struct ub_comm *comm, void *arg)
{
	struct scene *s = arg;
	int rank = ub_comm_rank(comm), err;
	void *buf;

	err = ub_alloc(ub_comm_device(comm), s->bytes, &buf);
	if (!err)
		err = ub_barrier(comm, NULL);
	if (!err && rank == s->victim)
		err = hire_killer(s);
	while (!err)
		err = ub_allreduce(buf, buf, s->bytes / 4, UB_INT32, UB_SUM, comm, NULL);
	s->told_ns[rank] = now_ns();
	if (err != -EOWNERDEAD)
		fprintf(stderr, "deaths: rank %d: %s\n", rank, ub_comm_error(comm));
	ub_comm_destroy(comm);
	return err != -EOWNERDEAD;
}

/* Microseconds until the last survivor was told; negative: it was not. */
static double kill_one(int n, struct scene *s)
{
	uint64_t last = 0;
	int status[MAX_RANKS];

	if (ub_comm_fork(n, body, s, status, NULL) != -ECHILD)
		return -1;
	for (int r = 0; r < n; r++) {
		if (r == s->victim)
			continue;
		if (status[r])
			return -1;
		last = s->told_ns[r] > last ? s->told_ns[r] : last;
	}
	return (double)(last - s->killed_ns) / 1e3;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int measure(int n, int kills, size_t bytes, struct scene *s, double *us)
{
	for (int i = 0; i < kills; i++) {
		s->victim = (int)(random() % n);
		s->after_us = random() % 20000;
		s->bytes = bytes;
		us[i] = kill_one(n, s);
		if (us[i] < 0)
			return -1;
	}
	qsort(us, (size_t)kills, sizeof(*us), ascending);
	/* Of few samples the 99th percentile is the largest. */
	printf("{\"kind\":\"death\",\"ranks\":%d,\"bytes\":%zu,\"kills\":%d,"
	       "\"p50_us\":%.0f,\"p99_us\":%.0f,\"max_us\":%.0f}\n",
	       n, bytes, kills, us[(kills - 1) / 2], us[(kills * 99 + 99) / 100 - 1],
	       us[kills - 1]);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "kills", required_argument, NULL, 'k' },
		{ "ranks", required_argument, NULL, 'n' },
		{ NULL }
	};
	static const size_t sizes[] = { 8, 64 << 10, 4 << 20 };
	static double us[MAX_KILLS];
	int c, kills = 50, n = 8;
	struct scene *s;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		if (c == 'k')
			kills = atoi(optarg);
		else if (c == 'n')
			n = atoi(optarg);
		else
			kills = 0;
	if (kills < 1 || kills > MAX_KILLS || n < 2 || n > MAX_RANKS) {
		fprintf(stderr, "usage: deaths [--kills N] [--ranks N]\n");
		return 1;
	}
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return 1;
	srandom(1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (measure(n, kills, sizes[i], s, us))
			return 1;
	return 0;
}
