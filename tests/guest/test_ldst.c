// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the links of the pod show as load/store traffic is, to the byte, what the
 * schedule says: the bytes per (rank, peer) that lib/sched counts from the steps, along
 * the kernel's route between their NPUs.
 *
 * What counts (Documentation/userspace-api/ub.rst, "Traffic"): loads and stores of
 * elements in a peer's segment. Calls of at most 256 bytes and barriers use the control
 * segment only, which is memory of the host and of no NPU: they show nothing, and so do
 * signals and the entry exchange of larger calls.
 *
 * Runs in a guest, as root, with the default pod. Every call is measured by itself,
 * while the ranks live: barriers, which show nothing, are between it and the looks.
 */
#include <sys/mman.h>
#include "../integration/ranks.h"
#include "comm/comm.h"
#include "exec/exec.h"
#include "fault.h"
#include "links.h"
#include "sched/traffic.h"

#define N	POD_NPUS
#define ELEM	4

enum buffers { MAPPED, IN_PLACE, PRIVATE };

static const char *const buffers_name[] = { "mapped", "in place", "private on odd ranks" };

/* Elements: below and above each limit, and odd. The last: several windows. */
static const struct { size_t count; enum buffers buffers; } shapes[] = {
	{ 1, IN_PLACE }, { 3, MAPPED }, { 64, PRIVATE }, { 65, MAPPED }, { 1025, IN_PLACE },
	{ 16385, MAPPED }, { 16385, IN_PLACE }, { 16385, PRIVATE }, { 150001, PRIVATE },
};

#define NR_SHAPES	(sizeof(shapes) / sizeof(shapes[0]))
#define MOST		150001

struct algs {
	const char *name[2];	/* of allreduce and broadcast; NULL: the library chooses */
};

static const struct algs algs[] = {
	{ { NULL, NULL } }, { { "oneshot", "flat" } }, { { "twoshot", "scatter" } },
	{ { "ring", "eager" } },
};

struct call {
	enum ub_coll	coll;
	const char	*alg;
	size_t		count;
	enum buffers	buffers;
	int		root;
};

struct memory {
	int32_t *mapped[2];
	int32_t *private[2];
};

static void get_memory(struct ub_comm *comm, struct memory *m)
{
	for (int i = 0; i < 2; i++) {
		EXPECT(comm, !ub_alloc(ub_comm_device(comm), MOST * ELEM, (void **)&m->mapped[i]));
		m->private[i] = malloc(MOST * ELEM);
		EXPECT(comm, m->private[i]);
	}
}

static void put_memory(struct memory *m)
{
	for (int i = 0; i < 2; i++) {
		ub_free(m->mapped[i]);
		free(m->private[i]);
	}
}

static bool over_segments(const struct call *c)
{
	return c->coll != UB_COLL_BARRIER && (c->alg || c->count * ELEM > UB_SMALL_MAX);
}

/* From the steps alone, window by window. */
static void scheduled(struct ub_comm *comm, const struct call *c, uint64_t *bytes)
{
	struct ub_sched_args args = { .coll = c->coll, .nranks = N, .root = (uint32_t)c->root };
	const char *name = c->alg ? c->alg : c->coll == UB_COLL_ALLREDUCE ? "twoshot" : "flat";
	uint64_t left = c->count * ELEM, most, n;
	struct ub_layout layout;
	struct ub_plan plan;

	memset(bytes, 0, N * N * sizeof(*bytes));
	if (!over_segments(c))
		return;
	EXPECT(comm, !ub_plan_make(&plan, ub_alg_find(c->coll, name), &args));
	most = ub_layout_window(&plan, UB_TMP_BYTES, ELEM);
	if (c->buffers == PRIVATE && most > UB_STAGE_BYTES)
		most = UB_STAGE_BYTES;
	for (; left; left -= n) {
		n = left < most ? left : most;
		ub_layout_bind(&layout, &plan, n, ELEM);
		ub_plan_traffic(&plan, &layout, bytes);
	}
}

/* One call, and is the result right? The executor with a fault need not care. */
static void do_call(struct ub_comm *comm, const struct call *c, struct memory *m, bool check)
{
	bool private = c->buffers == PRIVATE && ub_comm_rank(comm) % 2;
	int32_t *recv = private ? m->private[1] : m->mapped[1];
	int32_t *send = c->buffers == IN_PLACE ? recv : private ? m->private[0] : m->mapped[0];
	int32_t want = c->coll == UB_COLL_ALLREDUCE ? N * (N + 1) / 2 : c->root + 1;
	size_t at[] = { 0, c->count / 2, c->count - 1 };

	if (c->coll == UB_COLL_BARRIER) {
		EXPECT(comm, !ub_barrier(comm, NULL));
		return;
	}
	for (size_t i = 0; i < c->count; i++)
		send[i] = ub_comm_rank(comm) + 1;
	if (c->coll == UB_COLL_ALLREDUCE)
		EXPECT(comm, !ub_allreduce(send, recv, c->count, UB_INT32, UB_SUM, comm, NULL));
	else
		EXPECT(comm, !ub_broadcast(send, recv, c->count, UB_INT32, c->root, comm, NULL));
	for (int i = 0; i < 3 && check; i++)
		EXPECT(comm, recv[at[i]] == want);
}

