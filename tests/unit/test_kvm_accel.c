// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The kvm accelerator with small guests: what goes in, what comes out, value by value. Guest code is in
 * bytes, with the instruction beside it.
 */
#include "accel/kvm_private.h"
#include "bare_vm.h"
#include "kvm_case.h"
#include "x86/debug_registers.h"
#include "x86/exceptions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void set_debug(struct bare_vm *bare, struct accel_debug debug)
{
	assert_int_equal(bare->ops->debug_set(bare->vcpu, &debug), 0);
}

/* ---- port I/O --------------------------------------------------------------------------- */

static void writes_ports_of_all_sizes(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0x66, 0xb8, 0x44, 0x33, 0x22, 0x11, /* mov eax, 0x11223344 */
		  0xe6, 0x10,						/* out 0x10, al */
		  0xe7, 0x11,						/* out 0x11, ax */
		  0x66, 0xe7, 0x12,					/* out 0x12, eax */
		  0xba, 0xf8, 0x03, 0xee, /* mov dx, 0x3f8; out dx, al */
		  0xf4);
	bare_expect_out(&bare, 0x10, 1, 0x44);
	bare_expect_out(&bare, 0x11, 2, 0x3344);
	bare_expect_out(&bare, 0x12, 4, 0x11223344);
	bare_expect_out(&bare, 0x3f8, 1, 0x44);
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(kvm_rip(&bare), BARE_CODE + 18);
	bare_close(&bare);
}

static void reads_ports_of_all_sizes(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0xe4, 0x20,	      /* in al, 0x20 */
		  0x66, 0xe7, 0x10,		      /* out 0x10, eax */
		  0xe5, 0x21,			      /* in ax, 0x21 */
		  0x66, 0xe7, 0x10, 0x66, 0xe5, 0x22, /* in eax, 0x22 */
		  0x66, 0xe7, 0x10, 0xf4);
	bare.state.general.gpr[GPR_RAX] = 0xa1a2a3a4;
	bare_put_general(&bare);
	kvm_answer(&bare, 0x20, 1, "\x55");
	bare_expect_out(&bare, 0x10, 4, 0xa1a2a355);
	kvm_answer(&bare, 0x21, 2, "\x66\x77");
	bare_expect_out(&bare, 0x10, 4, 0xa1a27766);
	kvm_answer(&bare, 0x22, 4, "\x01\x02\x03\x04");
	bare_expect_out(&bare, 0x10, 4, 0x04030201);
	bare_close(&bare);
}

/* KVM hands out a string in one exit or in several; the bytes and their order are what counts. */
static size_t collect_string(struct bare_vm *bare, bool write, unsigned size, uint8_t *bytes,
			     size_t length)
{
	size_t done = 0;

	while (done < length) {
		const struct vm_exit *exit = bare_expect(bare, EXIT_IO);
		size_t part = (size_t)exit->io.count * exit->io.size;

		assert_int_equal(exit->io.write, write);
		assert_int_equal(exit->io.size, size);
		assert_int_equal(exit->io.port, 0x1f0);
		assert_true(exit->io.count >= 1 && part <= length - done);
		memcpy(write ? bytes + done : exit->io.data, write ? exit->io.data : bytes + done,
		       part);
		done += part;
	}
	return done;
}

static void writes_strings(void **unused)
{
	static const uint8_t opcodes[] = {0x6e, 0x6f}; /* outsb, outsw */
	struct bare_vm bare;
	uint8_t bytes[40];

	(void)unused;
	open_kvm(&bare, NULL);
	for (unsigned size = 1; size <= 2; size++) {
		const uint8_t code[] = {0xba, 0xf0,
					0x01, 0xb9,
					20,   0, /* mov dx, 0x1f0; mov cx, 20 */
					0xf3, opcodes[size - 1],
					0xf4};

		bare_load(&bare, BARE_REAL, code, sizeof(code));
		bare.state.general.gpr[GPR_RSI] = BARE_DATA;
		bare_put_general(&bare);
		for (unsigned i = 0; i < sizeof(bytes); i++)
			bare.memory[BARE_DATA + i] = (uint8_t)(3 * i + 1);
		collect_string(&bare, true, size, bytes, 20 * size);
		assert_memory_equal(bytes, bare.memory + BARE_DATA, 20 * size);
		bare_expect(&bare, EXIT_HLT);
		assert_int_equal(kvm_reg(&bare, GPR_RCX), 0);
		assert_int_equal(kvm_reg(&bare, GPR_RSI), BARE_DATA + 20 * size);
	}
	bare_close(&bare);
}

