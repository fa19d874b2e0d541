// SPDX-License-Identifier: GPL-3.0-or-later
/* What simulate_instruction() must refuse, and leave everything as it was. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "simulate_cases.h"

#include <string.h>

#define BYTES(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})

static uint8_t data[SIMULATE_DATA_SIZE];

static void expect_refusal(const char *what, const struct cpu_state *state, const uint8_t *bytes,
			   unsigned length)
{
	static uint8_t before[SIMULATE_DATA_SIZE];
	struct cpu_state after = *state;

	memcpy(before, data, sizeof(data));
	if (simulate_on(data, &after, bytes, length))
		fail_msg("%s: not refused", what);
	assert_memory_equal(&after, state, sizeof(after));
	assert_memory_equal(before, data, sizeof(data));
}

static const struct {
	const char *what;
	unsigned bits;
	uint8_t bytes[10];
	unsigned length;
} unknown[] = {
	{"hlt", 64, BYTES(0xf4)},
	{"int3", 64, BYTES(0xcc)},
	{"cli", 64, BYTES(0xfa)},
	{"sti", 64, BYTES(0xfb)},
	{"pushf", 64, BYTES(0x9c)},
	{"popf", 64, BYTES(0x9d)},
	{"iretq", 64, BYTES(0x48, 0xcf)},
	{"lret", 64, BYTES(0xcb)},
	{"syscall", 64, BYTES(0x0f, 0x05)},
	{"ud2", 64, BYTES(0x0f, 0x0b)},
	{"cpuid", 64, BYTES(0x0f, 0xa2)},
	{"in", 64, BYTES(0xe4, 0x60)},
	{"out", 64, BYTES(0xe6, 0x60)},
	{"movsb", 64, BYTES(0xa4)},
	{"mov %cr3,%rax", 64, BYTES(0x0f, 0x20, 0xd8)},
	{"mov %ax,%ss", 64, BYTES(0x8e, 0xd0)},
	{"mov %ds,%ax", 64, BYTES(0x8c, 0xd8)},
	{"pop %ss", 32, BYTES(0x17)},
	{"push %cs", 32, BYTES(0x0e)},
	{"xbegin", 64, BYTES(0xc7, 0xf8, 0, 0, 0, 0)},
	{"mul %cl", 64, BYTES(0xf6, 0xe1)},
	{"ljmp *(%rbx)", 64, BYTES(0xff, 0x2b)},
	{"lcall", 32, BYTES(0x9a, 0, 0, 0, 0, 8, 0)},
	{"movaps", 64, BYTES(0x0f, 0x28, 0xc1)},
	{"andn", 64, BYTES(0xc4, 0xe2, 0x70, 0xf2, 0xc2)},
	{"lock incl", 64, BYTES(0xf0, 0xff, 0x03)},
	{"xchg %eax,(%rbx)", 64, BYTES(0x87, 0x03)},
	{"xrelease mov", 64, BYTES(0xf3, 0xc6, 0x03, 1)},
	{"bswap %ax", 64, BYTES(0x66, 0x0f, 0xc8)},
	{"movsxd to 16 bits", 64, BYTES(0x66, 0x63, 0xc1)},
	{"arpl", 32, BYTES(0x63, 0xc1)},
	{"jmp with 66", 64, BYTES(0x66, 0xe9, 0, 0, 0, 0)},
	{"ret with 66", 64, BYTES(0x66, 0xc3)},
	{"pause with REX.B", 64, BYTES(0xf3, 0x41, 0x90)},
	{"REX before another prefix", 64, BYTES(0x48, 0x2e, 0x96)},
	{"half an instruction", 64, BYTES(0x48, 0x81, 0xec)},
	{"no bytes", 64, {0}, 0},
};

static void test_unknown_instructions(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		struct cpu_state cpu = simulate_cpu(unknown[i].bits);

		expect_refusal(unknown[i].what, &cpu, unknown[i].bytes, unknown[i].length);
	}
}

/* Each stands for something that would happen besides a nop. */
static const struct {
	const char *what;
	size_t offset; /* of a bool, or a byte, in struct cpu_events */
} events[] = {
	{"exception injected", offsetof(struct cpu_events, exception.injected)},
	{"exception pending", offsetof(struct cpu_events, exception.pending)},
	{"interrupt injected", offsetof(struct cpu_events, interrupt.injected)},
	{"interrupt shadow", offsetof(struct cpu_events, interrupt.shadow)},
	{"NMI injected", offsetof(struct cpu_events, nmi.injected)},
	{"NMI pending", offsetof(struct cpu_events, nmi.pending)},
	{"system management mode", offsetof(struct cpu_events, smi.smm)},
	{"SMI pending", offsetof(struct cpu_events, smi.pending)},
	{"triple fault", offsetof(struct cpu_events, triple_fault_pending)},
	{"halted", offsetof(struct cpu_events, run_state)},
};

