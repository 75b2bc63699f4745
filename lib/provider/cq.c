// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Completion queues: making, resizing, arming. Reading them is poll.c.
 */
#include "provider.h"

struct ub_create_cq_resp {
	struct ib_uverbs_ex_create_cq_resp core;
	struct ub_verbs_create_cq_resp ub;
};

struct ub_resize_cq_resp {
	struct ib_uverbs_resize_cq_resp core;
	struct ub_verbs_create_cq_resp ub;
};

static_assert(sizeof(struct ub_create_cq_resp) ==
	      sizeof(struct ib_uverbs_ex_create_cq_resp) +
	      sizeof(struct ub_verbs_create_cq_resp), "a hole in the answer");
static_assert(sizeof(struct ub_resize_cq_resp) ==
	      sizeof(struct ib_uverbs_resize_cq_resp) +
	      sizeof(struct ub_verbs_create_cq_resp), "a hole in the answer");

static struct ub_cq *create(struct ibv_context *context, struct ibv_cq_init_attr_ex *attr,
			    bool single_threaded)
{
	struct ub_create_cq_resp resp = {};
	struct ub_cq *cq;
	int err;

	cq = calloc(1, sizeof(*cq));
	if (!cq)
		return NULL;
	err = ibv_cmd_create_cq_ex(context, attr, UB_PABI_59(NULL) &cq->verbs, NULL, 0,
				   &resp.core, sizeof(resp), 0);
	if (err)
		return ub_failed(cq, err);
	err = ub_queue_map(&cq->ring, context->cmd_fd, &resp.ub.ring, sizeof(struct ub_cqe));
	if (err) {
		ibv_cmd_destroy_cq(&cq->verbs.cq);
		return ub_failed(cq, err);
	}
	ub_ring_start_consuming(&cq->ring);
	ub_lock_init(&cq->lock, single_threaded);
	return cq;
}

struct ibv_cq *ub_cq_create(struct ibv_context *context, int entries,
			    struct ibv_comp_channel *channel, int vector)
{
	struct ibv_cq_init_attr_ex attr = {
		.cqe = entries,
		.channel = channel,
		.comp_vector = vector,
	};
	struct ub_cq *cq;

	if (entries <= 0)
		return ub_failed(NULL, EINVAL);
	cq = create(context, &attr, false);
	return cq ? &cq->verbs.cq : NULL;
}

/* What is unknown is not offered: programs that probe (UCX) rely on EOPNOTSUPP. */
static int check_attr(const struct ibv_cq_init_attr_ex *attr)
{
	if (attr->comp_mask & ~(IBV_CQ_INIT_ATTR_MASK_FLAGS | IBV_CQ_INIT_ATTR_MASK_PD))
		return EOPNOTSUPP;
	if (attr->wc_flags & ~UB_CQ_READERS)
		return EOPNOTSUPP;
	if (attr->comp_mask & IBV_CQ_INIT_ATTR_MASK_FLAGS &&
	    attr->flags & ~(uint32_t)IBV_CREATE_CQ_ATTR_SINGLE_THREADED)
		return EOPNOTSUPP;
	if (!attr->cqe || attr->cqe > INT32_MAX)
		return EINVAL;
	return 0;
}

struct ibv_cq_ex *ub_cq_create_ex(struct ibv_context *context,
				  struct ibv_cq_init_attr_ex *attr)
{
	bool single_threaded = attr->comp_mask & IBV_CQ_INIT_ATTR_MASK_FLAGS &&
			       attr->flags & IBV_CREATE_CQ_ATTR_SINGLE_THREADED;
	struct ub_cq *cq;
	int err;

	err = check_attr(attr);
	if (err)
		return ub_failed(NULL, err);
	cq = create(context, attr, single_threaded);
	if (!cq)
		return NULL;
	ub_cq_set_readers(cq, attr->wc_flags);
	return &cq->verbs.cq_ex;
}

/* Under the lock: what is not read yet moves along in the kernel. */
static int resize(struct ub_cq *cq, int entries)
{
	struct ub_resize_cq_resp resp = {};
	struct ibv_resize_cq cmd;
	struct ub_ring ring;
	int err;

	err = ibv_cmd_resize_cq(&cq->verbs.cq, entries, &cmd, sizeof(cmd), &resp.core,
				sizeof(resp));
	if (err)
		return err;
	err = ub_queue_map(&ring, cq->verbs.cq.context->cmd_fd, &resp.ub.ring,
			   sizeof(struct ub_cqe));
	if (err) {
		cq->lost = true;
		return err;
	}
	ub_queue_unmap(&cq->ring);
	cq->ring = ring;
	ub_ring_start_consuming(&cq->ring);
	return 0;
}

int ub_cq_resize(struct ibv_cq *ibcq, int entries)
{
	struct ub_cq *cq = to_ub_cq(ibcq);
	int err;

	if (entries <= 0)
		return EINVAL;
	ub_lock(&cq->lock);
	err = resize(cq, entries);
	ub_unlock(&cq->lock);
	return err;
}

int ub_cq_destroy(struct ibv_cq *ibcq)
{
	struct ub_cq *cq = to_ub_cq(ibcq);
	int err;

	err = ibv_cmd_destroy_cq(ibcq);
	if (err)
		return err;
	ub_queue_unmap(&cq->ring);
	free(cq);
	return 0;
}

/* The program looks once more after it: that is verbs' rule as well. */
int ub_cq_arm(struct ibv_cq *ibcq, int solicited_only)
{
	struct ub_cq *cq = to_ub_cq(ibcq);

	ub_lock(&cq->lock);
	ub_ring_arm(&cq->ring, solicited_only ? UB_ARM_SOLICITED : UB_ARM_ANY);
	ub_unlock(&cq->lock);
	return 0;
}

/*
 * Entries between the indices are ours: those that stay move up, in order, over those
 * that go, and reading begins behind the gap. The kernel publishes none for a queue
 * pair that is destroyed or reset, and gives its number to the next one only when it
 * has gone round all others.
 */
void ub_cq_clean(struct ub_cq *cq, uint32_t qp_num)
{
	struct ub_ring *ring = &cq->ring;
	uint32_t from, to;

	ub_lock(&cq->lock);
	ring->other = __atomic_load_n(&ring->head->producer, __ATOMIC_ACQUIRE);
	to = ring->other;
	for (from = ring->other; from != ring->index; from--) {
		const struct ub_cqe *cqe = ub_ring_at(ring, from - 1);

		if (cqe->jetty == qp_num)
			continue;
		to--;
		if (to != from - 1)
			memcpy(ub_ring_at(ring, to), cqe, sizeof(*cqe));
	}
	ring->index = to;
	ub_ring_release(ring);
	ub_unlock(&cq->lock);
}