static void reads_strings(void **unused)
{
	static const uint8_t opcodes[] = {0x6c, 0x6d}; /* insb, insw */
	struct bare_vm bare;
	uint8_t bytes[40];

	(void)unused;
	open_kvm(&bare, NULL);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(5 * i + 2);
	for (unsigned size = 1; size <= 2; size++) {
		const uint8_t code[] = {0xba, 0xf0,
					0x01, 0xb9,
					20,   0, /* mov dx, 0x1f0; mov cx, 20 */
					0xf3, opcodes[size - 1],
					0xf4};

		bare_load(&bare, BARE_REAL, code, sizeof(code));
		memset(bare.memory + BARE_DATA, 0, sizeof(bytes) + 1);
		collect_string(&bare, false, size, bytes, 20 * size);
		bare_expect(&bare, EXIT_HLT);
		assert_memory_equal(bare.memory + BARE_DATA, bytes, 20 * size);
		assert_int_equal(bare.memory[BARE_DATA + 20 * size], 0);
		assert_int_equal(kvm_reg(&bare, GPR_RDI), BARE_DATA + 20 * size);
	}
	bare_close(&bare);
}

/* ---- halting and dying ------------------------------------------------------------------ */

static void triple_fault_is_a_shutdown(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0x0f, 0x0b); /* ud2 */
	bare.state.system.idt.limit = 0;
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_SYSTEM, &bare.state), 0);
	bare_expect(&bare, EXIT_SHUTDOWN);
	bare_close(&bare);
}

static void exceptions_are_the_guests(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0x0f, 0x0b);
	bare_expect_out(&bare, 0xe9, 1, VECTOR_UD);
	bare_close(&bare);
}

/* ---- debugging -------------------------------------------------------------------------- */

static void expect_debug(struct bare_vm *bare, uint64_t pc, uint8_t vector, uint64_t dr6)
{
	const struct vm_exit *exit = bare_expect(bare, EXIT_DEBUG);

	assert_int_equal(exit->debug.pc, pc);
	assert_int_equal(exit->debug.vector, vector);
	/* The slots' bits may also show a place where a slot is not enabled (SDM vol. 3B, 18.2.3). */
	assert_int_equal(exit->debug.dr6 & (DR6_BS | dr6), dr6);
}

static void steps_in_mode(enum bare_mode mode)
{
	struct bare_vm bare;

	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, mode, 0x90, 0xb0, 0x01, 0xeb, 0x01, 0xf4, 0x04, 0x02, 0xe6, 0x10);
	set_debug(&bare, (struct accel_debug){.step = true, .block_irq = true, .inject = -1});
	expect_debug(&bare, BARE_CODE + 1, VECTOR_DB, DR6_BS);
	expect_debug(&bare, BARE_CODE + 3, VECTOR_DB, DR6_BS);
	expect_debug(&bare, BARE_CODE + 6, VECTOR_DB, DR6_BS);
	expect_debug(&bare, BARE_CODE + 8, VECTOR_DB, DR6_BS);
	bare_get(&bare, CPU_GENERAL);
	assert_int_equal(bare.state.general.rip, BARE_CODE + 8);
	assert_int_equal(bare.state.general.gpr[GPR_RAX], 3);
	assert_false(bare.state.general.rflags & RFLAGS_TF);
	set_debug(&bare, (struct accel_debug){.inject = -1});
	bare_expect_out(&bare, 0x10, 1, 3);
	bare_close(&bare);
}

static void steps_in_real_mode(void **unused)
{
	(void)unused;
	steps_in_mode(BARE_REAL);
}

static void steps_in_long_mode(void **unused)
{
	(void)unused;
	steps_in_mode(BARE_LONG);
}

