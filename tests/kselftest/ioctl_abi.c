// SPDX-License-Identifier: GPL-2.0
/* The contract of every ioctl: sizes, flags, reserved fields, pointers, numbers. */
#define _GNU_SOURCE
#include <stddef.h>

#include "ub_test.h"

#define PAGE 4096UL

/* No holes, and one layout on 32 and 64 bit: each field follows the one before. */
#define AT(type, field, offset)							\
	_Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)

AT(ub_ioc_query, features, 16); AT(ub_ioc_query, eid, 24); AT(ub_ioc_query, guid, 40);
AT(ub_ioc_query, pod, 56); AT(ub_ioc_query, backend, 72); AT(ub_ioc_query, index, 88);
AT(ub_ioc_query, nr_npus, 92); AT(ub_ioc_query, mem_size, 96);
AT(ub_ioc_query, mem_used, 104); AT(ub_ioc_query, max_handles, 112);
AT(ub_ioc_query, upi, 116); AT(ub_ioc_query, nr_links, 120);
AT(ub_ioc_query, reserved, 124); SIZE(ub_ioc_query, 128);
AT(ub_ioc_seg_alloc, length, 8); AT(ub_ioc_seg_alloc, mmap_offset, 16);
AT(ub_ioc_seg_alloc, handle, 24); AT(ub_ioc_seg_alloc, reserved, 28);
SIZE(ub_ioc_seg_alloc, 32);
AT(ub_ioc_handle, handle, 4); SIZE(ub_ioc_handle, 8);
AT(ub_ioc_seg_export, handle, 4); AT(ub_ioc_seg_export, access, 8);
AT(ub_ioc_seg_export, flags, 12); AT(ub_ioc_seg_export, token_id, 16);
AT(ub_ioc_seg_export, token_value, 20); SIZE(ub_ioc_seg_export, 24);
AT(ub_ioc_seg_rotate, token_value, 8); SIZE(ub_ioc_seg_rotate, 16);
AT(ub_ioc_seg_import, eid, 8); AT(ub_ioc_seg_import, token_id, 24);
AT(ub_ioc_seg_import, token_value, 28); AT(ub_ioc_seg_import, access, 32);
AT(ub_ioc_seg_import, handle, 36); AT(ub_ioc_seg_import, length, 40);
AT(ub_ioc_seg_import, mmap_offset, 48); AT(ub_ioc_seg_import, slot, 56);
SIZE(ub_ioc_seg_import, 64);
AT(ub_ioc_wait, offset, 8); AT(ub_ioc_wait, expected, 16); AT(ub_ioc_wait, flags, 20);
AT(ub_ioc_wait, timeout_ns, 24); SIZE(ub_ioc_wait, 32);
AT(ub_ioc_wake, offset, 8); AT(ub_ioc_wake, count, 16); AT(ub_ioc_wake, woken, 20);
SIZE(ub_ioc_wake, 24);
AT(ub_ioc_copy, src, 8); AT(ub_ioc_copy, src_offset, 16); AT(ub_ioc_copy, dst_offset, 24);
AT(ub_ioc_copy, length, 32); AT(ub_ioc_copy, copied, 40); SIZE(ub_ioc_copy, 48);
SIZE(ub_status, 32); AT(ub_status, generation, 8); SIZE(ub_status_link, 16);
SIZE(ub_import_state, 8); SIZE(ub_account, 16);
SIZE(ub_event, 32); AT(ub_event, value, 16); AT(ub_event, time_ns, 24);

enum { QUERY, ALLOC, FREE, EXPORT, ROTATE, REVOKE, IMPORT, UNIMPORT, WAIT, WAKE, COPY, NR };

