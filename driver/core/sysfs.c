// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/class/ub/ubN: identity, memory, ports. One value per file; everybody may
 * read. Documentation/ABI/testing/sysfs-class-ub describes each.
 *
 * Ports are groups "portP". Their attributes differ only in P, so they are made
 * once for all NPUs, by the first NPU that has such a port.
 */
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "ub.h"

#define UB_SYSFS_MAX_PORTS 128

static ssize_t pod_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", ub_npu_from_dev(dev)->pod->name);
}
static DEVICE_ATTR_RO(pod);

static ssize_t backend_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", ub_npu_from_dev(dev)->pod->ops->name);
}
static DEVICE_ATTR_RO(backend);

static ssize_t index_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", ub_npu_from_dev(dev)->ubpu->index);
}
static DEVICE_ATTR_RO(index);

/* Like an IPv6 address. */
static ssize_t eid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%pI6c\n", ub_npu_from_dev(dev)->ubpu->eid);
}
static DEVICE_ATTR_RO(eid);

/* vendor-device-version-type-reserved-number, as UB tools print it. */
static ssize_t guid_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const u8 *g = ub_npu_from_dev(dev)->ubpu->guid;

	return sysfs_emit(buf, "%*phN-%*phN-%x-%x-%*phN-%*phN\n", 2, g, 2, g + 2,
			  g[4] >> 4, g[4] & 15, 3, g + 5, 8, g + 8);
}
static DEVICE_ATTR_RO(guid);

static ssize_t mem_size_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", ub_npu_from_dev(dev)->mem_size);
}
static DEVICE_ATTR_RO(mem_size);

static ssize_t mem_used_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&ub_npu_from_dev(dev)->mem_used));
}
static DEVICE_ATTR_RO(mem_used);

static ssize_t mem_backed_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&ub_npu_from_dev(dev)->mem_backed));
}
static DEVICE_ATTR_RO(mem_backed);

static ssize_t token_denied_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&ub_npu_from_dev(dev)->token_denied));
}
static DEVICE_ATTR_RO(token_denied);

static ssize_t ports_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct ub_npu *npu = ub_npu_from_dev(dev);

	return sysfs_emit(buf, "%u\n", ub_ubpu_nr_ports(npu->pod, npu->ubpu->index));
}
static DEVICE_ATTR_RO(ports);

static struct attribute *ub_npu_attrs[] = {
	&dev_attr_pod.attr,
	&dev_attr_backend.attr,
	&dev_attr_index.attr,
	&dev_attr_eid.attr,
	&dev_attr_guid.attr,
	&dev_attr_mem_size.attr,
	&dev_attr_mem_used.attr,
	&dev_attr_mem_backed.attr,
	&dev_attr_token_denied.attr,
	&dev_attr_ports.attr,
	NULL
};

static const struct attribute_group ub_npu_group = {
	.attrs = ub_npu_attrs,
};

/* ---- ports ---------------------------------------------------------------- */

/* What a port shows. */
enum ub_port_file {
	UB_PORT_STATE,
	UB_PORT_PEER,
	UB_PORT_WIDTH,
	UB_PORT_MAX_WIDTH,
	UB_PORT_SPEED,
	UB_PORT_CNA,
	UB_PORT_FILES
};

static const char * const ub_port_file_name[UB_PORT_FILES] = {
	[UB_PORT_STATE] = "state",
	[UB_PORT_PEER] = "peer",
	[UB_PORT_WIDTH] = "width",
	[UB_PORT_MAX_WIDTH] = "max_width",
	[UB_PORT_SPEED] = "speed",
	[UB_PORT_CNA] = "cna",
};

/**
 * struct ub_port_group - the files of port P of any NPU
 * @name:	"portP"
 * @file:	one per file
 * @attrs:	pointers to them
 * @group:	of them
 */
struct ub_port_group {
	char name[16];
	struct ub_port_attr {
		struct device_attribute attr;
		u16 port;
		u16 what;
	} file[UB_PORT_FILES];
	struct attribute *attrs[UB_PORT_FILES + 1];
	struct attribute_group group;
};

/* Made once, never changed, freed with the module; under ub_pods_lock. */
static struct ub_port_group *ub_port_group[UB_SYSFS_MAX_PORTS];

static ssize_t ub_port_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	static const char * const state[] = { "down", "training", "up" };
	const struct ub_port_attr *file = container_of(attr, struct ub_port_attr, attr);
	const struct ub_npu *npu = ub_npu_from_dev(dev);
	struct ub_pod *pod = npu->pod;
	const struct ub_link *link = ub_link_of_port(pod, npu->ubpu->index, file->port);
	int far = link->ubpu[0] == npu->ubpu->index && link->port[0] == file->port;

	switch (file->what) {
	case UB_PORT_STATE:
		return sysfs_emit(buf, "%s\n", state[READ_ONCE(link->state)]);
	case UB_PORT_PEER:
		return sysfs_emit(buf, "%s/%u\n", pod->ubpu[link->ubpu[far]].name,
				  link->port[far]);
	case UB_PORT_WIDTH:
		return sysfs_emit(buf, "%u\n", READ_ONCE(link->width));
	case UB_PORT_MAX_WIDTH:
		return sysfs_emit(buf, "%u\n", link->width_max);
	case UB_PORT_SPEED: /* Mbit/s of the lanes that are active */
		return sysfs_emit(buf, "%u\n", READ_ONCE(link->width) * link->lane_mbps);
	default:
		return sysfs_emit(buf, "%#06x\n", ub_port_cna(pod, npu->ubpu->index, file->port));
	}
}

static struct ub_port_group *ub_port_group_get(u32 port)
{
	struct ub_port_group *pg = ub_port_group[port];
	int i;

	lockdep_assert_held(&ub_pods_lock);
	if (pg)
		return pg;
	pg = kzalloc(sizeof(*pg), GFP_KERNEL);
	if (!pg)
		return NULL;
	snprintf(pg->name, sizeof(pg->name), "port%u", port);
	for (i = 0; i < UB_PORT_FILES; i++) {
		sysfs_attr_init(&pg->file[i].attr.attr);
		pg->file[i].attr.attr.name = ub_port_file_name[i];
		pg->file[i].attr.attr.mode = 0444;
		pg->file[i].attr.show = ub_port_show;
		pg->file[i].port = port;
		pg->file[i].what = i;
		pg->attrs[i] = &pg->file[i].attr.attr;
	}
	pg->group.name = pg->name;
	pg->group.attrs = pg->attrs;
	ub_port_group[port] = pg;
	return pg;
}

/* The groups of an NPU, to be freed with kfree(); NULL without memory. */
const struct attribute_group **ub_npu_groups(const struct ub_npu *npu)
{
	u32 i, nr = min_t(u32, ub_ubpu_nr_ports(npu->pod, npu->ubpu->index),
			  UB_SYSFS_MAX_PORTS);
	const struct attribute_group **groups;
	struct ub_port_group *pg;

	groups = kcalloc(nr + 2, sizeof(*groups), GFP_KERNEL);
	if (!groups)
		return NULL;
	groups[0] = &ub_npu_group;
	for (i = 0; i < nr; i++) {
		pg = ub_port_group_get(i);
		if (!pg) {
			kfree(groups);
			return NULL;
		}
		groups[i + 1] = &pg->group;
	}
	return groups;
}

void ub_sysfs_exit(void)
{
	int i;

	for (i = 0; i < UB_SYSFS_MAX_PORTS; i++)
		kfree(ub_port_group[i]);
}