/* Rank 0 looks; the others wait until it has. */
static void look(struct ub_comm *comm, struct traffic *t)
{
	EXPECT(comm, !ub_barrier(comm, NULL));
	if (ub_comm_rank(comm) == 0)
		traffic_read(t);
	EXPECT(comm, !ub_barrier(comm, NULL));
}

/*
 * Rank 0: links and directions that have not grown by what the schedule of the call says
 * since the last look.
 */
static int measure(struct ub_comm *comm, const struct call *c, struct memory *m, bool check,
		   struct traffic *last)
{
	struct traffic after, expected = { 0 };
	uint64_t bytes[N * N];
	int wrong = 0;

	still_alive();
	do_call(comm, c, m, check);
	look(comm, &after);
	if (ub_comm_rank(comm) == 0) {
		scheduled(comm, c, bytes);
		traffic_route(&expected, N, bytes);
		wrong = traffic_wrong(last, &after, &expected);
	}
	*last = after;
	return wrong;
}

static void expect_exact(struct ub_comm *comm, const struct call *c, struct memory *m,
			 struct traffic *last)
{
	int wrong = measure(comm, c, m, true, last);

	if (wrong)
		fprintf(stderr, "%s of %zu elements by %s, %s: %d counters are wrong\n",
			c->coll == UB_COLL_ALLREDUCE ? "allreduce" : "broadcast", c->count,
			c->alg ? c->alg : "the library's choice", buffers_name[c->buffers],
			wrong);
	EXPECT(comm, !wrong);
}

static void expect_collectives(struct ub_comm *comm, const struct algs *a, struct memory *m,
			       size_t most)
{
	struct call barrier = { .coll = UB_COLL_BARRIER };
	struct traffic last;

	look(comm, &last);
	for (size_t s = 0; s < NR_SHAPES && shapes[s].count <= most; s++) {
		struct call c = { UB_COLL_ALLREDUCE, a->name[0], shapes[s].count,
				  shapes[s].buffers, 0 };

		expect_exact(comm, &c, m, &last);
		c.coll = UB_COLL_BROADCAST;
		c.alg = a->name[1];
		c.root = (int)s % N;
		expect_exact(comm, &c, m, &last);
	}
	expect_exact(comm, &barrier, m, &last);
	expect_transport(comm, 2 + N);
}

static int exact_body(struct ub_comm *comm, void *arg)
{
	struct memory m;

	get_memory(comm, &m);
	expect_collectives(comm, arg, &m, MOST);
	EXPECT(comm, !ub_comm_destroy(comm));
	put_memory(&m);
	return 0;
}

static void choose(const struct algs *a)
{
	unsetenv("UB_ALLREDUCE");
	unsetenv("UB_BROADCAST");
	if (a->name[0])
		setenv("UB_ALLREDUCE", a->name[0], 1);
	if (a->name[1])
		setenv("UB_BROADCAST", a->name[1], 1);
}

static int forget_choice(void **state)
{
	choose(&algs[0]);
	for (uint32_t npu = 0; npu < N; npu++)
		links_set(npu, 1);
	return 0;
}

static void links_show_what_the_schedule_says(void **state)
{
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		choose(&algs[i]);
		assert_int_equal(run_ranks(N, exact_body, (void *)&algs[i], NULL), 0);
	}
}

/* The link between 0 and 1 is down: both links of the detour carry its bytes, too. */
static int detour_body(struct ub_comm *comm, void *arg)
{
	struct memory m;

	if (ub_comm_rank(comm) == 0)
		EXPECT(comm, route_length(0, 1) == 2 && route_length(1, 0) == 2 &&
			     route_length(0, 2) == 1);
	get_memory(comm, &m);
	expect_collectives(comm, arg, &m, 1025);
	EXPECT(comm, !ub_comm_destroy(comm));
	put_memory(&m);
	return 0;
}

static void a_detour_shows_on_both_its_links(void **state)
{
	link_set(0, 1, 0);
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		choose(&algs[i]);
		assert_int_equal(run_ranks(N, detour_body, (void *)&algs[i], NULL), 0);
	}
}

