// SPDX-License-Identifier: BSD-2-Clause
/*
 * Opening devices: the host, which is always there, and NPUs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "device/device.h"
#include "segment/segment.h"

#define UB_MAX_NPUS	4096	/* numbers to try; pods have at most some hundreds */

/* One reference is never given back. */
static struct ub_device host = {
	.ops = &ub_memfd_ops, .refs = 1, .npu = UB_DEVICE_HOST, .fd = -1,
};

struct ub_device *ub_device_host(void)
{
	return &host;
}

struct ub_device *ub_device_get(struct ub_device *dev)
{
	atomic_fetch_add_explicit(&dev->refs, 1, memory_order_relaxed);
	return dev;
}

void ub_device_put(struct ub_device *dev)
{
	if (atomic_fetch_sub_explicit(&dev->refs, 1, memory_order_acq_rel) != 1)
		return;
	dev->ops->close(dev);
	free(dev);
}

int ub_device_count(void)
{
	char path[32];
	int n = 0;

	for (int i = 0; i < UB_MAX_NPUS; i++) {
		snprintf(path, sizeof(path), "/dev/ub/ub%d", i);
		if (access(path, R_OK | W_OK) == 0)
			n++;
		else if (errno == ENOENT)
			break;
	}
	return n;
}

/* UB_DEVICE: "host", or N of /dev/ub/ubN. Unset: the host. */
static int npu_from_environment(int *npu)
{
	const char *s = getenv("UB_DEVICE");
	char *end;
	long n;

	*npu = UB_DEVICE_HOST;
	if (!s || !*s || !strcmp(s, "host"))
		return 0;
	n = strtol(s, &end, 10);
	if (*end || n < 0 || n >= UB_MAX_NPUS)
		return -EINVAL;
	*npu = (int)n;
	return 0;
}

int ub_device_open(struct ub_device **dev, int npu)
{
	int err;

	if (npu == UB_DEVICE_AUTO) {
		err = npu_from_environment(&npu);
		if (err)
			return err;
	}
	if (npu == UB_DEVICE_HOST) {
		*dev = ub_device_get(&host);
		return 0;
	}
	if (npu < 0 || npu >= UB_MAX_NPUS)
		return -EINVAL;
	return ub_npu_open(dev, npu);
}

void ub_device_close(struct ub_device *dev)
{
	if (dev)
		ub_device_put(dev);
}

int ub_device_query(struct ub_device *dev, struct ub_device_info *info)
{
	struct ub_device_info full = { .size = info->size, .npu = dev->npu };
	int err;

	/* The first version of the struct is the least a caller can know. */
	if (info->size < sizeof(full))
		return -EINVAL;
	err = dev->ops->query(dev, &full);
	if (err)
		return err;
	memcpy(info, &full, sizeof(full));
	return 0;
}
