// SPDX-License-Identifier: BSD-2-Clause
/* memcpy that does not read what it is going to write. */
#include <string.h>
#include "bench.h"
#include "vector.h"

void copy_nt(void *dst, const void *src, size_t bytes)
{
	const line *in = src;
	line *out = dst;
	size_t n = bytes / sizeof(line), i = 0;

	for (; i + 4 <= n; i += 4) {
		line a = in[i], b = in[i + 1], c = in[i + 2], d = in[i + 3];

		line_stream(out + i, a);
		line_stream(out + i + 1, b);
		line_stream(out + i + 2, c);
		line_stream(out + i + 3, d);
	}
	memcpy(out + i, in + i, bytes - i * sizeof(line));
	line_drain();
}
