// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every collective gives its definition: types, operators, sizes around every limit
 * of the implementation, in place and not, mapped and private buffers in any mixture,
 * any offset, 1 to 8 ranks, each algorithm.
 */
#include <stdatomic.h>
#include <sys/mman.h>
#include "ranks.h"

#define MAX_BYTES	(3u << 20)	/* several windows of private buffers */
#define SLACK		256		/* bytes of offset tried */

static const size_t sizes[] = {	/* bytes */
	0, 8, 24, 48, 56, 248, 256, 264, 512, 4096 - 8, 4096, 65536 + 24, (256 << 10) - 8,
	256 << 10, (256 << 10) + 8, (1 << 20) + 40, MAX_BYTES,
};

static const enum ub_type types[] = { UB_INT32, UB_INT64, UB_FLOAT32, UB_FLOAT64 };
static const enum ub_op ops[] = { UB_SUM, UB_MIN, UB_MAX, UB_AVG };

static uint64_t seed;

static int64_t value(int rank, size_t i)
{
	return (int64_t)((i * 7 + (size_t)rank * 31) % 61 + (i >> 10) % 127) - 40;
}

static void put(void *buf, enum ub_type type, size_t i, double v)
{
	if (type == UB_INT32)
		((int32_t *)buf)[i] = (int32_t)v;
	else if (type == UB_INT64)
		((int64_t *)buf)[i] = (int64_t)v;
	else if (type == UB_FLOAT32)
		((float *)buf)[i] = (float)v;
	else
		((double *)buf)[i] = v;
}

static double get(const void *buf, enum ub_type type, size_t i)
{
	if (type == UB_INT32)
		return ((const int32_t *)buf)[i];
	if (type == UB_INT64)
		return (double)((const int64_t *)buf)[i];
	if (type == UB_FLOAT32)
		return ((const float *)buf)[i];
	return ((const double *)buf)[i];
}

/* The definition, as the type rounds it. */
static double want(int n, size_t i, enum ub_type type, enum ub_op op)
{
	int64_t acc = value(0, i);

	for (int r = 1; r < n; r++) {
		int64_t v = value(r, i);

		if (op == UB_MIN)
			acc = v < acc ? v : acc;
		else if (op == UB_MAX)
			acc = v > acc ? v : acc;
		else
			acc += v;
	}
	if (op != UB_AVG)
		return (double)acc;
	if (type == UB_FLOAT32)
		return (float)acc / (float)n;
	if (type == UB_FLOAT64)
		return (double)acc / n;
	return (double)(acc / n);
}

struct buffers {
	char *mapped[2];
	char *private[2];
};

static void get_buffers(struct ub_comm *comm, struct buffers *b)
{
	for (int i = 0; i < 2; i++) {
		EXPECT(comm, !ub_alloc(ub_comm_device(comm), MAX_BYTES + SLACK,
				       (void **)&b->mapped[i]));
		b->private[i] = malloc(MAX_BYTES + SLACK);
		EXPECT(comm, b->private[i]);
	}
}

static void put_buffers(struct buffers *b)
{
	for (int i = 0; i < 2; i++) {
		ub_free(b->mapped[i]);
		free(b->private[i]);
	}
}

/* Each rank draws its own kind and offset. */
static char *draw(struct buffers *b, int which, uint64_t *rnd)
{
	char *base = test_random(rnd) % 2 ? b->mapped[which] : b->private[which];

	return base + test_random(rnd) % (SLACK / 8) * 8;
}

static void check_one(struct ub_comm *comm, struct buffers *b, size_t bytes, enum ub_type type,
		      enum ub_op op, bool in_place, uint64_t *rnd)
{
	int rank = ub_comm_rank(comm), n = ub_comm_size(comm);
	size_t count = bytes / ub_type_size(type);
	char *recv = draw(b, 1, rnd), *send = in_place ? recv : draw(b, 0, rnd);

	still_alive();
	memset(recv, 0x5a, bytes);
	for (size_t i = 0; i < count; i++)
		put(send, type, i, (double)value(rank, i));
	EXPECT(comm, !ub_allreduce(send, recv, count, type, op, comm, NULL));
	for (size_t i = 0; i < count; i++)
		if (get(recv, type, i) != want(n, i, type, op)) {
			fprintf(stderr, "rank %d of %d: %zu bytes, type %d, op %d, %s: element %zu is %g, not %g\n",
				rank, n, bytes, type, op, in_place ? "in place" : "out of place",
				i, get(recv, type, i), want(n, i, type, op));
			exit(1);
		}
	for (size_t i = 0; i < count && !in_place; i++)
		EXPECT(comm, get(send, type, i) == (double)value(rank, i));
}

static int allreduce_body(struct ub_comm *comm, void *arg)
{
	uint64_t rnd = seed + (uint64_t)ub_comm_rank(comm) * 977;
	unsigned int tried = 0;
	struct buffers b;

	get_buffers(comm, &b);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]) && !test_too_large(sizes[s]); s++)
		for (int t = 0; t < 4; t++)
			for (int o = 0; o < 4; o++) {
				/* All types and operators on small sizes, some on large ones. */
				if (sizes[s] > 8192 && (s + (size_t)t + (size_t)o) % 4)
					continue;
				if (test_drawn(&tried))
					check_one(comm, &b, sizes[s], types[t], ops[o],
						  (s + (size_t)o) % 2, &rnd);
				if (sizes[s] <= 8192 && test_drawn(&tried))
					check_one(comm, &b, sizes[s], types[t], ops[o],
						  !((s + (size_t)o) % 2), &rnd);
			}
	expect_transport(comm, 2 + (ub_comm_size(comm) > 1));
	EXPECT(comm, !ub_comm_destroy(comm));
	put_buffers(&b);
	return 0;
}

