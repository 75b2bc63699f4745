// SPDX-License-Identifier: BSD-2-Clause
/*
 * What of a snapshot is asked for, and what follows from it: sums, speeds, names
 * of values. Tables and JSON both show these.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ubstat.h"

static bool ubstat_wants_pod(const struct ubstat_request *req, const char *pod)
{
	return !req->pod || !strcmp(req->pod, pod);
}

/* @port -1: of any port of the UBPU. */
static bool ubstat_names_match(const struct ubstat_request *req, const char *ubpu, int64_t port)
{
	char name[UBNL_NAME_LEN];
	int64_t wanted;
	int i;

	for (i = 0; i < req->nr_names; i++)
		if (!word_port(req->name[i], name, &wanted) && !strcmp(name, ubpu) &&
		    (wanted < 0 || port < 0 || wanted == port))
			return true;
	return !req->nr_names;
}

bool ubstat_wants_ubpu(const struct ubstat_request *req, const struct ubnl_ubpu *ubpu)
{
	return ubstat_wants_pod(req, ubpu->pod) && ubstat_names_match(req, ubpu->name, -1);
}

bool ubstat_wants_port(const struct ubstat_request *req, const struct ubnl_end *end)
{
	return ubstat_names_match(req, end->name, end->port);
}

bool ubstat_wants_link(const struct ubstat_request *req, const struct ubnl_link *link)
{
	return ubstat_wants_pod(req, link->pod) &&
	       (ubstat_wants_port(req, &link->end[0]) ||
		ubstat_wants_port(req, &link->end[1]));
}

static int ubstat_check_name(const struct ubstat_request *req,
			     const struct ubnl_snapshot *snap, const char *given, FILE *err)
{
	const struct ubnl_ubpu *ubpu;
	char name[UBNL_NAME_LEN];
	int64_t port;

	if (word_port(given, name, &port))
		return -EINVAL;
	ubpu = ubnl_ubpu_find(snap, name);
	if (!ubpu || !ubstat_wants_pod(req, ubpu->pod)) {
		fprintf(err, "ubstat: there is no device '%s'%s%s; `ubstat` lists all\n", name,
			req->pod ? " in pod " : "", req->pod ?: "");
		return -ENOENT;
	}
	if (port >= 0 && (ubpu->has & UBNL_BIT(UB_A_NR_PORTS)) && port >= ubpu->nr_ports) {
		fprintf(err, "ubstat: %s has no port %lld; `ubstat port %s` lists all\n",
			name, (long long)port, name);
		return -ENOENT;
	}
	if (req->verb == UBSTAT_NPU && ubpu->type != UB_UBPU_NPU) {
		fprintf(err, "ubstat: %s is no NPU; `ubstat device %s` shows it\n", name, name);
		return -ENOENT;
	}
	return 0;
}

int ubstat_check_names(const struct ubstat_request *req, const struct ubnl_snapshot *snap,
		       FILE *err)
{
	int i, ret = 0;

	if (req->pod && !ubnl_pod_find(snap, req->pod)) {
		fprintf(err, "ubstat: there is no pod '%s'; `ubstat pod` lists all\n", req->pod);
		return -ENOENT;
	}
	for (i = 0; !ret && i < req->nr_names; i++)
		ret = ubstat_check_name(req, snap, req->name[i], err);
	return ret;
}

/* ---- ports -------------------------------------------------------------------- */

static int ubstat_port_order(const void *a, const void *b, void *arg)
{
	const struct ubstat_port *x = a, *y = b;
	const struct ubnl_end *p = &x->link->end[x->end], *q = &y->link->end[y->end];

	/* Pods keep the kernel's order: that of their creation. */
	if (strcmp(x->link->pod, y->link->pod)) {
		const struct ubnl_snapshot *snap = arg;
		const struct ubnl_pod *m = ubnl_pod_find(snap, x->link->pod);
		const struct ubnl_pod *n = ubnl_pod_find(snap, y->link->pod);

		return (m > n) - (m < n);
	}
	if (p->ubpu != q->ubpu)
		return (p->ubpu > q->ubpu) - (p->ubpu < q->ubpu);
	return (p->port > q->port) - (p->port < q->port);
}

struct ubstat_port *ubstat_ports(const struct ubstat_request *req,
				 const struct ubnl_snapshot *snap, size_t *nr)
{
	struct ubstat_port *port = calloc(2 * snap->nr_links + 1, sizeof(*port));
	size_t i;
	int end;

	*nr = 0;
	if (!port)
		return NULL;
	for (i = 0; i < snap->nr_links; i++) {
		const struct ubnl_link *link = &snap->link[i];

		for (end = 0; end < 2; end++)
			if (ubstat_wants_pod(req, link->pod) &&
			    ubstat_wants_port(req, &link->end[end]))
				port[(*nr)++] = (struct ubstat_port){ link, end };
	}
	qsort_r(port, *nr, sizeof(*port), ubstat_port_order, (void *)snap);
	return port;
}

