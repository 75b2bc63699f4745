// SPDX-License-Identifier: BSD-2-Clause
/*
 * Binds chunks to bytes. All is closed formulas: nothing grows with the number of
 * chunks, and no product of two user-sized numbers is ever formed.
 */
#include "sched.h"

/* floor(n × part / whole) for part ≤ whole < 2^32. */
static uint64_t scale_down(uint64_t n, uint32_t part, uint32_t whole)
{
	return n / whole * part + n % whole * part / whole;
}

/* ceil(n × part / whole): so the first chunks of a small vector get the granules. */
static uint64_t scale_up(uint64_t n, uint32_t part, uint32_t whole)
{
	return n / whole * part + (n % whole * part + whole - 1) / whole;
}

static uint32_t total_share(const struct ub_plan *plan)
{
	uint32_t total = 0;

	for (uint32_t r = 0; r < plan->nregions; r++)
		total += plan->regions[r].share;
	return total;
}

void ub_layout_bind(struct ub_layout *layout, const struct ub_plan *plan, uint64_t bytes,
		    uint32_t elem)
{
	uint32_t total = total_share(plan), share = 0;
	uint64_t largest = 0, chunk;

	*layout = (struct ub_layout){ .bytes = bytes };
	layout->granule = elem > UB_GRANULE ? elem : UB_GRANULE;
	layout->granules = bytes / layout->granule + !!(bytes % layout->granule);
	for (uint32_t r = 0; r < plan->nregions; r++) {
		share += plan->regions[r].share;
		layout->start[r + 1] = scale_down(layout->granules, share, total);
		chunk = scale_up(layout->start[r + 1] - layout->start[r], 1,
				 plan->regions[r].chunks);
		if (chunk > largest)
			largest = chunk;
	}
	layout->tmp_stride = largest * layout->granule;
}

uint64_t ub_layout_offset(const struct ub_layout *layout, const struct ub_plan *plan,
			  uint32_t region, uint32_t chunk)
{
	uint64_t granules = layout->start[region + 1] - layout->start[region];
	uint64_t offset = layout->start[region] +
			  scale_up(granules, chunk, plan->regions[region].chunks);

	offset *= layout->granule;
	return offset < layout->bytes ? offset : layout->bytes;
}

uint64_t ub_layout_window(const struct ub_plan *plan, uint64_t tmp, uint32_t elem)
{
	const uint64_t limit = 1ull << 56;
	uint64_t granule = elem > UB_GRANULE ? elem : UB_GRANULE;
	uint64_t slot, fits, granules = limit / granule;
	uint32_t total;

	if (!plan->tmp_chunks)
		return UINT64_MAX;
	total = total_share(plan);
	/*
	 * A region of G granules has ceil(G × share / total) at most, a chunk of it
	 * the chunks-th part, rounded up: no more than @slot for this G.
	 */
	slot = tmp / plan->tmp_chunks / granule;
	if (slot > granules)
		slot = granules;
	for (uint32_t r = 0; r < plan->nregions; r++) {
		if (slot > granules / plan->regions[r].chunks)
			continue;
		fits = scale_down(slot * plan->regions[r].chunks, total, plan->regions[r].share);
		if (fits < granules)
			granules = fits;
	}
	return granules * granule;
}
