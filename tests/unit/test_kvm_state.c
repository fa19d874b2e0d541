// SPDX-License-Identifier: GPL-3.0-or-later
/* A vCPU's registers under KVM, there and back; MSRs that vitrine answers. */
#include "accel/kvm_private.h"
#include "bare_vm.h"
#include "kvm_case.h"
#include "x86/debug_registers.h"
#include "x86/exceptions.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

/* ---- MSRs that vitrine answers (KVM_CAP_X86_USER_SPACE_MSR) ----------------------------- */

#define NOBODYS_MSR 0x123456

static void open_with_msr_exits(struct bare_vm *bare)
{
	struct kvm_enable_cap enable = {.cap = KVM_CAP_X86_USER_SPACE_MSR,
					.args = {KVM_MSR_EXIT_REASON_UNKNOWN}};

	open_kvm(bare, NULL);
	if (ioctl(to_kvm_vm(bare->vm)->fd, KVM_ENABLE_CAP, &enable) == 0)
		return;
	print_message("no KVM_CAP_X86_USER_SPACE_MSR in this KVM\n");
	bare_close(bare);
	skip();
}

static void answers_msrs(void **unused)
{
	const struct vm_exit *exit;
	struct bare_vm bare;

	(void)unused;
	open_with_msr_exits(&bare);
	BARE_LOAD(&bare, BARE_LONG, 0x0f, 0x32, 0x0f, 0x30, 0xf4); /* rdmsr; wrmsr; hlt */
	bare.state.general.gpr[GPR_RCX] = NOBODYS_MSR;
	bare_put_general(&bare);
	exit = bare_expect(&bare, EXIT_RDMSR);
	assert_int_equal(exit->msr.index, NOBODYS_MSR);
	*exit->msr.value = 0x1122334455667788;
	exit = bare_expect(&bare, EXIT_WRMSR);
	assert_int_equal(exit->msr.index, NOBODYS_MSR);
	assert_true(*exit->msr.value == 0x1122334455667788);
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(kvm_reg(&bare, GPR_RAX), 0x55667788);
	assert_int_equal(kvm_reg(&bare, GPR_RDX), 0x11223344);
	bare_close(&bare);
}

static void refuses_msrs(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_with_msr_exits(&bare);
	BARE_LOAD(&bare, BARE_LONG, 0x0f, 0x32, 0xf4);
	bare.state.general.gpr[GPR_RCX] = NOBODYS_MSR;
	bare_put_general(&bare);
	*bare_expect(&bare, EXIT_RDMSR)->msr.fault = true;
	bare_expect_out(&bare, 0xe9, 1, VECTOR_GP);
	bare_close(&bare);
}

/* ---- state ------------------------------------------------------------------------------ */

static void fill_registers(struct cpu_state *state)
{
	for (int i = 0; i < GPR_COUNT; i++)
		state->general.gpr[i] = 0x0101010101010101ull * (unsigned)(i + 1);
	state->general.rip = 0x123456789;
	state->general.rflags = RFLAGS_FIXED | RFLAGS_CF | RFLAGS_IF;
	state->system.cr2 = 0x7777000;
	state->system.seg[SEG_GS].base = 0x123450000;
	for (int i = 0; i < 4; i++)
		state->debug.dr[i] = 0x1000u * (unsigned)(i + 1);
	state->debug.dr7 = 0x455;
	state->msrs.value[MSR_SLOT_LSTAR] = 0x1122334400;
	state->msrs.value[MSR_SLOT_KERNEL_GS_BASE] = 0x5566778800;
	for (int i = 0; i < 256; i++)
		state->fpu.xsave[160 + i] = (uint8_t)(i ^ 0x5a); /* xmm0-15 */
	state->fpu.xsave[512] |= 3;				 /* XSTATE_BV: x87 and SSE */
}

