// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reading completions: ibv_poll_cq() and the readers of extended queues.
 *
 * Empty polls make no system call, but one in IDLE_POLLS while the kernel says that
 * work waits which whoever polls may run: on few processors the poller would otherwise
 * keep the kernel's worker from it.
 *
 * When all has been read of a queue that overflowed, or whose device is gone, polling
 * fails: nothing will ever come.
 */
#include "provider.h"

#define IDLE_POLLS 32

/* UB_CR_* have the IBTA's values, and so have verbs'; what verbs lacks is general. */
static const uint8_t statuses[] = {
	[UB_CR_SUCCESS] = IBV_WC_SUCCESS,
	[UB_CR_LOC_LEN] = IBV_WC_LOC_LEN_ERR,
	[UB_CR_LOC_QP_OP] = IBV_WC_LOC_QP_OP_ERR,
	[3] = IBV_WC_GENERAL_ERR,
	[UB_CR_LOC_PROT] = IBV_WC_LOC_PROT_ERR,
	[UB_CR_FLUSH] = IBV_WC_WR_FLUSH_ERR,
	[UB_CR_BIND] = IBV_WC_MW_BIND_ERR,
	[7] = IBV_WC_GENERAL_ERR,
	[UB_CR_LOC_ACCESS] = IBV_WC_LOC_ACCESS_ERR,
	[UB_CR_REM_INVALID] = IBV_WC_REM_INV_REQ_ERR,
	[UB_CR_REM_ACCESS] = IBV_WC_REM_ACCESS_ERR,
	[UB_CR_REM_OP] = IBV_WC_REM_OP_ERR,
	[UB_CR_RETRY_EXCEEDED] = IBV_WC_RETRY_EXC_ERR,
	[UB_CR_RNR_EXCEEDED] = IBV_WC_RNR_RETRY_EXC_ERR,
	[14 ... 18] = IBV_WC_GENERAL_ERR,
	[UB_CR_FATAL] = IBV_WC_FATAL_ERR,
};

static const uint8_t opcodes[] = {
	[UB_OP_WRITE] = IBV_WC_RDMA_WRITE,
	[UB_OP_WRITE_IMM] = IBV_WC_RDMA_WRITE,
	[UB_OP_SEND] = IBV_WC_SEND,
	[UB_OP_SEND_IMM] = IBV_WC_SEND,
	[UB_OP_READ] = IBV_WC_RDMA_READ,
	[UB_OP_COMPARE_SWAP] = IBV_WC_COMP_SWAP,
	[UB_OP_FETCH_ADD] = IBV_WC_FETCH_ADD,
	[UB_OP_LOCAL_INVALIDATE] = IBV_WC_LOCAL_INV,
	[UB_OP_BIND] = IBV_WC_BIND_MW,
	[UB_OP_SEND_INVALIDATE] = IBV_WC_SEND,
	[UB_CQE_RECV] = IBV_WC_RECV,
	[UB_CQE_RECV_WRITE_IMM] = IBV_WC_RECV_RDMA_WITH_IMM,
};

static enum ibv_wc_status status_of(const struct ub_cqe *cqe)
{
	return cqe->status < sizeof(statuses) ? statuses[cqe->status] : IBV_WC_GENERAL_ERR;
}

static enum ibv_wc_opcode opcode_of(const struct ub_cqe *cqe)
{
	return cqe->op < sizeof(opcodes) ? opcodes[cqe->op] : 0;
}

static unsigned int flags_of(const struct ub_cqe *cqe)
{
	return (cqe->flags & UB_CQE_IMM ? IBV_WC_WITH_IMM : 0) |
	       (cqe->flags & UB_CQE_INVALIDATED ? IBV_WC_WITH_INV : 0) |
	       (cqe->flags & UB_CQE_GRH ? IBV_WC_GRH : 0);
}

static void fill(struct ibv_wc *wc, const struct ub_cqe *cqe)
{
	*wc = (struct ibv_wc) {
		.wr_id = cqe->wr_id,
		.status = status_of(cqe),
		.opcode = opcode_of(cqe),
		.vendor_err = cqe->vendor_error,
		.byte_len = cqe->length,
		.imm_data = (__force __be32)cqe->imm,	/* or invalidated_rkey */
		.qp_num = cqe->jetty,
		.src_qp = cqe->src_jetty,
		.wc_flags = flags_of(cqe),
		.sl = cqe->sl,
	};
}

/* The kernel answers with no completion: those come by the ring. */
static void run_backlog(struct ub_cq *cq)
{
	struct ibv_wc none;

	cq->idle = 0;
	ibv_cmd_poll_cq(&cq->verbs.cq, 1, &none);
}

/*
 * The next completion, under the lock. 0, ENOENT: none now, EIO: none ever. The flags
 * tell of the end only when what was published before has been seen, so that is
 * looked at once more.
 */
static int next(struct ub_cq *cq, const struct ub_cqe **cqe)
{
	uint32_t flags;

	*cqe = ub_ring_next(&cq->ring);
	if (*cqe) {
		cq->idle = 0;
		return 0;
	}
	flags = ub_ring_flags(&cq->ring);
	if (!flags && !cq->lost)
		return ENOENT;
	if (flags & UB_RING_BACKLOG && ++cq->idle >= IDLE_POLLS)
		run_backlog(cq);
	*cqe = ub_ring_next(&cq->ring);
	if (*cqe)
		return 0;
	return cq->lost || flags & (UB_RING_OVERFLOW | UB_RING_DEAD) ? EIO : ENOENT;
}

