// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * simulate_instruction() against KVM's single step: random instructions in real mode, flat 32-bit mode and
 * long mode, in ring 0, with registers, flags and memory.
 * time limit: 300 s
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "bare_vm.h"
#include "simulate_cases.h"

#include "x86/debug_registers.h"
#include "x86/mode.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 12000, WINDOW = 0x3000, WINDOW_SIZE = 0x4000 };

struct tally {
	bool endbr; /* can be compared */
	unsigned done, refused, beyond_host;
};

static struct bare_vm bare;

static void open_kvm(void)
{
	if (!bare_available(&accel_kvm)) {
		print_message("# SKIP needs KVM\n");
		skip();
	}
	bare_open(&bare, &accel_kvm, NULL);
}

static void load_mode(unsigned bits)
{
	bare_load(&bare, bits == 64 ? BARE_LONG : BARE_REAL, "\x90", 1);
	if (bits == 32) {
		for (int i = SEG_ES; i <= SEG_GS; i++)
			cpu_segment_flat(&bare.state.system.seg[i], i == SEG_CS ? 8 : 16,
					 i == SEG_CS, 32);
		bare.state.system.cr0 |= CR0_PE;
		assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_SYSTEM, &bare.state), 0);
	}
	bare_get(&bare, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
}

/* Some processors forget an armed step when registers are written. */
static bool step(const struct cpu_general *general)
{
	const struct accel_debug wish = {.step = true, .block_irq = true, .inject = -1};

	bare.state.general = *general;
	bare_put_general(&bare);
	assert_int_equal(bare.ops->debug_set(bare.vcpu, &wish), 0);
	if (bare_run(&bare) == EXIT_INTERNAL_ERROR)
		return false;
	assert_int_equal(bare.exit.reason, EXIT_DEBUG);
	assert_true(bare.exit.debug.dr6 & DR6_BS);
	bare_get(&bare, CPU_GENERAL);
	return true;
}

/* A step that begins on endbr takes the next instruction along, on some hosts. */
static const uint8_t endbr[] = {0xf3, 0x0f, 0x1e};

static bool steps_endbr(const struct cpu_state *start)
{
	static const uint8_t code[] = {0xf3, 0x0f, 0x1e, 0xfa, 0x90, 0x90};

	memcpy(bare.memory + BARE_CODE, code, sizeof(code));
	return step(&start->general) && bare.state.general.rip == BARE_CODE + 4;
}

/* ret $0x8000 and more: an emulated processor may take that for less than nothing. Real ones do not, and
 * test_simulate_native.c asks one. */
static bool is_long_ret(const uint8_t *bytes, unsigned length)
{
	return length >= 3 && bytes[length - 3] == 0xc2 && (bytes[length - 1] & 0x80);
}

static void compare_one(struct random_stream *random, unsigned bits, const struct cpu_state *start,
			struct tally *tally)
{
	static uint8_t expected[WINDOW_SIZE];
	struct window window = {WINDOW, WINDOW_SIZE, expected, 0};
	struct simulate_memory memory = window_memory(&window);
	struct cpu_state after = *start;
	struct cpu_general before;
	unsigned changed, length;
	uint8_t bytes[15];

	length = random_instruction(random, bits, bytes);
	random_general(random, WINDOW, WINDOW_SIZE, &before);
	for (int i = 0; i < GPR_COUNT && bits < 64; i++)
		before.gpr[i] = i < 8 ? (uint32_t)before.gpr[i] : 0;
	before.rip = BARE_CODE;
	after.general = before;
	memcpy(expected, bare.memory + WINDOW, WINDOW_SIZE);
	if (!simulate_instruction(&after, &memory, bytes, length, &changed)) {
		tally->refused++;
		return;
	}
	memcpy(bare.memory + BARE_CODE, bytes, length);
	if ((!tally->endbr && length == 4 && !memcmp(bytes, endbr, sizeof(endbr))) ||
	    is_long_ret(bytes, length) || !step(&before)) {
		tally->beyond_host++;
		return;
	}
	expect_same_general(bytes, length, &before, &after.general, &bare.state.general);
	assert_memory_equal(expected, bare.memory + WINDOW, WINDOW_SIZE);
	tally->done++;
}

static void compare(unsigned bits)
{
	const char *seed = getenv("SEED");
	struct random_stream random = {seed ? strtoull(seed, NULL, 0) : 20240608};
	struct tally tally = {0};
	struct cpu_state start;

	open_kvm();
	load_mode(bits);
	start = bare.state;
	tally.endbr = steps_endbr(&start);
	for (unsigned i = 0; i < WINDOW_SIZE; i++)
		bare.memory[WINDOW + i] = (uint8_t)random_next(&random);
	for (unsigned i = 0; i < ROUNDS; i++)
		compare_one(&random, bits, &start, &tally);
	print_message("%u bits: %u the same, %u refused, %u that this KVM cannot execute\n", bits,
		      tally.done, tally.refused, tally.beyond_host);
	assert_true(tally.done > ROUNDS / 4);
	bare_close(&bare);
}

static void test_real_mode(void **state)
{
	(void)state;
	compare(16);
}

static void test_flat_32_bit_mode(void **state)
{
	(void)state;
	compare(32);
}

static void test_long_mode(void **state)
{
	(void)state;
	compare(64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_mode),
		cmocka_unit_test(test_flat_32_bit_mode),
		cmocka_unit_test(test_long_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
