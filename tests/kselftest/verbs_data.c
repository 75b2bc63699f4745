// SPDX-License-Identifier: GPL-2.0
/* Every byte of every kind of request arrives, at its place, and nothing else changes. */
#define _GNU_SOURCE
#include "uverbs.h"

#define KIB 1024UL
#define MIB (1UL << 20)
#define ROOM (8 * MIB)

FIXTURE(verbs_data) {
	struct ub_pod pod;
	struct uv_end a, b;
};

FIXTURE_SETUP(verbs_data)
{
	struct uv_qp_want want = { .sge = UB_MAX_SGE, .inline_bytes = UB_MAX_INLINE };

	if (!uv_present())
		SKIP(return, "the module ub_verbs is not loaded");
	ASSERT_EQ(0, uv_pod_make(&self->pod, "t-vdata", 2));
	ASSERT_EQ(0, uv_ends(&self->a, &self->b, &self->pod, ROOM, &want, NULL));
}

FIXTURE_TEARDOWN(verbs_data)
{
	ub_pod_drop(&self->pod);
}

/* ---- one transfer ------------------------------------------------------------------ */

enum way { WRITE, READ, SEND, WRITE_IMM, WRITE_INLINE, SEND_INLINE, NR_WAYS };

static const char *const way_name[] = {
	"write", "read", "send", "write-imm", "inline write", "inline send",
};

/* Bytes on both sides of the target that must stay. */
#define MARGIN 64
#define MARK 0x5a

/*
 * Moves @len bytes from @from of one side to @to of the other; 0, or which step was
 * wrong. A read goes from b to a, all else from a to b.
 */
static int transfer(FIXTURE_DATA(verbs_data) *self, enum way way, size_t from, size_t to,
		    __u32 len, __u32 seed)
{
	struct uv_end *a = &self->a, *b = &self->b;
	char *source = (way == READ ? b : a)->mr.at + from;
	char *target = (way == READ ? a : b)->mr.at + to;
	struct ub_sge sge = uv_sge(&a->mr, way == READ ? to : from, len);
	struct ub_sge room = uv_sge(&b->mr, to, len);
	struct ub_sqe sqe = uv_rdma(UB_OP_WRITE, seed, &b->mr, way == READ ? from : to);
	bool received = way == SEND || way == WRITE_IMM || way == SEND_INLINE;
	char mark[MARGIN];
	struct ub_cqe cqe;
	int ret;

	memset(mark, MARK, sizeof(mark));
	memset(target - MARGIN, MARK, len + 2 * MARGIN);
	ub_fill(source, len, seed);
	if (way == READ)
		sqe.op = UB_OP_READ;
	else if (way == WRITE_IMM)
		sqe.op = UB_OP_WRITE_IMM;
	else if (received)
		sqe.op = UB_OP_SEND;
	sqe.imm = seed;
	if (received && uv_recv(&b->qp, ~seed, &room, way == WRITE_IMM ? 0 : 1))
		return 1;
	if (way == WRITE_INLINE || way == SEND_INLINE) {
		ret = uv_post_inline(&a->qp, sqe, source, len) ?: uv_bell(&a->qp);
		/* It was taken at once; what it was taken from may change. */
		memset(source, 0, len);
	} else {
		ret = uv_send(&a->qp, sqe, &sge, 1);
	}
	if (ret || uv_next(&a->cq, &cqe))
		return 2;
	if (cqe.status || cqe.wr_id != seed || cqe.jetty != a->qp.number)
		return 3;
	if (received) {
		if (uv_next(&b->cq, &cqe) || cqe.status || cqe.wr_id != ~seed)
			return 4;
		if (cqe.length != len || (way == WRITE_IMM && cqe.imm != seed))
			return 5;
	}
	if (ub_differs(target, len, seed) != -1)
		return 6;
	if (memcmp(target - MARGIN, mark, MARGIN) || memcmp(target + len, mark, MARGIN))
		return 7;
	return 0;
}

static bool moves(FIXTURE_DATA(verbs_data) *self, enum way way, size_t from, size_t to,
		  __u32 len)
{
	static __u32 seed;
	int wrong = transfer(self, way, 4096 + from, 4096 + to, len, ++seed);

	if (wrong)
		printf("# %s of %u bytes from +%zu to +%zu: step %d\n", way_name[way], len,
		       from, to, wrong);
	return !wrong;
}

/* ---- sizes and places ---------------------------------------------------------------- */

UV_TEST_F(verbs_data, every_size_at_odd_places)
{
	__u32 step = ub_debug_kernel() ? 19 : 1, len;
	enum way way;

	ASSERT_EQ(UB_MAX_INLINE, self->a.qp.inline_bytes);
	for (way = 0; way < NR_WAYS; way++) {
		__u32 most = way >= WRITE_INLINE ? UB_MAX_INLINE : 4200;

		for (len = 0; len <= most; len += step)
			ASSERT_TRUE(moves(self, way, len * 7 % 61, len * 13 % 59, len));
	}
}

