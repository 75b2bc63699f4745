// SPDX-License-Identifier: BSD-2-Clause
/*
 * The test of check itself: for up to 5 ranks, each algorithm and root, dropping any one
 * step, or swapping it with the next, at one rank or at the same place of all ranks, is
 * reported. Five kinds of swaps change nothing, and only they may pass:
 *
 *   LATER	SIGNAL, WAIT → WAIT, SIGNAL. A signal that is sent later says no less;
 *		what followed it still does. The only thing that can go wrong is that
 *		nobody ever signals: claim 4, or proved.
 *   IDLE	WAIT and FLUSH, either way. Neither touches memory, nor lets go of
 *		anything; what follows comes after both. Proved.
 *   ALONE	a step within my own memory and a WAIT or a SIGNAL, when nobody else
 *		writes what the step reads, and whoever else touches what it writes
 *		first waits for a signal that I send after both. Proved.
 *
 *   COVERED	FLUSH, SIGNAL → SIGNAL, FLUSH, when all that was posted went to the one
 *		rank that is signalled: the signal comes after it by its channel. With
 *		two ranks only. Proved.
 *   TELLING	in a barrier WAIT, SIGNAL → SIGNAL, WAIT, when what the signal then does
 *		not tell is heard from others: the sets of ranks that each has heard of,
 *		passed on step by step, are full all the same. (With 3 ranks everybody
 *		hears everybody himself.) Proved if they are full, else reported.
 *
 * What check lets pass is besides run on numbers with random delays (async_run.h), as
 * are the unmutated plans: an independent opinion.
 * UB_TEST_SEED takes a seed back; UB_TEST_LONG=1 runs 20 times as many delays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "async_run.h"
#include "sched/check.h"

#define MAX_P		5
#define MAX_STEPS	64

static uint64_t seed;
static unsigned int runs = 10;

/* The streams of the plan under test, recorded, and mutated in place. */
static struct ub_step stream[MAX_P][MAX_STEPS];
static uint32_t length[MAX_P];

static struct {
	unsigned int mutants, neutral, by_claim[10], seen_by_running;
} total;

static bool replay_next(const struct ub_plan *plan, struct ub_cursor *cur, struct ub_step *step)
{
	if (cur->i == length[cur->rank])
		return false;
	*step = stream[cur->rank][cur->i++];
	return true;
}

static void record(const struct ub_plan *plan)
{
	struct ub_cursor cur;

	for (uint32_t r = 0; r < plan->args.nranks; r++) {
		ub_cursor_open(plan, r, 0, &cur);
		for (length[r] = 0; ub_cursor_next(plan, &cur, &stream[r][length[r]]); length[r]++)
			assert_true(length[r] + 1 < MAX_STEPS);
	}
}

static bool is_data(const struct ub_step *step)
{
	return step->op == UB_STEP_MOVE || step->op == UB_STEP_REDUCE;
}

static bool has_rank(const struct ub_ranks *set, uint32_t self, uint32_t rank)
{
	for (uint32_t i = 0; i < ub_ranks_count(set); i++)
		if (ub_ranks_get(set, i, self) == rank)
			return true;
	return false;
}

static bool own_memory_only(const struct ub_step *step, uint32_t self)
{
	return is_data(step) && has_rank(&step->to, self, self) &&
	       ub_ranks_count(&step->to) == 1 &&
	       (step->flags & UB_STEP_LOCAL ||
		(has_rank(&step->from, self, self) && ub_ranks_count(&step->from) == 1));
}

/* Does a step of rank @q wait for a signal that @rank sends after its step @after? */
static bool waits_for_later(const struct ub_plan *plan, uint32_t q, const struct ub_step *wait,
			    uint32_t rank, uint32_t after)
{
	if (wait->op != UB_STEP_WAIT || !has_rank(&wait->from, q, rank))
		return false;
	for (uint32_t k = after + 1; k < length[rank]; k++)
		if (stream[rank][k].op == UB_STEP_SIGNAL && has_rank(&stream[rank][k].to, rank, q) &&
		    stream[rank][k].value == wait->value)
			return true;
	return false;
}

