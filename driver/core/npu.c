// SPDX-License-Identifier: GPL-2.0
/*
 * NPUs as devices: class "ub", /sys/class/ub/ubN, /dev/ub/ubN.
 *
 * The device is root's, mode 0660; a udev rule gives it to group "ub".
 */
#include <linux/fs.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "execute.h"

static dev_t ub_devt;
static DEFINE_IDA(ub_minors);

static char *ub_devnode(UB_DEVNODE_CONST struct device *dev, umode_t *mode)
{
	if (mode)
		*mode = 0660;
	return kasprintf(GFP_KERNEL, "ub/%s", dev_name(dev));
}

static struct class ub_class = {
	.name = "ub",
	.devnode = ub_devnode,
};

static void ub_npu_dev_release(struct device *dev)
{
	struct ub_npu *npu = ub_npu_from_dev(dev);

	ub_engine_free(npu->engine);
	xa_destroy(&npu->tokens);
	ida_free(&ub_minors, npu->minor);
	kfree(dev->groups);
	kfree(npu);
}

/* Makes the NPU, not yet visible. The pod owns the reference. */
struct ub_npu *ub_npu_create(struct ub_pod *pod, struct ub_ubpu *ubpu, u64 mem_size)
{
	struct ub_npu *npu;
	int minor;

	npu = kzalloc(sizeof(*npu), GFP_KERNEL_ACCOUNT);
	if (!npu)
		return ERR_PTR(-ENOMEM);
	minor = ida_alloc_max(&ub_minors, UB_MAX_DEVICES - 1, GFP_KERNEL_ACCOUNT);
	if (minor < 0) {
		kfree(npu);
		return ERR_PTR(minor);
	}
	npu->minor = minor;
	npu->pod = pod;
	npu->ubpu = ubpu;
	npu->mem_size = mem_size;
	xa_init_flags(&npu->tokens, XA_FLAGS_ACCOUNT);
	BLOCKING_INIT_NOTIFIER_HEAD(&npu->watchers);

	device_initialize(&npu->dev);
	npu->dev.class = &ub_class;
	npu->dev.devt = MKDEV(MAJOR(ub_devt), minor);
	npu->dev.release = ub_npu_dev_release;
	/* Backing pages anywhere is right for software. */
	set_dev_node(&npu->dev, NUMA_NO_NODE);
	cdev_init(&npu->cdev, &ub_npu_fops);
	npu->cdev.owner = THIS_MODULE;
	if (dev_set_name(&npu->dev, "ub%d", minor)) {
		put_device(&npu->dev);
		return ERR_PTR(-ENOMEM);
	}
	return npu;
}

/*
 * Shows the NPU, and its faces. The links must exist: the groups are made from the
 * ports. On error somebody may have been in open() already. Under ub_pods_lock.
 */
int ub_npu_add(struct ub_npu *npu)
{
	int ret;

	npu->dev.groups = ub_npu_groups(npu);
	if (!npu->dev.groups)
		return -ENOMEM;
	ret = cdev_device_add(&npu->cdev, &npu->dev);
	if (ret) {
		npu->gone = true;
		return ret;
	}
	if (npu->pod->nr_npus <= UB_VERBS_MAX_NPUS)
		ret = ub_auxdev_add(npu);
	if (ret)
		ub_npu_remove(npu);
	return ret;
}

/* Hides it. Open files go on to hold it, faces do not. Under ub_pods_lock. */
void ub_npu_remove(struct ub_npu *npu)
{
	ub_auxdev_remove(npu);
	npu->gone = true;
	cdev_device_del(&npu->cdev, &npu->dev);
}

int ub_npus_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&ub_devt, 0, UB_MAX_DEVICES, "ub");
	if (ret)
		return ret;
	ret = class_register(&ub_class);
	if (ret)
		unregister_chrdev_region(ub_devt, UB_MAX_DEVICES);
	return ret;
}

void ub_npus_exit(void)
{
	class_unregister(&ub_class);
	unregister_chrdev_region(ub_devt, UB_MAX_DEVICES);
	ida_destroy(&ub_minors);
}
