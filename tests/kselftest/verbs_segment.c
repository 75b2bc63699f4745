// SPDX-License-Identifier: GPL-2.0
/*
 * Regions of driver segments: registering a mapping of /dev/ub/ubN registers the
 * segment, with the rights of the mapping's handle, and for as long as it lives.
 */
#define _GNU_SOURCE
#include "uverbs.h"

#define PAGE 4096UL
#define MIB (1UL << 20)

FIXTURE(verbs_segment) {
	struct ub_pod pod;
	struct uv_end a, b;
	int home;			/* context of b's NPU, which owns the segment */
	struct ub_ioc_seg_alloc seg;
	char *own;			/* the owner's mapping */
	struct ub_cred cred;
};

FIXTURE_SETUP(verbs_segment)
{
	if (!uv_present())
		SKIP(return, "the module ub_verbs is not loaded");
	ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vseg", 3));
	ASSERT_EQ(0, uv_ends(&self->a, &self->b, &self->pod, MIB, NULL, NULL));
	self->home = ub_open(self->pod.npu[1]);
	ASSERT_LE(0, self->home);
	ASSERT_EQ(0, ub_alloc(self->home, 0, MIB, &self->seg));
	self->own = ub_map(self->home, self->seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)self->own);
	ASSERT_EQ(0, ub_share(self->home, self->seg.handle, RW, 0, &self->cred));
}

FIXTURE_TEARDOWN(verbs_segment)
{
	ub_pod_drop(&self->pod);
}

/* The status of a write or read of a, which comes back afterwards. */
static int remotely(FIXTURE_DATA(verbs_segment) *self, enum ub_op op, const struct uv_mr *mr,
		    size_t offset, __u32 length)
{
	struct ub_sge sge = uv_sge(&self->a.mr, 0, length);
	int status = uv_do(&self->a.qp, &self->a.cq, uv_rdma(op, 1, mr, offset), &sge, 1);

	if (!status)
		return 0;
	return uv_set_state(&self->a.qp, UV_RESET) ?: uv_set_state(&self->b.qp, UV_RESET) ?:
	       uv_pair(&self->a.qp, &self->b.qp, NULL) ?: status;
}

/* An import of it through an NPU, mapped. */
static char *import_as(FIXTURE_DATA(verbs_segment) *self, int npu, __u32 access,
		       struct ub_ioc_seg_import *import, int *fd)
{
	int prot = PROT_READ | (access & UB_ACCESS_WRITE ? PROT_WRITE : 0);

	*fd = ub_open(self->pod.npu[npu]);
	if (*fd < 0 || ub_import(*fd, &self->cred, access, 0, import))
		return NULL;
	return ub_map(*fd, import->mmap_offset, MIB, prot);
}

UV_TEST_F(verbs_segment, data_lands_in_the_segment)
{
	struct ub_ioc_seg_import import;
	struct uv_mr mr;
	char *theirs;
	int fd;

	theirs = import_as(self, 2, RW, &import, &fd);
	ASSERT_NE(NULL, theirs);
	/* A part, off page boundaries, that nobody has touched. */
	ASSERT_EQ(0, uv_reg(&self->b.dev, &mr, self->own + 5 * PAGE + 3, 300000, UV_ALL));
	ub_fill(self->a.mr.at, 300000, 1);
	EXPECT_EQ(0, remotely(self, UB_OP_WRITE, &mr, 0, 300000));
	EXPECT_EQ(-1, ub_differs(self->own + 5 * PAGE + 3, 300000, 1));
	EXPECT_EQ(-1, ub_differs(theirs + 5 * PAGE + 3, 300000, 1));
	EXPECT_TRUE(ub_is_zero(self->own, 5 * PAGE + 3));
	EXPECT_TRUE(ub_is_zero(self->own + 5 * PAGE + 3 + 300000, PAGE));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &mr, 299993, 8));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &mr, -1, 8));
	/* Stores of a peer are read, at once. */
	ub_fill(theirs + 5 * PAGE + 3, 300000, 2);
	EXPECT_EQ(0, remotely(self, UB_OP_READ, &mr, 0, 300000));
	EXPECT_EQ(-1, ub_differs(self->a.mr.at, 300000, 2));
	/* The mapping may go: the segment is meant. */
	munmap(self->own, MIB);
	ub_fill(self->a.mr.at, 1000, 3);
	EXPECT_EQ(0, remotely(self, UB_OP_WRITE, &mr, 0, 1000));
	EXPECT_EQ(-1, ub_differs(theirs + 5 * PAGE + 3, 1000, 3));
}

