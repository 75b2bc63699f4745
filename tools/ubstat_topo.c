// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubstat topo: who is linked to whom. Small pods are a matrix, larger ones, which
 * have more columns than a terminal, a list of neighbours.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "ubstat.h"

#define MATRIX_MAX 16	/* UBPUs */
#define TEXT_LEN 32

/* All links between two UBPUs. */
struct between {
	uint32_t links, unknown, up, width, width_max;
};

static void between_add(struct between *b, const struct ubnl_link *link)
{
	const char *state = ubstat_state(link);

	b->links++;
	b->unknown += !state;
	b->width_max += link->width_max;
	if (!state || strcmp(state, "up"))
		return;
	b->up++;
	b->width += link->width;
}

/*
 * "x4", "2x4" (two links), "x3/4" (not all lanes are active), "down", "?" (the
 * kernel did not say), "." (no link).
 */
static const char *between_text(const struct between *b, char text[TEXT_LEN])
{
	if (!b->links)
		return ".";
	if (b->unknown)
		return "?";
	if (!b->up)
		return "down";
	if (b->width != b->width_max)
		snprintf(text, TEXT_LEN, "x%" PRIu32 "/%" PRIu32, b->width, b->width_max);
	else if (b->links == 1)
		snprintf(text, TEXT_LEN, "x%" PRIu32, b->width);
	else
		snprintf(text, TEXT_LEN, "%" PRIu32 "x%" PRIu32, b->links,
			 b->width / b->links);
	return text;
}

static void between_find(const struct ubnl_snapshot *snap, const struct ubnl_ubpu *a,
			 const struct ubnl_ubpu *b, struct between *found)
{
	size_t i;
	int end;

	*found = (struct between){};
	for (i = 0; i < snap->nr_links; i++) {
		const struct ubnl_link *link = &snap->link[i];

		for (end = 0; end < 2; end++)
			if (!strcmp(link->end[end].name, a->name) &&
			    !strcmp(link->end[!end].name, b->name))
				between_add(found, link);
	}
}

static int show_matrix(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		       const struct ubnl_ubpu **ubpu, size_t nr, FILE *out)
{
	const char *heading[MATRIX_MAX + 2] = { "" };
	char text[TEXT_LEN];
	struct between found;
	struct table table;
	size_t i, j;

	for (i = 0; i < nr; i++)
		heading[i + 1] = ubpu[i]->name;
	table_begin(&table, heading);
	for (i = 0; i < nr; i++) {
		if (!ubstat_wants_ubpu(req, ubpu[i]))
			continue;
		table_cell(&table, "%s", ubpu[i]->name);
		for (j = 0; j < nr; j++) {
			between_find(snap, ubpu[i], ubpu[j], &found);
			if (i == j && !found.links)
				table_cell(&table, "%s", "");
			else
				table_cell(&table, "%s", between_text(&found, text));
		}
	}
	return table_end(&table, out);
}

static void put_neighbour(FILE *out, const struct ubstat_port *port)
{
	const struct ubnl_end *here = &port->link->end[port->end];
	const struct ubnl_end *there = &port->link->end[!port->end];
	struct between one = {};
	char text[TEXT_LEN];

	between_add(&one, port->link);
	fprintf(out, "  %" PRIu32 ":%s/%" PRIu32 ":%s", here->port, there->name,
		there->port, between_text(&one, text));
}

static int show_list(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		     const struct ubnl_pod *pod, FILE *out)
{
	struct ubstat_port *port;
	const char *last = "";
	size_t i, nr;

	port = ubstat_ports(req, snap, &nr);
	if (!port)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		const char *name = port[i].link->end[port[i].end].name;

		if (strcmp(port[i].link->pod, pod->name))
			continue;
		if (strcmp(last, name))
			fprintf(out, "%s%s", *last ? "\n" : "", name);
		last = name;
		put_neighbour(out, &port[i]);
	}
	if (*last)
		fputc('\n', out);
	free(port);
	return 0;
}

static int show_pod(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		    const struct ubnl_pod *pod, FILE *out)
{
	const struct ubnl_ubpu *ubpu[MATRIX_MAX];
	size_t i, nr = 0, shown = 0;

	for (i = 0; i < snap->nr_ubpus; i++) {
		if (strcmp(snap->ubpu[i].pod, pod->name))
			continue;
		if (nr < MATRIX_MAX)
			ubpu[nr] = &snap->ubpu[i];
		nr++;
		shown += ubstat_wants_ubpu(req, &snap->ubpu[i]);
	}
	if (!shown)
		return 0;
	fprintf(out, "# pod %s, backend: %s\n", pod->name, *pod->backend ? pod->backend : "-");
	if (nr <= MATRIX_MAX)
		return show_matrix(req, snap, ubpu, nr, out);
	return show_list(req, snap, pod, out);
}

int ubstat_show_topo(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		     FILE *out)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < snap->nr_pods; i++)
		ret = show_pod(req, snap, &snap->pod[i], out);
	return ret;
}
