// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reading completions: what the kernel publishes is what programs see, by ibv_poll_cq()
 * and by the readers of extended queues.
 */
#include "fake_verbs.h"

static struct ibv_context *context;
static struct ibv_pd *pd;

static int open_device(void **state)
{
	context = fake_open();
	fake.index = UINT32_MAX - 2;
	pd = fake.ops.alloc_pd(context);
	return pd ? 0 : -1;
}

static int close_device(void **state)
{
	assert_int_equal(fake.ops.dealloc_pd(pd), 0);
	fake_close(context);
	return 0;
}

static const struct {
	uint8_t code;
	enum ibv_wc_status status;
} statuses[] = {
	{ UB_CR_SUCCESS, IBV_WC_SUCCESS },
	{ UB_CR_LOC_LEN, IBV_WC_LOC_LEN_ERR },
	{ UB_CR_LOC_QP_OP, IBV_WC_LOC_QP_OP_ERR },
	{ UB_CR_LOC_PROT, IBV_WC_LOC_PROT_ERR },
	{ UB_CR_FLUSH, IBV_WC_WR_FLUSH_ERR },
	{ UB_CR_BIND, IBV_WC_MW_BIND_ERR },
	{ UB_CR_LOC_ACCESS, IBV_WC_LOC_ACCESS_ERR },
	{ UB_CR_REM_INVALID, IBV_WC_REM_INV_REQ_ERR },
	{ UB_CR_REM_ACCESS, IBV_WC_REM_ACCESS_ERR },
	{ UB_CR_REM_OP, IBV_WC_REM_OP_ERR },
	{ UB_CR_RETRY_EXCEEDED, IBV_WC_RETRY_EXC_ERR },
	{ UB_CR_RNR_EXCEEDED, IBV_WC_RNR_RETRY_EXC_ERR },
	{ UB_CR_FATAL, IBV_WC_FATAL_ERR },
	{ UB_CR_GENERAL, IBV_WC_GENERAL_ERR },
	/* Nobody knows these. */
	{ 3, IBV_WC_GENERAL_ERR },
	{ 7, IBV_WC_GENERAL_ERR },
	{ 14, IBV_WC_GENERAL_ERR },
	{ 18, IBV_WC_GENERAL_ERR },
	{ 20, IBV_WC_GENERAL_ERR },
	{ 255, IBV_WC_GENERAL_ERR },
};

static const struct {
	uint8_t op;
	enum ibv_wc_opcode opcode;
} ops[] = {
	{ UB_OP_WRITE, IBV_WC_RDMA_WRITE },
	{ UB_OP_WRITE_IMM, IBV_WC_RDMA_WRITE },
	{ UB_OP_SEND, IBV_WC_SEND },
	{ UB_OP_SEND_IMM, IBV_WC_SEND },
	{ UB_OP_SEND_INVALIDATE, IBV_WC_SEND },
	{ UB_OP_READ, IBV_WC_RDMA_READ },
	{ UB_OP_COMPARE_SWAP, IBV_WC_COMP_SWAP },
	{ UB_OP_FETCH_ADD, IBV_WC_FETCH_ADD },
	{ UB_OP_LOCAL_INVALIDATE, IBV_WC_LOCAL_INV },
	{ UB_OP_BIND, IBV_WC_BIND_MW },
	{ UB_CQE_RECV, IBV_WC_RECV },
	{ UB_CQE_RECV_WRITE_IMM, IBV_WC_RECV_RDMA_WITH_IMM },
};

static struct ibv_cq_ex *extended(uint64_t wc_flags, uint32_t flags)
{
	struct ibv_cq_init_attr_ex attr = {
		.cqe = 8,
		.wc_flags = wc_flags,
		.comp_mask = IBV_CQ_INIT_ATTR_MASK_FLAGS,
		.flags = flags,
	};

	return fake.ops.create_cq_ex(context, &attr);
}

static struct ibv_wc poll_one(struct ibv_cq *cq)
{
	struct ibv_wc wc[2];

	assert_int_equal(fake.ops.poll_cq(cq, 2, wc), 1);
	return wc[0];
}

