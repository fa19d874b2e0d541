// SPDX-License-Identifier: GPL-3.0-or-later
/* Page walks, mappings and descriptor tables as the console shows them, over tables made by hand. */
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GDT 0x10000u
#define IDT 0x11000u
#define TSS 0x12000u

static void put(struct rig *rig, uint64_t at, uint64_t value)
{
	memcpy(rig->debug->ram + at, &value, sizeof(value));
}

static struct cpu_system *system_of(struct rig *rig)
{
	return &rig->debug->state[0].system;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static void test_what_faults(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "pt 0x200014"), "  else #PF: user read 0x5, write 0x7, execute 0x5\n");
	put(rig, FAKE_TABLES + 0x2008, 1ull << 63 | 0x2001a1);
	system_of(rig)->efer |= EFER_NXE;
	contains(answer(rig, "pt 0x200014"), "present read-only kernel accessed\n");
	contains(rig->text, "   global no-execute 2M\n");
	contains(rig->text,
		 "  else #PF: kernel write 0x3, execute 0x11 · user read 0x5, write 0x7, "
		 "execute 0x15\n");
	system_of(rig)->cr0 &= ~CR0_WP;
	contains(answer(rig, "pt 0x200014"), "  else #PF: kernel execute 0x11 · user");
	contains(rig->text, "· may read, write in ring 0 (WP is off) · kernel only\n");
}

/* Pages of ring 3 are kept from ring 0 by SMEP, and by SMAP unless AC is set. */
static void test_smep_and_smap(void **state)
{
	struct rig *rig = *state;

	put(rig, FAKE_TABLES + 0x1000, (FAKE_TABLES + 0x2000) | 0x27);
	put(rig, FAKE_TABLES + 0x2008, 0x2000e7);
	lacks(answer(rig, "pt 0x200014"), "#PF");
	contains(rig->text, "· user and kernel\n");
	system_of(rig)->cr4 |= 3ull << 20;
	contains(answer(rig, "pt 0x200014"),
		 "  else #PF: kernel read 0x1, write 0x3, execute 0x11\n");
	contains(rig->text, "SMEP on, SMAP on)");
	rig->debug->state[0].general.rflags |= 1 << 18;
	contains(answer(rig, "pt 0x200014"), "  else #PF: kernel execute 0x11\n");
}

static void test_odd_entries(void **state)
{
	struct rig *rig = *state;

	put(rig, FAKE_TABLES + 0x2008, 0x2023e3); /* bit 13 is reserved, bit 9 the guest's */
	contains(answer(rig, "pt 0x200014"), " software-0x200 RESERVED BIT\n");
	contains(rig->text,
		 "→ a reserved bit is set: #PF, error code 9 for a kernel read, 13 for a "
		 "user read\n");
	put(rig, FAKE_TABLES + 0x1000, 0x40000023);
	contains(answer(rig, "pt 0x200014"), "this table lies outside RAM\n");
	put(rig, FAKE_TABLES + 0x1000, 0x400000e3); /* a page of 1 GiB where no RAM is */
	contains(answer(rig, "pt 0x200014"), "→ physical 0x40200014 (no RAM) · may read");
}

/* PAE's first level has no rights to show. */
static void test_pae(void **state)
{
	struct rig *rig = *state;
	struct cpu_system *system = system_of(rig);

	system->efer = 0;
	system->seg[SEG_CS].l = 0;
	system->seg[SEG_CS].db = 1;
	put(rig, FAKE_TABLES, (FAKE_TABLES + 0x2000) | 1);
	contains(answer(rig, "pt 0x200014"), "3 levels");
	contains(rig->text, "  PDPT[  0] at 0x1000 = 0x0000000000003001   present\n");
	contains(answer(rig, "info mem"), "  0x00000000-0x005fffff       6M  rwx kernel\n");
}

static void test_info_mem(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "info mem"),
		 "  0x0000000000000000-0x00000000005fffff       6M  rwx kernel\n6M mapped\n");
	put(rig, FAKE_TABLES + 0x2008, 0x200081);
	answer(rig, "info mem");
	assert_string_equal(rig->text,
			    "  0x0000000000000000-0x00000000001fffff       2M  rwx kernel\n"
			    "  0x0000000000200000-0x00000000003fffff       2M  r-x kernel\n"
			    "  0x0000000000400000-0x00000000005fffff       2M  rwx kernel\n"
			    "6M mapped\n");
	answer(rig, "info mem 0x400000");
	assert_string_equal(rig->text,
			    "  0x0000000000400000-0x00000000005fffff       2M  rwx kernel\n"
			    "2M mapped from there on\n");
	system_of(rig)->cr0 &= ~CR0_PG;
	contains(answer(rig, "info mem"), "paging is off");
}

