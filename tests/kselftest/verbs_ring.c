// SPDX-License-Identifier: GPL-2.0
/*
 * Rings full of nonsense: it ends with completions or queue pairs in error, and hurts
 * nobody else. The kernel's own reports are judged by who runs these tests.
 */
#define _GNU_SOURCE
#include "uverbs.h"

#define PAGE 4096UL

FIXTURE(verbs_ring) {
	struct ub_pod pod;
	struct uv_end a, b;	/* the good ones */
	struct uv_end x, y;	/* and the hostile, in the same process and NPUs */
	__u32 round;
};

static const struct uv_qp_want wide = {
	.sge = 4, .inline_bytes = 64, .send_wr = 32, .recv_wr = 32,
};
static const struct uv_path short_path = {
	.timeout = 5, .retry = 1, .rnr_retry = 1, .rnr_timer = 1, .access = UV_ALL,
};

FIXTURE_SETUP(verbs_ring)
{
	if (!uv_present())
		SKIP(return, "the module ub_verbs is not loaded");
	ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vring", 2));
	ASSERT_EQ(0, uv_ends(&self->a, &self->b, &self->pod, 64 * PAGE, NULL, NULL));
	ASSERT_EQ(0, uv_ends(&self->x, &self->y, &self->pod, 64 * PAGE, &wide, &short_path));
}

FIXTURE_TEARDOWN(verbs_ring)
{
	ub_pod_drop(&self->pod);
}

/* The good ones go on: a message each way, and their memory is theirs. */
static bool good(FIXTURE_DATA(verbs_ring) *self)
{
	struct uv_end *a = &self->a, *b = &self->b;
	struct ub_sge sge = uv_sge(&a->mr, 0, 3 * PAGE), room = uv_sge(&b->mr, PAGE, 3 * PAGE);
	__u32 seed = ++self->round;

	ub_fill(a->mr.at, 3 * PAGE, seed);
	return !uv_recv(&b->qp, seed, &room, 1) &&
	       !uv_do(&a->qp, &a->cq, uv_sqe(UB_OP_SEND, seed), &sge, 1) &&
	       !uv_status(&b->cq, seed) &&
	       ub_differs(b->mr.at + PAGE, 3 * PAGE, seed) == -1 &&
	       ub_is_zero(b->mr.at, PAGE) && ub_is_zero(b->mr.at + 4 * PAGE, 60 * PAGE) &&
	       !uv_do(&b->qp, &b->cq, uv_rdma(UB_OP_WRITE, seed, &a->mr, 8 * PAGE), &room, 1) &&
	       ub_differs(a->mr.at + 8 * PAGE, 3 * PAGE, seed) == -1;
}


/* The hostile ones once more, from the beginning. */
static int renew(FIXTURE_DATA(verbs_ring) *self)
{
	struct uv_end *end[2] = { &self->x, &self->y };
	int i, ret = 0;

	for (i = 0; !ret && i < 2; i++) {
		struct uv_qp_want want = wide;

		ret = uv_qp_destroy(&end[i]->qp) ?: uv_cq_destroy(&end[i]->cq) ?:
		      uv_cq(&end[i]->dev, &end[i]->cq, 64, -1, 0);
		want.send_cq = &end[i]->cq;
		ret = ret ?: uv_qp(&end[i]->dev, &end[i]->qp, &want);
	}
	return ret ?: uv_pair(&self->x.qp, &self->y.qp, &short_path);
}

/* ---- a request that makes no sense ------------------------------------------------- */

/* Posts an entry just as it is; the status of its completion. */
static int post_raw(FIXTURE_DATA(verbs_ring) *self, const struct ub_sqe *sqe,
		    const struct ub_sge *sge, int nr)
{
	struct uv_qp *qp = &self->x.qp;
	struct ub_sqe *entry = uv_entry(&qp->sq, qp->sq.index);

	*entry = *sqe;
	memcpy(entry + 1, sge, nr * sizeof(*sge));
	__atomic_store_n(&qp->sq.head->producer, ++qp->sq.index, __ATOMIC_RELEASE);
	return uv_bell(qp) ?: uv_status(&self->x.cq, sqe->wr_id);
}

struct nonsense {
	const char *what;
	int status;
	struct ub_sqe sqe;
};

#define SQE(...) { .wr_id = 7, __VA_ARGS__ }

