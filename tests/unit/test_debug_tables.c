// SPDX-License-Identifier: GPL-3.0-or-later
/* Descriptor tables as a guest may have them, good and bad, on the dummy accelerator. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <string.h>

#define GDT 0x4000u
#define LDT 0x5000u
#define IDT 0x6000u

static void start(struct rig *rig, unsigned gdt_limit, unsigned idt_limit)
{
	struct cpu_system *system;

	*rig = (struct rig){0};
	rig_start(rig, 1, IRQCHIP_KERNEL);
	system = &vcpu_state(&rig->machine->vcpus[0], CPU_SYSTEM)->system;
	system->gdt = (struct cpu_table){GDT, (uint16_t)gdt_limit};
	system->idt = (struct cpu_table){IDT, (uint16_t)idt_limit};
}

static struct cpu_system *system_of(struct rig *rig)
{
	return &vcpu_state(&rig->machine->vcpus[0], CPU_SYSTEM)->system;
}

static void put(struct rig *rig, uint64_t gpa, uint64_t descriptor)
{
	assert_int_equal(mem_write_phys(rig->machine->memory, gpa, &descriptor, 8), 8);
}

static int entry_at(struct rig *rig, enum descriptor_table table, uint32_t offset,
		    struct table_entry *entry)
{
	return debug_table_entry(rig->debug, 0, table, offset, entry);
}

/* A code segment at 0x12340000, and gates through it. */
static void targets_have_the_base_of_their_segment(void **unused)
{
	struct table_entry entry;
	struct rig rig;

	(void)unused;
	start(&rig, 0x2f, 0xff);
	put(&rig, GDT + 8, 0x12cf9a340000ffff);
	put(&rig, GDT + 16, 0x00018c0000081234); /* call gate to 8:0x11234 */
	put(&rig, IDT + 0x40, 0x00008e0000085678);
	put(&rig, IDT + 0x48, 0x0000850000180000); /* task gate */
	assert_int_equal(entry_at(&rig, TABLE_GDT, 8, &entry), 8);
	assert_int_equal(entry.descriptor.kind, DESCRIPTOR_CODE);
	assert_int_equal(entry.descriptor.base, 0x12340000);
	assert_int_equal(entry.address, GDT + 8);
	assert_int_equal(entry.target, 0);
	assert_int_equal(entry_at(&rig, TABLE_GDT, 16, &entry), 8);
	assert_int_equal(entry.descriptor.kind, DESCRIPTOR_CALL_GATE);
	assert_int_equal(entry.target, 0x12340000 + 0x11234);
	assert_int_equal(entry_at(&rig, TABLE_IDT, 0x40, &entry), 8);
	assert_int_equal(entry.target, 0x12340000 + 0x5678);
	assert_int_equal(entry_at(&rig, TABLE_IDT, 0x48, &entry), 8);
	assert_int_equal(entry.descriptor.kind, DESCRIPTOR_TASK_GATE);
	assert_int_equal(entry.target, 0);
	rig_stop(&rig);
}

static void gates_that_lead_to_gates(void **unused)
{
	struct table_entry entry;
	struct rig rig;

	(void)unused;
	start(&rig, 0x2f, 0xff);
	put(&rig, GDT + 8, 0x00008c0000080010);	 /* to itself */
	put(&rig, GDT + 16, 0x00008c00fff80020); /* beyond the end */
	put(&rig, GDT + 24, 0x00008c0000040030); /* into an LDT that is not there */
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(entry_at(&rig, TABLE_GDT, 8 * i, &entry), 8);
		assert_int_equal(entry.target, 0x10 * i);
	}
	rig_stop(&rig);
}

static void where_tables_end(void **unused)
{
	struct table_entry entry;
	uint64_t base;
	uint32_t limit;
	struct rig rig;

	(void)unused;
	start(&rig, 0x17, 0x0e);
	assert_int_equal(entry_at(&rig, TABLE_GDT, 0x10, &entry), 8);
	assert_int_equal(entry_at(&rig, TABLE_GDT, 0x18, &entry), 0);
	assert_int_equal(entry_at(&rig, TABLE_GDT, 0xffffffff, &entry), 0);
	assert_int_equal(entry_at(&rig, TABLE_IDT, 0, &entry), 8);
	assert_int_equal(entry_at(&rig, TABLE_IDT, 8, &entry), 0); /* one byte is missing */
	assert_int_equal(entry_at(&rig, TABLE_LDT, 0, &entry), -ENOENT);
	system_of(&rig)->seg[SEG_LDTR] = (struct cpu_segment){
		.base = LDT, .limit = 0xffffffff, .selector = 0x28, .present = 1};
	put(&rig, LDT + 0xfff8, 0x00cf92000000ffff);
	assert_int_equal(debug_table(rig.debug, 0, TABLE_LDT, &base, &limit), 0);
	assert_int_equal(limit, 0xffff);
	assert_int_equal(entry_at(&rig, TABLE_LDT, 0xfff8, &entry), 8);
	assert_int_equal(entry.descriptor.kind, DESCRIPTOR_DATA);
	assert_int_equal(entry_at(&rig, TABLE_LDT, 0x10000, &entry), 0);
	system_of(&rig)->gdt.base = RIG_RAM - 4; /* half an entry is RAM */
	assert_int_equal(entry_at(&rig, TABLE_GDT, 0, &entry), -EFAULT);
	system_of(&rig)->gdt.base = 0xf0000000;
	assert_int_equal(entry_at(&rig, TABLE_GDT, 0, &entry), -EFAULT);
	assert_int_equal(debug_table_entry(rig.debug, 1, TABLE_GDT, 0, &entry), -EBUSY);
	rig_stop(&rig);
}

static void long_modes_entries_are_wide(void **unused)
{
	struct table_entry entry;
	struct rig rig;

	(void)unused;
	start(&rig, 0x2f, 0x2f);
	system_of(&rig)->efer = EFER_LME | EFER_LMA;
	put(&rig, GDT + 8, 0x00209a0000000000);
	put(&rig, GDT + 16, 0x00008b0050000067); /* a TSS, whose upper half follows */
	put(&rig, GDT + 24, 0xffff8000);
	put(&rig, IDT + 16, 0x81008e0200081234);
	put(&rig, IDT + 24, 0xffffffff);
	assert_int_equal(entry_at(&rig, TABLE_GDT, 16, &entry), 16);
	assert_int_equal(entry.descriptor.base, 0xffff800000005000);
	assert_int_equal(entry_at(&rig, TABLE_IDT, 16, &entry), 16);
	assert_int_equal(entry.target, 0xffffffff81001234);
	assert_int_equal(entry.descriptor.stack, 2);
	assert_int_equal(entry_at(&rig, TABLE_IDT, 0x20, &entry), 16);
	assert_int_equal(entry_at(&rig, TABLE_IDT, 0x28, &entry), 0);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_have_the_base_of_their_segment),
		cmocka_unit_test(gates_that_lead_to_gates),
		cmocka_unit_test(where_tables_end),
		cmocka_unit_test(long_modes_entries_are_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
