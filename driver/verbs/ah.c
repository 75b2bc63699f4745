// SPDX-License-Identifier: GPL-2.0
/*
 * AHs: a target by its GID, or a multicast group; and the header that a receiver finds
 * before the data, as RoCE v2 shows it: an IPv6 header, or an IPv4 header in the last 20
 * of 40 bytes.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <rdma/ib_addr.h>

#include "verbs.h"

/*
 * What a completion reports to a process: programs (UCX before 1.19) take bits 0 ... 1 for
 * the kind of header, as devices of Mellanox have it, with bit 3 for "over UDP".
 */
#define UB_SL_IPV4	0xa
#define UB_SL_IPV6	0x9

/* The length, which differs by datagram, is 0; it is the completion's to say. */
static void ub_grh_ipv4(u8 *grh, const struct ib_global_route *route)
{
	struct iphdr *ip = (struct iphdr *)(grh + UB_GRH_LEN - sizeof(*ip));

	BUILD_BUG_ON(sizeof(*ip) != 20);
	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tos = route->traffic_class,
		.frag_off = htons(IP_DF),
		.ttl = route->hop_limit,
		.protocol = IPPROTO_UDP,
	};
	memcpy(&ip->saddr, route->sgid_attr->gid.raw + 12, sizeof(ip->saddr));
	memcpy(&ip->daddr, route->dgid.raw + 12, sizeof(ip->daddr));
	ip_send_check(ip);
}

static void ub_grh_ipv6(u8 *grh, const struct ib_global_route *route)
{
	struct ipv6hdr *ip = (struct ipv6hdr *)grh;

	BUILD_BUG_ON(sizeof(*ip) != UB_GRH_LEN);
	ip6_flow_hdr(ip, route->traffic_class, htonl(route->flow_label & 0xfffff));
	ip->nexthdr = IPPROTO_UDP;
	ip->hop_limit = route->hop_limit;
	memcpy(&ip->saddr, &route->sgid_attr->gid, sizeof(ip->saddr));
	memcpy(&ip->daddr, &route->dgid, sizeof(ip->daddr));
}

/* @user: it is a process'; @ib->uobject, which would say so, is set later. */
static int ub_ah_describe(struct ib_ah *ib, const struct rdma_ah_attr *attr, bool user,
			  struct ub_ah_desc *desc)
{
	const struct ib_global_route *route = rdma_ah_read_grh(attr);
	const union ib_gid *sgid = &route->sgid_attr->gid;
	union ib_gid dgid = route->dgid;

	*desc = (struct ub_ah_desc){
		.pd = ib->pd,
		.ipv4 = ipv6_addr_v4mapped((const struct in6_addr *)sgid),
	};
	if (desc->ipv4)
		ub_grh_ipv4(desc->grh, route);
	else
		ub_grh_ipv6(desc->grh, route);
	if (user)
		desc->sl = desc->ipv4 ? UB_SL_IPV4 : UB_SL_IPV6;
	desc->multicast = rdma_is_multicast_addr((struct in6_addr *)&dgid);
	if (!desc->multicast)
		return ub_gid_npu(to_ub_vdev(ib->device), &dgid, &desc->npu);
	memcpy(desc->mgid, &dgid, sizeof(desc->mgid));
	return 0;
}

int ub_verbs_create_ah(struct ib_ah *ib, struct rdma_ah_init_attr *init, struct ib_udata *udata)
{
	gfp_t gfp = init->flags & RDMA_CREATE_AH_SLEEPABLE ? GFP_KERNEL : GFP_ATOMIC;
	struct ub_vah *ah = to_ub_vah(ib);
	struct ub_verbs_create_ah_resp resp = {};
	struct ub_ah_desc desc;
	int ret;

	ret = ub_udata_check(udata) ?: ub_ah_describe(ib, init->ah_attr, udata, &desc) ?:
	      ub_vdev_take(ib->device, UB_VDEV_AH, UB_VERBS_MAX_AH);
	if (ret)
		return ret;
	ret = ub_ah_create(to_ub_vdev(ib->device)->engine, &desc, gfp, &ah->number);
	if (ret)
		goto err_give;
	ah->attr = *init->ah_attr;
	/* A reference that is the core's. */
	ah->attr.grh.sgid_attr = NULL;
	resp.ah = ah->number;
	ret = ub_udata_respond(udata, &resp, sizeof(resp));
	if (ret)
		goto err_destroy;
	return 0;

err_destroy:
	ub_ah_destroy(to_ub_vdev(ib->device)->engine, ah->number);
err_give:
	ub_vdev_give(ib->device, UB_VDEV_AH);
	return ret;
}

int ub_verbs_query_ah(struct ib_ah *ib, struct rdma_ah_attr *attr)
{
	*attr = to_ub_vah(ib)->attr;
	return 0;
}

int ub_verbs_destroy_ah(struct ib_ah *ib, u32 flags)
{
	ub_ah_destroy(to_ub_vdev(ib->device)->engine, to_ub_vah(ib)->number);
	ub_vdev_give(ib->device, UB_VDEV_AH);
	return 0;
}