/* What was reported belongs to the routes of its time. */
static int change_body(struct ub_comm *comm, void *arg)
{
	const struct call c = { UB_COLL_ALLREDUCE, NULL, 16385, MAPPED, 0 };
	struct traffic before, after, expected = { 0 };
	uint64_t bytes[N * N];
	struct memory m;

	get_memory(comm, &m);
	look(comm, &before);
	scheduled(comm, &c, bytes);
	for (int up = 1; up >= 0; up--) {
		if (ub_comm_rank(comm) == 0) {
			link_set(0, 1, up);
			traffic_route(&expected, N, bytes);
		}
		EXPECT(comm, !ub_barrier(comm, NULL));
		do_call(comm, &c, &m, true);
		EXPECT(comm, !ub_barrier(comm, NULL));
	}
	look(comm, &after);
	if (ub_comm_rank(comm) == 0)
		EXPECT(comm, !traffic_wrong(&before, &after, &expected));
	EXPECT(comm, !ub_comm_destroy(comm));
	put_memory(&m);
	return 0;
}

static void a_change_of_routes_divides_what_is_shown(void **state)
{
	assert_int_equal(run_ranks(N, change_body, NULL, NULL), 0);
}

/* Nobody looks while the ranks live: what they reported outlives them. */
static int end_body(struct ub_comm *comm, void *arg)
{
	struct memory m;

	get_memory(comm, &m);
	do_call(comm, arg, &m, true);
	EXPECT(comm, !ub_comm_destroy(comm));
	put_memory(&m);
	return 0;
}

static void the_end_of_a_process_loses_nothing(void **state)
{
	struct call c = { UB_COLL_ALLREDUCE, NULL, 16385, PRIVATE, 0 };
	struct traffic before, after, expected = { 0 };
	uint64_t bytes[N * N];

	scheduled(NULL, &c, bytes);
	traffic_route(&expected, N, bytes);
	traffic_read(&before);
	assert_int_equal(run_ranks(N, end_body, &c, NULL), 0);
	traffic_read(&after);
	assert_int_equal(traffic_wrong(&before, &after, &expected), 0);
}

/* What the victim knows of its program, for all ranks: memory that fork() shares. */
struct told {
	uint32_t steps;
	bool	 remote;
};

struct fault_run {
	const struct algs *algs;
	struct told	  *told;
};

#define VICTIM	3

static void try_fault(struct ub_comm *comm, const struct call *c, struct memory *m,
		      enum fault_kind kind, uint32_t nth, struct told *told,
		      struct traffic *last)
{
	int wrong;

	fault = (struct fault){ .kind = ub_comm_rank(comm) == VICTIM ? kind : FAULT_NONE,
				.nth = nth };
	wrong = measure(comm, c, m, kind == FAULT_NONE, last);
	fault.kind = FAULT_NONE;
	if (ub_comm_rank(comm) == VICTIM)
		*told = (struct told){ fault.ndata, fault.remote };
	EXPECT(comm, !ub_barrier(comm, NULL));
	/* A step within the rank's own memory crosses no link. */
	if (ub_comm_rank(comm) == 0)
		EXPECT(comm, told->remote ? wrong : !wrong);
	EXPECT(comm, !ub_barrier(comm, NULL));
}

/* Steps of one rank, left out and done twice: the links show it. */
static int fault_body(struct ub_comm *comm, void *arg)
{
	const enum ub_coll coll[] = { UB_COLL_ALLREDUCE, UB_COLL_BROADCAST };
	const struct fault_run *run = arg;
	struct traffic last;
	struct memory m;

	get_memory(comm, &m);
	look(comm, &last);
	for (int i = 0; i < 2; i++) {
		struct call c = { coll[i], run->algs->name[i], 1025, MAPPED, i ? VICTIM : 0 };
		uint32_t steps;

		try_fault(comm, &c, &m, FAULT_NONE, 0, run->told, &last);
		steps = run->told->steps;
		EXPECT(comm, steps > 0);
		for (uint32_t nth = 0; nth < steps; nth += 1 + steps / 6) {
			try_fault(comm, &c, &m, FAULT_SKIP, nth, run->told, &last);
			try_fault(comm, &c, &m, FAULT_REPEAT, nth, run->told, &last);
		}
	}
	EXPECT(comm, !ub_comm_destroy(comm));
	put_memory(&m);
	return 0;
}

static void an_executor_that_errs_is_found(void **state)
{
	struct fault_run run = {
		.told = mmap(NULL, sizeof(*run.told), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0),
	};

	assert_true(run.told != MAP_FAILED);
	for (size_t i = 1; i < sizeof(algs) / sizeof(algs[0]); i++) {
		choose(&algs[i]);
		run.algs = &algs[i];
		assert_int_equal(run_ranks(N, fault_body, &run, NULL), 0);
	}
	munmap(run.told, sizeof(*run.told));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(links_show_what_the_schedule_says, forget_choice),
		cmocka_unit_test_teardown(a_detour_shows_on_both_its_links, forget_choice),
		cmocka_unit_test_teardown(a_change_of_routes_divides_what_is_shown, forget_choice),
		cmocka_unit_test_teardown(the_end_of_a_process_loses_nothing, forget_choice),
		cmocka_unit_test_teardown(an_executor_that_errs_is_found, forget_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
