// SPDX-License-Identifier: GPL-2.0
/* Pods, modules, files and processes that come and go. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>

#include "ub_test.h"

#define PAGE 4096UL
#define MIB (1UL << 20)

FIXTURE(lifecycle) {
	struct ub_pod pod;
};

FIXTURE_SETUP(lifecycle)
{
	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-life", 4, 64));
}

FIXTURE_TEARDOWN(lifecycle)
{
	ub_pod_drop(&self->pod);
}

static long long meminfo(const char *field)
{
	char line[128];
	long long kib = -1;
	FILE *f = fopen("/proc/meminfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, field, strlen(field)))
			kib = strtoll(line + strlen(field), NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

/* Free pages that each CPU keeps for itself, in KiB: MemAvailable lacks them. */
static long long kept_free(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	long long pages, sum = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %lld", &pages) == 1)
			sum += pages * (PAGE / 1024);
	if (f)
		fclose(f);
	return sum;
}

/* What the kernel uses, and what of everything is not to be had, in KiB. */
struct memory {
	long long slab, percpu, missing;
};

static struct memory memory(void)
{
	return (struct memory){
		.slab = meminfo("Slab:"),
		.percpu = meminfo("Percpu:"),
		.missing = -meminfo("MemAvailable:") - kept_free(),
	};
}

static struct memory grown(struct memory before)
{
	struct memory now = memory();

	now.slab -= before.slab;
	now.percpu -= before.percpu;
	now.missing -= before.missing;
	return now;
}

/* Less than the smallest object for each NPU, and less than a page for each pod. */
static bool all_came_back(struct memory growth, int pods)
{
	return growth.slab < pods / 2 + 256 && growth.percpu < 128 &&
	       growth.missing < 3 * pods;
}

TEST_F_TIMEOUT(lifecycle, pods_of_eight_made_and_removed, 600)
{
	int i, nr = ub_debug_kernel() ? 100 : 1000;
	unsigned long long start;
	struct memory before, growth;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ub_pod_add("t-life-n", 8, 0));
		ASSERT_EQ(0, ub_pod_del("t-life-n", false));
	}
	before = memory();
	start = ub_now_ns();
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, ub_pod_add("t-life-n", 8, 0));
		ASSERT_EQ(0, ub_pod_del("t-life-n", false));
	}
	printf("# %d pods in %llu ms\n", nr, (ub_now_ns() - start) / 1000000);
	/*
	 * What RCU still holds goes away. With KASAN what is freed stays in quarantine;
	 * there kmemleak judges, after the run.
	 */
	for (i = 0; i < UB_LIVENESS_S * 10; i++) {
		growth = grown(before);
		if (ub_debug_kernel() || all_came_back(growth, nr))
			break;
		ub_sleep_ms(100);
	}
	printf("# KiB more, %d ms later: slab %lld, percpu %lld, missing %lld\n", 100 * i,
	       growth.slab, growth.percpu, growth.missing);
	if (!ub_debug_kernel())
		EXPECT_TRUE(all_came_back(growth, nr));
}

TEST_F(lifecycle, several_pods_have_different_devices)
{
	struct ub_pod pods[4];
	struct ub_ioc_query query;
	char eids[32][UB_EID_LEN];
	unsigned int i, k, n = 0;
	int fd;

	for (i = 0; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t-life-%u", i);
		ASSERT_EQ(0, ub_pod_make(&pods[i], name, 8, 64));
	}
	for (i = 0; i < 4; i++) {
		for (k = 0; k < 8; k++, n++) {
			fd = ub_open(pods[i].npu[k]);
			ASSERT_LE(0, fd);
			ASSERT_EQ(0, ub_query(fd, &query));
			EXPECT_EQ(0, strcmp(pods[i].name, query.pod));
			EXPECT_EQ(k, query.index);
			memcpy(eids[n], query.eid, UB_EID_LEN);
			close(fd);
		}
	}
	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			EXPECT_NE(0, memcmp(eids[i], eids[k], UB_EID_LEN));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, ub_pod_del(pods[i].name, false));
}

TEST_F(lifecycle, a_pod_in_use_is_busy)
{
	struct ub_ioc_seg_alloc seg;
	int fd = ub_open(self->pod.npu[2]);
	void *mem, *status;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBUSY, ub_pod_del("t-life", false));
	ASSERT_EQ(0, ub_alloc(fd, 0, MIB, &seg));
	mem = ub_map(fd, seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, mem);
	status = (void *)ub_status(fd);
	close(fd);
	EXPECT_EQ(-EBUSY, ub_pod_del("t-life", false));
	munmap(status, PAGE);
	EXPECT_EQ(-EBUSY, ub_pod_del("t-life", false));
	munmap(mem, MIB);
	EXPECT_EQ(0, ub_pod_del("t-life", false));
}

