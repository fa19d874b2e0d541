// SPDX-License-Identifier: GPL-3.0-or-later
/* Modes, linear addresses, and the state after power-up. */
#include "x86/mode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cpu_state cpu;

static void real_mode(void)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu_state_reset(&cpu, true);
}

static void protected_mode(unsigned bits)
{
	real_mode();
	cpu.system.cr0 |= CR0_PE;
	for (int i = SEG_ES; i <= SEG_GS; i++)
		cpu_segment_flat(&cpu.system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS, bits);
}

static void long_mode(void)
{
	protected_mode(64);
	cpu.system.cr0 |= CR0_PG;
	cpu.system.cr4 |= CR4_PAE;
	cpu.system.efer = EFER_LME | EFER_LMA;
}

static void v86_mode(void)
{
	protected_mode(32);
	cpu.general.rflags |= RFLAGS_VM;
	for (int i = SEG_ES; i <= SEG_GS; i++)
		cpu_segment_real(&cpu.system.seg[i], 0x1000);
}

static void compatibility_mode(unsigned bits)
{
	long_mode();
	cpu_segment_flat(&cpu.system.seg[SEG_CS], 0x1b, true, bits);
}

/* ---- modes --------------------------------------------------------------------------------------- */

static void expect_mode(enum cpu_mode mode, const char *name, unsigned bits)
{
	assert_int_equal(cpu_mode(&cpu), mode);
	assert_string_equal(cpu_mode_name(mode), name);
	assert_int_equal(cpu_mode_bits(mode), bits);
}

static void modes_are_told_apart(void **unused)
{
	(void)unused;
	real_mode();
	expect_mode(MODE_REAL, "real mode", 16);
	v86_mode();
	expect_mode(MODE_V86, "virtual-8086 mode", 16);
	protected_mode(16);
	expect_mode(MODE_PROT16, "16-bit protected mode", 16);
	protected_mode(32);
	expect_mode(MODE_PROT32, "32-bit protected mode", 32);
	compatibility_mode(16);
	expect_mode(MODE_COMPAT16, "16-bit compatibility mode", 16);
	compatibility_mode(32);
	expect_mode(MODE_COMPAT32, "32-bit compatibility mode", 32);
	long_mode();
	expect_mode(MODE_LONG, "long mode", 64);
}

/* Between setting CR0.PE and the far jump, CS is still what real mode made of it. */
static void the_moment_after_setting_pe(void **unused)
{
	(void)unused;
	real_mode();
	cpu_segment_real(&cpu.system.seg[SEG_CS], 0x7c0);
	cpu.system.cr0 |= CR0_PE;
	cpu.general.rip = 0x20;
	expect_mode(MODE_PROT16, "16-bit protected mode", 16);
	assert_int_equal(cpu_linear_pc(&cpu), 0x7c20);
}

/* LME without PG is not long mode yet, and CS.L means nothing there. */
static void long_mode_needs_lma(void **unused)
{
	(void)unused;
	protected_mode(32);
	cpu.system.efer = EFER_LME;
	cpu.system.seg[SEG_CS].l = 1;
	assert_int_equal(cpu_mode(&cpu), MODE_PROT32);
}

static void rings(void **unused)
{
	(void)unused;
	real_mode();
	cpu.system.seg[SEG_SS].dpl = 3;
	assert_int_equal(cpu_cpl(&cpu), 0);
	v86_mode();
	assert_int_equal(cpu_cpl(&cpu), 3);
	long_mode();
	assert_int_equal(cpu_cpl(&cpu), 0);
	cpu_segment_flat(&cpu.system.seg[SEG_SS], 0x23, false, 64);
	assert_int_equal(cpu_cpl(&cpu), 3);
}

/* ---- linear addresses ----------------------------------------------------------------------------- */

