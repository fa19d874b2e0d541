// SPDX-License-Identifier: GPL-3.0-or-later
/* What is said of the local APIC's registers. */
#include "x86/lapic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct lapic lapic;

static void put(unsigned offset, uint32_t value)
{
	memcpy(lapic.bytes + offset, &value, sizeof(value));
}

static const struct lapic_register *find(const char *name)
{
	const struct lapic_register *reg;

	for (unsigned i = 0; (reg = lapic_register(i)); i++)
		if (!strcmp(reg->name, name))
			return reg;
	fail_msg("there is no register %s", name);
	return NULL;
}

static void expect(const char *name, uint32_t value, const char *wanted)
{
	const struct lapic_register *reg = find(name);
	char text[200];

	put(reg->offset, value);
	assert_int_equal(lapic_word(&lapic, reg->offset), value);
	assert_string_equal(lapic_text(&lapic, reg, text, sizeof(text)), wanted);
}

static int clear(void **unused)
{
	(void)unused;
	memset(&lapic, 0, sizeof(lapic));
	return 0;
}

static void values_have_words(void **unused)
{
	(void)unused;
	expect("ID", 3u << 24, "APIC 3");
	expect("version", 0x50014, "version 0x14, 6 LVT entries");
	expect("TPR", 0x20, "class 2: vectors from 0x30 on come");
	expect("LDR", 2u << 24, "logical destination 0x2");
	expect("DFR", 0xffffffff, "flat model");
	expect("SVR", 0x1ff, "enabled, spurious vector 0xff");
	expect("SVR", 0xff, "DISABLED, spurious vector 0xff");
	expect("ESR", 0, "none");
	expect("ESR", 0x60, "sent vector, received vector");
	expect("divide", 0xb, "divide by 1");
	expect("divide", 0x0, "divide by 2");
	expect("divide", 0x3, "divide by 16");
	expect("divide", 0xa, "divide by 128");
	expect("init count", 1000, "");
}

static void entries_of_the_lvt(void **unused)
{
	(void)unused;
	expect("LVT timer", 0x20020, "vector 0x20, periodic");
	expect("LVT timer", 0x10000, "vector 0x0, one-shot, masked");
	expect("LVT timer", 0x410ef, "vector 0xef, TSC deadline, pending");
	expect("LVT LINT0", 0x700, "ExtINT, edge, active high");
	expect("LVT LINT1", 0x400, "NMI, edge, active high");
	expect("LVT LINT1", 0x1e031, "vector 0x31, level, active low, remote IRR, masked");
	expect("LVT PMC", 0x400, "NMI");
	expect("LVT error", 0xfe, "vector 0xfe");
}

static void commands(void **unused)
{
	(void)unused;
	expect("ICR", 0xc4500, "INIT, to all others");
	expect("ICR", 0x608, "vector 0x8, startup, physical destination");
	expect("ICR", 0x41831, "vector 0x31, to itself, pending");
	expect("ICR", 0xc931, "vector 0x31, lowest priority, logical destination, level assert");
	expect("ICR2", 1u << 24, "destination 0x1");
}

static void vectors(void **unused)
{
	char text[2000];

	(void)unused;
	expect("ISR", 0, "none");
	put(0x100, 1u << 31);
	put(0x110, 3);
	put(0x170, 1u << 31);
	assert_string_equal(lapic_text(&lapic, find("ISR"), text, sizeof(text)),
			    "0x1f 0x20 0x21 0xff");
	assert_string_equal(lapic_text(&lapic, find("TMR"), text, sizeof(text)), "none");
	/* All of them do not fit, and nothing is written behind the end. */
	memset(lapic.bytes + 0x200, 0xff, 0x80);
	memset(text, '~', sizeof(text));
	lapic_text(&lapic, find("IRR"), text, 20);
	assert_int_equal(strlen(text), 19);
	assert_int_equal(text[20], '~');
}

static void the_base(void **unused)
{
	char text[80];

	(void)unused;
	assert_string_equal(lapic_base_text(0xfee00900, text, sizeof(text)),
			    "xAPIC at 0xfee00000, bootstrap processor");
	assert_string_equal(lapic_base_text(0xfee00c00, text, sizeof(text)),
			    "x2APIC at 0xfee00000");
	assert_string_equal(lapic_base_text(0xfee00000, text, sizeof(text)), "off");
}

static void registers_are_in_order_and_in_the_page(void **unused)
{
	const struct lapic_register *reg;
	unsigned next = 0;

	(void)unused;
	for (unsigned i = 0; (reg = lapic_register(i)); i++) {
		assert_true(reg->offset >= next && reg->offset % 16 == 0);
		next = reg->offset + reg->words * 16;
	}
	assert_true(next <= LAPIC_BYTES);
	assert_int_equal(lapic_word(&lapic, LAPIC_BYTES), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, clear)
	const struct CMUnitTest tests[] = {
		T(values_have_words), T(entries_of_the_lvt),
		T(commands),	      T(vectors),
		T(the_base),	      T(registers_are_in_order_and_in_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
