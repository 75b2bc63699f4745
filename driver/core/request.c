// SPDX-License-Identifier: GPL-2.0
/*
 * One request, in chunks.
 *
 * A chunk is at most UB_TXN_CHUNK bytes. It looks up everything at its time: keys,
 * the target, the route. The fabric admits it or not before anything is changed; one
 * that is not is not executed, and what was executed is never repeated. So atomics
 * and claims of receives happen once, however often a request is tried.
 */
#include <linux/slab.h>

#include "execute.h"

#define UB_MAX_MESSAGE (1ULL << 31)

#define UB_SQE_FLAGS (UB_SQE_SIGNALED | UB_SQE_SOLICITED | UB_SQE_FENCE | UB_SQE_INLINE)

/* ---- what a request is ----------------------------------------------------------- */

#define UB_ON(_type) BIT(UB_JETTY_##_type)
#define UB_CONNECTED (UB_ON(RC) | UB_ON(UC))

/**
 * struct ub_request_kind - what an operation is
 * @types:	of jetties that have it
 * @local:	right that it needs of local memory: it is written
 * @remote:	right that it needs of the memory that its key names; 0: it has none
 * @message:	it takes a receive of the target
 * @notify:	it takes one, only to tell
 * @atomic:	it is one, of 8 bytes
 * @at_home:	it has no target
 */
struct ub_request_kind {
	u32 types;
	u32 local;
	u32 remote;
	bool message;
	bool notify;
	bool atomic;
	bool at_home;
};

static const struct ub_request_kind ub_request_kinds[] = {
	[UB_OP_WRITE] = { .types = UB_CONNECTED, .remote = UB_REGION_WRITE },
	[UB_OP_WRITE_IMM] = { .types = UB_CONNECTED, .remote = UB_REGION_WRITE, .notify = true },
	[UB_OP_SEND] = { .types = UB_CONNECTED | UB_ON(UD), .message = true },
	[UB_OP_SEND_IMM] = { .types = UB_CONNECTED | UB_ON(UD), .message = true },
	[UB_OP_SEND_INVALIDATE] = { .types = UB_ON(RC), .message = true },
	[UB_OP_BIND] = { .types = UB_CONNECTED, .at_home = true },
	[UB_OP_LOCAL_INVALIDATE] = { .types = UB_CONNECTED, .at_home = true },
	[UB_OP_READ] = { .types = UB_ON(RC), .local = UB_REGION_LOCAL_WRITE,
			 .remote = UB_REGION_READ },
	[UB_OP_COMPARE_SWAP] = { .types = UB_ON(RC), .local = UB_REGION_LOCAL_WRITE,
				 .remote = UB_REGION_ATOMIC, .atomic = true },
	[UB_OP_FETCH_ADD] = { .types = UB_ON(RC), .local = UB_REGION_LOCAL_WRITE,
			      .remote = UB_REGION_ATOMIC, .atomic = true },
};

static const struct ub_request_kind *ub_request_kind(const struct ub_jetty *jetty)
{
	return &ub_request_kinds[jetty->exec->sqe.op];
}

/* The bytes of it; false: its shape makes no sense. */
static bool ub_request_measure(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;
	const struct ub_sqe *sqe = &exec->sqe;
	u32 i;

	exec->length = 0;
	if (sqe->flags & UB_SQE_INLINE) {
		exec->length = sqe->inline_length;
		return !sqe->nr_sge && sqe->inline_length <= jetty->inline_length &&
		       !ub_request_kind(jetty)->local;
	}
	if (sqe->nr_sge > jetty->send_sge)
		return false;
	for (i = 0; i < sqe->nr_sge; i++)
		exec->length += exec->data.sge[i].length;
	return true;
}

/* Of datagrams: where it goes. */
static enum ub_verdict ub_request_address(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;

	if (ub_ah_read(jetty->engine, exec->sqe.ud.ah, &exec->ah) ||
	    exec->ah.pd != jetty->pd)
		return UB_REFUSE(exec, UB_CR_LOC_QP_OP);
	if (exec->length > UB_MAX_MTU)
		return UB_REFUSE(exec, UB_CR_LOC_LEN);
	return UB_GO_ON;
}

enum ub_verdict ub_request_start(struct ub_jetty *jetty)
{
	const struct ub_request_kind *kind;
	struct ub_exec *exec = jetty->exec;

