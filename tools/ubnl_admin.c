// SPDX-License-Identifier: BSD-2-Clause
/*
 * Requests to the family "ub" that change something, and the route, which is
 * computed on demand.
 */
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "ubnl.h"

static bool ubnl_put_param(struct nl_msg *msg, const struct ubnl_param *param)
{
	struct nlattr *nest = nla_nest_start(msg, UB_A_PARAM);

	if (!nest || nla_put_string(msg, UB_A_KEY, param->key) ||
	    nla_put_string(msg, UB_A_VALUE, param->value))
		return true;
	nla_nest_end(msg, nest);
	return false;
}

int ubnl_pod_add(struct ubnl *nl, const char *name, const char *backend,
		 const char *preset, const struct ubnl_param *param, size_t nr)
{
	struct nl_msg *msg = ubnl_request(nl, UB_CMD_POD_NEW, NLM_F_ACK);
	bool bad = !msg || nla_put_string(msg, UB_A_POD, name) ||
		   nla_put_string(msg, UB_A_PRESET, preset) ||
		   (backend && nla_put_string(msg, UB_A_BACKEND, backend));
	size_t i;

	for (i = 0; !bad && i < nr; i++)
		bad = ubnl_put_param(msg, &param[i]);
	return ubnl_call(nl, msg, bad, NULL, NULL);
}

int ubnl_pod_del(struct ubnl *nl, const char *name, bool force)
{
	struct nl_msg *msg = ubnl_request(nl, UB_CMD_POD_DEL, NLM_F_ACK);
	bool bad = !msg || nla_put_string(msg, UB_A_POD, name) ||
		   (force && nla_put_flag(msg, UB_A_FORCE));

	return ubnl_call(nl, msg, bad, NULL, NULL);
}

int ubnl_pod_set_upi(struct ubnl *nl, const char *name, uint32_t upi)
{
	struct nl_msg *msg = ubnl_request(nl, UB_CMD_POD_SET, NLM_F_ACK);
	bool bad = !msg || nla_put_string(msg, UB_A_POD, name) ||
		   nla_put_u32(msg, UB_A_UPI, upi);

	return ubnl_call(nl, msg, bad, NULL, NULL);
}

static int ubnl_link_set(struct ubnl *nl, const char *ubpu, uint32_t port, int attr,
			 uint32_t value)
{
	struct nl_msg *msg = ubnl_request(nl, UB_CMD_LINK_SET, NLM_F_ACK);
	bool bad = !msg || nla_put_string(msg, UB_A_UBPU_NAME, ubpu) ||
		   nla_put_u32(msg, UB_A_PORT, port) ||
		   nla_put_u32(msg, attr, value);

	return ubnl_call(nl, msg, bad, NULL, NULL);
}

int ubnl_link_set_state(struct ubnl *nl, const char *ubpu, uint32_t port, uint32_t state)
{
	return ubnl_link_set(nl, ubpu, port, UB_A_STATE, state);
}

int ubnl_link_set_width(struct ubnl *nl, const char *ubpu, uint32_t port, uint32_t width)
{
	return ubnl_link_set(nl, ubpu, port, UB_A_WIDTH, width);
}

static int ubnl_take_route(struct nlmsghdr *hdr, void *route)
{
	return ubnl_parse_route(hdr, route);
}

int ubnl_route(struct ubnl *nl, const char *from, const char *to, struct ubnl_route *route)
{
	struct nl_msg *msg = ubnl_request(nl, UB_CMD_ROUTE_GET, NLM_F_ACK);
	bool bad = !msg || nla_put_string(msg, UB_A_UBPU_NAME, from) ||
		   nla_put_string(msg, UB_A_PEER_NAME, to);

	return ubnl_call(nl, msg, bad, ubnl_take_route, route);
}
