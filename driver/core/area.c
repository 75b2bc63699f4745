// SPDX-License-Identifier: GPL-2.0
/*
 * Areas: pages of state that the kernel writes and user space maps to look at
 * (or, for accounting, the other way round).
 *
 * Pages are ordinary, zeroed, and allocated when somebody first touches them. A
 * mapping holds the area, so it stays readable when its owner is gone.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "ub.h"

struct ub_area *ub_area_create(size_t bytes)
{
	u32 nr = DIV_ROUND_UP(bytes, PAGE_SIZE);
	struct ub_area *area;

	area = kvzalloc(struct_size(area, page, nr), GFP_KERNEL_ACCOUNT);
	if (!area)
		return NULL;
	kref_init(&area->ref);
	area->nr = nr;
	return area;
}

void ub_area_free(struct kref *ref)
{
	struct ub_area *area = container_of(ref, struct ub_area, ref);
	u32 i;

	for (i = 0; i < area->nr; i++)
		if (area->page[i])
			put_page(area->page[i]);
	kvfree(area);
}

static struct page *ub_area_page(struct ub_area *area, u32 index)
{
	struct page *page = READ_ONCE(area->page[index]);
	struct page *old;

	if (page)
		return page;
	page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!page)
		return NULL;
	/* Pairs with the READ_ONCE above: a page is seen zeroed. */
	old = cmpxchg(&area->page[index], NULL, page);
	if (!old)
		return page;
	__free_page(page);
	return old;
}

/**
 * ub_area_at - address of a byte of an area
 * @area:	the area
 * @offset:	inside of it; what is used there must not cross a page
 *
 * Return: NULL without memory, which cannot be once the page was touched.
 */
void *ub_area_at(struct ub_area *area, size_t offset)
{
	struct page *page = ub_area_page(area, offset / PAGE_SIZE);

	return page ? page_address(page) + offset_in_page(offset) : NULL;
}

static vm_fault_t ub_area_fault(struct vm_fault *vmf)
{
	struct ub_area *area = vmf->vma->vm_private_data;
	struct page *page;

	if (vmf->pgoff >= area->nr)
		return VM_FAULT_SIGBUS;
	page = ub_area_page(area, vmf->pgoff);
	if (!page)
		return VM_FAULT_OOM;
	get_page(page);
	vmf->page = page;
	return 0;
}

static void ub_area_open(struct vm_area_struct *vma)
{
	struct ub_area *area = vma->vm_private_data;

	kref_get(&area->ref);
}

static void ub_area_close(struct vm_area_struct *vma)
{
	ub_area_put(vma->vm_private_data);
}

static const struct vm_operations_struct ub_area_vm_ops = {
	.open = ub_area_open,
	.close = ub_area_close,
	.fault = ub_area_fault,
};

/**
 * ub_area_mmap - map an area
 * @area:	the area
 * @vma:	of mmap()
 * @writable:	may user space write it?
 * @first:	page of the area at the start of @vma
 *
 * Return: 0; -EINVAL a private mapping or outside of the area; -EACCES not
 * readable, executable, or writable when it may not be.
 */
int ub_area_mmap(struct ub_area *area, struct vm_area_struct *vma, bool writable,
		 pgoff_t first)
{
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (first > area->nr || vma_pages(vma) > area->nr - first)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	if (!writable && (vma->vm_flags & VM_WRITE))
		return -EACCES;

	vm_flags_clear(vma, VM_MAYEXEC | (writable ? 0 : VM_MAYWRITE));
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_pgoff = first;
	vma->vm_private_data = area;
	vma->vm_ops = &ub_area_vm_ops;
	kref_get(&area->ref);
	return 0;
}
