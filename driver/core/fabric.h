/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a fabric gives to the core, and what it gets from it.
 *
 * A fabric (ub_soft is the first) makes pods and executes transactions. The
 * core keeps the objects, routes, segments, tokens and user interfaces, and
 * does not know how a fabric moves bytes.
 */
#ifndef _UB_CORE_FABRIC_H
#define _UB_CORE_FABRIC_H

#include <linux/bvec.h>
#include <linux/types.h>

#include <ub/ioctl.h>
#include <ub/netlink.h>
#include <ub/ring.h>

#include "route.h"

struct module;
struct netlink_ext_ack;
struct ub_pod;
struct ub_pod_param;
struct ub_seg;
struct ub_txn;

/**
 * struct ub_fabric_ops - a kind of pod
 * @name:	shown as the backend, at most UB_NAME_LEN - 1
 * @owner:	the module; held by every open file of its pods
 * @pod_add:	make a pod from a preset and its parameters ("key", value) on
 *		behalf of an administrator: ends in ub_pod_create()
 * @admit:	decide about a transaction chunk of at most UB_TXN_CHUNK bytes, and get
 *		what executing it needs. May sleep. 0; -ETIMEDOUT when it is lost on
 *		the way; -ENOMEM. After an error nothing is executed.
 * @execute:	carry out a chunk that was admitted, or less of it: account it on the
 *		links of its routes, perform it. Cannot fail.
 */
struct ub_fabric_ops {
	const char *name;
	struct module *owner;
	int (*pod_add)(const char *name, const char *preset,
		       const struct ub_pod_param *params, unsigned int nr,
		       struct netlink_ext_ack *extack);
	int (*admit)(struct ub_txn *txn);
	void (*execute)(struct ub_txn *txn);
};

int ub_fabric_register(const struct ub_fabric_ops *ops);
void ub_fabric_unregister(const struct ub_fabric_ops *ops);

/* A parameter of a preset, as the administrator typed it. */
struct ub_pod_param {
	const char *key;
	const char *value;
};

/**
 * struct ub_pod_desc - a pod to be
 * @name:	unique, [a-zA-Z0-9_-]
 * @ops:	its fabric
 * @ubpu:	the UBPUs: NPUs first
 * @link:	the links
 * @nr_ubpus:	number of @ubpu
 * @nr_npus:	how many of them are NPUs
 * @nr_links:	number of @link
 */
struct ub_pod_desc {
	const char *name;
	const struct ub_fabric_ops *ops;
	const struct ub_ubpu_desc *ubpu;
	const struct ub_link_desc *link;
	u32 nr_ubpus;
	u32 nr_npus;
	u32 nr_links;
};

int ub_pod_create(const struct ub_pod_desc *desc, struct netlink_ext_ack *extack);

/* The largest piece of a transaction that is executed without looking up. */
#define UB_TXN_CHUNK (64u * 1024)

/* Pieces of memory in a span: of a datagram, every SGE may cross a page. */
#define UB_SPAN_MAX (2 * UB_MAX_SGE + 2)

/**
 * struct ub_span - the memory of one side of a chunk
 * @nr:		pieces
 * @length:	bytes of all
 * @piece:	the pieces, in order
 */
struct ub_span {
	u32 nr;
	u32 length;
	struct bio_vec piece[UB_SPAN_MAX];
};

enum ub_txn_op {
	UB_TXN_MOVE,		/* src to dst */
	UB_TXN_COMPARE_SWAP,	/* of the 8 bytes of dst */
	UB_TXN_FETCH_ADD,	/* the same */
};

/**
 * struct ub_txn - one chunk of a transaction
 * @pod:	where
 * @op:		enum ub_txn_op
 * @last:	of its message: its last aligned 8 bytes are written last, at once
 * @in:		route from the source's home to the initiator
 * @out:	route from the initiator to the destination's home
 * @length:	bytes; 0 for a message without any
 * @src:	from here; may be longer than @length
 * @dst:	to here; the same
 * @operand:	of an atomic: what to store, or to add
 * @compare:	of UB_TXN_COMPARE_SWAP
 * @result:	of an atomic: what was there before
 */
struct ub_txn {
	struct ub_pod *pod;
	enum ub_txn_op op;
	bool last;
	struct ub_route in;
	struct ub_route out;
	u32 length;
	const struct ub_span *src;
	const struct ub_span *dst;
	u64 operand;
	u64 compare;
	u64 result;
};

/* What admitting and executing are made of, in this order. */
int ub_txn_prepare(struct ub_txn *txn);
void ub_route_account(struct ub_pod *pod, const struct ub_route *route, u32 bytes);
void ub_txn_perform(struct ub_txn *txn);

#endif /* _UB_CORE_FABRIC_H */
