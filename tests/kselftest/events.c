// SPDX-License-Identifier: GPL-2.0
/* Events of a context, and the world that they tell of: links, routes, imports. */
#define _GNU_SOURCE
#include <signal.h>

#include "ub_test.h"

#define PAGE 4096UL
#define RING 64		/* events that a context keeps */

FIXTURE(events) {
	struct ub_pod pod;
	int fd;			/* on NPU 1; non-blocking */
	int home;		/* on NPU 0 */
	struct ub_ioc_seg_alloc seg;
	struct ub_cred cred;
	char *mem;
	const volatile struct ub_status *status;
	const volatile struct ub_import_state *states;
};

FIXTURE_SETUP(events)
{
	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-event", 3, 64));
	self->home = ub_open(self->pod.npu[0]);
	self->fd = ub_open_flags(self->pod.npu[1], O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ASSERT_LE(0, self->home);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ub_alloc(self->home, 0, 4 * PAGE, &self->seg));
	self->mem = ub_map(self->home, self->seg.mmap_offset, 4 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)self->mem);
	ub_fill(self->mem, 4 * PAGE, 1);
	ASSERT_EQ(0, ub_share(self->home, self->seg.handle, RW, 0, &self->cred));
	self->status = ub_status(self->fd);
	self->states = ub_states(self->fd);
	ASSERT_NE(MAP_FAILED, (void *)self->status);
	ASSERT_NE(MAP_FAILED, (void *)self->states);
}

FIXTURE_TEARDOWN(events)
{
	close(self->fd);
	close(self->home);
	ub_pod_drop(&self->pod);
}

static int read_event(int fd, struct ub_event *event)
{
	ssize_t n = read(fd, event, sizeof(*event));

	return n < 0 ? -errno : n;
}

/* The next event of a type; others are passed over. */
static bool next_event(int fd, __u32 type, struct ub_event *event)
{
	while (read_event(fd, event) == sizeof(*event))
		if (event->type == type)
			return true;
	return false;
}

static int drain(int fd)
{
	struct ub_event event;
	int nr = 0;

	while (read_event(fd, &event) == sizeof(event))
		nr++;
	return nr;
}

static const volatile struct ub_status_link *link_of(FIXTURE_DATA(events) *self, __u32 i)
{
	return (const volatile void *)((const volatile char *)self->status +
				       self->status->offset + i * self->status->stride);
}

TEST_F(events, none_is_eagain_and_poll_says_so)
{
	struct pollfd poller = { self->fd, POLLIN, 0 };
	char buf[sizeof(struct ub_event) * 2];

	EXPECT_EQ(0, poll(&poller, 1, 0));
	EXPECT_EQ(-1, read(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, read(self->fd, buf, sizeof(struct ub_event) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->fd, buf, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(events, a_link_that_changes_is_told_and_shown)
{
	struct pollfd poller = { self->fd, POLLIN, 0 };
	struct ub_event link, route;
	__u64 generation = self->status->generation;

	EXPECT_EQ(UB_ABI_VERSION, self->status->abi);
	EXPECT_EQ(3, self->status->nr);
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, false));
	EXPECT_EQ(1, poll(&poller, 1, 0));
	EXPECT_EQ(POLLIN, poller.revents & (POLLIN | POLLERR | POLLHUP));
	ASSERT_TRUE(next_event(self->fd, UB_EVENT_LINK, &link));
	EXPECT_EQ(UB_LINK_DOWN, link.b);
	ASSERT_LT(link.a, 3);
	EXPECT_EQ(UB_LINK_DOWN, link_of(self, link.a)->state);
	EXPECT_EQ(0, link_of(self, link.a)->ubpu[0]);
	EXPECT_EQ(1, link_of(self, link.a)->ubpu[1]);
	ASSERT_TRUE(next_event(self->fd, UB_EVENT_ROUTE, &route));
	EXPECT_LT(generation, route.value);
	EXPECT_LE(link.time_ns, route.time_ns);
	EXPECT_EQ(route.value, self->status->generation);
	EXPECT_EQ(0, poll(&poller, 1, 0));
	/* Down again is no change; another width is one, but not of routes. */
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, false));
	EXPECT_EQ(0, drain(self->fd));
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, true));
	ASSERT_TRUE(next_event(self->fd, UB_EVENT_LINK, &link));
	EXPECT_EQ(UB_LINK_UP, link.b);
	drain(self->fd);
	ASSERT_EQ(0, ub_link_set_width(self->pod.npu[0], ub_mesh_port(0, 1), 2));
	ASSERT_EQ(sizeof(link), read_event(self->fd, &link));
	EXPECT_EQ(UB_EVENT_LINK, link.type);
	EXPECT_EQ(2, link_of(self, link.a)->width);
	EXPECT_EQ(0, drain(self->fd));
}

