// SPDX-License-Identifier: GPL-2.0
/*
 * What the faces of an NPU (verbs is the first) need of it beyond the engine: its
 * links taken together, news of them, and a claim that keeps its pod.
 *
 * Nothing here takes ub_pods_lock: a face is probed and removed under it.
 */
#include <linux/module.h>

#include "ub.h"

/* The NPU's link at a port. */
static struct ub_link *ub_npu_link(const struct ub_npu *npu, u32 port)
{
	const struct ub_pod *pod = npu->pod;

	return &pod->link[pod->index[pod->vertex[npu->ubpu->index].first + port]];
}

static void ub_npu_sum_links(const struct ub_npu *npu, struct ub_npu_links *sum)
{
	u32 port, nr = ub_ubpu_nr_ports(npu->pod, npu->ubpu->index);

	*sum = (struct ub_npu_links){ .nr = nr };
	for (port = 0; port < nr; port++) {
		struct ub_link *link = ub_npu_link(npu, port);

		spin_lock(&link->lock);
		sum->ups += link->ups;
		sum->downs += link->downs;
		spin_unlock(&link->lock);
		if (link->state != UB_LINK_UP)
			continue;
		sum->nr_up++;
		sum->mbps += (u64)link->width * link->lane_mbps;
	}
}

/**
 * ub_npu_query_links - look at an NPU's links together
 * @npu:	the NPU
 * @sum:	filled in
 *
 * May sleep; may be called under rtnl.
 */
void ub_npu_query_links(const struct ub_npu *npu, struct ub_npu_links *sum)
{
	down_read(&npu->pod->topo);
	ub_npu_sum_links(npu, sum);
	up_read(&npu->pod->topo);
}
EXPORT_SYMBOL_GPL(ub_npu_query_links);

/**
 * ub_npu_query_traffic - what crossed an NPU's links
 * @npu:	the NPU
 * @sum:	filled in; direction 0 is out of the NPU, 1 into it
 */
void ub_npu_query_traffic(const struct ub_npu *npu, struct ub_link_sum *sum)
{
	u32 port, dir, from, nr = ub_ubpu_nr_ports(npu->pod, npu->ubpu->index);
	struct ub_link_sum one;

	memset(sum, 0, sizeof(*sum));
	for (port = 0; port < nr; port++) {
		const struct ub_link *link = ub_npu_link(npu, port);

		ub_link_read_stats(link, &one);
		from = link->ubpu[0] == npu->ubpu->index ? 0 : 1;
		for (dir = 0; dir < 2; dir++) {
			sum->packets[dir] += one.packets[dir ^ from];
			sum->bytes[dir] += one.bytes[dir ^ from];
			sum->flits[dir] += one.flits[dir ^ from];
		}
	}
}
EXPORT_SYMBOL_GPL(ub_npu_query_traffic);

/* A link of the pod has changed; under pod->topo. */
void ub_link_tell_faces(struct ub_pod *pod, const struct ub_link *link)
{
	struct ub_npu_links sum;
	struct ub_npu *npu;
	int e;

	lockdep_assert_held_write(&pod->topo);
	for (e = 0; e < 2; e++) {
		npu = pod->ubpu[link->ubpu[e]].npu;
		if (!npu)
			continue;
		ub_npu_sum_links(npu, &sum);
		blocking_notifier_call_chain(&npu->watchers, 0, &sum);
	}
}

/**
 * ub_npu_watch_links - be told of every change of an NPU's links
 * @npu:	the NPU
 * @nb:		called with a struct ub_npu_links, once at once and then after each
 *		change, one call at a time
 *
 * The callback runs under pod->topo: it may sleep, but not take that, nor rtnl.
 *
 * Return: 0, or -errno of the notifier chain.
 */
int ub_npu_watch_links(struct ub_npu *npu, struct notifier_block *nb)
{
	struct ub_npu_links sum;
	int ret;

	down_write(&npu->pod->topo);
	ret = blocking_notifier_chain_register(&npu->watchers, nb);
	if (!ret) {
		ub_npu_sum_links(npu, &sum);
		nb->notifier_call(nb, 0, &sum);
	}
	up_write(&npu->pod->topo);
	return ret;
}
EXPORT_SYMBOL_GPL(ub_npu_watch_links);

/* After it the callback neither runs nor will. */
void ub_npu_unwatch_links(struct ub_npu *npu, struct notifier_block *nb)
{
	blocking_notifier_chain_unregister(&npu->watchers, nb);
}
EXPORT_SYMBOL_GPL(ub_npu_unwatch_links);

/**
 * ub_npu_claim - a process begins to use an NPU through a face
 * @npu:	the NPU; the face is bound to it
 *
 * Until ub_npu_release() the fabric's module stays, and its pod is only removed by
 * force, as with an open /dev/ub/ubN.
 *
 * Return: 0, or -ENODEV: the pod is going.
 */
int ub_npu_claim(struct ub_npu *npu)
{
	struct ub_pod *pod = npu->pod;
	bool dead;

	if (!try_module_get(pod->ops->owner))
		return -ENODEV;
	atomic_inc(&pod->nr_users);
	spin_lock(&pod->ctxs_lock);
	dead = pod->dead;
	spin_unlock(&pod->ctxs_lock);
	if (dead)
		ub_npu_release(npu);
	return dead ? -ENODEV : 0;
}
EXPORT_SYMBOL_GPL(ub_npu_claim);

void ub_npu_release(struct ub_npu *npu)
{
	atomic_dec(&npu->pod->nr_users);
	module_put(npu->pod->ops->owner);
}
EXPORT_SYMBOL_GPL(ub_npu_release);
