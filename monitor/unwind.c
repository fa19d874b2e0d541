// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The calls that led here, by frame pointers: each function pushed its caller's rbp below its
 * return address and pointed rbp there. Code built with -fomit-frame-pointer breaks the chain; what
 * is shown then may skip callers, and the last line says where and why it ends.
 */
#include "monitor/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FRAMES_MAX 64

struct unwind {
	struct monitor *monitor;
	int cpu;
	unsigned size; /* bytes of a stack slot: 2, 4, 8 */
	const struct cpu_state *state;
	uint64_t pc, frame; /* pc linear; frame: rbp as an offset into SS */
	unsigned count;
};

static int unwind_begin(struct unwind *unwind, struct monitor *monitor, int cpu, struct error *err)
{
	*unwind = (struct unwind){
		.monitor = monitor, .cpu = cpu, .pc = debug_pc(monitor->debug, cpu)};
	unwind->state = debug_state(monitor->debug, cpu, CPU_GENERAL | CPU_SYSTEM);
	if (!unwind->state)
		return error_set(err, -EIO, "the registers of vCPU %d cannot be read", cpu);
	unwind->size = cpu_mode_bits(cpu_mode(unwind->state)) / 8;
	unwind->frame = unwind->state->general.gpr[GPR_RBP];
	if (unwind->size < 8)
		unwind->frame &= (1ull << unwind->size * 8) - 1;
	return 0;
}

static bool read_slot(struct unwind *unwind, uint64_t offset, uint64_t *value)
{
	uint64_t address = cpu_linear(unwind->state, SEG_SS, offset);

	*value = 0;
	return monitor_read(unwind->monitor, unwind->cpu, false, address, value, unwind->size,
			    NULL) == (ssize_t)unwind->size;
}

static uint64_t code_address(struct unwind *unwind, uint64_t offset)
{
	return cpu_linear(unwind->state, SEG_CS, offset);
}

/* Where, behind rsp, the return address is while a frame is not yet made or is gone already: before
 * `push %rbp`, between that and `mov %rsp,%rbp`, at `ret`. -1: the frame stands. */
static int slots_to_return(struct unwind *unwind)
{
	uint8_t code[4] = {0};
	uint64_t offset = 1;

	symbols_name(unwind->monitor->symbols, unwind->pc, &offset);
	if (monitor_read(unwind->monitor, unwind->cpu, false, unwind->pc, code, sizeof(code),
			 NULL) < 1)
		return -1;
	if (!offset || code[0] == 0xc3 || (offset == 4 && code[0] == 0x55))
		return 0;
	if ((code[0] == 0x48 && code[1] == 0x89 && code[2] == 0xe5) ||
	    (code[0] == 0x89 && code[1] == 0xe5))
		return 1;
	return -1;
}

/* A return address points behind the call; the call's own line is the one to show. */
static void show_frame(struct unwind *unwind, struct monitor_out *out)
{
	uint64_t lookup = unwind->count ? unwind->pc - 1 : unwind->pc;
	char name[96], where[192];
	const char *file;
	int line;

	address_name(unwind->monitor, unwind->pc, name, sizeof(name));
	snprintf(where, sizeof(where), "%s", name);
	if (!symbols_line(unwind->monitor->symbols, lookup, &file, &line))
		snprintf(where, sizeof(where), "%s at %.60s:%d", name, file_part(file), line);
	out_printf(out, "#%-2u 0x%" PRIx64 " %s\n", unwind->count, unwind->pc, where);
}

/* NULL, or the reason why there is no caller. */
static const char *step_out(struct unwind *unwind, char *reason, size_t size)
{
	uint64_t caller, saved;

	if (!unwind->frame)
		return "rbp is 0: the outermost function, or no frame pointers";
	if (!read_slot(unwind, unwind->frame, &saved) ||
	    !read_slot(unwind, unwind->frame + unwind->size, &caller)) {
		snprintf(reason, size, "rbp 0x%" PRIx64 " points to no mapped stack",
			 unwind->frame);
		return reason;
	}
	if (saved && saved <= unwind->frame) {
		snprintf(reason, size,
			 "the frame at 0x%" PRIx64 " names 0x%" PRIx64
			 " as its caller's, not above it",
			 unwind->frame, saved);
		unwind->frame = 0;
	} else {
		reason[0] = 0;
		unwind->frame = saved;
	}
	if (!caller)
		return "the return address is 0";
	unwind->pc = code_address(unwind, caller);
	return NULL;
}

/* The innermost frame may be half made. */
static const char *first_step(struct unwind *unwind, char *reason, size_t size)
{
	int slots = slots_to_return(unwind);
	uint64_t caller, sp = unwind->state->general.gpr[GPR_RSP];

	if (slots < 0)
		return step_out(unwind, reason, size);
	if (!read_slot(unwind, sp + slots * unwind->size, &caller))
		return "rsp points to no mapped stack";
	if (slots)
		read_slot(unwind, sp, &unwind->frame);
	if (!caller)
		return "the return address is 0";
	unwind->pc = code_address(unwind, caller);
	return NULL;
}

/* The slot that holds the return address, as an offset into SS. */
static bool return_slot(struct unwind *unwind, uint64_t *offset, struct error *err)
{
	int slots = slots_to_return(unwind);

	if (slots < 0 && !unwind->frame) {
		error_set(err, -ENOENT,
			  "nobody is known to have called this: rbp is 0, it is the outermost "
			  "function or keeps no frame pointer");
		return false;
	}
	*offset = slots < 0 ? unwind->frame + unwind->size
			    : unwind->state->general.gpr[GPR_RSP] + (unsigned)slots * unwind->size;
	return true;
}

int caller_find(struct monitor *monitor, int cpu, uint64_t *address, uint64_t *slot,
		struct error *err)
{
	struct unwind unwind;
	uint64_t offset, caller;
	int ret = unwind_begin(&unwind, monitor, cpu, err);

	if (ret)
		return ret;
	if (!return_slot(&unwind, &offset, err))
		return -ENOENT;
	*slot = cpu_linear(unwind.state, SEG_SS, offset);
	if (!read_slot(&unwind, offset, &caller))
		return error_set(err, -EFAULT,
				 "the return address should be at 0x%" PRIx64
				 ", where nothing is mapped",
				 *slot);
	*address = code_address(&unwind, caller);
	return caller ? 0 : error_set(err, -ENOENT, "the return address is 0: nobody called this");
}

static void walk_frames(struct unwind *unwind, struct monitor_out *out)
{
	const char *end = NULL;
	char reason[128] = "";

	show_frame(unwind, out);
	while (!end && ++unwind->count < FRAMES_MAX) {
		if (unwind->count > 1 && reason[0])
			end = reason;
		else
			end = unwind->count == 1 ? first_step(unwind, reason, sizeof(reason))
						 : step_out(unwind, reason, sizeof(reason));
		if (!end)
			show_frame(unwind, out);
	}
	out_printf(out, "    ends here: %s\n", end ? end : "64 frames are shown at most");
}

int backtrace_show(struct monitor *monitor, int cpu, struct monitor_out *out, struct error *err)
{
	struct unwind unwind;
	int ret = unwind_begin(&unwind, monitor, cpu, err);

	if (!ret)
		walk_frames(&unwind, out);
	return ret;
}
