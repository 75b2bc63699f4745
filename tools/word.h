/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words of a command line: verbs and keywords, which may be abbreviated as long
 * as they are unambiguous; ports; numbers. And how a command ends.
 */
#ifndef WORD_H
#define WORD_H

#include <stdint.h>
#include <stdio.h>

#include "ubnl.h"

/* How commands end. 1 and 2 of ubstat are for findings about links. */
enum {
	EXIT_OK = 0,
	EXIT_REFUSED = 1,	/* of ubadm: the kernel refused the change */
	EXIT_UNKNOWN = 3,	/* it could not be found out */
	EXIT_USAGE = 4,
};

/*
 * The index of the word that @given is or abbreviates; @words ends with NULL.
 * -ENOENT: none. -E2BIG: it abbreviates several.
 */
int word_find(const char * const *words, const char *given);

/* All words as "a, b, c", or those only that @prefix abbreviates. */
void word_list(FILE *out, const char * const *words, const char *prefix);

/* Decimal or 0x…; 0, or -EINVAL for anything else and for what is too big. */
int word_u32(const char *given, uint32_t *value);

/*
 * "ub0" or "ub0/3": @name is the device, *port the port, or -1 without one.
 * 0, or -EINVAL.
 */
int word_port(const char *given, char name[UBNL_NAME_LEN], int64_t *port);

#endif /* WORD_H */