static void real_mode_addresses(void **unused)
{
	(void)unused;
	real_mode();
	assert_int_equal(cpu_linear_pc(&cpu), 0xfffffff0);
	cpu_segment_real(&cpu.system.seg[SEG_DS], 0xffff);
	assert_int_equal(cpu_linear(&cpu, SEG_DS, 0x10), 0x100000);
	assert_int_equal(cpu_linear(&cpu, SEG_DS, 0xffff), 0x10ffef);
	assert_int_equal(cpu_linear(&cpu, SEG_DS, 0x10000), 0xffff0);
	cpu_segment_real(&cpu.system.seg[SEG_SS], 0x9000);
	cpu.general.gpr[GPR_RSP] = 0xdead0ffe;
	assert_int_equal(cpu_linear_sp(&cpu), 0x90ffe);
}

static void unreal_mode_reaches_everything(void **unused)
{
	(void)unused;
	real_mode();
	cpu.system.seg[SEG_DS].limit = 0xffffffff;
	assert_int_equal(cpu_linear(&cpu, SEG_DS, 0x12345678), 0x12345678);
	/* A stack pointer is SP all the same, as long as SS.B is 0. */
	cpu.system.seg[SEG_SS].limit = 0xffffffff;
	cpu.general.gpr[GPR_RSP] = 0x12345678;
	assert_int_equal(cpu_linear_sp(&cpu), 0x5678);
}

static void v86_addresses(void **unused)
{
	(void)unused;
	v86_mode();
	cpu.system.seg[SEG_ES].limit = 0xffffffff;
	assert_int_equal(cpu_linear(&cpu, SEG_ES, 0x12345), 0x12345);
}

static void protected_mode_addresses(void **unused)
{
	(void)unused;
	protected_mode(32);
	cpu.system.seg[SEG_GS].base = 0xc0000000;
	assert_int_equal(cpu_linear(&cpu, SEG_GS, 0x40000010), 0x10);
	assert_int_equal(cpu_linear(&cpu, SEG_GS, 0x1200000010), 0xc0000010);
	cpu.general.gpr[GPR_RSP] = 0xfff0000080001000;
	assert_int_equal(cpu_linear_sp(&cpu), 0x80001000);
	cpu.system.seg[SEG_SS].db = 0;
	assert_int_equal(cpu_linear_sp(&cpu), 0x1000);
}

static void long_mode_addresses(void **unused)
{
	(void)unused;
	long_mode();
	for (int i = SEG_ES; i < SEG_COUNT; i++)
		cpu.system.seg[i].base = 0xffff888000001000;
	for (int i = SEG_ES; i < SEG_FS; i++)
		assert_int_equal(cpu_linear(&cpu, i, 0x123456789abc), 0x123456789abc);
	assert_int_equal(cpu_linear(&cpu, SEG_FS, 0x10), 0xffff888000001010);
	assert_int_equal(cpu_linear(&cpu, SEG_GS, -0x1000), 0xffff888000000000);
	cpu.general.gpr[GPR_RSP] = 0xffffc90000001234;
	assert_int_equal(cpu_linear_sp(&cpu), 0xffffc90000001234);
}

static void compatibility_mode_addresses(void **unused)
{
	(void)unused;
	compatibility_mode(32);
	cpu.system.seg[SEG_DS].base = 0x1000;
	cpu.system.seg[SEG_TR].base = 0xfffffe0000003000;
	assert_int_equal(cpu_linear(&cpu, SEG_DS, 0xffffffff), 0xfff);
	assert_int_equal(cpu_linear(&cpu, SEG_TR, 4), 0xfffffe0000003004);
}

static void canonical_addresses(void **unused)
{
	(void)unused;
	long_mode();
	assert_true(cpu_canonical(&cpu, 0x00007fffffffffff));
	assert_false(cpu_canonical(&cpu, 0x0000800000000000));
	assert_true(cpu_canonical(&cpu, 0xffff800000000000));
	assert_false(cpu_canonical(&cpu, 0xfffe800000000000));
	cpu.system.cr4 |= CR4_LA57;
	assert_true(cpu_canonical(&cpu, 0x00ffffffffffffff));
	assert_false(cpu_canonical(&cpu, 0x0100000000000000));
}

