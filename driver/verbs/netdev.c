// SPDX-License-Identifier: GPL-2.0
/*
 * The network interface of an NPU, ubnN: what gives the RDMA device its addresses, and
 * carries IP among the NPUs of a pod, for rdma_cm and for programs that meet by TCP.
 *
 * It forwards an IP packet to the interface that has the destination address, by the
 * pod's table of GIDs. MAC addresses mean nothing (IFF_NOARP), and there is no
 * multicast: what is no IP packet, or has no such target, is counted as dropped.
 * These packets are not transactions, and are not counted on links.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ipv6.h>

#include "compat/compat.h"
#include "verbs.h"

#define UB_NETDEV_MTU	4500

struct ub_netdev {
	struct ub_vdev *dev;
};

static struct ub_vdev *ub_netdev_vdev(const struct net_device *netdev)
{
	const struct ub_netdev *priv = netdev_priv(netdev);

	return priv->dev;
}

/* The GID that the destination address is. */
static bool ub_skb_dgid(struct sk_buff *skb, union ib_gid *gid)
{
	int at = skb_network_offset(skb);

	switch (skb->protocol) {
	case htons(ETH_P_IP):
		if (!pskb_may_pull(skb, at + sizeof(struct iphdr)))
			return false;
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, (struct in6_addr *)gid);
		return true;
	case htons(ETH_P_IPV6):
		if (!pskb_may_pull(skb, at + sizeof(struct ipv6hdr)))
			return false;
		memcpy(gid, &ipv6_hdr(skb)->daddr, sizeof(*gid));
		return true;
	default:
		return false;
	}
}

/* Hands it over, as if a wire had. Always consumes @skb. */
static bool ub_netdev_forward(struct sk_buff *skb, struct net_device *to)
{
	unsigned int bytes = skb->len;

	skb_reset_mac_header(skb);
	ether_addr_copy(eth_hdr(skb)->h_dest, to->dev_addr);
	if (dev_forward_skb(to, skb) != NET_RX_SUCCESS)
		return false;
	DEV_STATS_INC(to, rx_packets);
	DEV_STATS_ADD(to, rx_bytes, bytes);
	return true;
}

static netdev_tx_t ub_netdev_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	unsigned int bytes = skb->len;
	struct ub_vdev *to = NULL;
	union ib_gid gid;
	bool sent = false;

	rcu_read_lock();
	if (ub_skb_dgid(skb, &gid) && !skb_cow_head(skb, 0))
		to = ub_gid_find(ub_netdev_vdev(netdev), &gid);
	/* Removing a device waits for RCU between its GIDs and its interface. */
	if (to)
		sent = ub_netdev_forward(skb, to->netdev);
	else
		kfree_skb(skb);
	rcu_read_unlock();
	if (sent) {
		DEV_STATS_INC(netdev, tx_packets);
		DEV_STATS_ADD(netdev, tx_bytes, bytes);
	} else {
		DEV_STATS_INC(netdev, tx_dropped);
	}
	return NETDEV_TX_OK;
}

static const struct net_device_ops ub_netdev_ops = {
	.ndo_start_xmit = ub_netdev_xmit,
	.ndo_validate_addr = eth_validate_addr,
};

static int ub_netdev_link_ksettings(struct net_device *netdev,
				    struct ethtool_link_ksettings *settings)
{
	struct ub_npu_links links;

	ub_npu_query_links(ub_netdev_vdev(netdev)->npu, &links);
	settings->base.speed = links.nr_up ? min_t(u64, links.mbps, INT_MAX) : SPEED_UNKNOWN;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.port = PORT_OTHER;
	settings->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

static void ub_netdev_drvinfo(struct net_device *netdev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->bus_info, dev_name(netdev->dev.parent), sizeof(info->bus_info));
}

static const struct ethtool_ops ub_netdev_ethtool_ops = {
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = ub_netdev_link_ksettings,
	.get_drvinfo = ub_netdev_drvinfo,
};

static void ub_netdev_setup(struct net_device *netdev)
{
	ether_setup(netdev);
	netdev->netdev_ops = &ub_netdev_ops;
	netdev->ethtool_ops = &ub_netdev_ethtool_ops;
	netdev->flags |= IFF_NOARP;
	netdev->flags &= ~(IFF_MULTICAST | IFF_BROADCAST);
	netdev->priv_flags |= IFF_NO_QUEUE;
	netdev->mtu = UB_NETDEV_MTU;
	netdev->max_mtu = ETH_MAX_MTU;
}

/* Locally administered; unique like the GUID: the pod, and the NPU's number in it. */
static void ub_netdev_set_mac(struct net_device *netdev, const struct ub_ubpu *ubpu)
{
	u8 mac[ETH_ALEN] = { 0x02, 'U' };

	memcpy(mac + 2, ubpu->guid + 10, 2);
	memcpy(mac + 4, ubpu->guid + 14, 2);
	eth_hw_addr_set(netdev, mac);
}

/* Makes the interface, down, without carrier. */
int ub_netdev_create(struct ub_vdev *dev, struct device *parent)
{
	struct net_device *netdev;
	struct ub_netdev *priv;
	char name[IFNAMSIZ];
	int ret;

	snprintf(name, sizeof(name), "ubn%u", dev->npu->minor);
	netdev = alloc_netdev(sizeof(*priv), name, NET_NAME_PREDICTABLE, ub_netdev_setup);
	if (!netdev)
		return -ENOMEM;
	priv = netdev_priv(netdev);
	priv->dev = dev;
	SET_NETDEV_DEV(netdev, parent);
	ub_netdev_set_mac(netdev, dev->npu->ubpu);
	netif_carrier_off(netdev);
	dev->netdev = netdev;
	ret = register_netdev(netdev);
	if (ret)
		free_netdev(netdev);
	return ret;
}

void ub_netdev_destroy(struct ub_vdev *dev)
{
	unregister_netdev(dev->netdev);
	free_netdev(dev->netdev);
}
