// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rings that two sides share: lib/ring against a peer that keeps the kernel's rules. The
 * indices of every test run over the end of their 32 bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/ring.h"

#define ENTRIES	8
#define STRIDE	64
#define START	(UINT32_MAX - 5)
#define ROUNDS	200000u

struct shared {
	struct ub_ring_head head;
	uint64_t entry[ENTRIES][STRIDE / 8];
} __attribute__((aligned(64)));

static struct shared shared;

/* A ring whose indices are about to overflow, and one side of it. */
static struct ub_ring new_ring(void (*start)(struct ub_ring *))
{
	struct ub_ring ring;

	memset(&shared, 0, sizeof(shared));
	shared.head.producer = START;
	shared.head.consumer = START;
	assert_int_equal(ub_ring_init(&ring, &shared, sizeof(shared), ENTRIES, STRIDE), 0);
	start(&ring);
	return ring;
}

static void entries_begin_where_the_abi_says(void **state)
{
	struct ub_ring ring = new_ring(ub_ring_start_producing);

	assert_int_equal(offsetof(struct shared, entry), UB_RING_ENTRIES);
	assert_ptr_equal(ub_ring_at(&ring, 0), &shared.entry[0]);
	assert_ptr_equal(ub_ring_at(&ring, ENTRIES + 3), &shared.entry[3]);
	assert_ptr_equal(ub_ring_at(&ring, UINT32_MAX), &shared.entry[ENTRIES - 1]);
	assert_int_equal(ub_ring_size(&ring), ENTRIES);
}

static void a_ring_that_cannot_be_is_refused(void **state)
{
	const uint64_t length = sizeof(shared);
	struct ub_ring ring;

	assert_int_equal(ub_ring_init(&ring, &shared, length, 0, STRIDE), -EINVAL);
	assert_int_equal(ub_ring_init(&ring, &shared, length, 3, STRIDE), -EINVAL);
	assert_int_equal(ub_ring_init(&ring, &shared, length, ENTRIES, 0), -EINVAL);
	assert_int_equal(ub_ring_init(&ring, &shared, length, ENTRIES, 48), -EINVAL);
	assert_int_equal(ub_ring_init(&ring, &shared, length - 1, ENTRIES, STRIDE), -EINVAL);
	assert_int_equal(ub_ring_init(&ring, &shared, length, 2 * ENTRIES, STRIDE), -EINVAL);
	assert_int_equal(ub_ring_init(&ring, &shared, 100, 1, STRIDE), -EINVAL);
	assert_int_equal(ub_ring_init(&ring, &shared, length, 1u << 31, 1u << 31), -EINVAL);
	assert_int_equal(ub_ring_init(&ring, &shared, length, ENTRIES, STRIDE), 0);
}

static void nothing_is_told_before_it_is_published(void **state)
{
	struct ub_ring ring = new_ring(ub_ring_start_producing);

	assert_ptr_equal(ub_ring_free_entry(&ring), ub_ring_at(&ring, START));
	ub_ring_filled(&ring);
	ub_ring_filled(&ring);
	assert_int_equal(shared.head.producer, START);
	assert_true(ub_ring_publish(&ring));
	assert_int_equal(shared.head.producer, START + 2);
	assert_false(ub_ring_publish(&ring));
}

static void a_full_ring_has_room_again_when_something_was_read(void **state)
{
	struct ub_ring ring = new_ring(ub_ring_start_producing);

	for (uint32_t i = 0; i < ENTRIES; i++) {
		assert_ptr_equal(ub_ring_free_entry(&ring), ub_ring_at(&ring, START + i));
		ub_ring_filled(&ring);
	}
	assert_null(ub_ring_free_entry(&ring));
	shared.head.consumer++;
	assert_ptr_equal(ub_ring_free_entry(&ring), ub_ring_at(&ring, START));
	ub_ring_filled(&ring);
	assert_null(ub_ring_free_entry(&ring));
}

static void what_is_taken_back_was_never_there(void **state)
{
	struct ub_ring ring = new_ring(ub_ring_start_producing);

	ub_ring_filled(&ring);
	ub_ring_publish(&ring);
	for (int i = 1; i < ENTRIES; i++)
		ub_ring_filled(&ring);
	assert_null(ub_ring_free_entry(&ring));
	ub_ring_take_back(&ring);
	assert_ptr_equal(ub_ring_free_entry(&ring), ub_ring_at(&ring, START + 1));
	assert_false(ub_ring_publish(&ring));
	assert_int_equal(shared.head.producer, START + 1);
}

