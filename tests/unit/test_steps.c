// SPDX-License-Identifier: GPL-3.0-or-later
/* Steps on the dummy accelerator, where every rung can be played: test_kvm_steps.c has those that take a
 * real CPU. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <string.h>

#define NOP 0x90

/* ---- what cannot be executed ------------------------------------------------------------- */

static const struct {
	uint8_t code[8];
	const char *says[2];
} failures[] = {
	{{0x0f, 0x58, 0xc1}, {"'addps %xmm1, %xmm0'", "-mgeneral-regs-only"}},
	{{0xcd, 0x21}, {"'int $0x21'", "call its handler itself"}},
	{{0xff, 0xff}, {"(ff ff", "no instruction"}},
	{{0x0f, 0xc7, 0x0f}, {"'cmpxchg8b (%edi)' here (bytes 0f c7 0f)", "a host with VT-x"}},
};

/* The instruction, its bytes, and what to do about it. */
static void test_emulation_failures_are_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		const struct stop *stop;
		struct rig rig = {0};

		rig_start(&rig, 1, IRQCHIP_KERNEL);
		rig_code(&rig, 0, failures[i].code, sizeof(failures[i].code));
		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->reason, STOP_EMULATION_FAILURE);
		assert_int_equal(stop->pc, RIG_CODE);
		for (unsigned n = 0; n < 2; n++)
			if (!strstr(stop->text, failures[i].says[n]))
				fail_msg("'%s' does not say '%s'", stop->text, failures[i].says[n]);
		assert_true(strlen(stop->text) < sizeof(stop->text) - 1);
		rig_stop(&rig);
	}
}

/* ---- the trap flag ----------------------------------------------------------------------- */

#define STACK 0x8000

static uint32_t word_at(struct rig *rig, uint64_t address)
{
	uint32_t word = 0;

	assert_int_equal(debug_read(rig->debug, 0, SPACE_PHYSICAL, address, &word, sizeof(word)),
			 sizeof(word));
	return word;
}

/* The processor pushes what it has; what the guest finds is its own. */
static void test_pushf_shows_no_step(void **state)
{
	static const uint8_t code[] = {0x9c, NOP, 0x9c, NOP};
	const struct plan plan = {.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 3};
	struct rig rig = {0};
	uint64_t flags;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	rig_set_reg(&rig, 0, "rsp", STACK);
	flags = rig_reg(&rig, 0, "rflags");
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->pc, RIG_CODE + 1);
	assert_int_equal(word_at(&rig, STACK - 4), flags);
	rig_set_reg(&rig, 0, "rip", RIG_CODE);
	assert_int_equal(debug_resume(rig.debug, &plan, OWNER_GDB, NULL), 0);
	assert_int_equal(rig_wait_stop(&rig)->pc, RIG_CODE + 3);
	assert_int_equal(word_at(&rig, STACK - 8), flags);
	assert_int_equal(word_at(&rig, STACK - 12), flags);
	rig_stop(&rig);
}

/* ---- one behind the other ---------------------------------------------------------------- */

static void step_on(struct rig *rig)
{
	uint64_t pc = debug_pc(rig->debug, 0);

	rig_step(rig, 0);
	assert_int_equal(rig_wait_stop(rig)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig->debug, 0), pc + 1);
}

/* Each is armed, whatever has disarmed the accelerator meanwhile. */
static void test_steps_in_a_row_are_armed(void **state)
{
	static const uint8_t code[] = {NOP, NOP, NOP, NOP, NOP, NOP, NOP, NOP};
	const struct dummy_counts *counts;
	struct rig rig = {0};
	unsigned sets;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	counts = dummy_counts(rig.machine->vcpus[0].accel);
	step_on(&rig);
	sets = counts->debug_sets;
	step_on(&rig);
	step_on(&rig);
	assert_int_equal(counts->debug_sets, sets + 2);
	rig_set_reg(&rig, 0, "rax", 1);
	step_on(&rig);
	assert_int_equal(counts->debug_sets, sets + 3);
	rig_break(&rig, debug_pc(rig.debug, 0) + 2);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	step_on(&rig);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 7);
	rig_stop(&rig);
}

static bool guards_its_own(const struct rig *rig)
{
	const struct accel_debug *debug = &rig->machine->vcpus[0].debug;

	return debug->slots && debug->dr[0] == 0x2000;
}

/* As if the guest's own mov had done it. */
static void guest_sets_dr7(struct rig *rig, uint64_t value)
{
	struct accel_vcpu *accel = rig->machine->vcpus[0].accel;
	struct cpu_state state = {0};

	assert_int_equal(accel->ops->state_get(accel, CPU_DEBUG, &state), 0);
	state.debug.dr7 = value;
	assert_int_equal(accel->ops->state_put(accel, CPU_DEBUG, &state), 0);
	rig->machine->vcpus[0].valid &= ~(unsigned)CPU_DEBUG;
}

