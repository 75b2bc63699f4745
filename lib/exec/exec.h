/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The executor: runs a rank's streams over memory that is mapped.
 *
 * The way of a call
 *	exec.c		chooses the plan, cuts the call into windows
 *	small.c		instead of all below: payload in the control line
 *	stage.c		private buffers and TMP: memory of the library's own
 *	entry.c		the ranks tell each other where their buffers are
 *	program.c	the plan's steps, resolved for this rank and size; cached
 *	run.c		does them
 *	health.c	did it reach the peers' memory?
 *	trace.c		says what was done, for comparison with the generator
 *
 * Guarantees: one operation at a time per communicator; everything a window needs
 * is allocated before its first entry; nothing is allocated in small.c and run.c.
 */
#ifndef LIBUB_EXEC_H
#define LIBUB_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "comm/comm.h"
#include "sched/sched.h"
#include "segment/segment.h"

#define UB_STAGE_BYTES	(256UL << 10)	/* window of private buffers: in and out of two banks fit in a private cache */
#define UB_TMP_BYTES	(4UL << 20)	/* TMP per bank; two banks are schedules.md's 8 MiB */
#define UB_PROGRAMS	16
#define UB_PLANS	16

/* A place in some rank's memory, or a cell of some rank. */
struct ub_ref {
	uint32_t	rank;
	uint32_t	space;	/* enum ub_space; SIGNAL, WAIT: number of the cell */
	uint64_t	offset;
};

struct ub_instr {
	uint8_t		op;	/* enum ub_step_op */
	uint8_t		flags;	/* enum ub_step_flags */
	uint32_t	step;	/* number in its stream, for sentences */
	uint32_t	ref;	/* first of nsrc sources, then ndst destinations */
	uint32_t	nsrc;
	uint32_t	ndst;
	uint64_t	len;	/* bytes; SIGNAL, WAIT: the value */
};

/* A rank's part of a plan for one size. */
struct ub_program {
	const struct ub_plan	*plan;
	uint64_t		bytes;
	uint32_t		elem;
	uint32_t		nstreams;
	uint64_t		used;		/* for choosing a victim */
	struct ub_layout	layout;
	struct ub_instr		*instrs;
	struct ub_ref		*refs;
	uint32_t		*streams;	/* first instr of each; nstreams + 1 entries */
	uint32_t		max_refs;	/* of one instr */
	uint64_t		own, own_end;	/* what no peer touches (UB_PLAN_OWN_PARTS) */
};

/* What the caller wants. */
struct ub_job {
	enum ub_coll	coll;
	const char	*send;		/* NULL: this rank has no input */
	char		*recv;
	uint64_t	bytes;
	enum ub_type	type;
	enum ub_op	op;
	uint32_t	root;
	uint32_t	elem;		/* bytes of an element; 1 when there is none */
};

/* What was executed, when tracing is on. */
struct ub_trace {
	const struct ub_plan	*plan;
	uint64_t		bytes;	/* of the window */
	uint32_t		elem;
	uint64_t		seq;
	uint64_t		hash;
};

struct ub_stream {
	uint32_t	pc;
	uint32_t	end;
	uint32_t	done;	/* of a WAIT: writers that have signalled */
	uint64_t	hash;
};

/* A peer's mapping that can die, in use by the current window. */
struct ub_used {
	struct ub_mapping	map;
	uint32_t		rank;
	uint64_t		word;	/* its state when the window began */
	bool			touched; /* since the word was last compared */
};

/*
 * What a peer said of its buffers in a bank's last window, and for which size that was
 * resolved: while it says the same, base[] is right, because ids are never used again.
 * Not kept of what can die.
 */
struct ub_seen {
	struct ub_where		where;
	uint64_t		bytes;
	uint64_t		tmp_bytes;
	bool			kept;
};

struct ub_exec {
	char			**base[UB_BANKS][3];	/* by enum ub_space, by rank */
	struct ub_seen		*seen[UB_BANKS];	/* by rank; this one's: what it said */
	struct ub_used		**watch[3];	/* the same; NULL: cannot die */
	struct ub_used		*used;		/* room for three per rank */
	uint32_t		nused;
	bool			mortal;		/* this rank's own segments can die */
	const void		**src;		/* scratch of one instr */
	void			**dst;
	uint32_t		room;		/* of src and dst */
	struct ub_stream	*streams;
	uint32_t		nstreams;
	struct ub_program	programs[UB_PROGRAMS];
	struct ub_plan		plans[UB_PLANS];
	uint32_t		nplans;
	uint64_t		clock;		/* of program use */
	uint64_t		nt_bytes;	/* windows from here on bypass the caches */
	const struct ub_alg	*forced[2];	/* asked for: allreduce, broadcast */
	const struct ub_alg	*usual[2];	/* taken otherwise */
	char			*stage;		/* UB_BANKS × (IN, OUT) × UB_STAGE_BYTES */
	char			*tmp;		/* UB_BANKS × UB_TMP_BYTES */
	uint32_t		stage_seg;	/* their ids */
	uint32_t		tmp_seg;
	bool			tracing;
	FILE			*trace_file;
	struct ub_trace		trace;		/* of the last window */
};

