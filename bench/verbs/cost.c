// SPDX-License-Identifier: BSD-2-Clause
/*
 * What objects of a verbs device cost: the time to register memory, and the memory of
 * a connected QP. Prints JSON lines; knows nothing of any device but its name.
 *
 * usage: verbs-cost register|qp DEVICE ROUND
 *
 *	{"kind":"register","device":"ub0","round":1,"bytes":4096,"us":..,"dereg_us":..}
 *	{"kind":"qp","device":"ub0","round":1,"qps":256,"ring_bytes":..,"bytes":..}
 *
 * us is the mean of a series. bytes of a qp is what free memory shrank by, for each QP,
 * without ring_bytes, the part of it that the process has mapped from the device: so
 * it counts what the provider keeps for it too. Needs root, to drop caches.
 */
#include <infiniband/verbs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { QPS = 256, DEPTH = 16 };

struct device {
	const char *name;
	const char *round;
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
};

static _Noreturn void die(const char *format, ...)
{
	va_list arguments;

	fputs("verbs-cost: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static void open_device(struct device *dev)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	int i;

	for (i = 0; list && list[i]; i++) {
		if (strcmp(ibv_get_device_name(list[i]), dev->name) == 0)
			dev->context = ibv_open_device(list[i]);
	}
	if (!dev->context)
		die("there is no device %s, or it cannot be opened", dev->name);
	ibv_free_device_list(list);
	dev->pd = ibv_alloc_pd(dev->context);
	dev->cq = ibv_create_cq(dev->context, DEPTH, NULL, NULL, 0);
	if (!dev->pd || !dev->cq)
		die("%s: no protection domain or completion queue: %m", dev->name);
}

/* Registering -------------------------------------------------------------- */

static void register_memory(struct device *dev, size_t bytes, int times)
{
	int access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE;
	double reg_us = 0, dereg_us = 0, start, middle;
	struct ibv_mr *mr;
	void *buffer;
	int i;

	buffer = aligned_alloc(sysconf(_SC_PAGESIZE), bytes);
	if (!buffer)
		die("no memory");
	/* Pages are there; it is not their allocation that is timed. */
	memset(buffer, 1, bytes);
	for (i = -1; i < times; i++) {
		start = now_us();
		mr = ibv_reg_mr(dev->pd, buffer, bytes, access);
		middle = now_us();
		if (!mr || ibv_dereg_mr(mr))
			die("%s: registering %zu bytes: %m", dev->name, bytes);
		if (i < 0)
			continue;
		reg_us += middle - start;
		dereg_us += now_us() - middle;
	}
	printf("{\"kind\":\"register\",\"device\":\"%s\",\"round\":%s,\"bytes\":%zu,"
	       "\"us\":%.3f,\"dereg_us\":%.3f}\n",
	       dev->name, dev->round, bytes, reg_us / times, dereg_us / times);
	free(buffer);
}

/* QPs ---------------------------------------------------------------------- */

static void tell_kernel(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		die("cannot write to %s: %m", path);
}

/*
 * Free memory. Caches that can be dropped are free, and so are the pages that each
 * processor keeps for itself, which MemFree does not count: thousands, after many
 * have been freed.
 */
static long free_bytes(void)
{
	long pages, sum = 0;
	char line[256];
	FILE *file;

	tell_kernel("/proc/sys/vm/drop_caches", "3\n");
	tell_kernel("/proc/sys/vm/stat_refresh", "1\n");
	file = fopen("/proc/zoneinfo", "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " pages free %ld", &pages) == 1 ||
		    sscanf(line, " count: %ld", &pages) == 1)
			sum += pages;
	}
	if (!file || !sum)
		die("/proc/zoneinfo does not say what is free");
	fclose(file);
	return sum * sysconf(_SC_PAGESIZE);
}

