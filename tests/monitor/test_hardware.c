// SPDX-License-Identifier: GPL-3.0-or-later
/* The machine around the CPUs as the console shows it, over made-up chips. */
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void put_word(struct rig *rig, unsigned offset, uint32_t value)
{
	memcpy(rig->debug->lapic.bytes + offset, &value, sizeof(value));
}

static void test_lapic(void **state)
{
	struct rig *rig = *state;

	rig->debug->state[0].system.apic_base = 0xfee00900;
	put_word(rig, 0xf0, 0x1ff);
	put_word(rig, 0x210, 1u << 3 | 1u << 31); /* IRR: vectors 0x23 and 0x3f */
	put_word(rig, 0x320, 0x20030);
	contains(answer(rig, "info lapic"), "vCPU 0: xAPIC at 0xfee00000, bootstrap processor\n");
	contains(rig->text, "  SVR           0x000001ff  enabled, spurious vector 0xff\n");
	contains(rig->text, "  IRR           0x23 0x3f\n");
	contains(rig->text, "  ISR           no vector\n");
	contains(rig->text, "  LVT timer     0x00020030  vector 0x30, periodic\n");
	contains(answer(rig, "json info lapic"), "\"IRR\":[35,63]");
	rig->debug->no_lapic = true;
	contains(refusal(rig, "info lapic", -ENOTSUP), "-irqchip kernel");
}

static void test_ioapic(void **state)
{
	struct rig *rig = *state;

	refusal(rig, "info ioapic", -ENOTSUP);
	rig->debug->chips.has_ioapic = true;
	rig->debug->chips.ioapic.base = 0xfec00000;
	for (unsigned i = 0; i < IOAPIC_ENTRIES; i++)
		rig->debug->chips.ioapic.entry[i] = 0x10000;
	rig->debug->chips.ioapic.entry[4] = 2ull << 56 | 0xa924;
	contains(answer(rig, "info ioapic"),
		 "   4  vector 0x24, lowest priority, level, active low, to logical 2\n"
		 "23 of 24 pins are masked, and were never set\n");
}

static void test_pic(void **state)
{
	struct rig *rig = *state;

	refusal(rig, "info pic", -ENOTSUP);
	rig->debug->chips.has_pics = true;
	rig->debug->chips.pic[0] = (struct pc_pic){
		.base = 0x20, .irr = 0x11, .imr = 0xee, .isr = 1, .lines = 0x10, .highest = 5};
	rig->debug->chips.pic[1] = (struct pc_pic){.base = 0x28, .level = 0x80, .auto_eoi = true};
	contains(answer(rig, "info pic"), "PIC 1: vectors 0x20-0x27, line 5 is highest\n"
					  "   0  0x20  timer      requested in-service\n"
					  "   1  0x21  keyboard   masked\n");
	contains(rig->text, "   4  0x24  COM1       requested high\n");
	contains(rig->text, "PIC 2: vectors 0x28-0x2f, line 8 is highest, auto EOI\n"
			    "   8  0x28  clock\n");
	contains(rig->text, "  15  0x2f  disk       level-triggered\n");
	contains(answer(rig, "json info irq"),
		 "{\"line\":4,\"vector\":36,\"requested\":true,"
		 "\"in_service\":false,\"masked\":false,\"high\":true,");
}

static void test_pit(void **state)
{
	struct rig *rig = *state;

	refusal(rig, "info pit", -ENOTSUP);
	rig->debug->chips.has_timers = true;
	rig->debug->chips.timer[0] = (struct pc_timer){.mode = 2, .gate = true, .count = 11932};
	rig->debug->chips.timer[2] = (struct pc_timer){.mode = 3};
	answer(rig, "info pit");
	assert_string_equal(rig->text,
			    "  counter 0 (IRQ 0): mode 2, rate generator, count 11932: 99.998 Hz\n"
			    "  counter 1 (refresh): no count was loaded, gate closed\n"
			    "  counter 2 (speaker): no count was loaded, gate closed\n");
}

static void test_mtree(void **state)
{
	struct rig *rig = *state;

	answer(rig, "info mtree");
	assert_string_equal(rig->text,
			    "physical memory\n"
			    "  0x0000000000-0x00007fffff     8M  RAM\n"
			    "  0x00feb80000-0x00feb87fff    32K  text, writes are collected\n"
			    "ports\n"
			    "  0x0040-0x0043      4  pit, in KVM\n");
}

static void test_dirty(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "info dirty"), "ask again");
	assert_true(rig->debug->tracks_writes);
	contains(answer(rig, "info dirty"), "nothing was written since");
	rig->debug->written[0][0] = 0x200000;
	rig->debug->written[0][1] = 0x2000;
	rig->debug->written[1][0] = 0x700000;
	rig->debug->written[1][1] = 0x1000;
	contains(answer(rig, "info dirty"), "  0x0000200000-0x0000201fff     8K  at 0x200000");
	contains(rig->text, "  0x0000700000-0x0000700fff     4K  not mapped here\n"
			    "12K in pages that were written since the guest was last let run\n");
	answer(rig, "set track-writes off");
	assert_false(rig->debug->tracks_writes);
	rig->debug->running = true;
	contains(refusal(rig, "set track-writes on", -EBUSY), "running");
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

static const struct CMUnitTest tests[] = {
	ROW(test_lapic), ROW(test_ioapic), ROW(test_pic),
	ROW(test_pit),	 ROW(test_mtree),  ROW(test_dirty),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
