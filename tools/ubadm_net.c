// SPDX-License-Identifier: BSD-2-Clause
/*
 * The network interfaces of a pod's NPUs, up with their addresses or down without.
 *
 * The addresses of an NPU follow from its EID, so they are the same wherever they are
 * asked for, and no two NPUs of a machine have the same:
 *
 *   IPv6	the EID itself, fd55:4200:POD::INDEX+1/64
 *   IPv4	10.85.0.0/16 is cut into /23, one for each of the pods 0 ... 127; in it
 *		INDEX+1 is the NPU, up to 510: pod 1 has 10.85.2.1, 10.85.2.2, ...
 *
 * Interfaces that are in another network namespace are passed over: there this runs
 * again. What is as it should be stays, so a second run changes nothing.
 *
 * When this returns interfaces whose NPU has a link that is up are operational: the
 * kernel takes note of a carrier up to a second late, and knows no way to an address of
 * IPv6 before.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ubadm.h"

#define NET_IPV4		0x0a550000	/* 10.85.0.0 */
#define NET_IPV4_PREFIX		23
#define NET_IPV4_PODS		128
#define NET_IPV4_HOSTS		510
#define NET_IPV6_PREFIX		64

/* How often interfaces are looked at, and for how long all together. */
#define NET_LOOK_US		20000
#define NET_LOOKS		500

/* A run: @why is the caller's, of UBADM_WHY_LEN; @looks are those that are left. */
struct net_run {
	struct nl_sock *sk;
	bool up;
	unsigned int found;
	unsigned int looks;
	char *why;
};

static uint32_t word_at(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return ntohl(word);
}

int ubadm_net_plan(const struct ubnl_ubpu *npu, struct ubadm_net_plan *plan)
{
	uint32_t pod = word_at(npu->eid + 4);
	uint32_t host = word_at(npu->eid + 12);

	if (!(npu->has & UBNL_BIT(UB_A_EID)) || strncmp(npu->name, "ub", 2) ||
	    strlen(npu->name) + 1 >= sizeof(plan->interface))
		return -EINVAL;
	if (pod >= NET_IPV4_PODS || !host || host > NET_IPV4_HOSTS)
		return -ERANGE;
	snprintf(plan->interface, sizeof(plan->interface), "ubn%.12s", npu->name + 2);
	plan->ipv4 = htonl(NET_IPV4 + (pod << (32 - NET_IPV4_PREFIX)) + host);
	memcpy(plan->ipv6, npu->eid, sizeof(plan->ipv6));
	return 0;
}

/* ---- rtnetlink --------------------------------------------------------------------- */

static int refused(struct net_run *run, const char *interface, const char *what, int err)
{
	if (err == -NLE_PERM || err == -NLE_NOACCESS)
		snprintf(run->why, UBADM_WHY_LEN, "%s: %s needs root (CAP_NET_ADMIN)", interface,
			 what);
	else
		snprintf(run->why, UBADM_WHY_LEN, "%s: %s: %s", interface, what,
			 nl_geterror(err));
	return -EPROTO;
}

static int set_link(struct net_run *run, struct rtnl_link *link)
{
	struct rtnl_link *change;
	int ret;

	if (!(rtnl_link_get_flags(link) & IFF_UP) == !run->up)
		return 0;
	change = rtnl_link_alloc();
	if (!change)
		return -NLE_NOMEM;
	if (run->up)
		rtnl_link_set_flags(change, IFF_UP);
	else
		rtnl_link_unset_flags(change, IFF_UP);
	ret = rtnl_link_change(run->sk, link, change, 0);
	rtnl_link_put(change);
	return ret;
}

static int set_address(struct net_run *run, int index, int family, const void *bytes, size_t size,
		       int prefix)
{
	struct nl_addr *local = nl_addr_build(family, bytes, size);
	struct rtnl_addr *addr = rtnl_addr_alloc();
	int ret = -NLE_NOMEM;

	if (!local || !addr)
		goto out;
	nl_addr_set_prefixlen(local, prefix);
	rtnl_addr_set_ifindex(addr, index);
	ret = rtnl_addr_set_local(addr, local);
	if (ret)
		goto out;
	ret = run->up ? rtnl_addr_add(run->sk, addr, 0) : rtnl_addr_delete(run->sk, addr, 0);
	/* It was there already, or is not there any more. */
	if (ret == (run->up ? -NLE_EXIST : -NLE_NOADDR))
		ret = 0;
out:
	nl_addr_put(local);
	rtnl_addr_put(addr);
	return ret;
}

static int set_addresses(struct net_run *run, int index, const struct ubadm_net_plan *plan)
{
	int ret = set_address(run, index, AF_INET, &plan->ipv4, sizeof(plan->ipv4),
			      NET_IPV4_PREFIX);

	return ret ?: set_address(run, index, AF_INET6, plan->ipv6, sizeof(plan->ipv6),
				  NET_IPV6_PREFIX);
}

