// SPDX-License-Identifier: BSD-2-Clause
/*
 * Failure: the abort word, who is woken, and the sentence.
 *
 * The word is the truth: one compare-and-swap from 0, complete by itself, the
 * same for all ranks for good. The sentence is made from it when somebody asks,
 * with what this rank was doing and what the culprit last said it did.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "boot/boot.h"
#include "comm/comm.h"
#include "device/device.h"

#define RANK_MASK	0xfffffu
#define STEP_MAX	0xffffu

static uint64_t pack(enum ub_reason reason, uint32_t culprit, uint32_t by, uint32_t step)
{
	return (uint64_t)reason << 56 | (uint64_t)(culprit & RANK_MASK) << 36 |
	       (uint64_t)(by & RANK_MASK) << 16 | (step < STEP_MAX ? step : STEP_MAX);
}

static enum ub_reason word_reason(uint64_t word)
{
	return (enum ub_reason)(word >> 56);
}

static uint32_t word_culprit(uint64_t word)
{
	return (uint32_t)(word >> 36) & RANK_MASK;
}

static uint32_t word_by(uint64_t word)
{
	return (uint32_t)(word >> 16) & RANK_MASK;
}

static uint32_t word_step(uint64_t word)
{
	return (uint32_t)word & STEP_MAX;
}

int ub_reason_errno(uint64_t word)
{
	switch (word_reason(word)) {
	case UB_REASON_NONE:
		return 0;
	case UB_REASON_DIED:
		return -EOWNERDEAD;
	case UB_REASON_DEADLINE:
		return -ETIMEDOUT;
	case UB_REASON_ABORTED:
		return -ECONNABORTED;
	case UB_REASON_MISMATCH:
		return -EPROTO;
	case UB_REASON_LINK:
		return -ENOLINK;
	case UB_REASON_MAP:
	case UB_REASON_LOCAL:
		return word_step(word) ? -(int)word_step(word) : -EIO;
	case UB_REASON_POD:
		return -EIO;
	}
	return -EIO;
}

void ub_comm_ring(struct ub_comm *comm)
{
	uint64_t one = 1;

	/* Stays readable for ever; a full counter says the same. */
	if (write(comm->failure, &one, sizeof(one)) < 0 && errno != EAGAIN)
		return;
	for (uint32_t r = 0; r < comm->nranks; r++) {
		struct ub_ctl_rank *peer = &comm->ctl->ranks[r];

		atomic_fetch_add(&peer->bell, 1);
		syscall(SYS_futex, &peer->bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	}
}

int ub_comm_fail(struct ub_comm *comm, enum ub_reason reason, uint32_t culprit, uint32_t step)
{
	uint64_t none = 0;

	if (atomic_compare_exchange_strong(&comm->ctl->abort, &none,
					   pack(reason, culprit, comm->rank, step)))
		ub_comm_ring(comm);
	return ub_comm_status(comm);
}

int ub_comm_status(struct ub_comm *comm)
{
	return ub_reason_errno(atomic_load_explicit(&comm->ctl->abort, memory_order_acquire));
}

const char *ub_coll_name(uint32_t coll)
{
	switch (coll) {
	case UB_COLL_ALLREDUCE:
		return "allreduce";
	case UB_COLL_BROADCAST:
		return "broadcast";
	case UB_COLL_BARRIER:
		return "barrier";
	case UB_COLL_LEAVE:
		return "destroy";
	}
	return "call";
}

/* "allreduce #17" and, with a count, "(1024 elements of type 10, operator 0)". */
static void describe_call(struct ub_comm *comm, uint32_t rank, bool whole, char *buf, size_t len)
{
	struct ub_progress *p = &comm->ctl->ranks[rank].progress;
	uint64_t call = atomic_load_explicit(&p->call, memory_order_relaxed);
	uint64_t seq = atomic_load_explicit(&p->seq, memory_order_relaxed);
	uint32_t coll = call >> 48;

	if (!seq) {
		snprintf(buf, len, "no operation yet");
		return;
	}
	if (!whole || coll == UB_COLL_BARRIER || coll == UB_COLL_LEAVE) {
		snprintf(buf, len, "%s #%" PRIu64, ub_coll_name(coll), seq);
		return;
	}
	snprintf(buf, len, "%s #%" PRIu64 " (count %" PRIu64 ", type %u, op %u, root %u)",
		 ub_coll_name(coll), seq, atomic_load_explicit(&p->count, memory_order_relaxed),
		 (uint32_t)(call >> 40) & 0xff, (uint32_t)(call >> 32) & 0xff, (uint32_t)call);
}

/* Where a rank is, by its own account. */
static void describe_place(struct ub_comm *comm, uint32_t rank, char *buf, size_t len)
{
	struct ub_progress *p = &comm->ctl->ranks[rank].progress;
	char call[96];

	describe_call(comm, rank, false, call, sizeof(call));
	if (atomic_load_explicit(&p->inside, memory_order_relaxed))
		snprintf(buf, len, "in %s, step %u", call,
			 atomic_load_explicit(&p->step, memory_order_relaxed));
	else
		snprintf(buf, len, "outside of any call, after %s", call);
}

