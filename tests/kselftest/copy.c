// SPDX-License-Identifier: GPL-2.0
/* UB_IOC_COPY: bit-exact, in its ranges, with the rights, and counted on links. */
#define _GNU_SOURCE
#include "ub_test.h"

#define PAGE 4096UL
#define CHUNK (64UL * 1024)	/* of a transaction, in the kernel */
#define LEN (4 * CHUNK)

FIXTURE(copy) {
	struct ub_pod pod;
	int fd[3];			/* one per NPU */
	struct ub_ioc_seg_alloc seg[3];	/* of NPU i, exported */
	struct ub_cred cred[3];
	char *mem[3];
	struct ub_ioc_seg_import import[3]; /* of segment i by NPU 2 */
};

FIXTURE_SETUP(copy)
{
	int i;

	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-copy", 3, 64));
	for (i = 0; i < 3; i++) {
		self->fd[i] = ub_open(self->pod.npu[i]);
		ASSERT_LE(0, self->fd[i]);
		ASSERT_EQ(0, ub_alloc(self->fd[i], 0, LEN, &self->seg[i]));
		self->mem[i] = ub_map(self->fd[i], self->seg[i].mmap_offset, LEN,
				      PROT_READ | PROT_WRITE);
		ASSERT_NE(MAP_FAILED, (void *)self->mem[i]);
		ASSERT_EQ(0, ub_share(self->fd[i], self->seg[i].handle, RW, 0, &self->cred[i]));
	}
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, ub_import(self->fd[2], &self->cred[i], RW, 0, &self->import[i]));
}

FIXTURE_TEARDOWN(copy)
{
	int i;

	for (i = 0; i < 3; i++)
		close(self->fd[i]);
	ub_pod_drop(&self->pod);
}

/* Copies, and checks each byte of the destination, also those beside. */
static bool copy_is_exact(FIXTURE_DATA(copy) *self, size_t from, size_t to, size_t len)
{
	__u64 copied = 99;

	memset(self->mem[1], 0x5a, LEN);
	if (ub_copy(self->fd[2], self->import[0].handle, from, self->import[1].handle, to,
		    len, &copied) || copied != len)
		return false;
	if (memcmp(self->mem[1] + to, self->mem[0] + from, len))
		return false;
	for (size_t i = 0; i < to; i++)
		if (self->mem[1][i] != 0x5a)
			return false;
	for (size_t i = to + len; i < LEN; i++)
		if (self->mem[1][i] != 0x5a)
			return false;
	return true;
}

TEST_F(copy, every_byte_at_every_boundary)
{
	static const size_t sizes[] = {
		0, 1, 2, 3, 7, 8, 9, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 5, CHUNK - 1, CHUNK,
		CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 4097,
	};
	static const size_t shifts[] = { 0, 1, 7, 8, PAGE - 1, PAGE, PAGE + 3, CHUNK - 1 };
	unsigned int s, a, b;

	ub_fill(self->mem[0], LEN, 11);
	for (s = 0; s < sizeof(sizes) / sizeof(*sizes); s++)
		for (a = 0; a < 8; a += 1 + s % 2)
			for (b = s % 3; b < 8; b += 3)
				EXPECT_TRUE(copy_is_exact(self, shifts[a], shifts[b], sizes[s]));
	EXPECT_TRUE(copy_is_exact(self, 0, 0, LEN));
	EXPECT_TRUE(copy_is_exact(self, LEN - 1, LEN - 1, 1));
	EXPECT_TRUE(copy_is_exact(self, LEN, LEN, 0));
}

TEST_F(copy, what_was_never_touched_is_zeros)
{
	memset(self->mem[1], 0x77, LEN);
	ASSERT_EQ(0, ub_copy(self->fd[2], self->import[0].handle, 0, self->import[1].handle,
			     0, LEN, NULL));
	EXPECT_TRUE(ub_is_zero(self->mem[1], LEN));
}

