// SPDX-License-Identifier: GPL-2.0
/* Pods whose NPUs have addresses, and their counters: see uverbs.h. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "uverbs.h"

#define UV_NODES "/dev/ub-test"
#define UV_GIDS 16
/* The core of InfiniBand keeps counters that it has read for 10 ms, and some jiffies. */
#define UV_COUNTER_AGE_MS 30

static int uv_read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return -errno;
	text[n] = 0;
	text[strcspn(text, "\n")] = 0;
	return 0;
}

bool uv_present(void)
{
	return !access("/sys/module/ub_verbs", F_OK);
}

/* uverbsN of an NPU. */
static int uv_find(unsigned int npu, char *name, size_t size)
{
	DIR *dir = opendir("/sys/class/infiniband_verbs");
	char path[PATH_MAX], text[64], wanted[16];
	struct dirent *entry;
	int ret = -ENODEV;

	if (!dir)
		return -ENODEV;
	snprintf(wanted, sizeof(wanted), "ub%u", npu);
	while (ret && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/infiniband_verbs/%s/ibdev",
			 entry->d_name);
		if (uv_read_text(path, text, sizeof(text)) || strcmp(text, wanted))
			continue;
		snprintf(name, size, "%.15s", entry->d_name);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

int uv_node(unsigned int npu, char *path, size_t size)
{
	unsigned int major, minor;
	char name[32], text[64];
	int ret = uv_find(npu, name, sizeof(name));

	if (ret)
		return ret;
	snprintf(path, size, "/sys/class/infiniband_verbs/%s/dev", name);
	ret = uv_read_text(path, text, sizeof(text));
	if (ret)
		return ret;
	if (sscanf(text, "%u:%u", &major, &minor) != 2)
		return -EINVAL;
	mkdir(UV_NODES, 0755);
	snprintf(path, size, UV_NODES "/%s", name);
	/* Another process may be doing the same; a node of before is of no use. */
	unlink(path);
	if (mknod(path, S_IFCHR | 0600, makedev(major, minor)) && errno != EEXIST)
		return -errno;
	return 0;
}

/* ---- addresses --------------------------------------------------------------------- */

/* 10.85.N.N of the NPU. */
static void uv_ip(unsigned int npu, struct in_addr *ip)
{
	ip->s_addr = htonl(10 << 24 | 85 << 16 | (npu + 1));
}

static int uv_if_set(int fd, unsigned long what, struct ifreq *req, __u32 addr)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&req->ifr_addr;

	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = addr;
	return ioctl(fd, what, req) ? -errno : 0;
}

static int uv_if_up(unsigned int npu)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;
	struct ifreq req = {};
	struct in_addr ip;

	if (fd < 0)
		return -errno;
	uv_ip(npu, &ip);
	snprintf(req.ifr_name, sizeof(req.ifr_name), "ubn%u", npu);
	ret = uv_if_set(fd, SIOCSIFADDR, &req, ip.s_addr) ?:
	      uv_if_set(fd, SIOCSIFNETMASK, &req, htonl(0xffff0000));
	if (!ret && ioctl(fd, SIOCGIFFLAGS, &req))
		ret = -errno;
	req.ifr_flags |= IFF_UP;
	if (!ret && ioctl(fd, SIOCSIFFLAGS, &req))
		ret = -errno;
	close(fd);
	return ret;
}

int uv_pod_make(struct ub_pod *pod, const char *name, unsigned int npus)
{
	int ret = ub_pod_make(pod, name, npus, 64);
	unsigned int i;

	for (i = 0; !ret && i < npus; i++)
		ret = uv_if_up(pod->npu[i]);
	return ret;
}

static void uv_gid_print(const __u8 gid[16], char *text, size_t size)
{
	unsigned int i, n = 0;

	for (i = 0; i < 16; i += 2)
		n += snprintf(text + n, size - n, "%s%02x%02x", i ? ":" : "", gid[i], gid[i + 1]);
}

/* The core of InfiniBand makes it of the interface's address, a little later. */
int uv_gid(unsigned int npu, __u8 gid[16])
{
	unsigned long long end = ub_now_ns() + UB_LIVENESS_S * 1000000000ULL;
	char path[128], text[64], wanted[64];
	struct in_addr ip;
	unsigned int i;

	uv_ip(npu, &ip);
	memset(gid, 0, 10);
	memset(gid + 10, 0xff, 2);
	memcpy(gid + 12, &ip, 4);
	uv_gid_print(gid, wanted, sizeof(wanted));
	do {
		for (i = 0; i < UV_GIDS; i++) {
			snprintf(path, sizeof(path),
				 "/sys/class/infiniband/ub%u/ports/1/gids/%u", npu, i);
			if (!uv_read_text(path, text, sizeof(text)) && !strcmp(text, wanted))
				return i;
		}
		ub_sleep_ms(5);
	} while (ub_now_ns() < end);
	return -EADDRNOTAVAIL;
}

/* ---- counters ------------------------------------------------------------------------- */

long long uv_counter(unsigned int npu, const char *name)
{
	char path[128], text[64];
	int ret;

	ub_sleep_ms(UV_COUNTER_AGE_MS);
	snprintf(path, sizeof(path), "/sys/class/infiniband/ub%u/ports/1/hw_counters/%s", npu,
		 name);
	ret = uv_read_text(path, text, sizeof(text));
	return ret ?: strtoll(text, NULL, 0);
}
