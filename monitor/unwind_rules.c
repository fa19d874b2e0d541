// SPDX-License-Identifier: GPL-3.0-or-later
/* By tables that somebody has left: a compiler, or Linux's own build. */
#include "monitor/unwind_private.h"

#include <inttypes.h>

static bool take_step(struct unwind *unwind, const struct frame_step *step, uint64_t old_sp)
{
	uint64_t pc = unwind->registers.value[FRAME_RIP];

	if (!pc)
		return unwind_ends(unwind, "the return address is 0: nobody called");
	if (!step->signal && !step->other_stack && step->cfa <= old_sp)
		return unwind_ends(unwind,
				   "the caller's frame at 0x%" PRIx64 " should lie above 0x%" PRIx64
				   ", and does not",
				   step->cfa, old_sp);
	if (step->signal)
		unwind->how = unwind_is_syscall_entry(unwind) ? UNWIND_SYSCALL : UNWIND_INTERRUPT;
	else
		unwind->how = UNWIND_CALL;
	unwind->pc = pc;
	unwind->slot = step->rip_saved ? step->rip_at : 0;
	if ((step->signal || step->pushed) && step->rip_saved)
		unwind_note_pushed(unwind, step->rip_at);
	return true;
}

static int take_result(struct unwind *unwind, enum frame_result result,
		       const struct frame_step *step, uint64_t old_sp)
{
	switch (result) {
	case FRAME_CALLER: return take_step(unwind, step, old_sp);
	case FRAME_NO_RULES: return -1;
	case FRAME_OUTERMOST:
		return unwind_ends(unwind, "the outermost function: nobody called it");
	case FRAME_LOST: break;
	}
	if (step->place)
		return unwind_ends_unmapped(unwind, step->place);
	return unwind_ends(unwind, "a register that leads to the caller was not saved");
}

int unwind_by_rules(struct unwind *unwind)
{
	uint64_t lookup = unwind_lookup(unwind) - symbols_offset(unwind->monitor->symbols);
	uint64_t sp = *unwind_place(unwind, GPR_RSP);
	struct frame_step step;
	enum frame_result result = frames_step(unwind->frames, lookup, &unwind->registers,
					       unwind_read, unwind, &step);

	return take_result(unwind, result, &step, sp);
}

/* ---- Linux ---------------------------------------------------------------------------------- */

/* While an entry for system calls has not saved anything, rcx is what it was (SDM vol. 2, SYSCALL). */
static bool at_syscall(struct unwind *unwind)
{
	const struct cpu_state *state = unwind->state;
	struct paging_walk walk;
	uint64_t user = state->general.gpr[GPR_RCX];

	if (unwind->number || !unwind_is_syscall_entry(unwind) ||
	    debug_walk(unwind->monitor->debug, unwind->cpu, user, &walk) != PAGING_OK || !walk.user)
		return false;
	unwind->how = UNWIND_SYSCALL;
	unwind->pc = user;
	unwind->slot = 0;
	return true;
}

/* A module's tables are where it is, of the same kind as the kernel's. */
static bool find_tables(struct unwind *unwind, struct orc_tables *tables, uint64_t *lookup)
{
	struct monitor *monitor = unwind->monitor;
	const struct orc_tables *kernel = symbols_orc(monitor->symbols);
	const struct guest_module *module;
	uint64_t offset;

	*lookup = unwind_lookup(unwind);
	if (!kernel || !symbols_name(monitor->symbols, *lookup, &offset))
		return false;
	module = modules_at(monitor, *lookup);
	*tables = *kernel;
	if (!module)
		*lookup -= symbols_offset(monitor->symbols);
	else
		*tables = (struct orc_tables){.ips_at = module->orc_ips,
					      .entries_at = module->orc_rules,
					      .count = module->orc_count,
					      .kind = kernel->kind};
	return true;
}

int unwind_by_orc(struct unwind *unwind)
{
	uint64_t lookup, sp = *unwind_place(unwind, GPR_RSP);
	struct orc_tables tables;
	struct frame_step step;
	enum frame_result result;

	if (!find_tables(unwind, &tables, &lookup))
		return -1;
	result = orc_step(&tables, lookup, &unwind->registers, unwind_read, unwind, &step);
	if (result == FRAME_OUTERMOST && at_syscall(unwind))
		return 1;
	return take_result(unwind, result, &step, sp);
}
