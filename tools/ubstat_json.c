// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubstat's JSON. Keys are stable and described in ubstat(8): new ones may come,
 * and "schema" grows when one goes or means something else. What the kernel did
 * not say is null; the key is there.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "ubstat.h"

static void put_u64(struct json_object *to, const char *key, bool known, uint64_t value)
{
	json_object_object_add(to, key, known ? json_object_new_uint64(value) : NULL);
}

static void put_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, text && *text ? json_object_new_string(text) : NULL);
}

static void put_port(struct json_object *to, const char *key, const struct ubnl_end *end)
{
	struct json_object *port = json_object_new_object();

	put_text(port, "device", end->name);
	put_u64(port, "port", true, end->port);
	if (key)
		json_object_object_add(to, key, port);
	else
		json_object_array_add(to, port);
}

#define KNOWN(object, attr) ((object)->has & UBNL_BIT(attr))

static void put_dir(struct json_object *to, const struct ubnl_dir *dir)
{
	put_u64(to, "packets", KNOWN(dir, UB_A_PACKETS), dir->packets);
	put_u64(to, "bytes", KNOWN(dir, UB_A_BYTES), dir->bytes);
	put_u64(to, "flits", KNOWN(dir, UB_A_FLITS), dir->flits);
	put_u64(to, "ldst_reported_bytes", KNOWN(dir, UB_A_LDST_REPORTED_BYTES),
		dir->ldst_reported_bytes);
}

static void put_link_state(struct json_object *to, const struct ubnl_link *link)
{
	bool lanes = KNOWN(link, UB_A_LANE_MBPS);
	uint64_t mbps = 0;
	bool up = ubstat_speed(link, &mbps);

	put_text(to, "state", ubstat_state(link));
	put_u64(to, "width", KNOWN(link, UB_A_WIDTH), link->width);
	put_u64(to, "width_max", KNOWN(link, UB_A_WIDTH_MAX), link->width_max);
	put_u64(to, "speed_mbps", up, mbps);
	put_u64(to, "speed_max_mbps", lanes && KNOWN(link, UB_A_WIDTH_MAX),
		(uint64_t)link->width_max * link->lane_mbps);
	put_u64(to, "link_ups", KNOWN(link, UB_A_LINK_UPS), link->ups);
	put_u64(to, "link_downs", KNOWN(link, UB_A_LINK_DOWNS), link->downs);
}

struct json_object *ubstat_json_link(const struct ubnl_link *link)
{
	struct json_object *to = json_object_new_object();
	struct json_object *ends = json_object_new_array();
	struct json_object *dirs = json_object_new_array();
	int i;

	put_text(to, "pod", link->pod);
	put_text(to, "backend", link->backend);
	put_u64(to, "link", KNOWN(link, UB_A_LINK_INDEX), link->index);
	for (i = 0; i < 2; i++) {
		struct json_object *dir = json_object_new_object();

		put_port(ends, NULL, &link->end[i]);
		put_port(dir, "from", &link->end[i]);
		put_port(dir, "to", &link->end[!i]);
		put_dir(dir, &link->dir[i]);
		json_object_array_add(dirs, dir);
	}
	json_object_object_add(to, "ends", ends);
	put_link_state(to, link);
	json_object_object_add(to, "directions", dirs);
	return to;
}

struct json_object *ubstat_json_pod(const struct ubnl_pod *pod)
{
	struct json_object *to = json_object_new_object();

	put_text(to, "pod", pod->name);
	put_text(to, "backend", pod->backend);
	put_u64(to, "upi", KNOWN(pod, UB_A_UPI), pod->upi);
	put_u64(to, "generation", KNOWN(pod, UB_A_GENERATION), pod->generation);
	put_u64(to, "ubpus", KNOWN(pod, UB_A_NR_UBPUS), pod->nr_ubpus);
	put_u64(to, "npus", KNOWN(pod, UB_A_NR_NPUS), pod->nr_npus);
	put_u64(to, "links", KNOWN(pod, UB_A_NR_LINKS), pod->nr_links);
	return to;
}

static struct json_object *json_port(const struct ubstat_port *port)
{
	const struct ubnl_link *link = port->link;
	struct json_object *to = json_object_new_object();
	struct json_object *tx = json_object_new_object();
	struct json_object *rx = json_object_new_object();

	put_text(to, "device", link->end[port->end].name);
	put_u64(to, "port", true, link->end[port->end].port);
	put_text(to, "pod", link->pod);
	put_text(to, "backend", link->backend);
	put_u64(to, "link", KNOWN(link, UB_A_LINK_INDEX), link->index);
	put_port(to, "peer", &link->end[!port->end]);
	put_link_state(to, link);
	put_dir(tx, &link->dir[port->end]);
	put_dir(rx, &link->dir[!port->end]);
	json_object_object_add(to, "tx", tx);
	json_object_object_add(to, "rx", rx);
	return to;
}