/* What this process has mapped from verbs devices. */
static long mapped_bytes(void)
{
	unsigned long start, end;
	char line[512];
	long sum = 0;
	FILE *file = fopen("/proc/self/maps", "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (strstr(line, "/uverbs") && sscanf(line, "%lx-%lx", &start, &end) == 2)
			sum += (long)(end - start);
	}
	if (file)
		fclose(file);
	return sum;
}

static struct ibv_qp *create_qp(struct device *dev)
{
	struct ibv_qp_init_attr init = {
		.send_cq = dev->cq,
		.recv_cq = dev->cq,
		.cap = { .max_send_wr = DEPTH, .max_recv_wr = DEPTH,
			 .max_send_sge = 1, .max_recv_sge = 1 },
		.qp_type = IBV_QPT_RC,
	};
	struct ibv_qp *qp = ibv_create_qp(dev->pd, &init);

	if (!qp)
		die("%s: creating a QP: %m", dev->name);
	return qp;
}

/* Connects a QP to itself: some of its memory may only be there when it can send. */
static void connect_qp(struct device *dev, struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE,
	};
	int error;

	error = ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
			      IBV_QP_ACCESS_FLAGS);
	attr.qp_state = IBV_QPS_RTR;
	attr.path_mtu = IBV_MTU_1024;
	attr.dest_qp_num = qp->qp_num;
	attr.max_dest_rd_atomic = 1;
	attr.min_rnr_timer = 12;
	attr.ah_attr.is_global = 1;
	attr.ah_attr.port_num = 1;
	attr.ah_attr.grh.hop_limit = 1;
	if (!error)
		error = ibv_query_gid(dev->context, 1, 0, &attr.ah_attr.grh.dgid);
	if (!error)
		error = ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
				      IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
				      IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER);
	attr.qp_state = IBV_QPS_RTS;
	attr.timeout = 14;
	attr.retry_cnt = 7;
	attr.rnr_retry = 7;
	attr.max_rd_atomic = 1;
	if (!error)
		error = ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_TIMEOUT |
				      IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
				      IBV_QP_MAX_QP_RD_ATOMIC);
	if (error)
		die("%s: connecting a QP: %s", dev->name, strerror(error < 0 ? -error : error));
}

static void create_qps(struct device *dev, struct ibv_qp **qps)
{
	int i;

	for (i = 0; i < QPS; i++) {
		qps[i] = create_qp(dev);
		connect_qp(dev, qps[i]);
	}
}

static void destroy_qps(struct device *dev, struct ibv_qp **qps)
{
	int i;

	for (i = 0; i < QPS; i++) {
		if (ibv_destroy_qp(qps[i]))
			die("%s: destroying a QP: %m", dev->name);
	}
}

static void measure_qps(struct device *dev)
{
	static struct ibv_qp *qps[QPS];
	long before, mapped, used, rings;

	/* The first ones may bring what all share. */
	create_qps(dev, qps);
	destroy_qps(dev, qps);
	before = free_bytes();
	mapped = mapped_bytes();
	create_qps(dev, qps);
	rings = (mapped_bytes() - mapped) / QPS;
	used = (before - free_bytes()) / QPS;
	destroy_qps(dev, qps);
	printf("{\"kind\":\"qp\",\"device\":\"%s\",\"round\":%s,\"qps\":%d,"
	       "\"ring_bytes\":%ld,\"bytes\":%ld}\n",
	       dev->name, dev->round, QPS, rings, used - rings);
}

int main(int argc, char **argv)
{
	struct device dev = {0};

	if (argc != 4)
		die("usage: verbs-cost register|qp DEVICE ROUND");
	dev.name = argv[2];
	dev.round = argv[3];
	open_device(&dev);
	if (strcmp(argv[1], "qp") == 0) {
		measure_qps(&dev);
	} else {
		register_memory(&dev, 4096, 200);
		register_memory(&dev, 1 << 20, 20);
		register_memory(&dev, 16 << 20, 5);
	}
	ibv_destroy_cq(dev.cq);
	ibv_dealloc_pd(dev.pd);
	ibv_close_device(dev.context);
	return fflush(stdout) || ferror(stdout);
}
