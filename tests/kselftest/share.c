// SPDX-License-Identifier: GPL-2.0
/* Two processes, two NPUs, two users: one segment. And those who may not. */
#define _GNU_SOURCE
#include <sys/socket.h>

#include "ub_test.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define LEN (3 * MIB + PAGE)

FIXTURE(share) {
	struct ub_pod pod;
	int fd;			/* the owner's, on NPU 0 */
	struct ub_ioc_seg_alloc seg;
	char *mem;
	struct ub_cred cred;
	struct ub_ioc_seg_import import;
	struct ub_board *board;
};

FIXTURE_SETUP(share)
{
	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-share", 3, 64));
	self->fd = ub_open(self->pod.npu[0]);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ub_alloc(self->fd, 0, LEN, &self->seg));
	self->mem = ub_map(self->fd, self->seg.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)self->mem);
	self->board = ub_board_make();
	ASSERT_NE(NULL, self->board);
}

FIXTURE_TEARDOWN(share)
{
	close(self->fd);
	ub_pod_drop(&self->pod);
}

/* In a process of its own: what the owner stored is there, and the way back. */
static void be_user(struct __test_metadata *_metadata, const struct ub_pod *pod,
		    unsigned int npu, const struct ub_cred *cred, uid_t uid)
{
	struct ub_ioc_seg_import import;
	struct ub_ioc_query query;
	char *p;
	int fd;

	if (uid)
		ASSERT_EQ(0, ub_become(uid));
	fd = ub_open(pod->npu[npu]);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ub_import(fd, cred, RW, 0, &import));
	EXPECT_EQ(LEN, import.length);
	EXPECT_NE(0, import.handle);
	p = ub_map(fd, import.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-1, ub_differs(p, LEN, 1));
	ub_fill(p, LEN, 2 + npu);
	/* The memory is the home's, not the user's. */
	ASSERT_EQ(0, ub_query(fd, &query));
	EXPECT_EQ(npu ? 0 : LEN, query.mem_used);
	EXPECT_EQ(UB_IMPORT_ALIVE, ub_states(fd)[import.slot].state);
	_exit(TEST_STATUS());
}

TEST_F(share, processes_see_each_others_stores_on_every_npu)
{
	unsigned int npu;
	pid_t pid;

	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, 0, &self->cred));
	for (npu = 0; npu < self->pod.nr; npu++) {
		ub_fill(self->mem, LEN, 1);
		pid = ub_fork();
		if (!pid)
			be_user(_metadata, &self->pod, npu, &self->cred, 0);
		ASSERT_EQ(0, ub_join(pid));
		EXPECT_EQ(-1, ub_differs(self->mem, LEN, 2 + npu));
	}
}

TEST_F(share, any_uid_lets_other_users_in)
{
	pid_t pid;

	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, UB_SEG_EXPORT_ANY_UID,
			      &self->cred));
	ub_fill(self->mem, LEN, 1);
	pid = ub_fork();
	if (!pid)
		be_user(_metadata, &self->pod, 1, &self->cred, 1001);
	ASSERT_EQ(0, ub_join(pid));
	EXPECT_EQ(-1, ub_differs(self->mem, LEN, 3));
}

/* Root is a user like others. */
TEST_F(share, another_uid_is_refused_root_too)
{
	static const struct { uid_t owner, user; int ret; } pairs[] = {
		{ 0, 1000, -EACCES }, { 1000, 0, -EACCES }, { 1000, 1001, -EACCES },
		{ 1000, 1000, 0 },
	};
	struct ub_ioc_seg_import import;
	struct ub_ioc_seg_alloc seg;
	unsigned int i;
	pid_t owner, user;

	for (i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		ub_step(self->board, 0);
		owner = ub_fork();
		if (!owner) {
			int fd;

			ASSERT_EQ(0, ub_become(pairs[i].owner));
			fd = ub_open(self->pod.npu[0]);
			ASSERT_LE(0, fd);
			ASSERT_EQ(0, ub_alloc(fd, 0, PAGE, &seg));
			ASSERT_EQ(0, ub_share(fd, seg.handle, RW, 0, &self->board->cred));
			ub_step(self->board, 1);
			_exit(ub_step_wait(self->board, 2));
		}
		ASSERT_EQ(0, ub_step_wait(self->board, 1));
		user = ub_fork();
		if (!user) {
			int fd;

			ASSERT_EQ(0, ub_become(pairs[i].user));
			fd = ub_open(self->pod.npu[1]);
			ASSERT_LE(0, fd);
			EXPECT_EQ(pairs[i].ret, ub_import(fd, &self->board->cred, RW, 0, &import));
			_exit(TEST_STATUS());
		}
		EXPECT_EQ(0, ub_join(user));
		ub_step(self->board, 2);
		EXPECT_EQ(0, ub_join(owner));
	}
}