UV_TEST_F(verbs_data, every_alignment)
{
	static const __u32 lens[] = { 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33 };
	int step = ub_debug_kernel() ? 3 : 1, from, to, i;

	for (i = 0; i < 11; i++) {
		for (from = 0; from < 16; from += step) {
			for (to = 0; to < 16; to++) {
				ASSERT_TRUE(moves(self, WRITE, from, to, lens[i]));
				ASSERT_TRUE(moves(self, READ, 4090 + from, to, lens[i]));
			}
		}
	}
}

UV_TEST_F(verbs_data, sizes_around_chunks_and_budgets)
{
	static const __u32 around[] = {
		64 * KIB, 128 * KIB, 192 * KIB, MIB - 64 * KIB, MIB, MIB + 64 * KIB, 3 * MIB,
	};
	unsigned int i, nr = ub_debug_kernel() ? 3 : 7;
	int off;

	for (i = 0; i < nr; i++)
		for (off = -1; off <= 1; off++) {
			ASSERT_TRUE(moves(self, WRITE, 0, 0, around[i] + off));
			ASSERT_TRUE(moves(self, WRITE, 3, 4095, around[i] + off));
			ASSERT_TRUE(moves(self, READ, 4093, 7, around[i] + off));
			ASSERT_TRUE(moves(self, SEND, 1, 0, around[i] + off));
			ASSERT_TRUE(moves(self, WRITE_IMM, 9, 2, around[i] + off));
		}
}

/* ---- pieces ---------------------------------------------------------------------------- */

/* Cuts @total bytes into 32 pieces with gaps, across pages; some are empty. */
static void cut(struct ub_sge *sge, const struct uv_mr *mr, size_t total, unsigned int *seed)
{
	size_t at = 4096 + rand_r(seed) % 64, left = total, n;
	int i;

	for (i = 0; i < UB_MAX_SGE; i++) {
		n = i == UB_MAX_SGE - 1 ? left : rand_r(seed) % (2 * total / UB_MAX_SGE);
		n = rand_r(seed) % 8 || i == UB_MAX_SGE - 1 ? n : 0;
		n = n < left ? n : left;
		sge[i] = uv_sge(mr, at, n);
		at += n + rand_r(seed) % 5000;
		left -= n;
	}
}

static void scatter(const struct ub_sge *sge, const char *from)
{
	int i;

	for (i = 0; i < UB_MAX_SGE; from += sge[i++].length)
		memcpy((void *)(uintptr_t)sge[i].addr, from, sge[i].length);
}

static void gather(const struct ub_sge *sge, char *to)
{
	int i;

	for (i = 0; i < UB_MAX_SGE; to += sge[i++].length)
		memcpy(to, (void *)(uintptr_t)sge[i].addr, sge[i].length);
}

UV_TEST_F(verbs_data, thirty_two_pieces_on_both_sides)
{
	struct uv_end *a = &self->a, *b = &self->b;
	struct ub_sge from[UB_MAX_SGE], to[UB_MAX_SGE];
	int i, rounds = ub_debug_kernel() ? 8 : 60;
	unsigned int seed = ub_seed();
	char *data = malloc(MIB), *seen = malloc(MIB);
	size_t n;

	for (i = 0; i < rounds; i++) {
		n = 1 + rand_r(&seed) % (i & 1 ? MIB - 1 : 40 * KIB);
		cut(from, &a->mr, n, &seed);
		cut(to, &b->mr, n, &seed);
		ub_fill(data, n, seed);
		scatter(from, data);
		ASSERT_EQ(0, uv_recv(&b->qp, i, to, UB_MAX_SGE));
		ASSERT_EQ(0, uv_do(&a->qp, &a->cq, uv_sqe(UB_OP_SEND, i), from, UB_MAX_SGE));
		ASSERT_EQ(0, uv_status(&b->cq, i));
		gather(to, seen);
		ASSERT_EQ(0, memcmp(data, seen, n));
		/* And back, out of one piece into many. */
		ub_fill(b->mr.at + 4 * MIB + 5, n, i);
		ASSERT_EQ(0, uv_do(&a->qp, &a->cq, uv_rdma(UB_OP_READ, i, &b->mr, 4 * MIB + 5),
				   from, UB_MAX_SGE));
		gather(from, seen);
		ASSERT_EQ(-1, ub_differs(seen, n, i));
	}
}

/* ---- atomics ------------------------------------------------------------------------------ */

