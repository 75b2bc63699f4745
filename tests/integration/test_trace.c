// SPDX-License-Identifier: BSD-2-Clause
/*
 * What was executed is the generator's stream: the hash of the executor's trace, fed
 * from the addresses and cells that were used, equals a hash made here from nothing
 * but the plan's steps and the layout. Small calls and compiled plans included.
 */
#include "ranks.h"
#include "comm/comm.h"
#include "exec/exec.h"

/* Of the stream of one rank. */
struct expect {
	const struct ub_plan *plan;
	struct ub_layout layout;
	uint32_t self;
	uint64_t hash;
};

static void word(struct expect *e, uint64_t w)
{
	e->hash = ub_trace_word(e->hash, w);
}

static uint64_t at(struct expect *e, const struct ub_slice *s, uint32_t chunk)
{
	if (s->space == UB_TMP)
		return e->layout.tmp_stride * chunk;
	return ub_layout_offset(&e->layout, e->plan, s->region, chunk);
}

static void place(struct expect *e, uint32_t rank, const struct ub_slice *s, uint32_t chunk)
{
	e->hash = ub_trace_place(e->hash, rank, s->space, at(e, s, chunk));
}

/* Bytes of chunks [first, first + n) of the side that is not TMP. */
static uint64_t length(struct expect *e, const struct ub_slice *s, uint32_t first, uint32_t n)
{
	return ub_layout_offset(&e->layout, e->plan, s->region, first + n) -
	       ub_layout_offset(&e->layout, e->plan, s->region, first);
}

static void signal_step(struct expect *e, const struct ub_step *step)
{
	const struct ub_ranks *set = step->op == UB_STEP_SIGNAL ? &step->to : &step->from;

	for (uint32_t i = 0; i < ub_ranks_count(set); i++) {
		uint32_t rank = ub_ranks_get(set, i, e->self);
		uint32_t cell = step->signal + step->signal_per_rank * ub_ranks_pos(set, rank);

		word(e, step->op);
		e->hash = ub_trace_place(e->hash, rank, cell, step->value);
	}
}

/* All generators of this library write folds of one piece; more would need a loop. */
static void fold_step(struct expect *e, const struct ub_step *step)
{
	uint32_t to = ub_ranks_get(&step->to, 0, e->self);
	uint32_t out = ub_slice_run(&step->dst, ub_ranks_pos(&step->to, to), 0);
	uint64_t len = length(e, &step->dst, out, step->dst.run);

	if (!len)
		return;
	word(e, UB_STEP_REDUCE);
	for (uint32_t i = 0; i < ub_ranks_count(&step->from); i++) {
		uint32_t rank = ub_ranks_get(&step->from, i, e->self);
		struct ub_slice in = step->dst;

		in.space = UB_IN;
		if (step->flags & UB_STEP_OWN && rank == e->self)
			place(e, rank, &in, out);
		else
			place(e, step->flags & UB_STEP_LOCAL ? e->self : rank, &step->src,
			      ub_slice_run(&step->src, ub_ranks_pos(&step->from, rank), 0));
	}
	for (uint32_t i = 0; i < ub_ranks_count(&step->to); i++) {
		uint32_t rank = ub_ranks_get(&step->to, i, e->self);

		place(e, rank, &step->dst,
		      ub_slice_run(&step->dst, ub_ranks_pos(&step->to, rank), 0));
	}
	word(e, len);
	word(e, step->flags & UB_STEP_FINISH);
}

static void move_step(struct expect *e, const struct ub_step *step)
{
	const struct ub_ranks *set = ub_move_set(step);
	const struct ub_slice *side = step->dst.space == UB_TMP ? &step->src : &step->dst;

	for (uint32_t i = 0; i < ub_ranks_count(set); i++) {
		uint32_t rank = ub_ranks_get(set, i, e->self), pos = ub_ranks_pos(set, rank);
		uint32_t from = set == &step->from ? rank : ub_ranks_get(&step->from, 0, e->self);
		uint32_t to = set == &step->to ? rank : ub_ranks_get(&step->to, 0, e->self);
		uint64_t len = length(e, side, ub_slice_run(side, pos, 0), side->run);

		if (!len)
			continue;
		word(e, UB_STEP_MOVE);
		place(e, from, &step->src, ub_slice_run(&step->src, pos, 0));
		place(e, to, &step->dst, ub_slice_run(&step->dst, pos, 0));
		word(e, len);
	}
}

