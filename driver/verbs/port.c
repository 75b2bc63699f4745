// SPDX-License-Identifier: GPL-2.0
/*
 * The port: all links of the NPU together. It is active while any of them is up, as
 * fast as what is up, whether the network interface is up or not.
 *
 * A port event is told when the last link goes and when the first comes, each once,
 * none is lost. What a single link does is told by the netlink family "ub".
 */
#include <linux/netdevice.h>
#include <rdma/ib_addr.h>
#include <rdma/ib_mad.h>

#include "verbs.h"

static const struct {
	u16 speed;
	u32 mbps;	/* of a lane, as others count it */
} ub_port_speed[] = {
	{ IB_SPEED_SDR, 2500 },
	{ IB_SPEED_DDR, 5000 },
	{ IB_SPEED_QDR, 10000 },
	{ IB_SPEED_FDR, 14000 },
	{ IB_SPEED_EDR, 25000 },
	{ IB_SPEED_HDR, 50000 },
	{ IB_SPEED_NDR, 100000 },
};

/* Without 2X and 12X, which programs (pyverbs 44) take for errors. */
static const u8 ub_port_width[] = { IB_WIDTH_1X, IB_WIDTH_4X, IB_WIDTH_8X };

/* The fastest that InfiniBand has a name for and that is no faster than @mbps. */
static void ub_port_rate(u64 mbps, struct ib_port_attr *attr)
{
	u32 i, j, rate, best = 0;

	attr->active_speed = IB_SPEED_SDR;
	attr->active_width = IB_WIDTH_1X;
	for (i = 0; i < ARRAY_SIZE(ub_port_speed); i++) {
		for (j = 0; j < ARRAY_SIZE(ub_port_width); j++) {
			rate = ub_port_speed[i].mbps * ib_width_enum_to_int(ub_port_width[j]);
			if (rate > mbps || rate <= best)
				continue;
			best = rate;
			attr->active_speed = ub_port_speed[i].speed;
			attr->active_width = ub_port_width[j];
		}
	}
}

int ub_verbs_query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr)
{
	struct ub_vdev *dev = to_ub_vdev(ib);
	struct ub_npu_links links;

	ub_npu_query_links(dev->npu, &links);
	*attr = (struct ib_port_attr){
		.state = links.nr_up ? IB_PORT_ACTIVE : IB_PORT_DOWN,
		.phys_state = links.nr_up ? IB_PORT_PHYS_STATE_LINK_UP :
					    IB_PORT_PHYS_STATE_POLLING,
		.max_mtu = IB_MTU_4096,
		.active_mtu = iboe_get_mtu(READ_ONCE(dev->netdev->mtu)) ?: IB_MTU_256,
		.gid_tbl_len = UB_VERBS_GIDS,
		.pkey_tbl_len = 1,
		.max_msg_sz = 1U << 31,
		.max_vl_num = 1,
		.ip_gids = true,
	};
	ub_port_rate(links.mbps, attr);
	return 0;
}

int ub_verbs_get_port_immutable(struct ib_device *ib, u32 port,
				struct ib_port_immutable *immutable)
{
	immutable->gid_tbl_len = UB_VERBS_GIDS;
	immutable->pkey_tbl_len = 1;
	immutable->core_cap_flags = RDMA_CORE_PORT_IBA_ROCE_UDP_ENCAP;
	immutable->max_mad_size = IB_MGMT_MAD_SIZE;
	return 0;
}

enum rdma_link_layer ub_verbs_get_link_layer(struct ib_device *ib, u32 port)
{
	return IB_LINK_LAYER_ETHERNET;
}

int ub_verbs_query_pkey(struct ib_device *ib, u32 port, u16 index, u16 *pkey)
{
	if (index)
		return -EINVAL;
	*pkey = IB_DEFAULT_PKEY_FULL;
	return 0;
}

static int ub_port_changed(struct notifier_block *nb, unsigned long unused, void *data)
{
	struct ub_vdev *dev = container_of(nb, struct ub_vdev, watch);
	const struct ub_npu_links *links = data;
	struct ib_event event = {
		.device = &dev->ib,
		.element.port_num = UB_VERBS_PORT,
		.event = links->nr_up ? IB_EVENT_PORT_ACTIVE : IB_EVENT_PORT_ERR,
	};

	if (!links->nr_up == !dev->port_up)
		return NOTIFY_OK;
	dev->port_up = links->nr_up;
	if (dev->port_up)
		netif_carrier_on(dev->netdev);
	else
		netif_carrier_off(dev->netdev);
	ib_dispatch_event(&event);
	return NOTIFY_OK;
}

/* The device is registered, its interface has no carrier. */
int ub_vdev_watch_port(struct ub_vdev *dev)
{
	dev->watch.notifier_call = ub_port_changed;
	return ub_npu_watch_links(dev->npu, &dev->watch);
}

void ub_vdev_unwatch_port(struct ub_vdev *dev)
{
	ub_npu_unwatch_links(dev->npu, &dev->watch);
}
