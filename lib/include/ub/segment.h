/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments: memory that peers load from and store to.
 *
 * ub_alloc() is local: no peer takes part and no communicator is needed. A peer
 * maps the segment when a collective first uses it, and remembers the mapping;
 * any address inside may be passed, the ranks' offsets need not agree.
 *
 * Memory from elsewhere (malloc, the stack) may be passed to any collective too;
 * it is then copied through a staging area, at two or three times the traffic.
 */
#ifndef UB_SEGMENT_H
#define UB_SEGMENT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ub_device;

/**
 * ub_alloc() - allocate memory that collectives use without copying
 * @dev:	home of the memory; NULL is the host
 * @size:	bytes; rounded up to pages
 * @ptr:	out: page aligned, zeroed, backed now (never a SIGBUS later)
 *
 * Ownership: the caller's, until ub_free(). A child of fork() does not inherit
 * it (MADV_DONTFORK): touching it there is SIGSEGV.
 *
 * Errors: -EINVAL @size is 0 or absurd; -ENOMEM; -EDQUOT a quota of the NPU's
 * driver; -EMFILE too many open files.
 */
int ub_alloc(struct ub_device *dev, size_t size, void **ptr);

/**
 * ub_free() - give it back
 * @ptr:	what ub_alloc() returned; NULL is nothing to do
 *
 * Not while a collective uses it. After a failed collective: once
 * ub_comm_abort() has returned 0. Peers drop their mappings when they next map
 * something of this rank, or with the communicator; until then the pages of a
 * host segment stay in use.
 *
 * Errors: -EINVAL @ptr is not the start of a segment of this process.
 */
int ub_free(void *ptr);

#ifdef __cplusplus
}
#endif
#endif /* UB_SEGMENT_H */
