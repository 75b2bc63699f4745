// SPDX-License-Identifier: GPL-2.0
/*
 * What `rdma resource show -dd` says of our objects beyond what all drivers' have: how
 * full the queues are, whom a QP talks to. Indices are snapshots, of a moment each.
 */
#include <net/netlink.h>
#include <rdma/rdma_netlink.h>
#include <rdma/restrack.h>

#include "verbs.h"

struct ub_res_value {
	const char *name;
	u32 value;
};

static int ub_res_fill(struct sk_buff *msg, const struct ub_res_value *value, u32 nr)
{
	struct nlattr *nest = nla_nest_start(msg, RDMA_NLDEV_ATTR_DRIVER);
	u32 i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < nr; i++) {
		if (rdma_nl_put_driver_u32(msg, value[i].name, value[i].value)) {
			nla_nest_cancel(msg, nest);
			return -EMSGSIZE;
		}
	}
	nla_nest_end(msg, nest);
	return 0;
}

int ub_verbs_fill_res_cq_entry(struct sk_buff *msg, struct ib_cq *ib)
{
	struct ub_jfc *jfc = &to_ub_vcq(ib)->jfc;
	const struct ub_res_value value[] = {
		{ "producer", READ_ONCE(jfc->producer) },
		{ "backlog", READ_ONCE(jfc->backlog) },
		{ "broken", READ_ONCE(jfc->broken) },
	};

	return ub_res_fill(msg, value, ARRAY_SIZE(value));
}

int ub_verbs_fill_res_qp_entry(struct sk_buff *msg, struct ib_qp *ib)
{
	struct ub_jetty *jetty = &to_ub_vqp(ib)->jetty;
	struct ub_res_value value[] = {
		{ "sq_entries", ub_ring_entries(&jetty->sq) },
		{ "sq_consumer", READ_ONCE(jetty->sq_consumer) },
		{ "rq_consumer", READ_ONCE(jetty->jfr->consumer) },
		{ "peer_npu" },
	};
	struct ub_jetty_attr attr;

	ub_jetty_query(jetty, &attr);
	value[3].value = attr.peer_npu;
	return ub_res_fill(msg, value, ARRAY_SIZE(value));
}

int ub_verbs_fill_res_mr_entry(struct sk_buff *msg, struct ib_mr *ib)
{
	const struct ub_tseg *tseg = to_ub_vmr(ib)->tseg;
	const struct ub_res_value value[] = {
		{ "type", tseg->type },
		{ "access", tseg->access },
	};

	return ub_res_fill(msg, value, ARRAY_SIZE(value));
}
