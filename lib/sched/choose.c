// SPDX-License-Identifier: BSD-2-Clause
/*
 * Chooses an algorithm by cost. Pure and in integers: every rank that asks the same
 * question gets the same answer.
 */
#include <errno.h>

#include "cost.h"

/* Cost one algorithm for the whole call. *@time: of all windows. */
static int cost_alg(const struct ub_choice *choice, const struct ub_alg *alg,
		    const struct ub_cost_model *model, struct ub_choice *answer, uint64_t *time)
{
	struct ub_layout layout;
	uint64_t window;
	int err;

	err = ub_plan_make(&answer->plan, alg, &choice->args);
	if (err)
		return err;
	if (choice->props & ~answer->plan.props)
		return -EOPNOTSUPP;
	window = ub_layout_window(&answer->plan, choice->tmp, choice->elem);
	if (!window)
		return -EOPNOTSUPP;
	answer->alg = alg;
	answer->windows = choice->bytes > window ? (choice->bytes - 1) / window + 1 : 1;
	ub_layout_bind(&layout, &answer->plan, answer->windows > 1 ? window : choice->bytes,
		       choice->elem);
	err = ub_cost_plan(&answer->plan, &layout, model, &answer->cost, NULL, NULL);
	if (!err && __builtin_mul_overflow(answer->cost.total, answer->windows, time))
		*time = UINT64_MAX;
	return err;
}

int ub_sched_choose(struct ub_choice *choice, const struct ub_cost_model *model)
{
	struct ub_choice question = *choice, answer = *choice;
	uint64_t time, best = 0;
	bool found = false;
	int err;

	for (int i = 0; ub_algs[i]; i++) {
		if (ub_algs[i]->coll != question.args.coll)
			continue;
		err = cost_alg(&question, ub_algs[i], model, &answer, &time);
		if (err == -EOPNOTSUPP)
			continue;
		if (err)
			return err;
		if (!found || time < best) {
			*choice = answer;
			best = time;
			found = true;
		}
	}
	return found ? 0 : -EOPNOTSUPP;
}
