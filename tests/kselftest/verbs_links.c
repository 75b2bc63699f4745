// SPDX-License-Identifier: GPL-2.0
/* What verbs do on links: they count to the byte, go round those that are down, and wait. */
#define _GNU_SOURCE
#include "uverbs.h"

#define MIB (1UL << 20)

FIXTURE(verbs_links) {
	struct ub_pod pod;
	struct uv_end a, b;	/* of NPUs 0 and 1 */
	struct uv_path path;
	struct ub_sge sge;
};

FIXTURE_SETUP(verbs_links)
{
	if (!uv_present())
		SKIP(return, "the module ub_verbs is not loaded");
	ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vlinks", 4));
	ASSERT_EQ(0, uv_ends(&self->a, &self->b, &self->pod, 8 * MIB, NULL, NULL));
	self->path = (struct uv_path)UV_PATH;
	self->sge = uv_sge(&self->a.mr, 0, 8);
}

FIXTURE_TEARDOWN(verbs_links)
{
	ub_pod_drop(&self->pod);
}

static int again(FIXTURE_DATA(verbs_links) *self)
{
	return uv_set_state(&self->a.qp, UV_RESET) ?: uv_set_state(&self->b.qp, UV_RESET) ?:
	       uv_pair(&self->a.qp, &self->b.qp, &self->path);
}

static struct ub_link_counters link_of(FIXTURE_DATA(verbs_links) *self, int x, int y)
{
	struct ub_link_counters counters = {};

	ub_link_counters(self->pod.name, x < y ? x : y, x < y ? y : x, &counters);
	return counters;
}

/* ---- counting ------------------------------------------------------------------------ */

struct expected {
	__u64 bytes[2], packets[2], flits[2];
};

static void expect(struct expected *e, int dir, __u64 bytes)
{
	e->bytes[dir] += bytes;
	e->packets[dir] += bytes ? (bytes + 4095) / 4096 : 1;
	e->flits[dir] += bytes ? (bytes + 19) / 20 : 1;
}

/* Each chunk is counted for itself. */
static void expect_message(struct expected *e, int dir, __u64 bytes)
{
	for (; bytes > 65536; bytes -= 65536)
		expect(e, dir, 65536);
	expect(e, dir, bytes);
}

UV_TEST_F(verbs_links, every_byte_is_counted_once)
{
	static const __u32 sizes[] = { 0, 1, 19, 20, 21, 4095, 4096, 4097, 65536, 65537, 3000000 };
	struct ub_link_counters before = link_of(self, 0, 1), after;
	struct ub_link_counters other = link_of(self, 0, 2);
	struct expected e = {};
	unsigned int i;
	struct ub_sge sge, word = uv_sge(&self->a.mr, 8, 8);
	int d;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		sge = uv_sge(&self->a.mr, 0, sizes[i]);
		ASSERT_EQ(0, uv_do(&self->a.qp, &self->a.cq,
				   uv_rdma(UB_OP_WRITE, i, &self->b.mr, 0), &sge, 1));
		expect_message(&e, 0, sizes[i]);
		ASSERT_EQ(0, uv_do(&self->a.qp, &self->a.cq,
				   uv_rdma(UB_OP_READ, i, &self->b.mr, 0), &sge, 1));
		expect_message(&e, 1, sizes[i]);
		ASSERT_EQ(0, uv_recv(&self->b.qp, 1, &(struct ub_sge){
				(uintptr_t)self->b.mr.at, sizes[i], self->b.mr.key }, 1));
		ASSERT_EQ(0, uv_do(&self->a.qp, &self->a.cq, uv_sqe(UB_OP_SEND, i), &sge, 1));
		expect_message(&e, 0, sizes[i]);
	}
	ASSERT_EQ(0, uv_do(&self->a.qp, &self->a.cq, uv_rdma(UB_OP_FETCH_ADD, i, &self->b.mr, 0),
			   &word, 1));
	expect(&e, 0, 8);
	expect(&e, 1, 8);
	after = link_of(self, 0, 1);
	for (d = 0; d < 2; d++) {
		EXPECT_EQ(e.bytes[d], after.bytes[d] - before.bytes[d]);
		EXPECT_EQ(e.packets[d], after.packets[d] - before.packets[d]);
		EXPECT_EQ(e.flits[d], after.flits[d] - before.flits[d]);
	}
	EXPECT_EQ(e.bytes[0], uv_counter(self->pod.npu[0], "tx_bytes"));
	EXPECT_EQ(e.bytes[1], uv_counter(self->pod.npu[0], "rx_bytes"));
	EXPECT_EQ(e.bytes[0], uv_counter(self->pod.npu[1], "rx_bytes"));
	/* What is refused, or finds no receive, crosses nothing. */
	before = after;
	self->path.rnr_retry = 0;
	ASSERT_EQ(0, again(self));
	EXPECT_EQ(UB_CR_RNR_EXCEEDED, uv_do(&self->a.qp, &self->a.cq, uv_sqe(UB_OP_SEND, 1),
					    &self->sge, 1));
	ASSERT_EQ(0, again(self));
	EXPECT_EQ(UB_CR_REM_ACCESS, uv_do(&self->a.qp, &self->a.cq,
					  uv_rdma(UB_OP_WRITE, 1, &self->b.mr, 8 * MIB - 7),
					  &self->sge, 1));
	after = link_of(self, 0, 1);
	EXPECT_EQ(before.bytes[0], after.bytes[0]);
	EXPECT_EQ(before.packets[0], after.packets[0]);
	after = link_of(self, 0, 2);
	EXPECT_EQ(other.bytes[0], after.bytes[0]);
}

