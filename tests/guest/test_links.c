// SPDX-License-Identifier: BSD-2-Clause
/*
 * Links and pods that go while ranks compute: a detour gives right results, the loss of
 * every route and of the pod end the call with an error that says so, and what comes
 * back can be used again. No signal, no hang, no wrong result.
 *
 * Runs in a guest, as root, with the default pod. Rank 0 pulls; the others are in calls.
 */
#include <fcntl.h>
#include <poll.h>
#include <ub/ioctl.h>
#include "../integration/ranks.h"
#include "links.h"

#define N	POD_NPUS
#define COUNT	(16384 + 1)
#define ROUNDS	30

static int32_t *get_buffer(struct ub_comm *comm)
{
	int32_t *buf;

	EXPECT(comm, !ub_alloc(ub_comm_device(comm), COUNT * sizeof(*buf), (void **)&buf));
	return buf;
}

/* One allreduce; when it succeeds every element is right. */
static int add_up(struct ub_comm *comm, int32_t *buf, int round)
{
	struct ub_opts opts = UB_OPTS_INIT;
	int n = ub_comm_size(comm), err;

	still_alive();
	opts.deadline_ms = LIVENESS_S * 1000ULL / 2;
	for (int i = 0; i < COUNT; i++)
		buf[i] = round + i + ub_comm_rank(comm);
	err = ub_allreduce(buf, buf, COUNT, UB_INT32, UB_SUM, comm, &opts);
	for (int i = 0; i < COUNT && !err; i++)
		EXPECT(comm, buf[i] == n * (round + i) + n * (n - 1) / 2);
	return err;
}

/* Rank 0 does it after some rounds, the others meanwhile go on. */
static int add_up_until_failure(struct ub_comm *comm, int32_t *buf, void (*pull)(void))
{
	int err = 0;

	for (int round = 0; !err; round++) {
		if (round == 3 && ub_comm_rank(comm) == 0)
			pull();
		err = add_up(comm, buf, round);
	}
	return err;
}

static int open_npu(struct ub_comm *comm)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/ub/ub%d", ub_comm_rank(comm));
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	EXPECT(comm, fd >= 0);
	return fd;
}

/* Reads until there is nothing: how many events of a type. */
static int count_events(int fd, uint32_t type, uint32_t state)
{
	struct ub_event e;
	int n = 0;

	while (read(fd, &e, sizeof(e)) == sizeof(e))
		n += e.type == type && (type != UB_EVENT_LINK || e.b == state);
	return n;
}

static int detour_body(struct ub_comm *comm, void *arg)
{
	int32_t *buf = get_buffer(comm);
	struct pollfd p = { .fd = open_npu(comm), .events = POLLIN };

	EXPECT(comm, poll(&p, 1, 0) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		if (ub_comm_rank(comm) == 0 && round % 10 == 3)
			link_set(0, 1, 0);
		if (ub_comm_rank(comm) == 0 && round % 10 == 7)
			link_set(0, 1, 1);
		EXPECT(comm, !add_up(comm, buf, round));
	}
	EXPECT(comm, !ub_barrier(comm, NULL));
	EXPECT(comm, poll(&p, 1, 0) == 1 && p.revents == POLLIN);
	EXPECT(comm, count_events(p.fd, UB_EVENT_LINK, UB_LINK_DOWN) == ROUNDS / 10);
	expect_transport(comm, N);
	EXPECT(comm, !ub_comm_destroy(comm));
	close(p.fd);
	ub_free(buf);
	return 0;
}

static void a_pulled_link_is_gone_around(void **state)
{
	assert_int_equal(run_ranks(N, detour_body, NULL, NULL), 0);
}

/* The communicator is dead; the process joins another over the links that are back. */
static void join_again(struct ub_comm *comm, const char *job)
{
	struct ub_comm_config config = UB_COMM_CONFIG_INIT;
	struct ub_comm *second;
	int32_t *buf;

	config.rank = ub_comm_rank(comm);
	config.nranks = ub_comm_size(comm);
	config.job = job;
	EXPECT(comm, !ub_comm_create(&second, &config));
	buf = get_buffer(second);
	EXPECT(second, !add_up(second, buf, 1));
	expect_transport(second, N);
	EXPECT(second, !ub_comm_destroy(second));
	ub_free(buf);
}

