// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "x86/instruction.h"

#include "instruction_case.h"
#include "x86/exceptions.h"
#include "x86/mode.h"

#include <string.h>

#define IDT 0x3000u
#define GDT 0x3800u

uint8_t memory[SIZE];
uint64_t hole = ~0ull;

bool read_memory(void *ctx, uint64_t linear, void *buf, size_t len)
{
	(void)ctx;
	if (linear + len > sizeof(memory) || linear + len < len)
		return false;
	if (linear >> 12 <= hole >> 12 && (linear + len - 1) >> 12 >= hole >> 12)
		return false;
	memcpy(buf, memory + linear, len);
	return true;
}

void put(uint64_t at, uint64_t value, size_t size)
{
	memcpy(memory + at, &value, size);
}

static void descriptor(unsigned index, uint32_t base, uint8_t attributes, uint8_t flags)
{
	const uint8_t d[8] = {0xff,
			      0xff,
			      (uint8_t)base,
			      (uint8_t)(base >> 8),
			      (uint8_t)(base >> 16),
			      attributes,
			      flags | 0xf,
			      (uint8_t)(base >> 24)};

	memcpy(memory + GDT + index * 8, d, sizeof(d));
}

static void gate(uint64_t at, uint16_t selector, uint64_t offset, uint8_t attributes)
{
	put(at, offset & 0xffff, 2);
	put(at + 2, selector, 2);
	put(at + 4, (uint64_t)attributes << 8, 2);
	put(at + 6, offset >> 16, 2);
	put(at + 8, offset >> 32, 4);
}

/* GDT: 1 code of the mode's size, 2 data, 3 code with a base, 4 call gate, 6 task state. */
static void tables(bool wide)
{
	memset(memory, 0, sizeof(memory));
	descriptor(1, 0, 0x9b, wide ? 0xa0 : 0xc0);
	descriptor(2, 0, 0x93, 0xc0);
	descriptor(3, 0x10000, 0x9b, 0xc0);
	gate(GDT + 4 * 8, 8, 0x123456, 0x8c);
	descriptor(6, 0x500, 0x89, 0);
	gate(IDT + 0x21 * (wide ? 16 : 8), 8, 0x4321, 0x8e);
	gate(IDT + VECTOR_BP * (wide ? 16 : 8), 8, 0x4303, 0x8e);
}

struct cpu_state state_in(int mode)
{
	static const unsigned bits[] = {
		[R16] = 16, [P16] = 16, [P32] = 32, [C32] = 32, [L64] = 64, [V86M] = 16};
	struct cpu_state s = {0};

	cpu_state_reset(&s, true);
	hole = ~0ull;
	for (int i = 0; i < 6; i++)
		if (mode == R16 || mode == V86M)
			cpu_segment_real(&s.system.seg[i], 0);
		else
			cpu_segment_flat(&s.system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS,
					 bits[mode]);
	if (mode != R16)
		s.system.cr0 |= CR0_PE;
	if (mode == V86M)
		s.general.rflags |= RFLAGS_VM;
	if (mode == L64 || mode == C32)
		s.system.efer = EFER_LME | EFER_LMA;
	tables(mode == L64 || mode == C32);
	s.system.idt = (struct cpu_table){.base = mode == R16 ? 0 : IDT, .limit = 0x7ff};
	s.system.gdt = (struct cpu_table){.base = GDT, .limit = 0x3f};
	s.general.rip = CODE;
	for (int i = 0; i < GPR_COUNT; i++)
		s.general.gpr[i] = 0x100u * (unsigned)i;
	s.general.gpr[GPR_RSP] = STACK;
	return s;
}