static void each_status_has_its_name(void **state)
{
	struct ibv_cq_ex *ex = extended(0, 0);
	struct ub_ring of_ex = fake.last[0];
	struct ibv_cq *cq = fake_cq(context, 8);
	struct ub_ring ring = fake.last[0];
	struct ibv_poll_cq_attr none = {};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct ub_cqe cqe = { .wr_id = i, .status = statuses[i].code,
				      .jetty = 7, .vendor_error = 0x99 };
		struct ibv_wc wc;

		fake_complete(&ring, &cqe);
		wc = poll_one(cq);
		assert_int_equal(wc.status, statuses[i].status);
		assert_int_equal(wc.wr_id, i);
		assert_int_equal(wc.qp_num, 7);
		assert_int_equal(wc.vendor_err, 0x99);

		fake_complete(&of_ex, &cqe);
		assert_int_equal(ex->start_poll(ex, &none), 0);
		assert_int_equal(ex->status, statuses[i].status);
		assert_int_equal(ex->wr_id, i);
		assert_int_equal(ex->read_vendor_err(ex), 0x99);
		ex->end_poll(ex);
	}
	assert_int_equal(fake.ops.destroy_cq(cq), 0);
	assert_int_equal(fake.ops.destroy_cq(ibv_cq_ex_to_cq(ex)), 0);
}

static void each_operation_has_its_name(void **state)
{
	struct ibv_cq_ex *ex = extended(0, 0);
	struct ub_ring of_ex = fake.last[0];
	struct ibv_cq *cq = fake_cq(context, 8);
	struct ub_ring ring = fake.last[0];
	struct ibv_poll_cq_attr none = {};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct ub_cqe cqe = { .op = ops[i].op };

		fake_complete(&ring, &cqe);
		assert_int_equal(poll_one(cq).opcode, ops[i].opcode);
		fake_complete(&of_ex, &cqe);
		assert_int_equal(ex->start_poll(ex, &none), 0);
		assert_int_equal(ex->read_opcode(ex), ops[i].opcode);
		ex->end_poll(ex);
	}
	/* Of a kernel that knows more: nothing is read that is not there. */
	fake_complete(&ring, &(struct ub_cqe) { .op = 250, .status = UB_CR_FLUSH });
	assert_int_equal(poll_one(cq).status, IBV_WC_WR_FLUSH_ERR);
	assert_int_equal(fake.ops.destroy_cq(cq), 0);
	assert_int_equal(fake.ops.destroy_cq(ibv_cq_ex_to_cq(ex)), 0);
}

/* A datagram with immediate data, in network order as it stands in memory. */
static const struct ub_cqe datagram = {
	.wr_id = 0x1122334455667788, .op = UB_CQE_RECV, .sl = 0xa,
	.flags = UB_CQE_IMM | UB_CQE_GRH | UB_CQE_IPV4, .length = 140, .imm = 0x01020304,
	.jetty = 0x100, .src_jetty = 0x200, .time_ns = 0x123456789abc,
};

static void a_datagram_comes_with_all_of_it(void **state)
{
	struct ibv_cq *cq = fake_cq(context, 8);
	struct ibv_wc wc;

	fake_complete(&fake.last[0], &datagram);
	wc = poll_one(cq);
	assert_int_equal(wc.wr_id, datagram.wr_id);
	assert_int_equal(wc.byte_len, 140);
	assert_memory_equal(&wc.imm_data, &datagram.imm, 4);
	assert_int_equal(wc.wc_flags, IBV_WC_WITH_IMM | IBV_WC_GRH);
	assert_int_equal(wc.qp_num, 0x100);
	assert_int_equal(wc.src_qp, 0x200);
	assert_int_equal(wc.sl, 0xa);
	assert_int_equal(wc.pkey_index | wc.slid | wc.dlid_path_bits, 0);
	assert_int_equal(fake.ops.destroy_cq(cq), 0);
}

static void an_extended_queue_reads_all_of_it(void **state)
{
	struct ibv_cq_ex *ex = extended(UB_CQ_READERS, 0);
	struct ibv_poll_cq_attr none = {};
	uint32_t imm;

	fake_complete(&fake.last[0], &datagram);
	assert_int_equal(ex->start_poll(ex, &none), 0);
	assert_int_equal(ibv_wc_read_byte_len(ex), 140);
	imm = ibv_wc_read_imm_data(ex);
	assert_int_equal(imm, datagram.imm);
	assert_int_equal(ibv_wc_read_wc_flags(ex), IBV_WC_WITH_IMM | IBV_WC_GRH);
	assert_int_equal(ibv_wc_read_qp_num(ex), 0x100);
	assert_int_equal(ibv_wc_read_src_qp(ex), 0x200);
	assert_int_equal(ibv_wc_read_sl(ex), 0xa);
	assert_int_equal(ibv_wc_read_slid(ex), 0);
	assert_int_equal(ibv_wc_read_dlid_path_bits(ex), 0);
	assert_int_equal(ibv_wc_read_completion_ts(ex), datagram.time_ns);
	assert_int_equal(ex->next_poll(ex), ENOENT);
	ex->end_poll(ex);
	assert_int_equal(ex->start_poll(ex, &none), ENOENT);
	assert_int_equal(fake.ops.destroy_cq(ibv_cq_ex_to_cq(ex)), 0);
}

