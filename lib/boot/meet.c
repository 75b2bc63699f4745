// SPDX-License-Identifier: BSD-2-Clause
/*
 * The meeting of the ranks at rank 0's socket.
 *
 *	rank r                        rank 0
 *	hello{nranks, rank}  ──────►  is everybody here, and of one mind?
 *	                     ◄──────  answer{err, sentence} + control, failure fds
 *	(maps, starts its guard)
 *	ready{err}           ──────►  is everybody ready?
 *	                     ◄──────  answer{err, sentence}
 *
 * A rank that fails or dies on the way fails the meeting for all, with one
 * sentence. The listening socket is gone when everybody has come.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "boot/boot.h"
#include "comm/control.h"
#include "segment/segment.h"

#define NOTICE_NS	10000000000ULL	/* say who is missing after 10 s */
#define HELLO_MS	2000		/* who connects speaks at once */

struct hello {
	uint64_t	magic;
	uint32_t	version;
	uint32_t	nranks;
	uint32_t	rank;
	uint32_t	pid;
};

struct answer {
	int32_t		err;
	char		text[252];
};

static _Thread_local char sentence[256] = "no error";

int ub_boot_fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	return err;
}

const char *ub_boot_error(void)
{
	return sentence;
}

static int remaining_ms(uint64_t until_ns)
{
	uint64_t now = ub_now_ns(), ms;

	if (now >= until_ns)
		return 0;
	ms = (until_ns - now + 999999) / 1000000;
	return ms > 1000 ? 1000 : (int)ms;	/* wake up to look at the clock */
}

/* Wait for input on a socket until the deadline. */
static int wait_input(int sock, uint64_t until_ns)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int n;

	do {
		n = poll(&p, 1, remaining_ms(until_ns));
	} while ((n < 0 && errno == EINTR) || (n == 0 && ub_now_ns() < until_ns));
	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

static unsigned int meeting_name(struct sockaddr_un *addr, const char *job, unsigned int index)
{
	return ub_abstract_name(addr, "%s.%u", job, index);
}

/* Communicators of one job are numbered; ranks create them in the same order. */
static unsigned int next_index(const char *job)
{
	static struct { char job[UB_JOB_MAX + 1]; unsigned int n; } seen[16];
	static atomic_flag busy = ATOMIC_FLAG_INIT;
	static unsigned int turn;
	unsigned int i, index;

	while (atomic_flag_test_and_set(&busy))
		;
	for (i = 0; i < 16 && strcmp(seen[i].job, job); i++)
		;
	if (i == 16) {		/* forget the oldest */
		i = turn++ % 16;
		strcpy(seen[i].job, job);
		seen[i].n = 0;
	}
	index = seen[i].n++;
	atomic_flag_clear(&busy);
	return index;
}

/* "1, 3 and 4 more" */
static void name_missing(const int *links, int nranks, char *buf, size_t len)
{
	int named = 0, more = 0;
	size_t n = 0;

	buf[0] = 0;
	for (int r = 1; r < nranks; r++) {
		if (links[r] >= 0)
			continue;
		if (named == 8) {
			more++;
			continue;
		}
		n += (size_t)snprintf(buf + n, len - n, "%s%d", named++ ? ", " : "", r);
	}
	if (more)
		snprintf(buf + n, len - n, " and %d more", more);
}

static void answer_all(struct ub_boot *boot, int err, const int *fds, int nfds)
{
	struct answer a = { .err = err };

	if (err)
		snprintf(a.text, sizeof(a.text), "%.251s", sentence);
	for (int r = 1; r < boot->nranks; r++)
		if (boot->links[r] >= 0)
			ub_send_fds(boot->links[r], &a, sizeof(a), fds, nfds);
}

/* Read one hello. 0: a member has come. -EAGAIN: a stranger, forget him. */
static int welcome(struct ub_boot *boot, int sock)
{
	uint64_t soon = ub_now_ns() + HELLO_MS * 1000000ULL;
	struct hello h;

	if (ub_check_peer(sock) || wait_input(sock, soon) ||
	    ub_recv_fds(sock, &h, sizeof(h), NULL, 0) != sizeof(h) || h.magic != UB_CTL_MAGIC)
		return -EAGAIN;
	if (h.version != UB_CTL_VERSION)
		return ub_boot_fail(-EPROTO, "rank %u (pid %u) runs another version of libub (%u, rank 0 has %u)",
				    h.rank, h.pid, h.version, UB_CTL_VERSION);
	if (h.nranks != (uint32_t)boot->nranks || h.rank >= h.nranks || !h.rank)
		return ub_boot_fail(-EPROTO, "rank %u (pid %u) says that there are %u ranks, rank 0 says %d",
				    h.rank, h.pid, h.nranks, boot->nranks);
	if (boot->links[h.rank] >= 0)
		return ub_boot_fail(-EADDRINUSE, "two processes say that they are rank %u (the second is pid %u)",
				    h.rank, h.pid);
	boot->links[h.rank] = sock;
	return 0;
}

