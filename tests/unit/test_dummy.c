// SPDX-License-Identifier: GPL-3.0-or-later
/* The dummy accelerator keeps what dummy.h promises, and KVM's manners. */
#include "accel/dummy.h"
#include "bare_vm.h"
#include "x86/debug_registers.h"
#include "x86/exceptions.h"
#include "x86/mode.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void open_dummy(struct bare_vm *bare, struct dummy_config *dummy)
{
	struct accel_config config = {.vcpus = 2, .dummy = dummy};

	bare_open(bare, &accel_dummy, &config);
}

static void set_debug(struct bare_vm *bare, struct accel_debug debug)
{
	assert_int_equal(bare->ops->debug_set(bare->vcpu, &debug), 0);
}

static const struct accel_debug no_debug = {.inject = -1};
static const struct accel_debug stepping = {.step = true, .inject = -1};

static uint64_t rip(struct bare_vm *bare)
{
	bare_get(bare, CPU_GENERAL);
	return bare->state.general.rip;
}

/* ---- instructions ----------------------------------------------------------------------- */

static void runs_its_instructions(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	/* inc rax ×2; jmp +1 over a hlt; inc rcx; nop; sti; cli; hlt */
	BARE_LOAD(&bare, BARE_REAL, 0x40, 0x40, 0xeb, 0x01, 0xf4, 0x41, 0x90, 0xfb, 0xfa, 0xf4);
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(rip(&bare), BARE_CODE + 10);
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
	assert_int_equal(rip(&bare), BARE_CODE);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	assert_int_equal(rip(&bare), BARE_CODE + 2);
	assert_true(bare.state.general.gpr[GPR_RAX] == 0x11223344556677ab);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	assert_int_equal(rip(&bare), BARE_CODE + 2);
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
	assert_int_equal(rip(&bare), BARE_CODE + 15);
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
	assert_int_equal(rip(&bare), BARE_CODE + 1);
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
	assert_int_equal(rip(&bare), BARE_CODE + 7);
	expect_debug(&bare, BARE_CODE + 8, VECTOR_DB, DR6_BS);
	/* … and without completion the next run executes one instruction more. */
	bare.state.general.rip = BARE_CODE + 5;
	bare_put_general(&bare);
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
	assert_int_equal(rip(&bare), BARE_CODE + 1);
	expect_debug(&bare, BARE_CODE + 1, VECTOR_BP, 0);
	debug.inject = VECTOR_BP; /* it was the guest's own */
	set_debug(&bare, debug);
	assert_int_equal(rip(&bare), BARE_CODE + 2);
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
	assert_int_equal(rip(&bare), BARE_CODE + 1);
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
	assert_int_equal(rip(&bare), BARE_CODE + 1);
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

/* ---- slots and the ring ----------------------------------------------------------------- */

static int set_slot(struct bare_vm *bare, unsigned id, uint64_t gpa, uint64_t size, bool readonly)
{
	struct accel_slot slot = {.id = id,
				  .gpa = gpa,
				  .size = size,
				  .hva = bare->memory + 0x1000,
				  .readonly = readonly};
	struct error err;

	return bare->ops->slot_set(bare->vm, &slot, &err);
}

static void slots_are_as_strict_as_kvms(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	assert_int_equal(set_slot(&bare, 2, 0x9f000, 0x2000, false), -EEXIST);
	assert_int_equal(set_slot(&bare, 2, 0xa0800, 0x1000, false), -EINVAL);
	assert_int_equal(set_slot(&bare, 2, 0xa0000, 0x1000, false), 0);
	assert_int_equal(set_slot(&bare, 2, 0xa0000, 0x1000, true), -EINVAL);
	assert_int_equal(set_slot(&bare, 2, 0xa0000, 0x2000, false), -EINVAL);
	assert_int_equal(set_slot(&bare, 2, 0xa1000, 0x1000, false), 0); /* moving is allowed */
	assert_int_equal(set_slot(&bare, 2, 0, 0, false), 0);
	assert_int_equal(set_slot(&bare, 2, 0xa0000, 0x1000, true), 0);
	assert_int_equal(set_slot(&bare, 100000, 0xb0000, 0x1000, true), -EINVAL);
	/* A store to a read-only slot exits, and changes nothing. */
	BARE_LOAD(&bare, BARE_REAL, 0x40, 0xa2, 0x00, 0x00, 0x0a, 0, 0xf4);
	bare_expect(&bare, EXIT_MMIO);
	assert_int_equal(bare.memory[0x1000], 0);
	bare_close(&bare);
}

struct drained {
	unsigned count;
	bool pio[80];
	uint64_t addr[80];
	unsigned size[80];
	uint8_t first[80];
};

static void remember(void *ctx, bool pio, uint64_t addr, unsigned size, const void *data)
{
	struct drained *drained = ctx;

	assert_true(drained->count < 80);
	drained->pio[drained->count] = pio;
	drained->addr[drained->count] = addr;
	drained->size[drained->count] = size;
	drained->first[drained->count++] = *(const uint8_t *)data;
}

static void ring_keeps_the_order(void **unused)
{
	struct drained drained = {0};
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	assert_int_equal(bare.ops->coalesce(bare.vm, 0xb8000, 0x1000, false), 0);
	assert_int_equal(bare.ops->coalesce(bare.vm, 0x70, 1, true), 0);
	BARE_LOAD(&bare, BARE_REAL, 0x40, 0xa3, 0, 0x80, 0x0b, 0, 0x40, 0xe6, 0x70, 0x40, 0xa2, 4,
		  0x80, 0x0b, 0, 0xe6, 0x71, 0xf4);
	bare_expect_out(&bare, 0x71, 1, 3);
	bare.ops->coalesced_drain(bare.vm, remember, &drained);
	assert_int_equal(drained.count, 3);
	assert_int_equal(drained.addr[0], 0xb8000);
	assert_int_equal(drained.size[0], 4);
	assert_true(drained.pio[1] && drained.addr[1] == 0x70 && drained.first[1] == 2);
	assert_true(!drained.pio[2] && drained.addr[2] == 0xb8004 && drained.first[2] == 3);
	bare.ops->coalesced_drain(bare.vm, remember, &drained);
	assert_int_equal(drained.count, 3);
	bare_close(&bare);
}

static void a_full_ring_exits(void **unused)
{
	struct drained drained = {0};
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	assert_int_equal(bare.ops->coalesce(bare.vm, 0x70, 1, true), 0);
	BARE_LOAD(&bare, BARE_REAL, 0x40, 0xe6, 0x70, 0xeb, 0xfb);
	bare_expect_out(&bare, 0x70, 1, 65);
	bare.ops->coalesced_drain(bare.vm, remember, &drained);
	assert_int_equal(drained.count, 64);
	assert_int_equal(drained.first[63], 64);
	bare_close(&bare);
}

/* ---- kicks and interrupts --------------------------------------------------------------- */

static void kicks_stay_until_answered(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0xf4);
	bare.ops->vcpu_kick(bare.vcpu, pthread_self());
	bare_expect(&bare, EXIT_INTR);
	bare_expect(&bare, EXIT_INTR);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	bare_expect(&bare, EXIT_INTR);
	bare.ops->vcpu_kick_done(bare.vcpu);
	bare_expect(&bare, EXIT_HLT);
	bare_close(&bare);
}

