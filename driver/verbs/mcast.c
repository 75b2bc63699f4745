// SPDX-License-Identifier: GPL-2.0
/*
 * Multicast: QPs of datagrams that get what is sent to a GID, within their pod. A QP
 * that is destroyed leaves its groups.
 */
#include "verbs.h"

int ub_verbs_attach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid)
{
	return ub_mcast_join(&to_ub_vqp(ib)->jetty, gid->raw);
}

int ub_verbs_detach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid)
{
	return ub_mcast_leave(&to_ub_vqp(ib)->jetty, gid->raw);
}
