// SPDX-License-Identifier: BSD-2-Clause
/*
 * Samples. One is the mean of so many back-to-back calls that they last sample_us, of
 * the slowest rank. Contenders take turns: a round is one sample of each, and the
 * next round begins with another one. What disturbs the machine for longer than a
 * round disturbs all of them, and their ratios within a round say more than the times.
 */
#include <mpi.h>
#include <sys/resource.h>
#include <time.h>
#include "bench.h"

#define RETAKE_US	300000.0

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

struct sample {
	double	us;		/* of all calls */
	double	disturbed;	/* times that a rank lost its processor */
};

static struct sample take(const struct contender *c, size_t bytes, uint32_t calls)
{
	struct sample s;
	struct rusage before, after;
	double begin;

	MPI_Barrier(MPI_COMM_WORLD);
	getrusage(RUSAGE_THREAD, &before);
	begin = now_us();
	for (uint32_t i = 0; i < calls; i++)
		c->run(c, bytes);
	s.us = now_us() - begin;
	getrusage(RUSAGE_THREAD, &after);
	s.disturbed = (double)(after.ru_nivcsw - before.ru_nivcsw);
	MPI_Allreduce(MPI_IN_PLACE, &s, 2, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
	return s;
}

/*
 * On a processor of its own a rank never has to give it up, unless to somebody who is
 * not part of this: then the sample is taken again, for a while. What is kept in the
 * end is the last, not the best.
 */
static struct sample take_undisturbed(const struct contender *c, size_t bytes, uint32_t calls,
				      bool crowded)
{
	double spent = 0;
	struct sample s;

	do {
		/* Caches and predictors as they are in the middle of many calls. */
		take(c, bytes, calls / 8 + 1);
		s = take(c, bytes, calls);
		spent += s.us;
	} while (!crowded && s.disturbed > 0 && spent < RETAKE_US);
	return s;
}

/* How many calls last long enough. The same on all ranks, as all see one time. */
static uint32_t calibrate(const struct contender *c, size_t bytes, double sample_us, bool crowded)
{
	uint32_t calls = 1;
	double us;

	for (;;) {
		us = take_undisturbed(c, bytes, calls, crowded).us;
		if (us >= sample_us || calls >= 1u << 24)
			return calls;
		/* At most eightfold: the first calls are slow, later ones are not. */
		calls = us * 8 < sample_us ? calls * 8 :
			(uint32_t)((double)calls * sample_us / us * 1.1) + 1;
	}
}

void rounds_run(const struct contender *who, struct cell *cell, double sample_us, bool crowded)
{
	uint32_t calls[NR_WHO];

	for (int w = 0; w < NR_WHO; w++)
		calls[w] = calibrate(&who[w], cell->bytes, sample_us, crowded);
	for (uint32_t round = 0; round < cell->rounds; round++)
		for (int i = 0; i < NR_WHO; i++) {
			int w = (i + (int)round) % NR_WHO;
			struct sample s = take_undisturbed(&who[w], cell->bytes, calls[w], crowded);

			cell->us[w][round] = s.us / calls[w];
			cell->disturbed[w][round] = !crowded && s.disturbed > 0;
		}
}