static void *run_once(void *argument)
{
	struct bare_vm *bare = argument;

	bare->ops->vcpu_run(bare->vcpu, &bare->exit);
	return NULL;
}

static void kick_running(struct bare_vm *bare)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run_once, bare), 0);
	usleep(20000);
	bare->ops->vcpu_kick(bare->vcpu, thread);
	pthread_join(thread, NULL);
	assert_int_equal(bare->exit.reason, EXIT_INTR);
	bare->ops->vcpu_kick_done(bare->vcpu);
}

static void kicks_end_an_endless_loop(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0xeb, 0xfe);
	kick_running(&bare);
	assert_int_equal(rip(&bare), BARE_CODE);
	bare_close(&bare);
}

static void kicks_end_the_wait_for_init(void **unused)
{
	struct bare_vm bare;
	struct timespec before, after;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0x40, 0xf4);
	bare.state.events.run_state = CPU_WAIT_INIT;
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_EVENTS, &bare.state), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	kick_running(&bare);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec <
		    15000000);
	assert_int_equal(rip(&bare), BARE_CODE);
	assert_int_equal(bare.state.general.gpr[GPR_RAX], 0);
	bare_close(&bare);
}

static void processors_start_as_after_power_on(void **unused)
{
	struct bare_vm bare;
	struct accel_vcpu *second;
	struct cpu_state state;
	struct error err;

	(void)unused;
	open_dummy(&bare, NULL);
	bare_get(&bare, CPU_ALL);
	assert_int_equal(bare.state.general.rip, 0xfff0);
	assert_int_equal(bare.state.events.run_state, CPU_RUNNABLE);
	assert_int_equal(bare.ops->vcpu_create(bare.vm, 1, &second, &err), 0);
	assert_int_equal(bare.ops->state_get(second, CPU_ALL, &state), 0);
	assert_int_not_equal(state.events.run_state, CPU_RUNNABLE);
	bare.ops->vcpu_destroy(second);
	bare_close(&bare);
}

