// SPDX-License-Identifier: BSD-2-Clause
/*
 * lib/topo beside the kernel's presets, driver/soft/preset_*.c, which are linked into
 * tests only: equal graphs, equal parameters. And what the published numbers add
 * up to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "topo_pods.h"

static const char *const names[] = { "mesh1d", "mesh2d", "superpod-a3", "ubmesh-rack" };

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
				snprintf(range, sizeof(range), "lanes %s1, 2, 4 or %u", is,
					 key->max);
			else
				snprintf(range, sizeof(range), "%s %s%u to %u", key->name, is,
					 key->min, key->max);
			if (!strstr(preset->ranges, range))
				fail_msg("'%s' does not say '%s'", preset->ranges, range);
		}
		assert_non_null(strstr(UB_PRESET_NONE, preset->name));
	}
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
	static const struct ub_topo_link good = {
		.ubpu = { 1, 0 }, .lanes = 4, .width = 2, .up = true,
	};
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
		cmocka_unit_test(cloudmatrix384_adds_up),
		cmocka_unit_test(ubmesh_rack_adds_up),
		cmocka_unit_test(mesh_of_8_adds_up),
		cmocka_unit_test(arrays_that_are_no_graph_are_refused),
	};

	return cmocka_run_group_tests_name("topo", tests, NULL, NULL);
}
