// SPDX-License-Identifier: GPL-3.0-or-later
#include "bare_vm.h"

#include "x86/mode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum {
	MEMORY = BARE_HIGH + 0x100000,
	GDT = 0x8000,
	IDT = 0xc000,
	HANDLERS = 0xe000,
	PML4 = 0x90000,
	PDPT = 0x91000,
	PD = 0x92000,
	CODE_SELECTOR = 8,
	DATA_SELECTOR = 16,
};

bool bare_available(const struct accel_ops *ops)
{
	struct accel_config config = {.vcpus = 1};
	struct accel_vm *vm;
	struct error err;

	if (ops->vm_create(&config, &vm, &err) == 0) {
		ops->vm_destroy(vm);
		return true;
	}
	print_message("no %s here: %s\n", ops->name, err.text);
	return false;
}

static void set_slot(struct bare_vm *bare, unsigned id, uint64_t gpa, uint64_t size)
{
	struct accel_slot slot = {.id = id, .gpa = gpa, .size = size, .hva = bare->memory + gpa};
	struct error err = {0};

	if (bare->ops->slot_set(bare->vm, &slot, &err) < 0)
		fail_msg("%s", err.text);
}

void bare_open(struct bare_vm *bare, const struct accel_ops *ops, const struct accel_config *config)
{
	const struct accel_config plain = {.vcpus = 1};
	struct error err = {0};

	memset(bare, 0, sizeof(*bare));
	bare->ops = ops;
	bare->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			    0);
	assert_true(bare->memory != MAP_FAILED);
	if (ops->vm_create(config ? config : &plain, &bare->vm, &err) < 0)
		fail_msg("%s", err.text);
	set_slot(bare, 0, 0, BARE_RAM);
	set_slot(bare, 1, BARE_HIGH, MEMORY - BARE_HIGH);
	if (ops->vcpu_create(bare->vm, 0, &bare->vcpu, &err) < 0)
		fail_msg("%s", err.text);
}

void bare_close(struct bare_vm *bare)
{
	bare->ops->vcpu_destroy(bare->vcpu);
	bare->ops->vm_destroy(bare->vm);
	munmap(bare->memory, MEMORY);
}

/* ---- the CPU's beginning ---------------------------------------------------------------- */

static void put64(struct bare_vm *bare, uint64_t gpa, uint64_t value)
{
	memcpy(bare->memory + gpa, &value, sizeof(value));
}

/* mov al, n; out 0xe9, al; hlt */
static void write_handlers(struct bare_vm *bare)
{
	for (unsigned n = 0; n < 256; n++) {
		uint64_t handler = HANDLERS + 16 * n;
		const uint8_t code[] = {0xb0, (uint8_t)n, 0xe6, 0xe9, 0xf4};

		memcpy(bare->memory + handler, code, sizeof(code));
		put64(bare, IDT + 16 * n,
		      (handler & 0xffff) | CODE_SELECTOR << 16 | 0x8e00ull << 32);
		put64(bare, IDT + 16 * n + 8, 0);
	}
}

/* The first 4 GiB, mapped to themselves by 2 MiB pages. */
static void write_page_tables(struct bare_vm *bare)
{
	put64(bare, PML4, PDPT | 7);
	for (uint64_t i = 0; i < 4; i++)
		put64(bare, PDPT + 8 * i, (PD + 0x1000 * i) | 7);
	for (uint64_t i = 0; i < 4 * 512; i++)
		put64(bare, PD + 8 * i, i << 21 | 0x87);
}

static void enter_real(struct cpu_state *state)
{
	for (int i = SEG_ES; i <= SEG_GS; i++)
		cpu_segment_real(&state->system.seg[i], 0);
	state->system.idt = (struct cpu_table){.base = 0, .limit = 0x3ff};
}

static void enter_long(struct bare_vm *bare, struct cpu_state *state)
{
	write_handlers(bare);
	write_page_tables(bare);
	put64(bare, GDT + CODE_SELECTOR, 0x00af9b000000ffffull);
	put64(bare, GDT + DATA_SELECTOR, 0x00cf93000000ffffull);
	for (int i = SEG_ES; i <= SEG_GS; i++)
		cpu_segment_flat(&state->system.seg[i], DATA_SELECTOR, false, 32);
	cpu_segment_flat(&state->system.seg[SEG_CS], CODE_SELECTOR, true, 64);
	state->system.gdt = (struct cpu_table){.base = GDT, .limit = 0x1f};
	state->system.idt = (struct cpu_table){.base = IDT, .limit = 0xfff};
	state->system.cr3 = PML4;
	state->system.cr4 |= CR4_PAE | CR4_OSFXSR;
	state->system.cr0 = CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE;
	state->system.efer = EFER_LME | EFER_LMA;
}

void bare_load(struct bare_vm *bare, enum bare_mode mode, const void *code, size_t size)
{
	struct cpu_general general = {.rip = BARE_CODE, .rflags = RFLAGS_FIXED};

	memcpy(bare->memory + BARE_CODE, code, size);
	assert_int_equal(bare->ops->state_get(bare->vcpu, CPU_ALL, &bare->state), 0);
	general.gpr[GPR_RSP] = BARE_STACK;
	general.gpr[GPR_RBX] = general.gpr[GPR_RDI] = BARE_DATA;
	bare->state.general = general;
	if (mode == BARE_REAL)
		enter_real(&bare->state);
	else
		enter_long(bare, &bare->state);
	assert_int_equal(bare->ops->state_put(bare->vcpu, CPU_SYSTEM | CPU_GENERAL, &bare->state),
			 0);
}

void bare_put_general(struct bare_vm *bare)
{
	assert_int_equal(bare->ops->state_put(bare->vcpu, CPU_GENERAL, &bare->state), 0);
}

void bare_get(struct bare_vm *bare, unsigned groups)
{
	assert_int_equal(bare->ops->state_get(bare->vcpu, groups, &bare->state), 0);
}

/* ---- running ---------------------------------------------------------------------------- */

enum exit_reason bare_run(struct bare_vm *bare)
{
	bare->ops->vcpu_run(bare->vcpu, &bare->exit);
	return bare->exit.reason;
}

enum exit_reason bare_complete(struct bare_vm *bare)
{
	bare->ops->vcpu_complete(bare->vcpu, &bare->exit);
	return bare->exit.reason;
}

const struct vm_exit *bare_expect(struct bare_vm *bare, enum exit_reason reason)
{
	char text[200];

	if (bare_run(bare) == reason)
		return &bare->exit;
	vm_exit_describe(&bare->exit, text, sizeof(text));
	fail_msg("expected %s, got %s", exit_reason_name(reason), text);
	return NULL;
}

const struct vm_exit *bare_expect_out(struct bare_vm *bare, uint16_t port, unsigned size,
				      uint32_t value)
{
	const struct vm_exit *exit = bare_expect(bare, EXIT_IO);
	uint32_t got = 0;

	assert_true(exit->io.write);
	assert_int_equal(exit->io.port, port);
	assert_int_equal(exit->io.size, size);
	assert_int_equal(exit->io.count, 1);
	memcpy(&got, exit->io.data, size);
	assert_int_equal(got, value);
	return exit;
}
