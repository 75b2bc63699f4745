// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Posting receives: what programs post is, byte for byte, what the kernel finds in the
 * ring, and a doorbell is rung only when somebody waits.
 */
#include "fake_verbs.h"

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;

static int open_device(void **state)
{
	context = fake_open();
	fake.index = UINT32_MAX - 2;
	pd = fake.ops.alloc_pd(context);
	cq = fake_cq(context, 64);
	return 0;
}

static int close_device(void **state)
{
	assert_int_equal(fake.ops.destroy_cq(cq), 0);
	assert_int_equal(fake.ops.dealloc_pd(pd), 0);
	fake_close(context);
	return 0;
}

static struct ibv_sge sges[3] = {
	{ 0x1000, 10, 0x100 }, { 0x2000, 20, 0x200 }, { 0x3000, 30, 0x300 },
};

static void check_receive(struct ub_ring *ring, uint64_t wr_id, uint32_t nr_sge)
{
	const struct ub_rqe *rqe = ub_ring_next(ring);
	const struct ub_rqe want = { .wr_id = wr_id, .nr_sge = nr_sge };

	assert_non_null(rqe);
	assert_memory_equal(rqe, &want, sizeof(want));
	assert_memory_equal(rqe + 1, sges, nr_sge * sizeof(sges[0]));
	ub_ring_read(ring);
	ub_ring_release(ring);
}

static void receives_arrive_without_a_doorbell(void **state)
{
	struct ibv_qp *qp = fake_qp(pd, cq, cq, IBV_QPT_RC, IBV_QPS_RTS);
	struct ub_ring ring = fake.last[1];
	struct ibv_recv_wr second = { .wr_id = 2 };
	struct ibv_recv_wr first = { .wr_id = 1, .num_sge = 2, .sg_list = sges,
				     .next = &second };
	struct ibv_recv_wr *bad = NULL;

	assert_int_equal(fake.ops.post_recv(qp, &first, &bad), 0);
	assert_int_equal(fake.received, 0);
	check_receive(&ring, 1, 2);
	check_receive(&ring, 2, 0);
	ring.head->flags = UB_RING_NEED_WAKEUP;
	assert_int_equal(fake.ops.post_recv(qp, &second, &bad), 0);
	assert_int_equal(fake.received, 1);
	check_receive(&ring, 2, 0);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void a_wrong_receive_is_named(void **state)
{
	struct ibv_qp *qp = fake_qp(pd, cq, cq, IBV_QPT_RC, IBV_QPS_RTS);
	struct ub_ring ring = fake.last[1];
	struct ibv_recv_wr many = { .wr_id = 2, .num_sge = 3, .sg_list = sges };
	struct ibv_recv_wr negative = { .num_sge = -1, .sg_list = sges };
	struct ibv_recv_wr good = { .wr_id = 1, .next = &many }, *bad = NULL;

	assert_int_equal(fake.ops.post_recv(qp, &good, &bad), EINVAL);
	assert_ptr_equal(bad, &many);
	check_receive(&ring, 1, 0);
	assert_null(ub_ring_next(&ring));
	assert_int_equal(fake.ops.post_recv(qp, &negative, &bad), EINVAL);
	good.next = NULL;
	for (int i = 0; i < 4; i++)
		assert_int_equal(fake.ops.post_recv(qp, &good, &bad), 0);
	assert_int_equal(fake.ops.post_recv(qp, &good, &bad), ENOMEM);
	assert_ptr_equal(bad, &good);
	qp->state = IBV_QPS_RESET;
	assert_int_equal(fake.ops.post_recv(qp, &good, &bad), EINVAL);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void shared_receives_arrive(void **state)
{
	struct ibv_srq_init_attr init = { .attr = { .max_wr = 4, .max_sge = 2 } };
	struct ibv_srq *srq = fake.ops.create_srq(pd, &init);
	struct ub_ring ring = fake.last[0];
	struct ibv_srq_attr attr = { .srq_limit = 2, .max_wr = 8 };
	struct ibv_recv_wr wr = { .wr_id = 9, .num_sge = 2, .sg_list = sges }, *bad = NULL;

	assert_non_null(srq);
	assert_int_equal(fake.ops.post_srq_recv(srq, &wr, &bad), 0);
	assert_int_equal(fake.srq_received, 0);
	check_receive(&ring, 9, 2);
	ring.head->flags = UB_RING_NEED_WAKEUP;
	assert_int_equal(fake.ops.post_srq_recv(srq, &wr, &bad), 0);
	assert_int_equal(fake.srq_received, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fake.ops.post_srq_recv(srq, &wr, &bad), 0);
	assert_int_equal(fake.ops.post_srq_recv(srq, &wr, &bad), ENOMEM);
	assert_ptr_equal(bad, &wr);
	assert_int_equal(fake.ops.modify_srq(srq, &attr, IBV_SRQ_LIMIT), 0);
	assert_int_equal(fake.ops.modify_srq(srq, &attr, IBV_SRQ_MAX_WR), EOPNOTSUPP);
	assert_int_equal(fake.ops.destroy_srq(srq), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_device, close_device)
	const struct CMUnitTest tests[] = {
		TEST(receives_arrive_without_a_doorbell),
		TEST(a_wrong_receive_is_named),
		TEST(shared_receives_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
