/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows a plan: to read, to draw, to look at on a time line.
 */
#ifndef UB_SCHED_PRINT_H
#define UB_SCHED_PRINT_H

#include <stdio.h>

#include "cost.h"
#include "sched.h"

/**
 * ub_print_step - one step as one line of text, without the newline
 * @out: where to
 * @step: the step
 * @self: whose
 */
void ub_print_step(FILE *out, const struct ub_step *step, uint32_t self);

/**
 * ub_print_text - all streams, a line for each step
 * @out: where to
 * @plan: the plan
 */
void ub_print_text(FILE *out, const struct ub_plan *plan);

/**
 * ub_print_dot - Graphviz: a column for each stream, an edge for each signal
 * @out: where to
 * @plan: the plan
 *
 * `dot -Tsvg`. Meant for up to about 16 ranks.
 *
 * Return: 0 or -ENOMEM.
 */
int ub_print_dot(FILE *out, const struct ub_plan *plan);

/**
 * ub_print_chrome - the time line of a modelled run, as Chrome's trace format (JSON)
 * @out: where to
 * @plan: the plan
 * @layout: its sizes
 * @model: what things cost
 *
 * For chrome://tracing or Perfetto. The times are cost's, not measured ones; the file
 * says so.
 *
 * Return: 0; -ENOMEM, -EDEADLK as ub_cost_plan().
 */
int ub_print_chrome(FILE *out, const struct ub_plan *plan, const struct ub_layout *layout,
		    const struct ub_cost_model *model);

#endif /* UB_SCHED_PRINT_H */
