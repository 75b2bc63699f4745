/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ioctl interface of /dev/ub/ubN: segments of UnifiedBus memory.
 *
 * What this file guarantees
 *   - Every argument struct begins with @size, the size that the caller knows.
 *     A smaller size than the struct had in its first version is -EINVAL. A
 *     larger one is accepted when all bytes that this kernel does not know are
 *     zero, and is -E2BIG otherwise. So programs and kernels of different age
 *     work together; UB_IOC_QUERY tells what a kernel can.
 *   - Unknown flags and non-zero reserved fields are -EINVAL.
 *   - A call that fails has changed nothing.
 *   - No struct has holes, and all have one layout on 32 and 64 bit.
 *   - Any wrong credential (TokenID, TokenValue, uid, UPI, rights) is -EACCES,
 *     always the same.
 *   - -EOWNERDEAD from any call: the process that opened this file is gone, and
 *     the context with it (see "Contexts" in Documentation/userspace-api/ub.rst).
 *     -EIO: the pod has been removed. -ENOLINK: no route to the home.
 *
 * A *context* is an open file of /dev/ub/ubN. It owns the segments that it
 * allocates, on NPU N or in host memory; the NPU is their home. A context that
 * imports a segment is its user and reaches it from NPU N, over the links.
 * Handles are per context, small, and never 0.
 */
#ifndef _UAPI_UB_IOCTL_H
#define _UAPI_UB_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define UB_ABI_VERSION	1
#define UB_EID_LEN	16
#define UB_GUID_LEN	16
#define UB_NAME_LEN	16	/* of a pod or a backend, with the final NUL */

/*
 * Numbers: one magic, no size in the number (the struct carries it).
 */
#define UB_IOC_MAGIC		0xBE
#define UB_IOC_QUERY		_IO(UB_IOC_MAGIC, 0x00)
#define UB_IOC_SEG_ALLOC	_IO(UB_IOC_MAGIC, 0x01)
#define UB_IOC_SEG_FREE		_IO(UB_IOC_MAGIC, 0x02)
#define UB_IOC_SEG_EXPORT	_IO(UB_IOC_MAGIC, 0x03)
#define UB_IOC_SEG_ROTATE	_IO(UB_IOC_MAGIC, 0x04)
#define UB_IOC_SEG_REVOKE	_IO(UB_IOC_MAGIC, 0x05)
#define UB_IOC_SEG_IMPORT	_IO(UB_IOC_MAGIC, 0x06)
#define UB_IOC_SEG_UNIMPORT	_IO(UB_IOC_MAGIC, 0x07)
#define UB_IOC_WAIT		_IO(UB_IOC_MAGIC, 0x08)
#define UB_IOC_WAKE		_IO(UB_IOC_MAGIC, 0x09)
#define UB_IOC_COPY		_IO(UB_IOC_MAGIC, 0x0a)

/*
 * What a user of a segment may do. LOCAL_ONLY excludes the others, WRITE
 * requires READ, ATOMIC requires READ and WRITE (-EINVAL otherwise). The values
 * are those of UnifiedBus' access flags.
 */
#define UB_ACCESS_LOCAL_ONLY	(1U << 0)
#define UB_ACCESS_READ		(1U << 1)
#define UB_ACCESS_WRITE		(1U << 2)
#define UB_ACCESS_ATOMIC	(1U << 3)

/* struct ub_ioc_query.features */
#define UB_FEATURE_SEG		(1ULL << 0)	/* segments, load/store */
#define UB_FEATURE_WAIT		(1ULL << 1)	/* UB_IOC_WAIT and _WAKE */
#define UB_FEATURE_COPY		(1ULL << 2)	/* UB_IOC_COPY */
#define UB_FEATURE_EVENTS	(1ULL << 3)	/* read() and poll() of events */

