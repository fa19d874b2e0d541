// SPDX-License-Identifier: GPL-3.0-or-later
/* The dummy accelerator keeps what dummy.h promises, and KVM's manners. */
#include "accel/dummy.h"
#include "bare_vm.h"
#include "dummy_rig.h"
#include "x86/debug_registers.h"
#include "x86/exceptions.h"
#include "x86/mode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void set_debug(struct bare_vm *bare, struct accel_debug debug)
{
	assert_int_equal(bare->ops->debug_set(bare->vcpu, &debug), 0);
}

static const struct accel_debug no_debug = {.inject = -1};

static const struct accel_debug stepping = {.step = true, .inject = -1};

/* ---- instructions ----------------------------------------------------------------------- */

static void runs_its_instructions(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	/* inc rax ×2; jmp +1 over a hlt; inc rcx; nop; sti; cli; hlt */
	BARE_LOAD(&bare, BARE_REAL, 0x40, 0x40, 0xeb, 0x01, 0xf4, 0x41, 0x90, 0xfb, 0xfa, 0xf4);
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 10);
	assert_int_equal(bare.state.general.gpr[GPR_RAX], 2);
	assert_int_equal(bare.state.general.gpr[GPR_RCX], 1);
	assert_false(bare.state.general.rflags & RFLAGS_IF);
	bare_close(&bare);
}

static void io_waits_for_completion(void **unused)
{
	struct bare_vm bare;
	const struct vm_exit *exit;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0xe4, 0x60, 0xe6, 0x61, 0xe5, 0x62, 0xe7, 0x63, 0xf4);
	bare.state.general.gpr[GPR_RAX] = 0x1122334455667788;
	bare_put_general(&bare);
	exit = bare_expect(&bare, EXIT_IO);
	assert_false(exit->io.write);
	assert_int_equal(exit->io.port, 0x60);
	exit->io.data[0] = 0xab;
	assert_int_equal(dummy_rip(&bare), BARE_CODE);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 2);
	assert_true(bare.state.general.gpr[GPR_RAX] == 0x11223344556677ab);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 2);
	bare_expect_out(&bare, 0x61, 1, 0xab);
	exit = bare_expect(&bare, EXIT_IO);
	assert_int_equal(exit->io.size, 4);
	memcpy(exit->io.data, "\x01\x02\x03\x84", 4);
	bare_expect_out(&bare, 0x63, 4, 0x84030201);
	bare_get(&bare, CPU_GENERAL);
	assert_true(bare.state.general.gpr[GPR_RAX] == 0x84030201);
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(dummy_counts(bare.vcpu)->completions, 2);
	bare_close(&bare);
}

static void stores_reach_memory_or_exit(void **unused)
{
	struct bare_vm bare;
	const struct vm_exit *exit;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0xa3, 0x00, 0x50, 0, 0, 0xa2, 0xff, 0xff, 0x09, 0, 0xa3, 0xfe,
		  0xff, 0x09, 0, 0xf4);
	bare.state.general.gpr[GPR_RAX] = 0xa1b2c3d4;
	bare_put_general(&bare);
	exit = bare_expect(&bare, EXIT_MMIO); /* the last store leaves RAM after two bytes */
	assert_memory_equal(bare.memory + 0x5000, "\xd4\xc3\xb2\xa1", 4);
	assert_int_equal(exit->mmio.gpa, 0x9fffe);
	assert_int_equal(exit->mmio.size, 4);
	assert_true(exit->mmio.write);
	assert_memory_equal(exit->mmio.data, "\xd4\xc3\xb2\xa1", 4);
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 15);
	bare_close(&bare);
}

static void unknown_opcodes_are_emulation_failures(void **unused)
{
	struct bare_vm bare;
	const struct vm_exit *exit;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0x0f, 0x0b, 0x77);
	exit = bare_expect(&bare, EXIT_INTERNAL_ERROR);
	assert_int_equal(exit->internal.suberror, INTERNAL_EMULATION);
	assert_int_equal(exit->internal.insn_length, 15);
	assert_memory_equal(exit->internal.insn, "\x0f\x0b\x77", 3);
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 1);
	/* A jmp whose second byte does not exist. */
	bare_get(&bare, CPU_SYSTEM);
	cpu_segment_real(&bare.state.system.seg[SEG_CS], (BARE_RAM - 0x10000) >> 4);
	bare.state.general.rip = 0xffff;
	bare.memory[BARE_RAM - 1] = 0xeb;
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_GENERAL | CPU_SYSTEM, &bare.state), 0);
	exit = bare_expect(&bare, EXIT_INTERNAL_ERROR);
	assert_int_equal(exit->internal.insn_length, 1);
	bare_close(&bare);
}

