/* SPDX-License-Identifier: GPL-2.0 */
/* Between the two halves of the netlink family: netlink.c and netlink_admin.c. */
#ifndef _UB_CORE_NETLINK_H
#define _UB_CORE_NETLINK_H

struct genl_family;
struct genl_info;
struct sk_buff;

extern struct genl_family ub_genl_family;

int ub_genl_pod_new(struct sk_buff *skb, struct genl_info *info);
int ub_genl_pod_del(struct sk_buff *skb, struct genl_info *info);
int ub_genl_pod_set(struct sk_buff *skb, struct genl_info *info);
int ub_genl_link_set(struct sk_buff *skb, struct genl_info *info);
void ub_reasons_free(void);

#endif /* _UB_CORE_NETLINK_H */
