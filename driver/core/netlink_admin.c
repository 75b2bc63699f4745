// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "ub": administration. CAP_NET_ADMIN in the initial
 * user namespace; each refusal says why in the extended ack.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "netlink.h"
#include "ub.h"

#define UB_MAX_PARAMS 16

/* Collects the PARAM nests; strings stay in the message. */
static int ub_params_parse(struct genl_info *info, struct ub_pod_param *params)
{
	struct nlattr *nest, *tb[UB_A_MAX + 1];
	unsigned int nr = 0;
	int rem, ret;

	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nest) != UB_A_PARAM)
			continue;
		if (nr == UB_MAX_PARAMS) {
			GENL_SET_ERR_MSG(info, "more than 16 parameters");
			return -E2BIG;
		}
		ret = nla_parse_nested(tb, UB_A_MAX, nest, NULL, info->extack);
		if (ret)
			return ret;
		if (!tb[UB_A_KEY] || !tb[UB_A_VALUE]) {
			GENL_SET_ERR_MSG(info, "a parameter is a key and a value");
			return -EINVAL;
		}
		params[nr].key = nla_data(tb[UB_A_KEY]);
		params[nr].value = nla_data(tb[UB_A_VALUE]);
		nr++;
	}
	return nr;
}

/* What fabrics have said, each once. */
struct ub_reason {
	struct list_head node;
	char text[];
};

static LIST_HEAD(ub_reasons);
static DEFINE_MUTEX(ub_reasons_lock);

/*
 * The same string, for as long as this module lives: the answer to a request is
 * written after it returned, when the fabric that refused may be unloaded. Fabrics
 * say constants, so these are few.
 */
static const char *ub_reason_keep(const char *text)
{
	size_t size = strlen(text) + 1;
	struct ub_reason *reason;

	mutex_lock(&ub_reasons_lock);
	list_for_each_entry(reason, &ub_reasons, node)
		if (!strcmp(reason->text, text))
			goto out;
	reason = kmalloc(struct_size(reason, text, size), GFP_KERNEL);
	if (reason) {
		memcpy(reason->text, text, size);
		list_add_tail(&reason->node, &ub_reasons);
	}
out:
	mutex_unlock(&ub_reasons_lock);
	return reason ? reason->text : NULL;
}

void ub_reasons_free(void)
{
	struct ub_reason *reason, *next;

	list_for_each_entry_safe(reason, next, &ub_reasons, node)
		kfree(reason);
}

int ub_genl_pod_new(struct sk_buff *skb, struct genl_info *info)
{
	struct ub_pod_param params[UB_MAX_PARAMS];
	const struct ub_fabric_ops *ops;
	const char *backend = "soft";
	int nr, ret;

	if (GENL_REQ_ATTR_CHECK(info, UB_A_POD) || GENL_REQ_ATTR_CHECK(info, UB_A_PRESET))
		return -EINVAL;
	nr = ub_params_parse(info, params);
	if (nr < 0)
		return nr;
	if (info->attrs[UB_A_BACKEND])
		backend = nla_data(info->attrs[UB_A_BACKEND]);
	ops = ub_fabric_get(backend);
	if (!ops) {
		GENL_SET_ERR_MSG(info, "no such backend; is its module loaded?");
		return -ENODEV;
	}
	ret = ops->pod_add(nla_data(info->attrs[UB_A_POD]),
			   nla_data(info->attrs[UB_A_PRESET]), params, nr, info->extack);
	if (info->extack && info->extack->_msg)
		info->extack->_msg = ub_reason_keep(info->extack->_msg);
	module_put(ops->owner);
	return ret;
}

int ub_genl_pod_del(struct sk_buff *skb, struct genl_info *info)
{
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, UB_A_POD))
		return -EINVAL;
	mutex_lock(&ub_pods_lock);
	ret = ub_pod_remove(nla_data(info->attrs[UB_A_POD]),
			    nla_get_flag(info->attrs[UB_A_FORCE]), info->extack);
	mutex_unlock(&ub_pods_lock);
	return ret;
}

int ub_genl_pod_set(struct sk_buff *skb, struct genl_info *info)
{
	struct ub_pod *pod;
	int ret = 0;

	if (GENL_REQ_ATTR_CHECK(info, UB_A_POD) || GENL_REQ_ATTR_CHECK(info, UB_A_UPI))
		return -EINVAL;
	mutex_lock(&ub_pods_lock);
	pod = ub_pod_find(nla_data(info->attrs[UB_A_POD]));
	if (pod) {
		WRITE_ONCE(pod->upi, nla_get_u32(info->attrs[UB_A_UPI]));
		ub_netlink_tell_pod(pod, false);
	} else {
		GENL_SET_ERR_MSG(info, "no pod of this name");
		ret = -ENOENT;
	}
	mutex_unlock(&ub_pods_lock);
	return ret;
}

static int ub_link_change(struct ub_pod *pod, struct ub_link *link, struct genl_info *info)
{
	const struct nlattr *state = info->attrs[UB_A_STATE];
	const struct nlattr *width = info->attrs[UB_A_WIDTH];
	int ret;

	if (!state == !width) {
		GENL_SET_ERR_MSG(info, "say up, down, or a width");
		return -EINVAL;
	}
	if (width) {
		ret = ub_link_set_width(pod, link, nla_get_u32(width));
		if (ret == -ERANGE)
			GENL_SET_ERR_MSG(info, "a width is 1 to the number of lanes");
		return ret;
	}
	switch (nla_get_u32(state)) {
	case UB_LINK_DOWN:
		return ub_link_set_state(pod, link, false);
	case UB_LINK_UP:
		return ub_link_set_state(pod, link, true);
	default:
		GENL_SET_ERR_MSG(info, "a link can be set up or down");
		return -EINVAL;
	}
}

int ub_genl_link_set(struct sk_buff *skb, struct genl_info *info)
{
	struct ub_link *link = NULL;
	struct ub_ubpu *ubpu;
	struct ub_pod *pod;
	int ret = -ENXIO;

	if (GENL_REQ_ATTR_CHECK(info, UB_A_UBPU_NAME) || GENL_REQ_ATTR_CHECK(info, UB_A_PORT))
		return -EINVAL;
	mutex_lock(&ub_pods_lock);
	ubpu = ub_ubpu_find(nla_data(info->attrs[UB_A_UBPU_NAME]), &pod);
	if (ubpu)
		link = ub_link_of_port(pod, ubpu->index, nla_get_u32(info->attrs[UB_A_PORT]));
	if (link)
		ret = ub_link_change(pod, link, info);
	else
		GENL_SET_ERR_MSG(info, "no such UBPU, or it has no such port");
	mutex_unlock(&ub_pods_lock);
	return ret;
}
