// SPDX-License-Identifier: GPL-2.0
/*
 * ub_soft.ko: SuperPods in software. Loading it makes one pod of eight NPUs,
 * "pod0"; `ubadm pod add` makes more.
 *
 * It behaves like UnifiedBus; its speed says nothing about UnifiedBus.
 */
#include <linux/module.h>

#include "soft.h"

static bool no_default;
module_param(no_default, bool, 0444);
MODULE_PARM_DESC(no_default, "make no pod when the module is loaded");

static const struct ub_fabric_ops ub_soft_ops = {
	.name = "soft",
	.owner = THIS_MODULE,
	.pod_add = ub_soft_pod_add,
	.admit = ub_soft_admit,
	.execute = ub_soft_execute,
};

const struct ub_fabric_ops *ub_soft_fabric(void)
{
	return &ub_soft_ops;
}

/*
 * Registering comes last: from then on others make pods of ours, and a module
 * whose init fails is freed whatever references they have.
 */
static int __init ub_soft_init(void)
{
	int ret = 0;

	if (!no_default)
		ret = ub_soft_pod_add("pod0", "mesh1d", NULL, 0, NULL);
	if (!ret)
		ret = ub_fabric_register(&ub_soft_ops);
	if (ret)
		ub_fabric_unregister(&ub_soft_ops); /* takes pod0 too */
	return ret;
}

static void __exit ub_soft_exit(void)
{
	ub_fabric_unregister(&ub_soft_ops);
}

module_init(ub_soft_init);
module_exit(ub_soft_exit);

MODULE_DESCRIPTION("UnifiedBus SuperPods in software");
MODULE_AUTHOR("the ub project");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
MODULE_ALIAS("ub-fabric-soft");