static struct json_object *json_device(const struct ubnl_snapshot *snap,
				       const struct ubnl_ubpu *ubpu,
				       const struct ubstat_sum *sum)
{
	struct json_object *to = json_object_new_object();

	put_text(to, "device", ubpu->name);
	put_text(to, "type", ubstat_type(ubpu));
	put_text(to, "pod", ubpu->pod);
	put_text(to, "backend", ubstat_backend(snap, ubpu->pod));
	put_u64(to, "index", KNOWN(ubpu, UB_A_UBPU_INDEX), ubpu->index);
	put_u64(to, "ports", KNOWN(ubpu, UB_A_NR_PORTS), ubpu->nr_ports);
	put_u64(to, "ports_up", sum->known, sum->ports_up);
	put_u64(to, "width", sum->known, sum->width);
	put_u64(to, "width_max", sum->known, sum->width_max);
	put_u64(to, "speed_mbps", sum->known, sum->mbps);
	put_u64(to, "speed_max_mbps", sum->known, sum->mbps_max);
	put_u64(to, "mem_size", KNOWN(ubpu, UB_A_MEM_SIZE), ubpu->mem_size);
	put_u64(to, "mem_used", KNOWN(ubpu, UB_A_MEM_USED), ubpu->mem_used);
	return to;
}

static struct json_object *json_npu(const struct ubnl_ubpu *ubpu)
{
	struct json_object *to = json_object_new_object();
	char text[UBSTAT_ID_LEN];

	put_text(to, "device", ubpu->name);
	put_text(to, "pod", ubpu->pod);
	put_u64(to, "index", KNOWN(ubpu, UB_A_UBPU_INDEX), ubpu->index);
	put_u64(to, "numa_node", KNOWN(ubpu, UB_A_NUMA_NODE) && ubpu->numa_node >= 0,
		ubpu->numa_node);
	put_u64(to, "cna", KNOWN(ubpu, UB_A_CNA), ubpu->cna);
	ubstat_eid(ubpu, text);
	put_text(to, "eid", text);
	ubstat_guid(ubpu, text);
	put_text(to, "guid", text);
	put_u64(to, "mem_size", KNOWN(ubpu, UB_A_MEM_SIZE), ubpu->mem_size);
	put_u64(to, "mem_used", KNOWN(ubpu, UB_A_MEM_USED), ubpu->mem_used);
	put_u64(to, "mem_backed", KNOWN(ubpu, UB_A_MEM_BACKED), ubpu->mem_backed);
	put_u64(to, "token_denied", KNOWN(ubpu, UB_A_TOKEN_DENIED), ubpu->token_denied);
	return to;
}

/* ---- lists ---------------------------------------------------------------------- */

static struct json_object *json_devices(const struct ubstat_request *req,
					const struct ubnl_snapshot *snap)
{
	struct json_object *list = json_object_new_array();
	struct ubstat_sum *sum = ubstat_sums(snap);
	bool npus = req->verb == UBSTAT_NPU;
	size_t i;

	for (i = 0; sum && i < snap->nr_ubpus; i++) {
		const struct ubnl_ubpu *ubpu = &snap->ubpu[i];

		if (!ubstat_wants_ubpu(req, ubpu) || (npus && ubpu->type != UB_UBPU_NPU))
			continue;
		json_object_array_add(list, npus ? json_npu(ubpu) : json_device(snap, ubpu, &sum[i]));
	}
	free(sum);
	return list;
}

static struct json_object *json_ports(const struct ubstat_request *req,
				      const struct ubnl_snapshot *snap)
{
	struct json_object *list = json_object_new_array();
	struct ubstat_port *port;
	size_t i, nr;

	port = ubstat_ports(req, snap, &nr);
	for (i = 0; i < nr; i++)
		json_object_array_add(list, json_port(&port[i]));
	free(port);
	return list;
}

static struct json_object *json_links(const struct ubstat_request *req,
				      const struct ubnl_snapshot *snap)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < snap->nr_links; i++)
		if (ubstat_wants_link(req, &snap->link[i]))
			json_object_array_add(list, ubstat_json_link(&snap->link[i]));
	return list;
}

static struct json_object *json_pods(const struct ubstat_request *req,
				     const struct ubnl_snapshot *snap)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < snap->nr_pods; i++)
		if (!req->pod || !strcmp(req->pod, snap->pod[i].name))
			json_object_array_add(list, ubstat_json_pod(&snap->pod[i]));
	return list;
}

static void put_answer(struct json_object *top, const struct ubstat_request *req,
		       const struct ubnl_snapshot *snap)
{
	switch (req->verb) {
	case UBSTAT_NPU:
		json_object_object_add(top, "npus", json_devices(req, snap));
		break;
	case UBSTAT_PORT:
		json_object_object_add(top, "ports", json_ports(req, snap));
		break;
	case UBSTAT_LINK:
		json_object_object_add(top, "links", json_links(req, snap));
		break;
	case UBSTAT_TOPO:	/* a graph: vertices and edges */
		json_object_object_add(top, "devices", json_devices(req, snap));
		json_object_object_add(top, "links", json_links(req, snap));
		break;
	case UBSTAT_POD:
		json_object_object_add(top, "pods", json_pods(req, snap));
		break;
	default:
		json_object_object_add(top, "devices", json_devices(req, snap));
	}
}

int ubstat_show_json(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		     FILE *out)
{
	struct json_object *top = json_object_new_object();
	const char *text;
	int ret = -ENOMEM;

	put_u64(top, "schema", true, UBSTAT_SCHEMA);
	put_answer(top, req, snap);
	text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text) {
		fprintf(out, "%s\n", text);
		ret = 0;
	}
	json_object_put(top);
	return ret;
}
