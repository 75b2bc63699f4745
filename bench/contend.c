// SPDX-License-Identifier: BSD-2-Clause
/*
 * The contenders. All sum floats, out of place, from buffers of the kind that a user
 * of theirs would have.
 */
#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <ub/ub.h>
#include "bench.h"

static int rank, nranks;
static struct ub_comm *comm;
static struct reference *ref;

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "bench: rank %d: %s: %s\n", rank, what, why);
	MPI_Abort(MPI_COMM_WORLD, 1);
	abort();
}

static void run_ub(const struct contender *c, size_t bytes)
{
	if (ub_allreduce(c->in, c->out, bytes / sizeof(float), UB_FLOAT32, UB_SUM, comm, NULL))
		fail(c->name, ub_comm_error(comm));
}

static void run_mpi(const struct contender *c, size_t bytes)
{
	/* Ends the program itself on errors. */
	MPI_Allreduce(c->in, c->out, (int)(bytes / sizeof(float)), MPI_FLOAT, MPI_SUM,
		      MPI_COMM_WORLD);
}

static void run_reference(const struct contender *c, size_t bytes)
{
	reference_allreduce(ref, bytes);
}

static void run_copy(const struct contender *c, size_t bytes)
{
	memcpy(c->out, c->in, bytes);
	/* The copy is wanted though nobody reads it. */
	__asm__ volatile("" : : "r"(c->out) : "memory");
}

static void run_copy_nt(const struct contender *c, size_t bytes)
{
	copy_nt(c->out, c->in, bytes);
}

static void *alloc_mapped(size_t bytes)
{
	void *p;
	int err = ub_alloc(ub_comm_device(comm), bytes, &p);

	if (err)
		fail("ub_alloc", strerror(-err));
	return p;
}

static void *alloc_private(size_t bytes)
{
	void *p = aligned_alloc(4096, bytes);

	if (!p)
		fail("malloc", "no memory");
	memset(p, 0, bytes);
	return p;
}

/* A memfd of rank 0, which the others open by its number in /proc. */
static void *share(size_t bytes)
{
	int where[2] = { (int)getpid(), -1 }, fd = -1;
	char path[64];
	void *p;

	if (!rank) {
		fd = memfd_create("bench-reference", MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, (off_t)bytes))
			fail("memfd", "cannot be made");
		where[1] = fd;
	}
	MPI_Bcast(where, 2, MPI_INT, 0, MPI_COMM_WORLD);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", where[0], where[1]);
	if (rank)
		fd = open(path, O_RDWR | O_CLOEXEC);
	p = fd < 0 ? MAP_FAILED : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		fail(path, "cannot be mapped");
	MPI_Barrier(MPI_COMM_WORLD);
	close(fd);
	return p;
}

void contend_open(struct contender *who, size_t max)
{
	float *mapped[2], *private[2];

	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &nranks);
	if (ub_comm_create(&comm, NULL))
		fail("ub_comm_create", ub_comm_error(NULL));
	if (ub_comm_size(comm) != nranks)
		fail("ub_comm_create", "not mpirun's ranks");
	ref = reference_open(share(reference_size(nranks, max)), rank, nranks, max);
	if (!ref)
		fail("reference", "no memory");
	for (int i = 0; i < 2; i++) {
		mapped[i] = alloc_mapped(max);
		private[i] = alloc_private(max);
	}
	who[MAPPED] = (struct contender){ "mapped", run_ub, mapped[0], mapped[1] };
	who[PRIVATE] = (struct contender){ "private", run_ub, private[0], private[1] };
	who[OPENMPI] = (struct contender){ "openmpi", run_mpi, private[0], private[1] };
	who[REFERENCE] = (struct contender){ "reference", run_reference,
		reference_in(ref, rank), reference_out(ref, rank) };
	who[COPY] = (struct contender){ "copy", run_copy, mapped[0], mapped[1], true };
	who[COPY_NT] = (struct contender){ "copy_nt", run_copy_nt, mapped[0], mapped[1], true };
	for (int i = 0; i < NR_WHO; i++)
		for (size_t k = 0; k < max / sizeof(float); k++)
			who[i].in[k] = (float)((k * 7 + (size_t)rank * 31) % 61);
}

/* Small integers: sums are exact in any order. */
void contend_check(const struct contender *c, size_t bytes)
{
	size_t count = bytes / sizeof(float);

	memset(c->out, 0xff, bytes);
	MPI_Barrier(MPI_COMM_WORLD);
	c->run(c, bytes);
	for (size_t k = 0; k < count; k++) {
		float want = 0;

		for (int r = 0; r < nranks; r++)
			if (!c->copies || r == rank)
				want += (float)((k * 7 + (size_t)r * 31) % 61);
		if (c->out[k] != want)
			fail(c->name, "a wrong result");
	}
	MPI_Barrier(MPI_COMM_WORLD);
}

void contend_close(struct contender *who)
{
	/* Ranks that are done must not look like dead ones. */
	if (ub_comm_destroy(comm))
		fail("ub_comm_destroy", "failed");
	ub_free(who[MAPPED].in);
	ub_free(who[MAPPED].out);
	free(who[PRIVATE].in);
	free(who[PRIVATE].out);
}
