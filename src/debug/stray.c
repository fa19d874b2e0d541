// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A guest that relocates itself copies our int3s with its code, and may copy code over them. An int3 in a
 * copy looks like the guest's own; what tells them apart is what lies around it. Code is moved by whole pages,
 * so the low address bits agree, and nearly all bytes next to it do: a relocation may have changed a few.
 */
#include "debug/core.h"

#include <string.h>

#define INT3   0xcc
#define PAGE   4096
#define ENOUGH (PLACE_AROUND * 3 / 4) /* bytes that agree */
#define VARIED 6		      /* different values among them: padding is no evidence */

static bool is_varied(const uint8_t bytes[PLACE_AROUND])
{
	bool seen[256] = {0};
	unsigned values = 0;

	for (unsigned i = 0; i < PLACE_AROUND; i++) {
		values += !seen[bytes[i]];
		seen[bytes[i]] = true;
	}
	return values >= VARIED;
}

/* The same stretch of a page wherever that page is. */
static bool read_around(struct debug *debug, uint64_t gpa, uint8_t bytes[PLACE_AROUND])
{
	uint64_t into = gpa % PAGE, from = into < PLACE_AROUND / 2 ? 0 : into - PLACE_AROUND / 2;

	if (from > PAGE - PLACE_AROUND)
		from = PAGE - PLACE_AROUND;
	return core_read_original(debug, gpa - into + from, bytes, PLACE_AROUND) == PLACE_AROUND;
}

static bool looks_like(struct debug *debug, const struct place *place, uint64_t gpa)
{
	uint8_t now[PLACE_AROUND];
	unsigned agree = 0;

	if (!read_around(debug, gpa, now))
		return false;
	for (unsigned i = 0; i < PLACE_AROUND; i++)
		agree += place->around[i] == now[i];
	return agree >= ENOUGH;
}

void core_note_around(struct debug *debug, struct place *place)
{
	if (!read_around(debug, place->gpa, place->around))
		memset(place->around, 0, sizeof(place->around));
}

bool core_overwritten(struct debug *debug, const struct place *place)
{
	return !looks_like(debug, place, place->gpa);
}

static bool can_stray(const struct place *place)
{
	return place->original != INT3 && is_varied(place->around);
}

static const struct place *source_among(struct debug *debug, const struct place *place,
					unsigned count, uint64_t gpa)
{
	for (const struct place *p = place; p < place + count; p++)
		if (p->gpa != gpa && !((p->gpa ^ gpa) % PAGE) && can_stray(p) &&
		    looks_like(debug, p, gpa))
			return p;
	return NULL;
}

const struct place *core_stray_source(struct debug *debug, uint64_t gpa)
{
	const struct place *source = source_among(debug, debug->planted.place,
						  debug->planted.place_count, gpa);

	return source ? source : source_among(debug, debug->strays.place, debug->strays.count, gpa);
}

void core_keep_stray(struct debug *debug, const struct place *place)
{
	struct strays *strays = &debug->strays;
	unsigned i = 0;

	if (!can_stray(place))
		return;
	while (i < strays->count && (strays->place[i].gpa != place->gpa ||
				     memcmp(strays->place[i].around, place->around, PLACE_AROUND)))
		i++;
	if (i == STRAYS_KEPT) {
		i = strays->next;
		strays->next = (i + 1) % STRAYS_KEPT;
	} else if (i == strays->count) {
		strays->count++;
	}
	strays->place[i] = *place;
	strays->place[i].point = NULL;
}

bool core_undo_stray(struct debug *debug, struct vcpu *vcpu, uint64_t pc)
{
	struct memory *memory = debug->machine->memory;
	const struct place *source;
	struct paging_walk walk;
	uint8_t now;

	if (core_walk(debug, vcpu, pc, &walk) != PAGING_OK ||
	    mem_read_phys(memory, walk.gpa, &now, 1) != 1 || now != INT3)
		return false;
	source = core_stray_source(debug, walk.gpa);
	return source && mem_plant(memory, walk.gpa, source->original);
}
