/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests that need ranks: a body runs as every rank, each in a process of its own; a
 * rank that finds something wrong says so and exits with 1.
 *
 * The only limit of time is one for liveness: a rank says every so often that it is
 * still alive, and may not take 10 s in between. A rank that hangs is killed by its
 * alarm, and the others hear of it.
 *
 * That is for processors that are real. A guest without acceleration is 30 to 100 times
 * slower: there UB_TEST_LIVENESS_S is the limit, UB_TEST_MAX_BYTES leaves the largest
 * sizes away (what they try beyond the others is how many windows there are, not which),
 * and UB_TEST_THIN=n tries each n-th of the combinations and repetitions.
 *
 * UB_TEST_TRANSPORT=module: the ranks must use segments of /dev/ub, or they fail.
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

static inline uint64_t test_number(const char *variable, uint64_t otherwise)
{
	const char *s = getenv(variable);

	return s && *s ? strtoull(s, NULL, 0) : otherwise;
}

#define LIVENESS_S	((unsigned int)test_number("UB_TEST_LIVENESS_S", 10))

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

static inline bool test_too_large(size_t bytes)
{
	return bytes > test_number("UB_TEST_MAX_BYTES", UINT64_MAX);
}

/* Of so many repetitions. */
static inline int test_thin(int times)
{
	return (times - 1) / (int)test_number("UB_TEST_THIN", 1) + 1;
}

/* Is this one of the combinations to try? All ranks ask alike. */
static inline bool test_drawn(unsigned int *combination)
{
	return (*combination)++ % test_number("UB_TEST_THIN", 1) == 0;
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

/* UB_TEST_RANKS: at most so many, for guests that emulate few and slow processors. */
static inline bool test_too_many(int ranks)
{
	const char *s = getenv("UB_TEST_RANKS");

	return s && ranks > atoi(s);
}

static inline void test_sleep_us(unsigned int us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* Mappings of this process whose line in /proc has @word in it. */
static inline int test_mappings(const char *word)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	int n = 0;

	while (maps && fgets(line, sizeof(line), maps))
		n += strstr(line, word) != NULL;
	if (maps)
		fclose(maps);
	return n;
}

static inline bool test_on_module(void)
{
	const char *wanted = getenv("UB_TEST_TRANSPORT");

	return wanted && !strcmp(wanted, "module");
}

/*
 * After calls on buffers of the communicator's device: the data went over what was asked
 * for. The kernel says so, not the library: at least @least mappings of segments of
 * /dev/ub, own ones and peers', and not one of a memfd that holds data.
 */
static inline void expect_transport(struct ub_comm *comm, int least)
{
	if (!test_on_module())
		return;
	EXPECT(comm, test_mappings("ub_seg") >= least);
	EXPECT(comm, test_mappings("memfd:ub-segment") == 0);
}

/*
 * Abort says -EBUSY when a live rank did not react within 1 s. That may be the machine's
 * fault; that nobody reacts at all ends by the alarm.
 */
static inline void expect_aborted(struct ub_comm *comm)
{
	int err;

	do
		err = ub_comm_abort(comm);
	while (err == -EBUSY);
	EXPECT(comm, !err);
}

/* Abort, when rank 1 is stopped in a call on buffers of the communicator's device. */
static inline void expect_stopped(struct ub_comm *comm)
{
	EXPECT(comm, ub_comm_abort(comm) == (test_on_module() ? 0 : -EBUSY));
	EXPECT(comm, strstr(ub_comm_error(comm), "rank 1 does not react"));
	EXPECT(comm, strstr(ub_comm_error(comm), test_on_module() ?
			    "cannot reach this rank's buffers" : "may still write"));
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
