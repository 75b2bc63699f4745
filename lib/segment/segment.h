/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments inside libub: what a provider of memory has to offer.
 *
 * There are two providers: memfd (any host) and the module (/dev/ub/ubN). The
 * layers above see a base address, a size and an id; they never ask which one
 * it is.
 *
 * Guarantees
 *   - Ids are never reused within a process, so a peer that has mapped
 *     (rank, id) once may keep the mapping without asking again.
 *   - A mapped segment cannot shrink under its user: providers seal it, and map
 *     refuses what is not sealed.
 * Not guaranteed: that a mapped segment stays alive. A memfd does as long as
 * anybody maps it; for a module segment ub_mapping_state() tells.
 */
#ifndef LIBUB_SEGMENT_H
#define LIBUB_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ub_device;
struct ub_device_info;

enum ub_segment_kind {
	UB_SEGMENT_MEMFD = 1,	/* needs the file descriptor */
	UB_SEGMENT_MODULE,	/* needs the token */
};

/* What a peer must know to map a segment; a file descriptor may go with it. */
struct ub_segment_desc {
	uint32_t	id;
	uint32_t	kind;
	uint64_t	size;
	uint8_t		eid[16];
	uint32_t	token_id;
	uint32_t	token_value;
};

/* A segment of this process. */
struct ub_segment {
	struct ub_device	*dev;	/* holds a reference */
	char			*base;
	size_t			size;
	uint32_t		id;
	int			fd;	/* memfd: the file; module: -1 */
	uint32_t		handle;	/* module */
	bool			exported;
	uint32_t		token_id;
	uint32_t		token_value;
};

/* A peer's segment, mapped here. */
struct ub_mapping {
	const struct ub_segment_ops *ops;
	struct ub_device	*dev;	/* holds a reference; NULL for memfd */
	char			*base;
	size_t			size;
	uint32_t		handle;	/* module */
	uint32_t		slot;	/* in the device's states and accounts */
};

struct ub_segment_ops {
	const char *name;
	enum ub_segment_kind kind;
	bool watched;	/* mappings can die: ub_mapping_state() */
	/* Fills base, size and what the provider needs; size is rounded already. */
	int (*alloc)(struct ub_device *dev, struct ub_segment *seg);
	void (*free)(struct ub_segment *seg);
	/* *fd stays the segment's; -1 when the peer needs none. */
	int (*describe)(struct ub_segment *seg, struct ub_segment_desc *desc, int *fd);
	/* Peers' mappings die; it may be described again. NULL: cannot be done. */
	int (*revoke)(struct ub_segment *seg);
	/* Takes nothing over: the caller closes fd. */
	int (*map)(struct ub_device *dev, const struct ub_segment_desc *desc, int fd,
		   struct ub_mapping *map);
	void (*unmap)(struct ub_mapping *map);
	int (*query)(struct ub_device *dev, struct ub_device_info *info);
	void (*close)(struct ub_device *dev);
};

extern const struct ub_segment_ops ub_memfd_ops;
extern const struct ub_segment_ops ub_module_ops;

/* Map what desc says with the provider that it names. */
int ub_mapping_open(struct ub_device *dev, const struct ub_segment_desc *desc, int fd,
		    struct ub_mapping *map);
void ub_mapping_close(struct ub_mapping *map);

/*
 * Of a watched mapping: a word that is the same, and alive, before and after some loads
 * and stores says that all of them reached the segment.
 */
uint64_t ub_mapping_state(const struct ub_mapping *map);
bool ub_state_alive(uint64_t word);
/* Between the two the route was lost, whether or not it came back since. */
bool ub_state_lost_route(uint64_t before, uint64_t now);
/* Report traffic, from the lengths that were really executed. */
void ub_mapping_account(const struct ub_mapping *map, uint64_t loaded, uint64_t stored);

/* A sealed memfd of size bytes, not mapped. Returns the file descriptor. */
int ub_memfd_create(const char *name, size_t size);
/* Map a sealed memfd; it is neither inherited by fork nor dumped. */
int ub_memfd_map(int fd, size_t size, bool populate, char **base);

/*
 * The registry of this process's segments. find() copies the segment that holds
 * all of [ptr, ptr + size) and returns true; ptr is private memory otherwise.
 */
int ub_registry_add(struct ub_segment *seg);
struct ub_segment *ub_registry_remove(void *base);
bool ub_registry_find(const void *ptr, size_t size, struct ub_segment *seg);
/* Describe segment id under the registry's lock, with a dup of its descriptor. */
int ub_registry_describe(uint32_t id, struct ub_segment_desc *desc, int *fd);
/* Peers' mappings of segment id die: 0 (also when it is freed already) or an error. */
int ub_registry_revoke(uint32_t id);
/* Ids of living segments: at most n are stored, all are counted. */
uint32_t ub_registry_ids(uint32_t *ids, uint32_t n);
/* Changes whenever a segment comes or goes: the key of caches over find(). */
uint64_t ub_registry_generation(void);

#endif /* LIBUB_SEGMENT_H */