TEST_F(events, whole_events_only_and_several_at_once)
{
	char buf[3 * sizeof(struct ub_event) + 31];
	int i;

	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, i & 1));
	EXPECT_EQ(3 * sizeof(struct ub_event), read(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(3 * sizeof(struct ub_event), read(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(2 * sizeof(struct ub_event), read(self->fd, buf, sizeof(buf)));
}

/* A full ring keeps the oldest, and says how many it lost. */
TEST_F(events, overflow_tells_how_many_were_lost)
{
	struct ub_event event;
	int i;

	for (i = 0; i < RING / 2 + 5; i++) /* two events each */
		ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, i & 1));
	for (i = 0; i < RING; i++) {
		ASSERT_EQ(sizeof(event), read_event(self->fd, &event));
		EXPECT_NE(UB_EVENT_OVERFLOW, event.type);
	}
	ASSERT_EQ(sizeof(event), read_event(self->fd, &event));
	EXPECT_EQ(UB_EVENT_OVERFLOW, event.type);
	EXPECT_EQ(10, event.value);
	EXPECT_EQ(-EAGAIN, read_event(self->fd, &event));
	/* And goes on. */
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, true));
	EXPECT_EQ(2, drain(self->fd));
}

TEST_F(events, a_bad_buffer_loses_none)
{
	struct ub_event event;
	char *page;

	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)page);
	ASSERT_EQ(0, munmap(page + PAGE, PAGE));
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, false));
	EXPECT_EQ(-EFAULT, read_event(self->fd, (void *)(page + PAGE)));
	EXPECT_EQ(-EFAULT, read_event(self->fd, (void *)(page + PAGE - 8)));
	/* The first fits, the second does not. */
	EXPECT_EQ(sizeof(event), read(self->fd, page + PAGE - sizeof(event), 2 * sizeof(event)));
	memcpy(&event, page + PAGE - sizeof(event), sizeof(event));
	EXPECT_EQ(UB_EVENT_LINK, event.type);
	ASSERT_EQ(sizeof(event), read_event(self->fd, &event));
	EXPECT_EQ(UB_EVENT_ROUTE, event.type);
}

static void on_signal(int sig)
{
}

TEST_F(events, blocking_read_waits_for_an_event_or_a_signal)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct ub_board *board = ub_board_make();
	siginfo_t info;
	pid_t pid;
	int i;

	ASSERT_NE(NULL, board);
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < 2; i++) {
		ub_step(board, 0);
		pid = ub_fork();
		if (!pid) {
			int fd = ub_open(self->pod.npu[2]);
			struct ub_event event;

			ub_step(board, 1);
			_exit(read_event(fd, &event) & 0xff);
		}
		ASSERT_EQ(0, ub_step_wait(board, 1));
		ub_sleep_ms(20);
		if (i)
			ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, false));
		do {
			info.si_pid = 0;
			if (!i)
				kill(pid, SIGUSR1);
			ub_sleep_ms(5);
		} while (!waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && !info.si_pid);
		EXPECT_EQ(i ? (int)sizeof(struct ub_event) : (-EINTR & 0xff), ub_join(pid));
	}
}

TEST_F(events, poll_wakes_for_an_event)
{
	pid_t pid = ub_fork();

	if (!pid) {
		struct pollfd poller = { ub_open(self->pod.npu[2]), POLLIN, 0 };

		_exit(poll(&poller, 1, UB_LIVENESS_S * 1000) == 1 &&
		      poller.revents == POLLIN ? 0 : 1);
	}
	ub_sleep_ms(30);
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, false));
	ub_sleep_ms(30);
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, true));
	EXPECT_EQ(0, ub_join(pid));
}

