// SPDX-License-Identifier: BSD-2-Clause
/*
 * A graph from arrays that may come from anywhere: everything is checked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "topo.h"

/* More is no pod, and sums of ports stay within 32 bits. */
#define MAX_LINKS (1u << 30)

static bool ubpus_are_valid(const struct ub_topo_ubpu *ubpu, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (ubpu[i].type < UB_UBPU_NPU || ubpu[i].type > UB_UBPU_SWITCH)
			return false;
		if (i && ubpu[i].type == UB_UBPU_NPU && ubpu[i - 1].type != UB_UBPU_NPU)
			return false;
	}
	return nr > 0;
}

static bool link_is_valid(const struct ub_topo_link *link, uint32_t nr_ubpus)
{
	return link->ubpu[0] < nr_ubpus && link->ubpu[1] < nr_ubpus &&
	       link->ubpu[0] != link->ubpu[1] && link->width && link->width <= link->lanes;
}

static bool links_are_valid(const struct ub_topo_link *link, uint32_t nr, uint32_t nr_ubpus)
{
	for (uint32_t i = 0; i < nr; i++)
		if (!link_is_valid(&link[i], nr_ubpus))
			return false;
	return nr <= MAX_LINKS;
}

static struct ub_topo *topo_alloc(uint32_t nr_ubpus, uint32_t nr_links)
{
	struct ub_topo *topo = calloc(1, sizeof(*topo));

	if (!topo)
		return NULL;
	topo->nr_ubpus = nr_ubpus;
	topo->nr_links = nr_links;
	topo->ubpu = calloc(nr_ubpus, sizeof(*topo->ubpu));
	/* One more: calloc(0) may be NULL. */
	topo->link = calloc((size_t)nr_links + 1, sizeof(*topo->link));
	topo->port = calloc(2 * (size_t)nr_links + 1, sizeof(*topo->port));
	topo->sorted = calloc(2 * (size_t)nr_links + 1, sizeof(*topo->sorted));
	if (topo->ubpu && topo->link && topo->port && topo->sorted)
		return topo;
	ub_topo_free(topo);
	return NULL;
}

/* Each link takes the next port at both of its ends. */
static void number_ports(struct ub_topo *topo)
{
	uint32_t next = 0;

	for (uint32_t l = 0; l < topo->nr_links; l++)
		for (int end = 0; end < 2; end++)
			topo->link[l].port[end] = topo->ubpu[topo->link[l].ubpu[end]].nr_ports++;
	for (uint32_t u = 0; u < topo->nr_ubpus; u++) {
		topo->ubpu[u].first = next;
		next += topo->ubpu[u].nr_ports;
	}
	for (uint32_t l = 0; l < topo->nr_links; l++) {
		const struct ub_topo_link *link = &topo->link[l];

		for (int end = 0; end < 2; end++)
			topo->port[topo->ubpu[link->ubpu[end]].first + link->port[end]] = l;
	}
}

static void sort_ports(struct ub_topo *topo, uint32_t u)
{
	struct ub_topo_ubpu *ubpu = &topo->ubpu[u];
	uint32_t *to = topo->sorted + ubpu->first;

	for (int want = 1; want >= 0; want--) {
		for (uint32_t p = 0; p < ubpu->nr_ports; p++) {
			uint32_t far = ub_topo_far(ub_topo_at(topo, u, p), u);

			if ((topo->ubpu[far].type == UB_UBPU_SWITCH) != want)
				continue;
			*to++ = topo->port[ubpu->first + p];
			ubpu->nr_uplinks += want;
		}
	}
}

int ub_topo_make(struct ub_topo **out, const struct ub_topo_ubpu *ubpu, uint32_t nr_ubpus,
		 const struct ub_topo_link *link, uint32_t nr_links)
{
	struct ub_topo *topo;

	*out = NULL;
	if (!ubpus_are_valid(ubpu, nr_ubpus) || !links_are_valid(link, nr_links, nr_ubpus))
		return -EINVAL;
	topo = topo_alloc(nr_ubpus, nr_links);
	if (!topo)
		return -ENOMEM;
	for (uint32_t u = 0; u < nr_ubpus; u++) {
		topo->ubpu[u].type = ubpu[u].type;
		topo->ubpu[u].memory = ubpu[u].memory;
		topo->nr_npus += ubpu[u].type == UB_UBPU_NPU;
	}
	for (uint32_t l = 0; l < nr_links; l++)
		topo->link[l] = link[l];
	number_ports(topo);
	for (uint32_t u = 0; u < nr_ubpus; u++)
		sort_ports(topo, u);
	*out = topo;
	return 0;
}

void ub_topo_free(struct ub_topo *topo)
{
	if (!topo)
		return;
	free(topo->sorted);
	free(topo->port);
	free(topo->link);
	free(topo->ubpu);
	free(topo);
}

int ub_topo_set_link(struct ub_topo *topo, uint32_t link, bool up, uint32_t width)
{
	if (link >= topo->nr_links || !width || width > topo->link[link].lanes)
		return -ERANGE;
	topo->link[link].up = up;
	topo->link[link].width = width;
	return 0;
}

uint64_t ub_topo_ubpu_rate(const struct ub_topo *topo, uint32_t ubpu)
{
	uint64_t rate = 0;

	for (uint32_t p = 0; p < topo->ubpu[ubpu].nr_ports; p++)
		rate += ub_topo_link_rate(ub_topo_at(topo, ubpu, p));
	return rate;
}
