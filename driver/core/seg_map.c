// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of segments and imports: load and store.
 *
 * Mappings are VM_PFNMAP: nobody can pin a page through them (O_DIRECT,
 * process_vm_readv and foreign memory registration get EFAULT), so taking them
 * away takes everything away. They are shared, never executable, never larger
 * than at mmap(), and never get a right back by mprotect().
 *
 * A fault looks at the import's state and inserts under seg->lock; whoever
 * changes the state holds it for writing, and zaps after. So no page of a dead
 * segment can be inserted behind its back.
 */
#include <linux/mm.h>
#include <linux/sizes.h>

#include "compat/compat.h"
#include "ub.h"

/* What surrounds a touched page is mapped with it, up to this much. */
#define UB_FAULT_AROUND SZ_2M

static void ub_map_around(struct vm_fault *vmf, struct ub_seg *seg)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long start = max(vma->vm_start, ALIGN_DOWN(vmf->address, UB_FAULT_AROUND));
	unsigned long end = min(vma->vm_end, ALIGN_DOWN(vmf->address, UB_FAULT_AROUND) +
					     UB_FAULT_AROUND);
	unsigned long addr;
	struct page *page;

	for (addr = start; addr < end; addr += PAGE_SIZE) {
		page = ub_seg_page_try(seg, vma->vm_pgoff +
				       ((addr - vma->vm_start) >> PAGE_SHIFT));
		if (!page || vmf_insert_pfn(vma, addr, page_to_pfn(page)) != VM_FAULT_NOPAGE)
			return;
	}
}

static vm_fault_t ub_map_page(struct vm_fault *vmf, struct ub_seg *seg)
{
	struct page *page = ub_seg_page(seg, vmf->pgoff);
	struct ub_event event = { .type = UB_EVENT_NOMEM, .a = seg->obj.handle };
	vm_fault_t ret;

	if (!page) {
		ub_event_post(seg->obj.ctx, &event);
		return VM_FAULT_SIGBUS;
	}
	ret = vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));
	if (ret == VM_FAULT_NOPAGE)
		ub_map_around(vmf, seg);
	return ret;
}

/* Dead, or a suspended import: a page of zeros of its own, or SIGBUS. */
static vm_fault_t ub_map_dummy(struct vm_fault *vmf, struct ub_seg *seg,
			       struct ub_import *import)
{
	struct page *dummy = import ? import->dummy : seg->dummy;

	if (!dummy)
		return VM_FAULT_SIGBUS;
	if (import)
		WRITE_ONCE(import->dummy_seen, true);
	return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(dummy));
}

static vm_fault_t ub_seg_fault(struct vm_fault *vmf)
{
	struct ub_obj *obj = vmf->vma->vm_private_data;
	struct ub_import *import = NULL;
	struct ub_seg *seg;
	bool alive = true;
	vm_fault_t ret;

	if (obj->type == UB_OBJ_IMPORT) {
		import = ub_import_from_obj(obj);
		seg = import->seg;
	} else {
		seg = ub_seg_from_obj(obj);
	}

	down_read(&seg->lock);
	if (import)
		alive = import->state == UB_IMPORT_ALIVE;
	if (alive && !seg->dead)
		ret = ub_map_page(vmf, seg);
	else
		ret = ub_map_dummy(vmf, seg, import);
	up_read(&seg->lock);
	return ret;
}

static void ub_seg_vm_open(struct vm_area_struct *vma)
{
	struct ub_obj *obj = vma->vm_private_data;

	kref_get(&obj->ref);
}

static void ub_seg_vm_close(struct vm_area_struct *vma)
{
	ub_obj_put(vma->vm_private_data);
}

static const struct vm_operations_struct ub_seg_vm_ops = {
	.open = ub_seg_vm_open,
	.close = ub_seg_vm_close,
	.fault = ub_seg_fault,
};

/**
 * ub_seg_mmap - map a segment or an import
 * @obj:	it
 * @vma:	of mmap()
 * @first:	page of the segment at the start of @vma
 *
 * Return: 0; -EINVAL a private mapping or outside of the segment; -EACCES
 * executable, or writable without the right.
 */
int ub_seg_mmap(struct ub_obj *obj, struct vm_area_struct *vma, pgoff_t first)
{
	bool writable = true;
	struct ub_seg *seg;
	pgoff_t nr;

	if (obj->type == UB_OBJ_IMPORT) {
		seg = ub_import_from_obj(obj)->seg;
		writable = ub_import_from_obj(obj)->access & UB_ACCESS_WRITE;
	} else {
		seg = ub_seg_from_obj(obj);
	}

	nr = seg->length >> PAGE_SHIFT;
	/* A private mapping could be written, copying pages that are not ours to copy. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (first > nr || vma_pages(vma) > nr - first)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	if (!writable && (vma->vm_flags & VM_WRITE))
		return -EACCES;

	vm_flags_clear(vma, VM_MAYEXEC | (writable ? 0 : VM_MAYWRITE));
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_pgoff = first;
	vma->vm_ops = &ub_seg_vm_ops;
	vma->vm_private_data = obj;
	kref_get(&obj->ref);
	vma_set_file(vma, seg->file);
	return 0;
}

/**
 * ub_seg_lookup - whose mapping is at an address of the caller's
 * @start:	the address
 * @length:	bytes
 * @obj:	the segment or import, with a reference
 * @offset:	of @start in the segment
 *
 * Return: 1 if the range is in one mapping of a segment; 0 if there is none at its
 * start; -EINVAL if it leaves the mapping.
 */
int ub_seg_lookup(u64 start, u64 length, struct ub_obj **obj, u64 *offset)
{
	struct vm_area_struct *vma;
	int ret = 0;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, start);
	if (vma && vma->vm_ops == &ub_seg_vm_ops) {
		ret = length <= vma->vm_end - start ? 1 : -EINVAL;
		*offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) + (start - vma->vm_start);
		*obj = vma->vm_private_data;
		if (ret > 0)
			kref_get(&(*obj)->ref);
	}
	mmap_read_unlock(current->mm);
	return ret;
}
