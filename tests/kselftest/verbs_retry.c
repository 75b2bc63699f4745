// SPDX-License-Identifier: GPL-2.0
/*
 * Loss and time: receivers that are not ready, peers that are not there, links that go
 * and return. Times are only checked from below; how often something was tried is
 * counted.
 */
#define _GNU_SOURCE
#include "uverbs.h"

#define MS 1000000ULL
#define MIB (1UL << 20)

FIXTURE(verbs_retry) {
	struct ub_pod pod;
	struct uv_end a, b;	/* of NPUs 0 and 1 */
	struct uv_path path;
	struct ub_sge sge;
};

FIXTURE_SETUP(verbs_retry)
{
	if (!uv_present())
		SKIP(return, "the module ub_verbs is not loaded");
	ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vretry", 4));
	ASSERT_EQ(0, uv_end(&self->a, self->pod.npu[0], 4 * MIB, NULL));
	ASSERT_EQ(0, uv_end(&self->b, self->pod.npu[1], 4 * MIB, NULL));
	self->path = (struct uv_path)UV_PATH;
	self->sge = uv_sge(&self->a.mr, 0, 8);
}

FIXTURE_TEARDOWN(verbs_retry)
{
	ub_pod_drop(&self->pod);
}

static long long counter(FIXTURE_DATA(verbs_retry) *self, int npu, const char *name)
{
	return uv_counter(self->pod.npu[npu], name);
}

static int again(FIXTURE_DATA(verbs_retry) *self)
{
	return uv_set_state(&self->a.qp, UV_RESET) ?: uv_set_state(&self->b.qp, UV_RESET) ?:
	       uv_pair(&self->a.qp, &self->b.qp, &self->path);
}

/* A message, and a write behind it that must not come before. */
static int send_two(FIXTURE_DATA(verbs_retry) *self)
{
	return uv_post(&self->a.qp, uv_sqe(UB_OP_SEND, 1), &self->sge, 1) ?:
	       uv_post(&self->a.qp, uv_rdma(UB_OP_WRITE, 2, &self->b.mr, 64), &self->sge, 1) ?:
	       uv_bell(&self->a.qp);
}

/* ---- receivers that are not ready ----------------------------------------------------- */

UV_TEST_F(verbs_retry, rnr_is_borne_as_often_as_allowed)
{
	static const int retries[] = { 0, 1, 6 };
	long long before, gave_up;
	unsigned long long start;
	int i, n;

	self->path.rnr_timer = 14; /* 1.28 ms */
	for (i = 0; i < 3; i++) {
		n = retries[i];
		self->path.rnr_retry = n;
		ASSERT_EQ(0, again(self));
		before = counter(self, 1, "rnr_nak_retry_err");
		gave_up = counter(self, 0, "retry_rnr_exceeded_err");
		start = ub_now_ns();
		ASSERT_EQ(0, send_two(self));
		EXPECT_EQ(UB_CR_RNR_EXCEEDED, uv_status(&self->a.cq, 1));
		EXPECT_LE(n * MS, ub_now_ns() - start);
		EXPECT_EQ(UB_CR_FLUSH, uv_status(&self->a.cq, 2));
		EXPECT_EQ(UV_ERR, uv_state(&self->a.qp));
		EXPECT_EQ(before + n + 1, counter(self, 1, "rnr_nak_retry_err"));
		EXPECT_EQ(gave_up + 1, counter(self, 0, "retry_rnr_exceeded_err"));
		/* The receiver has nothing to do with it. */
		EXPECT_EQ(UV_RTS, uv_state(&self->b.qp));
	}
}

UV_TEST_F(verbs_retry, seven_rnr_retries_are_for_ever)
{
	struct ub_sge room = uv_sge(&self->b.mr, 0, 8);
	long long before;
	int i;

	self->path.rnr_timer = 1; /* 10 us */
	ASSERT_EQ(0, again(self));
	before = counter(self, 1, "rnr_nak_retry_err");
	ASSERT_EQ(0, send_two(self));
	for (i = 0; i < 500 && counter(self, 1, "rnr_nak_retry_err") < before + 20; i++)
		EXPECT_EQ(0, uv_count_for(&self->a.cq, 1));
	EXPECT_LE(before + 20, counter(self, 1, "rnr_nak_retry_err"));
	ASSERT_EQ(0, uv_recv(&self->b.qp, 9, &room, 1));
	EXPECT_EQ(0, uv_status(&self->a.cq, 1));
	EXPECT_EQ(0, uv_status(&self->a.cq, 2));
	EXPECT_EQ(0, uv_status(&self->b.cq, 9));
}