TEST_F(events, a_dead_import_is_told_by_its_slot)
{
	struct ub_ioc_seg_import import[2];
	struct ub_event event;

	ASSERT_EQ(0, ub_import(self->fd, &self->cred, RW, 0, &import[0]));
	ASSERT_EQ(0, ub_import(self->fd, &self->cred, RW, 0, &import[1]));
	EXPECT_NE(import[0].slot, import[1].slot);
	ASSERT_EQ(0, ub_unimport(self->fd, import[0].handle));
	ASSERT_EQ(0, ub_revoke(self->home, self->seg.handle));
	ASSERT_EQ(sizeof(event), read_event(self->fd, &event));
	EXPECT_EQ(UB_EVENT_IMPORT, event.type);
	EXPECT_EQ(import[1].slot, event.a);
	EXPECT_EQ(UB_IMPORT_DEAD, event.b);
	EXPECT_EQ(0, drain(self->fd));
}

TEST_F(events, the_last_one_is_that_the_pod_is_gone)
{
	struct pollfd poller = { self->fd, POLLIN, 0 };
	struct ub_event event = { 0 };
	struct ub_ioc_query query;

	ASSERT_EQ(0, ub_pod_del(self->pod.name, true));
	EXPECT_EQ(1, poll(&poller, 1, 0));
	while (read_event(self->fd, &event) == sizeof(event))
		;
	EXPECT_EQ(UB_EVENT_POD_GONE, event.type);
	EXPECT_EQ(-EIO, read_event(self->fd, &event));
	EXPECT_EQ(1, poll(&poller, 1, 0));
	EXPECT_TRUE(poller.revents & (POLLERR | POLLHUP));
	EXPECT_EQ(-EIO, ub_query(self->fd, &query));
	EXPECT_EQ(UB_STATUS_DEAD, self->status->flags);
}

TEST_F(events, one_contexts_overflow_is_not_anothers)
{
	struct ub_ioc_seg_import import;
	int i;

	for (i = 0; i < RING + 10; i++) {
		ASSERT_EQ(0, ub_import(self->fd, &self->cred, RW, 0, &import));
		ASSERT_EQ(0, ub_rotate(self->home, self->seg.handle, &self->cred.value));
	}
	EXPECT_EQ(RING + 1, drain(self->fd));
	EXPECT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, false));
	fcntl(self->home, F_SETFL, O_NONBLOCK);
	EXPECT_EQ(2, drain(self->home));
}

/* ---- routes ---------------------------------------------------------------------- */

TEST_F(events, a_detour_keeps_imports_alive)
{
	struct ub_ioc_seg_import import;
	char *p;

	ASSERT_EQ(0, ub_import(self->fd, &self->cred, RW, 0, &import));
	p = ub_map(self->fd, import.mmap_offset, 4 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-1, ub_differs(p, 4 * PAGE, 1));
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, false));
	EXPECT_EQ(UB_IMPORT_ALIVE, self->states[import.slot].state);
	EXPECT_EQ(0, self->states[import.slot].zaps);
	EXPECT_EQ(-1, ub_differs(p, 4 * PAGE, 1));
}

TEST_F(events, without_a_route_imports_are_suspended_and_come_back)
{
	struct ub_ioc_seg_import import, other;
	struct ub_event event;
	__u64 generation;
	__u32 value;
	char *p;

	ASSERT_EQ(0, ub_import(self->fd, &self->cred, RW, 0, &import));
	p = ub_map(self->fd, import.mmap_offset, 4 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-1, ub_differs(p, 4 * PAGE, 1));
	generation = self->status->generation;
	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, false));
	EXPECT_EQ(UB_IMPORT_SUSPENDED, self->states[import.slot].state);
	EXPECT_EQ(1, self->states[import.slot].zaps);
	EXPECT_LT(generation, self->status->generation);
	EXPECT_EQ(SIGBUS, ub_load(p, &value));
	EXPECT_EQ(SIGBUS, ub_store(p + PAGE, 1));
	EXPECT_EQ(-ENOLINK, ub_wait(self->fd, import.handle, 0, 0, 0));
	EXPECT_EQ(-ENOLINK, ub_wake(self->fd, import.handle, 0, 1, NULL));
	EXPECT_EQ(-ENOLINK, ub_import(self->fd, &self->cred, RW, 0, &other));
	ASSERT_TRUE(next_event(self->fd, UB_EVENT_IMPORT, &event));
	EXPECT_EQ(UB_IMPORT_SUSPENDED, event.b);
	EXPECT_EQ(import.slot, event.a);
	/* The home itself is not concerned. */
	EXPECT_EQ(-1, ub_differs(self->mem, 4 * PAGE, 1));
	/* Back, over a detour. */
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 2, true));
	EXPECT_EQ(UB_IMPORT_ALIVE, self->states[import.slot].state);
	EXPECT_EQ(1, self->states[import.slot].zaps);
	EXPECT_EQ(-1, ub_differs(p, 4 * PAGE, 1));
	ASSERT_TRUE(next_event(self->fd, UB_EVENT_IMPORT, &event));
	EXPECT_EQ(UB_IMPORT_ALIVE, event.b);
	EXPECT_EQ(0, ub_import(self->fd, &self->cred, RW, 0, &other));
}

