/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An executor that makes a mistake: one instruction of a rank's program is left out or
 * done twice.
 *
 * Nothing of this is in the library. Programs that link fault.c with
 * -Wl,--wrap=ub_program_get have this between the compiler of programs and run.c; it
 * passes programs on unchanged unless a fault is set.
 */
#ifndef TEST_FAULT_H
#define TEST_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind { FAULT_NONE, FAULT_SKIP, FAULT_REPEAT };

/* Of this process. */
struct fault {
	enum fault_kind kind;
	uint32_t	nth;	/* instruction that moves or folds, from 0 */
	/* Out, of the last program: */
	uint32_t	ndata;	/* such instructions that it has */
	bool		remote;	/* the one that was hit touches a peer's memory */
};

extern struct fault fault;

#endif /* TEST_FAULT_H */