/* ---- debugging -------------------------------------------------------------------------- */

static void expect_debug(struct bare_vm *bare, uint64_t pc, uint8_t vector, uint64_t dr6)
{
	const struct vm_exit *exit = bare_expect(bare, EXIT_DEBUG);

	assert_int_equal(exit->debug.pc, pc);
	assert_int_equal(exit->debug.vector, vector);
	assert_int_equal(exit->debug.dr6 & (DR6_HIT | DR6_BS), dr6);
}

static void steps_one_instruction(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0xeb, 0x01, 0x90, 0x40, 0xe6, 0x10, 0x41, 0x90, 0xf4);
	set_debug(&bare, stepping);
	expect_debug(&bare, BARE_CODE + 1, VECTOR_DB, DR6_BS);
	expect_debug(&bare, BARE_CODE + 4, VECTOR_DB, DR6_BS);
	expect_debug(&bare, BARE_CODE + 5, VECTOR_DB, DR6_BS);
	/* A step over I/O gives the I/O exit and no report … */
	bare_expect_out(&bare, 0x10, 1, 1);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 7);
	expect_debug(&bare, BARE_CODE + 8, VECTOR_DB, DR6_BS);
	/* … and without completion the next run executes one instruction more. */
	bare.state.general.rip = BARE_CODE + 5;
	bare_put_general(&bare);
	set_debug(&bare, stepping); /* which was lost */
	bare_expect(&bare, EXIT_IO);
	expect_debug(&bare, BARE_CODE + 8, VECTOR_DB, DR6_BS);
	bare_close(&bare);
}

static void loses_steps_when_told(void **unused)
{
	struct dummy_config config = {.no_step = true};
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, &config);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0x90, 0xf4);
	set_debug(&bare, stepping);
	bare_expect(&bare, EXIT_HLT);
	bare_close(&bare);
}

static void int3_traps(void **unused)
{
	struct bare_vm bare;
	struct accel_debug debug = {.int3 = true, .inject = -1};

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0xcc, 0xf4);
	set_debug(&bare, debug);
	expect_debug(&bare, BARE_CODE + 1, VECTOR_BP, 0);
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 1);
	expect_debug(&bare, BARE_CODE + 1, VECTOR_BP, 0);
	debug.inject = VECTOR_BP; /* it was the guest's own */
	set_debug(&bare, debug);
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 2);
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(dummy_counts(bare.vcpu)->injected_bp, 1);
	debug.inject = VECTOR_DB;
	set_debug(&bare, debug);
	assert_int_equal(dummy_counts(bare.vcpu)->injected_db, 1);
	bare_close(&bare);
}

static void int3_fails_to_emulate(void **unused)
{
	struct dummy_config config = {.int3 = DUMMY_INT3_EMULATION_FAILURE};
	struct bare_vm bare;
	const struct vm_exit *exit;

	(void)unused;
	open_dummy(&bare, &config);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0xcc, 0xf4);
	exit = bare_expect(&bare, EXIT_INTERNAL_ERROR);
	assert_int_equal(exit->internal.insn[0], 0xcc);
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 1);
	bare_close(&bare);
}

static void int3_goes_to_the_guest(void **unused)
{
	struct dummy_config config = {.int3 = DUMMY_INT3_TO_GUEST};
	struct accel_debug debug = {.int3 = true, .inject = -1};
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, &config);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0xcc, 0xf4);
	set_debug(&bare, debug);
	bare_expect(&bare, EXIT_HLT);
	bare_close(&bare);
}

static struct accel_debug slot_on(uint64_t address, enum dr_type type, unsigned length)
{
	struct accel_debug debug = {.slots = true, .inject = -1};

	debug.dr[2] = address;
	debug.dr7 = dr7_enable(0, 2, type, length);
	return debug;
}

static void slots_stop_before_the_instruction(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0x40, 0xeb, 0xfd);
	set_debug(&bare, slot_on(BARE_CODE + 1, DR_EXEC, 1));
	expect_debug(&bare, BARE_CODE + 1, VECTOR_DB, 1 << 2);
	expect_debug(&bare, BARE_CODE + 1, VECTOR_DB, 1 << 2); /* without RF, again */
	bare_get(&bare, CPU_GENERAL);
	assert_int_equal(bare.state.general.gpr[GPR_RAX], 0);
	bare.state.general.rflags |= RFLAGS_RF;
	bare_put_general(&bare);
	expect_debug(&bare, BARE_CODE + 1, VECTOR_DB, 1 << 2); /* once round the loop */
	bare_get(&bare, CPU_GENERAL);
	assert_int_equal(bare.state.general.gpr[GPR_RAX], 1);
	assert_false(bare.state.general.rflags & RFLAGS_RF);
	bare_close(&bare);
}