TEST_F(share, every_wrong_credential_is_the_same_eacces)
{
	int fd = ub_open(self->pod.npu[1]);
	struct ub_ioc_seg_alloc other;
	struct ub_ioc_query query;
	struct ub_cred wrong;

	ASSERT_EQ(0, ub_alloc(self->fd, 0, PAGE, &other));
	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, UB_ACCESS_READ, 0, &self->cred));
	wrong = self->cred;
	wrong.id ^= 1;
	EXPECT_EQ(-EACCES, ub_import(fd, &wrong, UB_ACCESS_READ, 0, &self->import));
	wrong = self->cred;
	wrong.value ^= 0x80000000;
	EXPECT_EQ(-EACCES, ub_import(fd, &wrong, UB_ACCESS_READ, 0, &self->import));
	/* The token is there, but on another home. */
	ASSERT_EQ(0, ub_query(fd, &query));
	wrong = self->cred;
	memcpy(wrong.eid, query.eid, sizeof(wrong.eid));
	EXPECT_EQ(-EACCES, ub_import(fd, &wrong, UB_ACCESS_READ, 0, &self->import));
	EXPECT_EQ(1, ub_sysfs(self->pod.npu[1], "token_denied"));
	/* More than was exported. */
	EXPECT_EQ(-EACCES, ub_import(fd, &self->cred, RW, 0, &self->import));
	EXPECT_EQ(-EACCES, ub_import(fd, &self->cred, RW | UB_ACCESS_ATOMIC, 0, &self->import));
	/* Not exported any more. */
	ASSERT_EQ(0, ub_import(fd, &self->cred, UB_ACCESS_READ, 0, &self->import));
	ASSERT_EQ(0, ub_revoke(self->fd, self->seg.handle));
	EXPECT_EQ(-EACCES, ub_import(fd, &self->cred, UB_ACCESS_READ, 0, &self->import));
	/* Not there any more. */
	ASSERT_EQ(0, ub_share(self->fd, other.handle, RW, 0, &wrong));
	ASSERT_EQ(0, ub_free(self->fd, other.handle));
	EXPECT_EQ(-EACCES, ub_import(fd, &wrong, RW, 0, &self->import));
	EXPECT_EQ(6, ub_sysfs(self->pod.npu[0], "token_denied"));
	/* No NPU has this EID: not a credential. */
	memset(wrong.eid, 0xee, sizeof(wrong.eid));
	EXPECT_EQ(-ENXIO, ub_import(fd, &wrong, RW, 0, &self->import));
	close(fd);
}

TEST_F(share, refused_imports_leave_nothing_behind)
{
	int fd = ub_open(self->pod.npu[1]), i;

	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, 0, &self->cred));
	self->cred.value ^= 1;
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(-EACCES, ub_import(fd, &self->cred, RW, UB_SEG_IMPORT_DUMMY,
					     &self->import));
		EXPECT_EQ(0, self->import.handle);
		EXPECT_EQ(0, self->import.length);
	}
	self->cred.value ^= 1;
	ASSERT_EQ(0, ub_import(fd, &self->cred, RW, 0, &self->import));
	/* Slots and handles cycle, but none is lost: the same few come again. */
	EXPECT_EQ(0, self->import.slot);
	EXPECT_GE(16, self->import.handle);
	close(fd);
}

