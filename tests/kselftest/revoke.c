// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a segment or of its token, by every way there is, while several
 * threads of several processes use it.
 *
 * Whoever sees the effect (SIGBUS, or a zero where there was none) must be able
 * to see the cause: the state word and the generation have changed already.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "ub_test.h"

#define PAGE 4096UL
#define PAGES 64
#define LEN (PAGES * PAGE)
#define USERS 3		/* processes, with two threads each */

enum way { ROTATE, REVOKE, FREE, CLOSE, KILL, KILL_BESIDE_CHILD, EXEC, POD };

FIXTURE(revoke) {
	struct ub_pod pod;
	struct ub_board *board;
	pid_t owner, user[USERS];
};

FIXTURE_SETUP(revoke)
{
	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-revoke", 3, 64));
	self->board = ub_board_make();
	ASSERT_NE(NULL, self->board);
}

FIXTURE_TEARDOWN(revoke)
{
	ub_pod_drop(&self->pod);
}

/* Steps of the board. */
enum { SHARED = 1, END = 2, ENDED = 3, CHECK = 4 };
#define READY 0		/* board->n: users that have touched everything */
#define ORPHAN 1	/* board->n: the owner's child has seen the end */

/* ---- the owner ------------------------------------------------------------------ */

/* A child of the owner that holds its file and its mapping. */
static void be_orphan(FIXTURE_DATA(revoke) *self, int fd, char *mem)
{
	unsigned long long end = ub_now_ns() + UB_LIVENESS_S * 1000000000ULL;
	struct ub_ioc_seg_alloc seg;
	__u32 value;

	while (!ub_load(mem, &value) && ub_now_ns() < end)
		ub_sleep_ms(1);
	if (ub_load(mem + PAGE, &value) == SIGBUS &&
	    ub_alloc(fd, 0, PAGE, &seg) == -EOWNERDEAD)
		self->board->n[ORPHAN] = 1;
	_exit(0);
}

static void be_owner(struct __test_metadata *_metadata, FIXTURE_DATA(revoke) *self,
		     enum way way)
{
	struct ub_board *board = self->board;
	__u32 i, value;
	char *mem;
	int fd;

	fd = ub_open_flags(self->pod.npu[0], O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ub_alloc(fd, 0, LEN, &board->seg));
	mem = ub_map(fd, board->seg.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)mem);
	for (i = 0; i < LEN; i += 4)
		*(__u32 *)(mem + i) = 0x11111111;
	ASSERT_EQ(0, ub_share(fd, board->seg.handle, RW, 0, &board->cred));
	if (way == KILL_BESIDE_CHILD && !fork()) /* outlives its parent */
		be_orphan(self, fd, mem);
	ub_step(board, SHARED);
	ASSERT_EQ(0, ub_step_wait(board, END));
	switch (way) {
	case ROTATE:
		ASSERT_EQ(0, ub_rotate(fd, board->seg.handle, &board->cred.value));
		break;
	case REVOKE:
		ASSERT_EQ(0, ub_revoke(fd, board->seg.handle));
		break;
	case FREE:
		ASSERT_EQ(0, ub_free(fd, board->seg.handle));
		ASSERT_EQ(SIGBUS, ub_load(mem, &value));
		_exit(0);
	case CLOSE:
		ASSERT_EQ(0, close(fd));
		ASSERT_EQ(SIGBUS, ub_load(mem, &value));
		_exit(0);
	case EXEC:
		execlp("sleep", "sleep", "60", NULL);
		_exit(99);
	default:
		for (;;)
			pause();
	}
	/* "At once": nobody's store comes after this. And it is still ours. */
	for (i = 0; i < LEN; i += 4)
		*(volatile __u32 *)(mem + i) = 0x22222222;
	ub_step(board, ENDED);
	ASSERT_EQ(0, ub_step_wait(board, CHECK));
	for (i = 0; i < LEN; i += 4)
		ASSERT_EQ(0x22222222, *(volatile __u32 *)(mem + i));
	_exit(0);
}

/* ---- the users ------------------------------------------------------------------- */

struct access {
	char *mem;
	bool dummy;
	const volatile struct ub_import_state *state;
	const volatile struct ub_status *status;
	__u64 generation;	/* before the end */
	volatile int *ready;
	int wrong;
};

/* Was the cause visible when the effect was? */
static int cause_is_visible(const struct access *a)
{
	struct ub_import_state state = *a->state;

	if (state.state != UB_IMPORT_DEAD || !state.zaps)
		return 11;
	if (a->status->generation == a->generation)
		return 12;
	return 0;
}

