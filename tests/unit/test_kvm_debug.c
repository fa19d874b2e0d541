// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The debugger core on the host's own KVM: small code of the test's, and whole guests. Skipped where
 * there is no KVM.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "guest.h"

#include "x86/exceptions.h"
#include "x86/mode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOP 0x90
#define HLT 0xf4

struct step_case {
	const char *what;
	uint8_t code[8];
	unsigned length;
};

static const struct step_case step_cases[] = {
	{"nop", {NOP}, 1},
	{"in", {0xe4, 0x60}, 2},
	{"out", {0xe6, 0x80}, 2},
	{"in dx", {0xed}, 1},
	{"MMIO write", {0xa3, 0x00, 0x00, 0x00, 0xe0}, 5},
	{"MMIO read", {0xa1, 0x00, 0x00, 0x00, 0xe0}, 5},
	{"MMIO write across pages", {0xa3, 0xfe, 0x0f, 0x00, 0xe0}, 5},
	{"add to MMIO", {0x01, 0x05, 0x00, 0x00, 0x00, 0xe0}, 6},
	{"cpuid", {0x0f, 0xa2}, 2},
	{"rdtsc", {0x0f, 0x31}, 2},
	{"endbr32", {0xf3, 0x0f, 0x1e, 0xfb}, 4},
};

#define STEP_CASES (sizeof(step_cases) / sizeof(step_cases[0]))

static void put_case(struct rig *rig, const struct step_case *c)
{
	uint8_t code[16];

	memset(code, NOP, sizeof(code));
	memcpy(code, c->code, c->length);
	rig_code(rig, 0, code, sizeof(code));
	rig_set_reg(rig, 0, "rip", RIG_CODE);
	rig_set_reg(rig, 0, "rdx", 0x80);
}

static void expect_pc(struct rig *rig, const struct step_case *c, enum stop_reason reason,
		      uint64_t pc)
{
	const struct stop *stop = rig_wait_stop(rig);

	if (stop->reason != reason || debug_pc(rig->debug, 0) != pc)
		fail_msg("%s: '%s' at 0x%llx, not 0x%llx", c->what, stop->text,
			 (unsigned long long)debug_pc(rig->debug, 0), (unsigned long long)pc);
}

/* One instruction, whatever exits it makes; never two, never none. */
static void steps_of_all_kinds(enum irqchip irqchip)
{
	struct rig rig = {.accel = &accel_kvm};

	rig_start(&rig, 1, irqchip);
	for (unsigned i = 0; i < STEP_CASES; i++) {
		const struct step_case *c = &step_cases[i];

		put_case(&rig, c);
		for (unsigned n = 0; n < 3; n++) {
			rig_step(&rig, 0);
			expect_pc(&rig, c, STOP_STEP, RIG_CODE + c->length + n);
		}
	}
	rig_stop(&rig);
}

static void test_step_over_everything(void **state)
{
	(void)state;
	rig_needs_kvm();
	steps_of_all_kinds(IRQCHIP_KERNEL);
	steps_of_all_kinds(IRQCHIP_USER);
}

/* Continuing from a breakpoint on such an instruction runs it once, and comes to the next. */
static void test_breakpoints_on_everything(void **state)
{
	struct rig rig = {.accel = &accel_kvm};
	struct error err;

	(void)state;
	rig_needs_kvm();
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	for (unsigned i = 0; i < STEP_CASES; i++) {
		const struct step_case *c = &step_cases[i];
		int first, second;

		put_case(&rig, c);
		first = rig_break(&rig, RIG_CODE);
		second = rig_break(&rig, RIG_CODE + c->length);
		rig_set_reg(&rig, 0, "rip", RIG_CODE + 12);
		rig_step(&rig, 0);
		rig_wait_stop(&rig);
		rig_set_reg(&rig, 0, "rip", RIG_CODE);
		rig_continue(&rig);
		expect_pc(&rig, c, STOP_BREAKPOINT, RIG_CODE);
		rig_continue(&rig);
		expect_pc(&rig, c, STOP_BREAKPOINT, RIG_CODE + c->length);
		assert_int_equal(debug_point_remove(rig.debug, first, &err), 0);
		assert_int_equal(debug_point_remove(rig.debug, second, &err), 0);
	}
	rig_stop(&rig);
}

/* Behind the hlt the vCPU sleeps, unless this KVM forgets a hlt that is stepped over. A sleeper stays
 * asleep when a register is written, and its next step waits until a pause ends it. */
static void step_over_hlt(enum irqchip irqchip)
{
	static const struct step_case c = {"hlt", {HLT}, 1};
	struct rig rig = {.accel = &accel_kvm};
	enum cpu_run_state before;
	struct vcpu_info info;

	rig_start(&rig, 1, irqchip);
	put_case(&rig, &c);
	rig_step(&rig, 0);
	expect_pc(&rig, &c, STOP_STEP, RIG_CODE + 1);
	assert_int_equal(debug_vcpu_info(rig.debug, 0, &info), 0);
	before = info.run_state;
	rig_set_reg(&rig, 0, "rbx", 5);
	assert_int_equal(debug_vcpu_info(rig.debug, 0, &info), 0);
	assert_int_equal(info.run_state, before);
	rig_step(&rig, 0);
	rig_pause(&rig);
	if (before == CPU_HALTED)
		expect_pc(&rig, &c, STOP_PAUSE, RIG_CODE + 1);
	rig_stop(&rig);
}

