/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark of allreduce: who competes, and how a sample is taken.
 *
 * One MPI program; each of its ranks is a rank of a libub communicator too, and has
 * the reference's shared memory mapped. So all contenders run in the same processes,
 * on the same processors, and take turns.
 *
 *	allreduce.c	options, the sizes, what is printed
 *	contend.c	the contenders, and that their results are right
 *	rounds.c	samples, taken in turns
 *	reference.c	the reference kernel: no library
 *	copy.c		memcpy past the caches
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_ROUNDS	255

/* In the order in which they are printed. */
enum who {
	MAPPED,		/* libub, buffers of ub_alloc() */
	PRIVATE,	/* libub, buffers of malloc() */
	OPENMPI,	/* buffers of malloc() */
	REFERENCE,	/* shared buffers of its own */
	COPY,		/* memcpy by all ranks, on MAPPED's buffers */
	COPY_NT,	/* the same, stores past the caches */
	NR_WHO
};

struct contender {
	const char	*name;
	void		(*run)(const struct contender *c, size_t bytes);
	float		*in;
	float		*out;
	bool		copies;		/* its result is its own input */
};

/* What all ranks know of a cell after its rounds: microseconds per call. */
struct cell {
	size_t		bytes;
	uint32_t	rounds;
	double		us[NR_WHO][MAX_ROUNDS];
	bool		disturbed[NR_WHO][MAX_ROUNDS];	/* a rank lost its processor meanwhile */
};

/* contend.c: collective; ends all ranks on any error. */
void contend_open(struct contender *who, size_t max_bytes);
void contend_check(const struct contender *c, size_t bytes);
void contend_close(struct contender *who);

/* rounds.c: collective; fills the arrays of @cell. @crowded: ranks share processors. */
void rounds_run(const struct contender *who, struct cell *cell, double sample_us, bool crowded);

/* reference.c: float sums over shared memory. The memory is zeroed at first. */
struct reference;
size_t reference_size(int nranks, size_t max_bytes);
struct reference *reference_open(void *shared, int rank, int nranks, size_t max_bytes);
float *reference_in(struct reference *ref, int rank);
float *reference_out(struct reference *ref, int rank);
void reference_allreduce(struct reference *ref, size_t bytes);

/* copy.c: @dst and @src are aligned to 64 bytes. */
void copy_nt(void *dst, const void *src, size_t bytes);

#endif /* BENCH_H */
