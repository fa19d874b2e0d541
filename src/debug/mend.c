// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Copies of our int3s that the guest has made and not executed yet. The machine stands still, and whoever looks
 * at its memory, saves it, or goes away, finds what the guest would have there without a debugger.
 */
#include "debug/core.h"

#define INT3 0xcc
#define PAGE 4096ull

static bool mend_byte(struct debug *debug, uint64_t gpa, uint8_t *byte)
{
	const struct place *source = core_stray_source(debug, gpa);

	if (!source || !mem_plant(debug->machine->memory, gpa, source->original))
		return false;
	*byte = source->original;
	return true;
}

void core_mend(struct debug *debug, uint64_t gpa, uint8_t *buf, size_t len)
{
	if (!debug->strays.count)
		return;
	for (size_t i = 0; i < len; i++)
		if (buf[i] == INT3)
			mend_byte(debug, gpa + i, &buf[i]);
}

/* Code is moved by whole pages: a copy lies as far into its page as the int3 did. */
static void mend_page(struct debug *debug, uint64_t page)
{
	struct memory *memory = debug->machine->memory;

	for (unsigned i = 0; i < debug->strays.count; i++) {
		uint64_t gpa = page + debug->strays.place[i].gpa % PAGE;
		uint8_t byte;

		if (mem_read_phys(memory, gpa, &byte, 1) == 1 && byte == INT3)
			mend_byte(debug, gpa, &byte);
	}
}

void core_mend_all(struct debug *debug)
{
	uint64_t gpa = 0, size = 0;

	if (!debug->strays.count)
		return;
	while (memory_touched(debug->machine->memory, gpa + size, &gpa, &size))
		for (uint64_t page = gpa; page < gpa + size; page += PAGE)
			mend_page(debug, page);
}
