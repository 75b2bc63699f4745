/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The process' side of the rings of <ub/ring.h>.
 *
 * What this file guarantees
 *   - A struct ub_ring is one side of a ring: its producer's or its consumer's. Two
 *     threads that use the same side lock each other out; two sides need no lock.
 *   - Entries are told to the other side when published or released, not before, and
 *     many at a time. What was not told can be taken back.
 *   - No call and no store is made that the other side can delay. The other side's
 *     word is loaded only when the last value seen does not suffice.
 *   - Whatever stands in the head, nothing outside of the mapping is touched.
 *
 * Pairs
 *   - ub_ring_publish() (release) with the kernel's load of the producer (acquire):
 *     entries are whole before they are seen.
 *   - ub_ring_next() (acquire) with the kernel's store of the producer (release):
 *     the same for completions.
 *   - ub_ring_release() (release) with the kernel's load of the consumer (acquire):
 *     entries are read before their places are used again.
 *   - ub_ring_free_entry() (acquire) with the kernel's store of the consumer
 *     (release): the same for requests.
 *   - ub_ring_wakeup_wanted()'s full barrier, between publishing and loading the
 *     flags, with the kernel's between setting UB_RING_NEED_WAKEUP and loading the
 *     producer: one of the two sees the other.
 *   - ub_ring_arm()'s full barrier, between arming and the caller's next look, with
 *     the kernel's between publishing and taking the word: the same.
 */
#ifndef LIBUB_RING_H
#define LIBUB_RING_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ub/ring.h>

/**
 * struct ub_ring - one side of a ring
 * @head:	the mapping
 * @length:	its bytes
 * @mask:	entries - 1
 * @stride:	bytes of an entry
 * @index:	this side's, maybe ahead of what was told
 * @other:	the other side's, as last seen
 */
struct ub_ring {
	struct ub_ring_head *head;
	size_t length;
	uint32_t mask;
	uint32_t stride;
	uint32_t index;
	uint32_t other;
};

static inline uint32_t ub_ring_size(const struct ub_ring *ring)
{
	return ring->mask + 1;
}

static inline void *ub_ring_at(const struct ub_ring *ring, uint32_t index)
{
	return (char *)ring->head + UB_RING_ENTRIES +
	       (size_t)(index & ring->mask) * ring->stride;
}

/* -EINVAL: there is no such ring, or the mapping is too short for it. */
static inline int ub_ring_init(struct ub_ring *ring, void *mapping, uint64_t length,
			       uint32_t entries, uint32_t stride)
{
	if (!entries || entries & (entries - 1) || !stride || stride % UB_RING_STRIDE ||
	    length < UB_RING_ENTRIES ||
	    (length - UB_RING_ENTRIES) / stride < entries)
		return -EINVAL;
	ring->head = mapping;
	ring->length = length;
	ring->mask = entries - 1;
	ring->stride = stride;
	return 0;
}

/* ---- producing ----------------------------------------------------------------- */

/*
 * Begins where the head says. After the other side has emptied the ring this makes
 * both agree again.
 */
static inline void ub_ring_start_producing(struct ub_ring *ring)
{
	ring->index = __atomic_load_n(&ring->head->producer, __ATOMIC_RELAXED);
	ring->other = __atomic_load_n(&ring->head->consumer, __ATOMIC_ACQUIRE);
}

static inline bool ub_ring_is_full(const struct ub_ring *ring)
{
	return ring->index - ring->other > ring->mask;
}

/* The entry to fill next; NULL: the ring is full. */
static inline void *ub_ring_free_entry(struct ub_ring *ring)
{
	if (ub_ring_is_full(ring)) {
		ring->other = __atomic_load_n(&ring->head->consumer, __ATOMIC_ACQUIRE);
		if (ub_ring_is_full(ring))
			return NULL;
	}
	return ub_ring_at(ring, ring->index);
}

/* The free entry is filled: go on to the one after it. */
static inline void ub_ring_filled(struct ub_ring *ring)
{
	ring->index++;
}

/* Tells all that was filled; false: there was nothing. */
static inline bool ub_ring_publish(struct ub_ring *ring)
{
	if (__atomic_load_n(&ring->head->producer, __ATOMIC_RELAXED) == ring->index)
		return false;
	__atomic_store_n(&ring->head->producer, ring->index, __ATOMIC_RELEASE);
	return true;
}

/* Takes back what was filled and not published. */
static inline void ub_ring_take_back(struct ub_ring *ring)
{
	ring->index = __atomic_load_n(&ring->head->producer, __ATOMIC_RELAXED);
}

/* After publishing: does the other side want a doorbell? */
static inline bool ub_ring_wakeup_wanted(const struct ub_ring *ring)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&ring->head->flags, __ATOMIC_RELAXED) & UB_RING_NEED_WAKEUP;
}

/* ---- consuming ----------------------------------------------------------------- */

static inline void ub_ring_start_consuming(struct ub_ring *ring)
{
	ring->index = __atomic_load_n(&ring->head->consumer, __ATOMIC_RELAXED);
	ring->other = ring->index;
}

/* The entry to read next; NULL: the ring is empty. */
static inline void *ub_ring_next(struct ub_ring *ring)
{
	if (ring->index == ring->other) {
		ring->other = __atomic_load_n(&ring->head->producer, __ATOMIC_ACQUIRE);
		if (ring->index == ring->other)
			return NULL;
	}
	return ub_ring_at(ring, ring->index);
}

/* The next entry was read: go on to the one after it. */
static inline void ub_ring_read(struct ub_ring *ring)
{
	ring->index++;
}

/* Gives the places of all that was read back. */
static inline void ub_ring_release(struct ub_ring *ring)
{
	__atomic_store_n(&ring->head->consumer, ring->index, __ATOMIC_RELEASE);
}

/* UB_RING_*. What was published before a flag was set is seen after this. */
static inline uint32_t ub_ring_flags(const struct ub_ring *ring)
{
	return __atomic_load_n(&ring->head->flags, __ATOMIC_ACQUIRE);
}

/*
 * Asks to be told of a completion (UB_ARM_*); then the caller looks once more. Who
 * waits for any is told of a solicited one too, so that is not narrowed.
 */
static inline void ub_ring_arm(struct ub_ring *ring, uint32_t arm)
{
	uint32_t *word = &ring->head->arm;

	if (arm == UB_ARM_ANY || __atomic_load_n(word, __ATOMIC_RELAXED) != UB_ARM_ANY)
		__atomic_store_n(word, arm, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif /* LIBUB_RING_H */
