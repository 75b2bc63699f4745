// SPDX-License-Identifier: BSD-2-Clause
/*
 * The family "ub": the socket, requests, and what went wrong in words.
 *
 * The kernel's own text about a refusal (the extended ack) is kept and shown.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ubnl.h"

/* As much as the kernel puts into one part of a dump. */
#define UBNL_BUFFER	32768

/**
 * struct ubnl - an open family
 * @sk:		connected
 * @family:	its number
 * @ext:	what the kernel said about the last request, or empty
 * @sentence:	of ubnl_sentence()
 * @opened:	@family is known
 */
struct ubnl {
	struct nl_sock *sk;
	int family;
	char ext[256];
	char sentence[512];
	bool opened;
};

/* A request that runs. */
struct ubnl_run {
	struct ubnl *nl;
	int (*take)(struct nlmsghdr *hdr, void *arg);
	void *arg;
	bool done;
	bool interrupted;
	int err;
};

static int ubnl_errno(int err)
{
	switch (-err) {
	case 0:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EACCES;
	default:
		return -EPROTO;
	}
}

int ubnl_open(struct ubnl **out)
{
	struct ubnl *nl = calloc(1, sizeof(*nl));
	int one = 1, ret;

	*out = nl;
	if (!nl)
		return -ENOMEM;
	nl->sk = nl_socket_alloc();
	if (!nl->sk)
		return -ENOMEM;
	ret = genl_connect(nl->sk);
	if (ret) {
		snprintf(nl->ext, sizeof(nl->ext), "%s", nl_geterror(ret));
		return ubnl_errno(ret);
	}
	/* Kernels from 4.12 on know these two; without them less is said. */
	setsockopt(nl_socket_get_fd(nl->sk), SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl_socket_get_fd(nl->sk), SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	nl_socket_set_msg_buf_size(nl->sk, UBNL_BUFFER);

	ret = genl_ctrl_resolve(nl->sk, UB_GENL_NAME);
	if (ret < 0) {
		snprintf(nl->ext, sizeof(nl->ext), "%s", nl_geterror(ret));
		return ubnl_errno(ret);
	}
	nl->family = ret;
	nl->opened = true;
	return 0;
}

void ubnl_close(struct ubnl *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->sk);
	free(nl);
}

const char *ubnl_sentence(struct ubnl *nl, int err)
{
	if (!nl || err == -ENOMEM)
		return "there is not enough memory";
	if (!nl->opened && err == -ENOENT)
		return "the ub module is not loaded: modprobe ub_soft";
	if (err == -EINTR)
		return "pods came and went all the time; try again";
	if (err == -ENOBUFS)
		return "events were lost, they came too fast; start again";
	if (!nl->opened)
		snprintf(nl->sentence, sizeof(nl->sentence),
			 "netlink cannot be used: %s", nl->ext);
	else if (err == -EPERM)
		return "this needs root (CAP_NET_ADMIN in the initial user namespace)";
	else if (nl->ext[0])
		snprintf(nl->sentence, sizeof(nl->sentence),
			 "the kernel refused: %s (%s)", nl->ext, strerror(-err));
	else
		snprintf(nl->sentence, sizeof(nl->sentence),
			 "the kernel refused: %s", strerror(-err));
	return nl->sentence;
}

/* ---- requests --------------------------------------------------------------- */

struct nl_msg *ubnl_request(struct ubnl *nl, uint8_t cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
				flags, cmd, UB_GENL_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* The text among the attributes at the end of an ack, if there is one. */
static void ubnl_keep_ext(struct ubnl *nl, const struct nlmsghdr *hdr, size_t skip)
{
	const char *end = (const char *)hdr + hdr->nlmsg_len;
	const char *at = (const char *)nlmsg_data(hdr) + skip;
	const struct nlattr *attr;

	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS) || at >= end)
		return;
	attr = nla_find((const struct nlattr *)at, end - at, NLMSGERR_ATTR_MSG);
	if (attr)
		snprintf(nl->ext, sizeof(nl->ext), "%.*s", nla_len(attr),
			 (const char *)nla_data(attr));
}

static int ubnl_on_error(struct sockaddr_nl *who, struct nlmsgerr *err, void *arg)
{
	const struct nlmsghdr *hdr = (const struct nlmsghdr *)err - 1;
	struct ubnl_run *run = arg;
	size_t skip = sizeof(*err);

	if (!(hdr->nlmsg_flags & NLM_F_CAPPED))
		skip += err->msg.nlmsg_len - sizeof(err->msg);
	ubnl_keep_ext(run->nl, hdr, skip);
	run->err = err->error;
	run->done = true;
	return NL_STOP;
}

