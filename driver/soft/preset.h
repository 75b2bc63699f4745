/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Presets as data: a name, keys with their ranges, and a function that draws the
 * pod. Pure.
 *
 * lib/topo makes the same graphs under another licence; tests compare them.
 */
#ifndef _UB_SOFT_PRESET_H
#define _UB_SOFT_PRESET_H

#include "blueprint.h"

#define UB_PRESET_MAX_KEYS	4
#define UB_PRESET_MAX_NPUS	384	/* of one pod */
#define UB_PRESET_MAX_MIB	(1u << 24)

/* As much as a die of an Ascend 910C has; the package has two. */
#define UB_PRESET_DIE_MIB	65536

/**
 * struct ub_preset_key - a parameter
 * @name:	as it is typed
 * @min:	least value
 * @max:	largest
 * @value:	when nothing is said
 */
struct ub_preset_key {
	const char *name;
	u32 min;
	u32 max;
	u32 value;
};

/**
 * struct ub_preset - a family of pods
 * @name:	as it is typed
 * @keys:	a sentence with the names of its keys
 * @ranges:	a sentence with what their values can be
 * @key:	the keys; nameless ones are not there
 * @refuse:	may be NULL; says why values in range do not go together, or NULL
 * @draw:	draws the pod; @value is one per key
 */
struct ub_preset {
	const char *name;
	const char *keys;
	const char *ranges;
	struct ub_preset_key key[UB_PRESET_MAX_KEYS];
	const char *(*refuse)(const u32 *value);
	void (*draw)(struct ub_blueprint *paper, const u32 *value);
};

extern const struct ub_preset ub_preset_mesh1d;
extern const struct ub_preset ub_preset_mesh2d;
extern const struct ub_preset ub_preset_superpod_a3;
extern const struct ub_preset ub_preset_ubmesh_rack;

#define UB_PRESET_NONE \
	"no such preset; there is mesh1d, mesh2d, superpod-a3, ubmesh-rack"

const struct ub_preset *ub_preset_find(const char *name);
int ub_preset_index(const struct ub_preset *preset, const char *key);

/* A full mesh in each row and in each column; NPU (r, c) is r * cols + c. */
void ub_draw_mesh(struct ub_blueprint *paper, u32 rows, u32 cols, u32 lanes);

#endif /* _UB_SOFT_PRESET_H */
