// SPDX-License-Identifier: GPL-2.0
/*
 * What the device can, and who carries it out. What is not in the table is refused by
 * the core of InfiniBand with -EOPNOTSUPP.
 */
#include <linux/module.h>

#include "verbs.h"

UB_CREATE_CQ_OP(ub_create_cq_op, ub_verbs_create_cq)
UB_RESIZE_CQ_OP(ub_resize_cq_op, ub_verbs_resize_cq)
UB_REG_USER_MR_OP(ub_reg_user_mr_op, ub_verbs_reg_user_mr)

const struct ib_device_ops ub_vdev_ops = {
	.owner = THIS_MODULE,
	.driver_id = (enum rdma_driver_id)UB_VERBS_DRIVER_ID,
	.uverbs_abi_ver = UB_VERBS_ABI_VERSION,
	UB_OWN_PORT_EVENTS

	.query_device = ub_verbs_query_device,
	.get_dev_fw_str = ub_verbs_get_dev_fw_str,
	.query_port = ub_verbs_query_port,
	.get_port_immutable = ub_verbs_get_port_immutable,
	.get_link_layer = ub_verbs_get_link_layer,
	.query_pkey = ub_verbs_query_pkey,
	.alloc_hw_port_stats = ub_verbs_alloc_hw_port_stats,
	.get_hw_stats = ub_verbs_get_hw_stats,
	.process_mad = ub_verbs_process_mad,
	.add_gid = ub_verbs_add_gid,
	.del_gid = ub_verbs_del_gid,

	.alloc_ucontext = ub_verbs_alloc_ucontext,
	.dealloc_ucontext = ub_verbs_dealloc_ucontext,
	.disassociate_ucontext = ub_verbs_disassociate_ucontext,
	.mmap = ub_verbs_mmap,
	.mmap_free = ub_verbs_mmap_free,
	.alloc_pd = ub_verbs_alloc_pd,
	.dealloc_pd = ub_verbs_dealloc_pd,

	.create_cq = ub_create_cq_op,
	.destroy_cq = ub_verbs_destroy_cq,
	UB_RESIZE_CQ(ub_resize_cq_op),
	.poll_cq = ub_verbs_poll_cq,
	.req_notify_cq = ub_verbs_req_notify_cq,

	.create_srq = ub_verbs_create_srq,
	.modify_srq = ub_verbs_modify_srq,
	.query_srq = ub_verbs_query_srq,
	.destroy_srq = ub_verbs_destroy_srq,
	.post_srq_recv = ub_verbs_post_srq_recv,

	.create_qp = ub_verbs_create_qp,
	.modify_qp = ub_verbs_modify_qp,
	.query_qp = ub_verbs_query_qp,
	.destroy_qp = ub_verbs_destroy_qp,
	.post_send = ub_verbs_post_send,
	.post_recv = ub_verbs_post_recv,

	.get_dma_mr = ub_verbs_get_dma_mr,
	.reg_user_mr = ub_reg_user_mr_op,
	.rereg_user_mr = ub_verbs_rereg_user_mr,
	.dereg_mr = ub_verbs_dereg_mr,
	.alloc_mw = ub_verbs_alloc_mw,
	.dealloc_mw = ub_verbs_dealloc_mw,

	.create_ah = ub_verbs_create_ah,
	.create_user_ah = ub_verbs_create_ah,
	.query_ah = ub_verbs_query_ah,
	.destroy_ah = ub_verbs_destroy_ah,
	.attach_mcast = ub_verbs_attach_mcast,
	.detach_mcast = ub_verbs_detach_mcast,

	.fill_res_cq_entry = ub_verbs_fill_res_cq_entry,
	.fill_res_qp_entry = ub_verbs_fill_res_qp_entry,
	.fill_res_mr_entry = ub_verbs_fill_res_mr_entry,

	INIT_RDMA_OBJ_SIZE(ib_ucontext, ub_vctx, ib),
	INIT_RDMA_OBJ_SIZE(ib_pd, ub_vpd, ib),
	INIT_RDMA_OBJ_SIZE(ib_cq, ub_vcq, ib),
	INIT_RDMA_OBJ_SIZE(ib_srq, ub_vsrq, ib),
	INIT_RDMA_OBJ_SIZE(ib_qp, ub_vqp, ib),
	INIT_RDMA_OBJ_SIZE(ib_mw, ub_vmw, ib),
	INIT_RDMA_OBJ_SIZE(ib_ah, ub_vah, ib),
};

