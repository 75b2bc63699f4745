/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small harness with the macros of kselftest_harness.h that the tests of ub
 * use, so that they build without a kernel tree; in one, KSELFTEST_IN_TREE takes
 * the kernel's own.
 *
 * Guarantees: each test runs in a process (and process group) of its own, which
 * is gone, with all that it started, before the next begins; one that does not
 * come to an end is killed and has failed. Output is KTAP 1. The status is 0 when
 * all is well, 1 after a failure, 4 when everything was skipped.
 *
 * usage: PROGRAM [WORD]    only the tests whose name contains WORD
 */
#ifndef UB_HARNESS_H
#define UB_HARNESS_H

#ifdef KSELFTEST_IN_TREE
#include "../kselftest_harness.h"

/* Of a child that a test forked: what it exits with. */
#define TEST_STATUS() (!__test_passed(_metadata))
#else

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEST_TIMEOUT_DEFAULT 30	/* seconds; a liveness limit, not a speed */

#define KSFT_PASS 0
#define KSFT_FAIL 1
#define KSFT_SKIP 4

struct __test_metadata {
	const char *name;
	void (*run)(struct __test_metadata *_metadata);
	unsigned int timeout;
	bool failed;
	bool skipped;
	char reason[128];
	struct __test_metadata *next;
};

static struct __test_metadata *__tests, **__tests_end = &__tests;

static inline void __test_register(struct __test_metadata *t)
{
	*__tests_end = t;
	__tests_end = &t->next;
}

#define __TEST(_run, _name, _timeout)						\
	static struct __test_metadata __object_##_run = {			\
		.name = _name, .run = _run, .timeout = _timeout,		\
	};									\
	static void __attribute__((constructor)) __register_##_run(void)	\
	{									\
		__test_register(&__object_##_run);				\
	}

#define __UNUSED __attribute__((unused))

#define TEST_TIMEOUT(_name, _timeout)						\
	static void __wrap_##_name(struct __test_metadata *_metadata);		\
	__TEST(__wrap_##_name, #_name, _timeout)				\
	static void __wrap_##_name(struct __test_metadata __UNUSED *_metadata)

#define TEST(_name) TEST_TIMEOUT(_name, TEST_TIMEOUT_DEFAULT)

#define FIXTURE(_fixture) struct __fixture_##_fixture
#define FIXTURE_DATA(_fixture) struct __fixture_##_fixture

#define FIXTURE_SETUP(_fixture)							\
	static void __setup_##_fixture(struct __test_metadata __UNUSED *_metadata, \
				       FIXTURE_DATA(_fixture) __UNUSED *self)
#define FIXTURE_TEARDOWN(_fixture)						\
	static void __teardown_##_fixture(struct __test_metadata __UNUSED *_metadata, \
					  FIXTURE_DATA(_fixture) __UNUSED *self)

#define TEST_F_TIMEOUT(_fixture, _name, _timeout)				\
	static void __body_##_fixture##_##_name(struct __test_metadata *_metadata, \
						FIXTURE_DATA(_fixture) *self);	\
	static void __wrap_##_fixture##_##_name(struct __test_metadata *_metadata) \
	{									\
		FIXTURE_DATA(_fixture) self;					\
		memset(&self, 0, sizeof(self));					\
		__setup_##_fixture(_metadata, &self);				\
		if (_metadata->skipped || _metadata->failed)			\
			return;							\
		__body_##_fixture##_##_name(_metadata, &self);			\
		__teardown_##_fixture(_metadata, &self);			\
	}									\
	__TEST(__wrap_##_fixture##_##_name, #_fixture "." #_name, _timeout)	\
	static void __body_##_fixture##_##_name(				\
		struct __test_metadata __UNUSED *_metadata,			\
		FIXTURE_DATA(_fixture) __UNUSED *self)

#define TEST_F(_fixture, _name) TEST_F_TIMEOUT(_fixture, _name, TEST_TIMEOUT_DEFAULT)

/* Of a child that a test forked: what it exits with. */
#define TEST_STATUS() (_metadata->failed)

