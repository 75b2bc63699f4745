// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's router, driver/core/route.c, in user space: against a brute-force
 * search that knows the rules but not the code, on meshes, on two levels of
 * switches, and on random graphs with links down.
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

#define MAX_UBPUS 64
#define MAX_LINKS 2048

struct pod {
	struct ub_vertex vertex[MAX_UBPUS];
	struct ub_edge edge[MAX_LINKS];
	u32 index[2 * MAX_LINKS];
	struct ub_graph graph;
	u32 nr_ubpus, nr_links;
};

static void pod_link(struct pod *pod, u32 a, u32 b)
{
	assert_true(pod->nr_links < MAX_LINKS);
	pod->edge[pod->nr_links++] = (struct ub_edge){ .end = { a, b }, .up = true };
}

/* Sorts the links by UBPU, as the kernel does. */
static void pod_finish(struct pod *pod, u32 nr_ubpus)
{
	u32 next = 0, v, l;

	pod->nr_ubpus = nr_ubpus;
	for (v = 0; v < nr_ubpus; v++) {
		pod->vertex[v].first = next;
		for (l = 0; l < pod->nr_links; l++)
			if (pod->edge[l].end[0] == v || pod->edge[l].end[1] == v)
				pod->index[next++] = l;
		pod->vertex[v].nr = next - pod->vertex[v].first;
	}
	pod->graph = (struct ub_graph){ pod->vertex, pod->edge, pod->index };
}

static void make_mesh(struct pod *pod, u32 n)
{
	u32 a, b;

	memset(pod, 0, sizeof(*pod));
	for (a = 0; a < n; a++)
		for (b = a + 1; b < n; b++)
			pod_link(pod, a, b);
	pod_finish(pod, n);
}

/* Two nodes of four NPUs; per plane a switch in each node and two above. */
static void make_two_levels(struct pod *pod)
{
	u32 plane, node, i, top;

	memset(pod, 0, sizeof(*pod));
	for (plane = 0; plane < 2; plane++) {
		for (node = 0; node < 2; node++) {
			u32 l1 = 8 + plane * 4 + node;

			pod->vertex[l1].is_switch = true;
			for (i = 0; i < 4; i++)
				pod_link(pod, node * 4 + i, l1);
			for (top = 0; top < 2; top++) {
				u32 l2 = 8 + plane * 4 + 2 + top;

				pod->vertex[l2].is_switch = true;
				pod_link(pod, l1, l2);
			}
		}
	}
	pod_finish(pod, 16);
}

static bool adjacent(const struct pod *pod, u32 a, u32 b)
{
	for (u32 l = 0; l < pod->nr_links; l++)
		if (pod->edge[l].up &&
		    ((pod->edge[l].end[0] == a && pod->edge[l].end[1] == b) ||
		     (pod->edge[l].end[1] == a && pod->edge[l].end[0] == b)))
			return true;
	return false;
}

/* Is there a way from @a to @b of exactly @hops with only (no) switches between? */
static bool reachable(const struct pod *pod, u32 a, u32 b, bool over_switch, u32 hops)
{
	if (hops == 1)
		return adjacent(pod, a, b);
	for (u32 m = 0; m < pod->nr_ubpus; m++)
		if (pod->vertex[m].is_switch == over_switch && adjacent(pod, a, m) &&
		    reachable(pod, m, b, over_switch, hops - 1))
			return true;
	return false;
}

/* What the rules say: the number of hops, or -ENOLINK. */
static int expected_hops(const struct pod *pod, u32 a, u32 b)
{
	if (a == b)
		return 0;
	if (adjacent(pod, a, b))
		return 1;
	if (reachable(pod, a, b, true, 2))
		return 2;
	if (reachable(pod, a, b, true, 4))
		return 4;
	return reachable(pod, a, b, false, 2) ? 2 : -ENOLINK;
}