/* Whether KVM reports the step with the completion or not at all, it is one instruction. */
static void completion_ends_a_step_over_io(void **unused)
{
	struct bare_vm bare;
	enum exit_reason reason;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0xe4, 0x10, 0xff, 0xc0, 0xff, 0xc0, 0xf4); /* in; inc eax ×2 */
	set_debug(&bare, (struct accel_debug){.step = true, .inject = -1});
	kvm_answer(&bare, 0x10, 1, "\x20");
	reason = bare_complete(&bare);
	assert_true(reason == EXIT_INTR || reason == EXIT_DEBUG);
	assert_int_equal(kvm_rip(&bare), BARE_CODE + 2);
	assert_int_equal(kvm_reg(&bare, GPR_RAX), 0x20);
	set_debug(&bare, (struct accel_debug){.step = true, .inject = -1});
	expect_debug(&bare, BARE_CODE + 4, VECTOR_DB, DR6_BS);
	assert_int_equal(kvm_reg(&bare, GPR_RAX), 0x21);
	bare_close(&bare);
}

static void slots_stop_execution(void **unused)
{
	struct accel_debug debug = {.slots = true, .inject = -1};
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0x90, 0xff, 0xc0, 0x90, 0xff, 0xc0, 0x90, 0xf4);
	debug.dr[0] = BARE_CODE + 6;
	debug.dr[3] = BARE_CODE + 3;
	debug.dr7 = dr7_enable(dr7_enable(0, 0, DR_EXEC, 1), 3, DR_EXEC, 1);
	set_debug(&bare, debug);
	expect_debug(&bare, BARE_CODE + 3, VECTOR_DB, 1 << 3);
	assert_int_equal(kvm_reg(&bare, GPR_RAX), 1);
	debug.dr7 = dr7_enable(0, 0, DR_EXEC, 1);
	set_debug(&bare, debug);
	expect_debug(&bare, BARE_CODE + 6, VECTOR_DB, 1 << 0);
	assert_int_equal(kvm_reg(&bare, GPR_RAX), 2);
	set_debug(&bare, (struct accel_debug){.inject = -1});
	bare_expect(&bare, EXIT_HLT);
	bare_close(&bare);
}

/* int3 traps, or fails to be emulated with its bytes told, or falls through to the guest: each KVM has
 * its way (and the debugger core finds out which). All three must arrive intact. */
static void int3_arrives(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0x90, 0xcc, 0x90, 0xf4);
	set_debug(&bare, (struct accel_debug){.int3 = true, .inject = -1});
	switch (bare_run(&bare)) {
	case EXIT_DEBUG:
		assert_int_equal(bare.exit.debug.vector, VECTOR_BP);
		assert_int_equal(bare.exit.debug.pc, BARE_CODE + 1);
		assert_int_equal(kvm_rip(&bare), BARE_CODE + 1);
		break;
	case EXIT_INTERNAL_ERROR:
		assert_int_equal(bare.exit.internal.suberror, INTERNAL_EMULATION);
		assert_true(bare.exit.internal.insn_length >= 1);
		assert_memory_equal(bare.exit.internal.insn, "\xcc\x90\xf4", 3);
		assert_int_equal(kvm_rip(&bare), BARE_CODE + 1);
		break;
	default:
		assert_int_equal(bare.exit.reason, EXIT_IO);
		assert_int_equal(bare.exit.io.data[0], VECTOR_BP);
	}
	bare_close(&bare);
}

static void gives_db_back_to_the_guest(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0x90, 0x90, 0xf4);
	set_debug(&bare, (struct accel_debug){.inject = VECTOR_DB});
	bare_expect_out(&bare, 0xe9, 1, VECTOR_DB);
	bare_close(&bare);
}

/* ---- kicks ------------------------------------------------------------------------------ */

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(writes_ports_of_all_sizes),
		T(reads_ports_of_all_sizes),
		T(writes_strings),
		T(reads_strings),
		T(triple_fault_is_a_shutdown),
		T(exceptions_are_the_guests),
		T(steps_in_real_mode),
		T(steps_in_long_mode),
		T(completion_ends_a_step_over_io),
		T(slots_stop_execution),
		T(int3_arrives),
		T(gives_db_back_to_the_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