static void a_key_that_was_invalidated_is_told(void **state)
{
	struct ibv_cq *cq = fake_cq(context, 8);
	struct ibv_wc wc;

	fake_complete(&fake.last[0], &(struct ub_cqe) { .op = UB_CQE_RECV, .imm = 0x4711,
							.flags = UB_CQE_INVALIDATED });
	wc = poll_one(cq);
	assert_int_equal(wc.wc_flags, IBV_WC_WITH_INV);
	assert_int_equal(wc.invalidated_rkey, 0x4711);
	assert_int_equal(fake.ops.destroy_cq(cq), 0);
}

static void complete(struct ub_ring *ring, uint32_t jetty, uint64_t wr_id)
{
	fake_complete(ring, &(struct ub_cqe) { .jetty = jetty, .wr_id = wr_id });
}

static void polling_takes_at_most_what_is_asked_for(void **state)
{
	struct ibv_cq *cq = fake_cq(context, 8);
	struct ub_ring *ring = &fake.last[0];
	struct ibv_wc wc[8];

	assert_int_equal(fake.ops.poll_cq(cq, 8, wc), 0);
	for (int i = 0; i < 8; i++)
		complete(ring, 1, i);
	assert_null(ub_ring_free_entry(ring));
	assert_int_equal(fake.ops.poll_cq(cq, 3, wc), 3);
	assert_int_equal(wc[2].wr_id, 2);
	assert_non_null(ub_ring_free_entry(ring));
	assert_int_equal(fake.ops.poll_cq(cq, 8, wc), 5);
	assert_int_equal(wc[0].wr_id, 3);
	assert_int_equal(wc[4].wr_id, 7);
	assert_int_equal(fake.ops.poll_cq(cq, 8, wc), 0);
	assert_int_equal(fake.ops.destroy_cq(cq), 0);
}

static void an_extended_queue_gives_places_back_at_the_end(void **state)
{
	struct ibv_cq_ex *ex = extended(0, IBV_CREATE_CQ_ATTR_SINGLE_THREADED);
	struct ub_ring *ring = &fake.last[0];
	struct ibv_poll_cq_attr none = {};
	uint32_t start = ring->head->consumer;

	for (int i = 0; i < 4; i++)
		complete(ring, 1, i);
	assert_int_equal(ex->start_poll(ex, &none), 0);
	assert_int_equal(ex->next_poll(ex), 0);
	assert_int_equal(ex->wr_id, 1);
	assert_int_equal(ring->head->consumer, start);
	ex->end_poll(ex);
	assert_int_equal(ring->head->consumer, start + 2);
	assert_int_equal(ex->start_poll(ex, &none), 0);
	assert_int_equal(ex->wr_id, 2);
	ex->end_poll(ex);
	assert_int_equal(ring->head->consumer, start + 3);
	assert_int_equal(fake.ops.destroy_cq(ibv_cq_ex_to_cq(ex)), 0);
}

static void waiting_is_a_store(void **state)
{
	struct ibv_cq *cq = fake_cq(context, 8);
	struct ub_ring_head *head = fake.last[0].head;

	assert_int_equal(fake.ops.req_notify_cq(cq, 1), 0);
	assert_int_equal(head->arm, UB_ARM_SOLICITED);
	assert_int_equal(fake.ops.req_notify_cq(cq, 0), 0);
	assert_int_equal(head->arm, UB_ARM_ANY);
	assert_int_equal(fake.ops.destroy_cq(cq), 0);
}

static struct ub_ring *backlog_ring;

static void run_backlog(void)
{
	complete(backlog_ring, 1, 42);
}

static void an_idle_poller_runs_the_backlog(void **state)
{
	struct ibv_cq *cq = fake_cq(context, 8);
	struct ub_ring ring = fake.last[0];
	struct ibv_wc wc = {};

	for (int i = 0; i < 1000; i++)
		assert_int_equal(fake.ops.poll_cq(cq, 1, &wc), 0);
	assert_int_equal(fake.polled, 0);
	ring.head->flags = UB_RING_BACKLOG;
	backlog_ring = &ring;
	fake.on_poll = run_backlog;
	for (int i = 0; i < 1000 && !fake.ops.poll_cq(cq, 1, &wc); i++)
		;
	assert_int_equal(wc.wr_id, 42);
	assert_int_equal(fake.polled, 1);
	assert_int_equal(fake.ops.destroy_cq(cq), 0);
}

