// SPDX-License-Identifier: GPL-3.0-or-later
/* What the processor pushes when it leaves code without a call. */
#include "monitor/unwind_private.h"

#include <string.h>

/* Bits of the flags that are always 1, and always 0 (SDM vol. 1, figure 3-8). */
#define FLAGS_ONE  0x2ull
#define FLAGS_ZERO (~0x3f7fd7ull)

#define ENTRY_MAX  4096 /* bytes of code */

static bool is_code_selector(struct unwind *unwind, uint64_t cs)
{
	struct table_entry entry;

	return cs <= UINT16_MAX && (cs & ~3ull) &&
	       debug_table_entry(unwind->monitor->debug, unwind->cpu,
				 cs & 4 ? TABLE_LDT : TABLE_GDT, (uint32_t)cs & ~7u, &entry) > 0 &&
	       entry.descriptor.kind == DESCRIPTOR_CODE && entry.descriptor.present;
}

static bool is_code(struct unwind *unwind, uint64_t pc)
{
	struct paging_walk walk;

	return pc && debug_walk(unwind->monitor->debug, unwind->cpu, pc, &walk) == PAGING_OK &&
	       walk.exec;
}

bool unwind_note_pushed(struct unwind *unwind, uint64_t rip_at)
{
	uint64_t cs, flags;

	unwind->pushed = false;
	if (!unwind_read(unwind, rip_at + unwind->size, unwind->size, &cs) ||
	    !unwind_read(unwind, rip_at + 2ull * unwind->size, unwind->size, &flags))
		return false;
	if (unwind->size < 8)
		cs &= 0xffff; /* the rest of the slot may be anything */
	if (!(flags & FLAGS_ONE) || (flags & FLAGS_ZERO) || !is_code_selector(unwind, cs))
		return false;
	unwind->pushed = true;
	unwind->pushed_cs = cs;
	unwind->pushed_flags = flags;
	return true;
}

static bool function_start(struct unwind *unwind, uint64_t *start)
{
	uint64_t offset;

	if (!symbols_name(unwind->monitor->symbols, unwind_lookup(unwind), &offset))
		return false;
	*start = unwind_lookup(unwind) - offset;
	return true;
}

/* Whether pc is in the function that begins at entry, or in one of its parts that have names of their own: Linux's
 * entry_SYSCALL_64 goes on as entry_SYSCALL_64_after_hwframe. */
static bool is_part_of(struct unwind *unwind, uint64_t entry)
{
	struct symbols *symbols = unwind->monitor->symbols;
	uint64_t in_entry, in_part;
	const char *name = symbols_name(symbols, entry, &in_entry);
	const char *part = symbols_name(symbols, unwind_lookup(unwind), &in_part);

	if (!name || in_entry || !part || unwind_lookup(unwind) - entry >= ENTRY_MAX)
		return false;
	return !strncmp(part, name, strlen(name));
}

bool unwind_is_syscall_entry(struct unwind *unwind)
{
	static const enum cpu_msr entries[] = {MSR_SLOT_LSTAR, MSR_SLOT_CSTAR,
					       MSR_SLOT_SYSENTER_EIP};
	const struct cpu_state *state = debug_state(unwind->monitor->debug, unwind->cpu, CPU_MSRS);

	for (unsigned i = 0; state && i < sizeof(entries) / sizeof(*entries); i++)
		if (state->msrs.valid[entries[i]] &&
		    is_part_of(unwind, state->msrs.value[entries[i]]))
			return true;
	return false;
}

/* Whether a gate of the IDT leads into the function that pc is in. */
static bool is_handler(struct unwind *unwind)
{
	struct debug *debug = unwind->monitor->debug;
	unsigned bytes = unwind->state->system.efer & EFER_LMA ? 16 : 8;
	struct table_entry entry;
	uint64_t start;

	if (!function_start(unwind, &start))
		return false;
	for (unsigned vector = 0; vector < 256; vector++)
		if (debug_table_entry(debug, unwind->cpu, TABLE_IDT, vector * bytes, &entry) > 0 &&
		    entry.descriptor.present && entry.target == start)
			return true;
	return false;
}

#define SLOTS_SEARCHED 32

static bool looks_pushed(struct unwind *unwind, uint64_t at)
{
	uint64_t rip;

	return unwind_read(unwind, at, unwind->size, &rip) && unwind_note_pushed(unwind, at) &&
	       is_code(unwind, rip);
}

bool unwind_past_interrupt(struct unwind *unwind)
{
	uint64_t sp = unwind_stack_address(unwind, *unwind_place(unwind, GPR_RSP)), at = 0;

	if (unwind->size < 4 || !is_handler(unwind))
		return false;
	for (unsigned i = 0; i < SLOTS_SEARCHED && !at; i++)
		if (looks_pushed(unwind, sp + (uint64_t)i * unwind->size))
			at = sp + (uint64_t)i * unwind->size;
	if (!at)
		return false;
	unwind_read(unwind, at, unwind->size, &unwind->pc);
	unwind->slot = at;
	unwind->how = UNWIND_INTERRUPT;
	if (unwind->size == 8 || (unwind->pushed_cs & 3) != cpu_cpl(unwind->state))
		unwind_read(unwind, at + 3ull * unwind->size, unwind->size,
			    unwind_place(unwind, GPR_RSP));
	else
		*unwind_place(unwind, GPR_RSP) = at + 3ull * unwind->size;
	return true;
}
