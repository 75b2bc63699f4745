// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Memory regions and windows: all is the kernel's. Binding windows is a request: send.c.
 */
#include "provider.h"

struct ibv_mr *ub_mr_reg(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova,
			 int access)
{
	struct ib_uverbs_reg_mr_resp resp;
	struct ibv_reg_mr cmd;
	struct verbs_mr *mr;
	int err;

	mr = calloc(1, sizeof(*mr));
	if (!mr)
		return NULL;
	err = ibv_cmd_reg_mr(pd, addr, length, iova, access, mr, &cmd, sizeof(cmd),
			     &resp, sizeof(resp));
	if (err)
		return ub_failed(mr, err);
	return &mr->ibv_mr;
}

struct ibv_mr *ub_mr_reg_dmabuf(struct ibv_pd *pd, uint64_t offset, size_t length,
				uint64_t iova, int fd, int access)
{
	struct verbs_mr *mr;
	int err;

	mr = calloc(1, sizeof(*mr));
	if (!mr)
		return NULL;
	/* The last argument came with rdma-core 54; before, it is not looked at. */
	err = ibv_cmd_reg_dmabuf_mr(pd, offset, length, iova, fd, access, mr, NULL);
	if (err)
		return ub_failed(mr, err);
	return &mr->ibv_mr;
}

int ub_mr_rereg(struct verbs_mr *mr, int flags, struct ibv_pd *pd, void *addr,
		size_t length, int access)
{
	struct ib_uverbs_rereg_mr_resp resp;
	struct ibv_rereg_mr cmd;

	return ibv_cmd_rereg_mr(mr, flags, addr, length, (uintptr_t)addr, access, pd,
				&cmd, sizeof(cmd), &resp, sizeof(resp));
}

int ub_mr_dereg(struct verbs_mr *mr)
{
	int err;

	err = ibv_cmd_dereg_mr(mr);
	if (!err)
		free(mr);
	return err;
}

struct ibv_mw *ub_mw_alloc(struct ibv_pd *pd, enum ibv_mw_type type)
{
	struct ib_uverbs_alloc_mw_resp resp;
	struct ibv_alloc_mw cmd;
	struct ibv_mw *mw;
	int err;

	mw = calloc(1, sizeof(*mw));
	if (!mw)
		return NULL;
	err = ibv_cmd_alloc_mw(pd, type, mw, &cmd, sizeof(cmd), &resp, sizeof(resp));
	if (err)
		return ub_failed(mw, err);
	return mw;
}

int ub_mw_dealloc(struct ibv_mw *mw)
{
	int err;

	err = ibv_cmd_dealloc_mw(mw);
	if (!err)
		free(mw);
	return err;
}
