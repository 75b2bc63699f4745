// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who am I? From the caller's config, else from what the launcher has put into
 * the environment.
 *
 * Launchers are a table: to know another one is one more row. The first row
 * whose rank variable is set counts. Explicit settings (UB_RANK, UB_NRANKS,
 * UB_JOB) come before all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "boot/boot.h"
#include "comm/control.h"

struct launcher {
	const char *name;
	const char *rank, *nranks;
	const char *local_nranks;	/* ranks on this host: all, or we cannot serve */
	const char *hosts;		/* or the number of hosts: 1 */
	const char *job[4];		/* those that are set, joined, name the job */
};

static const struct launcher launchers[] = {
	{ "UB_RANK", "UB_RANK", "UB_NRANKS", NULL, NULL, { "UB_JOB" } },
	{ "Open MPI's mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
	  "OMPI_COMM_WORLD_LOCAL_SIZE", NULL,
	  { "PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid" } },
	{ "torchrun", "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", NULL,
	  { "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID",
	    "TORCHELASTIC_RESTART_COUNT" } },
	{ "srun", "SLURM_PROCID", "SLURM_NTASKS", NULL, "SLURM_STEP_NUM_NODES",
	  { "SLURM_JOB_ID", "SLURM_STEP_ID" } },
};

/* A number in [min, max] from a variable. */
static int get_number(const char *name, long min, long max, int *out)
{
	const char *s = getenv(name);
	char *end;
	long n;

	if (!s || !*s)
		return ub_boot_fail(-EINVAL, "%s is not set in the environment", name);
	n = strtol(s, &end, 10);
	if (*end || n < min || n > max)
		return ub_boot_fail(-EINVAL, "%s=%s is not a number from %ld to %ld",
				    name, s, min, max);
	*out = (int)n;
	return 0;
}

static uint64_t fnv1a(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
	return (h ^ 0xff) * 0x100000001b3ULL;
}

/* Values may be long and hold anything: what is needed is that they are equal. */
static int job_from_environment(const struct launcher *l, struct ub_identity *id)
{
	uint64_t h = fnv1a(0xcbf29ce484222325ULL, l->name);
	int found = 0;

	for (size_t i = 0; i < sizeof(l->job) / sizeof(l->job[0]) && l->job[i]; i++) {
		const char *s = getenv(l->job[i]);

		found += s != NULL;
		h = fnv1a(h, s ? s : "");
	}
	if (!found)
		return ub_boot_fail(-EINVAL, "%s set no %s: which job is this?", l->name,
				    l->job[0]);
	snprintf(id->job, sizeof(id->job), "env-%016llx", (unsigned long long)h);
	return 0;
}

static int one_host(const struct launcher *l, int nranks)
{
	int local = nranks, hosts = 1, err = 0;

	if (l->local_nranks && getenv(l->local_nranks))
		err = get_number(l->local_nranks, 1, UB_MAX_RANKS, &local);
	if (!err && l->hosts && getenv(l->hosts))
		err = get_number(l->hosts, 1, UB_MAX_RANKS, &hosts);
	if (err)
		return err;
	if (local < nranks || hosts > 1)
		return ub_boot_fail(-EOPNOTSUPP,
				    "%s runs %d ranks on several hosts: that is not built yet",
				    l->name, nranks);
	return 0;
}

static int from_launcher(const struct launcher *l, struct ub_identity *id)
{
	int err;

	err = get_number(l->nranks, 1, UB_MAX_RANKS, &id->nranks);
	if (!err)
		err = get_number(l->rank, 0, id->nranks - 1, &id->rank);
	if (err)
		return err;
	id->launcher = l->name;
	err = one_host(l, id->nranks);
	return err ? err : job_from_environment(l, id);
}

static int from_environment(struct ub_identity *id)
{
	for (size_t i = 0; i < sizeof(launchers) / sizeof(launchers[0]); i++)
		if (getenv(launchers[i].rank))
			return from_launcher(&launchers[i], id);
	*id = (struct ub_identity){ .rank = 0, .nranks = 1, .launcher = "nobody" };
	strcpy(id->job, "alone");
	return 0;
}

int ub_identify(const struct ub_comm_config *config, struct ub_identity *id)
{
	if (config->rank < 0 && !config->nranks)
		return from_environment(id);
	if (config->nranks < 1 || config->nranks > UB_MAX_RANKS || config->rank < 0 ||
	    config->rank >= config->nranks)
		return ub_boot_fail(-EINVAL, "rank %d of %d makes no sense (at most %d ranks)",
				    config->rank, config->nranks, UB_MAX_RANKS);
	if (!config->job || !*config->job || strlen(config->job) > UB_JOB_MAX)
		return ub_boot_fail(-EINVAL, "the config gives a rank but no job name of 1 to %d bytes",
				    UB_JOB_MAX);
	id->rank = config->rank;
	id->nranks = config->nranks;
	id->launcher = "the caller";
	strcpy(id->job, config->job);
	return 0;
}
