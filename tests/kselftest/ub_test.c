// SPDX-License-Identifier: GPL-2.0
/* See ub_test.h. */
#define _GNU_SOURCE
#include <dirent.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "ub_test.h"

/* ---- pods -------------------------------------------------------------------- */

static int ub_read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return -errno;
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return 0;
}

long long ub_sysfs(unsigned int npu, const char *file)
{
	char path[128], text[64];
	int ret;

	snprintf(path, sizeof(path), "/sys/class/ub/ub%u/%s", npu, file);
	ret = ub_read_text(path, text, sizeof(text));
	return ret ?: strtoll(text, NULL, 0);
}

long long ub_param_set(const char *name, long long value)
{
	char path[128], text[64];
	long long old;
	int ret, fd;

	snprintf(path, sizeof(path), "/sys/module/ub/parameters/%s", name);
	ret = ub_read_text(path, text, sizeof(text));
	if (ret)
		return ret;
	old = strtoll(text, NULL, 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(text, sizeof(text), "%lld", value);
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret ?: old;
}

/* The devices of a pod, by index. */
static int ub_pod_scan(struct ub_pod *pod)
{
	DIR *dir = opendir("/sys/class/ub");
	char path[PATH_MAX], text[64];
	struct dirent *entry;
	long long index;
	unsigned int n;

	if (!dir)
		return -errno;
	pod->nr = 0;
	while ((entry = readdir(dir))) {
		if (sscanf(entry->d_name, "ub%u", &n) != 1)
			continue;
		snprintf(path, sizeof(path), "/sys/class/ub/%s/pod", entry->d_name);
		if (ub_read_text(path, text, sizeof(text)) || strcmp(text, pod->name))
			continue;
		index = ub_sysfs(n, "index");
		if (index < 0 || index >= UB_MAX_TEST_NPUS)
			continue;
		pod->npu[index] = n;
		pod->nr++;
		snprintf(path, sizeof(path), "/dev/ub/ub%u", n);
		chmod(path, 0666);
	}
	closedir(dir);
	return 0;
}

int ub_pod_make(struct ub_pod *pod, const char *name, unsigned int npus,
		unsigned int mem_mib)
{
	int ret;

	snprintf(pod->name, sizeof(pod->name), "%s", name);
	ub_pod_del(name, true); /* of a test that was killed */
	ret = ub_pod_add(name, npus, mem_mib);
	if (ret)
		return ret;
	ret = ub_pod_scan(pod);
	return ret ?: pod->nr == npus ? 0 : -ENODEV;
}

void ub_pod_drop(struct ub_pod *pod)
{
	ub_pod_del(pod->name, true);
}

unsigned int ub_mesh_port(unsigned int from, unsigned int to)
{
	return to < from ? to : to - 1;
}

int ub_mesh_link_set(const struct ub_pod *pod, unsigned int a, unsigned int b, bool up)
{
	return ub_link_set(pod->npu[a], ub_mesh_port(a, b), up);
}

int ub_mesh_isolate(const struct ub_pod *pod, unsigned int index, bool up)
{
	unsigned int port;
	int ret = 0;

	for (port = 0; !ret && port < pod->nr - 1; port++)
		ret = ub_link_set(pod->npu[index], port, up);
	return ret;
}

/* ---- ioctls -------------------------------------------------------------------- */

int ub_open_flags(unsigned int npu, int flags)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/ub/ub%u", npu);
	fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

int ub_open(unsigned int npu)
{
	return ub_open_flags(npu, O_RDWR | O_CLOEXEC);
}

int ub_ioctl(int fd, unsigned long nr, void *arg)
{
	return ioctl(fd, nr, arg) < 0 ? -errno : 0;
}

int ub_query(int fd, struct ub_ioc_query *query)
{
	memset(query, 0, sizeof(*query));
	query->size = sizeof(*query);
	return ub_ioctl(fd, UB_IOC_QUERY, query);
}

int ub_alloc(int fd, __u32 flags, __u64 length, struct ub_ioc_seg_alloc *seg)
{
	*seg = (struct ub_ioc_seg_alloc){
		.size = sizeof(*seg), .flags = flags, .length = length,
	};
	return ub_ioctl(fd, UB_IOC_SEG_ALLOC, seg);
}

static int ub_on_handle(int fd, unsigned long nr, __u32 handle)
{
	struct ub_ioc_handle arg = { .size = sizeof(arg), .handle = handle };

	return ub_ioctl(fd, nr, &arg);
}

int ub_free(int fd, __u32 handle)
{
	return ub_on_handle(fd, UB_IOC_SEG_FREE, handle);
}

int ub_revoke(int fd, __u32 handle)
{
	return ub_on_handle(fd, UB_IOC_SEG_REVOKE, handle);
}

int ub_unimport(int fd, __u32 handle)
{
	return ub_on_handle(fd, UB_IOC_SEG_UNIMPORT, handle);
}

int ub_export(int fd, __u32 handle, __u32 access, __u32 flags,
	      struct ub_ioc_seg_export *token)
{
	*token = (struct ub_ioc_seg_export){
		.size = sizeof(*token), .handle = handle, .access = access, .flags = flags,
	};
	return ub_ioctl(fd, UB_IOC_SEG_EXPORT, token);
}

int ub_rotate(int fd, __u32 handle, __u32 *value)
{
	struct ub_ioc_seg_rotate arg = { .size = sizeof(arg), .handle = handle };
	int ret = ub_ioctl(fd, UB_IOC_SEG_ROTATE, &arg);

	if (!ret && value)
		*value = arg.token_value;
	return ret;
}

int ub_wait(int fd, __u32 handle, __u64 offset, __u32 expected, __s64 timeout_ns)
{
	struct ub_ioc_wait arg = {
		.size = sizeof(arg), .handle = handle, .offset = offset,
		.expected = expected, .timeout_ns = timeout_ns,
	};

	return ub_ioctl(fd, UB_IOC_WAIT, &arg);
}

int ub_wake(int fd, __u32 handle, __u64 offset, __u32 count, __u32 *woken)
{
	struct ub_ioc_wake arg = {
		.size = sizeof(arg), .handle = handle, .offset = offset, .count = count,
	};
	int ret = ub_ioctl(fd, UB_IOC_WAKE, &arg);

	if (!ret && woken)
		*woken = arg.woken;
	return ret;
}

int ub_copy(int fd, __u32 src, __u64 src_offset, __u32 dst, __u64 dst_offset,
	    __u64 length, __u64 *copied)
{
	struct ub_ioc_copy arg = {
		.size = sizeof(arg), .src = src, .dst = dst, .src_offset = src_offset,
		.dst_offset = dst_offset, .length = length, .copied = ~0ULL,
	};
	int ret = ub_ioctl(fd, UB_IOC_COPY, &arg);

	if (copied)
		*copied = arg.copied;
	return ret;
}

int ub_share(int fd, __u32 handle, __u32 access, __u32 flags, struct ub_cred *cred)
{
	struct ub_ioc_seg_export token;
	struct ub_ioc_query query;
	int ret = ub_query(fd, &query) ?: ub_export(fd, handle, access, flags, &token);

	if (ret)
		return ret;
	memcpy(cred->eid, query.eid, sizeof(cred->eid));
	cred->id = token.token_id;
	cred->value = token.token_value;
	return 0;
}

int ub_import(int fd, const struct ub_cred *cred, __u32 access, __u32 flags,
	      struct ub_ioc_seg_import *import)
{
	*import = (struct ub_ioc_seg_import){
		.size = sizeof(*import), .flags = flags, .token_id = cred->id,
		.token_value = cred->value, .access = access,
	};
	memcpy(import->eid, cred->eid, sizeof(import->eid));
	return ub_ioctl(fd, UB_IOC_SEG_IMPORT, import);
}

void *ub_map(int fd, __u64 offset, size_t len, int prot)
{
	return mmap(NULL, len, prot, MAP_SHARED, fd, offset);
}

int ub_next_handle(int fd)
{
	struct ub_ioc_seg_alloc seg;
	int ret = ub_alloc(fd, 0, 4096, &seg);

	if (ret)
		return ret;
	ub_free(fd, seg.handle);
	return seg.handle;
}

const volatile struct ub_import_state *ub_states(int fd)
{
	return mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, UB_MMAP_STATES);
}

