// SPDX-License-Identifier: GPL-3.0-or-later
/* Whether a page holds page tables: nothing says so but the tables that lead to it. */
#include "debug/pages.h"

#include <string.h>

#define TABLE	   4096u
#define MAX_TABLES 65536u
#define PRESENT	   1u
#define LARGE	   (1u << 7)
#define ADDRESS	   0x000ffffffffff000ull

struct search {
	struct memory *memory;
	uint64_t gpa, size; /* looked for */
	unsigned entry_bytes;
	unsigned looked_at;
};

static bool is_sought(const struct search *s, uint64_t table)
{
	return table + TABLE > s->gpa && table < s->gpa + s->size;
}

static uint64_t entry_of(const struct search *s, const uint8_t *table, unsigned i)
{
	uint64_t entry = 0;

	memcpy(&entry, table + i * s->entry_bytes, s->entry_bytes);
	return entry;
}

/* level 1 is the last. A large page ends the way on any level; where it cannot be one, LARGE is not set. */
static bool leads_to(struct search *s, uint64_t table, unsigned level, unsigned entries)
{
	uint8_t bytes[TABLE];

	if (is_sought(s, table) || ++s->looked_at > MAX_TABLES)
		return true;
	if (level == 1 || mem_read_phys(s->memory, table, bytes, TABLE) != TABLE)
		return false;
	for (unsigned i = 0; i < entries; i++) {
		uint64_t entry = entry_of(s, bytes, i);

		if ((entry & PRESENT) && !(entry & LARGE) &&
		    leads_to(s, entry & ADDRESS, level - 1, TABLE / s->entry_bytes))
			return true;
	}
	return false;
}

/* SDM vol. 3A, 4.1.1: which kind of paging this is. */
static bool tables_of(struct search *s, const struct cpu_system *system)
{
	const uint64_t pae_root = 0xffffffe0;
	unsigned levels = system->cr4 & CR4_LA57 ? 5 : 4;

	if (!(system->cr0 & CR0_PG))
		return false;
	s->entry_bytes = system->cr4 & CR4_PAE ? 8 : 4;
	if (system->efer & EFER_LMA)
		return leads_to(s, system->cr3 & ADDRESS, levels, TABLE / 8);
	if (s->entry_bytes == 4)
		return leads_to(s, system->cr3 & ADDRESS, 2, TABLE / 4);
	/* Four entries, on 32 bytes; the page that they are on is what counts. */
	return is_sought(s, system->cr3 & pae_root & ADDRESS) ||
	       leads_to(s, system->cr3 & pae_root & ADDRESS, 3, 4);
}

bool page_is_table_for(struct debug *debug, struct vcpu *vcpu, uint64_t gpa, uint64_t size)
{
	struct search s = {.memory = debug->machine->memory, .gpa = gpa, .size = size};
	const struct cpu_state *state = vcpu_state(vcpu, CPU_SYSTEM);

	return state && tables_of(&s, &state->system);
}

bool page_holds_table(struct debug *debug, uint64_t gpa, uint64_t size)
{
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
		if (page_is_table_for(debug, &debug->machine->vcpus[i], gpa, size))
			return true;
	return false;
}
