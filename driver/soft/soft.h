/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of ub_soft.ko:
 *
 *   main.c		the module
 *   transact.c		transactions
 *   preset.c		what an administrator typed, to a pod
 *   preset_*.c		what pods look like: pure, also built into unit tests
 *   blueprint.c	what they are drawn with
 */
#ifndef _UB_SOFT_H
#define _UB_SOFT_H

#include "core/fabric.h"

const struct ub_fabric_ops *ub_soft_fabric(void);
int ub_soft_pod_add(const char *name, const char *preset,
		    const struct ub_pod_param *params, unsigned int nr,
		    struct netlink_ext_ack *extack);
int ub_soft_admit(struct ub_txn *txn);
void ub_soft_execute(struct ub_txn *txn);

#endif /* _UB_SOFT_H */
