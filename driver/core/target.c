// SPDX-License-Identifier: GPL-2.0
/*
 * The other side of a request: who answers it, with which memory, and what its owner
 * is told. All of it runs in the initiator's executor, with a reference to the target.
 *
 * A target of RC answers the one jetty that it is connected to, and only the request
 * that it expects next; programs that are wrong on hardware are wrong here. A message
 * that is coming belongs to the target: when that fails first, its receive is flushed,
 * and the initiator, whose claim is void, completes nothing.
 */
#include "execute.h"

#define UB_PSN_MASK	0xffffff
#define UB_QKEY_OWN	BIT(31)	/* in a request: use the jetty's own */

/* ---- does it answer -------------------------------------------------------------- */

static u32 ub_jetty_index(const struct ub_jetty *jetty)
{
	return jetty->engine->npu->ubpu->index;
}

struct ub_jetty *ub_target_find(struct ub_jetty *jetty)
{
	struct ub_pod *pod = jetty->engine->npu->pod;
	const struct ub_exec *exec = jetty->exec;
	struct ub_engine *engine;
	u32 npu, number;

	if (jetty->type == UB_JETTY_UD) {
		npu = exec->ah.npu;
		number = exec->sqe.ud.jetty;
	} else {
		npu = READ_ONCE(jetty->attr.peer_npu);
		number = READ_ONCE(jetty->attr.peer_jetty);
	}
	if (npu >= pod->nr_npus)
		return NULL;
	engine = READ_ONCE(pod->ubpu[npu].npu->engine);
	return engine ? ub_jetty_find(engine, number) : NULL;
}

static bool ub_jetty_receives(const struct ub_jetty *jetty)
{
	return jetty->attr.state >= UB_JETTY_RTR && jetty->attr.state <= UB_JETTY_SQE;
}

/* Under target->lock. */
static bool ub_target_expects(const struct ub_jetty *jetty, const struct ub_jetty *target)
{
	const struct ub_exec *exec = jetty->exec;
	u32 qkey = exec->sqe.ud.qkey;

	if (target->type != jetty->type || !ub_jetty_receives(target))
		return false;
	if (jetty->type == UB_JETTY_UD)
		return target->attr.qkey == (qkey & UB_QKEY_OWN ? jetty->attr.qkey : qkey);
	if (target->attr.peer_npu != ub_jetty_index(jetty) ||
	    target->attr.peer_jetty != jetty->number)
		return false;
	return jetty->type == UB_JETTY_UC || exec->done ||
	       target->attr.rx_psn == jetty->attr.tx_psn;
}

bool ub_target_answers(struct ub_jetty *jetty, struct ub_jetty *target)
{
	bool answers, early;

	spin_lock(&target->lock);
	answers = ub_target_expects(jetty, target);
	early = answers && target->attr.state == UB_JETTY_RTR;
	spin_unlock(&target->lock);
	if (early && jetty->type != UB_JETTY_UD &&
	    !test_and_set_bit(UB_JETTY_ESTABLISHED, &target->flags))
		ub_jetty_event(target, UB_JETTY_EVENT_ESTABLISHED);
	return answers;
}

void ub_target_count(struct ub_jetty *jetty, struct ub_jetty *target)
{
	u32 mtu = READ_ONCE(jetty->attr.mtu) ?: UB_MAX_MTU;
	u32 psn;

	if (jetty->type == UB_JETTY_UD)
		return;
	spin_lock(&jetty->lock);
	psn = (jetty->attr.tx_psn + max_t(u64, 1, DIV_ROUND_UP(jetty->exec->length, mtu))) &
	      UB_PSN_MASK;
	jetty->attr.tx_psn = psn;
	spin_unlock(&jetty->lock);
	spin_lock(&target->lock);
	target->attr.rx_psn = psn;
	spin_unlock(&target->lock);
}

/* ---- its memory, by key -------------------------------------------------------------- */

/* A key or a range that does not admit the request. */
static enum ub_verdict ub_target_deny(struct ub_jetty *jetty, struct ub_jetty *target)
{
	ub_engine_bump(target->engine, UB_CTR_REMOTE_ACCESS);
	if (jetty->type != UB_JETTY_RC)
		return UB_NO_ANSWER;
	ub_jetty_fail_target(target, UB_JETTY_EVENT_ACCESS);
	return UB_REFUSE(jetty->exec, UB_CR_REM_ACCESS);
}

enum ub_verdict ub_target_memory(struct ub_jetty *jetty, struct ub_jetty *target, u32 access)
{
	struct ub_exec *exec = jetty->exec;
	u64 length = min_t(u64, exec->length - exec->done, UB_TXN_CHUNK);
	struct ub_tseg *tseg;

