/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What libibverbs and the kernel do for the provider, in one process: private functions
 * of libibverbs answer as the kernel would, and put rings into a memory file that stands
 * for the uverbs file. Tests hold the kernel's end of each ring.
 */
#ifndef FAKE_VERBS_H
#define FAKE_VERBS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "provider/provider.h"

#define FAKE_MAX_INLINE	256
#define FAKE_MAX_SGE	4

struct fake {
	const struct verbs_device_ops *driver;	/* what the provider registered */
	struct verbs_context_ops ops;		/* what it gave to the context */
	uint32_t driver_id;
	int fail;			/* errno of the next command, once */
	bool short_ring;		/* the next ring answered is too short */
	bool small_entries;		/* the entries of the next are too small */
	uint32_t index;			/* where both indices of new rings begin */
	struct ub_ring last[4];		/* kernel's ends of the rings made last, newest first */
	int sent, received, srq_received, polled;	/* doorbells */
	void (*on_poll)(void);
	bool simple;			/* no windows, no invalidation */
	int alive;			/* objects of the kernel's that are not destroyed */
};

extern struct fake fake;

/* A context as ibv_open_device() gives; fake is reset before, but for @simple. */
struct ibv_context *fake_open(void);
/* Nothing of the kernel's may be left. */
void fake_close(struct ibv_context *context);

/* As ibv_create_*() do. */
struct ibv_cq *fake_cq(struct ibv_context *context, int entries);
struct ibv_qp *fake_qp(struct ibv_pd *pd, struct ibv_cq *send, struct ibv_cq *recv,
		       enum ibv_qp_type type, enum ibv_qp_state state);

/* The kernel publishes a completion. */
void fake_complete(struct ub_ring *ring, const struct ub_cqe *cqe);
/* The kernel takes the next request; NULL: there is none. */
const struct ub_sqe *fake_take(struct ub_ring *ring);

#endif /* FAKE_VERBS_H */