static void isolate(void)
{
	links_set(2, 0);
}

static int isolated_body(struct ub_comm *comm, void *arg)
{
	int32_t *buf = get_buffer(comm);
	int rank = ub_comm_rank(comm), err;

	err = add_up_until_failure(comm, buf, isolate);
	EXPECT(comm, err == -ENOLINK);
	/* Between which ranks, and which links of this one: index in the pod / port. */
	EXPECT(comm, strstr(ub_comm_error(comm), "route"));
	EXPECT(comm, strstr(ub_comm_error(comm), "rank 2"));
	EXPECT(comm, strstr(ub_comm_error(comm), rank < 2 ? "-2/" : " 2/"));
	EXPECT(comm, ub_barrier(comm, NULL) == -ENOLINK);
	expect_aborted(comm);
	EXPECT(comm, ub_comm_destroy(comm) == -ENOLINK);
	ub_free(buf);
	return 0;
}

/* As above, and then again over the links that are back. */
static int again_body(struct ub_comm *comm, void *job)
{
	int32_t *buf = get_buffer(comm);

	EXPECT(comm, add_up_until_failure(comm, buf, isolate) == -ENOLINK);
	expect_aborted(comm);
	if (ub_comm_rank(comm) == 0)
		links_set(2, 1);
	join_again(comm, job);
	EXPECT(comm, ub_comm_destroy(comm) == -ENOLINK);
	ub_free(buf);
	return 0;
}

/* All links away and back at once: who noticed says that it was the link. */
static int flap_body(struct ub_comm *comm, void *arg)
{
	int32_t *buf = get_buffer(comm);
	int err = 0;

	for (int round = 0; round < ROUNDS && !err; round++) {
		if (round % 4 == 3 && ub_comm_rank(comm) == 0) {
			links_set(2, 0);
			links_set(2, 1);
		}
		err = add_up(comm, buf, round);
	}
	EXPECT(comm, !err || err == -ENOLINK);
	ub_comm_destroy(comm);
	ub_free(buf);
	return 0;
}

static int links_up(void **state)
{
	for (uint32_t npu = 0; npu < N; npu++)
		links_set(npu, 1);
	return 0;
}

static void without_a_route_the_call_ends(void **state)
{
	assert_int_equal(run_ranks(N, isolated_body, NULL, NULL), 0);
}

static void links_that_are_back_serve_a_new_communicator(void **state)
{
	char job[32];

	snprintf(job, sizeof(job), "again-%d", (int)getpid());
	assert_int_equal(run_ranks(N, again_body, job, NULL), 0);
}

static void a_route_that_is_back_is_no_death(void **state)
{
	assert_int_equal(run_ranks(N, flap_body, NULL, NULL), 0);
}

/* The memory is gone, own and peers': it reads as zeros, and nothing is killed. */
static int removed_body(struct ub_comm *comm, void *arg)
{
	int32_t *buf = get_buffer(comm);
	int fd = open_npu(comm);

	EXPECT(comm, add_up_until_failure(comm, buf, pod_remove_by_force) == -EIO);
	/* Alone there is nobody to lose a mapping of. */
	EXPECT(comm, strstr(ub_comm_error(comm), "pod"));
	buf[COUNT / 2] = 1;
	EXPECT(comm, count_events(fd, UB_EVENT_POD_GONE, 0) == 1);
	EXPECT(comm, ub_barrier(comm, NULL) == -EIO);
	expect_aborted(comm);
	EXPECT(comm, ub_comm_destroy(comm) == -EIO);
	EXPECT(comm, !ub_free(buf));
	close(fd);
	return 0;
}

static void a_removed_pod_is_an_error(void **state)
{
	static const int ranks[] = { 1, 2, N };

	for (int i = 0; i < 3; i++) {
		assert_int_equal(run_ranks(ranks[i], removed_body, NULL, NULL), 0);
		pod_add();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pulled_link_is_gone_around),
		cmocka_unit_test_teardown(without_a_route_the_call_ends, links_up),
		cmocka_unit_test_teardown(links_that_are_back_serve_a_new_communicator, links_up),
		cmocka_unit_test_teardown(a_route_that_is_back_is_no_death, links_up),
		cmocka_unit_test(a_removed_pod_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
