// SPDX-License-Identifier: BSD-2-Clause
/* Pods of presets for tests: topo_pods.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "topo_pods.h"

const struct given small[NR_SMALL] = {
	{ "mesh1d" },
	{ "mesh1d", { { "npus", 2 }, { "lanes", 1 }, { "mem_mib", 64 } } },
	{ "mesh1d", { { "npus", 3 }, { "lanes", 8 } } },
	{ "mesh2d" },
	{ "mesh2d", { { "rows", 1 }, { "cols", 8 } } },
	{ "mesh2d", { { "rows", 5 }, { "cols", 1 }, { "lanes", 2 } } },
	{ "mesh2d", { { "rows", 3 }, { "cols", 7 } } },
	{ "superpod-a3" },
	{ "superpod-a3", { { "nodes", 1 }, { "planes", 1 }, { "l2", 1 } } },
	{ "superpod-a3", { { "nodes", 3 }, { "planes", 2 }, { "l2", 3 } } },
	{ "superpod-a3", { { "nodes", 4 }, { "planes", 4 }, { "l2", 2 } } },
	{ "ubmesh-rack" },
	{ "ubmesh-rack", { { "spare", 0 }, { "mem_mib", 1 } } },
};

const struct given large[NR_LARGE] = {
	{ "mesh1d", { { "npus", 64 } } },
	{ "mesh2d", { { "rows", 8 }, { "cols", 48 } } },
	{ "mesh2d", { { "rows", 64 }, { "cols", 6 } } },
	{ "superpod-a3", { { "nodes", 48 } } },
};

static size_t nr_params(const struct given *given)
{
	size_t nr = 0;

	while (nr < COUNT(given->param) && given->param[nr].key)
		nr++;
	return nr;
}

static void *zeroed(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size);

	assert_non_null(p);
	return p;
}

int kernel_values(const struct ub_preset *preset, const struct ub_topo_param *param, size_t nr,
		  u32 *value)
{
	for (u32 i = 0; i < UB_PRESET_MAX_KEYS; i++)
		value[i] = preset->key[i].value;
	for (size_t i = 0; i < nr; i++) {
		int at = ub_preset_index(preset, param[i].key);

		if (at < 0)
			return -EINVAL;
		if (param[i].value < preset->key[at].min || param[i].value > preset->key[at].max)
			return -ERANGE;
		value[at] = param[i].value;
	}
	return preset->refuse && preset->refuse(value) ? -EINVAL : 0;
}

/* As link.c of the kernel does. */
void kernel_pod_make(struct kernel_pod *pod, const struct given *given)
{
	const struct ub_preset *preset = ub_preset_find(given->preset);
	struct ub_blueprint size = {}, *paper = &pod->paper;
	u32 value[UB_PRESET_MAX_KEYS];

	assert_non_null(preset);
	assert_int_equal(kernel_values(preset, given->param, nr_params(given), value), 0);
	preset->draw(&size, value);
	*paper = (struct ub_blueprint){
		.ubpu = zeroed(size.nr_ubpus, sizeof(*paper->ubpu)),
		.link = zeroed(size.nr_links, sizeof(*paper->link)),
	};
	preset->draw(paper, value);
	assert_int_equal(paper->nr_ubpus, size.nr_ubpus);
	assert_int_equal(paper->nr_links, size.nr_links);

	pod->vertex = zeroed(paper->nr_ubpus, sizeof(*pod->vertex));
	pod->edge = zeroed(paper->nr_links, sizeof(*pod->edge));
	pod->index = zeroed(paper->nr_links, 2 * sizeof(*pod->index));
	for (u32 i = 0; i < paper->nr_ubpus; i++)
		pod->vertex[i].is_switch = paper->ubpu[i].type == UB_UBPU_SWITCH;
	ub_graph_build(pod->vertex, paper->nr_ubpus, pod->edge, pod->index, paper->link,
		       paper->nr_links);
	pod->graph = (struct ub_graph){ pod->vertex, pod->edge, pod->index };
}

void kernel_pod_free(struct kernel_pod *pod)
{
	free(pod->index);
	free(pod->edge);
	free(pod->vertex);
	free(pod->paper.link);
	free(pod->paper.ubpu);
}

struct ub_topo *topo_make(const struct given *given)
{
	const char *why = NULL;
	struct ub_topo *topo;
	int ret = ub_topo_preset(&topo, given->preset, given->param, nr_params(given), &why);

	if (ret)
		fail_msg("%s: %s", given->preset, why);
	return topo;
}
