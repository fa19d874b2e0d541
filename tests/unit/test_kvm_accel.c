// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The kvm accelerator with small guests: what goes in, what comes out, value by value. Guest code is in
 * bytes, with the instruction beside it.
 */
#include "accel/kvm_private.h"
#include "bare_vm.h"
#include "x86/debug_registers.h"
#include "x86/exceptions.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const struct accel_config with_controllers = {.vcpus = 2, .irqchip = true};

static void open_kvm(struct bare_vm *bare, const struct accel_config *config)
{
	if (!bare_available(&accel_kvm))
		skip();
	bare_open(bare, &accel_kvm, config);
}

static void set_debug(struct bare_vm *bare, struct accel_debug debug)
{
	assert_int_equal(bare->ops->debug_set(bare->vcpu, &debug), 0);
}

static uint64_t reg(struct bare_vm *bare, enum cpu_gpr gpr)
{
	bare_get(bare, CPU_GENERAL);
	return bare->state.general.gpr[gpr];
}

static uint64_t rip(struct bare_vm *bare)
{
	bare_get(bare, CPU_GENERAL);
	return bare->state.general.rip;
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
	assert_int_equal(rip(&bare), BARE_CODE + 18);
	bare_close(&bare);
}

static void answer(struct bare_vm *bare, uint16_t port, unsigned size, const char *bytes)
{
	const struct vm_exit *exit = bare_expect(bare, EXIT_IO);

	assert_false(exit->io.write);
	assert_int_equal(exit->io.port, port);
	assert_int_equal(exit->io.size, size);
	assert_int_equal(exit->io.count, 1);
	memcpy(exit->io.data, bytes, size);
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
	answer(&bare, 0x20, 1, "\x55");
	bare_expect_out(&bare, 0x10, 4, 0xa1a2a355);
	answer(&bare, 0x21, 2, "\x66\x77");
	bare_expect_out(&bare, 0x10, 4, 0xa1a27766);
	answer(&bare, 0x22, 4, "\x01\x02\x03\x04");
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
		assert_int_equal(reg(&bare, GPR_RCX), 0);
		assert_int_equal(reg(&bare, GPR_RSI), BARE_DATA + 20 * size);
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
		assert_int_equal(reg(&bare, GPR_RDI), BARE_DATA + 20 * size);
	}
	bare_close(&bare);
}

/* ---- MMIO ------------------------------------------------------------------------------- */

static void expect_mmio_write(struct bare_vm *bare, uint64_t gpa, unsigned size, uint64_t value)
{
	const struct vm_exit *exit = bare_expect(bare, EXIT_MMIO);
	uint64_t got = 0;

	assert_true(exit->mmio.write);
	assert_int_equal(exit->mmio.gpa, gpa);
	assert_int_equal(exit->mmio.size, size);
	memcpy(&got, exit->mmio.data, size);
	assert_true(got == value);
}

static void writes_mmio_of_all_sizes(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0x88, 0x07, /* mov [rdi], al */
		  0x66, 0x89, 0x07,		/* mov [rdi], ax */
		  0x89, 0x07,			/* mov [rdi], eax */
		  0x48, 0x89, 0x07,		/* mov [rdi], rax */
		  0xf4);
	bare.state.general.gpr[GPR_RDI] = 0xb8010;
	bare.state.general.gpr[GPR_RAX] = 0x1122334455667788;
	bare_put_general(&bare);
	expect_mmio_write(&bare, 0xb8010, 1, 0x88);
	expect_mmio_write(&bare, 0xb8010, 2, 0x7788);
	expect_mmio_write(&bare, 0xb8010, 4, 0x55667788);
	expect_mmio_write(&bare, 0xb8010, 8, 0x1122334455667788);
	bare_expect(&bare, EXIT_HLT);
	bare_close(&bare);
}

