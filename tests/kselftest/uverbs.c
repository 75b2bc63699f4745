// SPDX-License-Identifier: GPL-2.0
/* Commands and objects: see uverbs.h. */
#define _GNU_SOURCE
#include "uverbs.h"

#define UV_MTU_4096 5
#define UV_PORT_NUM 1

/* ---- commands -------------------------------------------------------------------- */

int uv_command(int fd, __u32 command, void *cmd, size_t size, void *resp, size_t resp_size)
{
	struct {
		struct ib_uverbs_cmd_hdr hdr;
		__u64 cmd[40];
	} buf;
	size_t bytes = sizeof(buf.hdr) + size;

	if (size > sizeof(buf.cmd) || bytes % 4 || resp_size % 4)
		return -EINVAL;
	buf.hdr.command = command;
	buf.hdr.in_words = bytes / 4;
	buf.hdr.out_words = resp_size / 4;
	memcpy(buf.cmd, cmd, size);
	if (resp)
		buf.cmd[0] = (uintptr_t)resp;
	return write(fd, &buf, bytes) < 0 ? -errno : 0;
}

#define UV_COMMAND(_fd, _name, _cmd, _resp) \
	uv_command(_fd, IB_USER_VERBS_CMD_##_name, _cmd, sizeof(*(_cmd)), _resp, \
		   sizeof(*(_resp)))