/* ---- writing the program counter ------------------------------------------------------------------- */

static void expect_pc(uint64_t linear, uint64_t rip)
{
	assert_int_equal(cpu_set_linear_pc(&cpu, linear), 0);
	assert_int_equal(cpu.general.rip, rip);
	assert_int_equal(cpu_linear_pc(&cpu), linear);
}

static void expect_no_pc(uint64_t linear)
{
	struct cpu_state before = cpu;

	assert_int_equal(cpu_set_linear_pc(&cpu, linear), -ERANGE);
	assert_memory_equal(&before, &cpu, sizeof(cpu));
}

static void setting_pc_in_real_mode(void **unused)
{
	(void)unused;
	real_mode();
	expect_pc(0xffff1234, 0x1234);
	expect_no_pc(0x7c00);
	cpu_segment_real(&cpu.system.seg[SEG_CS], 0x7c0);
	expect_pc(0x7c00, 0);
	expect_pc(0x17bff, 0xffff);
	expect_no_pc(0x17c00);
	expect_no_pc(0x7bff);
	expect_no_pc(1ull << 32 | 0x7c00);
}

static void setting_pc_in_protected_mode(void **unused)
{
	(void)unused;
	protected_mode(32);
	expect_pc(0xfffffff0, 0xfffffff0);
	expect_no_pc(1ull << 32);
	cpu.system.seg[SEG_CS].base = 0x10000;
	expect_pc(0x8000, 0xffff8000);
	cpu.system.seg[SEG_CS].limit = 0xffff;
	expect_pc(0x1ffff, 0xffff);
	expect_no_pc(0x20000);
	expect_no_pc(0xffff);
}

static void setting_pc_in_long_mode(void **unused)
{
	(void)unused;
	long_mode();
	cpu.system.seg[SEG_CS].base = 0x1000;
	expect_pc(0xffffffff81000000, 0xffffffff81000000);
	expect_no_pc(0x0000800000000000);
	cpu.system.cr4 |= CR4_LA57;
	expect_pc(0x0000800000000000, 0x0000800000000000);
}

/* ---- segments --------------------------------------------------------------------------------------- */

static void real_segments(void **unused)
{
	struct cpu_segment s = {.type = 0xb, .limit = 5, .base = 7};

	(void)unused;
	cpu_segment_real(&s, 0xf123);
	assert_int_equal(s.base, 0xf1230);
	assert_int_equal(s.limit, 0xffff);
	assert_int_equal(s.selector, 0xf123);
	assert_int_equal(s.type, 0xb);
	assert_true(s.present && s.s && !s.l && !s.db && !s.g && !s.dpl && !s.unusable);
	s.type = 0;
	cpu_segment_real(&s, 0);
	assert_int_equal(s.type, 0x3);
}

static void flat_segments(void **unused)
{
	struct cpu_segment s = {.base = 7, .unusable = 1};

	(void)unused;
	cpu_segment_flat(&s, 0x33, true, 64);
	assert_int_equal(s.base, 0);
	assert_int_equal(s.limit, 0xffffffff);
	assert_int_equal(s.type, 0xb);
	assert_int_equal(s.dpl, 3);
	assert_true(s.present && s.s && s.l && !s.db && s.g && !s.unusable);
	cpu_segment_flat(&s, 8, true, 32);
	assert_true(!s.l && s.db && !s.dpl);
	cpu_segment_flat(&s, 8, true, 16);
	assert_true(!s.l && !s.db);
	cpu_segment_flat(&s, 16, false, 64);
	assert_int_equal(s.type, 0x3);
	assert_true(!s.l && s.db);
}

/* ---- power-up ---------------------------------------------------------------------------------------- */

