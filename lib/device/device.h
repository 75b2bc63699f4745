/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device inside libub: a provider of memory and what it has open.
 *
 * Reference counted: ub_device_open(), every segment and mapping on it and every
 * communicator hold one.
 */
#ifndef LIBUB_DEVICE_H
#define LIBUB_DEVICE_H

#include <stdatomic.h>
#include <ub/device.h>

struct ub_segment_ops;

struct ub_device {
	const struct ub_segment_ops *ops;
	atomic_uint	refs;
	int		npu;	/* N of /dev/ub/ubN, or UB_DEVICE_HOST */
	int		fd;	/* of /dev/ub/ubN, or -1 */
};

struct ub_device *ub_device_get(struct ub_device *dev);
void ub_device_put(struct ub_device *dev);

/* The host: static, never fails. */
struct ub_device *ub_device_host(void);

#endif /* LIBUB_DEVICE_H */
