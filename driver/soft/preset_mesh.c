// SPDX-License-Identifier: GPL-2.0
/*
 * Presets without switches.
 *
 *   mesh1d [npus N] [lanes L] [mem_mib M]
 *	N NPUs (2 … 64; 8), each linked to each by a port of L lanes (1, 2, 4 or
 *	8; 4).
 *
 *   mesh2d [rows R] [cols C] [lanes L] [mem_mib M]
 *	R × C NPUs (1 … 64 each, 2 … 384 together; 4 × 4), each linked to all in
 *	its row and all in its column. NPU r * C + c is in row r, column c. With
 *	one row it is mesh1d.
 *
 * An NPU's ports lead to its neighbours in ascending order.
 */
#include "preset.h"

enum { MESH1D_NPUS, MESH1D_LANES, MESH1D_MEM };
enum { MESH2D_ROWS, MESH2D_COLS, MESH2D_LANES, MESH2D_MEM };

/* NULL: a port can have so many. */
static const char *ub_lanes_refuse(u32 lanes)
{
	if (lanes == 1 || lanes == 2 || lanes == 4 || lanes == 8)
		return NULL;
	return "a port has 1, 2, 4 or 8 lanes";
}

void ub_draw_mesh(struct ub_blueprint *paper, u32 rows, u32 cols, u32 lanes)
{
	u32 a, b;

	for (a = 0; a < rows * cols; a++)
		for (b = a + 1; b < rows * cols; b++)
			if (a / cols == b / cols || a % cols == b % cols)
				ub_draw_link(paper, a, b, lanes);
}

static const char *ub_mesh1d_refuse(const u32 *value)
{
	return ub_lanes_refuse(value[MESH1D_LANES]);
}

static void ub_mesh1d_draw(struct ub_blueprint *paper, const u32 *value)
{
	ub_draw_npus(paper, value[MESH1D_NPUS], value[MESH1D_MEM]);
	ub_draw_mesh(paper, 1, value[MESH1D_NPUS], value[MESH1D_LANES]);
}

const struct ub_preset ub_preset_mesh1d = {
	.name = "mesh1d",
	.keys = "mesh1d knows npus, lanes, mem_mib",
	.ranges = "mesh1d: npus is 2 to 64, lanes 1, 2, 4 or 8, mem_mib 1 to 16777216",
	.key = {
		[MESH1D_NPUS] = { "npus", 2, 64, 8 },
		[MESH1D_LANES] = { "lanes", 1, 8, 4 },
		[MESH1D_MEM] = { "mem_mib", 1, UB_PRESET_MAX_MIB, UB_PRESET_DIE_MIB },
	},
	.refuse = ub_mesh1d_refuse,
	.draw = ub_mesh1d_draw,
};

static const char *ub_mesh2d_refuse(const u32 *value)
{
	u32 npus = value[MESH2D_ROWS] * value[MESH2D_COLS];

	if (npus < 2 || npus > UB_PRESET_MAX_NPUS)
		return "mesh2d: rows times cols is 2 to 384";
	return ub_lanes_refuse(value[MESH2D_LANES]);
}

static void ub_mesh2d_draw(struct ub_blueprint *paper, const u32 *value)
{
	ub_draw_npus(paper, value[MESH2D_ROWS] * value[MESH2D_COLS], value[MESH2D_MEM]);
	ub_draw_mesh(paper, value[MESH2D_ROWS], value[MESH2D_COLS], value[MESH2D_LANES]);
}

const struct ub_preset ub_preset_mesh2d = {
	.name = "mesh2d",
	.keys = "mesh2d knows rows, cols, lanes, mem_mib",
	.ranges = "mesh2d: rows is 1 to 64, cols 1 to 64, lanes 1, 2, 4 or 8, mem_mib 1 to 16777216",
	.key = {
		[MESH2D_ROWS] = { "rows", 1, 64, 4 },
		[MESH2D_COLS] = { "cols", 1, 64, 4 },
		[MESH2D_LANES] = { "lanes", 1, 8, 4 },
		[MESH2D_MEM] = { "mem_mib", 1, UB_PRESET_MAX_MIB, UB_PRESET_DIE_MIB },
	},
	.refuse = ub_mesh2d_refuse,
	.draw = ub_mesh2d_draw,
};
