/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of ub.ko: its objects, who holds them, what each lock protects.
 *
 *   ub_pod	a SuperPod: UBPUs and the links between their ports	pod.c link.c
 *   ub_ubpu	an NPU, CPU or switch of it
 *   ub_npu	what an NPU has more: /dev/ub/ubN, memory, tokens	npu.c sysfs.c
 *   ub_ctx	an open file of /dev/ub/ubN				chardev.c context.c
 *   ub_obj	what a handle of a context names: ub_seg or ub_import	object.c
 *   ub_seg	memory with a home					segment.c seg_*.c token.c
 *   ub_import	a context's right to somebody's segment			import.c
 *   ub_user	limits and back-off of a uid				user.c
 *   ub_area	pages that user space maps to look at state		area.c
 *   ub_auxdev	what a driver over an NPU, ub_verbs, binds to		auxdev.c face.c
 *
 * Locks, in the order in which they nest:
 *
 *   ctx->event_read	who takes events; outermost, for it copies to user space
 *   ub_pods_lock	list of pods and fabrics; adding and removing them
 *   device_lock,	(the kernel's) of a ub_auxdev: probing and removing a face, and
 *   rtnl, uverbs'	whatever a face calls meanwhile
 *   mmap_lock		(the kernel's) held by the callers of mmap and fault
 *   pod->topo		link states, hence routes; what is suspended
 *   npu->watchers	(its rwsem) who is told of link states
 *   pod->segs_lock	list of the pod's segments
 *   seg->lock		life of the segment, its credentials, its imports and
 *			their states. Read: may put pages into page tables.
 *			Under it there is no user copy, no mmap_lock.
 *   i_mmap		(the kernel's) zapping
 *   ctx->lock		adding handles to a context, its end
 *   leaves		npu->tokens' xa_lock, ub_users_lock, ctx->event_lock,
 *			link->lock, pod->status_lock, wait-queue locks
 *
 * A fault takes seg->lock inside of mmap_lock; so mmap_lock is never taken inside of
 * seg->lock, pod->segs_lock or pod->topo. (Removing a pod takes that of the owner of a
 * UB_SEG_HOST segment inside of ub_pods_lock, to uncharge it.)
 *
 * Running transactions are readers of ub_txn_srcu. Whoever ends a segment or an
 * import changes its state under seg->lock, takes the mappings away, then waits
 * for the readers, and only then frees pages.
 */
#ifndef _UB_CORE_UB_H
#define _UB_CORE_UB_H

#include <linux/auxiliary_bus.h>
#include <linux/cdev.h>
#include <linux/compat.h>
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>
#include <linux/srcu.h>
#include <linux/u64_stats_sync.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "fabric.h"

#define UB_MAX_DEVICES	4096	/* minors: NPUs of all pods together */
#define UB_MAX_HANDLES	4096	/* segments and imports of a context */
#define UB_MAX_SLOTS	4096	/* imports of a context */

/* ---- pods and links: pod.c, link.c ------------------------------------- */

/* What transactions put on a link, per direction: one update per transfer. */
struct ub_link_stats {
	u64_stats_t packets[2];
	u64_stats_t bytes[2];
	u64_stats_t flits[2];
	struct u64_stats_sync syncp;
};

/* The same, summed over CPUs. */
struct ub_link_sum {
	u64 packets[2];
	u64 bytes[2];
	u64 flits[2];
};

/**
 * struct ub_link - a link between two ports
 * @ubpu:	index of the UBPU at each end
 * @port:	port there
 * @width_max:	lanes
 * @width:	active lanes; under pod->topo
 * @lane_mbps:	speed of a lane, per direction
 * @state:	UB_LINK_*; under pod->topo
 * @stats:	allocated by the first transfer (cmpxchg)
 * @lock:	protects what follows
 * @ldst_bytes:	load/store bytes that user space reported, per direction
 * @ups:	transitions to UP
 * @downs:	transitions to DOWN
 */
struct ub_link {
	u32 ubpu[2];
	u16 port[2];
	u8 width_max;
	u8 width;
	u8 state;
	u32 lane_mbps;
	struct ub_link_stats __percpu *stats;
	spinlock_t lock;
	u64 ldst_bytes[2];
	u64 ups;
	u64 downs;
};

/**
 * struct ub_ubpu - an NPU, CPU or switch
 * @index:	in its pod
 * @type:	UB_UBPU_*
 * @name:	"ub0" for NPU 0, else "<pod>-swK", "<pod>-cpuK"
 * @guid:	network byte order
 * @eid:	network byte order
 * @npu:	NULL unless it is an NPU
 */
struct ub_ubpu {
	u32 index;
	u8 type;
	char name[UB_NAME_LEN + 12];
	u8 guid[UB_GUID_LEN];
	u8 eid[UB_EID_LEN];
	struct ub_npu *npu;
};

/**
 * struct ub_pod - a SuperPod
 * @ref:	held by ub_pods while it is listed, and by contexts
 * @node:	in ub_pods, under ub_pods_lock
 * @name:	unique among living pods
 * @id:		unique among pods, part of EIDs and GUIDs
 * @upi:	partition; a user and a home must have the same (they are of one
 *		pod, so they have)
 * @ops:	the fabric
 * @dead:	set once, when the pod is removed
 * @nr_ubpus:	UBPUs, NPUs first
 * @nr_npus:	NPUs
 * @nr_links:	links
 * @ubpu:	the UBPUs
 * @link:	the links
 * @graph:	what the router sees: @vertex, @edge, @index
 * @route_seq:	changes with the routes, under @topo; never 0. Who keeps a route looks
 *		whether it is the same.
 * @vertex:	one per UBPU
 * @edge:	one per link; state under @topo
 * @index:	links by UBPU, in port order
 * @topo:	see the top of this file
 * @members_lock: protects @members
 * @members:	jetties in multicast groups, see mcast.c
 * @segs_lock:	protects @segs
 * @segs:	all segments that were not freed
 * @ctxs_lock:	protects @ctxs
 * @ctxs:	contexts, to tell them events
 * @status:	the status area; outlives the pod
 * @status_lock: serialises writers of the status area
 * @nr_users:	open files and mappings that keep `pod del` from removing it
 */
struct ub_pod {
	struct kref ref;
	struct list_head node;
	char name[UB_NAME_LEN];
	u32 id;
	u32 upi;
	const struct ub_fabric_ops *ops;
	bool dead;
	u32 nr_ubpus;
	u32 nr_npus;
	u32 nr_links;
	struct ub_ubpu *ubpu;
	struct ub_link *link;
	struct ub_graph graph;
	struct ub_vertex *vertex;
	struct ub_edge *edge;
	u32 *index;
	u32 route_seq;
	struct rw_semaphore topo;
	struct mutex members_lock;
	struct list_head members;
	struct mutex segs_lock;
	struct list_head segs;
	spinlock_t ctxs_lock;
	struct list_head ctxs;
	struct ub_area *status;
	spinlock_t status_lock;
	atomic_t nr_users;
};

extern struct mutex ub_pods_lock;
extern struct list_head ub_pods;
extern unsigned int ub_pods_seq;	/* changes with every pod; under ub_pods_lock */

int ub_pod_remove(const char *name, bool force, struct netlink_ext_ack *extack);
struct ub_pod *ub_pod_find(const char *name);	/* under ub_pods_lock */
struct ub_ubpu *ub_ubpu_find(const char *name, struct ub_pod **pod); /* the same */
const struct ub_fabric_ops *ub_fabric_get(const char *name);
void ub_pod_free(struct kref *ref);
void ub_pod_tell(struct ub_pod *pod, const struct ub_event *event);
void ub_pod_changed(struct ub_pod *pod);
u64 ub_pod_generation(struct ub_pod *pod);

static inline void ub_pod_put(struct ub_pod *pod)
{
	kref_put(&pod->ref, ub_pod_free);
}

int ub_links_init(struct ub_pod *pod, const struct ub_link_desc *desc);
void ub_links_free(struct ub_pod *pod);
int ub_link_set_state(struct ub_pod *pod, struct ub_link *link, bool up);
int ub_link_set_width(struct ub_pod *pod, struct ub_link *link, u32 width);
struct ub_link *ub_link_of_port(struct ub_pod *pod, u32 ubpu, u32 port);
void ub_link_read_stats(const struct ub_link *link, struct ub_link_sum *sum);
int ub_route_prepare(struct ub_pod *pod, const struct ub_route *route);
void ub_route_report(struct ub_pod *pod, const struct ub_route *route, u64 bytes);

static inline u32 ub_ubpu_nr_ports(const struct ub_pod *pod, u32 ubpu)
{
	return pod->vertex[ubpu].nr;
}

/* CNA of a port: unique in the pod, never 0. */
static inline u32 ub_port_cna(const struct ub_pod *pod, u32 ubpu, u32 port)
{
	return pod->vertex[ubpu].first + port + 1;
}

/* ---- NPUs: npu.c, sysfs.c ----------------------------------------------- */

/**
 * struct ub_npu - an NPU and its device
 * @dev:	/sys/class/ub/ubN; its reference is the NPU's
 * @cdev:	/dev/ub/ubN
 * @pod:	which owns the NPU; valid while the device is shown or a context
 *		holds the pod
 * @ubpu:	in @pod
 * @gone:	the device is hidden; under ub_pods_lock
 * @minor:	N
 * @mem_size:	bytes
 * @mem_used:	bytes that segments hold
 * @mem_backed:	bytes of them that have pages
 * @token_denied: imports refused for a wrong credential
 * @tokens:	TokenID -> exported segment; under its xa_lock, which also makes
 *		a found segment stay until its reference is taken
 * @engine:	executes transactions; made at first use (cmpxchg)
 * @auxdev:	what its face binds to, or NULL; under ub_pods_lock
 * @watchers:	told of changes of its links
 */
struct ub_npu {
	struct device dev;
	struct cdev cdev;
	struct ub_pod *pod;
	struct ub_ubpu *ubpu;
	bool gone;
	u32 minor;
	u64 mem_size;
	atomic64_t mem_used;
	atomic64_t mem_backed;
	atomic64_t token_denied;
	struct xarray tokens;
	struct ub_engine *engine;
	struct ub_auxdev *auxdev;
	struct blocking_notifier_head watchers;
};

static inline struct ub_npu *ub_npu_from_dev(const struct device *dev)
{
	return container_of(dev, struct ub_npu, dev);
}

int ub_npus_init(void);
void ub_npus_exit(void);
struct ub_npu *ub_npu_create(struct ub_pod *pod, struct ub_ubpu *ubpu, u64 mem_size);
int ub_npu_add(struct ub_npu *npu);
void ub_npu_remove(struct ub_npu *npu);

const struct attribute_group **ub_npu_groups(const struct ub_npu *npu);
void ub_sysfs_exit(void);
extern const struct file_operations ub_npu_fops;

/* ---- faces: face.c, auxdev.c ------------------------------------------------- */

/* A pod of at most so many NPUs gets verbs devices by itself. */
#define UB_VERBS_MAX_NPUS	16

/**
 * struct ub_auxdev - what a driver over an NPU binds to
 * @adev:	named "ub.verbs", its id is the NPU's minor
 * @npu:	lives longer than a driver is bound
 */
struct ub_auxdev {
	struct auxiliary_device adev;
	struct ub_npu *npu;
};

static inline struct ub_npu *ub_npu_from_auxdev(struct auxiliary_device *adev)
{
	return container_of(adev, struct ub_auxdev, adev)->npu;
}

/**
 * struct ub_npu_links - an NPU's links taken together
 * @nr:		links
 * @nr_up:	of them, up
 * @mbps:	of those that are up, per direction
 * @ups:	transitions to UP
 * @downs:	transitions to DOWN
 */
struct ub_npu_links {
	u32 nr;
	u32 nr_up;
	u64 mbps;
	u64 ups;
	u64 downs;
};

void ub_npu_query_links(const struct ub_npu *npu, struct ub_npu_links *sum);
void ub_npu_query_traffic(const struct ub_npu *npu, struct ub_link_sum *sum);
int ub_npu_watch_links(struct ub_npu *npu, struct notifier_block *nb);
void ub_npu_unwatch_links(struct ub_npu *npu, struct notifier_block *nb);
void ub_link_tell_faces(struct ub_pod *pod, const struct ub_link *link);
int ub_npu_claim(struct ub_npu *npu);
void ub_npu_release(struct ub_npu *npu);

#if IS_ENABLED(CONFIG_AUXILIARY_BUS)
int ub_auxdev_add(struct ub_npu *npu);
void ub_auxdev_remove(struct ub_npu *npu);
#else /* a kernel without drivers that could bind */
static inline int ub_auxdev_add(struct ub_npu *npu)
{
	return 0;
}

static inline void ub_auxdev_remove(struct ub_npu *npu)
{
}
#endif

/* ---- contexts: chardev.c, context.c, event.c ---------------------------- */

#define UB_EVENTS	64	/* that wait to be read */

/**
 * struct ub_ctx - an open file of /dev/ub/ubN
 * @ref:	held by the file and by the context's segments and imports
 * @npu:	held
 * @pod:	npu->pod
 * @user:	whose limits count
 * @uid:	of the opener
 * @mm:		of the opener (mmgrab): RLIMIT_MEMLOCK is charged here, and with
 *		its exit the context ends
 * @mn:		tells the exit of @mm
 * @memcg:	of the opener, charged for the pages of segments; may be NULL
 * @mem_used:	bytes that the context's segments hold
 * @lock:	protects @ended against adding handles
 * @ended:	no call works any more
 * @objs:	handle -> ub_obj
 * @slots:	of imports
 * @states:	struct ub_import_state[UB_MAX_SLOTS]
 * @accounts:	struct ub_account[UB_MAX_SLOTS]
 * @dying:	its segments, between its end and @reclaim
 * @reclaim:	returns their pages
 * @node:	in pod->ctxs
 * @event_read:	held by who takes events; copies to user space under it
 * @event_lock:	protects the event ring
 * @event:	the ring
 * @event_head:	next to write, free running
 * @event_tail:	next to read
 * @events_lost: since the ring was full
 * @event_wait:	readers and pollers
 */
struct ub_ctx {
	struct kref ref;
	struct ub_npu *npu;
	struct ub_pod *pod;
	struct ub_user *user;
	kuid_t uid;
	struct mm_struct *mm;
	struct mmu_notifier mn;
	struct mem_cgroup *memcg;
	atomic64_t mem_used;
	struct mutex lock;
	bool ended;
	struct xarray objs;
	struct ida slots;
	struct ub_area *states;
	struct ub_area *accounts;
	struct list_head dying;
	struct work_struct reclaim;
	struct list_head node;
	struct mutex event_read;
	spinlock_t event_lock;
	struct ub_event event[UB_EVENTS];
	u32 event_head;
	u32 event_tail;
	u64 events_lost;
	wait_queue_head_t event_wait;
};

int ub_ctxs_init(void);
void ub_ctxs_exit(void);
struct ub_ctx *ub_ctx_create(struct ub_npu *npu);
void ub_ctx_close(struct ub_ctx *ctx);
void ub_ctx_free(struct kref *ref);
int ub_ctx_check(const struct ub_ctx *ctx);

static inline void ub_ctx_put(struct ub_ctx *ctx)
{
	kref_put(&ctx->ref, ub_ctx_free);
}

void ub_event_init(struct ub_ctx *ctx);
void ub_event_post(struct ub_ctx *ctx, const struct ub_event *event);
ssize_t ub_event_read(struct ub_ctx *ctx, char __user *buf, size_t len, bool block);
__poll_t ub_event_poll(struct ub_ctx *ctx, struct file *file, struct poll_table_struct *wait);

/* ---- users: user.c ------------------------------------------------------- */

struct ub_user;

struct ub_user *ub_user_get(kuid_t uid);
void ub_user_put(struct ub_user *user);
int ub_user_charge_handle(struct ub_user *user);
void ub_user_uncharge_handle(struct ub_user *user);
int ub_user_charge_mem(struct ub_user *user, u64 bytes);
void ub_user_uncharge_mem(struct ub_user *user, u64 bytes);
int ub_user_backoff(struct ub_user *user);
void ub_user_denied(struct ub_user *user);
void ub_user_granted(struct ub_user *user);
void ub_users_exit(void);

/* ---- areas: area.c -------------------------------------------------------- */

/**
 * struct ub_area - pages that user space maps to look at state
 * @ref:	held by its owner and by mappings
 * @nr:		pages
 * @page:	allocated when first touched (cmpxchg), zeroed
 */
struct ub_area {
	struct kref ref;
	u32 nr;
	struct page *page[];
};

struct ub_area *ub_area_create(size_t bytes);
void ub_area_free(struct kref *ref);
void *ub_area_at(struct ub_area *area, size_t offset);
int ub_area_mmap(struct ub_area *area, struct vm_area_struct *vma, bool writable,
		 pgoff_t first);

static inline void ub_area_put(struct ub_area *area)
{
	if (area)
		kref_put(&area->ref, ub_area_free);
}

/* ---- objects: object.c ------------------------------------------------------ */

enum ub_obj_type { UB_OBJ_SEG = 1, UB_OBJ_IMPORT };

/**
 * struct ub_obj - what a handle names
 * @ref:	held by the handle, by mappings, and by calls in progress
 * @type:	what it is part of
 * @handle:	in @ctx
 * @ctx:	held
 */
struct ub_obj {
	struct kref ref;
	enum ub_obj_type type;
	u32 handle;
	struct ub_ctx *ctx;
};

int ub_obj_reserve(struct ub_ctx *ctx, struct ub_obj *obj, enum ub_obj_type type);
void ub_obj_unreserve(struct ub_obj *obj);
int ub_obj_publish(struct ub_obj *obj);
struct ub_obj *ub_obj_get(struct ub_ctx *ctx, u32 handle);
struct ub_obj *ub_obj_take(struct ub_ctx *ctx, u32 handle, enum ub_obj_type type);
void ub_obj_free(struct kref *ref);

static inline void ub_obj_put(struct ub_obj *obj)
{
	kref_put(&obj->ref, ub_obj_free);
}

/*
 * mmap() offset of a handle: byte i of the segment is at (handle << this) + i. The
 * offsets of a 32-bit process end at 1 << 44, its segments at 2 GiB.
 */
static inline unsigned int ub_obj_offset_shift(void)
{
	return IS_ENABLED(CONFIG_64BIT) && !in_compat_syscall() ? 40 : 31;
}

/* Does the caller's mmap() reach all of so much? */
static inline bool ub_obj_reaches(u64 length)
{
	return length <= BIT_ULL(ub_obj_offset_shift());
}

static inline u64 ub_obj_mmap_offset(const struct ub_obj *obj)
{
	return (u64)obj->handle << ub_obj_offset_shift();
}

/* ---- segments: segment.c, seg_pages.c, seg_map.c, token.c ------------------- */

/**
 * struct ub_seg - memory with a home
 * @obj:	must be first
 * @npu:	the home; held
 * @length:	bytes, whole pages
 * @charged:	@length is charged
 * @host:	in host memory: charged to RLIMIT_MEMLOCK
 * @dummy:	page that the owner's mappings show when it is dead, or NULL: SIGBUS
 * @file:	of the segment's own inode: what its mappings are mappings of
 * @pages:	page number -> struct page; filled when touched
 * @node:	in pod->segs
 * @lock:	protects what follows
 * @dead:	freed, or its owner or pod are gone; for good
 * @exported:	has a token
 * @any_uid:	importable by every user
 * @access:	UB_ACCESS_* that a user may get
 * @token_id:	random
 * @token_value: random
 * @imports:	made of it and not released
 */
struct ub_seg {
	struct ub_obj obj;
	struct ub_npu *npu;
	u64 length;
	bool charged;
	bool host;
	struct page *dummy;
	struct file *file;
	struct xarray pages;
	struct list_head node;
	struct rw_semaphore lock;
	bool dead;
	bool exported;
	bool any_uid;
	u32 access;
	u32 token_id;
	u32 token_value;
	struct list_head imports;
};

/**
 * struct ub_import - a context's right to somebody's segment
 * @obj:	must be first
 * @seg:	held
 * @access:	UB_ACCESS_* that was granted
 * @dummy:	page that a dead mapping shows, or NULL: SIGBUS
 * @slot:	in the context's state and accounting pages
 * @node:	in seg->imports
 * @state:	UB_IMPORT_*; changed under seg->lock, read anywhere
 * @zaps:	the count beside it; under seg->lock
 * @has_slot:	the slot is still this import's; under seg->lock
 * @dummy_seen:	@dummy was mapped: the import must not come back to life
 * @loaded:	reported bytes that are already on the links; under @fold
 * @stored:	the same
 * @fold:	protects the two
 */
struct ub_import {
	struct ub_obj obj;
	struct ub_seg *seg;
	u32 access;
	struct page *dummy;
	u32 slot;
	struct list_head node;
	u32 state;
	u32 zaps;
	bool has_slot;
	bool dummy_seen;
	spinlock_t fold;
	u64 loaded;
	u64 stored;
};

static inline struct ub_seg *ub_seg_from_obj(struct ub_obj *obj)
{
	return container_of(obj, struct ub_seg, obj);
}

static inline struct ub_import *ub_import_from_obj(struct ub_obj *obj)
{
	return container_of(obj, struct ub_import, obj);
}

extern struct srcu_struct ub_txn_srcu;

/* ---- memory in pieces: span.c --------------------------------------------------- */

bool ub_span_add(struct ub_span *span, struct page *page, u32 offset, u32 length);
bool ub_span_add_kernel(struct ub_span *span, const void *addr, u32 length);
void ub_span_write(const struct ub_span *span, const void *from, u32 length);

bool ub_charge(atomic64_t *used, u64 bytes, u64 limit);
void ub_seg_end_list(struct ub_pod *pod, struct ub_ctx *ctx, struct list_head *dying);
void ub_seg_reclaim_list(struct list_head *dying);
void ub_seg_kill(struct ub_seg *seg);
void ub_seg_release(struct ub_seg *seg);
void ub_seg_zap(struct ub_seg *seg);

struct page *ub_seg_page(struct ub_seg *seg, pgoff_t index);
struct page *ub_seg_page_try(struct ub_seg *seg, pgoff_t index);
unsigned long ub_backed_cap(void);
int ub_seg_populate(struct ub_seg *seg);
int ub_seg_span(struct ub_seg *seg, u64 offset, u64 length, struct ub_span *span);
void ub_seg_free_pages(struct ub_seg *seg);
int ub_seg_lookup(u64 start, u64 length, struct ub_obj **obj, u64 *offset);
int ub_seg_mmap(struct ub_obj *obj, struct vm_area_struct *vma, pgoff_t first);

bool ub_access_valid(u32 access);
void ub_seg_forget_token(struct ub_seg *seg);

void ub_import_release(struct ub_import *import);
void ub_import_detach(struct ub_import *import);
void ub_import_fold(struct ub_import *import);
void ub_imports_end(struct ub_seg *seg);
void ub_imports_reroute(struct ub_pod *pod);
void ub_imports_fold(struct ub_pod *pod);
void ub_seg_fold(struct ub_seg *seg);

/**
 * struct ub_access_to - a handle opened for reading or writing
 * @obj:	held
 * @seg:	the segment behind it
 * @import:	NULL for the owner
 */
struct ub_access_to {
	struct ub_obj *obj;
	struct ub_seg *seg;
	struct ub_import *import;
};

int ub_access_open(struct ub_ctx *ctx, u32 handle, u32 access, struct ub_access_to *to);
int ub_access_check(const struct ub_access_to *to);

static inline void ub_access_close(struct ub_access_to *to)
{
	ub_obj_put(to->obj);
}

/* A quota in bytes from a module parameter in MiB; 0 is none. */
static inline u64 ub_quota(unsigned long mib)
{
	return mib ? (u64)min(mib, ULONG_MAX >> 21) << 20 : S64_MAX;
}

/* ---- waiting: wait.c ---------------------------------------------------------- */

void ub_waits_init(void);
void ub_wait_wake_ctx(struct ub_ctx *ctx);
void ub_wait_wake_seg(struct ub_seg *seg);

/* ---- ioctls: chardev.c dispatches ------------------------------------------- */

/**
 * struct ub_call - an ioctl in progress
 * @ctx:	of the file
 * @arg:	the argument, copied in and zero-extended
 * @uarg:	where it came from
 * @usize:	bytes that the caller knows
 */
struct ub_call {
	struct ub_ctx *ctx;
	void *arg;
	void __user *uarg;
	u32 usize;
};

int ub_call_respond(struct ub_call *call, u32 size);

int ub_ioctl_seg_alloc(struct ub_call *call);
int ub_ioctl_seg_free(struct ub_call *call);
int ub_ioctl_seg_export(struct ub_call *call);
int ub_ioctl_seg_rotate(struct ub_call *call);
int ub_ioctl_seg_revoke(struct ub_call *call);
int ub_ioctl_seg_import(struct ub_call *call);
int ub_ioctl_seg_unimport(struct ub_call *call);
int ub_ioctl_wait(struct ub_call *call);
int ub_ioctl_wake(struct ub_call *call);
int ub_ioctl_copy(struct ub_call *call);

/* ---- netlink: netlink.c, netlink_admin.c -------------------------------------- */

int ub_netlink_init(void);
void ub_netlink_exit(void);
void ub_netlink_tell_pod(struct ub_pod *pod, bool gone);
void ub_netlink_tell_link(struct ub_pod *pod, const struct ub_link *link);

#endif /* _UB_CORE_UB_H */