/* SGEs are four of 8 bytes; @addr is counted from the start of the target's memory. */
static const struct nonsense nonsense[] = {
	{ "no such operation", UB_CR_LOC_QP_OP, SQE(.op = 200) },
	{ "the kernel's registering", UB_CR_LOC_QP_OP, SQE(.op = UB_OP_REGISTER) },
	{ "one SGE too many", UB_CR_LOC_QP_OP, SQE(.op = UB_OP_SEND, .nr_sge = 5) },
	{ "255 SGEs", UB_CR_LOC_QP_OP, SQE(.op = UB_OP_WRITE, .nr_sge = 255) },
	{ "too much inline", UB_CR_LOC_QP_OP, SQE(.op = UB_OP_WRITE, .flags = UB_SQE_INLINE,
						  .inline_length = 65) },
	{ "very much inline", UB_CR_LOC_QP_OP, SQE(.op = UB_OP_SEND, .flags = UB_SQE_INLINE,
						   .inline_length = ~0U) },
	{ "inline and SGEs", UB_CR_LOC_QP_OP, SQE(.op = UB_OP_WRITE, .flags = UB_SQE_INLINE,
						  .nr_sge = 1, .inline_length = 8) },
	{ "an inline read", UB_CR_LOC_QP_OP, SQE(.op = UB_OP_READ, .flags = UB_SQE_INLINE,
						 .inline_length = 8) },
	{ "an atomic without memory", UB_CR_LOC_LEN, SQE(.op = UB_OP_FETCH_ADD) },
	{ "flags of nobody", UB_CR_LOC_QP_OP, SQE(.op = UB_OP_WRITE, .flags = 0x40,
						  .nr_sge = 1) },
	{ "something reserved", UB_CR_LOC_QP_OP, SQE(.op = UB_OP_WRITE, .reserved = 1,
						     .nr_sge = 1) },
	{ "a write beyond the end", UB_CR_REM_ACCESS, SQE(.op = UB_OP_WRITE, .nr_sge = 1,
							  .addr = 64 * PAGE - 7) },
	{ "a write before the start", UB_CR_REM_ACCESS, SQE(.op = UB_OP_WRITE, .nr_sge = 1,
							    .addr = -1ULL) },
	{ "a read around the end of all", UB_CR_REM_ACCESS, SQE(.op = UB_OP_READ, .nr_sge = 1,
								.addr = 1ULL << 63) },
};

UV_TEST_F(verbs_ring, requests_that_make_no_sense)
{
	struct ub_sge sge[4];
	unsigned int i, k;
	int status;

	for (i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		struct ub_sqe sqe = nonsense[i].sqe;

		for (k = 0; k < 4; k++)
			sge[k] = uv_sge(&self->x.mr, 8 * k, 8);
		sqe.addr += (uintptr_t)self->y.mr.at;
		sqe.key = self->y.mr.key;
		status = post_raw(self, &sqe, sge, 4);
		if (status != nonsense[i].status)
			printf("# %s\n", nonsense[i].what);
		EXPECT_EQ(nonsense[i].status, status);
		EXPECT_EQ(UV_ERR, uv_state(&self->x.qp));
		ASSERT_TRUE(good(self));
		ASSERT_EQ(0, renew(self));
	}
}

UV_TEST_F(verbs_ring, lengths_that_add_up_to_more_than_a_message)
{
	struct ub_sge sge[4];
	struct ub_sqe sqe = uv_rdma(UB_OP_WRITE, 7, &self->y.mr, 0);
	int k;

	for (k = 0; k < 4; k++) {
		sge[k] = uv_sge(&self->x.mr, 0, ~0U);
	}
	sqe.nr_sge = 4;
	EXPECT_EQ(UB_CR_LOC_LEN, post_raw(self, &sqe, sge, 4));
	ASSERT_EQ(0, renew(self));
	sqe.nr_sge = 1;
	EXPECT_EQ(UB_CR_LOC_LEN, post_raw(self, &sqe, sge, 4));
	ASSERT_EQ(0, renew(self));
	/* A message of 2 GiB is one, but not of this memory. */
	sge[0].length = 1U << 31;
	EXPECT_EQ(UB_CR_LOC_PROT, post_raw(self, &sqe, sge, 4));
	EXPECT_TRUE(good(self));
}

/* ---- a receive that makes no sense ---------------------------------------------------- */

