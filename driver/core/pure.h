/* SPDX-License-Identifier: GPL-2.0 */
/* What pure files stand on: in the kernel, and in unit tests in user space. */
#ifndef _UB_CORE_PURE_H
#define _UB_CORE_PURE_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#endif

#endif /* _UB_CORE_PURE_H */