TEST_F(copy, outside_of_a_segment_is_erange)
{
	static const struct { __u64 src, dst, len; } bad[] = {
		{ 0, 0, LEN + 1 }, { 1, 0, LEN }, { 0, 1, LEN }, { LEN, 0, 1 }, { 0, LEN, 1 },
		{ LEN + 1, 0, 0 }, { 0, LEN + 1, 0 }, { ~0ULL, 0, 1 }, { 0, ~0ULL, 1 },
		{ ~0ULL, 0, 2 }, { 1, 1, ~0ULL }, { 0, 0, ~0ULL }, { 1ULL << 63, 0, 1ULL << 63 },
	};
	unsigned int i;
	__u64 copied;

	memset(self->mem[1], 0x5a, LEN);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(-ERANGE, ub_copy(self->fd[2], self->import[0].handle, bad[i].src,
					   self->import[1].handle, bad[i].dst, bad[i].len,
					   &copied));
		EXPECT_EQ(0, copied);
	}
	for (i = 0; i < LEN; i++)
		ASSERT_EQ(0x5a, self->mem[1][i]);
}

TEST_F(copy, overlap_is_einval_whatever_the_handles)
{
	struct ub_ioc_seg_import again;

	ASSERT_EQ(0, ub_import(self->fd[2], &self->cred[0], RW, 0, &again));
	EXPECT_EQ(-EINVAL, ub_copy(self->fd[2], self->import[0].handle, 0,
				   self->import[0].handle, 0, 1, NULL));
	EXPECT_EQ(-EINVAL, ub_copy(self->fd[2], self->import[0].handle, 0, again.handle,
				   PAGE - 1, PAGE, NULL));
	EXPECT_EQ(-EINVAL, ub_copy(self->fd[2], again.handle, PAGE, self->import[0].handle,
				   1, PAGE, NULL));
	ub_fill(self->mem[0], PAGE, 3);
	EXPECT_EQ(0, ub_copy(self->fd[2], self->import[0].handle, 0, again.handle, PAGE, PAGE,
			     NULL));
	EXPECT_EQ(-1, ub_differs(self->mem[0] + PAGE, PAGE, 3));
}

TEST_F(copy, rights_are_needed)
{
	struct ub_ioc_seg_import ro;
	__u64 copied;

	ASSERT_EQ(0, ub_import(self->fd[2], &self->cred[1], UB_ACCESS_READ, 0, &ro));
	ub_fill(self->mem[0], LEN, 5);
	EXPECT_EQ(-EACCES, ub_copy(self->fd[2], self->import[0].handle, 0, ro.handle, 0, PAGE,
				   &copied));
	EXPECT_TRUE(ub_is_zero(self->mem[1], LEN));
	EXPECT_EQ(0, ub_copy(self->fd[2], ro.handle, 0, self->import[0].handle, 0, PAGE, NULL));
}

TEST_F(copy, the_dead_and_the_unreachable)
{
	__u64 copied;

	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, false));
	EXPECT_EQ(-ENOLINK, ub_copy(self->fd[2], self->import[0].handle, 0,
				    self->import[1].handle, 0, PAGE, &copied));
	EXPECT_EQ(0, copied);
	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, true));
	EXPECT_EQ(0, ub_copy(self->fd[2], self->import[0].handle, 0, self->import[1].handle, 0,
			     PAGE, &copied));
	EXPECT_EQ(PAGE, copied);
	ASSERT_EQ(0, ub_revoke(self->fd[0], self->seg[0].handle));
	EXPECT_EQ(-EOWNERDEAD, ub_copy(self->fd[2], self->import[0].handle, 0,
				       self->import[1].handle, 0, PAGE, &copied));
	EXPECT_EQ(0, copied);
}

/* In a mesh of three, UBPU a's link to b has end 0 at the lower index. */
static int counters(FIXTURE_DATA(copy) *self, int a, int b, struct ub_link_counters *c)
{
	return ub_link_counters(self->pod.name, a, b, c);
}

