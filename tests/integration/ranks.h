/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests that need ranks: a body runs as every rank, each in a process of its own; a
 * rank that finds something wrong says so and exits with 1.
 *
 * The only limit of time is one for liveness: a rank says every so often that it is
 * still alive, and may not take 10 s in between. A rank that hangs is killed by its alarm, and the others hear of it.
 */
#ifndef TEST_RANKS_H
#define TEST_RANKS_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <ub/ub.h>

#define LIVENESS_S	10

#define EXPECT(comm, what)								\
	do {										\
		if (!(what)) {								\
			fprintf(stderr, "%s:%d: rank %d: not true: %s (%s)\n",		\
				__FILE__, __LINE__, ub_comm_rank(comm), #what,		\
				ub_comm_error(comm));					\
			exit(1);							\
		}									\
	} while (0)

/* Here I am: from now on again LIVENESS_S. */
static inline void still_alive(void)
{
	alarm(LIVENESS_S);
}

/* Random, but the same again with UB_TEST_SEED. */
static inline uint64_t test_seed(void)
{
	const char *s = getenv("UB_TEST_SEED");
	uint64_t seed = s ? strtoull(s, NULL, 0) : (uint64_t)time(NULL) * 2654435761u;

	fprintf(stderr, "UB_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

static inline uint32_t test_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 33);
}

static inline void test_sleep_us(unsigned int us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

struct test_body {
	int (*body)(struct ub_comm *comm, void *arg);
	void *arg;
};

static inline int test_rank(struct ub_comm *comm, void *arg)
{
	const struct test_body *b = arg;
	int ret;

	alarm(LIVENESS_S);
	ret = b->body(comm, b->arg);
	alarm(0);
	return ret;
}

/* Run body as n ranks; status as of wait(2). */
static inline int run_ranks(int n, int (*body)(struct ub_comm *comm, void *arg), void *arg,
			    int *status)
{
	struct test_body b = { body, arg };

	return ub_comm_fork(n, test_rank, &b, status, NULL);
}

#endif /* TEST_RANKS_H */