static int ubnl_on_valid(struct nl_msg *msg, void *arg)
{
	struct ubnl_run *run = arg;
	int ret = 0;

	/* After an error the rest is read, and dropped: the socket goes on. */
	if (run->take && !run->err)
		ret = run->take(nlmsg_hdr(msg), run->arg);
	if (ret)
		run->err = ret;
	return NL_OK;
}

/* The end of a dump carries its error. */
static int ubnl_on_finish(struct nl_msg *msg, void *arg)
{
	const struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct ubnl_run *run = arg;
	int err = 0;

	if (nlmsg_datalen(hdr) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(hdr), sizeof(err));
	if (err && !run->err) {
		ubnl_keep_ext(run->nl, hdr, sizeof(err));
		run->err = err;
	}
	run->done = true;
	return NL_STOP;
}

static int ubnl_on_ack(struct nl_msg *msg, void *arg)
{
	struct ubnl_run *run = arg;

	run->done = true;
	return NL_STOP;
}

static int ubnl_on_interrupted(struct nl_msg *msg, void *arg)
{
	struct ubnl_run *run = arg;

	run->interrupted = true;
	return NL_OK;
}

static void ubnl_receive(struct ubnl_run *run, struct nl_cb *cb)
{
	nl_cb_err(cb, NL_CB_CUSTOM, ubnl_on_error, run);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, ubnl_on_valid, run);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, ubnl_on_finish, run);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, ubnl_on_ack, run);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, ubnl_on_interrupted, run);
	while (!run->done) {
		int ret = nl_recvmsgs(run->nl->sk, cb);

		if (ret < 0 && !run->done) {
			snprintf(run->nl->ext, sizeof(run->nl->ext), "%s", nl_geterror(ret));
			run->err = ubnl_errno(ret);
			return;
		}
	}
}

int ubnl_call(struct ubnl *nl, struct nl_msg *msg, bool bad,
	      int (*take)(struct nlmsghdr *hdr, void *arg), void *arg)
{
	struct ubnl_run run = { .nl = nl, .take = take, .arg = arg };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret = -ENOMEM;

	nl->ext[0] = 0;
	if (!cb || !msg || bad)
		goto out;
	ret = nl_send_auto(nl->sk, msg);
	if (ret < 0) {
		snprintf(nl->ext, sizeof(nl->ext), "%s", nl_geterror(ret));
		ret = ubnl_errno(ret);
		goto out;
	}
	ubnl_receive(&run, cb);
	ret = run.err ?: run.interrupted ? -EINTR : 0;
out:
	nlmsg_free(msg);
	nl_cb_put(cb);
	return ret;
}

/* ---- events ------------------------------------------------------------------- */

struct ubnl_ear {
	int (*tell)(const struct ubnl_event *event, void *arg);
	void *arg;
	int ret;
};

static int ubnl_on_event(struct nl_msg *msg, void *arg)
{
	const struct genlmsghdr *head = nlmsg_data(nlmsg_hdr(msg));
	struct ubnl_event event = {};
	struct ubnl_ear *ear = arg;

	switch (head->cmd) {
	case UB_CMD_POD_NTF:
		ear->ret = ubnl_parse_pod(nlmsg_hdr(msg), &event.pod);
		break;
	case UB_CMD_LINK_NTF:
		event.is_link = true;
		ear->ret = ubnl_parse_link(nlmsg_hdr(msg), &event.link);
		break;
	default:	/* of a newer kernel */
		return NL_OK;
	}
	if (!ear->ret)
		ear->ret = ear->tell(&event, ear->arg);
	return ear->ret ? NL_STOP : NL_OK;
}

int ubnl_listen(struct ubnl *nl, int (*tell)(const struct ubnl_event *event, void *arg),
		void *arg)
{
	struct ubnl_ear ear = { .tell = tell, .arg = arg };
	int ret;

	ret = genl_ctrl_resolve_grp(nl->sk, UB_GENL_NAME, UB_GENL_MCGRP_EVENTS);
	if (ret >= 0)
		ret = nl_socket_add_membership(nl->sk, ret);
	if (ret < 0) {
		snprintf(nl->ext, sizeof(nl->ext), "%s", nl_geterror(ret));
		return ubnl_errno(ret);
	}
	nl_socket_disable_seq_check(nl->sk);
	nl_socket_modify_cb(nl->sk, NL_CB_VALID, NL_CB_CUSTOM, ubnl_on_event, &ear);
	while (!ear.ret) {
		ret = nl_recvmsgs_default(nl->sk);
		if (ret < 0 && !ear.ret)	/* the kernel's only error here */
			return ret == -NLE_NOMEM ? -ENOBUFS : ubnl_errno(ret);
	}
	return ear.ret;
}
