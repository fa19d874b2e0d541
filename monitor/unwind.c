// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/unwind_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool unwind_ends(struct unwind *unwind, const char *fmt, ...)
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

uint64_t *unwind_place(struct unwind *unwind, enum cpu_gpr gpr)
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

bool unwind_read(void *ctx, uint64_t address, unsigned size, uint64_t *value)
{
	struct unwind *unwind = ctx;

	*value = 0;
	return monitor_read(unwind->monitor, unwind->cpu, false, address, value, size, NULL) ==
	       (ssize_t)size;
}

uint64_t unwind_stack_address(struct unwind *unwind, uint64_t offset)
{
	return cpu_linear(unwind->state, SEG_SS, offset);
}

bool unwind_sp(struct unwind *unwind, uint64_t *sp)
{
	*sp = unwind_stack_address(unwind, *unwind_place(unwind, GPR_RSP));
	return unwind->registers.known[number_of(unwind, GPR_RSP)];
}

static bool read_slot(struct unwind *unwind, uint64_t offset, uint64_t *value)
{
	return unwind_read(unwind, unwind_stack_address(unwind, offset), unwind->size, value);
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
	uint64_t sp = unwind_stack_address(unwind, *unwind_place(unwind, GPR_RSP));

	return debug_walk(unwind->monitor->debug, unwind->cpu, address, &walk) != PAGING_OK &&
	       address - sp + 4096 < 8192 && unwind_read(unwind, (address | 4095) + 1, 1, &ignored);
}

bool unwind_ends_unmapped(struct unwind *unwind, uint64_t address)
{
	if (overflowed(unwind, address))
		return unwind_ends(unwind,
				   "the stack has overflowed: nothing is mapped at 0x%" PRIx64
				   ", right below it",
				   address);
	return unwind_ends(unwind,
			   "the stack should hold the return address at 0x%" PRIx64
			   ", where nothing is mapped",
			   address);
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
		return unwind_ends_unmapped(unwind, unwind_stack_address(unwind, slot));
	if (!caller)
		return unwind_ends(unwind, "the return address is 0: nobody called");
	*unwind_place(unwind, GPR_RBP) = frame;
	*unwind_place(unwind, GPR_RSP) = slot + unwind->size;
	unwind->slot = unwind_stack_address(unwind, slot);
	unwind->pc = code_address(unwind, caller);
	unwind->how = UNWIND_CALL;
	return true;
}

static bool next_by_pointer(struct unwind *unwind)
{
	uint64_t frame = *unwind_place(unwind, GPR_RBP), sp = *unwind_place(unwind, GPR_RSP), saved;
	int slots = slots_to_return(unwind);

	if (slots >= 0) {
		if (slots && !read_slot(unwind, sp, &frame))
			return unwind_ends_unmapped(unwind, unwind_stack_address(unwind, sp));
		return return_to(unwind, sp + (unsigned)slots * unwind->size, frame);
	}
	if (!frame)
		return unwind_ends(unwind,
				   "rbp is 0: the outermost function, or no frame pointers");
	if (frame < sp)
		return unwind_ends(unwind,
				   "rbp 0x%" PRIx64 " lies below the stack pointer 0x%" PRIx64
				   ": it is no frame pointer here",
				   frame, sp);
	if (!read_slot(unwind, frame, &saved))
		return unwind_ends_unmapped(unwind, unwind_stack_address(unwind, frame));
	return return_to(unwind, frame + unwind->size, saved);
}

/* Below Linux's entry code: distributions' programs have no frame pointers, and rbp points anywhere. */
static bool is_foreign(struct unwind *unwind)
{
	uint64_t offset;

	return unwind->number && unwind->how != UNWIND_CALL &&
	       symbols_orc(unwind->monitor->symbols) && unwind->pc < KERNEL_HALF &&
	       !symbols_name(unwind->monitor->symbols, unwind->pc, &offset);
}

bool unwind_next(struct unwind *unwind)
{
	bool foreign = is_foreign(unwind);
	int ret = -1;

	unwind->pushed = false;
	unwind->why[0] = 0;
	if (foreign)
		return unwind_ends(unwind, "user mode: a program that these symbols are not of");
	if (unwind->frames)
		ret = unwind_by_rules(unwind);
	if (ret < 0 && unwind->frames)
		ret = unwind_by_orc(unwind);
	if (ret < 0)
		ret = unwind_past_interrupt(unwind) || next_by_pointer(unwind);
	if (!ret)
		return false;
	unwind->registers.value[FRAME_RIP] = unwind->pc;
	unwind->number++;
	return true;
}
