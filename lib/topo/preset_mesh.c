// SPDX-License-Identifier: BSD-2-Clause
/*
 * Meshes without switches:
 *
 *	mesh1d	npus 2 … 64 (8)
 *	mesh2d	rows 1 … 64 (4), cols 1 … 64 (4), at most 384 NPUs
 *	both	lanes 1, 2, 4 or 8 (4), mem_mib 1 … 16777216 (65536) of an NPU
 *
 *	 0 ── 1 ── 2	mesh2d rows 2 cols 3: in a row each with each (0 ── 2 too),
 *	 │    │    │	in a column each with each
 *	 3 ── 4 ── 5
 *
 * Links are numbered by their lower NPU, then by their higher one. So the port of
 * NPU i that leads to j counts the neighbours of i below j.
 */
#include "preset.h"

void ub_sketch_mesh(struct sketch *s, uint32_t rows, uint32_t cols, uint32_t lanes)
{
	for (uint32_t r = 0; r < rows; r++) {
		for (uint32_t c = 0; c < cols; c++) {
			/* What follows in the row comes before the rows below. */
			for (uint32_t other = c + 1; other < cols; other++)
				ub_sketch_link(s, r * cols + c, r * cols + other, lanes);
			for (uint32_t other = r + 1; other < rows; other++)
				ub_sketch_link(s, r * cols + c, other * cols + c, lanes);
		}
	}
}

static const char *lanes_together(uint32_t lanes)
{
	return lanes & (lanes - 1) ? "a port has 1, 2, 4 or 8 lanes" : NULL;
}

static const char *mesh1d_together(const uint32_t *value)
{
	return lanes_together(value[1]);
}

static void mesh1d_make(struct sketch *s, const uint32_t *value)
{
	ub_sketch_npus(s, value[0], value[2]);
	ub_sketch_mesh(s, 1, value[0], value[1]);
}

const struct shape ub_shape_mesh1d = {
	.name = "mesh1d",
	.unknown = "mesh1d has the parameters npus, lanes, mem_mib",
	.range = "mesh1d: npus is 2 to 64, lanes 1, 2, 4 or 8, mem_mib 1 to 16777216",
	.param = {
		{ "npus", 2, 64, 8 },
		{ "lanes", 1, 8, 4 },
		{ "mem_mib", 1, MEM_MIB_MAX, DIE_MIB },
	},
	.together = mesh1d_together,
	.make = mesh1d_make,
};

static const char *mesh2d_together(const uint32_t *value)
{
	if (value[0] * value[1] < 2 || value[0] * value[1] > MAX_NPUS)
		return "mesh2d: rows times cols is 2 to 384";
	return lanes_together(value[2]);
}

static void mesh2d_make(struct sketch *s, const uint32_t *value)
{
	ub_sketch_npus(s, value[0] * value[1], value[3]);
	ub_sketch_mesh(s, value[0], value[1], value[2]);
}

const struct shape ub_shape_mesh2d = {
	.name = "mesh2d",
	.unknown = "mesh2d has the parameters rows, cols, lanes, mem_mib",
	.range = "mesh2d: rows is 1 to 64, cols 1 to 64, lanes 1, 2, 4 or 8, mem_mib 1 to 16777216",
	.param = {
		{ "rows", 1, 64, 4 },
		{ "cols", 1, 64, 4 },
		{ "lanes", 1, 8, 4 },
		{ "mem_mib", 1, MEM_MIB_MAX, DIE_MIB },
	},
	.together = mesh2d_together,
	.make = mesh2d_make,
};