static void polling_fails_when_nothing_will_come(void **state)
{
	static const uint32_t ends[] = { UB_RING_OVERFLOW, UB_RING_DEAD };
	struct ibv_poll_cq_attr none = {};
	struct ibv_wc wc;

	for (int i = 0; i < 2; i++) {
		struct ibv_cq_ex *ex = extended(0, 0);
		struct ibv_cq *cq = ibv_cq_ex_to_cq(ex);

		complete(&fake.last[0], 1, 1);
		fake.last[0].head->flags = ends[i];
		assert_int_equal(fake.ops.poll_cq(cq, 1, &wc), 1);
		assert_int_equal(fake.ops.poll_cq(cq, 1, &wc), -1);
		assert_int_equal(errno, EIO);
		assert_int_equal(ex->start_poll(ex, &none), EIO);
		assert_int_equal(fake.ops.destroy_cq(cq), 0);
	}
}

static void completions_of_a_destroyed_queue_pair_vanish(void **state)
{
	struct ibv_cq *cq = fake_cq(context, 8);
	struct ub_ring ring = fake.last[0];
	struct ibv_qp *a = fake_qp(pd, cq, cq, IBV_QPT_RC, IBV_QPS_RTS);
	struct ibv_qp *b = fake_qp(pd, cq, cq, IBV_QPT_RC, IBV_QPS_RTS);
	const uint32_t of[] = { a->qp_num, b->qp_num, a->qp_num, a->qp_num, b->qp_num, a->qp_num };
	struct ibv_wc wc[8];

	for (int i = 0; i < 6; i++)
		complete(&ring, of[i], i);
	assert_int_equal(fake.ops.poll_cq(cq, 1, wc), 1);
	assert_int_equal(fake.ops.destroy_qp(a), 0);
	complete(&ring, b->qp_num, 6);
	assert_int_equal(fake.ops.poll_cq(cq, 8, wc), 3);
	assert_int_equal(wc[0].wr_id, 1);
	assert_int_equal(wc[1].wr_id, 4);
	assert_int_equal(wc[2].wr_id, 6);
	assert_int_equal(ring.head->consumer, ring.head->producer);
	assert_int_equal(fake.ops.destroy_qp(b), 0);
	assert_int_equal(fake.ops.destroy_cq(cq), 0);
}

static void completions_of_a_queue_pair_that_is_reset_vanish(void **state)
{
	struct ibv_cq *send = fake_cq(context, 8), *recv;
	struct ub_ring of_send = fake.last[0], of_recv;
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RESET };
	struct ibv_wc wc;
	struct ibv_qp *qp;

	recv = fake_cq(context, 8);
	of_recv = fake.last[0];
	qp = fake_qp(pd, send, recv, IBV_QPT_RC, IBV_QPS_RTS);
	complete(&of_send, qp->qp_num, 1);
	complete(&of_recv, qp->qp_num, 2);
	complete(&of_recv, qp->qp_num + 1, 3);
	assert_int_equal(fake.ops.modify_qp(qp, &attr, IBV_QP_STATE), 0);
	assert_int_equal(fake.ops.poll_cq(send, 1, &wc), 0);
	assert_int_equal(poll_one(recv).wr_id, 3);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
	assert_int_equal(fake.ops.destroy_cq(send), 0);
	assert_int_equal(fake.ops.destroy_cq(recv), 0);
}

static void a_queue_that_is_resized_keeps_its_completions(void **state)
{
	struct ibv_cq *cq = fake_cq(context, 4);
	struct ibv_wc wc[16];

	for (int i = 0; i < 4; i++)
		complete(&fake.last[0], 1, i);
	assert_int_equal(fake.ops.poll_cq(cq, 1, wc), 1);
	assert_int_equal(fake.ops.resize_cq(cq, 0), EINVAL);
	fake.fail = ENOMEM;
	assert_int_equal(fake.ops.resize_cq(cq, 16), ENOMEM);
	assert_int_equal(fake.ops.resize_cq(cq, 16), 0);
	for (int i = 4; i < 17; i++)
		complete(&fake.last[0], 1, i);
	assert_int_equal(fake.ops.poll_cq(cq, 16, wc), 16);
	for (int i = 0; i < 16; i++)
		assert_int_equal(wc[i].wr_id, i + 1);
	assert_int_equal(fake.ops.destroy_cq(cq), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_device, close_device)
	const struct CMUnitTest tests[] = {
		TEST(each_status_has_its_name),
		TEST(each_operation_has_its_name),
		TEST(a_datagram_comes_with_all_of_it),
		TEST(an_extended_queue_reads_all_of_it),
		TEST(a_key_that_was_invalidated_is_told),
		TEST(polling_takes_at_most_what_is_asked_for),
		TEST(an_extended_queue_gives_places_back_at_the_end),
		TEST(waiting_is_a_store),
		TEST(an_idle_poller_runs_the_backlog),
		TEST(polling_fails_when_nothing_will_come),
		TEST(completions_of_a_destroyed_queue_pair_vanish),
		TEST(completions_of_a_queue_pair_that_is_reset_vanish),
		TEST(a_queue_that_is_resized_keeps_its_completions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
