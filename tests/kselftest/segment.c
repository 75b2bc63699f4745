// SPDX-License-Identifier: GPL-2.0
/* Segments of one context: allocation, backing, load and store, limits, the end. */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "ub_test.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define PLENTY (1 << 30)	/* MiB */

FIXTURE(segment) {
	struct ub_pod pod;
	unsigned int npu;
	int fd;
	struct ub_ioc_seg_alloc seg;
};

FIXTURE_SETUP(segment)
{
	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-seg", 2, 64));
	self->npu = self->pod.npu[0];
	self->fd = ub_open(self->npu);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(segment)
{
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_used"));
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_backed"));
	ub_pod_drop(&self->pod);
}

TEST_F(segment, memory_is_zeroed_also_when_it_was_somebodys)
{
	char *p;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, ub_alloc(self->fd, 0, 2 * MIB, &self->seg));
		p = ub_map(self->fd, self->seg.mmap_offset, 2 * MIB, PROT_READ | PROT_WRITE);
		ASSERT_NE(MAP_FAILED, (void *)p);
		EXPECT_TRUE(ub_is_zero(p, 2 * MIB));
		memset(p, 0xa5, 2 * MIB);
		ASSERT_EQ(0, munmap(p, 2 * MIB));
		ASSERT_EQ(0, ub_free(self->fd, self->seg.handle));
	}
}

TEST_F(segment, length_is_rounded_up_to_pages)
{
	static const struct { __u64 in, out; } sizes[] = {
		{ 1, PAGE }, { PAGE - 1, PAGE }, { PAGE, PAGE }, { PAGE + 1, 2 * PAGE },
		{ 3 * MIB + 5, 3 * MIB + PAGE },
	};
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		ASSERT_EQ(0, ub_alloc(self->fd, 0, sizes[i].in, &self->seg));
		EXPECT_EQ(sizes[i].out, self->seg.length);
		EXPECT_NE(0, self->seg.handle);
		EXPECT_EQ((long long)sizes[i].out, ub_sysfs(self->npu, "mem_used"));
		ASSERT_EQ(0, ub_free(self->fd, self->seg.handle));
	}
	EXPECT_EQ(-EINVAL, ub_alloc(self->fd, 0, 0, &self->seg));
	EXPECT_EQ(-EINVAL, ub_alloc(self->fd, 0, ~0ULL, &self->seg));
	EXPECT_EQ(-EINVAL, ub_alloc(self->fd, 0, ~0ULL - PAGE, &self->seg));
	EXPECT_EQ(-EINVAL, ub_alloc(self->fd, 0, 1ULL << 63, &self->seg));
}

