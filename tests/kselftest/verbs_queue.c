// SPDX-License-Identifier: GPL-2.0
/* Queues: their order, their depth, their number, what they tell when they are at an end. */
#define _GNU_SOURCE
#include "uverbs.h"

FIXTURE(verbs_queue) {
	struct ub_pod pod;
};

FIXTURE_SETUP(verbs_queue)
{
	if (!uv_present())
		SKIP(return, "the module ub_verbs is not loaded");
	ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vqueue", 2));
}

FIXTURE_TEARDOWN(verbs_queue)
{
	ub_pod_drop(&self->pod);
}

/* ---- depth and number ------------------------------------------------------------ */

/* A ring that is filled before anybody is told completes in order, to the last. */
UV_TEST_F(verbs_queue, deep_queues)
{
	const struct uv_qp_want want = { .send_wr = 16384, .recv_wr = 16384 };
	struct uv_end a, b;
	struct ub_cqe cqe;
	struct ub_sge sge;
	__u32 i;

	ASSERT_EQ(0, uv_ends(&a, &b, &self->pod, 65536, &want, NULL));
	ASSERT_EQ(16384, a.qp.sq.entries);
	sge = uv_sge(&b.mr, 0, 4);
	for (i = 0; i < 16384; i++)
		ASSERT_EQ(0, uv_recv(&b.qp, i, &sge, 1));
	EXPECT_EQ(-ENOSPC, uv_recv(&b.qp, i, &sge, 1));
	for (i = 0; i < 16384; i++) {
		struct ub_sqe sqe = uv_sqe(UB_OP_SEND_IMM, i);

		sqe.imm = i;
		*(__u32 *)(a.mr.at + 4 * i) = i;
		sge = uv_sge(&a.mr, 4 * i, 4);
		ASSERT_EQ(0, uv_post(&a.qp, sqe, &sge, 1));
	}
	EXPECT_EQ(-ENOSPC, uv_post(&a.qp, uv_sqe(UB_OP_SEND, i), &sge, 1));
	ASSERT_EQ(0, uv_bell(&a.qp));
	for (i = 0; i < 16384; i++) {
		ASSERT_EQ(0, uv_status(&a.cq, i));
		ASSERT_EQ(0, uv_next(&b.cq, &cqe));
		ASSERT_EQ(0, cqe.status);
		ASSERT_EQ(i, cqe.wr_id);
		ASSERT_EQ(i, cqe.imm);
	}
	EXPECT_EQ(16383, *(__u32 *)b.mr.at);
}

/* Only what asks for it completes, and it says that all before it is done. */
UV_TEST_F(verbs_queue, unsignaled_requests)
{
	struct uv_end a, b;
	struct ub_sge sge;
	int i, round;

	ASSERT_EQ(0, uv_ends(&a, &b, &self->pod, 65536, NULL, NULL));
	for (round = 1; round <= 40; round++) {
		memset(a.mr.at, round, UV_WR);
		for (i = 0; i < UV_WR; i++) {
			struct ub_sqe sqe = uv_rdma(UB_OP_WRITE, i, &b.mr, i);

			sqe.flags = i == UV_WR - 1 ? UB_SQE_SIGNALED : 0;
			sge = uv_sge(&a.mr, i, 1);
			ASSERT_EQ(0, uv_post(&a.qp, sqe, &sge, 1));
		}
		ASSERT_EQ(0, uv_bell(&a.qp));
		ASSERT_EQ(0, uv_status(&a.cq, UV_WR - 1));
		ASSERT_EQ(0, memcmp(a.mr.at, b.mr.at, UV_WR));
	}
	EXPECT_EQ(0, uv_count_for(&a.cq, 10));
	/* One that fails completes in any case. */
	sge = uv_sge(&a.mr, 0, 1);
	sge.key ^= 1;
	ASSERT_EQ(0, uv_send(&a.qp, (struct ub_sqe){ .op = UB_OP_SEND, .wr_id = 7 }, &sge, 1));
	EXPECT_EQ(UB_CR_LOC_PROT, uv_status(&a.cq, 7));
}

