// SPDX-License-Identifier: GPL-3.0-or-later
/* Where an interrupt would go: gates and vector tables, built by hand. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "x86/descriptors.h"
#include "x86/mode.h"

#include <errno.h>
#include <string.h>

#define IDT 0x1000u
#define GDT 0x2000u

static uint8_t memory[0x4000];

static bool read_memory(void *ctx, uint64_t linear, void *buf, size_t len)
{
	(void)ctx;
	if (linear + len > sizeof(memory))
		return false;
	memcpy(buf, memory + linear, len);
	return true;
}

static struct cpu_state protected_mode(unsigned bits)
{
	struct cpu_state state;

	memset(memory, 0, sizeof(memory));
	cpu_state_reset(&state, true);
	for (int i = 0; i < 6; i++)
		cpu_segment_flat(&state.system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS, bits);
	state.system.cr0 |= CR0_PE;
	if (bits == 64) {
		state.system.cr0 |= CR0_PG;
		state.system.efer = EFER_LME | EFER_LMA;
	}
	state.system.idt = (struct cpu_table){.base = IDT, .limit = 0x7ff};
	state.system.gdt = (struct cpu_table){.base = GDT, .limit = 0x17};
	return state;
}

static int handler_of(const struct cpu_state *state, uint8_t vector, uint64_t *linear)
{
	return interrupt_handler(state, vector, read_memory, NULL, linear);
}

static void test_real_mode(void **unused)
{
	const uint8_t entry[] = {0x34, 0x12, 0x00, 0xf0};
	struct cpu_state state;
	uint64_t at;

	(void)unused;
	memset(memory, 0, sizeof(memory));
	cpu_state_reset(&state, true);
	memcpy(memory + 8 * 4, entry, sizeof(entry));
	assert_int_equal(handler_of(&state, 8, &at), 0);
	assert_int_equal(at, 0xf1234);
	state.system.idt.limit = 8 * 4 + 2;
	assert_int_equal(handler_of(&state, 8, &at), -ENOENT);
}

static void test_long_mode(void **unused)
{
	static const uint8_t gate[16] = {0x78, 0x56, 8,	   0,	 0,    0x8e,
					 0x34, 0x12, 0x80, 0xff, 0xff, 0xff};
	struct cpu_state state = protected_mode(64);
	uint64_t at;

	(void)unused;
	memcpy(memory + IDT + 0x20 * 16, gate, sizeof(gate));
	assert_int_equal(handler_of(&state, 0x20, &at), 0);
	assert_true(at == 0xffffff8012345678ull);
	memory[IDT + 0x20 * 16 + 5] = 0x0e;
	assert_int_equal(handler_of(&state, 0x20, &at), -ENOENT);
	memory[IDT + 0x20 * 16 + 5] = 0x8f;
	assert_int_equal(handler_of(&state, 0x20, &at), 0);
	assert_int_equal(handler_of(&state, 0x90, &at), -ENOENT);
}

/* The code segment's base counts, and a 16-bit gate has no upper half. */
static void test_protected_mode(void **unused)
{
	static const uint8_t gate[8] = {0x78, 0x56, 8, 0, 0, 0x8e, 0x34, 0x02};
	static const uint8_t code[8] = {0xff, 0xff, 0x00, 0x00, 0x10, 0x9a, 0xcf, 0x00};
	struct cpu_state state = protected_mode(32);
	uint64_t at;

	(void)unused;
	memcpy(memory + IDT + 0x21 * 8, gate, sizeof(gate));
	memcpy(memory + GDT + 8, code, sizeof(code));
	assert_int_equal(handler_of(&state, 0x21, &at), 0);
	assert_int_equal(at, 0x00100000 + 0x02345678);
	memory[IDT + 0x21 * 8 + 5] = 0x86;
	assert_int_equal(handler_of(&state, 0x21, &at), 0);
	assert_int_equal(at, 0x00100000 + 0x5678);
	memory[IDT + 0x21 * 8 + 2] = 0x18; /* beyond the table */
	assert_int_equal(handler_of(&state, 0x21, &at), -ENOENT);
}

static void test_what_is_no_gate(void **unused)
{
	struct cpu_state state = protected_mode(32);
	uint64_t at;

	(void)unused;
	for (unsigned type = 0; type < 16; type++) {
		bool gate = type == 6 || type == 7 || type == 14 || type == 15;

		memory[IDT + 5] = (uint8_t)(0x80 | type);
		memory[IDT + 2] = 8;
		assert_int_equal(handler_of(&state, 0, &at), gate ? 0 : -ENOENT);
	}
}

/* Where far transfers go; test_instruction.c has those that instructions make. */
static void test_far_targets(void **unused)
{
	static const uint8_t code[8] = {0xff, 0xff, 0, 0, 0x12, 0x9b, 0xcf, 0};
	static const uint8_t gate[8] = {0x78, 0x56, 8, 0, 0, 0x8c, 0x34, 0x12};
	struct cpu_state state = protected_mode(32);
	uint64_t at = 0;

	(void)unused;
	memcpy(memory + GDT + 8, code, sizeof(code));
	memcpy(memory + GDT + 16, gate, sizeof(gate));
	assert_int_equal(far_target(&state, 8, 0x10, read_memory, NULL, &at), 0);
	assert_int_equal(at, 0x120010);
	assert_int_equal(far_target(&state, 8 | 3, 0x10, read_memory, NULL, &at), 0);
	assert_int_equal(far_target(&state, 16, 0x10, read_memory, NULL, &at), 0);
	assert_int_equal(at, 0x12345678 + 0x120000);
	memory[GDT + 16 + 5] = 0x0c;
	assert_int_equal(far_target(&state, 16, 0x10, read_memory, NULL, &at), -ENOENT);
	assert_int_equal(far_target(&state, 24, 0x10, read_memory, NULL, &at), -ENOENT);
	assert_int_equal(far_target(&state, 3, 0x10, read_memory, NULL, &at), -ENOENT);
	assert_int_equal(far_target(&state, 8 | 4, 0x10, read_memory, NULL, &at), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_mode),      cmocka_unit_test(test_long_mode),
		cmocka_unit_test(test_protected_mode), cmocka_unit_test(test_what_is_no_gate),
		cmocka_unit_test(test_far_targets),
	};

	return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