UV_TEST_F(verbs_ring, receives_that_make_no_sense)
{
	static const struct ub_rqe bad[] = {
		{ .nr_sge = 5 }, { .nr_sge = ~0U }, { .nr_sge = 1, .reserved = 1 },
	};
	struct ub_sge sge = uv_sge(&self->x.mr, 0, 8), room;
	struct uv_ring *rq = &self->y.qp.rq;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		struct ub_rqe rqe = { .nr_sge = 1 };

		room = uv_sge(&self->y.mr, 0, 8);
		if (i < 3)
			rqe = bad[i];
		else if (i == 3)
			room.key ^= 1;
		else
			room.addr += 64 * PAGE - 7;
		rqe.wr_id = 9;
		memcpy(uv_entry(rq, rq->index), &rqe, sizeof(rqe));
		memcpy(uv_entry(rq, rq->index) + sizeof(rqe), &room, sizeof(room));
		__atomic_store_n(&rq->head->producer, ++rq->index, __ATOMIC_RELEASE);
		EXPECT_EQ(UB_CR_REM_OP, uv_do(&self->x.qp, &self->x.cq, uv_sqe(UB_OP_SEND, 7),
					      &sge, 1));
		EXPECT_EQ(i < 3 ? UB_CR_LOC_QP_OP : UB_CR_LOC_PROT, uv_status(&self->y.cq, 9));
		EXPECT_EQ(UV_ERR, uv_state(&self->y.qp));
		ASSERT_TRUE(good(self));
		ASSERT_EQ(0, renew(self));
		rq = &self->y.qp.rq;
	}
}

UV_TEST_F(verbs_ring, a_message_that_is_too_long_for_its_receive)
{
	struct ub_sge sge = uv_sge(&self->x.mr, 0, 9), room = uv_sge(&self->y.mr, 0, 8);

	ASSERT_EQ(0, uv_recv(&self->y.qp, 3, &room, 1));
	EXPECT_EQ(UB_CR_REM_INVALID, uv_do(&self->x.qp, &self->x.cq, uv_sqe(UB_OP_SEND, 7),
					   &sge, 1));
	EXPECT_EQ(UB_CR_LOC_LEN, uv_status(&self->y.cq, 3));
	EXPECT_TRUE(ub_is_zero(self->y.mr.at, PAGE));
	EXPECT_TRUE(good(self));
}

/* ---- indices ------------------------------------------------------------------------------ */

UV_TEST_F(verbs_ring, a_producer_that_is_too_far_ahead)
{
	static const __u32 ahead[] = { 33, 64, 1U << 31, ~0U };
	struct ub_sge sge = uv_sge(&self->x.mr, 0, 8);
	struct ub_cqe cqe;
	int i;

	for (i = 0; i < 4; i++) {
		self->x.qp.sq.head->producer = self->x.qp.sq.head->consumer + ahead[i];
		ASSERT_EQ(0, uv_bell(&self->x.qp));
		EXPECT_EQ(UV_QP_FATAL, uv_event(&self->x.dev, NULL));
		EXPECT_EQ(UV_ERR, uv_state(&self->x.qp));
		ASSERT_EQ(0, renew(self));

		/* Of the receives: who sends does not find anybody. */
		self->y.qp.rq.head->producer = self->y.qp.rq.head->consumer + ahead[i];
		ASSERT_EQ(0, uv_send(&self->x.qp, uv_sqe(UB_OP_SEND, 7), &sge, 1));
		EXPECT_EQ(UV_QP_FATAL, uv_event(&self->y.dev, NULL));
		EXPECT_EQ(0, uv_next(&self->x.cq, &cqe));
		EXPECT_EQ(UB_CR_RETRY_EXCEEDED, cqe.status);
		EXPECT_EQ(UV_ERR, uv_state(&self->y.qp));
		ASSERT_TRUE(good(self));
		ASSERT_EQ(0, renew(self));
	}
}

/* What the kernel writes is its own: it does not read it again. */
UV_TEST_F(verbs_ring, the_kernels_words_are_written_only)
{
	struct ub_sge sge = uv_sge(&self->x.mr, 0, 8);
	struct ub_cqe cqe;
	int i;

	for (i = 0; i < 100; i++) {
		self->x.qp.sq.head->consumer = 1000 + 77 * i;
		self->x.cq.ring.head->producer = 5 * i;
		/* Our own post looks at it: by hand. */
		*(struct ub_sqe *)uv_entry(&self->x.qp.sq, i) =
			uv_rdma(UB_OP_WRITE, i, &self->y.mr, 0);
		((struct ub_sqe *)uv_entry(&self->x.qp.sq, i))->nr_sge = 1;
		memcpy(uv_entry(&self->x.qp.sq, i) + sizeof(struct ub_sqe), &sge, sizeof(sge));
		__atomic_store_n(&self->x.qp.sq.head->producer, i + 1, __ATOMIC_RELEASE);
		ASSERT_EQ(0, uv_bell(&self->x.qp));
		ASSERT_EQ(i + 1, self->x.qp.sq.head->consumer);
		ASSERT_EQ(i + 1, self->x.cq.ring.head->producer);
		ASSERT_TRUE(uv_poll(&self->x.cq, &cqe));
		ASSERT_EQ(0, cqe.status);
		ASSERT_EQ(i, cqe.wr_id);
	}
}

