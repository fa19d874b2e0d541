// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/unwind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool __attribute__((format(printf, 2, 3))) ends(struct unwind *unwind, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(unwind->why, sizeof(unwind->why), fmt, args);
	va_end(args);
	return false;
}

/* ---- registers and stack -------------------------------------------------------------------- */

/* Numbers are those of x86-64 where the image says nothing else. */
static unsigned number_of(const struct unwind *unwind, enum cpu_gpr gpr)
{
	static const unsigned char of_64[] = {[GPR_RSP] = 7, [GPR_RBP] = 6};

	return unwind->frames ? frames_number(unwind->frames, gpr) : of_64[gpr];
}

static uint64_t *place_of(struct unwind *unwind, enum cpu_gpr gpr)
{
	return &unwind->registers.value[number_of(unwind, gpr)];
}

static uint64_t mask_of(const struct unwind *unwind)
{
	return unwind->size < 8 ? (1ull << unwind->size * 8) - 1 : UINT64_MAX;
}

/* Rules speak of flat memory, in an image of the vCPU's own kind. */
static bool rules_apply(const struct unwind *unwind, struct frames *frames)
{
	const struct cpu_system *system = &unwind->state->system;
	bool flat = unwind->size == 8 || (!system->seg[SEG_CS].base && !system->seg[SEG_SS].base);

	return frames && flat && unwind->size == (frames_sp(frames) == 7 ? 8 : 4);
}

static void take_registers(struct unwind *unwind)
{
	const struct cpu_general *general = &unwind->state->general;
	unsigned count = unwind->size == 8 ? GPR_COUNT : 8;

	for (unsigned i = 0; i < count; i++) {
		unsigned n = unwind->frames		    ? frames_number(unwind->frames, i)
			     : i == GPR_RSP || i == GPR_RBP ? number_of(unwind, i)
							    : FRAME_RIP;

		unwind->registers.value[n] = general->gpr[i] & mask_of(unwind);
		unwind->registers.known[n] = true;
	}
	unwind->registers.value[FRAME_RIP] = unwind->pc;
	unwind->registers.known[FRAME_RIP] = true;
}

int unwind_begin(struct unwind *unwind, struct monitor *monitor, int cpu, struct error *err)
{
	struct frames *frames = symbols_frames(monitor->symbols);

	*unwind = (struct unwind){.monitor = monitor,
				  .cpu = cpu,
				  .pc = debug_pc(monitor->debug, cpu),
				  .how = UNWIND_INTERRUPT};
	unwind->state = debug_state(monitor->debug, cpu, CPU_GENERAL | CPU_SYSTEM);
	if (!unwind->state)
		return error_set(err, -EIO, "the registers of vCPU %d cannot be read", cpu);
	unwind->size = cpu_mode_bits(cpu_mode(unwind->state)) / 8;
	if (rules_apply(unwind, frames))
		unwind->frames = frames;
	take_registers(unwind);
	return 0;
}

uint64_t unwind_lookup(const struct unwind *unwind)
{
	return unwind->how == UNWIND_INTERRUPT ? unwind->pc : unwind->pc - 1;
}

static bool read_linear(void *ctx, uint64_t address, unsigned size, uint64_t *value)
{
	struct unwind *unwind = ctx;

	*value = 0;
	return monitor_read(unwind->monitor, unwind->cpu, false, address, value, size, NULL) ==
	       (ssize_t)size;
}

static uint64_t stack_address(struct unwind *unwind, uint64_t offset)
{
	return cpu_linear(unwind->state, SEG_SS, offset);
}

bool unwind_sp(struct unwind *unwind, uint64_t *sp)
{
	*sp = stack_address(unwind, *place_of(unwind, GPR_RSP));
	return unwind->registers.known[number_of(unwind, GPR_RSP)];
}

static bool read_slot(struct unwind *unwind, uint64_t offset, uint64_t *value)
{
	return read_linear(unwind, stack_address(unwind, offset), unwind->size, value);
}

static uint64_t code_address(struct unwind *unwind, uint64_t offset)
{
	return cpu_linear(unwind->state, SEG_CS, offset);
}

