// SPDX-License-Identifier: GPL-2.0
/*
 * What a mapping of a segment may and may not become. Whatever is refused must
 * leave the data as it was, and nothing may reach the pages once they are gone.
 */
#define _GNU_SOURCE
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "ub_test.h"

#define PAGE 4096UL
#define LEN (8 * PAGE)
#define SEED 21

FIXTURE(mapping) {
	struct ub_pod pod;
	int fd, user;
	struct ub_ioc_seg_alloc seg;
	struct ub_cred cred;
	struct ub_ioc_seg_import rw, ro;
	char *mem;			/* the owner's */
};

FIXTURE_SETUP(mapping)
{
	ASSERT_EQ(0, ub_pod_make(&self->pod, "t-map", 2, 64));
	self->fd = ub_open(self->pod.npu[0]);
	self->user = ub_open(self->pod.npu[1]);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->user);
	ASSERT_EQ(0, ub_alloc(self->fd, 0, LEN, &self->seg));
	self->mem = ub_map(self->fd, self->seg.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)self->mem);
	ASSERT_EQ(0, ub_share(self->fd, self->seg.handle, RW, 0, &self->cred));
	ASSERT_EQ(0, ub_import(self->user, &self->cred, RW, 0, &self->rw));
	ASSERT_EQ(0, ub_import(self->user, &self->cred, UB_ACCESS_READ, 0, &self->ro));
	ub_fill(self->mem, LEN, SEED);
}

FIXTURE_TEARDOWN(mapping)
{
	EXPECT_EQ(-1, ub_differs(self->mem, LEN, SEED));
	close(self->user);
	close(self->fd);
	ub_pod_drop(&self->pod);
}

#define EXPECT_NO_MAP(error, fd, offset, len, prot, flags) do {			\
	errno = 0;								\
	EXPECT_EQ(MAP_FAILED, mmap(NULL, len, prot, flags, fd, offset));	\
	EXPECT_EQ(error, errno);						\
} while (0)

TEST_F(mapping, private_is_refused)
{
	EXPECT_NO_MAP(EINVAL, self->fd, self->seg.mmap_offset, LEN, PROT_READ, MAP_PRIVATE);
	EXPECT_NO_MAP(EINVAL, self->fd, self->seg.mmap_offset, LEN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE);
	EXPECT_NO_MAP(EINVAL, self->user, self->rw.mmap_offset, LEN, PROT_NONE, MAP_PRIVATE);
	EXPECT_NO_MAP(EINVAL, self->fd, UB_MMAP_STATUS, PAGE, PROT_READ, MAP_PRIVATE);
	EXPECT_NO_MAP(EINVAL, self->fd, UB_MMAP_ACCOUNT, PAGE, PROT_READ, MAP_PRIVATE);
}

TEST_F(mapping, writable_needs_the_right)
{
	EXPECT_NO_MAP(EACCES, self->user, self->ro.mmap_offset, LEN, PROT_READ | PROT_WRITE,
		      MAP_SHARED);
	EXPECT_NO_MAP(EACCES, self->user, self->ro.mmap_offset, LEN, PROT_WRITE, MAP_SHARED);
	EXPECT_NO_MAP(EACCES, self->fd, UB_MMAP_STATUS, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED);
	EXPECT_NO_MAP(EACCES, self->fd, UB_MMAP_STATES, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED);
}

