// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Which instruction an access came from. When it comes out of the guest, RIP is behind the instruction
 * already, or on it still when it repeats; so it is looked for backwards, and believed when it can have
 * touched what was touched.
 */
#include "debug/pages.h"

#include "x86/locked.h"
#include "x86/mode.h"

#include <string.h>

#define PAGE	   4096u
#define LOCK	   0xf0
#define XCHG_BYTE  0x86
#define XCHG	   0x87
#define CALL_BYTES 8 /* of a return address, at most */

/* ---- does it touch that? ------------------------------------------------------------------ */

struct wanted {
	struct debug *debug;
	struct vcpu *vcpu;
	const struct cpu_state *state;
	const struct page_access *access;
	uint64_t linear; /* one name of it; there may be others */
};

static bool same_place(const struct wanted *w, uint64_t linear)
{
	struct paging_walk walk;

	return core_walk(w->debug, w->vcpu, linear, &walk) == PAGING_OK &&
	       walk.gpa == w->access->gpa;
}

/* By the name that the instruction itself has for it. */
static bool operand_is_there(const struct wanted *w, const struct instruction *insn)
{
	struct instruction_access access[INSTRUCTION_MAX_MEMORY];
	unsigned count = instruction_memory(insn, w->state, access);

	for (unsigned i = 0; i < count; i++)
		if ((w->access->write ? access[i].write : access[i].read) &&
		    same_place(w, access[i].linear))
			return true;
	return false;
}

static bool touched_it(void *ctx, const struct instruction *insn)
{
	const struct wanted *w = ctx;

	if (w->access->write)
		return instruction_may_have_written(insn, w->state, w->linear, w->access->size) ||
		       operand_is_there(w, insn);
	return insn->reads && (insn->memory_unknown || operand_is_there(w, insn));
}

/* ---- a repeated string instruction, between two turns -------------------------------------- */

static bool repeats_here(const struct wanted *w, uint64_t pc)
{
	struct core_place place = {w->debug, w->vcpu};
	bool down = w->state->general.rflags & RFLAGS_DF;
	struct instruction_access access[INSTRUCTION_MAX_MEMORY];
	struct instruction insn;
	unsigned count;

	if (!instruction_fetch(w->state, pc, core_read_linear, &place, &insn) || !insn.repeat)
		return false;
	count = instruction_memory(&insn, w->state, access);
	for (unsigned i = 0; i < count; i++) {
		uint64_t last = down ? access[i].linear + access[i].size
				     : access[i].linear - access[i].size;

		if ((w->access->write ? access[i].write : access[i].read) &&
		    (same_place(w, last) || same_place(w, access[i].linear)))
			return true;
	}
	return false;
}

/* ---- a call, which has gone on elsewhere ---------------------------------------------------- */

static bool is_call(void *ctx, const struct instruction *insn)
{
	(void)ctx;
	return insn->kind == INSN_CALL || insn->kind == INSN_CALL_INDIRECT;
}

/* What it has written is where it ends. */
static uint64_t find_call(const struct wanted *w)
{
	struct core_place place = {w->debug, w->vcpu};
	struct instruction insn;
	uint64_t end = 0;

	if (!w->access->write || w->access->size > CALL_BYTES ||
	    !same_place(w, cpu_linear_sp(w->state)))
		return 0;
	memcpy(&end, w->access->data, w->access->size);
	end = cpu_linear(w->state, SEG_CS, end);
	return instruction_ends_at(w->state, end, core_read_linear, &place, is_call, NULL, &insn)
		       ? insn.linear
		       : 0;
}

/* ---- locked? ------------------------------------------------------------------------------ */

struct tail {
	uint8_t bytes[INSTRUCTION_MAX_BYTES];
	unsigned size; /* at hand, and they end where RIP is */
};

static bool read_tail(struct debug *debug, struct vcpu *vcpu, uint64_t pc, struct tail *tail)
{
	struct core_place place = {debug, vcpu};
	unsigned in_page = (unsigned)((pc - 1) & (PAGE - 1)) + 1;

	tail->size = INSTRUCTION_MAX_BYTES;
	if (core_read_linear(&place, pc - tail->size, tail->bytes, tail->size))
		return true;
	tail->size = in_page < tail->size ? in_page : tail->size;
	return core_read_linear(&place, pc - tail->size, tail->bytes, tail->size);
}

/* Most writes are ruled out by this, before anything is decoded. */
static bool may_be_locked(const struct tail *tail)
{
	for (unsigned i = 0; i < tail->size; i++)
		if (tail->bytes[i] == LOCK || tail->bytes[i] == XCHG_BYTE || tail->bytes[i] == XCHG)
			return true;
	return false;
}

/* Its operand is the access, or the access is as much of it as this page holds. An address made of what the
 * instruction has loaded itself is not known any more. */
static bool operand_matches(const struct wanted *w, const struct instruction *insn)
{
	const struct instruction_operand *op = &insn->operand[0];
	bool ends_page = (w->access->gpa + w->access->size) % PAGE == 0;

	if (insn->operand_count != 1 || !op->write || op->size < w->access->size ||
	    (op->size > w->access->size && !ends_page))
		return false;
	return op->moved || operand_is_there(w, insn);
}

/* An unlocked instruction taken for a locked one would only be more atomic than it need be, so the first
 * that fits will do. */
bool page_is_locked(struct debug *debug, struct vcpu *vcpu, const struct page_access *access,
		    struct instruction *insn)
{
	struct wanted w = {debug, vcpu, vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM), access, 0};
	struct tail tail;
	uint64_t pc;

	if (!w.state)
		return false;
	pc = cpu_linear_pc(w.state);
	if (!read_tail(debug, vcpu, pc, &tail) || !may_be_locked(&tail))
		return false;
	for (unsigned length = tail.size; length > 1; length--)
		if (instruction_decode(w.state, pc - length, tail.bytes + tail.size - length,
				       length, insn) &&
		    insn->length == length && locked_known(insn) && operand_matches(&w, insn))
			return true;
	return false;
}

/* ---- all together -------------------------------------------------------------------------- */

uint64_t page_find_writer(struct debug *debug, struct vcpu *vcpu, const struct page_access *access,
			  uint64_t linear)
{
	struct core_place place = {debug, vcpu};
	struct wanted w = {debug, vcpu, vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM), access, linear};
	struct instruction insn;
	uint64_t pc, call;

	if (!w.state)
		return 0;
	pc = cpu_linear_pc(w.state);
	if (repeats_here(&w, pc))
		return pc;
	if (access->write && page_is_locked(debug, vcpu, access, &insn))
		return insn
			.linear; /* with its prefix, without which it would be an instruction too */
	call = find_call(&w);
	if (call)
		return call;
	return instruction_ends_at(w.state, pc, core_read_linear, &place, touched_it, &w, &insn)
		       ? insn.linear
		       : 0;
}