TEST_F(lifecycle, modules_in_use_stay)
{
	struct ub_ioc_seg_alloc seg;
	int fd = ub_open(self->pod.npu[0]);
	__u32 value;
	char *mem;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EAGAIN, unload("ub_soft"));
	EXPECT_EQ(-EAGAIN, unload("ub"));
	ASSERT_EQ(0, ub_alloc(fd, 0, MIB, &seg));
	mem = ub_map(fd, seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)mem);
	ASSERT_EQ(0, ub_store(mem, 1));
	close(fd);
	/* Only a mapping, of a segment that is dead. */
	EXPECT_EQ(-EAGAIN, unload("ub_soft"));
	EXPECT_EQ(SIGBUS, ub_load(mem, &value));
	/* Even a forced pod's mapping keeps the code of its faults. */
	EXPECT_EQ(0, ub_pod_del("t-life", true));
	EXPECT_EQ(-EAGAIN, unload("ub_soft"));
	EXPECT_EQ(SIGBUS, ub_load(mem, &value));
	munmap(mem, MIB);
}

TEST_F(lifecycle, a_removed_pod_leaves_files_that_say_eio)
{
	struct ub_ioc_query query;
	struct ub_ioc_seg_alloc seg, none;
	const volatile struct ub_status *status;
	int fd = ub_open(self->pod.npu[0]), again;
	struct ub_pod second;
	__u32 value;
	char *mem;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ub_alloc(fd, 0, MIB, &seg));
	mem = ub_map(fd, seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
	status = ub_status(fd);
	ASSERT_EQ(0, ub_store(mem, 5));
	EXPECT_EQ(0, status->flags);
	ASSERT_EQ(0, ub_pod_del("t-life", true));
	EXPECT_EQ(UB_STATUS_DEAD, status->flags);
	EXPECT_EQ(SIGBUS, ub_load(mem, &value));
	EXPECT_EQ(-EIO, ub_query(fd, &query));
	EXPECT_EQ(-EIO, ub_alloc(fd, 0, PAGE, &none));
	EXPECT_EQ(-EIO, ub_free(fd, seg.handle));
	EXPECT_EQ(MAP_FAILED, ub_map(fd, seg.mmap_offset, PAGE, PROT_READ));
	EXPECT_EQ(EIO, errno);
	EXPECT_GT(0, ub_open(self->pod.npu[0]));
	/* The name is free, and a new pod is not the old one. */
	ASSERT_EQ(0, ub_pod_make(&second, "t-life", 4, 64));
	again = ub_open(second.npu[0]);
	ASSERT_LE(0, again);
	EXPECT_EQ(0, ub_query(again, &query));
	EXPECT_EQ(-EIO, ub_query(fd, &query));
	close(again);
	EXPECT_EQ(0, ub_pod_del("t-life", false));
	close(fd);
	EXPECT_EQ(UB_STATUS_DEAD, status->flags);
}

/* Opening, mapping and dying beside pods that come and go. */
TEST_F_TIMEOUT(lifecycle, pods_removed_while_they_are_opened, 40)
{
	int i, k, rounds = ub_long() ? 500 : ub_debug_kernel() ? 5 : 40;
	struct ub_board *board = ub_board_make();
	long long old = ub_param_set("backed_cap_mib", 24);
	struct ub_ioc_seg_alloc seg;
	struct ub_pod pod;
	pid_t pid[3];
	int fd;

	ASSERT_NE(NULL, board);
	ASSERT_LE(0, old);
	for (k = 0; k < 3; k++) {
		pid[k] = ub_fork();
		if (pid[k])
			continue;
		while (!board->step) {
			struct ub_ioc_seg_import import;
			struct ub_cred cred;
			char *p;

			fd = ub_open(board->n[k & 1]);
			if (fd < 0)
				continue;
			/*
			 * Backing a segment of a pod that goes must not lose pages:
			 * one of us needs so long for it that the pod does go.
			 */
			if (!ub_alloc(fd, UB_SEG_POPULATE, k ? MIB : 20 * MIB, &seg)) {
				p = ub_map(fd, seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
				if (p != MAP_FAILED)
					ub_store(p + PAGE, 1);
				if (!ub_share(fd, seg.handle, RW, 0, &cred))
					ub_import(fd, &cred, RW, 0, &import);
				if (p != MAP_FAILED)
					munmap(p, MIB);
			}
			close(fd);
		}
		_exit(0);
	}
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, ub_pod_make(&pod, "t-life-go", 2, 64));
		board->n[0] = pod.npu[0];
		board->n[1] = pod.npu[1];
		ub_sleep_ms(1 + i % 10);
		ASSERT_EQ(0, ub_pod_del("t-life-go", true));
	}
	ub_step(board, 1);
	for (k = 0; k < 3; k++)
		EXPECT_EQ(0, ub_join(pid[k]));
	/* All that the module may have is to be had. */
	fd = ub_open(self->pod.npu[0]);
	EXPECT_EQ(0, ub_alloc(fd, UB_SEG_POPULATE, 24 * MIB, &seg));
	close(fd);
	ub_param_set("backed_cap_mib", old);
}