static void reads_mmio(void **unused)
{
	const struct vm_exit *exit;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0x8a, 0x07, /* mov al, [rdi] */
		  0x48, 0x8b, 0x0f,		/* mov rcx, [rdi] */
		  0xf4);
	bare.state.general.gpr[GPR_RDI] = 0xb8010;
	bare.state.general.gpr[GPR_RAX] = 0xffff;
	bare_put_general(&bare);
	exit = bare_expect(&bare, EXIT_MMIO);
	assert_false(exit->mmio.write);
	assert_int_equal(exit->mmio.size, 1);
	exit->mmio.data[0] = 0x5a;
	exit = bare_expect(&bare, EXIT_MMIO);
	assert_int_equal(exit->mmio.size, 8);
	memcpy(exit->mmio.data, "\x01\x02\x03\x04\x05\x06\x07\x88", 8);
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(reg(&bare, GPR_RAX), 0xff5a);
	assert_true(reg(&bare, GPR_RCX) == 0x8807060504030201);
	bare_close(&bare);
}

/* The first half of this store is RAM. */
static void splits_an_access_at_the_end_of_ram(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0x48, 0x89, 0x07, 0xf4); /* mov [rdi], rax; hlt */
	bare.state.general.gpr[GPR_RDI] = BARE_RAM - 4;
	bare.state.general.gpr[GPR_RAX] = 0x1122334455667788;
	bare_put_general(&bare);
	expect_mmio_write(&bare, BARE_RAM, 4, 0x11223344);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	assert_memory_equal(bare.memory + BARE_RAM - 4, "\x88\x77\x66\x55", 4);
	bare_expect(&bare, EXIT_HLT);
	bare_close(&bare);
}

static void a_readonly_slot_reports_writes(void **unused)
{
	struct accel_slot slot = {.id = 5, .gpa = 0x300000, .size = 0x1000, .readonly = true};
	struct error err;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	slot.hva = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memcpy(slot.hva, "abcd", 4);
	assert_int_equal(bare.ops->slot_set(bare.vm, &slot, &err), 0);
	BARE_LOAD(&bare, BARE_LONG, 0x8b, 0x0f, 0x89, 0x07,
		  0xf4); /* mov ecx, [rdi]; mov [rdi], eax */
	bare.state.general.gpr[GPR_RDI] = 0x300000;
	bare.state.general.gpr[GPR_RAX] = 0x12345678;
	bare_put_general(&bare);
	expect_mmio_write(&bare, 0x300000, 4, 0x12345678);
	assert_memory_equal(slot.hva, "abcd", 4);
	bare_expect(&bare, EXIT_HLT);
	assert_int_equal(reg(&bare, GPR_RCX), 0x64636261);
	munmap(slot.hva, 0x1000);
	bare_close(&bare);
}

static void slot_errors_are_sentences(void **unused)
{
	struct accel_slot slot = {.id = 5, .gpa = 0x1000, .size = 0x1000};
	struct error err = {0};
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	slot.hva = bare.memory;
	assert_int_equal(bare.ops->slot_set(bare.vm, &slot, &err), -EEXIST);
	assert_non_null(strstr(err.text, "slot 5, 0x1000 bytes at 0x1000"));
	assert_non_null(strstr(err.text, "overlaps"));
	slot.gpa = 0x300800;
	assert_int_equal(bare.ops->slot_set(bare.vm, &slot, &err), -EINVAL);
	assert_non_null(strstr(err.text, "multiples of 4 KiB"));
	bare_close(&bare);
}

