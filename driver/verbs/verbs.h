/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of ub_verbs.ko: an RDMA device and a network interface over each NPU. It
 * translates objects and attributes of verbs to those of the transaction engine
 * (core/engine.h), which moves all data.
 *
 *   ub_vdev	the device of an NPU			main.c device.c port.c counters.c
 *   ub_netdev	its network interface, an IP switch	netdev.c
 *   ub_gid	whose a GID is, in a pod		gid.c
 *   ub_vmap	a ring that a process may map		map.c
 *
 * The core of InfiniBand serialises making and destroying an object against its
 * use. Locks of ours, all innermost but for the engine's:
 *
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

enum ub_vdev_kind { UB_VDEV_PD, UB_VDEV_CQ, UB_VDEV_SRQ, UB_VDEV_QP, UB_VDEV_MR, UB_VDEV_AH,
		    UB_VDEV_KINDS };

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

/* ---- the device: main.c, device.c, port.c, counters.c --------------------- */

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

#endif /* _UB_VERBS_VERBS_H */
