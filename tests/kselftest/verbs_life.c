// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that die, queue pairs that are destroyed, modules and pods that go while they
 * are in use: nobody else is hurt, nothing is left behind.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>

#include "uverbs.h"

#define PAGE 4096UL
#define MIB (1UL << 20)

FIXTURE(verbs_life) {
	struct ub_pod pod;
	long long rings, pins;
};

/* Mappings of vmalloc that a module of ours made. */
static long long rings(void)
{
	FILE *f = fopen("/proc/vmallocinfo", "r");
	char line[256];
	long long n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, "[ub]") != NULL;
	if (f)
		fclose(f);
	return f ? n : -1;
}

/* Pages that are pinned, of anybody; each processor's share is asked for first. */
static long long pins(void)
{
	int refresh = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	long long n = 0, value;
	char name[64];
	FILE *f;

	if (refresh < 0 || write(refresh, "1", 1) != 1)
		return -1;
	close(refresh);
	f = fopen("/proc/vmstat", "r");
	while (f && fscanf(f, "%63s %lld", name, &value) == 2) {
		if (!strcmp(name, "nr_foll_pin_acquired"))
			n += value;
		if (!strcmp(name, "nr_foll_pin_released"))
			n -= value;
	}
	if (f)
		fclose(f);
	return n;
}

FIXTURE_SETUP(verbs_life)
{
	if (!uv_present())
		SKIP(return, "the module ub_verbs is not loaded");
	ub_pod_del("t-vlife", true); /* of a test that was killed */
	self->rings = rings();
	self->pins = pins();
	ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vlife", 3));
}

/* So many rings are left, soon, and no more pages pinned than before the pod. */
static void rings_are_left(struct __test_metadata *_metadata, FIXTURE_DATA(verbs_life) *self,
			   long long nr)
{
	unsigned long long end = ub_now_ns() + UB_LIVENESS_S * 1000000000ULL;

	while (ub_now_ns() < end && (rings() != nr || pins() != self->pins))
		ub_sleep_ms(20);
	EXPECT_EQ(nr, rings());
	EXPECT_EQ(self->pins, pins());
}

/* What was there before the pod, the kernel's own on other pods' devices, and no more. */
static void nothing_is_left(struct __test_metadata *_metadata, FIXTURE_DATA(verbs_life) *self)
{
	rings_are_left(_metadata, self, self->rings);
}

FIXTURE_TEARDOWN(verbs_life)
{
	ub_pod_drop(&self->pod);
}

/* ---- a process that is busy ------------------------------------------------------------ */

/* Somebody whom it may talk to, in another process. */
struct contact {
	struct uv_addr addr[2];
	struct uv_mr mr[2];	/* key and address only */
	volatile int step;
};

struct busy {
	struct uv_end end;
	struct uv_mr theirs;
	unsigned int seed;
	unsigned long long done;
};

static bool dead(const struct uv_ring *ring)
{
	return __atomic_load_n(&ring->head->flags, __ATOMIC_ACQUIRE) & UB_RING_DEAD;
}

/* Files say so first, then objects are destroyed. */
static bool will_be_dead(const struct uv_end *end)
{
	unsigned long long limit = ub_now_ns() + UB_LIVENESS_S * 1000000000ULL;

	while (!dead(&end->qp.sq) || !dead(&end->qp.rq) || !dead(&end->cq.ring)) {
		if (ub_now_ns() > limit)
			return false;
		ub_sleep_ms(1);
	}
	return true;
}

