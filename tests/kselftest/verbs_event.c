// SPDX-License-Identifier: GPL-2.0
/* Completion channels and asynchronous events: none is lost, none comes unasked. */
#define _GNU_SOURCE
#include "uverbs.h"

FIXTURE(verbs_event) {
	struct ub_pod pod;
};

FIXTURE_SETUP(verbs_event)
{
	if (!uv_present())
		SKIP(return, "the module ub_verbs is not loaded");
	ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vevent", 2));
}

FIXTURE_TEARDOWN(verbs_event)
{
	ub_pod_drop(&self->pod);
}

/* The second end, with receives whose completions go to a queue with a channel. */
struct listener {
	struct uv_end end;
	struct uv_cq cq;
	int channel;
};

static int listen_on(struct listener *l, unsigned int npu, __u32 receives)
{
	struct uv_qp_want want = { .recv_cq = &l->cq, .recv_wr = receives };
	int ret = uv_open(&l->end.dev, npu);
	struct ub_sge sge;
	void *memory = uv_memory(4096);

	if (ret)
		return ret;
	l->channel = uv_channel(&l->end.dev);
	if (l->channel < 0)
		return l->channel;
	ret = uv_cq(&l->end.dev, &l->end.cq, 64, -1, 0) ?:
	      uv_cq(&l->end.dev, &l->cq, receives, l->channel, 77) ?:
	      uv_reg(&l->end.dev, &l->end.mr, memory, 4096, UV_ALL);
	if (ret)
		return ret;
	want.send_cq = &l->end.cq;
	ret = uv_qp(&l->end.dev, &l->end.qp, &want);
	sge = uv_sge(&l->end.mr, 0, 8);
	while (!ret && receives--)
		ret = uv_recv(&l->end.qp, receives, &sge, 1);
	return ret;
}

/* ---- completion channels --------------------------------------------------------------- */

UV_TEST_F(verbs_event, a_channel_tells_once_and_only_when_armed)
{
	struct ub_sqe sqe = uv_sqe(UB_OP_SEND, 1);
	struct listener l;
	struct uv_end a;
	struct ub_sge sge;
	__u64 user = 0;

	ASSERT_EQ(0, uv_end(&a, self->pod.npu[0], 4096, NULL));
	ASSERT_EQ(0, listen_on(&l, self->pod.npu[1], 64));
	ASSERT_EQ(0, uv_pair(&a.qp, &l.end.qp, NULL));
	sge = uv_sge(&a.mr, 0, 8);

	ASSERT_EQ(0, uv_do(&a.qp, &a.cq, sqe, &sge, 1));
	EXPECT_EQ(-ETIMEDOUT, uv_notified(l.channel, 10, NULL));
	uv_arm(&l.cq, UB_ARM_ANY);
	EXPECT_EQ(-ETIMEDOUT, uv_notified(l.channel, 10, NULL));
	ASSERT_EQ(0, uv_do(&a.qp, &a.cq, sqe, &sge, 1));
	EXPECT_EQ(0, uv_notified(l.channel, 10000, &user));
	EXPECT_EQ(77, user);
	EXPECT_EQ(UB_ARM_NONE, l.cq.ring.head->arm);
	ASSERT_EQ(0, uv_do(&a.qp, &a.cq, sqe, &sge, 1));
	EXPECT_EQ(-ETIMEDOUT, uv_notified(l.channel, 10, NULL));

	uv_arm(&l.cq, UB_ARM_SOLICITED);
	ASSERT_EQ(0, uv_do(&a.qp, &a.cq, sqe, &sge, 1));
	EXPECT_EQ(-ETIMEDOUT, uv_notified(l.channel, 10, NULL));
	sqe.flags |= UB_SQE_SOLICITED;
	ASSERT_EQ(0, uv_do(&a.qp, &a.cq, sqe, &sge, 1));
	EXPECT_EQ(0, uv_notified(l.channel, 10000, NULL));

	/* One in error wakes too. */
	uv_arm(&l.cq, UB_ARM_SOLICITED);
	ASSERT_EQ(0, uv_set_state(&l.end.qp, UV_ERR));
	EXPECT_EQ(0, uv_notified(l.channel, 10000, NULL));
	/* A word that means nothing arms nothing. */
	uv_arm(&l.cq, 0xdeadbeef);
	EXPECT_EQ(-ETIMEDOUT, uv_notified(l.channel, 10, NULL));
}

/* Sends messages in bursts, each a little later than the last. */
static int send_bursts(struct ub_board *board, struct uv_addr *mine, struct uv_addr *theirs,
		       unsigned int npu, unsigned int nr, unsigned int seed)
{
	struct ub_sqe sqe = uv_sqe(UB_OP_SEND, 0);
	struct uv_end end;
	struct ub_sge sge;
	unsigned int i;
	volatile unsigned int pause;

	if (uv_end(&end, npu, 4096, NULL))
		return 1;
	uv_addr(&end.qp, mine);
	if (uv_connect(&end.qp, theirs, NULL))
		return 2;
	ub_step(board, 1);
	if (ub_step_wait(board, 2))
		return 3;
	sge = uv_sge(&end.mr, 0, 8);
	for (i = 0; i < nr; i++) {
		sqe.wr_id = i;
		if (uv_do(&end.qp, &end.cq, sqe, &sge, 1))
			return 4;
		for (pause = rand_r(&seed) % 3000; pause; pause--)
			;
		if (rand_r(&seed) % 64 == 0)
			usleep(rand_r(&seed) % 300);
	}
	return 0;
}

