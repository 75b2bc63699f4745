// SPDX-License-Identifier: GPL-2.0
/*
 * Links of a pod: state, width, and what crossed them.
 *
 * Counters are 64-bit, only grow and are never cleared. Transactions are counted
 * per CPU, one update per transfer and link; load/store traffic is what user
 * space reports, and is kept apart.
 *
 * A change of state is: fold what was reported over the old routes, change the
 * graph, tell the status area, suspend and resume imports, tell events.
 */
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "execute.h"
#include "wire.h"

static struct ub_status_link *ub_status_link(struct ub_pod *pod, u32 index)
{
	return ub_area_at(pod->status, sizeof(struct ub_status) +
			  index * sizeof(struct ub_status_link));
}

static void ub_link_publish(struct ub_pod *pod, const struct ub_link *link)
{
	struct ub_status_link *out = ub_status_link(pod, link - pod->link);

	WRITE_ONCE(out->width, link->width);
	WRITE_ONCE(out->state, link->state);
}

static int ub_status_create(struct ub_pod *pod)
{
	struct ub_status *head;
	size_t size;
	u32 i;

	/* An entry must not cross a page. */
	BUILD_BUG_ON(sizeof(struct ub_status) % sizeof(struct ub_status_link));
	BUILD_BUG_ON(PAGE_SIZE % sizeof(struct ub_status_link));
	size = PAGE_ALIGN(sizeof(*head) + pod->nr_links * sizeof(struct ub_status_link));
	pod->status = ub_area_create(size);
	if (!pod->status)
		return -ENOMEM;
	for (i = 0; i < pod->status->nr; i++)
		if (!ub_area_at(pod->status, i * PAGE_SIZE))
			return -ENOMEM;

	head = ub_area_at(pod->status, 0);
	*head = (struct ub_status){
		.abi = UB_ABI_VERSION,
		.size = size,
		.generation = 1,
		.nr = pod->nr_links,
		.stride = sizeof(struct ub_status_link),
		.offset = sizeof(*head),
	};
	for (i = 0; i < pod->nr_links; i++) {
		*ub_status_link(pod, i) = (struct ub_status_link){
			.ubpu = { pod->link[i].ubpu[0], pod->link[i].ubpu[1] },
			.port = { pod->link[i].port[0], pod->link[i].port[1] },
		};
		ub_link_publish(pod, &pod->link[i]);
	}
	return 0;
}

static int ub_links_alloc(struct ub_pod *pod)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN;

	pod->link = kvcalloc(pod->nr_links, sizeof(*pod->link), gfp);
	pod->edge = kvcalloc(pod->nr_links, sizeof(*pod->edge), gfp);
	pod->index = kvcalloc(pod->nr_links, 2 * sizeof(*pod->index), gfp);
	pod->vertex = kvcalloc(pod->nr_ubpus, sizeof(*pod->vertex), gfp);
	return pod->link && pod->edge && pod->index && pod->vertex ? 0 : -ENOMEM;
}

/* The graph that the router reads. */
static void ub_links_graph(struct ub_pod *pod, const struct ub_link_desc *desc)
{
	u32 i;

	for (i = 0; i < pod->nr_ubpus; i++)
		pod->vertex[i].is_switch = pod->ubpu[i].type == UB_UBPU_SWITCH;
	ub_graph_build(pod->vertex, pod->nr_ubpus, pod->edge, pod->index, desc,
		       pod->nr_links);
	pod->graph = (struct ub_graph){
		.vertex = pod->vertex,
		.edge = pod->edge,
		.index = pod->index,
	};
}