/* No timing: only that it comes to an end, is counted, and stops for a success. */
TEST_F(share, guessing_is_slowed_down_and_counted)
{
	struct ub_ioc_seg_import import;
	pid_t pid;

	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, UB_SEG_EXPORT_ANY_UID,
			      &self->cred));
	pid = ub_fork();
	if (!pid) {
		unsigned long long start, eight, waited;
		struct ub_cred wrong = self->cred;
		int fd, i;

		ASSERT_EQ(0, ub_become(1001));
		fd = ub_open(self->pod.npu[1]);
		ASSERT_LE(0, fd);
		start = ub_now_ns();
		for (i = 0; i < 8; i++) {
			wrong.value = self->cred.value + 1 + i;
			EXPECT_EQ(-EACCES, ub_import(fd, &wrong, RW, 0, &import));
		}
		eight = ub_now_ns() - start;
		start = ub_now_ns();
		for (i = 0; i < 5; i++) /* 10 + 20 + 40 + 80 + 160 ms at least */
			EXPECT_EQ(-EACCES, ub_import(fd, &wrong, RW, 0, &import));
		waited = ub_now_ns() - start;
		EXPECT_LE(300000000ULL, waited);
		printf("# 8 refusals took %llu ms, 5 more %llu ms\n", eight / 1000000,
		       waited / 1000000);
		/* A new file of the same user does not start afresh. */
		close(fd);
		fd = ub_open(self->pod.npu[2]);
		start = ub_now_ns();
		EXPECT_EQ(-EACCES, ub_import(fd, &wrong, RW, 0, &import));
		EXPECT_LE(300000000ULL, ub_now_ns() - start);
		EXPECT_EQ(0, ub_import(fd, &self->cred, RW, 0, &import));
		_exit(TEST_STATUS());
	}
	EXPECT_EQ(0, ub_join(pid));
	EXPECT_EQ(14, ub_sysfs(self->pod.npu[0], "token_denied"));
}

/* A success of one's own resets the count, but not as often as one likes. */
TEST_F(share, own_successes_buy_no_guesses)
{
	pid_t pid;

	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, UB_SEG_EXPORT_ANY_UID,
			      &self->cred));
	pid = ub_fork();
	if (!pid) {
		struct ub_ioc_seg_import import;
		struct ub_ioc_seg_alloc seg;
		struct ub_cred own, wrong = self->cred;
		unsigned long long start;
		int fd, i;

		ASSERT_EQ(0, ub_become(1003));
		fd = ub_open(self->pod.npu[1]);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, ub_alloc(fd, 0, PAGE, &seg));
		ASSERT_EQ(0, ub_share(fd, seg.handle, RW, 0, &own));
		start = ub_now_ns();
		for (i = 0; i < 32; i++) { /* 7 guesses, a success, … */
			wrong.value++;
			if (i % 8 != 7)
				EXPECT_EQ(-EACCES, ub_import(fd, &wrong, RW, 0, &import));
			else
				EXPECT_EQ(0, ub_import(fd, &own, RW, 0, &import));
		}
		EXPECT_LE(300000000ULL, ub_now_ns() - start);
		_exit(TEST_STATUS());
	}
	EXPECT_EQ(0, ub_join(pid));
}

TEST_F(share, one_who_waits_for_guessing_can_be_killed)
{
	struct ub_ioc_seg_import import;
	pid_t pid;
	int i;

	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, UB_SEG_EXPORT_ANY_UID,
			      &self->cred));
	self->cred.value ^= 1;
	pid = ub_fork();
	if (!pid) {
		int fd;

		ub_become(1002);
		fd = ub_open(self->pod.npu[1]);
		for (i = 0; i < 14; i++)
			ub_import(fd, &self->cred, RW, 0, &import);
		ub_step(self->board, 1);
		for (;;)
			ub_import(fd, &self->cred, RW, 0, &import);
	}
	ASSERT_EQ(0, ub_step_wait(self->board, 1));
	ub_sleep_ms(20);
	kill(pid, SIGKILL);
	EXPECT_EQ(-SIGKILL, ub_join(pid));
}

TEST_F(share, local_only_lets_nobody_in)
{
	int fd = ub_open(self->pod.npu[1]);

	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, UB_ACCESS_LOCAL_ONLY, 0,
			      &self->cred));
	EXPECT_EQ(-EACCES, ub_import(fd, &self->cred, UB_ACCESS_READ, 0, &self->import));
	EXPECT_EQ(-EINVAL, ub_import(fd, &self->cred, UB_ACCESS_LOCAL_ONLY, 0, &self->import));
	EXPECT_EQ(-EINVAL, ub_import(fd, &self->cred, 0, 0, &self->import));
	close(fd);
}

