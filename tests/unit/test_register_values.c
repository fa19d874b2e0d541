// SPDX-License-Identifier: GPL-3.0-or-later
/* What writing a register refuses, and what it takes along; the XSAVE area; bits with names. */
#include "register_case.h"
#include "x86/mode.h"

#include "cpu_samples.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- refusals ---------------------------------------------------------------------------------------- */

// clang-format off
static const struct {
	mode_fn *mode;
	const char *name;
	uint64_t word;
} impossible[] = {
	{sample_real, "cr0", CR0_PG}, /* without PE */
	{sample_real, "cr0", CR0_NW}, /* without CD */
	{sample_real, "cr0", 1ull << 32},
	{sample_real, "cr0", 1 << 6},
	{sample_long, "cr0", CR0_PE}, /* PG away under 64-bit code */
	{sample_long, "cr0_value", 0},
	{sample_v86, "cr0", 0},
	{sample_real, "cr3", 1ull << 52},
	{sample_long, "cr4", 0},			/* PAE away */
	{sample_long, "cr4", CR4_PAE | CR4_LA57}, /* in use */
	{sample_long, "cr4", CR4_PAE | CR4_CET},	/* without WP */
	{sample_protected, "cr4", CR4_PCIDE},	/* outside long mode */
	{sample_real, "cr4", 1 << 15},
	{sample_real, "cr4", 1ull << 63},
	{sample_real, "cr8", 16},
	{sample_real, "efer", 1 << 1},
	{sample_real, "efer", EFER_LMA},
	{sample_real, "efer", 1 << 12}, /* SVME: has this CPU got it? */
	{sample_long, "efer", EFER_LME},
	{sample_long, "efer", EFER_LMA},
	{sample_long, "efer", 0},
	{sample_long, "efer_value", 1ull << 40},
	{sample_real, "xcr0", 0},
	{sample_real, "xcr0", 1 | 1 << 2}, /* AVX without SSE */
	{sample_real, "xcr0", 1 | 1 << 1 | 1 << 5},
	{sample_real, "xcr0", 1 | 1 << 1 | 7 << 5}, /* AVX-512 without AVX */
	{sample_real, "xcr0", 1 | 1 << 3},
	{sample_real, "xcr0", 1ull << 63 | 1},
	{sample_real, "apic_base", 0xfee00801},
	{sample_real, "apic_base", 0xfee00400}, /* x2APIC, disabled */
	{sample_real, "apic_base", 1ull << 52},
	{sample_real, "eflags", 1 << 3},
	{sample_real, "eflags", 1 << 15},
	{sample_real, "eflags", 1u << 31},
	{sample_protected, "eflags", RFLAGS_VM | RFLAGS_FIXED},
	{sample_v86, "eflags", RFLAGS_FIXED},
	{sample_real, "rip", 1ull << 32},
	{sample_protected, "rip", 1ull << 32},
	{sample_long, "rip", 1ull << 47},
	{sample_long, "fs_base", 1ull << 47},
	{sample_long, "tr_base", 1ull << 63},
	{sample_long, "gdtr_base", 1ull << 48},
	{sample_long, "cs_base", 1ull << 32},
	{sample_v86, "ds_base", 0x10010},
	{sample_v86, "fs_base", 0x10010},
	{sample_v86, "ds_limit", 0xfffff},
	{sample_protected, "ds_limit", 0x1000},   /* G is set */
	{sample_protected, "tr_limit", 0x100000}, /* G is not */
	{sample_protected, "cs", 0x10},
	{sample_long, "ss", 0},
	{sample_real, "cs", 0x10000},
	{sample_real, "dr6", 1ull << 32},
	{sample_real, "dr6", 1 << 12},
	{sample_real, "dr7", 1ull << 32},
	{sample_real, "dr7", 1 << 14},
	{sample_long, "lstar", 1ull << 47},
	{sample_long, "k_gs_base", 1ull << 47},
	{sample_long, "kernel_gs_base", 1ull << 47},
	{sample_real, "fmask", 1ull << 32},
	{sample_real, "pat", 2},
	{sample_real, "mtrr_def_type", 2},
	{sample_real, "misc_enable", 1 << 1},
	{sample_real, "xcr0", XCR0_ALL & ~2},
	{sample_real, "mxcsr", 1 << 16},
	{sample_real, "mxcsr", 1 << 6}, /* DAZ, where MXCSR_MASK is 0 */
	{sample_real, "fctrl", 0x237f},
	{sample_real, "fctrl", 0x1037f},
	{sample_real, "fstat", 0x10000},
	{sample_real, "ftag", 0x10000},
	{sample_real, "fop", 0x800},
	{sample_real, "fiseg", 0x10000},
};
// clang-format on

