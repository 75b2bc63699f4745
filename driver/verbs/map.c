// SPDX-License-Identifier: GPL-2.0
/*
 * Maps: the rings of a context, by mmap() of its uverbs file.
 *
 * What is mapped are pages, which live as long as the mapping does: after its object,
 * after the device, after this module. The process reads there that it is dead.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include "verbs.h"

static struct ub_vmap *ub_vmap_from_entry(struct rdma_user_mmap_entry *entry)
{
	return container_of(entry, struct ub_vmap, entry);
}

struct ub_vmap *ub_vmap_reserve(struct ib_udata *udata, u32 entries, u32 stride)
{
	struct ub_vctx *ctx;
	struct ub_vmap *map;
	size_t length;
	int ret;

	if (!udata)
		return NULL;
	if (!entries || entries > UB_RING_MAX_ENTRIES)
		return ERR_PTR(-EINVAL);
	ctx = rdma_udata_to_drv_context(udata, struct ub_vctx, ib);
	map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	if (!map)
		return ERR_PTR(-ENOMEM);
	init_completion(&map->unused);
	length = UB_RING_ENTRIES + (size_t)roundup_pow_of_two(entries) * stride;
	ret = rdma_user_mmap_entry_insert(&ctx->ib, &map->entry, PAGE_ALIGN(length));
	if (ret) {
		kfree(map);
		return ERR_PTR(ret);
	}
	return map;
}

void ub_vmap_show(struct ub_vmap *map, const struct ub_ring *ring, struct ub_verbs_ring *resp)
{
	if (!map)
		return;
	WARN_ON_ONCE(map->entry.npages << PAGE_SHIFT != ring->length);
	map->ring = *ring;
	*resp = (struct ub_verbs_ring){
		.offset = rdma_user_mmap_get_offset(&map->entry),
		.length = ring->length,
		.entries = ub_ring_entries(ring),
		.stride = ring->stride,
	};
	/* Pairs with the acquire in ub_verbs_mmap(). */
	smp_store_release(&map->shown, true);
}

void ub_vmap_remove(struct ub_vmap *map)
{
	if (!map)
		return;
	rdma_user_mmap_entry_remove(&map->entry);
	wait_for_completion(&map->unused);
	if (map->shown)
		ub_ring_set_dead(&map->ring);
	kfree(map);
}

int ub_verbs_mmap(struct ib_ucontext *context, struct vm_area_struct *vma)
{
	struct rdma_user_mmap_entry *entry = rdma_user_mmap_entry_get(context, vma);
	struct ub_vmap *map;
	int ret = -EINVAL;

	if (!entry)
		return -EINVAL;
	map = ub_vmap_from_entry(entry);
	/* Pairs with the release in ub_vmap_show(). */
	if (smp_load_acquire(&map->shown))
		ret = ub_ring_mmap(&map->ring, vma);
	rdma_user_mmap_entry_put(entry);
	return ret;
}

/* The last reference: it is removed, and nobody is inside of mmap(). */
void ub_verbs_mmap_free(struct rdma_user_mmap_entry *entry)
{
	complete(&ub_vmap_from_entry(entry)->unused);
}
