// SPDX-License-Identifier: GPL-3.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "watch_rig.h"
#include "x86/mode.h"

#include <stdlib.h>
#include <string.h>

char by_page[] = "watch=page,access=page";
char by_steps[] = "watch=compare,access=compare";

void watch_start(struct rig *rig, unsigned vcpus, const char *strategy)
{
	rig_needs_kvm();
	*rig = (struct rig){.accel = &accel_kvm, .config = rig->config};
	if (strategy)
		assert_int_equal(debug_strategy_parse(strategy, &rig->config.strategy, NULL), 0);
	rig_start(rig, vcpus, IRQCHIP_KERNEL);
	for (unsigned i = 0; i < vcpus; i++)
		rig_set_reg(rig, (int)i, "rsp", i ? 0xe000 : STACK);
}

void put32(struct rig *rig, uint64_t gpa, uint32_t value)
{
	assert_int_equal(mem_write_phys(rig->machine->memory, gpa, &value, 4), 4);
}

uint64_t watch_get(struct rig *rig, uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	assert_int_equal(mem_read_phys(rig->machine->memory, gpa, &value, size), size);
	return value;
}

int watch_load(struct rig *rig, const void *code, size_t size)
{
	uint8_t padded[64];

	assert_true(size < sizeof(padded));
	memset(padded, NOP, sizeof(padded));
	memcpy(padded, code, size);
	rig_code(rig, 0, padded, sizeof(padded));
	rig_set_reg(rig, 0, "rip", RIG_CODE);
	rig_set_reg(rig, 0, "rsp", STACK);
	rig_set_reg(rig, 0, "rdi", DATA);
	rig_set_reg(rig, 0, "rsi", RIG_CODE);
	rig_set_reg(rig, 0, "rcx", 4);
	rig_set_reg(rig, 0, "rax", 0x11223344);
	rig_set_reg(rig, 0, "rdx", 0);
	rig_set_reg(rig, 0, "rbx", 0x55667788);
	rig_set_reg(rig, 0, "rflags", 2);
	return rig_break(rig, RIG_CODE + size);
}

void expect_text(const struct stop *stop, const char *wanted)
{
	if (strcmp(stop->text, wanted) != 0)
		fail_msg("'%s', not '%s'", stop->text, wanted);
}

void expect_end(struct rig *rig, int point)
{
	const struct stop *stop = rig_wait_stop(rig);

	if (stop->point != point)
		fail_msg("stopped with '%s', not at the end: pc 0x%llx rsp 0x%llx", stop->text,
			 (unsigned long long)stop->pc, (unsigned long long)rig_reg(rig, 0, "rsp"));
}

void expect_refusal(struct rig *rig, enum point_kind kind, uint64_t address, const char *because)
{
	const struct point_spec spec = {.kind = kind, .address = address, .length = 4};
	struct error err = {0};

	assert_true(debug_point_add(rig->debug, &spec, OWNER_CONSOLE, &err) < 0);
	if (!strstr(err.text, because))
		fail_msg("'%s' says nothing of '%s'", err.text, because);
}

#define GDT	0x3000ull
#define PML4	0x10000ull
#define PDPT	0x11000ull
#define PD_APIC 0x13000ull

void put64(struct rig *rig, uint64_t gpa, uint64_t value)
{
	assert_int_equal(mem_write_phys(rig->machine->memory, gpa, &value, 8), 8);
}

/* 2 MiB at the bottom and around the local APIC, identity. */
static void put_page_tables(struct rig *rig)
{
	const uint64_t present_write = 3, large = 0x80, size = 2 << 20;

	put64(rig, PML4, PDPT | present_write);
	put64(rig, PDPT, PD_LOW | present_write);
	put64(rig, PDPT + 8 * (APIC >> 30), PD_APIC | present_write);
	put64(rig, PD_LOW, large | present_write);
	put64(rig, PD_APIC + 8 * (APIC / size % 512), (APIC & ~(size - 1)) | large | present_write);
}

void enter_long_mode(struct rig *rig)
{
	struct vcpu *vcpu = &rig->machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_SYSTEM);

	put64(rig, GDT + 8, 0x00af9b000000ffff);
	put64(rig, GDT + 16, 0x00cf93000000ffff);
	put_page_tables(rig);
	cpu_segment_flat(&state->system.seg[SEG_CS], 8, true, 64);
	state->system.gdt = (struct cpu_table){.base = GDT, .limit = 23};
	state->system.idt = (struct cpu_table){.base = IDT, .limit = 0xfff};
	state->system.cr3 = PML4;
	state->system.cr4 |= CR4_PAE;
	state->system.cr0 |= CR0_PG | CR0_PE | CR0_WP;
	state->system.efer |= EFER_LME | EFER_LMA;
	vcpu_dirty(vcpu, CPU_SYSTEM);
	assert_int_equal(vcpu_flush(vcpu), 0);
}
