// SPDX-License-Identifier: GPL-2.0
/*
 * Rings: memory that the kernel shares with a process; see <ub/ring.h>.
 *
 * Pages belong to the ring and to every mapping of it, so a mapping that outlives
 * the ring stays readable, and the kernel never looks at it again.
 */
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "compat/compat.h"
#include "engine.h"

int ub_ring_create(struct ub_ring *ring, u32 entries, u32 stride)
{
	BUILD_BUG_ON(sizeof(struct ub_ring_head) != UB_RING_ENTRIES);
	if (!entries || entries > UB_RING_MAX_ENTRIES || !stride || stride % UB_RING_STRIDE)
		return -EINVAL;
	entries = roundup_pow_of_two(entries);
	ring->length = PAGE_ALIGN(UB_RING_ENTRIES + (size_t)entries * stride);
	ring->mask = entries - 1;
	ring->stride = stride;
	ring->head = __vmalloc(ring->length, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
	return ring->head ? 0 : -ENOMEM;
}

void ub_ring_destroy(struct ub_ring *ring)
{
	vfree(ring->head);
	ring->head = NULL;
}
EXPORT_SYMBOL_GPL(ub_ring_destroy);

int ub_ring_mmap(const struct ub_ring *ring, struct vm_area_struct *vma)
{
	unsigned long at;
	int ret;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_end - vma->vm_start != ring->length)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	vm_flags_clear(vma, VM_MAYEXEC);
	vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	for (at = 0; at < ring->length; at += PAGE_SIZE) {
		ret = vm_insert_page(vma, vma->vm_start + at,
				     vmalloc_to_page((void *)ring->head + at));
		if (ret)
			return ret;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(ub_ring_mmap);
