// SPDX-License-Identifier: BSD-2-Clause
/*
 * Handing out segments: a member asks by id, the answer carries what it takes to
 * map it, a file descriptor with it where that is needed.
 *
 * One thread per communicator and rank, asleep but when a peer maps something for
 * the first time. One connection per question: nothing is kept open between
 * ranks. Who asks must run as this user and know the control segment's secret.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "boot/boot.h"
#include "comm/comm.h"
#include "segment/segment.h"

#define SLICE_MS	20	/* how often one who asks looks at the abort word */
#define QUESTION_MS	2000	/* who connects asks at once */

struct question {
	uint64_t	secret;
	uint32_t	id;
	uint32_t	reserved;
};

struct reply {
	int32_t			err;
	uint32_t		nlive;		/* all; ids only as far as there is room */
	struct ub_segment_desc	desc;
	uint32_t		live[UB_SERVER_IDS];
};

struct ub_server {
	pthread_t	thread;
	int		listener;
	int		stop;		/* eventfd */
	uint64_t	secret;
	pthread_mutex_t	lock;		/* refuse; held while a segment is handed out */
	bool		refuse;
};

static unsigned int server_name(struct sockaddr_un *addr, uint64_t secret, uint32_t rank)
{
	return ub_abstract_name(addr, "%016llx.%u", (unsigned long long)secret, rank);
}

/* Once refused, never again: what is revoked after that stays revoked. */
static int hand_out(struct ub_server *s, uint32_t id, struct ub_segment_desc *desc, int *fd)
{
	int err = -ECONNABORTED;

	pthread_mutex_lock(&s->lock);
	if (!s->refuse)
		err = ub_registry_describe(id, desc, fd);
	pthread_mutex_unlock(&s->lock);
	return err;
}

void ub_server_refuse(struct ub_comm *comm)
{
	struct ub_server *s = comm->server;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->refuse = true;
	pthread_mutex_unlock(&s->lock);
}

static void answer(struct ub_server *s, int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct reply r = { 0 };
	struct question q;
	int fd = -1;

	if (ub_check_peer(sock) || poll(&p, 1, QUESTION_MS) != 1 ||
	    ub_recv_fds(sock, &q, sizeof(q), NULL, 0) != sizeof(q) || q.secret != s->secret)
		return;
	r.err = hand_out(s, q.id, &r.desc, &fd);
	r.nlive = ub_registry_ids(r.live, UB_SERVER_IDS);
	ub_send_fds(sock, &r, sizeof(r), &fd, fd >= 0 ? 1 : 0);
	if (fd >= 0)
		close(fd);
}

static void *server_main(void *arg)
{
	struct ub_server *s = arg;
	struct pollfd p[2] = {
		{ .fd = s->listener, .events = POLLIN },
		{ .fd = s->stop, .events = POLLIN },
	};

	pthread_setname_np(pthread_self(), "ub-server");
	while (!(p[1].revents & POLLIN)) {
		int sock;

		p[0].revents = p[1].revents = 0;
		if (poll(p, 2, -1) < 0 || !(p[0].revents & POLLIN))
			continue;
		sock = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
		if (sock < 0)
			continue;
		answer(s, sock);
		close(sock);
	}
	return NULL;
}

static int start_thread(struct ub_server *s)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(&s->thread, NULL, server_main, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

int ub_server_start(struct ub_comm *comm)
{
	struct sockaddr_un addr;
	struct ub_server *s;
	unsigned int len;
	int err;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->secret = comm->ctl->secret;
	pthread_mutex_init(&s->lock, NULL);
	len = server_name(&addr, s->secret, comm->rank);
	s->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	s->stop = eventfd(0, EFD_CLOEXEC);
	err = -errno;
	if (s->listener < 0 || s->stop < 0)
		goto err_close;
	if (bind(s->listener, (struct sockaddr *)&addr, len) ||
	    listen(s->listener, UB_MAX_RANKS)) {
		err = -errno;
		goto err_close;
	}
	err = start_thread(s);
	if (err)
		goto err_close;
	comm->server = s;
	return 0;

err_close:
	if (s->listener >= 0)
		close(s->listener);
	if (s->stop >= 0)
		close(s->stop);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return err;
}

void ub_server_stop(struct ub_comm *comm)
{
	struct ub_server *s = comm->server;
	uint64_t one = 1;

	if (!s)
		return;
	while (write(s->stop, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(s->thread, NULL);
	close(s->listener);
	close(s->stop);
	pthread_mutex_destroy(&s->lock);
	free(s);
	comm->server = NULL;
}

/*
 * Wait for the reply. A peer that is stopped does not answer, so this is a wait
 * like any other: it ends with the communicator or with the call's deadline.
 */
static int wait_reply(struct ub_comm *comm, int sock)
{
	uint64_t until = ub_now_ns() + comm->deadline_ms * 1000000ULL;
	struct pollfd p = { .fd = sock, .events = POLLIN };

	for (;;) {
		int n = poll(&p, 1, SLICE_MS);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (ub_comm_aborted(comm))
			return ub_comm_status(comm);
		if (ub_now_ns() >= until)
			return -ETIMEDOUT;
	}
}

int ub_server_ask(struct ub_comm *comm, uint32_t rank, uint32_t id,
		  struct ub_segment_desc *desc, int *fd, uint32_t *live, uint32_t *nlive)
{
	struct question q = { .secret = comm->ctl->secret, .id = id };
	struct sockaddr_un addr;
	unsigned int len = server_name(&addr, q.secret, rank);
	struct reply r;
	int sock, err;

	*fd = -1;
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (connect(sock, (struct sockaddr *)&addr, len)) {
		err = -errno;
		goto out;
	}
	err = ub_check_peer(sock);
	if (!err)
		err = ub_send_fds(sock, &q, sizeof(q), NULL, 0);
	if (!err)
		err = wait_reply(comm, sock);
	if (err)
		goto out;
	if (ub_recv_fds(sock, &r, sizeof(r), fd, 1) != sizeof(r))
		err = -ECONNRESET;
	else
		err = r.err;
	if (err && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	if (err)
		goto out;
	*desc = r.desc;
	*nlive = r.nlive;
	memcpy(live, r.live, sizeof(r.live));
out:
	close(sock);
	return err;
}