TEST_F(mapping, executable_is_refused)
{
	EXPECT_EQ(MAP_FAILED, ub_map(self->fd, self->seg.mmap_offset, LEN,
				     PROT_READ | PROT_EXEC));
	EXPECT_EQ(MAP_FAILED, ub_map(self->user, self->rw.mmap_offset, LEN, PROT_EXEC));
	EXPECT_EQ(MAP_FAILED, ub_map(self->fd, UB_MMAP_ACCOUNT, PAGE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(MAP_FAILED, ub_map(self->fd, UB_MMAP_STATUS, PAGE, PROT_READ | PROT_EXEC));
}

TEST_F(mapping, mprotect_gives_no_right_back)
{
	char *p = ub_map(self->user, self->ro.mmap_offset, LEN, PROT_READ);
	void *status = (void *)ub_status(self->fd), *states = (void *)ub_states(self->fd);

	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-1, ub_differs(p, LEN, SEED));
	EXPECT_EQ(-1, mprotect(p, LEN, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(p, PAGE, PROT_WRITE));
	EXPECT_EQ(-1, mprotect(p, LEN, PROT_READ | PROT_EXEC));
	EXPECT_EQ(0, mprotect(p, LEN, PROT_NONE));
	EXPECT_EQ(-1, mprotect(p, LEN, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, mprotect(p, LEN, PROT_READ));
	EXPECT_EQ(SIGSEGV, ub_store(p, 1));
	EXPECT_EQ(-1, mprotect(self->mem, LEN, PROT_READ | PROT_WRITE | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(status, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(-1, mprotect(states, PAGE, PROT_READ | PROT_WRITE));
	/* The owner may go away from WRITE and come back. */
	EXPECT_EQ(0, mprotect(self->mem, LEN, PROT_READ));
	EXPECT_EQ(SIGSEGV, ub_store(self->mem, 1));
	EXPECT_EQ(0, mprotect(self->mem, LEN, PROT_READ | PROT_WRITE));
}

TEST_F(mapping, a_file_opened_for_reading_maps_for_reading)
{
	int fd = ub_open_flags(self->pod.npu[0], O_RDONLY | O_CLOEXEC);
	struct ub_ioc_seg_import import;
	char *p;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ub_import(fd, &self->cred, RW, 0, &import));
	EXPECT_NO_MAP(EACCES, fd, import.mmap_offset, LEN, PROT_READ | PROT_WRITE, MAP_SHARED);
	p = ub_map(fd, import.mmap_offset, LEN, PROT_READ);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-1, ub_differs(p, LEN, SEED));
	EXPECT_EQ(-1, mprotect(p, LEN, PROT_READ | PROT_WRITE));
	close(fd);
}

TEST_F(mapping, mremap_moves_but_does_not_grow)
{
	char *p = ub_map(self->user, self->rw.mmap_offset, 4 * PAGE, PROT_READ | PROT_WRITE);
	char *space, *q;

	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-1, ub_differs(p, 4 * PAGE, SEED));
	EXPECT_EQ(MAP_FAILED, mremap(p, 4 * PAGE, 5 * PAGE, 0));
	EXPECT_EQ(MAP_FAILED, mremap(p, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(p, 4 * PAGE, 1UL << 30, MREMAP_MAYMOVE));
	/* Length 0 would make a second mapping, of any length. */
	EXPECT_EQ(MAP_FAILED, mremap(p, 0, 4 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(p, 0, 64 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(p, 4 * PAGE, 4 * PAGE,
				     MREMAP_MAYMOVE | 4 /* MREMAP_DONTUNMAP */));
	EXPECT_EQ(-1, ub_differs(p, 4 * PAGE, SEED));

	space = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)space);
	q = mremap(p, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, space);
	ASSERT_EQ(space, q);
	EXPECT_EQ(-1, ub_differs(q, 4 * PAGE, SEED));
	/* It shrinks; and what moved is still found by revocation. */
	EXPECT_EQ(q, mremap(q, 4 * PAGE, 2 * PAGE, 0));
	EXPECT_EQ(-1, ub_differs(q, 2 * PAGE, SEED));
	ASSERT_EQ(0, ub_revoke(self->fd, self->seg.handle));
	EXPECT_EQ(SIGBUS, ub_store(q, 1));
	EXPECT_EQ(SIGBUS, ub_store(q + PAGE, 1));
}

TEST_F(mapping, remap_file_pages_does_not_reach_further)
{
	char *p = ub_map(self->user, self->ro.mmap_offset, 2 * PAGE, PROT_READ);

	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-1, remap_file_pages(p, PAGE, 0, 5, 0));
	EXPECT_EQ(-1, remap_file_pages(p, PAGE, 0, 1UL << 40, 0));
	EXPECT_EQ(-1, ub_differs(p, 2 * PAGE, SEED));
}

TEST_F(mapping, outside_of_the_segment_is_refused)
{
	__u64 offset = self->seg.mmap_offset;

	EXPECT_NO_MAP(EINVAL, self->fd, offset, LEN + PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, offset + PAGE, LEN, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, offset + LEN, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, offset - PAGE, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, offset, 1UL << 40, PROT_READ, MAP_SHARED);
	/* No such handle; another context's handle is not one of this. */
	EXPECT_NO_MAP(EINVAL, self->fd, offset << 5, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, 4095ULL << 40, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, 4097ULL << 40, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, 1ULL << 62, PAGE, PROT_READ, MAP_SHARED);
	/* The fixed areas have an end, too, and nothing is between them. */
	EXPECT_NO_MAP(EINVAL, self->fd, UB_MMAP_STATUS, 1UL << 20, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, UB_MMAP_STATUS + PAGE, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, UB_MMAP_STATES, PAGE * 9, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, UB_MMAP_ACCOUNT, PAGE * 17, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, UB_MMAP_ACCOUNT * 2, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NO_MAP(EINVAL, self->fd, (1ULL << 40) - PAGE, PAGE, PROT_READ, MAP_SHARED);
	EXPECT_NE(MAP_FAILED, ub_map(self->fd, UB_MMAP_STATES, PAGE * 8, PROT_READ));
	EXPECT_NE(MAP_FAILED, ub_map(self->fd, UB_MMAP_ACCOUNT, PAGE * 16, PROT_READ));
}

TEST_F(mapping, a_part_can_be_unmapped)
{
	char *p = ub_map(self->user, self->rw.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	__u32 value;

	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(0, munmap(p + 3 * PAGE, 2 * PAGE));
	EXPECT_EQ(-1, ub_differs(p, 3 * PAGE, SEED));
	EXPECT_EQ(0, memcmp(p + 5 * PAGE, self->mem + 5 * PAGE, 3 * PAGE));
	EXPECT_EQ(SIGSEGV, ub_load(p + 3 * PAGE, &value));
	/* Both rests are taken away. */
	ASSERT_EQ(0, ub_revoke(self->fd, self->seg.handle));
	EXPECT_EQ(SIGBUS, ub_load(p, &value));
	EXPECT_EQ(SIGBUS, ub_load(p + 7 * PAGE, &value));
}

TEST_F(mapping, a_forked_child_has_it_and_loses_it)
{
	char *p = ub_map(self->user, self->rw.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	struct ub_board *board = ub_board_make();
	__u32 value;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_NE(NULL, board);
	ASSERT_EQ(-1, ub_differs(p, LEN, SEED)); /* its pages are mapped at fork */
	pid = ub_fork();
	if (!pid) {
		EXPECT_EQ(-1, ub_differs(p, LEN, SEED));
		ub_step(board, 1);
		EXPECT_EQ(0, ub_step_wait(board, 2));
		EXPECT_EQ(SIGBUS, ub_load(p, &value));
		EXPECT_EQ(SIGBUS, ub_store(p + PAGE, 1));
		_exit(TEST_STATUS());
	}
	EXPECT_EQ(0, ub_step_wait(board, 1));
	ASSERT_EQ(0, ub_revoke(self->fd, self->seg.handle));
	ub_step(board, 2);
	EXPECT_EQ(0, ub_join(pid));
	EXPECT_EQ(SIGBUS, ub_load(p, &value));
}

/* Mappings by another node of the same device are mappings of the segment. */
TEST_F(mapping, a_second_device_node_is_revoked_too)
{
	struct ub_ioc_seg_import import;
	struct stat st;
	char path[64];
	__u32 value;
	char *p;
	int fd;

	snprintf(path, sizeof(path), "/dev/ub/ub%u", self->pod.npu[1]);
	ASSERT_EQ(0, stat(path, &st));
	snprintf(path, sizeof(path), "/dev/ub-test-%d", getpid());
	ASSERT_EQ(0, mknod(path, S_IFCHR | 0600, st.st_rdev));
	fd = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ub_import(fd, &self->cred, RW, 0, &import));
	p = ub_map(fd, import.mmap_offset, LEN, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)p);
	EXPECT_EQ(-1, ub_differs(p, LEN, SEED));
	ASSERT_EQ(0, ub_revoke(self->fd, self->seg.handle));
	EXPECT_EQ(SIGBUS, ub_load(p, &value));
	EXPECT_EQ(SIGBUS, ub_store(p, 1));
	close(fd);
}

/* Nobody pins: a page that is held would outlive its revocation. */
TEST_F(mapping, direct_io_is_refused)
{
	char path[] = "/tmp/ub-direct-XXXXXX";
	int fd = mkostemp(path, O_DIRECT), flags = 0;
	ssize_t n;

	if (fd < 0) {	/* tmpfs before 6.6: then by a pipe-less block device only */
		fd = open("/dev/ram0", O_RDWR | O_DIRECT);
		flags = 1;
	} else {
		unlink(path);
	}
	if (fd < 0)
		SKIP(return, "no file here can be opened with O_DIRECT (tmpfs, no /dev/ram0)");
	n = write(fd, self->mem, PAGE);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EFAULT, errno);
	if (!flags)
		ASSERT_EQ(0, ftruncate(fd, PAGE));
	n = pread(fd, self->mem, PAGE, 0);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EFAULT, errno);
	close(fd);
}

TEST_F(mapping, process_vm_readv_and_writev_are_refused)
{
	char buf[PAGE] = { 1 };
	struct iovec here = { buf, PAGE }, there = { self->mem, PAGE };
	pid_t pid = ub_fork();

	if (!pid) {
		ub_sleep_ms(20000);
		_exit(0);
	}
	EXPECT_EQ(-1, process_vm_readv(pid, &here, 1, &there, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, process_vm_writev(pid, &here, 1, &there, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, process_vm_readv(getpid(), &here, 1, &there, 1, 0));
	EXPECT_EQ(-1, process_vm_writev(getpid(), &here, 1, &there, 1, 0));
	EXPECT_EQ(1, buf[0]);
	kill(pid, SIGKILL);
	ub_join(pid);
}

TEST_F(mapping, vmsplice_is_refused)
{
	struct iovec iov = { self->mem, PAGE };
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(-1, vmsplice(fds[1], &iov, 1, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, vmsplice(fds[1], &iov, 1, SPLICE_F_GIFT));
	/* A copy by the CPU is a load or a store: that works. */
	EXPECT_EQ(PAGE, write(fds[1], self->mem, PAGE));
	EXPECT_EQ(PAGE, read(fds[0], self->mem, PAGE));
}

/* ptrace's way to memory needs vm_ops->access, which there is not. */
TEST_F(mapping, proc_mem_and_ptrace_cannot_reach_it)
{
	int fd = open("/proc/self/mem", O_RDWR);
	char buf[16];
	pid_t pid;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pread(fd, buf, sizeof(buf), (off_t)(long)self->mem));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pwrite(fd, buf, sizeof(buf), (off_t)(long)self->mem));
	EXPECT_EQ(EIO, errno);
	close(fd);
	pid = ub_fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, NULL, WUNTRACED);
	errno = 0;
	EXPECT_EQ(-1, ptrace(PTRACE_PEEKDATA, pid, self->mem, NULL));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, pid, self->mem, 0));
	kill(pid, SIGKILL);
	ub_join(pid);
}