	exec->length = 0;
	exec->txn.length = 0;
	if (exec->sqe.op >= ARRAY_SIZE(ub_request_kinds) || exec->sqe.reserved ||
	    exec->sqe.flags & ~UB_SQE_FLAGS)
		return UB_REFUSE(exec, UB_CR_LOC_QP_OP);
	kind = ub_request_kind(jetty);
	if (!(kind->types & BIT(jetty->type)) || !ub_request_measure(jetty))
		return UB_REFUSE(exec, UB_CR_LOC_QP_OP);
	if (kind->at_home && exec->length)
		return UB_REFUSE(exec, UB_CR_LOC_QP_OP);
	if (exec->length > UB_MAX_MESSAGE || (kind->atomic && exec->length < sizeof(u64)))
		return UB_REFUSE(exec, UB_CR_LOC_LEN);
	if (kind->atomic)
		exec->length = sizeof(u64);
	return jetty->type == UB_JETTY_UD ? ub_request_address(jetty) : UB_GO_ON;
}

/* ---- local memory ----------------------------------------------------------------------- */

static void ub_span_reset(struct ub_span *span)
{
	span->nr = 0;
	span->length = 0;
}

/* Adds a part of an SGE; its key is held until the chunk is over. */
static enum ub_verdict ub_gather_sge(struct ub_jetty *jetty, const struct ub_sge *sge,
				     u64 skip, u64 length, u32 access)
{
	struct ub_exec *exec = jetty->exec;
	struct ub_tseg *tseg = ub_tseg_get(jetty->engine, sge->key);

	if (!tseg)
		return UB_REFUSE(exec, UB_CR_LOC_PROT);
	exec->held[exec->nr_held++] = tseg;
	if (!ub_tseg_admits(tseg, jetty, sge->addr, sge->length, access))
		return UB_REFUSE(exec, UB_CR_LOC_PROT);
	if (ub_tseg_span(tseg, sge->addr + skip, length, &exec->local))
		return UB_REFUSE(exec, UB_CR_LOC_PROT);
	return UB_GO_ON;
}

/* Fills exec->local with the next bytes of the request: as many as fit. */
static enum ub_verdict ub_request_gather(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;
	u64 left = min_t(u64, exec->length - exec->done, UB_TXN_CHUNK);
	u32 access = ub_request_kind(jetty)->local;
	enum ub_verdict verdict = UB_GO_ON;
	u64 skip = exec->done, n;
	u32 i;

	ub_span_reset(&exec->local);
	if (exec->sqe.flags & UB_SQE_INLINE) {
		ub_span_add_kernel(&exec->local, exec->data.inline_data + skip, left);
		return UB_GO_ON;
	}
	for (i = 0; left && verdict == UB_GO_ON && exec->local.nr < UB_SPAN_MAX; i++) {
		const struct ub_sge *sge = &exec->data.sge[i];

		if (skip >= sge->length) {
			skip -= sge->length;
			continue;
		}
		n = min_t(u64, left, sge->length - skip);
		verdict = ub_gather_sge(jetty, sge, skip, n, access);
		skip = 0;
		left -= n;
	}
	return verdict;
}

/* ---- the way ----------------------------------------------------------------------------- */

/* Routes are kept for a jetty and its peer until they change. */
static bool ub_request_route(struct ub_jetty *jetty, u32 to)
{
	struct ub_exec *exec = jetty->exec;
	struct ub_npu *npu = jetty->engine->npu;
	struct ub_pod *pod = npu->pod;
	u32 self = npu->ubpu->index;
	int ret;

	if (READ_ONCE(pod->dead))
		return false;
	if (exec->route_to == to && exec->route_seq == READ_ONCE(pod->route_seq))
		return true;
	down_read(&pod->topo);
	ret = ub_route_find(&pod->graph, self, to, &exec->there) ?:
	      ub_route_find(&pod->graph, to, self, &exec->back);
	exec->route_to = to;
	exec->route_seq = ret ? 0 : pod->route_seq;
	up_read(&pod->topo);
	return !ret;
}

/* Asks the fabric about the next @length bytes. */
static bool ub_request_admit(struct ub_jetty *jetty, struct ub_jetty *target, u32 length)
{
	const struct ub_request_kind *kind = ub_request_kind(jetty);
	struct ub_npu *npu = jetty->engine->npu;
	struct ub_exec *exec = jetty->exec;
	struct ub_txn *txn = &exec->txn;

	if (!ub_request_route(jetty, target->engine->npu->ubpu->index))
		return false;
	txn->pod = npu->pod;
	txn->op = UB_TXN_MOVE;
	txn->length = length;
	txn->in.nr = 0;
	txn->out.nr = 0;
	if (kind->local)
		txn->in = exec->back;
	if (!kind->local || kind->atomic)
		txn->out = exec->there;
	return !npu->pod->ops->admit(txn);
}

