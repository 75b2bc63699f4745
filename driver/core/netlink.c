// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "ub": dumps and events. netlink_admin.c changes
 * things; <ub/netlink.h> is the contract.
 *
 * A dump is resumed by position. A pod that comes or goes between two parts
 * changes ub_pods_seq, which marks the dump as interrupted.
 */
#include <net/genetlink.h>

#include "compat/compat.h"
#include "netlink.h"
#include "ub.h"

static const struct nla_policy ub_param_policy[UB_A_MAX + 1] = {
	[UB_A_KEY] = { .type = NLA_NUL_STRING, .len = 31 },
	[UB_A_VALUE] = { .type = NLA_NUL_STRING, .len = 31 },
};

/* What requests may carry; each command names those that it uses. */
static const struct nla_policy ub_policy[UB_A_MAX + 1] = {
	[UB_A_POD] = { .type = NLA_NUL_STRING, .len = UB_NAME_LEN - 1 },
	[UB_A_BACKEND] = { .type = NLA_NUL_STRING, .len = UB_NAME_LEN - 1 },
	[UB_A_PRESET] = { .type = NLA_NUL_STRING, .len = 31 },
	[UB_A_PARAM] = NLA_POLICY_NESTED(ub_param_policy),
	[UB_A_FORCE] = { .type = NLA_FLAG },
	[UB_A_UPI] = NLA_POLICY_RANGE(NLA_U32, 1, 0x7fff),
	[UB_A_UBPU_NAME] = { .type = NLA_NUL_STRING, .len = 31 },
	[UB_A_PEER_NAME] = { .type = NLA_NUL_STRING, .len = 31 },
	[UB_A_PORT] = { .type = NLA_U32 },
	[UB_A_STATE] = { .type = NLA_U32 },
	[UB_A_WIDTH] = { .type = NLA_U32 },
};

/* ---- messages ------------------------------------------------------------- */

static int ub_put_pod(struct sk_buff *skb, struct ub_pod *pod, bool gone)
{
	return nla_put_string(skb, UB_A_POD, pod->name) ||
	       nla_put_string(skb, UB_A_BACKEND, pod->ops->name) ||
	       nla_put_u32(skb, UB_A_UPI, pod->upi) ||
	       nla_put_u64_64bit(skb, UB_A_GENERATION, ub_pod_generation(pod), UB_A_PAD) ||
	       nla_put_u32(skb, UB_A_NR_UBPUS, pod->nr_ubpus) ||
	       nla_put_u32(skb, UB_A_NR_NPUS, pod->nr_npus) ||
	       nla_put_u32(skb, UB_A_NR_LINKS, pod->nr_links) ||
	       (gone && nla_put_flag(skb, UB_A_GONE));
}

static int ub_put_npu(struct sk_buff *skb, struct ub_npu *npu)
{
	return nla_put_s32(skb, UB_A_NUMA_NODE, dev_to_node(&npu->dev)) ||
	       nla_put_u64_64bit(skb, UB_A_MEM_SIZE, npu->mem_size, UB_A_PAD) ||
	       nla_put_u64_64bit(skb, UB_A_MEM_USED,
				 atomic64_read(&npu->mem_used), UB_A_PAD) ||
	       nla_put_u64_64bit(skb, UB_A_MEM_BACKED,
				 atomic64_read(&npu->mem_backed), UB_A_PAD) ||
	       nla_put_u64_64bit(skb, UB_A_TOKEN_DENIED,
				 atomic64_read(&npu->token_denied), UB_A_PAD);
}

static int ub_put_ubpu(struct sk_buff *skb, struct ub_pod *pod, const struct ub_ubpu *ubpu)
{
	u32 nr = ub_ubpu_nr_ports(pod, ubpu->index);

	return nla_put_string(skb, UB_A_POD, pod->name) ||
	       nla_put_u32(skb, UB_A_UBPU_INDEX, ubpu->index) ||
	       nla_put_string(skb, UB_A_UBPU_NAME, ubpu->name) ||
	       nla_put_u32(skb, UB_A_UBPU_TYPE, ubpu->type) ||
	       nla_put(skb, UB_A_GUID, UB_GUID_LEN, ubpu->guid) ||
	       nla_put(skb, UB_A_EID, UB_EID_LEN, ubpu->eid) ||
	       nla_put_u32(skb, UB_A_NR_PORTS, nr) ||
	       (nr && nla_put_u32(skb, UB_A_CNA, ub_port_cna(pod, ubpu->index, 0))) ||
	       (ubpu->npu && ub_put_npu(skb, ubpu->npu));
}

