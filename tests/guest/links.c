// SPDX-License-Identifier: BSD-2-Clause
/*
 * Links of the pod, by the tools' netlink client. A socket per call: nothing is kept
 * across fork().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "links.h"
#include "ubnl.h"

static void need(struct ubnl *nl, int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, ubnl_sentence(nl, err));
	exit(1);
}

static struct ubnl *open_netlink(void)
{
	struct ubnl *nl;
	int err = ubnl_open(&nl);

	need(nl, err, "netlink");
	return nl;
}

void traffic_read(struct traffic *t)
{
	struct ubnl *nl = open_netlink();
	struct ubnl_snapshot snap;

	memset(t, 0, sizeof(*t));
	need(nl, ubnl_snapshot(nl, POD, NULL, &snap), "links");
	for (size_t i = 0; i < snap.nr_links; i++) {
		const struct ubnl_link *link = &snap.link[i];

		for (int e = 0; link->index < POD_LINKS && e < 2; e++)
			t->bytes[link->index][e] = link->dir[e].ldst_reported_bytes;
	}
	ubnl_snapshot_free(&snap);
	ubnl_close(nl);
}

static void find_route(struct ubnl *nl, uint32_t from, uint32_t to, struct ubnl_route *route)
{
	char a[UBNL_NAME_LEN], b[UBNL_NAME_LEN];

	snprintf(a, sizeof(a), "ub%u", from);
	snprintf(b, sizeof(b), "ub%u", to);
	memset(route, 0, sizeof(*route));
	need(nl, ubnl_route(nl, a, b, route), "route");
}

/* Which end of its link a hop leaves. */
static int hop_end(const struct ubnl_snapshot *snap, const struct ubnl_hop *hop)
{
	for (size_t i = 0; i < snap->nr_links; i++)
		if (snap->link[i].index == hop->link)
			return !!strcmp(snap->link[i].end[0].name, hop->name);
	fprintf(stderr, "a route over link %u, which is not there\n", hop->link);
	exit(1);
}

void traffic_route(struct traffic *t, uint32_t n, const uint64_t *bytes)
{
	struct ubnl *nl = open_netlink();
	struct ubnl_snapshot snap;
	struct ubnl_route route;

	need(nl, ubnl_snapshot(nl, POD, NULL, &snap), "links");
	for (uint32_t from = 0; from < n; from++)
		for (uint32_t to = 0; to < n; to++) {
			if (!bytes[from * n + to])
				continue;
			find_route(nl, from, to, &route);
			for (uint32_t h = 0; h < route.nr; h++)
				t->bytes[route.hop[h].link][hop_end(&snap, &route.hop[h])] +=
					bytes[from * n + to];
		}
	ubnl_snapshot_free(&snap);
	ubnl_close(nl);
}

int traffic_wrong(const struct traffic *before, const struct traffic *after,
		  const struct traffic *expected)
{
	int wrong = 0;

	for (int i = 0; i < POD_LINKS; i++)
		for (int e = 0; e < 2; e++) {
			uint64_t got = after->bytes[i][e] - before->bytes[i][e];

			if (got == expected->bytes[i][e])
				continue;
			if (!wrong++)
				fprintf(stderr, "link %d from end %d: %llu bytes, not %llu\n",
					i, e, (unsigned long long)got,
					(unsigned long long)expected->bytes[i][e]);
		}
	return wrong;
}

uint32_t route_length(uint32_t from, uint32_t to)
{
	struct ubnl *nl = open_netlink();
	struct ubnl_route route;

	find_route(nl, from, to, &route);
	ubnl_close(nl);
	return route.nr;
}

/* Links with one end at @a and the other at @b, or anywhere. */
static void set_between(uint32_t a, const char *other, int up)
{
	struct ubnl *nl = open_netlink();
	struct ubnl_snapshot snap;
	char name[UBNL_NAME_LEN];

	snprintf(name, sizeof(name), "ub%u", a);
	need(nl, ubnl_snapshot(nl, POD, name, &snap), "links");
	for (size_t i = 0; i < snap.nr_links; i++) {
		const struct ubnl_end *end = snap.link[i].end;
		int mine = !!strcmp(end[0].name, name);

		if (!strcmp(end[mine].name, name) &&
		    (!other || !strcmp(end[!mine].name, other)))
			need(nl, ubnl_link_set_state(nl, name, end[mine].port,
						     up ? UB_LINK_UP : UB_LINK_DOWN), "link");
	}
	ubnl_snapshot_free(&snap);
	ubnl_close(nl);
}

void link_set(uint32_t a, uint32_t b, int up)
{
	char name[UBNL_NAME_LEN];

	snprintf(name, sizeof(name), "ub%u", b);
	set_between(a, name, up);
}

void links_set(uint32_t npu, int up)
{
	set_between(npu, NULL, up);
}

void pod_remove_by_force(void)
{
	struct ubnl *nl = open_netlink();

	need(nl, ubnl_pod_del(nl, POD, true), "pod del");
	ubnl_close(nl);
}

void pod_add(void)
{
	struct ubnl *nl = open_netlink();

	need(nl, ubnl_pod_add(nl, POD, NULL, "mesh1d", NULL, 0), "pod add");
	ubnl_close(nl);
}
