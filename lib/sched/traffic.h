/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes that steps move, counted from the steps alone.
 */
#ifndef UB_SCHED_TRAFFIC_H
#define UB_SCHED_TRAFFIC_H

#include "sched.h"

/**
 * ub_step_bytes - bytes that a MOVE or REDUCE takes from one source to one destination
 * @plan: the plan
 * @layout: its sizes
 * @step: the step
 * @src_pos: position of the source, for @step->src
 * @dst_pos: position of the destination, for @step->dst
 */
uint64_t ub_step_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
		       const struct ub_step *step, uint32_t src_pos, uint32_t dst_pos);

/**
 * ub_plan_traffic - count the bytes of payload between ranks, from the steps
 * @plan: the plan
 * @layout: its sizes
 * @bytes: nranks × nranks counters, [from × nranks + to], added to
 *
 * What a rank moves within its own memory is not counted. A step that reads from one
 * rank and writes to another counts for both ways.
 */
void ub_plan_traffic(const struct ub_plan *plan, const struct ub_layout *layout, uint64_t *bytes);

#endif /* UB_SCHED_TRAFFIC_H */
