// SPDX-License-Identifier: GPL-3.0-or-later
/* Vector registers, and the XSAVE area that holds them. */
#include "register_case.h"

#include "cpu_samples.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- the XSAVE area ------------------------------------------------------------------------------------ */

static void absent_components_are_initial(void **unused)
{
	(void)unused;
	sample_real();
	memset(cpu.fpu.xsave, 0x5a, 416);
	cpu.fpu.xsave[XSAVE_XSTATE_BV] = 0;
	assert_int_equal(get_register("fctrl"), 0x37f);
	assert_int_equal(get_register("fstat"), 0);
	assert_int_equal(get_register("ftag"), 0xffff);
	assert_int_equal(get_register("fioff"), 0);
	assert_int_equal(get_register("st0"), 0);
	assert_int_equal(get_register("xmm15"), 0);
	assert_int_equal(get_register("mxcsr"), 0x5a5a5a5a);
}

static void writing_makes_a_component_present(void **unused)
{
	(void)unused;
	sample_real();
	memset(cpu.fpu.xsave, 0x5a, 416);
	memcpy(cpu.fpu.xsave + 28, &(uint32_t){0xffff}, 4);
	cpu.fpu.xsave[XSAVE_XSTATE_BV] = 4;
	assert_int_equal(set_register("xmm3", 0x1234), 0);
	assert_int_equal(cpu.fpu.xsave[XSAVE_XSTATE_BV], 4 | 2);
	assert_int_equal(get_register("xmm3"), 0x1234);
	assert_int_equal(get_register("xmm2"), 0);
	assert_int_equal(cpu.fpu.xsave[160], 0);
	assert_int_equal(cpu.fpu.xsave[160 + 48], 0x34);
	assert_int_equal(cpu.fpu.xsave[416], 0);
	assert_int_equal(get_register("mxcsr"), 0x5a5a5a5a);
	assert_int_equal(set_register("st1", 7), 0);
	assert_int_equal(cpu.fpu.xsave[XSAVE_XSTATE_BV], 4 | 2 | 1);
	assert_int_equal(cpu.fpu.xsave[32 + 16], 7);
	assert_int_equal(get_register("fctrl"), 0x37f);
	assert_int_equal(get_register("ftag"), 0xffff);
	assert_int_equal(get_register("xmm3"), 0x1234);
	assert_int_equal(cpu.fpu.xsave[0], 0x7f);
}

static void mxcsr_needs_the_sse_component(void **unused)
{
	(void)unused;
	sample_real();
	cpu.fpu.xsave[XSAVE_XSTATE_BV] = 0;
	memcpy(cpu.fpu.xsave + 28, &(uint32_t){0xffff}, 4);
	assert_int_equal(set_register("mxcsr", 0x1fc0), 0); /* DAZ, which the mask allows now */
	assert_int_equal(cpu.fpu.xsave[XSAVE_XSTATE_BV], 2);
	assert_int_equal(cpu.fpu.xsave[24], 0xc0);
	assert_int_equal(cpu.fpu.xsave[25], 0x1f);
}

/* ---- the components behind it -------------------------------------------------------------------------- */

static const char *const vector_names[] = {"ymm3h",  "k3",     "zmm3h", "xmm20",
					   "ymm20h", "zmm20h", "pkru"};

static void vector_registers_that_the_cpu_lacks(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(vector_names); i++) {
		const struct register_desc *reg = find_register(vector_names[i]);

		sample_long();
		memset(cpu.fpu.xsave, 0x5a, sizeof(cpu.fpu.xsave));
		memset(cpu.fpu.xsave + XSAVE_XSTATE_BV, 0xff, 8);
		assert_true(register_exists(reg, &cpu));
		assert_true(get_register(vector_names[i]) != 0);
		cpu.fpu.component[reg->component] = 0;
		assert_false(register_exists(reg, &cpu));
		assert_false(register_available(reg, &cpu));
		assert_int_equal(get_register(vector_names[i]), 0);
		expect_refused(vector_names[i], 1, -EINVAL);
	}
	assert_true(register_exists(find_register("rax"), &cpu));
	assert_true(register_exists(find_register("xmm15"), &cpu));
	memset(cpu.msrs.valid, 0, sizeof(cpu.msrs.valid));
	assert_true(register_exists(find_register("lstar"), &cpu));
}