/*
 * Posting a receive runs who waits for it, whatever the timer says: all is done when
 * the doorbell returns.
 */
UV_TEST_F(verbs_retry, a_posted_receive_wakes_the_sender)
{
	struct ub_sge room = uv_sge(&self->b.mr, 0, 8);
	struct ub_cqe cqe;

	self->path.rnr_timer = 0; /* 655 ms */
	self->path.rnr_retry = 1;
	ASSERT_EQ(0, again(self));
	ub_fill(self->a.mr.at, 8, 3);
	ASSERT_EQ(0, send_two(self));
	EXPECT_EQ(UB_RING_NEED_WAKEUP, self->b.qp.rq.head->flags);
	EXPECT_FALSE(uv_poll(&self->a.cq, &cqe));
	ASSERT_EQ(0, uv_recv(&self->b.qp, 9, &room, 1));
	EXPECT_EQ(0, self->b.qp.rq.head->flags);
	EXPECT_TRUE(uv_poll(&self->a.cq, &cqe));
	EXPECT_TRUE(uv_poll(&self->a.cq, &cqe));
	EXPECT_TRUE(uv_poll(&self->b.cq, &cqe));
	EXPECT_EQ(-1, ub_differs(self->b.mr.at, 8, 3));
	EXPECT_EQ(-1, ub_differs(self->b.mr.at + 64, 8, 3));
}

/*
 * A receive wakes one sender. Who finds none any more waits for his time, and has lost
 * no retry by being woken.
 */
UV_TEST_F(verbs_retry, a_receive_is_for_one_message)
{
	struct ub_sge room = uv_sge(&self->b.mr, 0, 8);
	struct uv_qp_want want = {};
	struct uv_qp from, to[2];
	struct uv_srq srq;
	long long rnr;
	int i;

	self->path.rnr_timer = 0; /* 655 ms */
	self->path.rnr_retry = 3;
	ASSERT_EQ(0, again(self));
	rnr = counter(self, 1, "rnr_nak_retry_err");
	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, uv_post(&self->a.qp, uv_sqe(UB_OP_SEND, i), &self->sge, 1));
	ASSERT_EQ(0, uv_bell(&self->a.qp));
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(0, uv_recv(&self->b.qp, i, &room, 1));
		EXPECT_EQ(0, uv_status(&self->a.cq, i));
		EXPECT_EQ(0, uv_count_for(&self->a.cq, 1));
	}
	EXPECT_LE(rnr + 6, counter(self, 1, "rnr_nak_retry_err"));

	/* Two senders, one queue of receives. */
	ASSERT_EQ(0, uv_srq(&self->b.dev, &srq, 16, 1, 0));
	want = (struct uv_qp_want){ .send_cq = &self->a.cq };
	ASSERT_EQ(0, uv_qp(&self->a.dev, &from, &want));
	want = (struct uv_qp_want){ .send_cq = &self->b.cq, .srq = &srq };
	ASSERT_EQ(0, uv_qp(&self->b.dev, &to[0], &want));
	ASSERT_EQ(0, uv_qp(&self->b.dev, &to[1], &want));
	ASSERT_EQ(0, uv_set_state(&self->a.qp, UV_RESET));
	ASSERT_EQ(0, uv_pair(&self->a.qp, &to[0], &self->path));
	ASSERT_EQ(0, uv_pair(&from, &to[1], &self->path));
	ASSERT_EQ(0, uv_send(&self->a.qp, uv_sqe(UB_OP_SEND, 1), &self->sge, 1));
	ASSERT_EQ(0, uv_send(&from, uv_sqe(UB_OP_SEND, 2), &self->sge, 1));
	ASSERT_EQ(0, uv_recv(&to[0], 1, &room, 1));
	EXPECT_EQ(0, uv_status(&self->a.cq, 1));
	EXPECT_EQ(UB_RING_NEED_WAKEUP, srq.ring.head->flags);
	ASSERT_EQ(0, uv_recv(&to[0], 1, &room, 1));
	EXPECT_EQ(0, uv_status(&self->a.cq, 2));
}