/* One turn: posts something, takes what is complete. -EIO: the device is gone. */
static int work(struct busy *b)
{
	static const enum ub_op ops[] = {
		UB_OP_WRITE, UB_OP_READ, UB_OP_SEND, UB_OP_WRITE_IMM, UB_OP_FETCH_ADD,
	};
	enum ub_op op = ops[rand_r(&b->seed) % 5];
	__u32 len = op == UB_OP_FETCH_ADD ? 8 : rand_r(&b->seed) % (b->seed & 7 ? 5000 : MIB);
	struct ub_sge sge = uv_sge(&b->end.mr, 0, len), room = uv_sge(&b->end.mr, MIB, MIB);
	struct ub_sqe sqe = uv_rdma(op, 1, &b->theirs, 0);
	struct ub_cqe cqe;
	struct uv_mr mr;
	int ret;

	ret = uv_post(&b->end.qp, sqe, &sge, 1);
	if (!ret || rand_r(&b->seed) % 4 == 0)
		ret = uv_bell(&b->end.qp);
	if (ret && ret != -ENOSPC)
		return ret;
	ret = uv_recv(&b->end.qp, 2, &room, 1);
	if (ret && ret != -ENOSPC)
		return ret;
	if (rand_r(&b->seed) % 16 == 0) {
		ret = uv_reg(&b->end.dev, &mr, b->end.mr.at, 64 * PAGE, UV_ALL) ?: uv_dereg(&mr);
		if (ret)
			return ret;
	}
	while (uv_poll(&b->end.cq, &cqe))
		b->done += !cqe.status;
	return dead(&b->end.cq.ring) ? -EIO : 0;
}

/* The second side: it works until it is killed, or the device is gone. */
static int busy_peer(unsigned int npu, struct contact *c, const struct uv_path *path,
		     unsigned int seed)
{
	static struct busy b;
	int ret;

	b.seed = seed;
	if (uv_end(&b.end, npu, 2 * MIB, NULL))
		return 1;
	uv_addr(&b.end.qp, &c->addr[1]);
	c->mr[1] = b.end.mr;
	b.theirs = c->mr[0];
	if (uv_connect(&b.end.qp, &c->addr[0], path))
		return 2;
	__atomic_store_n(&c->step, 1, __ATOMIC_RELEASE);
	while (!(ret = work(&b)))
		;
	if (ret != -EIO)
		return 3;
	/* Rings stay readable, and say so; files say so too. */
	if (!will_be_dead(&b.end))
		return 4;
	return uv_pd(&b.end.dev, &b.end.dev.pd) == -EIO ? 0 : 5;
}

/* ---- processes that die -------------------------------------------------------------------- */

UV_TEST_F(verbs_life, killed_at_random_points)
{
	static const struct uv_path path = {
		.timeout = 9, .retry = 2, .rnr_retry = 7, .rnr_timer = 1, .access = UV_ALL,
	};
	int i, rounds = ub_long() ? 1000 : ub_debug_kernel() ? 12 : 100, begun = 0, status;
	struct contact *c = uv_memory(sizeof(*c));
	unsigned int seed = ub_seed();
	unsigned long long end;
	struct busy b = { .seed = seed };
	struct ub_sge sge;
	pid_t pid;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, uv_end(&b.end, self->pod.npu[0], 2 * MIB, NULL));
	c->mr[0] = b.end.mr;
	for (i = 0; i < rounds; i++) {
		c->step = 0;
		uv_addr(&b.end.qp, &c->addr[0]);
		pid = ub_fork();
		if (!pid)
			_exit(busy_peer(self->pod.npu[i % 3], c, &path, seed + i));
		/* Some die while they make their objects, the others at work. */
		if (i & 1)
			ASSERT_EQ(0, ub_until(&c->step, 1));
		end = ub_now_ns() + rand_r(&seed) % 60 * 1000000ULL;
		/* At least once: who is at work already is always seen to be. */
		do {
			if (!c->step)
				continue;
			if (!b.theirs.key) {
				begun++;
				b.theirs = c->mr[1];
				ASSERT_EQ(0, uv_connect(&b.end.qp, &c->addr[1], &path));
			}
			ASSERT_EQ(0, work(&b));
		} while (ub_now_ns() < end);
		kill(pid, SIGKILL);
		ASSERT_EQ(-SIGKILL, ub_join(pid));
		if (b.theirs.key) {
			/* It learns that nobody is there any more. */
			sge = uv_sge(&b.end.mr, 0, 8);
			ASSERT_NE(-EIO, uv_send(&b.end.qp, uv_rdma(UB_OP_WRITE, 3, &b.theirs, 0),
						&sge, 1));
			end = ub_now_ns() + UB_LIVENESS_S * 1000000000ULL;
			while ((status = uv_state(&b.end.qp)) != UV_ERR && ub_now_ns() < end)
				uv_count_for(&b.end.cq, 1);
			ASSERT_EQ(UV_ERR, status);
		}
		ASSERT_EQ(0, uv_set_state(&b.end.qp, UV_RESET));
		uv_count_for(&b.end.cq, 1);
		b.end.qp.sq.index = b.end.qp.sq.head->producer;
		b.end.qp.rq.index = b.end.qp.rq.head->producer;
		b.theirs.key = 0;
	}
	printf("# %d of %d peers were at work, %llu requests\n", begun, rounds, b.done);
	EXPECT_LE(rounds / 2, begun);
	uv_end_close(&b.end);
	EXPECT_EQ(0, ub_pod_del("t-vlife", false));
	nothing_is_left(_metadata, self);
}