/* The resume has a change of its own after that of the link. */
TEST_F(events, a_resume_changes_the_generation_twice)
{
	struct ub_ioc_seg_import import;
	__u64 generation;

	ASSERT_EQ(0, ub_import(self->fd, &self->cred, RW, 0, &import));
	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, false));
	ASSERT_EQ(UB_IMPORT_SUSPENDED, self->states[import.slot].state);
	generation = self->status->generation;
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, true));
	ASSERT_EQ(UB_IMPORT_ALIVE, self->states[import.slot].state);
	EXPECT_LE(generation + 2, self->status->generation);
}

TEST_F(events, a_dummy_that_was_seen_stays_dead)
{
	struct ub_ioc_seg_import seen, unseen;
	char *p, *q;
	__u32 value;

	ASSERT_EQ(0, ub_import(self->fd, &self->cred, RW, UB_SEG_IMPORT_DUMMY, &seen));
	ASSERT_EQ(0, ub_import(self->fd, &self->cred, RW, UB_SEG_IMPORT_DUMMY, &unseen));
	p = ub_map(self->fd, seen.mmap_offset, 4 * PAGE, PROT_READ | PROT_WRITE);
	q = ub_map(self->fd, unseen.mmap_offset, 4 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_NE(MAP_FAILED, (void *)q);
	EXPECT_EQ(-1, ub_differs(p, 4 * PAGE, 1));
	EXPECT_EQ(-1, ub_differs(q, 4 * PAGE, 1));
	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, false));
	ASSERT_EQ(0, ub_load(p, &value));
	EXPECT_EQ(0, value);
	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, true));
	EXPECT_EQ(UB_IMPORT_DEAD, self->states[seen.slot].state);
	EXPECT_TRUE(ub_is_zero(p, 4 * PAGE));
	EXPECT_EQ(-EOWNERDEAD, ub_wait(self->fd, seen.handle, 0, 0, 0));
	EXPECT_EQ(UB_IMPORT_ALIVE, self->states[unseen.slot].state);
	EXPECT_EQ(-1, ub_differs(q, 4 * PAGE, 1));
}

/* Links flap while somebody reads: never wrong data, only SIGBUS in between. */
TEST_F(events, flapping_links_show_data_or_nothing)
{
	struct ub_board *board = ub_board_make();
	int i, rounds = ub_long() ? 2000 : 100;
	pid_t pid;

	ASSERT_NE(NULL, board);
	pid = ub_fork();
	if (!pid) {
		struct ub_ioc_seg_import import;
		int fd = ub_open(self->pod.npu[1]);
		unsigned int n = 0;
		__u32 value, want;
		char *p;

		if (ub_import(fd, &self->cred, RW, 0, &import))
			_exit(1);
		p = ub_map(fd, import.mmap_offset, 4 * PAGE, PROT_READ);
		ub_step(board, 1);
		while (board->step < 2) {
			n = (n + 1001) % PAGE;
			memcpy(&want, self->mem + n * 4, 4);
			if (!ub_load(p + n * 4, &value) && value != want)
				_exit(2);
		}
		if (ub_load(p, &value))
			_exit(3);
		_exit(0);
	}
	ASSERT_EQ(0, ub_step_wait(board, 1));
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, false));
		ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, true));
	}
	ub_step(board, 2);
	EXPECT_EQ(0, ub_join(pid));
}

TEST_HARNESS_MAIN
