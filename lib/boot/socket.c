// SPDX-License-Identifier: BSD-2-Clause
/*
 * Abstract Unix sockets: names, credentials, messages with file descriptors.
 *
 * Abstract names vanish with their socket: nothing is left in a file system by a
 * killed job. They are of the network namespace, so ranks in different
 * containers meet only when these share it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "boot/boot.h"

#define MAX_FDS	2

uint64_t ub_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

unsigned int ub_abstract_name(struct sockaddr_un *addr, const char *fmt, ...)
{
	size_t room = sizeof(addr->sun_path) - 1, n;
	va_list ap;

	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	n = (size_t)snprintf(addr->sun_path + 1, room, "ub-%u-", (unsigned int)getuid());
	va_start(ap, fmt);
	n += (size_t)vsnprintf(addr->sun_path + 1 + n, room - n, fmt, ap);
	va_end(ap);
	if (n > room - 1)
		n = room - 1;
	return (unsigned int)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

int ub_check_peer(int sock)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	return cred.uid == getuid() ? 0 : -EPERM;
}

int ub_send_fds(int sock, const void *buf, size_t len, const int *fds, int nfds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)nfds * sizeof(int));
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Keep the first nfds descriptors, close what a stranger sent beyond them. */
static void take_fds(struct msghdr *msg, int *fds, int nfds)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int n, fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		for (int i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(c) + (size_t)i * sizeof(int), sizeof(int));
			if (i < nfds && fds[i] < 0)
				fds[i] = fd;
			else
				close(fd);
		}
	}
}

long ub_recv_fds(int sock, void *buf, size_t len, int *fds, int nfds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n;

	for (int i = 0; i < nfds; i++)
		fds[i] = -1;
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_fds(&msg, fds, nfds);
	return n;
}
