// SPDX-License-Identifier: BSD-2-Clause
/*
 * Makes plans and pulls their steps: what all algorithms have in common.
 */
#include <errno.h>
#include <string.h>

#include "algs.h"
#include "sched.h"

const struct ub_alg *const ub_algs[] = {
	&ub_alg_oneshot,
	&ub_alg_twoshot,
	&ub_alg_ring,
	&ub_alg_bcast_flat,
	&ub_alg_bcast_scatter,
	&ub_alg_bcast_eager,
	&ub_alg_barrier,
	&ub_alg_barrier_meet,
	NULL,
};

const struct ub_alg *ub_alg_find(enum ub_coll coll, const char *name)
{
	for (int i = 0; ub_algs[i]; i++)
		if (ub_algs[i]->coll == coll && !strcmp(ub_algs[i]->name, name))
			return ub_algs[i];
	return NULL;
}

int ub_plan_make(struct ub_plan *plan, const struct ub_alg *alg, const struct ub_sched_args *args)
{
	if (!args->nranks || args->root >= args->nranks)
		return -EINVAL;
	if (args->root && args->coll != UB_COLL_BROADCAST)
		return -EINVAL;
	if (args->coll != alg->coll)
		return -EOPNOTSUPP;
	memset(plan, 0, sizeof(*plan));
	plan->alg = alg;
	plan->args = *args;
	plan->nstreams = 1;
	plan->nregions = 1;
	plan->regions[0] = (struct ub_region){ .share = 1, .chunks = 1 };
	return alg->plan(plan);
}

void ub_cursor_open(const struct ub_plan *plan, uint32_t rank, uint32_t stream,
		    struct ub_cursor *cur)
{
	memset(cur, 0, sizeof(*cur));
	cur->rank = rank;
	cur->stream = stream;
}

bool ub_cursor_next(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step)
{
	memset(step, 0, sizeof(*step));
	step->stream = cur->stream;
	return plan->alg->next(plan, cur, step);
}