/* The route must be a chain of links that are up, and of the right length. */
static void check_route(const struct pod *pod, u32 a, u32 b)
{
	int want = expected_hops(pod, a, b);
	struct ub_route route;
	u32 at = a, i;

	if (want < 0) {
		assert_int_equal(ub_route_find(&pod->graph, a, b, &route), want);
		return;
	}
	assert_int_equal(ub_route_find(&pod->graph, a, b, &route), 0);
	assert_int_equal(route.nr, want);
	for (i = 0; i < route.nr; i++) {
		const struct ub_edge *edge = &pod->edge[route.hop[i] >> 1];

		assert_true(edge->up);
		assert_int_equal(edge->end[route.hop[i] & 1], at);
		at = edge->end[!(route.hop[i] & 1)];
	}
	assert_int_equal(at, b);
}

static void check_all(const struct pod *pod)
{
	for (u32 a = 0; a < pod->nr_ubpus; a++)
		for (u32 b = 0; b < pod->nr_ubpus; b++)
			if (!pod->vertex[a].is_switch && !pod->vertex[b].is_switch)
				check_route(pod, a, b);
}

static void mesh_is_direct(void **state)
{
	static struct pod pod;

	make_mesh(&pod, 8);
	check_all(&pod);
}

static void dead_link_is_detoured(void **state)
{
	static struct pod pod;

	make_mesh(&pod, 8);
	for (u32 l = 0; l < pod.nr_links; l++) {
		pod.edge[l].up = false;
		check_all(&pod);
		pod.edge[l].up = true;
	}
}

static void isolated_npu_has_no_route(void **state)
{
	static struct pod pod;
	struct ub_route route;

	make_mesh(&pod, 4);
	for (u32 l = 0; l < pod.nr_links; l++)
		if (pod.edge[l].end[0] == 2 || pod.edge[l].end[1] == 2)
			pod.edge[l].up = false;
	assert_int_equal(ub_route_find(&pod.graph, 0, 2, &route), -ENOLINK);
	assert_int_equal(ub_route_find(&pod.graph, 2, 2, &route), 0);
	check_all(&pod);
}

static void switches_are_crossed(void **state)
{
	static struct pod pod;

	make_two_levels(&pod);
	check_all(&pod);
	for (u32 l = 0; l < pod.nr_links; l++) {
		pod.edge[l].up = false;
		check_all(&pod);
		pod.edge[l].up = true;
	}
}

/* All pairs of one node at once must not crowd on one plane. */
static void pairs_spread_over_planes(void **state)
{
	static struct pod pod;
	u32 used[2] = {};

	make_two_levels(&pod);
	for (u32 a = 0; a < 4; a++) {
		for (u32 b = 4; b < 8; b++) {
			struct ub_route route;
			u32 l1;

			assert_int_equal(ub_route_find(&pod.graph, a, b, &route), 0);
			l1 = pod.edge[route.hop[0] >> 1].end[1];
			used[(l1 - 8) / 4]++;
		}
	}
	assert_true(used[0] >= 4 && used[1] >= 4);
}

static void random_graphs(void **state)
{
	const char *env = getenv("UB_TEST_SEED");
	unsigned int seed = env ? strtoul(env, NULL, 0) : 1;
	static struct pod pod;

	print_message("UB_TEST_SEED=%u\n", seed);
	srand(seed);
	for (int turn = 0; turn < 200; turn++) {
		u32 n = 3 + rand() % 10;

		memset(&pod, 0, sizeof(pod));
		for (u32 v = 0; v < n; v++)
			pod.vertex[v].is_switch = rand() % 3 == 0;
		for (u32 i = 0; i < 3 * n; i++) {
			u32 a = rand() % n, b = rand() % n;

			if (a != b)
				pod_link(&pod, a, b);
		}
		pod_finish(&pod, n);
		for (u32 l = 0; l < pod.nr_links; l++)
			pod.edge[l].up = rand() % 4;
		check_all(&pod);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mesh_is_direct),
		cmocka_unit_test(dead_link_is_detoured),
		cmocka_unit_test(isolated_npu_has_no_route),
		cmocka_unit_test(switches_are_crossed),
		cmocka_unit_test(pairs_spread_over_planes),
		cmocka_unit_test(random_graphs),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