/*
 * A receive that is posted without a doorbell is found when the time is over: always,
 * though the poller, who runs what is due, is in the worker's way.
 */
UV_TEST_F(verbs_retry, no_expiry_is_lost)
{
	int i, rounds = ub_debug_kernel() ? 300 : 4000;
	struct uv_ring *rq = &self->b.qp.rq;
	unsigned int seed = ub_seed();
	unsigned long long end;
	struct ub_cqe cqe;

	self->path.rnr_timer = 1; /* 10 us */
	ASSERT_EQ(0, again(self));
	self->sge.length = 0;
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, uv_send(&self->a.qp, uv_sqe(UB_OP_SEND, i), &self->sge, 1));
		end = ub_now_ns() + rand_r(&seed) % 200000;
		while (ub_now_ns() < end)
			ASSERT_FALSE(uv_poll(&self->a.cq, &cqe));
		*(struct ub_rqe *)uv_entry(rq, rq->index) = (struct ub_rqe){ .wr_id = i };
		__atomic_store_n(&rq->head->producer, ++rq->index, __ATOMIC_RELEASE);
		ASSERT_EQ(0, uv_status(&self->a.cq, i));
		ASSERT_EQ(0, uv_status(&self->b.cq, i));
	}
}

/* A write with immediate data needs a receive only at its end, which is all that waits. */
UV_TEST_F(verbs_retry, immediate_data_waits_at_its_end)
{
	struct ub_sqe sqe = uv_rdma(UB_OP_WRITE_IMM, 1, &self->b.mr, 0);
	struct ub_cqe cqe;

	ASSERT_EQ(0, again(self));
	self->sge.length = 300000;
	ub_fill(self->a.mr.at, 300000, 4);
	ASSERT_EQ(0, uv_send(&self->a.qp, sqe, &self->sge, 1));
	EXPECT_EQ(0, uv_count_for(&self->a.cq, 20));
	ASSERT_EQ(0, uv_recv(&self->b.qp, 9, NULL, 0));
	EXPECT_EQ(0, uv_status(&self->a.cq, 1));
	ASSERT_EQ(0, uv_next(&self->b.cq, &cqe));
	EXPECT_EQ(UB_CQE_RECV_WRITE_IMM, cqe.op);
	EXPECT_EQ(300000, cqe.length);
	EXPECT_EQ(-1, ub_differs(self->b.mr.at, 300000, 4));
}

/* ---- peers that are not there ------------------------------------------------------------ */

/* Nobody answers a: tried @path.retry + 1 times, each for its timeout, then all ends. */
static void no_answer(struct __test_metadata *_metadata, FIXTURE_DATA(verbs_retry) *self)
{
	unsigned long long each = 4096ULL << self->path.timeout, start;
	long long tried = counter(self, 0, "local_ack_timeout_err");
	long long gave_up = counter(self, 0, "retry_exceeded_err");
	int n = self->path.retry;

	start = ub_now_ns();
	ASSERT_EQ(0, send_two(self));
	EXPECT_EQ(UB_CR_RETRY_EXCEEDED, uv_status(&self->a.cq, 1));
	EXPECT_LE((n + 1) * each, ub_now_ns() - start);
	EXPECT_EQ(UB_CR_FLUSH, uv_status(&self->a.cq, 2));
	EXPECT_EQ(UV_ERR, uv_state(&self->a.qp));
	EXPECT_EQ(tried + n + 1, counter(self, 0, "local_ack_timeout_err"));
	EXPECT_EQ(gave_up + 1, counter(self, 0, "retry_exceeded_err"));
	EXPECT_TRUE(ub_is_zero(self->b.mr.at, 4096));
}

