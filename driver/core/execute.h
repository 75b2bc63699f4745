/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside the engine: what its files need of each other and no face may see.
 *
 *   engine.c	who shall run, and when: worker, clock
 *   execute.c	the executor: one send queue, in order
 *   request.c	one request, in chunks
 *   target.c	the other side of a request
 *   window.c	memory windows: opened and closed by requests
 *   span.c	memory in pieces, and moving bytes between two
 */
#ifndef _UB_CORE_EXECUTE_H
#define _UB_CORE_EXECUTE_H

#include "engine.h"
#include "ub.h"

/* ---- engine.c ---------------------------------------------------------------- */

/* Bytes that a caller executes before it leaves the rest to others. */
u64 ub_engine_budget(void);
/* The worker shall run it. Any context. */
void ub_engine_queue(struct ub_jetty *jetty);
/* One that is to be run, with a reference: of @jfc, or any. NULL: none. */
struct ub_jetty *ub_engine_take_ready(struct ub_engine *engine, const struct ub_jfc *jfc);
/* It shall be tried again at @when; replaces an earlier time. */
void ub_engine_wait(struct ub_jetty *jetty, ktime_t when);
/* It neither waits nor is to be run. */
void ub_engine_forget(struct ub_jetty *jetty);
/* Routes of the pod have changed: who waits for one tries again. Any context. */
void ub_engine_routes_changed(struct ub_pod *pod);
void ub_engine_free(struct ub_engine *engine);
int ub_engines_init(void);
void ub_engines_exit(void);

static inline void ub_engine_bump(struct ub_engine *engine, enum ub_engine_counter counter)
{
	atomic64_inc(&engine->counter[counter]);
}

/* ---- jfc.c, jfr.c ---------------------------------------------------------------- */

bool ub_jfc_publish(struct ub_jfc *jfc, struct ub_cqe *cqe, bool solicited);
void ub_jfc_count_backlog(struct ub_jfc *jfc, int change);

/**
 * struct ub_recv_copy - a receive, copied
 * @bad:	it makes no sense
 * @room:	bytes
 * @rqe:	as posted
 * @sge:	the same
 */
struct ub_recv_copy {
	bool bad;
	u64 room;
	struct ub_rqe rqe;
	struct ub_sge sge[UB_MAX_SGE];
};

int ub_jfr_claim(struct ub_jfr *jfr, struct ub_jetty *sender, u64 room,
		 struct ub_recv_copy *copy);
void ub_jfr_leave(struct ub_jetty *sender);
void ub_jfr_reset(struct ub_jfr *jfr);
void ub_jfr_wake_starved(struct ub_jfr *jfr);

/* ---- tseg.c, ah.c ------------------------------------------------------------------ */

struct ub_tseg *ub_tseg_get(struct ub_engine *engine, u32 key);
void ub_tseg_put(struct ub_tseg *tseg);
/* May @jetty itself use @length bytes at @addr so? */
bool ub_tseg_admits(const struct ub_tseg *tseg, const struct ub_jetty *jetty, u64 addr,
		    u64 length, u32 access);
/* May the peer of @target? */
bool ub_tseg_admits_peer(const struct ub_tseg *tseg, const struct ub_jetty *target, u64 addr,
			 u64 length, u32 access);
/* Adds what fits of it to @span; inside of ub_txn_srcu. -EOWNERDEAD, -ENOLINK, -ENOMEM. */
int ub_tseg_span(const struct ub_tseg *tseg, u64 addr, u64 length, struct ub_span *span);

/* Changing a region that others may find: between the two nobody does. Sleep. */
void ub_tseg_hide(struct ub_tseg *tseg);
void ub_tseg_show(struct ub_tseg *tseg);

/* ---- window.c ------------------------------------------------------------------------ */

/* What UB_OP_BIND says. False: it may not be. */
bool ub_window_bind(struct ub_jetty *jetty, const struct ub_sqe *sqe);
/* Of a window of type 2 that is for @jetty. False: there is none with this key. */
bool ub_window_invalidate(struct ub_jetty *jetty, u32 key);
/* Nobody uses it any more, and its number is free. */
void ub_window_end(struct ub_tseg *window);

void ub_mcast_leave_all(struct ub_jetty *jetty);
struct ub_jetty **ub_mcast_members(struct ub_pod *pod, const u8 *gid, u32 *nr);

int ub_ah_read(struct ub_engine *engine, u32 number, struct ub_ah_desc *desc);

/* ---- jetty.c ------------------------------------------------------------------------- */

/* ub_jetty.flags */
enum {
	UB_JETTY_BUSY,		/* somebody executes the send queue */
	UB_JETTY_WOKEN,		/* what it waited for is there: try again now */
	UB_JETTY_FLUSH,		/* in error, and what is queued is yet to be flushed */
	UB_JETTY_ESTABLISHED,	/* UB_JETTY_EVENT_ESTABLISHED was told */
};

struct ub_jetty *ub_jetty_find(struct ub_engine *engine, u32 number);
void ub_jetty_put(struct ub_jetty *jetty);
/* By its executor, who flushes it then: to ERR, or SQE. */
void ub_jetty_fail(struct ub_jetty *jetty);
/* By anybody: to ERR, with an event; the worker flushes it. */
void ub_jetty_fail_target(struct ub_jetty *jetty, enum ub_jetty_event event);
void ub_jetty_event(struct ub_jetty *jetty, enum ub_jetty_event event);

