// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * One instruction of every kind, stepped by each rung in three modes on the host's own KVM: never two, never
 * none, and the guest's debug registers are its own.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "step_place.h"

#include "x86/exceptions.h"
#include "x86/mode.h"

#include <errno.h>
#include <string.h>

static const char *const rungs[] = {"step=tf", "step=slots"};

enum { IN_REAL = 1 << REAL, IN_PROT = 1 << PROT, IN_LONG = 1 << LONG, IN_ALL = 7 };

struct kind {
	const char *what;
	uint8_t code[10], length;
	unsigned modes;
	int to; /* where it leads, from its start; or BEHIND */
};
#define BEHIND (-1000)

/* RAX is fff8, RCX 0, RDI 0x7000, RBX RIG_CODE + 0x40; on the stack lies RIG_CODE + 0x40, then CODE_SEL (real mode:
 * 0), then flags. */
static const struct kind kinds[] = {
	{"nop", {NOP}, 1, IN_ALL, BEHIND},
	{"jmp", {0xeb, 0x10}, 2, IN_ALL, 0x12},
	{"jmp to itself", {0xeb, 0xfe}, 2, IN_ALL, 0},
	{"near jmp back", {0xe9, 0xf0, 0xff, 0xff, 0xff}, 5, IN_PROT | IN_LONG, -11},
	{"jz, not taken", {0x74, 0x10}, 2, IN_ALL, BEHIND},
	{"jnz, taken", {0x75, 0x10}, 2, IN_ALL, 0x12},
	{"jcxz, taken", {0xe3, 0x10}, 2, IN_ALL, 0x12},
	{"loop to itself", {0xe2, 0xfe}, 2, IN_ALL, 0},
	{"call", {0xe8, 0x20, 0, 0, 0}, 5, IN_PROT | IN_LONG, 0x25},
	{"ret", {0xc3}, 1, IN_ALL, 0x40},
	{"jmp to a register", {0xff, 0xe3}, 2, IN_ALL, 0x40},
	{"call a register", {0xff, 0xd3}, 2, IN_ALL, 0x40},
	{"far ret", {0xcb}, 1, IN_REAL, 0x40},
	{"iret", {0xcf}, 1, IN_REAL, 0x40},
	{"iretq", {0x48, 0xcf}, 2, IN_LONG, 0x40},
	{"push", {0x50}, 1, IN_ALL, BEHIND},
	{"pop", {0x58}, 1, IN_ALL, BEHIND},
	{"stosb", {0xaa}, 1, IN_ALL, BEHIND},
	{"in", {0xe4, 0x60}, 2, IN_ALL, BEHIND},
	{"out", {0xe6, 0x80}, 2, IN_ALL, BEHIND},
	{"MMIO write", {0xa3, 0, 0, 0, 0xe0}, 5, IN_PROT, BEHIND},
	{"MMIO read", {0xa1, 0, 0, 0, 0xe0}, 5, IN_PROT, BEHIND},
	{"cpuid", {0x0f, 0xa2}, 2, IN_ALL, BEHIND},
	{"pushf", {0x9c}, 1, IN_ALL, BEHIND},
	{"sti", {0xfb}, 1, IN_ALL, BEHIND},
	{"cli", {0xfa}, 1, IN_ALL, BEHIND},
	{"hlt", {0xf4}, 1, IN_ALL, BEHIND},
	{"mov cr0", {0x0f, 0x20, 0xc0}, 3, IN_ALL, BEHIND},
	{"rdtsc", {0x0f, 0x31}, 2, IN_ALL, BEHIND},
	{"int $0x21", {0xcd, 0x21}, 2, IN_REAL, HANDLERS + 16 * 0x21 - RIG_CODE},
	{"ud2", {0x0f, 0x0b}, 2, IN_ALL, HANDLERS + 16 * VECTOR_UD - RIG_CODE},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void put_kind(struct place *p, const struct kind *k)
{
	size_t size = word_size[p->mode];
	uint64_t frame[5] = {RIG_CODE + 0x40, p->mode == REAL ? 0 : CODE_SEL, RFLAGS_FIXED, STACK,
			     DATA_SEL};

	place_code(p, k->code, k->length);
	for (unsigned i = 0; i < 5; i++)
		place_put(p, STACK + i * size, &frame[i], size);
	place_put(p, RIG_CODE + 0x40, &(uint8_t){NOP}, 1);
	rig_set_reg(&p->rig, 0, "rdi", 0x7000);
	rig_set_reg(&p->rig, 0, "rbx", RIG_CODE + 0x40);
}

static void wake(struct place *p)
{
	struct cpu_state *s = vcpu_state(&p->rig.machine->vcpus[0], CPU_EVENTS);

	s->events.run_state = CPU_RUNNABLE;
	s->events.interrupt.shadow = 0;
	vcpu_dirty(&p->rig.machine->vcpus[0], CPU_EVENTS);
}

static void step_kind(struct place *p, const struct kind *k)
{
	uint64_t pc = RIG_CODE + (uint64_t)(int64_t)(k->to == BEHIND ? k->length : k->to);

	put_kind(p, k);
	wake(p);
	place_step(p, k->what, pc);
}

static void test_every_kind_by_every_rung(void **state)
{
	(void)state;
	rig_needs_kvm();
	for (size_t r = 0; r < sizeof(rungs) / sizeof(rungs[0]); r++)
		for (enum mode mode = REAL; mode < MODES; mode++) {
			struct place p;

			print_message("%s, %s\n", rungs[r], mode_names[mode]);
			place_start(&p, mode, rungs[r]);
			for (size_t i = 0; i < KINDS; i++)
				if (kinds[i].modes >> mode & 1)
					step_kind(&p, &kinds[i]);
			place_stop(&p);
		}
}

/* By debug registers all of a rep is one step; by the trap flag it may be one turn. */
static void test_rep_is_one_step_by_slots(void **state)
{
	static const uint8_t code[] = {0xf3, 0xaa};

	(void)state;
	rig_needs_kvm();
	for (enum mode mode = REAL; mode < MODES; mode++) {
		struct place p;

		place_start(&p, mode, "step=slots");
		place_code(&p, code, sizeof(code));
		rig_set_reg(&p.rig, 0, "rcx", 50);
		rig_set_reg(&p.rig, 0, "rdi", 0x7000);
		assert_true(place_step(&p, "rep stosb", RIG_CODE + 2));
		assert_int_equal(rig_reg(&p.rig, 0, "rcx"), 0);
		assert_int_equal(place_get(&p, 0x7000 + 49, 1), 0xf8);
		assert_int_equal(place_get(&p, 0x7000 + 50, 1), 0);
		place_stop(&p);
	}
}

/* loop on itself counts, step by step, until it falls through. */
static void test_loop_on_itself(void **state)
{
	static const uint8_t code[] = {0xe2, 0xfe};

	(void)state;
	rig_needs_kvm();
	for (size_t r = 0; r < sizeof(rungs) / sizeof(rungs[0]); r++) {
		struct place p;

		place_start(&p, LONG, rungs[r]);
		place_code(&p, code, sizeof(code));
		rig_set_reg(&p.rig, 0, "rcx", 3);
		for (unsigned left = 2; left > 0; left--) {
			place_step(&p, "loop", RIG_CODE);
			assert_int_equal(rig_reg(&p.rig, 0, "rcx"), left);
		}
		place_step(&p, "loop", RIG_CODE + 2);
		assert_int_equal(rig_reg(&p.rig, 0, "rcx"), 0);
		place_stop(&p);
	}
}

/* What leads to itself in another way takes RF, or is refused before anything runs. */
static void test_ret_to_itself(void **state)
{
	static const uint8_t code[] = {0xc3};
	struct error err = {0};
	struct place p;
	int rc;

	(void)state;
	rig_needs_kvm();
	place_start(&p, LONG, "step=slots");
	place_code(&p, code, sizeof(code));
	place_put64(&p, STACK, RIG_CODE);
	rc = debug_step(p.rig.debug, 0, OWNER_CONSOLE, &err);
	if (debug_capabilities(p.rig.debug)->slot_ignores_rf) {
		assert_int_equal(rc, -ENOTSUP);
		assert_non_null(strstr(err.text, "'ret' leads to itself"));
	} else {
		assert_int_equal(rc, 0);
		assert_int_equal(rig_wait_stop(&p.rig)->reason, STOP_STEP);
		assert_int_equal(rig_reg(&p.rig, 0, "rsp"), STACK + 8);
	}
	assert_int_equal(debug_pc(p.rig.debug, 0), RIG_CODE);
	place_stop(&p);
}

/* Where nothing can tell where it leads, that is said. */
static void test_unknown_target_is_refused(void **state)
{
	static const uint8_t code[] = {0xff, 0x24, 0x25, 0, 0, 0, 0x70}; /* jmp *0x70000000 */
	struct error err = {0};
	struct place p;

	(void)state;
	rig_needs_kvm();
	place_start(&p, LONG, "step=slots");
	place_code(&p, code, sizeof(code));
	assert_int_equal(debug_step(p.rig.debug, 0, OWNER_CONSOLE, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "'jmp *0x70000000'"));
	assert_non_null(strstr(err.text, "cannot be read"));
	place_stop(&p);
}

/* A range, stepped without a word until it is left; each of its instructions goes elsewhere. */
static void test_range_by_slots(void **state)
{
	/* mov $20, %ecx; 1: inc %ebx; call 2f; dec %ecx; jnz 1b; nop; nop; 2: ret */
	static const uint8_t code[] = {0xb9, 20, 0,    0,    0,	   0xff, 0xc3, 0xe8, 6,	  0,
				       0,    0,	 0xff, 0xc9, 0x75, 0xf5, NOP,  NOP,  0xc3};
	struct plan plan = {
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + sizeof(code)};
	struct error err = {0};

	(void)state;
	rig_needs_kvm();
	plan.high = RIG_CODE + 17;
	for (size_t r = 0; r < sizeof(rungs) / sizeof(rungs[0]); r++) {
		struct place p;
		unsigned calls = 0;

		place_start(&p, LONG, rungs[r]);
		place_code(&p, code, sizeof(code));
		rig_set_reg(&p.rig, 0, "rbx", 0);
		for (;;) {
			assert_int_equal(debug_resume(p.rig.debug, &plan, OWNER_GDB, &err), 0);
			assert_int_equal(rig_wait_stop(&p.rig)->reason, STOP_STEP);
			if (debug_pc(p.rig.debug, 0) != RIG_CODE + 18)
				break;
			calls++;
			place_step(&p, "ret", RIG_CODE + 12);
		}
		assert_int_equal(debug_pc(p.rig.debug, 0), RIG_CODE + 17);
		assert_int_equal(calls, 20);
		assert_int_equal(rig_reg(&p.rig, 0, "rbx"), 20);
		place_stop(&p);
	}
}

/* ---- the guest's own debug registers ----------------------------------------------------- */

static void set_guests_registers(struct place *p, const struct cpu_debug *debug)
{
	struct vcpu *vcpu = &p->rig.machine->vcpus[0];
	struct cpu_state *s = vcpu_state(vcpu, CPU_DEBUG);

	s->debug = *debug;
	vcpu_dirty(vcpu, CPU_DEBUG);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

static void test_guests_registers_stay(void **state)
{
	static const uint8_t code[] = {NOP, 0xeb, 0x04};
	const struct cpu_debug own = {.dr = {0x1111, 0x2222, 0x3333, RIG_CODE + 8},
				      .dr6 = 0xffff0ff0,
				      .dr7 = 0x400 | 3 << 6 | 3};

	(void)state;
	rig_needs_kvm();
	for (size_t r = 0; r < sizeof(rungs) / sizeof(rungs[0]); r++) {
		const struct cpu_state *s;
		struct place p;

		place_start(&p, LONG, rungs[r]);
		place_code(&p, code, sizeof(code));
		set_guests_registers(&p, &own);
		place_step(&p, "nop", RIG_CODE + 1);
		place_step(&p, "jmp", RIG_CODE + 7);
		s = debug_state(p.rig.debug, 0, CPU_DEBUG);
		assert_memory_equal(s->debug.dr, own.dr, sizeof(own.dr));
		assert_int_equal(s->debug.dr7, own.dr7);
		/* Its own breakpoint at the next place is the guest's: its handler is entered. */
		place_step(&p, "onto the guest's own breakpoint", RIG_CODE + 8);
		place_step(&p, "the guest's own breakpoint", HANDLERS + 16 * VECTOR_DB);
		s = debug_state(p.rig.debug, 0, CPU_DEBUG);
		assert_int_equal(s->debug.dr6 & 0xf, 8);
		assert_int_equal(place_get(&p, rig_reg(&p.rig, 0, "rsp"), 8), RIG_CODE + 8);
		place_stop(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_by_every_rung),
		cmocka_unit_test(test_rep_is_one_step_by_slots),
		cmocka_unit_test(test_loop_on_itself),
		cmocka_unit_test(test_ret_to_itself),
		cmocka_unit_test(test_unknown_target_is_refused),
		cmocka_unit_test(test_range_by_slots),
		cmocka_unit_test(test_guests_registers_stay),
	};

	return cmocka_run_group_tests_name("rungs of a step, on KVM", tests, NULL, NULL);
}