/* A child has neither the rings nor a claim on the device; its parent goes on. */
UV_TEST_F(verbs_life, a_child_that_was_forked)
{
	struct uv_end a, b;
	struct ub_sge sge;
	__u32 value;
	pid_t pid;
	char *at;
	int i;

	ASSERT_EQ(0, uv_ends(&a, &b, &self->pod, MIB, NULL, NULL));
	/* Private memory that is registered stays the parent's when it writes. */
	at = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)at);
	ub_fill(at, 16 * PAGE, 1);
	ASSERT_EQ(0, uv_reg(&b.dev, &b.mr, at, 16 * PAGE, UV_ALL));
	for (i = 2; i < 12; i++) {
		pid = ub_fork();
		if (!pid) {
			if (ub_load(&a.qp.sq.head->producer, &value) != SIGSEGV ||
			    ub_load(&a.cq.ring.head->producer, &value) != SIGSEGV)
				_exit(1);
			close(a.dev.fd);
			/* Its copy of the memory is as it was. */
			ub_sleep_ms(5);
			_exit(ub_differs(at, 16 * PAGE, i - 1) == -1 ? 0 : 2);
		}
		ub_fill(a.mr.at, 16 * PAGE, i);
		sge = uv_sge(&a.mr, 0, 16 * PAGE);
		ASSERT_EQ(0, uv_do(&a.qp, &a.cq, uv_rdma(UB_OP_WRITE, i, &b.mr, 0), &sge, 1));
		ASSERT_EQ(-1, ub_differs(at, 16 * PAGE, i));
		ASSERT_EQ(0, ub_join(pid));
	}
	EXPECT_EQ(0, uv_do(&a.qp, &a.cq, uv_rdma(UB_OP_WRITE, i, &b.mr, 0), &sge, 1));
}

/* ---- queue pairs that are destroyed --------------------------------------------------- */

struct sender {
	enum ub_op op;
	struct uv_end end;
	struct uv_mr theirs;
	int status;
	volatile int running;
};

static void *send_on(void *data)
{
	struct sender *s = data;
	struct ub_sge sge = uv_sge(&s->end.mr, 0, MIB);

	do {
		s->status = uv_do(&s->end.qp, &s->end.cq, uv_rdma(s->op, 1, &s->theirs, 0),
				  &sge, 1);
		s->running = 1;
	} while (!s->status);
	return NULL;
}

