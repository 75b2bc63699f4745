// SPDX-License-Identifier: BSD-2-Clause
/*
 * ub_alloc() and ub_free(), and mapping a peer's segment by its kind.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <ub/segment.h>
#include "device/device.h"
#include "segment/segment.h"

static int round_to_pages(size_t *size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!*size || __builtin_add_overflow(*size, page - 1, size))
		return -EINVAL;
	*size &= ~(page - 1);
	return *size > PTRDIFF_MAX ? -EINVAL : 0;
}

int ub_alloc(struct ub_device *dev, size_t size, void **ptr)
{
	struct ub_segment *seg;
	int err;

	err = round_to_pages(&size);
	if (err)
		return err;
	seg = calloc(1, sizeof(*seg));
	if (!seg)
		return -ENOMEM;
	seg->dev = ub_device_get(dev ? dev : ub_device_host());
	seg->size = size;
	seg->fd = -1;
	err = seg->dev->ops->alloc(seg->dev, seg);
	if (err)
		goto err_put;
	err = ub_registry_add(seg);
	if (err)
		goto err_free;
	*ptr = seg->base;
	return 0;

err_free:
	seg->dev->ops->free(seg);
err_put:
	ub_device_put(seg->dev);
	free(seg);
	return err;
}

int ub_free(void *ptr)
{
	struct ub_segment *seg;

	if (!ptr)
		return 0;
	seg = ub_registry_remove(ptr);
	if (!seg)
		return -EINVAL;
	seg->dev->ops->free(seg);
	ub_device_put(seg->dev);
	free(seg);
	return 0;
}

int ub_mapping_open(struct ub_device *dev, const struct ub_segment_desc *desc, int fd,
		    struct ub_mapping *map)
{
	if (desc->kind == UB_SEGMENT_MEMFD)
		map->ops = &ub_memfd_ops;
	else if (desc->kind == (uint32_t)dev->ops->kind)
		map->ops = dev->ops;
	else
		return -ENODEV;	/* an NPU's segment, and we have no NPU */
	return map->ops->map(dev, desc, fd, map);
}

void ub_mapping_close(struct ub_mapping *map)
{
	map->ops->unmap(map);
}
