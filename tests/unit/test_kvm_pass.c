// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Breakpoints that have nothing to tell: vCPUs get past them one by one, and nothing that they do there is
 * different from what the guest would have done without them. On the host's own KVM.
 * time limit: 180 s
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <stdlib.h>
#include <string.h>

static struct rig rig;

static void start(unsigned vcpus)
{
	rig_needs_kvm();
	rig = (struct rig){.accel = &accel_kvm};
	rig_start(&rig, vcpus, IRQCHIP_KERNEL);
}

static int stop(void **state)
{
	(void)state;
	if (rig.machine)
		rig_stop(&rig);
	rig = (struct rig){0};
	return 0;
}

/* A breakpoint whose condition is 0. */
static int break_never(uint64_t address)
{
	struct program_builder builder = {0};
	struct program *never;
	int number = rig_break(&rig, address);

	program_append(&builder, PROGRAM_CONST, 0);
	program_append(&builder, PROGRAM_END, 0);
	assert_int_equal(program_finish(&builder, "0", &never, NULL), 0);
	assert_int_equal(debug_point_condition(rig.debug, number, never, NULL), 0);
	return number;
}

static void put(uint64_t gpa, const void *bytes, size_t size)
{
	assert_int_equal(mem_write_phys(rig.machine->memory, gpa, bytes, size), size);
}

/* ---- four vCPUs, one breakpoint ---------------------------------------------------------- */

#define VCPUS 4
#define PUSH  (RIG_CODE + 1)
#define END   (RIG_CODE + 7)

static const uint8_t counting[] = {
	0x40,	    /* 1: inc %eax */
	0x55,	    /* push %ebp: the breakpoint's place */
	0x5d,	    /* pop %ebp */
	0x39, 0xc8, /* cmp %ecx,%eax */
	0x75, 0xf9, /* jne 1b */
	0xeb, 0xfe, /* jmp . */
};

static unsigned rounds(void)
{
	return rig_rounds(500000, 2500);
}

/* Each is held once it has come to the end. */
static void run_to_end(unsigned vcpus)
{
	struct plan plans[VCPUS];

	rig_break(&rig, END);
	for (unsigned i = 0; i < vcpus; i++)
		plans[i] = (struct plan){.action = PLAN_RUN};
	for (unsigned i = 0; i < vcpus; i++) {
		const struct stop *why;

		assert_int_equal(debug_resume(rig.debug, plans, OWNER_CONSOLE, NULL), 0);
		do
			rig_wait(&rig);
		while (debug_running(rig.debug));
		why = debug_last_stop(rig.debug);
		assert_int_equal(why->reason, STOP_BREAKPOINT);
		assert_int_equal(why->pc, END);
		plans[why->vcpu].action = PLAN_HOLD;
	}
}

static void test_many_at_once_miss_nothing(void **state)
{
	int number;

	(void)state;
	start(VCPUS);
	rig_code(&rig, 0, counting, sizeof(counting));
	for (int i = 0; i < VCPUS; i++) {
		rig_set_reg(&rig, i, "rip", RIG_CODE);
		rig_set_reg(&rig, i, "rsp", 0x8000 + 0x1000 * (unsigned)i);
		rig_set_reg(&rig, i, "rbp", 0x1234 + (unsigned)i);
		rig_set_reg(&rig, i, "rcx", rounds());
	}
	number = break_never(PUSH);
	run_to_end(VCPUS);
	for (int i = 0; i < VCPUS; i++) {
		assert_int_equal(rig_reg(&rig, i, "rax"), rounds());
		assert_int_equal(rig_reg(&rig, i, "rbp"), 0x1234 + i);
		assert_int_equal(rig_reg(&rig, i, "rsp"), 0x8000 + 0x1000 * i);
	}
	assert_int_equal(rig_point(&rig, number)->hits, 0);
	assert_int_equal(rig_point(&rig, number)->evaluations, VCPUS * rounds());
}

static uint64_t interruptions_of(int vcpu)
{
	struct trace_share share;

	assert_true(debug_trace_share(rig.debug, vcpu, EXIT_INTR, &share));
	return share.exits;
}

/* Nobody else stops for it, unlike for an instruction that must be stepped. */
static uint64_t kicks_of_the_other(uint8_t instruction)
{
	const uint8_t code[] = {0x40, instruction, 0x39, 0xc8, 0x75, 0xfa, 0x90, 0xeb, 0xfe};
	const uint8_t busy[] = {0xeb, 0xfe};
	struct plan plans[2] = {{.action = PLAN_RUN}, {.action = PLAN_RUN}};
	uint64_t before;

	rig_code(&rig, 0, code, sizeof(code));
	rig_code(&rig, 1, busy, sizeof(busy));
	rig_set_reg(&rig, 0, "rip", RIG_CODE);
	rig_set_reg(&rig, 0, "rax", 0);
	rig_set_reg(&rig, 0, "rcx", 2000);
	rig_set_reg(&rig, 0, "rsp", 0x40000);
	before = interruptions_of(1);
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_CONSOLE, NULL), 0);
	assert_int_equal(rig_wait_stop(&rig)->pc, END);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 2000);
	return interruptions_of(1) - before;
}

