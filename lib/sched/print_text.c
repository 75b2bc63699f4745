// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plan as text. Ranks and chunks are printed as the ranges that they are, so a step is
 * a line at any number of ranks.
 */
#include <inttypes.h>

#include "print.h"

static const char *const space_names[] = { "IN", "OUT", "TMP" };

static void print_ranks(FILE *out, const struct ub_ranks *set, uint32_t self)
{
	uint32_t n = ub_ranks_count(set);

	if (!set->count) {
		fputs("self", out);
		return;
	}
	fprintf(out, "%" PRIu32, ub_ranks_get(set, 0, self));
	for (uint32_t i = 1; i < n; i++) {
		/* The middle of a long one goes without saying. */
		if (n > 4 && i == 2)
			fputs(",…", out);
		if (n > 4 && i >= 2 && i + 1 < n)
			continue;
		fprintf(out, ",%" PRIu32, ub_ranks_get(set, i, self));
	}
}

static void print_slice(FILE *out, const struct ub_slice *slice)
{
	fprintf(out, "%s[", space_names[slice->space]);
	if (slice->region)
		fprintf(out, "%u:", slice->region);
	if (slice->per_rank) {
		if (slice->first)
			fprintf(out, "%" PRIu32 "+", slice->first);
		if (slice->per_rank > 1)
			fprintf(out, "%" PRIu32 "·", slice->per_rank);
		fputs("pos", out);
		if (slice->run > 1)
			fprintf(out, "…+%" PRIu32, slice->run - 1);
	} else {
		fprintf(out, "%" PRIu32, slice->first);
		if (slice->run > 1)
			fprintf(out, "…%" PRIu32, slice->first + slice->run - 1);
	}
	if (slice->reps > 1)
		fprintf(out, " ×%" PRIu32 " by %" PRIu32, slice->reps, slice->stride);
	fputs("]", out);
}

static void print_data(FILE *out, const struct ub_step *step, uint32_t self)
{
	fputs(step->op == UB_STEP_MOVE ? "move   " : "reduce ", out);
	print_slice(out, &step->src);
	fputs(step->flags & UB_STEP_LOCAL ? " for " : " of ", out);
	print_ranks(out, &step->from, self);
	if (step->flags & UB_STEP_OWN)
		fputs(" (mine: IN)", out);
	fputs(" → ", out);
	print_slice(out, &step->dst);
	fputs(" of ", out);
	print_ranks(out, &step->to, self);
	if (step->flags & UB_STEP_FINISH)
		fputs(", finish", out);
}

static void print_signal(FILE *out, const struct ub_step *step, uint32_t self)
{
	bool wait = step->op == UB_STEP_WAIT;

	fprintf(out, wait ? "wait   %" PRIu32 " from " : "signal %" PRIu32 " to ", step->value);
	print_ranks(out, wait ? &step->from : &step->to, self);
	fprintf(out, ", cell %" PRIu32, step->signal);
	if (step->signal_per_rank)
		fprintf(out, "+%" PRIu32 "·pos", step->signal_per_rank);
	if (step->flags & UB_STEP_ENTRY)
		fputs(" (entry)", out);
	if (step->flags & UB_STEP_EXIT)
		fputs(" (exit)", out);
}

void ub_print_step(FILE *out, const struct ub_step *step, uint32_t self)
{
	if (step->op == UB_STEP_FLUSH)
		fputs("flush", out);
	else if (step->op == UB_STEP_SIGNAL || step->op == UB_STEP_WAIT)
		print_signal(out, step, self);
	else
		print_data(out, step, self);
}

void ub_print_text(FILE *out, const struct ub_plan *plan)
{
	struct ub_cursor cur;
	struct ub_step step;

	fprintf(out, "%s: %" PRIu32 " ranks, ", plan->alg->name, plan->args.nranks);
	if (plan->args.coll == UB_COLL_BROADCAST)
		fprintf(out, "root %" PRIu32 ", ", plan->args.root);
	fprintf(out, "%" PRIu32 " chunks, %" PRIu32 " TMP, %" PRIu32 " cells\n",
		plan->regions[0].chunks, plan->tmp_chunks, plan->nsignals);
	for (uint32_t rank = 0; rank < plan->args.nranks; rank++) {
		for (uint32_t stream = 0; stream < plan->nstreams; stream++) {
			fprintf(out, "rank %" PRIu32, rank);
			if (plan->nstreams > 1)
				fprintf(out, " stream %" PRIu32, stream);
			fputs("\n", out);
			ub_cursor_open(plan, rank, stream, &cur);
			for (uint32_t i = 0; ub_cursor_next(plan, &cur, &step); i++) {
				fprintf(out, "  %3" PRIu32 "  ", i);
				ub_print_step(out, &step, rank);
				fputs("\n", out);
			}
		}
	}
}
