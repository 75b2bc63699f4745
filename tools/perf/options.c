// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command line of the *_perf tools: nccl-tests' letters and words, and a few
 * words of our own. What is not known or not built gets a sentence.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include "perf.h"

enum { OPT_JSON = 256, OPT_PRIVATE, OPT_TOUCH };

static const struct option words[] = {
	{ "minbytes", required_argument, NULL, 'b' },
	{ "maxbytes", required_argument, NULL, 'e' },
	{ "stepbytes", required_argument, NULL, 'i' },
	{ "stepfactor", required_argument, NULL, 'f' },
	{ "iters", required_argument, NULL, 'n' },
	{ "warmup_iters", required_argument, NULL, 'w' },
	{ "agg_iters", required_argument, NULL, 'm' },
	{ "check", required_argument, NULL, 'c' },
	{ "op", required_argument, NULL, 'o' },
	{ "datatype", required_argument, NULL, 'd' },
	{ "root", required_argument, NULL, 'r' },
	{ "ngpus", required_argument, NULL, 'g' },
	{ "nthreads", required_argument, NULL, 't' },
	{ "average", required_argument, NULL, 'a' },
	{ "timeout", required_argument, NULL, 'T' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "private", no_argument, NULL, OPT_PRIVATE },
	{ "touch", no_argument, NULL, OPT_TOUCH },
	{ }
};

static const struct { const char *name; enum ub_type type; } types[] = {
	{ "int32", UB_INT32 }, { "int64", UB_INT64 },
	{ "float", UB_FLOAT32 }, { "double", UB_FLOAT64 },
};

static const struct { const char *name; enum ub_op op; } ops[] = {
	{ "sum", UB_SUM }, { "max", UB_MAX }, { "min", UB_MIN }, { "avg", UB_AVG },
};

#define COUNT(a)	((int)(sizeof(a) / sizeof((a)[0])))

const char *perf_type_name(enum ub_type type)
{
	for (int i = 0; i < COUNT(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return "?";
}

const char *perf_op_name(enum ub_op op)
{
	for (int i = 0; i < COUNT(ops); i++)
		if (ops[i].op == op)
			return ops[i].name;
	return "?";
}

static void usage(const struct perf_coll *coll)
{
	printf("Usage: %s [options]\n"
	       "Measure a collective of libub. Options and columns are those of nccl-tests.\n"
	       "\n"
	       "  -b, --minbytes SIZE      smallest size (32M); SIZE takes K, M, G\n"
	       "  -e, --maxbytes SIZE      largest size (32M)\n"
	       "  -i, --stepbytes SIZE     add between sizes (1M)\n"
	       "  -f, --stepfactor N       multiply between sizes, instead of adding\n"
	       "  -n, --iters N            timed calls per size (20)\n"
	       "  -w, --warmup_iters N     calls before them (5)\n"
	       "  -m, --agg_iters N        calls per timed iteration (1)\n"
	       "  -c, --check 0|1          check every element of the result (1)\n",
	       coll->name);
	if (coll->has_op)
		printf("  -o, --op OP              sum, max, min, avg or all (sum)\n");
	printf("  -d, --datatype TYPE      int32, int64, float, double or all (float)\n");
	if (coll->has_root)
		printf("  -r, --root RANK          who has the data (0)\n");
	printf("  -g, --ngpus N            fork N ranks, rank r on NPU r; without it the ranks\n"
	       "                           are those that mpirun, srun or torchrun started\n"
	       "  -a, --average 0|1|2|3    time of rank 0, average, minimum, maximum (1)\n"
	       "  -T, --timeout SECONDS    deadline of each call (600)\n"
	       "      --private            buffers from malloc(), not from ub_alloc()\n"
	       "      --touch              rewrite the send buffer before each call, untimed\n"
	       "      --json FILE          write the results there too, a JSON object per line\n"
	       "  -h, --help               this text\n"
	       "\n"
	       "Exit status: 0; 1 a wrong element or a call that failed; 2 wrong usage.\n");
}

static bool parse_size(const char *s, uint64_t *out)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	double v = strtod(s, &end);

	if (end == s || v < 0)
		return false;
	if (*end) {
		unit = strchr(units, *end & ~0x20);
		if (!unit || (end[1] && strcmp(end + 1, "B") && strcmp(end + 1, "iB")))
			return false;
		for (const char *u = units; u <= unit; u++)
			v *= 1024;
	}
	if (v > (double)(1ULL << 48))
		return false;
	*out = (uint64_t)v;
	return true;
}

static bool parse_int(const char *s, long min, long max, int *out)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(s, &end, 10);
	if (end == s || *end || errno || v < min || v > max)
		return false;
	*out = (int)v;
	return true;
}

