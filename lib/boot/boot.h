/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bootstrap: from "I am rank r of n of this job" to a shared control segment.
 *
 * Ranks of one host meet at an abstract Unix socket of rank 0, whose name holds
 * the uid, the job and the number of the communicator in it. Both sides check
 * the other's uid (SO_PEERCRED). Two round trips per rank, a star: right for the
 * ranks of one host.
 *
 * Guarantees: bounded by the deadline; after 10 s one line says who is missing;
 * every failure has a sentence, on the other ranks too.
 */
#ifndef LIBUB_BOOT_H
#define LIBUB_BOOT_H

#include <stdint.h>
#include <ub/comm.h>

#define UB_JOB_MAX	64

/* Who the caller is. */
struct ub_identity {
	int		rank;
	int		nranks;
	char		job[UB_JOB_MAX + 1];
	const char	*launcher;	/* for sentences: "torchrun", … */
};

/* What rendezvous gives; the file descriptors are the caller's. */
struct ub_boot {
	int		control;	/* memfd of the control segment, initialised */
	int		failure;	/* eventfd, written once when the comm fails */
	int		link;		/* rank 0: -1; else the socket to rank 0 */
	int		*links;		/* rank 0: sockets to the others; else NULL */
	uint64_t	until_ns;	/* CLOCK_MONOTONIC */
	int		nranks;
};

/* From the config, the rest from the environment. */
int ub_identify(const struct ub_comm_config *config, struct ub_identity *id);

/* Meet. Collective. On success ub_boot_finish() must follow. */
int ub_boot_meet(const struct ub_identity *id, uint64_t deadline_ms, struct ub_boot *boot);
/*
 * Tell the others that this rank is ready (err 0) or cannot go on, and wait for
 * all. Closes the links in any case.
 */
int ub_boot_finish(struct ub_boot *boot, int err);

/* The sentence of ub_comm_error(NULL): of this thread. Returns err. */
int ub_boot_fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *ub_boot_error(void);

/* Send one message with an optional file descriptor; receive one. Never raise SIGPIPE. */
int ub_send_fds(int sock, const void *buf, size_t len, const int *fds, int nfds);
/* Returns bytes received, 0 at the end, or -errno; fds that did not come are -1. */
long ub_recv_fds(int sock, void *buf, size_t len, int *fds, int nfds);
/* -EPERM unless the peer's process runs as this user. */
int ub_check_peer(int sock);
/* Abstract address "ub-<uid>-<rest>"; returns its length. */
struct sockaddr_un;
unsigned int ub_abstract_name(struct sockaddr_un *addr, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
uint64_t ub_now_ns(void);

#endif /* LIBUB_BOOT_H */