static void test_nobody_else_stops(void **state)
{
	int number;

	(void)state;
	start(2);
	number = break_never(RIG_CODE + 1);
	rig_break(&rig, END);
	assert_true(kicks_of_the_other(0x90) <= 2); /* nop */
	assert_int_equal(rig_point(&rig, number)->evaluations, 2000);
	assert_true(kicks_of_the_other(0x9c) > 10); /* pushf */
	assert_int_equal(rig_point(&rig, number)->evaluations, 4000);
}

/* ---- int3 is never seen ------------------------------------------------------------------ */

static void run_one_to(uint64_t end)
{
	rig_break(&rig, end);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->pc, end);
}

/* More of them lie in the bytes of one instruction, and in what it reads and writes. */
static void test_instructions_with_int3_in_them(void **state)
{
	static const uint8_t code[] = {
		0x90,				 /* nop: where one is shown to stand is no news */
		0xb8, 0x78, 0x56, 0x34, 0x12,	 /* mov $0x12345678,%eax */
		0x8b, 0x1d, 0x00, 0x18, 0,    0, /* mov 0x1800,%ebx */
		0xff, 0x05, 0x03, 0x18, 0,    0, /* incl 0x1803 */
		0x90,				 /* nop */
	};
	static const uint8_t words[] = {1, 2, 3, 4, 5, 6, 7, 8};
	uint8_t after[8];

	(void)state;
	start(1);
	if (debug_capabilities(rig.debug)->int3[CAP_PROT] == INT3_LOST) {
		print_message("# SKIP needs int3\n");
		skip();
	}
	rig_code(&rig, 0, code, sizeof(code));
	put(0x1800, words, sizeof(words));
	for (unsigned i = 0; i < 17; i++)
		break_never(RIG_CODE + 1 + i);
	break_never(0x1801);
	break_never(0x1804);
	run_one_to(RIG_CODE + 18);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 0x12345678);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 0x04030201);
	assert_int_equal(mem_read_phys(rig.machine->memory, 0x1800, after, 8), 8);
	assert_memory_equal(after, ((uint8_t[]){1, 2, 3, 5, 5, 6, 7, 8}), 8);
}

/* A jump to itself under a breakpoint goes on for ever, and can be stopped. */
static void test_jump_to_itself(void **state)
{
	static const uint8_t code[] = {0xeb, 0xfe};
	int number;

	(void)state;
	start(1);
	rig_code(&rig, 0, code, sizeof(code));
	number = break_never(RIG_CODE);
	rig_continue(&rig);
	do
		assert_int_equal(debug_running(rig.debug), true);
	while (rig_point(&rig, number)->evaluations < 1000);
	debug_pause(rig.debug, OWNER_CONSOLE);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE);
}

/* A byte pattern of ours in the middle of a page that devices own is not touched by vitrine. */
static void test_device_memory_is_left_to_the_guest(void **state)
{
	static const uint8_t code[] = {
		0x90,			      /* nop */
		0xa1, 0x00, 0x00, 0x00, 0xe0, /* mov 0xe0000000,%eax: nothing answers */
		0x90,			      /* nop */
	};
	int number;

	(void)state;
	start(1);
	rig_code(&rig, 0, code, sizeof(code));
	number = break_never(RIG_CODE + 1);
	run_one_to(RIG_CODE + 6);
	assert_int_equal(rig_reg(&rig, 0, "rax"), 0xffffffff);
	assert_int_equal(rig_point(&rig, number)->evaluations, 1);
	assert_int_equal(debug_unclaimed(rig.debug).mmio, 1);
}

/* Who watches what an instruction writes hears of it, whoever executes it. */
static void test_watches_are_told(void **state)
{
	static const uint8_t code[] = {
		0x90,			      /* nop */
		0xff, 0x05, 0x00, 0x18, 0, 0, /* incl 0x1800 */
		0x90,			      /* nop */
	};
	const struct point_spec spec = {.kind = POINT_WRITE, .address = 0x1800, .length = 4};
	struct error err = {0};
	int never, watch;

	(void)state;
	start(1);
	rig_code(&rig, 0, code, sizeof(code));
	never = break_never(RIG_CODE + 1);
	watch = debug_point_add(rig.debug, &spec, OWNER_CONSOLE, &err);
	if (watch < 0)
		fail_msg("%s", err.text);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_WATCH_WRITE);
	assert_int_equal(debug_last_stop(rig.debug)->point, watch);
	assert_int_equal(rig_byte(&rig, 0x1800), 1);
	assert_int_equal(rig_point(&rig, never)->evaluations, 1);
}

