// SPDX-License-Identifier: GPL-3.0-or-later
/* Corners of run control: what comes together that seldom does, made to come together. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "corner_rig.h"
#include "x86/exceptions.h"

#include <errno.h>

/* The dummy, but for what a test makes worse; vitrine takes the table from each vCPU. */
static struct accel_ops worse;

static void make_worse(struct rig *rig, unsigned vcpu)
{
	worse = accel_dummy;
	rig->machine->vcpus[vcpu].accel->ops = &worse;
}

/* ---- a pause at a breakpoint ------------------------------------------------------------- */

/* Paused so early that the breakpoint under the vCPU was not hit: it is hit when it goes on. */
static void test_pause_before_a_hit_loses_it_not(void **state)
{
	unsigned early = 0;
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, counting_loop, sizeof(counting_loop));
	rig_break(&rig, RIG_CODE + 1);
	for (unsigned i = 0; i < 1000; i++) {
		rig_set_reg(&rig, 0, "rip", RIG_CODE + 1);
		rig_set_reg(&rig, 0, "rax", 1000);
		rig_continue(&rig);
		debug_pause(rig.debug, OWNER_GDB);
		if (rig_wait_stop(&rig)->reason == STOP_PAUSE) {
			early++;
			rig_continue(&rig);
		}
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
		assert_int_equal(rig_reg(&rig, 0, "rax"), 1000);
		/* Away from where it was told. */
		rig_set_reg(&rig, 0, "rip", RIG_CODE + 2);
		rig_step(&rig, 0);
		rig_wait_stop(&rig);
	}
	assert_true(early > 0);
	rig_stop(&rig);
}

/* One that is set where the user sees the vCPU stand is for the next time round. */
static void test_breakpoint_set_at_the_pause_is_for_later(void **state)
{
	struct rig rig = {0};
	uint64_t rounds;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, counting_loop, sizeof(counting_loop));
	rig_step(&rig, 0);
	rig_wait_stop(&rig);
	rig_break(&rig, RIG_CODE + 1);
	rounds = rig_reg(&rig, 0, "rax");
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	assert_int_equal(rig_reg(&rig, 0, "rax"), rounds + 1);
	rig_stop(&rig);
}

/* ---- one byte, two addresses ------------------------------------------------------------- */

enum { DIRECTORY = 0x10000, TABLE = 0x11000, ALIAS = 0x5000 };

/* 32-bit paging, in which ALIAS is another name of RIG_CODE. The dummy itself knows no paging. */
static void map_alias(struct rig *rig)
{
	uint32_t entry = TABLE | 3;

	mem_write_phys(rig->machine->memory, DIRECTORY, &entry, sizeof(entry));
	for (uint32_t page = 0; page < 16; page++) {
		entry = (page == ALIAS >> 12 ? (uint32_t)RIG_CODE : page << 12) | 3;
		mem_write_phys(rig->machine->memory, TABLE + 4 * page, &entry, sizeof(entry));
	}
	rig_set_reg(rig, 0, "cr3", DIRECTORY);
	rig_set_reg(rig, 0, "cr0", CR0_PE | CR0_PG);
}

static void test_alias_of_a_breakpoint_is_hit_once_each_time(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, counting_loop, sizeof(counting_loop));
	map_alias(&rig);
	rig_break(&rig, ALIAS + 1);
	for (unsigned i = 1; i <= 20; i++) {
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 1);
		assert_int_equal(rig_reg(&rig, 0, "rax"), i);
	}
	assert_int_equal(debug_point_next(rig.debug, NULL)->hits, 20);
	rig_stop(&rig);
}

/* ---- two stops at once ------------------------------------------------------------------- */

/* Both vCPUs stop in their next instruction; the loop is repeated until they do so together. */
static bool both_stop(struct rig *rig, const struct plan *plans)
{
	corner_resume(rig, plans);
	rig_wait_stop(rig);
	return rig_reg(rig, 0, "rip") != RIG_CODE && rig_reg(rig, 1, "rip") != RIG_CODE + RIG_APART;
}

static void test_two_steps_onto_breakpoints_are_both_told(void **state)
{
	const struct plan step[2] = {{.action = PLAN_STEP}, {.action = PLAN_STEP}};
	struct rig rig = {0};
	int first;

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, corner_nops, sizeof(corner_nops));
	rig_code(&rig, 1, corner_nops, sizeof(corner_nops));
	rig_break(&rig, RIG_CODE + 1);
	rig_break(&rig, RIG_CODE + RIG_APART + 1);
	do {
		rig_set_reg(&rig, 0, "rip", RIG_CODE);
		rig_set_reg(&rig, 1, "rip", RIG_CODE + RIG_APART);
	} while (!both_stop(&rig, step));
	first = debug_last_stop(rig.debug)->vcpu;
	assert_true(debug_last_stop(rig.debug)->point > 0);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->vcpu, !first);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig.debug, !first), RIG_CODE + RIG_APART * (uint64_t)!first + 1);
	assert_int_not_equal(debug_last_stop(rig.debug)->point, 0);
	rig_stop(&rig);
}

