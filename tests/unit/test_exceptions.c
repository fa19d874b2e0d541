// SPDX-License-Identifier: GPL-3.0-or-later
/* Names of exceptions and of MSRs. */
#include "x86/exceptions.h"
#include "x86/msr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void exceptions_have_names(void **unused)
{
	(void)unused;
	assert_string_equal(exception_mnemonic(VECTOR_DE), "#DE");
	assert_string_equal(exception_mnemonic(VECTOR_NMI), "NMI");
	assert_string_equal(exception_mnemonic(14), "#PF");
	assert_string_equal(exception_name(14), "page fault");
	assert_string_equal(exception_mnemonic(19), "#XM");
	assert_string_equal(exception_mnemonic(VECTOR_GP), "#GP");
	assert_int_equal(VECTOR_GP, 13);
	assert_int_equal(VECTOR_XM, 19);
}

static void other_vectors_have_numbers(void **unused)
{
	char expected[32];

	(void)unused;
	for (unsigned vector = 32; vector < 256; vector++) {
		snprintf(expected, sizeof(expected), "vector %u", vector);
		assert_string_equal(exception_mnemonic(vector), expected);
		assert_string_equal(exception_name(vector), "interrupt");
	}
	assert_string_equal(exception_mnemonic(15), "vector 15");
	assert_string_equal(exception_name(15), "reserved exception");
	assert_string_equal(exception_mnemonic(256), "no vector");
	assert_string_equal(exception_mnemonic(~0u), "no vector");
}

/* SDM vol. 3A, table 6-1, and AMD's 29 and 30. */
static void who_pushes_an_error_code(void **unused)
{
	static const unsigned pushing[] = {8, 10, 11, 12, 13, 14, 17, 21, 29, 30};
	unsigned next = 0;

	(void)unused;
	for (unsigned vector = 0; vector < 300; vector++) {
		bool expected = next < sizeof(pushing) / sizeof(pushing[0]) &&
				vector == pushing[next];

		assert_int_equal(exception_has_error_code(vector), expected);
		next += expected;
	}
}

static void msrs_have_names(void **unused)
{
	(void)unused;
	assert_string_equal(msr_name(0xc0000082), "MSR_LSTAR");
	assert_string_equal(msr_name(0xc0000080), "MSR_EFER");
	assert_string_equal(msr_name(0x1b), "MSR_APIC_BASE");
	assert_null(msr_name(0x12345678));
	for (unsigned i = 0; i < MSR_SLOT_COUNT; i++) {
		assert_non_null(msr_table[i].name);
		assert_string_equal(msr_name(msr_table[i].index), msr_table[i].long_name);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(msr_table[i].index, msr_table[j].index);
	}
}

static void msr_values(void **unused)
{
	struct cpu_state state = {0};

	(void)unused;
	assert_true(msr_value_valid(MSR_SLOT_LSTAR, 0xffffffff81000000, &state));
	assert_false(msr_value_valid(MSR_SLOT_LSTAR, 0x0000800000000000, &state));
	state.system.cr4 = CR4_LA57;
	assert_true(msr_value_valid(MSR_SLOT_LSTAR, 0x0000800000000000, &state));
	assert_true(msr_value_valid(MSR_SLOT_STAR, ~0ull, &state));
	assert_false(msr_value_valid(MSR_SLOT_FMASK, 1ull << 32, &state));
	assert_true(msr_value_valid(MSR_SLOT_PAT, 0x0007040600070406, &state));
	assert_false(msr_value_valid(MSR_SLOT_PAT, 0x0007040600070402, &state));
	assert_false(msr_value_valid(MSR_SLOT_PAT, 0x0807040600070406, &state));
	assert_true(msr_value_valid(MSR_SLOT_MTRR_DEF_TYPE, 0xc06, &state));
	assert_false(msr_value_valid(MSR_SLOT_MTRR_DEF_TYPE, 0xc07, &state));
	assert_false(msr_value_valid(MSR_SLOT_MTRR_DEF_TYPE, 0x206, &state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exceptions_have_names),
		cmocka_unit_test(other_vectors_have_numbers),
		cmocka_unit_test(who_pushes_an_error_code),
		cmocka_unit_test(msrs_have_names),
		cmocka_unit_test(msr_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