/* ALONE: may own step @i or @i + 1 of @rank be swapped with the other, a WAIT or SIGNAL? */
static bool is_alone(const struct ub_plan *plan, uint32_t rank, uint32_t i)
{
	const struct ub_step *a = &stream[rank][i], *b = a + 1;
	const struct ub_step *own = is_data(a) ? a : b, *other = is_data(a) ? b : a;

	if (!own_memory_only(own, rank) || is_data(other) || other->op == UB_STEP_FLUSH)
		return false;
	for (uint32_t q = 0; q < plan->args.nranks; q++) {
		bool waited = false;

		for (uint32_t k = 0; q != rank && k < length[q]; k++) {
			const struct ub_step *step = &stream[q][k];

			waited |= waits_for_later(plan, q, step, rank, i + 1);
			if (!is_data(step))
				continue;
			if (has_rank(&step->to, q, rank))
				return false;
			if (!(step->flags & UB_STEP_LOCAL) && has_rank(&step->from, q, rank) &&
			    step->src.space == own->dst.space && !waited)
				return false;
		}
	}
	return true;
}

/* COVERED: has @rank, before its step @i, posted to no other rank than the one that @to names? */
static bool is_covered(uint32_t rank, uint32_t i, const struct ub_ranks *to)
{
	if (ub_ranks_count(to) > 1)
		return false;
	for (uint32_t k = 0; k < i; k++)
		for (uint32_t m = 0; is_data(&stream[rank][k]) &&
				     m < ub_ranks_count(&stream[rank][k].to); m++) {
			uint32_t peer = ub_ranks_get(&stream[rank][k].to, m, rank);

			if (peer != rank && peer != ub_ranks_get(to, 0, rank))
				return false;
		}
	return true;
}

enum kind { HARMFUL, TELLING, LATER, NEUTRAL };

/* TELLING: does everybody, following the streams as they are, hear of everybody? */
static bool all_heard(const struct ub_plan *plan)
{
	uint32_t p = plan->args.nranks, heard[MAX_P], at[MAX_P] = { 0 }, cell[MAX_P][MAX_STEPS] = { 0 };
	bool moved = true, all = true;

	for (uint32_t r = 0; r < p; r++)
		heard[r] = 1u << r;
	while (moved) {
		moved = false;
		for (uint32_t r = 0; r < p; r++) {
			const struct ub_step *step = &stream[r][at[r]];

			if (at[r] == length[r] ||
			    (step->op == UB_STEP_WAIT && !cell[r][step->signal]))
				continue;
			if (step->op == UB_STEP_WAIT)
				heard[r] |= cell[r][step->signal];
			else
				cell[ub_ranks_get(&step->to, 0, r)][step->signal] = heard[r];
			at[r]++;
			moved = true;
		}
	}
	for (uint32_t r = 0; r < p; r++)
		all &= at[r] == length[r] && heard[r] == (1u << p) - 1;
	return all;
}

static enum kind swap_kind(const struct ub_plan *plan, uint32_t rank, uint32_t i)
{
	uint8_t a = stream[rank][i].op, b = stream[rank][i + 1].op;

	if (a == UB_STEP_SIGNAL && b == UB_STEP_WAIT)
		return LATER;
	if ((a == UB_STEP_WAIT && b == UB_STEP_FLUSH) || (a == UB_STEP_FLUSH && b == UB_STEP_WAIT))
		return NEUTRAL;
	if (a == UB_STEP_FLUSH && b == UB_STEP_SIGNAL &&
	    is_covered(rank, i, &stream[rank][i + 1].to))
		return NEUTRAL;
	if (a == UB_STEP_WAIT && b == UB_STEP_SIGNAL && plan->args.coll == UB_COLL_BARRIER)
		return TELLING;
	return is_alone(plan, rank, i) ? NEUTRAL : HARMFUL;
}