UV_TEST_F(verbs_life, destroyed_while_its_peer_sends)
{
	static const struct uv_path path = { .timeout = 9, .retry = 1, .access = UV_ALL };
	int i, rounds = ub_debug_kernel() ? 10 : 80;
	struct sender s = { .op = UB_OP_WRITE };
	struct uv_qp_want want = {};
	struct ub_sge sge;
	struct uv_end b;
	pthread_t thread;

	ASSERT_EQ(0, uv_ends(&s.end, &b, &self->pod, MIB, NULL, &path));
	memset(s.end.mr.at, 0x55, MIB);
	s.theirs = b.mr;
	want.send_cq = &b.cq;
	for (i = 0; i < rounds; i++) {
		s.running = 0;
		ASSERT_EQ(0, pthread_create(&thread, NULL, send_on, &s));
		ASSERT_EQ(0, ub_until(&s.running, 1));
		usleep(i * 41 % 500);
		ASSERT_EQ(0, i & 1 ? uv_qp_destroy(&b.qp) : uv_set_state(&b.qp, UV_RESET));
		memset(b.mr.at, 0, MIB);
		pthread_join(thread, NULL);
		EXPECT_EQ(UB_CR_RETRY_EXCEEDED, s.status);
		/* Nothing came after it. */
		EXPECT_TRUE(ub_is_zero(b.mr.at, MIB));
		if (i & 1)
			ASSERT_EQ(0, uv_qp(&b.dev, &b.qp, &want));
		ASSERT_EQ(0, uv_set_state(&s.end.qp, UV_RESET));
		ASSERT_EQ(0, uv_pair(&s.end.qp, &b.qp, &path));
	}
	/* The sender may go in the middle as well, and the whole of it. */
	sge = uv_sge(&s.end.mr, 0, MIB);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, uv_post(&s.end.qp, uv_rdma(UB_OP_WRITE, i, &b.mr, 0), &sge, 1));
	ASSERT_EQ(0, uv_bell(&s.end.qp));
	uv_end_close(&s.end);
	uv_end_close(&b);
	EXPECT_EQ(0, ub_pod_del("t-vlife", false));
	nothing_is_left(_metadata, self);
}

/* A receive that is flushed is the user's again, though its message was coming. */
UV_TEST_F(verbs_life, flushed_while_a_message_comes)
{
	static const struct uv_path path = {
		.timeout = 9, .retry = 1, .rnr_retry = 7, .rnr_timer = 1, .access = UV_ALL,
	};
	int i, status, rounds = ub_debug_kernel() ? 10 : 80, halfway = 0;
	struct sender s = { .op = UB_OP_SEND };
	struct ub_sge room;
	struct uv_end b;
	pthread_t thread;

	ASSERT_EQ(0, uv_ends(&s.end, &b, &self->pod, MIB, NULL, &path));
	memset(s.end.mr.at, 0x55, MIB);
	room = uv_sge(&b.mr, 0, MIB);
	for (i = 0; i < rounds; i++) {
		s.running = 0;
		ASSERT_EQ(0, uv_recv(&b.qp, 1, &room, 1));
		ASSERT_EQ(0, uv_recv(&b.qp, 2, &room, 1));
		ASSERT_EQ(0, pthread_create(&thread, NULL, send_on, &s));
		ASSERT_EQ(0, uv_status(&b.cq, 1));
		usleep(i * 41 % 500);
		memset(b.mr.at, 0, MIB);
		ASSERT_EQ(0, uv_set_state(&b.qp, UV_ERR));
		status = uv_status(&b.cq, 2);
		ASSERT_TRUE(status == UB_CR_SUCCESS || status == UB_CR_FLUSH);
		halfway += status == UB_CR_FLUSH && !ub_is_zero(b.mr.at, MIB);
		memset(b.mr.at, 0, MIB);
		pthread_join(thread, NULL);
		EXPECT_EQ(UB_CR_RETRY_EXCEEDED, s.status);
		ASSERT_TRUE(ub_is_zero(b.mr.at, MIB));
		ASSERT_EQ(0, uv_set_state(&b.qp, UV_RESET));
		ASSERT_EQ(0, uv_set_state(&s.end.qp, UV_RESET));
		ASSERT_EQ(0, uv_pair(&s.end.qp, &b.qp, &path));
	}
	printf("# %d of %d were halfway there\n", halfway, rounds);
}

/* ---- devices that go ------------------------------------------------------------------ */

#define PAIRS 2

struct crowd {
	struct contact *contact;
	pid_t pid[2 * PAIRS];
};

static int first_side(unsigned int npu, struct contact *c, unsigned int seed)
{
	static struct busy b;
	int ret;

	b.seed = seed;
	if (uv_end(&b.end, npu, 2 * MIB, NULL))
		return 11;
	c->mr[0] = b.end.mr;
	uv_addr(&b.end.qp, &c->addr[0]);
	__atomic_store_n(&c->step, -1, __ATOMIC_RELEASE);
	if (ub_until(&c->step, 1))
		return 12;
	b.theirs = c->mr[1];
	if (uv_connect(&b.end.qp, &c->addr[1], NULL))
		return 13;
	__atomic_store_n(&c->step, 2, __ATOMIC_RELEASE);
	while (!(ret = work(&b)))
		;
	return ret == -EIO && will_be_dead(&b.end) ? 0 : 14;
}

