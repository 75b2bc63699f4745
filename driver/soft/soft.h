/* SPDX-License-Identifier: GPL-2.0 */
/* The map of ub_soft.ko: main.c, preset.c (what pods look like), transact.c. */
#ifndef _UB_SOFT_H
#define _UB_SOFT_H

#include "core/fabric.h"

const struct ub_fabric_ops *ub_soft_fabric(void);
int ub_soft_pod_add(const char *name, const char *preset,
		    const struct ub_pod_param *params, unsigned int nr,
		    struct netlink_ext_ack *extack);
int ub_soft_execute(struct ub_txn *txn);

#endif /* _UB_SOFT_H */