static void *access_until_the_end(void *data)
{
	struct access *a = data;
	unsigned int i, n = 0;
	__u32 value;

	for (i = 0; i < PAGES; i++)
		if (ub_load(a->mem + i * PAGE, &value))
			a->wrong = 1;
	__atomic_fetch_add(a->ready, 1, __ATOMIC_SEQ_CST);
	while (!a->wrong) {
		char *at = a->mem + n++ % PAGES * PAGE;
		int sig = ub_load(at, &value);

		if (sig || !value) {
			a->wrong = a->dummy != !sig ? 10 : cause_is_visible(a);
			break;
		}
		/* One word of the page for each thread: stores until the end. */
		sig = ub_store(at + 64, 0x33333333);
		if (sig) {
			a->wrong = a->dummy ? 13 : cause_is_visible(a);
			break;
		}
	}
	/* Dead is for good, on every page. */
	for (i = 0; i < PAGES && !a->wrong; i++) {
		int sig = ub_load(a->mem + i * PAGE, &value);

		if (a->dummy ? sig || value : sig != SIGBUS)
			a->wrong = 14;
	}
	return NULL;
}

static void be_user(FIXTURE_DATA(revoke) *self, unsigned int npu, enum way way)
{
	struct ub_board *board = self->board;
	struct ub_ioc_seg_import import[2];
	struct ub_event event;
	struct access a[2];
	pthread_t t[2];
	__u64 copied;
	int fd, i, want = way == POD ? -EIO : -EOWNERDEAD, seen = 0;

	fd = ub_open(self->pod.npu[npu]);
	if (fd < 0)
		_exit(2);
	for (i = 0; i < 2; i++) {
		if (ub_import(fd, &board->cred, RW, i ? UB_SEG_IMPORT_DUMMY : 0, &import[i]))
			_exit(3);
		a[i] = (struct access){
			.mem = ub_map(fd, import[i].mmap_offset, LEN, PROT_READ | PROT_WRITE),
			.dummy = i, .state = ub_states(fd) + import[i].slot,
			.status = ub_status(fd), .ready = &board->n[READY],
		};
		a[i].generation = a[i].status->generation;
		if (a[i].state->state != UB_IMPORT_ALIVE)
			_exit(4);
	}
	for (i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, access_until_the_end, &a[i]);
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	for (i = 0; i < 2; i++)
		if (a[i].wrong)
			_exit(a[i].wrong);
	/* Every call says the same. */
	if (ub_wait(fd, import[0].handle, 0, 0, 0) != want && way != POD)
		_exit(20);
	if (ub_copy(fd, import[0].handle, 0, import[1].handle, PAGE, 8, &copied) != want &&
	    way != POD)
		_exit(21);
	if (way == POD && ub_until((volatile int *)&a[0].status->flags, UB_STATUS_DEAD))
		_exit(22);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (read(fd, &event, sizeof(event)) == sizeof(event))
		seen += event.type == UB_EVENT_IMPORT && event.b == UB_IMPORT_DEAD;
	if (seen != 2)
		_exit(23);
	_exit(0);
}

/* ---- each way ------------------------------------------------------------------------ */

static void end_under_access(struct __test_metadata *_metadata,
			     FIXTURE_DATA(revoke) *self, enum way way)
{
	struct ub_board *board = self->board;
	int i;

	self->owner = ub_fork();
	if (!self->owner)
		be_owner(_metadata, self, way);
	ASSERT_EQ(0, ub_step_wait(board, SHARED));
	for (i = 0; i < USERS; i++) {
		self->user[i] = ub_fork();
		if (!self->user[i])
			be_user(self, i % 3, way);
	}
	ASSERT_EQ(0, ub_until(&board->n[READY], 2 * USERS));
	ub_step(board, END);
	if (way == KILL || way == KILL_BESIDE_CHILD)
		kill(self->owner, SIGKILL);
	if (way == POD)
		ASSERT_EQ(0, ub_pod_del(self->pod.name, true));
	for (i = 0; i < USERS; i++)
		EXPECT_EQ(0, ub_join(self->user[i]));
	if (way == ROTATE || way == REVOKE)
		EXPECT_EQ(0, ub_step_wait(board, ENDED));
	ub_step(board, CHECK);
	if (way == KILL || way == KILL_BESIDE_CHILD) {
		EXPECT_EQ(-SIGKILL, ub_join(self->owner));
	} else if (way == EXEC || way == POD) {
		kill(self->owner, SIGKILL);
		EXPECT_EQ(-SIGKILL, ub_join(self->owner));
	} else {
		EXPECT_EQ(0, ub_join(self->owner));
	}
	if (way != POD)
		EXPECT_EQ(0, ub_sysfs(self->pod.npu[0], "mem_used"));
}

