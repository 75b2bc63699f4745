// SPDX-License-Identifier: BSD-2-Clause
/*
 * lib/topo beside the kernel's presets and router, driver/soft/preset_*.c and
 * driver/core/route.c, which are linked into this test only: equal graphs, equal
 * parameters, equal routes with links up and down. And what the published numbers
 * add up to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/route.h"
#include "soft/preset.h"
#include "topo/topo.h"

static const char *const names[] = { "mesh1d", "mesh2d", "superpod-a3", "ubmesh-rack" };

/* A preset with some parameters. */
struct given {
	const char *preset;
	struct ub_topo_param param[3];
};

/* Small ones, of which all is compared, and large ones. */
static const struct given small[] = {
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

static const struct given large[] = {
	{ "mesh1d", { { "npus", 64 } } },
	{ "mesh2d", { { "rows", 8 }, { "cols", 48 } } },
	{ "mesh2d", { { "rows", 64 }, { "cols", 6 } } },
	{ "superpod-a3", { { "nodes", 48 } } },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static size_t nr_params(const struct given *given)
{
	size_t nr = 0;

	while (nr < COUNT(given->param) && given->param[nr].key)
		nr++;
	return nr;
}

/* ---- the kernel's side --------------------------------------------------------- */

struct kernel_pod {
	struct ub_blueprint paper;
	struct ub_vertex *vertex;
	struct ub_edge *edge;
	u32 *index;
	struct ub_graph graph;
};

static void *zeroed(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size);

	assert_non_null(p);
	return p;
}

/* As preset.c of the kernel does. */
static int kernel_values(const struct ub_preset *preset, const struct ub_topo_param *param,
			 size_t nr, u32 *value)
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
static void kernel_pod_make(struct kernel_pod *pod, const struct given *given)
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

static void kernel_pod_free(struct kernel_pod *pod)
{
	free(pod->index);
	free(pod->edge);
	free(pod->vertex);
	free(pod->paper.link);
	free(pod->paper.ubpu);
}

static struct ub_topo *topo_make(const struct given *given)
{
	const char *why = NULL;
	struct ub_topo *topo;
	int ret = ub_topo_preset(&topo, given->preset, given->param, nr_params(given), &why);

	if (ret)
		fail_msg("%s: %s", given->preset, why);
	return topo;
}

/* ---- graphs -------------------------------------------------------------------- */

static void compare_ubpus(const struct kernel_pod *pod, const struct ub_topo *topo)
{
	assert_int_equal(topo->nr_ubpus, pod->paper.nr_ubpus);
	assert_int_equal(topo->nr_npus, pod->paper.nr_npus);
	for (u32 u = 0; u < topo->nr_ubpus; u++) {
		assert_int_equal(topo->ubpu[u].type, pod->paper.ubpu[u].type);
		assert_int_equal(topo->ubpu[u].memory, pod->paper.ubpu[u].mem_size);
		assert_int_equal(topo->ubpu[u].nr_ports, pod->vertex[u].nr);
		for (u32 p = 0; p < topo->ubpu[u].nr_ports; p++)
			assert_int_equal(ub_topo_at(topo, u, p) - topo->link,
					 pod->index[pod->vertex[u].first + p]);
	}
}

static void compare_links(const struct kernel_pod *pod, const struct ub_topo *topo)
{
	assert_int_equal(topo->nr_links, pod->paper.nr_links);
	for (u32 l = 0; l < topo->nr_links; l++) {
		const struct ub_topo_link *link = &topo->link[l];

		for (int e = 0; e < 2; e++) {
			assert_int_equal(link->ubpu[e], pod->edge[l].end[e]);
			assert_int_equal(link->port[e], pod->edge[l].port[e]);
		}
		assert_int_equal(link->lanes, pod->paper.link[l].width);
		assert_int_equal(link->width, link->lanes);
		assert_int_equal(link->lane_mbps, pod->paper.link[l].lane_mbps);
		assert_true(link->up && pod->edge[l].up);
	}
}

static void compare_graph(const struct given *given)
{
	struct ub_topo *topo = topo_make(given);
	struct kernel_pod pod;

	kernel_pod_make(&pod, given);
	compare_ubpus(&pod, topo);
	compare_links(&pod, topo);
	kernel_pod_free(&pod);
	ub_topo_free(topo);
}

static void graphs_are_the_kernels(void **state)
{
	for (size_t i = 0; i < COUNT(small); i++)
		compare_graph(&small[i]);
	for (size_t i = 0; i < COUNT(large); i++)
		compare_graph(&large[i]);
}

/* NPUs have as many ports in sysfs as they have. */
static void no_npu_has_more_ports_than_sysfs_shows(void **state)
{
	for (size_t i = 0; i < COUNT(large); i++) {
		struct ub_topo *topo = topo_make(&large[i]);

		for (u32 u = 0; u < topo->nr_npus; u++)
			assert_true(topo->ubpu[u].nr_ports <= 128);
		ub_topo_free(topo);
	}
}

/* ---- parameters ------------------------------------------------------------------- */

static int topo_accepts(const char *preset, const struct ub_topo_param *param, const char **why)
{
	struct ub_topo *topo;
	int ret = ub_topo_preset(&topo, preset, param, 1, why);

	assert_true(!topo == !!ret);
	ub_topo_free(topo);
	return ret;
}

static void compare_param(const struct ub_preset *preset, const char *key, u32 value)
{
	const struct ub_topo_param param = { key, value };
	u32 values[UB_PRESET_MAX_KEYS];
	const char *why = NULL;
	int want = kernel_values(preset, &param, 1, values);

	if (topo_accepts(preset->name, &param, &why) != want)
		fail_msg("%s %s %u: not the kernel's %d", preset->name, key, value, want);
	assert_true(!why == !want);
}

static void parameters_are_the_kernels(void **state)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct ub_preset *preset = ub_preset_find(names[i]);

		assert_non_null(preset);
		compare_param(preset, "colour", 1);
		for (u32 k = 0; k < UB_PRESET_MAX_KEYS && preset->key[k].name; k++) {
			const struct ub_preset_key *key = &preset->key[k];

			for (u32 value = 0; value < 70; value++)
				compare_param(preset, key->name, value);
			compare_param(preset, key->name, key->max);
			compare_param(preset, key->name, key->max + 1);
			compare_param(preset, key->name, UINT32_MAX);
		}
	}
	assert_null(ub_preset_find("mesh3d"));
	assert_int_equal(topo_accepts("mesh3d", NULL, &(const char *){ NULL }), -EOPNOTSUPP);
}

