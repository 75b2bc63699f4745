// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* See fake_verbs.h. */
#include "fake_verbs.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct fake fake;

static int file = -1;
static uint64_t file_length;
static uint32_t next_handle, next_qp_num;

/* 0, or the errno that a test wants to see now. */
static int answer(void)
{
	int err = fake.fail;

	fake.fail = 0;
	errno = err;
	return err;
}

static uint32_t power_of_two(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p <<= 1;
	return p;
}

static uint32_t stride_of(size_t bytes)
{
	return (bytes + UB_RING_STRIDE - 1) / UB_RING_STRIDE * UB_RING_STRIDE;
}

static struct ub_verbs_ring make_ring(uint32_t entries, size_t bytes,
				      void (*kernel_end)(struct ub_ring *))
{
	struct ub_verbs_ring ring = {
		.offset = file_length,
		.entries = power_of_two(entries),
		.stride = stride_of(bytes),
	};
	struct ub_ring_head *head;

	ring.length = UB_RING_ENTRIES + (uint64_t)ring.entries * ring.stride;
	ring.length = (ring.length + 4095) & ~4095ull;
	file_length += ring.length;
	assert_int_equal(ftruncate(file, file_length), 0);
	head = mmap(NULL, ring.length, PROT_READ | PROT_WRITE, MAP_SHARED, file, ring.offset);
	assert_ptr_not_equal(head, MAP_FAILED);
	head->producer = fake.index;
	head->consumer = fake.index;
	memmove(&fake.last[1], &fake.last[0], 3 * sizeof(fake.last[0]));
	assert_int_equal(ub_ring_init(&fake.last[0], head, ring.length, ring.entries,
				      ring.stride), 0);
	kernel_end(&fake.last[0]);
	if (fake.short_ring) {
		fake.short_ring = false;
		ring.entries *= 4096;
	}
	if (fake.small_entries) {
		fake.small_entries = false;
		ring.stride = bytes > UB_RING_STRIDE ? UB_RING_STRIDE : 0;
	}
	return ring;
}

/* The driver's part of an answer stands behind the core's. */
static void respond(void *resp, size_t core, size_t size, const void *part, size_t length)
{
	assert_int_equal(size, core + length);
	memcpy((char *)resp + core, part, length);
}

static int destroy(void)
{
	int err = answer();

	if (!err)
		fake.alive--;
	return err;
}

/* ---- the context --------------------------------------------------------------------- */

void verbs_register_driver(const struct verbs_device_ops *ops)
{
	fake.driver = ops;
}

void *_verbs_init_and_alloc_context(struct ibv_device *device, int fd, size_t size,
				    struct verbs_context *offset, uint32_t driver_id)
{
	char *object = calloc(1, size);
	struct verbs_context *context = (void *)(object + (uintptr_t)offset);

	fake.driver_id = driver_id;
	context->context.device = device;
	context->context.cmd_fd = fd;
	return object;
}

void verbs_uninit_context(struct verbs_context *context)
{
}

void verbs_set_ops(struct verbs_context *context, const struct verbs_context_ops *ops)
{
	fake.ops = *ops;
}

int ibv_cmd_get_context(struct verbs_context *context, struct ibv_get_context *cmd,
			size_t cmd_size, UB_PABI_57(struct ibv_fd_arr *fds)
			struct ib_uverbs_get_context_resp *resp, size_t resp_size)
{
	struct ub_verbs_alloc_ucontext_resp part = {
		.max_inline = FAKE_MAX_INLINE,
		.max_sge = FAKE_MAX_SGE,
	};

	respond(resp, sizeof(*resp), resp_size, &part, sizeof(part));
	return answer();
}

int ibv_cmd_query_device_any(struct ibv_context *context,
			     const struct ibv_query_device_ex_input *input,
			     struct ibv_device_attr_ex *attr, size_t attr_size,
			     struct ib_uverbs_ex_query_device_resp *resp, size_t *resp_size)
{
	if (!fake.simple) {
		attr->orig_attr.device_cap_flags = IBV_DEVICE_MEM_WINDOW_TYPE_2B;
		attr->orig_attr.max_mw = 16;
	}
	return answer();
}

