/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The generic netlink family "ub": what there is (dumps, for everybody), its
 * administration (CAP_NET_ADMIN in the initial user namespace), and events.
 * Documentation/netlink/specs/ub.yaml describes the same for YNL.
 *
 * Counters are 64-bit, only grow and are never cleared. A dump that a change of
 * the pods interrupted carries NLM_F_DUMP_INTR: ask again.
 */
#ifndef _UAPI_UB_NETLINK_H
#define _UAPI_UB_NETLINK_H

#define UB_GENL_NAME		"ub"
#define UB_GENL_VERSION		1
#define UB_GENL_MCGRP_EVENTS	"events"

/**
 * enum ub_cmd - requests
 * @UB_CMD_UNSPEC:	unused
 * @UB_CMD_POD_GET:	dump pods
 * @UB_CMD_POD_NEW:	make one: POD, BACKEND, PRESET, PARAM…
 * @UB_CMD_POD_DEL:	remove one: POD, FORCE; -EBUSY while it is in use
 * @UB_CMD_POD_SET:	change one: POD, UPI
 * @UB_CMD_UBPU_GET:	dump UBPUs; of POD if given
 * @UB_CMD_LINK_GET:	dump links with their counters; of POD, of UBPU_NAME
 * @UB_CMD_LINK_SET:	change a link: UBPU_NAME and PORT; STATE or WIDTH
 * @UB_CMD_ROUTE_GET:	do: UBPU_NAME (from) and PEER_NAME; answers HOPs
 * @UB_CMD_POD_NTF:	event: a pod came, changed or went (GONE)
 * @UB_CMD_LINK_NTF:	event: a link changed
 */
enum ub_cmd {
	UB_CMD_UNSPEC,
	UB_CMD_POD_GET,
	UB_CMD_POD_NEW,
	UB_CMD_POD_DEL,
	UB_CMD_POD_SET,
	UB_CMD_UBPU_GET,
	UB_CMD_LINK_GET,
	UB_CMD_LINK_SET,
	UB_CMD_ROUTE_GET,
	UB_CMD_POD_NTF,
	UB_CMD_LINK_NTF,

	__UB_CMD_MAX,
	UB_CMD_MAX = __UB_CMD_MAX - 1
};

/* Attributes of every message. Numbers are in host order. */
enum ub_attr {
	UB_A_UNSPEC,
	UB_A_PAD,
	UB_A_POD,		/* string: name of the pod */
	UB_A_BACKEND,		/* string: its fabric; "soft" */
	UB_A_PRESET,		/* string */
	UB_A_PARAM,		/* nest, repeated: KEY, VALUE */
	UB_A_KEY,		/* string */
	UB_A_VALUE,		/* string */
	UB_A_FORCE,		/* flag */
	UB_A_GONE,		/* flag */
	UB_A_UPI,		/* u32: partition */
	UB_A_GENERATION,	/* u64: of the status area */
	UB_A_NR_UBPUS,		/* u32 */
	UB_A_NR_NPUS,		/* u32 */
	UB_A_NR_LINKS,		/* u32 */
	UB_A_NR_PORTS,		/* u32 */
	UB_A_UBPU_INDEX,	/* u32: in its pod */
	UB_A_UBPU_NAME,		/* string: "ub0", "pod0-sw3" */
	UB_A_UBPU_TYPE,		/* u32: UB_UBPU_* */
	UB_A_PEER_NAME,		/* string */
	UB_A_GUID,		/* 16 bytes */
	UB_A_EID,		/* 16 bytes */
	UB_A_CNA,		/* u32: of the UBPU's first port */
	UB_A_NUMA_NODE,		/* s32 */
	UB_A_MEM_SIZE,		/* u64: bytes */
	UB_A_MEM_USED,		/* u64: bytes that segments hold */
	UB_A_MEM_BACKED,	/* u64: bytes of them that have pages */
	UB_A_TOKEN_DENIED,	/* u64: imports refused by this home */
	UB_A_LINK_INDEX,	/* u32: in its pod, and in the status area */
	UB_A_END,		/* nest, twice: UBPU_INDEX, UBPU_NAME, PORT */
	UB_A_PORT,		/* u32 */
	UB_A_STATE,		/* u32: UB_LINK_* of ioctl.h */
	UB_A_WIDTH,		/* u32: active lanes */
	UB_A_WIDTH_MAX,		/* u32 */
	UB_A_LANE_MBPS,		/* u32: of a lane, one direction, Mbit/s */
	UB_A_LINK_UPS,		/* u64: how often it came up */
	UB_A_LINK_DOWNS,	/* u64: how often it went down */
	UB_A_DIR,		/* nest, twice (from end 0, from end 1): the five below */
	UB_A_PACKETS,		/* u64: counted by the kernel, of transactions */
	UB_A_BYTES,		/* u64: payload */
	UB_A_FLITS,		/* u64: of 20 bytes */
	UB_A_LDST_REPORTED_BYTES, /* u64: by load and store, as user space reports */
	UB_A_HOP,		/* nest, repeated, in order: LINK_INDEX, UBPU_NAME, PORT it leaves by */

	__UB_A_MAX,
	UB_A_MAX = __UB_A_MAX - 1
};

#define UB_UBPU_NPU	1
#define UB_UBPU_CPU	2
#define UB_UBPU_SWITCH	3

#endif /* _UAPI_UB_NETLINK_H */
