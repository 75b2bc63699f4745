// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubsched: look at the schedules that libub runs, without running them.
 *
 *	ubsched list
 *	ubsched print allreduce twoshot 4
 *	ubsched dot   allreduce ring 4 | dot -Tsvg > ring.svg
 *	ubsched chrome allreduce ring 8 bytes 1M > ring.json
 *	ubsched check allreduce twoshot 8
 *	ubsched cost  allreduce - 8 bytes 1M
 *	ubsched traffic broadcast flat 4 bytes 1M
 *
 * Words after the ranks are pairs of name and value. Exit status: 0; 1 something went
 * wrong or is not right; 2 usage.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sched/check.h"
#include "sched/cost.h"
#include "sched/print.h"
#include "sched/sched.h"
#include "sched/traffic.h"

struct request;

/* One thing to do with a plan; 0, 1 when the plan is not right, or -errno. */
typedef int (*verb_fn)(const struct request *req, const struct ub_plan *plan,
		       const struct ub_layout *layout);

struct request {
	verb_fn			verb;
	const struct ub_alg	*alg;		/* NULL: all of the collective */
	struct ub_sched_args	args;
	uint64_t		bytes;
	uint32_t		elem;
};

/*
 * One host, in round numbers: 100 ns for a store to be seen, 10 GB/s of memory for
 * all. To compare schedules, not to predict times.
 */
static struct ub_cost_model one_host(void)
{
	return (struct ub_cost_model){
		.alpha = 100000,
		.memory = ub_cost_rate(10000000000ull),
		.fold = ub_cost_rate(20000000000ull),
	};
}

static const struct { const char *name; enum ub_coll coll; } colls[] = {
	{ "allreduce", UB_COLL_ALLREDUCE },
	{ "broadcast", UB_COLL_BROADCAST },
	{ "barrier", UB_COLL_BARRIER },
};

static const char *coll_name(enum ub_coll coll)
{
	for (size_t i = 0; i < sizeof(colls) / sizeof(colls[0]); i++)
		if (colls[i].coll == coll)
			return colls[i].name;
	return "?";
}

static void usage(FILE *out)
{
	fprintf(out,
		"Usage: ubsched list\n"
		"       ubsched VERB COLLECTIVE ALGORITHM RANKS [root R] [bytes SIZE] [elem N]\n"
		"VERB       print   the steps of every rank\n"
		"           dot     a graph of them, for Graphviz\n"
		"           chrome  a modelled time line, for chrome://tracing or Perfetto\n"
		"           check   prove it: result, races, deadlocks, memory, formula\n"
		"           traffic the bytes from each rank (row) to each rank (column)\n"
		"           cost    modelled times of one host; ALGORITHM - compares all\n"
		"COLLECTIVE allreduce, broadcast or barrier; `ubsched list` names the algorithms\n"
		"SIZE       of the vector (1M), with K, M or G; elem: bytes of an element (4)\n");
}

static int complain(const char *what, const char *arg)
{
	fprintf(stderr, "ubsched: %s %s. Try --help.\n", what, arg ? arg : "");
	return 2;
}

static int list(void)
{
	for (int i = 0; ub_algs[i]; i++)
		printf("%-10s %s\n", coll_name(ub_algs[i]->coll), ub_algs[i]->name);
	return 0;
}

static bool number(const char *s, uint64_t max, uint64_t *out)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;

	errno = 0;
	*out = strtoull(s, &end, 10);
	if (end == s || *s == '-' || errno)
		return false;
	if (*end) {
		unit = strchr(units, *end & ~0x20);
		if (!unit || end[1])
			return false;
		for (const char *u = units; u <= unit; u++)
			if (__builtin_mul_overflow(*out, (uint64_t)1024, out))
				return false;
	}
	return *out <= max;
}

static int do_print(const struct request *req, const struct ub_plan *plan,
		    const struct ub_layout *layout)
{
	ub_print_text(stdout, plan);
	return 0;
}

static int do_dot(const struct request *req, const struct ub_plan *plan,
		  const struct ub_layout *layout)
{
	return ub_print_dot(stdout, plan);
}

static int do_chrome(const struct request *req, const struct ub_plan *plan,
		     const struct ub_layout *layout)
{
	struct ub_cost_model model = one_host();

	return ub_print_chrome(stdout, plan, layout, &model);
}

static int do_cost(const struct request *req, const struct ub_plan *plan,
		   const struct ub_layout *layout)
{
	struct ub_cost_model model = one_host();
	struct ub_cost cost;
	int err;

	err = ub_cost_plan(plan, layout, &model, &cost, NULL, NULL);
	if (!err)
		printf("%-10s %12.3f us (modelled; path %.3f, memory %.3f)\n", plan->alg->name,
		       (double)cost.total / 1e6, (double)cost.path / 1e6,
		       (double)cost.memory / 1e6);
	return err;
}