/* ---- values --------------------------------------------------------------------- */

bool ubstat_speed(const struct ubnl_link *link, uint64_t *mbps)
{
	const uint64_t need = UBNL_BIT(UB_A_STATE) | UBNL_BIT(UB_A_WIDTH) |
			      UBNL_BIT(UB_A_LANE_MBPS);

	if ((link->has & need) != need || link->state != UB_LINK_UP)
		return false;
	*mbps = (uint64_t)link->width * link->lane_mbps;
	return true;
}

/*
 * The UBPU at an end. The kernel tells those of a pod together and by index, so it is
 * at its index after the first of the pod, if nothing changed meanwhile; @first is
 * that of the last time.
 */
static const struct ubnl_ubpu *ubstat_ubpu_at(const struct ubnl_snapshot *snap,
					      const struct ubnl_link *link, int end,
					      size_t *first)
{
	const char *name = link->end[end].name;
	size_t i;

	if (*first >= snap->nr_ubpus || strcmp(snap->ubpu[*first].pod, link->pod))
		for (*first = 0; *first < snap->nr_ubpus; ++*first)
			if (!strcmp(snap->ubpu[*first].pod, link->pod))
				break;
	i = *first + link->end[end].ubpu;
	if (i < snap->nr_ubpus && !strcmp(snap->ubpu[i].name, name))
		return &snap->ubpu[i];
	return ubnl_ubpu_find(snap, name);
}

static void ubstat_sum_add(struct ubstat_sum *sum, const struct ubnl_link *link)
{
	const uint64_t need = UBNL_BIT(UB_A_STATE) | UBNL_BIT(UB_A_WIDTH) |
			      UBNL_BIT(UB_A_WIDTH_MAX) | UBNL_BIT(UB_A_LANE_MBPS);
	uint64_t mbps;

	sum->ports++;
	sum->known &= (link->has & need) == need;
	sum->width_max += link->width_max;
	sum->mbps_max += (uint64_t)link->width_max * link->lane_mbps;
	if (!ubstat_speed(link, &mbps))
		return;
	sum->ports_up++;
	sum->width += link->width;
	sum->mbps += mbps;
}

struct ubstat_sum *ubstat_sums(const struct ubnl_snapshot *snap)
{
	struct ubstat_sum *sum = calloc(snap->nr_ubpus + 1, sizeof(*sum));
	const struct ubnl_ubpu *ubpu;
	size_t i, first = 0;
	int end;

	if (!sum)
		return NULL;
	for (i = 0; i < snap->nr_ubpus; i++)
		sum[i].known = true;
	for (i = 0; i < snap->nr_links; i++) {
		for (end = 0; end < 2; end++) {
			ubpu = ubstat_ubpu_at(snap, &snap->link[i], end, &first);
			if (ubpu)
				ubstat_sum_add(&sum[ubpu - snap->ubpu], &snap->link[i]);
		}
	}
	return sum;
}

const char *ubstat_backend(const struct ubnl_snapshot *snap, const char *pod)
{
	const struct ubnl_pod *found = ubnl_pod_find(snap, pod);

	return found && found->backend[0] ? found->backend : NULL;
}

const char *ubstat_type(const struct ubnl_ubpu *ubpu)
{
	static const char * const type[] = {
		[UB_UBPU_NPU] = "npu", [UB_UBPU_CPU] = "cpu", [UB_UBPU_SWITCH] = "switch",
	};

	return ubpu->type <= UB_UBPU_SWITCH ? type[ubpu->type] : NULL;
}

const char *ubstat_state(const struct ubnl_link *link)
{
	static const char * const state[] = {
		[UB_LINK_DOWN] = "down", [UB_LINK_TRAINING] = "training", [UB_LINK_UP] = "up",
	};

	if (!(link->has & UBNL_BIT(UB_A_STATE)) || link->state > UB_LINK_UP)
		return NULL;
	return state[link->state];
}

void ubstat_eid(const struct ubnl_ubpu *ubpu, char text[UBSTAT_ID_LEN])
{
	text[0] = 0;
	if (ubpu->has & UBNL_BIT(UB_A_EID))
		inet_ntop(AF_INET6, ubpu->eid, text, UBSTAT_ID_LEN);
}

/* vendor-device-version-type-reserved-number */
void ubstat_guid(const struct ubnl_ubpu *ubpu, char text[UBSTAT_ID_LEN])
{
	const uint8_t *g = ubpu->guid;

	text[0] = 0;
	if (ubpu->has & UBNL_BIT(UB_A_GUID))
		snprintf(text, UBSTAT_ID_LEN,
			 "%02x%02x-%02x%02x-%x-%x-%02x%02x%02x-%02x%02x%02x%02x%02x%02x%02x%02x",
			 g[0], g[1], g[2], g[3], g[4] >> 4, g[4] & 15, g[5], g[6], g[7],
			 g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]);
}