static void slots_can_be_worse(void **unused)
{
	struct dummy_config stubborn = {.ignore_rf = true}, blind = {.no_slots = true};
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, &stubborn);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0xf4);
	set_debug(&bare, slot_on(BARE_CODE, DR_EXEC, 1));
	bare.state.general.rflags |= RFLAGS_RF;
	bare_put_general(&bare);
	expect_debug(&bare, BARE_CODE, VECTOR_DB, 1 << 2);
	bare_close(&bare);

	open_dummy(&bare, &blind);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0xf4);
	set_debug(&bare, slot_on(BARE_CODE, DR_EXEC, 1));
	bare_expect(&bare, EXIT_HLT);
	bare_close(&bare);
}

static void slots_watch_stores(void **unused)
{
	struct bare_vm bare;
	struct accel_debug debug = slot_on(0x5004, DR_WRITE, 4);

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0xa3, 0x00, 0x50, 0, 0, 0xa2, 0x08, 0x50, 0, 0, 0xa2, 0x07,
		  0x50, 0, 0, 0xa3, 0x02, 0x50, 0, 0, 0xf4);
	set_debug(&bare, debug);
	expect_debug(&bare, BARE_CODE + 15, VECTOR_DB, 1 << 2);
	debug.step = true;
	set_debug(&bare, debug);
	expect_debug(&bare, BARE_CODE + 20, VECTOR_DB, 1 << 2 | DR6_BS);
	set_debug(&bare, no_debug);
	bare_expect(&bare, EXIT_HLT);
	bare_close(&bare);
}

/* ---- the script ------------------------------------------------------------------------- */

static void plays_the_script_first(void **unused)
{
	static const struct vm_exit script[] = {
		{.reason = EXIT_SHUTDOWN, .name = "MY_SHUTDOWN"},
		{.reason = EXIT_IO, .io = {.port = 0x80, .size = 1, .count = 1}},
		{.reason = EXIT_RDMSR, .msr = {.index = 0x1b}},
	};
	struct dummy_config config = {.script = script, .script_length = 3};
	struct bare_vm bare;
	const struct vm_exit *exit;

	(void)unused;
	open_dummy(&bare, &config);
	BARE_LOAD(&bare, BARE_REAL, 0xf4);
	exit = bare_expect(&bare, EXIT_SHUTDOWN);
	assert_string_equal(exit->name, "MY_SHUTDOWN");
	exit = bare_expect(&bare, EXIT_IO);
	assert_int_equal(exit->io.port, 0x80);
	assert_string_equal(exit->name, "DUMMY_EXIT_IO");
	exit->io.data[0] = 1; /* there is something to write to */
	exit = bare_expect(&bare, EXIT_RDMSR);
	*exit->msr.value = 5;
	*exit->msr.fault = true;
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(dummy_rip(&bare), BARE_CODE + 1);
	assert_int_equal(dummy_counts(bare.vcpu)->runs, 4);
	bare_close(&bare);
}

static void fails_on_request(void **unused)
{
	struct dummy_config dummy = {.fail_vm_create = ENODEV};
	struct accel_config config = {.vcpus = 2, .dummy = &dummy};
	struct accel_vm *vm;
	struct accel_vcpu *vcpu;
	struct error err;

	(void)unused;
	assert_int_equal(accel_dummy.vm_create(&config, &vm, &err), -ENODEV);
	assert_null(vm);
	assert_non_null(strstr(err.text, "No such device"));
	dummy = (struct dummy_config){.fail_vcpu_create = 2};
	assert_int_equal(accel_dummy.vm_create(&config, &vm, &err), 0);
	assert_int_equal(accel_dummy.vcpu_create(vm, 0, &vcpu, &err), 0);
	accel_dummy.vcpu_destroy(vcpu);
	assert_int_equal(accel_dummy.vcpu_create(vm, 1, &vcpu, &err), -ENOMEM);
	assert_null(vcpu);
	accel_dummy.vm_destroy(vm);
}

/* ---- state ------------------------------------------------------------------------------ */

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(runs_its_instructions),
		T(io_waits_for_completion),
		T(stores_reach_memory_or_exit),
		T(unknown_opcodes_are_emulation_failures),
		T(steps_one_instruction),
		T(loses_steps_when_told),
		T(int3_traps),
		T(int3_fails_to_emulate),
		T(int3_goes_to_the_guest),
		T(slots_stop_before_the_instruction),
		T(slots_can_be_worse),
		T(slots_watch_stores),
		T(plays_the_script_first),
		T(fails_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
