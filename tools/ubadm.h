/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ubadm: what is asked for.
 */
#ifndef UBADM_H
#define UBADM_H

#include <stdbool.h>
#include <stdio.h>

#include "ubnl.h"
#include "word.h"

#define UBADM_MAX_PARAMS	16	/* as many as the kernel takes */
#define UBADM_WHY_LEN		256

enum ubadm_op {
	UBADM_NOTHING,	/* --help or --version */
	UBADM_POD_ADD,
	UBADM_POD_DEL,
	UBADM_POD_SET_UPI,
	UBADM_LINK_SET_STATE,
	UBADM_LINK_SET_WIDTH,
	UBADM_ROUTE_GET,
	UBADM_NET_UP,
	UBADM_NET_DOWN,
};

/**
 * struct ubadm_request - a command line
 * @op:		what to do; what follows belongs to some of them only
 * @help:	print the help
 * @version:	print the version
 * @json:	the answer as JSON
 * @force:	remove a pod that is in use
 * @pod:	the pod's name
 * @backend:	of a new pod; NULL: the kernel's default
 * @preset:	of a new pod
 * @param:	of the preset
 * @nr_params:	of them
 * @device:	whose port; of a route, its beginning
 * @port:	the port
 * @peer:	of a route, its end
 * @value:	UB_LINK_*, a width or an UPI
 */
struct ubadm_request {
	enum ubadm_op op;
	bool help;
	bool version;
	bool json;
	bool force;
	const char *pod;
	const char *backend;
	const char *preset;
	struct ubnl_param param[UBADM_MAX_PARAMS];
	size_t nr_params;
	char device[UBNL_NAME_LEN];
	uint32_t port;
	char peer[UBNL_NAME_LEN];
	uint32_t value;
};

/* 0, or -EINVAL when @err got a sentence about what is wrong. argv is permuted. */
int ubadm_parse(int argc, char **argv, struct ubadm_request *req, FILE *err);
void ubadm_help(FILE *out);

/* The hops of a route, "ub0/2 -> ub3/4 -> ub5", or as JSON. 0 or -ENOMEM. */
int ubadm_show_route(const struct ubadm_request *req, const struct ubnl_route *route,
		     FILE *out);

/* The interface of an NPU and its addresses, as they are sent. */
struct ubadm_net_plan {
	char interface[16];
	uint32_t ipv4;
	uint8_t ipv6[UB_EID_LEN];
};

/* -ERANGE: there is no IPv4 address for it; -EINVAL: it is no NPU. */
int ubadm_net_plan(const struct ubnl_ubpu *npu, struct ubadm_net_plan *plan);

/* Sets all interfaces of @pod; @why: what went wrong, or empty, see ubnl_sentence(). */
int ubadm_net(struct ubnl *nl, const char *pod, bool up, char why[UBADM_WHY_LEN]);

#endif /* UBADM_H */
