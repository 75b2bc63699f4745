/* SPDX-License-Identifier: BSD-2-Clause */
/* The algorithms, each in the file of its name. */
#ifndef UB_SCHED_ALGS_H
#define UB_SCHED_ALGS_H

#include "sched.h"

extern const struct ub_alg ub_alg_oneshot;
extern const struct ub_alg ub_alg_twoshot;
extern const struct ub_alg ub_alg_ring;
extern const struct ub_alg ub_alg_bcast_flat;
extern const struct ub_alg ub_alg_bcast_scatter;
extern const struct ub_alg ub_alg_bcast_eager;
extern const struct ub_alg ub_alg_barrier;
extern const struct ub_alg ub_alg_barrier_meet;

#endif /* UB_SCHED_ALGS_H */
