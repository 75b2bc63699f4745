// SPDX-License-Identifier: BSD-2-Clause
/*
 * Mappings of peers' segments, by (rank, id), made at first use.
 *
 * Ids are never reused, so a mapping once made is right for good. Mappings of
 * segments that the peer has freed meanwhile are dropped when the next one of
 * that peer is made: the reply tells which ids live. So stale mappings are
 * bounded by what was live at once.
 *
 * The same file answers the opposite question, what a buffer of mine is to
 * peers, through a cache over the registry.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "comm/comm.h"
#include "segment/segment.h"

struct import {
	uint32_t		id;
	struct ub_mapping	map;
};

struct peer {
	struct import	*list;
	uint32_t	n, room;
	uint32_t	last;		/* index of the last hit */
};

/* A buffer of this process as the registry knew it. */
struct own {
	uint64_t		generation;
	struct ub_segment	seg;		/* id 0: private memory, found in none */
};

/* The last two: send and receive alternate. Private ones must not drive out the others. */
struct recent {
	struct own	own[2];
	uint32_t	victim;
};

struct ub_imports {
	struct recent	mapped;
	struct recent	private;
	struct peer	peers[];
};

int ub_imports_create(struct ub_comm *comm)
{
	comm->imports = calloc(1, sizeof(struct ub_imports) +
				  comm->nranks * sizeof(struct peer));
	return comm->imports ? 0 : -ENOMEM;
}

void ub_imports_destroy(struct ub_comm *comm)
{
	if (!comm->imports)
		return;
	for (uint32_t r = 0; r < comm->nranks; r++) {
		struct peer *peer = &comm->imports->peers[r];

		for (uint32_t i = 0; i < peer->n; i++)
			ub_mapping_close(&peer->list[i].map);
		free(peer->list);
	}
	free(comm->imports);
	comm->imports = NULL;
}

static void drop_freed(struct peer *peer, const uint32_t *live, uint32_t nlive)
{
	uint32_t kept = 0;

	if (nlive > UB_SERVER_IDS)
		return;		/* not all were told: cannot know */
	for (uint32_t i = 0; i < peer->n; i++) {
		uint32_t k = 0;

		while (k < nlive && live[k] != peer->list[i].id)
			k++;
		if (k < nlive)
			peer->list[kept++] = peer->list[i];
		else
			ub_mapping_close(&peer->list[i].map);
	}
	peer->n = kept;
	peer->last = 0;
}

static int make_room(struct peer *peer)
{
	uint32_t more = peer->room ? 2 * peer->room : 4;
	struct import *p;

	if (peer->n < peer->room)
		return 0;
	p = realloc(peer->list, more * sizeof(*p));
	if (!p)
		return -ENOMEM;
	peer->list = p;
	peer->room = more;
	return 0;
}

static int map_segment(struct ub_comm *comm, uint32_t rank, uint32_t id)
{
	struct peer *peer = &comm->imports->peers[rank];
	uint32_t live[UB_SERVER_IDS], nlive;
	struct ub_segment_desc desc;
	struct import *imp;
	int fd, err;

	err = ub_server_ask(comm, rank, id, &desc, &fd, live, &nlive);
	if (err)
		return err;
	drop_freed(peer, live, nlive);
	err = make_room(peer);
	if (!err) {
		imp = &peer->list[peer->n];
		imp->id = id;
		err = ub_mapping_open(comm->dev, &desc, fd, &imp->map);
	}
	if (!err)
		peer->last = peer->n++;
	if (fd >= 0)
		close(fd);
	return err;
}

/*
 * A peer that has died refuses the connection before its guard's word is read
 * here: give the guard a moment, so that the sentence says "died".
 */
static int import_failed(struct ub_comm *comm, uint32_t rank, int err)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	if (err == -ETIMEDOUT)
		return ub_comm_fail(comm, UB_REASON_DEADLINE, rank, 0);
	for (int i = 0; i < 200 && (err == -ECONNREFUSED || err == -ECONNRESET); i++) {
		if (ub_comm_aborted(comm))
			break;
		nanosleep(&ms, NULL);
	}
	return ub_comm_fail(comm, UB_REASON_MAP, rank, (uint32_t)-err);
}

int ub_import(struct ub_comm *comm, uint32_t rank, uint32_t id, struct ub_mapping *map)
{
	struct peer *peer = &comm->imports->peers[rank];
	uint32_t i = peer->last;
	int err;

	if (i >= peer->n || peer->list[i].id != id)
		for (i = 0; i < peer->n && peer->list[i].id != id; i++)
			;
	if (i == peer->n) {
		err = map_segment(comm, rank, id);
		if (err)
			return import_failed(comm, rank, err);
		i = peer->last;
	}
	peer->last = i;
	*map = peer->list[i].map;
	return 0;
}

static bool holds(const struct ub_segment *seg, const void *ptr, uint64_t size)
{
	uint64_t offset = (uint64_t)((const char *)ptr - seg->base);

	return offset < seg->size && size <= seg->size - offset;
}

/* A part of what is in no segment may be in one: private memory is known as a whole. */
static bool answers(const struct own *own, uint64_t generation, const void *ptr, uint64_t size)
{
	return own->generation == generation && holds(&own->seg, ptr, size) &&
	       (own->seg.id || (own->seg.base == ptr && own->seg.size == size));
}

static const struct own *find_recent(const struct recent *recent, uint64_t generation,
				     const void *ptr, uint64_t size)
{
	for (int i = 0; i < 2; i++)
		if (answers(&recent->own[i], generation, ptr, size))
			return &recent->own[i];
	return NULL;
}

static const struct own *find(struct ub_imports *im, uint64_t generation, const void *ptr,
			      uint64_t size)
{
	struct own own = { generation, { .base = (char *)ptr, .size = size } };
	bool found = ub_registry_find(ptr, size, &own.seg);
	struct recent *recent = found ? &im->mapped : &im->private;

	recent->victim ^= 1;
	recent->own[recent->victim] = own;
	return &recent->own[recent->victim];
}

void ub_import_own(struct ub_comm *comm, const void *ptr, uint64_t size, uint32_t *id,
		   uint64_t *offset)
{
	struct ub_imports *im = comm->imports;
	uint64_t generation = ub_registry_generation();
	const struct own *own = find_recent(&im->mapped, generation, ptr, size);

	if (!own)
		own = find_recent(&im->private, generation, ptr, size);
	if (!own)
		own = find(im, generation, ptr, size);
	*id = own->seg.id;
	*offset = own->seg.id ? (uint64_t)((const char *)ptr - own->seg.base) : 0;
}