static void places_are_given_back_when_released(void **state)
{
	struct ub_ring ring = new_ring(ub_ring_start_consuming);

	assert_null(ub_ring_next(&ring));
	shared.head.producer += ENTRIES;
	for (uint32_t i = 0; i < ENTRIES; i++) {
		assert_ptr_equal(ub_ring_next(&ring), ub_ring_at(&ring, START + i));
		ub_ring_read(&ring);
	}
	assert_null(ub_ring_next(&ring));
	assert_int_equal(shared.head.consumer, START);
	ub_ring_release(&ring);
	assert_int_equal(shared.head.consumer, START + ENTRIES);
}

static void a_doorbell_is_rung_only_if_wanted(void **state)
{
	struct ub_ring ring = new_ring(ub_ring_start_producing);

	assert_false(ub_ring_wakeup_wanted(&ring));
	shared.head.flags = UB_RING_DEAD;
	assert_false(ub_ring_wakeup_wanted(&ring));
	shared.head.flags = UB_RING_NEED_WAKEUP;
	assert_true(ub_ring_wakeup_wanted(&ring));
}

static void arming_for_less_does_not_disarm(void **state)
{
	struct ub_ring ring = new_ring(ub_ring_start_consuming);

	ub_ring_arm(&ring, UB_ARM_SOLICITED);
	assert_int_equal(shared.head.arm, UB_ARM_SOLICITED);
	ub_ring_arm(&ring, UB_ARM_ANY);
	assert_int_equal(shared.head.arm, UB_ARM_ANY);
	ub_ring_arm(&ring, UB_ARM_SOLICITED);
	assert_int_equal(shared.head.arm, UB_ARM_ANY);
}

/* ---- two threads: each uses one side ------------------------------------------------ */

static uint64_t word_of(uint32_t round, int word)
{
	return (round + 1) * 0x9e3779b97f4a7c15ull + word;
}

static void fill(uint64_t *entry, uint32_t round)
{
	for (int i = 0; i < STRIDE / 8; i++)
		entry[i] = word_of(round, i);
}

/* Wrong entries; assertions are for the main thread. */
static uint32_t check(const uint64_t *entry, uint32_t round)
{
	for (int i = 0; i < STRIDE / 8; i++)
		if (entry[i] != word_of(round, i))
			return 1;
	return 0;
}

static void *produce_all(void *arg)
{
	struct ub_ring ring;

	ub_ring_init(&ring, &shared, sizeof(shared), ENTRIES, STRIDE);
	ub_ring_start_producing(&ring);
	for (uint32_t round = 0; round < ROUNDS; ) {
		uint64_t *entry = ub_ring_free_entry(&ring);

		if (!entry) {
			ub_ring_publish(&ring);
			sched_yield();
			continue;
		}
		fill(entry, round++);
		ub_ring_filled(&ring);
		if (round % 3 == 0)
			ub_ring_publish(&ring);
	}
	ub_ring_publish(&ring);
	return NULL;
}

static void all_entries_come_whole_and_in_order(void **state)
{
	struct ub_ring ring = new_ring(ub_ring_start_consuming);
	uint32_t wrong = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, produce_all, NULL), 0);
	for (uint32_t round = 0; round < ROUNDS; ) {
		const uint64_t *entry = ub_ring_next(&ring);

		if (!entry) {
			ub_ring_release(&ring);
			sched_yield();
			continue;
		}
		wrong += check(entry, round++);
		ub_ring_read(&ring);
		if (round % 5 == 0)
			ub_ring_release(&ring);
	}
	pthread_join(thread, NULL);
	assert_int_equal(wrong, 0);
	assert_null(ub_ring_next(&ring));
	assert_int_equal(shared.head.producer, START + ROUNDS);
}

/* ---- sleeping and waking: nobody sleeps while there is something for him -------------- */

#define LIVENESS_MS 10000

static int bell[2];

static void ring_bell(void)
{
	if (write(bell[1], "", 1) != 1)
		abort();
}

/* False: nobody rang. */
static bool hear_bell(void)
{
	struct pollfd pfd = { .fd = bell[0], .events = POLLIN };
	char c;

	return poll(&pfd, 1, LIVENESS_MS) == 1 && read(bell[0], &c, 1) == 1;
}

/* Set when one side has given up, so that the other one does, too. */
static atomic_bool stop;

static void wait_until_read(void)
{
	while (__atomic_load_n(&shared.head.consumer, __ATOMIC_ACQUIRE) !=
	       __atomic_load_n(&shared.head.producer, __ATOMIC_RELAXED) && !stop)
		;
}

/*
 * As the kernel publishes completions: each as soon as the last one is read, which is
 * when the other side arms.
 */