/* Memory that the host cannot provide. A KVM that emulates instructions takes it for MMIO. */
static void a_lost_page_is_reported(void **unused)
{
	struct accel_slot slot = {.id = 5, .gpa = 0x300000, .size = 0x1000};
	struct error err;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	slot.hva = mmap(NULL, 0x1000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_int_equal(bare.ops->slot_set(bare.vm, &slot, &err), 0);
	BARE_LOAD(&bare, BARE_LONG, 0x8b, 0x07, 0xf4); /* mov eax, [rdi] */
	bare.state.general.gpr[GPR_RDI] = 0x300000;
	bare_put_general(&bare);
	if (bare_run(&bare) == EXIT_HOST_ERROR) {
		assert_int_equal(bare.exit.host_errno, EFAULT);
		assert_int_equal(rip(&bare), BARE_CODE);
	} else {
		assert_int_equal(bare.exit.reason, EXIT_MMIO);
		assert_int_equal(bare.exit.mmio.gpa, 0x300000);
	}
	munmap(slot.hva, 0x1000);
	bare_close(&bare);
}

/* ---- the coalesced ring ----------------------------------------------------------------- */

struct drained {
	unsigned count;
	struct {
		bool pio;
		uint64_t addr;
		unsigned size;
		uint32_t value;
	} write[200];
};

static void remember(void *ctx, bool pio, uint64_t addr, unsigned size, const void *data)
{
	struct drained *drained = ctx;
	unsigned i = drained->count++;

	assert_true(i < 200);
	drained->write[i].pio = pio;
	drained->write[i].addr = addr;
	drained->write[i].size = size;
	memcpy(&drained->write[i].value, data, size);
}

static void coalesces_in_order(void **unused)
{
	static struct drained drained;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	if (bare.ops->coalesce(bare.vm, 0xb8000, 0x1000, false) == -ENOTSUP ||
	    bare.ops->coalesce(bare.vm, 0x80, 1, true) == -ENOTSUP) {
		print_message("no coalesced MMIO or port I/O in this KVM\n");
		bare_close(&bare);
		skip();
	}
	BARE_LOAD(&bare, BARE_LONG, 0x31, 0xc0, 0xff, 0xc0, /* xor eax, eax; 1: inc eax */
		  0x89, 0x07,				    /* mov [rdi], eax */
		  0xe6, 0x80,				    /* out 0x80, al */
		  0x83, 0xf8, 0x14, 0x75, 0xf5,		    /* cmp eax, 20; jne 1b */
		  0xe6, 0x10);				    /* out 0x10, al */
	bare.state.general.gpr[GPR_RDI] = 0xb8020;
	bare_put_general(&bare);
	bare_expect_out(&bare, 0x10, 1, 20);
	memset(&drained, 0, sizeof(drained));
	bare.ops->coalesced_drain(bare.vm, remember, &drained);
	assert_int_equal(drained.count, 40);
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(drained.write[i].pio, i % 2);
		assert_int_equal(drained.write[i].addr, i % 2 ? 0x80 : 0xb8020);
		assert_int_equal(drained.write[i].size, i % 2 ? 1 : 4);
		assert_int_equal(drained.write[i].value, i / 2 + 1);
	}
	bare.ops->coalesced_drain(bare.vm, remember, &drained);
	assert_int_equal(drained.count, 40);
	bare_close(&bare);
}

/* A ring that nobody drains fills up; then the write exits, and still nothing is lost. */
static void a_full_ring_exits(void **unused)
{
	static struct drained drained;
	uint32_t next = 1;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	if (bare.ops->coalesce(bare.vm, 0xb8000, 0x1000, false) == -ENOTSUP) {
		bare_close(&bare);
		skip();
	}
	BARE_LOAD(&bare, BARE_LONG, 0x31, 0xc0, 0xff, 0xc0, 0x89, 0x07, 0xeb, 0xfa);
	bare.state.general.gpr[GPR_RDI] = 0xb8020;
	bare_put_general(&bare);
	for (int round = 0; round < 20; round++) {
		const struct vm_exit *exit = bare_expect(&bare, EXIT_MMIO);
		uint32_t value;

		memcpy(&value, exit->mmio.data, sizeof(value));
		drained.count = 0;
		bare.ops->coalesced_drain(bare.vm, remember, &drained);
		assert_true(drained.count > 10);
		for (unsigned i = 0; i < drained.count; i++)
			assert_int_equal(drained.write[i].value, next++);
		assert_int_equal(value, next++);
	}
	bare_close(&bare);
}