UV_TEST_F(verbs_queue, four_thousand_queue_pairs)
{
	unsigned int i, nr = ub_debug_kernel() ? 256 : 4096;
	struct uv_qp *qp = calloc(nr, sizeof(*qp));
	struct uv_qp_want want = { .send_wr = 1, .recv_wr = 1 };
	struct uv_end end;
	struct ub_sge sge;
	struct ub_cqe cqe;

	ASSERT_NE(NULL, qp);
	ASSERT_EQ(0, uv_end(&end, self->pod.npu[0], 2 * 4 * nr, NULL));
	want.send_cq = &end.cq;
	for (i = 0; i < nr; i++)
		ASSERT_EQ(0, uv_qp(&end.dev, &qp[i], &want));
	/* The core of verbs looks up each address: that takes most of the time. */
	if (!ub_long())
		nr = nr / 4;
	for (i = 0; i < nr; i += 2)
		ASSERT_EQ(0, uv_pair(&qp[i], &qp[i + 1], NULL));
	for (i = 0; i < nr; i++) {
		*(__u32 *)(end.mr.at + 4 * i) = ~i;
		sge = uv_sge(&end.mr, 4 * i, 4);
		ASSERT_EQ(0, uv_send(&qp[i], uv_rdma(UB_OP_WRITE, i, &end.mr, 4 * (nr + i)),
				     &sge, 1));
		ASSERT_EQ(0, uv_next(&end.cq, &cqe));
		ASSERT_EQ(0, cqe.status);
		ASSERT_EQ(i, cqe.wr_id);
		ASSERT_EQ(qp[i].number, cqe.jetty);
	}
	EXPECT_EQ(0, memcmp(end.mr.at, end.mr.at + 4 * nr, 4 * nr));
	/* Those that go leave the others as they are. */
	for (i = 0; i < nr; i += 4) {
		ASSERT_EQ(0, uv_qp_destroy(&qp[i]));
		ASSERT_EQ(0, uv_qp_destroy(&qp[i + 1]));
	}
	for (i = 2; i < nr; i += 4)
		ASSERT_EQ(0, uv_do(&qp[i], &end.cq, uv_rdma(UB_OP_WRITE, i, &end.mr, 0), &sge, 1));
}

/* ---- everybody with everybody ------------------------------------------------------- */

UV_TEST_F(verbs_queue, a_queue_pair_that_is_connected_to_itself)
{
	struct uv_end end;
	struct ub_sge sge, room;
	int i;

	ASSERT_EQ(0, uv_end(&end, self->pod.npu[0], 8 << 20, NULL));
	ASSERT_EQ(0, uv_pair(&end.qp, &end.qp, NULL));
	for (i = 1; i < 30; i++) {
		__u32 len = 131 * i * i;

		sge = uv_sge(&end.mr, 1, len);
		room = uv_sge(&end.mr, 4 << 20, len);
		ub_fill(end.mr.at + 1, len, i);
		ASSERT_EQ(0, uv_recv(&end.qp, 1000 + i, &room, 1));
		ASSERT_EQ(0, uv_send(&end.qp, uv_sqe(UB_OP_SEND, i), &sge, 1));
		/* The message is there before its sender is told. */
		ASSERT_EQ(0, uv_status(&end.cq, 1000 + i));
		ASSERT_EQ(0, uv_status(&end.cq, i));
		ASSERT_EQ(-1, ub_differs(end.mr.at + (4 << 20), len, i));
		ASSERT_EQ(0, uv_do(&end.qp, &end.cq, uv_rdma(UB_OP_READ, i, &end.mr, 1), &room, 1));
	}
}

struct crossing {
	struct uv_qp *qp;
	struct ub_sge sge;
	unsigned int nr;
	int ret;
};

/* Numbered messages, as fast as there is room; only each eighth is signaled. */
static void *cross(void *data)
{
	struct crossing *c = data;
	unsigned int i;

	for (i = 0; !c->ret && i < c->nr; i++) {
		struct ub_sqe sqe = uv_sqe(UB_OP_SEND_IMM, i);

		sqe.imm = i;
		sqe.flags = i % 8 == 7 ? UB_SQE_SIGNALED : 0;
		while ((c->ret = uv_send(c->qp, sqe, &c->sge, 1)) == -ENOSPC) {
			uv_bell(c->qp);
			sched_yield();
		}
	}
	return NULL;
}

/*
 * A sends to B while B sends to A, all completions in one queue, all receives from one:
 * nothing waits for itself, and each direction stays in order.
 */
