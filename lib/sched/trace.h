/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fingerprint of a stream: what was executed is exactly what was generated.
 *
 * An executor begins with ub_trace_begin(), adds each step when it has executed it, and
 * compares with ub_trace_stream() at the end (check's claim 10). The hash is FNV-1a, 64
 * bits, over the meaning of the steps, not over their bytes in memory: it is the
 * same on every machine. It finds accidents, it is no defence.
 */
#ifndef UB_SCHED_TRACE_H
#define UB_SCHED_TRACE_H

#include "sched.h"

/**
 * ub_trace_begin - the hash of an empty stream
 * @rank: whose
 * @stream: which
 */
uint64_t ub_trace_begin(uint32_t rank, uint32_t stream);

/**
 * ub_trace_add - add a step
 * @hash: so far
 * @step: the next one
 *
 * Return: the hash with it.
 */
uint64_t ub_trace_add(uint64_t hash, const struct ub_step *step);

/**
 * ub_trace_stream - the hash of a stream as its generator makes it
 * @plan: the plan
 * @rank: whose
 * @stream: which
 */
uint64_t ub_trace_stream(const struct ub_plan *plan, uint32_t rank, uint32_t stream);

#endif /* UB_SCHED_TRACE_H */
