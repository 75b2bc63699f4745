// SPDX-License-Identifier: GPL-2.0
/*
 * The performance management agent (PMA, IBTA volume 1, chapter 16.1): the counters of
 * the port, for ports/1/counters and for who asks by a MAD, from any NPU of the pod.
 *
 * What is told are sums over all links of the NPU, the same as in hw_counters. Data is
 * in units of four bytes; counters of fewer bits than there are to tell stand at their
 * maximum. Errors that links have not are 0.
 *
 * Counters are never cleared: Set() is refused, so several readers do not disturb each
 * other. Unicast and multicast are not told apart, and the agent says so
 * (IB_PMA_CLASS_CAP_EXT_WIDTH_NOIETF).
 */
#include <rdma/ib_pma.h>

#include "verbs.h"

/* A port by its number, or all of them: there is but one. */
#define UB_PMA_ALL_PORTS	0xff

/* The agent answers within 4.096 us * 2^18, about a second: it waits for nothing. */
#define UB_PMA_RESPONSE_TIME	18

static bool ub_pma_has_port(u8 port)
{
	return port == UB_VERBS_PORT || port == UB_PMA_ALL_PORTS;
}

static void ub_pma_read(struct ub_vdev *dev, struct ub_npu_links *links,
			struct ub_link_sum *traffic)
{
	ub_npu_query_links(dev->npu, links);
	ub_npu_query_traffic(dev->npu, traffic);
}

static __be32 ub_pma_be32(u64 value)
{
	return cpu_to_be32(min_t(u64, value, U32_MAX));
}

static __be16 ub_pma_class_port_info(struct ib_pma_mad *out)
{
	struct ib_class_port_info *info = (void *)out->data;

	*info = (struct ib_class_port_info){
		.base_version = IB_MGMT_BASE_VERSION,
		.class_version = 1,
		.capability_mask = IB_PMA_CLASS_CAP_ALLPORTSELECT |
				   IB_PMA_CLASS_CAP_EXT_WIDTH_NOIETF,
	};
	ib_set_cpi_resp_time(info, UB_PMA_RESPONSE_TIME);
	return 0;
}

static __be16 ub_pma_port_counters(struct ub_vdev *dev, struct ib_pma_mad *out)
{
	struct ib_pma_portcounters *counters = (void *)out->data;
	struct ub_npu_links links;
	struct ub_link_sum traffic;

	if (!ub_pma_has_port(counters->port_select))
		return cpu_to_be16(IB_MGMT_MAD_STATUS_INVALID_ATTRIB_VALUE);
	ub_pma_read(dev, &links, &traffic);
	*counters = (struct ib_pma_portcounters){
		.port_select = counters->port_select,
		.link_downed_counter = min_t(u64, links.downs, U8_MAX),
		.port_xmit_data = ub_pma_be32(traffic.bytes[0] / 4),
		.port_rcv_data = ub_pma_be32(traffic.bytes[1] / 4),
		.port_xmit_packets = ub_pma_be32(traffic.packets[0]),
		.port_rcv_packets = ub_pma_be32(traffic.packets[1]),
	};
	return 0;
}

static __be16 ub_pma_port_counters_ext(struct ub_vdev *dev, struct ib_pma_mad *out)
{
	struct ib_pma_portcounters_ext *counters = (void *)out->data;
	struct ub_npu_links links;
	struct ub_link_sum traffic;

	if (!ub_pma_has_port(counters->port_select))
		return cpu_to_be16(IB_MGMT_MAD_STATUS_INVALID_ATTRIB_VALUE);
	ub_pma_read(dev, &links, &traffic);
	*counters = (struct ib_pma_portcounters_ext){
		.port_select = counters->port_select,
		.port_xmit_data = cpu_to_be64(traffic.bytes[0] / 4),
		.port_rcv_data = cpu_to_be64(traffic.bytes[1] / 4),
		.port_xmit_packets = cpu_to_be64(traffic.packets[0]),
		.port_rcv_packets = cpu_to_be64(traffic.packets[1]),
	};
	return 0;
}

/* The attribute asked for, in place of the request; its status. */
static __be16 ub_pma_answer(struct ub_vdev *dev, struct ib_pma_mad *out)
{
	if (out->mad_hdr.base_version != IB_MGMT_BASE_VERSION || out->mad_hdr.class_version != 1)
		return cpu_to_be16(IB_MGMT_MAD_STATUS_BAD_VERSION);
	if (out->mad_hdr.method != IB_MGMT_METHOD_GET && out->mad_hdr.method != IB_MGMT_METHOD_SET)
		return cpu_to_be16(IB_MGMT_MAD_STATUS_UNSUPPORTED_METHOD);
	if (out->mad_hdr.method == IB_MGMT_METHOD_SET)
		return cpu_to_be16(IB_MGMT_MAD_STATUS_UNSUPPORTED_METHOD_ATTRIB);
	switch (out->mad_hdr.attr_id) {
	case IB_PMA_CLASS_PORT_INFO:
		return ub_pma_class_port_info(out);
	case IB_PMA_PORT_COUNTERS:
		return ub_pma_port_counters(dev, out);
	case IB_PMA_PORT_COUNTERS_EXT:
		return ub_pma_port_counters_ext(dev, out);
	}
	return cpu_to_be16(IB_MGMT_MAD_STATUS_UNSUPPORTED_METHOD_ATTRIB);
}

/*
 * Requests for the agent are answered; all else, and answers to requests of a process
 * here, go on to whom they are for.
 */
int ub_verbs_process_mad(struct ib_device *ib, int flags, u32 port, const struct ib_wc *wc,
			 const struct ib_grh *grh, const struct ib_mad *in, struct ib_mad *out,
			 size_t *out_size, u16 *out_pkey_index)
{
	struct ib_pma_mad *pma = (void *)out;

	static_assert(sizeof(*pma) == sizeof(*out));

	if (in->mad_hdr.mgmt_class != IB_MGMT_CLASS_PERF_MGMT ||
	    in->mad_hdr.method & IB_MGMT_METHOD_RESP ||
	    in->mad_hdr.method == IB_MGMT_METHOD_TRAP_REPRESS)
		return IB_MAD_RESULT_SUCCESS;
	*out = *in;
	out->mad_hdr.status = ub_pma_answer(to_ub_vdev(ib), pma);
	out->mad_hdr.method = IB_MGMT_METHOD_GET_RESP;
	return IB_MAD_RESULT_SUCCESS | IB_MAD_RESULT_REPLY;
}