/* Who arms, then looks, then sleeps, is woken for every message. */
UV_TEST_F(verbs_event, arming_loses_nothing)
{
	unsigned int nr = ub_debug_kernel() ? 500 : 10000, got = 0, naps = 0;
	struct ub_board *board = ub_board_make();
	struct uv_addr *addr = uv_memory(4096);
	unsigned int seed = ub_seed();
	struct listener l;
	struct ub_sge sge;
	struct ub_cqe cqe;
	pid_t pid;

	ASSERT_EQ(0, listen_on(&l, self->pod.npu[1], 64));
	uv_addr(&l.end.qp, &addr[1]);
	pid = ub_fork();
	if (!pid)
		_exit(send_bursts(board, &addr[0], &addr[1], self->pod.npu[0], nr, seed));
	ASSERT_EQ(0, ub_step_wait(board, 1));
	ASSERT_EQ(0, uv_connect(&l.end.qp, &addr[0], NULL));
	ub_step(board, 2);
	sge = uv_sge(&l.end.mr, 0, 8);
	while (got < nr) {
		if (uv_poll(&l.cq, &cqe)) {
			ASSERT_EQ(0, cqe.status);
			ASSERT_EQ(0, uv_recv(&l.end.qp, 0, &sge, 1));
			got++;
			continue;
		}
		uv_arm(&l.cq, UB_ARM_ANY);
		if (uv_poll(&l.cq, &cqe)) {
			ASSERT_EQ(0, uv_recv(&l.end.qp, 0, &sge, 1));
			got++;
			continue;
		}
		naps++;
		ASSERT_EQ(0, uv_notified(l.channel, UB_LIVENESS_S * 1000, NULL));
	}
	EXPECT_EQ(0, ub_join(pid));
	printf("# %u messages, %u naps\n", got, naps);
	EXPECT_LE(10, naps); /* else nothing was tried */
}

/* ---- draining ------------------------------------------------------------------------------ */

static int drain(struct uv_qp *qp)
{
	struct ib_uverbs_modify_qp cmd = {
		.attr_mask = UV_QP_STATE | UV_QP_EN_SQD_NOTIFY, .qp_state = UV_SQD,
		.en_sqd_async_notify = 1,
	};

	return uv_modify(qp, &cmd);
}

UV_TEST_F(verbs_event, a_send_queue_is_drained)
{
	struct uv_qp_want want = { .user = 5 };
	struct uv_end a, b;
	unsigned int done, i;
	struct ub_sge sge;
	__u64 user = 0;

	ASSERT_EQ(0, uv_ends(&a, &b, &self->pod, 4 << 20, &want, NULL));
	sge = uv_sge(&a.mr, 0, 4 << 20);
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, uv_post(&a.qp, uv_rdma(UB_OP_WRITE, i, &b.mr, 0), &sge, 1));
	ASSERT_EQ(0, uv_bell(&a.qp)); /* leaves most of it to the worker */
	ASSERT_EQ(0, drain(&a.qp));
	EXPECT_EQ(UV_SQ_DRAINED, uv_event(&a.dev, &user));
	EXPECT_EQ(5, user);
	EXPECT_EQ(UV_SQD, uv_state(&a.qp));
	/* It stands still: what was begun is complete, the rest waits. */
	done = a.qp.sq.head->consumer;
	for (i = 0; i < done; i++)
		EXPECT_EQ(0, uv_status(&a.cq, i));
	sge = uv_sge(&a.mr, 0, 8);
	ASSERT_EQ(0, uv_send(&a.qp, uv_rdma(UB_OP_WRITE, 16, &b.mr, 0), &sge, 1));
	EXPECT_EQ(0, uv_count_for(&a.cq, 30));
	EXPECT_EQ(done, a.qp.sq.head->consumer);
	ASSERT_EQ(0, uv_set_state(&a.qp, UV_RTS));
	for (; i < 17; i++)
		EXPECT_EQ(0, uv_status(&a.cq, i));
	/* One that is at rest is told at once, and once. */
	ASSERT_EQ(0, drain(&a.qp));
	EXPECT_EQ(UV_SQ_DRAINED, uv_event(&a.dev, &user));
	EXPECT_EQ(-ETIMEDOUT, uv_event_within(&a.dev, 10, NULL));
}

UV_TEST_F(verbs_event, a_message_that_comes_early_establishes)
{
	struct uv_qp_want want = { .user = 9 };
	struct uv_path path = UV_PATH;
	struct uv_end a, b;
	struct uv_addr to_a, to_b;
	struct ub_sge sge;
	__u64 user = 0;

	ASSERT_EQ(0, uv_end(&a, self->pod.npu[0], 4096, NULL));
	ASSERT_EQ(0, uv_end(&b, self->pod.npu[1], 4096, &want));
	uv_addr(&a.qp, &to_a);
	uv_addr(&b.qp, &to_b);
	ASSERT_EQ(0, uv_connect(&a.qp, &to_b, NULL));
	ASSERT_EQ(0, uv_connect_half(&b.qp, &to_a, &path));
	sge = uv_sge(&b.mr, 0, 8);
	ASSERT_EQ(0, uv_recv(&b.qp, 3, &sge, 1));
	sge = uv_sge(&a.mr, 0, 8);
	ASSERT_EQ(0, uv_do(&a.qp, &a.cq, uv_sqe(UB_OP_SEND, 1), &sge, 1));
	EXPECT_EQ(UV_COMM_EST, uv_event(&b.dev, &user));
	EXPECT_EQ(9, user);
	EXPECT_EQ(0, uv_status(&b.cq, 3));
}

TEST_HARNESS_MAIN
