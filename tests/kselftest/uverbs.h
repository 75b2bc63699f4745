/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client of the verbs device with nothing but libc: commands by write() to
 * /dev/infiniband/uverbsN, rings as <ub/ring.h> says. What is done to a ring here can
 * be done by hand as well, which is what tests of nonsense do.
 *
 *   uverbs.c		commands and objects
 *   uverbs_ring.c	posting, polling, events
 *   uverbs_pod.c	pods whose NPUs have addresses, and their counters
 *
 * Functions return 0 (or what they are asked for) or -errno; the tests judge. Objects
 * may be left to the end of their process.
 */
#ifndef UVERBS_H
#define UVERBS_H

#include <pthread.h>
#include <rdma/ib_user_verbs.h>
#include <ub/ring.h>
#include <ub/verbs-abi.h>

#include "ub_test.h"

/* What <rdma/ib_verbs.h> calls them, which is the kernel's own. */

enum uv_state { UV_RESET, UV_INIT, UV_RTR, UV_RTS, UV_SQD, UV_SQE, UV_ERR };

enum uv_event {
	UV_CQ_ERR		= 0,
	UV_QP_FATAL		= 1,
	UV_QP_REQ_ERR		= 2,
	UV_QP_ACCESS_ERR	= 3,
	UV_COMM_EST		= 4,
	UV_SQ_DRAINED		= 5,
	UV_DEVICE_FATAL		= 8,
	UV_PORT_ACTIVE		= 9,
	UV_PORT_ERR		= 10,
	UV_SRQ_LIMIT_REACHED	= 15,
	UV_QP_LAST_WQE_REACHED	= 16,
	UV_GID_CHANGE		= 18,
};

enum uv_attr {
	UV_QP_STATE		= 1 << 0,
	UV_QP_EN_SQD_NOTIFY	= 1 << 2,
	UV_QP_ACCESS		= 1 << 3,
	UV_QP_PKEY_INDEX	= 1 << 4,
	UV_QP_PORT		= 1 << 5,
	UV_QP_QKEY		= 1 << 6,
	UV_QP_AV		= 1 << 7,
	UV_QP_PATH_MTU		= 1 << 8,
	UV_QP_TIMEOUT		= 1 << 9,
	UV_QP_RETRY		= 1 << 10,
	UV_QP_RNR_RETRY		= 1 << 11,
	UV_QP_RQ_PSN		= 1 << 12,
	UV_QP_MAX_RD_ATOMIC	= 1 << 13,
	UV_QP_RNR_TIMER		= 1 << 15,
	UV_QP_SQ_PSN		= 1 << 16,
	UV_QP_MAX_DEST_RD_ATOMIC = 1 << 17,
	UV_QP_DEST_QPN		= 1 << 20,
};

enum uv_type { UV_RC = 2, UV_UC = 3, UV_UD = 4 };

/*
 * A pod with addresses takes ten seconds on a busy machine where the kernel checks
 * everything: a test that has one of its own gets a larger limit of liveness.
 */
#define UV_TEST_F(_fixture, _name) TEST_F_TIMEOUT(_fixture, _name, 200)

/* ---- pods: uverbs_pod.c ---------------------------------------------------------- */

/* Are there verbs devices? A test that needs them is skipped without. */
bool uv_present(void);
/* A pod whose NPUs have verbs devices and addresses. */
int uv_pod_make(struct ub_pod *pod, const char *name, unsigned int npus);
/* The device file of an NPU's verbs device, made for us. */
int uv_node(unsigned int npu, char *path, size_t size);
/* Its address in the table of GIDs, waiting for it: the index. */
int uv_gid(unsigned int npu, __u8 gid[16]);
/* Of ports/1/hw_counters; up to date. */
long long uv_counter(unsigned int npu, const char *name);

/* ---- objects: uverbs.c ------------------------------------------------------------- */

/* A context of an NPU's verbs device, and a protection domain in it. */
struct uv_dev {
	unsigned int npu;
	int fd;
	int async;
	__u32 pd;
	__u32 gid_index;
	__u8 gid[16];
	struct ub_verbs_alloc_ucontext_resp can;
};