struct meeting {
	struct uv_addr home[2], user[2];
	volatile int ready[2];
	volatile int start;
	__u32 key;
	__u64 addr;
	__u8 seen[16384];	/* [value]: how often an addition returned it */
};

/* Another process, with a device of its own, that connects to one of our QPs. */
static int atomic_user(unsigned int npu, struct meeting *m, int me, bool swap, int nr)
{
	struct uv_end end;
	struct ub_sge sge;
	struct ub_sqe sqe = uv_sqe(swap ? UB_OP_COMPARE_SWAP : UB_OP_FETCH_ADD, 1);
	__u64 *word, expected = 0;
	int i;

	if (uv_end(&end, npu, 4096, NULL))
		return 1;
	uv_addr(&end.qp, &m->user[me]);
	if (uv_connect(&end.qp, &m->home[me], NULL))
		return 2;
	word = (__u64 *)(end.mr.at + 8 * me);
	sge = uv_sge(&end.mr, 8 * me, 8);
	sqe.addr = m->addr;
	sqe.key = m->key;
	m->ready[me] = 1;
	if (ub_until(&m->start, 1))
		return 3;
	for (i = 0; i < nr; ) {
		sqe.atomic.operand = swap ? expected + 1 : 1;
		sqe.atomic.compare = expected;
		if (uv_do(&end.qp, &end.cq, sqe, &sge, 1))
			return 4;
		if (!swap || *word == expected) {
			if (*word >= sizeof(m->seen))
				return 5;
			__atomic_fetch_add(&m->seen[*word], 1, __ATOMIC_RELAXED);
			i++;
		}
		expected = *word + (swap && *word == expected);
	}
	return 0;
}

static void atomics(struct __test_metadata *_metadata, FIXTURE_DATA(verbs_data) *self,
		    bool swap)
{
	struct uv_qp_want want = { .send_cq = &self->b.cq };
	int i, nr = ub_debug_kernel() ? 300 : 3000;
	struct meeting *m = uv_memory(sizeof(*m));
	struct uv_qp qp[2];
	pid_t pid[2];

	ASSERT_NE(NULL, m);
	m->key = self->b.mr.key;
	m->addr = (uintptr_t)self->b.mr.at + 4088;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, uv_qp(&self->b.dev, &qp[i], &want));
		uv_addr(&qp[i], &m->home[i]);
		pid[i] = ub_fork();
		if (!pid[i])
			_exit(atomic_user(self->pod.npu[i], m, i, swap, nr));
		ASSERT_EQ(0, ub_until(&m->ready[i], 1));
		ASSERT_EQ(0, uv_connect(&qp[i], &m->user[i], NULL));
	}
	m->start = 1;
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, ub_join(pid[i]));
	EXPECT_EQ(2 * nr, *(__u64 *)(self->b.mr.at + 4088));
	for (i = 0; i < 2 * nr; i++)
		ASSERT_EQ(1, m->seen[i]);
}

UV_TEST_F(verbs_data, two_processes_add)
{
	atomics(_metadata, self, false);
}

UV_TEST_F(verbs_data, two_processes_compare_and_swap)
{
	atomics(_metadata, self, true);
}

UV_TEST_F(verbs_data, an_atomic_off_its_alignment_is_refused)
{
	struct uv_end *a = &self->a;
	struct ub_sge sge = uv_sge(&a->mr, 0, 8);

	EXPECT_EQ(UB_CR_REM_INVALID, uv_do(&a->qp, &a->cq,
					   uv_rdma(UB_OP_FETCH_ADD, 1, &self->b.mr, 4), &sge, 1));
	EXPECT_EQ(UV_QP_REQ_ERR, uv_event(&self->b.dev, NULL));
}

/* ---- the last byte --------------------------------------------------------------------------- */

struct watched {
	volatile int round;	/* that was checked */
	volatile __u32 len;
	volatile __u32 wrong;
};

/* A process that knows nothing of verbs: when it sees the last byte, all is there. */
static int watch(const struct watched *asked, struct watched *w, const char *at, int rounds)
{
	int i;

	for (i = 1; i <= rounds; i++) {
		__u32 len;

		while (__atomic_load_n(&asked->round, __ATOMIC_ACQUIRE) != i)
			sched_yield();
		while (!(len = __atomic_load_n(&asked->len, __ATOMIC_ACQUIRE)))
			sched_yield();
		while (__atomic_load_n((const __u8 *)at + len - 1, __ATOMIC_ACQUIRE) != (__u8)i)
			;
		if (ub_differs(at, len - 1, i) != -1)
			w->wrong++;
		__atomic_store_n(&w->round, i, __ATOMIC_RELEASE);
	}
	return 0;
}