	exec->remote.nr = 0;
	exec->remote.length = 0;
	if (!(READ_ONCE(target->attr.access) & access))
		return ub_target_deny(jetty, target);
	if (!exec->length)
		return UB_GO_ON;
	tseg = ub_tseg_get(target->engine, exec->sqe.key);
	if (!tseg)
		return ub_target_deny(jetty, target);
	exec->held[exec->nr_held++] = tseg;
	if (!ub_tseg_admits_peer(tseg, target, exec->sqe.addr, exec->length, access))
		return ub_target_deny(jetty, target);
	switch (ub_tseg_span(tseg, exec->sqe.addr + exec->done, length, &exec->remote)) {
	case 0:
		return UB_GO_ON;
	case -ENOLINK:
		return UB_NO_ANSWER;
	default:
		return ub_target_deny(jetty, target);
	}
}

/* ---- its receives ----------------------------------------------------------------------- */

static void ub_target_tell(struct ub_jetty *target, struct ub_cqe *cqe, bool solicited)
{
	cqe->jetty = target->number;
	if (!ub_jfc_publish(target->recv_jfc, cqe, solicited))
		ub_jetty_fail_target(target, UB_JETTY_EVENT_FATAL);
}

/* The claim is for the target's life now. False: it failed meanwhile. */
static bool ub_recv_begin(struct ub_jetty *jetty, struct ub_jetty *target)
{
	struct ub_exec *exec = jetty->exec;
	bool receives;

	spin_lock(&target->lock);
	receives = ub_jetty_receives(target);
	if (receives) {
		target->recv.active = true;
		target->recv.claim++;
		target->recv.wr_id = exec->receive.rqe.wr_id;
		exec->claim = target->recv.claim;
	}
	spin_unlock(&target->lock);
	exec->claimed = receives;
	return receives;
}

bool ub_recv_take(struct ub_jetty *jetty, u64 *wr_id)
{
	bool active;

	spin_lock(&jetty->lock);
	active = jetty->recv.active;
	jetty->recv.active = false;
	*wr_id = jetty->recv.wr_id;
	spin_unlock(&jetty->lock);
	return active;
}

/* Ends the claim of the request. False: the target has ended it already. */
static bool ub_recv_end(struct ub_jetty *jetty, struct ub_jetty *target)
{
	struct ub_exec *exec = jetty->exec;
	bool mine;

	exec->claimed = false;
	if (jetty->type == UB_JETTY_UD)
		return true;
	spin_lock(&target->lock);
	mine = target->recv.active && target->recv.claim == exec->claim;
	if (mine)
		target->recv.active = false;
	spin_unlock(&target->lock);
	return mine;
}

/* The receive is of no use: its owner learns why as @theirs, who is RC as @ours. */
static enum ub_verdict ub_target_spoil(struct ub_jetty *jetty, struct ub_jetty *target,
				       enum ub_status_code theirs, enum ub_status_code ours)
{
	struct ub_cqe cqe = {
		.wr_id = jetty->exec->receive.rqe.wr_id,
		.status = theirs,
		.op = UB_CQE_RECV,
	};

	ub_engine_bump(target->engine, UB_CTR_REMOTE_INVALID);
	if (ub_recv_end(jetty, target))
		ub_target_tell(target, &cqe, true);
	ub_jetty_fail_target(target, UB_JETTY_EVENT_NONE);
	if (jetty->type != UB_JETTY_RC)
		return UB_NO_ANSWER;
	return UB_REFUSE(jetty->exec, ours);
}

/* Is the receive that the executor claimed last still there to be filled? */
static bool ub_recv_valid(const struct ub_jetty *jetty, struct ub_jetty *target)
{
	bool valid;

	spin_lock(&target->lock);
	valid = target->recv.active && target->recv.claim == jetty->exec->claim;
	spin_unlock(&target->lock);
	return valid;
}

static enum ub_verdict ub_target_no_receive(struct ub_jetty *jetty, struct ub_jetty *target)
{
	ub_engine_bump(target->engine, UB_CTR_RNR);
	jetty->exec->rnr_timer = READ_ONCE(target->attr.rnr_timer);
	return UB_NO_RECEIVE;
}

/* Claims the next receive of the target. */
static enum ub_verdict ub_target_claim_next(struct ub_jetty *jetty, struct ub_jetty *target,
					    u64 length)
{
	struct ub_exec *exec = jetty->exec;
	bool datagram = jetty->type == UB_JETTY_UD;
	struct ub_cqe flushed = { .status = UB_CR_FLUSH, .op = UB_CQE_RECV };

	switch (ub_jfr_claim(target->jfr, jetty->type == UB_JETTY_RC ? jetty : NULL,
			     datagram ? length : 0, &exec->receive)) {
	case 0:
		break;
	case -EAGAIN:
		return ub_target_no_receive(jetty, target);
	case -EPROTO:
		ub_jetty_fail_target(target, UB_JETTY_EVENT_FATAL);
		return UB_NO_ANSWER;
	default:
		return UB_NO_ANSWER;
	}
	if (datagram || ub_recv_begin(jetty, target))
		return UB_GO_ON;
	flushed.wr_id = exec->receive.rqe.wr_id;
	ub_target_tell(target, &flushed, true);
	return UB_NO_ANSWER;
}

