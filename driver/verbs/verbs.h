/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of ub_verbs.ko: an RDMA device and a network interface over each NPU. It
 * translates objects and attributes of verbs to those of the transaction engine
 * (core/engine.h), which moves all data.
 *
 *   ub_vdev	the device of an NPU			main.c device.c port.c
 *							counters.c pma.c
 *   ub_netdev	its network interface, an IP switch	netdev.c
 *   ub_gid	whose a GID is, in a pod		gid.c
 *   ub_vmap	a ring that a process may map		map.c
 *   ub_vcq	CQ: a ub_jfc				cq.c wc.c
 *   ub_vsrq	SRQ: a ub_jfr				srq.c
 *   ub_vqp	QP: a ub_jetty				qp.c qp_modify.c post.c
 *   ub_vmr	MR: a ub_tseg				mr.c
 *   ub_vmw	MW: a ub_tseg, too			mw.c
 *   ub_vah	AH: a number of the engine		ah.c mcast.c
 *
 * The core of InfiniBand serialises making and destroying an object against its
 * use. Locks of ours, all innermost but for the engine's:
 *
 *   qp->modify		(mutex) a QP's attributes, kept beside the engine's
 *   qp->sq_lock, qp->rq_lock, srq->lock  posting by kernel users (irqsave)
 *   ub_gids_lock	changing the GID table; readers use RCU
 *
 * Nothing here takes ub_pods_lock: the device comes and goes under it.
 */
#ifndef _UB_VERBS_VERBS_H
#define _UB_VERBS_VERBS_H

#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

#include <ub/verbs-abi.h>

#include "compat/rdma.h"
#include "core/engine.h"
#include "core/ub.h"

#define UB_VERBS_PORT		1
#define UB_VERBS_GIDS		16

/* What a device can; a limit of objects is enforced by ub_vdev_take(). */
#define UB_VERBS_MAX_QP		16384
#define UB_VERBS_MAX_CQ		65536
#define UB_VERBS_MAX_SRQ	16384
#define UB_VERBS_MAX_MR		(1 << 20)
#define UB_VERBS_MAX_AH		(1 << 16)
#define UB_VERBS_MAX_PD		65536
#define UB_VERBS_MAX_WR		32768
#define UB_VERBS_MAX_CQE	(UB_RING_MAX_ENTRIES - 1)
#define UB_VERBS_MAX_RD_ATOM	128
#define UB_VERBS_MAX_MCAST	8192

enum ub_vdev_kind { UB_VDEV_PD, UB_VDEV_CQ, UB_VDEV_SRQ, UB_VDEV_QP, UB_VDEV_MR, UB_VDEV_MW,
		    UB_VDEV_AH, UB_VDEV_KINDS };

/**
 * struct ub_vdev - the RDMA device of an NPU
 * @ib:		its face to the core of InfiniBand
 * @npu:	lives until the device is removed
 * @engine:	the NPU's
 * @netdev:	its network interface; of the same parent
 * @watch:	of the NPU's links
 * @port_up:	as was told last; written by @watch only
 * @count:	objects of each kind
 * @numbers:	of queues, for people
 * @kernel_qps:	QP number -> ub_vqp of kernel users, for their completions
 */
struct ub_vdev {
	struct ib_device ib;
	struct ub_npu *npu;
	struct ub_engine *engine;
	struct net_device *netdev;
	struct notifier_block watch;
	bool port_up;
	atomic_t count[UB_VDEV_KINDS];
	atomic_t numbers;
	struct xarray kernel_qps;
};

static inline struct ub_vdev *to_ub_vdev(struct ib_device *ib)
{
	return container_of(ib, struct ub_vdev, ib);
}

/* ---- the device: main.c, device.c, port.c, counters.c, pma.c --------------- */

extern const struct ib_device_ops ub_vdev_ops;

int ub_vdev_take(struct ib_device *ib, enum ub_vdev_kind kind, int max);
void ub_vdev_give(struct ib_device *ib, enum ub_vdev_kind kind);
int ub_udata_check(struct ib_udata *udata);
int ub_udata_respond(struct ib_udata *udata, void *resp, size_t size);

int ub_verbs_query_device(struct ib_device *ib, struct ib_device_attr *attr,
			  struct ib_udata *udata);
void ub_verbs_get_dev_fw_str(struct ib_device *ib, char *str);

int ub_verbs_query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr);
int ub_verbs_get_port_immutable(struct ib_device *ib, u32 port,
				struct ib_port_immutable *immutable);
enum rdma_link_layer ub_verbs_get_link_layer(struct ib_device *ib, u32 port);
int ub_verbs_query_pkey(struct ib_device *ib, u32 port, u16 index, u16 *pkey);
int ub_vdev_watch_port(struct ub_vdev *dev);
void ub_vdev_unwatch_port(struct ub_vdev *dev);

struct rdma_hw_stats *ub_verbs_alloc_hw_port_stats(struct ib_device *ib, u32 port);
int ub_verbs_get_hw_stats(struct ib_device *ib, struct rdma_hw_stats *stats, u32 port,
			  int index);