TEST_F(copy, links_count_exactly_what_crosses_them)
{
	static const size_t sizes[] = { 1, 19, 20, 21, PAGE, PAGE + 1, CHUNK, CHUNK + 1 };
	struct ub_link_counters l01, l02, l12;
	unsigned long long bytes = 0, packets = 0, flits = 0;
	unsigned int s;

	for (s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		size_t left, n;

		ASSERT_EQ(0, ub_copy(self->fd[2], self->import[0].handle, 0,
				     self->import[1].handle, 0, sizes[s], NULL));
		for (left = sizes[s]; left; left -= n) {
			n = left < CHUNK ? left : CHUNK;
			bytes += n;
			packets += (n + PAGE - 1) / PAGE;
			flits += (n + 19) / 20;
		}
	}
	/* NPU 2 copies from 0 to 1: from 0 to 2 (up), from 2 to 1 (down). */
	ASSERT_EQ(0, counters(self, 0, 2, &l02));
	ASSERT_EQ(0, counters(self, 1, 2, &l12));
	ASSERT_EQ(0, counters(self, 0, 1, &l01));
	EXPECT_EQ(bytes, l02.bytes[0]);
	EXPECT_EQ(packets, l02.packets[0]);
	EXPECT_EQ(flits, l02.flits[0]);
	EXPECT_EQ(0, l02.bytes[1]);
	EXPECT_EQ(0, l12.bytes[0]);
	EXPECT_EQ(bytes, l12.bytes[1]);
	EXPECT_EQ(packets, l12.packets[1]);
	EXPECT_EQ(flits, l12.flits[1]);
	EXPECT_EQ(0, l01.bytes[0] + l01.bytes[1]);
	/* Within the NPU nothing crosses a link, and a refused copy does not. */
	ASSERT_EQ(0, ub_copy(self->fd[2], self->seg[2].handle, 0, self->seg[2].handle, PAGE,
			     PAGE, NULL));
	EXPECT_EQ(-ERANGE, ub_copy(self->fd[2], self->import[0].handle, 1,
				   self->import[1].handle, 0, LEN, NULL));
	ASSERT_EQ(0, counters(self, 0, 2, &l02));
	EXPECT_EQ(bytes, l02.bytes[0]);
}

TEST_F(copy, a_detour_is_counted_on_its_links)
{
	struct ub_link_counters l01, l02, l12;

	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 2, false));
	ASSERT_EQ(0, ub_copy(self->fd[2], self->import[0].handle, 0, self->seg[2].handle, 0,
			     PAGE, NULL));
	ASSERT_EQ(0, counters(self, 0, 1, &l01));
	ASSERT_EQ(0, counters(self, 0, 2, &l02));
	ASSERT_EQ(0, counters(self, 1, 2, &l12));
	EXPECT_EQ(PAGE, l01.bytes[0]);
	EXPECT_EQ(PAGE, l12.bytes[0]);
	EXPECT_EQ(0, l02.bytes[0] + l02.bytes[1]);
	EXPECT_EQ(1, l02.downs);
	EXPECT_EQ(UB_LINK_DOWN, l02.state);
}

/* What user space reports is kept apart, and goes to the routes of its time. */
TEST_F(copy, reported_traffic_is_a_group_of_its_own)
{
	struct ub_link_counters l01, l02;
	volatile struct ub_account *account;
	__u32 slot = self->import[0].slot;

	account = ub_map(self->fd[2], UB_MMAP_ACCOUNT, PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)account);
	account[slot].loaded += 1000;
	account[slot].stored += 7;
	ASSERT_EQ(0, counters(self, 0, 2, &l02));
	EXPECT_EQ(1000, l02.ldst[0]);
	EXPECT_EQ(7, l02.ldst[1]);
	EXPECT_EQ(0, l02.bytes[0]);
	/* Reported before the link goes down: it is that link's. */
	account[slot].loaded += 500;
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 2, false));
	account[slot].loaded += 30;
	ASSERT_EQ(0, counters(self, 0, 2, &l02));
	ASSERT_EQ(0, counters(self, 0, 1, &l01));
	EXPECT_EQ(1500, l02.ldst[0]);
	EXPECT_EQ(30, l01.ldst[0]);
	/* Nonsense is not believed; closing folds the rest. */
	account[slot].loaded -= 1;
	ASSERT_EQ(0, counters(self, 0, 1, &l01));
	EXPECT_EQ(30, l01.ldst[0]);
	account[slot].loaded += 5;
	ASSERT_EQ(0, ub_unimport(self->fd[2], self->import[0].handle));
	ASSERT_EQ(0, counters(self, 0, 1, &l01));
	EXPECT_EQ(35, l01.ldst[0]);
}