/* Each ioctl, the size of its first version, and where flags and reserved are. */
static const struct {
	unsigned long nr;
	size_t size;
	int flags, reserved;	/* -1: there is none */
} ioctls[NR] = {
	[QUERY] = { UB_IOC_QUERY, 128, 4, 124 },
	[ALLOC] = { UB_IOC_SEG_ALLOC, 32, 4, 28 },
	[FREE] = { UB_IOC_SEG_FREE, 8, -1, -1 },
	[EXPORT] = { UB_IOC_SEG_EXPORT, 24, 12, -1 },
	[ROTATE] = { UB_IOC_SEG_ROTATE, 16, -1, 12 },
	[REVOKE] = { UB_IOC_SEG_REVOKE, 8, -1, -1 },
	[IMPORT] = { UB_IOC_SEG_IMPORT, 64, 4, 60 },
	[UNIMPORT] = { UB_IOC_SEG_UNIMPORT, 8, -1, -1 },
	[WAIT] = { UB_IOC_WAIT, 32, 20, -1 },
	[WAKE] = { UB_IOC_WAKE, 24, -1, -1 },
	[COPY] = { UB_IOC_COPY, 48, 4, -1 },
};

FIXTURE(abi) {
	struct ub_pod pod;
	int fd;
	struct ub_ioc_seg_alloc seg;	/* exported */
	struct ub_ioc_seg_alloc spare;	/* not exported */
	struct ub_cred cred;
	struct ub_ioc_seg_import import;
};

FIXTURE_SETUP(abi)
{
	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-abi", 2, 64));
	self->fd = ub_open(self->pod.npu[0]);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ub_alloc(self->fd, UB_SEG_POPULATE, 2 * PAGE, &self->seg));
	ASSERT_EQ(0, ub_alloc(self->fd, UB_SEG_POPULATE, PAGE, &self->spare));
	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, 0, &self->cred));
	ASSERT_EQ(0, ub_import(self->fd, &self->cred, RW, 0, &self->import));
}

FIXTURE_TEARDOWN(abi)
{
	close(self->fd);
	ub_pod_drop(&self->pod);
}

union arg {
	__u32 size;
	__u8 byte[PAGE + 64];
	struct ub_ioc_seg_alloc alloc;
	struct ub_ioc_handle handle;
	struct ub_ioc_seg_export export;
	struct ub_ioc_seg_rotate rotate;
	struct ub_ioc_seg_import import;
	struct ub_ioc_wait wait;
	struct ub_ioc_wake wake;
	struct ub_ioc_copy copy;
};

/* An argument with which ioctl @i succeeds; wait is -EAGAIN, as the word is 0. */
static void good_argument(FIXTURE_DATA(abi) *self, int i, union arg *arg)
{
	memset(arg, 0, sizeof(*arg));
	arg->size = ioctls[i].size;
	switch (i) {
	case ALLOC:
		arg->alloc.length = PAGE;
		break;
	case FREE:
		arg->handle.handle = self->spare.handle;
		break;
	case EXPORT:
		arg->export.handle = self->spare.handle;
		arg->export.access = RW;
		break;
	case ROTATE:
	case REVOKE:
		arg->handle.handle = self->seg.handle;
		break;
	case IMPORT:
		memcpy(arg->import.eid, self->cred.eid, sizeof(self->cred.eid));
		arg->import.token_id = self->cred.id;
		arg->import.token_value = self->cred.value;
		arg->import.access = RW;
		break;
	case UNIMPORT:
		arg->handle.handle = self->import.handle;
		break;
	case WAIT:
		arg->wait.handle = self->seg.handle;
		arg->wait.expected = 1;
		arg->wait.timeout_ns = 1;
		break;
	case WAKE:
		arg->wake.handle = self->seg.handle;
		break;
	case COPY:
		arg->copy.src = self->seg.handle;
		arg->copy.dst = self->spare.handle;
		arg->copy.length = PAGE;
		break;
	}
}

static int good_answer(int i)
{
	return i == WAIT ? -EAGAIN : 0;
}

/* What a failed call might have changed. */
struct world {
	struct ub_ioc_query query;
	long long backed;
	int exported, import;
	__u32 state;
};

static struct world look(FIXTURE_DATA(abi) *self)
{
	struct ub_ioc_seg_import again;
	struct ub_ioc_seg_export token;
	struct world w;

