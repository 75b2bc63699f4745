// SPDX-License-Identifier: BSD-2-Clause
/*
 * The entry exchange: each rank says that it has come, with which call, and where
 * its buffers are.
 *
 * It does three things at once. It orders access to the caller's buffers (who has
 * heard my entry may touch them). It finds mismatched calls: the hash of the call's
 * header must be equal everywhere. It tells everybody whether anybody's buffers are
 * private, which is what the number of windows depends on: all ranks see the same.
 */
#include <errno.h>
#include <string.h>
#include "exec/exec.h"
#include "exec/wait.h"

int ub_entry_exchange(struct ub_comm *comm, const struct ub_where *mine, uint32_t *any)
{
	struct ub_control *ctl = comm->ctl;
	uint32_t bank = comm->seq % UB_BANKS, n = comm->nranks;
	struct ub_entry *own = ub_control_entry(ctl, comm->rank, bank);
	int err;

	own->hash = ub_call_hash(&comm->call);
	own->where = *mine;
	ub_publish(&own->seq, comm->seq);
	for (uint32_t i = 1; i < n; i++)
		ub_notify(comm, &ctl->ranks[(comm->rank + i) % n]);
	*any = mine->flags;
	for (uint32_t i = 1; i < n; i++) {
		uint32_t rank = (comm->rank + i) % n;
		struct ub_entry *entry = ub_control_entry(ctl, rank, bank);

		err = ub_wait_word(comm, &entry->seq, comm->seq, rank);
		if (err)
			return err;
		if (entry->hash != own->hash) {
			ub_comm_fail(comm, UB_REASON_MISMATCH, rank, 0);
			return ub_comm_failed_at(comm, UB_NOBODY);
		}
		*any |= entry->where.flags;
	}
	return 0;
}

/* Where [offset, offset + bytes) of a peer's segment is here. */
static int resolve(struct ub_comm *comm, uint32_t rank, enum ub_space space, uint32_t id,
		   uint64_t offset, uint64_t bytes)
{
	char **base = &comm->exec->base[space][rank];
	struct ub_mapping map;
	int err;

	*base = NULL;
	comm->exec->watch[space][rank] = NULL;
	if (!id)
		return 0;
	err = ub_import(comm, rank, id, &map);
	if (err)
		return ub_comm_failed_at(comm, rank);
	if (offset > map.size || bytes > map.size - offset) {
		ub_comm_fail(comm, UB_REASON_MAP, rank, ERANGE);
		return ub_comm_failed_at(comm, rank);
	}
	*base = map.base + offset;
	return ub_health_watch(comm, rank, space, &map);
}

int ub_entry_resolve(struct ub_comm *comm, const struct ub_job *job, uint64_t bytes,
		     uint64_t tmp_bytes)
{
	uint32_t bank = comm->seq % UB_BANKS;
	int err = 0;

	comm->exec->nused = 0;
	for (uint32_t r = 0; r < comm->nranks && !err; r++) {
		const struct ub_where *w = &ub_control_entry(comm->ctl, r, bank)->where;

		if (r == comm->rank)
			continue;
		err = resolve(comm, r, UB_IN, w->in_seg, w->in_offset, bytes);
		if (!err)
			err = resolve(comm, r, UB_OUT, w->out_seg, w->out_offset, bytes);
		if (!err)
			err = resolve(comm, r, UB_TMP, w->tmp_seg, w->tmp_offset, tmp_bytes);
	}
	return err;
}
