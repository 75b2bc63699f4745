/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The graph of a pod: UBPUs, the links between their ports, and the routes that
 * follow from which links are up.
 *
 * What this room guarantees
 *   - It is pure: the same arguments give the same graph and the same routes, on
 *     every machine. Nothing is global; memory is all that is asked for.
 *   - A preset has the graph of the kernel's preset of that name, link by link and
 *     port by port, and every route is the kernel's. Tests compare them.
 *
 * What it does not: it does not know what the kernel's links do now. Whoever does
 * tells it with ub_topo_set_link(), or makes the graph from arrays.
 *
 * A graph may be read by many threads, unless one is changing it.
 */
#ifndef UB_TOPO_TOPO_H
#define UB_TOPO_TOPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ub/netlink.h>	/* UB_UBPU_* */

/**
 * struct ub_topo_ubpu - an NPU, CPU or switch
 * @type: UB_UBPU_*
 * @memory: of an NPU, in bytes
 * @nr_ports: ports, all of which have a link
 * @nr_uplinks: of them, those that lead to switches
 * @first: of its ports in ub_topo.port and ub_topo.sorted
 */
struct ub_topo_ubpu {
	uint32_t type;
	uint64_t memory;
	uint32_t nr_ports;
	uint32_t nr_uplinks;
	uint32_t first;
};

/**
 * struct ub_topo_link - a link
 * @ubpu: the UBPU at each end
 * @port: the port there; numbered by ub_topo_make() in the order of the links
 * @lanes: that it has
 * @width: of them, those that are active, 1 … @lanes
 * @lane_mbps: speed of a lane, each direction, in Mbit/s
 * @up: it carries traffic
 */
struct ub_topo_link {
	uint32_t ubpu[2];
	uint32_t port[2];
	uint32_t lanes;
	uint32_t width;
	uint32_t lane_mbps;
	bool up;
};

/**
 * struct ub_topo - a pod's graph; to be read, and changed by the functions below
 * @nr_ubpus: UBPUs, NPUs first: NPU r is UBPU r
 * @nr_npus: of them
 * @nr_links: links
 * @ubpu: the UBPUs
 * @link: the links, numbered as the kernel numbers them
 * @port: the link of each port, those of a UBPU together, in port order
 * @sorted: the same, but of each UBPU those that lead to switches first
 */
struct ub_topo {
	uint32_t nr_ubpus;
	uint32_t nr_npus;
	uint32_t nr_links;
	struct ub_topo_ubpu *ubpu;
	struct ub_topo_link *link;
	uint32_t *port;
	uint32_t *sorted;
};

/* ---- making one: graph.c ---------------------------------------------------- */

/**
 * ub_topo_make - a graph from plain arrays
 * @topo: the graph, to be freed; NULL on error
 * @ubpu: type and memory; the rest is not read
 * @nr_ubpus: at least 1; NPUs come first
 * @link: all but the ports
 * @nr_links: may be 0
 *
 * Return: 0; -EINVAL when the arrays are no graph (an end that is not there, a link
 * from a UBPU to itself, a width that is not 1 … lanes, an NPU after what is none);
 * -ENOMEM.
 */
int ub_topo_make(struct ub_topo **topo, const struct ub_topo_ubpu *ubpu, uint32_t nr_ubpus,
		 const struct ub_topo_link *link, uint32_t nr_links);
void ub_topo_free(struct ub_topo *topo);

/**
 * ub_topo_set_link - a link went up, down, or changed its width
 * @topo: the graph
 * @link: which
 * @up: from now on
 * @width: active lanes
 *
 * Return: 0; -ERANGE when there is no such link, or it cannot be so wide.
 */
int ub_topo_set_link(struct ub_topo *topo, uint32_t link, bool up, uint32_t width);

/* ---- presets: preset.c, preset_*.c -------------------------------------------- */

/* A parameter of a preset. */
struct ub_topo_param {
	const char *key;
	uint32_t value;
};

/**
 * ub_topo_preset - the graph of a preset
 * @topo: the graph, to be freed; NULL on error
 * @preset: "mesh1d", "mesh2d", "superpod-a3" or "ubmesh-rack"; preset_*.c say what
 *	they are and which parameters they have
 * @param: parameters; those not given have their defaults
 * @nr: number of @param
 * @why: on an error that is the caller's, a sentence without a full stop; may be NULL
 *
 * Return: 0; -EOPNOTSUPP no such preset; -EINVAL it has no such parameter, or the
 * values do not go together; -ERANGE a value is out of its range; -ENOMEM.
 */
int ub_topo_preset(struct ub_topo **topo, const char *preset, const struct ub_topo_param *param,
		   size_t nr, const char **why);

/* ---- looking at it ------------------------------------------------------------- */

/* The link at a port. */
static inline const struct ub_topo_link *ub_topo_at(const struct ub_topo *topo, uint32_t ubpu,
						    uint32_t port)
{
	return &topo->link[topo->port[topo->ubpu[ubpu].first + port]];
}

/* The other end of a link. */
static inline uint32_t ub_topo_far(const struct ub_topo_link *link, uint32_t ubpu)
{
	return link->ubpu[link->ubpu[0] == ubpu];
}

/* Bytes per second that a link carries in each direction; 0 while it is down. */
static inline uint64_t ub_topo_link_rate(const struct ub_topo_link *link)
{
	return link->up ? (uint64_t)link->width * link->lane_mbps * 125000 : 0;
}

/* Bytes per second out of a UBPU, and into it, over all of its links. */
uint64_t ub_topo_ubpu_rate(const struct ub_topo *topo, uint32_t ubpu);

/* ---- routes: route.c -------------------------------------------------------------- */

#define UB_TOPO_MAX_HOPS 4

/**
 * struct ub_topo_route - the links from one UBPU to another
 * @nr: hops; 0 within one UBPU
 * @hop: each
 * @hop.link: the link
 * @hop.end: the end of it that the hop starts from
 */
struct ub_topo_route {
	uint32_t nr;
	struct {
		uint32_t link;
		uint32_t end;
	} hop[UB_TOPO_MAX_HOPS];
};

/* 0; -ENOLINK there is none; -EINVAL no such UBPUs. */
int ub_topo_route(const struct ub_topo *topo, uint32_t from, uint32_t to,
		  struct ub_topo_route *route);

/* Bytes per second of the narrowest link; UINT64_MAX within one UBPU. */
uint64_t ub_topo_route_rate(const struct ub_topo *topo, const struct ub_topo_route *route);

#endif /* UB_TOPO_TOPO_H */
