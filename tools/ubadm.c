// SPDX-License-Identifier: BSD-2-Clause
/*
 * ubadm: changes UnifiedBus pods, links and network interfaces. What the kernel says about a refusal
 * is shown.
 */
#include <errno.h>
#include <string.h>

#include "ubadm.h"

/* @why: what went wrong, if not the family "ub" says it. */
static int run(const struct ubadm_request *req, struct ubnl *nl, char why[UBADM_WHY_LEN])
{
	struct ubnl_route route;
	int ret;

	switch (req->op) {
	case UBADM_POD_ADD:
		return ubnl_pod_add(nl, req->pod, req->backend, req->preset, req->param,
				    req->nr_params);
	case UBADM_POD_DEL:
		return ubnl_pod_del(nl, req->pod, req->force);
	case UBADM_POD_SET_UPI:
		return ubnl_pod_set_upi(nl, req->pod, req->value);
	case UBADM_LINK_SET_STATE:
		return ubnl_link_set_state(nl, req->device, req->port, req->value);
	case UBADM_LINK_SET_WIDTH:
		return ubnl_link_set_width(nl, req->device, req->port, req->value);
	case UBADM_ROUTE_GET:
		ret = ubnl_route(nl, req->device, req->peer, &route);
		return ret ?: ubadm_show_route(req, &route, stdout);
	case UBADM_NET_UP:
	case UBADM_NET_DOWN:
		return ubadm_net(nl, req->pod, req->op == UBADM_NET_UP, why);
	default:
		return -EINVAL;
	}
}

int main(int argc, char **argv)
{
	char why[UBADM_WHY_LEN] = "";
	struct ubadm_request req;
	struct ubnl *nl;
	int ret, code;

	if (ubadm_parse(argc, argv, &req, stderr))
		return EXIT_USAGE;
	if (req.help || req.version) {
		if (req.help)
			ubadm_help(stdout);
		else
			puts("ubadm " UB_VERSION);
		return fflush(stdout) ? EXIT_UNKNOWN : EXIT_OK;
	}
	ret = ubnl_open(&nl);
	if (ret) {
		code = EXIT_UNKNOWN;
	} else {
		ret = run(&req, nl, why);
		code = ret ? EXIT_REFUSED : EXIT_OK;
	}
	if (ret)
		fprintf(stderr, "ubadm: %s\n", why[0] ? why : ubnl_sentence(nl, ret));
	ubnl_close(nl);
	if (fclose(stdout) && !ret) {
		fprintf(stderr, "ubadm: the output could not be written: %s\n",
			strerror(errno));
		code = EXIT_UNKNOWN;
	}
	return code;
}
