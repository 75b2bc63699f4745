// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Posting requests: what programs post is, byte for byte, what the kernel finds in the
 * ring, by ibv_post_send() and by ibv_wr_*(); and what is wrong is refused with the right
 * errno.
 */
#include "fake_verbs.h"

#include <string.h>

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

static struct ibv_qp *new_qp(enum ibv_qp_type type)
{
	return fake_qp(pd, cq, cq, type, IBV_QPS_RTS);
}

/* One request, posted in one or the other way, and what the kernel finds. */
struct request {
	const char *name;
	enum ibv_qp_type type;
	struct ibv_send_wr wr;
	struct ub_sqe sqe;
};

#define RKEY	0x1100
#define ADDR	0x7fff12345678ull
/* As it stands in memory. */
#define IMM	0x0a0b0c0d
#define FLAGS	(IBV_SEND_SIGNALED | IBV_SEND_FENCE | IBV_SEND_SOLICITED)
#define SQE_FLAGS (UB_SQE_SIGNALED | UB_SQE_FENCE | UB_SQE_SOLICITED)

static struct ibv_mr region = { .lkey = 0x2200, .rkey = 0x2200 };
static struct ibv_mw window = { .rkey = 0x3300, .type = IBV_MW_TYPE_2 };
static struct ub_ah target = { .number = 0x77 };

static const struct request requests[] = {
	{ "write", IBV_QPT_RC,
	  { .opcode = IBV_WR_RDMA_WRITE, .wr.rdma = { ADDR, RKEY } },
	  { .op = UB_OP_WRITE, .addr = ADDR, .key = RKEY } },
	{ "write with flags", IBV_QPT_UC,
	  { .opcode = IBV_WR_RDMA_WRITE, .wr.rdma = { ADDR, RKEY }, .send_flags = FLAGS },
	  { .op = UB_OP_WRITE, .addr = ADDR, .key = RKEY, .flags = SQE_FLAGS } },
	{ "write imm", IBV_QPT_RC,
	  { .opcode = IBV_WR_RDMA_WRITE_WITH_IMM, .wr.rdma = { ADDR, RKEY }, .imm_data = IMM },
	  { .op = UB_OP_WRITE_IMM, .addr = ADDR, .key = RKEY, .imm = IMM } },
	{ "send", IBV_QPT_RC,
	  { .opcode = IBV_WR_SEND, .send_flags = IBV_SEND_SIGNALED },
	  { .op = UB_OP_SEND, .flags = UB_SQE_SIGNALED } },
	{ "send imm", IBV_QPT_UC,
	  { .opcode = IBV_WR_SEND_WITH_IMM, .imm_data = IMM },
	  { .op = UB_OP_SEND_IMM, .imm = IMM } },
	{ "send invalidate", IBV_QPT_RC,
	  { .opcode = IBV_WR_SEND_WITH_INV, .invalidate_rkey = RKEY },
	  { .op = UB_OP_SEND_INVALIDATE, .imm = RKEY } },
	{ "read", IBV_QPT_RC,
	  { .opcode = IBV_WR_RDMA_READ, .wr.rdma = { ADDR, RKEY } },
	  { .op = UB_OP_READ, .addr = ADDR, .key = RKEY } },
	{ "compare and swap", IBV_QPT_RC,
	  { .opcode = IBV_WR_ATOMIC_CMP_AND_SWP, .wr.atomic = { ADDR, 1, 2, RKEY } },
	  { .op = UB_OP_COMPARE_SWAP, .addr = ADDR, .key = RKEY,
	    .atomic = { .compare = 1, .operand = 2 } } },
	{ "fetch and add", IBV_QPT_RC,
	  { .opcode = IBV_WR_ATOMIC_FETCH_AND_ADD, .wr.atomic = { ADDR, 5, 0, RKEY } },
	  { .op = UB_OP_FETCH_ADD, .addr = ADDR, .key = RKEY, .atomic = { .operand = 5 } } },
	{ "local invalidate", IBV_QPT_RC,
	  { .opcode = IBV_WR_LOCAL_INV, .invalidate_rkey = RKEY },
	  { .op = UB_OP_LOCAL_INVALIDATE, .key = RKEY } },
	{ "bind", IBV_QPT_RC,
	  { .opcode = IBV_WR_BIND_MW, .bind_mw = { &window, RKEY,
	    { &region, ADDR, 64, IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ } } },
	  { .op = UB_OP_BIND, .addr = ADDR, .key = RKEY,
	    .bind = { 64, 0x2200, UB_REGION_WRITE | UB_REGION_READ } } },
	{ "unbind", IBV_QPT_UC,
	  { .opcode = IBV_WR_BIND_MW, .bind_mw = { .mw = &window, .rkey = RKEY } },
	  { .op = UB_OP_BIND, .key = RKEY } },
	{ "datagram", IBV_QPT_UD,
	  { .opcode = IBV_WR_SEND, .wr.ud = { &target.ah, 0x1234, 0x80010000 } },
	  { .op = UB_OP_SEND, .ud = { 0x77, 0x1234, 0x80010000, 0 } } },
	{ "datagram imm", IBV_QPT_UD,
	  { .opcode = IBV_WR_SEND_WITH_IMM, .imm_data = IMM,
	    .wr.ud = { &target.ah, 0x1234, 1 } },
	  { .op = UB_OP_SEND_IMM, .imm = IMM, .ud = { 0x77, 0x1234, 1, 0 } } },
};

