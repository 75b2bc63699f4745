// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a pod costs, beside as many dummy network devices as it has NPUs in the same
 * kernel: time to make and to remove them, and memory while they are there. The
 * two take turns; medians and their ratio are printed, nothing is asserted.
 *
 * Then 100 pods of 8 come and go, three times, and what memory is missing after
 * each time is shown.
 *
 * usage: podcost [TURNS [PRESET [KEY VALUE]...]]
 *	7 superpod-a3 nodes 48, if nothing is said; in a guest, as root, with ub_soft
 *	and dummy loaded. tests/vm/podcost does all of it.
 */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ubnl.h"

#define GROUP		42	/* by which the dummies are removed in one request */
#define MAX_TURNS	99

enum { ADD, DEL, MEM, RESULTS };

static const char *preset = "superpod-a3";
static struct ubnl_param param[8] = { { "nodes", "48" } };
static size_t nr_params = 1;
static int devices;	/* NPUs of the pod */

static struct ubnl *ub;
static struct nl_sock *route;

static void die(const char *what, int err)
{
	fprintf(stderr, "podcost: %s: %s\n", what, strerror(-err));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec * 1e-6;
}

/* A value of /proc/meminfo in KiB. */
static double kib_of(const char *key)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long value = -1;

	while (file && value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			value = strtol(line + strlen(key) + 1, NULL, 10);
	if (file)
		fclose(file);
	return value;
}

/*
 * Of the kernel. MemAvailable would not do: pages that each CPU keeps for itself
 * do not count as free, and they are many after so much coming and going.
 */
static double kernel_memory(void)
{
	return kib_of("Slab") + kib_of("Percpu") + kib_of("VmallocUsed");
}

/* Gives back what the slab allocator keeps for later, which would hide growth. */
static void settle(void)
{
	glob_t found;

	usleep(200 * 1000);	/* RCU */
	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		FILE *file = fopen(found.gl_pathv[i], "we");

		if (file && fputs("1", file) >= 0)
			fclose(file);
	}
	globfree(&found);
}

/* ---- dummies ------------------------------------------------------------------ */

static struct nl_msg *link_request(int type, int flags, int group, int nr)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	struct ifinfomsg head = {};
	struct nlattr *info;
	char name[16];

	if (!msg || nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) ||
	    nla_put_u32(msg, IFLA_GROUP, group))
		die("a request", -ENOMEM);
	if (type == RTM_DELLINK)
		return msg;
	snprintf(name, sizeof(name), "cost%d", nr);
	info = nla_put_string(msg, IFLA_IFNAME, name) ? NULL :
	       nla_nest_start(msg, IFLA_LINKINFO);
	if (!info || nla_put_string(msg, IFLA_INFO_KIND, "dummy"))
		die("a request", -ENOMEM);
	nla_nest_end(msg, info);
	return msg;
}

static void link_call(struct nl_msg *msg)
{
	int ret = nl_send_sync(route, msg);	/* consumes it */

	if (ret < 0)
		die("rtnetlink", ret == -NLE_PERM ? -EPERM : -EIO);
}

static void dummies_add(void)
{
	for (int i = 0; i < devices; i++)
		link_call(link_request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, GROUP, i));
}

static void dummies_del(void)
{
	link_call(link_request(RTM_DELLINK, 0, GROUP, 0));
}

/* ---- pods --------------------------------------------------------------------- */

static void check(int ret)
{
	if (!ret)
		return;
	fprintf(stderr, "podcost: %s\n", ubnl_sentence(ub, ret));
	exit(1);
}

static void pod_add(void)
{
	check(ubnl_pod_add(ub, "cost", NULL, preset, param, nr_params));
}

static void pod_del(void)
{
	check(ubnl_pod_del(ub, "cost", false));
}

static void count_npus(void)
{
	struct ubnl_snapshot snap;

	pod_add();
	check(ubnl_snapshot(ub, "cost", NULL, &snap));
	devices = snap.pod[0].nr_npus;
	ubnl_snapshot_free(&snap);
	pod_del();
}

/* ---- both --------------------------------------------------------------------- */

struct kind {
	const char *name;
	void (*add)(void);
	void (*del)(void);
	double result[RESULTS][MAX_TURNS];
};

static void turn(struct kind *kind, int nr)
{
	double memory, start;

	settle();
	memory = kernel_memory();
	start = now();
	kind->add();
	kind->result[ADD][nr] = now() - start;
	settle();
	kind->result[MEM][nr] = kernel_memory() - memory;
	start = now();
	kind->del();
	kind->result[DEL][nr] = now() - start;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *value, int nr)
{
	qsort(value, nr, sizeof(*value), by_size);
	return value[nr / 2];
}

static void pods_come_and_go(int nr)
{
	double memory;

	settle();
	memory = kernel_memory();
	for (int i = 0; i < nr; i++) {
		check(ubnl_pod_add(ub, "cost", NULL, "mesh1d", NULL, 0));
		pod_del();
	}
	settle();
	printf("# %d pods of 8 made and removed: %+.0f KiB\n", nr, kernel_memory() - memory);
}

int main(int argc, char **argv)
{
	static const char * const what[RESULTS] = {
		[ADD] = "add_ms", [DEL] = "del_ms", [MEM] = "memory_KiB",
	};
	static struct kind kind[] = {
		{ "dummy", dummies_add, dummies_del }, { "pod", pod_add, pod_del },
	};
	int turns = argc > 1 ? atoi(argv[1]) : 7, ret;

	if (turns < 1 || turns > MAX_TURNS || argc > 2 + 2 * 8)
		return 4;
	if (argc > 2) {
		preset = argv[2];
		for (nr_params = 0; argc > 4 + 2 * (int)nr_params; nr_params++)
			param[nr_params] = (struct ubnl_param){ argv[3 + 2 * nr_params],
								argv[4 + 2 * nr_params] };
	}
	ret = ubnl_open(&ub);
	if (ret)
		die(ubnl_sentence(ub, ret), ret);
	route = nl_socket_alloc();
	if (!route || nl_connect(route, NETLINK_ROUTE))
		die("rtnetlink", -EIO);

	count_npus();
	pods_come_and_go(10);	/* caches fill */
	for (int i = -1; i < turns; i++)
		for (int k = 0; k < 2; k++)
			turn(&kind[k], i < 0 ? 0 : i);
	printf("# %s: %d devices, medians of %d turns\n", preset, devices, turns);
	printf("%-18s %10s %10s %8s\n", "", kind[0].name, kind[1].name, "ratio");
	for (int r = 0; r < RESULTS; r++) {
		double a = median(kind[0].result[r], turns), b = median(kind[1].result[r], turns);

		printf("%-18s %10.1f %10.1f %8.2f\n", what[r], a, b, b / a);
	}
	for (int i = 0; i < 3; i++)
		pods_come_and_go(100);
	nl_socket_free(route);
	ubnl_close(ub);
	return 0;
}
