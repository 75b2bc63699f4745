/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of ub do again and again: pods, devices, the ioctls, touching
 * memory that may raise SIGBUS, and other processes.
 *
 * Functions return 0 (or a file descriptor) or -errno; the tests judge.
 */
#ifndef UB_TEST_H
#define UB_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ub/ioctl.h>

#include "ub_genl.h"
#include "ub_harness.h"

#define UB_LIVENESS_S	10	/* nothing of what we wait for may take longer */
#define UB_MAX_TEST_NPUS 64

#define RW (UB_ACCESS_READ | UB_ACCESS_WRITE)

/* ---- pods -------------------------------------------------------------------- */

/* A pod that a test has for itself. */
struct ub_pod {
	char name[UB_NAME_LEN];
	unsigned int nr;
	unsigned int npu[UB_MAX_TEST_NPUS];	/* N of /dev/ub/ubN, by index */
};

/* Makes one. */
int ub_pod_make(struct ub_pod *pod, const char *name, unsigned int npus,
		unsigned int mem_mib);
void ub_pod_drop(struct ub_pod *pod);

/* Port of NPU @from (an index) to NPU @to in a mesh1d. */
unsigned int ub_mesh_port(unsigned int from, unsigned int to);
int ub_mesh_link_set(const struct ub_pod *pod, unsigned int a, unsigned int b, bool up);
/* All links of NPU @index. */
int ub_mesh_isolate(const struct ub_pod *pod, unsigned int index, bool up);

/* A number in /sys/class/ub/ubN/, or -errno. */
long long ub_sysfs(unsigned int npu, const char *file);
/* A parameter of ub.ko; the old value is returned, or -errno. */
long long ub_param_set(const char *name, long long value);

/* ---- ioctls -------------------------------------------------------------------- */

int ub_open(unsigned int npu);
int ub_open_flags(unsigned int npu, int flags);
int ub_ioctl(int fd, unsigned long nr, void *arg);
int ub_query(int fd, struct ub_ioc_query *query);
int ub_alloc(int fd, __u32 flags, __u64 length, struct ub_ioc_seg_alloc *seg);
int ub_free(int fd, __u32 handle);
int ub_export(int fd, __u32 handle, __u32 access, __u32 flags,
	      struct ub_ioc_seg_export *token);
int ub_rotate(int fd, __u32 handle, __u32 *value);
int ub_revoke(int fd, __u32 handle);
int ub_unimport(int fd, __u32 handle);
int ub_wait(int fd, __u32 handle, __u64 offset, __u32 expected, __s64 timeout_ns);
int ub_wake(int fd, __u32 handle, __u64 offset, __u32 count, __u32 *woken);
int ub_copy(int fd, __u32 src, __u64 src_offset, __u32 dst, __u64 dst_offset,
	    __u64 length, __u64 *copied);

/* What is needed to import a segment. */
struct ub_cred {
	__u8 eid[UB_EID_LEN];
	__u32 id;
	__u32 value;
};

/* Exports and fills in all three. */
int ub_share(int fd, __u32 handle, __u32 access, __u32 flags, struct ub_cred *cred);
int ub_import(int fd, const struct ub_cred *cred, __u32 access, __u32 flags,
	      struct ub_ioc_seg_import *import);
void *ub_map(int fd, __u64 offset, size_t len, int prot);

/* How many handles the context has: allocates the next and looks at its number. */
int ub_next_handle(int fd);

/* The import's word in the states page, and the status area. */
const volatile struct ub_import_state *ub_states(int fd);
const volatile struct ub_status *ub_status(int fd);

/* ---- memory that may raise SIGBUS ----------------------------------------------- */

/* Return 0, or the signal (SIGBUS, SIGSEGV). Any thread may call them. */
int ub_load(const volatile void *at, __u32 *value);
int ub_store(volatile void *at, __u32 value);

void ub_fill(void *to, size_t len, __u32 seed);
/* Offset of the first byte that is not as ub_fill() made it, or -1. */
long ub_differs(const void *at, size_t len, __u32 seed);
bool ub_is_zero(const void *at, size_t len);

/* ---- processes ------------------------------------------------------------------ */

/* Shared by a test and its children: numbers, and a step that all can wait for. */
struct ub_board {
	volatile int step;
	volatile int n[15];
	struct ub_cred cred;
	struct ub_ioc_seg_alloc seg;
	volatile unsigned long long u[8];
};

struct ub_board *ub_board_make(void);
void ub_step(struct ub_board *board, int step);
/* 0, or -ETIMEDOUT after the liveness limit. */
int ub_step_wait(struct ub_board *board, int step);

/* fork(); the child dies with its parent. */
pid_t ub_fork(void);
/* Exit status, -signal, or -ETIMEDOUT - 1000 (the child is killed then). */
int ub_join(pid_t pid);
/* Gives up root, for good, but may still open the devices. */
int ub_become(uid_t uid);
/* Waits until *@word is @value: 0 or -ETIMEDOUT. */
int ub_until(const volatile int *word, int value);

void ub_sleep_ms(unsigned int ms);
unsigned long long ub_now_ns(void);

/* A seed: UB_TEST_SEED or a random one, printed. */
unsigned int ub_seed(void);
/* UB_TEST_LONG asks for the storms at full length. */
bool ub_long(void);
/* A kernel that checks everything is slow: KASAN, lockdep. */
bool ub_debug_kernel(void);

#endif /* UB_TEST_H */
