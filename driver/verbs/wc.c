// SPDX-License-Identifier: GPL-2.0
/*
 * Polling by kernel users: completions of the engine as those of verbs. For a process,
 * who has its own in the ring, polling is the call that runs a backlog.
 */
#include "verbs.h"

/* The engine's codes are IBTA's. */
static_assert((int)UB_CR_LOC_LEN == IB_WC_LOC_LEN_ERR);
static_assert((int)UB_CR_FLUSH == IB_WC_WR_FLUSH_ERR);
static_assert((int)UB_CR_REM_ACCESS == IB_WC_REM_ACCESS_ERR);
static_assert((int)UB_CR_RNR_EXCEEDED == IB_WC_RNR_RETRY_EXC_ERR);
static_assert((int)UB_CR_FATAL == IB_WC_FATAL_ERR);
static_assert((int)UB_CR_GENERAL == IB_WC_GENERAL_ERR);

static const enum ib_wc_opcode ub_wc_opcode[] = {
	[UB_OP_WRITE] = IB_WC_RDMA_WRITE,
	[UB_OP_WRITE_IMM] = IB_WC_RDMA_WRITE,
	[UB_OP_SEND] = IB_WC_SEND,
	[UB_OP_SEND_IMM] = IB_WC_SEND,
	[UB_OP_READ] = IB_WC_RDMA_READ,
	[UB_OP_COMPARE_SWAP] = IB_WC_COMP_SWAP,
	[UB_OP_FETCH_ADD] = IB_WC_FETCH_ADD,
	[UB_OP_LOCAL_INVALIDATE] = IB_WC_LOCAL_INV,
	[UB_OP_SEND_INVALIDATE] = IB_WC_SEND,
	[UB_OP_REGISTER] = IB_WC_REG_MR,
	[UB_CQE_RECV] = IB_WC_RECV,
	[UB_CQE_RECV_WRITE_IMM] = IB_WC_RECV_RDMA_WITH_IMM,
};

static void ub_wc_fill_flags(struct ib_wc *wc, const struct ub_cqe *cqe)
{
	if (cqe->flags & UB_CQE_IMM) {
		wc->wc_flags |= IB_WC_WITH_IMM;
		wc->ex.imm_data = (__force __be32)cqe->imm;
	}
	if (cqe->flags & UB_CQE_INVALIDATED) {
		wc->wc_flags |= IB_WC_WITH_INVALIDATE;
		wc->ex.invalidate_rkey = cqe->imm;
	}
	if (cqe->flags & UB_CQE_GRH) {
		wc->wc_flags |= IB_WC_GRH | IB_WC_WITH_NETWORK_HDR_TYPE;
		wc->network_hdr_type = cqe->flags & UB_CQE_IPV4 ? RDMA_NETWORK_IPV4 :
								  RDMA_NETWORK_IPV6;
	}
}

static void ub_wc_fill(struct ib_wc *wc, const struct ub_cqe *cqe, struct ib_qp *qp)
{
	*wc = (struct ib_wc){
		.wr_id = cqe->wr_id,
		.status = cqe->status,
		.vendor_err = cqe->vendor_error,
		.qp = qp,
		.port_num = UB_VERBS_PORT,
	};
	if (cqe->status != UB_CR_SUCCESS)
		return;
	if (cqe->op < ARRAY_SIZE(ub_wc_opcode))
		wc->opcode = ub_wc_opcode[cqe->op];
	wc->byte_len = cqe->length;
	wc->src_qp = cqe->src_jetty;
	wc->sl = cqe->sl;
	ub_wc_fill_flags(wc, cqe);
}

int ub_verbs_poll_cq(struct ib_cq *ib, int nr, struct ib_wc *wc)
{
	struct ub_vdev *dev = to_ub_vdev(ib->device);
	struct ub_vcq *cq = to_ub_vcq(ib);
	struct ub_vqp *qp;
	struct ub_cqe cqe;
	int done = 0;

	if (cq->map) {
		ub_jfc_run_backlog(&cq->jfc);
		return 0;
	}
	while (done < nr && ub_jfc_take(&cq->jfc, &cqe)) {
		qp = xa_load(&dev->kernel_qps, cqe.jetty);
		/* Of a QP that was destroyed meanwhile. */
		if (!qp)
			continue;
		ub_wc_fill(&wc[done++], &cqe, &qp->ib);
	}
	return done;
}
