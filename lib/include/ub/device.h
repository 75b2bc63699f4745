/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices: where memory comes from.
 *
 * A device is an NPU of a pod, /dev/ub/ubN, or the host itself. The host needs
 * no driver: its segments are memfds, which any process of this host and user
 * can map. Everything in libub works with either.
 */
#ifndef UB_DEVICE_H
#define UB_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ub_device;

#define UB_DEVICE_HOST	(-1)	/* memory of the host, by memfd */
#define UB_DEVICE_AUTO	(-2)	/* the environment decides, see ub_device_open() */

/**
 * struct ub_device_info - what a device is
 * @size:	sizeof(struct ub_device_info), set by the caller
 * @npu:	N of /dev/ub/ubN, or UB_DEVICE_HOST
 * @index:	position of the NPU in its pod, from 0; 0 for the host
 * @nr_npus:	NPUs in the pod; 0 for the host
 * @pod:	name of the pod; empty for the host
 * @backend:	what carries loads and stores: "memfd", or the name of the pod's
 *		fabric. "soft" is software: its speeds say nothing about
 *		UnifiedBus hardware.
 * @eid:	EID of the NPU, network byte order
 * @mem_size:	bytes of memory; 0 when unknown
 * @mem_used:	bytes of it in use
 */
struct ub_device_info {
	size_t		size;
	int		npu;
	int		index;
	int		nr_npus;
	char		pod[16];
	char		backend[16];
	uint8_t		eid[16];
	uint64_t	mem_size;
	uint64_t	mem_used;
};

/* Number of NPUs that this process can open: 0 without the driver. */
int ub_device_count(void);

/**
 * ub_device_open() - open an NPU or the host
 * @dev:	out
 * @npu:	N of /dev/ub/ubN, UB_DEVICE_HOST, or UB_DEVICE_AUTO: the environment
 *		variable UB_DEVICE ("host" or N) if set, else the host
 *
 * An NPU belongs to the process that opened it: open after fork() or daemon().
 *
 * Errors: -ENODEV no such NPU; -EACCES no right to it; -EINVAL a bad number or a
 * bad UB_DEVICE; -EPROTONOSUPPORT the driver speaks another ABI; -ENOMEM.
 */
int ub_device_open(struct ub_device **dev, int npu);

/**
 * ub_device_close() - give a device back
 * @dev:	from ub_device_open(); NULL is nothing to do
 *
 * Segments and communicators that use it keep it alive.
 */
void ub_device_close(struct ub_device *dev);

/**
 * ub_device_query() - describe a device
 * @dev:	the device
 * @info:	out; @info->size says how much of it the caller knows
 *
 * Errors: -EINVAL @info->size; -EOWNERDEAD, -EIO the NPU is gone.
 */
int ub_device_query(struct ub_device *dev, struct ub_device_info *info);

#ifdef __cplusplus
}
#endif
#endif /* UB_DEVICE_H */