enum ub_verdict ub_target_claim(struct ub_jetty *jetty, struct ub_jetty *target, u64 length)
{
	struct ub_exec *exec = jetty->exec;
	enum ub_verdict verdict = UB_GO_ON;

	if (exec->claimed) {
		if (!ub_recv_valid(jetty, target))
			return UB_NO_ANSWER;
	} else if (jetty->type == UB_JETTY_UC && ub_recv_valid(jetty, target)) {
		exec->claimed = true; /* of a message that was lost halfway */
	} else {
		verdict = ub_target_claim_next(jetty, target, length);
	}
	if (verdict != UB_GO_ON)
		return verdict;
	if (exec->receive.bad)
		return ub_target_spoil(jetty, target, UB_CR_LOC_QP_OP, UB_CR_REM_OP);
	if (exec->receive.room >= length)
		return UB_GO_ON;
	if (jetty->type == UB_JETTY_UC)
		return UB_NO_ANSWER;
	return ub_target_spoil(jetty, target, UB_CR_LOC_LEN, UB_CR_REM_INVALID);
}

/* Adds a part of an SGE of the receive. */
static bool ub_room_sge(struct ub_jetty *jetty, struct ub_jetty *target,
			const struct ub_sge *sge, u64 skip, u64 length)
{
	struct ub_exec *exec = jetty->exec;
	struct ub_tseg *tseg = ub_tseg_get(target->engine, sge->key);

	if (!tseg)
		return false;
	exec->held[exec->nr_held++] = tseg;
	return ub_tseg_admits(tseg, target, sge->addr, sge->length, UB_REGION_LOCAL_WRITE) &&
	       !ub_tseg_span(tseg, sge->addr + skip, length, &exec->remote);
}

enum ub_verdict ub_target_room(struct ub_jetty *jetty, struct ub_jetty *target, u64 at,
			       u64 length)
{
	struct ub_exec *exec = jetty->exec;
	u64 skip = at, n;
	u32 i;

	exec->remote.nr = 0;
	exec->remote.length = 0;
	for (i = 0; i < exec->receive.rqe.nr_sge && length; i++) {
		const struct ub_sge *sge = &exec->receive.sge[i];

		if (exec->remote.nr == UB_SPAN_MAX)
			break;
		if (skip >= sge->length) {
			skip -= sge->length;
			continue;
		}
		n = min_t(u64, length, sge->length - skip);
		if (!ub_room_sge(jetty, target, sge, skip, n))
			return ub_target_spoil(jetty, target, UB_CR_LOC_PROT, UB_CR_REM_OP);
		skip = 0;
		length -= n;
	}
	return UB_GO_ON;
}

static bool ub_op_has_imm(u8 op)
{
	return op == UB_OP_SEND_IMM || op == UB_OP_WRITE_IMM;
}

enum ub_verdict ub_target_complete(struct ub_jetty *jetty, struct ub_jetty *target)
{
	const struct ub_exec *exec = jetty->exec;
	struct ub_cqe cqe = {
		.wr_id = exec->receive.rqe.wr_id,
		.status = UB_CR_SUCCESS,
		.op = exec->sqe.op == UB_OP_WRITE_IMM ? UB_CQE_RECV_WRITE_IMM : UB_CQE_RECV,
		.length = exec->length,
	};

	if (exec->sqe.op == UB_OP_SEND_INVALIDATE) {
		if (!ub_window_invalidate(target, exec->sqe.imm))
			return ub_target_spoil(jetty, target, UB_CR_LOC_PROT, UB_CR_REM_ACCESS);
		cqe.flags |= UB_CQE_INVALIDATED;
		cqe.imm = exec->sqe.imm;
	}
	if (ub_op_has_imm(exec->sqe.op)) {
		cqe.flags |= UB_CQE_IMM;
		cqe.imm = exec->sqe.imm;
	}
	if (jetty->type == UB_JETTY_UD) {
		cqe.length += UB_GRH_LEN;
		cqe.flags |= UB_CQE_GRH | (exec->ah.ipv4 ? UB_CQE_IPV4 : 0);
		cqe.src_jetty = jetty->number;
		cqe.sl = target->kernel ? 0 : exec->ah.sl;
	}
	if (ub_recv_end(jetty, target))
		ub_target_tell(target, &cqe, exec->sqe.flags & UB_SQE_SOLICITED);
	return UB_DONE;
}