static int broadcast_body(struct ub_comm *comm, void *arg)
{
	int rank = ub_comm_rank(comm), n = ub_comm_size(comm);
	uint64_t rnd = seed + (uint64_t)rank * 977;
	struct buffers b;

	get_buffers(comm, &b);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]) && !test_too_large(sizes[s]); s++)
		for (int root = 0; root < n; root++) {
			size_t count = sizes[s] / 8;
			char *recv = draw(&b, 1, &rnd), *send = draw(&b, 0, &rnd);

			if ((s + (size_t)root) % 2)
				send = recv;
			still_alive();
			memset(recv, 0x5a, sizes[s]);
			for (size_t i = 0; i < count && rank == root; i++)
				put(send, UB_INT64, i, (double)value(root, i + s));
			EXPECT(comm, !ub_broadcast(rank == root ? send : NULL, recv, count,
						   UB_INT64, root, comm, NULL));
			for (size_t i = 0; i < count; i++)
				EXPECT(comm, get(recv, UB_INT64, i) == (double)value(root, i + s));
		}
	expect_transport(comm, 2 + (n > 1));
	EXPECT(comm, !ub_comm_destroy(comm));
	put_buffers(&b);
	return 0;
}

/* Nobody leaves a barrier before the last has come: a shared counter tells. */
static int barrier_body(struct ub_comm *comm, void *arg)
{
	int rank = ub_comm_rank(comm), n = ub_comm_size(comm);
	uint64_t rnd = seed + (uint64_t)rank;
	_Atomic int *come = arg;

	for (int i = 1; i <= test_thin(200); i++) {
		if (test_random(&rnd) % 16 == 0)
			test_sleep_us(test_random(&rnd) % 300);
		atomic_fetch_add(come, 1);
		EXPECT(comm, !ub_barrier(comm, NULL));
		EXPECT(comm, atomic_load(come) >= i * n);
	}
	EXPECT(comm, !ub_comm_destroy(comm));
	return 0;
}

/* Buffers come and go: a freed one's address and pages are used again by another. */
static int realloc_body(struct ub_comm *comm, void *arg)
{
	int n = ub_comm_size(comm);
	int32_t *buf;

	for (int i = 0; i < test_thin(50); i++) {
		size_t count = 1024 + (size_t)(i % 7) * 4096;

		still_alive();
		EXPECT(comm, !ub_alloc(ub_comm_device(comm), count * 4, (void **)&buf));
		for (size_t k = 0; k < count; k++)
			buf[k] = i;
		EXPECT(comm, !ub_allreduce(buf, buf, count, UB_INT32, UB_SUM, comm, NULL));
		for (size_t k = 0; k < count; k++)
			EXPECT(comm, buf[k] == i * n);
		expect_transport(comm, n);
		EXPECT(comm, !ub_free(buf));
	}
	EXPECT(comm, !ub_comm_destroy(comm));
	return 0;
}

/* A failed assertion leaves the function: the next test must not inherit a choice. */
static int forget_choice(void **state)
{
	unsetenv("UB_ALLREDUCE");
	unsetenv("UB_BROADCAST");
	return 0;
}

static void for_ranks(int (*body)(struct ub_comm *comm, void *arg), void *arg)
{
	static const int ranks[] = { 1, 2, 3, 4, 8 };

	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
		if (!test_too_many(ranks[i]))
			assert_int_equal(run_ranks(ranks[i], body, arg, NULL), 0);
}

static void allreduce_is_its_definition(void **state)
{
	for_ranks(allreduce_body, NULL);
}

static void allreduce_by_ring(void **state)
{
	setenv("UB_ALLREDUCE", "ring", 1);
	for_ranks(allreduce_body, NULL);
}

static void allreduce_by_oneshot(void **state)
{
	setenv("UB_ALLREDUCE", "oneshot", 1);
	for_ranks(allreduce_body, NULL);
}

static void broadcast_is_its_definition(void **state)
{
	for_ranks(broadcast_body, NULL);
}

static void broadcast_by_scatter(void **state)
{
	setenv("UB_BROADCAST", "scatter", 1);
	for_ranks(broadcast_body, NULL);
}

static void barrier_waits_for_the_last(void **state)
{
	static const int ranks[] = { 1, 2, 3, 8 };

	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
		_Atomic int *come;

		assert_int_equal(ub_alloc(NULL, 4096, (void **)&come), 0);
		/* ub_alloc() memory is not inherited; this counter is to be. */
		assert_int_equal(madvise(come, 4096, MADV_DOFORK), 0);
		assert_int_equal(run_ranks(ranks[i], barrier_body, come, NULL), 0);
		assert_int_equal(ub_free(come), 0);
	}
}

static void freed_buffers_are_forgotten(void **state)
{
	for_ranks(realloc_body, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allreduce_is_its_definition),
		cmocka_unit_test_teardown(allreduce_by_ring, forget_choice),
		cmocka_unit_test_teardown(allreduce_by_oneshot, forget_choice),
		cmocka_unit_test(broadcast_is_its_definition),
		cmocka_unit_test_teardown(broadcast_by_scatter, forget_choice),
		cmocka_unit_test(barrier_waits_for_the_last),
		cmocka_unit_test(freed_buffers_are_forgotten),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
