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
	uint64_t hash = ub_call_hash(&comm->call);
	int err;

	comm->exec->seen[bank][comm->rank].where = *mine;
	/* At once: peers may be looking at this line. */
	own->where = *mine;
	own->hash = hash;
	ub_publish(&own->seq, comm->seq);
	for (uint32_t i = 1; i < n; i++)
		ub_notify(comm, &ctl->ranks[ub_comm_after(comm, i)]);
	*any = mine->flags;
	for (uint32_t i = 1; i < n; i++) {
		uint32_t rank = ub_comm_after(comm, i);
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
	char **base = &comm->exec->base[comm->seq % UB_BANKS][space][rank];
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

static int resolve_rank(struct ub_comm *comm, uint32_t rank, struct ub_seen *seen)
{
	const struct ub_where *w = &seen->where;
	struct ub_exec *x = comm->exec;
	uint32_t nused = x->nused;
	int err;

	err = resolve(comm, rank, UB_IN, w->in_seg, w->in_offset, seen->bytes);
	if (!err)
		err = resolve(comm, rank, UB_OUT, w->out_seg, w->out_offset, seen->bytes);
	if (!err)
		err = resolve(comm, rank, UB_TMP, w->tmp_seg, w->tmp_offset, seen->tmp_bytes);
	if (!err && x->nused == nused)
		seen->kept = true;
	else	/* watch[] has no banks */
		x->seen[0][rank].kept = x->seen[1][rank].kept = false;
	return err;
}

static bool is_known(const struct ub_seen *seen, const struct ub_where *where, uint64_t bytes,
		     uint64_t tmp_bytes)
{
	return seen->kept && bytes <= seen->bytes && tmp_bytes <= seen->tmp_bytes &&
	       !memcmp(&seen->where, where, sizeof(*where));
}

int ub_entry_resolve(struct ub_comm *comm, uint64_t bytes, uint64_t tmp_bytes)
{
	uint32_t bank = comm->seq % UB_BANKS;

	comm->exec->nused = 0;
	for (uint32_t r = 0; r < comm->nranks; r++) {
		const struct ub_where *where = &ub_control_entry(comm->ctl, r, bank)->where;
		struct ub_seen *seen = &comm->exec->seen[bank][r];
		int err;

		if (r == comm->rank || is_known(seen, where, bytes, tmp_bytes))
			continue;
		*seen = (struct ub_seen){ *where, bytes, tmp_bytes };
		err = resolve_rank(comm, r, seen);
		if (err)
			return err;
	}
	return 0;
}