static void test_more_going_on(void **unused)
{
	static const uint8_t nop[] = {0x90};
	struct cpu_state state = simulate_cpu(64);

	(void)unused;
	assert_true(simulate_on(data, &state, nop, 1));
	for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		state = simulate_cpu(64);
		*((uint8_t *)&state.events + events[i].offset) = 1;
		expect_refusal(events[i].what, &state, nop, 1);
	}
	state = simulate_cpu(64);
	state.general.rflags |= RFLAGS_TF;
	expect_refusal("trap flag", &state, nop, 1);
	state = simulate_cpu(64);
	state.system.cr4 |= CR4_CET;
	expect_refusal("shadow stacks", &state, nop, 1);
	state = simulate_cpu(32);
	state.general.rflags |= RFLAGS_VM;
	expect_refusal("virtual-8086 mode", &state, nop, 1);
}

static void test_addresses_that_fault(void **unused)
{
	static const uint8_t push[] = {0x55}, load[] = {0x8b, 0x03}, store[] = {0x89, 0x03};
	struct cpu_state state = simulate_cpu(64);

	(void)unused;
	state.general.gpr[GPR_RBX] = 0x7ffffffffffe;
	expect_refusal("half canonical", &state, load, 2);
	state = simulate_cpu(64);
	state.general.gpr[GPR_RSP] = SIMULATE_DATA;
	expect_refusal("push where nothing is", &state, push, 1);
	state.general.gpr[GPR_RBX] = SIMULATE_DATA + SIMULATE_DATA_SIZE - 3;
	expect_refusal("half a store", &state, store, 2);
	state = simulate_cpu(32);
	state.system.seg[SEG_DS].limit = SIMULATE_DATA + 2;
	expect_refusal("beyond the limit", &state, load, 2);
	state.system.seg[SEG_DS].limit = SIMULATE_DATA + 3;
	assert_true(simulate_on(data, &state, load, 2));
	state = simulate_cpu(32);
	state.system.seg[SEG_DS].type = 1;
	expect_refusal("store to a read-only segment", &state, store, 2);
	assert_true(simulate_on(data, &state, load, 2));
	state.system.seg[SEG_DS].type = 7;
	expect_refusal("segment that expands down", &state, load, 2);
	state.system.seg[SEG_DS].type = 9;
	expect_refusal("code that may not be read", &state, load, 2);
	state = simulate_cpu(32);
	state.system.seg[SEG_DS].unusable = 1;
	expect_refusal("no segment", &state, load, 2);
	state = simulate_cpu(16);
	state.general.gpr[GPR_RSP] = 1;
	expect_refusal("push across the end of a 16-bit stack", &state, push, 1);
}

static void test_code_that_ends(void **unused)
{
	static const uint8_t nop[] = {0x90}, jump[] = {0xe9, 0, 0, 0, 0x10}, go[] = {0xff, 0xe0};
	struct cpu_state state = simulate_cpu(32);

	(void)unused;
	state.system.seg[SEG_CS].limit = 0x10000000;
	expect_refusal("jump beyond the limit", &state, jump, 5);
	state.general.rip = state.system.seg[SEG_CS].limit;
	expect_refusal("nop at the limit", &state, nop, 1);
	state = simulate_cpu(16);
	state.general.rip = 0xffff;
	expect_refusal("nop at the end of 64 KiB", &state, nop, 1);
	state = simulate_cpu(64);
	state.general.gpr[GPR_RAX] = 1ull << 47;
	expect_refusal("jump to an impossible address", &state, go, 2);
	state.general.gpr[GPR_RAX] = ~0ull << 47;
	assert_true(simulate_on(data, &state, go, 2));
}

/* CR0.AM, EFLAGS.AC and ring 3 together; any two of them do not matter. */
static void test_alignment_check(void **unused)
{
	static const uint8_t load[] = {0x8b, 0x43, 0x01}; /* mov 1(%rbx),%eax */
	struct cpu_state state = simulate_cpu(64);

	(void)unused;
	state.system.cr0 |= 1 << 18;
	state.general.rflags |= 1 << 18;
	assert_true(simulate_on(data, &state, load, 3));
	state.system.seg[SEG_SS].dpl = 3;
	state.general.rip = SIMULATE_CODE;
	expect_refusal("misaligned", &state, load, 3);
	state.system.cr0 &= ~(1ull << 18);
	assert_true(simulate_on(data, &state, load, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_instructions), cmocka_unit_test(test_more_going_on),
		cmocka_unit_test(test_addresses_that_fault), cmocka_unit_test(test_code_that_ends),
		cmocka_unit_test(test_alignment_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
