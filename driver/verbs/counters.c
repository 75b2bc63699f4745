// SPDX-License-Identifier: GPL-2.0
/*
 * ports/1/hw_counters: the engine's counters, and the sums over the NPU's links. They
 * are 64 bits, only grow, and are never cleared.
 *
 * Where InfiniBand drivers have a name for a counter, it has that name.
 */
#include "verbs.h"

/* What a value is taken from. */
struct ub_counter_sources {
	const struct ub_engine *engine;
	struct ub_npu_links links;
	struct ub_link_sum traffic;
};

struct ub_counter {
	enum { UB_FROM_ENGINE, UB_FROM_LINKS, UB_FROM_TRAFFIC } from;
	u32 where;	/* enum ub_engine_counter, or the offset of a u64 */
};

#define UB_COUNTER(title, from, where) \
	{ .name = title, .priv = &(const struct ub_counter){ from, where } }
#define UB_ENGINE(title, counter) \
	UB_COUNTER(title, UB_FROM_ENGINE, counter)
#define UB_LINKS(title, field) \
	UB_COUNTER(title, UB_FROM_LINKS, offsetof(struct ub_npu_links, field))
#define UB_TRAFFIC(title, field) \
	UB_COUNTER(title, UB_FROM_TRAFFIC, offsetof(struct ub_link_sum, field))

static const struct rdma_stat_desc ub_counters[] = {
	UB_TRAFFIC("tx_bytes", bytes[0]),
	UB_TRAFFIC("rx_bytes", bytes[1]),
	UB_TRAFFIC("tx_pkts", packets[0]),
	UB_TRAFFIC("rx_pkts", packets[1]),
	UB_TRAFFIC("tx_flits", flits[0]),
	UB_TRAFFIC("rx_flits", flits[1]),
	UB_LINKS("link_ups", ups),
	UB_LINKS("link_downed", downs),
	UB_ENGINE("rnr_nak_retry_err", UB_CTR_RNR),
	UB_ENGINE("local_ack_timeout_err", UB_CTR_RETRY),
	UB_ENGINE("retry_exceeded_err", UB_CTR_RETRY_EXCEEDED),
	UB_ENGINE("retry_rnr_exceeded_err", UB_CTR_RNR_EXCEEDED),
	UB_ENGINE("dropped_messages", UB_CTR_DROPPED),
	UB_ENGINE("resp_remote_access_errors", UB_CTR_REMOTE_ACCESS),
	UB_ENGINE("resp_remote_invalid_request", UB_CTR_REMOTE_INVALID),
	UB_ENGINE("send_queue_backlogs", UB_CTR_BACKLOG),
};

static_assert(UB_CTR_MAX == 8, "a new counter of the engine needs a row");

static u64 ub_counter_value(const struct ub_counter *counter,
			    const struct ub_counter_sources *sources)
{
	switch (counter->from) {
	case UB_FROM_ENGINE:
		return ub_engine_count(sources->engine, counter->where);
	case UB_FROM_LINKS:
		return *(const u64 *)((const void *)&sources->links + counter->where);
	case UB_FROM_TRAFFIC:
		return *(const u64 *)((const void *)&sources->traffic + counter->where);
	}
	return 0;
}

struct rdma_hw_stats *ub_verbs_alloc_hw_port_stats(struct ib_device *ib, u32 port)
{
	return rdma_alloc_hw_stats_struct(ub_counters, ARRAY_SIZE(ub_counters),
					  RDMA_HW_STATS_DEFAULT_LIFESPAN);
}

int ub_verbs_get_hw_stats(struct ib_device *ib, struct rdma_hw_stats *stats, u32 port,
			  int index)
{
	struct ub_vdev *dev = to_ub_vdev(ib);
	struct ub_counter_sources sources = { .engine = dev->engine };
	u32 i;

	if (!port)
		return -EINVAL;
	ub_npu_query_links(dev->npu, &sources.links);
	ub_npu_query_traffic(dev->npu, &sources.traffic);
	for (i = 0; i < ARRAY_SIZE(ub_counters); i++)
		stats->value[i] = ub_counter_value(ub_counters[i].priv, &sources);
	return ARRAY_SIZE(ub_counters);
}
