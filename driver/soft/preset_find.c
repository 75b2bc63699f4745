// SPDX-License-Identifier: GPL-2.0
/* Presets and their keys by name. Pure. */
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

#include "preset.h"

static const struct ub_preset * const ub_presets[] = {
	&ub_preset_mesh1d,
	&ub_preset_mesh2d,
	&ub_preset_superpod_a3,
	&ub_preset_ubmesh_rack,
};

/* NULL: there is none of this name. */
const struct ub_preset *ub_preset_find(const char *name)
{
	u32 i;

	for (i = 0; i < sizeof(ub_presets) / sizeof(ub_presets[0]); i++)
		if (!strcmp(ub_presets[i]->name, name))
			return ub_presets[i];
	return NULL;
}

/* Of a key in preset->key; -EINVAL: it has none of this name. */
int ub_preset_index(const struct ub_preset *preset, const char *key)
{
	int i;

	for (i = 0; i < UB_PRESET_MAX_KEYS && preset->key[i].name; i++)
		if (!strcmp(preset->key[i].name, key))
			return i;
	return -EINVAL;
}
