// SPDX-License-Identifier: GPL-2.0
/*
 * How fast memcpy is in this kernel, as a limit for what moves data by it.
 *
 *	cd /sys/module/ub_bench_copy/parameters
 *	echo 65536 >bytes; echo 1000 >count; cat ns
 *
 * Reading ns copies a buffer of so many bytes, so many times, to another one, and
 * gives the nanoseconds that this took. Both are reused, as a benchmark of the network
 * reuses its buffers. Whoever reads may be rescheduled between two copies.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#define BYTES_MAX	(64u << 20)
#define COUNT_MAX	(1u << 24)

static unsigned int bytes = 65536;
module_param(bytes, uint, 0644);
MODULE_PARM_DESC(bytes, "bytes of one copy, up to 64 MiB");

static unsigned int count = 1000;
module_param(count, uint, 0644);
MODULE_PARM_DESC(count, "how many copies are timed");

static u64 copy_ns(void *to, const void *from, size_t size, unsigned int times)
{
	u64 start = ktime_get_ns();

	while (times--) {
		memcpy(to, from, size);
		/* Each copy counts, although the next one overwrites it. */
		barrier();
		cond_resched();
	}
	return ktime_get_ns() - start;
}

/* Called with the lock of the module's parameters, so that both stay what they are. */
static int ns_get(char *buffer, const struct kernel_param *kp)
{
	void *to, *from;
	int length = -ENOMEM;

	if (!bytes || bytes > BYTES_MAX || !count || count > COUNT_MAX)
		return -EINVAL;
	to = kvzalloc(bytes, GFP_KERNEL);
	from = kvzalloc(bytes, GFP_KERNEL);
	if (to && from) {
		copy_ns(to, from, bytes, 1);
		length = sysfs_emit(buffer, "%llu\n", copy_ns(to, from, bytes, count));
	}
	kvfree(from);
	kvfree(to);
	return length;
}

static const struct kernel_param_ops ns_ops = {
	.get = ns_get,
};
module_param_cb(ns, &ns_ops, NULL, 0400);
MODULE_PARM_DESC(ns, "reading it copies, and gives the nanoseconds");

MODULE_DESCRIPTION("Measures memcpy in the kernel");
MODULE_LICENSE("GPL");
