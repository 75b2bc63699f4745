// SPDX-License-Identifier: BSD-2-Clause
/*
 * Allreduce of libub beside Open MPI, a reference without a library, and memcpy.
 *
 *	mpirun -n 2 --bind-to core allreduce [--rounds N] [--sample-ms MS]
 *		[--short | --bytes N]
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

/*
 * The samples of @over, or their ratios to those of @under (unless it is negative), that
 * nothing disturbed, sorted into @v; how many. All of them when there are not three.
 */
static uint32_t collect(const struct cell *cell, int over, int under, double *v)
{
	uint32_t n = 0, clean = 0;

	for (uint32_t i = 0; i < cell->rounds; i++)
		clean += !cell->disturbed[over][i] && (under < 0 || !cell->disturbed[under][i]);
	for (uint32_t i = 0; i < cell->rounds; i++) {
		bool disturbed = cell->disturbed[over][i] ||
				 (under >= 0 && cell->disturbed[under][i]);

		if (clean < 3 || !disturbed)
			v[n++] = cell->us[over][i] / (under < 0 ? 1 : cell->us[under][i]);
	}
	qsort(v, n, sizeof(*v), ascending);
	return n;
}

static double median(const struct cell *cell, int who)
{
	double v[MAX_ROUNDS];

	return quantile(v, collect(cell, who, -1, v), 0.5);
}

static void print_quartiles(const struct cell *cell, const char *name, int over, int under)
{
	double v[MAX_ROUNDS];
	uint32_t n = collect(cell, over, under, v);

	printf(",\"%s\":[%.4g,%.4g,%.4g]", name, quantile(v, n, 0.25), quantile(v, n, 0.5),
	       quantile(v, n, 0.75));
}

/* How many rounds the contenders that goals speak of were left alone in. */
static uint32_t clean_rounds(const struct cell *cell)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < cell->rounds; i++) {
		bool clean = true;

		for (int w = MAPPED; w <= REFERENCE; w++)
			clean &= !cell->disturbed[w][i];
		n += clean;
	}
	return n;
}

static void print_cell(const struct contender *who, const struct cell *cell, int nranks)
{
	int copy = median(cell, COPY_NT) < median(cell, COPY) ? COPY_NT : COPY;

	printf("{\"kind\":\"allreduce\",\"ranks\":%d,\"cores\":%ld,\"bytes\":%zu", nranks,
	       sysconf(_SC_NPROCESSORS_ONLN), cell->bytes);
	printf(",\"rounds\":%u,\"clean_rounds\":%u", cell->rounds, clean_rounds(cell));
	for (int w = 0; w < NR_WHO; w++)
		print_quartiles(cell, who[w].name, w, -1);
	print_quartiles(cell, "best_copy", copy, -1);
	print_quartiles(cell, "openmpi/mapped", OPENMPI, MAPPED);
	print_quartiles(cell, "openmpi/private", OPENMPI, PRIVATE);
	print_quartiles(cell, "reference/mapped", REFERENCE, MAPPED);
	print_quartiles(cell, "mapped/copy", MAPPED, copy);
	print_quartiles(cell, "reference/copy", REFERENCE, copy);
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
	fprintf(stderr, "usage: mpirun -n N allreduce [--rounds N] [--sample-ms MS] "
		"[--short | --bytes N]\n");
	return 1;
}

static const size_t *one_size(const char *text)
{
	static size_t sizes[2];

	/* Whole floats, and no more of them than MPI can count. */
	sizes[0] = strtoull(text, NULL, 0) & ~(sizeof(float) - 1) & 0x7fffffff;
	return sizes;
}

static int parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "sample-ms", required_argument, NULL, 'm' },
		{ "short", no_argument, NULL, 's' },
		{ "bytes", required_argument, NULL, 'b' },
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
		else if (c == 'b')
			opt->sizes = one_size(optarg);
		else
			return -1;
	}
	if (optind < argc || !opt->sizes[0] || !opt->rounds || opt->rounds > MAX_ROUNDS || opt->sample_us <= 0)
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