UV_TEST_F(verbs_retry, a_peer_that_is_gone)
{
	static const int retries[] = { 0, 1, 7 };
	struct uv_addr to;
	int i;

	uv_addr(&self->b.qp, &to);
	ASSERT_EQ(0, uv_qp_destroy(&self->b.qp));
	self->path.timeout = 12; /* 17 ms */
	memset(self->a.mr.at, 1, 8);
	for (i = 0; i < 3; i++) {
		self->path.retry = retries[i];
		ASSERT_EQ(0, uv_set_state(&self->a.qp, UV_RESET));
		ASSERT_EQ(0, uv_connect(&self->a.qp, &to, &self->path));
		no_answer(_metadata, self);
	}
}

UV_TEST_F(verbs_retry, a_peer_that_expects_another_number)
{
	struct uv_addr to_a, to_b;

	self->path.timeout = 8;
	self->path.retry = 1;
	memset(self->a.mr.at, 1, 8);
	uv_addr(&self->a.qp, &to_a);
	uv_addr(&self->b.qp, &to_b);
	to_a.psn++;
	ASSERT_EQ(0, uv_connect(&self->a.qp, &to_b, &self->path));
	ASSERT_EQ(0, uv_connect(&self->b.qp, &to_a, &self->path));
	no_answer(_metadata, self);
	EXPECT_EQ(UV_RTS, uv_state(&self->b.qp));
}

UV_TEST_F(verbs_retry, a_peer_that_is_not_connected_back)
{
	struct uv_qp_want want = { .send_cq = &self->a.cq };
	struct uv_addr to_b, to_other;
	struct uv_qp other;

	self->path.timeout = 8;
	self->path.retry = 1;
	memset(self->a.mr.at, 1, 8);
	ASSERT_EQ(0, uv_qp(&self->a.dev, &other, &want));
	uv_addr(&self->b.qp, &to_b);
	uv_addr(&other, &to_other);
	to_other.psn = self->a.qp.psn;
	ASSERT_EQ(0, uv_connect(&self->a.qp, &to_b, &self->path));
	ASSERT_EQ(0, uv_connect(&self->b.qp, &to_other, &self->path));
	no_answer(_metadata, self);
}

/* What is unreliable says nothing, and counts. */
UV_TEST_F(verbs_retry, unreliable_ones_lose_silently)
{
	struct uv_qp_want want = { .send_cq = &self->a.cq, .type = UV_UC };
	struct ub_sge room = uv_sge(&self->b.mr, 0, 8);
	struct uv_qp from, to;
	long long lost;

	ASSERT_EQ(0, uv_qp(&self->a.dev, &from, &want));
	want.send_cq = &self->b.cq;
	ASSERT_EQ(0, uv_qp(&self->b.dev, &to, &want));
	self->path.access = UB_REGION_WRITE;
	ASSERT_EQ(0, uv_pair(&from, &to, &self->path));
	lost = counter(self, 0, "dropped_messages");
	/* No receive. */
	EXPECT_EQ(0, uv_do(&from, &self->a.cq, uv_sqe(UB_OP_SEND, 1), &self->sge, 1));
	EXPECT_EQ(lost + 1, counter(self, 0, "dropped_messages"));
	/* No such key. */
	memset(self->a.mr.at, 1, 8);
	EXPECT_EQ(0, uv_do(&from, &self->a.cq, uv_rdma(UB_OP_WRITE, 1, &self->a.mr, 0),
			   &self->sge, 1));
	EXPECT_EQ(lost + 2, counter(self, 0, "dropped_messages"));
	EXPECT_TRUE(ub_is_zero(self->b.mr.at, 4096));
	/* And the next arrives. */
	ASSERT_EQ(0, uv_recv(&to, 3, &room, 1));
	EXPECT_EQ(0, uv_do(&from, &self->a.cq, uv_sqe(UB_OP_SEND, 1), &self->sge, 1));
	EXPECT_EQ(0, uv_status(&self->b.cq, 3));
	/* No peer. */
	ASSERT_EQ(0, uv_qp_destroy(&to));
	EXPECT_EQ(0, uv_do(&from, &self->a.cq, uv_sqe(UB_OP_SEND, 1), &self->sge, 1));
	EXPECT_EQ(lost + 3, counter(self, 0, "dropped_messages"));
	EXPECT_EQ(UV_RTS, uv_state(&from));
}

TEST_HARNESS_MAIN
