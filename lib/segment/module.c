// SPDX-License-Identifier: BSD-2-Clause
/*
 * Segments of the driver: memory of an NPU, imported by its token.
 *
 * Guarantees: backed at allocation (POPULATE), so that a full pod fails ub_alloc() and
 * never a collective; exported to this user only, when a peer first asks. Imports are
 * DUMMY: when the home dies or the route is lost, loads read zeros and stores vanish
 * instead of raising SIGBUS, and the import's state word tells; whoever uses a mapping
 * compares the word before and after (exec/health.c). The process's own segments are so
 * too: only the removal of the pod ends them under it, and the status area tells.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <ub/ioctl.h>
#include "device/device.h"
#include "segment/segment.h"

static int map_shared(struct ub_device *dev, uint64_t offset, size_t size, char **base)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, (off_t)offset);

	if (p == MAP_FAILED)
		return -errno;
	madvise(p, size, MADV_DONTFORK);
	*base = p;
	return 0;
}

static void give_back(struct ub_device *dev, unsigned long request, uint32_t handle)
{
	struct ub_ioc_handle arg = { .size = sizeof(arg), .handle = handle };

	/* Fails when the context has ended: then it is given back already. */
	ioctl(dev->fd, request, &arg);
}

static int module_alloc(struct ub_device *dev, struct ub_segment *seg)
{
	struct ub_ioc_seg_alloc arg = {
		.size = sizeof(arg), .flags = UB_SEG_POPULATE | UB_SEG_DUMMY,
		.length = seg->size,
	};
	int err;

	if (ioctl(dev->fd, UB_IOC_SEG_ALLOC, &arg))
		return -errno;
	seg->handle = arg.handle;
	seg->size = arg.length;
	err = map_shared(dev, arg.mmap_offset, seg->size, &seg->base);
	if (err)
		give_back(dev, UB_IOC_SEG_FREE, seg->handle);
	return err;
}

static void module_free(struct ub_segment *seg)
{
	munmap(seg->base, seg->size);
	give_back(seg->dev, UB_IOC_SEG_FREE, seg->handle);
}

static int module_describe(struct ub_segment *seg, struct ub_segment_desc *desc, int *fd)
{
	struct ub_ioc_seg_export arg = {
		.size = sizeof(arg), .handle = seg->handle,
		.access = UB_ACCESS_READ | UB_ACCESS_WRITE,
	};

	if (!seg->exported) {
		if (ioctl(seg->dev->fd, UB_IOC_SEG_EXPORT, &arg))
			return -errno;
		seg->token_id = arg.token_id;
		seg->token_value = arg.token_value;
		seg->exported = true;
	}
	desc->kind = UB_SEGMENT_MODULE;
	memcpy(desc->eid, seg->dev->eid, sizeof(desc->eid));
	desc->token_id = seg->token_id;
	desc->token_value = seg->token_value;
	*fd = -1;
	return 0;
}

static int module_revoke(struct ub_segment *seg)
{
	struct ub_ioc_handle arg = { .size = sizeof(arg), .handle = seg->handle };

	if (!seg->exported)
		return 0;
	/* The end of the context or of the pod has revoked it already. */
	if (ioctl(seg->dev->fd, UB_IOC_SEG_REVOKE, &arg) && errno != EOWNERDEAD &&
	    !ub_npu_gone(seg->dev))
		return -errno;
	seg->exported = false;
	return 0;
}

static int module_map(struct ub_device *dev, const struct ub_segment_desc *desc, int fd,
		      struct ub_mapping *map)
{
	struct ub_ioc_seg_import arg = {
		.size = sizeof(arg), .flags = UB_SEG_IMPORT_DUMMY,
		.token_id = desc->token_id, .token_value = desc->token_value,
		.access = UB_ACCESS_READ | UB_ACCESS_WRITE,
	};
	int err;

	memcpy(arg.eid, desc->eid, sizeof(arg.eid));
	if (ioctl(dev->fd, UB_IOC_SEG_IMPORT, &arg))
		return -errno;
	err = -ERANGE;
	if (arg.slot >= dev->max_slots || arg.length < desc->size)
		goto err_unimport;
	err = map_shared(dev, arg.mmap_offset, desc->size, &map->base);
	if (err)
		goto err_unimport;
	map->dev = ub_device_get(dev);
	map->size = desc->size;
	map->handle = arg.handle;
	map->slot = arg.slot;
	return 0;

err_unimport:
	give_back(dev, UB_IOC_SEG_UNIMPORT, arg.handle);
	return err;
}

static void module_unmap(struct ub_mapping *map)
{
	munmap(map->base, map->size);
	give_back(map->dev, UB_IOC_SEG_UNIMPORT, map->handle);
	ub_device_put(map->dev);
}

static int module_query(struct ub_device *dev, struct ub_device_info *info)
{
	struct ub_ioc_query q = { .size = sizeof(q) };

	if (ioctl(dev->fd, UB_IOC_QUERY, &q))
		return -errno;
	info->index = (int)q.index;
	info->nr_npus = (int)q.nr_npus;
	memcpy(info->pod, q.pod, sizeof(info->pod) - 1);
	memcpy(info->backend, q.backend, sizeof(info->backend) - 1);
	memcpy(info->eid, q.eid, sizeof(info->eid));
	info->mem_size = q.mem_size;
	info->mem_used = q.mem_used;
	return 0;
}

uint64_t ub_mapping_state(const struct ub_mapping *map)
{
	/* One aligned word, stored at once. */
	return __atomic_load_n((const uint64_t *)&map->dev->states[map->slot], __ATOMIC_ACQUIRE);
}

bool ub_state_alive(uint64_t word)
{
	struct ub_import_state state;

	memcpy(&state, &word, sizeof(state));
	return state.state == UB_IMPORT_ALIVE;
}

/*
 * Each state but alive counts a zap. Only a route leads from alive to alive; and who is
 * dead after two zaps was suspended first (an import that has shown its zeros meanwhile
 * does not come back).
 */
bool ub_state_lost_route(uint64_t before, uint64_t now)
{
	struct ub_import_state old, new;

	memcpy(&old, &before, sizeof(old));
	memcpy(&new, &now, sizeof(new));
	return new.state == UB_IMPORT_SUSPENDED || new.state == UB_IMPORT_ALIVE ||
	       new.zaps - old.zaps > 1;
}

void ub_mapping_account(const struct ub_mapping *map, uint64_t loaded, uint64_t stored)
{
	struct ub_account *account = &map->dev->accounts[map->slot];

	/* One writer, this thread; the kernel reads whole words. */
	__atomic_store_n(&account->loaded, account->loaded + loaded, __ATOMIC_RELAXED);
	__atomic_store_n(&account->stored, account->stored + stored, __ATOMIC_RELAXED);
}

const struct ub_segment_ops ub_module_ops = {
	.name = "module",
	.kind = UB_SEGMENT_MODULE,
	.watched = true,
	.alloc = module_alloc,
	.free = module_free,
	.describe = module_describe,
	.revoke = module_revoke,
	.map = module_map,
	.unmap = module_unmap,
	.query = module_query,
	.close = ub_npu_close,
};
