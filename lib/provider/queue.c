// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Mapping rings. What the kernel answered is checked once, here.
 */
#include <sys/mman.h>

#include "provider.h"

int ub_queue_map(struct ub_ring *ring, int fd, const struct ub_verbs_ring *answer,
		 uint32_t bytes)
{
	void *mapping;
	int err;

	if (answer->stride < bytes || answer->length > SIZE_MAX)
		return EINVAL;
	mapping = mmap(NULL, answer->length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       answer->offset);
	if (mapping == MAP_FAILED)
		return errno;
	err = ub_ring_init(ring, mapping, answer->length, answer->entries, answer->stride);
	if (err) {
		munmap(mapping, answer->length);
		return -err;
	}
	return 0;
}

void ub_queue_unmap(struct ub_ring *ring)
{
	if (ring->head)
		munmap(ring->head, ring->length);
	ring->head = NULL;
}