static void state_round_trip(void **unused)
{
	struct cpu_state before, after;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, &with_controllers);
	BARE_LOAD(&bare, BARE_LONG, 0xf4);
	bare_get(&bare, CPU_ALL);
	before = bare.state;
	fill_registers(&before);
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_ALL, &before), 0);
	memset(&after, 0, sizeof(after));
	assert_int_equal(bare.ops->state_get(bare.vcpu, CPU_ALL, &after), 0);
	assert_memory_equal(&after.general, &before.general, sizeof(after.general));
	for (int i = 0; i < SEG_COUNT; i++) {
		assert_int_equal(after.system.seg[i].base, before.system.seg[i].base);
		assert_int_equal(after.system.seg[i].limit, before.system.seg[i].limit);
		assert_int_equal(after.system.seg[i].selector, before.system.seg[i].selector);
	}
	assert_int_equal(after.system.gdt.base, before.system.gdt.base);
	assert_int_equal(after.system.idt.limit, before.system.idt.limit);
	assert_int_equal(after.system.cr0, before.system.cr0);
	assert_int_equal(after.system.cr2, before.system.cr2);
	assert_int_equal(after.system.cr4, before.system.cr4);
	assert_int_equal(after.system.efer, before.system.efer);
	assert_memory_equal(&after.debug, &before.debug, sizeof(after.debug));
	assert_memory_equal(after.fpu.xsave + 160, before.fpu.xsave + 160, 256);
	assert_int_equal(after.fpu.xcr0, before.fpu.xcr0);
	assert_true(after.msrs.valid[MSR_SLOT_LSTAR]);
	assert_true(after.msrs.value[MSR_SLOT_LSTAR] == 0x1122334400);
	assert_true(after.msrs.value[MSR_SLOT_KERNEL_GS_BASE] == 0x5566778800);
	assert_int_equal(after.events.run_state, CPU_RUNNABLE);
	bare_close(&bare);
}

static void refuses_impossible_state(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0xf4);
	bare_get(&bare, CPU_SYSTEM);
	bare.state.system.cr4 |= 1ull << 50;
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_SYSTEM, &bare.state), -EINVAL);
	bare_close(&bare);
}

/* Putting MSRs back must not turn back those that count. LSTAR, changed behind state_get's back, plays
 * one here: not every KVM lets the time stamp counter be set. */
static void unchanged_msrs_are_not_written(void **unused)
{
	const uint32_t lstar = 0xc0000082;
	struct kvm_vcpu *vcpu;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	vcpu = to_kvm_vcpu(bare.vcpu);
	BARE_LOAD(&bare, BARE_LONG, 0x90, 0xf4);
	bare_get(&bare, CPU_MSRS);
	assert_true(kvm_msr_write(vcpu, lstar, 0x9000));
	bare.state.msrs.value[MSR_SLOT_CSTAR] = 0x4000;
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_MSRS, &bare.state), 0);
	bare_get(&bare, CPU_MSRS);
	assert_int_equal(bare.state.msrs.value[MSR_SLOT_LSTAR], 0x9000);
	assert_int_equal(bare.state.msrs.value[MSR_SLOT_CSTAR], 0x4000);
	bare_expect(&bare, EXIT_HLT); /* from here on, what was told is old */
	assert_true(kvm_msr_write(vcpu, lstar, 0xa000));
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_MSRS, &bare.state), 0);
	bare_get(&bare, CPU_MSRS);
	assert_int_equal(bare.state.msrs.value[MSR_SLOT_LSTAR], 0x9000);
	bare_close(&bare);
}

