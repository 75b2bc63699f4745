// SPDX-License-Identifier: GPL-2.0
/*
 * Presets: what the pods of ub_soft look like.
 *
 *   mesh1d [npus N] [lanes L] [mem_mib M]
 *	N NPUs (2 … 64; 8), each linked to each by a port of L lanes (1, 2, 4 or
 *	8; 4). NPU i's port p leads to NPU p, or p + 1 from p = i on.
 *
 * lib/topo makes the same graphs under another licence; a test compares them.
 */
#include <linux/kernel.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "soft.h"

/* A lane of a UB 2.0 port: 112 Gbit/s; an x4 port is 56 GB/s per direction. */
#define UB_LANE_MBPS	112000
#define UB_MEM_MIB	65536	/* as much as a die of an Ascend 910C has */
#define UB_MESH1D_MAX	64

/* What presets are made from. A preset uses the fields that its text names. */
struct ub_preset_args {
	u32 npus;
	u32 lanes;
	u32 mem_mib;
};

static const struct {
	const char *key;
	size_t offset;
	u32 min, max;
} ub_preset_key[] = {
	{ "npus", offsetof(struct ub_preset_args, npus), 2, UB_MESH1D_MAX },
	{ "lanes", offsetof(struct ub_preset_args, lanes), 1, 8 },
	{ "mem_mib", offsetof(struct ub_preset_args, mem_mib), 1, 1 << 24 },
};

static int ub_preset_set(struct ub_preset_args *args, const struct ub_pod_param *param,
			 struct netlink_ext_ack *extack)
{
	u32 value;
	int i;

	for (i = 0; i < ARRAY_SIZE(ub_preset_key); i++) {
		if (strcmp(param->key, ub_preset_key[i].key))
			continue;
		if (kstrtou32(param->value, 0, &value) ||
		    value < ub_preset_key[i].min || value > ub_preset_key[i].max) {
			NL_SET_ERR_MSG(extack, "mesh1d: npus is 2 to 64, lanes 1, 2, 4 or 8, mem_mib 1 to 16777216");
			return -ERANGE;
		}
		*(u32 *)((char *)args + ub_preset_key[i].offset) = value;
		return 0;
	}
	NL_SET_ERR_MSG(extack, "mesh1d knows npus, lanes, mem_mib");
	return -EINVAL;
}

/* The links in the order (0,1) (0,2) … (1,2) …, which numbers the ports. */
static void ub_mesh1d_links(struct ub_link_desc *link, const struct ub_preset_args *args)
{
	u32 a, b;

	for (a = 0; a < args->npus; a++) {
		for (b = a + 1; b < args->npus; b++) {
			*link++ = (struct ub_link_desc){
				.ubpu = { a, b },
				.width = args->lanes,
				.lane_mbps = UB_LANE_MBPS,
			};
		}
	}
}

static int ub_mesh1d_add(const char *name, const struct ub_preset_args *args,
			 struct netlink_ext_ack *extack)
{
	struct ub_pod_desc desc = {
		.name = name,
		.ops = ub_soft_fabric(),
		.nr_ubpus = args->npus,
		.nr_npus = args->npus,
		.nr_links = args->npus * (args->npus - 1) / 2,
	};
	struct ub_link_desc *link;
	struct ub_ubpu_desc *ubpu;
	int ret = -ENOMEM;
	u32 i;

	ubpu = kcalloc(desc.nr_ubpus, sizeof(*ubpu), GFP_KERNEL);
	link = kvcalloc(desc.nr_links, sizeof(*link), GFP_KERNEL);
	if (!ubpu || !link)
		goto out;
	for (i = 0; i < desc.nr_ubpus; i++) {
		ubpu[i].type = UB_UBPU_NPU;
		ubpu[i].mem_size = (u64)args->mem_mib << 20;
	}
	ub_mesh1d_links(link, args);
	desc.ubpu = ubpu;
	desc.link = link;
	ret = ub_pod_create(&desc, extack);
out:
	kvfree(link);
	kfree(ubpu);
	return ret;
}

int ub_soft_pod_add(const char *name, const char *preset,
		    const struct ub_pod_param *params, unsigned int nr,
		    struct netlink_ext_ack *extack)
{
	struct ub_preset_args args = { .npus = 8, .lanes = 4, .mem_mib = UB_MEM_MIB };
	unsigned int i;
	int ret;

	if (strcmp(preset, "mesh1d")) {
		NL_SET_ERR_MSG(extack, "no such preset; there is mesh1d");
		return -EOPNOTSUPP;
	}
	for (i = 0; i < nr; i++) {
		ret = ub_preset_set(&args, &params[i], extack);
		if (ret)
			return ret;
	}
	if (!is_power_of_2(args.lanes)) {
		NL_SET_ERR_MSG(extack, "a port has 1, 2, 4 or 8 lanes");
		return -EINVAL;
	}
	return ub_mesh1d_add(name, &args, extack);
}