static void too_large_meshes_are_refused_by_both(void **state)
{
	static const struct ub_topo_param param[] = { { "rows", 20 }, { "cols", 20 } };
	const struct ub_preset *preset = ub_preset_find("mesh2d");
	u32 values[UB_PRESET_MAX_KEYS];
	struct ub_topo *topo;

	assert_int_equal(kernel_values(preset, param, 2, values), -EINVAL);
	assert_int_equal(ub_topo_preset(&topo, "mesh2d", param, 2, NULL), -EINVAL);
	assert_null(topo);
}

/* What is said names each key with the range that is enforced. */
static void sentences_tell_keys_and_ranges(void **state)
{
	char range[64];

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct ub_preset *preset = ub_preset_find(names[i]);

		for (u32 k = 0; k < UB_PRESET_MAX_KEYS && preset->key[k].name; k++) {
			const struct ub_preset_key *key = &preset->key[k];
			const char *is = k ? "" : "is ";

			assert_non_null(strstr(preset->keys, key->name));
			if (!strcmp(key->name, "lanes"))
				snprintf(range, sizeof(range), "lanes %s1, 2, 4 or %u", is, key->max);
			else
				snprintf(range, sizeof(range), "%s %s%u to %u", key->name, is,
					 key->min, key->max);
			if (!strstr(preset->ranges, range))
				fail_msg("'%s' does not say '%s'", preset->ranges, range);
		}
		assert_non_null(strstr(UB_PRESET_NONE, preset->name));
	}
}

/* ---- routes ---------------------------------------------------------------------- */

