// SPDX-License-Identifier: GPL-2.0
/*
 * From what an administrator typed to a pod: preset, parameters, drawing. Each
 * refusal names the preset's own keys and what their values can be.
 */
#include <linux/kernel.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "preset.h"
#include "soft.h"

/* @why lives as long as the module, as the strings of NL_SET_ERR_MSG() do. */
static int ub_preset_refuse(struct netlink_ext_ack *extack, const char *why, int err)
{
	if (extack)
		extack->_msg = why;
	return err;
}

static int ub_preset_set(const struct ub_preset *preset, u32 *value,
			 const struct ub_pod_param *param, struct netlink_ext_ack *extack)
{
	int i = ub_preset_index(preset, param->key);
	u32 number;

	if (i < 0)
		return ub_preset_refuse(extack, preset->keys, -EINVAL);
	if (kstrtou32(param->value, 0, &number) ||
	    number < preset->key[i].min || number > preset->key[i].max)
		return ub_preset_refuse(extack, preset->ranges, -ERANGE);
	value[i] = number;
	return 0;
}

static int ub_preset_values(const struct ub_preset *preset, u32 *value,
			    const struct ub_pod_param *params, unsigned int nr,
			    struct netlink_ext_ack *extack)
{
	const char *why = NULL;
	unsigned int i;
	int ret;

	for (i = 0; i < UB_PRESET_MAX_KEYS; i++)
		value[i] = preset->key[i].value;
	for (i = 0; i < nr; i++) {
		ret = ub_preset_set(preset, value, &params[i], extack);
		if (ret)
			return ret;
	}
	if (preset->refuse)
		why = preset->refuse(value);
	return why ? ub_preset_refuse(extack, why, -EINVAL) : 0;
}

static int ub_preset_build(const char *name, const struct ub_preset *preset,
			   const u32 *value, struct netlink_ext_ack *extack)
{
	struct ub_pod_desc desc = { .name = name, .ops = ub_soft_fabric() };
	struct ub_blueprint size = {}, paper = {};
	int ret = -ENOMEM;

	preset->draw(&size, value);
	paper.ubpu = kvcalloc(size.nr_ubpus, sizeof(*paper.ubpu), GFP_KERNEL);
	paper.link = kvcalloc(size.nr_links, sizeof(*paper.link), GFP_KERNEL);
	if (!paper.ubpu || !paper.link)
		goto out;
	preset->draw(&paper, value);
	desc.ubpu = paper.ubpu;
	desc.link = paper.link;
	desc.nr_ubpus = paper.nr_ubpus;
	desc.nr_npus = paper.nr_npus;
	desc.nr_links = paper.nr_links;
	ret = ub_pod_create(&desc, extack);
out:
	kvfree(paper.link);
	kvfree(paper.ubpu);
	return ret;
}

int ub_soft_pod_add(const char *name, const char *preset,
		    const struct ub_pod_param *params, unsigned int nr,
		    struct netlink_ext_ack *extack)
{
	const struct ub_preset *found = ub_preset_find(preset);
	u32 value[UB_PRESET_MAX_KEYS];

	if (!found)
		return ub_preset_refuse(extack, UB_PRESET_NONE, -EOPNOTSUPP);
	return ub_preset_values(found, value, params, nr, extack) ?:
	       ub_preset_build(name, found, value, extack);
}