int ibv_read_ibdev_sysfs_file(char *buf, size_t size, struct verbs_sysfs_dev *dev,
			      const char *format, ...)
{
	assert_string_equal(format, "fw_ver");
	return snprintf(buf, size, "1.2.3");
}

int ibv_cmd_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr,
		       struct ibv_query_port *cmd, size_t cmd_size)
{
	return answer();
}

struct ibv_context *fake_open(void)
{
	const struct verbs_device_ops *driver = fake.driver;
	struct verbs_context *context;
	static struct verbs_device device;
	bool simple = fake.simple;

	fake = (struct fake) { .driver = driver, .simple = simple };
	next_qp_num = 0x100;
	file_length = 0;
	file = memfd_create("uverbs", MFD_CLOEXEC);
	assert_true(file >= 0);
	context = driver->alloc_context(&device.device, file, NULL);
	assert_non_null(context);
	return &context->context;
}

void fake_close(struct ibv_context *context)
{
	fake.ops.free_context(context);
	close(file);
	assert_int_equal(fake.alive, 0);
}

/* ---- objects without rings -------------------------------------------------------------- */

int ibv_cmd_alloc_pd(struct ibv_context *context, struct ibv_pd *pd, struct ibv_alloc_pd *cmd,
		     size_t cmd_size, struct ib_uverbs_alloc_pd_resp *resp, size_t resp_size)
{
	pd->context = context;
	pd->handle = ++next_handle;
	fake.alive++;
	return 0;
}

int ibv_cmd_dealloc_pd(struct ibv_pd *pd)
{
	return destroy();
}

int ibv_cmd_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova, int access,
		   struct verbs_mr *mr, struct ibv_reg_mr *cmd, size_t cmd_size,
		   struct ib_uverbs_reg_mr_resp *resp, size_t resp_size)
{
	int err = answer();

	if (err)
		return err;
	mr->ibv_mr.context = pd->context;
	mr->ibv_mr.lkey = ++next_handle << 8;
	mr->ibv_mr.rkey = mr->ibv_mr.lkey;
	fake.alive++;
	return 0;
}

int ibv_cmd_rereg_mr(struct verbs_mr *mr, uint32_t flags, void *addr, size_t length,
		     uint64_t iova, int access, struct ibv_pd *pd, struct ibv_rereg_mr *cmd,
		     size_t cmd_size, struct ib_uverbs_rereg_mr_resp *resp, size_t resp_size)
{
	return answer();
}

int ibv_cmd_reg_dmabuf_mr(struct ibv_pd *pd, uint64_t offset, size_t length, uint64_t iova,
			  int fd, int access, struct verbs_mr *mr,
			  struct ibv_command_buffer *driver)
{
	return fd < 0 ? EBADF : answer();
}

int ibv_cmd_dereg_mr(struct verbs_mr *mr)
{
	return destroy();
}

int ibv_cmd_alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type, struct ibv_mw *mw,
		     struct ibv_alloc_mw *cmd, size_t cmd_size,
		     struct ib_uverbs_alloc_mw_resp *resp, size_t resp_size)
{
	mw->context = pd->context;
	mw->pd = pd;
	mw->type = type;
	mw->rkey = ++next_handle << 8 | 0xff;
	fake.alive++;
	return 0;
}

int ibv_cmd_dealloc_mw(struct ibv_mw *mw)
{
	return destroy();
}

int ibv_cmd_create_ah(struct ibv_pd *pd, struct ibv_ah *ah, struct ibv_ah_attr *attr,
		      struct ib_uverbs_create_ah_resp *resp, size_t resp_size)
{
	struct ub_verbs_create_ah_resp part = { .ah = 0x5a5a };
	int err = answer();

