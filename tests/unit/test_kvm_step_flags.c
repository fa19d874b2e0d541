// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Whose trap flag? On the host's own KVM: a guest that looks at its flags while it is stepped never sees the
 * debugger's, and one that sets the flag itself finds it at work.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "step_place.h"

#include "x86/debug_registers.h"
#include "x86/exceptions.h"
#include "x86/mode.h"

#include <string.h>

#define DB_HANDLER (HANDLERS + 16 * VECTOR_DB)
#define LSTAR	   0x4800u
#define USER	   0x4c00u /* physical; for ring 3 at OPEN + USER */
#define FLAGS	   (~(uint64_t)RFLAGS_RF)

static uint64_t reg(struct place *p, const char *name)
{
	return rig_reg(&p->rig, 0, name);
}

static uint64_t on_stack(struct place *p, unsigned word)
{
	return place_get(p, reg(p, "rsp") + word * word_size[p->mode], word_size[p->mode]);
}

/* ---- ours -------------------------------------------------------------------------------- */

/* pushf; pop %ax; mov ss; pushf: whatever the step covers, the guest's flags are what it set. */
static void test_pushed_flags_are_the_guests(void **state)
{
	static const uint8_t code[] = {0x9c, 0x58, 0x8c, 0xd0, 0x8e, 0xd0, 0x9c, NOP};

	(void)state;
	rig_needs_kvm();
	for (enum mode mode = REAL; mode < MODES; mode++) {
		struct place p;

		place_start(&p, mode, NULL);
		place_code(&p, code, sizeof(code));
		place_step(&p, "pushf", RIG_CODE + 1);
		assert_int_equal(on_stack(&p, 0), RFLAGS_FIXED);
		place_step(&p, "pop", RIG_CODE + 2);
		assert_int_equal(reg(&p, "rax") & 0xffff, RFLAGS_FIXED);
		place_step(&p, "mov from ss", RIG_CODE + 4);
		rig_step(&p.rig, 0);
		assert_int_equal(rig_wait_stop(&p.rig)->reason, STOP_STEP);
		if (debug_pc(p.rig.debug, 0) == RIG_CODE + 6) /* else it covered both */
			place_step(&p, "pushf behind mov ss", RIG_CODE + 7);
		assert_int_equal(debug_pc(p.rig.debug, 0), RIG_CODE + 7);
		assert_int_equal(on_stack(&p, 0), RFLAGS_FIXED);
		place_stop(&p);
	}
}

/* A range steps many; each pushf is looked after. */
static void test_pushed_flags_in_a_range(void **state)
{
	/* mov $50, %ecx; xor %ebx, %ebx; 1: pushf; pop %rax; or %eax, %ebx; dec %ecx; jnz 1b; nop */
	static const uint8_t code[] = {0xb9, 50,   0,	 0,    0,    0x31, 0xdb, 0x9c,
				       0x58, 0x09, 0xc3, 0xff, 0xc9, 0x75, 0xf8, NOP};
	const struct plan plan = {
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + sizeof(code) - 1};
	struct error err = {0};
	struct place p;

	(void)state;
	rig_needs_kvm();
	place_start(&p, LONG, NULL);
	place_code(&p, code, sizeof(code));
	assert_int_equal(debug_resume(p.rig.debug, &plan, OWNER_GDB, &err), 0);
	assert_int_equal(rig_wait_stop(&p.rig)->reason, STOP_STEP);
	assert_int_equal(debug_pc(p.rig.debug, 0), RIG_CODE + sizeof(code) - 1);
	assert_int_equal(reg(&p, "rcx"), 0);
	assert_int_equal(reg(&p, "rbx") & RFLAGS_TF, 0);
	place_stop(&p);
}

