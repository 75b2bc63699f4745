// SPDX-License-Identifier: GPL-2.0
/* Keys: they admit what their region admits, to the byte, and nothing once they are gone. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/stat.h>

#include "uverbs.h"

#define PAGE 4096UL
#define MIB (1UL << 20)

FIXTURE(verbs_keys) {
	struct ub_pod pod;
	struct uv_end a, b;
};

FIXTURE_SETUP(verbs_keys)
{
	if (!uv_present())
		SKIP(return, "the module ub_verbs is not loaded");
	ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vkeys", 3));
	ASSERT_EQ(0, uv_ends(&self->a, &self->b, &self->pod, 4 * MIB, NULL, NULL));
}

FIXTURE_TEARDOWN(verbs_keys)
{
	ub_pod_drop(&self->pod);
}

static int again(FIXTURE_DATA(verbs_keys) *self, __u32 access)
{
	struct uv_path path = UV_PATH;

	path.access = access;
	return uv_set_state(&self->a.qp, UV_RESET) ?: uv_set_state(&self->b.qp, UV_RESET) ?:
	       uv_pair(&self->a.qp, &self->b.qp, &path);
}

/* The status of an operation of a, of 8 bytes, on memory of b. */
static int try(FIXTURE_DATA(verbs_keys) *self, enum ub_op op, const struct uv_mr *remote,
	       size_t offset, __u32 length, const struct uv_mr *local)
{
	struct ub_sge sge = uv_sge(local, 0, length);

	return uv_do(&self->a.qp, &self->a.cq, uv_rdma(op, 1, remote, offset), &sge, 1);
}

static int remotely(FIXTURE_DATA(verbs_keys) *self, enum ub_op op, const struct uv_mr *remote,
		    size_t offset, __u32 length)
{
	int status = try(self, op, remote, offset, length, &self->a.mr);

	return status ? again(self, UV_ALL) ?: status : 0;
}

/* ---- rights -------------------------------------------------------------------------- */

static const struct right {
	enum ub_op op;
	__u32 access;
} rights[] = {
	{ UB_OP_WRITE, UB_REGION_WRITE },
	{ UB_OP_READ, UB_REGION_READ },
	{ UB_OP_FETCH_ADD, UB_REGION_ATOMIC },
	{ UB_OP_COMPARE_SWAP, UB_REGION_ATOMIC },
};

/* Each is given by the region and by the queue pair, and needed of both. */
UV_TEST_F(verbs_keys, every_right_is_needed)
{
	__u32 access;
	struct uv_mr mr;
	unsigned int i;
	int expected;

	for (access = 0; access < 16; access++) {
		/* The core of verbs wants local write with remote write and atomic. */
		__u32 asked = access | UB_REGION_LOCAL_WRITE;

		ASSERT_EQ(0, uv_reg(&self->b.dev, &mr, self->b.mr.at, PAGE, asked));
		for (i = 0; i < 4; i++) {
			expected = asked & rights[i].access ? 0 : UB_CR_REM_ACCESS;
			EXPECT_EQ(expected, remotely(self, rights[i].op, &mr, 0, 8));
			ASSERT_EQ(0, again(self, access));
			expected = access & rights[i].access ? 0 : UB_CR_REM_ACCESS;
			EXPECT_EQ(expected, try(self, rights[i].op, &self->b.mr, 0, 8,
						&self->a.mr));
			ASSERT_EQ(0, again(self, UV_ALL));
		}
		ASSERT_EQ(0, uv_dereg(&mr));
	}
}

UV_TEST_F(verbs_keys, what_is_written_locally_needs_the_right)
{
	struct ub_sge room, sge = uv_sge(&self->a.mr, 0, 8);
	struct uv_mr mine, theirs;

	ASSERT_EQ(0, uv_reg(&self->a.dev, &mine, self->a.mr.at, PAGE, UB_REGION_READ));
	ASSERT_EQ(0, uv_reg(&self->b.dev, &theirs, self->b.mr.at, PAGE, UB_REGION_READ));
	EXPECT_EQ(0, try(self, UB_OP_WRITE, &self->b.mr, 0, 8, &mine));
	EXPECT_EQ(UB_CR_LOC_PROT, try(self, UB_OP_READ, &self->b.mr, 0, 8, &mine));
	ASSERT_EQ(0, again(self, UV_ALL));
	EXPECT_EQ(UB_CR_LOC_PROT, try(self, UB_OP_FETCH_ADD, &self->b.mr, 0, 8, &mine));
	ASSERT_EQ(0, again(self, UV_ALL));
	room = uv_sge(&theirs, 0, 8);
	ASSERT_EQ(0, uv_recv(&self->b.qp, 5, &room, 1));
	EXPECT_EQ(UB_CR_REM_OP, uv_do(&self->a.qp, &self->a.cq, uv_sqe(UB_OP_SEND, 1), &sge, 1));
	EXPECT_EQ(UB_CR_LOC_PROT, uv_status(&self->b.cq, 5));
}