/* Also of a segment that is no more, on the route that it had. */
TEST_F(copy, what_was_reported_outlives_the_segment)
{
	struct ub_link_counters l01, l02, l12;
	volatile struct ub_account *account;

	account = ub_map(self->fd[2], UB_MMAP_ACCOUNT, PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)account);
	account[self->import[0].slot].loaded += 1000;
	account[self->import[1].slot].stored += 7;
	ASSERT_EQ(0, ub_free(self->fd[0], self->seg[0].handle));
	close(self->fd[1]);
	ASSERT_EQ(0, counters(self, 0, 2, &l02));
	ASSERT_EQ(0, counters(self, 1, 2, &l12));
	EXPECT_EQ(1000, l02.ldst[0]);
	EXPECT_EQ(7, l12.ldst[1]);
	/* Once, whatever comes later. */
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 2, false));
	ASSERT_EQ(0, ub_unimport(self->fd[2], self->import[0].handle));
	close(self->fd[2]);
	ASSERT_EQ(0, counters(self, 0, 1, &l01));
	ASSERT_EQ(0, counters(self, 0, 2, &l02));
	ASSERT_EQ(0, counters(self, 1, 2, &l12));
	EXPECT_EQ(0, l01.ldst[0]);
	EXPECT_EQ(1000, l02.ldst[0]);
	EXPECT_EQ(7, l12.ldst[1]);
	self->fd[1] = ub_open(self->pod.npu[1]);
	self->fd[2] = ub_open(self->pod.npu[2]);
}

TEST_F(copy, revoked_while_it_runs)
{
	struct ub_cred cred = self->cred[0];
	int i, dead = 0, rounds = ub_debug_kernel() ? 20 : 50;
	struct ub_ioc_seg_import import;
	struct ub_board *board = ub_board_make();
	pid_t pid;

	ASSERT_NE(NULL, board);
	board->cred = cred;
	ub_step(board, 1);
	pid = ub_fork();
	if (!pid) {
		for (i = 1; i <= rounds; i++) {
			__u64 copied;
			int ret;

			if (ub_step_wait(board, 2 * i - 1))
				_exit(2);
			if (ub_import(self->fd[2], &board->cred, RW, 0, &import))
				_exit(3);
			ub_step(board, 2 * i);
			do {
				ret = ub_copy(self->fd[2], import.handle, 0,
					      self->seg[2].handle, 0, LEN, &copied);
			} while (!ret);
			/* What is told as copied is whole chunks from the start. */
			if (ret != -EOWNERDEAD || copied % CHUNK || copied >= LEN)
				_exit(4);
			ub_unimport(self->fd[2], import.handle);
		}
		_exit(0);
	}
	for (i = 1; i <= rounds; i++) {
		if (ub_step_wait(board, 2 * i))
			break;
		ASSERT_EQ(0, ub_rotate(self->fd[0], self->seg[0].handle, &cred.value));
		board->cred = cred;
		dead++;
		ub_step(board, 2 * i + 1);
	}
	EXPECT_EQ(rounds, dead);
	EXPECT_EQ(0, ub_join(pid));
}

TEST_HARNESS_MAIN