static void swap(uint32_t rank, uint32_t i)
{
	struct ub_step step = stream[rank][i];

	stream[rank][i] = stream[rank][i + 1];
	stream[rank][i + 1] = step;
}

/* Cuts step @i out, and puts it back. */
static struct ub_step drop(uint32_t rank, uint32_t i)
{
	struct ub_step step = stream[rank][i];

	memmove(&stream[rank][i], &stream[rank][i + 1], (length[rank] - i - 1) * sizeof(step));
	length[rank]--;
	return step;
}

static void undrop(uint32_t rank, uint32_t i, struct ub_step step)
{
	memmove(&stream[rank][i + 1], &stream[rank][i], (length[rank] - i) * sizeof(step));
	stream[rank][i] = step;
	length[rank]++;
}

/* Not in place, all in place, every other rank. Returns the false claim, 0 for proved. */
static int check_all(const struct ub_plan *plan, struct ub_check_report *report)
{
	bool in_place[MAX_P];

	for (int mode = 0; mode < 3; mode++) {
		struct ub_check check = { .plan = plan, .in_place = in_place };

		for (uint32_t r = 0; r < MAX_P; r++)
			in_place[r] = mode == 1 || (mode == 2 && r % 2);
		if (ub_check_plan(&check, report))
			return report->claim;
	}
	return 0;
}

static const char *run_all(const struct ub_plan *plan, unsigned int n)
{
	bool in_place[ASYNC_RANKS];
	const char *wrong = NULL;

	for (unsigned int i = 0; !wrong && i < n; i++) {
		for (uint32_t r = 0; r < ASYNC_RANKS; r++)
			in_place[r] = i % 3 == 1 || (i % 3 == 2 && r % 2);
		wrong = async_run(plan, in_place, &seed);
	}
	return wrong;
}

static void judge(const struct ub_plan *plan, enum kind kind, const char *what, uint32_t rank,
		  uint32_t i)
{
	struct ub_check_report report;
	int claim = check_all(plan, &report);
	const char *wrong;

	if (kind == TELLING)
		kind = all_heard(plan) ? NEUTRAL : HARMFUL;
	total.mutants++;
	total.by_claim[claim]++;
	if (claim && kind == NEUTRAL)
		fail_msg("%s p=%u root=%u: %s step %u of rank %u changes nothing, but: %s",
			 plan->alg->name, plan->args.nranks, plan->args.root, what, i, rank, report.text);
	if (claim && kind == LATER && claim != 4)
		fail_msg("%s: %s step %u of rank %u can only block, but: %s", plan->alg->name, what,
			 i, rank, report.text);
	if (!claim && kind == HARMFUL)
		fail_msg("%s p=%u root=%u: %s step %u of rank %u is not reported",
			 plan->alg->name, plan->args.nranks, plan->args.root, what, i, rank);
	wrong = run_all(plan, claim ? 3 : runs);
	if (!claim && wrong)
		fail_msg("%s p=%u root=%u: %s step %u of rank %u is proved, but running it gives %s",
			 plan->alg->name, plan->args.nranks, plan->args.root, what, i, rank, wrong);
	total.neutral += !claim;
	total.seen_by_running += claim && wrong;
}

static void mutate_one_rank(const struct ub_plan *plan, uint32_t rank)
{
	for (uint32_t i = 0; i < length[rank]; i++) {
		struct ub_step step = drop(rank, i);

		judge(plan, HARMFUL, "dropping", rank, i);
		undrop(rank, i, step);
	}
	for (uint32_t i = 0; i + 1 < length[rank]; i++) {
		enum kind kind = swap_kind(plan, rank, i);

		swap(rank, i);
		judge(plan, kind, "swapping", rank, i);
		swap(rank, i);
	}
}