UV_TEST_F(verbs_data, the_last_byte_is_written_last)
{
	struct watched *asked = uv_memory(4096), *w = asked + 1;
	int i, rounds = ub_debug_kernel() ? 60 : 1000;
	struct uv_end *a = &self->a, *b = &self->b;
	unsigned int seed = ub_seed();
	struct ub_sge sge;
	pid_t pid;
	size_t to;

	ASSERT_NE(NULL, asked);
	to = 4096 + rand_r(&seed) % 64;
	pid = ub_fork();
	if (!pid)
		_exit(watch(asked, w, b->mr.at + to, rounds));
	for (i = 1; i <= rounds; i++) {
		__u32 len = 1 + rand_r(&seed) % (i % 8 ? 600 : 200 * KIB);

		b->mr.at[to + len - 1] = i - 1;
		ub_fill(a->mr.at + i % 16, len, i);
		a->mr.at[i % 16 + len - 1] = i;
		__atomic_store_n(&asked->round, i, __ATOMIC_RELEASE);
		__atomic_store_n(&asked->len, len, __ATOMIC_RELEASE);
		sge = uv_sge(&a->mr, i % 16, len);
		ASSERT_EQ(0, uv_do(&a->qp, &a->cq, uv_rdma(UB_OP_WRITE, i, &b->mr, to), &sge, 1));
		ASSERT_EQ(0, ub_until(&w->round, i));
		__atomic_store_n(&asked->len, 0, __ATOMIC_RELEASE);
	}
	EXPECT_EQ(0, ub_join(pid));
	EXPECT_EQ(0, w->wrong);
}

/* ---- datagrams ---------------------------------------------------------------------- */

UV_TEST_F(verbs_data, datagrams_tell_whence_they_come)
{
	struct uv_end *a = &self->a, *b = &self->b;
	struct uv_qp_want to_a = { .send_cq = &a->cq, .type = UV_UD };
	struct uv_qp_want to_b = { .send_cq = &b->cq, .type = UV_UD };
	struct ub_sge room = uv_sge(&b->mr, 0, UB_GRH_BYTES + 4096), sge;
	struct ub_sqe sqe = uv_sqe(UB_OP_SEND_IMM, 5);
	struct uv_qp from, to;
	struct uv_addr addr;
	struct ub_cqe cqe;

	ASSERT_EQ(0, uv_qp(&a->dev, &from, &to_a));
	ASSERT_EQ(0, uv_qp(&b->dev, &to, &to_b));
	ASSERT_EQ(0, uv_ready(&from, 17));
	ASSERT_EQ(0, uv_ready(&to, 18));
	uv_addr(&to, &addr);
	ASSERT_EQ(0, uv_ah(&a->dev, &addr, &sqe.ud.ah));
	sqe.imm = 99;
	sqe.ud.jetty = to.number;
	sqe.ud.qkey = 18;
	ub_fill(a->mr.at, 4096, 1);
	sge = uv_sge(&a->mr, 0, 4096);
	ASSERT_EQ(0, uv_recv(&to, 7, &room, 1));
	ASSERT_EQ(0, uv_do(&from, &a->cq, sqe, &sge, 1));
	ASSERT_EQ(0, uv_next(&b->cq, &cqe));
	EXPECT_EQ(0, cqe.status);
	EXPECT_EQ(UB_GRH_BYTES + 4096, cqe.length);
	EXPECT_EQ(99, cqe.imm);
	EXPECT_EQ(from.number, cqe.src_jetty);
	EXPECT_EQ(UB_CQE_IMM | UB_CQE_GRH | UB_CQE_IPV4, cqe.flags);
	EXPECT_EQ(0x45, (__u8)b->mr.at[20]);
	EXPECT_EQ(0, memcmp(b->mr.at + 32, a->dev.gid + 12, 4));
	EXPECT_EQ(0, memcmp(b->mr.at + 36, b->dev.gid + 12, 4));
	EXPECT_EQ(-1, ub_differs(b->mr.at + UB_GRH_BYTES, 4096, 1));
	/* One with a wrong key is lost without a word; the receive is still there. */
	ASSERT_EQ(0, uv_recv(&to, 8, &room, 1));
	sqe.ud.qkey = 19;
	EXPECT_EQ(0, uv_do(&from, &a->cq, sqe, &sge, 1));
	EXPECT_EQ(0, uv_count_for(&b->cq, 20));
	sqe.ud.qkey = 18;
	EXPECT_EQ(0, uv_do(&from, &a->cq, sqe, &sge, 1));
	EXPECT_EQ(0, uv_status(&b->cq, 8));
	/* One that no packet holds is the sender's fault. */
	sge.length = 4097;
	EXPECT_EQ(UB_CR_LOC_LEN, uv_do(&from, &a->cq, sqe, &sge, 1));
	EXPECT_EQ(UV_SQE, uv_state(&from));
}

TEST_HARNESS_MAIN
