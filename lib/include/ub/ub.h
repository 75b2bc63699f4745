/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libub: memory of a UnifiedBus pod and collectives over it.
 *
 *	#include <ub/ub.h>		cc ... $(pkg-config --cflags --libs libub)
 *
 * Read in this order:
 *	ub/types.h	element types and reductions
 *	ub/device.h	the NPUs of this host
 *	ub/segment.h	memory that peers load from and store to
 *	ub/comm.h	ranks that work together: creation, errors, the end
 *	ub/coll.h	the collectives
 *
 * What holds everywhere
 *   - A function that can fail returns 0 or a negative errno, and has then
 *     changed nothing that the caller sees, unless its comment says so.
 *     Nothing returns 0 without having done the work.
 *   - Sizes and offsets are bytes, counts are elements, both 64 bit; ranks are
 *     int from 0; times are milliseconds in a name that ends in _ms.
 *   - A struct that the caller fills begins with its size. A field added by a
 *     later version is at the end, and zero there means what it did before; so
 *     a program and a library of different age work together. A field set that
 *     this library does not know is -E2BIG.
 *   - The library installs no signal handler, prints nothing but the line about
 *     a late rank (ub/comm.h), and never calls exit().
 */
#ifndef UB_UB_H
#define UB_UB_H

#include <ub/types.h>
#include <ub/device.h>
#include <ub/segment.h>
#include <ub/comm.h>
#include <ub/coll.h>

#endif /* UB_UB_H */