int uv_open(struct uv_dev *dev, unsigned int npu);
void uv_close(struct uv_dev *dev);
/* A command as it is; @cmd begins with the address of the answer when there is one. */
int uv_command(int fd, __u32 command, void *cmd, size_t size, void *resp, size_t resp_size);
int uv_pd(struct uv_dev *dev, __u32 *pd);

/* Rights, of enum ib_access_flags. */
#define UV_ALL (UB_REGION_LOCAL_WRITE | UB_REGION_WRITE | UB_REGION_READ | UB_REGION_ATOMIC)

struct uv_mr {
	struct uv_dev *dev;
	__u32 handle;
	__u32 key;
	char *at;
	size_t length;
};

int uv_reg(struct uv_dev *dev, struct uv_mr *mr, void *at, size_t length, __u32 access);
int uv_reg_in(struct uv_dev *dev, __u32 pd, struct uv_mr *mr, void *at, size_t length,
	      __u32 access);
int uv_dereg(struct uv_mr *mr);
/* Memory for regions: zero, and shared with children. */
void *uv_memory(size_t length);

/* A ring that is mapped; @index is the next entry that we fill or read. */
struct uv_ring {
	struct ub_ring_head *head;
	size_t length;
	__u32 entries;
	__u32 stride;
	__u32 index;
};

struct uv_cq {
	struct uv_dev *dev;
	__u32 handle;
	struct uv_ring ring;
	unsigned int empty;
};

/* @channel: of uv_channel(), or -1. @user comes with its events. */
int uv_cq(struct uv_dev *dev, struct uv_cq *cq, __u32 entries, int channel, __u64 user);
int uv_cq_destroy(struct uv_cq *cq);
int uv_cq_resize(struct uv_cq *cq, __u32 entries);
int uv_channel(struct uv_dev *dev);

struct uv_srq {
	struct uv_dev *dev;
	__u32 handle;
	struct uv_ring ring;
};

int uv_srq(struct uv_dev *dev, struct uv_srq *srq, __u32 entries, __u32 sge, __u64 user);
int uv_srq_limit(struct uv_srq *srq, __u32 limit);
int uv_srq_destroy(struct uv_srq *srq);

/* What a QP shall be; 0 is UV_WR, one SGE, nothing inline, UV_RC. */
struct uv_qp_want {
	struct uv_cq *send_cq;
	struct uv_cq *recv_cq;	/* NULL: @send_cq */
	struct uv_srq *srq;
	__u32 send_wr;
	__u32 recv_wr;		/* ~0: none */
	__u32 sge;
	__u32 inline_bytes;
	enum uv_type type;
	bool unsignaled;	/* only what asks for it is signaled */
	__u64 user;
};

#define UV_WR	64	/* requests and receives that a queue has room for */

struct uv_qp {
	struct uv_dev *dev;
	__u32 handle;
	__u32 number;
	__u32 inline_bytes;
	__u32 psn;		/* of its first request */
	enum uv_type type;
	struct uv_srq *srq;
	struct uv_ring sq;
	struct uv_ring rq;
};

int uv_qp(struct uv_dev *dev, struct uv_qp *qp, const struct uv_qp_want *want);
int uv_qp_destroy(struct uv_qp *qp);

/* Where a QP is. */
struct uv_addr {
	__u8 gid[16];
	__u32 number;
	__u32 psn;
};

/* How it is connected. */
struct uv_path {
	__u8 timeout;
	__u8 retry;
	__u8 rnr_retry;
	__u8 rnr_timer;
	__u32 access;
};

/* 67 ms seven times, no end of RNR with 0.64 ms. */
#define UV_PATH { .timeout = 14, .retry = 7, .rnr_retry = 7, .rnr_timer = 12, .access = UV_ALL }

void uv_addr(const struct uv_qp *qp, struct uv_addr *addr);
/* From RESET to RTS; @path NULL is UV_PATH. */
int uv_connect(struct uv_qp *qp, const struct uv_addr *to, const struct uv_path *path);
/* To RTR only: it can receive. */
int uv_connect_half(struct uv_qp *qp, const struct uv_addr *to, const struct uv_path *path);
int uv_pair(struct uv_qp *a, struct uv_qp *b, const struct uv_path *path);
/* Of UD: to RTS with this key. */
int uv_ready(struct uv_qp *qp, __u32 qkey);
int uv_modify(struct uv_qp *qp, struct ib_uverbs_modify_qp *cmd);
int uv_set_state(struct uv_qp *qp, enum uv_state state);
/* enum uv_state */
int uv_state(struct uv_qp *qp);

