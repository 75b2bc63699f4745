// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Making objects: what is offered, what is refused and with which errno, and that nothing
 * of the kernel's is left behind when something fails.
 */
#include "fake_verbs.h"

#include <limits.h>
#include <string.h>

static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;

static int open_device(void **state)
{
	context = fake_open();
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

static struct ibv_qp_init_attr_ex rc(void)
{
	return (struct ibv_qp_init_attr_ex) {
		.send_cq = cq,
		.recv_cq = cq,
		.cap = { .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1,
			 .max_recv_sge = 1 },
		.qp_type = IBV_QPT_RC,
		.comp_mask = IBV_QP_INIT_ATTR_PD,
		.pd = pd,
	};
}

static void expect_no_qp(const struct ibv_qp_init_attr_ex *attr, int err)
{
	struct ibv_qp_init_attr_ex copy = *attr;
	int alive = fake.alive;

	errno = 0;
	assert_null(fake.ops.create_qp_ex(context, &copy));
	assert_int_equal(errno, err);
	assert_int_equal(fake.alive, alive);
}

static void the_device_is_found_by_its_driver(void **state)
{
	assert_string_equal(fake.driver->name, "ub");
	assert_int_equal(fake.driver->match_table[0].kind, VERBS_MATCH_DRIVER_ID);
	assert_int_equal(fake.driver->match_table[0].u.driver_id, 0x5542);
	assert_int_equal(fake.driver->match_table[1].kind, VERBS_MATCH_SENTINEL);
	assert_int_equal(fake.driver_id, 0x5542);
	assert_int_equal(fake.driver->match_min_abi_version, UB_VERBS_ABI_VERSION);
	assert_int_equal(fake.driver->match_max_abi_version, UB_VERBS_ABI_VERSION);
}

static void the_firmware_has_a_version(void **state)
{
	struct ibv_device_attr_ex attr = {};

	assert_int_equal(fake.ops.query_device_ex(context, NULL, &attr, sizeof(attr)), 0);
	assert_string_equal(attr.orig_attr.fw_ver, "1.2.3");
}

static void the_clock_can_be_read(void **state)
{
	struct ibv_values_ex values = { .comp_mask = IBV_VALUES_MASK_RAW_CLOCK };

	assert_int_equal(fake.ops.query_rt_values(context, &values), 0);
	assert_true(values.raw_clock.tv_sec || values.raw_clock.tv_nsec);
	values.comp_mask = 2;
	assert_int_equal(fake.ops.query_rt_values(context, &values), EOPNOTSUPP);
}

/* libfabric looks for the largest inline size by trying; the kernel is not asked. */
static void too_large_is_refused_without_the_kernel(void **state)
{
	static const uint32_t sizes[] = { FAKE_MAX_INLINE + 1, 1 << 20, INT_MAX / 2, UINT_MAX };
	struct ibv_qp_init_attr_ex attr = rc();
	struct ibv_qp *qp;

	for (int i = 0; i < 4; i++) {
		attr.cap.max_inline_data = sizes[i];
		expect_no_qp(&attr, EINVAL);
	}
	attr.cap.max_inline_data = FAKE_MAX_INLINE;
	attr.cap.max_send_sge = FAKE_MAX_SGE + 1;
	expect_no_qp(&attr, EINVAL);
	attr.cap.max_send_sge = FAKE_MAX_SGE;
	attr.cap.max_recv_sge = FAKE_MAX_SGE + 1;
	expect_no_qp(&attr, EINVAL);
	attr.cap.max_recv_sge = FAKE_MAX_SGE;
	qp = fake.ops.create_qp_ex(context, &attr);
	assert_non_null(qp);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

/* UCX falls back when it sees EOPNOTSUPP, and only then. */
static void what_is_unknown_is_not_supported(void **state)
{
	struct ibv_qp_init_attr_ex attr = rc();
	struct ibv_cq_init_attr_ex cq_attr = { .cqe = 8 };

	attr.comp_mask |= IBV_QP_INIT_ATTR_MAX_TSO_HEADER;
	expect_no_qp(&attr, EOPNOTSUPP);
	attr = rc();
	attr.comp_mask |= IBV_QP_INIT_ATTR_CREATE_FLAGS;
	attr.create_flags = IBV_QP_CREATE_SCATTER_FCS;
	expect_no_qp(&attr, EOPNOTSUPP);
	attr = rc();
	attr.comp_mask |= IBV_QP_INIT_ATTR_SEND_OPS_FLAGS;
	attr.send_ops_flags = IBV_QP_EX_WITH_FLUSH;
	expect_no_qp(&attr, EOPNOTSUPP);
	attr.qp_type = IBV_QPT_UD;
	attr.send_ops_flags = IBV_QP_EX_WITH_RDMA_WRITE;
	expect_no_qp(&attr, EOPNOTSUPP);
	attr = rc();
	attr.qp_type = IBV_QPT_RAW_PACKET;
	expect_no_qp(&attr, EOPNOTSUPP);

	cq_attr.wc_flags = IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK;
	assert_null(fake.ops.create_cq_ex(context, &cq_attr));
	assert_int_equal(errno, EOPNOTSUPP);
	cq_attr.wc_flags = 0;
	cq_attr.comp_mask = IBV_CQ_INIT_ATTR_MASK_FLAGS;
	cq_attr.flags = IBV_CREATE_CQ_ATTR_IGNORE_OVERRUN;
	assert_null(fake.ops.create_cq_ex(context, &cq_attr));
	assert_int_equal(errno, EOPNOTSUPP);
	cq_attr.comp_mask = 1u << 31;
	assert_null(fake.ops.create_cq_ex(context, &cq_attr));
	assert_int_equal(errno, EOPNOTSUPP);
}

/* A driver without windows and invalidation: they are not offered, nor taken. */
static void what_the_device_lacks_is_not_supported(void **state)
{
	static const uint64_t lacking[] = {
		IBV_QP_EX_WITH_LOCAL_INV, IBV_QP_EX_WITH_SEND_WITH_INV, IBV_QP_EX_WITH_BIND_MW,
	};
	static const enum ibv_wr_opcode opcodes[] = {
		IBV_WR_LOCAL_INV, IBV_WR_SEND_WITH_INV, IBV_WR_BIND_MW,
	};
	struct ibv_qp_init_attr_ex attr;
	struct ibv_qp *qp;

	close_device(state);
	fake.simple = true;
	open_device(state);
	fake.simple = false;
	attr = rc();
	attr.comp_mask |= IBV_QP_INIT_ATTR_SEND_OPS_FLAGS;
	for (int i = 0; i < 3; i++) {
		attr.send_ops_flags = lacking[i] | IBV_QP_EX_WITH_SEND;
		expect_no_qp(&attr, EOPNOTSUPP);
	}
	qp = fake_qp(pd, cq, cq, IBV_QPT_RC, IBV_QPS_RTS);
	for (int i = 0; i < 3; i++) {
		struct ibv_mw mw = { .type = IBV_MW_TYPE_2 };
		struct ibv_send_wr wr = { .opcode = opcodes[i], .bind_mw.mw = &mw };
		struct ibv_send_wr *bad = NULL;

		assert_int_equal(fake.ops.post_send(qp, &wr, &bad), EINVAL);
	}
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

static void the_plain_call_tells_the_limits(void **state)
{
	struct ibv_qp_init_attr attr = {
		.send_cq = cq, .recv_cq = cq, .qp_type = IBV_QPT_RC,
		.cap = { .max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1 },
	};
	struct ibv_qp *qp = fake.ops.create_qp(pd, &attr);

	assert_non_null(qp);
	assert_null(to_ub_qp(qp)->verbs.qp_ex.wr_start);
	assert_int_equal(to_ub_qp(qp)->verbs.comp_mask & VERBS_QP_EX, 0);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
	attr.cap.max_inline_data = UINT_MAX;
	assert_null(fake.ops.create_qp(pd, &attr));
	assert_int_equal(errno, EINVAL);
}

static void a_queue_pair_that_shares_receives_has_none(void **state)
{
	struct ibv_srq_init_attr init = { .attr = { .max_wr = 4, .max_sge = 1 } };
	struct ibv_srq *srq = fake.ops.create_srq(pd, &init);
	struct ibv_qp_init_attr_ex attr = rc();
	struct ibv_recv_wr wr = {}, *bad = NULL;
	struct ibv_qp *qp;

	attr.srq = srq;
	qp = fake.ops.create_qp_ex(context, &attr);
	assert_non_null(qp);
	qp->state = IBV_QPS_RTS;
	assert_int_equal(fake.ops.post_recv(qp, &wr, &bad), EINVAL);
	assert_ptr_equal(bad, &wr);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
	assert_int_equal(fake.ops.destroy_srq(srq), 0);
}

/* Each call that makes something, when the kernel refuses or answers nonsense. */
static void what_fails_leaves_nothing(void **state)
{
	struct ibv_srq_init_attr init = { .attr = { .max_wr = 4, .max_sge = 1 } };
	struct ibv_qp_init_attr_ex attr = rc();
	struct ibv_ah_attr ah = {};
	int alive = fake.alive;

	fake.fail = ENOMEM;
	expect_no_qp(&attr, ENOMEM);
	fake.fail = ENFILE;
	assert_null(fake.ops.create_cq(context, 4, NULL, 0));
	assert_int_equal(errno, ENFILE);
	fake.fail = ENOMEM;
	assert_null(fake.ops.create_srq(pd, &init));
	fake.fail = EFAULT;
	assert_null(fake.ops.reg_mr(pd, NULL, 1, 0, 0));
	assert_int_equal(errno, EFAULT);
	fake.fail = EINVAL;
	assert_null(fake.ops.create_ah(pd, &ah));
	/* NCCL asks in this way whether there is such a thing. */
	assert_null(fake.ops.reg_dmabuf_mr(pd, 0, 4096, 0, -1, 0));
	assert_int_equal(errno, EBADF);

	fake.short_ring = true;
	expect_no_qp(&attr, EINVAL);
	fake.short_ring = true;
	assert_null(fake.ops.create_cq(context, 4, NULL, 0));
	fake.short_ring = true;
	assert_null(fake.ops.create_srq(pd, &init));
	attr.cap.max_inline_data = 64;
	attr.cap.max_recv_wr = 0;
	fake.small_entries = true;
	expect_no_qp(&attr, EINVAL);
	assert_int_equal(fake.alive, alive);
	assert_null(fake.ops.create_cq(context, 0, NULL, 0));
	assert_null(fake.ops.create_cq(context, -1, NULL, 0));
	assert_int_equal(errno, EINVAL);
}

/* Busy objects stay usable. */
static void what_cannot_be_destroyed_stays(void **state)
{
	struct ibv_wc wc;

	fake.fail = EBUSY;
	assert_int_equal(fake.ops.destroy_cq(cq), EBUSY);
	assert_int_equal(fake.ops.poll_cq(cq, 1, &wc), 0);
	fake.fail = EBUSY;
	assert_int_equal(fake.ops.dealloc_pd(pd), EBUSY);
}

static void an_address_is_a_number(void **state)
{
	struct ibv_ah_attr attr = {};
	struct ibv_ah *ah = fake.ops.create_ah(pd, &attr);

	assert_int_equal(to_ub_ah(ah)->number, 0x5a5a);
	assert_int_equal(fake.ops.destroy_ah(ah), 0);
}

static void one_thread_needs_no_locks(void **state)
{
	struct ibv_td_init_attr td_attr = {};
	struct ibv_td *td = fake.ops.alloc_td(context, &td_attr);
	struct ibv_parent_domain_init_attr attr = { .pd = pd, .td = td };
	struct ibv_pd *parent = fake.ops.alloc_parent_domain(context, &attr);
	struct ibv_qp *qp, *other;

	assert_non_null(parent);
	assert_int_equal(parent->handle, pd->handle);
	qp = fake_qp(parent, cq, cq, IBV_QPT_RC, IBV_QPS_RTS);
	other = fake_qp(pd, cq, cq, IBV_QPT_RC, IBV_QPS_RTS);
	assert_true(to_ub_qp(qp)->lock.elided && to_ub_qp(qp)->rq.lock.elided);
	assert_false(to_ub_qp(other)->lock.elided || to_ub_qp(other)->rq.lock.elided);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
	assert_int_equal(fake.ops.destroy_qp(other), 0);

	assert_int_equal(fake.ops.dealloc_pd(pd), EBUSY);
	assert_int_equal(fake.ops.dealloc_td(td), EBUSY);
	assert_int_equal(fake.ops.dealloc_pd(parent), 0);
	assert_int_equal(fake.ops.dealloc_td(td), 0);
	attr.td = NULL;
	attr.comp_mask = IBV_PARENT_DOMAIN_INIT_ATTR_ALLOCATORS;
	assert_null(fake.ops.alloc_parent_domain(context, &attr));
	assert_int_equal(errno, EOPNOTSUPP);
}

static void an_event_of_an_error_changes_the_state(void **state)
{
	struct ibv_qp *qp = fake_qp(pd, cq, cq, IBV_QPT_RC, IBV_QPS_RTS);
	struct ibv_async_event event = { .event_type = IBV_EVENT_COMM_EST, .element.qp = qp };

	fake.ops.async_event(context, &event);
	assert_int_equal(qp->state, IBV_QPS_RTS);
	event.event_type = IBV_EVENT_QP_FATAL;
	fake.ops.async_event(context, &event);
	assert_int_equal(qp->state, IBV_QPS_ERR);
	assert_int_equal(fake.ops.destroy_qp(qp), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_device, close_device)
	const struct CMUnitTest tests[] = {
		TEST(the_device_is_found_by_its_driver),
		TEST(the_firmware_has_a_version),
		TEST(the_clock_can_be_read),
		TEST(too_large_is_refused_without_the_kernel),
		TEST(what_is_unknown_is_not_supported),
		TEST(what_the_device_lacks_is_not_supported),
		TEST(the_plain_call_tells_the_limits),
		TEST(a_queue_pair_that_shares_receives_has_none),
		TEST(what_fails_leaves_nothing),
		TEST(what_cannot_be_destroyed_stays),
		TEST(an_address_is_a_number),
		TEST(one_thread_needs_no_locks),
		TEST(an_event_of_an_error_changes_the_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