static void compare_route(const struct kernel_pod *pod, const struct ub_topo *topo, u32 a, u32 b)
{
	struct ub_topo_route mine;
	struct ub_route theirs;
	int ret = ub_topo_route(topo, a, b, &mine);

	if (ret != ub_route_find(&pod->graph, a, b, &theirs) || mine.nr != theirs.nr)
		fail_msg("from %u to %u: %d, %u hops; the kernel's has %u", a, b, ret, mine.nr,
			 theirs.nr);
	for (u32 i = 0; i < mine.nr; i++)
		if ((mine.hop[i].link << 1 | mine.hop[i].end) != theirs.hop[i])
			fail_msg("from %u to %u: hop %u is link %u, the kernel's is %u", a, b, i,
				 mine.hop[i].link, theirs.hop[i] >> 1);
}

static void compare_routes(const struct kernel_pod *pod, const struct ub_topo *topo, u32 nr)
{
	for (u32 a = 0; a < nr; a++)
		for (u32 b = 0; b < nr; b++)
			compare_route(pod, topo, a, b);
}

static void set_link(struct kernel_pod *pod, struct ub_topo *topo, u32 l, bool up)
{
	pod->edge[l].up = up;
	assert_int_equal(ub_topo_set_link(topo, l, up, topo->link[l].width), 0);
}

/* Switches are ends of routes too, but nothing depends on it: small pods only. */
static void routes_are_the_kernels(void **state)
{
	struct kernel_pod pod;
	struct ub_topo *topo;

	for (size_t i = 0; i < COUNT(small) + COUNT(large); i++) {
		bool all = i < COUNT(small);
		const struct given *given = all ? &small[i] : &large[i - COUNT(small)];

		topo = topo_make(given);
		kernel_pod_make(&pod, given);
		compare_routes(&pod, topo, all ? topo->nr_ubpus : topo->nr_npus);
		kernel_pod_free(&pod);
		ub_topo_free(topo);
	}
}

static unsigned int seed(void)
{
	const char *env = getenv("UB_TEST_SEED");
	unsigned int value = env ? strtoul(env, NULL, 0) : 1;

	print_message("UB_TEST_SEED=%u\n", value);
	srand(value);
	return value;
}

/* From a few links down to a few up. */
static void routes_with_links_down_are_the_kernels(void **state)
{
	seed();
	for (size_t i = 0; i < COUNT(small); i++) {
		struct ub_topo *topo = topo_make(&small[i]);
		struct kernel_pod pod;

		kernel_pod_make(&pod, &small[i]);
		for (int of_8 = 1; of_8 < 8; of_8++) {
			for (u32 l = 0; l < topo->nr_links; l++)
				set_link(&pod, topo, l, rand() % 8 >= of_8);
			compare_routes(&pod, topo, topo->nr_ubpus);
		}
		kernel_pod_free(&pod);
		ub_topo_free(topo);
	}
}

static void routes_of_384_npus_with_links_down(void **state)
{
	const struct given *given = &large[COUNT(large) - 1];
	struct ub_topo *topo = topo_make(given);
	struct kernel_pod pod;

	seed();
	kernel_pod_make(&pod, given);
	for (u32 l = 0; l < topo->nr_links; l++)
		set_link(&pod, topo, l, rand() % 10);
	for (u32 i = 0; i < 20000; i++)
		compare_route(&pod, topo, rand() % topo->nr_npus, rand() % topo->nr_npus);
	kernel_pod_free(&pod);
	ub_topo_free(topo);
}

