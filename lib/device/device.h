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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ub/device.h>

struct ub_segment_ops;
struct ub_status;
struct ub_import_state;
struct ub_account;

struct ub_device {
	const struct ub_segment_ops *ops;
	atomic_uint	refs;
	int		npu;	/* N of /dev/ub/ubN, or UB_DEVICE_HOST */
	int		fd;	/* of /dev/ub/ubN, or -1 */

	/* Of an NPU; mapped from the driver until the device is closed. */
	uint8_t		eid[16];
	int		index;		/* in its pod */
	uint32_t	max_slots;
	const struct ub_status *status;
	uint32_t	status_size;
	const struct ub_import_state *states;	/* by slot of an import */
	struct ub_account *accounts;		/* same */
};

struct ub_device *ub_device_get(struct ub_device *dev);
void ub_device_put(struct ub_device *dev);

/* Open /dev/ub/ubN. */
int ub_npu_open(struct ub_device **dev, int npu);
void ub_npu_close(struct ub_device *dev);
/* The pod of this NPU has been removed: what was loaded since may be zeros. */
bool ub_npu_gone(const struct ub_device *dev);
/*
 * "2/1-0/3" (UBPU's index in the pod / port, at both ends) for each link of this NPU
 * that is down, joined by ", "; empty when none is, or for the host.
 */
void ub_npu_down_links(const struct ub_device *dev, char *buf, size_t len);

/* The host: static, never fails. */
struct ub_device *ub_device_host(void);

#endif /* LIBUB_DEVICE_H */
