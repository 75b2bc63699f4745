/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links of the pod that `modprobe ub_soft` makes, for tests with ranks: rank r is on
 * NPU r, which is ub<r>. Needs root where something is changed.
 *
 * Every function ends the process with a sentence when the kernel says no.
 */
#ifndef TEST_LINKS_H
#define TEST_LINKS_H

#include <stdint.h>

#define POD		"pod0"
#define POD_NPUS	8
#define POD_LINKS	(POD_NPUS * (POD_NPUS - 1) / 2)

/* Bytes by load and store, by link and direction: [i][e] is what end e sends. */
struct traffic {
	uint64_t bytes[POD_LINKS][2];
};

/* What the kernel shows now (UB_CMD_LINK_GET, ldst_reported_bytes). */
void traffic_read(struct traffic *t);

/*
 * Adds n × n bytes between ranks, [from × n + to], to every link of the route that the
 * kernel has from one to the other now.
 */
void traffic_route(struct traffic *t, uint32_t n, const uint64_t *bytes);

/* Links and directions where after - before is not as expected; the first is printed. */
int traffic_wrong(const struct traffic *before, const struct traffic *after,
		  const struct traffic *expected);

/* Links from one rank's NPU to another's. */
uint32_t route_length(uint32_t from, uint32_t to);

/* The link between two NPUs, or all links of one. */
void link_set(uint32_t a, uint32_t b, int up);
void links_set(uint32_t npu, int up);

void pod_remove_by_force(void);
void pod_add(void);

#endif /* TEST_LINKS_H */