/* All ranks out of place, then all in place. */
static int do_check(const struct request *req, const struct ub_plan *plan,
		    const struct ub_layout *layout)
{
	bool *in_place = calloc(plan->args.nranks, sizeof(*in_place));
	struct ub_check check = { .plan = plan, .in_place = in_place };
	struct ub_check_report report;
	int err;

	if (!in_place)
		return -ENOMEM;
	err = ub_check_plan(&check, &report);
	if (!err) {
		memset(in_place, true, plan->args.nranks * sizeof(*in_place));
		err = ub_check_plan(&check, &report);
	}
	free(in_place);
	if (err == -EPROTO) {
		fprintf(stderr, "%s: claim %d is false: %s\n", plan->alg->name, report.claim,
			report.text);
		return 1;
	}
	if (!err)
		printf("%s: %u ranks, %" PRIu64 " steps: proved, in place and not\n",
		       plan->alg->name, plan->args.nranks, report.steps);
	return err;
}

static int do_traffic(const struct request *req, const struct ub_plan *plan,
		      const struct ub_layout *layout)
{
	uint32_t n = plan->args.nranks;
	uint64_t *bytes = calloc((size_t)n * n, sizeof(*bytes));

	if (!bytes)
		return -ENOMEM;
	ub_plan_traffic(plan, layout, bytes);
	for (uint32_t from = 0; from < n; from++)
		for (uint32_t to = 0; to < n; to++)
			printf("%12" PRIu64 "%s", bytes[(size_t)from * n + to],
			       to + 1 < n ? " " : "\n");
	free(bytes);
	return 0;
}

static const struct { const char *name; verb_fn fn; } verbs[] = {
	{ "print", do_print },
	{ "dot", do_dot },
	{ "chrome", do_chrome },
	{ "check", do_check },
	{ "traffic", do_traffic },
	{ "cost", do_cost },
};

static int parse_pairs(int argc, char **argv, struct request *req)
{
	uint64_t n;

	for (int a = 5; a < argc; a += 2) {
		if (a + 1 == argc)
			return complain("a value is missing after", argv[a]);
		if (!strcmp(argv[a], "root") && number(argv[a + 1], req->args.nranks - 1, &n))
			req->args.root = (uint32_t)n;
		else if (!strcmp(argv[a], "bytes") && number(argv[a + 1], 1ull << 50, &n))
			req->bytes = n;
		else if (!strcmp(argv[a], "elem") && number(argv[a + 1], 64, &n) && n &&
			 !(n & (n - 1)))
			req->elem = (uint32_t)n;
		else
			return complain("not understood:", argv[a]);
	}
	return 0;
}

/* 0, or the exit status after a sentence. */
static int parse(int argc, char **argv, struct request *req)
{
	uint64_t n;
	size_t i;

	if (argc < 5)
		return complain("too few words after", argv[argc - 1]);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name))
			req->verb = verbs[i].fn;
	if (!req->verb)
		return complain("there is no verb", argv[1]);
	for (i = 0; i < sizeof(colls) / sizeof(colls[0]); i++)
		if (!strcmp(argv[2], colls[i].name))
			req->args.coll = colls[i].coll;
	if (!req->args.coll)
		return complain("there is no collective", argv[2]);
	req->alg = ub_alg_find(req->args.coll, argv[3]);
	if (!req->alg && strcmp(argv[3], "-"))
		return complain("there is no such algorithm:", argv[3]);
	if (!number(argv[4], 1 << 20, &n) || !n)
		return complain("a number of ranks is not", argv[4]);
	req->args.nranks = (uint32_t)n;
	return parse_pairs(argc, argv, req);
}

static int show(const struct request *req, const struct ub_alg *alg)
{
	struct ub_layout layout;
	struct ub_plan plan;
	int err;

	err = ub_plan_make(&plan, alg, &req->args);
	if (!err) {
		ub_layout_bind(&layout, &plan, req->bytes, req->elem);
		err = req->verb(req, &plan, &layout);
	}
	if (err < 0)
		fprintf(stderr, "ubsched: %s: %s\n", alg->name, strerror(-err));
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct request req = { .bytes = 1 << 20, .elem = 4 };
	int err;

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		usage(argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	if (!strcmp(argv[1], "list"))
		return list();
	err = parse(argc, argv, &req);
	if (err)
		return err;
	if (req.alg)
		return show(&req, req.alg);
	for (int i = 0; ub_algs[i] && !err; i++)
		if (ub_algs[i]->coll == req.args.coll)
			err = show(&req, ub_algs[i]);
	return err;
}
