// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plan as a graph. Which wait a signal satisfies is found by cell and value: the first
 * wait of that cell for this value, or for a later one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "print.h"

/* A wait for one cell. */
struct waiter {
	uint32_t rank, stream, step, cell, value;
};

struct waiters {
	struct waiter *list;
	size_t n, room;
};

static int waiters_add(struct waiters *w, const struct ub_step *step, uint32_t rank, uint32_t index)
{
	for (uint32_t i = 0; i < ub_ranks_count(&step->from); i++) {
		uint32_t pos = ub_ranks_pos(&step->from, ub_ranks_get(&step->from, i, rank));

		if (w->n == w->room) {
			size_t room = w->room ? 2 * w->room : 256;
			struct waiter *list = realloc(w->list, room * sizeof(*list));

			if (!list)
				return -ENOMEM;
			w->list = list;
			w->room = room;
		}
		w->list[w->n++] = (struct waiter){ rank, step->stream, index,
			step->signal + pos * step->signal_per_rank, step->value };
	}
	return 0;
}

/* The name of a node: of the step @index of a stream. */
static void print_node(FILE *out, uint32_t rank, uint32_t stream, uint32_t index)
{
	fprintf(out, "s%" PRIu32 "_%" PRIu32 "_%" PRIu32, rank, stream, index);
}

/* A column: the steps of a stream, from top to bottom. */
static int print_stream(FILE *out, const struct ub_plan *plan, uint32_t rank, uint32_t stream,
			struct waiters *w)
{
	struct ub_cursor cur;
	struct ub_step step;
	int err = 0;

	fprintf(out, "  subgraph cluster_%" PRIu32 "_%" PRIu32 " {\n", rank, stream);
	fprintf(out, "    label=\"rank %" PRIu32 "\";\n", rank);
	ub_cursor_open(plan, rank, stream, &cur);
	for (uint32_t i = 0; !err && ub_cursor_next(plan, &cur, &step); i++) {
		print_node(out, rank, stream, i);
		fputs(" [label=\"", out);
		ub_print_step(out, &step, rank);
		fputs("\"];\n", out);
		if (i) {
			print_node(out, rank, stream, i - 1);
			fputs(" -> ", out);
			print_node(out, rank, stream, i);
			fputs(";\n", out);
		}
		if (step.op == UB_STEP_WAIT)
			err = waiters_add(w, &step, rank, i);
	}
	fputs("  }\n", out);
	return err;
}

static const struct waiter *waiter_of(const struct waiters *w, uint32_t rank, uint32_t cell,
				      uint32_t value)
{
	const struct waiter *best = NULL;

	for (size_t i = 0; i < w->n; i++) {
		const struct waiter *x = &w->list[i];

		if (x->rank == rank && x->cell == cell && x->value >= value &&
		    (!best || x->value < best->value))
			best = x;
	}
	return best;
}

static void print_signals(FILE *out, const struct ub_plan *plan, uint32_t rank, uint32_t stream,
			  const struct waiters *w)
{
	struct ub_cursor cur;
	struct ub_step step;

	ub_cursor_open(plan, rank, stream, &cur);
	for (uint32_t i = 0; ub_cursor_next(plan, &cur, &step); i++) {
		if (step.op != UB_STEP_SIGNAL)
			continue;
		for (uint32_t k = 0; k < ub_ranks_count(&step.to); k++) {
			uint32_t to = ub_ranks_get(&step.to, k, rank);
			const struct waiter *x = waiter_of(w, to, step.signal +
				ub_ranks_pos(&step.to, to) * step.signal_per_rank, step.value);

			if (!x)
				continue;
			print_node(out, rank, stream, i);
			fputs(" -> ", out);
			print_node(out, x->rank, x->stream, x->step);
			fputs(" [style=dashed, constraint=false];\n", out);
		}
	}
}

int ub_print_dot(FILE *out, const struct ub_plan *plan)
{
	struct waiters w = { 0 };
	uint32_t n = plan->args.nranks * plan->nstreams;
	int err = 0;

	fprintf(out, "digraph \"%s\" {\n  node [shape=box, fontsize=10];\n", plan->alg->name);
	for (uint32_t i = 0; !err && i < n; i++)
		err = print_stream(out, plan, i / plan->nstreams, i % plan->nstreams, &w);
	for (uint32_t i = 0; !err && i < n; i++)
		print_signals(out, plan, i / plan->nstreams, i % plan->nstreams, &w);
	fputs("}\n", out);
	free(w.list);
	return err;
}
