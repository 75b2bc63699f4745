// SPDX-License-Identifier: BSD-2-Clause
/*
 * Segments in memfds: shared memory of this host without a driver.
 *
 * A peer gets the file descriptor over a Unix socket (comm/serve.c) and maps it.
 * Guarantees: pages are there when alloc returns (fallocate), so that touching
 * them never raises SIGBUS; the size is sealed. Not offered: taking the memory
 * away from a peer. Once passed, a memfd is the peer's until it unmaps.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include "device/device.h"
#include "segment/segment.h"

#define SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

int ub_memfd_create(const char *name, size_t size)
{
	int fd, err;

	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) || fcntl(fd, F_ADD_SEALS, SEALS)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int ub_memfd_map(int fd, size_t size, bool populate, char **base)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	void *p;

	/* What can shrink can raise SIGBUS in us: the other side decides when. */
	if (seals < 0 || !(seals & F_SEAL_SHRINK))
		return -EPERM;
	if (fstat(fd, &st))
		return -errno;
	if ((uint64_t)st.st_size < size)
		return -ERANGE;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | (populate ? MAP_POPULATE : 0), fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	madvise(p, size, MADV_DONTDUMP);
	if (madvise(p, size, MADV_DONTFORK)) {
		int err = -errno;

		munmap(p, size);
		return err;
	}
	*base = p;
	return 0;
}

static int memfd_alloc(struct ub_device *dev, struct ub_segment *seg)
{
	int err;

	seg->fd = ub_memfd_create("ub-segment", seg->size);
	if (seg->fd < 0)
		return seg->fd;
	/* ENOSPC here is the machine's memory, not a disk. */
	if (fallocate(seg->fd, 0, 0, (off_t)seg->size)) {
		err = errno == ENOSPC ? -ENOMEM : -errno;
		goto err_close;
	}
	err = ub_memfd_map(seg->fd, seg->size, true, &seg->base);
	if (err)
		goto err_close;
	return 0;

err_close:
	close(seg->fd);
	return err;
}

static void memfd_free(struct ub_segment *seg)
{
	munmap(seg->base, seg->size);
	close(seg->fd);
}

static int memfd_describe(struct ub_segment *seg, struct ub_segment_desc *desc, int *fd)
{
	desc->kind = UB_SEGMENT_MEMFD;
	*fd = seg->fd;
	return 0;
}

static int memfd_map(struct ub_device *dev, const struct ub_segment_desc *desc, int fd,
		     struct ub_mapping *map)
{
	if (fd < 0)
		return -EBADF;
	map->size = desc->size;
	return ub_memfd_map(fd, desc->size, true, &map->base);
}

static void memfd_unmap(struct ub_mapping *map)
{
	munmap(map->base, map->size);
}

static int memfd_query(struct ub_device *dev, struct ub_device_info *info)
{
	struct sysinfo si;

	strcpy(info->backend, "memfd");
	if (sysinfo(&si))
		return -errno;
	info->mem_size = (uint64_t)si.totalram * si.mem_unit;
	info->mem_used = info->mem_size - (uint64_t)si.freeram * si.mem_unit;
	return 0;
}

static void memfd_close(struct ub_device *dev)
{
}

const struct ub_segment_ops ub_memfd_ops = {
	.name = "memfd",
	.kind = UB_SEGMENT_MEMFD,
	.alloc = memfd_alloc,
	.free = memfd_free,
	.describe = memfd_describe,
	.map = memfd_map,
	.unmap = memfd_unmap,
	.query = memfd_query,
	.close = memfd_close,
};
