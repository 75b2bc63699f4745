// SPDX-License-Identifier: GPL-2.0
/*
 * ub_verbs.ko: an RDMA device (ub0, like the NPU) and a network interface (ubn0) for
 * each auxiliary device "ub.verbs" of ub.ko.
 *
 * It may be unloaded, and a pod removed by force, while processes use its devices:
 * they find their rings dead, and every call fails with -EIO.
 */
#include <linux/module.h>
#include <net/addrconf.h>

#include "verbs.h"

/* Doorbells and arming are verbs' own commands; without these bits they are refused. */
static void ub_vdev_add_commands(struct ib_device *ib)
{
	ib->uverbs_cmd_mask |= BIT_ULL(IB_USER_VERBS_CMD_POST_SEND) |
			       BIT_ULL(IB_USER_VERBS_CMD_POST_RECV) |
			       BIT_ULL(IB_USER_VERBS_CMD_POST_SRQ_RECV) |
			       BIT_ULL(IB_USER_VERBS_CMD_POLL_CQ) |
			       BIT_ULL(IB_USER_VERBS_CMD_REQ_NOTIFY_CQ);
}

static int ub_vdev_register(struct ub_vdev *dev, struct device *parent)
{
	struct ib_device *ib = &dev->ib;
	int ret;

	ib->node_type = RDMA_NODE_IB_CA;
	ib->phys_port_cnt = 1;
	ib->num_comp_vectors = num_online_cpus();
	ib->dev.parent = parent;
	addrconf_addr_eui48((u8 *)&ib->node_guid, dev->netdev->dev_addr);
	strscpy(ib->node_desc, dev_name(&dev->npu->dev), sizeof(ib->node_desc));
	ib_set_device_ops(ib, &ub_vdev_ops);
	ub_vdev_add_commands(ib);
	ret = ib_device_set_netdev(ib, dev->netdev, UB_VERBS_PORT);
	if (ret)
		return ret;
	/* No device for DMA: addresses of kernel users are virtual ones. */
	return ib_register_device(ib, dev_name(&dev->npu->dev), NULL);
}

static int ub_verbs_probe(struct auxiliary_device *adev, const struct auxiliary_device_id *id)
{
	struct ub_vdev *dev;
	int ret;

	dev = ib_alloc_device(ub_vdev, ib);
	if (!dev)
		return -ENOMEM;
	dev->npu = ub_npu_from_auxdev(adev);
	xa_init_flags(&dev->kernel_qps, XA_FLAGS_LOCK_IRQ);
	ret = -ENOMEM;
	dev->engine = ub_engine_of(dev->npu);
	if (!dev->engine)
		goto err_dealloc;
	ret = ub_netdev_create(dev, &adev->dev);
	if (ret)
		goto err_dealloc;
	ret = ub_vdev_register(dev, &adev->dev);
	if (ret)
		goto err_netdev;
	ret = ub_vdev_watch_port(dev);
	if (ret)
		goto err_unregister;
	auxiliary_set_drvdata(adev, dev);
	return 0;

err_unregister:
	ib_unregister_device(&dev->ib);
err_netdev:
	ub_netdev_destroy(dev);
err_dealloc:
	ib_dealloc_device(&dev->ib);
	return ret;
}

/*
 * Unregistering takes the GIDs out of the table, and unregistering the interface
 * waits for those who found them there.
 */
static void ub_verbs_remove(struct auxiliary_device *adev)
{
	struct ub_vdev *dev = auxiliary_get_drvdata(adev);

	ub_vdev_unwatch_port(dev);
	ib_unregister_device(&dev->ib);
	ub_netdev_destroy(dev);
	xa_destroy(&dev->kernel_qps);
	ib_dealloc_device(&dev->ib);
}

static const struct auxiliary_device_id ub_verbs_ids[] = {
	{ .name = "ub.verbs" },
	{ }
};
MODULE_DEVICE_TABLE(auxiliary, ub_verbs_ids);

static struct auxiliary_driver ub_verbs_driver = {
	.name = "verbs",
	.probe = ub_verbs_probe,
	.remove = ub_verbs_remove,
	.id_table = ub_verbs_ids,
};
module_auxiliary_driver(ub_verbs_driver);

MODULE_DESCRIPTION("UnifiedBus NPUs as RDMA devices");
MODULE_AUTHOR("the ub project");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
/* Without it processes see no device. */
MODULE_SOFTDEP("pre: ib_uverbs");