/* Makes the links of a new pod, all up. On error ub_links_free() cleans up. */
int ub_links_init(struct ub_pod *pod, const struct ub_link_desc *desc)
{
	u32 i, e;
	int ret;

	ret = ub_links_alloc(pod);
	if (ret)
		return ret;
	ub_links_graph(pod, desc);
	for (i = 0; i < pod->nr_links; i++) {
		struct ub_link *link = &pod->link[i];

		spin_lock_init(&link->lock);
		for (e = 0; e < 2; e++) {
			link->ubpu[e] = pod->edge[i].end[e];
			link->port[e] = pod->edge[i].port[e];
		}
		link->width_max = desc[i].width;
		link->width = desc[i].width;
		link->lane_mbps = desc[i].lane_mbps;
		link->state = UB_LINK_UP;
		link->ups = 1;
	}
	return ub_status_create(pod);
}

void ub_links_free(struct ub_pod *pod)
{
	u32 i;

	for (i = 0; pod->link && i < pod->nr_links; i++)
		free_percpu(pod->link[i].stats);
	ub_area_put(pod->status);
	kvfree(pod->vertex);
	kvfree(pod->index);
	kvfree(pod->edge);
	kvfree(pod->link);
}

struct ub_link *ub_link_of_port(struct ub_pod *pod, u32 ubpu, u32 port)
{
	if (port >= pod->vertex[ubpu].nr)
		return NULL;
	return &pod->link[pod->index[pod->vertex[ubpu].first + port]];
}

/* Something in the status area, or a state word, has changed. */
void ub_pod_changed(struct ub_pod *pod)
{
	struct ub_status *head = ub_area_at(pod->status, 0);

	spin_lock(&pod->status_lock);
	/* Pairs with the acquire by which user space reads the generation. */
	smp_store_release(&head->generation, head->generation + 1);
	spin_unlock(&pod->status_lock);
}

u64 ub_pod_generation(struct ub_pod *pod)
{
	const struct ub_status *head = ub_area_at(pod->status, 0);

	return READ_ONCE(head->generation);
}

/* After a change of @link, under pod->topo: everybody who must know. */
static void ub_link_changed(struct ub_pod *pod, struct ub_link *link)
{
	struct ub_event event = {
		.type = UB_EVENT_LINK,
		.a = link - pod->link,
		.b = link->state,
	};

	ub_link_publish(pod, link);
	ub_pod_changed(pod);
	ub_pod_tell(pod, &event);
	ub_netlink_tell_link(pod, link);
	ub_link_tell_faces(pod, link);
}

static void ub_routes_changed(struct ub_pod *pod)
{
	struct ub_event event = { .type = UB_EVENT_ROUTE };

	WRITE_ONCE(pod->route_seq, pod->route_seq + 1 ?: 1);
	ub_imports_reroute(pod);
	ub_engine_routes_changed(pod);
	event.value = ub_pod_generation(pod);
	ub_pod_tell(pod, &event);
}

/**
 * ub_link_set_state - take a link up or down
 * @pod:	its pod
 * @link:	the link
 * @up:		wanted
 *
 * Return: 0 (also when it is so already), -EIO when the pod is gone.
 */
int ub_link_set_state(struct ub_pod *pod, struct ub_link *link, bool up)
{
	u8 state = up ? UB_LINK_UP : UB_LINK_DOWN;
	int ret = 0;

	down_write(&pod->topo);
	if (pod->dead) {
		ret = -EIO;
	} else if (link->state != state) {
		ub_imports_fold(pod);
		spin_lock(&link->lock);
		if (up)
			link->ups++;
		else
			link->downs++;
		spin_unlock(&link->lock);
		link->state = state;
		pod->edge[link - pod->link].up = up;
		ub_link_changed(pod, link);
		ub_routes_changed(pod);
	}
	up_write(&pod->topo);
	return ret;
}

/**
 * ub_link_set_width - change the number of active lanes
 * @pod:	its pod
 * @link:	the link
 * @width:	1 … link->width_max
 *
 * Return: 0, -ERANGE, or -EIO when the pod is gone.
 */
