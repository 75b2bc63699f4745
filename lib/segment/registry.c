// SPDX-License-Identifier: BSD-2-Clause
/*
 * The segments of this process: from an address to a segment, from an id to what
 * a peer needs.
 *
 * A sorted array under one mutex. Collectives look through a cache of their own
 * (comm/import.c), so the lock is taken when something changed, not per call.
 * A child of fork() starts with an empty registry: it has none of the mappings.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "device/device.h"
#include "segment/segment.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* all below */
static struct ub_segment **segs;	/* by ascending base */
static uint32_t nsegs, room;
static uint32_t next_id = 1;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static atomic_ullong generation = 1;

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork_parent(void)
{
	pthread_mutex_unlock(&lock);
}

static void after_fork_child(void)
{
	nsegs = 0;
	atomic_fetch_add(&generation, 1);
	pthread_mutex_unlock(&lock);
}

static void watch_fork(void)
{
	pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

/* Index of the first segment whose base is above ptr. */
static uint32_t upper_bound(const char *ptr)
{
	uint32_t lo = 0, hi = nsegs;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (segs[mid]->base <= ptr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int make_room(void)
{
	uint32_t more = room ? 2 * room : 16;
	struct ub_segment **p;

	if (nsegs < room)
		return 0;
	p = realloc(segs, more * sizeof(*segs));
	if (!p)
		return -ENOMEM;
	segs = p;
	room = more;
	return 0;
}

int ub_registry_add(struct ub_segment *seg)
{
	uint32_t i;
	int err;

	pthread_once(&fork_once, watch_fork);
	pthread_mutex_lock(&lock);
	err = make_room();
	if (err)
		goto out;
	i = upper_bound(seg->base);
	memmove(&segs[i + 1], &segs[i], (nsegs - i) * sizeof(*segs));
	segs[i] = seg;
	nsegs++;
	seg->id = next_id++;
	atomic_fetch_add(&generation, 1);
out:
	pthread_mutex_unlock(&lock);
	return err;
}

struct ub_segment *ub_registry_remove(void *base)
{
	struct ub_segment *seg = NULL;
	uint32_t i;

	pthread_mutex_lock(&lock);
	i = upper_bound(base);
	if (i && segs[i - 1]->base == base) {
		seg = segs[i - 1];
		memmove(&segs[i - 1], &segs[i], (nsegs - i) * sizeof(*segs));
		nsegs--;
		atomic_fetch_add(&generation, 1);
	}
	pthread_mutex_unlock(&lock);
	return seg;
}

bool ub_registry_find(const void *ptr, size_t size, struct ub_segment *seg)
{
	const char *p = ptr;
	bool found = false;
	uint32_t i;

	pthread_mutex_lock(&lock);
	i = upper_bound(p);
	if (i) {
		const struct ub_segment *s = segs[i - 1];
		size_t offset = (size_t)(p - s->base);

		found = offset < s->size && size <= s->size - offset;
		if (found)
			*seg = *s;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

int ub_registry_describe(uint32_t id, struct ub_segment_desc *desc, int *fd)
{
	int err = -ENOENT, own = -1;

	memset(desc, 0, sizeof(*desc));
	*fd = -1;
	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < nsegs; i++) {
		if (segs[i]->id != id)
			continue;
		desc->id = id;
		desc->size = segs[i]->size;
		err = segs[i]->dev->ops->describe(segs[i], desc, &own);
		if (!err && own >= 0) {
			*fd = fcntl(own, F_DUPFD_CLOEXEC, 0);
			if (*fd < 0)
				err = -errno;
		}
		break;
	}
	pthread_mutex_unlock(&lock);
	return err;
}

int ub_registry_revoke(uint32_t id)
{
	int err = 0;	/* what is no more is nobody's buffer */

	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < nsegs; i++)
		if (segs[i]->id == id)
			err = segs[i]->dev->ops->revoke ?
			      segs[i]->dev->ops->revoke(segs[i]) : -EOPNOTSUPP;
	pthread_mutex_unlock(&lock);
	return err;
}

uint32_t ub_registry_ids(uint32_t *ids, uint32_t n)
{
	uint32_t count;

	pthread_mutex_lock(&lock);
	count = nsegs;
	for (uint32_t i = 0; i < count && i < n; i++)
		ids[i] = segs[i]->id;
	pthread_mutex_unlock(&lock);
	return count;
}

uint64_t ub_registry_generation(void)
{
	return atomic_load_explicit(&generation, memory_order_acquire);
}
