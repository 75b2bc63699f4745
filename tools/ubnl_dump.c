// SPDX-License-Identifier: BSD-2-Clause
/*
 * A snapshot of what there is: three dumps. Each is consistent in itself: one
 * that a change of the pods interrupted is taken again.
 */
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#include "ubnl.h"

/* Pods that come and go faster than this many dumps are no ordinary use. */
#define UBNL_TRIES	20

/* An array that grows. */
struct ubnl_list {
	char *item;
	size_t nr, room, size;
	int (*parse)(struct nlmsghdr *hdr, void *item);
};

static int ubnl_list_take(struct nlmsghdr *hdr, void *arg)
{
	struct ubnl_list *list = arg;
	int ret;

	if (list->nr == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		char *item = reallocarray(list->item, room, list->size);

		if (!item)
			return -ENOMEM;
		list->item = item;
		list->room = room;
	}
	ret = list->parse(hdr, list->item + list->nr * list->size);
	if (!ret)
		list->nr++;
	return ret;
}

static int ubnl_dump(struct ubnl *nl, uint8_t cmd, const char *pod, const char *ubpu,
		     struct ubnl_list *list)
{
	int try, ret = 0;

	for (try = 0; try < UBNL_TRIES; try++) {
		struct nl_msg *msg = ubnl_request(nl, cmd, NLM_F_DUMP);
		bool bad = !msg || (pod && nla_put_string(msg, UB_A_POD, pod)) ||
			   (ubpu && nla_put_string(msg, UB_A_UBPU_NAME, ubpu));

		list->nr = 0;
		ret = ubnl_call(nl, msg, bad, ubnl_list_take, list);
		if (ret != -EINTR)
			break;
	}
	return ret;
}

static int ubnl_take_pod(struct nlmsghdr *hdr, void *item)
{
	return ubnl_parse_pod(hdr, item);
}

static int ubnl_take_ubpu(struct nlmsghdr *hdr, void *item)
{
	return ubnl_parse_ubpu(hdr, item);
}

static int ubnl_take_link(struct nlmsghdr *hdr, void *item)
{
	return ubnl_parse_link(hdr, item);
}

int ubnl_snapshot(struct ubnl *nl, const char *pod, const char *ubpu,
		  struct ubnl_snapshot *snap)
{
	struct ubnl_list pods = { .size = sizeof(*snap->pod), .parse = ubnl_take_pod };
	struct ubnl_list ubpus = { .size = sizeof(*snap->ubpu), .parse = ubnl_take_ubpu };
	struct ubnl_list links = { .size = sizeof(*snap->link), .parse = ubnl_take_link };
	int ret;

	ret = ubnl_dump(nl, UB_CMD_POD_GET, pod, NULL, &pods) ?:
	      ubnl_dump(nl, UB_CMD_UBPU_GET, pod, NULL, &ubpus) ?:
	      ubnl_dump(nl, UB_CMD_LINK_GET, pod, ubpu, &links);
	*snap = (struct ubnl_snapshot){
		.pod = (void *)pods.item, .nr_pods = pods.nr,
		.ubpu = (void *)ubpus.item, .nr_ubpus = ubpus.nr,
		.link = (void *)links.item, .nr_links = links.nr,
	};
	if (ret)
		ubnl_snapshot_free(snap);
	return ret;
}

void ubnl_snapshot_free(struct ubnl_snapshot *snap)
{
	free(snap->pod);
	free(snap->ubpu);
	free(snap->link);
	memset(snap, 0, sizeof(*snap));
}

const struct ubnl_pod *ubnl_pod_find(const struct ubnl_snapshot *snap, const char *name)
{
	size_t i;

	for (i = 0; i < snap->nr_pods; i++)
		if (!strcmp(snap->pod[i].name, name))
			return &snap->pod[i];
	return NULL;
}

const struct ubnl_ubpu *ubnl_ubpu_find(const struct ubnl_snapshot *snap, const char *name)
{
	size_t i;

	for (i = 0; i < snap->nr_ubpus; i++)
		if (!strcmp(snap->ubpu[i].name, name))
			return &snap->ubpu[i];
	return NULL;
}