/**
 * struct ub_ioc_query - what this device and this kernel are
 * @size:	sizeof(struct ub_ioc_query)
 * @flags:	0
 * @abi_version: UB_ABI_VERSION of the kernel
 * @npu:	N of /dev/ub/ubN
 * @features:	UB_FEATURE_*
 * @eid:	EID of the NPU, network byte order
 * @guid:	GUID of the NPU, network byte order
 * @pod:	name of its pod
 * @backend:	name of the fabric that makes the pod ("soft": software, whose
 *		speeds say nothing about UnifiedBus)
 * @index:	position of the NPU in its pod, from 0
 * @nr_npus:	NPUs in the pod
 * @mem_size:	memory of the NPU in bytes
 * @mem_used:	bytes of it that segments hold
 * @max_handles: limit of segments and imports of one context
 * @upi:	partition of the pod
 * @nr_links:	entries of the status area
 * @reserved:	0
 */
struct ub_ioc_query {
	__u32	size;
	__u32	flags;
	__u32	abi_version;
	__u32	npu;
	__u64	features;
	__u8	eid[UB_EID_LEN];
	__u8	guid[UB_GUID_LEN];
	char	pod[UB_NAME_LEN];
	char	backend[UB_NAME_LEN];
	__u32	index;
	__u32	nr_npus;
	__u64	mem_size;
	__u64	mem_used;
	__u32	max_handles;
	__u32	upi;
	__u32	nr_links;
	__u32	reserved;
};

/* struct ub_ioc_seg_alloc.flags */
#define UB_SEG_HOST		(1U << 0)	/* in host memory; charged to RLIMIT_MEMLOCK */
#define UB_SEG_POPULATE		(1U << 1)	/* back and charge all of it now */
#define UB_SEG_DUMMY		(1U << 2)	/* its mapping reads zeros once it is dead, not SIGBUS */

/**
 * struct ub_ioc_seg_alloc - allocate a segment
 * @size:	sizeof(struct ub_ioc_seg_alloc)
 * @flags:	UB_SEG_*
 * @length:	bytes, rounded up to pages by the kernel; the result is stored back
 * @mmap_offset: out: offset for mmap() of this file; byte i of the segment is at
 *		@mmap_offset + i
 * @handle:	out
 * @reserved:	0
 *
 * Memory is zeroed. Without UB_SEG_POPULATE it is backed when first touched;
 * a touch that finds the limits of the machine or of the module raises SIGBUS.
 * When the segment ends before its mappings (the pod is removed) a touch raises
 * SIGBUS; with UB_SEG_DUMMY it finds zeros that nobody else sees, like an import
 * with UB_SEG_IMPORT_DUMMY. Who uses it looks at UB_STATUS_DEAD afterwards.
 *
 * Errors: -EINVAL no bytes, or more than 1 TiB (of a 32-bit process: 2 GiB);
 * -ENOMEM the NPU, the machine or RLIMIT_MEMLOCK is full; -EDQUOT a quota of the
 * context or the user; -ENOSPC too many handles.
 */
struct ub_ioc_seg_alloc {
	__u32	size;
	__u32	flags;
	__u64	length;
	__u64	mmap_offset;
	__u32	handle;
	__u32	reserved;
};

/**
 * struct ub_ioc_handle - argument of SEG_FREE, SEG_REVOKE and SEG_UNIMPORT
 * @size:	sizeof(struct ub_ioc_handle)
 * @handle:	the object
 *
 * SEG_FREE ends a segment of this context: its imports die, all its mappings
 * are removed, its memory is returned. SEG_REVOKE ends its token and imports
 * only; the owner goes on and may export again (-ENOENT when not exported).
 * SEG_UNIMPORT gives an import's handle back; its mappings live until they are
 * unmapped or the home ends them.
 */
struct ub_ioc_handle {
	__u32	size;
	__u32	handle;
};

/* struct ub_ioc_seg_export.flags */
#define UB_SEG_EXPORT_ANY_UID	(1U << 0)	/* importable by every user, not only the owner's uid */

/**
 * struct ub_ioc_seg_export - make a segment importable
 * @size:	sizeof(struct ub_ioc_seg_export)
 * @handle:	a segment of this context
 * @access:	UB_ACCESS_*: the most that a user may get
 * @flags:	UB_SEG_EXPORT_*
 * @token_id:	out: TokenID, random
 * @token_value: out: TokenValue, random
 *
 * Errors: -EEXIST it is exported already.
 */