TEST_F(lifecycle, open_and_close_storm)
{
	int i, k, rounds = ub_long() ? 20000 : ub_debug_kernel() ? 25 : 300;
	pid_t pid[4];

	for (k = 0; k < 4; k++) {
		pid[k] = ub_fork();
		if (pid[k])
			continue;
		for (i = 0; i < rounds; i++) {
			struct ub_ioc_seg_alloc seg;
			int fd = ub_open(self->pod.npu[(i + k) % 4]);

			if (fd < 0)
				_exit(1);
			if (i & 1 && ub_alloc(fd, 0, MIB, &seg))
				_exit(2);
			close(fd);
		}
		_exit(0);
	}
	for (k = 0; k < 4; k++)
		EXPECT_EQ(0, ub_join(pid[k]));
	for (k = 0; k < 4; k++)
		EXPECT_EQ(0, ub_sysfs(self->pod.npu[k], "mem_used"));
	EXPECT_EQ(0, ub_pod_del("t-life", false));
}

/* What a process that will be killed does until then. */
static void live(FIXTURE_DATA(lifecycle) *self, struct ub_board *board, unsigned int seed)
{
	for (;;) {
		int fd = ub_open(self->pod.npu[rand_r(&seed) % 4]);
		struct ub_ioc_seg_import import;
		struct ub_ioc_seg_alloc seg;
		struct ub_cred cred;
		char *p, *q;

		if (fd < 0 || ub_alloc(fd, rand_r(&seed) & 3, 16 * PAGE, &seg))
			_exit(1);
		p = ub_map(fd, seg.mmap_offset, 16 * PAGE, PROT_READ | PROT_WRITE);
		if (p == MAP_FAILED || ub_store(p, 1) || ub_share(fd, seg.handle, RW, 0, &cred))
			_exit(2);
		/* Somebody else's, perhaps torn, but seldom: wrong ones cost time. */
		if (!(rand_r(&seed) & 7)) {
			struct ub_cred mine = cred;

			cred = board->cred;
			board->cred = mine;
		}
		if (!ub_import(fd, &cred, RW, 0, &import)) {
			q = ub_map(fd, import.mmap_offset, 16 * PAGE, PROT_READ | PROT_WRITE);
			if (q != MAP_FAILED) {
				ub_store(q + PAGE, 2);
				ub_copy(fd, import.handle, 0, seg.handle, 8 * PAGE, PAGE, NULL);
				ub_wait(fd, import.handle, 0, 1, 1000000);
				munmap(q, 16 * PAGE);
			}
		}
		munmap(p, 16 * PAGE);
		close(fd);
	}
}

TEST_F_TIMEOUT(lifecycle, killed_at_random_points, 40)
{
	int i, rounds = ub_long() ? 2000 : ub_debug_kernel() ? 12 : 100;
	struct ub_board *board = ub_board_make();
	unsigned int seed = ub_seed(), k;
	pid_t pid;

	ASSERT_NE(NULL, board);
	for (i = 0; i < rounds; i++) {
		pid = ub_fork();
		if (!pid)
			live(self, board, seed + i);
		ub_sleep_ms(1 + rand_r(&seed) % 12);
		kill(pid, SIGKILL);
		ASSERT_EQ(-SIGKILL, ub_join(pid));
	}
	for (k = 0; k < 4; k++) {
		EXPECT_EQ(0, ub_sysfs(self->pod.npu[k], "mem_used"));
		EXPECT_EQ(0, ub_sysfs(self->pod.npu[k], "mem_backed"));
	}
	EXPECT_EQ(0, ub_pod_del("t-life", false));
}

/* Children that only inherit must not end what their parent owns. */
TEST_F(lifecycle, forks_and_exits_leave_the_parents_segments)
{
	struct ub_ioc_seg_alloc seg;
	int i, fd = ub_open(self->pod.npu[0]), nr = ub_debug_kernel() ? 20 : 100;
	__u32 value;
	pid_t pid;
	char *p;

	ASSERT_EQ(0, ub_alloc(fd, 0, MIB, &seg));
	p = ub_map(fd, seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ub_fill(p, MIB, 3);
	for (i = 0; i < nr; i++) {
		pid = ub_fork();
		if (!pid)
			_exit(i & 1 ? ub_load(p, &value) : close(fd));
		ASSERT_EQ(0, ub_join(pid));
	}
	EXPECT_EQ(-1, ub_differs(p, MIB, 3));
	/* A child that execs closes its copy of the file, no more. */
	pid = ub_fork();
	if (!pid) {
		execlp("true", "true", NULL);
		_exit(1);
	}
	ASSERT_EQ(0, ub_join(pid));
	EXPECT_EQ(-1, ub_differs(p, MIB, 3));
	close(fd);
}

/* Last: the modules go and come back while nobody uses them. */
TEST(modules_unload_and_load_again)
{
	int i;

	for (i = 0; i < 3; i++) {
		if (i)
			ASSERT_EQ(0, ub_pod_add("t-life-mod", 8, 0));
		ASSERT_EQ(0, unload("ub_soft"));
		EXPECT_NE(0, access("/sys/class/ub/ub0", F_OK));
		ASSERT_EQ(0, unload("ub"));
		if (system("modprobe ub_soft"))
			SKIP(return, "modprobe does not find ub_soft; load it again by hand");
		EXPECT_EQ(0, access("/dev/ub/ub7", F_OK));
	}
}

TEST_HARNESS_MAIN
