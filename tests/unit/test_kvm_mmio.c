// SPDX-License-Identifier: GPL-3.0-or-later
/* Memory under KVM: accesses outside RAM, slots, and the coalesced ring. */
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
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

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
	assert_int_equal(kvm_reg(&bare, GPR_RAX), 0xff5a);
	assert_true(kvm_reg(&bare, GPR_RCX) == 0x8807060504030201);
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
	assert_int_equal(kvm_reg(&bare, GPR_RCX), 0x64636261);
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
		assert_int_equal(kvm_rip(&bare), BARE_CODE);
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

/* ---- kicks ------------------------------------------------------------------------------ */

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(writes_mmio_of_all_sizes),
		T(reads_mmio),
		T(splits_an_access_at_the_end_of_ram),
		T(a_readonly_slot_reports_writes),
		T(slot_errors_are_sentences),
		T(a_lost_page_is_reported),
		T(coalesces_in_order),
		T(a_full_ring_exits),
		T(the_ring_outlives_the_first_vcpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
