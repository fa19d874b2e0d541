// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/mode.h"

#include <errno.h>

// clang-format off
static const struct {
	const char *name;
	unsigned bits;
} modes[] = {
	[MODE_REAL]     = {"real mode", 16},
	[MODE_V86]      = {"virtual-8086 mode", 16},
	[MODE_PROT16]   = {"16-bit protected mode", 16},
	[MODE_PROT32]   = {"32-bit protected mode", 32},
	[MODE_COMPAT16] = {"16-bit compatibility mode", 16},
	[MODE_COMPAT32] = {"32-bit compatibility mode", 32},
	[MODE_LONG]     = {"long mode", 64},
};
// clang-format on

/* RFLAGS.VM means nothing once EFER.LMA is set (SDM vol. 3A, 21.1). */
enum cpu_mode cpu_mode(const struct cpu_state *state)
{
	const struct cpu_system *system = &state->system;
	const struct cpu_segment *cs = &system->seg[SEG_CS];

	if (!(system->cr0 & CR0_PE))
		return MODE_REAL;
	if (system->efer & EFER_LMA) {
		if (cs->l)
			return MODE_LONG;
		return cs->db ? MODE_COMPAT32 : MODE_COMPAT16;
	}
	if (state->general.rflags & RFLAGS_VM)
		return MODE_V86;
	return cs->db ? MODE_PROT32 : MODE_PROT16;
}

const char *cpu_mode_name(enum cpu_mode mode)
{
	return modes[mode].name;
}

unsigned cpu_mode_bits(enum cpu_mode mode)
{
	return modes[mode].bits;
}

unsigned cpu_cpl(const struct cpu_state *state)
{
	switch (cpu_mode(state)) {
	case MODE_REAL: return 0;
	case MODE_V86: return 3;
	default: return state->system.seg[SEG_SS].dpl;
	}
}

bool cpu_canonical(const struct cpu_state *state, uint64_t linear)
{
	unsigned unused = state->system.cr4 & CR4_LA57 ? 64 - 57 : 64 - 48;

	return (uint64_t)((int64_t)(linear << unused) >> unused) == linear;
}

/* Code that runs in 64-bit mode sees no bases but FS and GS; TR and LDTR are 64 bits wide in
 * compatibility mode too. */
static bool is_64_bit(const struct cpu_state *state, enum cpu_segment_name segment)
{
	return cpu_mode(state) == MODE_LONG || (segment >= SEG_TR && state->system.efer & EFER_LMA);
}

/* The bits of an offset that take part in an address. A limit above 64 KiB in real mode was brought
 * along from protected mode, and with it offsets of 32 bits. */
static uint64_t offset_mask(enum cpu_mode mode, const struct cpu_segment *segment)
{
	if (mode == MODE_V86 || (mode == MODE_REAL && segment->limit <= 0xffff))
		return 0xffff;
	return 0xffffffff;
}

uint64_t cpu_linear(const struct cpu_state *state, enum cpu_segment_name segment, uint64_t offset)
{
	const struct cpu_segment *seg = &state->system.seg[segment];

	if (is_64_bit(state, segment))
		return offset + (segment >= SEG_FS ? seg->base : 0);
	return (seg->base + (offset & offset_mask(cpu_mode(state), seg))) & 0xffffffff;
}

uint64_t cpu_linear_pc(const struct cpu_state *state)
{
	return cpu_linear(state, SEG_CS, state->general.rip);
}

/* SS.B chooses between SP and ESP (SDM vol. 1, 6.2.3). */
uint64_t cpu_linear_sp(const struct cpu_state *state)
{
	uint64_t sp = state->general.gpr[GPR_RSP];

	if (cpu_mode(state) != MODE_LONG && !state->system.seg[SEG_SS].db)
		sp &= 0xffff;
	return cpu_linear(state, SEG_SS, sp);
}

int cpu_set_linear_pc(struct cpu_state *state, uint64_t linear)
{
	const struct cpu_segment *cs = &state->system.seg[SEG_CS];
	uint64_t offset = (linear - cs->base) & 0xffffffff;

	if (cpu_mode(state) == MODE_LONG) {
		if (!cpu_canonical(state, linear))
			return -ERANGE;
		offset = linear;
	} else if (linear > 0xffffffff || offset > cs->limit) {
		return -ERANGE;
	}
	state->general.rip = offset;
	return 0;
}

void cpu_segment_real(struct cpu_segment *segment, uint16_t selector)
{
	bool code = segment->type & 8;

	*segment = (struct cpu_segment){.base = (uint64_t)selector << 4,
					.limit = 0xffff,
					.selector = selector,
					.type = code ? 0xb : 0x3,
					.present = 1,
					.s = 1};
}

void cpu_segment_flat(struct cpu_segment *segment, uint16_t selector, bool code, unsigned bits)
{
	bool l = code && bits == 64;

	*segment = (struct cpu_segment){.limit = 0xffffffff,
					.selector = selector,
					.type = code ? 0xb : 0x3,
					.present = 1,
					.dpl = selector & 3,
					.db = bits != 16 && !l,
					.s = 1,
					.l = l,
					.g = 1};
}