struct ub_ioc_seg_export {
	__u32	size;
	__u32	handle;
	__u32	access;
	__u32	flags;
	__u32	token_id;
	__u32	token_value;
};

/**
 * struct ub_ioc_seg_rotate - change the TokenValue
 * @size:	sizeof(struct ub_ioc_seg_rotate)
 * @handle:	a segment of this context
 * @token_value: out: the new value, random
 * @reserved:	0
 *
 * Imports made with the old value die at once. Errors: -ENOENT not exported.
 */
struct ub_ioc_seg_rotate {
	__u32	size;
	__u32	handle;
	__u32	token_value;
	__u32	reserved;
};

/* struct ub_ioc_seg_import.flags */
#define UB_SEG_IMPORT_DUMMY	(1U << 0)	/* a dead mapping reads zeros instead of SIGBUS */

/**
 * struct ub_ioc_seg_import - use somebody's segment
 * @size:	sizeof(struct ub_ioc_seg_import)
 * @flags:	UB_SEG_IMPORT_*
 * @eid:	EID of the home
 * @token_id:	TokenID
 * @token_value: TokenValue
 * @access:	UB_ACCESS_* wanted; at most what was exported
 * @handle:	out
 * @length:	out: bytes
 * @mmap_offset: out: offset for mmap() of this file
 * @slot:	out: index of the import in the state and accounting pages
 * @reserved:	0
 *
 * Errors: -EACCES any wrong credential; -ENXIO no NPU of the pod has this EID;
 * -ENOLINK no route to it; -ENOSPC too many handles; -EOVERFLOW more than 2 GiB,
 * of which a 32-bit process could not map all. After eight wrong credentials of a
 * uid each further one is answered only after a wait that doubles from 10 ms to
 * 1 s.
 */
struct ub_ioc_seg_import {
	__u32	size;
	__u32	flags;
	__u8	eid[UB_EID_LEN];
	__u32	token_id;
	__u32	token_value;
	__u32	access;
	__u32	handle;
	__u64	length;
	__u64	mmap_offset;
	__u32	slot;
	__u32	reserved;
};

/**
 * struct ub_ioc_wait - sleep until a word of a segment is woken
 * @size:	sizeof(struct ub_ioc_wait)
 * @handle:	a segment or an import with READ
 * @offset:	of the word in the segment, a multiple of 4
 * @expected:	sleep only while the word has this value
 * @flags:	0
 * @timeout_ns:	relative, CLOCK_MONOTONIC; negative: for ever
 *
 * Like FUTEX_WAIT (which cannot work on these pages): may return 0 without a
 * change, so callers look at the word again. Errors: -EAGAIN the word differs;
 * -ETIMEDOUT; -EINTR; -EOWNERDEAD the segment or the import died; -ENOLINK its
 * route is lost.
 */
struct ub_ioc_wait {
	__u32	size;
	__u32	handle;
	__u64	offset;
	__u32	expected;
	__u32	flags;
	__s64	timeout_ns;
};

/**
 * struct ub_ioc_wake - wake sleepers of a word
 * @size:	sizeof(struct ub_ioc_wake)
 * @handle:	a segment or an import with WRITE
 * @offset:	of the word, a multiple of 4
 * @count:	wake at most so many
 * @woken:	out: how many were woken
 */
struct ub_ioc_wake {
	__u32	size;
	__u32	handle;
	__u64	offset;
	__u32	count;
	__u32	woken;
};

/**
 * struct ub_ioc_copy - copy between two segments: one transaction on the fabric
 * @size:	sizeof(struct ub_ioc_copy)
 * @flags:	0
 * @src:	handle with READ
 * @dst:	handle with WRITE
 * @src_offset:	bytes
 * @dst_offset:	bytes
 * @length:	bytes; 0 is allowed
 * @copied:	out, in error too: bytes that were copied, from the start
 *
 * The ranges may not overlap when both handles name one segment (-EINVAL).
 * Errors: -ERANGE outside of a segment; -EOWNERDEAD; -ENOLINK; -EINTR a fatal
 * signal.
 */
struct ub_ioc_copy {
	__u32	size;
	__u32	flags;
	__u32	src;
	__u32	dst;
	__u64	src_offset;
	__u64	dst_offset;
	__u64	length;
	__u64	copied;
};