/* Any graph: parallel links, switches in chains, CPUs. From arrays. */
static void random_graphs_route_alike(void **state)
{
	seed();
	for (int turn = 0; turn < 500; turn++) {
		u32 nr = 2 + rand() % 12, nr_links = rand() % (4 * nr);
		struct ub_topo_ubpu ubpu[16] = {};
		struct ub_topo_link link[64] = {};
		struct ub_link_desc desc[64] = {};
		struct ub_vertex vertex[16] = {};
		struct ub_edge edge[64];
		u32 index[128], npus = rand() % nr;
		struct kernel_pod pod = { .graph = { vertex, edge, index }, .edge = edge };
		struct ub_topo *topo;

		for (u32 u = 0; u < nr; u++) {
			ubpu[u].type = u < npus ? UB_UBPU_NPU :
				       rand() % 4 ? UB_UBPU_SWITCH : UB_UBPU_CPU;
			vertex[u].is_switch = ubpu[u].type == UB_UBPU_SWITCH;
		}
		for (u32 l = 0; l < nr_links; l++) {
			u32 a = rand() % nr, b = (a + 1 + rand() % (nr - 1)) % nr;

			desc[l] = (struct ub_link_desc){ .ubpu = { a, b } };
			link[l] = (struct ub_topo_link){ .ubpu = { a, b }, .lanes = 1, .width = 1 };
		}
		ub_graph_build(vertex, nr, edge, index, desc, nr_links);
		assert_int_equal(ub_topo_make(&topo, ubpu, nr, link, nr_links), 0);
		for (u32 l = 0; l < nr_links; l++)
			set_link(&pod, topo, l, rand() % 5);
		compare_routes(&pod, topo, nr);
		ub_topo_free(topo);
	}
}

/* ---- what routes are good for --------------------------------------------------------- */

/* NPU i of every node sends to NPU i of the next: no plane and no L2 is crowded. */
static void equal_distances_spread(void **state)
{
	static const struct given a3 = { "superpod-a3", { { "nodes", 48 }, { "planes", 4 } } };
	struct ub_topo *topo = topo_make(&a3);
	u32 l1 = topo->nr_npus, l2 = l1 + 48 * 4, plane[4] = {}, upper[64] = {};
	struct ub_topo_route route;

	for (u32 a = 0; a < topo->nr_npus; a++) {
		assert_int_equal(ub_topo_route(topo, a, (a + 8) % topo->nr_npus, &route), 0);
		assert_int_equal(route.nr, 4);
		plane[(topo->link[route.hop[0].link].ubpu[1] - l1) % 4]++;
		upper[topo->link[route.hop[1].link].ubpu[1] - l2]++;
	}
	for (int p = 0; p < 4; p++)
		assert_in_range(plane[p], 384 / 4 / 2, 384 / 4 * 2);
	for (int s = 0; s < 64; s++)	/* six are expected */
		assert_in_range(upper[s], 1, 16);
	ub_topo_free(topo);
}

/* Only the pairs that used a link move when it goes down. */
static void a_dead_link_moves_only_its_pairs(void **state)
{
	static const struct given a3 = { "superpod-a3", { { "nodes", 3 } } };
	struct ub_topo *topo = topo_make(&a3);
	u32 dead = 5;	/* NPU 5 to plane 0 */
	struct ub_topo_route before[24][24], after;

	for (u32 a = 0; a < 24; a++)
		for (u32 b = 0; b < 24; b++)
			assert_int_equal(ub_topo_route(topo, a, b, &before[a][b]), 0);
	assert_int_equal(ub_topo_set_link(topo, dead, false, 1), 0);
	for (u32 a = 0; a < 24; a++) {
		for (u32 b = 0; b < 24; b++) {
			bool used = false;

			assert_int_equal(ub_topo_route(topo, a, b, &after), 0);
			for (u32 i = 0; i < before[a][b].nr; i++)
				used |= before[a][b].hop[i].link == dead;
			for (u32 i = 0; i < after.nr; i++)
				assert_int_not_equal(after.hop[i].link, dead);
			assert_true(used || (after.nr == before[a][b].nr &&
				    !memcmp(after.hop, before[a][b].hop,
					    after.nr * sizeof(after.hop[0]))));
		}
	}
	ub_topo_free(topo);
}

/* ---- published numbers -------------------------------------------------------------------- */

static uint64_t rate_between(const struct ub_topo *topo, u32 first, u32 last, u32 *nr)
{
	uint64_t rate = 0;

	*nr = 0;
	for (u32 l = 0; l < topo->nr_links; l++) {
		if (topo->link[l].ubpu[0] < first || topo->link[l].ubpu[0] >= last)
			continue;
		rate += ub_topo_link_rate(&topo->link[l]);
		++*nr;
	}
	return rate;
}

