/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between preset.c, which reads parameters, and preset_*.c, which know the shapes.
 */
#ifndef UB_TOPO_PRESET_H
#define UB_TOPO_PRESET_H

#include "topo.h"

#define MAX_PARAMS	4
#define MAX_NPUS	384
#define MEM_MIB_MAX	16777216

/* A lane of UB 2.0 (Ascend 950), in Mbit/s. */
#define LANE_MBPS	112000

/* HBM of a die of an Ascend 910C. */
#define DIE_MIB		65536

/**
 * struct sketch - a graph that grows; out of memory, it only counts
 * @ubpu: UBPUs
 * @nr_ubpus: number of them
 * @room_ubpus: allocated
 * @link: links
 * @nr_links: number of them
 * @room_links: allocated
 * @broken: there was no memory
 */
struct sketch {
	struct ub_topo_ubpu *ubpu;
	uint32_t nr_ubpus, room_ubpus;
	struct ub_topo_link *link;
	uint32_t nr_links, room_links;
	bool broken;
};

/* Both return the number of the first. */
uint32_t ub_sketch_npus(struct sketch *s, uint32_t nr, uint32_t mem_mib);
uint32_t ub_sketch_switches(struct sketch *s, uint32_t nr);
void ub_sketch_link(struct sketch *s, uint32_t a, uint32_t b, uint32_t lanes);
void ub_sketch_mesh(struct sketch *s, uint32_t rows, uint32_t cols, uint32_t lanes);

/**
 * struct shape - a preset
 * @name: its name
 * @unknown: a sentence: which parameters there are
 * @range: a sentence: what they can be
 * @param: name, least, largest, default
 * @together: why values in range do not go together, or NULL; may be NULL itself
 * @make: sketches it
 */
struct shape {
	const char *name;
	const char *unknown;
	const char *range;
	struct {
		const char *name;
		uint32_t min, max, normal;
	} param[MAX_PARAMS];
	const char *(*together)(const uint32_t *value);
	void (*make)(struct sketch *s, const uint32_t *value);
};

extern const struct shape ub_shape_mesh1d, ub_shape_mesh2d, ub_shape_superpod_a3, ub_shape_ubmesh_rack;

#endif /* UB_TOPO_PRESET_H */
