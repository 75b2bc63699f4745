/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A communicator inside libub.
 *
 * Who may touch what: the caller's thread everything; the guard and the server
 * thread (guard.c, serve.c) only what is marked so. What other processes see is
 * in the control segment (control.h).
 */
#ifndef LIBUB_COMM_H
#define LIBUB_COMM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <ub/ub.h>
#include "comm/control.h"

struct ub_guard;
struct ub_server;
struct ub_exec;
struct ub_imports;

#define UB_DEADLINE_MS	600000	/* default of calls and of creation */
#define UB_NOTICE_MS	10000	/* after so long one line names who is late */
#define UB_NOBODY	UINT32_MAX

/* Numbers of enum ub_coll, for calls that are no collective of data. */
#define UB_COLL_LEAVE	0xff	/* ub_comm_destroy() */

/* A call as its header says: equal on all ranks or it is a mismatch. */
struct ub_call {
	uint32_t	coll;
	uint32_t	type;
	uint32_t	op;
	uint32_t	root;
	uint64_t	count;
	uint64_t	salt;	/* settings that must agree too */
};

struct ub_comm {
	/* Read by every call. */
	struct ub_control	*ctl;
	struct ub_ctl_rank	*self;		/* ctl->ranks[rank] */
	uint32_t		rank;
	uint32_t		nranks;
	uint64_t		seq;		/* of the last operation begun */
	uint32_t		spin;		/* turns before yielding, see exec/wait.h */
	bool			membarrier;	/* every rank is registered */
	bool			crowded;	/* ranks outnumber processors, as some rank sees it */
	bool			fence;		/* who signals makes the barrier, see exec/wait.h */
	struct ub_exec		*exec;

	/* The call in progress, for waiting and for sentences. */
	struct ub_call		call;
	uint64_t		deadline_ms;	/* of this call */
	uint64_t		start_ns;	/* 0 until the first slow wait */
	bool			noticed;

	struct ub_imports	*imports;	/* peers' segments mapped here */
	struct ub_device	*dev;
	uint64_t		default_ms;
	uint64_t		salt;		/* of every call's hash */
	struct ub_guard		*guard;		/* NULL when alone */
	struct ub_server	*server;	/* NULL when alone */
	int			failure;	/* eventfd shared by all ranks */
	int			poll_fd;	/* epoll around it: nothing to read */

	pthread_mutex_t		lock;		/* all below */
	uint64_t		at_seq;		/* where this rank was when it failed */
	uint32_t		at_step;
	uint32_t		at_awaited;	/* UB_NOBODY: for nobody */
	bool			at_call;
	bool			rendered;
	uint32_t		laggard;	/* whom abort gave up on, or UB_NOBODY */
	bool			reaches;	/* it has this rank's buffers still mapped */
	char			sentence[512];
};

/* failure.c: the abort word, errno and sentence of it. */

/* Make the communicator fail; the first reason stays. Any thread. Returns the errno. */
int ub_comm_fail(struct ub_comm *comm, enum ub_reason reason, uint32_t culprit, uint32_t step);
/* The errno of an abort word; 0 of none. */
int ub_reason_errno(uint64_t word);
/* Wake whoever sleeps in any rank, and all pollers. */
void ub_comm_ring(struct ub_comm *comm);
/* Remember where this rank was when it saw the failure; returns the errno. */
int ub_comm_failed_at(struct ub_comm *comm, uint32_t awaited);
/* Add to the sentence that a rank does not leave its call, and what it can still do. */
void ub_comm_blame(struct ub_comm *comm, uint32_t laggard, bool reaches);
const char *ub_coll_name(uint32_t coll);

static inline bool ub_comm_aborted(const struct ub_comm *comm)
{
	return atomic_load_explicit(&comm->ctl->abort, memory_order_relaxed) != 0;
}

/* The @i-th rank after this one, @i < nranks: so that not all turn to rank 0 first. */
static inline uint32_t ub_comm_after(const struct ub_comm *comm, uint32_t i)
{
	uint32_t rank = comm->rank + i;

	/* No division: each call would make several. */
	return rank < comm->nranks ? rank : rank - comm->nranks;
}

static inline void ub_comm_step(struct ub_comm *comm, uint32_t step)
{
	atomic_store_explicit(&comm->self->progress.step, step, memory_order_relaxed);
}

/* guard.c: I live; has my neighbour died? */
int ub_guard_start(struct ub_comm *comm);	/* from here on my death is seen */
void ub_guard_watch(struct ub_comm *comm);	/* from here on I watch the next rank */
void ub_guard_stop(struct ub_comm *comm);

/* serve.c: hand segments of this process to members who ask. */
int ub_server_start(struct ub_comm *comm);
void ub_server_stop(struct ub_comm *comm);
/* When this has returned no segment is handed out any more. */
void ub_server_refuse(struct ub_comm *comm);
/* Ask rank for its segment id. On success *fd is the caller's, or -1. */
struct ub_segment_desc;
int ub_server_ask(struct ub_comm *comm, uint32_t rank, uint32_t id,
		  struct ub_segment_desc *desc, int *fd, uint32_t *live, uint32_t *nlive);
#define UB_SERVER_IDS	256	/* room of live[] */

/* import.c: peers' segments by (rank, id). */
int ub_imports_create(struct ub_comm *comm);
void ub_imports_destroy(struct ub_comm *comm);
/*
 * The mapping of segment id of rank, made at first use; a copy. Fails the comm on error.
 */
struct ub_mapping;
int ub_import(struct ub_comm *comm, uint32_t rank, uint32_t id, struct ub_mapping *map);
/* What a call's buffers are to peers: id and offset; id 0 for private memory. */
void ub_import_own(struct ub_comm *comm, const void *ptr, uint64_t size, uint32_t *id,
		   uint64_t *offset);

/* call.c: begin and end of every call. */
int ub_call_begin(struct ub_comm *comm, const struct ub_call *call, const struct ub_opts *opts);
int ub_call_end(struct ub_comm *comm, int err);
uint64_t ub_call_hash(const struct ub_call *call);

/* Read a versioned struct of the caller: -EINVAL too small, -E2BIG unknown fields set. */
int ub_struct_copy(void *to, size_t size, const void *from);

#endif /* LIBUB_COMM_H */