static void cloudmatrix384_adds_up(void **state)
{
	static const struct given a3 = { "superpod-a3", { { "nodes", 48 } } };
	struct ub_topo *topo = topo_make(&a3);
	uint64_t memory = 0;
	u32 nr;

	assert_int_equal(topo->nr_npus, 384);
	assert_int_equal(topo->nr_ubpus, 384 + 48 * 7 + 7 * 16);
	for (u32 u = 0; u < 384; u++) {
		assert_int_equal(ub_topo_ubpu_rate(topo, u), UINT64_C(392000000000));
		memory += topo->ubpu[u].memory;
	}
	assert_int_equal(memory >> 30, 49152);
	/* From NPUs, and from L1 to L2: 150.5 TB/s both, over 5,376 links. */
	assert_int_equal(rate_between(topo, 0, 384, &nr), 384 * UINT64_C(392000000000));
	assert_int_equal(nr, 384 * 7);
	assert_int_equal(rate_between(topo, 384, topo->nr_ubpus, &nr),
			 7 * 16 * 48 * UINT64_C(28000000000));
	assert_int_equal(nr, 5376);
	assert_int_equal(384 * UINT64_C(392000000000), 7 * 16 * 48 * UINT64_C(28000000000));
	for (u32 u = 384 + 336; u < topo->nr_ubpus; u++)
		assert_int_equal(topo->ubpu[u].nr_ports, 48);
	ub_topo_free(topo);
}

static u32 lanes_of(const struct ub_topo *topo, u32 ubpu, bool to_switches)
{
	u32 lanes = 0;

	for (u32 p = 0; p < topo->ubpu[ubpu].nr_ports; p++) {
		const struct ub_topo_link *link = ub_topo_at(topo, ubpu, p);

		if ((topo->ubpu[ub_topo_far(link, ubpu)].type == UB_UBPU_SWITCH) == to_switches)
			lanes += link->lanes;
	}
	return lanes;
}

static void ubmesh_rack_adds_up(void **state)
{
	static const struct given rack = { "ubmesh-rack" };
	struct ub_topo *topo = topo_make(&rack);
	struct ub_topo_route route;
	u32 lrs = 0;

	assert_int_equal(topo->nr_npus, 65);
	for (u32 u = 0; u < 64; u++) {
		assert_int_equal(lanes_of(topo, u, false), 14 * 4);
		assert_int_equal(lanes_of(topo, u, true), 16);
		assert_int_equal(topo->ubpu[u].nr_ports, 18);	/* x72, as Ascend 950 has */
		assert_int_equal(ub_topo_ubpu_rate(topo, u), UINT64_C(1008000000000));
		lrs += lanes_of(topo, u, true);
		/* One more hop to the spare than to a neighbour. */
		assert_int_equal(ub_topo_route(topo, u, 64, &route), 0);
		assert_int_equal(route.nr, 2);
		assert_int_equal(topo->ubpu[topo->link[route.hop[0].link].ubpu[1]].type,
				 UB_UBPU_SWITCH);
	}
	assert_int_equal(lrs, 1024);	/* 4 · x256 */
	ub_topo_free(topo);
}

/* A board of UB-Mesh: 392 GB/s to its 7 neighbours. */
static void mesh_of_8_adds_up(void **state)
{
	static const struct given given[] = {
		{ "mesh1d" }, { "mesh2d", { { "rows", 1 }, { "cols", 8 } } },
	};
	struct ub_topo_route route;

	for (int i = 0; i < 2; i++) {
		struct ub_topo *topo = topo_make(&given[i]);

		assert_int_equal(topo->nr_links, 28);
		assert_int_equal(ub_topo_ubpu_rate(topo, 3), UINT64_C(392000000000));
		/* Port p leads to NPU p, from p = i on to p + 1. */
		for (u32 p = 0; p < 7; p++)
			assert_int_equal(ub_topo_far(ub_topo_at(topo, 3, p), 3), p + (p >= 3));
		assert_int_equal(ub_topo_set_link(topo, 0, true, 3), 0);
		assert_int_equal(ub_topo_route(topo, 0, 1, &route), 0);
		assert_int_equal(ub_topo_route_rate(topo, &route), UINT64_C(42000000000));
		assert_int_equal(ub_topo_route(topo, 1, 1, &route), 0);
		assert_int_equal(ub_topo_route_rate(topo, &route), UINT64_MAX);
		ub_topo_free(topo);
	}
}

