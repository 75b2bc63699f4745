// SPDX-License-Identifier: BSD-2-Clause
/*
 * Life of a communicator: create and leave; its end by force is in abort.c.
 *
 * Creation has three stages: meet (bootstrap gives the control segment), get ready
 * (from the guard's start on this rank's death is seen), and watch (once everybody
 * is ready). Failure at any stage fails it for all ranks.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>
#include "boot/boot.h"
#include "comm/comm.h"
#include "device/device.h"
#include "exec/exec.h"
#include "exec/wait.h"
#include "segment/segment.h"

static int map_control(struct ub_comm *comm, int fd)
{
	uint64_t size = ub_control_size(comm->nranks);
	struct ub_control *ctl;
	char *base;
	int err;

	err = ub_memfd_map(fd, size, false, &base);
	if (err)
		return ub_boot_fail(err, "cannot map the control segment: %s", strerror(-err));
	ctl = (struct ub_control *)base;
	if (ctl->magic != UB_CTL_MAGIC || ctl->version != UB_CTL_VERSION ||
	    ctl->nranks != comm->nranks || ctl->size != size ||
	    ctl->ncells != ub_control_ncells(comm->nranks)) {
		munmap(base, size);
		return ub_boot_fail(-EPROTO, "rank 0 made a control segment of another layout");
	}
	comm->ctl = ctl;
	comm->self = &ctl->ranks[comm->rank];
	comm->self->pid = (uint32_t)getpid();
	comm->self->features = ub_wait_register() ? UB_FEATURE_MEMBARRIER : 0;
	if (ub_wait_has_room(comm->nranks))
		comm->self->features |= UB_FEATURE_ROOM;
	return 0;
}

static int make_poll_fd(struct ub_comm *comm)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int err;

	comm->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (comm->poll_fd < 0 || epoll_ctl(comm->poll_fd, EPOLL_CTL_ADD, comm->failure, &ev)) {
		err = -errno;
		return ub_boot_fail(err, "cannot make a file descriptor to poll: %s",
				    strerror(-err));
	}
	return 0;
}

static int start_threads(struct ub_comm *comm)
{
	int err;

	if (comm->nranks == 1)
		return 0;
	err = ub_server_start(comm);
	if (err)
		return ub_boot_fail(err, "cannot start the segment server: %s", strerror(-err));
	err = ub_guard_start(comm);
	if (err)
		return ub_boot_fail(err, "cannot start the guard: %s", strerror(-err));
	return 0;
}

/*
 * Rank r has NPU r when there are enough of them: on one host, as all ranks see it.
 * UB_DEVICE says otherwise.
 */
static int choose_npu(const struct ub_comm *comm, int npu)
{
	if (npu != UB_DEVICE_AUTO || getenv("UB_DEVICE"))
		return npu;
	return ub_device_count() >= (int)comm->nranks ? (int)comm->rank : UB_DEVICE_HOST;
}

static int get_ready(struct ub_comm *comm, const struct ub_boot *boot,
		     const struct ub_comm_config *config)
{
	int npu = choose_npu(comm, config->npu), err;

	comm->failure = boot->failure;
	err = ub_device_open(&comm->dev, npu);
	if (err && npu == UB_DEVICE_AUTO)
		return ub_boot_fail(err, "cannot open the device that UB_DEVICE=%s names: %s",
				    getenv("UB_DEVICE"), strerror(-err));
	if (err)
		return ub_boot_fail(err, "cannot open /dev/ub/ub%d: %s", npu, strerror(-err));
	err = map_control(comm, boot->control);
	if (!err)
		err = make_poll_fd(comm);
	if (err)
		return err;
	if (ub_imports_create(comm) || ub_exec_create(comm))
		return ub_boot_fail(-ENOMEM, "no memory for a communicator of %u ranks",
				    comm->nranks);
	comm->salt = ub_exec_salt(comm);
	err = start_threads(comm);
	if (!err)
		atomic_store(&comm->self->state, UB_RANK_LIVE);
	return err;
}