static int gather(struct ub_boot *boot, int listener)
{
	uint64_t notice = ub_now_ns() + NOTICE_NS;
	int missing = boot->nranks - 1, err, sock;
	char who[96];

	while (missing) {
		struct pollfd p = { .fd = listener, .events = POLLIN };

		if (poll(&p, 1, remaining_ms(boot->until_ns)) > 0) {
			sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			if (sock < 0)
				continue;
			err = welcome(boot, sock);
			if (!err) {
				missing--;
				continue;
			}
			if (err != -EAGAIN) {
				struct answer a = { .err = err };

				snprintf(a.text, sizeof(a.text), "%.251s", sentence);
				ub_send_fds(sock, &a, sizeof(a), NULL, 0);
				close(sock);
				return err;
			}
			close(sock);
		}
		name_missing(boot->links, boot->nranks, who, sizeof(who));
		if (ub_now_ns() >= boot->until_ns)
			return ub_boot_fail(-ETIMEDOUT, "rank %s did not come to the meeting of %d ranks",
					    who, boot->nranks);
		if (ub_now_ns() >= notice) {
			fprintf(stderr, "libub: rank 0 of %d has waited 10 s for rank %s to join\n",
				boot->nranks, who);
			notice = UINT64_MAX;
		}
	}
	return 0;
}

static int make_control(struct ub_boot *boot)
{
	uint64_t size = ub_control_size((uint32_t)boot->nranks);
	struct ub_control *ctl;
	char *base;
	int fd, err;

	fd = ub_memfd_create("ub-control", size);
	if (fd < 0)
		return ub_boot_fail(fd, "cannot create the control segment: %s", strerror(-fd));
	err = ub_memfd_map(fd, size, false, &base);
	if (err)
		goto err_close;
	ctl = (struct ub_control *)base;
	ctl->magic = UB_CTL_MAGIC;
	ctl->version = UB_CTL_VERSION;
	ctl->nranks = (uint32_t)boot->nranks;
	ctl->size = size;
	ctl->ncells = ub_control_ncells(ctl->nranks);
	if (getrandom(&ctl->secret, sizeof(ctl->secret), 0) != sizeof(ctl->secret))
		err = -EIO;
	munmap(base, size);
	if (err)
		goto err_close;
	boot->control = fd;
	boot->failure = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (boot->failure < 0) {
		err = -errno;
		goto err_close;
	}
	return 0;

err_close:
	close(fd);
	boot->control = -1;
	return ub_boot_fail(err, "cannot set up the control segment: %s", strerror(-err));
}

static int listen_at(const struct ub_identity *id, unsigned int index, int *listener)
{
	struct sockaddr_un addr;
	unsigned int len = meeting_name(&addr, id->job, index);
	int sock, err;

	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return ub_boot_fail(-errno, "cannot open a socket: %s", strerror(errno));
	if (bind(sock, (struct sockaddr *)&addr, len) || listen(sock, UB_MAX_RANKS)) {
		err = -errno;
		close(sock);
		return ub_boot_fail(err, "cannot listen at @%s (another rank 0 of this job?): %s",
				    addr.sun_path + 1, strerror(-err));
	}
	*listener = sock;
	return 0;
}

static int meet_as_root(const struct ub_identity *id, unsigned int index, struct ub_boot *boot)
{
	int listener = -1, fds[2], err = 0;

	boot->links = malloc((size_t)boot->nranks * sizeof(int));
	if (!boot->links)
		return ub_boot_fail(-ENOMEM, "no memory");
	for (int r = 0; r < boot->nranks; r++)
		boot->links[r] = -1;
	if (boot->nranks > 1)
		err = listen_at(id, index, &listener);
	if (!err)
		err = gather(boot, listener);
	if (listener >= 0)
		close(listener);
	if (!err)
		err = make_control(boot);
	fds[0] = boot->control;
	fds[1] = boot->failure;
	answer_all(boot, err, fds, err ? 0 : 2);
	return err;
}

static int hear(struct ub_boot *boot, int *fds, int nfds)
{
	struct answer a;
	long n;
	int err;

	/* Rank 0 gives up first and knows who is missing: hear it out. */
	err = wait_input(boot->link, boot->until_ns + 1000000000ULL);
	if (err == -ETIMEDOUT)
		return ub_boot_fail(err, "rank 0 did not answer: some rank is missing or stopped");
	n = err ? err : ub_recv_fds(boot->link, &a, sizeof(a), fds, nfds);
	if (n != sizeof(a))
		return ub_boot_fail(-ECONNRESET, "rank 0 ended during bootstrap");
	a.text[sizeof(a.text) - 1] = 0;
	return a.err ? ub_boot_fail(a.err, "%s", a.text) : 0;
}

