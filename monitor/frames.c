// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/frames.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdlib.h>

#define STACK_MAX 32

struct frames {
	Elf *elf;
	bool read;
	bool is_64;
	Dwarf *dwarf;
	Dwarf_CFI *cfi[2]; /* .debug_frame, .eh_frame; NULL: the image has none */
};

struct frames *frames_new(Elf *elf)
{
	struct frames *frames = calloc(1, sizeof(*frames));
	GElf_Ehdr header;

	if (!frames)
		return NULL;
	frames->elf = elf;
	frames->is_64 = gelf_getehdr(elf, &header) && header.e_machine == EM_X86_64;
	return frames;
}

void frames_free(struct frames *frames)
{
	if (!frames)
		return;
	dwarf_cfi_end(frames->cfi[1]); /* the other one belongs to the Dwarf */
	dwarf_end(frames->dwarf);
	free(frames);
}

static void read_tables(struct frames *frames)
{
	if (frames->read)
		return;
	frames->read = true;
	frames->dwarf = dwarf_begin_elf(frames->elf, DWARF_C_READ, NULL);
	frames->cfi[0] = frames->dwarf ? dwarf_getcfi(frames->dwarf) : NULL;
	frames->cfi[1] = dwarf_getcfi_elf(frames->elf);
}

/* ---- numbers ------------------------------------------------------------------------------- */

unsigned frames_number(const struct frames *frames, unsigned gpr)
{
	static const unsigned char of_64[16] = {0, 2, 1,  3,  7,  6,  4,  5,
						8, 9, 10, 11, 12, 13, 14, 15};
	static const unsigned char of_32[8] = {0, 1, 2, 3, 4, 5, 6, 7};

	return frames->is_64 ? of_64[gpr & 15] : of_32[gpr & 7];
}

unsigned frames_sp(const struct frames *frames)
{
	return frames->is_64 ? 7 : 4;
}

unsigned frames_fp(const struct frames *frames)
{
	return frames->is_64 ? 6 : 5;
}

/* The return address has a number of its own in 32 bits. */
static unsigned our_number(const struct frames *frames, unsigned dwarf)
{
	if (!frames->is_64 && dwarf == 8)
		return FRAME_RIP;
	return dwarf < FRAME_REGISTERS ? dwarf : FRAME_REGISTERS;
}

/* ---- expressions --------------------------------------------------------------------------- */

struct machine {
	struct frames *frames;
	const struct frame_registers *registers;
	frame_read_fn *read;
	void *ctx;
	uint64_t cfa;
	uint64_t place; /* that could not be read */
	uint64_t stack[STACK_MAX];
	unsigned depth;
	bool is_value; /* the result is the register itself, not where it lies */
	unsigned in_register;
};

static bool push(struct machine *m, uint64_t value)
{
	if (m->depth == STACK_MAX)
		return false;
	m->stack[m->depth++] = value;
	return true;
}

static bool push_register(struct machine *m, unsigned number, uint64_t offset)
{
	number = our_number(m->frames, number);
	return number < FRAME_REGISTERS && m->registers->known[number] &&
	       push(m, m->registers->value[number] + offset);
}

static bool binary(struct machine *m, uint8_t op)
{
	uint64_t b, *a;

	if (m->depth < 2)
		return false;
	b = m->stack[--m->depth];
	a = &m->stack[m->depth - 1];
	switch (op) {
	case DW_OP_plus: *a += b; return true;
	case DW_OP_minus: *a -= b; return true;
	case DW_OP_and: *a &= b; return true;
	case DW_OP_or: *a |= b; return true;
	case DW_OP_mul: *a *= b; return true;
	case DW_OP_shl: *a = b < 64 ? *a << b : 0; return true;
	case DW_OP_ge: *a = (int64_t)*a >= (int64_t)b; return true;
	case DW_OP_eq: *a = *a == b; return true;
	case DW_OP_ne: *a = *a != b; return true;
	default: return false;
	}
}

static bool load(struct machine *m, unsigned size)
{
	uint64_t *top = &m->stack[m->depth - 1];

	if (!m->depth)
		return false;
	m->place = *top;
	return m->read(m->ctx, *top, size, top);
}

static bool run_simple(struct machine *m, const Dwarf_Op *op)
{
	switch (op->atom) {
	case DW_OP_call_frame_cfa: return push(m, m->cfa);
	case DW_OP_plus_uconst:
		if (m->depth)
			m->stack[m->depth - 1] += op->number;
		return m->depth > 0;
	case DW_OP_bregx: return push_register(m, (unsigned)op->number, op->number2);
	case DW_OP_regx: m->in_register = (unsigned)op->number; return true;
	case DW_OP_deref: return load(m, m->frames->is_64 ? 8 : 4);
	case DW_OP_dup: return m->depth > 0 && push(m, m->stack[m->depth - 1]);
	case DW_OP_drop: return m->depth > 0 && (m->depth--, true);
	case DW_OP_stack_value: m->is_value = true; return true;
	case DW_OP_nop: return true;
	default: return binary(m, op->atom);
	}
}