/* The guest's own stay in force while it is stepped, whoever has changed them since the last step. */
static void test_step_knows_the_guests_debug_registers(void **state)
{
	static const uint8_t code[] = {NOP, NOP, NOP, NOP, NOP, NOP, NOP, NOP};
	const uint64_t on = 2, off = 0x400;
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	rig_set_reg(&rig, 0, "dr0", 0x2000);
	step_on(&rig);
	assert_false(guards_its_own(&rig));
	assert_int_equal(debug_snapshot_save(rig.debug, "off", NULL), 0);
	rig_set_reg(&rig, 0, "dr7", on);
	step_on(&rig);
	assert_true(guards_its_own(&rig));
	step_on(&rig);
	assert_true(guards_its_own(&rig));
	assert_int_equal(debug_snapshot_restore(rig.debug, "off", OWNER_CONSOLE, NULL), 0);
	step_on(&rig);
	assert_false(guards_its_own(&rig));
	rig_break(&rig, debug_pc(rig.debug, 0) + 2);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	guest_sets_dr7(&rig, on);
	step_on(&rig);
	assert_true(guards_its_own(&rig));
	rig_set_reg(&rig, 0, "dr7", off);
	step_on(&rig);
	assert_false(guards_its_own(&rig));
	rig_stop(&rig);
}

/* ---- without KVM's step ------------------------------------------------------------------ */

/* RF is honoured or not; what no step of KVM's carries is carried by debug registers. */
static void steps_by_slots(bool ignore_rf)
{
	static const uint8_t code[] = {NOP, 0x40, 0xeb, 0x02, NOP, NOP, 0xe4, 0x60, 0xeb, 0xfe};
	static const uint64_t at[] = {1, 2, 6, 8, 8, 8};
	struct rig rig = {.dummy = {.no_step = true, .ignore_rf = ignore_rf}};

	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	rig_set_reg(&rig, 0, "rax", 1);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		rig_step(&rig, 0);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + at[i]);
	}
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->injected_db, 0);
	rig_stop(&rig);
}

static void test_steps_by_slots(void **state)
{
	(void)state;
	steps_by_slots(false);
	steps_by_slots(true);
}

/* Off a breakpoint likewise, and every passage is a hit. */
static void test_breakpoint_is_stepped_off_by_slots(void **state)
{
	static const uint8_t loop[] = {0x43, NOP, 0xeb, 0xfc};
	struct rig rig = {.dummy = {.no_step = true, .ignore_rf = true}};

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, loop, sizeof(loop));
	rig_code(&rig, 1, loop, sizeof(loop));
	rig_break(&rig, RIG_CODE);
	rig_set_reg(&rig, 0, "rbx", 0);
	for (unsigned i = 0; i < 100; i++) {
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE);
		assert_int_equal(rig_reg(&rig, 0, "rbx"), i + 1);
	}
	rig_stop(&rig);
}

/* A range that comes to where nothing carries ends there, and says why. */
static void test_range_ends_where_no_step_is_possible(void **state)
{
	static const uint8_t code[] = {NOP, NOP, 0xff, 0x25, 0, 0, 0, 0x70}; /* jmp *0x70000000 */
	const struct plan plan = {.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + 8};
	struct rig rig = {.dummy = {.no_step = true}};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	assert_int_equal(debug_resume(rig.debug, &plan, OWNER_GDB, NULL), 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 2);
	assert_non_null(strstr(debug_last_stop(rig.debug)->text, "cannot tell where"));
	rig_stop(&rig);
}

/* What each of three strategies does where KVM can step and debug registers work. */
static void test_strategy_forces_the_rung(void **state)
{
	static const uint8_t code[] = {0x9c, NOP};
	static const char *const forced[] = {"step=slots", "step=tf"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct rig rig = {.dummy = {.no_step = i == 1}};
		struct error err = {0};

		assert_int_equal(debug_strategy_parse(forced[i], &rig.config.strategy, &err), 0);
		rig_start(&rig, 1, IRQCHIP_KERNEL);
		rig_code(&rig, 0, code, sizeof(code));
		rig_set_reg(&rig, 0, "rsp", STACK);
		if (i == 0) {
			rig_step(&rig, 0);
			assert_int_equal(rig_wait_stop(&rig)->pc, RIG_CODE + 1);
			assert_false(rig.machine->vcpus[0].debug.step);
		} else {
			assert_int_equal(debug_step(rig.debug, 0, OWNER_CONSOLE, &err), -ENOTSUP);
		}
		rig_stop(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emulation_failures_are_explained),
		cmocka_unit_test(test_pushf_shows_no_step),
		cmocka_unit_test(test_steps_in_a_row_are_armed),
		cmocka_unit_test(test_step_knows_the_guests_debug_registers),
		cmocka_unit_test(test_steps_by_slots),
		cmocka_unit_test(test_breakpoint_is_stepped_off_by_slots),
		cmocka_unit_test(test_range_ends_where_no_step_is_possible),
		cmocka_unit_test(test_strategy_forces_the_rung),
	};

	return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
