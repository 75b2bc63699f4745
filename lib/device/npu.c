// SPDX-License-Identifier: BSD-2-Clause
/*
 * An NPU: an open file of /dev/ub/ubN, and the three areas that the driver shares.
 *
 * The open file is the context that owns what is allocated through it; it belongs to
 * the process that opened it, whose end is the context's (uapi/ub/ioctl.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <ub/ioctl.h>
#include "device/device.h"
#include "segment/segment.h"

#define DOWN_LINKS	8	/* named in a sentence; the rest are counted */

/* What else is the version's business is in the features. */
static int identify(struct ub_device *dev)
{
	struct ub_ioc_query q = { .size = sizeof(q) };

	if (ioctl(dev->fd, UB_IOC_QUERY, &q))
		return errno == ENOTTY ? -ENODEV : -errno;
	if (q.abi_version != UB_ABI_VERSION || !(q.features & UB_FEATURE_SEG))
		return -EPROTONOSUPPORT;
	memcpy(dev->eid, q.eid, sizeof(dev->eid));
	dev->index = (int)q.index;
	dev->max_slots = q.max_handles;
	return 0;
}

static int map_area(struct ub_device *dev, uint64_t offset, size_t size, int prot, const void **p)
{
	void *area = mmap(NULL, size, prot, MAP_SHARED, dev->fd, (off_t)offset);

	if (area == MAP_FAILED)
		return -errno;
	madvise(area, size, MADV_DONTFORK);
	*p = area;
	return 0;
}

/* The head of the status area tells how long it is. */
static int map_status(struct ub_device *dev)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const struct ub_status *head;
	const void *p = NULL;
	int err;

	err = map_area(dev, UB_MMAP_STATUS, page, PROT_READ, &p);
	if (err)
		return err;
	head = p;
	dev->status_size = head->size;
	err = head->abi != UB_ABI_VERSION || head->size < sizeof(*head) ? -EPROTONOSUPPORT : 0;
	munmap((void *)p, page);
	if (!err)
		err = map_area(dev, UB_MMAP_STATUS, dev->status_size, PROT_READ, &p);
	if (!err)
		dev->status = p;
	return err;
}

static int map_areas(struct ub_device *dev)
{
	const void *states = NULL, *accounts = NULL;
	int err;

	err = map_status(dev);
	if (err)
		return err;
	err = map_area(dev, UB_MMAP_STATES, dev->max_slots * sizeof(*dev->states), PROT_READ,
		       &states);
	if (err)
		return err;
	dev->states = states;
	err = map_area(dev, UB_MMAP_ACCOUNT, dev->max_slots * sizeof(*dev->accounts),
		       PROT_READ | PROT_WRITE, &accounts);
	if (err)
		return err;
	dev->accounts = (struct ub_account *)accounts;
	return 0;
}

static void unmap_areas(struct ub_device *dev)
{
	if (dev->accounts)
		munmap(dev->accounts, dev->max_slots * sizeof(*dev->accounts));
	if (dev->states)
		munmap((void *)dev->states, dev->max_slots * sizeof(*dev->states));
	if (dev->status)
		munmap((void *)dev->status, dev->status_size);
}

int ub_npu_open(struct ub_device **out, int npu)
{
	struct ub_device *dev;
	char path[32];
	int err;

	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	dev->ops = &ub_module_ops;
	dev->refs = 1;
	dev->npu = npu;
	snprintf(path, sizeof(path), "/dev/ub/ub%d", npu);
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0) {
		err = errno == ENOENT || errno == ENXIO ? -ENODEV : -errno;
		goto err_free;
	}
	err = identify(dev);
	if (err)
		goto err_close;
	err = map_areas(dev);
	if (err)
		goto err_unmap;
	*out = dev;
	return 0;

err_unmap:
	unmap_areas(dev);
err_close:
	close(dev->fd);
err_free:
	free(dev);
	return err;
}

/* The last reference is gone; ub_device_put() frees. */
void ub_npu_close(struct ub_device *dev)
{
	unmap_areas(dev);
	close(dev->fd);
}

bool ub_npu_gone(const struct ub_device *dev)
{
	/* Set before any mapping is taken away. */
	return dev->status &&
	       __atomic_load_n(&dev->status->flags, __ATOMIC_ACQUIRE) & UB_STATUS_DEAD;
}

void ub_npu_down_links(const struct ub_device *dev, char *buf, size_t len)
{
	const struct ub_status *head = dev->status;
	uint32_t named = 0, more = 0;
	size_t n = 0;

	buf[0] = 0;
	if (!head)
		return;
	for (uint32_t i = 0; i < head->nr; i++) {
		uint64_t at = head->offset + (uint64_t)i * head->stride;
		struct ub_status_link link;

		if (at + sizeof(link) > dev->status_size)
			break;
		memcpy(&link, (const char *)head + at, sizeof(link));
		if (link.state == UB_LINK_UP || ((int)link.ubpu[0] != dev->index &&
						 (int)link.ubpu[1] != dev->index))
			continue;
		if (named == DOWN_LINKS || n >= len)
			more++;
		else
			n += (size_t)snprintf(buf + n, len - n, "%s%u/%u-%u/%u",
					      named++ ? ", " : "", link.ubpu[0], link.port[0],
					      link.ubpu[1], link.port[1]);
	}
	if (more && n < len)
		snprintf(buf + n, len - n, " and %u more", more);
}