/*
 * mmap() offsets. A segment's and an import's are told by the kernel
 * (mmap_offset), and are good for processes as wide as the one that was told;
 * these three are fixed. Mappings must be shared and not executable; mremap()
 * may move but not grow them.
 */
#define UB_MMAP_STATUS		0x00000000ULL	/* read-only, one per pod: struct ub_status */
#define UB_MMAP_STATES		0x10000000ULL	/* read-only, per context: struct ub_import_state[] */
#define UB_MMAP_ACCOUNT		0x20000000ULL	/* read-write, per context: struct ub_account[] */

/* struct ub_status.flags */
#define UB_STATUS_DEAD		(1U << 0)	/* the pod has been removed */

/**
 * struct ub_status - head of the pod's status area
 * @abi:	UB_ABI_VERSION
 * @size:	bytes of the whole area, for mmap()
 * @generation:	changes after any change of state below or of an import, and
 *		before the memory concerned is unmapped: same value, same world
 * @nr:		number of entries
 * @stride:	distance of entries in bytes
 * @offset:	of the first entry
 * @flags:	UB_STATUS_*
 *
 * Entries are struct ub_status_link. The area outlives its pod.
 */
struct ub_status {
	__u32	abi;
	__u32	size;
	__u64	generation;
	__u32	nr;
	__u32	stride;
	__u32	offset;
	__u32	flags;
};

#define UB_LINK_DOWN		0
#define UB_LINK_TRAINING	1
#define UB_LINK_UP		2

/**
 * struct ub_status_link - one link of the pod
 * @ubpu:	index in the pod of the UBPU at each end
 * @port:	port there
 * @state:	UB_LINK_*
 * @width:	lanes that are active
 */
struct ub_status_link {
	__u32	ubpu[2];
	__u16	port[2];
	__u16	state;
	__u16	width;
};

#define UB_IMPORT_NONE		0	/* the slot is free */
#define UB_IMPORT_ALIVE		1
#define UB_IMPORT_SUSPENDED	2	/* no route now; may come back */
#define UB_IMPORT_DEAD		3	/* for good */

/**
 * struct ub_import_state - one aligned 8-byte word, stored at once
 * @state:	UB_IMPORT_*
 * @zaps:	how often the mappings were taken away. A reader that sees the
 *		same word, alive, before and after its loads and stores knows
 *		that all of them reached the segment.
 */
struct ub_import_state {
	__u32	state;
	__u32	zaps;
};

/**
 * struct ub_account - traffic by load and store that user space reports
 * @loaded:	bytes loaded from this import, ever growing
 * @stored:	bytes stored to it, ever growing
 *
 * Payload only; what does not go through a mapping of the import is not in it.
 * The kernel never trusts it, and shows it as a group of its own.
 */
struct ub_account {
	__u64	loaded;
	__u64	stored;
};

#define UB_EVENT_OVERFLOW	1	/* @value events were lost */
#define UB_EVENT_LINK		2	/* @a, @b: index in the status area, UB_LINK_* */
#define UB_EVENT_ROUTE		3	/* routes were computed anew; @value: generation */
#define UB_EVENT_IMPORT		4	/* @a: slot, @b: UB_IMPORT_* */
#define UB_EVENT_NOMEM		5	/* a fault found no memory; @a: handle of the segment */
#define UB_EVENT_POD_GONE	6	/* the pod is removed; no event follows */

/**
 * struct ub_event - what read() of the device file returns, one or more whole
 * @type:	UB_EVENT_*; skip what you do not know
 * @a:		by type
 * @b:		by type
 * @reserved:	0
 * @value:	by type
 * @time_ns:	CLOCK_BOOTTIME
 *
 * A buffer smaller than one event is -EINVAL. Without an event read() waits, or
 * is -EAGAIN when the file is non-blocking; poll() tells POLLIN.
 */
struct ub_event {
	__u32	type;
	__u32	a;
	__u32	b;
	__u32	reserved;
	__u64	value;
	__u64	time_ns;
};

#endif /* _UAPI_UB_IOCTL_H */