static void test_step_over_hlt(void **state)
{
	(void)state;
	rig_needs_kvm();
	step_over_hlt(IRQCHIP_KERNEL);
	step_over_hlt(IRQCHIP_USER);
}

/* mov %imm32 to a register of the local APIC: enable it, INIT to all others, startup IPI to 2000h. */
static const uint8_t start_others[] = {
	0xc7, 0x05, 0xf0, 0x00, 0xe0, 0xfe, 0xff, 0x01, 0x00, 0x00, /* spurious vector */
	0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x00, 0x45, 0x0c, 0x00, /* command: INIT */
	0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x02, 0x46, 0x0c, 0x00, /* command: startup */
};

/* The second vCPU is held, and was last seen by the accelerator waiting; its start shows at once. */
static void test_start_of_a_held_vcpu_shows(void **state)
{
	static const uint8_t spin[] = {0xeb, 0xfe};
	struct rig rig = {.accel = &accel_kvm, .as_at_reset = true};
	struct error err = {0};

	(void)state;
	rig_needs_kvm();
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_make_flat(&rig, 0);
	rig_code(&rig, 0, spin, sizeof(spin));
	rig_break(&rig, RIG_CODE + 0x80);
	rig_continue(&rig);
	rig_pause(&rig);
	assert_int_equal(debug_step(rig.debug, 1, OWNER_CONSOLE, &err), -ENOTSUP);
	rig_continue(&rig);
	rig_pause(&rig);
	rig_code(&rig, 0, start_others, sizeof(start_others));
	for (unsigned i = 0; i < 3; i++) {
		rig_step(&rig, 0);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	}
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + sizeof(start_others));
	assert_int_equal(rig_reg(&rig, 1, "cs"), 0x200);
	assert_int_equal(rig_reg(&rig, 1, "rip"), 0);
	rig_stop(&rig);
}

/* An exception that KVM holds ready outlives the writing of a register. */
static void test_register_write_keeps_a_pending_exception(void **state)
{
	static const uint8_t spin[] = {0xeb, 0xfe};
	const uint16_t handler[2] = {0x2000, 0};
	const struct accel_debug inject = {.inject = VECTOR_DB};
	struct rig rig = {.accel = &accel_kvm, .as_at_reset = true};
	struct cpu_state *s;
	struct vcpu *vcpu;

	(void)state;
	rig_needs_kvm();
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	vcpu = &rig.machine->vcpus[0];
	s = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	for (int i = 0; i < 6; i++)
		cpu_segment_real(&s->system.seg[i], 0);
	s->system.idt = (struct cpu_table){.limit = 0x3ff};
	s->general.rip = RIG_CODE;
	s->general.gpr[GPR_RSP] = 0x800;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM);
	assert_int_equal(vcpu_flush(vcpu), 0);
	mem_write_phys(rig.machine->memory, 4 * VECTOR_DB, handler, sizeof(handler));
	mem_write_phys(rig.machine->memory, 0x2000, spin, sizeof(spin));
	rig_code(&rig, 0, spin, sizeof(spin));
	assert_int_equal(vcpu->accel->ops->debug_set(vcpu->accel, &inject), 0);
	vcpu->valid &= ~(unsigned)CPU_EVENTS;
	rig_set_reg(&rig, 0, "rbx", 5);
	rig_step(&rig, 0);
	rig_wait_stop(&rig);
	assert_int_equal(debug_pc(rig.debug, 0), 0x2000);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 5);
	rig_stop(&rig);
}

static void test_step_range(void **state)
{
	/* mov $100, %ecx; 1: inc %eax; in $0x60, %al; dec %ecx; jnz 1b; nop; jmp . */
	static const uint8_t code[] = {0xb9, 100,  0,	 0,    0,    0x43, 0xe4,
				       0x60, 0x49, 0x75, 0xfa, 0x90, 0xeb, 0xfe};
	struct plan plan = {.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 11};
	struct rig rig = {.accel = &accel_kvm};
	struct error err = {0};

	(void)state;
	rig_needs_kvm();
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	if (debug_resume(rig.debug, &plan, OWNER_GDB, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 11);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 100);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step_over_everything),
		cmocka_unit_test(test_breakpoints_on_everything),
		cmocka_unit_test(test_step_over_hlt),
		cmocka_unit_test(test_start_of_a_held_vcpu_shows),
		cmocka_unit_test(test_register_write_keeps_a_pending_exception),
		cmocka_unit_test(test_step_range),
	};

	return cmocka_run_group_tests_name("debugger core on KVM", tests, NULL, NULL);
}