/* Pairs of processes that talk to each other until their devices are gone. */
static int crowd_start(FIXTURE_DATA(verbs_life) *self, struct crowd *crowd, unsigned int seed)
{
	int i;

	crowd->contact = uv_memory(PAIRS * sizeof(struct contact));
	for (i = 0; i < PAIRS; i++) {
		struct contact *c = &crowd->contact[i];

		c->step = 0;
		crowd->pid[2 * i] = ub_fork();
		if (!crowd->pid[2 * i])
			_exit(first_side(self->pod.npu[i], c, seed + i));
		if (ub_until(&c->step, -1))
			return -ETIMEDOUT;
		crowd->pid[2 * i + 1] = ub_fork();
		if (!crowd->pid[2 * i + 1])
			_exit(busy_peer(self->pod.npu[2], c, &(struct uv_path)UV_PATH, ~seed + i));
		if (ub_until(&c->step, 2))
			return -ETIMEDOUT;
	}
	return 0;
}

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

static int exchange(FIXTURE_DATA(verbs_life) *self)
{
	struct uv_end a, b;
	struct ub_sge sge;
	int ret = uv_ends(&a, &b, &self->pod, PAGE, NULL, NULL);

	if (ret)
		return ret;
	sge = uv_sge(&a.mr, 0, PAGE);
	ub_fill(a.mr.at, PAGE, 1);
	ret = uv_do(&a.qp, &a.cq, uv_rdma(UB_OP_WRITE, 1, &b.mr, 0), &sge, 1);
	ret = ret ?: ub_differs(b.mr.at, PAGE, 1) == -1 ? 0 : -EILSEQ;
	uv_end_close(&a);
	uv_end_close(&b);
	return ret;
}

UV_TEST_F(verbs_life, a_pod_that_is_removed_under_load)
{
	int i, k, rounds = ub_debug_kernel() ? 2 : 10;
	unsigned int seed = ub_seed();
	unsigned long long start;
	struct crowd crowd;

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, crowd_start(self, &crowd, seed + i));
		EXPECT_EQ(-EBUSY, ub_pod_del("t-vlife", false));
		ub_sleep_ms(rand_r(&seed) % 100);
		start = ub_now_ns();
		ASSERT_EQ(0, ub_pod_del("t-vlife", true));
		printf("# removed after %llu ms\n", (ub_now_ns() - start) / 1000000);
		for (k = 0; k < 2 * PAIRS; k++)
			ASSERT_EQ(0, ub_join(crowd.pid[k]));
		nothing_is_left(_metadata, self);
		ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vlife", 3));
	}
	EXPECT_EQ(0, exchange(self));
}

UV_TEST_F(verbs_life, a_module_that_is_unloaded_under_load)
{
	int i, k, rounds = ub_debug_kernel() ? 2 : 5;
	unsigned int seed = ub_seed();
	unsigned long long start;
	struct crowd crowd;

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, crowd_start(self, &crowd, seed + i));
		ub_sleep_ms(rand_r(&seed) % 100);
		start = ub_now_ns();
		ASSERT_EQ(0, unload("ub_verbs"));
		printf("# unloaded after %llu ms\n", (ub_now_ns() - start) / 1000000);
		for (k = 0; k < 2 * PAIRS; k++)
			ASSERT_EQ(0, ub_join(crowd.pid[k]));
		/* Of all pods: without devices the kernel has no QP of its own either. */
		rings_are_left(_metadata, self, 0);
		if (system("modprobe ub_verbs"))
			SKIP(return, "modprobe does not find ub_verbs; load it again by hand");
		ub_pod_drop(&self->pod);
		/* Other pods have their devices again, and the rings of these. */
		nothing_is_left(_metadata, self);
		ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vlife", 3));
	}
	EXPECT_EQ(0, exchange(self));
}

TEST_HARNESS_MAIN