int ub_verbs_process_mad(struct ib_device *ib, int flags, u32 port, const struct ib_wc *wc,
			 const struct ib_grh *grh, const struct ib_mad *in, struct ib_mad *out,
			 size_t *out_size, u16 *out_pkey_index);

/* ---- network interface and GIDs: netdev.c, gid.c ---------------------------- */

int ub_netdev_create(struct ub_vdev *dev, struct device *parent);
void ub_netdev_destroy(struct ub_vdev *dev);

int ub_verbs_add_gid(const struct ib_gid_attr *attr, void **context);
int ub_verbs_del_gid(const struct ib_gid_attr *attr, void **context);
/* Whose it is in @dev's pod, or NULL; under RCU. */
struct ub_vdev *ub_gid_find(const struct ub_vdev *dev, const union ib_gid *gid);
/* The same, as the NPU's index; -EHOSTUNREACH. */
int ub_gid_npu(const struct ub_vdev *dev, const union ib_gid *gid, u32 *npu);

/* ---- contexts and maps: context.c, map.c -------------------------------------- */

/* They have nothing of their own. */
struct ub_vctx {
	struct ib_ucontext ib;
};

struct ub_vpd {
	struct ib_pd ib;
};

/**
 * struct ub_vmap - a ring that a process may map
 * @entry:	the range of offsets
 * @ring:	what is behind it: a copy, its memory is another's
 * @shown:	@ring is set; its release pairs with the acquire of mmap()
 * @unused:	completed when it is removed, and nobody is inside of mmap() any more
 */
struct ub_vmap {
	struct rdma_user_mmap_entry entry;
	struct ub_ring ring;
	bool shown;
	struct completion unused;
};

/*
 * A map is reserved first, for that may fail, and shown when there is a ring. For a
 * kernel user, who has no @udata, there is none: NULL, which the others accept.
 * ub_vmap_remove() marks the ring as dead and waits for mmap() in progress: after it
 * the ring may be destroyed. What is mapped stays, readable.
 */
struct ub_vmap *ub_vmap_reserve(struct ib_udata *udata, u32 entries, u32 stride);
void ub_vmap_show(struct ub_vmap *map, const struct ub_ring *ring, struct ub_verbs_ring *resp);
void ub_vmap_remove(struct ub_vmap *map);

int ub_verbs_mmap(struct ib_ucontext *context, struct vm_area_struct *vma);
void ub_verbs_mmap_free(struct rdma_user_mmap_entry *entry);

int ub_verbs_alloc_ucontext(struct ib_ucontext *context, struct ib_udata *udata);
void ub_verbs_dealloc_ucontext(struct ib_ucontext *context);
void ub_verbs_disassociate_ucontext(struct ib_ucontext *context);
int ub_verbs_alloc_pd(struct ib_pd *pd, struct ib_udata *udata);
int ub_verbs_dealloc_pd(struct ib_pd *pd, struct ib_udata *udata);

/* ---- completions: cq.c, wc.c ----------------------------------------------------- */

/**
 * struct ub_vcq - a CQ
 * @ib:		its face to the core of InfiniBand
 * @jfc:	what it is
 * @map:	of its ring, or NULL: a kernel user's
 * @resize:	one at a time
 */
struct ub_vcq {
	struct ib_cq ib;
	struct ub_jfc jfc;
	struct ub_vmap *map;
	struct mutex resize;
};

static inline struct ub_vcq *to_ub_vcq(struct ib_cq *ib)
{
	return container_of(ib, struct ub_vcq, ib);
}

int ub_verbs_create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr,
		       struct ib_udata *udata);
int ub_verbs_destroy_cq(struct ib_cq *ib, struct ib_udata *udata);
int ub_verbs_resize_cq(struct ib_cq *ib, unsigned int entries, struct ib_udata *udata);
int ub_verbs_req_notify_cq(struct ib_cq *ib, enum ib_cq_notify_flags flags);
int ub_verbs_poll_cq(struct ib_cq *ib, int nr, struct ib_wc *wc);

/* ---- receives: srq.c ----------------------------------------------------------- */

/**
 * struct ub_vsrq - an SRQ
 * @ib:		its face to the core of InfiniBand
 * @jfr:	what it is
 * @map:	of its ring, or NULL: a kernel user's
 * @lock:	serialises posting by kernel users
 */
struct ub_vsrq {
	struct ib_srq ib;
	struct ub_jfr jfr;
	struct ub_vmap *map;
	spinlock_t lock;
};

static inline struct ub_vsrq *to_ub_vsrq(struct ib_srq *ib)
{
	return container_of(ib, struct ub_vsrq, ib);
}

int ub_verbs_create_srq(struct ib_srq *ib, struct ib_srq_init_attr *attr,
			struct ib_udata *udata);
int ub_verbs_modify_srq(struct ib_srq *ib, struct ib_srq_attr *attr,
			enum ib_srq_attr_mask mask, struct ib_udata *udata);
int ub_verbs_query_srq(struct ib_srq *ib, struct ib_srq_attr *attr);
int ub_verbs_destroy_srq(struct ib_srq *ib, struct ib_udata *udata);
int ub_verbs_post_srq_recv(struct ib_srq *ib, const struct ib_recv_wr *wr,
			   const struct ib_recv_wr **bad);