#define NR_REQUESTS (sizeof(requests) / sizeof(requests[0]))

static struct ibv_sge sges[3] = {
	{ 0x1000, 10, 0x100 }, { 0x2000, 20, 0x200 }, { 0x3000, 30, 0x300 },
};

static int post_by_list(struct ibv_qp *qp, struct ibv_send_wr *wr)
{
	struct ibv_send_wr *bad = NULL;

	return fake.ops.post_send(qp, wr, &bad);
}

static void build(struct ibv_qp_ex *ex, const struct ibv_send_wr *wr)
{
	ex->wr_id = wr->wr_id;
	ex->wr_flags = wr->send_flags & ~(unsigned int)IBV_SEND_INLINE;
	switch (wr->opcode) {
	case IBV_WR_RDMA_WRITE:
		return ibv_wr_rdma_write(ex, wr->wr.rdma.rkey, wr->wr.rdma.remote_addr);
	case IBV_WR_RDMA_WRITE_WITH_IMM:
		return ibv_wr_rdma_write_imm(ex, wr->wr.rdma.rkey, wr->wr.rdma.remote_addr,
					     wr->imm_data);
	case IBV_WR_SEND:
		return ibv_wr_send(ex);
	case IBV_WR_SEND_WITH_IMM:
		return ibv_wr_send_imm(ex, wr->imm_data);
	case IBV_WR_SEND_WITH_INV:
		return ibv_wr_send_inv(ex, wr->invalidate_rkey);
	case IBV_WR_RDMA_READ:
		return ibv_wr_rdma_read(ex, wr->wr.rdma.rkey, wr->wr.rdma.remote_addr);
	case IBV_WR_ATOMIC_CMP_AND_SWP:
		return ibv_wr_atomic_cmp_swp(ex, wr->wr.atomic.rkey, wr->wr.atomic.remote_addr,
					     wr->wr.atomic.compare_add, wr->wr.atomic.swap);
	case IBV_WR_ATOMIC_FETCH_AND_ADD:
		return ibv_wr_atomic_fetch_add(ex, wr->wr.atomic.rkey,
					       wr->wr.atomic.remote_addr,
					       wr->wr.atomic.compare_add);
	case IBV_WR_LOCAL_INV:
		return ibv_wr_local_inv(ex, wr->invalidate_rkey);
	case IBV_WR_BIND_MW:
		return ibv_wr_bind_mw(ex, wr->bind_mw.mw, wr->bind_mw.rkey,
				      &wr->bind_mw.bind_info);
	default:
		fail_msg("the test knows no operation %d", wr->opcode);
	}
}

