// SPDX-License-Identifier: GPL-2.0
/*
 * ub.ko: UnifiedBus NPUs, links and segments. It makes no pod by itself: load a
 * fabric, such as ub_soft.
 */
#include <linux/module.h>

#include "execute.h"

static int __init ub_init(void)
{
	int ret;

	ub_waits_init();
	ret = ub_ctxs_init();
	if (ret)
		return ret;
	ret = ub_engines_init();
	if (ret)
		goto err_ctxs;
	ret = ub_npus_init();
	if (ret)
		goto err_engines;
	ret = ub_netlink_init();
	if (ret)
		goto err_npus;
	return 0;

err_npus:
	ub_npus_exit();
err_engines:
	ub_engines_exit();
err_ctxs:
	ub_ctxs_exit();
	return ret;
}

static void __exit ub_exit(void)
{
	ub_netlink_exit();
	ub_npus_exit();
	ub_engines_exit();
	ub_ctxs_exit();
	ub_sysfs_exit();
	ub_users_exit();
}

module_init(ub_init);
module_exit(ub_exit);

MODULE_DESCRIPTION("UnifiedBus: NPUs, links, segments");
MODULE_AUTHOR("the ub project");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