/* ---- queue pairs: qp.c, qp_modify.c, post.c ---------------------------------------- */

/**
 * struct ub_vqp - a QP
 * @ib:		its face to the core of InfiniBand
 * @jetty:	what it is
 * @sq_map:	of its send queue, or NULL: a kernel user's
 * @rq_map:	of its own receive queue, or NULL
 * @cap:	as was told to the user
 * @modify:	protects @attr
 * @attr:	what was set, and the engine does not keep
 * @sq_lock:	serialises posting by kernel users
 * @rq_lock:	the same
 */
struct ub_vqp {
	struct ib_qp ib;
	struct ub_jetty jetty;
	struct ub_vmap *sq_map;
	struct ub_vmap *rq_map;
	struct ib_qp_cap cap;
	struct mutex modify;
	struct ib_qp_attr attr;
	spinlock_t sq_lock;
	spinlock_t rq_lock;
};

static inline struct ub_vqp *to_ub_vqp(struct ib_qp *ib)
{
	return container_of(ib, struct ub_vqp, ib);
}

int ub_verbs_create_qp(struct ib_qp *ib, struct ib_qp_init_attr *init, struct ib_udata *udata);
int ub_verbs_destroy_qp(struct ib_qp *ib, struct ib_udata *udata);
int ub_verbs_modify_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask,
		       struct ib_udata *udata);
int ub_verbs_query_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask,
		      struct ib_qp_init_attr *init);
int ub_verbs_post_send(struct ib_qp *ib, const struct ib_send_wr *wr,
		       const struct ib_send_wr **bad);
int ub_verbs_post_recv(struct ib_qp *ib, const struct ib_recv_wr *wr,
		       const struct ib_recv_wr **bad);
/* Posts to a queue of a kernel user, under @lock. */
int ub_jfr_post_wrs(struct ub_jfr *jfr, spinlock_t *lock, const struct ib_recv_wr *wr,
		    const struct ib_recv_wr **bad);

/* ---- memory: mr.c ------------------------------------------------------------------ */

/**
 * struct ub_vmr - an MR
 * @ib:		its face to the core of InfiniBand
 * @tseg:	what it is
 */
struct ub_vmr {
	struct ib_mr ib;
	struct ub_tseg *tseg;
};

static inline struct ub_vmr *to_ub_vmr(struct ib_mr *ib)
{
	return container_of(ib, struct ub_vmr, ib);
}

int ub_region_access(int flags, u32 *access);
struct ib_mr *ub_verbs_get_dma_mr(struct ib_pd *pd, int flags);
struct ib_mr *ub_verbs_reg_user_mr(struct ib_pd *pd, u64 start, u64 length, u64 iova,
				   int flags, struct ib_udata *udata);
struct ib_mr *ub_verbs_rereg_user_mr(struct ib_mr *ib, int what, u64 start, u64 length,
				     u64 iova, int flags, struct ib_pd *pd,
				     struct ib_udata *udata);
int ub_verbs_dereg_mr(struct ib_mr *ib, struct ib_udata *udata);

/* ---- windows: mw.c ----------------------------------------------------------------- */

/**
 * struct ub_vmw - an MW
 * @ib:		its face to the core of InfiniBand
 * @tseg:	what it is
 */
struct ub_vmw {
	struct ib_mw ib;
	struct ub_tseg *tseg;
};

static inline struct ub_vmw *to_ub_vmw(struct ib_mw *ib)
{
	return container_of(ib, struct ub_vmw, ib);
}

int ub_verbs_alloc_mw(struct ib_mw *ib, struct ib_udata *udata);
int ub_verbs_dealloc_mw(struct ib_mw *ib);

/* ---- address handles, multicast: ah.c, mcast.c -------------------------------------- */

/**
 * struct ub_vah - an AH
 * @ib:		its face to the core of InfiniBand
 * @number:	of the engine
 * @attr:	as it was made of
 */
struct ub_vah {
	struct ib_ah ib;
	u32 number;
	struct rdma_ah_attr attr;
};

static inline struct ub_vah *to_ub_vah(struct ib_ah *ib)
{
	return container_of(ib, struct ub_vah, ib);
}

int ub_verbs_create_ah(struct ib_ah *ib, struct rdma_ah_init_attr *init,
		       struct ib_udata *udata);
int ub_verbs_query_ah(struct ib_ah *ib, struct rdma_ah_attr *attr);
int ub_verbs_destroy_ah(struct ib_ah *ib, u32 flags);

int ub_verbs_attach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid);
int ub_verbs_detach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid);

/* ---- restrack: restrack.c -------------------------------------------------------- */

int ub_verbs_fill_res_cq_entry(struct sk_buff *msg, struct ib_cq *ib);
int ub_verbs_fill_res_qp_entry(struct sk_buff *msg, struct ib_qp *ib);
int ub_verbs_fill_res_mr_entry(struct sk_buff *msg, struct ib_mr *ib);

#endif /* _UB_VERBS_VERBS_H */