	memset(&w, 0, sizeof(w));
	ub_query(self->fd, &w.query);
	w.backed = ub_sysfs(self->pod.npu[0], "mem_backed");
	/* The credentials are still good, and the spare segment has none. */
	w.import = ub_import(self->fd, &self->cred, RW, 0, &again);
	if (!w.import)
		ub_unimport(self->fd, again.handle);
	w.exported = ub_export(self->fd, self->spare.handle, RW, 0, &token);
	if (!w.exported)
		ub_revoke(self->fd, self->spare.handle);
	w.state = ub_states(self->fd)[self->import.slot].state;
	return w;
}

#define EXPECT_UNCHANGED(before, after)					\
	EXPECT_EQ(0, memcmp(&(before), &(after), sizeof(before)))

TEST_F(abi, every_ioctl_works_with_its_own_size)
{
	union arg arg;
	int i;

	for (i = 0; i < NR; i++) {
		good_argument(self, i, &arg);
		/* FREE and REVOKE end what others need: last. */
		if (i == FREE || i == REVOKE)
			continue;
		EXPECT_EQ(good_answer(i), ub_ioctl(self->fd, ioctls[i].nr, &arg));
		if (i == ROTATE)
			self->cred.value = arg.rotate.token_value;
	}
	good_argument(self, REVOKE, &arg);
	EXPECT_EQ(0, ub_ioctl(self->fd, UB_IOC_SEG_REVOKE, &arg));
	good_argument(self, FREE, &arg);
	EXPECT_EQ(0, ub_ioctl(self->fd, UB_IOC_SEG_FREE, &arg));
}

TEST_F(abi, a_smaller_size_is_einval)
{
	struct world before = look(self), after;
	union arg arg;
	size_t size;
	int i;

	for (i = 0; i < NR; i++) {
		for (size = 0; size < ioctls[i].size; size++) {
			good_argument(self, i, &arg);
			arg.size = size;
			ASSERT_EQ(-EINVAL, ub_ioctl(self->fd, ioctls[i].nr, &arg));
		}
	}
	after = look(self);
	EXPECT_UNCHANGED(before, after);
}

TEST_F(abi, a_larger_size_with_a_zero_tail_is_accepted)
{
	static const size_t more[] = { 1, 4, 8, 100 };
	union arg arg;
	unsigned int k;
	int i;

	for (i = 0; i < NR; i++) {
		for (k = 0; k < 4; k++) {
			if ((i == FREE || i == REVOKE || i == UNIMPORT || i == EXPORT) && k)
				break;
			if (i == FREE || i == REVOKE)
				continue;
			good_argument(self, i, &arg);
			arg.size = ioctls[i].size + more[k];
			EXPECT_EQ(good_answer(i), ub_ioctl(self->fd, ioctls[i].nr, &arg));
			/* What the kernel does not know stays as it was. */
			EXPECT_TRUE(ub_is_zero(arg.byte + ioctls[i].size, 100));
			EXPECT_EQ(ioctls[i].size + more[k], arg.size);
			if (i == ROTATE)
				self->cred.value = arg.rotate.token_value;
		}
	}
}

TEST_F(abi, a_larger_size_with_anything_in_its_tail_is_e2big)
{
	static const size_t more[] = { 1, 4, 8, 100 };
	struct world before = look(self), after;
	union arg arg;
	unsigned int k;
	int i;

	for (i = 0; i < NR; i++) {
		for (k = 0; k < 4; k++) {
			good_argument(self, i, &arg);
			arg.size = ioctls[i].size + more[k];
			arg.byte[ioctls[i].size + more[k] - 1] = 1;
			EXPECT_EQ(-E2BIG, ub_ioctl(self->fd, ioctls[i].nr, &arg));
		}
		/* More than any kernel will know. */
		good_argument(self, i, &arg);
		arg.size = PAGE + 1;
		EXPECT_EQ(-E2BIG, ub_ioctl(self->fd, ioctls[i].nr, &arg));
		arg.size = ~0U;
		EXPECT_EQ(-E2BIG, ub_ioctl(self->fd, ioctls[i].nr, &arg));
	}
	after = look(self);
	EXPECT_UNCHANGED(before, after);
}