/* The hit that waits to be told is no longer true when its vCPU was put elsewhere. */
static void test_pending_hit_of_a_moved_vcpu_is_dropped(void **state)
{
	const struct plan run[2] = {{.action = PLAN_RUN}, {.action = PLAN_RUN}};
	struct rig rig = {0};
	int other;

	(void)state;
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, corner_nops, sizeof(corner_nops));
	rig_code(&rig, 1, corner_nops, sizeof(corner_nops));
	rig_break(&rig, RIG_CODE + 1);
	rig_break(&rig, RIG_CODE + RIG_APART + 1);
	do {
		rig_set_reg(&rig, 0, "rip", RIG_CODE);
		rig_set_reg(&rig, 1, "rip", RIG_CODE + RIG_APART);
	} while (!both_stop(&rig, run));
	other = !debug_last_stop(rig.debug)->vcpu;
	rig_set_reg(&rig, other, "rip", RIG_CODE + RIG_APART * (uint64_t)other + 3);
	rig_continue(&rig);
	rig_wait_stop(&rig);
	assert_int_equal(debug_last_stop(rig.debug)->pc,
			 debug_pc(rig.debug, debug_last_stop(rig.debug)->vcpu));
	rig_stop(&rig);
}

/* A triple fault that waits behind another stop is told before it forbids to go on. */
static void test_pending_triple_fault_is_told(void **state)
{
	const struct vm_exit shutdown = {.reason = EXIT_SHUTDOWN, .name = "KVM_EXIT_SHUTDOWN"};
	unsigned told = 0;

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		struct rig rig = {0};
		struct error err;

		rig_start(&rig, 2, IRQCHIP_KERNEL);
		rig_code(&rig, 0, corner_spin, sizeof(corner_spin));
		rig_code(&rig, 1, corner_nops, sizeof(corner_nops));
		rig_break(&rig, RIG_CODE + RIG_APART + 3);
		dummy_play(rig.machine->vcpus[0].accel, &shutdown, 1);
		rig_continue(&rig);
		for (unsigned n = 0; rig_wait_stop(&rig)->reason != STOP_TRIPLE_FAULT; n++) {
			assert_true(n < 100000);
			rig_continue(&rig);
		}
		told++;
		assert_int_equal(debug_continue(rig.debug, OWNER_GDB, &err), -ENOTSUP);
		rig_stop(&rig);
	}
	assert_int_equal(told, 500);
}

/* ---- refused registers ------------------------------------------------------------------- */

static int refuse_system(struct accel_vcpu *vcpu, unsigned groups, const struct cpu_state *state)
{
	return groups & CPU_SYSTEM ? -EINVAL : accel_dummy.state_put(vcpu, groups, state);
}

/* What the processor refuses is as if it had never been tried, and nothing else is lost with it. */
static void test_refused_register_changes_nothing(void **state)
{
	struct rig rig = {0};
	struct vcpu *vcpu;
	uint64_t cr3 = 0x7000;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, corner_nops, sizeof(corner_nops));
	make_worse(&rig, 0);
	worse.state_put = refuse_system;
	vcpu = &rig.machine->vcpus[0];
	vcpu_state(vcpu, CPU_GENERAL)->general.gpr[GPR_RSI] = 5; /* not put yet */
	vcpu_dirty(vcpu, CPU_GENERAL);
	assert_int_equal(debug_reg_set(rig.debug, 0, (unsigned)register_find("cr3"), &cr3),
			 -EINVAL);
	assert_int_equal(rig_reg(&rig, 0, "cr3"), 0);
	assert_int_equal(rig_reg(&rig, 0, "rsi"), 5);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(rig_reg(&rig, 0, "cr3"), 0);
	assert_int_equal(rig_reg(&rig, 0, "rsi"), 5);
	rig_stop(&rig);
}

/* ---- huge values ------------------------------------------------------------------------- */

static void test_addresses_end_at_the_top(void **state)
{
	struct point_spec spec = {.kind = POINT_HARDWARE, .address = UINT64_MAX};
	struct point_spec watch = {
		.kind = POINT_WRITE, .address = UINT64_MAX, .length = UINT64_MAX};
	struct error err = {0};
	struct rig rig = {0};
	uint8_t buf[32];

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, corner_nops, sizeof(corner_nops));
	assert_int_equal(debug_read(rig.debug, 0, SPACE_PHYSICAL, UINT64_MAX - 3, buf, sizeof(buf)),
			 -EFAULT);
	assert_int_equal(debug_read(rig.debug, 0, SPACE_LINEAR, UINT64_MAX - 3, buf, sizeof(buf)),
			 -EFAULT);
	assert_int_equal(debug_read(rig.debug, 0, SPACE_PHYSICAL, RIG_RAM - 4, buf, sizeof(buf)),
			 4);
	assert_true(debug_point_add(rig.debug, &spec, OWNER_GDB, &err) > 0);
	assert_int_equal(debug_point_add(rig.debug, &watch, OWNER_GDB, &err), -ENOTSUP);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	rig_stop(&rig);
}