/* ---- one link down ---------------------------------------------------------------------- */

UV_TEST_F(verbs_links, a_detour_is_taken_and_counted)
{
	struct ub_link_counters was[4], now[4];
	struct ub_sge sge = uv_sge(&self->a.mr, 0, MIB);
	static const int link[4][2] = { { 0, 1 }, { 0, 2 }, { 0, 3 }, { 2, 3 } };
	int i, via2, via3;

	ub_fill(self->a.mr.at, MIB, 1);
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, false));
	for (i = 0; i < 4; i++)
		was[i] = link_of(self, link[i][0], link[i][1]);
	ASSERT_EQ(0, uv_do(&self->a.qp, &self->a.cq, uv_rdma(UB_OP_WRITE, 1, &self->b.mr, 0),
			   &sge, 1));
	EXPECT_EQ(-1, ub_differs(self->b.mr.at, MIB, 1));
	for (i = 0; i < 4; i++)
		now[i] = link_of(self, link[i][0], link[i][1]);
	EXPECT_EQ(was[0].bytes[0], now[0].bytes[0]);
	via2 = now[1].bytes[0] - was[1].bytes[0] == MIB;
	via3 = now[2].bytes[0] - was[2].bytes[0] == MIB;
	EXPECT_EQ(1, via2 + via3);
	EXPECT_EQ(was[3].bytes[0] + was[3].bytes[1], now[3].bytes[0] + now[3].bytes[1]);
	/* And back, when it is there again. */
	ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, true));
	ASSERT_EQ(0, uv_do(&self->a.qp, &self->a.cq, uv_rdma(UB_OP_WRITE, 1, &self->b.mr, 0),
			   &sge, 1));
	now[0] = link_of(self, 0, 1);
	EXPECT_EQ(MIB, now[0].bytes[0] - was[0].bytes[0]);
}

/* A link that comes and goes under traffic costs nothing but time. */
UV_TEST_F(verbs_links, a_link_that_flaps)
{
	int i, rounds = ub_debug_kernel() ? 10 : 60, k;
	struct ub_sge sge = uv_sge(&self->a.mr, 0, 2 * MIB);

	for (i = 0; i < rounds; i++) {
		ub_fill(self->a.mr.at, 2 * MIB, i);
		memset(self->b.mr.at, 0, 2 * MIB);
		for (k = 0; k < 3; k++)
			ASSERT_EQ(0, uv_post(&self->a.qp, uv_rdma(UB_OP_WRITE, k, &self->b.mr,
								  2 * MIB * k), &sge, 1));
		ASSERT_EQ(0, uv_bell(&self->a.qp));
		ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, i & 1));
		for (k = 0; k < 3; k++)
			ASSERT_EQ(0, uv_status(&self->a.cq, k));
		for (k = 0; k < 3; k++)
			ASSERT_EQ(-1, ub_differs(self->b.mr.at + 2 * MIB * k, 2 * MIB, i));
	}
}

/* ---- all links down ------------------------------------------------------------------------ */

UV_TEST_F(verbs_links, without_any_link_it_gives_up_in_the_end)
{
	long long tried;
	int i;

	self->path.timeout = 12;
	self->path.retry = 3;
	ASSERT_EQ(0, again(self));
	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 1, false));
	tried = uv_counter(self->pod.npu[0], "local_ack_timeout_err");
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, uv_post(&self->a.qp, uv_rdma(UB_OP_WRITE, i, &self->b.mr, 0),
				     &self->sge, 1));
	ASSERT_EQ(0, uv_bell(&self->a.qp));
	EXPECT_EQ(UB_CR_RETRY_EXCEEDED, uv_status(&self->a.cq, 0));
	EXPECT_EQ(UB_CR_FLUSH, uv_status(&self->a.cq, 1));
	EXPECT_EQ(UB_CR_FLUSH, uv_status(&self->a.cq, 2));
	EXPECT_EQ(tried + 4, uv_counter(self->pod.npu[0], "local_ack_timeout_err"));
	/* Its peer hears nothing of it. */
	EXPECT_EQ(UV_RTS, uv_state(&self->b.qp));
}