static void what_no_cpu_can_hold_is_refused(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(impossible); i++) {
		impossible[i].mode();
		expect_refused(impossible[i].name, impossible[i].word, -EINVAL);
	}
}

/* In compatibility mode nothing but the change itself is wrong. */
static void lme_is_fixed_while_paging_is_on(void **unused)
{
	(void)unused;
	sample_long();
	cpu_segment_flat(&cpu.system.seg[SEG_CS], 8, true, 32);
	expect_refused("efer", 0, -EINVAL);
	sample_protected();
	cpu.system.cr0 |= CR0_PG;
	cpu.system.cr4 = CR4_PAE;
	expect_refused("efer", EFER_LME | EFER_LMA, -EINVAL);
	assert_int_equal(set_register("efer", EFER_NXE), 0);
}

static void some_can_only_be_read(void **unused)
{
	static const char *const names[] = {"cs_attr", "fs_attr", "tr",		  "tr_attr",
					    "ldtr",    "tsc",	  "tsc_deadline", "cs_attr_value"};
	unsigned count = 0;

	(void)unused;
	sample_long();
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		assert_false(find_register(names[i])->writable);
		expect_refused(names[i], 0x10, -EPERM);
	}
	for (unsigned i = 0; i < register_count; i++)
		count += !registers[i].writable;
	assert_int_equal(count, 20);
}

static void unknown_msrs_are_unavailable(void **unused)
{
	const struct register_desc *reg = find_register("tsc_aux");

	(void)unused;
	sample_real();
	cpu.msrs.value[MSR_SLOT_TSC_AUX] = 5;
	assert_true(register_available(reg, &cpu));
	assert_true(register_available(find_register("rax"), &cpu));
	assert_int_equal(get_register("tsc_aux"), 5);
	cpu.msrs.valid[MSR_SLOT_TSC_AUX] = false;
	assert_false(register_available(reg, &cpu));
	assert_int_equal(get_register("tsc_aux"), 0);
	expect_refused("tsc_aux", 6, -EINVAL);
	cpu.msrs.valid[MSR_SLOT_KERNEL_GS_BASE] = false;
	assert_false(register_available(find_register("k_gs_base"), &cpu));
}

/* ---- what comes along -------------------------------------------------------------------------------- */

static void fixed_bits_become_1(void **unused)
{
	(void)unused;
	sample_real();
	assert_int_equal(set_register("cr0", CR0_PE), 0);
	assert_int_equal(get_register("cr0"), CR0_PE | CR0_ET);
	assert_int_equal(set_register("eflags", 0), 0);
	assert_int_equal(get_register("eflags"), RFLAGS_FIXED);
	assert_int_equal(set_register("dr6", 1), 0);
	assert_int_equal(get_register("dr6"), 0xffff0ff1);
	assert_int_equal(set_register("dr7", 2), 0);
	assert_int_equal(get_register("dr7_value"), 0x402);
	assert_int_equal(set_register("fctrl", 0x33f), 0);
	assert_int_equal(get_register("fctrl"), 0x37f);
}

static void cr0_carries_lma_along(void **unused)
{
	(void)unused;
	sample_protected();
	assert_int_equal(set_register("cr4", CR4_PAE), 0);
	assert_int_equal(set_register("efer", EFER_LME), 0);
	assert_int_equal(set_register("cr0", CR0_PE | CR0_ET | CR0_PG), 0);
	assert_int_equal(get_register("efer_value"), EFER_LME | EFER_LMA);
	assert_int_equal(cpu_mode(&cpu), MODE_COMPAT32);
	assert_int_equal(set_register("cr0", CR0_PE | CR0_ET), 0);
	assert_int_equal(get_register("efer"), EFER_LME);
	/* Without PAE there is no way into long mode. */
	assert_int_equal(set_register("cr4", 0), 0);
	expect_refused("cr0", CR0_PE | CR0_ET | CR0_PG, -EINVAL);
}

static void real_mode_selectors_carry_their_base_along(void **unused)
{
	(void)unused;
	sample_real();
	cpu_state_reset(&cpu, true);
	assert_int_equal(set_register("cs", 0xf000), 0);
	assert_int_equal(get_register("cs_base"), 0xffff0000);
	assert_int_equal(set_register("cs", 0x7c0), 0);
	assert_int_equal(get_register("cs_base"), 0x7c00);
	assert_int_equal(get_register("cs_limit"), 0xffff);
	sample_v86();
	assert_int_equal(set_register("gs", 0xb800), 0);
	assert_int_equal(get_register("gs_base"), 0xb8000);
}