int uv_ah(struct uv_dev *dev, const struct uv_addr *to, __u32 *number);

#define UB_GRH_BYTES 40	/* before a datagram */

/* ---- using them: uverbs_ring.c ------------------------------------------------------- */

static inline void *uv_entry(const struct uv_ring *ring, __u32 index)
{
	return (char *)ring->head + UB_RING_ENTRIES +
	       (size_t)(index & (ring->entries - 1)) * ring->stride;
}

/* All of it is signaled. */
static inline struct ub_sqe uv_sqe(enum ub_op op, __u64 wr_id)
{
	return (struct ub_sqe){ .op = op, .flags = UB_SQE_SIGNALED, .wr_id = wr_id };
}

static inline struct ub_sqe uv_rdma(enum ub_op op, __u64 wr_id, const struct uv_mr *to,
				    size_t offset)
{
	struct ub_sqe sqe = uv_sqe(op, wr_id);

	sqe.addr = (uintptr_t)to->at + offset;
	sqe.key = to->key;
	return sqe;
}

static inline struct ub_sge uv_sge(const struct uv_mr *mr, size_t offset, __u32 length)
{
	return (struct ub_sge){ (uintptr_t)mr->at + offset, length, mr->key };
}

/* Without the doorbell. -ENOSPC: the ring is full. */
int uv_post(struct uv_qp *qp, struct ub_sqe sqe, const struct ub_sge *sge, __u32 nr);
int uv_post_inline(struct uv_qp *qp, struct ub_sqe sqe, const void *data, __u32 length);
int uv_bell(struct uv_qp *qp);
/* With it. */
int uv_send(struct uv_qp *qp, struct ub_sqe sqe, const struct ub_sge *sge, __u32 nr);

/* With a doorbell where one is asked for. */
int uv_recv(struct uv_qp *qp, __u64 wr_id, const struct ub_sge *sge, __u32 nr);
int uv_recv_bell(struct uv_qp *qp);

/* Takes a completion; runs what waits for a poller now and then. */
bool uv_poll(struct uv_cq *cq, struct ub_cqe *cqe);
/* The next one; -ETIMEDOUT after the liveness limit. */
int uv_next(struct uv_cq *cq, struct ub_cqe *cqe);
/* The status of the next one; -EBADMSG if it is not of @wr_id. */
int uv_status(struct uv_cq *cq, __u64 wr_id);
/* Sends and waits: the status. */
int uv_do(struct uv_qp *qp, struct uv_cq *cq, struct ub_sqe sqe, const struct ub_sge *sge,
	  __u32 nr);
/* How many are there within a time, which passes. */
unsigned int uv_count_for(struct uv_cq *cq, unsigned int ms);

/* To be followed by a look at the queue. */
void uv_arm(struct uv_cq *cq, __u32 arm);
/* An event of a completion channel within a time: of whom; -ETIMEDOUT. */
int uv_notified(int channel, unsigned int ms, __u64 *user);
/* The next asynchronous event, of enum ib_event_type; -ETIMEDOUT. */
int uv_event_within(struct uv_dev *dev, unsigned int ms, __u64 *user);
int uv_event(struct uv_dev *dev, __u64 *user);

/* ---- one side of a connection: a device, a CQ, a QP, memory --------------------------- */

struct uv_end {
	struct uv_dev dev;
	struct uv_cq cq;
	struct uv_qp qp;
	struct uv_mr mr;
};

/* @want may be NULL; its CQs are filled in when they are. Memory is shared, and zero. */
int uv_end(struct uv_end *end, unsigned int npu, size_t bytes, const struct uv_qp_want *want);
/* Both, connected. */
int uv_ends(struct uv_end *a, struct uv_end *b, const struct ub_pod *pod, size_t bytes,
	    const struct uv_qp_want *want, const struct uv_path *path);
void uv_end_close(struct uv_end *end);

#endif /* UVERBS_H */