/* The ring belongs to the VM: the vCPU that came first may go first. */
static void the_ring_outlives_the_first_vcpu(void **unused)
{
	static struct drained drained;
	struct accel_vcpu *second;
	struct error err;
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, &with_controllers);
	if (bare.ops->coalesce(bare.vm, 0xb8000, 0x1000, false) == -ENOTSUP) {
		bare_close(&bare);
		skip();
	}
	assert_int_equal(bare.ops->vcpu_create(bare.vm, 1, &second, &err), 0);
	BARE_LOAD(&bare, BARE_LONG, 0x89, 0x07, 0xe6, 0x10); /* mov [rdi], eax; out 0x10, al */
	bare.state.general.gpr[GPR_RDI] = 0xb8020;
	bare_put_general(&bare);
	bare_expect_out(&bare, 0x10, 1, 0);
	bare.ops->vcpu_destroy(bare.vcpu);
	bare.vcpu = second;
	memset(&drained, 0, sizeof(drained));
	bare.ops->coalesced_drain(bare.vm, remember, &drained);
	assert_int_equal(drained.count, 1);
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
	answer(&bare, 0x10, 1, "\x20");
	reason = bare_complete(&bare);
	assert_true(reason == EXIT_INTR || reason == EXIT_DEBUG);
	assert_int_equal(rip(&bare), BARE_CODE + 2);
	assert_int_equal(reg(&bare, GPR_RAX), 0x20);
	set_debug(&bare, (struct accel_debug){.step = true, .inject = -1});
	expect_debug(&bare, BARE_CODE + 4, VECTOR_DB, DR6_BS);
	assert_int_equal(reg(&bare, GPR_RAX), 0x21);
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
	assert_int_equal(reg(&bare, GPR_RAX), 1);
	debug.dr7 = dr7_enable(0, 0, DR_EXEC, 1);
	set_debug(&bare, debug);
	expect_debug(&bare, BARE_CODE + 6, VECTOR_DB, 1 << 0);
	assert_int_equal(reg(&bare, GPR_RAX), 2);
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
		assert_int_equal(rip(&bare), BARE_CODE + 1);
		break;
	case EXIT_INTERNAL_ERROR:
		assert_int_equal(bare.exit.internal.suberror, INTERNAL_EMULATION);
		assert_true(bare.exit.internal.insn_length >= 1);
		assert_memory_equal(bare.exit.internal.insn, "\xcc\x90\xf4", 3);
		assert_int_equal(rip(&bare), BARE_CODE + 1);
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

/* ---- interrupts ------------------------------------------------------------------------- */

static void injects_through_the_window(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0xe6, 0x77, 0x90, 0xfb, 0x90, 0xeb,
		  0xfe); /* …; sti; nop; jmp . */
	bare_expect_out(&bare, 0x77, 1, 0);
	assert_false(bare.ops->interrupt_ready(bare.vcpu));
	bare.ops->interrupt_window(bare.vcpu, true);
	bare_expect(&bare, EXIT_IRQ_WINDOW);
	assert_true(bare.ops->interrupt_ready(bare.vcpu));
	bare.ops->interrupt_window(bare.vcpu, false);
	assert_int_equal(bare.ops->interrupt(bare.vcpu, 0x55), 0);
	assert_false(bare.ops->interrupt_ready(bare.vcpu)); /* one at a time */
	bare_expect_out(&bare, 0xe9, 1, 0x55);
	bare_close(&bare);
}

static void clearing_if_closes_the_window(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0xfb, 0x90, 0xeb, 0xfe);
	bare.ops->interrupt_window(bare.vcpu, true);
	bare_expect(&bare, EXIT_IRQ_WINDOW);
	bare_get(&bare, CPU_GENERAL);
	bare.state.general.rflags &= ~(uint64_t)RFLAGS_IF;
	bare_put_general(&bare);
	assert_false(bare.ops->interrupt_ready(bare.vcpu));
	bare_close(&bare);
}

static void delivers_an_nmi(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, &with_controllers);
	BARE_LOAD(&bare, BARE_LONG, 0xeb, 0xfe);
	assert_int_equal(bare.ops->nmi(bare.vcpu), 0);
	bare_expect_out(&bare, 0xe9, 1, VECTOR_NMI);
	bare_close(&bare);
}

