// SPDX-License-Identifier: BSD-2-Clause
/*
 * Routes of lib/topo beside those of the kernel's router, driver/core/route.c: equal
 * with links up and down. And what routes must be good for.
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

static void seed(void)
{
	const char *env = getenv("UB_TEST_SEED");
	unsigned int value = env ? strtoul(env, NULL, 0) : 1;

	print_message("UB_TEST_SEED=%u\n", value);
	srand(value);
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
			if (used)
				continue;
			assert_int_equal(after.nr, before[a][b].nr);
			assert_memory_equal(after.hop, before[a][b].hop,
					    after.nr * sizeof(after.hop[0]));
		}
	}
	ub_topo_free(topo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_are_the_kernels),
		cmocka_unit_test(routes_with_links_down_are_the_kernels),
		cmocka_unit_test(routes_of_384_npus_with_links_down),
		cmocka_unit_test(random_graphs_route_alike),
		cmocka_unit_test(equal_distances_spread),
		cmocka_unit_test(a_dead_link_moves_only_its_pairs),
	};

	return cmocka_run_group_tests_name("topo_routes", tests, NULL, NULL);
}