	if (err)
		return err;
	ah->context = pd->context;
	respond(resp, sizeof(*resp), resp_size, &part, sizeof(part));
	fake.alive++;
	return 0;
}

int ibv_cmd_destroy_ah(struct ibv_ah *ah)
{
	return destroy();
}

int ibv_cmd_attach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid)
{
	return answer();
}

int ibv_cmd_detach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid)
{
	return answer();
}

/* ---- completion queues ------------------------------------------------------------------- */

int ibv_cmd_create_cq_ex(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			 UB_PABI_59(struct verbs_create_cq_prov_attr *prov)
			 struct verbs_cq *cq, struct ibv_create_cq_ex *cmd, size_t cmd_size,
			 struct ib_uverbs_ex_create_cq_resp *resp, size_t resp_size,
			 uint32_t flags)
{
	struct ub_verbs_create_cq_resp part = {};
	int err = answer();

	if (err)
		return err;
	part.ring = make_ring(attr->cqe, sizeof(struct ub_cqe), ub_ring_start_producing);
	cq->cq.context = context;
	cq->cq.cqe = part.ring.entries;
	cq->cq.handle = ++next_handle;
	respond(resp, sizeof(*resp), resp_size, &part, sizeof(part));
	fake.alive++;
	return 0;
}

/* Moves what was not read along, as the kernel does. */
int ibv_cmd_resize_cq(struct ibv_cq *cq, int cqe, struct ibv_resize_cq *cmd, size_t cmd_size,
		      struct ib_uverbs_resize_cq_resp *resp, size_t resp_size)
{
	struct ub_verbs_create_cq_resp part = {};
	struct ub_ring old = fake.last[0], *new = &fake.last[0];
	int err = answer();

	if (err)
		return err;
	part.ring = make_ring(cqe, sizeof(struct ub_cqe), ub_ring_start_producing);
	ub_ring_start_consuming(&old);
	new->head->consumer = new->head->producer = old.index;
	ub_ring_start_producing(new);
	for (const struct ub_cqe *e; (e = ub_ring_next(&old)); ub_ring_read(&old))
		fake_complete(new, e);
	respond(resp, sizeof(*resp), resp_size, &part, sizeof(part));
	return 0;
}

int ibv_cmd_destroy_cq(struct ibv_cq *cq)
{
	return destroy();
}

int ibv_cmd_poll_cq(struct ibv_cq *cq, int ne, struct ibv_wc *wc)
{
	assert_true(ne > 0);	/* else the core asks no driver */
	fake.polled++;
	if (fake.on_poll)
		fake.on_poll();
	return 0;
}

struct ibv_cq *fake_cq(struct ibv_context *context, int entries)
{
	struct ibv_cq *cq = fake.ops.create_cq(context, entries, NULL, 0);

	assert_non_null(cq);
	return cq;
}

void fake_complete(struct ub_ring *ring, const struct ub_cqe *cqe)
{
	struct ub_cqe *entry = ub_ring_free_entry(ring);

	assert_non_null(entry);
	*entry = *cqe;
	ub_ring_filled(ring);
	ub_ring_publish(ring);
}

/* ---- shared receive queues ---------------------------------------------------------------- */

int ibv_cmd_create_srq(struct ibv_pd *pd, struct ibv_srq *srq, struct ibv_srq_init_attr *attr,
		       struct ibv_create_srq *cmd, size_t cmd_size,
		       struct ib_uverbs_create_srq_resp *resp, size_t resp_size)
{
	struct ub_verbs_create_srq_resp part = {};
	int err = answer();

	if (err)
		return err;
	part.ring = make_ring(attr->attr.max_wr, ub_rqe_bytes(attr->attr.max_sge),
			      ub_ring_start_consuming);
	srq->context = pd->context;
	respond(resp, sizeof(*resp), resp_size, &part, sizeof(part));
	fake.alive++;
	return 0;
}

int ibv_cmd_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask,
		       struct ibv_modify_srq *cmd, size_t cmd_size)
{
	return answer();
}