static void *complete_all(void *arg)
{
	struct ub_ring ring;

	ub_ring_init(&ring, &shared, sizeof(shared), ENTRIES, STRIDE);
	ub_ring_start_producing(&ring);
	for (uint32_t round = 0; round < ROUNDS && !stop; round++) {
		fill(ub_ring_free_entry(&ring), round);
		ub_ring_filled(&ring);
		wait_until_read();
		ub_ring_publish(&ring);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(&shared.head.arm, __ATOMIC_RELAXED) &&
		    __atomic_exchange_n(&shared.head.arm, UB_ARM_NONE, __ATOMIC_RELAXED))
			ring_bell();
	}
	return NULL;
}

static void no_completion_is_slept_over(void **state)
{
	struct ub_ring ring = new_ring(ub_ring_start_consuming);
	uint32_t round = 0, wrong = 0;
	bool heard = true;
	pthread_t thread;

	assert_int_equal(pipe(bell), 0);
	assert_int_equal(pthread_create(&thread, NULL, complete_all, NULL), 0);
	while (round < ROUNDS) {
		const uint64_t *entry;

		ub_ring_arm(&ring, UB_ARM_ANY);
		entry = ub_ring_next(&ring);
		/* Not waiting after all: either nobody rings, or the bell is heard here. */
		if (entry && __atomic_exchange_n(&shared.head.arm, UB_ARM_NONE,
						 __ATOMIC_SEQ_CST))
			heard = true;
		else
			heard = hear_bell();
		if (!heard)
			break;
		wrong += check(ub_ring_next(&ring), round++);
		ub_ring_read(&ring);
		ub_ring_release(&ring);
	}
	stop = true;
	pthread_join(thread, NULL);
	close(bell[0]);
	close(bell[1]);
	stop = false;
	if (!heard)
		fail_msg("asleep while completion %u is there", round);
	assert_int_equal(wrong, 0);
}

/* As the kernel claims receives: it is told of the next one when it finds none. */
static void *claim_all(void *arg)
{
	uint32_t *flags = &shared.head.flags;
	struct ub_ring ring;

	ub_ring_init(&ring, &shared, sizeof(shared), ENTRIES, STRIDE);
	ub_ring_start_consuming(&ring);
	for (uint32_t round = 0; round < ROUNDS; ) {
		if (!ub_ring_next(&ring)) {
			__atomic_store_n(flags, UB_RING_NEED_WAKEUP, __ATOMIC_RELAXED);
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			if (!ub_ring_next(&ring) && !hear_bell()) {
				stop = true;
				return "asleep while a receive is there";
			}
			__atomic_store_n(flags, 0, __ATOMIC_RELAXED);
			continue;
		}
		if (check(ub_ring_next(&ring), round++)) {
			stop = true;
			return "a receive is not what was posted";
		}
		ub_ring_read(&ring);
		ub_ring_release(&ring);
	}
	return NULL;
}

static void no_receive_is_slept_over(void **state)
{
	struct ub_ring ring = new_ring(ub_ring_start_producing);
	void *complaint;
	pthread_t thread;

	assert_int_equal(pipe(bell), 0);
	assert_int_equal(pthread_create(&thread, NULL, claim_all, NULL), 0);
	for (uint32_t round = 0; round < ROUNDS && !stop; round++) {
		uint64_t *entry;

		while (!(entry = ub_ring_free_entry(&ring)) && !stop)
			sched_yield();
		if (!entry)
			break;
		fill(entry, round);
		ub_ring_filled(&ring);
		if (round % 64)
			wait_until_read();
		ub_ring_publish(&ring);
		if (ub_ring_wakeup_wanted(&ring))
			ring_bell();
	}
	pthread_join(thread, &complaint);
	close(bell[0]);
	close(bell[1]);
	stop = false;
	if (complaint)
		fail_msg("%s", (char *)complaint);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_begin_where_the_abi_says),
		cmocka_unit_test(a_ring_that_cannot_be_is_refused),
		cmocka_unit_test(nothing_is_told_before_it_is_published),
		cmocka_unit_test(a_full_ring_has_room_again_when_something_was_read),
		cmocka_unit_test(what_is_taken_back_was_never_there),
		cmocka_unit_test(places_are_given_back_when_released),
		cmocka_unit_test(a_doorbell_is_rung_only_if_wanted),
		cmocka_unit_test(arming_for_less_does_not_disarm),
		cmocka_unit_test(all_entries_come_whole_and_in_order),
		cmocka_unit_test(no_completion_is_slept_over),
		cmocka_unit_test(no_receive_is_slept_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