static void cause(struct ub_comm *comm, uint64_t word, char *buf, size_t len)
{
	uint32_t culprit = word_culprit(word), by = word_by(word);
	uint32_t pid = culprit < comm->nranks ? comm->ctl->ranks[culprit].pid : 0;
	char a[160] = "", b[160] = "";

	if (culprit >= comm->nranks || by >= comm->nranks) {
		snprintf(buf, len, "the control segment is damaged");
		return;
	}
	switch (word_reason(word)) {
	case UB_REASON_DIED:
		describe_place(comm, culprit, a, sizeof(a));
		snprintf(buf, len, "rank %u (pid %u) died %s", culprit, pid, a);
		break;
	case UB_REASON_DEADLINE:
		describe_place(comm, culprit, a, sizeof(a));
		snprintf(buf, len, "deadline: rank %u waited in vain for rank %u (pid %u) at step %u; rank %u is alive, %s",
			 by, culprit, pid, word_step(word), culprit, a);
		break;
	case UB_REASON_ABORTED:
		snprintf(buf, len, "rank %u called ub_comm_abort()", by);
		break;
	case UB_REASON_MISMATCH:
		describe_call(comm, by, true, a, sizeof(a));
		describe_call(comm, culprit, true, b, sizeof(b));
		snprintf(buf, len, "ranks made different calls: rank %u %s, rank %u %s",
			 by, a, culprit, b);
		break;
	case UB_REASON_MAP:
		snprintf(buf, len, "rank %u cannot map memory of rank %u (pid %u): %s",
			 by, culprit, pid, strerror((int)word_step(word)));
		break;
	case UB_REASON_LINK:
		ub_npu_down_links(comm->dev, a, sizeof(a));
		snprintf(buf, len, "rank %u has lost its route to rank %u at step %u; links (UBPU/port) down at this rank's NPU: %s",
			 by, culprit, word_step(word), *a ? a : "none");
		break;
	case UB_REASON_LOCAL:
		snprintf(buf, len, "rank %u could not go on: %s", by,
			 strerror((int)word_step(word)));
		break;
	case UB_REASON_POD:
		snprintf(buf, len, "the pod of rank %u's NPU was removed at step %u", by,
			 word_step(word));
		break;
	case UB_REASON_NONE:
		snprintf(buf, len, "no error");
		break;
	}
}

/* Under comm->lock. Made once, near the failure: later the others have moved on. */
static void render(struct ub_comm *comm, uint64_t word)
{
	char *s = comm->sentence;
	size_t len = sizeof(comm->sentence), n;

	cause(comm, word, s, len);
	n = strlen(s);
	if (comm->at_call) {
		n += (size_t)snprintf(s + n, len - n,
				      "; this rank (%u) was in %s #%" PRIu64 ", step %u",
				      comm->rank, ub_coll_name(comm->call.coll), comm->at_seq,
				      comm->at_step);
		if (comm->at_awaited != UB_NOBODY && n < len)
			n += (size_t)snprintf(s + n, len - n, ", waiting for rank %u",
					      comm->at_awaited);
	}
	if (comm->laggard != UB_NOBODY && n < len)
		snprintf(s + n, len - n, "; rank %u does not react and %s", comm->laggard,
			 comm->reaches ? "may still write to the buffers of its call" :
			 "cannot reach this rank's buffers any more");
	comm->rendered = true;
}

int ub_comm_failed_at(struct ub_comm *comm, uint32_t awaited)
{
	uint64_t word = atomic_load_explicit(&comm->ctl->abort, memory_order_acquire);

	pthread_mutex_lock(&comm->lock);
	if (!comm->at_call) {
		comm->at_call = true;
		comm->at_seq = comm->seq;
		comm->at_step = atomic_load_explicit(&comm->self->progress.step,
						     memory_order_relaxed);
		comm->at_awaited = awaited;
		render(comm, word);
	}
	pthread_mutex_unlock(&comm->lock);
	return ub_reason_errno(word);
}

void ub_comm_blame(struct ub_comm *comm, uint32_t laggard, bool reaches)
{
	pthread_mutex_lock(&comm->lock);
	comm->laggard = laggard;
	comm->reaches = reaches;
	render(comm, atomic_load_explicit(&comm->ctl->abort, memory_order_acquire));
	pthread_mutex_unlock(&comm->lock);
}

const char *ub_comm_error(struct ub_comm *comm)
{
	uint64_t word;

	if (!comm)
		return ub_boot_error();
	word = atomic_load_explicit(&comm->ctl->abort, memory_order_acquire);
	if (!word)
		return "no error";
	pthread_mutex_lock(&comm->lock);
	if (!comm->rendered)
		render(comm, word);
	pthread_mutex_unlock(&comm->lock);
	return comm->sentence;
}