static void crossing(struct __test_metadata *_metadata, FIXTURE_DATA(verbs_queue) *self,
		     __u32 bytes, unsigned int nr)
{
	unsigned int got[2] = {}, sent[2] = {}, k, posted;
	struct crossing c[2];
	struct uv_qp_want want;
	pthread_t thread[2];
	struct uv_end end;
	struct uv_srq srq;
	struct uv_cq cq;
	struct uv_qp qp[2];
	struct ub_sge room;
	struct ub_cqe cqe;

	ASSERT_EQ(0, uv_end(&end, self->pod.npu[0], 1 << 20, NULL));
	ASSERT_EQ(0, uv_cq(&end.dev, &cq, 4096, -1, 0));
	ASSERT_EQ(0, uv_srq(&end.dev, &srq, 256, 1, 0));
	want = (struct uv_qp_want){ .send_cq = &cq, .srq = &srq };
	ASSERT_EQ(0, uv_qp(&end.dev, &qp[0], &want));
	ASSERT_EQ(0, uv_qp(&end.dev, &qp[1], &want));
	ASSERT_EQ(0, uv_pair(&qp[0], &qp[1], NULL));
	room = uv_sge(&end.mr, 512 << 10, bytes);
	for (posted = 0; posted < 256; posted++)
		ASSERT_EQ(0, uv_recv(&qp[0], 1 << 30, &room, 1));
	for (k = 0; k < 2; k++) {
		c[k] = (struct crossing){ &qp[k], uv_sge(&end.mr, k * bytes, bytes), nr, 0 };
		ASSERT_EQ(0, pthread_create(&thread[k], NULL, cross, &c[k]));
	}
	while (got[0] + got[1] < 2 * nr || sent[0] + sent[1] < 2 * (nr / 8)) {
		ASSERT_EQ(0, uv_next(&cq, &cqe));
		ASSERT_EQ(0, cqe.status);
		k = cqe.jetty == qp[1].number;
		ASSERT_EQ(qp[k].number, cqe.jetty);
		if (cqe.op != UB_CQE_RECV) {
			ASSERT_EQ(8 * sent[k] + 7, cqe.wr_id);
			sent[k]++;
			continue;
		}
		ASSERT_EQ(got[k], cqe.imm);
		got[k]++;
		ASSERT_EQ(0, uv_recv(&qp[0], 1 << 30, &room, 1));
	}
	for (k = 0; k < 2; k++) {
		pthread_join(thread[k], NULL);
		EXPECT_EQ(0, c[k].ret);
	}
}

UV_TEST_F(verbs_queue, crossing_sends_small)
{
	crossing(_metadata, self, 16, ub_debug_kernel() ? 800 : 16000);
}

/* Larger than a chunk: both are in the middle of a message at the same time. */
UV_TEST_F(verbs_queue, crossing_sends_large)
{
	crossing(_metadata, self, 200 << 10, ub_debug_kernel() ? 40 : 400);
}

/* ---- shared receives --------------------------------------------------------------- */

UV_TEST_F(verbs_queue, a_shared_queue_tells_its_limit_once)
{
	struct uv_qp_want want = {};
	struct uv_end a, b;
	struct uv_srq srq;
	struct ub_sge sge;
	__u64 user = 0;
	int i;

	ASSERT_EQ(0, uv_end(&a, self->pod.npu[0], 4096, NULL));
	ASSERT_EQ(0, uv_end(&b, self->pod.npu[1], 4096, NULL));
	ASSERT_EQ(0, uv_srq(&b.dev, &srq, 16, 1, 4711));
	want.srq = &srq;
	want.send_cq = &b.cq;
	ASSERT_EQ(0, uv_qp(&b.dev, &b.qp, &want));
	ASSERT_EQ(0, uv_pair(&a.qp, &b.qp, NULL));
	sge = uv_sge(&b.mr, 0, 8);
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, uv_recv(&b.qp, i, &sge, 1));
	ASSERT_EQ(0, uv_srq_limit(&srq, 8));
	sge = uv_sge(&a.mr, 0, 8);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, uv_do(&a.qp, &a.cq, uv_sqe(UB_OP_SEND, i), &sge, 1));
	EXPECT_EQ(-ETIMEDOUT, uv_event_within(&b.dev, 20, NULL));
	ASSERT_EQ(0, uv_do(&a.qp, &a.cq, uv_sqe(UB_OP_SEND, i), &sge, 1));
	EXPECT_EQ(UV_SRQ_LIMIT_REACHED, uv_event(&b.dev, &user));
	EXPECT_EQ(4711, user);
	ASSERT_EQ(0, uv_do(&a.qp, &a.cq, uv_sqe(UB_OP_SEND, i), &sge, 1));
	EXPECT_EQ(-ETIMEDOUT, uv_event_within(&b.dev, 20, NULL));
	/* One that is below it already is told at once. */
	ASSERT_EQ(0, uv_srq_limit(&srq, 7));
	EXPECT_EQ(UV_SRQ_LIMIT_REACHED, uv_event(&b.dev, &user));
}

