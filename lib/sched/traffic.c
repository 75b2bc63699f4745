// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bytes between ranks, counted from the steps alone. It knows no algorithm: that is
 * why it can be compared with an algorithm's own formula, and with what links count.
 */
#include "traffic.h"

uint64_t ub_step_bytes(const struct ub_plan *plan, const struct ub_layout *layout,
		       const struct ub_step *step, uint32_t src_pos, uint32_t dst_pos)
{
	const struct ub_slice *slice = step->dst.space != UB_TMP ? &step->dst : &step->src;
	uint32_t pos = slice == &step->dst ? dst_pos : src_pos, first;
	uint64_t bytes = 0;

	if (slice->space == UB_TMP)
		return layout->tmp_stride * slice->run * slice->reps;
	for (uint32_t rep = 0; rep < slice->reps; rep++) {
		first = ub_slice_run(slice, pos, rep);
		bytes += ub_layout_offset(layout, plan, slice->region, first + slice->run) -
			 ub_layout_offset(layout, plan, slice->region, first);
	}
	return bytes;
}

static void move_traffic(const struct ub_plan *plan, const struct ub_layout *layout,
			 const struct ub_step *step, uint32_t self, uint64_t *bytes)
{
	const struct ub_ranks *set = ub_move_set(step);
	uint32_t p = plan->args.nranks;

	for (uint32_t i = 0; i < ub_ranks_count(set); i++) {
		uint32_t from = ub_ranks_get(&step->from, set == &step->from ? i : 0, self);
		uint32_t to = ub_ranks_get(&step->to, set == &step->to ? i : 0, self);
		uint32_t pos = ub_ranks_pos(set, ub_ranks_get(set, i, self));
		uint64_t n = ub_step_bytes(plan, layout, step, pos, pos);

		if (from != self && !(step->flags & UB_STEP_LOCAL))
			bytes[(size_t)from * p + self] += n;
		if (to != self)
			bytes[(size_t)self * p + to] += n;
	}
}

static void reduce_traffic(const struct ub_plan *plan, const struct ub_layout *layout,
			   const struct ub_step *step, uint32_t self, uint64_t *bytes)
{
	uint32_t p = plan->args.nranks;
	uint32_t to0 = ub_ranks_pos(&step->to, ub_ranks_get(&step->to, 0, self));
	uint32_t from0 = ub_ranks_pos(&step->from, ub_ranks_get(&step->from, 0, self));

	for (uint32_t i = 0; i < ub_ranks_count(&step->from); i++) {
		uint32_t from = ub_ranks_get(&step->from, i, self);

		if (from != self && !(step->flags & UB_STEP_LOCAL))
			bytes[(size_t)from * p + self] +=
				ub_step_bytes(plan, layout, step, ub_ranks_pos(&step->from, from),
					      to0);
	}
	for (uint32_t i = 0; i < ub_ranks_count(&step->to); i++) {
		uint32_t to = ub_ranks_get(&step->to, i, self);

		if (to != self)
			bytes[(size_t)self * p + to] +=
				ub_step_bytes(plan, layout, step, from0,
					      ub_ranks_pos(&step->to, to));
	}
}

void ub_plan_traffic(const struct ub_plan *plan, const struct ub_layout *layout, uint64_t *bytes)
{
	struct ub_cursor cur;
	struct ub_step step;

	for (uint32_t rank = 0; rank < plan->args.nranks; rank++) {
		for (uint32_t stream = 0; stream < plan->nstreams; stream++) {
			ub_cursor_open(plan, rank, stream, &cur);
			while (ub_cursor_next(plan, &cur, &step)) {
				if (step.op == UB_STEP_MOVE)
					move_traffic(plan, layout, &step, rank, bytes);
				else if (step.op == UB_STEP_REDUCE)
					reduce_traffic(plan, layout, &step, rank, bytes);
			}
		}
	}
}