static void test_info_tlb(void **state)
{
	struct rig *rig = *state;

	put(rig, FAKE_TABLES + 0x2008, 0x400063 | 0x80); /* somewhere else */
	answer(rig, "info tlb");
	assert_string_equal(
		rig->text,
		"  0x0000000000000000 → 0x0             1 × 2M  rwx kernel accessed dirty\n"
		"  0x0000000000200000 → 0x400000        1 × 2M  rwx kernel accessed dirty\n"
		"  0x0000000000400000 → 0x400000        1 × 2M  rwx kernel accessed dirty\n"
		"6M mapped\n");
	put(rig, FAKE_TABLES + 0x2008, 0x2000e3);
	contains(answer(rig, "info tlb"), "→ 0x0             3 × 2M  rwx kernel accessed dirty\n");
	contains(answer(rig, "json info tlb"), "\"pages\":[{\"linear\":\"0x0\",\"physical\":"
					       "\"0x0\",\"page_size\":\"0x200000\",\"pages\":3,");
}

/* A guest may have made millions of ranges: what is shown is bounded, and can be gone on from. */
static void test_many_ranges(void **state)
{
	struct rig *rig = *state;
	char line[64];
	const char *more;

	for (unsigned i = 0; i < 512; i++)
		put(rig, FAKE_TABLES + 0x1000 + i * 8, (FAKE_TABLES + 0x2000) | 0x23);
	for (unsigned i = 0; i < 512; i++)
		put(rig, FAKE_TABLES + 0x2000 + i * 8, 0x81 | (i & 1) << 1);
	answer(rig, "info mem");
	more = strstr(rig->text, "  and more: info mem 0x");
	assert_non_null(more);
	assert_int_equal(sscanf(more, "  and more: %63[^g]", line), 1);
	contains(answer(rig, line), "r-x kernel\n");
	assert_true(rig->size < 100000);
	for (unsigned i = 0; i < 512; i++)
		put(rig, FAKE_TABLES + i * 8, FAKE_TABLES | 3);
	contains(answer(rig, "info mem"), "do they contain themselves?");
}

static void test_host_address(void **state)
{
	struct rig *rig = *state;
	char wanted[64];

	snprintf(wanted, sizeof(wanted), "hva: %p in process ", (void *)(rig->debug->ram + 0x1000));
	contains(answer(rig, "gpa2hva 0x1000"), wanted);
	refusal(rig, "gpa2hva 0x1000000", -EFAULT);
}

/* ---- descriptors ---------------------------------------------------------------------------- */

static void make_gdt(struct rig *rig)
{
	static const uint64_t gdt[] = {
		0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0, 0x00008b0120000067,
		0, 0x0000120000000fff};
	struct cpu_system *system = system_of(rig);

	memcpy(rig->debug->ram + GDT, gdt, sizeof(gdt));
	system->gdt = (struct cpu_table){GDT, sizeof(gdt) - 1};
	system->seg[SEG_TR] = (struct cpu_segment){
		.selector = 0x20, .base = TSS, .limit = 0x67, .type = 11, .present = 1};
	system->seg[SEG_LDTR].unusable = 1;
	system->seg[SEG_FS].selector = 0;
}

static void test_gdt(void **state)
{
	struct rig *rig = *state;

	make_gdt(rig);
	answer(rig, "info gdt");
	assert_string_equal(
		rig->text,
		"gdt at 0x10000, limit 0x37\n"
		"  0x08  code, 64 bits, readable, accessed, dpl 0, flat   ← cs\n"
		"  0x10  data, 32 bits, writable, accessed, dpl 0, flat   ← es ss ds gs\n"
		"  0x20  TSS, 64 bits, busy, dpl 0, base 0x12000 limit 0x67   ← tr\n"
		"  0x30  data, 16 bits, writable, dpl 0, NOT PRESENT, base 0x0 limit 0xfff\n");
	system_of(rig)->gdt.base = 0x5ffff8;
	contains(answer(rig, "info gdt"), "  from 0x8 on nothing is mapped\n");
	contains(refusal(rig, "info ldt", -ENOENT), "there is no LDT");
	system_of(rig)->seg[SEG_LDTR] = (struct cpu_segment){
		.selector = 0x28, .base = GDT, .limit = 15, .present = 1};
	contains(answer(rig, "info ldt"), "  0x0c  code, 64 bits");
}

static void put_gate(struct rig *rig, unsigned vector, uint64_t low, uint64_t high)
{
	put(rig, IDT + vector * 16, low);
	put(rig, IDT + vector * 16 + 8, high);
}

