// SPDX-License-Identifier: BSD-2-Clause
/*
 * Allreduce of libub beside Open MPI, a reference without a library, and memcpy.
 *
 *	mpirun -n 2 --bind-to core allreduce [--rounds N] [--sample-ms MS] [--short]
 *
 * Rank 0 writes one JSON object per line and size to stdout: times in microseconds,
 * and ratios of times, each as [first quartile, median, third quartile]. A ratio is
 * formed within each round.
 */
#include <getopt.h>
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"

static const size_t all_sizes[] = {
	8, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10,
	1 << 20, 4 << 20, 16 << 20, 64 << 20, 0
};
static const size_t short_sizes[] = { 8, 4 << 10, 256 << 10, 4 << 20, 0 };

struct options {
	const size_t	*sizes;
	uint32_t	rounds;
	double		sample_us;
};

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value below which @part of the sorted @v lie, by linear interpolation. */
static double quantile(const double *v, uint32_t n, double part)
{
	double at = part * (n - 1);
	uint32_t i = (uint32_t)at;

	return i + 1 < n ? v[i] + (v[i + 1] - v[i]) * (at - i) : v[i];
}

static void print_quartiles(const char *name, const double *v, uint32_t n)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*v), ascending);
	printf(",\"%s\":[%.4g,%.4g,%.4g]", name, quantile(sorted, n, 0.25),
	       quantile(sorted, n, 0.5), quantile(sorted, n, 0.75));
}

static double median(const double *v, uint32_t n)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*v), ascending);
	return quantile(sorted, n, 0.5);
}

static void print_ratio(const struct cell *cell, const char *name, const double *over,
			const double *under)
{
	double v[MAX_ROUNDS];

	for (uint32_t i = 0; i < cell->rounds; i++)
		v[i] = over[i] / under[i];
	print_quartiles(name, v, cell->rounds);
}

static void print_cell(const struct contender *who, const struct cell *cell, int nranks)
{
	uint32_t n = cell->rounds;
	bool nt = median(cell->us[COPY_NT], n) < median(cell->us[COPY], n);
	const double *copy = cell->us[nt ? COPY_NT : COPY];

	printf("{\"kind\":\"allreduce\",\"ranks\":%d,\"bytes\":%zu,\"rounds\":%u,\"cores\":%ld",
	       nranks, cell->bytes, n, sysconf(_SC_NPROCESSORS_ONLN));
	for (int w = 0; w < NR_WHO; w++)
		print_quartiles(who[w].name, cell->us[w], n);
	printf(",\"disturbed\":[");
	for (int w = 0; w < NR_WHO; w++)
		printf("%s%u", w ? "," : "", cell->disturbed[w]);
	printf("]");
	print_quartiles("best_copy", copy, n);
	print_ratio(cell, "openmpi/mapped", cell->us[OPENMPI], cell->us[MAPPED]);
	print_ratio(cell, "openmpi/private", cell->us[OPENMPI], cell->us[PRIVATE]);
	print_ratio(cell, "reference/mapped", cell->us[REFERENCE], cell->us[MAPPED]);
	print_ratio(cell, "mapped/copy", cell->us[MAPPED], copy);
	print_ratio(cell, "reference/copy", cell->us[REFERENCE], copy);
	printf("}\n");
	fflush(stdout);
}

/* Where each rank may run, as far as it is one processor. */
static void print_placement(int rank, int nranks)
{
	char version[MPI_MAX_LIBRARY_VERSION_STRING];
	int cpu = -1, len, *cpus;
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set) && CPU_COUNT(&set) == 1)
		cpu = sched_getcpu();
	cpus = calloc((size_t)nranks, sizeof(*cpus));
	MPI_Gather(&cpu, 1, MPI_INT, cpus, 1, MPI_INT, 0, MPI_COMM_WORLD);
	MPI_Get_library_version(version, &len);
	version[strcspn(version, ",\n")] = 0;
	if (!rank) {
		printf("{\"kind\":\"placement\",\"ranks\":%d,\"mpi\":\"%s\",\"pinned_to\":[",
		       nranks, version);
		for (int r = 0; r < nranks; r++)
			printf("%s%d", r ? "," : "", cpus[r]);
		printf("]}\n");
	}
	free(cpus);
}

static int usage(void)
{
	fprintf(stderr, "usage: mpirun -n N allreduce [--rounds N] [--sample-ms MS] [--short]\n");
	return 1;
}

static int parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "sample-ms", required_argument, NULL, 'm' },
		{ "short", no_argument, NULL, 's' },
		{ NULL }
	};
	int c;

	*opt = (struct options){ all_sizes, 15, 2000 };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'r')
			opt->rounds = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'm')
			opt->sample_us = strtod(optarg, NULL) * 1000;
		else if (c == 's')
			opt->sizes = short_sizes;
		else
			return -1;
	}
	if (optind < argc || !opt->rounds || opt->rounds > MAX_ROUNDS || opt->sample_us <= 0)
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct contender who[NR_WHO];
	struct options opt;
	static struct cell cell;
	int rank, nranks;
	size_t max = 0;

	if (parse(argc, argv, &opt))
		return usage();
	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &nranks);
	for (const size_t *s = opt.sizes; *s; s++)
		max = *s > max ? *s : max;
	contend_open(who, max);
	print_placement(rank, nranks);
	for (const size_t *s = opt.sizes; *s; s++) {
		cell.bytes = *s;
		cell.rounds = opt.rounds;
		for (int w = 0; w < NR_WHO; w++)
			contend_check(&who[w], *s);
		rounds_run(who, &cell, opt.sample_us,
			   nranks > sysconf(_SC_NPROCESSORS_ONLN));
		if (!rank)
			print_cell(who, &cell, nranks);
	}
	contend_close(who);
	MPI_Finalize();
	return 0;
}