int ibv_cmd_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr,
		      struct ibv_query_srq *cmd, size_t cmd_size)
{
	return answer();
}

int ibv_cmd_destroy_srq(struct ibv_srq *srq)
{
	return destroy();
}

int ibv_cmd_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	assert_null(wr);
	fake.srq_received++;
	return answer();
}

/* ---- queue pairs ---------------------------------------------------------------------------- */

int ibv_cmd_create_qp_ex2(struct ibv_context *context, struct verbs_qp *qp,
			  struct ibv_qp_init_attr_ex *attr, struct ibv_create_qp_ex *cmd,
			  size_t cmd_size, struct ib_uverbs_ex_create_qp_resp *resp,
			  size_t resp_size UB_PABI_65(struct ibv_command_buffer *driver))
{
	struct ub_verbs_create_qp_resp part = {};
	size_t data = attr->cap.max_send_sge * sizeof(struct ub_sge);
	int err = answer();

	if (err)
		return err;
	if (data < attr->cap.max_inline_data)
		data = attr->cap.max_inline_data;
	if (!attr->srq && attr->cap.max_recv_wr)
		part.rq = make_ring(attr->cap.max_recv_wr,
				    ub_rqe_bytes(attr->cap.max_recv_sge),
				    ub_ring_start_consuming);
	part.sq = make_ring(attr->cap.max_send_wr, sizeof(struct ub_sqe) + data,
			    ub_ring_start_consuming);
	qp->qp.context = context;
	qp->qp.qp_num = next_qp_num++;
	qp->qp.qp_type = attr->qp_type;
	qp->qp.pd = attr->pd;
	qp->qp.send_cq = attr->send_cq;
	qp->qp.recv_cq = attr->recv_cq;
	qp->qp.srq = attr->srq;
	qp->qp.state = IBV_QPS_RESET;
	respond(resp, sizeof(*resp), resp_size, &part, sizeof(part));
	fake.alive++;
	return 0;
}

/* To RESET: the kernel empties the queue that was made last. */
int ibv_cmd_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
		      struct ibv_modify_qp *cmd, size_t cmd_size)
{
	int err = answer();

	if (err)
		return err;
	if (mask & IBV_QP_STATE)
		qp->state = attr->qp_state;
	if (qp->state == IBV_QPS_RESET)
		fake.last[0].head->consumer = fake.last[0].head->producer;
	return 0;
}

int ibv_cmd_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
		     struct ibv_qp_init_attr *init, struct ibv_query_qp *cmd, size_t cmd_size)
{
	return answer();
}

int ibv_cmd_destroy_qp(struct ibv_qp *qp)
{
	return destroy();
}

int ibv_cmd_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	assert_null(wr);
	fake.sent++;
	return answer();
}

int ibv_cmd_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	assert_null(wr);
	fake.received++;
	return answer();
}

struct ibv_qp *fake_qp(struct ibv_pd *pd, struct ibv_cq *send, struct ibv_cq *recv,
		       enum ibv_qp_type type, enum ibv_qp_state state)
{
	struct ibv_qp_init_attr_ex attr = {
		.send_cq = send,
		.recv_cq = recv,
		.cap = {
			.max_send_wr = 4,
			.max_recv_wr = 4,
			.max_send_sge = 2,
			.max_recv_sge = 2,
			.max_inline_data = 64,
		},
		.qp_type = type,
		.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
		.pd = pd,
		.send_ops_flags = ub_type_send_ops(type) & to_ub_context(pd->context)->send_ops,
	};
	struct ibv_qp *qp = fake.ops.create_qp_ex(pd->context, &attr);

	assert_non_null(qp);
	qp->state = state;
	return qp;
}

const struct ub_sqe *fake_take(struct ub_ring *ring)
{
	const struct ub_sqe *sqe = ub_ring_next(ring);

	if (sqe)
		ub_ring_read(ring);
	return sqe;
}
