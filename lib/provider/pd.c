// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Protection domains, and the two kinds of domains that libibverbs lays above them: a
 * thread domain says that one thread at a time uses what is made with it, a parent
 * domain is a protection domain with a thread domain. The kernel knows only the first.
 */
#include "provider.h"

struct ibv_pd *ub_pd_alloc(struct ibv_context *context)
{
	struct ib_uverbs_alloc_pd_resp resp;
	struct ibv_alloc_pd cmd;
	struct ub_pd *pd;
	int err;

	pd = calloc(1, sizeof(*pd));
	if (!pd)
		return NULL;
	err = ibv_cmd_alloc_pd(context, &pd->pd, &cmd, sizeof(cmd), &resp, sizeof(resp));
	if (err)
		return ub_failed(pd, err);
	return &pd->pd;
}

int ub_pd_dealloc(struct ibv_pd *ibpd)
{
	struct ub_pd *pd = to_ub_pd(ibpd);
	int err;

	if (pd->below) {
		if (pd->td)
			atomic_fetch_sub(&pd->td->users, 1);
		atomic_fetch_sub(&pd->below->users, 1);
		free(pd);
		return 0;
	}
	if (atomic_load(&pd->users))
		return EBUSY;
	err = ibv_cmd_dealloc_pd(ibpd);
	if (!err)
		free(pd);
	return err;
}

struct ibv_td *ub_td_alloc(struct ibv_context *context, struct ibv_td_init_attr *attr)
{
	struct ub_td *td;

	if (attr->comp_mask)
		return ub_failed(NULL, EOPNOTSUPP);
	td = calloc(1, sizeof(*td));
	if (!td)
		return NULL;
	td->td.context = context;
	return &td->td;
}

int ub_td_dealloc(struct ibv_td *ibtd)
{
	struct ub_td *td = container_of(ibtd, struct ub_td, td);

	if (atomic_load(&td->users))
		return EBUSY;
	free(td);
	return 0;
}

struct ibv_pd *ub_parent_domain_alloc(struct ibv_context *context,
				      struct ibv_parent_domain_init_attr *attr)
{
	struct ub_pd *parent;

	if (ibv_check_alloc_parent_domain(attr))
		return NULL;
	/* Allocators: our queues are the kernel's memory. */
	if (attr->comp_mask)
		return ub_failed(NULL, EOPNOTSUPP);
	parent = calloc(1, sizeof(*parent));
	if (!parent)
		return NULL;
	parent->below = to_ub_pd(attr->pd);
	atomic_fetch_add(&parent->below->users, 1);
	if (attr->td) {
		parent->td = container_of(attr->td, struct ub_td, td);
		atomic_fetch_add(&parent->td->users, 1);
	}
	ibv_initialize_parent_domain(&parent->pd, attr->pd);
	return &parent->pd;
}