/* Flags change on the way; the handler's frame has them as they are, without ours. */
static void test_fault_in_a_range(void **state)
{
	/* nop; stc; mov %al, (%rdi), or (%bx) in real mode; nop; ud2 */
	static const uint8_t code[] = {NOP, 0xf9, 0x88, 0x07, NOP, 0x0f, 0x0b};
	const struct plan plan = {
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + sizeof(code)};

	(void)state;
	rig_needs_kvm();
	for (enum mode mode = REAL; mode < MODES; mode++) {
		struct error err = {0};
		struct place p;

		place_start(&p, mode, NULL);
		place_code(&p, code, sizeof(code));
		rig_set_reg(&p.rig, 0, "rdi", 0x7000);
		rig_set_reg(&p.rig, 0, "rbx", 0x7000);
		assert_int_equal(debug_resume(p.rig.debug, &plan, OWNER_GDB, &err), 0);
		assert_int_equal(rig_wait_stop(&p.rig)->reason, STOP_STEP);
		assert_int_equal(debug_pc(p.rig.debug, 0), HANDLERS + 16 * VECTOR_UD);
		assert_int_equal(on_stack(&p, 0), RIG_CODE + 5);
		assert_int_equal(on_stack(&p, 2) & FLAGS, RFLAGS_FIXED | RFLAGS_CF);
		assert_int_equal(place_get(&p, 0x7000, 1), 0xf8);
		place_stop(&p);
	}
}

