// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Address handles: the kernel resolves the GID and keeps the answer; a request names it
 * by number.
 */
#include "provider.h"

struct ub_create_ah_resp {
	struct ib_uverbs_create_ah_resp core;
	struct ub_verbs_create_ah_resp ub;
};

static_assert(sizeof(struct ub_create_ah_resp) ==
	      sizeof(struct ib_uverbs_create_ah_resp) +
	      sizeof(struct ub_verbs_create_ah_resp), "a hole in the answer");

struct ibv_ah *ub_ah_create(struct ibv_pd *pd, struct ibv_ah_attr *attr)
{
	struct ub_create_ah_resp resp = {};
	struct ub_ah *ah;
	int err;

	ah = calloc(1, sizeof(*ah));
	if (!ah)
		return NULL;
	err = ibv_cmd_create_ah(pd, &ah->ah, attr, &resp.core, sizeof(resp));
	if (err)
		return ub_failed(ah, err);
	ah->number = resp.ub.ah;
	return &ah->ah;
}

int ub_ah_destroy(struct ibv_ah *ibah)
{
	int err;

	err = ibv_cmd_destroy_ah(ibah);
	if (!err)
		free(to_ub_ah(ibah));
	return err;
}