/* The same place in all streams that are so long. */
static void mutate_all_ranks(const struct ub_plan *plan)
{
	uint32_t p = plan->args.nranks;

	for (uint32_t i = 0; i < length[0]; i++) {
		struct ub_step step[MAX_P];
		bool dropped[MAX_P];

		for (uint32_t r = 0; r < p; r++) {
			dropped[r] = i < length[r];
			if (dropped[r])
				step[r] = drop(r, i);
		}
		judge(plan, HARMFUL, "dropping everywhere", 0, i);
		for (uint32_t r = 0; r < p; r++)
			if (dropped[r])
				undrop(r, i, step[r]);
	}
	for (uint32_t i = 0; i + 1 < length[0]; i++) {
		enum kind kind = NEUTRAL, k;

		for (uint32_t r = 0; r < p; r++) {
			k = i + 1 < length[r] ? swap_kind(plan, r, i) : NEUTRAL;
			kind = k < kind ? k : kind;
		}
		for (uint32_t r = 0; r < p; r++)
			if (i + 1 < length[r])
				swap(r, i);
		judge(plan, kind, "swapping everywhere", 0, i);
		for (uint32_t r = 0; r < p; r++)
			if (i + 1 < length[r])
				swap(r, i);
	}
}

static void mutate_plan(const struct ub_alg *alg, uint32_t p, uint32_t root)
{
	struct ub_sched_args args = { .coll = alg->coll, .nranks = p, .root = root };
	struct ub_check_report report;
	struct ub_alg replay = *alg;
	struct ub_plan plan;
	const char *wrong;

	if (ub_plan_make(&plan, alg, &args))
		return;
	record(&plan);
	replay.next = replay_next;
	plan.alg = &replay;
	if (check_all(&plan, &report))
		fail_msg("%s", report.text);
	wrong = run_all(&plan, runs);
	if (wrong)
		fail_msg("%s p=%u root=%u: %s", alg->name, p, root, wrong);
	for (uint32_t r = 0; r < p; r++)
		mutate_one_rank(&plan, r);
	mutate_all_ranks(&plan);
}

static void test_every_mutant_is_reported(void **state)
{
	for (int a = 0; ub_algs[a]; a++)
		for (uint32_t p = 1; p <= MAX_P; p++)
			for (uint32_t root = 0; root < p; root++)
				if (!root || ub_algs[a]->coll == UB_COLL_BROADCAST)
					mutate_plan(ub_algs[a], p, root);
	printf("%u mutants: %u change nothing; reported by claim 1-9:", total.mutants, total.neutral);
	for (int i = 1; i < 10; i++)
		printf(" %u", total.by_claim[i]);
	printf("; 3 random runs see %u of them\n", total.seen_by_running);
}

static void test_plans_give_right_numbers_under_any_delay(void **state)
{
	struct ub_plan plan;
	const char *wrong;

	for (int a = 0; ub_algs[a]; a++) {
		for (uint32_t p = 1; p <= ASYNC_RANKS; p++) {
			struct ub_sched_args args = { .coll = ub_algs[a]->coll, .nranks = p };

			if (args.coll == UB_COLL_BROADCAST)
				args.root = p / 2;
			if (ub_plan_make(&plan, ub_algs[a], &args))
				continue;
			wrong = run_all(&plan, 3 * runs);
			if (wrong)
				fail_msg("%s p=%u: %s", ub_algs[a]->name, p, wrong);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans_give_right_numbers_under_any_delay),
		cmocka_unit_test(test_every_mutant_is_reported),
	};
	const char *env = getenv("UB_TEST_SEED");

	seed = env ? strtoull(env, NULL, 0) : 20261121;
	if (getenv("UB_TEST_LONG"))
		runs *= 20;
	printf("mutation: UB_TEST_SEED=%llu; UB_TEST_LONG=1 runs 20 times as many delays\n",
	       (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