static inline void ub_jetty_wake(struct ub_jetty *jetty)
{
	set_bit(UB_JETTY_WOKEN, &jetty->flags);
}

/* ---- execute.c ------------------------------------------------------------------------ */

/* Keys that a chunk uses: those of a request, of a receive twice, and a remote one. */
#define UB_HELD_MAX (3 * UB_MAX_SGE + 1)

/**
 * struct ub_exec - the current request of a send queue, and room to work
 * @loaded:	there is one
 * @claimed:	@claim names a receive of the target
 * @waiting:	until @until, or UB_JETTY_WOKEN
 * @for_receive: it waits for a receive of the target; else for an answer
 * @rnr_timer:	code of the time that the target wants it to wait
 * @retry_left:	expiries that are still borne
 * @rnr_left:	RNRs that are still borne
 * @status:	enum ub_status_code: why it was refused
 * @vendor_error: where, for people: a line of the file that refused it
 * @claim:	of the receive
 * @until:	when it is tried again
 * @length:	bytes of the request
 * @done:	bytes of it that were executed
 * @sqe:	the request
 * @data:	its SGEs, or inline data
 * @receive:	what was claimed
 * @ah:		where a datagram goes
 * @held:	regions of the current chunk
 * @nr_held:	how many
 * @txn:	the current chunk
 * @there:	route to the NPU @route_to
 * @back:	and from it
 * @route_to:	index in the pod
 * @route_seq:	pod->route_seq at which they were found; 0: never
 * @local:	memory here
 * @remote:	memory there
 */
struct ub_exec {
	bool loaded;
	bool claimed;
	bool waiting;
	bool for_receive;
	u8 rnr_timer;
	u8 retry_left;
	u8 rnr_left;
	u8 status;
	u32 vendor_error;
	u32 claim;
	ktime_t until;
	u64 length;
	u64 done;
	struct ub_sqe sqe;
	union {
		struct ub_sge sge[UB_MAX_SGE];
		u8 inline_data[UB_MAX_INLINE];
	} data;
	struct ub_recv_copy receive;
	struct ub_ah_desc ah;
	struct ub_tseg *held[UB_HELD_MAX];
	u32 nr_held;
	struct ub_txn txn;
	struct ub_route there;
	struct ub_route back;
	u32 route_to;
	u32 route_seq;
	struct ub_span local;
	struct ub_span remote;
};

/* Executes what is posted, while the budget lasts; the rest is queued. */
void ub_jetty_run(struct ub_jetty *jetty, u64 *budget);
/* The busy bit, waiting for it: nothing executes until it is released. */
void ub_jetty_stop(struct ub_jetty *jetty);
void ub_jetty_release(struct ub_jetty *jetty);
void ub_sq_empty(struct ub_jetty *jetty);

/* ---- request.c --------------------------------------------------------------------------- */

/* What became of a step of a request. */
enum ub_verdict {
	UB_GO_ON,	/* a chunk was executed, more follow */
	UB_DONE,	/* the request is executed */
	UB_NO_ANSWER,	/* nothing was executed: no route, or nobody there */
	UB_NO_RECEIVE,	/* nothing was executed: RNR */
	UB_REFUSED,	/* exec->status says why */
};

/* Checks the request in jetty->exec and prepares executing it. */
enum ub_verdict ub_request_start(struct ub_jetty *jetty);
enum ub_verdict ub_request_step(struct ub_jetty *jetty);

static inline enum ub_verdict ub_refuse(struct ub_exec *exec, enum ub_status_code status,
					u32 line)
{
	exec->status = status;
	exec->vendor_error = line;
	return UB_REFUSED;
}

#define UB_REFUSE(exec, status) ub_refuse(exec, status, __LINE__)

/* ---- target.c ------------------------------------------------------------------------------- */

/* The jetty that the request goes to, with a reference; NULL: there is none. */
struct ub_jetty *ub_target_find(struct ub_jetty *jetty);
/* Does it answer? Inside: state, who it is connected to, PSN, key. */
bool ub_target_answers(struct ub_jetty *jetty, struct ub_jetty *target);
/* Fills exec->remote with what the request's key names; UB_GO_ON, or why not. */
enum ub_verdict ub_target_memory(struct ub_jetty *jetty, struct ub_jetty *target, u32 access);
/* The same with the receive that was claimed, from @at on, for at most @length bytes. */
enum ub_verdict ub_target_room(struct ub_jetty *jetty, struct ub_jetty *target, u64 at,
			       u64 length);
/* Claims a receive for @length bytes in all, unless the request has one. */
enum ub_verdict ub_target_claim(struct ub_jetty *jetty, struct ub_jetty *target, u64 length);
/* The message is there: completes the receive. UB_DONE, or why it cannot be. */
enum ub_verdict ub_target_complete(struct ub_jetty *jetty, struct ub_jetty *target);
/* The request is executed: both sides count its packets. */
void ub_target_count(struct ub_jetty *jetty, struct ub_jetty *target);
/* Ends the message that is coming, if one is: true, and its receive. */
bool ub_recv_take(struct ub_jetty *jetty, u64 *wr_id);

#endif /* _UB_CORE_EXECUTE_H */