int ub_link_set_width(struct ub_pod *pod, struct ub_link *link, u32 width)
{
	int ret = 0;

	if (!width || width > link->width_max)
		return -ERANGE;
	down_write(&pod->topo);
	if (pod->dead) {
		ret = -EIO;
	} else if (link->width != width) {
		link->width = width;
		ub_link_changed(pod, link);
	}
	up_write(&pod->topo);
	return ret;
}

/* Counters are made by the first transfer. */
static struct ub_link_stats __percpu *ub_link_stats(struct ub_link *link)
{
	struct ub_link_stats __percpu *stats = READ_ONCE(link->stats);
	struct ub_link_stats __percpu *old;

	if (stats)
		return stats;
	stats = netdev_alloc_pcpu_stats(struct ub_link_stats);
	if (!stats)
		return NULL;
	/* Pairs with the READ_ONCE above: the sequence counters are set up. */
	old = cmpxchg(&link->stats, NULL, stats);
	if (!old)
		return stats;
	free_percpu(stats);
	return old;
}

/* Makes the counters that ub_route_account() needs. */
int ub_route_prepare(struct ub_pod *pod, const struct ub_route *route)
{
	u32 i;

	for (i = 0; i < route->nr; i++)
		if (!ub_link_stats(&pod->link[route->hop[i] >> 1]))
			return -ENOMEM;
	return 0;
}

/**
 * ub_route_account - count a transfer on every link of its route
 * @pod:	its pod
 * @route:	the links; ub_txn_prepare() has made their counters
 * @bytes:	payload
 */
void ub_route_account(struct ub_pod *pod, const struct ub_route *route, u32 bytes)
{
	struct ub_link_stats *stats;
	u32 i, dir;

	for (i = 0; i < route->nr; i++) {
		dir = route->hop[i] & 1;
		stats = get_cpu_ptr(pod->link[route->hop[i] >> 1].stats);
		u64_stats_update_begin(&stats->syncp);
		u64_stats_add(&stats->packets[dir], UB_PACKETS(bytes));
		u64_stats_add(&stats->bytes[dir], bytes);
		u64_stats_add(&stats->flits[dir], UB_FLITS(bytes));
		u64_stats_update_end(&stats->syncp);
		put_cpu_ptr(stats);
	}
}
EXPORT_SYMBOL_GPL(ub_route_account);

/* The same for what user space reports. */
void ub_route_report(struct ub_pod *pod, const struct ub_route *route, u64 bytes)
{
	struct ub_link *link;
	u32 i;

	for (i = 0; i < route->nr; i++) {
		link = &pod->link[route->hop[i] >> 1];
		spin_lock(&link->lock);
		link->ldst_bytes[route->hop[i] & 1] += bytes;
		spin_unlock(&link->lock);
	}
}

/* The sum over all CPUs, one consistent snapshot per CPU. */
void ub_link_read_stats(const struct ub_link *link, struct ub_link_sum *sum)
{
	struct ub_link_stats __percpu *stats = READ_ONCE(link->stats);
	struct ub_link_sum one;
	unsigned int start;
	int cpu, dir;

	memset(sum, 0, sizeof(*sum));
	if (!stats)
		return;
	for_each_possible_cpu(cpu) {
		struct ub_link_stats *s = per_cpu_ptr(stats, cpu);

		do {
			start = u64_stats_fetch_begin(&s->syncp);
			for (dir = 0; dir < 2; dir++) {
				one.packets[dir] = u64_stats_read(&s->packets[dir]);
				one.bytes[dir] = u64_stats_read(&s->bytes[dir]);
				one.flits[dir] = u64_stats_read(&s->flits[dir]);
			}
		} while (u64_stats_fetch_retry(&s->syncp, start));
		for (dir = 0; dir < 2; dir++) {
			sum->packets[dir] += one.packets[dir];
			sum->bytes[dir] += one.bytes[dir];
			sum->flits[dir] += one.flits[dir];
		}
	}
}