static void ub_request_perform(struct ub_jetty *jetty, const struct ub_span *src,
			       const struct ub_span *dst)
{
	struct ub_exec *exec = jetty->exec;
	struct ub_txn *txn = &exec->txn;

	txn->src = src;
	txn->dst = dst;
	txn->last = exec->done + txn->length == exec->length;
	txn->pod->ops->execute(txn);
}

/* ---- kinds of requests ------------------------------------------------------------------- */

static u32 ub_request_left(const struct ub_exec *exec)
{
	return min_t(u64, exec->local.length, exec->length - exec->done);
}

static enum ub_verdict ub_request_write(struct ub_jetty *jetty, struct ub_jetty *target)
{
	struct ub_exec *exec = jetty->exec;
	enum ub_verdict verdict;

	verdict = ub_target_memory(jetty, target, UB_REGION_WRITE);
	if (verdict != UB_GO_ON)
		return verdict;
	if (!ub_request_admit(jetty, target, min(ub_request_left(exec), exec->remote.length)))
		return UB_NO_ANSWER;
	if (ub_request_kind(jetty)->notify && exec->done + exec->txn.length == exec->length) {
		verdict = ub_target_claim(jetty, target, 0);
		if (verdict != UB_GO_ON)
			return verdict;
	}
	ub_request_perform(jetty, &exec->local, &exec->remote);
	return UB_GO_ON;
}

static enum ub_verdict ub_request_read(struct ub_jetty *jetty, struct ub_jetty *target)
{
	struct ub_exec *exec = jetty->exec;
	enum ub_verdict verdict;

	verdict = ub_target_memory(jetty, target, UB_REGION_READ);
	if (verdict != UB_GO_ON)
		return verdict;
	if (!ub_request_admit(jetty, target, min(ub_request_left(exec), exec->remote.length)))
		return UB_NO_ANSWER;
	ub_request_perform(jetty, &exec->remote, &exec->local);
	return UB_GO_ON;
}

static enum ub_verdict ub_request_atomic(struct ub_jetty *jetty, struct ub_jetty *target)
{
	struct ub_exec *exec = jetty->exec;
	struct ub_txn *txn = &exec->txn;
	enum ub_verdict verdict;

	if (!IS_ALIGNED(exec->sqe.addr, sizeof(u64))) {
		ub_engine_bump(target->engine, UB_CTR_REMOTE_INVALID);
		ub_jetty_fail_target(target, UB_JETTY_EVENT_REQUEST);
		return UB_REFUSE(exec, UB_CR_REM_INVALID);
	}
	verdict = ub_target_memory(jetty, target, UB_REGION_ATOMIC);
	if (verdict != UB_GO_ON)
		return verdict;
	if (!ub_request_admit(jetty, target, sizeof(u64)))
		return UB_NO_ANSWER;
	txn->op = exec->sqe.op == UB_OP_FETCH_ADD ? UB_TXN_FETCH_ADD : UB_TXN_COMPARE_SWAP;
	txn->operand = exec->sqe.atomic.operand;
	txn->compare = exec->sqe.atomic.compare;
	ub_request_perform(jetty, NULL, &exec->remote);
	ub_span_write(&exec->local, &txn->result, sizeof(u64));
	return UB_GO_ON;
}

static enum ub_verdict ub_request_message(struct ub_jetty *jetty, struct ub_jetty *target)
{
	struct ub_exec *exec = jetty->exec;
	enum ub_verdict verdict;

	if (!ub_request_admit(jetty, target, ub_request_left(exec)))
		return UB_NO_ANSWER;
	verdict = ub_target_claim(jetty, target, exec->length);
	if (verdict == UB_GO_ON)
		verdict = ub_target_room(jetty, target, exec->done, exec->txn.length);
	if (verdict != UB_GO_ON)
		return verdict;
	exec->txn.length = min(exec->txn.length, exec->remote.length);
	ub_request_perform(jetty, &exec->local, &exec->remote);
	return UB_GO_ON;
}

/* A datagram: where it comes from, then the data. */
static enum ub_verdict ub_request_datagram(struct ub_jetty *jetty, struct ub_jetty *target)
{
	struct ub_exec *exec = jetty->exec;
	enum ub_verdict verdict;