/* ---- arrays ---------------------------------------------------------------------------- */

static void arrays_that_are_no_graph_are_refused(void **state)
{
	static const struct ub_topo_ubpu ubpu[] = {
		{ UB_UBPU_NPU }, { UB_UBPU_SWITCH }, { UB_UBPU_NPU }, { 4 }, { 0 },
	};
	static const struct ub_topo_link bad[] = {
		{ .ubpu = { 0, 2 }, .lanes = 1, .width = 1 },
		{ .ubpu = { UINT32_MAX, 0 }, .lanes = 1, .width = 1 },
		{ .ubpu = { 1, 1 }, .lanes = 1, .width = 1 },
		{ .ubpu = { 0, 1 }, .lanes = 1, .width = 2 },
		{ .ubpu = { 0, 1 }, .lanes = 1, .width = 0 },
	};
	static const struct ub_topo_link good = { .ubpu = { 1, 0 }, .lanes = 4, .width = 2, .up = true };
	struct ub_topo_route route;
	struct ub_topo *topo;

	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(ub_topo_make(&topo, ubpu, 2, &bad[i], 1), -EINVAL);
		assert_null(topo);
	}
	assert_int_equal(ub_topo_make(&topo, ubpu, 0, &good, 0), -EINVAL);
	assert_int_equal(ub_topo_make(&topo, ubpu, 3, &good, 1), -EINVAL);
	assert_int_equal(ub_topo_make(&topo, ubpu + 3, 1, &good, 0), -EINVAL);
	assert_int_equal(ub_topo_make(&topo, ubpu + 4, 1, &good, 0), -EINVAL);

	assert_int_equal(ub_topo_make(&topo, ubpu, 2, &good, 1), 0);
	assert_int_equal(ub_topo_route(topo, 0, 1, &route), 0);
	assert_int_equal(route.hop[0].end, 1);
	assert_int_equal(ub_topo_route(topo, 0, 2, &route), -EINVAL);
	assert_int_equal(ub_topo_set_link(topo, 0, true, 5), -ERANGE);
	assert_int_equal(ub_topo_set_link(topo, 1, true, 1), -ERANGE);
	assert_int_equal(ub_topo_set_link(topo, 0, false, 1), 0);
	assert_int_equal(ub_topo_route(topo, 0, 1, &route), -ENOLINK);
	assert_int_equal(ub_topo_ubpu_rate(topo, 0), 0);
	ub_topo_free(topo);
	assert_int_equal(ub_topo_make(&topo, ubpu, 1, NULL, 0), 0);
	ub_topo_free(topo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(graphs_are_the_kernels),
		cmocka_unit_test(no_npu_has_more_ports_than_sysfs_shows),
		cmocka_unit_test(parameters_are_the_kernels),
		cmocka_unit_test(too_large_meshes_are_refused_by_both),
		cmocka_unit_test(sentences_tell_keys_and_ranges),
		cmocka_unit_test(routes_are_the_kernels),
		cmocka_unit_test(routes_with_links_down_are_the_kernels),
		cmocka_unit_test(routes_of_384_npus_with_links_down),
		cmocka_unit_test(random_graphs_route_alike),
		cmocka_unit_test(equal_distances_spread),
		cmocka_unit_test(a_dead_link_moves_only_its_pairs),
		cmocka_unit_test(cloudmatrix384_adds_up),
		cmocka_unit_test(ubmesh_rack_adds_up),
		cmocka_unit_test(mesh_of_8_adds_up),
		cmocka_unit_test(arrays_that_are_no_graph_are_refused),
	};

	return cmocka_run_group_tests_name("topo", tests, NULL, NULL);
}