int ub_cq_poll(struct ibv_cq *ibcq, int max, struct ibv_wc *wc)
{
	struct ub_cq *cq = to_ub_cq(ibcq);
	const struct ub_cqe *cqe;
	int n, err = 0;

	ub_lock(&cq->lock);
	for (n = 0; n < max; n++) {
		err = next(cq, &cqe);
		if (err)
			break;
		fill(&wc[n], cqe);
		ub_ring_read(&cq->ring);
	}
	if (n)
		ub_ring_release(&cq->ring);
	ub_unlock(&cq->lock);
	if (!n && err == EIO) {
		errno = err;
		return -1;
	}
	return n;
}

/* ---- extended queues ------------------------------------------------------------- */

static struct ub_cq *of(struct ibv_cq_ex *cq)
{
	return container_of(cq, struct ub_cq, verbs.cq_ex);
}

static int show_next(struct ub_cq *cq)
{
	int err;

	err = next(cq, &cq->current);
	if (err)
		return err;
	cq->verbs.cq_ex.wr_id = cq->current->wr_id;
	cq->verbs.cq_ex.status = status_of(cq->current);
	return 0;
}

/* Holds the lock until end_poll(), if there is a completion. */
static int start_poll(struct ibv_cq_ex *cq_ex, struct ibv_poll_cq_attr *attr)
{
	struct ub_cq *cq = of(cq_ex);
	int err;

	if (attr->comp_mask)
		return EINVAL;
	ub_lock(&cq->lock);
	err = show_next(cq);
	if (err)
		ub_unlock(&cq->lock);
	return err;
}

static int next_poll(struct ibv_cq_ex *cq_ex)
{
	struct ub_cq *cq = of(cq_ex);

	if (cq->current)
		ub_ring_read(&cq->ring);
	return show_next(cq);
}

static void end_poll(struct ibv_cq_ex *cq_ex)
{
	struct ub_cq *cq = of(cq_ex);

	if (cq->current)
		ub_ring_read(&cq->ring);
	cq->current = NULL;
	ub_ring_release(&cq->ring);
	ub_unlock(&cq->lock);
}

static enum ibv_wc_opcode read_opcode(struct ibv_cq_ex *cq)
{
	return opcode_of(of(cq)->current);
}

static uint32_t read_vendor_err(struct ibv_cq_ex *cq)
{
	return of(cq)->current->vendor_error;
}

static unsigned int read_wc_flags(struct ibv_cq_ex *cq)
{
	return flags_of(of(cq)->current);
}

static uint32_t read_byte_len(struct ibv_cq_ex *cq)
{
	return of(cq)->current->length;
}

static __be32 read_imm_data(struct ibv_cq_ex *cq)
{
	return (__force __be32)of(cq)->current->imm;
}

static uint32_t read_qp_num(struct ibv_cq_ex *cq)
{
	return of(cq)->current->jetty;
}

static uint32_t read_src_qp(struct ibv_cq_ex *cq)
{
	return of(cq)->current->src_jetty;
}

static uint8_t read_sl(struct ibv_cq_ex *cq)
{
	return of(cq)->current->sl;
}

static uint64_t read_completion_ts(struct ibv_cq_ex *cq)
{
	return of(cq)->current->time_ns;
}

/* There are no LIDs. */
static uint32_t read_slid(struct ibv_cq_ex *cq)
{
	return 0;
}

static uint8_t read_dlid_path_bits(struct ibv_cq_ex *cq)
{
	return 0;
}

void ub_cq_set_readers(struct ub_cq *cq, uint64_t wc_flags)
{
	struct ibv_cq_ex *ex = &cq->verbs.cq_ex;

	ex->start_poll = start_poll;
	ex->next_poll = next_poll;
	ex->end_poll = end_poll;
	ex->read_opcode = read_opcode;
	ex->read_vendor_err = read_vendor_err;
	ex->read_wc_flags = read_wc_flags;
	if (wc_flags & IBV_WC_EX_WITH_BYTE_LEN)
		ex->read_byte_len = read_byte_len;
	if (wc_flags & IBV_WC_EX_WITH_IMM)
		ex->read_imm_data = read_imm_data;
	if (wc_flags & IBV_WC_EX_WITH_QP_NUM)
		ex->read_qp_num = read_qp_num;
	if (wc_flags & IBV_WC_EX_WITH_SRC_QP)
		ex->read_src_qp = read_src_qp;
	if (wc_flags & IBV_WC_EX_WITH_SLID)
		ex->read_slid = read_slid;
	if (wc_flags & IBV_WC_EX_WITH_SL)
		ex->read_sl = read_sl;
	if (wc_flags & IBV_WC_EX_WITH_DLID_PATH_BITS)
		ex->read_dlid_path_bits = read_dlid_path_bits;
	if (wc_flags & IBV_WC_EX_WITH_COMPLETION_TIMESTAMP)
		ex->read_completion_ts = read_completion_ts;
}