/* A page below that is not there, with one above that is: nobody else's stack ends like that. */
static bool overflowed(struct unwind *unwind, uint64_t address)
{
	uint64_t ignored;
	struct paging_walk walk;
	uint64_t sp = stack_address(unwind, *place_of(unwind, GPR_RSP));

	return debug_walk(unwind->monitor->debug, unwind->cpu, address, &walk) != PAGING_OK &&
	       address - sp + 4096 < 8192 && read_linear(unwind, (address | 4095) + 1, 1, &ignored);
}

static bool ends_unmapped(struct unwind *unwind, uint64_t address)
{
	if (overflowed(unwind, address))
		return ends(unwind,
			    "the stack has overflowed: nothing is mapped at 0x%" PRIx64
			    ", right below it",
			    address);
	return ends(unwind,
		    "the stack should hold the return address at 0x%" PRIx64
		    ", where nothing is mapped",
		    address);
}

/* ---- what the processor pushed -------------------------------------------------------------- */

/* Bits of the flags that are always 1, and always 0 (SDM vol. 1, figure 3-8). */
#define FLAGS_ONE  0x2ull
#define FLAGS_ZERO (~0x3f7fd7ull)

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

/* cs and flags behind the saved rip, as an interrupt pushes them. An entry for system calls may push
 * what it likes. */
