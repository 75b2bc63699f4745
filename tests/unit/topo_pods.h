/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pods of presets, made by the kernel's pure files and by lib/topo, for tests that
 * compare the two.
 */
#ifndef TOPO_PODS_H
#define TOPO_PODS_H

#include "core/route.h"
#include "soft/preset.h"
#include "topo/topo.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A preset with some parameters. */
struct given {
	const char *preset;
	struct ub_topo_param param[3];
};

/* Small ones, of which all is compared, and large ones. */
#define NR_SMALL 13
#define NR_LARGE 4
extern const struct given small[NR_SMALL], large[NR_LARGE];

/* The kernel's side. */
struct kernel_pod {
	struct ub_blueprint paper;
	struct ub_vertex *vertex;
	struct ub_edge *edge;
	u32 *index;
	struct ub_graph graph;
};

/* As preset.c of the kernel does: 0, -EINVAL or -ERANGE. */
int kernel_values(const struct ub_preset *preset, const struct ub_topo_param *param, size_t nr,
		  u32 *value);
void kernel_pod_make(struct kernel_pod *pod, const struct given *given);
void kernel_pod_free(struct kernel_pod *pod);

/* lib/topo's. */
struct ub_topo *topo_make(const struct given *given);

#endif /* TOPO_PODS_H */
