// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubstat's tables. Counters are exact; memory and speed are in the unit that
 * suits them. What the kernel did not say is "-".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "ubstat.h"

#define TEXT_LEN 32

/* "3136Gbit/s": one word, so that a line can be cut at blanks. */
static const char *text_speed(char *text, bool known, uint64_t mbps)
{
	if (!known)
		return "";
	if (mbps >= 1000)
		snprintf(text, TEXT_LEN, "%gGbit/s", mbps / 1000.0);
	else
		snprintf(text, TEXT_LEN, "%" PRIu64 "Mbit/s", mbps);
	return text;
}

static const char *text_memory(char *text, bool known, uint64_t bytes)
{
	static const char * const unit[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = bytes;
	size_t i = 0;

	if (!known)
		return "";
	while (value >= 1024 && i + 1 < sizeof(unit) / sizeof(unit[0])) {
		value /= 1024;
		i++;
	}
	snprintf(text, TEXT_LEN, "%.4g%s", value, unit[i]);
	return text;
}

/* Active of all lanes. */
static const char *text_width(char *text, bool known, uint32_t width, uint32_t max)
{
	if (!known)
		return "";
	snprintf(text, TEXT_LEN, "%" PRIu32 "/%" PRIu32, width, max);
	return text;
}

static void cell_number(struct table *table, bool known, uint64_t value)
{
	if (known)
		table_cell(table, "%" PRIu64, value);
	else
		table_cell(table, "%s", "");
}

static void cell_text(struct table *table, const char *text)
{
	table_cell(table, "%s", text ?: "");
}

static void cell_port(struct table *table, const struct ubnl_end *end)
{
	table_cell(table, "%s/%" PRIu32, end->name, end->port);
}

/* In front of every table with speeds: whose they are. */
static void put_backends(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
			 FILE *out)
{
	size_t i, j;

	for (i = 0; i < snap->nr_pods; i++) {
		const char *backend = snap->pod[i].backend;

		for (j = 0; j < i && strcmp(snap->pod[j].backend, backend); j++)
			;
		if (j < i || !backend[0] || (req->pod && strcmp(req->pod, snap->pod[i].name)))
			continue;
		fprintf(out, "# backend: %s%s\n", backend, strcmp(backend, "soft") ? "" :
			" (software: speeds are modelled, they say nothing about UnifiedBus)");
	}
}

static int show_devices(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
			FILE *out)
{
	static const char * const heading[] = {
		"DEVICE", "TYPE", "POD", "BACKEND", ">PORTS", ">UP", ">WIDTH", ">SPEED",
		">MEM_SIZE", ">MEM_USED", NULL
	};
	struct ubstat_sum *sums, sum;
	char text[TEXT_LEN];
	struct table table;
	size_t i;

	sums = ubstat_sums(snap);
	if (!sums)
		return -ENOMEM;
	put_backends(req, snap, out);
	table_begin(&table, heading);
	for (i = 0; i < snap->nr_ubpus; i++) {
		const struct ubnl_ubpu *ubpu = &snap->ubpu[i];

		if (!ubstat_wants_ubpu(req, ubpu))
			continue;
		sum = sums[i];
		cell_text(&table, ubpu->name);
		cell_text(&table, ubstat_type(ubpu));
		cell_text(&table, ubpu->pod);
		cell_text(&table, ubstat_backend(snap, ubpu->pod));
		cell_number(&table, ubpu->has & UBNL_BIT(UB_A_NR_PORTS), ubpu->nr_ports);
		cell_number(&table, sum.known, sum.ports_up);
		cell_text(&table, text_width(text, sum.known, sum.width, sum.width_max));
		cell_text(&table, text_speed(text, sum.known, sum.mbps));
		cell_text(&table, text_memory(text, ubpu->has & UBNL_BIT(UB_A_MEM_SIZE),
					      ubpu->mem_size));
		cell_text(&table, text_memory(text, ubpu->has & UBNL_BIT(UB_A_MEM_USED),
					      ubpu->mem_used));
	}
	free(sums);
	return table_end(&table, out);
}

/* State, width and speed of a link: the same cells for links and ports. */
static void cells_link_state(struct table *table, const struct ubnl_link *link)
{
	const uint64_t widths = UBNL_BIT(UB_A_WIDTH) | UBNL_BIT(UB_A_WIDTH_MAX);
	char text[TEXT_LEN];
	uint64_t mbps = 0;
	bool known = ubstat_speed(link, &mbps);

	cell_text(table, ubstat_state(link));
	cell_text(table, text_width(text, (link->has & widths) == widths,
				    link->width, link->width_max));
	cell_text(table, text_speed(text, known, mbps));
}

/* Both directions, @first is the end whose sending comes first. */
static void cells_link_counters(struct table *table, const struct ubnl_link *link, int first)
{
	const struct ubnl_dir *to = &link->dir[first], *from = &link->dir[!first];

	cell_number(table, to->has & UBNL_BIT(UB_A_BYTES), to->bytes);
	cell_number(table, from->has & UBNL_BIT(UB_A_BYTES), from->bytes);
	cell_number(table, to->has & UBNL_BIT(UB_A_LDST_REPORTED_BYTES),
		    to->ldst_reported_bytes);
	cell_number(table, from->has & UBNL_BIT(UB_A_LDST_REPORTED_BYTES),
		    from->ldst_reported_bytes);
	cell_number(table, link->has & UBNL_BIT(UB_A_LINK_UPS), link->ups);
	cell_number(table, link->has & UBNL_BIT(UB_A_LINK_DOWNS), link->downs);
}

static int show_ports(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		      FILE *out)
{
	static const char * const heading[] = {
		"PORT", "PEER", "STATE", ">WIDTH", ">SPEED", ">TX_BYTES", ">RX_BYTES",
		">LDST_REPORTED_TX", ">LDST_REPORTED_RX", ">UPS", ">DOWNS", NULL
	};
	struct ubstat_port *port;
	struct table table;
	size_t i, nr;

	port = ubstat_ports(req, snap, &nr);
	if (!port)
		return -ENOMEM;
	put_backends(req, snap, out);
	table_begin(&table, heading);
	for (i = 0; i < nr; i++) {
		const struct ubnl_link *link = port[i].link;

		cell_port(&table, &link->end[port[i].end]);
		cell_port(&table, &link->end[!port[i].end]);
		cells_link_state(&table, link);
		cells_link_counters(&table, link, port[i].end);
	}
	free(port);
	return table_end(&table, out);
}

static int show_links(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		      FILE *out)
{
	static const char * const heading[] = {
		"A", "B", "STATE", ">WIDTH", ">SPEED", ">BYTES_AB", ">BYTES_BA",
		">LDST_REPORTED_AB", ">LDST_REPORTED_BA", ">UPS", ">DOWNS", NULL
	};
	struct table table;
	size_t i;

	put_backends(req, snap, out);
	table_begin(&table, heading);
	for (i = 0; i < snap->nr_links; i++) {
		const struct ubnl_link *link = &snap->link[i];

		if (!ubstat_wants_link(req, link))
			continue;
		cell_port(&table, &link->end[0]);
		cell_port(&table, &link->end[1]);
		cells_link_state(&table, link);
		cells_link_counters(&table, link, 0);
	}
	return table_end(&table, out);
}

static void cells_npu(struct table *table, const struct ubnl_ubpu *ubpu)
{
	char text[TEXT_LEN > UBSTAT_ID_LEN ? TEXT_LEN : UBSTAT_ID_LEN];

	cell_text(table, ubpu->name);
	cell_text(table, ubpu->pod);
	if ((ubpu->has & UBNL_BIT(UB_A_NUMA_NODE)) && ubpu->numa_node >= 0)
		table_cell(table, "%" PRId32, ubpu->numa_node);
	else
		cell_text(table, NULL);
	if (ubpu->has & UBNL_BIT(UB_A_CNA))
		table_cell(table, "%#06" PRIx32, ubpu->cna);
	else
		cell_text(table, NULL);
	cell_text(table, text_memory(text, ubpu->has & UBNL_BIT(UB_A_MEM_SIZE),
				     ubpu->mem_size));
	cell_text(table, text_memory(text, ubpu->has & UBNL_BIT(UB_A_MEM_USED),
				     ubpu->mem_used));
	cell_text(table, text_memory(text, ubpu->has & UBNL_BIT(UB_A_MEM_BACKED),
				     ubpu->mem_backed));
	cell_number(table, ubpu->has & UBNL_BIT(UB_A_TOKEN_DENIED), ubpu->token_denied);
	ubstat_eid(ubpu, text);
	cell_text(table, text);
	ubstat_guid(ubpu, text);
	cell_text(table, text);
}

static int show_npus(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		     FILE *out)
{
	static const char * const heading[] = {
		"NPU", "POD", ">NUMA", "CNA", ">MEM_SIZE", ">MEM_USED", ">MEM_BACKED",
		">TOKEN_DENIED", "EID", "GUID", NULL
	};
	struct table table;
	size_t i;

	table_begin(&table, heading);
	for (i = 0; i < snap->nr_ubpus; i++)
		if (snap->ubpu[i].type == UB_UBPU_NPU && ubstat_wants_ubpu(req, &snap->ubpu[i]))
			cells_npu(&table, &snap->ubpu[i]);
	return table_end(&table, out);
}

static int show_pods(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		     FILE *out)
{
	static const char * const heading[] = {
		"POD", "BACKEND", ">UPI", ">UBPUS", ">NPUS", ">LINKS", ">GENERATION", NULL
	};
	struct table table;
	size_t i;

	table_begin(&table, heading);
	for (i = 0; i < snap->nr_pods; i++) {
		const struct ubnl_pod *pod = &snap->pod[i];

		if (req->pod && strcmp(req->pod, pod->name))
			continue;
		cell_text(&table, pod->name);
		cell_text(&table, pod->backend);
		cell_number(&table, pod->has & UBNL_BIT(UB_A_UPI), pod->upi);
		cell_number(&table, pod->has & UBNL_BIT(UB_A_NR_UBPUS), pod->nr_ubpus);
		cell_number(&table, pod->has & UBNL_BIT(UB_A_NR_NPUS), pod->nr_npus);
		cell_number(&table, pod->has & UBNL_BIT(UB_A_NR_LINKS), pod->nr_links);
		cell_number(&table, pod->has & UBNL_BIT(UB_A_GENERATION), pod->generation);
	}
	return table_end(&table, out);
}

int ubstat_show_table(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		      FILE *out)
{
	switch (req->verb) {
	case UBSTAT_DEVICE:
		return show_devices(req, snap, out);
	case UBSTAT_PORT:
		return show_ports(req, snap, out);
	case UBSTAT_LINK:
		return show_links(req, snap, out);
	case UBSTAT_TOPO:
		return ubstat_show_topo(req, snap, out);
	case UBSTAT_NPU:
		return show_npus(req, snap, out);
	case UBSTAT_POD:
		return show_pods(req, snap, out);
	default:
		return -EINVAL;
	}
}