/* With synchronised registers the answers are the same, also after somebody wrote. */
static void synced_state_is_the_state(void **unused)
{
	const unsigned groups = CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS;
	struct cpu_state synced, asked;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0xff, 0xc0, 0xe6, 0x10, 0xff, 0xc1, 0xeb, 0xf8);
	for (int i = 0; i < 4; i++) {
		memset(&synced, 0, sizeof(synced));
		memset(&asked, 0, sizeof(asked));
		bare.ops->sync_state(bare.vcpu, true);
		bare_expect_out(&bare, 0x10, 1, (uint32_t)(7 * i + 1));
		assert_int_equal(bare_complete(&bare), EXIT_INTR);
		assert_int_equal(bare.ops->state_get(bare.vcpu, groups, &synced), 0);
		assert_int_equal(synced.general.gpr[GPR_RAX], 7 * i + 1);
		bare.ops->sync_state(bare.vcpu, false);
		assert_int_equal(bare_complete(&bare), EXIT_INTR);
		assert_int_equal(bare.ops->state_get(bare.vcpu, groups, &asked), 0);
		assert_memory_equal(&synced, &asked, sizeof(asked));
		asked.general.gpr[GPR_RAX] += 6;
		bare.ops->sync_state(bare.vcpu, true);
		assert_int_equal(bare_complete(&bare), EXIT_INTR);
		assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_GENERAL, &asked), 0);
		assert_int_equal(kvm_reg(&bare, GPR_RAX), 7 * i + 7);
	}
	bare_close(&bare);
}

static bool waits_for_run(const struct bare_vm *bare)
{
	return to_kvm_vcpu(bare->vcpu)->run->kvm_dirty_regs;
}

static void jump_to(struct bare_vm *bare, struct cpu_state *state, uint64_t rip)
{
	state->general.rip = rip;
	assert_int_equal(bare->ops->state_put(bare->vcpu, CPU_GENERAL, state), 0);
}

/* Registers that are written right behind an exit go with the next run, or before whatever is asked sooner. */
static void written_registers_go_with_the_run(void **unused)
{
	struct cpu_state state, asked;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	/* 0: out %al, $0x10; jmp 0; 4: out %al, $0x11; jmp 4 */
	BARE_LOAD(&bare, BARE_LONG, 0xe6, 0x10, 0xeb, 0xfc, 0xe6, 0x11, 0xeb, 0xfc);
	bare.ops->sync_state(bare.vcpu, true);
	for (unsigned i = 0; i < 3; i++) {
		bare_expect(&bare, EXIT_IO);
		assert_int_equal(bare_complete(&bare), EXIT_INTR);
		assert_int_equal(bare.ops->state_get(bare.vcpu, CPU_GENERAL, &state), 0);
		state.general.gpr[GPR_RAX] = 0x40 + i;
		jump_to(&bare, &state, BARE_CODE + 4 * (i & 1));
		assert_int_equal(waits_for_run(&bare), to_kvm_vm(bare.vm)->sync_regs != 0);
		bare_expect_out(&bare, 0x10 + (i & 1), 1, 0x40 + i);
		assert_false(waits_for_run(&bare));
		assert_int_equal(bare_complete(&bare), EXIT_INTR);
		jump_to(&bare, &state, BARE_CODE);
		assert_int_equal(bare.ops->state_get(bare.vcpu, CPU_GENERAL, &asked), 0);
		assert_false(waits_for_run(&bare));
		assert_int_equal(asked.general.rip, BARE_CODE);
		jump_to(&bare, &asked, BARE_CODE + 4);
	}
	bare_close(&bare);
}

static void application_processors_wait(void **unused)
{
	struct accel_vcpu *second;
	struct cpu_state state;
	struct error err;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, &with_controllers);
	assert_int_equal(bare.ops->vcpu_create(bare.vm, 1, &second, &err), 0);
	assert_int_equal(bare.ops->state_get(second, CPU_ALL, &state), 0);
	assert_int_equal(state.events.run_state, CPU_WAIT_INIT);
	assert_int_equal(state.system.seg[SEG_CS].selector, 0xf000);
	assert_int_equal(bare.ops->state_put(second, CPU_EVENTS, &state), 0);
	assert_int_equal(bare.ops->state_get(second, CPU_EVENTS, &state), 0);
	assert_int_equal(state.events.run_state, CPU_WAIT_INIT);
	bare.ops->vcpu_destroy(second);
	bare_close(&bare);
}

/* ---- kicks ------------------------------------------------------------------------------ */

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(answers_msrs),
		T(refuses_msrs),
		T(state_round_trip),
		T(refuses_impossible_state),
		T(unchanged_msrs_are_not_written),
		T(synced_state_is_the_state),
		T(written_registers_go_with_the_run),
		T(application_processors_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