/* Returned before retries are exhausted: it goes on at once, not at the next expiry. */
UV_TEST_F(verbs_links, it_goes_on_when_a_link_returns)
{
	struct ub_sge sge = uv_sge(&self->a.mr, 0, 4 * MIB);
	int round;

	self->path.timeout = 20; /* 4.3 s: nothing here waits so long */
	ASSERT_EQ(0, again(self));
	for (round = 1; round <= 3; round++) {
		unsigned long long start = ub_now_ns();

		ub_fill(self->a.mr.at, 4 * MIB, round);
		ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 1, false));
		ASSERT_EQ(0, uv_send(&self->a.qp, uv_rdma(UB_OP_WRITE, 1, &self->b.mr, 0),
				     &sge, 1));
		EXPECT_EQ(0, uv_count_for(&self->a.cq, 30));
		/* One that is not the direct one suffices. */
		ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 1, 3, true));
		EXPECT_EQ(0, uv_status(&self->a.cq, 1));
		EXPECT_EQ(-1, ub_differs(self->b.mr.at, 4 * MIB, round));
		printf("# round %d took %llu ms\n", round, (ub_now_ns() - start) / 1000000);
	}
	EXPECT_EQ(0, uv_counter(self->pod.npu[0], "local_ack_timeout_err"));
}

/* Some expiries are borne, again and again: more in all than one request may have. */
UV_TEST_F(verbs_links, progress_gives_retries_back)
{
	struct ub_sge sge = uv_sge(&self->a.mr, 0, 8);
	long long tried;
	int round, i;

	self->path.timeout = 15; /* 134 ms */
	self->path.retry = 7;
	ASSERT_EQ(0, again(self));
	for (round = 0; round < 3; round++) {
		tried = uv_counter(self->pod.npu[0], "local_ack_timeout_err");
		ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 1, false));
		ASSERT_EQ(0, uv_send(&self->a.qp, uv_rdma(UB_OP_WRITE, round, &self->b.mr, 0),
				     &sge, 1));
		for (i = 0; i < 100 &&
		     uv_counter(self->pod.npu[0], "local_ack_timeout_err") < tried + 3; i++)
			;
		ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 1, true));
		ASSERT_EQ(0, uv_status(&self->a.cq, round));
	}
	EXPECT_LE(9, uv_counter(self->pod.npu[0], "local_ack_timeout_err"));
}

UV_TEST_F(verbs_links, a_timeout_of_zero_waits_for_ever)
{
	self->path.timeout = 0;
	self->path.retry = 0;
	ASSERT_EQ(0, again(self));
	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, false));
	ASSERT_EQ(0, uv_send(&self->a.qp, uv_rdma(UB_OP_WRITE, 1, &self->b.mr, 0), &self->sge, 1));
	EXPECT_EQ(0, uv_count_for(&self->a.cq, 500));
	ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, true));
	EXPECT_EQ(0, uv_status(&self->a.cq, 1));
}

/* The port is all links together: it is down with the last, and up with the first. */
UV_TEST_F(verbs_links, port_events)
{
	struct ib_uverbs_async_event_desc event;
	struct pollfd file = { .fd = self->a.dev.async, .events = POLLIN };
	int i, seen[32] = {};

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, ub_mesh_link_set(&self->pod, 0, 1, i & 1));
		ASSERT_EQ(0, ub_mesh_isolate(&self->pod, 0, i & 1));
	}
	while (poll(&file, 1, 300) == 1) {
		ASSERT_EQ(sizeof(event), read(file.fd, &event, sizeof(event)));
		if (event.event_type < 32)
			seen[event.event_type]++;
	}
	EXPECT_EQ(2, seen[UV_PORT_ERR]);
	EXPECT_EQ(2, seen[UV_PORT_ACTIVE]);
	/* A queue pair lives through it. */
	EXPECT_EQ(0, uv_do(&self->a.qp, &self->a.cq, uv_rdma(UB_OP_WRITE, 1, &self->b.mr, 0),
			   &self->sge, 1));
}

TEST_HARNESS_MAIN