TEST_F(share, access_must_make_sense)
{
	static const __u32 bad[] = {
		0, UB_ACCESS_WRITE, UB_ACCESS_ATOMIC, UB_ACCESS_READ | UB_ACCESS_ATOMIC,
		UB_ACCESS_WRITE | UB_ACCESS_ATOMIC, UB_ACCESS_LOCAL_ONLY | UB_ACCESS_READ,
		UB_ACCESS_LOCAL_ONLY | RW, 16, ~0U, 1U << 31 | UB_ACCESS_READ,
	};
	struct ub_ioc_seg_export token;
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		EXPECT_EQ(-EINVAL, ub_export(self->fd, self->seg.handle, bad[i], 0, &token));
	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW | UB_ACCESS_ATOMIC, 0,
			      &self->cred));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		EXPECT_EQ(-EINVAL, ub_import(self->fd, &self->cred, bad[i], 0, &self->import));
	EXPECT_EQ(-EEXIST, ub_export(self->fd, self->seg.handle, RW, 0, &token));
	EXPECT_EQ(0, ub_import(self->fd, &self->cred, RW | UB_ACCESS_ATOMIC, 0, &self->import));
}

TEST_F(share, handles_are_of_their_kind_and_context)
{
	int fd = ub_open(self->pod.npu[1]);
	struct ub_ioc_seg_export token;

	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, 0, &self->cred));
	ASSERT_EQ(0, ub_import(fd, &self->cred, RW, 0, &self->import));
	EXPECT_EQ(-ENOENT, ub_free(fd, self->import.handle));
	EXPECT_EQ(-ENOENT, ub_revoke(fd, self->import.handle));
	EXPECT_EQ(-ENOENT, ub_rotate(fd, self->import.handle, NULL));
	EXPECT_EQ(-ENOENT, ub_export(fd, self->import.handle, RW, 0, &token));
	EXPECT_EQ(-ENOENT, ub_unimport(self->fd, self->seg.handle));
	EXPECT_EQ(-ENOENT, ub_unimport(fd, 0));
	EXPECT_EQ(-ENOENT, ub_unimport(fd, ~0U));
	EXPECT_EQ(-ENOENT, ub_unimport(fd, 4097));
	EXPECT_EQ(UB_IMPORT_ALIVE, ub_states(fd)[self->import.slot].state);
	EXPECT_EQ(0, ub_unimport(fd, self->import.handle));
	EXPECT_EQ(UB_IMPORT_NONE, ub_states(fd)[self->import.slot].state);
	EXPECT_EQ(-ENOENT, ub_unimport(fd, self->import.handle));
	close(fd);
}

TEST_F(share, a_mapping_outlives_unimport_and_the_importers_file)
{
	int fd = ub_open(self->pod.npu[1]);
	__u32 value;
	char *p;

	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, 0, &self->cred));
	ASSERT_EQ(0, ub_import(fd, &self->cred, RW, 0, &self->import));
	p = ub_map(fd, self->import.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(0, ub_unimport(fd, self->import.handle));
	EXPECT_EQ(MAP_FAILED, ub_map(fd, self->import.mmap_offset, LEN, PROT_READ));
	EXPECT_EQ(0, ub_store(p, 77));
	EXPECT_EQ(0, ub_load(self->mem, &value));
	EXPECT_EQ(77, value);
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(0, ub_store(p + MIB, 78));
	EXPECT_EQ(0, ub_load(self->mem + MIB, &value));
	EXPECT_EQ(78, value);
	/* Until the home ends it. */
	ASSERT_EQ(0, ub_revoke(self->fd, self->seg.handle));
	EXPECT_EQ(SIGBUS, ub_load(p, &value));
	EXPECT_EQ(0, ub_load(self->mem, &value));
}