TEST_F(revoke, rotate_under_access)
{
	end_under_access(_metadata, self, ROTATE);
}

TEST_F(revoke, revoke_under_access)
{
	end_under_access(_metadata, self, REVOKE);
}

TEST_F(revoke, free_under_access)
{
	end_under_access(_metadata, self, FREE);
}

TEST_F(revoke, close_under_access)
{
	end_under_access(_metadata, self, CLOSE);
}

TEST_F(revoke, owner_killed_under_access)
{
	end_under_access(_metadata, self, KILL);
}

TEST_F(revoke, owner_killed_while_a_child_holds_its_file)
{
	end_under_access(_metadata, self, KILL_BESIDE_CHILD);
	EXPECT_EQ(0, ub_until(&self->board->n[ORPHAN], 1));
}

/* The file is open across exec, the context is not. */
TEST_F(revoke, owner_execs_under_access)
{
	end_under_access(_metadata, self, EXEC);
}

TEST_F(revoke, pod_removed_by_force_under_access)
{
	end_under_access(_metadata, self, POD);
}

/* ---- what stays ------------------------------------------------------------------------- */

struct pair {
	int fd, user;
	struct ub_ioc_seg_alloc seg;
	struct ub_cred cred;
	struct ub_ioc_seg_import import;
	char *mem, *seen;
};

static void pair_make(struct __test_metadata *_metadata, const struct ub_pod *pod,
		      struct pair *p, __u32 flags)
{
	p->fd = ub_open(pod->npu[0]);
	p->user = ub_open(pod->npu[1]);
	ASSERT_LE(0, p->fd);
	ASSERT_LE(0, p->user);
	ASSERT_EQ(0, ub_alloc(p->fd, 0, LEN, &p->seg));
	p->mem = ub_map(p->fd, p->seg.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p->mem);
	ASSERT_EQ(0, ub_share(p->fd, p->seg.handle, RW, 0, &p->cred));
	ASSERT_EQ(0, ub_import(p->user, &p->cred, RW, flags, &p->import));
	p->seen = ub_map(p->user, p->import.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p->seen);
}

TEST_F(revoke, rotated_is_imported_again_with_the_new_value_only)
{
	struct ub_ioc_seg_import again;
	struct ub_cred old;
	struct pair p;
	__u32 value;
	char *q;

	pair_make(_metadata, &self->pod, &p, 0);
	ub_fill(p.mem, LEN, 4);
	old = p.cred;
	ASSERT_EQ(0, ub_rotate(p.fd, p.seg.handle, &p.cred.value));
	EXPECT_NE(old.value, p.cred.value);
	EXPECT_EQ(SIGBUS, ub_load(p.seen, &value));
	EXPECT_EQ(-1, ub_differs(p.mem, LEN, 4));
	EXPECT_EQ(-EACCES, ub_import(p.user, &old, RW, 0, &again));
	ASSERT_EQ(0, ub_import(p.user, &p.cred, RW, 0, &again));
	q = ub_map(p.user, again.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)q);
	EXPECT_EQ(-1, ub_differs(q, LEN, 4));
	/* The old one does not come back. A new mapping of it is dead, too. */
	EXPECT_EQ(SIGBUS, ub_load(p.seen, &value));
	q = ub_map(p.user, p.import.mmap_offset, LEN, PROT_READ);
	if (q != MAP_FAILED)
		EXPECT_EQ(SIGBUS, ub_load(q, &value));
}