/* An interface that is down keeps no address of IPv6: it comes up first, and goes last. */
static int set_interface(struct net_run *run, const struct ubadm_net_plan *plan)
{
	const char *what = run->up ? "setting it up" : "setting it down";
	struct rtnl_link *link;
	int ret;

	ret = rtnl_link_get_kernel(run->sk, 0, plan->interface, &link);
	if (ret == -NLE_NODEV || ret == -NLE_OBJ_NOTFOUND)
		return 0;
	if (ret)
		return refused(run, plan->interface, "asking for it", ret);
	run->found++;
	if (run->up)
		ret = set_link(run, link);
	if (!ret) {
		ret = set_addresses(run, rtnl_link_get_ifindex(link), plan);
		if (ret)
			what = run->up ? "giving it addresses" : "taking its addresses";
	}
	if (!ret && !run->up)
		ret = set_link(run, link);
	rtnl_link_put(link);
	return ret ? refused(run, plan->interface, what, ret) : 0;
}

/* Waits until an interface that has a carrier is operational. */
static int await_interface(struct net_run *run, const struct ubadm_net_plan *plan)
{
	struct rtnl_link *link;
	unsigned int flags;

	for (; run->looks; run->looks--) {
		/* One that is gone is waited for no longer. */
		if (rtnl_link_get_kernel(run->sk, 0, plan->interface, &link))
			return 0;
		flags = rtnl_link_get_flags(link);
		rtnl_link_put(link);
		if (!(flags & IFF_LOWER_UP) || flags & IFF_RUNNING)
			return 0;
		usleep(NET_LOOK_US);
	}
	snprintf(run->why, UBADM_WHY_LEN, "%s is up and has a carrier, but is not operational: "
		 "see `ip link show %s`", plan->interface, plan->interface);
	return -ETIMEDOUT;
}

/* ---- a pod ---------------------------------------------------------------------------- */

static int each_npu(struct net_run *run, const struct ubnl_snapshot *snap, const char *pod,
		    int (*act)(struct net_run *run, const struct ubnl_ubpu *npu))
{
	size_t i;
	int ret;

	for (i = 0; i < snap->nr_ubpus; i++) {
		if (snap->ubpu[i].type != UB_UBPU_NPU || strcmp(snap->ubpu[i].pod, pod))
			continue;
		ret = act(run, &snap->ubpu[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int await_npu(struct net_run *run, const struct ubnl_ubpu *npu)
{
	struct ubadm_net_plan plan;

	return ubadm_net_plan(npu, &plan) ?: await_interface(run, &plan);
}

static int set_npu(struct net_run *run, const struct ubnl_ubpu *npu)
{
	struct ubadm_net_plan plan;
	int ret = ubadm_net_plan(npu, &plan);

	if (!ret)
		return set_interface(run, &plan);
	snprintf(run->why, UBADM_WHY_LEN,
		 "the plan of addresses has none for %s: it is made for the pods 0 to %d of a "
		 "machine, with up to %d NPUs", npu->name, NET_IPV4_PODS - 1, NET_IPV4_HOSTS);
	return ret;
}

static int set_pod(struct net_run *run, const struct ubnl_snapshot *snap, const char *pod)
{
	int ret;

	if (!ubnl_pod_find(snap, pod)) {
		snprintf(run->why, UBADM_WHY_LEN, "there is no pod '%s'; `ubstat pod` lists all",
			 pod);
		return -ENOENT;
	}
	ret = each_npu(run, snap, pod, set_npu);
	if (!ret && run->up)
		ret = each_npu(run, snap, pod, await_npu);
	if (ret || run->found)
		return ret;
	snprintf(run->why, UBADM_WHY_LEN,
		 "no NPU of %s has a network interface here: modprobe ub_verbs, which makes them "
		 "for pods of up to 16 NPUs", pod);
	return -ENODEV;
}

int ubadm_net(struct ubnl *nl, const char *pod, bool up, char why[UBADM_WHY_LEN])
{
	struct net_run run = { .up = up, .looks = NET_LOOKS, .why = why };
	struct ubnl_snapshot snap;
	int ret;

	ret = ubnl_snapshot(nl, NULL, NULL, &snap);
	if (ret)
		return ret;
	run.sk = nl_socket_alloc();
	if (!run.sk) {
		ret = -ENOMEM;
		goto out;
	}
	ret = nl_connect(run.sk, NETLINK_ROUTE);
	if (ret)
		ret = refused(&run, "rtnetlink", "connecting", ret);
	else
		ret = set_pod(&run, &snap, pod);
	nl_socket_free(run.sk);
out:
	ubnl_snapshot_free(&snap);
	return ret;
}
