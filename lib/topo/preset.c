// SPDX-License-Identifier: BSD-2-Clause
/* From the name of a preset and its parameters to a graph. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "preset.h"

static const struct shape *const shapes[] = {
	&ub_shape_mesh1d, &ub_shape_mesh2d, &ub_shape_superpod_a3, &ub_shape_ubmesh_rack, NULL,
};

/* ---- sketching --------------------------------------------------------------- */

/* Makes room for @more; false: there is none. */
static bool grow(void **items, uint32_t *room, uint32_t nr, uint32_t more, size_t size)
{
	uint32_t want = *room ? *room : 64;
	void *bigger;

	if (nr + more <= *room)
		return true;
	while (want < nr + more)
		want *= 2;
	bigger = reallocarray(*items, want, size);
	if (!bigger)
		return false;
	*items = bigger;
	*room = want;
	return true;
}

static uint32_t sketch_ubpus(struct sketch *s, uint32_t nr, struct ub_topo_ubpu one)
{
	uint32_t first = s->nr_ubpus;

	if (!grow((void **)&s->ubpu, &s->room_ubpus, first, nr, sizeof(one)))
		s->broken = true;
	for (uint32_t i = 0; !s->broken && i < nr; i++)
		s->ubpu[first + i] = one;
	s->nr_ubpus += nr;
	return first;
}

uint32_t ub_sketch_npus(struct sketch *s, uint32_t nr, uint32_t mem_mib)
{
	return sketch_ubpus(s, nr, (struct ub_topo_ubpu){
		.type = UB_UBPU_NPU,
		.memory = (uint64_t)mem_mib << 20,
	});
}

uint32_t ub_sketch_switches(struct sketch *s, uint32_t nr)
{
	return sketch_ubpus(s, nr, (struct ub_topo_ubpu){ .type = UB_UBPU_SWITCH });
}

void ub_sketch_link(struct sketch *s, uint32_t a, uint32_t b, uint32_t lanes)
{
	if (!grow((void **)&s->link, &s->room_links, s->nr_links, 1, sizeof(*s->link)))
		s->broken = true;
	if (!s->broken)
		s->link[s->nr_links] = (struct ub_topo_link){
			.ubpu = { a, b },
			.lanes = lanes,
			.width = lanes,
			.lane_mbps = LANE_MBPS,
			.up = true,
		};
	s->nr_links++;
}

/* ---- parameters ---------------------------------------------------------------- */

static const struct shape *shape_find(const char *name)
{
	for (const struct shape *const *shape = shapes; *shape; shape++)
		if (!strcmp((*shape)->name, name))
			return *shape;
	return NULL;
}

static int take_param(const struct shape *shape, const struct ub_topo_param *param,
		      uint32_t *value, const char **why)
{
	for (int i = 0; i < MAX_PARAMS && shape->param[i].name; i++) {
		if (strcmp(shape->param[i].name, param->key))
			continue;
		*why = shape->range;
		if (param->value < shape->param[i].min || param->value > shape->param[i].max)
			return -ERANGE;
		value[i] = param->value;
		return 0;
	}
	*why = shape->unknown;
	return -EINVAL;
}

static int take_params(const struct shape *shape, const struct ub_topo_param *param, size_t nr,
		       uint32_t *value, const char **why)
{
	for (int i = 0; i < MAX_PARAMS; i++)
		value[i] = shape->param[i].normal;
	for (size_t i = 0; i < nr; i++) {
		int err = take_param(shape, &param[i], value, why);

		if (err)
			return err;
	}
	*why = shape->together ? shape->together(value) : NULL;
	return *why ? -EINVAL : 0;
}

int ub_topo_preset(struct ub_topo **topo, const char *preset, const struct ub_topo_param *param,
		   size_t nr, const char **why)
{
	const struct shape *shape = shape_find(preset);
	uint32_t value[MAX_PARAMS];
	struct sketch s = {};
	const char *unused;
	int err;

	*topo = NULL;
	why = why ? why : &unused;
	if (!shape) {
		*why = "the presets are mesh1d, mesh2d, superpod-a3, ubmesh-rack";
		return -EOPNOTSUPP;
	}
	err = take_params(shape, param, nr, value, why);
	if (err)
		return err;
	shape->make(&s, value);
	err = s.broken ? -ENOMEM : ub_topo_make(topo, s.ubpu, s.nr_ubpus, s.link, s.nr_links);
	free(s.link);
	free(s.ubpu);
	return err;
}