const volatile struct ub_status *ub_status(int fd)
{
	return mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, UB_MMAP_STATUS);
}

/* ---- memory that may raise SIGBUS ----------------------------------------------- */

static __thread sigjmp_buf ub_back;
static __thread volatile sig_atomic_t ub_touching;

static void ub_on_fault(int sig)
{
	if (ub_touching)
		siglongjmp(ub_back, sig);
	/* Not ours to survive. */
	signal(sig, SIG_DFL);
	raise(sig);
}

static void __attribute__((constructor)) ub_catch_faults(void)
{
	struct sigaction action = { .sa_handler = ub_on_fault, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

int ub_load(const volatile void *at, __u32 *value)
{
	int sig = sigsetjmp(ub_back, 1);

	if (!sig) {
		ub_touching = 1;
		*value = *(const volatile __u32 *)at;
	}
	ub_touching = 0;
	return sig;
}

int ub_store(volatile void *at, __u32 value)
{
	int sig = sigsetjmp(ub_back, 1);

	if (!sig) {
		ub_touching = 1;
		*(volatile __u32 *)at = value;
	}
	ub_touching = 0;
	return sig;
}

static __u8 ub_pattern(size_t i, __u32 seed)
{
	return (i * 2654435761u ^ seed * 40503u) >> 13;
}

void ub_fill(void *to, size_t len, __u32 seed)
{
	__u8 *p = to;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = ub_pattern(i, seed);
}

long ub_differs(const void *at, size_t len, __u32 seed)
{
	const __u8 *p = at;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != ub_pattern(i, seed))
			return i;
	return -1;
}

bool ub_is_zero(const void *at, size_t len)
{
	const __u8 *p = at;

	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

/* ---- processes ------------------------------------------------------------------ */

struct ub_board *ub_board_make(void)
{
	void *board = mmap(NULL, sizeof(struct ub_board), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return board == MAP_FAILED ? NULL : board;
}

void ub_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

unsigned long long ub_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

int ub_until(const volatile int *word, int value)
{
	unsigned long long end = ub_now_ns() + UB_LIVENESS_S * 1000000000ULL;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) {
		if (ub_now_ns() > end)
			return -ETIMEDOUT;
		ub_sleep_ms(1);
	}
	return 0;
}

void ub_step(struct ub_board *board, int step)
{
	__atomic_store_n(&board->step, step, __ATOMIC_RELEASE);
}

int ub_step_wait(struct ub_board *board, int step)
{
	unsigned long long end = ub_now_ns() + UB_LIVENESS_S * 1000000000ULL;

	while (__atomic_load_n(&board->step, __ATOMIC_ACQUIRE) < step) {
		if (ub_now_ns() > end)
			return -ETIMEDOUT;
		ub_sleep_ms(1);
	}
	return 0;
}

pid_t ub_fork(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

int ub_join(pid_t pid)
{
	unsigned long long end = ub_now_ns() + 2 * UB_LIVENESS_S * 1000000000ULL;
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (ub_now_ns() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -ETIMEDOUT - 1000;
		}
		ub_sleep_ms(3);
	}
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int ub_become(uid_t uid)
{
	int ret = setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid);

	/* Changing the uid clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return ret ? -errno : 0;
}

unsigned int ub_seed(void)
{
	const char *text = getenv("UB_TEST_SEED");
	unsigned int seed = text ? strtoul(text, NULL, 0) : (unsigned int)ub_now_ns();

	printf("# UB_TEST_SEED=%u\n", seed);
	return seed;
}

bool ub_long(void)
{
	return getenv("UB_TEST_LONG") != NULL;
}

bool ub_debug_kernel(void)
{
	static int debug = -1;

	/* lockdep shows itself there. */
	if (debug < 0)
		debug = !access("/proc/lockdep_stats", F_OK) ||
			!access("/sys/kernel/debug/kmemleak", F_OK);
	return debug;
}