static void set_msrs(struct place *p, uint64_t fmask)
{
	struct vcpu *vcpu = &p->rig.machine->vcpus[0];
	struct cpu_state *s = vcpu_state(vcpu, CPU_MSRS);

	s->msrs.value[MSR_SLOT_LSTAR] = LSTAR;
	s->msrs.value[MSR_SLOT_STAR] = (uint64_t)(USER_DATA - 8) << 48 | (uint64_t)CODE_SEL << 32;
	s->msrs.value[MSR_SLOT_FMASK] = fmask;
	vcpu_dirty(vcpu, CPU_MSRS);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

/* From ring 0, where this host executes it too; FMASK with and without TF. */
static void test_syscall_saves_the_guests_flags(void **state)
{
	static const uint8_t code[] = {0x0f, 0x05};
	static const char *const rungs[] = {NULL, "step=slots"};

	(void)state;
	rig_needs_kvm();
	for (unsigned i = 0; i < 4; i++) {
		struct place p;

		place_start(&p, LONG, rungs[i & 1]);
		place_put(&p, LSTAR, (uint8_t[]){NOP, NOP}, 2);
		place_code(&p, code, sizeof(code));
		set_msrs(&p, i & 2 ? RFLAGS_TF | RFLAGS_IF : 0);
		if (place_step(&p, "syscall", LSTAR)) {
			assert_int_equal(reg(&p, "r11") & FLAGS, RFLAGS_FIXED);
			assert_int_equal(reg(&p, "rcx"), RIG_CODE + 2);
			assert_int_equal(reg(&p, "rflags") & FLAGS, RFLAGS_FIXED);
			place_step(&p, "behind syscall", LSTAR + 1);
		}
		place_stop(&p);
	}
}

/* ---- the guest's ------------------------------------------------------------------------- */

static void expect_guests_trap(struct place *p, uint64_t from)
{
	assert_int_equal(on_stack(p, 0), from);
	assert_int_equal(on_stack(p, 2) & FLAGS, RFLAGS_FIXED | RFLAGS_TF);
	assert_int_equal(reg(p, "rflags") & RFLAGS_TF, 0);
	assert_true(debug_state(p->rig.debug, 0, CPU_DEBUG)->debug.dr6 & DR6_BS);
}

/* With the guest's own flag set a step ends in the guest's handler, and the guest finds what it expects. */
static void test_guest_steps_itself(void **state)
{
	static const uint8_t code[] = {NOP, 0x9c, NOP};

	(void)state;
	rig_needs_kvm();
	for (enum mode mode = REAL; mode < MODES; mode++) {
		struct place p;

		place_start(&p, mode, NULL);
		place_code(&p, code, sizeof(code));
		rig_set_reg(&p.rig, 0, "rflags", RFLAGS_FIXED | RFLAGS_TF);
		place_step(&p, "nop, TF set", DB_HANDLER);
		expect_guests_trap(&p, RIG_CODE + 1);
		place_step(&p, "its handler", DB_HANDLER + 1);
		/* pushf shows the guest's own flag. */
		rig_set_reg(&p.rig, 0, "rip", RIG_CODE + 1);
		rig_set_reg(&p.rig, 0, "rsp", STACK);
		rig_set_reg(&p.rig, 0, "rflags", RFLAGS_FIXED | RFLAGS_TF);
		place_step(&p, "pushf, TF set", DB_HANDLER);
		expect_guests_trap(&p, RIG_CODE + 2);
		assert_int_equal(place_get(&p, STACK - word_size[mode], word_size[mode]),
				 RFLAGS_FIXED | RFLAGS_TF);
		place_stop(&p);
	}
}

/* A flag that popf or iret loads is there for the next instruction, stepped or not. */
static void load_trap_flag(struct place *p, const char *what, const uint8_t *code, size_t size,
			   bool run)
{
	size_t word = word_size[p->mode];
	bool iret = size > 1 || code[0] == 0xcf;
	uint64_t frame[5] = {RIG_CODE + size, p->mode == REAL ? 0 : CODE_SEL,
			     RFLAGS_FIXED | RFLAGS_TF, STACK, DATA_SEL};

	place_code(p, code, size);
	for (unsigned i = 0; i < 5; i++)
		place_put(p, STACK + i * word, &frame[iret ? i : 2], word);
	if (!place_step(p, what, RIG_CODE + size))
		return;
	assert_int_equal(reg(p, "rflags") & FLAGS, RFLAGS_FIXED | RFLAGS_TF);
	if (run) {
		int number = rig_break(&p->rig, DB_HANDLER);

		rig_continue(&p->rig);
		assert_int_equal(rig_wait_stop(&p->rig)->reason, STOP_BREAKPOINT);
		assert_int_equal(debug_point_remove(p->rig.debug, number, NULL), 0);
		assert_int_equal(debug_pc(p->rig.debug, 0), DB_HANDLER);
	} else {
		place_step(p, "the next", DB_HANDLER);
	}
	assert_int_equal(on_stack(p, 0), RIG_CODE + size + 1);
	assert_int_equal(on_stack(p, 2) & FLAGS, RFLAGS_FIXED | RFLAGS_TF);
}

static void test_loaded_trap_flag_stays(void **state)
{
	static const uint8_t popf = 0x9d, iret = 0xcf, iretq[] = {0x48, 0xcf};

	(void)state;
	rig_needs_kvm();
	for (enum mode mode = REAL; mode < MODES; mode++)
		for (unsigned run = 0; run < 2; run++) {
			struct place p;

			place_start(&p, mode, NULL);
			load_trap_flag(&p, "popf", &popf, 1, run);
			if (mode == REAL)
				load_trap_flag(&p, "iret", &iret, 1, run);
			if (mode == LONG)
				load_trap_flag(&p, "iretq", iretq, 2, run);
			place_stop(&p);
		}
}

/* popf that clears the guest's own flag: the trap of popf itself is the last. */
static void test_cleared_trap_flag_is_gone(void **state)
{
	static const uint8_t code[] = {0x9d, NOP, NOP};
	struct place p;

	(void)state;
	rig_needs_kvm();
	place_start(&p, LONG, NULL);
	place_code(&p, code, sizeof(code));
	place_put64(&p, STACK, RFLAGS_FIXED);
	rig_set_reg(&p.rig, 0, "rflags", RFLAGS_FIXED | RFLAGS_TF);
	place_step(&p, "popf", DB_HANDLER);
	assert_int_equal(on_stack(&p, 0), RIG_CODE + 1);
	assert_int_equal(on_stack(&p, 2) & FLAGS, RFLAGS_FIXED);
	place_stop(&p);
}

/* ---- to ring 3 --------------------------------------------------------------------------- */

static void expect_ring_3(struct place *p, uint64_t rsp)
{
	struct vcpu_info info;

	assert_int_equal(debug_vcpu_info(p->rig.debug, 0, &info), 0);
	assert_int_equal(info.cpl, 3);
	assert_int_equal(reg(p, "cs"), USER_CODE);
	assert_int_equal(reg(p, "ss"), USER_DATA);
	assert_int_equal(reg(p, "rsp"), rsp);
	assert_int_equal(reg(p, "rflags") & FLAGS, RFLAGS_FIXED | RFLAGS_IF);
}

/* What runs in ring 3 then writes a mark and enters the kernel. */
static void expect_to_run_on(struct place *p)
{
	rig_break(&p->rig, HANDLERS + 16 * VECTOR_UD);
	rig_continue(&p->rig);
	assert_int_equal(rig_wait_stop(&p->rig)->reason, STOP_BREAKPOINT);
	assert_int_equal(place_get(p, 0x7000, 1), 0x55);
	assert_int_equal(on_stack(p, 0), OPEN + USER + 8);
	assert_int_equal(on_stack(p, 1), USER_CODE);
	assert_int_equal(on_stack(p, 2) & FLAGS, RFLAGS_FIXED | RFLAGS_IF);
}

/* The step ends at the first instruction there, on every host; nothing leaks into what runs there. */
static void test_steps_to_ring_3(void **state)
{
	static const uint8_t iretq[] = {0x48, 0xcf}, sysretq[] = {0x48, 0x0f, 0x07};
	static const uint8_t user[] = {0xc6, 0x04, 0x25, 0, 0x70, 0x20, 0, 0x55, 0x0f, 0x0b};
	const uint64_t frame[5] = {OPEN + USER, USER_CODE, RFLAGS_FIXED | RFLAGS_IF, OPEN + 0x7400,
				   USER_DATA};

	(void)state;
	rig_needs_kvm();
	for (unsigned i = 0; i < 2; i++) {
		struct place p;

		place_start(&p, LONG, NULL);
		place_put(&p, USER, user, sizeof(user));
		place_put(&p, STACK, frame, sizeof(frame));
		place_code(&p, i ? sysretq : iretq, i ? 3 : 2);
		set_msrs(&p, 0);
		rig_set_reg(&p.rig, 0, "rcx", OPEN + USER);
		rig_set_reg(&p.rig, 0, "r11", RFLAGS_FIXED | RFLAGS_IF);
		place_step(&p, i ? "sysretq" : "iretq", OPEN + USER);
		expect_ring_3(&p, i ? STACK : OPEN + 0x7400);
		expect_to_run_on(&p);
		place_stop(&p);
	}
}

/* A frame that is no good raises #GP, as it would without a debugger. */
static void test_bad_return_faults(void **state)
{
	static const uint8_t iretq[] = {0x48, 0xcf};
	const uint64_t frame[5] = {USER, DATA_SEL | 3, RFLAGS_FIXED, 0x7400, USER_DATA};
	struct place p;

	(void)state;
	rig_needs_kvm();
	place_start(&p, LONG, NULL);
	place_put(&p, STACK, frame, sizeof(frame));
	place_code(&p, iretq, sizeof(iretq));
	place_step(&p, "iretq to data", HANDLERS + 16 * VECTOR_GP);
	assert_int_equal(on_stack(&p, 0), DATA_SEL);
	assert_int_equal(on_stack(&p, 1), RIG_CODE);
	assert_int_equal(on_stack(&p, 3) & RFLAGS_TF, 0);
	place_stop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pushed_flags_are_the_guests),
		cmocka_unit_test(test_pushed_flags_in_a_range),
		cmocka_unit_test(test_fault_in_a_range),
		cmocka_unit_test(test_syscall_saves_the_guests_flags),
		cmocka_unit_test(test_guest_steps_itself),
		cmocka_unit_test(test_loaded_trap_flag_stays),
		cmocka_unit_test(test_cleared_trap_flag_is_gone),
		cmocka_unit_test(test_steps_to_ring_3),
		cmocka_unit_test(test_bad_return_faults),
	};

	return cmocka_run_group_tests_name("trap flags, on KVM", tests, NULL, NULL);
}