static void attributes_are_those_of_a_descriptor(void **unused)
{
	(void)unused;
	sample_long();
	assert_int_equal(get_register("cs_attr"), 0xa09b);
	assert_int_equal(get_register("ds_attr"), 0xc093);
	cpu_segment_flat(&cpu.system.seg[SEG_SS], 0x23, false, 32);
	assert_int_equal(get_register("ss_attr"), 0xc0f3);
	cpu.system.seg[SEG_SS].unusable = 1;
	cpu.system.seg[SEG_SS].avl = 1;
	assert_int_equal(get_register("ss_attr"), 0x1d0f3);
	assert_int_equal(get_register("tr_attr"), 0x8b);
}

static void eflags_show_the_low_half(void **unused)
{
	(void)unused;
	sample_long();
	assert_int_equal(set_register("eflags", 0x246), 0);
	assert_int_equal(cpu.general.rflags, 0x246);
	assert_int_equal(get_register("eflags_value"), 0x246);
}

/* ---- bits with names ------------------------------------------------------------------------------------ */

static void expect_text(const char *name, uint64_t value, const char *expected)
{
	char buf[200];

	assert_ptr_equal(register_flags_text(name, value, buf, sizeof(buf)), buf);
	assert_string_equal(buf, expected);
}

static void flags_as_text(void **unused)
{
	(void)unused;
	expect_text("eflags", 0x206, "PF IF");
	expect_text("eflags", 0x3002, "IOPL=3");
	expect_text("flags", 0x2, "");
	expect_text("cr0", 0x80010033, "PE MP ET NE WP PG");
	expect_text("cr3", 0x102005, "PCID=5 PDBR=102");
	expect_text("cr4", 0x1000000a0, "PAE PGE FRED");
	expect_text("efer", 0xd01, "SCE LME LMA NXE");
	expect_text("xcr0", 7, "X87 SSE AVX");
	expect_text("apic_base", 0xfee00900, "BSP EN PAGE=fee00");
	expect_text("mxcsr", 0x1f80, "IM DM ZM OM UM PM");
	expect_text("dr6", 0xffff4ff1, "B0 BS");
	expect_text("dr7", 0x90602, "G0 GE RW0=1 LEN0=2");
	expect_text("cs_attr", 0xa09b, "TYPE=b S P L G");
	expect_text("rax", ~0ull, "");
	expect_text("no such register", ~0ull, "");
}

static void flags_text_is_cut_off(void **unused)
{
	char buf[8];

	(void)unused;
	for (size_t size = 0; size < sizeof(buf); size++) {
		memset(buf, '~', sizeof(buf));
		register_flags_text("eflags", 0x3206, buf, size);
		assert_int_equal(buf[size], '~');
		if (size) {
			assert_int_equal(buf[size - 1], '\0');
			assert_memory_equal(buf, "PF IF I", size - 1);
		}
	}
}

static void flags_types_make_sense(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < register_flags_type_count; i++) {
		const struct register_flags_type *type = &register_flags_types[i];
		unsigned next = 0, used = 0;

		assert_ptr_equal(register_flags_type_find(type->id), type);
		for (unsigned j = 0; j < type->field_count; j++) {
			assert_true(type->fields[j].bit_lo >= next);
			assert_true(type->fields[j].bit_hi >= type->fields[j].bit_lo);
			next = type->fields[j].bit_hi + 1;
		}
		assert_true(next <= 8 * type->bytes);
		for (unsigned j = 0; j < register_count; j++)
			used += !strcmp(registers[j].gdb_type, type->id);
		assert_true(used);
	}
	assert_null(register_flags_type_find("int64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_cpu_can_hold_is_refused),
		cmocka_unit_test(lme_is_fixed_while_paging_is_on),
		cmocka_unit_test(some_can_only_be_read),
		cmocka_unit_test(unknown_msrs_are_unavailable),
		cmocka_unit_test(fixed_bits_become_1),
		cmocka_unit_test(cr0_carries_lma_along),
		cmocka_unit_test(real_mode_selectors_carry_their_base_along),
		cmocka_unit_test(attributes_are_those_of_a_descriptor),
		cmocka_unit_test(eflags_show_the_low_half),
		cmocka_unit_test(flags_as_text),
		cmocka_unit_test(flags_text_is_cut_off),
		cmocka_unit_test(flags_types_make_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