static bool note_pushed(struct unwind *unwind, uint64_t rip_at)
{
	uint64_t cs, flags;

	unwind->pushed = false;
	if (!read_linear(unwind, rip_at + unwind->size, unwind->size, &cs) ||
	    !read_linear(unwind, rip_at + 2ull * unwind->size, unwind->size, &flags))
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

/* Whether syscall or sysenter leads to the function that pc is in. */
static bool is_syscall_entry(struct unwind *unwind)
{
	static const enum cpu_msr entries[] = {MSR_SLOT_LSTAR, MSR_SLOT_CSTAR,
					       MSR_SLOT_SYSENTER_EIP};
	const struct cpu_state *state = debug_state(unwind->monitor->debug, unwind->cpu, CPU_MSRS);
	uint64_t start;

	if (!state || !function_start(unwind, &start))
		return false;
	for (unsigned i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		if (state->msrs.valid[entries[i]] && state->msrs.value[entries[i]] == start)
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

	return read_linear(unwind, at, unwind->size, &rip) && note_pushed(unwind, at) &&
	       is_code(unwind, rip);
}

/* A handler without rules: what was pushed lies somewhere above, behind what the handler has saved. */
static bool past_interrupt(struct unwind *unwind)
{
	uint64_t sp = stack_address(unwind, *place_of(unwind, GPR_RSP)), at = 0;

	if (unwind->size < 4 || !is_handler(unwind))
		return false;
	for (unsigned i = 0; i < SLOTS_SEARCHED && !at; i++)
		if (looks_pushed(unwind, sp + (uint64_t)i * unwind->size))
			at = sp + (uint64_t)i * unwind->size;
	if (!at)
		return false;
	read_linear(unwind, at, unwind->size, &unwind->pc);
	unwind->slot = at;
	unwind->how = UNWIND_INTERRUPT;
	if (unwind->size == 8 || (unwind->pushed_cs & 3) != cpu_cpl(unwind->state))
		read_linear(unwind, at + 3ull * unwind->size, unwind->size,
			    place_of(unwind, GPR_RSP));
	else
		*place_of(unwind, GPR_RSP) = at + 3ull * unwind->size;
	return true;
}

/* ---- by frame pointers ---------------------------------------------------------------------- */

/* Where, behind rsp, the return address is while a frame is not yet made or is gone already: before
 * `push %rbp`, between that and `mov %rsp,%rbp`, at `ret`. -1: the frame stands. */
static int slots_to_return(struct unwind *unwind)
{
	uint8_t code[4] = {0};
	uint64_t offset = 1;

	symbols_name(unwind->monitor->symbols, unwind->pc, &offset);
	if (unwind->how != UNWIND_INTERRUPT ||
	    monitor_read(unwind->monitor, unwind->cpu, false, unwind->pc, code, sizeof(code),
			 NULL) < 1)
		return -1;
	if (!offset || code[0] == 0xc3 || (offset == 4 && code[0] == 0x55))
		return 0;
	if ((code[0] == 0x48 && code[1] == 0x89 && code[2] == 0xe5) ||
	    (code[0] == 0x89 && code[1] == 0xe5))
		return 1;
	return -1;
}

/* The frame's slots are given up, its caller's stand. */
static bool return_to(struct unwind *unwind, uint64_t slot, uint64_t frame)
{
	uint64_t caller;

	if (!read_slot(unwind, slot, &caller))
		return ends_unmapped(unwind, stack_address(unwind, slot));
	if (!caller)
		return ends(unwind, "the return address is 0: nobody called");
	*place_of(unwind, GPR_RBP) = frame;
	*place_of(unwind, GPR_RSP) = slot + unwind->size;
	unwind->slot = stack_address(unwind, slot);
	unwind->pc = code_address(unwind, caller);
	unwind->how = UNWIND_CALL;
	return true;
}

static bool next_by_pointer(struct unwind *unwind)
{
	uint64_t frame = *place_of(unwind, GPR_RBP), sp = *place_of(unwind, GPR_RSP), saved;
	int slots = slots_to_return(unwind);

	if (slots >= 0) {
		if (slots && !read_slot(unwind, sp, &frame))
			return ends_unmapped(unwind, stack_address(unwind, sp));
		return return_to(unwind, sp + (unsigned)slots * unwind->size, frame);
	}
	if (!frame)
		return ends(unwind, "rbp is 0: the outermost function, or no frame pointers");
	if (frame < sp)
		return ends(unwind,
			    "rbp 0x%" PRIx64 " lies below the stack pointer 0x%" PRIx64
			    ": it is no frame pointer here",
			    frame, sp);
	if (!read_slot(unwind, frame, &saved))
		return ends_unmapped(unwind, stack_address(unwind, frame));
	return return_to(unwind, frame + unwind->size, saved);
}

/* ---- by rules ------------------------------------------------------------------------------- */

static bool take_step(struct unwind *unwind, const struct frame_step *step, uint64_t old_sp)
{
	uint64_t pc = unwind->registers.value[FRAME_RIP];

	if (!pc)
		return ends(unwind, "the return address is 0: nobody called");
	if (!step->signal && step->cfa <= old_sp)
		return ends(unwind,
			    "the caller's frame at 0x%" PRIx64 " should lie above 0x%" PRIx64
			    ", and does not",
			    step->cfa, old_sp);
	if (step->signal)
		unwind->how = is_syscall_entry(unwind) ? UNWIND_SYSCALL : UNWIND_INTERRUPT;
	else
		unwind->how = UNWIND_CALL;
	unwind->pc = pc;
	unwind->slot = step->rip_saved ? step->rip_at : 0;
	if (step->signal && step->rip_saved)
		note_pushed(unwind, step->rip_at);
	return true;
}

/* 1: there is a caller; 0: there is none; -1: the rules know nothing. */
static int next_by_rules(struct unwind *unwind)
{
	uint64_t lookup = unwind_lookup(unwind) - symbols_offset(unwind->monitor->symbols);
	uint64_t sp = *place_of(unwind, GPR_RSP);
	struct frame_step step;

	switch (frames_step(unwind->frames, lookup, &unwind->registers, read_linear, unwind,
			    &step)) {
	case FRAME_CALLER: return take_step(unwind, &step, sp);
	case FRAME_NO_RULES: return -1;
	case FRAME_OUTERMOST: return ends(unwind, "the outermost function: nobody called it");
	case FRAME_LOST: break;
	}
	if (step.place)
		return ends_unmapped(unwind, step.place);
	return ends(unwind, "a register that leads to the caller was not saved");
}

bool unwind_next(struct unwind *unwind)
{
	int ret = -1;

	unwind->pushed = false;
	unwind->why[0] = 0;
	if (unwind->frames)
		ret = next_by_rules(unwind);
	if (ret < 0)
		ret = past_interrupt(unwind) || next_by_pointer(unwind);
	if (!ret)
		return false;
	unwind->registers.value[FRAME_RIP] = unwind->pc;
	unwind->number++;
	return true;
}