#define TH_LOG(fmt, ...)							\
	fprintf(stderr, "# %s:%d:%s:" fmt "\n", __FILE__, __LINE__,		\
		_metadata->name, ##__VA_ARGS__)

#define SKIP(statement, fmt, ...) do {						\
	snprintf(_metadata->reason, sizeof(_metadata->reason), fmt, ##__VA_ARGS__); \
	_metadata->skipped = true;						\
	statement;								\
} while (0)

/* Ends the process of the test, or of a child of it. */
static inline void __test_abort(void)
{
	fflush(NULL);
	_exit(KSFT_FAIL);
}

#define __CHECK(_a, _op, _b, _fatal) do {					\
	__typeof__(_a) __a = (_a);						\
	__typeof__(_b) __b = (_b);						\
	if (!(__a _op __b)) {							\
		TH_LOG("Expected %s (%lld) " #_op " %s (%lld)",			\
		       #_a, (long long)(__a), #_b, (long long)(__b));		\
		_metadata->failed = true;					\
		if (_fatal)							\
			__test_abort();						\
	}									\
} while (0)

#define ASSERT_EQ(expected, seen) __CHECK(expected, ==, seen, 1)
#define ASSERT_NE(expected, seen) __CHECK(expected, !=, seen, 1)
#define ASSERT_LT(expected, seen) __CHECK(expected, <, seen, 1)
#define ASSERT_LE(expected, seen) __CHECK(expected, <=, seen, 1)
#define ASSERT_GT(expected, seen) __CHECK(expected, >, seen, 1)
#define ASSERT_GE(expected, seen) __CHECK(expected, >=, seen, 1)
#define ASSERT_TRUE(seen) __CHECK(0, !=, (int)!!(seen), 1)
#define ASSERT_FALSE(seen) __CHECK(0, ==, (int)!!(seen), 1)
#define EXPECT_EQ(expected, seen) __CHECK(expected, ==, seen, 0)
#define EXPECT_NE(expected, seen) __CHECK(expected, !=, seen, 0)
#define EXPECT_LT(expected, seen) __CHECK(expected, <, seen, 0)
#define EXPECT_LE(expected, seen) __CHECK(expected, <=, seen, 0)
#define EXPECT_GT(expected, seen) __CHECK(expected, >, seen, 0)
#define EXPECT_GE(expected, seen) __CHECK(expected, >=, seen, 0)
#define EXPECT_TRUE(seen) __CHECK(0, !=, (int)!!(seen), 0)
#define EXPECT_FALSE(seen) __CHECK(0, ==, (int)!!(seen), 0)

static volatile sig_atomic_t __timed_out;
static pid_t __running;

static void __on_alarm(int sig __UNUSED)
{
	__timed_out = 1;
	kill(-__running, SIGKILL);
	kill(__running, SIGKILL);
}

/* In the process of the test; a skip's reason comes back by a pipe. */
static void __run_child(struct __test_metadata *t, int reason)
{
	setpgid(0, 0);
	t->run(t);
	fflush(NULL);
	if (t->skipped && !t->failed) {
		if (write(reason, t->reason, strlen(t->reason)) < 0)
			_exit(KSFT_FAIL);
		_exit(KSFT_SKIP);
	}
	_exit(t->failed ? KSFT_FAIL : KSFT_PASS);
}

static int __run_test(struct __test_metadata *t)
{
	int fds[2], status;
	ssize_t n;

	if (pipe(fds))
		return KSFT_FAIL;
	fflush(NULL);
	__timed_out = 0;
	__running = fork();
	if (__running < 0)
		return KSFT_FAIL;
	if (!__running)
		__run_child(t, fds[1]);
	setpgid(__running, __running);
	close(fds[1]);
	alarm(t->timeout);
	while (waitpid(__running, &status, 0) < 0 && errno == EINTR)
		;
	alarm(0);
	kill(-__running, SIGKILL);
	n = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == KSFT_SKIP)
		n = read(fds[0], t->reason, sizeof(t->reason) - 1);
	close(fds[0]);
	t->reason[n > 0 ? n : 0] = 0;
	if (__timed_out)
		printf("# %s: no end after %u s\n", t->name, t->timeout);
	else if (WIFSIGNALED(status))
		printf("# %s: killed by signal %d\n", t->name, WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : KSFT_FAIL;
}

static int __UNUSED __run_tests(const char *word)
{
	struct sigaction alarmed = { .sa_handler = __on_alarm };
	unsigned int nr = 0, failed = 0, skipped = 0;
	struct __test_metadata *t;
	time_t start;
	int ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGALRM, &alarmed, NULL);
	for (t = __tests; t; t = t->next)
		nr += !word || strstr(t->name, word);
	printf("KTAP version 1\n1..%u\n", nr);
	nr = 0;
	for (t = __tests; t; t = t->next) {
		if (word && !strstr(t->name, word))
			continue;
		start = time(NULL);
		ret = __run_test(t);
		if (time(NULL) > start + 1)
			printf("# %s: %d s\n", t->name, (int)(time(NULL) - start));
		failed += ret != KSFT_PASS && ret != KSFT_SKIP;
		skipped += ret == KSFT_SKIP;
		printf("%s %u %s%s%s\n",
		       ret == KSFT_PASS || ret == KSFT_SKIP ? "ok" : "not ok", ++nr,
		       t->name, ret == KSFT_SKIP ? " # SKIP " : "",
		       ret == KSFT_SKIP ? t->reason : "");
	}
	printf("# Totals: pass:%u fail:%u skip:%u\n", nr - failed - skipped, failed, skipped);
	if (failed || !nr)
		return KSFT_FAIL;
	return skipped == nr ? KSFT_SKIP : KSFT_PASS;
}

#define TEST_HARNESS_MAIN							\
	int main(int argc, char **argv)						\
	{									\
		return __run_tests(argc > 1 ? argv[1] : NULL);			\
	}

#endif /* KSELFTEST_IN_TREE */
#endif /* UB_HARNESS_H */