static bool run_one(struct machine *m, const Dwarf_Op *op)
{
	uint8_t atom = op->atom;

	if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
		return push_register(m, atom - DW_OP_breg0, op->number);
	if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31)
		return push(m, atom - DW_OP_lit0);
	if (atom >= DW_OP_addr && atom <= DW_OP_consts && atom != DW_OP_deref)
		return push(m, op->number);
	if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31) {
		m->in_register = atom - DW_OP_reg0;
		return true;
	}
	return run_simple(m, op);
}

/* Branches are in no compiler's frames: what has one is not followed. */
static bool run(struct machine *m, const Dwarf_Op *ops, size_t count)
{
	m->depth = 0;
	m->is_value = false;
	m->in_register = FRAME_REGISTERS;
	for (size_t i = 0; i < count; i++)
		if (!run_one(m, &ops[i]))
			return false;
	return m->depth > 0 || m->in_register < FRAME_REGISTERS;
}

/* ---- one frame ----------------------------------------------------------------------------- */

/* What the rules have for a register: true when it is known, *at where it was read from, 0 for nowhere. */
static bool fetch(struct machine *m, uint64_t *value, uint64_t *at)
{
	*at = 0;
	if (m->in_register < FRAME_REGISTERS) {
		unsigned number = our_number(m->frames, m->in_register);

		*value = number < FRAME_REGISTERS ? m->registers->value[number] : 0;
		return number < FRAME_REGISTERS && m->registers->known[number];
	}
	*value = m->stack[m->depth - 1];
	if (m->is_value)
		return true;
	*at = m->place = *value;
	return m->read(m->ctx, *at, m->frames->is_64 ? 8 : 4, value);
}

/* False: an undefined return address. */
static bool restore(struct machine *m, Dwarf_Frame *frame, unsigned dwarf,
		    struct frame_registers *caller, uint64_t *at)
{
	unsigned number = our_number(m->frames, dwarf);
	Dwarf_Op memory[3], *ops;
	size_t count;

	*at = 0;
	caller->known[number] = false;
	if (dwarf_frame_register(frame, (int)dwarf, memory, &ops, &count))
		return true;
	if (!count && ops == memory)
		return false; /* undefined */
	if (!count) {	      /* it is what it was */
		caller->known[number] = m->registers->known[number];
		caller->value[number] = m->registers->value[number];
	} else if (run(m, ops, count)) {
		caller->known[number] = fetch(m, &caller->value[number], at);
	}
	return true;
}

static bool find_cfa(struct machine *m, Dwarf_Frame *frame)
{
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_frame_cfa(frame, &ops, &count) || !run(m, ops, count) || !m->depth)
		return false;
	m->cfa = m->stack[m->depth - 1];
	return true;
}

/* The stack pointer is the CFA where the rules say nothing else. */
static void restore_others(struct machine *m, Dwarf_Frame *frame, struct frame_registers *caller)
{
	unsigned sp = frames_sp(m->frames), count = m->frames->is_64 ? 16 : 8;
	uint64_t at;

	for (unsigned i = 0; i < count; i++)
		restore(m, frame, i, caller, &at);
	if (!caller->known[sp] || caller->value[sp] == m->registers->value[sp]) {
		caller->known[sp] = true;
		caller->value[sp] = m->cfa;
	}
}

static enum frame_result follow(struct machine *m, Dwarf_Frame *frame, int return_column,
				struct frame_registers *registers, struct frame_step *step)
{
	struct frame_registers caller = *registers;

	if (!find_cfa(m, frame))
		return FRAME_LOST;
	step->cfa = m->cfa;
	m->place = 0;
	if (!restore(m, frame, (unsigned)return_column, &caller, &step->rip_at))
		return FRAME_OUTERMOST;
	step->rip_saved = step->rip_at != 0;
	if (!caller.known[FRAME_RIP])
		return FRAME_LOST;
	restore_others(m, frame, &caller);
	*registers = caller;
	return FRAME_CALLER;
}

static Dwarf_Frame *find_rules(struct frames *frames, uint64_t lookup)
{
	Dwarf_Frame *frame;

	for (unsigned i = 0; i < 2; i++)
		if (frames->cfi[i] && !dwarf_cfi_addrframe(frames->cfi[i], lookup, &frame))
			return frame;
	return NULL;
}

enum frame_result frames_step(struct frames *frames, uint64_t lookup,
			      struct frame_registers *registers, frame_read_fn *read, void *ctx,
			      struct frame_step *step)
{
	struct machine m = {.frames = frames, .registers = registers, .read = read, .ctx = ctx};
	enum frame_result result;
	Dwarf_Addr start, end;
	Dwarf_Frame *frame;
	int return_column;

	*step = (struct frame_step){0};
	read_tables(frames);
	frame = find_rules(frames, lookup);
	if (!frame)
		return FRAME_NO_RULES;
	return_column = dwarf_frame_info(frame, &start, &end, &step->signal);
	if (return_column < 0 || our_number(frames, (unsigned)return_column) >= FRAME_REGISTERS)
		result = FRAME_NO_RULES;
	else
		result = follow(&m, frame, return_column, registers, step);
	step->place = m.place;
	free(frame);
	return result;
}