static void raises_a_line_of_the_kernels_controller(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, &with_controllers);
	/* Both local APIC registers that let the 8259 through, then the 8259 with base 0x40. */
	BARE_LOAD(&bare, BARE_LONG, 0xbf, 0xf0, 0x00, 0xe0, 0xfe, 0xc7, 0x07, 0xff, 0x01, 0, 0,
		  0xbf, 0x50, 0x03, 0xe0, 0xfe, 0xc7, 0x07, 0x00, 0x07, 0, 0, 0xb0, 0x11, 0xe6,
		  0x20, 0xb0, 0x40, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21,
		  0xb0, 0x00, 0xe6, 0x21, 0xe6, 0x77, 0xfb, 0xf4, 0xeb, 0xfd);
	bare_expect_out(&bare, 0x77, 1, 0);
	assert_int_equal(bare.ops->irq_line(bare.vm, 4, true), 0);
	bare_expect_out(&bare, 0xe9, 1, 0x44);
	assert_int_equal(bare.ops->irq_line(bare.vm, 4, false), 0);
	bare_close(&bare);
}

static void reset_brings_the_controllers_back(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, &with_controllers);
	/* Mask IRQs in the 8259, change the local APIC's spurious vector, tell both. */
	BARE_LOAD(&bare, BARE_LONG, 0xb0, 0xa5, 0xe6, 0x21, 0xbf, 0xf0, 0x00, 0xe0, 0xfe, 0xc7,
		  0x07, 0x7e, 0x01, 0, 0, 0xe4, 0x21, 0xe6, 0x10, 0x8b, 0x07, 0xe7, 0x11, 0xeb,
		  0xf6);
	bare_expect_out(&bare, 0x10, 1, 0xa5);
	bare_expect_out(&bare, 0x11, 4, 0x17e);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	assert_int_equal(bare.ops->vm_reset(bare.vm), 0);
	assert_int_equal(bare.ops->vcpu_reset(bare.vcpu), 0);
	bare_expect_out(&bare, 0x10, 1, 0);
	bare_expect_out(&bare, 0x11, 4, 0xff);
	bare_close(&bare);
}

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
	assert_int_equal(reg(&bare, GPR_RAX), 0x55667788);
	assert_int_equal(reg(&bare, GPR_RDX), 0x11223344);
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
		assert_int_equal(reg(&bare, GPR_RAX), 7 * i + 7);
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

static void completion_keeps_a_kick(void **unused)
{
	struct bare_vm bare;

	(void)unused;
	open_kvm(&bare, NULL);
	BARE_LOAD(&bare, BARE_LONG, 0xe4, 0x10, 0xe6, 0x11, 0xf4);
	answer(&bare, 0x10, 1, "\x33");
	bare.ops->vcpu_kick(bare.vcpu, pthread_self());
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	assert_int_equal(rip(&bare), BARE_CODE + 2);
	bare_expect(&bare, EXIT_INTR);
	bare_expect(&bare, EXIT_INTR);
	bare.ops->vcpu_kick_done(bare.vcpu);
	bare_expect_out(&bare, 0x11, 1, 0x33);
	assert_int_equal(bare_complete(&bare), EXIT_INTR);
	bare_expect(&bare, EXIT_HLT); /* completing is no kick */
	bare_close(&bare);
}

struct kicked {
	struct bare_vm bare;
	_Atomic unsigned long asked, answered;
	atomic_bool quit;
	unsigned long exits, complaints;
};