TEST_F(abi, unknown_flags_are_einval)
{
	static const __u32 known[NR] = {
		[ALLOC] = UB_SEG_HOST | UB_SEG_POPULATE | UB_SEG_DUMMY,
		[EXPORT] = UB_SEG_EXPORT_ANY_UID, [IMPORT] = UB_SEG_IMPORT_DUMMY,
	};
	struct world before = look(self), after;
	union arg arg;
	__u32 flag;
	int i, bit;

	for (i = 0; i < NR; i++) {
		for (bit = 0; bit < 32 && ioctls[i].flags >= 0; bit++) {
			flag = 1U << bit;
			if (known[i] & flag)
				continue;
			good_argument(self, i, &arg);
			memcpy(arg.byte + ioctls[i].flags, &flag, sizeof(flag));
			EXPECT_EQ(-EINVAL, ub_ioctl(self->fd, ioctls[i].nr, &arg));
		}
	}
	after = look(self);
	EXPECT_UNCHANGED(before, after);
}

TEST_F(abi, non_zero_reserved_is_einval)
{
	struct world before = look(self), after;
	union arg arg;
	int i, byte;

	for (i = 0; i < NR; i++) {
		for (byte = 0; byte < 4 && ioctls[i].reserved >= 0; byte++) {
			good_argument(self, i, &arg);
			arg.byte[ioctls[i].reserved + byte] = 0x80;
			EXPECT_EQ(-EINVAL, ub_ioctl(self->fd, ioctls[i].nr, &arg));
		}
	}
	after = look(self);
	EXPECT_UNCHANGED(before, after);
}

TEST_F(abi, a_bad_pointer_is_efault_and_changes_nothing)
{
	struct world before = look(self), after;
	union arg arg;
	char *pages;
	int i;

	pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)pages);
	ASSERT_EQ(0, mprotect(pages + PAGE, PAGE, PROT_NONE));
	for (i = 0; i < NR; i++) {
		char *split = pages + PAGE - ioctls[i].size + 1;

		EXPECT_EQ(-EFAULT, ub_ioctl(self->fd, ioctls[i].nr, NULL));
		EXPECT_EQ(-EFAULT, ub_ioctl(self->fd, ioctls[i].nr, (void *)~7UL));
		EXPECT_EQ(-EFAULT, ub_ioctl(self->fd, ioctls[i].nr, (void *)(1UL << 63)));
		EXPECT_EQ(-EFAULT, ub_ioctl(self->fd, ioctls[i].nr, pages + PAGE));
		/* All but the last byte are there. */
		good_argument(self, i, &arg);
		memcpy(split, &arg, ioctls[i].size - 1);
		EXPECT_EQ(-EFAULT, ub_ioctl(self->fd, ioctls[i].nr, split));
	}
	after = look(self);
	EXPECT_UNCHANGED(before, after);
}

/* The argument can be read, the answer not written: nobody knows the handle. */
TEST_F(abi, an_answer_that_cannot_be_written_changes_nothing)
{
	static const int answering[] = { QUERY, ALLOC, EXPORT, ROTATE, IMPORT };
	struct world before = look(self), after;
	unsigned int k, round;
	union arg arg;
	char *page;

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)page);
	for (round = 0; round < 20; round++) {
		for (k = 0; k < sizeof(answering) / sizeof(*answering); k++) {
			int i = answering[k];

			good_argument(self, i, &arg);
			if (i == ALLOC && round & 1)
				arg.alloc.flags = UB_SEG_POPULATE;
			ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ | PROT_WRITE));
			memcpy(page, &arg, ioctls[i].size);
			ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
			EXPECT_EQ(-EFAULT, ub_ioctl(self->fd, ioctls[i].nr, page));
		}
	}
	after = look(self);
	EXPECT_UNCHANGED(before, after);
	/* Handles and slots were given back. */
	EXPECT_GE(64, ub_next_handle(self->fd));
	ASSERT_EQ(0, ub_import(self->fd, &self->cred, RW, 0, &self->import));
	EXPECT_EQ(1, self->import.slot);
}

