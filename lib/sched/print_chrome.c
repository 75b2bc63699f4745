// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plan on a time line: one process per rank, one thread per stream, one complete event
 * ("X") per step, in microseconds. The format: Trace Event Format, Google, 2016.
 */
#include <inttypes.h>

#include "print.h"

struct chrome {
	FILE *out;
	bool comma;
};

static void print_event(void *ctx, uint32_t rank, uint32_t index, const struct ub_step *step,
			uint64_t begin, uint64_t end)
{
	static const char *const names[] = { "", "move", "reduce", "signal", "wait", "flush" };
	struct chrome *chrome = ctx;

	/* Picoseconds, as microseconds with six digits: no floating point, no locale. */
	fprintf(chrome->out, "%s\n{\"name\":\"%s\",\"ph\":\"X\",\"pid\":%" PRIu32 ",\"tid\":%u,"
		"\"ts\":%" PRIu64 ".%06" PRIu64 ",\"dur\":%" PRIu64 ".%06" PRIu64 ","
		"\"args\":{\"step\":%" PRIu32 ",\"what\":\"",
		chrome->comma ? "," : "", names[step->op], rank, step->stream,
		begin / 1000000, begin % 1000000, (end - begin) / 1000000, (end - begin) % 1000000,
		index);
	ub_print_step(chrome->out, step, rank);
	fputs("\"}}", chrome->out);
	chrome->comma = true;
}

int ub_print_chrome(FILE *out, const struct ub_plan *plan, const struct ub_layout *layout,
		    const struct ub_cost_model *model)
{
	struct chrome chrome = { .out = out };
	struct ub_cost cost;
	int err;

	fprintf(out, "{\"otherData\":{\"algorithm\":\"%s\",\"bytes\":%" PRIu64 ",\"times\":\"modelled\"},"
		"\n\"traceEvents\":[", plan->alg->name, layout->bytes);
	err = ub_cost_plan(plan, layout, model, &cost, print_event, &chrome);
	fputs("\n]}\n", out);
	return err;
}
