// SPDX-License-Identifier: GPL-2.0
/*
 * The auxiliary device "ub.verbs.N" of NPU N: what ub_verbs binds to, and the parent
 * of all that it shows (ib_device, network interface).
 *
 * It exists while the NPU is shown. Taking it away removes the face hot: when
 * ub_auxdev_remove() returns, nobody uses the NPU or its engine through it.
 *
 * ub_verbs is probed and removed under ub_pods_lock, so it never takes that.
 */
#include <linux/slab.h>

#include "ub.h"

static void ub_auxdev_release(struct device *dev)
{
	kfree(container_of(dev, struct ub_auxdev, adev.dev));
}

/* Makes it, unless it is there. Under ub_pods_lock. */
int ub_auxdev_add(struct ub_npu *npu)
{
	struct ub_auxdev *auxdev;
	int ret;

	lockdep_assert_held(&ub_pods_lock);
	if (npu->auxdev)
		return 0;
	auxdev = kzalloc(sizeof(*auxdev), GFP_KERNEL_ACCOUNT);
	if (!auxdev)
		return -ENOMEM;
	auxdev->npu = npu;
	auxdev->adev.name = "verbs";
	auxdev->adev.id = npu->minor;
	auxdev->adev.dev.parent = &npu->dev;
	auxdev->adev.dev.release = ub_auxdev_release;
	ret = auxiliary_device_init(&auxdev->adev);
	if (ret) {
		kfree(auxdev);
		return ret;
	}
	ret = auxiliary_device_add(&auxdev->adev);
	if (ret) {
		auxiliary_device_uninit(&auxdev->adev);
		return ret;
	}
	npu->auxdev = auxdev;
	return 0;
}

/* Under ub_pods_lock. */
void ub_auxdev_remove(struct ub_npu *npu)
{
	struct ub_auxdev *auxdev = npu->auxdev;

	lockdep_assert_held(&ub_pods_lock);
	if (!auxdev)
		return;
	npu->auxdev = NULL;
	auxiliary_device_delete(&auxdev->adev);
	auxiliary_device_uninit(&auxdev->adev);
}
