// SPDX-License-Identifier: GPL-3.0-or-later
/* RAM as a CPU touches it: one access, all of it or nothing. */
#include "machine/memory_private.h"

static void *whole(struct memory *memory, uint64_t gpa, unsigned size)
{
	uint64_t room = 0;
	void *hva = mem_hva(memory, gpa, &room);

	return room >= size ? hva : NULL;
}

bool mem_load(struct memory *memory, uint64_t gpa, unsigned size, uint64_t *value)
{
	void *hva = whole(memory, gpa, size);

	return hva && sigbus_load(hva, size, value);
}

bool mem_store(struct memory *memory, uint64_t gpa, unsigned size, uint64_t value)
{
	uint8_t *hva = whole(memory, gpa, size);

	if (!hva)
		return false;
	dirty_mark(memory, (uint64_t)(hva - memory->base), size);
	return sigbus_store(hva, size, value);
}

bool mem_plant(struct memory *memory, uint64_t gpa, uint8_t byte)
{
	uint8_t *hva = whole(memory, gpa, 1);

	if (!hva)
		return false;
	dirty_mark_own(memory, (uint64_t)(hva - memory->base), 1);
	return sigbus_store(hva, 1, byte);
}