static void *answer_kicks(void *argument)
{
	struct kicked *kicked = argument;

	while (!atomic_load(&kicked->quit)) {
		kicked->bare.ops->vcpu_kick_done(kicked->bare.vcpu);
		atomic_store(&kicked->answered, atomic_load(&kicked->asked));
		kicked->bare.ops->vcpu_run(kicked->bare.vcpu, &kicked->bare.exit);
		kicked->exits++;
		if (kicked->bare.exit.reason == EXIT_IO)
			kicked->bare.ops->vcpu_complete(kicked->bare.vcpu, &kicked->bare.exit);
		kicked->complaints += kicked->bare.exit.reason != EXIT_INTR;
	}
	return NULL;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Asks, kicks, waits: an answer that stays away for ten seconds is a lost kick. */
static bool kick_once(struct kicked *kicked, pthread_t thread)
{
	unsigned long mine = atomic_fetch_add(&kicked->asked, 1) + 1;
	double give_up = seconds() + 10;

	kicked->bare.ops->vcpu_kick(kicked->bare.vcpu, thread);
	while (atomic_load(&kicked->answered) < mine)
		if (seconds() > give_up)
			return false;
	return true;
}

/* So many, or as many as fit into a few seconds where threads do not run side by side. */
static void kick_many(struct kicked *kicked, unsigned long rounds)
{
	unsigned long lost = 0, done;
	double start = seconds();
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, answer_kicks, kicked), 0);
	for (done = 0; done < rounds && !lost && seconds() < start + 8; done++)
		lost += !kick_once(kicked, thread);
	print_message("%lu kicks, %.1f us each\n", done, (seconds() - start) * 1e6 / (double)done);
	atomic_store(&kicked->quit, true);
	kicked->bare.ops->vcpu_kick(kicked->bare.vcpu, thread);
	pthread_join(thread, NULL);
	assert_int_equal(lost, 0);
	assert_int_equal(kicked->complaints, 0);
}

static void no_kick_is_lost_in_a_loop(void **unused)
{
	static struct kicked kicked;

	(void)unused;
	open_kvm(&kicked.bare, NULL);
	BARE_LOAD(&kicked.bare, BARE_LONG, 0xeb, 0xfe);
	kick_many(&kicked, 50000);
	bare_close(&kicked.bare);
}

/* Here kicks meet the thread outside KVM_RUN, and in the middle of a completion. */
static void no_kick_is_lost_between_exits(void **unused)
{
	static struct kicked kicked;

	(void)unused;
	open_kvm(&kicked.bare, NULL);
	BARE_LOAD(&kicked.bare, BARE_LONG, 0xe6, 0x10, 0xeb, 0xfc);
	kick_many(&kicked, 50000);
	assert_true(kicked.exits > 500);
	bare_close(&kicked.bare);
}

/* The guest sleeps in the kernel. */
static void a_kick_ends_hlt(void **unused)
{
	static struct kicked kicked;

	(void)unused;
	open_kvm(&kicked.bare, &with_controllers);
	BARE_LOAD(&kicked.bare, BARE_LONG, 0xfa, 0xf4, 0xeb, 0xfd);
	kick_many(&kicked, 2000);
	bare_get(&kicked.bare, CPU_EVENTS);
	assert_int_equal(kicked.bare.state.events.run_state, CPU_HALTED);
	bare_close(&kicked.bare);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(writes_ports_of_all_sizes),
		T(reads_ports_of_all_sizes),
		T(writes_strings),
		T(reads_strings),
		T(writes_mmio_of_all_sizes),
		T(reads_mmio),
		T(splits_an_access_at_the_end_of_ram),
		T(a_readonly_slot_reports_writes),
		T(slot_errors_are_sentences),
		T(a_lost_page_is_reported),
		T(coalesces_in_order),
		T(a_full_ring_exits),
		T(the_ring_outlives_the_first_vcpu),
		T(triple_fault_is_a_shutdown),
		T(exceptions_are_the_guests),
		T(steps_in_real_mode),
		T(steps_in_long_mode),
		T(completion_ends_a_step_over_io),
		T(slots_stop_execution),
		T(int3_arrives),
		T(gives_db_back_to_the_guest),
		T(injects_through_the_window),
		T(clearing_if_closes_the_window),
		T(delivers_an_nmi),
		T(raises_a_line_of_the_kernels_controller),
		T(reset_brings_the_controllers_back),
		T(answers_msrs),
		T(refuses_msrs),
		T(state_round_trip),
		T(refuses_impossible_state),
		T(unchanged_msrs_are_not_written),
		T(synced_state_is_the_state),
		T(application_processors_wait),
		T(completion_keeps_a_kick),
		T(no_kick_is_lost_in_a_loop),
		T(no_kick_is_lost_between_exits),
		T(a_kick_ends_hlt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