TEST_F(segment, pages_are_backed_when_touched)
{
	long long backed;
	__u32 value;
	char *p;

	ASSERT_EQ(0, ub_alloc(self->fd, 0, 16 * MIB, &self->seg));
	EXPECT_EQ(16LL * MIB, ub_sysfs(self->npu, "mem_used"));
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_backed"));
	p = ub_map(self->fd, self->seg.mmap_offset, 16 * MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_backed"));
	ASSERT_EQ(0, ub_load(p + 8 * MIB, &value));
	backed = ub_sysfs(self->npu, "mem_backed");
	EXPECT_LE((long long)PAGE, backed);
	EXPECT_GE(2LL * MIB, backed);
	/* What is mapped and backed goes with the segment, not with its mapping. */
	ASSERT_EQ(0, munmap(p, 16 * MIB));
	EXPECT_EQ(backed, ub_sysfs(self->npu, "mem_backed"));
	ASSERT_EQ(0, ub_free(self->fd, self->seg.handle));
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_backed"));
}

TEST_F(segment, populate_backs_all_at_once)
{
	ASSERT_EQ(0, ub_alloc(self->fd, UB_SEG_POPULATE, 3 * MIB + PAGE, &self->seg));
	EXPECT_EQ(3LL * MIB + (long long)PAGE, ub_sysfs(self->npu, "mem_backed"));
}

TEST_F(segment, host_memory_is_not_the_npus)
{
	ASSERT_EQ(0, ub_alloc(self->fd, UB_SEG_HOST | UB_SEG_POPULATE, MIB, &self->seg));
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_used"));
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_backed"));
}

TEST_F(segment, what_is_stored_is_loaded)
{
	size_t len = 4 * MIB + 3 * PAGE;
	char *p, *q;

	ASSERT_EQ(0, ub_alloc(self->fd, 0, len, &self->seg));
	p = ub_map(self->fd, self->seg.mmap_offset, len, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ub_fill(p, len, 7);
	EXPECT_EQ(-1, ub_differs(p, len, 7));
	/* A second mapping, and one of a part, show the same. */
	q = ub_map(self->fd, self->seg.mmap_offset, len, PROT_READ);
	ASSERT_NE(MAP_FAILED, (void *)q);
	EXPECT_EQ(-1, ub_differs(q, len, 7));
	ASSERT_EQ(0, munmap(q, len));
	q = ub_map(self->fd, self->seg.mmap_offset + 2 * MIB + PAGE, PAGE, PROT_READ);
	ASSERT_NE(MAP_FAILED, (void *)q);
	EXPECT_EQ(0, memcmp(q, p + 2 * MIB + PAGE, PAGE));
}

TEST_F(segment, segments_do_not_show_each_others_memory)
{
	struct ub_ioc_seg_alloc other;
	char *p, *q;

	ASSERT_EQ(0, ub_alloc(self->fd, 0, MIB, &self->seg));
	ASSERT_EQ(0, ub_alloc(self->fd, 0, MIB, &other));
	EXPECT_NE(self->seg.handle, other.handle);
	p = ub_map(self->fd, self->seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
	q = ub_map(self->fd, other.mmap_offset, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_NE(MAP_FAILED, (void *)q);
	ub_fill(p, MIB, 1);
	EXPECT_TRUE(ub_is_zero(q, MIB));
	ub_fill(q, MIB, 2);
	EXPECT_EQ(-1, ub_differs(p, MIB, 1));
}

TEST_F(segment, free_takes_the_mapping_away)
{
	__u32 value;
	char *p;

	ASSERT_EQ(0, ub_alloc(self->fd, 0, MIB, &self->seg));
	p = ub_map(self->fd, self->seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(0, ub_store(p, 1));
	ASSERT_EQ(0, ub_free(self->fd, self->seg.handle));
	EXPECT_EQ(SIGBUS, ub_load(p, &value));
	EXPECT_EQ(SIGBUS, ub_store(p + MIB / 2, 1));
	EXPECT_EQ(-ENOENT, ub_free(self->fd, self->seg.handle));
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_used"));
	/* The same number may come again; the old mapping must not show it. */
	ASSERT_EQ(0, ub_alloc(self->fd, 0, MIB, &self->seg));
	EXPECT_EQ(SIGBUS, ub_load(p, &value));
	EXPECT_EQ(0, munmap(p, MIB));
}

TEST_F(segment, mappings_outlive_the_file_but_not_the_owner)
{
	__u32 value;
	char *p;

	ASSERT_EQ(0, ub_alloc(self->fd, 0, MIB, &self->seg));
	p = ub_map(self->fd, self->seg.mmap_offset, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(0, ub_store(p, 1));
	ASSERT_EQ(0, close(self->fd));
	EXPECT_EQ(SIGBUS, ub_load(p, &value));
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_used"));
	self->fd = ub_open(self->npu);
	ASSERT_LE(0, self->fd);
}

TEST_F(segment, full_npu_is_enomem_and_nothing_changes)
{
	long long old = ub_param_set("uid_quota_mib", PLENTY);
	struct ub_ioc_seg_alloc seg, before;

	ASSERT_LE(0, old);
	ASSERT_EQ(0, ub_alloc(self->fd, 0, 40 * MIB, &self->seg));
	EXPECT_EQ(-ENOMEM, ub_alloc(self->fd, 0, 40 * MIB, &seg));
	EXPECT_EQ(-ENOMEM, ub_alloc(self->fd, 0, 24 * MIB + 1, &seg));
	EXPECT_EQ(-ENOMEM, ub_alloc(self->fd, 0, 1ULL << 40, &seg));
	EXPECT_EQ(40LL * MIB, ub_sysfs(self->npu, "mem_used"));
	/* What was asked for stands as it was. */
	before = (struct ub_ioc_seg_alloc){ .size = sizeof(before), .length = 40 * MIB + 1 };
	seg = before;
	EXPECT_EQ(-ENOMEM, ub_ioctl(self->fd, UB_IOC_SEG_ALLOC, &seg));
	EXPECT_EQ(0, memcmp(&seg, &before, sizeof(seg)));
	/* The rest is there to the last byte, and host memory is another. */
	EXPECT_EQ(0, ub_alloc(self->fd, 0, 24 * MIB, &seg));
	EXPECT_EQ(-ENOMEM, ub_alloc(self->fd, 0, 1, &seg));
	EXPECT_EQ(0, ub_alloc(self->fd, UB_SEG_HOST, MIB, &seg));
	ub_param_set("uid_quota_mib", old);
}

/* A large request that fails must not make a small one fail beside it. */
TEST_F(segment, somebodys_failing_request_costs_others_nothing)
{
	struct ub_board *board = ub_board_make();
	struct ub_ioc_seg_alloc seg;
	int i, failed = 0, pass = ub_debug_kernel() ? 5000 : 20000;
	long long old = ub_param_set("uid_quota_mib", PLENTY);
	struct ub_ioc_query query;
	pid_t pid;

	ASSERT_NE(NULL, board);
	ASSERT_LE(0, old);
	pid = ub_fork();
	if (!pid) {
		int fd = ub_open(self->npu);

		while (!board->step)
			if (ub_alloc(fd, 0, 1ULL << 39, &seg) != -ENOMEM)
				_exit(1);
		_exit(0);
	}
	/* What is there to be had is never seen as taken. */
	for (i = 0; i < pass; i++) {
		ub_query(self->fd, &query);
		failed += query.mem_used > query.mem_size;
		if (i % 64)
			continue;
		if (ub_alloc(self->fd, 0, PAGE, &seg))
			failed++;
		else
			ub_free(self->fd, seg.handle);
	}
	ub_step(board, 1);
	EXPECT_EQ(0, failed);
	EXPECT_EQ(0, ub_join(pid));
	ub_param_set("uid_quota_mib", old);
}

TEST_F(segment, quota_of_a_context_is_edquot)
{
	struct ub_ioc_seg_alloc seg;
	long long old = ub_param_set("ctx_quota_mib", 4);
	int other = ub_open(self->npu);

	ASSERT_LE(0, old);
	EXPECT_EQ(0, ub_alloc(self->fd, 0, 3 * MIB, &self->seg));
	EXPECT_EQ(-EDQUOT, ub_alloc(self->fd, 0, 2 * MIB, &seg));
	EXPECT_EQ(-EDQUOT, ub_alloc(self->fd, UB_SEG_HOST, 2 * MIB, &seg));
	EXPECT_EQ(0, ub_alloc(self->fd, 0, MIB, &seg));
	EXPECT_EQ(0, ub_alloc(other, 0, 4 * MIB, &seg));
	ASSERT_EQ(0, ub_free(self->fd, self->seg.handle));
	EXPECT_EQ(0, ub_alloc(self->fd, 0, 3 * MIB, &seg));
	ub_param_set("ctx_quota_mib", old);
	close(other);
}

TEST_F(segment, quota_of_a_uid_counts_all_its_contexts)
{
	struct ub_ioc_seg_alloc seg;
	long long old = ub_param_set("uid_quota_mib", 4);
	int other = ub_open(self->npu);

	ASSERT_LE(0, old);
	EXPECT_EQ(0, ub_alloc(self->fd, 0, 3 * MIB, &self->seg));
	EXPECT_EQ(-EDQUOT, ub_alloc(other, 0, 2 * MIB, &seg));
	EXPECT_EQ(-EDQUOT, ub_alloc(other, UB_SEG_HOST, 2 * MIB, &seg));
	EXPECT_EQ(0, ub_alloc(other, 0, MIB, &seg));
	ASSERT_EQ(0, ub_free(self->fd, self->seg.handle));
	EXPECT_EQ(0, ub_alloc(other, 0, 3 * MIB, &seg));
	close(other);
	EXPECT_EQ(0, ub_alloc(self->fd, 0, 4 * MIB, &seg));
	ub_param_set("uid_quota_mib", old);
}

/* All that can be backed, in all NPUs together, and no more. */
TEST_F(segment, by_default_a_uid_may_hold_what_can_be_backed)
{
	long long cap = ub_param_set("backed_cap_mib", 16), old = ub_param_set("uid_quota_mib", 0);
	int i, fd[8];
	struct ub_ioc_seg_alloc seg;
	struct ub_pod pod;
	pid_t pid;

	ASSERT_LE(0, cap);
	ASSERT_EQ(0, old);
	ASSERT_EQ(0, ub_pod_make(&pod, "t-seg-8", 8, 64));
	for (i = 0; i < 8; i++) {
		fd[i] = ub_open(pod.npu[i]);
		ASSERT_LE(0, fd[i]);
		EXPECT_EQ(0, ub_alloc(fd[i], UB_SEG_POPULATE, 2 * MIB, &seg));
	}
	EXPECT_EQ(-EDQUOT, ub_alloc(self->fd, 0, PAGE, &seg));
	EXPECT_EQ(-EDQUOT, ub_alloc(fd[7], UB_SEG_HOST, PAGE, &seg));
	/* Somebody else has a limit of his own, but only what is left is to be had. */
	pid = ub_fork();
	if (!pid) {
		int other;

		ub_become(1000);
		other = ub_open(self->npu);
		EXPECT_EQ(-EDQUOT, ub_alloc(other, 0, 16 * MIB + 1, &seg));
		EXPECT_EQ(-ENOMEM, ub_alloc(other, UB_SEG_POPULATE, PAGE, &seg));
		EXPECT_EQ(0, ub_alloc(other, 0, 16 * MIB, &seg));
		_exit(TEST_STATUS());
	}
	EXPECT_EQ(0, ub_join(pid));
	/* It follows the cap. */
	ub_param_set("backed_cap_mib", 17);
	EXPECT_EQ(0, ub_alloc(self->fd, UB_SEG_POPULATE, MIB, &self->seg));
	EXPECT_EQ(-EDQUOT, ub_alloc(self->fd, 0, PAGE, &seg));
	for (i = 0; i < 8; i++)
		close(fd[i]);
	EXPECT_EQ(0, ub_alloc(self->fd, 0, 16 * MIB, &seg));
	ub_pod_drop(&pod);
	ub_param_set("backed_cap_mib", cap);
}

TEST_F(segment, host_memory_is_charged_to_rlimit_memlock)
{
	pid_t pid = ub_fork();

	if (!pid) {
		struct rlimit limit = { 4 * MIB, 4 * MIB };
		struct ub_ioc_seg_alloc seg, more;
		int fd, i;

		if (setrlimit(RLIMIT_MEMLOCK, &limit) || ub_become(1000))
			_exit(2);
		fd = ub_open(self->npu);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, ub_alloc(fd, UB_SEG_HOST, 3 * MIB, &seg));
		EXPECT_EQ(-ENOMEM, ub_alloc(fd, UB_SEG_HOST, 2 * MIB, &more));
		EXPECT_EQ(0, ub_alloc(fd, 0, 8 * MIB, &more));
		/* Each way back gives the charge back. */
		for (i = 0; i < 8; i++) {
			ASSERT_EQ(0, ub_free(fd, seg.handle));
			ASSERT_EQ(0, ub_alloc(fd, UB_SEG_HOST, 4 * MIB, &seg));
		}
		close(fd);
		fd = ub_open(self->npu);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, ub_alloc(fd, UB_SEG_HOST, 4 * MIB, &seg));
		_exit(TEST_STATUS());
	}
	EXPECT_EQ(0, ub_join(pid));
}

TEST_F(segment, cap_on_backed_memory_is_sigbus_and_an_event)
{
	long long old = ub_param_set("backed_cap_mib", 4);
	long long quota = ub_param_set("uid_quota_mib", PLENTY);
	struct ub_event event = { 0 };
	bool found = false;
	__u32 value;
	size_t i;
	char *p;

	ASSERT_LE(0, old);
	ASSERT_LE(0, quota);
	EXPECT_EQ(-ENOMEM, ub_alloc(self->fd, UB_SEG_POPULATE, 8 * MIB, &self->seg));
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_used"));
	EXPECT_EQ(0, ub_sysfs(self->npu, "mem_backed"));
	ASSERT_EQ(0, ub_alloc(self->fd, 0, 8 * MIB, &self->seg));
	p = ub_map(self->fd, self->seg.mmap_offset, 8 * MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	for (i = 0; i < 8 * MIB; i += PAGE)
		if (ub_store(p + i, i))
			break;
	EXPECT_EQ(4 * MIB, i);
	EXPECT_EQ(4LL * MIB, ub_sysfs(self->npu, "mem_backed"));
	/* What was there goes on to work. */
	for (i = 0; i < 4 * MIB; i += PAGE) {
		ASSERT_EQ(0, ub_load(p + i, &value));
		ASSERT_EQ(i, value);
	}
	fcntl(self->fd, F_SETFL, O_NONBLOCK);
	while (read(self->fd, &event, sizeof(event)) == sizeof(event))
		found |= event.type == UB_EVENT_NOMEM && event.a == self->seg.handle;
	EXPECT_TRUE(found);
	/* More may be had later. */
	ub_param_set("backed_cap_mib", 16);
	EXPECT_EQ(0, ub_store(p + 4 * MIB, 1));
	ub_param_set("uid_quota_mib", quota);
	ub_param_set("backed_cap_mib", old);
}

TEST_F(segment, handles_are_limited)
{
	struct ub_ioc_query query;
	struct ub_ioc_seg_alloc seg;
	__u32 i, max;

	ASSERT_EQ(0, ub_query(self->fd, &query));
	max = query.max_handles;
	for (i = 0; i < max; i++)
		ASSERT_EQ(0, ub_alloc(self->fd, 0, PAGE, &self->seg));
	EXPECT_EQ(-ENOSPC, ub_alloc(self->fd, 0, PAGE, &seg));
	EXPECT_EQ((long long)(max * PAGE), ub_sysfs(self->npu, "mem_used"));
	EXPECT_EQ(0, ub_free(self->fd, max / 2));
	EXPECT_EQ(0, ub_alloc(self->fd, 0, PAGE, &seg));
	EXPECT_EQ(-ENOSPC, ub_alloc(self->fd, 0, PAGE, &seg));
	/* The last one can be mapped as the first. */
	EXPECT_EQ(0, ub_free(self->fd, 1));
	EXPECT_NE(MAP_FAILED, ub_map(self->fd, self->seg.mmap_offset, PAGE, PROT_READ));
}

TEST_F(segment, query_tells_what_is_there)
{
	struct ub_ioc_query query;

	ASSERT_EQ(0, ub_alloc(self->fd, 0, 3 * MIB, &self->seg));
	ASSERT_EQ(0, ub_query(self->fd, &query));
	EXPECT_EQ(UB_ABI_VERSION, query.abi_version);
	EXPECT_EQ(self->npu, query.npu);
	EXPECT_EQ(0, strcmp(query.pod, self->pod.name));
	EXPECT_EQ(0, strcmp(query.backend, "soft"));
	EXPECT_EQ(0, query.index);
	EXPECT_EQ(2, query.nr_npus);
	EXPECT_EQ(1, query.nr_links);
	EXPECT_EQ(64 * MIB, query.mem_size);
	EXPECT_EQ(3 * MIB, query.mem_used);
	EXPECT_EQ(UB_FEATURE_SEG | UB_FEATURE_WAIT | UB_FEATURE_COPY | UB_FEATURE_EVENTS,
		  query.features & 15);
}

/* Faults and frees at once: the pages of a segment that ends are nobody's. */
TEST_F(segment, free_while_others_touch_it)
{
	struct ub_board *board = ub_board_make();
	struct ub_ioc_seg_alloc seg;
	int i, rounds = ub_long() ? 500 : 40;
	__u32 value;
	pid_t pid;

	ASSERT_NE(NULL, board);
	pid = ub_fork();
	if (!pid) {
		unsigned int n = 0;
		char *p;

		while (!board->step) {
			p = ub_map(self->fd, board->u[0], 2 * MIB, PROT_READ | PROT_WRITE);
			if (p == MAP_FAILED)
				continue;
			while (!ub_store(p + n % (2 * MIB / PAGE) * PAGE, 0xdead))
				n += 3;
			munmap(p, 2 * MIB);
		}
		_exit(0);
	}
	for (i = 0; i < rounds; i++) {
		char *p;

		ASSERT_EQ(0, ub_alloc(self->fd, i & 1 ? UB_SEG_POPULATE : 0, 2 * MIB, &seg));
		board->u[0] = seg.mmap_offset;
		p = ub_map(self->fd, seg.mmap_offset, 2 * MIB, PROT_READ);
		ASSERT_NE(MAP_FAILED, (void *)p);
		ub_load(p + PAGE * (i % 512), &value);
		ASSERT_EQ(0, ub_free(self->fd, seg.handle));
		ASSERT_EQ(SIGBUS, ub_load(p, &value));
		munmap(p, 2 * MIB);
	}
	ub_step(board, 1);
	EXPECT_EQ(0, ub_join(pid));
}

TEST_HARNESS_MAIN