static int post_by_building(struct ibv_qp *qp, struct ibv_send_wr *wr)
{
	struct ibv_qp_ex *ex = &to_ub_qp(qp)->verbs.qp_ex;

	ibv_wr_start(ex);
	for (; wr; wr = wr->next) {
		build(ex, wr);
		if (qp->qp_type == IBV_QPT_UD)
			ibv_wr_set_ud_addr(ex, wr->wr.ud.ah, wr->wr.ud.remote_qpn,
					   wr->wr.ud.remote_qkey);
		if (wr->num_sge == 1)
			ibv_wr_set_sge(ex, wr->sg_list->lkey, wr->sg_list->addr,
				       wr->sg_list->length);
		else if (wr->num_sge)
			ibv_wr_set_sge_list(ex, wr->num_sge, wr->sg_list);
	}
	return ibv_wr_complete(ex);
}

typedef int post_function(struct ibv_qp *, struct ibv_send_wr *);

static post_function *const ways[] = { post_by_list, post_by_building };

static void check_request(const struct request *request, post_function *post, int nr_sge)
{
	struct ibv_qp *qp = new_qp(request->type);
	struct ub_ring ring = fake.last[0];
	struct ibv_send_wr wr = request->wr;
	struct ub_sqe want = request->sqe;
	const struct ub_sqe *sqe;

	wr.wr_id = want.wr_id = 0xfedcba9876543210;
	wr.num_sge = want.nr_sge = nr_sge;
	wr.sg_list = sges;
	fake.sent = 0;
	/* What stood there before shows through nowhere. */
	memset(ub_ring_at(&ring, ring.index), 0xee, ring.stride);
	assert_int_equal(post(qp, &wr), 0);
	assert_int_equal(fake.sent, 1);
	sqe = fake_take(&ring);
	assert_non_null(sqe);
	if (memcmp(sqe, &want, sizeof(want)))
		print_error("request: %s\n", request->name);
	assert_memory_equal(sqe, &want, sizeof(want));
	assert_memory_equal(sqe + 1, sges, nr_sge * sizeof(sges[0]));
	assert_null(fake_take(&ring));
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void requests_arrive_as_they_were_posted(void **state)
{
	for (int way = 0; way < 2; way++)
		for (size_t i = 0; i < NR_REQUESTS; i++)
			for (int nr_sge = 0; nr_sge <= 2; nr_sge++)
				check_request(&requests[i], ways[way], nr_sge);
}

static const char text[] = "inline data, whose buffer may be used again at once";

static void check_inline(struct ub_ring *ring)
{
	const struct ub_sqe *sqe = fake_take(ring);

	assert_non_null(sqe);
	assert_int_equal(sqe->flags, UB_SQE_INLINE);
	assert_int_equal(sqe->nr_sge, 0);
	assert_int_equal(sqe->inline_length, sizeof(text));
	assert_memory_equal(sqe + 1, text, sizeof(text));
}

static void inline_data_is_gathered_behind_the_request(void **state)
{
	struct ibv_qp *qp = new_qp(IBV_QPT_RC);
	struct ub_ring ring = fake.last[0];
	struct ibv_qp_ex *ex = &to_ub_qp(qp)->verbs.qp_ex;
	char copy[sizeof(text)];
	struct ibv_sge list[] = {
		{ (uintptr_t)copy, 7, 0 },
		{ (uintptr_t)copy + 7, 0, 0 },
		{ (uintptr_t)copy + 7, sizeof(text) - 7, 0 },
	};
	struct ibv_data_buf buffers[] = { { copy, 10 }, { copy + 10, sizeof(text) - 10 } };
	struct ibv_send_wr wr = { .opcode = IBV_WR_SEND, .send_flags = IBV_SEND_INLINE,
				  .sg_list = list, .num_sge = 3 };

	memcpy(copy, text, sizeof(text));
	assert_int_equal(post_by_list(qp, &wr), 0);
	ibv_wr_start(ex);
	ex->wr_flags = 0;
	ibv_wr_send(ex);
	ibv_wr_set_inline_data(ex, copy, sizeof(text));
	ibv_wr_rdma_write(ex, 1, 2);
	ibv_wr_set_inline_data_list(ex, 2, buffers);
	assert_int_equal(ibv_wr_complete(ex), 0);
	memset(copy, 'x', sizeof(copy));
	for (int i = 0; i < 3; i++)
		check_inline(&ring);
	assert_int_equal(fake.sent, 2);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void one_doorbell_is_rung_for_a_list(void **state)
{
	struct ibv_qp *qp = new_qp(IBV_QPT_RC);
	struct ub_ring ring = fake.last[0];
	struct ibv_send_wr wr[4] = {};

	for (int i = 0; i < 4; i++)
		wr[i] = (struct ibv_send_wr) { .wr_id = i, .opcode = IBV_WR_SEND,
					       .next = i < 3 ? &wr[i + 1] : NULL };
	for (int way = 0; way < 2; way++) {
		fake.sent = 0;
		assert_int_equal(ways[way](qp, wr), 0);
		assert_int_equal(fake.sent, 1);
		for (int i = 0; i < 4; i++)
			assert_int_equal(fake_take(&ring)->wr_id, i);
		ub_ring_release(&ring);
	}
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

/* A list whose third request is wrong: the first two are posted. */
static void expect_bad(struct ibv_qp *qp, struct ub_ring *ring, const struct ibv_send_wr *wrong,
		       int err)
{
	struct ibv_send_wr last = { .opcode = IBV_WR_SEND }, third = *wrong;
	struct ibv_send_wr second = { .opcode = IBV_WR_SEND, .wr_id = 2, .next = &third };
	struct ibv_send_wr first = { .opcode = IBV_WR_SEND, .wr_id = 1, .next = &second };
	struct ibv_send_wr *bad = NULL;

	third.next = &last;
	fake.sent = 0;
	assert_int_equal(fake.ops.post_send(qp, &first, &bad), err);
	assert_ptr_equal(bad, &third);
	assert_int_equal(fake.sent, 1);
	assert_int_equal(fake_take(ring)->wr_id, 1);
	assert_int_equal(fake_take(ring)->wr_id, 2);
	assert_null(fake_take(ring));
	ub_ring_release(ring);
}

static void a_wrong_request_is_named(void **state)
{
	struct ibv_qp *qp = new_qp(IBV_QPT_RC);
	struct ub_ring ring = fake.last[0];
	struct ibv_mw type_1 = { .type = IBV_MW_TYPE_1 };
	char data[100];
	struct ibv_sge large = { (uintptr_t)data, 65, 0 };
	struct ibv_sge halves[] = { { (uintptr_t)data, 64, 0 }, { (uintptr_t)data, 1, 0 } };
	struct ibv_sge small = { (uintptr_t)data, 8, 0 };
	const struct ibv_send_wr wrong[] = {
		{ .opcode = IBV_WR_SEND, .sg_list = sges, .num_sge = 3 },
		{ .opcode = IBV_WR_SEND, .sg_list = sges, .num_sge = -1 },
		{ .opcode = IBV_WR_SEND, .sg_list = &large, .num_sge = 1,
		  .send_flags = IBV_SEND_INLINE },
		{ .opcode = IBV_WR_SEND, .sg_list = halves, .num_sge = 2,
		  .send_flags = IBV_SEND_INLINE },
		{ .opcode = IBV_WR_RDMA_READ, .sg_list = &small, .num_sge = 1,
		  .send_flags = IBV_SEND_INLINE },
		{ .opcode = IBV_WR_SEND, .send_flags = IBV_SEND_IP_CSUM },
		{ .opcode = IBV_WR_TSO },
		{ .opcode = IBV_WR_ATOMIC_WRITE },
		{ .opcode = (enum ibv_wr_opcode)1000 },
		{ .opcode = (enum ibv_wr_opcode)-1 },
		{ .opcode = IBV_WR_BIND_MW, .bind_mw.mw = &type_1 },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_bad(qp, &ring, &wrong[i], EINVAL);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void a_type_refuses_what_it_does_not_have(void **state)
{
	static const enum ibv_qp_type types[] = { IBV_QPT_UC, IBV_QPT_UD };

	for (int i = 0; i < 2; i++) {
		struct ibv_qp *qp = new_qp(types[i]);

		for (unsigned int op = 0; op <= IBV_WR_SEND_WITH_INV; op++) {
			struct ibv_send_wr wr = { .opcode = op }, *bad = NULL;

			if (ub_type_send_ops(types[i]) & 1u << op)
				continue;
			fake.sent = 0;
			assert_int_equal(fake.ops.post_send(qp, &wr, &bad), EINVAL);
			assert_ptr_equal(bad, &wr);
			assert_int_equal(fake.sent, 0);
		}
		assert_int_equal(fake.ops.destroy_qp(qp), 0);
	}
}

static void a_full_queue_has_no_memory(void **state)
{
	struct ibv_qp *qp = new_qp(IBV_QPT_RC);
	struct ub_ring ring = fake.last[0];
	struct ibv_send_wr wr = { .opcode = IBV_WR_SEND }, *bad = NULL;

	for (int way = 0; way < 2; way++) {
		for (int i = 0; i < 4; i++)
			assert_int_equal(ways[way](qp, &wr), 0);
		fake.sent = 0;
		assert_int_equal(fake.ops.post_send(qp, &wr, &bad), ENOMEM);
		assert_ptr_equal(bad, &wr);
		assert_int_equal(post_by_building(qp, &wr), ENOMEM);
		assert_int_equal(fake.sent, 0);
		for (int i = 0; i < 4; i++)
			assert_non_null(fake_take(&ring));
		assert_null(fake_take(&ring));
		ub_ring_release(&ring);
	}
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void requests_are_built_all_or_none(void **state)
{
	struct ibv_qp *qp = new_qp(IBV_QPT_RC);
	struct ub_ring ring = fake.last[0];
	struct ibv_qp_ex *ex = &to_ub_qp(qp)->verbs.qp_ex;
	struct ibv_send_wr read = { .opcode = IBV_WR_RDMA_READ };

	ibv_wr_start(ex);
	ibv_wr_send(ex);
	ibv_wr_send(ex);
	ibv_wr_set_sge_list(ex, 3, sges);
	ibv_wr_send(ex);
	assert_int_equal(ibv_wr_complete(ex), EINVAL);
	assert_int_equal(fake.sent, 0);
	assert_int_equal(post_by_list(qp, &read), 0);
	assert_int_equal(fake_take(&ring)->op, UB_OP_READ);
	assert_null(fake_take(&ring));
	ibv_wr_start(ex);
	ibv_wr_send(ex);
	ibv_wr_abort(ex);
	assert_int_equal(post_by_list(qp, &read), 0);
	assert_int_equal(fake_take(&ring)->op, UB_OP_READ);
	assert_null(fake_take(&ring));
	ub_ring_release(&ring);
	ibv_wr_start(ex);
	for (int i = 0; i < 4; i++)
		ibv_wr_send(ex);
	assert_int_equal(ibv_wr_complete(ex), 0);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void requests_are_refused_until_ready_to_send(void **state)
{
	static const enum ibv_qp_state early[] = { IBV_QPS_RESET, IBV_QPS_INIT, IBV_QPS_RTR };
	static const enum ibv_qp_state late[] = { IBV_QPS_RTS, IBV_QPS_SQD, IBV_QPS_ERR };
	struct ibv_qp *qp = new_qp(IBV_QPT_RC);
	struct ub_ring ring = fake.last[0];
	struct ibv_send_wr wr = { .opcode = IBV_WR_SEND };

	for (int way = 0; way < 2; way++) {
		for (int i = 0; i < 3; i++) {
			qp->state = early[i];
			assert_int_equal(ways[way](qp, &wr), EINVAL);
			assert_null(fake_take(&ring));
		}
		for (int i = 0; i < 3; i++) {
			qp->state = late[i];
			assert_int_equal(ways[way](qp, &wr), 0);
			assert_non_null(fake_take(&ring));
			ub_ring_release(&ring);
		}
	}
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void a_doorbell_that_fails_is_told(void **state)
{
	struct ibv_qp *qp = new_qp(IBV_QPT_RC);
	struct ibv_send_wr wr = { .opcode = IBV_WR_SEND }, *bad = NULL;

	fake.fail = EIO;
	assert_int_equal(fake.ops.post_send(qp, &wr, &bad), EIO);
	assert_ptr_equal(bad, &wr);
	fake.fail = EIO;
	assert_int_equal(post_by_building(qp, &wr), EIO);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void binding_by_a_call_changes_the_key(void **state)
{
	struct ibv_qp *qp = new_qp(IBV_QPT_RC);
	struct ub_ring ring = fake.last[0];
	struct ibv_mw *mw = fake.ops.alloc_mw(pd, IBV_MW_TYPE_1);
	struct ibv_mw_bind bind = { .wr_id = 5, .send_flags = IBV_SEND_SIGNALED,
				    .bind_info = { &region, ADDR, 64, IBV_ACCESS_REMOTE_READ } };
	uint32_t rkey = mw->rkey;
	const struct ub_sqe *sqe;

	assert_int_equal(fake.ops.bind_mw(qp, mw, &bind), 0);
	assert_int_equal(mw->rkey, ibv_inc_rkey(rkey));
	sqe = fake_take(&ring);
	assert_int_equal(sqe->op, UB_OP_BIND);
	assert_int_equal(sqe->key, mw->rkey);
	assert_int_equal(sqe->wr_id, 5);
	assert_int_equal(sqe->bind.length, 64);
	rkey = mw->rkey;
	qp->state = IBV_QPS_INIT;
	assert_int_equal(fake.ops.bind_mw(qp, mw, &bind), EINVAL);
	assert_int_equal(mw->rkey, rkey);
	assert_int_equal(fake.ops.dealloc_mw(mw), 0);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void a_reset_queue_begins_anew(void **state)
{
	struct ibv_qp *qp = new_qp(IBV_QPT_RC);
	struct ibv_qp_attr attr = { .qp_state = IBV_QPS_RESET };
	struct ibv_send_wr wr = { .opcode = IBV_WR_SEND };

	for (int i = 0; i < 4; i++)
		assert_int_equal(post_by_list(qp, &wr), 0);
	assert_int_equal(fake.ops.modify_qp(qp, &attr, IBV_QP_STATE), 0);
	qp->state = IBV_QPS_RTS;
	for (int i = 0; i < 4; i++)
		assert_int_equal(post_by_list(qp, &wr), 0);
	assert_int_equal(post_by_list(qp, &wr), ENOMEM);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_device, close_device)
	const struct CMUnitTest tests[] = {
		TEST(requests_arrive_as_they_were_posted),
		TEST(inline_data_is_gathered_behind_the_request),
		TEST(one_doorbell_is_rung_for_a_list),
		TEST(a_wrong_request_is_named),
		TEST(a_type_refuses_what_it_does_not_have),
		TEST(a_full_queue_has_no_memory),
		TEST(requests_are_built_all_or_none),
		TEST(requests_are_refused_until_ready_to_send),
		TEST(a_doorbell_that_fails_is_told),
		TEST(binding_by_a_call_changes_the_key),
		TEST(a_reset_queue_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