UV_TEST_F(verbs_segment, it_receives_and_it_sends)
{
	struct ub_sge room, sge;
	struct uv_mr mr;

	ASSERT_EQ(0, uv_reg(&self->b.dev, &mr, self->own, MIB, UV_ALL));
	room = uv_sge(&mr, 77, 200000);
	sge = uv_sge(&self->a.mr, 0, 200000);
	ub_fill(self->a.mr.at, 200000, 1);
	ASSERT_EQ(0, uv_recv(&self->b.qp, 1, &room, 1));
	ASSERT_EQ(0, uv_do(&self->a.qp, &self->a.cq, uv_sqe(UB_OP_SEND, 1), &sge, 1));
	ASSERT_EQ(0, uv_status(&self->b.cq, 1));
	EXPECT_EQ(-1, ub_differs(self->own + 77, 200000, 1));
	ASSERT_EQ(0, uv_recv(&self->a.qp, 1, &sge, 1));
	ub_fill(self->own + 77, 200000, 2);
	ASSERT_EQ(0, uv_do(&self->b.qp, &self->b.cq, uv_sqe(UB_OP_SEND, 1), &room, 1));
	EXPECT_EQ(-1, ub_differs(self->a.mr.at, 200000, 2));
}

UV_TEST_F(verbs_segment, rights_are_the_imports)
{
	struct ub_ioc_seg_import import;
	struct uv_mr mr;
	char *map;
	int fd;

	map = import_as(self, 1, UB_ACCESS_READ, &import, &fd);
	ASSERT_NE(NULL, map);
	EXPECT_EQ(-EACCES, uv_reg(&self->b.dev, &mr, map, MIB, UV_ALL));
	EXPECT_EQ(-EACCES, uv_reg(&self->b.dev, &mr, map, MIB, UB_REGION_LOCAL_WRITE));
	ASSERT_EQ(0, uv_reg(&self->b.dev, &mr, map, MIB, UB_REGION_READ));
	EXPECT_EQ(0, remotely(self, UB_OP_READ, &mr, 0, 8));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &mr, 0, 8));
	/* Read and write do not make it atomic. */
	map = import_as(self, 1, RW, &import, &fd);
	ASSERT_NE(NULL, map);
	EXPECT_EQ(-EACCES, uv_reg(&self->b.dev, &mr, map, MIB, UV_ALL));
	ASSERT_EQ(0, uv_reg(&self->b.dev, &mr, map, MIB, UV_ALL & ~UB_REGION_ATOMIC));
	EXPECT_EQ(0, remotely(self, UB_OP_WRITE, &mr, 0, 8));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_FETCH_ADD, &mr, 0, 8));
}

UV_TEST_F(verbs_segment, it_lives_at_its_home)
{
	struct ub_ioc_seg_import import;
	struct uv_mr mr;
	char *map;
	int fd;

	/* Another NPU's device would reach it by a third way. */
	EXPECT_EQ(-EOPNOTSUPP, uv_reg(&self->a.dev, &mr, self->own, MIB, UV_ALL));
	/* Through which NPU it is imported says nothing of where it is. */
	map = import_as(self, 0, RW, &import, &fd);
	ASSERT_NE(NULL, map);
	EXPECT_EQ(-EOPNOTSUPP, uv_reg(&self->a.dev, &mr, map, MIB, UB_REGION_READ));
	/* What is only partly a segment is nothing. */
	EXPECT_GT(0, uv_reg(&self->b.dev, &mr, self->own + PAGE, MIB, UV_ALL));
}

