// SPDX-License-Identifier: BSD-2-Clause
/*
 * Is a pod what lib/topo says of its preset? Compares UBPUs, links and routes, as
 * the kernel tells them by netlink; then takes random links down, compares the
 * routes again, and brings the links up.
 *
 * usage: podgraph POD PRESET [KEY VALUE]...	in a guest, as root
 *
 * Prints the first difference and ends with status 1. UB_TEST_SEED is printed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "topo/topo.h"
#include "ubnl.h"
#include "word.h"

/* Of larger pods a sample: each route, and each change of a link, is a request. */
#define ALL_PAIRS	24
#define SAMPLE		400
#define DOWN_OF_32	8
#define SAMPLE_OF_32	1

static struct ubnl *nl;
static struct ubnl_snapshot snap;
static struct ub_topo *topo;

#define FAIL(...) (printf("podgraph: " __VA_ARGS__), puts(""), exit(1))

static void check(int ret)
{
	if (ret)
		FAIL("%s", ubnl_sentence(nl, ret));
}

static void read_topo(int argc, char **argv)
{
	struct ub_topo_param param[16];
	const char *why = "";
	size_t nr = 0;

	for (int i = 3; i < argc; i += 2, nr++) {
		if (nr == 16 || i + 1 == argc || word_u32(argv[i + 1], &param[nr].value))
			FAIL("bad parameters");
		param[nr].key = argv[i];
	}
	if (ub_topo_preset(&topo, argv[2], param, nr, &why))
		FAIL("%s", why);
}

static void compare_ubpus(void)
{
	uint32_t cna = 1;

	if (snap.nr_ubpus != topo->nr_ubpus || snap.pod[0].nr_npus != topo->nr_npus)
		FAIL("%zu UBPUs, wanted %u", snap.nr_ubpus, topo->nr_ubpus);
	for (uint32_t u = 0; u < topo->nr_ubpus; u++) {
		const struct ubnl_ubpu *ubpu = &snap.ubpu[u];

		if (ubpu->index != u || ubpu->type != topo->ubpu[u].type ||
		    ubpu->nr_ports != topo->ubpu[u].nr_ports || ubpu->cna != cna)
			FAIL("%s is another UBPU", ubpu->name);
		if (ubpu->type == UB_UBPU_NPU && ubpu->mem_size != topo->ubpu[u].memory)
			FAIL("%s has %" PRIu64 " bytes", ubpu->name, ubpu->mem_size);
		cna += ubpu->nr_ports;
	}
}

static void compare_link(const struct ubnl_link *theirs, const struct ub_topo_link *mine)
{
	bool same = theirs->index == mine - topo->link && theirs->width_max == mine->lanes &&
		    theirs->width == mine->width && theirs->lane_mbps == mine->lane_mbps &&
		    theirs->state == UB_LINK_UP;

	for (int e = 0; e < 2; e++)
		same = same && theirs->end[e].ubpu == mine->ubpu[e] &&
		       theirs->end[e].port == mine->port[e];
	if (!same)
		FAIL("link %u, %s/%u - %s/%u, is another", theirs->index, theirs->end[0].name,
		     theirs->end[0].port, theirs->end[1].name, theirs->end[1].port);
}

static void compare_links(void)
{
	if (snap.nr_links != topo->nr_links)
		FAIL("%zu links, wanted %u", snap.nr_links, topo->nr_links);
	for (uint32_t l = 0; l < topo->nr_links; l++)
		compare_link(&snap.link[l], &topo->link[l]);
}

/* Is there a route at all? */
static bool compare_route(uint32_t a, uint32_t b)
{
	const char *from = snap.ubpu[a].name, *to = snap.ubpu[b].name;
	struct ubnl_route theirs = {};
	struct ub_topo_route mine;
	int want = ub_topo_route(topo, a, b, &mine);
	int ret = ubnl_route(nl, from, to, &theirs);

	if (ret != want || theirs.nr != mine.nr)
		FAIL("%s to %s: %d, %u hops; wanted %d, %u", from, to, ret, theirs.nr, want,
		     mine.nr);
	for (uint32_t i = 0; i < mine.nr; i++)
		if (theirs.hop[i].link != mine.hop[i].link ||
		    theirs.hop[i].port != topo->link[mine.hop[i].link].port[mine.hop[i].end])
			FAIL("%s to %s: hop %u is link %u, wanted %u", from, to, i,
			     theirs.hop[i].link, mine.hop[i].link);
	return !ret;
}

static void compare_routes(const char *when)
{
	uint32_t n = topo->nr_npus, pairs = n <= ALL_PAIRS ? n * n : SAMPLE, routes = 0;

	for (uint32_t i = 0; i < pairs; i++)
		routes += n <= ALL_PAIRS ? compare_route(i / n, i % n) :
					   compare_route(rand() % n, rand() % n);
	printf("%s: %u of %u pairs have a route\n", when, routes, pairs);
}

static void set_link(uint32_t l, bool up)
{
	const struct ubnl_end *end = &snap.link[l].end[l & 1];

	check(ubnl_link_set_state(nl, end->name, end->port, up ? UB_LINK_UP : UB_LINK_DOWN));
	ub_topo_set_link(topo, l, up, topo->link[l].width);
}

static void compare_with_links_down(void)
{
	const char *env = getenv("UB_TEST_SEED");
	unsigned int seed = env ? strtoul(env, NULL, 0) : 1;
	int of_32 = topo->nr_npus <= ALL_PAIRS ? DOWN_OF_32 : SAMPLE_OF_32;
	uint32_t down = 0;

	printf("UB_TEST_SEED=%u\n", seed);
	srand(seed);
	for (uint32_t l = 0; l < topo->nr_links; l++) {
		if (rand() % 32 >= of_32)
			continue;
		set_link(l, false);
		down++;
	}
	printf("%u of %u links are down\n", down, topo->nr_links);
	compare_routes("then");
	for (uint32_t l = 0; l < topo->nr_links; l++)
		if (!topo->link[l].up)
			set_link(l, true);
}

int main(int argc, char **argv)
{
	int ret;

	if (argc < 3)
		return 4;
	read_topo(argc, argv);
	ret = ubnl_open(&nl);
	if (ret)
		FAIL("%s", ubnl_sentence(nl, ret));
	check(ubnl_snapshot(nl, argv[1], NULL, &snap));
	if (snap.nr_pods != 1)
		FAIL("there is no pod %s", argv[1]);
	printf("%s: %zu UBPUs, %zu links\n", argv[2], snap.nr_ubpus, snap.nr_links);
	compare_ubpus();
	compare_links();
	compare_routes("all up");
	compare_with_links_down();
	compare_routes("up again");
	ubnl_snapshot_free(&snap);
	ubnl_close(nl);
	ub_topo_free(topo);
	return 0;
}