static void opens_interrupt_windows(void **unused)
{
	const uint16_t handler[2] = {BARE_CODE + 4, 0};
	struct bare_vm bare;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0x90, 0xfb, 0x40, 0x40, 0xf4);
	bare.ops->interrupt_window(bare.vcpu, true);
	assert_false(bare.ops->interrupt_ready(bare.vcpu));
	bare_expect(&bare, EXIT_IRQ_WINDOW); /* one instruction after sti */
	assert_int_equal(rip(&bare), BARE_CODE + 3);
	assert_true(bare.ops->interrupt_ready(bare.vcpu));
	memcpy(bare.memory + 4 * 0x20, handler, sizeof(handler));
	assert_int_equal(bare.ops->interrupt(bare.vcpu, 0x20), 0);
	assert_int_equal(dummy_counts(bare.vcpu)->interrupts, 1);
	assert_false(bare.ops->interrupt_ready(bare.vcpu));
	bare.ops->interrupt_window(bare.vcpu, false);
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(dummy_counts(bare.vcpu)->delivered, 1);
	assert_int_equal(bare.ops->nmi(bare.vcpu), 0);
	assert_int_equal(dummy_counts(bare.vcpu)->nmis, 1);
	bare_close(&bare);
}

/* ---- state ------------------------------------------------------------------------------ */

static void groups_are_separate(void **unused)
{
	struct bare_vm bare;
	struct cpu_state other;

	(void)unused;
	open_dummy(&bare, NULL);
	BARE_LOAD(&bare, BARE_REAL, 0xf4);
	memset(&other, 0x5a, sizeof(other));
	other.general.rip = 0x1234;
	other.system.cr3 = 0x9000;
	assert_int_equal(bare.ops->state_put(bare.vcpu, CPU_SYSTEM, &other), 0);
	bare_get(&bare, CPU_ALL);
	assert_int_equal(bare.state.general.rip, BARE_CODE);
	assert_int_equal(bare.state.system.cr3, 0x9000);
	memset(&other, 0, sizeof(other));
	assert_int_equal(bare.ops->state_get(bare.vcpu, CPU_GENERAL, &other), 0);
	assert_int_equal(other.general.rip, BARE_CODE);
	assert_int_equal(other.system.cr3, 0);
	bare_close(&bare);
}

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
		T(slots_are_as_strict_as_kvms),
		T(ring_keeps_the_order),
		T(a_full_ring_exits),
		T(kicks_stay_until_answered),
		T(kicks_end_an_endless_loop),
		T(kicks_end_the_wait_for_init),
		T(processors_start_as_after_power_on),
		T(opens_interrupt_windows),
		T(groups_are_separate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