static bool parse_type(const char *s, struct perf_options *opt)
{
	opt->ntypes = 0;
	for (int i = 0; i < COUNT(types); i++)
		if (!strcmp(s, "all") || !strcmp(s, types[i].name))
			opt->types[opt->ntypes++] = types[i].type;
	return opt->ntypes;
}

static bool parse_op(const char *s, struct perf_options *opt)
{
	opt->nops = 0;
	for (int i = 0; i < COUNT(ops); i++)
		if (!strcmp(s, "all") || !strcmp(s, ops[i].name))
			opt->ops[opt->nops++] = ops[i].op;
	return opt->nops;
}

/* NULL, or what would have been right. */
static const char *take(int c, const char *arg, struct perf_options *opt)
{
	int n;

	switch (c) {
	case 'b':
		return parse_size(arg, &opt->min_bytes) ? NULL : "a size such as 8, 64K or 1G";
	case 'e':
		return parse_size(arg, &opt->max_bytes) ? NULL : "a size such as 8, 64K or 1G";
	case 'i':
		return parse_size(arg, &opt->step_bytes) && opt->step_bytes ? NULL :
		       "a size above 0";
	case 'f':
		opt->step_factor = atof(arg);
		return opt->step_factor > 1 ? NULL : "a number above 1";
	case 'n':
		return parse_int(arg, 1, 100000000, &opt->iters) ? NULL : "a number from 1";
	case 'w':
		return parse_int(arg, 0, 100000000, &opt->warmup) ? NULL : "a number from 0";
	case 'm':
		return parse_int(arg, 1, 1000000, &opt->aggregate) ? NULL : "a number from 1";
	case 'c':
		return parse_int(arg, 0, 1000000, &opt->check) ? NULL : "0 or 1";
	case 'a':
		return parse_int(arg, 0, 3, &opt->average) ? NULL : "0, 1, 2 or 3";
	case 'r':
		return parse_int(arg, 0, 4095, &opt->root) ? NULL : "a rank";
	case 'g':
		return parse_int(arg, 1, 4096, &opt->ranks) ? NULL : "a number from 1 to 4096";
	case 't':
		return parse_int(arg, 1, 1, &n) ? NULL : "1 (a rank is a process; use -g)";
	case 'T':
		if (!parse_int(arg, 1, 1000000, &n))
			return "a number of seconds from 1";
		opt->timeout_ms = (uint64_t)n * 1000;
		return NULL;
	case 'd':
		return parse_type(arg, opt) ? NULL :
		       "int32, int64, float, double or all (others are not built yet)";
	case 'o':
		return parse_op(arg, opt) ? NULL :
		       "sum, max, min, avg or all (others are not built yet)";
	case OPT_JSON:
		opt->json = arg;
		return NULL;
	case OPT_PRIVATE:
		opt->private = true;
		return NULL;
	case OPT_TOUCH:
		opt->touch = true;
		return NULL;
	}
	return "an option";
}

static const char *word_of(int c)
{
	for (const struct option *o = words; o->name; o++)
		if (o->val == c)
			return o->name;
	return "?";
}

static int complain(const struct perf_coll *coll, int c, char **argv)
{
	if (c == ':')
		fprintf(stderr, "%s: %s needs a value.", coll->name, argv[optind - 1]);
	else if (optopt)
		fprintf(stderr, "%s: there is no option -%c.", coll->name, optopt);
	else
		fprintf(stderr, "%s: there is no option %s.", coll->name, argv[optind - 1]);
	fprintf(stderr, " Try --help.\n");
	return -1;
}

static int judge(const struct perf_coll *coll, const struct perf_options *opt)
{
	if (opt->max_bytes < opt->min_bytes) {
		fprintf(stderr, "%s: the largest size (-e) is below the smallest (-b).\n",
			coll->name);
		return -1;
	}
	return 0;
}

int perf_parse(int argc, char **argv, const struct perf_coll *coll, struct perf_options *opt)
{
	int c;

	*opt = (struct perf_options){
		.min_bytes = 32 << 20, .max_bytes = 32 << 20, .step_bytes = 1 << 20,
		.step_factor = 1, .iters = 20, .warmup = 5, .aggregate = 1, .check = 1,
		.average = 1, .types = { UB_FLOAT32 }, .ntypes = 1, .ops = { UB_SUM }, .nops = 1,
	};
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":b:e:i:f:n:w:m:c:o:d:r:g:t:a:T:h", words, NULL)) != -1) {
		const char *right;

		if (c == 'h') {
			usage(coll);
			return 1;
		}
		if (c == '?' || c == ':')
			return complain(coll, c, argv);
		right = take(c, optarg, opt);
		if (right) {
			fprintf(stderr, "%s: --%s %s: should be %s.\n", coll->name, word_of(c),
				optarg, right);
			return -1;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: what is '%s'? Try --help.\n", coll->name, argv[optind]);
		return -1;
	}
	return judge(coll, opt);
}