UV_TEST_F(verbs_ring, a_consumer_of_completions_that_lies)
{
	struct ub_sge sge = uv_sge(&self->x.mr, 0, 8);

	/* As if it were full: it breaks its own queue. */
	self->x.cq.ring.head->consumer = 12345;
	ASSERT_EQ(0, uv_send(&self->x.qp, uv_rdma(UB_OP_WRITE, 1, &self->y.mr, 0), &sge, 1));
	EXPECT_EQ(UV_CQ_ERR, uv_event(&self->x.dev, NULL));
	EXPECT_EQ(UV_QP_FATAL, uv_event(&self->x.dev, NULL));
	EXPECT_TRUE(good(self));
}

/* ---- all of it, while the kernel reads ------------------------------------------------------ */

struct scribbler {
	struct uv_ring *ring[5];
	struct uv_mr *mr[2];
	unsigned int seed;
	volatile int stop;
};

/* Values that are wrong in interesting ways, and sometimes right. */
static __u32 word(struct scribbler *s)
{
	switch (rand_r(&s->seed) % 8) {
	case 0:
		return ~0U;
	case 1:
		return 0;
	case 2:
		return s->mr[rand_r(&s->seed) & 1]->key;
	case 3:
		return (uintptr_t)s->mr[rand_r(&s->seed) & 1]->at;
	case 4:
		return (uintptr_t)s->mr[0]->at >> 32;
	case 5:
		return 1U << rand_r(&s->seed) % 32;
	case 6:
		return rand_r(&s->seed) % 16 | (rand_r(&s->seed) % 16) << 8 |
		       (rand_r(&s->seed) % 6) << 16;
	default:
		return rand_r(&s->seed);
	}
}

static void *scribble(void *data)
{
	struct scribbler *s = data;

	while (!s->stop) {
		struct uv_ring *ring = s->ring[rand_r(&s->seed) % 5];
		volatile __u32 *at = (void *)ring->head;
		__u32 head = UB_RING_ENTRIES / 4;

		if (rand_r(&s->seed) % 8)
			at[head + rand_r(&s->seed) % (ring->entries * ring->stride / 4)] = word(s);
		else if (rand_r(&s->seed) % 4)
			at[0] = at[16] + rand_r(&s->seed) % (ring->entries + 2);
		else
			at[rand_r(&s->seed) % head] = word(s);
	}
	return NULL;
}

UV_TEST_F(verbs_ring, a_thread_that_scribbles_while_the_kernel_reads)
{
	int round, i, rounds = ub_debug_kernel() ? 15 : ub_long() ? 2000 : 150;
	unsigned int seed = ub_seed(), statuses = 0;
	struct uv_end *x = &self->x, *y = &self->y;
	struct scribbler s;
	pthread_t thread;
	struct ub_cqe cqe;

	for (round = 0; round < rounds; round++) {
		s = (struct scribbler){
			.ring = { &x->qp.sq, &x->qp.rq, &y->qp.rq, &x->cq.ring, &y->qp.sq },
			.mr = { &x->mr, &y->mr }, .seed = seed + round,
		};
		ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, &s));
		for (i = 0; i < 200; i++) {
			/* Whatever it says, it is answered. */
			ASSERT_EQ(0, uv_bell(&x->qp));
			ASSERT_EQ(0, uv_bell(&y->qp));
			if (i % 8 == 0)
				ASSERT_EQ(0, uv_recv_bell(&x->qp));
			while (i % 16 == 0 && uv_poll(&y->cq, &cqe))
				statuses |= 1U << (cqe.status & 31);
			if (i % 64 == 0)
				ASSERT_TRUE(good(self));
		}
		s.stop = 1;
		pthread_join(thread, NULL);
		while (uv_poll(&y->cq, &cqe) && cqe.status < 32)
			statuses |= 1U << cqe.status;
		ASSERT_EQ(0, renew(self));
	}
	EXPECT_TRUE(good(self));
	printf("# completions with statuses %#x\n", statuses);
	/* They were read: some were refused. */
	EXPECT_NE(0, statuses & ~1U);
}

TEST_HARNESS_MAIN
