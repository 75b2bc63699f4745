// SPDX-License-Identifier: GPL-2.0
/*
 * A 32-bit process on a 64-bit kernel: the same calls with the same structures, and
 * mmap() with offsets that fit its page numbers.
 */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "ub_test.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define HANDLES 4096

_Static_assert(sizeof(long) == 4 && sizeof(off_t) == 8, "compiled with -m32, large files");

FIXTURE(compat) {
	struct ub_pod pod;
	int fd, peer;
	struct ub_ioc_seg_alloc seg;
	struct ub_ioc_seg_import import;
};

FIXTURE_SETUP(compat)
{
	struct ub_cred cred;

	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-compat", 2, 4096));
	self->fd = ub_open(self->pod.npu[0]);
	self->peer = ub_open(self->pod.npu[1]);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->peer);
	ASSERT_EQ(0, ub_alloc(self->fd, 0, MIB, &self->seg));
	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, 0, &cred));
	ASSERT_EQ(0, ub_import(self->peer, &cred, RW, 0, &self->import));
}

FIXTURE_TEARDOWN(compat)
{
	close(self->peer);
	close(self->fd);
	ub_pod_drop(&self->pod);
}

TEST_F(compat, owner_and_user_see_the_same_bytes)
{
	char *p = ub_map(self->fd, self->seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
	char *q = ub_map(self->peer, self->import.mmap_offset, MIB, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_NE(MAP_FAILED, (void *)q);
	ub_fill(p, MIB, 1);
	EXPECT_EQ(-1, ub_differs(q, MIB, 1));
	ub_fill(q, MIB, 2);
	EXPECT_EQ(-1, ub_differs(p, MIB, 2));
	/* A part, from the middle on. */
	munmap(q, MIB);
	q = ub_map(self->peer, self->import.mmap_offset + MIB / 2, MIB / 2, PROT_READ);
	ASSERT_NE(MAP_FAILED, (void *)q);
	EXPECT_EQ(0, memcmp(p + MIB / 2, q, MIB / 2));
	ASSERT_EQ(0, ub_free(self->fd, self->seg.handle));
	EXPECT_EQ(SIGBUS, ub_load(q, &(__u32){ 0 }));
}

TEST_F(compat, the_fixed_pages_are_where_they_are)
{
	const volatile struct ub_status *status = ub_status(self->fd);
	struct ub_account *account;

	ASSERT_NE(MAP_FAILED, (void *)status);
	EXPECT_EQ(UB_ABI_VERSION, status->abi);
	EXPECT_EQ(1, status->nr);
	EXPECT_EQ(UB_IMPORT_ALIVE, ub_states(self->peer)[self->import.slot].state);
	account = ub_map(self->peer, UB_MMAP_ACCOUNT, PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)account);
	account[self->import.slot].loaded = 1;
}

TEST_F(compat, every_handle_can_be_mapped)
{
	__u32 handle, value, seen = 0;
	struct ub_ioc_seg_alloc seg;
	char *p;

	for (handle = self->seg.handle + 1; handle <= HANDLES; handle++) {
		ASSERT_EQ(0, ub_alloc(self->fd, 0, PAGE, &seg));
		ASSERT_EQ(handle, seg.handle);
		/* The last ones, where page numbers end, and each of the first. */
		if (handle > 40 && handle < HANDLES - 8)
			continue;
		p = ub_map(self->fd, seg.mmap_offset, PAGE, PROT_READ | PROT_WRITE);
		ASSERT_NE(MAP_FAILED, (void *)p);
		ASSERT_EQ(0, ub_load(p, &value));
		ASSERT_EQ(0, value);
		ASSERT_EQ(0, ub_store(p, handle));
		seen++;
	}
	EXPECT_EQ(48, seen);
	EXPECT_EQ(-ENOSPC, ub_alloc(self->fd, 0, PAGE, &seg));
}

TEST_F(compat, what_it_cannot_map_it_does_not_get)
{
	long long old = ub_param_set("uid_quota_mib", 1 << 20);
	struct ub_ioc_seg_alloc seg, next;
	char *p;

	ASSERT_LE(0, old);
	EXPECT_EQ(-EINVAL, ub_alloc(self->fd, 0, 2048ULL * MIB + 1, &seg));
	EXPECT_EQ(-EINVAL, ub_alloc(self->fd, 0, 3072ULL * MIB, &seg));
	ASSERT_EQ(0, ub_alloc(self->fd, 0, 2048ULL * MIB, &seg));
	ASSERT_EQ(0, ub_alloc(self->fd, 0, PAGE, &next));
	p = ub_map(self->fd, seg.mmap_offset + 2048ULL * MIB - PAGE, PAGE, PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(0, ub_store(p, 1));
	EXPECT_EQ(MAP_FAILED, ub_map(self->fd, seg.mmap_offset + 2048ULL * MIB - PAGE, 2 * PAGE,
				     PROT_WRITE));
	ub_param_set("uid_quota_mib", old);
}

TEST_F(compat, sixty_four_bit_numbers_arrive_whole)
{
	unsigned long long start = ub_now_ns();
	struct ub_ioc_seg_alloc seg;
	struct ub_event event;
	__u64 copied = 0;

	/* 1 << 32 ns and more, of which the low half alone would be nothing. */
	EXPECT_EQ(-EAGAIN, ub_wait(self->fd, self->seg.handle, 0, 1, 1LL << 32));
	EXPECT_EQ(-ETIMEDOUT, ub_wait(self->fd, self->seg.handle, 0, 0, 10 * 1000 * 1000));
	EXPECT_LE(10ULL * 1000 * 1000, ub_now_ns() - start);
	EXPECT_EQ(0, ub_wake(self->fd, self->seg.handle, 0, 1, NULL));
	ASSERT_EQ(0, ub_alloc(self->fd, UB_SEG_POPULATE, MIB, &seg));
	EXPECT_EQ(0, ub_copy(self->fd, seg.handle, 0, self->seg.handle, 0, MIB, &copied));
	EXPECT_EQ(MIB, copied);
	EXPECT_EQ(-ERANGE, ub_copy(self->fd, seg.handle, 1ULL << 32, self->seg.handle, 0, MIB,
				   NULL));
	/* Events. */
	ASSERT_EQ(0, ub_revoke(self->fd, self->seg.handle));
	ASSERT_EQ(sizeof(event), read(self->peer, &event, sizeof(event)));
	EXPECT_EQ(UB_EVENT_IMPORT, event.type);
	EXPECT_EQ(self->import.slot, event.a);
	EXPECT_EQ(UB_IMPORT_DEAD, event.b);
}

TEST_HARNESS_MAIN