TEST_F(mapping, madvise_and_mlock_change_nothing)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_REMOVE, MADV_FREE, MADV_DOFORK, MADV_DODUMP, MADV_MERGEABLE,
		MADV_HUGEPAGE, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
	};
	unsigned char vec[8];
	unsigned int i;

	for (i = 0; i < sizeof(advice) / sizeof(*advice); i++)
		madvise(self->mem, LEN, advice[i]);
	mlock(self->mem, LEN);
	munlock(self->mem, LEN);
	msync(self->mem, LEN, MS_SYNC | MS_INVALIDATE);
	mincore(self->mem, LEN, vec);
	EXPECT_EQ(-1, ub_differs(self->mem, LEN, SEED));
}

TEST_F(mapping, a_buffer_of_read_and_write_is_only_copied)
{
	int fds[2];

	/* The ioctl argument itself may lie in a segment. */
	struct ub_ioc_query *query = (void *)self->mem;
	char saved[sizeof(*query)];

	memcpy(saved, self->mem, sizeof(saved));
	EXPECT_EQ(0, ub_query(self->fd, query));
	EXPECT_EQ(UB_ABI_VERSION, query->abi_version);
	memcpy(self->mem, saved, sizeof(saved));
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, ub_revoke(self->fd, self->seg.handle));
	self->mem[0] = self->mem[0];
	EXPECT_EQ(16, write(fds[1], self->mem, 16));
	/* After the end it is a bad address, not a crash. */
	close(fds[0]);
	close(fds[1]);
}