#define UV_COMMAND_NO_RESP(_fd, _name, _cmd) \
	uv_command(_fd, IB_USER_VERBS_CMD_##_name, _cmd, sizeof(*(_cmd)), NULL, 0)

/* ---- contexts ---------------------------------------------------------------------- */

int uv_pd(struct uv_dev *dev, __u32 *pd)
{
	struct ib_uverbs_alloc_pd cmd = {};
	struct ib_uverbs_alloc_pd_resp resp;
	int ret = UV_COMMAND(dev->fd, ALLOC_PD, &cmd, &resp);

	if (!ret)
		*pd = resp.pd_handle;
	return ret;
}

static int uv_context(struct uv_dev *dev)
{
	struct ib_uverbs_get_context cmd = {};
	struct {
		struct ib_uverbs_get_context_resp ib;
		struct ub_verbs_alloc_ucontext_resp ub;
	} resp = {};
	int ret = UV_COMMAND(dev->fd, GET_CONTEXT, &cmd, &resp);

	if (ret)
		return ret;
	dev->async = resp.ib.async_fd;
	dev->can = resp.ub;
	return uv_pd(dev, &dev->pd);
}

int uv_open(struct uv_dev *dev, unsigned int npu)
{
	char path[64];
	int ret;

	memset(dev, 0, sizeof(*dev));
	dev->npu = npu;
	dev->async = -1;
	ret = uv_node(npu, path, sizeof(path));
	if (ret)
		return ret;
	ret = uv_gid(npu, dev->gid);
	if (ret < 0)
		return ret;
	dev->gid_index = ret;
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return -errno;
	ret = uv_context(dev);
	if (ret)
		uv_close(dev);
	return ret;
}

void uv_close(struct uv_dev *dev)
{
	close(dev->fd);
	if (dev->async >= 0)
		close(dev->async);
}

/* ---- memory -------------------------------------------------------------------------- */

void *uv_memory(size_t length)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

int uv_reg_in(struct uv_dev *dev, __u32 pd, struct uv_mr *mr, void *at, size_t length,
	      __u32 access)
{
	struct ib_uverbs_reg_mr cmd = {
		.start = (uintptr_t)at, .hca_va = (uintptr_t)at, .length = length,
		.pd_handle = pd, .access_flags = access,
	};
	struct ib_uverbs_reg_mr_resp resp;
	int ret = UV_COMMAND(dev->fd, REG_MR, &cmd, &resp);

	if (ret)
		return ret;
	*mr = (struct uv_mr){
		.dev = dev, .handle = resp.mr_handle, .key = resp.rkey, .at = at,
		.length = length,
	};
	return 0;
}

int uv_reg(struct uv_dev *dev, struct uv_mr *mr, void *at, size_t length, __u32 access)
{
	return uv_reg_in(dev, dev->pd, mr, at, length, access);
}

int uv_dereg(struct uv_mr *mr)
{
	struct ib_uverbs_dereg_mr cmd = { .mr_handle = mr->handle };

	return UV_COMMAND_NO_RESP(mr->dev->fd, DEREG_MR, &cmd);
}

/* ---- rings ------------------------------------------------------------------------------ */

static int uv_ring_map(struct uv_dev *dev, struct uv_ring *ring,
		       const struct ub_verbs_ring *from)
{
	*ring = (struct uv_ring){
		.length = from->length, .entries = from->entries, .stride = from->stride,
	};
	if (!from->length)
		return 0;
	ring->head = mmap(NULL, from->length, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
			  from->offset);
	return ring->head == MAP_FAILED ? -errno : 0;
}

static void uv_ring_unmap(struct uv_ring *ring)
{
	if (ring->length)
		munmap(ring->head, ring->length);
}

int uv_channel(struct uv_dev *dev)
{
	struct ib_uverbs_create_comp_channel cmd = {};
	struct ib_uverbs_create_comp_channel_resp resp;

	return UV_COMMAND(dev->fd, CREATE_COMP_CHANNEL, &cmd, &resp) ?: (int)resp.fd;
}

int uv_cq(struct uv_dev *dev, struct uv_cq *cq, __u32 entries, int channel, __u64 user)
{
	struct ib_uverbs_create_cq cmd = {
		.user_handle = user, .cqe = entries, .comp_channel = channel,
	};
	struct {
		struct ib_uverbs_create_cq_resp ib;
		struct ub_verbs_create_cq_resp ub;
	} resp = {};
	int ret = UV_COMMAND(dev->fd, CREATE_CQ, &cmd, &resp);

	if (ret)
		return ret;
	*cq = (struct uv_cq){ .dev = dev, .handle = resp.ib.cq_handle };
	return uv_ring_map(dev, &cq->ring, &resp.ub.ring);
}

int uv_cq_resize(struct uv_cq *cq, __u32 entries)
{
	struct ib_uverbs_resize_cq cmd = { .cq_handle = cq->handle, .cqe = entries };
	struct {
		struct ib_uverbs_resize_cq_resp ib;
		struct ub_verbs_create_cq_resp ub;
	} resp = {};
	__u32 index = cq->ring.index;
	int ret = UV_COMMAND(cq->dev->fd, RESIZE_CQ, &cmd, &resp);

	if (ret)
		return ret;
	uv_ring_unmap(&cq->ring);
	ret = uv_ring_map(cq->dev, &cq->ring, &resp.ub.ring);
	cq->ring.index = index;
	return ret;
}

int uv_cq_destroy(struct uv_cq *cq)
{
	struct ib_uverbs_destroy_cq cmd = { .cq_handle = cq->handle };
	struct ib_uverbs_destroy_cq_resp resp;
	int ret = UV_COMMAND(cq->dev->fd, DESTROY_CQ, &cmd, &resp);

	uv_ring_unmap(&cq->ring);
	return ret;
}

int uv_srq(struct uv_dev *dev, struct uv_srq *srq, __u32 entries, __u32 sge, __u64 user)
{
	struct ib_uverbs_create_srq cmd = {
		.user_handle = user, .pd_handle = dev->pd, .max_wr = entries, .max_sge = sge,
	};
	struct {
		struct ib_uverbs_create_srq_resp ib;
		struct ub_verbs_create_srq_resp ub;
	} resp = {};
	int ret = UV_COMMAND(dev->fd, CREATE_SRQ, &cmd, &resp);

	if (ret)
		return ret;
	*srq = (struct uv_srq){ .dev = dev, .handle = resp.ib.srq_handle };
	return uv_ring_map(dev, &srq->ring, &resp.ub.ring);
}

int uv_srq_limit(struct uv_srq *srq, __u32 limit)
{
	struct ib_uverbs_modify_srq cmd = {
		.srq_handle = srq->handle, .attr_mask = 2, .srq_limit = limit,
	};

	return UV_COMMAND_NO_RESP(srq->dev->fd, MODIFY_SRQ, &cmd);
}

int uv_srq_destroy(struct uv_srq *srq)
{
	struct ib_uverbs_destroy_srq cmd = { .srq_handle = srq->handle };
	struct ib_uverbs_destroy_srq_resp resp;
	int ret = UV_COMMAND(srq->dev->fd, DESTROY_SRQ, &cmd, &resp);

	uv_ring_unmap(&srq->ring);
	return ret;
}

/* ---- QPs ------------------------------------------------------------------------------- */

int uv_qp(struct uv_dev *dev, struct uv_qp *qp, const struct uv_qp_want *want)
{
	static __u32 psn = 0xfffff0; /* soon, numbers start anew */
	struct ib_uverbs_create_qp cmd = {
		.user_handle = want->user,
		.pd_handle = dev->pd,
		.send_cq_handle = want->send_cq->handle,
		.recv_cq_handle = (want->recv_cq ?: want->send_cq)->handle,
		.srq_handle = want->srq ? want->srq->handle : 0,
		.is_srq = !!want->srq,
		.max_send_wr = want->send_wr ?: UV_WR,
		.max_recv_wr = want->srq || want->recv_wr == ~0U ? 0 : want->recv_wr ?: UV_WR,
		.max_send_sge = want->sge ?: 1,
		.max_recv_sge = want->srq ? 0 : want->sge ?: 1,
		.max_inline_data = want->inline_bytes,
		.sq_sig_all = 0,
		.qp_type = want->type ?: UV_RC,
	};
	struct {
		struct ib_uverbs_create_qp_resp ib;
		struct ub_verbs_create_qp_resp ub;
	} resp = {};
	int ret = UV_COMMAND(dev->fd, CREATE_QP, &cmd, &resp);

	if (ret)
		return ret;
	*qp = (struct uv_qp){
		.dev = dev, .handle = resp.ib.qp_handle, .number = resp.ib.qpn,
		.inline_bytes = resp.ib.max_inline_data, .srq = want->srq,
		.type = want->type ?: UV_RC, .psn = psn++ & 0xffffff,
	};
	return uv_ring_map(dev, &qp->sq, &resp.ub.sq) ?: uv_ring_map(dev, &qp->rq, &resp.ub.rq);
}

int uv_qp_destroy(struct uv_qp *qp)
{
	struct ib_uverbs_destroy_qp cmd = { .qp_handle = qp->handle };
	struct ib_uverbs_destroy_qp_resp resp;
	int ret = UV_COMMAND(qp->dev->fd, DESTROY_QP, &cmd, &resp);

	uv_ring_unmap(&qp->sq);
	uv_ring_unmap(&qp->rq);
	return ret;
}

int uv_modify(struct uv_qp *qp, struct ib_uverbs_modify_qp *cmd)
{
	cmd->qp_handle = qp->handle;
	return UV_COMMAND_NO_RESP(qp->dev->fd, MODIFY_QP, cmd);
}

int uv_set_state(struct uv_qp *qp, enum uv_state state)
{
	struct ib_uverbs_modify_qp cmd = { .attr_mask = UV_QP_STATE, .qp_state = state };

	return uv_modify(qp, &cmd);
}

int uv_state(struct uv_qp *qp)
{
	struct ib_uverbs_query_qp cmd = { .qp_handle = qp->handle, .attr_mask = UV_QP_STATE };
	struct ib_uverbs_query_qp_resp resp;

	return UV_COMMAND(qp->dev->fd, QUERY_QP, &cmd, &resp) ?: resp.qp_state;
}

void uv_addr(const struct uv_qp *qp, struct uv_addr *addr)
{
	memcpy(addr->gid, qp->dev->gid, sizeof(addr->gid));
	addr->number = qp->number;
	addr->psn = qp->psn;
}

static int uv_to_init(struct uv_qp *qp, __u32 access)
{
	struct ib_uverbs_modify_qp cmd = {
		.attr_mask = UV_QP_STATE | UV_QP_PKEY_INDEX | UV_QP_PORT | UV_QP_ACCESS,
		.qp_state = UV_INIT, .port_num = UV_PORT_NUM, .qp_access_flags = access,
	};

	return uv_modify(qp, &cmd);
}

static int uv_to_rtr(struct uv_qp *qp, const struct uv_addr *to, const struct uv_path *path)
{
	struct ib_uverbs_modify_qp cmd = {
		.attr_mask = UV_QP_STATE | UV_QP_AV | UV_QP_PATH_MTU | UV_QP_DEST_QPN |
			     UV_QP_RQ_PSN,
		.qp_state = UV_RTR, .path_mtu = UV_MTU_4096, .dest_qp_num = to->number,
		.rq_psn = to->psn, .max_dest_rd_atomic = 1, .min_rnr_timer = path->rnr_timer,
		.dest = {
			.is_global = 1, .port_num = UV_PORT_NUM, .hop_limit = 64,
			.sgid_index = qp->dev->gid_index,
		},
	};

	if (qp->type == UV_RC)
		cmd.attr_mask |= UV_QP_MAX_DEST_RD_ATOMIC | UV_QP_RNR_TIMER;
	memcpy(cmd.dest.dgid, to->gid, sizeof(cmd.dest.dgid));
	return uv_modify(qp, &cmd);
}

static int uv_to_rts(struct uv_qp *qp, const struct uv_path *path)
{
	struct ib_uverbs_modify_qp cmd = {
		.attr_mask = UV_QP_STATE | UV_QP_SQ_PSN,
		.qp_state = UV_RTS, .sq_psn = qp->psn, .timeout = path->timeout,
		.retry_cnt = path->retry, .rnr_retry = path->rnr_retry, .max_rd_atomic = 1,
	};

	if (qp->type == UV_RC)
		cmd.attr_mask |= UV_QP_TIMEOUT | UV_QP_RETRY | UV_QP_RNR_RETRY |
				 UV_QP_MAX_RD_ATOMIC;
	return uv_modify(qp, &cmd);
}

int uv_connect_half(struct uv_qp *qp, const struct uv_addr *to, const struct uv_path *path)
{
	return uv_to_init(qp, path->access) ?: uv_to_rtr(qp, to, path);
}

int uv_connect(struct uv_qp *qp, const struct uv_addr *to, const struct uv_path *path)
{
	static const struct uv_path usual = UV_PATH;

	path = path ?: &usual;
	return uv_connect_half(qp, to, path) ?: uv_to_rts(qp, path);
}

int uv_pair(struct uv_qp *a, struct uv_qp *b, const struct uv_path *path)
{
	struct uv_addr to_a, to_b;

	uv_addr(a, &to_a);
	uv_addr(b, &to_b);
	return uv_connect(a, &to_b, path) ?: a == b ? 0 : uv_connect(b, &to_a, path);
}

int uv_ready(struct uv_qp *qp, __u32 qkey)
{
	struct ib_uverbs_modify_qp init = {
		.attr_mask = UV_QP_STATE | UV_QP_PKEY_INDEX | UV_QP_PORT | UV_QP_QKEY,
		.qp_state = UV_INIT, .port_num = UV_PORT_NUM, .qkey = qkey,
	};
	struct ib_uverbs_modify_qp rts = {
		.attr_mask = UV_QP_STATE | UV_QP_SQ_PSN, .qp_state = UV_RTS,
	};

	return uv_modify(qp, &init) ?: uv_set_state(qp, UV_RTR) ?: uv_modify(qp, &rts);
}

int uv_ah(struct uv_dev *dev, const struct uv_addr *to, __u32 *number)
{
	struct ib_uverbs_create_ah cmd = {
		.pd_handle = dev->pd,
		.attr = {
			.is_global = 1, .port_num = UV_PORT_NUM,
			.grh = { .sgid_index = dev->gid_index, .hop_limit = 64 },
		},
	};
	/* The driver's part follows the handle at once. */
	struct {
		__u32 handle;
		struct ub_verbs_create_ah_resp ub;
	} resp = {};
	int ret;

	memcpy(cmd.attr.grh.dgid, to->gid, sizeof(cmd.attr.grh.dgid));
	ret = UV_COMMAND(dev->fd, CREATE_AH, &cmd, &resp);
	if (!ret)
		*number = resp.ub.ah;
	return ret;
}

/* ---- ends ------------------------------------------------------------------------------- */

int uv_end(struct uv_end *end, unsigned int npu, size_t bytes, const struct uv_qp_want *want)
{
	struct uv_qp_want mine = want ? *want : (struct uv_qp_want){};
	void *memory = uv_memory(bytes);
	__u32 entries;
	int ret;

	if (!memory)
		return -ENOMEM;
	entries = (mine.send_wr ?: UV_WR) + (mine.recv_wr == ~0U ? 0 : mine.recv_wr ?: UV_WR);
	ret = uv_open(&end->dev, npu) ?:
	      uv_cq(&end->dev, &end->cq, entries, -1, 0) ?:
	      uv_reg(&end->dev, &end->mr, memory, bytes, UV_ALL);
	if (ret)
		return ret;
	mine.send_cq = mine.send_cq ?: &end->cq;
	return uv_qp(&end->dev, &end->qp, &mine);
}

int uv_ends(struct uv_end *a, struct uv_end *b, const struct ub_pod *pod, size_t bytes,
	    const struct uv_qp_want *want, const struct uv_path *path)
{
	return uv_end(a, pod->npu[0], bytes, want) ?: uv_end(b, pod->npu[1], bytes, want) ?:
	       uv_pair(&a->qp, &b->qp, path);
}

void uv_end_close(struct uv_end *end)
{
	uv_qp_destroy(&end->qp);
	uv_cq_destroy(&end->cq);
	uv_dereg(&end->mr);
	munmap(end->mr.at, end->mr.length);
	uv_close(&end->dev);
}