UV_TEST_F(verbs_keys, memory_that_is_read_only)
{
	void *at = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uv_mr mr;

	ASSERT_NE(MAP_FAILED, at);
	EXPECT_EQ(-EFAULT, uv_reg(&self->b.dev, &mr, at, PAGE, UV_ALL));
	ASSERT_EQ(0, uv_reg(&self->b.dev, &mr, at, PAGE, UB_REGION_READ));
	EXPECT_EQ(0, remotely(self, UB_OP_READ, &mr, 0, 8));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &mr, 0, 8));
	EXPECT_TRUE(ub_is_zero(at, PAGE));
}

/* ---- ranges ---------------------------------------------------------------------------- */

UV_TEST_F(verbs_keys, ranges_end_at_the_byte)
{
	struct uv_mr mr;

	/* From the middle of a page to the middle of another. */
	memset(self->b.mr.at, 0x11, 4 * PAGE);
	memset(self->a.mr.at, 0x22, 4 * PAGE);
	ASSERT_EQ(0, uv_reg(&self->b.dev, &mr, self->b.mr.at + 100, 5001, UV_ALL));
	EXPECT_EQ(0, remotely(self, UB_OP_WRITE, &mr, 0, 1));
	EXPECT_EQ(0, remotely(self, UB_OP_WRITE, &mr, 5000, 1));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &mr, -1, 1));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &mr, 5001, 1));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &mr, 5000, 2));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_READ, &mr, 0, 5002));
	EXPECT_EQ(0, remotely(self, UB_OP_WRITE, &mr, 0, 5001));
	EXPECT_EQ(0x11, self->b.mr.at[99]);
	EXPECT_EQ(0x22, self->b.mr.at[100]);
	EXPECT_EQ(0x22, self->b.mr.at[5100]);
	EXPECT_EQ(0x11, self->b.mr.at[5101]);
	/* Locally as well. */
	ASSERT_EQ(0, uv_reg(&self->a.dev, &mr, self->a.mr.at + 100, 5001, UV_ALL));
	EXPECT_EQ(0, try(self, UB_OP_WRITE, &self->b.mr, 0, 5001, &mr));
	EXPECT_EQ(UB_CR_LOC_PROT, try(self, UB_OP_WRITE, &self->b.mr, 0, 5002, &mr));
}

/* Nothing may be moved to anywhere. */
UV_TEST_F(verbs_keys, no_bytes_need_no_key)
{
	struct uv_mr none = { .key = 0xdeadbeef };

	EXPECT_EQ(0, try(self, UB_OP_WRITE, &none, 12345, 0, &none));
	EXPECT_EQ(0, try(self, UB_OP_READ, &none, 12345, 0, &none));
}

/* ---- keys of others --------------------------------------------------------------------- */

UV_TEST_F(verbs_keys, keys_of_other_domains_and_devices)
{
	struct uv_mr mr, wrong;
	struct uv_dev third;
	__u32 pd;

	ASSERT_EQ(0, uv_pd(&self->b.dev, &pd));
	ASSERT_EQ(0, uv_reg_in(&self->b.dev, pd, &mr, self->b.mr.at, PAGE, UV_ALL));
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &mr, 0, 8));
	ASSERT_EQ(0, uv_pd(&self->a.dev, &pd));
	ASSERT_EQ(0, uv_reg_in(&self->a.dev, pd, &mr, self->a.mr.at, PAGE, UV_ALL));
	EXPECT_EQ(UB_CR_LOC_PROT, try(self, UB_OP_WRITE, &self->b.mr, 0, 8, &mr));
	ASSERT_EQ(0, again(self, UV_ALL));
	/* Of the same memory, but on a third device; a's own key as b's. */
	ASSERT_EQ(0, uv_open(&third, self->pod.npu[2]));
	ASSERT_EQ(0, uv_reg(&third, &mr, self->b.mr.at, PAGE, UV_ALL));
	wrong = self->b.mr;
	wrong.key = mr.key == wrong.key ? ~mr.key : mr.key;
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &wrong, 0, 8));
	wrong.key = self->a.mr.key == wrong.key ? ~wrong.key : self->a.mr.key;
	if (wrong.key != self->b.mr.key)
		EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &wrong, 0, 8));
	/* A neighbour of a key. */
	wrong.key = self->b.mr.key ^ 1;
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &wrong, 0, 8));
	EXPECT_TRUE(ub_is_zero(self->b.mr.at, PAGE));
	EXPECT_LE(3, uv_counter(self->pod.npu[1], "resp_remote_access_errors"));
}