	if (!ub_request_admit(jetty, target, exec->length))
		return UB_NO_ANSWER;
	verdict = ub_target_claim(jetty, target, UB_GRH_LEN + exec->length);
	if (verdict == UB_GO_ON)
		verdict = ub_target_room(jetty, target, 0, UB_GRH_LEN);
	if (verdict != UB_GO_ON)
		return verdict;
	ub_span_write(&exec->remote, exec->ah.grh, UB_GRH_LEN);
	verdict = ub_target_room(jetty, target, UB_GRH_LEN, exec->length);
	if (verdict != UB_GO_ON)
		return verdict;
	ub_request_perform(jetty, &exec->local, &exec->remote);
	return UB_GO_ON;
}

/* Requests without a target. */
static enum ub_verdict ub_request_at_home(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;
	bool done;

	if (exec->sqe.op == UB_OP_BIND)
		done = ub_window_bind(jetty, &exec->sqe);
	else
		done = ub_window_invalidate(jetty, exec->sqe.key);
	return done ? UB_DONE : UB_REFUSE(exec, UB_CR_BIND);
}

/* ---- a step ---------------------------------------------------------------------------------- */

static enum ub_verdict ub_request_dispatch(struct ub_jetty *jetty, struct ub_jetty *target)
{
	const struct ub_request_kind *kind = ub_request_kind(jetty);

	if (!ub_target_answers(jetty, target))
		return UB_NO_ANSWER;
	if (jetty->type == UB_JETTY_UD)
		return ub_request_datagram(jetty, target);
	if (kind->message)
		return ub_request_message(jetty, target);
	if (kind->atomic)
		return ub_request_atomic(jetty, target);
	return kind->local ? ub_request_read(jetty, target) : ub_request_write(jetty, target);
}

/* After a chunk was executed: is the request? */
static enum ub_verdict ub_request_advance(struct ub_jetty *jetty, struct ub_jetty *target)
{
	const struct ub_request_kind *kind = ub_request_kind(jetty);
	struct ub_exec *exec = jetty->exec;

	exec->done += exec->txn.length;
	if (exec->done < exec->length)
		return UB_GO_ON;
	ub_target_count(jetty, target);
	return kind->message || kind->notify ? ub_target_complete(jetty, target) : UB_DONE;
}

/* Back to the first @nr keys of the chunk. */
static void ub_request_let_go(struct ub_exec *exec, u32 nr)
{
	while (exec->nr_held > nr)
		ub_tseg_put(exec->held[--exec->nr_held]);
}

static enum ub_verdict ub_request_to(struct ub_jetty *jetty, struct ub_jetty *target)
{
	enum ub_verdict verdict;

	verdict = ub_request_dispatch(jetty, target);
	if (verdict == UB_GO_ON)
		verdict = ub_request_advance(jetty, target);
	ub_jetty_put(target);
	return verdict;
}

/* To each member of a group, whatever becomes of it for the others. */
static enum ub_verdict ub_request_to_group(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;
	u32 i, nr, held = exec->nr_held;
	struct ub_jetty **member;

	member = ub_mcast_members(jetty->engine->npu->pod, exec->ah.mgid, &nr);
	for (i = 0; i < nr; i++) {
		exec->done = 0;
		if (ub_request_to(jetty, member[i]) != UB_DONE)
			ub_engine_bump(jetty->engine, UB_CTR_DROPPED);
		ub_request_let_go(exec, held);
	}
	kfree(member);
	return UB_DONE;
}

static enum ub_verdict ub_request_away(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;
	enum ub_verdict verdict;
	struct ub_jetty *target;

	verdict = ub_request_gather(jetty);
	if (verdict != UB_GO_ON)
		return verdict;
	if (jetty->type == UB_JETTY_UD && exec->ah.multicast)
		return ub_request_to_group(jetty);
	target = ub_target_find(jetty);
	return target ? ub_request_to(jetty, target) : UB_NO_ANSWER;
}

enum ub_verdict ub_request_step(struct ub_jetty *jetty)
{
	struct ub_exec *exec = jetty->exec;
	enum ub_verdict verdict;
	int idx;

	exec->txn.length = 0;
	if (ub_request_kind(jetty)->at_home)
		return ub_request_at_home(jetty);
	idx = srcu_read_lock(&ub_txn_srcu);
	verdict = ub_request_away(jetty);
	ub_request_let_go(exec, 0);
	srcu_read_unlock(&ub_txn_srcu, idx);
	return verdict;
}