static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) < 0 ? -errno : 0;
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(sock, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* The context is the open file; who receives it shares it while its opener lives. */
TEST_F(share, a_passed_file_is_the_same_context_until_its_opener_dies)
{
	struct ub_ioc_seg_alloc seg;
	int pair[2], fd, k;
	__u32 value;
	pid_t pid;
	char *p;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = ub_fork();
	if (!pid) {
		fd = ub_open(self->pod.npu[1]);
		ASSERT_EQ(0, ub_alloc(fd, 0, LEN, &self->board->seg));
		ASSERT_EQ(0, send_fd(pair[1], fd));
		ub_step_wait(self->board, 1);
		_exit(0);
	}
	fd = receive_fd(pair[0]);
	ASSERT_LE(0, fd);
	p = ub_map(fd, self->board->seg.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(0, ub_store(p, 1));
	EXPECT_EQ(0, ub_alloc(fd, 0, PAGE, &seg));
	ub_step(self->board, 1);
	ASSERT_EQ(0, ub_join(pid));
	EXPECT_EQ(SIGBUS, ub_load(p, &value));
	EXPECT_EQ(-EOWNERDEAD, ub_alloc(fd, 0, PAGE, &seg));
	EXPECT_EQ(-EOWNERDEAD, ub_free(fd, seg.handle));
	EXPECT_EQ(MAP_FAILED, ub_map(fd, self->board->seg.mmap_offset, LEN, PROT_READ));
	EXPECT_EQ(EOWNERDEAD, errno);
	/* We still have the file, so the pages return when the kernel comes to it. */
	for (k = 0; k < UB_LIVENESS_S * 100 && ub_sysfs(self->pod.npu[1], "mem_used"); k++)
		ub_sleep_ms(10);
	EXPECT_EQ(0, ub_sysfs(self->pod.npu[1], "mem_used"));
	close(fd);
}

TEST_F(share, imports_are_limited_like_segments)
{
	int fd = ub_open(self->pod.npu[1]);
	struct ub_ioc_query query;
	__u32 i;

	ASSERT_EQ(0, ub_query(fd, &query));
	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, 0, &self->cred));
	for (i = 0; i < query.max_handles; i++)
		ASSERT_EQ(0, ub_import(fd, &self->cred, RW, 0, &self->import));
	EXPECT_EQ(query.max_handles - 1, self->import.slot);
	EXPECT_EQ(-ENOSPC, ub_import(fd, &self->cred, RW, 0, &self->import));
	EXPECT_EQ(0, ub_unimport(fd, 1));
	EXPECT_EQ(0, ub_import(fd, &self->cred, RW, 0, &self->import));
	EXPECT_EQ(0, self->import.slot);
	close(fd);
}

#ifdef __x86_64__
/* An ioctl as a 32-bit process makes it. */
static int ioctl32(int fd, unsigned long nr, void *low)
{
	int ret;

	asm volatile("int $0x80"
		     : "=a"(ret) : "0"(54), "b"(fd), "c"(nr), "d"(low)
		     : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

TEST_F(share, a_32_bit_user_gets_no_more_than_it_can_map)
{
	long long old = ub_param_set("uid_quota_mib", 1 << 20);
	struct ub_ioc_seg_import *import;
	struct ub_ioc_seg_alloc large;
	struct ub_cred cred;
	struct ub_pod pod;
	int user, fd;

	ASSERT_LE(0, old);
	if (access("/proc/sys/abi/vsyscall32", F_OK))
		SKIP(return, "this kernel runs no 32-bit programs");
	import = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)import);
	ASSERT_EQ(0, ub_pod_make(&pod, "t-share-large", 2, 4096));
	fd = ub_open(pod.npu[0]);
	user = ub_open(pod.npu[1]);
	ASSERT_EQ(0, ub_alloc(fd, 0, 3072 * MIB, &large));
	ASSERT_EQ(0, ub_share(fd, large.handle, RW, 0, &cred));
	*import = (struct ub_ioc_seg_import){
		.size = sizeof(*import), .token_id = cred.id, .token_value = cred.value,
		.access = RW,
	};
	memcpy(import->eid, cred.eid, sizeof(cred.eid));
	EXPECT_EQ(-EOVERFLOW, ioctl32(user, UB_IOC_SEG_IMPORT, import));
	EXPECT_EQ(1, ub_next_handle(user));
	EXPECT_EQ(0, ub_ioctl(user, UB_IOC_SEG_IMPORT, import));
	close(user);
	close(fd);
	ub_pod_drop(&pod);
	ub_param_set("uid_quota_mib", old);
}
#endif

TEST_HARNESS_MAIN