TEST_F(abi, handles_that_are_not_there_are_enoent)
{
	static const __u32 bad[] = { 0, 4096, 4097, 0x7fffffff, 0x80000000, ~0U };
	struct ub_ioc_seg_export token;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(-ENOENT, ub_free(self->fd, bad[i]));
		EXPECT_EQ(-ENOENT, ub_revoke(self->fd, bad[i]));
		EXPECT_EQ(-ENOENT, ub_rotate(self->fd, bad[i], NULL));
		EXPECT_EQ(-ENOENT, ub_unimport(self->fd, bad[i]));
		EXPECT_EQ(-ENOENT, ub_export(self->fd, bad[i], RW, 0, &token));
		EXPECT_EQ(-ENOENT, ub_wait(self->fd, bad[i], 0, 0, 0));
		EXPECT_EQ(-ENOENT, ub_wake(self->fd, bad[i], 0, 0, NULL));
		EXPECT_EQ(-ENOENT, ub_copy(self->fd, bad[i], 0, self->seg.handle, 0, 1, NULL));
		EXPECT_EQ(-ENOENT, ub_copy(self->fd, self->seg.handle, 0, bad[i], 0, 1, NULL));
	}
	/* The wrong kind, and not exported. */
	EXPECT_EQ(-ENOENT, ub_unimport(self->fd, self->seg.handle));
	EXPECT_EQ(-ENOENT, ub_free(self->fd, self->import.handle));
	EXPECT_EQ(-ENOENT, ub_rotate(self->fd, self->spare.handle, NULL));
	EXPECT_EQ(-ENOENT, ub_revoke(self->fd, self->spare.handle));
}

TEST_F(abi, other_numbers_are_enotty)
{
	union arg arg = { .size = 32 };
	unsigned int nr;

	for (nr = 0x0b; nr < 0x100; nr++)
		EXPECT_EQ(-ENOTTY, ub_ioctl(self->fd, _IO(UB_IOC_MAGIC, nr), &arg));
	for (nr = 0; nr <= 0x0a; nr++) {
		EXPECT_EQ(-ENOTTY, ub_ioctl(self->fd, _IOR(UB_IOC_MAGIC, nr, int), &arg));
		EXPECT_EQ(-ENOTTY, ub_ioctl(self->fd, _IOWR(UB_IOC_MAGIC, nr, long), &arg));
		EXPECT_EQ(-ENOTTY, ub_ioctl(self->fd, _IO('U', nr), &arg));
	}
}

TEST_F(abi, only_read_poll_mmap_and_ioctl)
{
	char byte = 0;

	EXPECT_EQ(-1, write(self->fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, ftruncate(self->fd, 0));
}

/* Random arguments: nothing to expect but that everything is there afterwards. */
TEST_F(abi, random_arguments_do_no_harm)
{
	int rounds = ub_long() ? 200000 : ub_debug_kernel() ? 3000 : 10000;
	unsigned int seed = ub_seed();
	int fd = ub_open(self->pod.npu[1]);
	union arg arg;
	int i, n, k;

	for (n = 0; n < rounds; n++) {
		i = rand_r(&seed) % NR;
		good_argument(self, i, &arg);
		for (k = rand_r(&seed) % 4; k; k--)
			arg.byte[4 + rand_r(&seed) % (ioctls[i].size - 4)] =
				rand_r(&seed) >> (rand_r(&seed) % 24);
		if (i == WAIT)	/* for ever, or an hour, is not what we want to see */
			arg.wait.timeout_ns &= 0xffff;
		if (i == ALLOC)
			arg.alloc.flags &= ~UB_SEG_POPULATE;
		if (i == IMPORT)
			memset(arg.import.eid, rand_r(&seed) & 1, 4); /* no back-off */
		if (i == COPY)
			arg.copy.length &= 0xfffff;
		ub_ioctl(rand_r(&seed) & 1 ? fd : self->fd, ioctls[i].nr, &arg);
	}
	close(fd);
	EXPECT_LE(0, ub_next_handle(self->fd));
}

TEST_HARNESS_MAIN