/* ---- page tables ------------------------------------------------------------------------- */

#define PML4  0x10000ull
#define PDPT  0x11000ull
#define PD    0x12000ull
#define PT    0x13000ull
#define PAGES 0x20000ull
#define SEEN  0x40000ull /* linear; what is there changes */
#define ENTRY (PT + 8 * (SEEN >> 12))

static void put64(uint64_t gpa, uint64_t value)
{
	put(gpa, &value, sizeof(value));
}

/* The first 2 MiB are where they are, by 4 KiB pages. */
static void enter_long_mode(void)
{
	struct vcpu *vcpu = &rig.machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	put64(PML4, PDPT | 0x63);
	put64(PDPT, PD | 0x63);
	put64(PD, PT | 0x63);
	for (uint64_t i = 0; i < 512; i++)
		put64(PT + 8 * i, i << 12 | 0x63);
	state->system.seg[SEG_CS].l = 1;
	state->system.seg[SEG_CS].db = 0;
	state->system.cr3 = PML4;
	state->system.cr4 |= CR4_PAE;
	state->system.cr0 |= CR0_PG | CR0_WP;
	state->system.efer = EFER_LME | EFER_LMA;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

/* KVM may keep a copy of what the tables say, and learn of changes by watching the guest change them. */
static void test_changes_of_page_tables_are_seen(void **state)
{
	static const uint8_t code[] = {
		0x90,				    /* nop */
		0x48, 0x89, 0x17,		    /* 1: mov %rdx,(%rdi): the breakpoint's place */
		0x0f, 0x01, 0x3e,		    /* invlpg (%rsi) */
		0x03, 0x1e,			    /* add (%rsi),%ebx */
		0x48, 0x81, 0xf2, 0x00, 0x10, 0, 0, /* xor $0x1000,%rdx */
		0xff, 0xc9,			    /* dec %ecx */
		0x75, 0xed,			    /* jne 1b */
		0x90,				    /* nop */
	};
	int number;

	(void)state;
	start(1);
	rig_code(&rig, 0, code, sizeof(code));
	enter_long_mode();
	put64(PAGES, 1);
	put64(PAGES + 0x1000, 1000);
	put64(ENTRY, PAGES | 0x63);
	rig_set_reg(&rig, 0, "rdi", ENTRY);
	rig_set_reg(&rig, 0, "rsi", SEEN);
	rig_set_reg(&rig, 0, "rdx", (PAGES + 0x1000) | 0x63);
	rig_set_reg(&rig, 0, "rbx", 0);
	rig_set_reg(&rig, 0, "rcx", 10);
	rig_set_reg(&rig, 0, "rsp", 0x8000);
	number = break_never(RIG_CODE + 1);
	run_one_to(RIG_CODE + sizeof(code) - 1);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 5005);
	assert_int_equal(rig_point(&rig, number)->evaluations, 10);
}

/* The processor marks a page that it writes for the first time; so does whoever writes in its place. */
static void test_first_write_marks_the_page(void **state)
{
	static const uint8_t code[] = {0x90, 0x55, 0x90}; /* nop; push %rbp; nop */
	uint64_t entry = PT + 8 * 8, value;

	(void)state;
	start(1);
	rig_code(&rig, 0, code, sizeof(code));
	enter_long_mode();
	put64(entry, 0x8000 | 0x03);
	rig_set_reg(&rig, 0, "rsp", 0x8800);
	break_never(RIG_CODE + 1);
	run_one_to(RIG_CODE + 2);
	assert_int_equal(rig_reg(&rig, 0, "rsp"), 0x87f8);
	mem_read_phys(rig.machine->memory, entry, &value, sizeof(value));
	assert_int_equal(value, 0x8000 | 0x63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_many_at_once_miss_nothing, stop),
		cmocka_unit_test_teardown(test_nobody_else_stops, stop),
		cmocka_unit_test_teardown(test_instructions_with_int3_in_them, stop),
		cmocka_unit_test_teardown(test_jump_to_itself, stop),
		cmocka_unit_test_teardown(test_device_memory_is_left_to_the_guest, stop),
		cmocka_unit_test_teardown(test_watches_are_told, stop),
		cmocka_unit_test_teardown(test_changes_of_page_tables_are_seen, stop),
		cmocka_unit_test_teardown(test_first_write_marks_the_page, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
