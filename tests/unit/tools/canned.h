/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot that no kernel made, and what the parts of ubstat print of it.
 */
#ifndef CANNED_H
#define CANNED_H

#include "ubstat.h"

/* Of a mesh with a switch, and of a pod about which little is known. */
extern const struct ubnl_snapshot canned;

#endif /* CANNED_H */