TEST_F(revoke, revoked_can_be_exported_again)
{
	struct ub_ioc_seg_import again;
	struct ub_cred cred;
	struct pair p;

	pair_make(_metadata, &self->pod, &p, 0);
	ASSERT_EQ(0, ub_revoke(p.fd, p.seg.handle));
	EXPECT_EQ(-ENOENT, ub_revoke(p.fd, p.seg.handle));
	EXPECT_EQ(-ENOENT, ub_rotate(p.fd, p.seg.handle, NULL));
	ASSERT_EQ(0, ub_share(p.fd, p.seg.handle, UB_ACCESS_READ, 0, &cred));
	EXPECT_TRUE(cred.id != p.cred.id || cred.value != p.cred.value);
	EXPECT_EQ(-EACCES, ub_import(p.user, &p.cred, UB_ACCESS_READ, 0, &again));
	EXPECT_EQ(-EACCES, ub_import(p.user, &cred, RW, 0, &again));
	EXPECT_EQ(0, ub_import(p.user, &cred, UB_ACCESS_READ, 0, &again));
	EXPECT_EQ(UB_IMPORT_DEAD, ub_states(p.user)[p.import.slot].state);
	EXPECT_EQ(UB_IMPORT_ALIVE, ub_states(p.user)[again.slot].state);
}

/* Loads read zeros until the user's own stores; these reach nobody else. */
TEST_F(revoke, a_dummy_is_private_to_its_import)
{
	struct ub_ioc_seg_import other;
	struct pair p;
	__u32 value;
	char *q;

	pair_make(_metadata, &self->pod, &p, UB_SEG_IMPORT_DUMMY);
	ASSERT_EQ(0, ub_import(p.user, &p.cred, RW, UB_SEG_IMPORT_DUMMY, &other));
	q = ub_map(p.user, other.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)q);
	ub_fill(p.mem, LEN, 8);
	EXPECT_EQ(-1, ub_differs(p.seen, LEN, 8));
	ASSERT_EQ(0, ub_revoke(p.fd, p.seg.handle));
	EXPECT_TRUE(ub_is_zero(p.seen, LEN));
	ASSERT_EQ(0, ub_store(p.seen, 123));
	ASSERT_EQ(0, ub_load(q, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(-1, ub_differs(p.mem, LEN, 8));
	ASSERT_EQ(0, munmap(p.seen, LEN));
	close(p.user);
	EXPECT_TRUE(ub_is_zero(q, LEN));
}

/* ---- storms --------------------------------------------------------------------------------- */

/* Everybody does everything at random; then nothing may be left. */
TEST_F_TIMEOUT(revoke, random_operations_leave_nothing, 60)
{
	int rounds = ub_long() ? 20000 : ub_debug_kernel() ? 150 : 400;
	unsigned int seed = ub_seed(), i;
	pid_t pid[3];
	int npu;

	for (i = 0; i < 3; i++) {
		unsigned int rnd = seed + i;
		struct ub_board *board = self->board;

		pid[i] = ub_fork();
		if (pid[i])
			continue;
		for (int r = 0; r < rounds; r++) {
			int fd = ub_open(self->pod.npu[rand_r(&rnd) % 3]);
			struct ub_ioc_seg_import import;
			struct ub_ioc_seg_alloc seg;
			struct ub_cred cred;
			__u32 value;
			char *p;

			if (fd < 0 || ub_alloc(fd, rand_r(&rnd) & 3, PAGE * 8, &seg) ||
			    ub_share(fd, seg.handle, RW, 0, &cred))
				_exit(1);
			board->cred = cred; /* torn sometimes: that is welcome */
			cred = board->cred;
			if (!ub_import(fd, &cred, RW, rand_r(&rnd) & 1, &import)) {
				p = ub_map(fd, import.mmap_offset, PAGE * 8,
					   PROT_READ | PROT_WRITE);
				if (p != MAP_FAILED) {
					ub_store(p + PAGE * (rand_r(&rnd) % 8), r);
					ub_copy(fd, seg.handle, 0, import.handle, PAGE,
						PAGE * 2, NULL);
					if (rand_r(&rnd) & 1)
						ub_unimport(fd, import.handle);
					ub_load(p, &value);
					munmap(p, PAGE * 8);
				}
			}
			switch (rand_r(&rnd) % 4) {
			case 0:
				ub_rotate(fd, seg.handle, NULL);
				break;
			case 1:
				ub_revoke(fd, seg.handle);
				break;
			case 2:
				ub_free(fd, seg.handle);
				break;
			}
			close(fd);
		}
		_exit(0);
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, ub_join(pid[i]));
	for (npu = 0; npu < 3; npu++) {
		EXPECT_EQ(0, ub_sysfs(self->pod.npu[npu], "mem_used"));
		EXPECT_EQ(0, ub_sysfs(self->pod.npu[npu], "mem_backed"));
	}
	EXPECT_EQ(0, ub_pod_del(self->pod.name, false));
}

TEST_HARNESS_MAIN