UV_TEST_F(verbs_queue, the_last_receive_is_told)
{
	struct uv_qp_want want = { .user = 815 };
	struct uv_end end;
	struct uv_srq srq;
	struct uv_qp qp;
	struct ub_sge sge;
	__u64 user = 0;

	ASSERT_EQ(0, uv_end(&end, self->pod.npu[0], 4096, NULL));
	ASSERT_EQ(0, uv_srq(&end.dev, &srq, 16, 1, 0));
	want.srq = &srq;
	want.send_cq = &end.cq;
	ASSERT_EQ(0, uv_qp(&end.dev, &qp, &want));
	ASSERT_EQ(0, uv_pair(&qp, &qp, NULL));
	sge = uv_sge(&end.mr, 0, 8);
	ASSERT_EQ(0, uv_recv(&qp, 1, &sge, 1));
	ASSERT_EQ(0, uv_set_state(&qp, UV_ERR));
	EXPECT_EQ(UV_QP_LAST_WQE_REACHED, uv_event(&end.dev, &user));
	EXPECT_EQ(815, user);
	/* Others may still take it: it is not flushed. */
	EXPECT_EQ(0, uv_count_for(&end.cq, 10));
	EXPECT_EQ(-ETIMEDOUT, uv_event_within(&end.dev, 10, NULL));
}

/* ---- queues that end ------------------------------------------------------------------ */

UV_TEST_F(verbs_queue, an_overflown_queue_hurts_nobody_else)
{
	struct uv_qp_want want = { .user = 1 };
	struct uv_end a, b;
	struct uv_cq small;
	struct uv_qp from, to;
	struct ub_sge sge;
	struct ub_cqe cqe;
	__u64 user = 0;
	int i, type, seen[2] = {};

	ASSERT_EQ(0, uv_ends(&a, &b, &self->pod, 4096, NULL, NULL));
	ASSERT_EQ(0, uv_cq(&a.dev, &small, 4, -1, 2));
	want.send_cq = &small;
	ASSERT_EQ(0, uv_qp(&a.dev, &from, &want));
	want = (struct uv_qp_want){ .send_cq = &b.cq };
	ASSERT_EQ(0, uv_qp(&b.dev, &to, &want));
	ASSERT_EQ(0, uv_pair(&from, &to, NULL));
	sge = uv_sge(&a.mr, 0, 8);
	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, uv_post(&from, uv_rdma(UB_OP_WRITE, i, &b.mr, 0), &sge, 1));
	ASSERT_EQ(0, uv_bell(&from));
	for (i = 0; i < 2; i++) {
		type = uv_event(&a.dev, &user);
		ASSERT_TRUE(type == UV_CQ_ERR || type == UV_QP_FATAL);
		EXPECT_EQ(type == UV_CQ_ERR ? 2 : 1, user);
		seen[type]++;
	}
	EXPECT_EQ(1, seen[0]);
	EXPECT_EQ(1, seen[1]);
	EXPECT_EQ(UB_RING_OVERFLOW, small.ring.head->flags & UB_RING_OVERFLOW);
	EXPECT_EQ(UV_ERR, uv_state(&from));
	/* What had found a place is as it was; nothing comes after it. */
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, uv_status(&small, i));
	EXPECT_FALSE(uv_poll(&small, &cqe));
	EXPECT_EQ(-ETIMEDOUT, uv_event_within(&a.dev, 10, NULL));
	EXPECT_EQ(0, uv_do(&a.qp, &a.cq, uv_rdma(UB_OP_WRITE, 1, &b.mr, 0), &sge, 1));
	EXPECT_EQ(0, uv_qp_destroy(&from));
	EXPECT_EQ(0, uv_cq_destroy(&small));
}

UV_TEST_F(verbs_queue, a_resized_queue_keeps_what_it_holds)
{
	struct uv_end a, b;
	struct ub_sge sge;
	struct uv_cq *cq = &a.cq;
	int i;

	ASSERT_EQ(0, uv_ends(&a, &b, &self->pod, 4096, NULL, NULL));
	sge = uv_sge(&a.mr, 0, 8);
	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, uv_send(&a.qp, uv_rdma(UB_OP_WRITE, i, &b.mr, 0), &sge, 1));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, uv_status(cq, i));
	EXPECT_EQ(-EINVAL, uv_cq_resize(cq, 16));
	ASSERT_EQ(0, uv_cq_resize(cq, 1024));
	ASSERT_EQ(1024, cq->ring.entries);
	for (; i < 40; i++)
		ASSERT_EQ(0, uv_status(cq, i));
	ASSERT_EQ(0, uv_cq_resize(cq, 16));
	for (; i < 50; i++)
		ASSERT_EQ(0, uv_status(cq, i));
	EXPECT_EQ(0, uv_do(&a.qp, cq, uv_rdma(UB_OP_WRITE, i, &b.mr, 0), &sge, 1));
}

TEST_HARNESS_MAIN
