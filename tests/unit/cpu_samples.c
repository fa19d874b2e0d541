// SPDX-License-Identifier: GPL-3.0-or-later
#include "cpu_samples.h"

#include "x86/mode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct cpu_state cpu;

uint64_t random_word(void)
{
	static uint64_t x = 0x9e3779b97f4a7c15;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

void sample_fpu(void)
{
	memset(cpu.fpu.xsave, 0, sizeof(cpu.fpu.xsave));
	for (unsigned i = 0; i < 8; i++) {
		/* A normal number, so that every tag is "valid" or, by FTW, "empty". */
		uint64_t mantissa = 1ull << 63 | random_word();
		uint16_t exponent = 0x3fff;

		memcpy(cpu.fpu.xsave + 32 + 16 * (size_t)i, &mantissa, 8);
		memcpy(cpu.fpu.xsave + 40 + 16 * (size_t)i, &exponent, 2);
	}
	memcpy(cpu.fpu.xsave + 0, &(uint16_t){0x37f}, 2);
	cpu.fpu.xsave[4] = 0xff;
	memcpy(cpu.fpu.xsave + 24, &(uint32_t){0x1f80}, 4);
	cpu.fpu.xsave[XSAVE_XSTATE_BV] = 3;
	/* Where Intel's processors have them. */
	cpu.fpu.component[XSAVE_AVX] = 576;
	cpu.fpu.component[XSAVE_OPMASK] = 1088;
	cpu.fpu.component[XSAVE_ZMM_HI256] = 1152;
	cpu.fpu.component[XSAVE_HI16_ZMM] = 1664;
	cpu.fpu.component[XSAVE_PKRU] = 2688;
	cpu.fpu.xcr0 = XCR0_ALL;
}

void sample_real(void)
{
	memset(&cpu, 0, sizeof(cpu));
	memset(cpu.msrs.valid, 1, sizeof(cpu.msrs.valid));
	cpu_state_reset(&cpu, true);
	sample_fpu();
	cpu.msrs.value[MSR_SLOT_PAT] = 0;
	for (unsigned i = 0; i < GPR_COUNT; i++)
		cpu.general.gpr[i] = random_word();
	for (int i = SEG_ES; i <= SEG_GS; i++)
		cpu_segment_flat(&cpu.system.seg[i], 0, i == SEG_CS, 16);
}

void sample_protected(void)
{
	sample_real();
	cpu.system.cr0 |= CR0_PE;
	for (int i = SEG_ES; i <= SEG_GS; i++)
		cpu_segment_flat(&cpu.system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS, 32);
}

void sample_long(void)
{
	sample_protected();
	cpu.system.cr0 |= CR0_PG;
	cpu.system.cr4 = CR4_PAE;
	cpu.system.efer = EFER_LME | EFER_LMA;
	cpu_segment_flat(&cpu.system.seg[SEG_CS], 8, true, 64);
}

void sample_v86(void)
{
	sample_protected();
	cpu.general.rflags |= RFLAGS_VM;
	for (int i = SEG_ES; i <= SEG_GS; i++)
		cpu_segment_real(&cpu.system.seg[i], 0x1000);
}

const struct register_desc *find_register(const char *name)
{
	int index = register_find(name);

	if (index < 0)
		fail_msg("no register %s", name);
	return &registers[index];
}

uint64_t get_register(const char *name)
{
	const struct register_desc *reg = find_register(name);
	uint8_t bytes[REGISTER_MAX_BYTES] = {0};
	uint64_t word;

	reg->get(reg, &cpu, bytes);
	memcpy(&word, bytes, sizeof(word));
	return word;
}

int set_register(const char *name, uint64_t word)
{
	const struct register_desc *reg = find_register(name);
	uint8_t bytes[REGISTER_MAX_BYTES] = {0};

	memcpy(bytes, &word, sizeof(word));
	return reg->set(reg, &cpu, bytes);
}