/* SDM vol. 3A, table 10-1. */
static void registers_after_power_up(void **unused)
{
	(void)unused;
	memset(&cpu, 0xee, sizeof(cpu));
	cpu_state_reset(&cpu, true);
	assert_int_equal(cpu.general.rip, 0xfff0);
	assert_int_equal(cpu.general.rflags, 2);
	assert_int_equal(cpu.general.gpr[GPR_RDX], 0x600);
	assert_int_equal(cpu.general.gpr[GPR_RAX], 0);
	assert_int_equal(cpu.system.cr0, 0x60000010);
	assert_int_equal(cpu.system.cr4, 0);
	assert_int_equal(cpu.system.efer, 0);
	assert_int_equal(cpu.debug.dr6, 0xffff0ff0);
	assert_int_equal(cpu.debug.dr7, 0x400);
	assert_int_equal(cpu.msrs.value[MSR_SLOT_PAT], 0x0007040600070406);
	assert_int_equal(cpu.fpu.xcr0, 1);
}

static void segments_after_power_up(void **unused)
{
	const struct cpu_segment *cs = &cpu.system.seg[SEG_CS];

	(void)unused;
	real_mode();
	assert_int_equal(cs->selector, 0xf000);
	assert_int_equal(cs->base, 0xffff0000);
	assert_int_equal(cs->limit, 0xffff);
	assert_int_equal(cs->type, 0xb);
	for (int i = SEG_ES; i < SEG_COUNT; i++) {
		assert_int_equal(cpu.system.seg[i].limit, 0xffff);
		assert_true(cpu.system.seg[i].present);
		assert_int_equal(cpu.system.seg[i].s, i < SEG_TR);
	}
	assert_int_equal(cpu.system.seg[SEG_DS].type, 3);
	assert_int_equal(cpu.system.idt.limit, 0xffff);
	assert_int_equal(cpu.system.gdt.base, 0);
}

static void the_bootstrap_processor_is_special(void **unused)
{
	(void)unused;
	real_mode();
	assert_int_equal(cpu.system.apic_base, 0xfee00900);
	assert_int_equal(cpu.events.run_state, CPU_RUNNABLE);
	cpu_state_reset(&cpu, false);
	assert_int_equal(cpu.system.apic_base, 0xfee00800);
	assert_int_equal(cpu.events.run_state, CPU_WAIT_INIT);
}

static void reset_keeps_what_the_host_knows(void **unused)
{
	(void)unused;
	memset(&cpu, 0, sizeof(cpu));
	cpu.msrs.valid[MSR_SLOT_TSC_AUX] = true;
	cpu.msrs.value[MSR_SLOT_TSC_AUX] = 7;
	cpu_state_reset(&cpu, true);
	assert_true(cpu.msrs.valid[MSR_SLOT_TSC_AUX]);
	assert_false(cpu.msrs.valid[MSR_SLOT_PAT]);
	assert_int_equal(cpu.msrs.value[MSR_SLOT_TSC_AUX], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes_are_told_apart),
		cmocka_unit_test(the_moment_after_setting_pe),
		cmocka_unit_test(long_mode_needs_lma),
		cmocka_unit_test(rings),
		cmocka_unit_test(real_mode_addresses),
		cmocka_unit_test(unreal_mode_reaches_everything),
		cmocka_unit_test(v86_addresses),
		cmocka_unit_test(protected_mode_addresses),
		cmocka_unit_test(long_mode_addresses),
		cmocka_unit_test(compatibility_mode_addresses),
		cmocka_unit_test(canonical_addresses),
		cmocka_unit_test(setting_pc_in_real_mode),
		cmocka_unit_test(setting_pc_in_protected_mode),
		cmocka_unit_test(setting_pc_in_long_mode),
		cmocka_unit_test(real_segments),
		cmocka_unit_test(flat_segments),
		cmocka_unit_test(registers_after_power_up),
		cmocka_unit_test(segments_after_power_up),
		cmocka_unit_test(the_bootstrap_processor_is_special),
		cmocka_unit_test(reset_keeps_what_the_host_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