/* After each of these nobody reaches the memory by the key. */
UV_TEST_F(verbs_segment, it_dies_with_the_segment)
{
	struct uv_mr mr;

	ASSERT_EQ(0, uv_reg(&self->b.dev, &mr, self->own, MIB, UV_ALL));
	EXPECT_EQ(0, remotely(self, UB_OP_WRITE, &mr, 0, 8));
	ASSERT_EQ(0, ub_free(self->home, self->seg.handle));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &mr, 0, 8));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_READ, &mr, 0, 8));
	EXPECT_EQ(0, uv_dereg(&mr));
	/* A new one is not the old one. */
	ASSERT_EQ(0, ub_alloc(self->home, 0, MIB, &self->seg));
}

UV_TEST_F(verbs_segment, it_dies_with_the_import)
{
	struct ub_ioc_seg_import import;
	struct uv_mr of_import, of_owner;
	__u32 value;
	char *map;
	int fd;

	map = import_as(self, 1, RW, &import, &fd);
	ASSERT_NE(NULL, map);
	ASSERT_EQ(0, uv_reg(&self->b.dev, &of_import, map, MIB, UB_REGION_READ));
	ASSERT_EQ(0, uv_reg(&self->b.dev, &of_owner, self->own, MIB, UB_REGION_READ));
	EXPECT_EQ(0, remotely(self, UB_OP_READ, &of_import, 0, 8));
	/* Rotating and revoking kill what was made by the token, and spare the owner's. */
	ASSERT_EQ(0, ub_rotate(self->home, self->seg.handle, &value));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_READ, &of_import, 0, 8));
	EXPECT_EQ(0, remotely(self, UB_OP_READ, &of_owner, 0, 8));
	ASSERT_EQ(0, ub_revoke(self->home, self->seg.handle));
	EXPECT_EQ(0, remotely(self, UB_OP_READ, &of_owner, 0, 8));
	/* The owner's end is the end. */
	close(self->home);
	munmap(self->own, MIB);
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_READ, &of_owner, 0, 8));
}

struct writer {
	FIXTURE_DATA(verbs_segment) *self;
	struct uv_mr mr;
	volatile int running;
	int status;
};

static void *write_on(void *data)
{
	struct writer *w = data;
	struct uv_end *a = &w->self->a;
	struct ub_sge sge = uv_sge(&a->mr, 0, MIB);

	do {
		w->status = uv_do(&a->qp, &a->cq, uv_rdma(UB_OP_WRITE, 1, &w->mr, 0), &sge, 1);
		w->running = 1;
	} while (!w->status);
	return NULL;
}

/* Freed in the middle of a write: its pages are others' afterwards, as they were. */
UV_TEST_F(verbs_segment, freed_under_writes)
{
	int i, rounds = ub_debug_kernel() ? 10 : 60;
	struct writer w = { .self = self };
	struct ub_ioc_seg_alloc seg;
	pthread_t thread;
	char *map;

	memset(self->a.mr.at, 0x77, MIB);
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, ub_alloc(self->home, 0, MIB, &seg));
		map = ub_map(self->home, seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
		ASSERT_NE(MAP_FAILED, (void *)map);
		ASSERT_EQ(0, uv_reg(&self->b.dev, &w.mr, map, MIB, UV_ALL));
		w.running = 0;
		ASSERT_EQ(0, pthread_create(&thread, NULL, write_on, &w));
		ASSERT_EQ(0, ub_until(&w.running, 1));
		usleep(i * 37 % 500);
		ASSERT_EQ(0, ub_free(self->home, seg.handle));
		munmap(map, MIB);
		map = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		ASSERT_NE(MAP_FAILED, (void *)map);
		pthread_join(thread, NULL);
		EXPECT_EQ(UB_CR_REM_ACCESS, w.status);
		ASSERT_TRUE(ub_is_zero(map, 4 * MIB));
		munmap(map, 4 * MIB);
		ASSERT_EQ(0, uv_dereg(&w.mr));
		ASSERT_EQ(0, uv_set_state(&self->a.qp, UV_RESET));
		ASSERT_EQ(0, uv_set_state(&self->b.qp, UV_RESET));
		ASSERT_EQ(0, uv_pair(&self->a.qp, &self->b.qp, NULL));
	}
	EXPECT_EQ(MIB, ub_sysfs(self->pod.npu[1], "mem_used"));
}

TEST_HARNESS_MAIN