UV_TEST_F(verbs_keys, a_key_is_not_given_twice)
{
	struct uv_mr old, mr;
	int i;

	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, uv_reg(&self->b.dev, &mr, self->b.mr.at, PAGE, UV_ALL));
		if (i)
			ASSERT_NE(old.key, mr.key);
		ASSERT_EQ(0, uv_dereg(&mr));
		old = mr;
	}
	EXPECT_EQ(UB_CR_REM_ACCESS, remotely(self, UB_OP_WRITE, &old, 0, 8));
}

/* ---- keys that go ------------------------------------------------------------------------- */

struct writer {
	FIXTURE_DATA(verbs_keys) *self;
	struct uv_mr mr;
	volatile int running;
	int status;
};

/* Writes until it is refused. */
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

/* When the key is gone nobody writes any more: not even what is in progress. */
UV_TEST_F(verbs_keys, deregistered_under_writes)
{
	int i, rounds = ub_debug_kernel() ? 10 : 60;
	struct writer w = { .self = self };
	pthread_t thread;

	memset(self->a.mr.at, 0x77, MIB);
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, uv_reg(&self->b.dev, &w.mr, self->b.mr.at, MIB, UV_ALL));
		w.running = 0;
		ASSERT_EQ(0, pthread_create(&thread, NULL, write_on, &w));
		ASSERT_EQ(0, ub_until(&w.running, 1));
		usleep(i * 37 % 500);
		ASSERT_EQ(0, uv_dereg(&w.mr));
		memset(self->b.mr.at, 0, MIB);
		pthread_join(thread, NULL);
		EXPECT_EQ(UB_CR_REM_ACCESS, w.status);
		ASSERT_TRUE(ub_is_zero(self->b.mr.at, MIB));
		ASSERT_EQ(0, again(self, UV_ALL));
	}
}

/* The same of the sender's own memory: what it had there is not sent any more. */
UV_TEST_F(verbs_keys, deregistered_under_its_own_writes)
{
	int i, k, rounds = ub_debug_kernel() ? 10 : 60;
	struct ub_sge sge;
	struct uv_mr mr;

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, uv_reg(&self->a.dev, &mr, self->a.mr.at, 4 * MIB, UV_ALL));
		sge = uv_sge(&mr, 0, 4 * MIB);
		for (k = 0; k < 8; k++)
			ASSERT_EQ(0, uv_post(&self->a.qp, uv_rdma(UB_OP_WRITE, k, &self->b.mr, 0),
					     &sge, 1));
		ASSERT_EQ(0, uv_bell(&self->a.qp)); /* leaves most of it to the worker */
		ASSERT_EQ(0, uv_dereg(&mr));
		memset(self->a.mr.at, i | 0x80, 4 * MIB);
		for (k = 0; k < 8; k++) {
			int status = uv_status(&self->a.cq, k);

			ASSERT_TRUE(status == UB_CR_SUCCESS || status == UB_CR_LOC_PROT ||
				    status == UB_CR_FLUSH);
		}
		ASSERT_EQ(NULL, memchr(self->b.mr.at, i | 0x80, 4 * MIB));
		memset(self->a.mr.at, 0, 4 * MIB);
		ASSERT_EQ(0, again(self, UV_ALL));
	}
}

UV_TEST_F(verbs_keys, locked_memory_has_a_limit)
{
	struct uv_mr mr;
	struct uv_dev dev;
	char path[64];
	pid_t pid;

	ASSERT_EQ(0, uv_node(self->pod.npu[1], path, sizeof(path)));
	chmod(path, 0666);
	pid = ub_fork();
	if (!pid) {
		struct rlimit limit = { 8 * PAGE, 8 * PAGE };
		void *at = uv_memory(16 * PAGE);

		if (setrlimit(RLIMIT_MEMLOCK, &limit) || ub_become(1000) ||
		    uv_open(&dev, self->pod.npu[1]))
			_exit(1);
		if (uv_reg(&dev, &mr, at, 9 * PAGE, UV_ALL) != -ENOMEM)
			_exit(2);
		if (uv_reg(&dev, &mr, at, 8 * PAGE, UV_ALL))
			_exit(3);
		if (uv_reg(&dev, &mr, at, 1, UV_ALL) != -ENOMEM)
			_exit(4);
		if (uv_dereg(&mr) || uv_reg(&dev, &mr, at, 8 * PAGE, UV_ALL))
			_exit(5);
		_exit(0);
	}
	EXPECT_EQ(0, ub_join(pid));
}

TEST_HARNESS_MAIN