int ub_verbs_query_device(struct ib_device *ib, struct ib_device_attr *attr,
			  struct ib_udata *udata)
{
	int ret = ub_udata_check(udata);

	if (ret)
		return ret;
	*attr = (struct ib_device_attr){
		.sys_image_guid = ib->node_guid,
		.vendor_id = UB_VERBS_DRIVER_ID,
		.vendor_part_id = 1,
		.max_mr_size = ~0ull,
		.page_size_cap = PAGE_SIZE,
		.device_cap_flags = IB_DEVICE_SYS_IMAGE_GUID | IB_DEVICE_PORT_ACTIVE_EVENT |
				    IB_DEVICE_RC_RNR_NAK_GEN | IB_DEVICE_CURR_QP_STATE_MOD |
				    IB_DEVICE_MEM_WINDOW | IB_DEVICE_MEM_WINDOW_TYPE_2B,
		.atomic_cap = IB_ATOMIC_HCA,
		.max_pkeys = 1,
		.max_qp = UB_VERBS_MAX_QP,
		.max_qp_wr = UB_VERBS_MAX_WR,
		.max_send_sge = UB_MAX_SGE,
		.max_recv_sge = UB_MAX_SGE,
		.max_sge_rd = UB_MAX_SGE,
		.max_cq = UB_VERBS_MAX_CQ,
		.max_cqe = UB_VERBS_MAX_CQE,
		.max_mr = UB_VERBS_MAX_MR,
		.max_mw = UB_VERBS_MAX_MR,
		.max_pd = UB_VERBS_MAX_PD,
		.max_ah = UB_VERBS_MAX_AH,
		.max_mcast_grp = UB_VERBS_MAX_MCAST,
		.max_mcast_qp_attach = UB_VERBS_MAX_QP,
		.max_total_mcast_qp_attach = UB_VERBS_MAX_QP,
		.max_srq = UB_VERBS_MAX_SRQ,
		.max_srq_wr = UB_VERBS_MAX_WR,
		.max_srq_sge = UB_MAX_SGE,
		.max_qp_rd_atom = UB_VERBS_MAX_RD_ATOM,
		.max_qp_init_rd_atom = UB_VERBS_MAX_RD_ATOM,
		.max_res_rd_atom = UB_VERBS_MAX_RD_ATOM * UB_VERBS_MAX_QP,
		/* Completions are stamped in nanoseconds: a clock of 10^6 kHz. */
		.timestamp_mask = ~0ull,
		.hca_core_clock = 1000000,
	};
	return 0;
}

void ub_verbs_get_dev_fw_str(struct ib_device *ib, char *str)
{
	snprintf(str, IB_FW_VERSION_NAME_MAX, "%s", THIS_MODULE->version);
}

/* One more object; -ENOMEM: there are enough. */
int ub_vdev_take(struct ib_device *ib, enum ub_vdev_kind kind, int max)
{
	return atomic_add_unless(&to_ub_vdev(ib)->count[kind], 1, max) ? 0 : -ENOMEM;
}

void ub_vdev_give(struct ib_device *ib, enum ub_vdev_kind kind)
{
	atomic_dec(&to_ub_vdev(ib)->count[kind]);
}

/* Nothing is asked of the driver beyond verbs: what a newer provider asks must be 0. */
int ub_udata_check(struct ib_udata *udata)
{
	if (!udata || !udata->inlen || ib_is_udata_cleared(udata, 0, udata->inlen))
		return 0;
	return -EOPNOTSUPP;
}

/* As much as the provider knows of. */
int ub_udata_respond(struct ib_udata *udata, void *resp, size_t size)
{
	if (!udata)
		return 0;
	return ib_copy_to_udata(udata, resp, min(size, udata->outlen));
}