TEST_F(mapping, an_argument_in_a_dead_segment_is_efault)
{
	char *p = ub_map(self->user, self->rw.mmap_offset, LEN, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, (void *)p);
	ASSERT_EQ(0, ub_revoke(self->fd, self->seg.handle));
	EXPECT_EQ(-EFAULT, ub_ioctl(self->fd, UB_IOC_QUERY, p));
	EXPECT_EQ(-1, write(2, p, 16));
	EXPECT_EQ(EFAULT, errno);
}

/* The call frees the segment that its own argument lies in. */
TEST_F(mapping, an_argument_in_the_segment_that_it_frees)
{
	struct ub_ioc_seg_alloc seg;
	struct ub_ioc_handle *arg;
	struct ub_ioc_seg_rotate *rotate;
	__u32 value;

	ASSERT_EQ(0, ub_alloc(self->fd, 0, PAGE, &seg));
	arg = ub_map(self->fd, seg.mmap_offset, PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)arg);
	*arg = (struct ub_ioc_handle){ .size = sizeof(*arg), .handle = seg.handle };
	EXPECT_EQ(0, ub_ioctl(self->fd, UB_IOC_SEG_FREE, arg));
	EXPECT_EQ(SIGBUS, ub_load(arg, &value));
	/* And one that rotates the import that it lies in: answered, then dead. */
	rotate = ub_map(self->user, self->rw.mmap_offset, PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)rotate);
	*rotate = (struct ub_ioc_seg_rotate){
		.size = sizeof(*rotate), .handle = self->seg.handle,
	};
	EXPECT_EQ(0, ub_ioctl(self->fd, UB_IOC_SEG_ROTATE, rotate));
	EXPECT_EQ(SIGBUS, ub_load(rotate, &value));
	ub_fill(self->mem, LEN, SEED);
}

TEST_HARNESS_MAIN