/* All is local here: the others know already. */
static void release(struct ub_comm *comm)
{
	ub_guard_stop(comm);
	ub_server_stop(comm);
	if (comm->imports)
		ub_imports_destroy(comm);
	ub_exec_destroy(comm);
	if (comm->ctl)
		munmap(comm->ctl, ub_control_size(comm->nranks));
	if (comm->poll_fd >= 0)
		close(comm->poll_fd);
	if (comm->failure >= 0)
		close(comm->failure);
	ub_device_close(comm->dev);
	pthread_mutex_destroy(&comm->lock);
	free(comm);
}

/* Once everybody is ready. */
static void set_out(struct ub_comm *comm)
{
	uint32_t all = UB_FEATURE_MEMBARRIER | UB_FEATURE_ROOM;

	/* The same answers on all ranks: a sleeper relies on what the others do. */
	for (uint32_t r = 0; r < comm->nranks; r++)
		all &= comm->ctl->ranks[r].features;
	comm->membarrier = all & UB_FEATURE_MEMBARRIER;
	comm->crowded = !(all & UB_FEATURE_ROOM);
	comm->fence = comm->crowded || !comm->membarrier;
	comm->spin = ub_wait_spin(comm->crowded);
	ub_guard_watch(comm);
}

static struct ub_comm *allocate(const struct ub_identity *id)
{
	struct ub_comm *comm = aligned_alloc(64, (sizeof(*comm) + 63) & ~63UL);

	if (!comm)
		return NULL;
	memset(comm, 0, sizeof(*comm));
	comm->rank = (uint32_t)id->rank;
	comm->nranks = (uint32_t)id->nranks;
	comm->failure = comm->poll_fd = -1;
	comm->laggard = UB_NOBODY;
	pthread_mutex_init(&comm->lock, NULL);
	return comm;
}

/* A deadline of centuries is for ever, without overflow in nanoseconds. */
static uint64_t deadline(uint64_t ms)
{
	if (!ms)
		return UB_DEADLINE_MS;
	return ms < INT64_MAX / 1000000 ? ms : INT64_MAX / 1000000;
}

int ub_comm_create(struct ub_comm **out, const struct ub_comm_config *config)
{
	struct ub_comm_config cfg = UB_COMM_CONFIG_INIT;
	struct ub_identity id;
	struct ub_comm *comm;
	struct ub_boot boot;
	int err;

	if (config && ub_struct_copy(&cfg, sizeof(cfg), config))
		return ub_boot_fail(-EINVAL, "the config is of a newer library or not initialised");
	err = ub_identify(&cfg, &id);
	if (err)
		return err;
	comm = allocate(&id);
	if (!comm)
		return ub_boot_fail(-ENOMEM, "no memory");
	comm->default_ms = deadline(cfg.deadline_ms);
	err = ub_boot_meet(&id, comm->default_ms, &boot);
	if (err)
		goto err_release;
	err = get_ready(comm, &boot, &cfg);
	close(boot.control);
	err = ub_boot_finish(&boot, err);
	if (err)
		goto err_release;
	set_out(comm);
	*out = comm;
	return 0;

err_release:
	release(comm);
	return err;
}

/*
 * The others have all made the same call when the meeting is over, so nobody looks
 * at this rank any more; a watcher finds it LEFT, not dead.
 */
int ub_comm_destroy(struct ub_comm *comm)
{
	struct ub_call call = { .coll = UB_COLL_LEAVE };
	struct ub_job job = { .coll = UB_COLL_BARRIER, .elem = 1 };
	int err;

	if (!comm)
		return 0;
	err = ub_call_begin(comm, &call, NULL);
	if (!err)
		err = ub_call_end(comm, ub_exec_call(comm, &job));
	if (err)
		ub_comm_abort(comm);
	release(comm);
	return err;
}

int ub_comm_fd(struct ub_comm *comm)
{
	return comm->poll_fd;
}

int ub_comm_rank(const struct ub_comm *comm)
{
	return (int)comm->rank;
}

int ub_comm_size(const struct ub_comm *comm)
{
	return (int)comm->nranks;
}

struct ub_device *ub_comm_device(const struct ub_comm *comm)
{
	return comm->dev;
}