/* Four-level tables whose last page of all is mapped, and whose first is, too. */
static void map_top(struct rig *rig)
{
	static const struct {
		uint64_t table, index, entry;
	} entries[] = {
		{0x10000, 511, 0x11003}, {0x11000, 511, 0x12003}, {0x12000, 511, 0x13003},
		{0x13000, 511, 0x20003}, {0x10000, 0, 0x14003},	  {0x14000, 0, 0x15003},
		{0x15000, 0, 0x16003},	 {0x16000, 0, 0x21003},
	};
	struct vcpu *vcpu = &rig->machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_SYSTEM);

	for (unsigned i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		mem_write_phys(rig->machine->memory, entries[i].table + 8 * entries[i].index,
			       &entries[i].entry, 8);
	state->system.cr0 = CR0_PE | CR0_PG;
	state->system.cr3 = 0x10000;
	state->system.cr4 = CR4_PAE;
	state->system.efer = EFER_LME | EFER_LMA;
	vcpu_dirty(vcpu, CPU_SYSTEM);
}

static void test_linear_memory_does_not_go_round(void **state)
{
	struct rig rig = {0};
	uint8_t buf[32];

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	map_top(&rig);
	assert_int_equal(debug_read(rig.debug, 0, SPACE_LINEAR, 0, buf, 16), 16);
	assert_int_equal(debug_read(rig.debug, 0, SPACE_LINEAR, UINT64_MAX - 3, buf, sizeof(buf)),
			 4);
	rig_stop(&rig);
}

/* ---- going on from a breakpoint ----------------------------------------------------------- */

static unsigned runs(struct rig *rig, unsigned vcpu)
{
	return dummy_counts(rig->machine->vcpus[vcpu].accel)->runs;
}

/* The told instruction is executed by vitrine where it can, while everybody is parked in any case: one run from hit
 * to hit, and the other vCPU, which is far away, is let go once. An `out` it leaves to a step. */
static void test_a_told_breakpoint_is_left_without_a_step(void **state)
{
	/* loop: inc %eax; nop; out %al,$0x80; jmp loop */
	static const uint8_t code[] = {0x40, NOP, 0xe6, 0x80, 0xeb, 0xfa};
	static const struct plan both[2] = {{.action = PLAN_RUN}, {.action = PLAN_HOLD}};

	(void)state;
	for (unsigned by_step = 0; by_step < 2; by_step++) {
		uint64_t place = RIG_CODE + (by_step ? 2 : 1);
		struct rig rig = {0};
		int point;

		rig_start(&rig, 2, IRQCHIP_KERNEL);
		rig_code(&rig, 0, code, sizeof(code));
		rig_code(&rig, 1, corner_spin, sizeof(corner_spin));
		point = rig_break(&rig, place);
		corner_resume(&rig, both);
		assert_int_equal(rig_wait_stop(&rig)->point, point);
		for (unsigned i = 1; i <= 20; i++) {
			unsigned before = runs(&rig, 0);

			corner_resume(&rig, both);
			assert_int_equal(rig_wait_stop(&rig)->point, point);
			assert_int_equal(rig_reg(&rig, 0, "rax"), i + 1);
			assert_int_equal(rig_byte(&rig, place), by_step ? 0xe6 : NOP);
			/* One ends with the exit of the out; that is its step's, too. */
			assert_int_equal(runs(&rig, 0) - before, 2);
		}
		assert_int_equal(runs(&rig, 1), 0);
		rig_stop(&rig);
	}
}

/* Next to it is the next one: it is hit, with nothing in between. */
static void test_neighbouring_breakpoints(void **state)
{
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, corner_nops, sizeof(corner_nops));
	for (unsigned i = 0; i < 4; i++)
		rig_break(&rig, RIG_CODE + i);
	for (unsigned i = 1; i < 12; i++) { /* the one where it stands is for later */
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
		assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + i % 4);
	}
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pause_before_a_hit_loses_it_not),
		cmocka_unit_test(test_breakpoint_set_at_the_pause_is_for_later),
		cmocka_unit_test(test_alias_of_a_breakpoint_is_hit_once_each_time),
		cmocka_unit_test(test_two_steps_onto_breakpoints_are_both_told),
		cmocka_unit_test(test_pending_hit_of_a_moved_vcpu_is_dropped),
		cmocka_unit_test(test_pending_triple_fault_is_told),
		cmocka_unit_test(test_refused_register_changes_nothing),
		cmocka_unit_test(test_addresses_end_at_the_top),
		cmocka_unit_test(test_linear_memory_does_not_go_round),
		cmocka_unit_test(test_a_told_breakpoint_is_left_without_a_step),
		cmocka_unit_test(test_neighbouring_breakpoints),
	};

	return cmocka_run_group_tests_name("run control, corners", tests, NULL, NULL);
}