static void test_idt(void **state)
{
	struct rig *rig = *state;
	uint64_t handler = address_of(rig, "add_one");
	char wanted[128];

	make_gdt(rig);
	system_of(rig)->idt = (struct cpu_table){IDT, 0x7ff};
	put_gate(rig, 14, (handler & 0xffff) | 8 << 16 | 0x8e02ull << 32 | handler >> 16 << 48, 0);
	put_gate(rig, 15, 0x00000f0000080000, 0);
	answer(rig, "info idt");
	snprintf(wanted, sizeof(wanted),
		 "   14 #PF  interrupt gate, 64 bits, dpl 0, 0x8:0x%llx <add_one>, stack ist2\n",
		 (unsigned long long)handler);
	contains(rig->text, wanted);
	contains(rig->text, "    0-13   empty\n");
	contains(rig->text, "   15      trap gate, 64 bits, dpl 0, NOT PRESENT, 0x8:0x0\n");
	contains(rig->text, "   16-127  empty\n  128-255  beyond the limit\n");
	answer(rig, "info idt 14");
	assert_non_null(strchr(rig->text, '\n'));
	contains(rig->text, wanted);
	lacks(rig->text, "empty");
	contains(answer(rig, "json info idt 14"), "\"symbol\":\"add_one\",\"ist\":2}]");
	refusal(rig, "info idt 256", -EINVAL);
}

static void test_tss(void **state)
{
	struct rig *rig = *state;

	make_gdt(rig);
	put(rig, TSS + 4, 0x301000);
	put(rig, TSS + 36, 0x302000);
	put(rig, TSS + 96, 0x68ull << 48);
	contains(answer(rig, "info tss"), "TR 0x20, 64 bits, busy: tss at 0x12000, limit 0x67\n");
	contains(rig->text, "  rsp0    0x301000\n");
	contains(rig->text, "  ist1    0x302000\n");
	contains(rig->text, "  iomap   0x68\n  no map of ports");
	system_of(rig)->seg[SEG_TR].limit = 0x30;
	contains(answer(rig, "info tss"), "  ist3    is not there\n");
}

static void test_real_mode(void **state)
{
	struct rig *rig = *state;
	struct cpu_state *cpu = &rig->debug->state[0];

	cpu_state_reset(cpu, true);
	put(rig, 0, 0xf000e2c3f000e2c3);
	put(rig, 8, 0x00200014);
	contains(answer(rig, "info ivt"), "ivt at 0x0, limit 0xffff\n"
					  "    0-1    f000:e2c3\n"
					  "    2      0020:0014\n"
					  "    3-255  0000:0000\n");
	contains(answer(rig, "info ivt 2"), "    2      0020:0014\n");
	contains(refusal(rig, "info idt", -EINVAL), "info ivt");
	answer(rig, "info gdt");
	assert_string_equal(rig->text, "gdt at 0x0, limit 0xffff\nreal mode does not use it\n");
	contains(answer(rig, "p 0xf000:0xfff0"), "0xffff0 = ");
	contains(answer(rig, "x/wx 0:8"), "0x8: 0x00200014\n");
	cpu->system.seg[SEG_DS].base = 0x100;
	contains(answer(rig, "p $ds:0x10"), "0x110 = ");
	contains(answer(rig, "p ds:0x10 + 1"), "0x111 = ");
	contains(answer(rig, "p *(u16 *)(0:8)"), "0x14 = ");
}

static void test_far_addresses(void **state)
{
	struct rig *rig = *state;

	make_gdt(rig);
	system_of(rig)->seg[SEG_FS].base = 0x1000;
	contains(answer(rig, "p $fs:0x28"), "0x1028 = ");
	contains(answer(rig, "p $cs : 0x28"), "0x28 = ");
	contains(answer(rig, "p 0x10:0x28"), "0x28 = ");
	contains(refusal(rig, "p 0x40:0x28", -ENXIO), "the selector 0x40 names no segment");
	contains(answer(rig, "break 0x8:0x200014"), "breakpoint");
	assert_int_equal(rig->debug->points[0].spec.address, 0x200014);
	answer(rig, "break cs:0x200018");
	assert_int_equal(rig->debug->points[1].spec.address, 0x200018);
	answer(rig, "break fixture.c:19");
	assert_int_not_equal(rig->debug->points[2].spec.address, 0x19);
	refusal(rig, "p $cs:", -EINVAL);
	refusal(rig, "p 1:2:3", -ENXIO);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const struct CMUnitTest tests[] = {
	ROW(test_what_faults),	 ROW(test_smep_and_smap), ROW(test_odd_entries),
	ROW(test_pae),		 ROW(test_info_mem),	  ROW(test_info_tlb),
	ROW(test_many_ranges),	 ROW(test_host_address),  ROW(test_gdt),
	ROW(test_idt),		 ROW(test_tss),		  ROW(test_real_mode),
	ROW(test_far_addresses),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