static uint64_t expected(const struct ub_trace *t, uint32_t self)
{
	struct expect e = { .plan = t->plan, .self = self };
	uint64_t all = UB_TRACE_SEED;
	struct ub_cursor cur;
	struct ub_step step;

	ub_layout_bind(&e.layout, t->plan, t->bytes, t->elem);
	for (uint32_t s = 0; s < t->plan->nstreams; s++) {
		e.hash = UB_TRACE_SEED;
		ub_cursor_open(t->plan, self, s, &cur);
		while (ub_cursor_next(t->plan, &cur, &step)) {
			if (step.op == UB_STEP_SIGNAL || step.op == UB_STEP_WAIT)
				signal_step(&e, &step);
			else if (step.op == UB_STEP_REDUCE)
				fold_step(&e, &step);
			else if (step.op == UB_STEP_MOVE)
				move_step(&e, &step);
		}
		all = ub_trace_word(all, e.hash);
	}
	return all;
}

static void check_trace(struct ub_comm *comm, const char *name, uint64_t bytes)
{
	const struct ub_trace *t = &comm->exec->trace;

	EXPECT(comm, t->plan);
	/* Not every algorithm serves one or two ranks. */
	EXPECT(comm, comm->nranks < 3 || !strcmp(t->plan->alg->name, name));
	EXPECT(comm, t->seq == comm->seq);
	EXPECT(comm, t->bytes == bytes);
	EXPECT(comm, t->hash == expected(t, comm->rank));
}

/* The last window of a call that is cut for staging, or because TMP is bounded. */
static uint64_t last_window(struct ub_comm *comm, uint64_t bytes, bool private)
{
	bool staged = private && comm->nranks > 1 && bytes > 256;
	uint64_t most = staged ? UB_STAGE_BYTES : UINT64_MAX;
	uint64_t tmp = ub_layout_window(comm->exec->trace.plan, UB_TMP_BYTES, 8);

	if (bytes <= 256)
		return bytes;
	most = tmp < most ? tmp : most;
	return (bytes - 1) % most + 1;
}

static int body(struct ub_comm *comm, void *arg)
{
	static const size_t sizes[] = {
		8, 256, 264, 4096, 65544, UB_STAGE_BYTES, UB_STAGE_BYTES + 8, 3 << 20
	};
	const char *allreduce = getenv("UB_ALLREDUCE"), *broadcast = getenv("UB_BROADCAST");
	char *mapped, *buf;

	comm->exec->tracing = true;
	EXPECT(comm, !ub_alloc(ub_comm_device(comm), 3 << 20, (void **)&mapped));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !test_too_large(sizes[i]); i++)
		for (int private = 0; private < 2; private++) {
			uint64_t n = sizes[i];

			still_alive();
			buf = private ? calloc(1, n) : mapped;
			EXPECT(comm, !ub_allreduce(buf, buf, n / 8, UB_INT64, UB_SUM, comm, NULL));
			check_trace(comm, allreduce ? allreduce : n <= 256 ? "oneshot" : "twoshot",
				    last_window(comm, n, private));
			EXPECT(comm, !ub_broadcast(buf, buf, n / 8, UB_INT64,
						   (int)(i % comm->nranks), comm, NULL));
			check_trace(comm, broadcast ? broadcast : n <= 256 ? "eager" : "flat",
				    last_window(comm, n, private));
			if (private)
				free(buf);
		}
	EXPECT(comm, !ub_barrier(comm, NULL));
	check_trace(comm, "meet", 0);
	expect_transport(comm, comm->nranks > 1 ? 3 : 1);
	EXPECT(comm, !ub_comm_destroy(comm));
	return 0;
}

static int forget_choice(void **state)
{
	unsetenv("UB_ALLREDUCE");
	unsetenv("UB_BROADCAST");
	return 0;
}

static void for_ranks(const char *allreduce, const char *broadcast)
{
	static const int ranks[] = { 1, 2, 3, 4, 8 };

	if (allreduce)
		setenv("UB_ALLREDUCE", allreduce, 1);
	if (broadcast)
		setenv("UB_BROADCAST", broadcast, 1);
	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
		if (!test_too_many(ranks[i]))
			assert_int_equal(run_ranks(ranks[i], body, NULL, NULL), 0);
}

static void what_is_chosen(void **state)
{
	for_ranks(NULL, NULL);
}

static void ring_and_scatter(void **state)
{
	for_ranks("ring", "scatter");
}

static void oneshot_and_eager(void **state)
{
	for_ranks("oneshot", "eager");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_is_chosen, forget_choice),
		cmocka_unit_test_teardown(ring_and_scatter, forget_choice),
		cmocka_unit_test_teardown(oneshot_and_eager, forget_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