/* Rank 0 may come later than we: try again, ever less often. */
static int reach_root(const struct ub_identity *id, unsigned int index, struct ub_boot *boot)
{
	struct timespec pause = { .tv_nsec = 200000 };
	uint64_t notice = ub_now_ns() + NOTICE_NS;
	struct sockaddr_un addr;
	unsigned int len = meeting_name(&addr, id->job, index);

	boot->link = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (boot->link < 0)
		return ub_boot_fail(-errno, "cannot open a socket: %s", strerror(errno));
	while (connect(boot->link, (struct sockaddr *)&addr, len)) {
		if (errno != ECONNREFUSED && errno != EAGAIN && errno != EINTR)
			return ub_boot_fail(-errno, "cannot connect to rank 0 at @%s: %s",
					    addr.sun_path + 1, strerror(errno));
		if (ub_now_ns() >= boot->until_ns)
			return ub_boot_fail(-ETIMEDOUT, "rank 0 did not come (nobody listens at @%s)",
					    addr.sun_path + 1);
		if (ub_now_ns() >= notice) {
			fprintf(stderr, "libub: rank %d has waited 10 s for rank 0 to come to @%s\n",
				id->rank, addr.sun_path + 1);
			notice = UINT64_MAX;
		}
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 20000000)
			pause.tv_nsec *= 2;
	}
	if (ub_check_peer(boot->link))
		return ub_boot_fail(-EPERM, "a process of another user listens at @%s",
				    addr.sun_path + 1);
	return 0;
}

static int meet_as_member(const struct ub_identity *id, unsigned int index, struct ub_boot *boot)
{
	struct hello h = {
		.magic = UB_CTL_MAGIC, .version = UB_CTL_VERSION,
		.nranks = (uint32_t)id->nranks, .rank = (uint32_t)id->rank,
		.pid = (uint32_t)getpid(),
	};
	int fds[2] = { -1, -1 }, err;

	err = reach_root(id, index, boot);
	if (!err && ub_send_fds(boot->link, &h, sizeof(h), NULL, 0))
		err = ub_boot_fail(-ECONNRESET, "rank 0 ended during bootstrap");
	if (!err)
		err = hear(boot, fds, 2);
	if (!err && (fds[0] < 0 || fds[1] < 0))
		err = ub_boot_fail(-EMFILE, "no file descriptors left for the control segment");
	boot->control = fds[0];
	boot->failure = fds[1];
	return err;
}

static void hang_up(struct ub_boot *boot)
{
	if (boot->link >= 0)
		close(boot->link);
	for (int r = 1; boot->links && r < boot->nranks; r++)
		if (boot->links[r] >= 0)
			close(boot->links[r]);
	free(boot->links);
	boot->links = NULL;
	boot->link = -1;
}

int ub_boot_meet(const struct ub_identity *id, uint64_t deadline_ms, struct ub_boot *boot)
{
	unsigned int index = next_index(id->job);
	int err;

	*boot = (struct ub_boot){
		.control = -1, .failure = -1, .link = -1, .nranks = id->nranks,
		.until_ns = ub_now_ns() + deadline_ms * 1000000ULL,
	};
	err = id->rank ? meet_as_member(id, index, boot) : meet_as_root(id, index, boot);
	if (!err)
		return 0;
	hang_up(boot);
	if (boot->control >= 0)
		close(boot->control);
	if (boot->failure >= 0)
		close(boot->failure);
	return err;
}

/* Rank 0: the first failure of any rank, in rank order, is everybody's. */
static int gather_ready(struct ub_boot *boot, int err)
{
	for (int r = 1; r < boot->nranks; r++) {
		struct answer a;
		int late = wait_input(boot->links[r], boot->until_ns);

		if (late || ub_recv_fds(boot->links[r], &a, sizeof(a), NULL, 0) != sizeof(a)) {
			if (!err)
				err = ub_boot_fail(late ? -ETIMEDOUT : -ECONNRESET,
						   "rank %d %s during bootstrap", r,
						   late ? "was too slow" : "ended");
		} else if (a.err && !err) {
			a.text[sizeof(a.text) - 1] = 0;
			err = ub_boot_fail(a.err, "rank %d: %.200s", r, a.text);
		}
	}
	answer_all(boot, err, NULL, 0);
	return err;
}

int ub_boot_finish(struct ub_boot *boot, int err)
{
	if (boot->link < 0) {
		err = gather_ready(boot, err);
	} else {
		struct answer a = { .err = err };
		int heard;

		if (err)
			snprintf(a.text, sizeof(a.text), "%.251s", sentence);
		ub_send_fds(boot->link, &a, sizeof(a), NULL, 0);
		heard = hear(boot, NULL, 0);
		err = err ? err : heard;
	}
	hang_up(boot);
	return err;
}