static int ub_put_end(struct sk_buff *skb, struct ub_pod *pod,
		      const struct ub_link *link, int end)
{
	struct nlattr *nest = nla_nest_start(skb, UB_A_END);

	if (!nest ||
	    nla_put_u32(skb, UB_A_UBPU_INDEX, link->ubpu[end]) ||
	    nla_put_string(skb, UB_A_UBPU_NAME, pod->ubpu[link->ubpu[end]].name) ||
	    nla_put_u32(skb, UB_A_PORT, link->port[end]))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int ub_put_dir(struct sk_buff *skb, const struct ub_link_sum *sum, u64 ldst, int dir)
{
	struct nlattr *nest = nla_nest_start(skb, UB_A_DIR);

	if (!nest ||
	    nla_put_u64_64bit(skb, UB_A_PACKETS, sum->packets[dir], UB_A_PAD) ||
	    nla_put_u64_64bit(skb, UB_A_BYTES, sum->bytes[dir], UB_A_PAD) ||
	    nla_put_u64_64bit(skb, UB_A_FLITS, sum->flits[dir], UB_A_PAD) ||
	    nla_put_u64_64bit(skb, UB_A_LDST_REPORTED_BYTES, ldst, UB_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int ub_put_link(struct sk_buff *skb, struct ub_pod *pod, const struct ub_link *link)
{
	struct ub_link_sum sum;

	ub_link_read_stats(link, &sum);
	return nla_put_string(skb, UB_A_POD, pod->name) ||
	       nla_put_string(skb, UB_A_BACKEND, pod->ops->name) ||
	       nla_put_u32(skb, UB_A_LINK_INDEX, link - pod->link) ||
	       ub_put_end(skb, pod, link, 0) ||
	       ub_put_end(skb, pod, link, 1) ||
	       nla_put_u32(skb, UB_A_STATE, READ_ONCE(link->state)) ||
	       nla_put_u32(skb, UB_A_WIDTH, READ_ONCE(link->width)) ||
	       nla_put_u32(skb, UB_A_WIDTH_MAX, link->width_max) ||
	       nla_put_u32(skb, UB_A_LANE_MBPS, link->lane_mbps) ||
	       nla_put_u64_64bit(skb, UB_A_LINK_UPS, READ_ONCE(link->ups), UB_A_PAD) ||
	       nla_put_u64_64bit(skb, UB_A_LINK_DOWNS, READ_ONCE(link->downs), UB_A_PAD) ||
	       ub_put_dir(skb, &sum, READ_ONCE(link->ldst_bytes[0]), 0) ||
	       ub_put_dir(skb, &sum, READ_ONCE(link->ldst_bytes[1]), 1);
}

/* ---- dumps ------------------------------------------------------------------ */

/* Where a dump goes on: in cb->ctx. */
struct ub_dump {
	u32 pod;	/* position in ub_pods */
	u32 item;	/* in that pod */
};

/* One message with the item of a pod; 0, -EMSGSIZE, or why there is none. */
enum { UB_DUMP_END = 1, UB_DUMP_SKIP };
typedef int (*ub_dump_item_t)(struct sk_buff *skb, struct nlattr **attrs,
			      struct ub_pod *pod, u32 item);

static int ub_dump_pod(struct sk_buff *skb, struct nlattr **attrs,
		       struct ub_pod *pod, u32 item)
{
	return item ? UB_DUMP_END : ub_put_pod(skb, pod, false) ? -EMSGSIZE : 0;
}

static int ub_dump_ubpu(struct sk_buff *skb, struct nlattr **attrs,
			struct ub_pod *pod, u32 item)
{
	if (item >= pod->nr_ubpus)
		return UB_DUMP_END;
	return ub_put_ubpu(skb, pod, &pod->ubpu[item]) ? -EMSGSIZE : 0;
}

static bool ub_link_is_of(const struct ub_pod *pod, const struct ub_link *link,
			  const struct nlattr *name)
{
	return !nla_strcmp(name, pod->ubpu[link->ubpu[0]].name) ||
	       !nla_strcmp(name, pod->ubpu[link->ubpu[1]].name);
}

static int ub_dump_link(struct sk_buff *skb, struct nlattr **attrs,
			struct ub_pod *pod, u32 item)
{
	const struct nlattr *name = attrs[UB_A_UBPU_NAME];

	if (item >= pod->nr_links)
		return UB_DUMP_END;
	if (name && !ub_link_is_of(pod, &pod->link[item], name))
		return UB_DUMP_SKIP;
	return ub_put_link(skb, pod, &pod->link[item]) ? -EMSGSIZE : 0;
}

static int ub_dump_items(struct sk_buff *skb, struct netlink_callback *cb,
			 struct ub_pod *pod, u8 cmd, ub_dump_item_t put)
{
	struct ub_dump *dump = (struct ub_dump *)cb->ctx;
	void *head;
	int ret;

	for (;; dump->item++) {
		head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				   &ub_genl_family, NLM_F_MULTI, cmd);
		if (!head)
			return -EMSGSIZE;
		genl_dump_check_consistent(cb, head);
		ret = put(skb, ub_genl_dump_attrs(cb), pod, dump->item);
		if (!ret) {
			genlmsg_end(skb, head);
			continue;
		}
		genlmsg_cancel(skb, head);
		if (ret != UB_DUMP_SKIP)
			return ret < 0 ? ret : 0;
	}
}

static bool ub_dump_wants(struct netlink_callback *cb, const struct ub_pod *pod)
{
	struct nlattr **attrs = ub_genl_dump_attrs(cb);

	return !attrs[UB_A_POD] || !nla_strcmp(attrs[UB_A_POD], pod->name);
}

static int ub_dump(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd,
		   ub_dump_item_t put)
{
	struct ub_dump *dump = (struct ub_dump *)cb->ctx;
	struct ub_pod *pod;
	u32 position = 0;
	int ret = 0;

	BUILD_BUG_ON(sizeof(*dump) > sizeof(cb->ctx));
	mutex_lock(&ub_pods_lock);
	cb->seq = ub_pods_seq + 1; /* 0 means: not checked */
	list_for_each_entry(pod, &ub_pods, node) {
		if (position++ < dump->pod)
			continue;
		if (ub_dump_wants(cb, pod)) {
			/* What is reported must be on the links before they are shown. */
			down_read(&pod->topo);
			if (!dump->item)
				ub_imports_fold(pod);
			ret = ub_dump_items(skb, cb, pod, cmd, put);
			up_read(&pod->topo);
			if (ret)
				break;
		}
		dump->pod++;
		dump->item = 0;
	}
	mutex_unlock(&ub_pods_lock);
	return skb->len ?: ret;
}

static int ub_genl_dump_pods(struct sk_buff *skb, struct netlink_callback *cb)
{
	return ub_dump(skb, cb, UB_CMD_POD_GET, ub_dump_pod);
}

static int ub_genl_dump_ubpus(struct sk_buff *skb, struct netlink_callback *cb)
{
	return ub_dump(skb, cb, UB_CMD_UBPU_GET, ub_dump_ubpu);
}

static int ub_genl_dump_links(struct sk_buff *skb, struct netlink_callback *cb)
{
	return ub_dump(skb, cb, UB_CMD_LINK_GET, ub_dump_link);
}

/* ---- a route ------------------------------------------------------------------ */

static int ub_put_hop(struct sk_buff *skb, struct ub_pod *pod, u32 hop)
{
	const struct ub_link *link = &pod->link[hop >> 1];
	struct nlattr *nest = nla_nest_start(skb, UB_A_HOP);
	int end = hop & 1;

	if (!nest ||
	    nla_put_u32(skb, UB_A_LINK_INDEX, link - pod->link) ||
	    nla_put_string(skb, UB_A_UBPU_NAME, pod->ubpu[link->ubpu[end]].name) ||
	    nla_put_u32(skb, UB_A_PORT, link->port[end]))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static struct sk_buff *ub_route_reply(struct genl_info *info, struct ub_pod *pod,
				      const struct ub_route *route)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	void *head;
	u32 i;

	if (!skb)
		return NULL;
	head = genlmsg_put_reply(skb, info, &ub_genl_family, 0, UB_CMD_ROUTE_GET);
	if (!head)
		goto err_free;
	for (i = 0; i < route->nr; i++)
		if (ub_put_hop(skb, pod, route->hop[i]))
			goto err_free;
	genlmsg_end(skb, head);
	return skb;

err_free:
	nlmsg_free(skb);
	return NULL;
}

static int ub_genl_route(struct sk_buff *skb, struct genl_info *info)
{
	struct ub_ubpu *from, *to;
	struct ub_pod *pod, *pod_to;
	struct ub_route route;
	struct sk_buff *reply;
	int ret = 0;

	if (GENL_REQ_ATTR_CHECK(info, UB_A_UBPU_NAME) ||
	    GENL_REQ_ATTR_CHECK(info, UB_A_PEER_NAME))
		return -EINVAL;

	mutex_lock(&ub_pods_lock);
	from = ub_ubpu_find(nla_data(info->attrs[UB_A_UBPU_NAME]), &pod);
	to = ub_ubpu_find(nla_data(info->attrs[UB_A_PEER_NAME]), &pod_to);
	if (!from || !to || pod != pod_to) {
		GENL_SET_ERR_MSG(info, "no such UBPUs in one pod");
		ret = -ENXIO;
		goto out;
	}
	down_read(&pod->topo);
	ret = ub_route_find(&pod->graph, from->index, to->index, &route);
	up_read(&pod->topo);
	if (ret) {
		GENL_SET_ERR_MSG(info, "no route: every link that could carry it is down");
		goto out;
	}
	reply = ub_route_reply(info, pod, &route);
	ret = reply ? genlmsg_reply(reply, info) : -ENOMEM;
out:
	mutex_unlock(&ub_pods_lock);
	return ret;
}

/* ---- events -------------------------------------------------------------------- */

enum { UB_MCGRP_EVENTS };

static const struct genl_multicast_group ub_mcgrps[] = {
	[UB_MCGRP_EVENTS] = { .name = UB_GENL_MCGRP_EVENTS },
};

void ub_netlink_tell_pod(struct ub_pod *pod, bool gone)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	void *head;

	if (!skb)
		return;
	head = genlmsg_put(skb, 0, 0, &ub_genl_family, 0, UB_CMD_POD_NTF);
	if (!head || ub_put_pod(skb, pod, gone)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, head);
	ub_genl_multicast(&ub_genl_family, skb, UB_MCGRP_EVENTS);
}

/* Under pod->topo. */
void ub_netlink_tell_link(struct ub_pod *pod, const struct ub_link *link)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	void *head;

	if (!skb)
		return;
	head = genlmsg_put(skb, 0, 0, &ub_genl_family, 0, UB_CMD_LINK_NTF);
	if (!head || ub_put_link(skb, pod, link)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, head);
	ub_genl_multicast(&ub_genl_family, skb, UB_MCGRP_EVENTS);
}

/* ---- the family ------------------------------------------------------------------ */

static const struct genl_ops ub_genl_ops[] = {
	{ .cmd = UB_CMD_POD_GET, .dumpit = ub_genl_dump_pods },
	{ .cmd = UB_CMD_UBPU_GET, .dumpit = ub_genl_dump_ubpus },
	{ .cmd = UB_CMD_LINK_GET, .dumpit = ub_genl_dump_links },
	{ .cmd = UB_CMD_ROUTE_GET, .doit = ub_genl_route },
	{ .cmd = UB_CMD_POD_NEW, .doit = ub_genl_pod_new, .flags = GENL_ADMIN_PERM },
	{ .cmd = UB_CMD_POD_DEL, .doit = ub_genl_pod_del, .flags = GENL_ADMIN_PERM },
	{ .cmd = UB_CMD_POD_SET, .doit = ub_genl_pod_set, .flags = GENL_ADMIN_PERM },
	{ .cmd = UB_CMD_LINK_SET, .doit = ub_genl_link_set, .flags = GENL_ADMIN_PERM },
};

struct genl_family ub_genl_family __ro_after_init = {
	.name = UB_GENL_NAME,
	.version = UB_GENL_VERSION,
	.maxattr = UB_A_MAX,
	.policy = ub_policy,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ub_genl_ops,
	.n_ops = ARRAY_SIZE(ub_genl_ops),
	.mcgrps = ub_mcgrps,
	.n_mcgrps = ARRAY_SIZE(ub_mcgrps),
};

int ub_netlink_init(void)
{
	return genl_register_family(&ub_genl_family);
}

void ub_netlink_exit(void)
{
	genl_unregister_family(&ub_genl_family);
	ub_reasons_free();
}