static void vector_registers_that_are_switched_off(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(vector_names); i++) {
		const struct register_desc *reg = find_register(vector_names[i]);
		bool pkru = reg->component == XSAVE_PKRU;

		sample_long();
		memset(cpu.fpu.xsave, 0x5a, sizeof(cpu.fpu.xsave));
		memset(cpu.fpu.xsave + XSAVE_XSTATE_BV, 0xff, 8);
		cpu.fpu.xcr0 &= ~(1ull << reg->component);
		assert_true(register_exists(reg, &cpu));
		assert_int_equal(register_available(reg, &cpu), pkru);
		assert_int_equal(get_register(vector_names[i]) != 0, pkru);
		if (!pkru)
			expect_refused(vector_names[i], 1, -EINVAL);
	}
}

/* The neighbours in the component become what they were read as: zero. */
static void writing_a_vector_register_makes_its_component_present(void **unused)
{
	(void)unused;
	for (unsigned i = 0; i < ARRAY_SIZE(vector_names); i++) {
		const struct register_desc *reg = find_register(vector_names[i]);
		unsigned at, size = xsave_component_size(reg->component), other = 0;

		sample_long();
		memset(cpu.fpu.xsave + 576, 0x5a, sizeof(cpu.fpu.xsave) - 576);
		at = cpu.fpu.component[reg->component];
		assert_int_equal(get_register(vector_names[i]), 0);
		assert_int_equal(set_register(vector_names[i], 0), 0); /* nothing to do */
		assert_int_equal(cpu.fpu.xsave[at], 0x5a);
		assert_int_equal(set_register(vector_names[i], 0x1234), 0);
		assert_int_equal(get_register(vector_names[i]), 0x1234);
		assert_int_equal(*(uint16_t *)(cpu.fpu.xsave + XSAVE_XSTATE_BV),
				 3 | 1 << reg->component);
		for (unsigned j = 0; j < size; j++)
			other += cpu.fpu.xsave[at + j] != 0;
		assert_int_equal(other, 2);
		assert_int_equal(cpu.fpu.xsave[at - 1], reg->component == XSAVE_AVX ? 0 : 0x5a);
		assert_int_equal(cpu.fpu.xsave[at + size], 0x5a);
		assert_int_equal(get_register("mxcsr"), 0x1f80);
	}
}

/* Where a register lies in the area, and as a full tag word (SDM vol. 1, 8.1.7). */
static void put_st(unsigned i, uint16_t exponent, uint64_t mantissa)
{
	memcpy(cpu.fpu.xsave + 32 + 16 * (size_t)i, &mantissa, 8);
	memcpy(cpu.fpu.xsave + 40 + 16 * (size_t)i, &exponent, 2);
}

static void tag_word(void **unused)
{
	(void)unused;
	sample_real();
	cpu.fpu.xsave[3] = 6 << 3; /* TOP: ST(0) is register 6, ST(1) is 7, ST(2) is 0 */
	cpu.fpu.xsave[4] = 0xc7;
	put_st(0, 0x3fff, 1ull << 63); /* 1.0: valid */
	put_st(1, 0x8000, 0);	       /* -0.0: zero */
	put_st(2, 0x7fff, 1ull << 63); /* infinity: special */
	put_st(3, 0, 1);	       /* denormal: special */
	put_st(4, 0x4000, 1);	       /* unnormal: special */
	assert_int_equal(get_register("ftag"),
			 1 << 14 | 0 << 12 | 3 << 10 | 3 << 8 | 3 << 6 | 2 << 4 | 2 << 2 | 2);
	assert_int_equal(set_register("ftag", 0xffff), 0);
	assert_int_equal(cpu.fpu.xsave[4], 0);
	assert_int_equal(set_register("ftag", 0x3ffc), 0);
	assert_int_equal(cpu.fpu.xsave[4], 0x81);
	/* What a tag says beyond "empty" follows from the register. */
	assert_int_equal(get_register("ftag"), 0x7ffe);
}

static void fpu_after_power_up(void **unused)
{
	(void)unused;
	memset(&cpu, 0, sizeof(cpu));
	cpu_state_reset(&cpu, true);
	assert_int_equal(get_register("fctrl"), 0x40);
	assert_int_equal(get_register("fstat"), 0);
	assert_int_equal(get_register("ftag"), 0x5555);
	assert_int_equal(get_register("mxcsr"), 0x1f80);
	assert_int_equal(get_register("st0"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_components_are_initial),
		cmocka_unit_test(writing_makes_a_component_present),
		cmocka_unit_test(mxcsr_needs_the_sse_component),
		cmocka_unit_test(vector_registers_that_the_cpu_lacks),
		cmocka_unit_test(vector_registers_that_are_switched_off),
		cmocka_unit_test(writing_a_vector_register_makes_its_component_present),
		cmocka_unit_test(tag_word),
		cmocka_unit_test(fpu_after_power_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