int ub_exec_create(struct ub_comm *comm);
void ub_exec_destroy(struct ub_comm *comm);
/* What of the environment must agree between ranks. */
uint64_t ub_exec_salt(const struct ub_comm *comm);
/*
 * Ids of the caller's segments that peers may be using: those of both banks' last
 * windows. Returns how many. Outside of calls only.
 */
#define UB_SHARED_IDS	(2 * UB_BANKS)
uint32_t ub_exec_shared(const struct ub_comm *comm, uint32_t *ids);
/* Run one call, begun by ub_call_begin(). */
int ub_exec_call(struct ub_comm *comm, const struct ub_job *job);

/* Begin the next operation or window: its sequence number. */
static inline uint64_t ub_exec_next(struct ub_comm *comm)
{
	struct ub_progress *p = &comm->self->progress;

	comm->seq++;
	atomic_store_explicit(&p->seq, comm->seq, memory_order_relaxed);
	atomic_store_explicit(&p->step, 0, memory_order_relaxed);
	return comm->seq;
}

/* A plan by its algorithm; cached. NULL: not for this communicator. */
const struct ub_plan *ub_exec_plan(struct ub_comm *comm, const struct ub_alg *alg,
				   uint32_t root);
/* Close the trace of a small call with the plan that it stands for. */
int ub_exec_trace_small(struct ub_comm *comm, const struct ub_job *job);

/* small.c: at most UB_SMALL_MAX bytes. */
int ub_small(struct ub_comm *comm, const struct ub_job *job);

/* entry.c: one window's entry. @any: flags that any rank has set. */
int ub_entry_exchange(struct ub_comm *comm, const struct ub_where *mine, uint32_t *any);
/* Map everybody's buffers for a window of @bytes; fills exec->base of this bank. */
int ub_entry_resolve(struct ub_comm *comm, uint64_t bytes, uint64_t tmp_bytes);

/* stage.c */
int ub_stage_prepare(struct ub_comm *comm, bool private, bool tmp);
void ub_stage_free(struct ub_comm *comm);
/* Copy a window between a private buffer and the stage, but for what peers do not touch. */
void ub_stage_copy(struct ub_comm *comm, const struct ub_program *prog,
		   const struct ub_job *job, char *to, const char *from);
static inline char *ub_stage_at(const struct ub_exec *x, enum ub_space space, uint32_t bank)
{
	return x->stage + (2 * bank + (space == UB_OUT)) * UB_STAGE_BYTES;
}

/* program.c */
int ub_program_get(struct ub_comm *comm, const struct ub_plan *plan, uint64_t bytes,
		   uint32_t elem, struct ub_program **prog);
void ub_program_free(struct ub_program *prog);

/* run.c */
int ub_run(struct ub_comm *comm, const struct ub_program *prog, const struct ub_job *job);

/* health.c */
int ub_health_watch(struct ub_comm *comm, uint32_t rank, uint32_t space,
		    const struct ub_mapping *map);
int ub_health_check_slow(struct ub_comm *comm);
void ub_health_account_slow(struct ub_exec *x, const struct ub_ref *refs,
			    const struct ub_instr *in);

/* Before saying that loads and stores are done. Fails the communicator. */
static inline int ub_health_check(struct ub_comm *comm)
{
	const struct ub_exec *x = comm->exec;

	return __builtin_expect(x->nused || x->mortal, 0) ? ub_health_check_slow(comm) : 0;
}

/*
 * An instruction was executed: its bytes count as traffic of the imports it used. That
 * is all load/store traffic there is: signals, entries and small calls use the control
 * segment, which is memory of the host (Documentation/userspace-api/ub.rst, "Traffic").
 */
static inline void ub_health_account(struct ub_exec *x, const struct ub_ref *refs,
				     const struct ub_instr *in)
{
	if (__builtin_expect(x->nused, 0))
		ub_health_account_slow(x, refs, in);
}

/*
 * trace.c: a hash per stream over what was done, in order:
 *	each copy (source, destination, length), each fold (sources, destinations,
 *	length, finished or not), each signal and each wait (rank, cell, value).
 */
uint64_t ub_trace_word(uint64_t hash, uint64_t word);
uint64_t ub_trace_place(uint64_t hash, uint32_t rank, uint32_t space, uint64_t offset);
/* The window is over: keep the hash of its streams. */
void ub_trace_done(struct ub_comm *comm, const struct ub_plan *plan, uint64_t bytes,
		   uint32_t elem, uint32_t nstreams);
#define UB_TRACE_SEED	0xcbf29ce484222325ULL

#endif /* LIBUB_EXEC_H */
