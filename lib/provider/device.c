// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Devices and contexts: how libibverbs finds us, and what we offer.
 */
#include <time.h>

#include "provider.h"

struct ub_get_context_resp {
	struct ib_uverbs_get_context_resp core;
	struct ub_verbs_alloc_ucontext_resp ub;
};

static_assert(sizeof(struct ub_get_context_resp) ==
	      sizeof(struct ib_uverbs_get_context_resp) +
	      sizeof(struct ub_verbs_alloc_ucontext_resp), "a hole in the answer");

static int ub_query_device(struct ibv_context *context,
			   const struct ibv_query_device_ex_input *input,
			   struct ibv_device_attr_ex *attr, size_t attr_size)
{
	struct ib_uverbs_ex_query_device_resp resp;
	size_t resp_size = sizeof(resp);
	int err;

	err = ibv_cmd_query_device_any(context, input, attr, attr_size, &resp, &resp_size);
	if (err)
		return err;
	/* The version of the driver, as text. */
	ibv_read_ibdev_sysfs_file(attr->orig_attr.fw_ver, sizeof(attr->orig_attr.fw_ver),
				  verbs_get_device(context->device)->sysfs, "fw_ver");
	return 0;
}

/* Who has one of these can take keys away. */
#define UB_INVALIDATES (IBV_DEVICE_MEM_MGT_EXTENSIONS | IBV_DEVICE_MEM_WINDOW_TYPE_2B)

/* What a driver does not know would complete in error: it is not offered at all. */
static int find_send_ops(struct ub_context *ctx)
{
	struct ibv_device_attr_ex attr = {};
	int err;

	err = ub_query_device(&ctx->verbs.context, NULL, &attr, sizeof(attr));
	if (err)
		return err;
	ctx->send_ops = UINT64_MAX;
	if (!(attr.orig_attr.device_cap_flags & UB_INVALIDATES))
		ctx->send_ops &= ~(uint64_t)(IBV_QP_EX_WITH_LOCAL_INV |
					     IBV_QP_EX_WITH_SEND_WITH_INV);
	if (!attr.orig_attr.max_mw)
		ctx->send_ops &= ~(uint64_t)IBV_QP_EX_WITH_BIND_MW;
	return 0;
}

static int ub_query_port(struct ibv_context *context, uint8_t port,
			 struct ibv_port_attr *attr)
{
	struct ibv_query_port cmd;

	return ibv_cmd_query_port(context, port, attr, &cmd, sizeof(cmd));
}

/* The clock of ub_cqe.time_ns. */
static int ub_query_rt_values(struct ibv_context *context, struct ibv_values_ex *values)
{
	if (values->comp_mask & ~(uint32_t)IBV_VALUES_MASK_RAW_CLOCK)
		return EOPNOTSUPP;
	if (values->comp_mask && clock_gettime(CLOCK_MONOTONIC_RAW, &values->raw_clock))
		return errno;
	return 0;
}

/* The kernel has put the queue pair into this state. */
static void ub_async_event(struct ibv_context *context, struct ibv_async_event *event)
{
	switch (event->event_type) {
	case IBV_EVENT_QP_FATAL:
	case IBV_EVENT_QP_REQ_ERR:
	case IBV_EVENT_QP_ACCESS_ERR:
		event->element.qp->state = IBV_QPS_ERR;
		break;
	default:
		break;
	}
}

static void ub_context_free(struct ibv_context *context)
{
	struct ub_context *ctx = to_ub_context(context);

	verbs_uninit_context(&ctx->verbs);
	free(ctx);
}

static const struct verbs_context_ops context_ops = {
	.alloc_mw = ub_mw_alloc,
	.alloc_parent_domain = ub_parent_domain_alloc,
	.alloc_pd = ub_pd_alloc,
	.alloc_td = ub_td_alloc,
	.async_event = ub_async_event,
	.attach_mcast = ibv_cmd_attach_mcast,
	.bind_mw = ub_qp_bind_mw,
	.create_ah = ub_ah_create,
	.create_cq = ub_cq_create,
	.create_cq_ex = ub_cq_create_ex,
	.create_qp = ub_qp_create,
	.create_qp_ex = ub_qp_create_ex,
	.create_srq = ub_srq_create,
	.dealloc_mw = ub_mw_dealloc,
	.dealloc_pd = ub_pd_dealloc,
	.dealloc_td = ub_td_dealloc,
	.dereg_mr = ub_mr_dereg,
	.destroy_ah = ub_ah_destroy,
	.destroy_cq = ub_cq_destroy,
	.destroy_qp = ub_qp_destroy,
	.destroy_srq = ub_srq_destroy,
	.detach_mcast = ibv_cmd_detach_mcast,
	.free_context = ub_context_free,
	.modify_qp = ub_qp_modify,
	.modify_srq = ub_srq_modify,
	.poll_cq = ub_cq_poll,
	.post_recv = ub_qp_receive,
	.post_send = ub_qp_send,
	.post_srq_recv = ub_srq_receive,
	.query_device_ex = ub_query_device,
	.query_port = ub_query_port,
	.query_qp = ub_qp_query,
	.query_rt_values = ub_query_rt_values,
	.query_srq = ub_srq_query,
	.reg_dmabuf_mr = ub_mr_reg_dmabuf,
	.reg_mr = ub_mr_reg,
	.req_notify_cq = ub_cq_arm,
	.rereg_mr = ub_mr_rereg,
	.resize_cq = ub_cq_resize,
};

/* A limit that the kernel does not tell is that of the rings. */
static uint32_t limit(uint32_t told, uint32_t max)
{
	return told && told < max ? told : max;
}

static struct verbs_context *ub_context_alloc(struct ibv_device *device, int fd,
					      void *private_data)
{
	struct ub_get_context_resp resp = {};
	struct ibv_get_context cmd;
	struct ub_context *ctx;
	int err;

	ctx = verbs_init_and_alloc_context(device, fd, ctx, verbs, UB_VERBS_DRIVER_ID);
	if (!ctx)
		return NULL;
	err = ibv_cmd_get_context(&ctx->verbs, &cmd, sizeof(cmd), UB_PABI_57(NULL)
				  &resp.core, sizeof(resp));
	if (!err)
		err = find_send_ops(ctx);
	if (err) {
		verbs_uninit_context(&ctx->verbs);
		return ub_failed(ctx, err);
	}
	ctx->max_inline = limit(resp.ub.max_inline, UB_MAX_INLINE);
	ctx->max_sge = limit(resp.ub.max_sge, UB_MAX_SGE);
	verbs_set_ops(&ctx->verbs, &context_ops);
	return &ctx->verbs;
}

static struct verbs_device *ub_device_alloc(struct verbs_sysfs_dev *sysfs)
{
	return calloc(1, sizeof(struct verbs_device));
}

static void ub_device_free(struct verbs_device *device)
{
	free(device);
}

static const struct verbs_match_ent matches[] = {
	VERBS_DRIVER_ID(UB_VERBS_DRIVER_ID),
	{},
};

static const struct verbs_device_ops ub_device_ops = {
	.name = "ub",
	.match_min_abi_version = UB_VERBS_ABI_VERSION,
	.match_max_abi_version = UB_VERBS_ABI_VERSION,
	.match_table = matches,
	.alloc_device = ub_device_alloc,
	.uninit_device = ub_device_free,
	.alloc_context = ub_context_alloc,
};
PROVIDER_DRIVER(ub, ub_device_ops);
