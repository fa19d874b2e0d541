// SPDX-License-Identifier: GPL-3.0-or-later
/* What descriptors say, over the ones that guests have: values by hand from the figures of SDM vol. 3A. */
#include "x86/descriptor_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct descriptor d;

static const char *decode(uint64_t low, uint64_t high, bool long_mode, bool in_idt)
{
	static char text[80];
	uint64_t words[2] = {low, high};

	descriptor_decode((const uint8_t *)words, sizeof(words), long_mode, in_idt, &d);
	return descriptor_text(&d, text, sizeof(text));
}

static void test_segments(void **state)
{
	(void)state;
	assert_string_equal(decode(0x00af9b000000ffff, 0, true, false),
			    "code, 64 bits, readable, accessed");
	assert_int_equal(d.kind, DESCRIPTOR_CODE);
	assert_int_equal(d.limit, 0xffffffff);
	assert_int_equal(d.bytes, 8);
	assert_true(d.present && d.dpl == 0 && d.base == 0);
	assert_string_equal(decode(0x00cff3000000ffff, 0, true, false),
			    "data, 32 bits, writable, accessed");
	assert_int_equal(d.dpl, 3);
	assert_string_equal(decode(0x12409c345678abcd, 0, false, false),
			    "code, 32 bits, execute-only, conforming");
	assert_int_equal(d.base, 0x12345678);
	assert_int_equal(d.limit, 0xabcd);
	assert_string_equal(decode(0x0000940000000fff, 0, false, false),
			    "data, 16 bits, read-only, expand-down");
	/* L means nothing outside long mode. */
	assert_string_equal(decode(0x00af9a000000ffff, 0, false, false),
			    "code, 16 bits (64 in long mode), readable");
	assert_string_equal(decode(0x00cf13000000ffff, 0, true, false),
			    "data, 32 bits, writable, accessed");
	assert_false(d.present);
}

static void test_empty(void **state)
{
	(void)state;
	assert_string_equal(decode(0, 0x1234, true, false), "empty");
	assert_int_equal(d.bytes, 8);
	assert_string_equal(decode(0, 0, true, true), "empty");
	assert_int_equal(d.bytes, 16);
	assert_string_equal(decode(0, 0x1234, true, true), "reserved type 0");
}

static void test_system_segments(void **state)
{
	(void)state;
	assert_string_equal(decode(0x80008b4056780067, 0xffff8800, true, false),
			    "TSS, 64 bits, busy");
	assert_int_equal(d.bytes, 16);
	assert_int_equal(d.base, 0xffff880080405678);
	assert_int_equal(d.limit, 0x67);
	assert_string_equal(decode(0x80008b4056780067, 0xffff8800, false, false),
			    "TSS, 32 bits, busy");
	assert_int_equal(d.bytes, 8);
	assert_int_equal(d.base, 0x80405678);
	assert_string_equal(decode(0x8000814056780067, 0, false, false), "TSS, 16 bits, available");
	assert_string_equal(decode(0x8000814056780067, 0, true, false), "reserved type 1");
	assert_string_equal(decode(0x8000824056780067, 0, true, false), "LDT");
	assert_int_equal(d.bytes, 16);
}

static void test_gates(void **state)
{
	(void)state;
	assert_string_equal(decode(0x80408e0300085678, 0xffffffff, true, true),
			    "interrupt gate, 64 bits");
	assert_int_equal(d.offset, 0xffffffff80405678);
	assert_int_equal(d.selector, 8);
	assert_int_equal(d.stack, 3);
	assert_true(d.present);
	assert_string_equal(decode(0x8040ef0000085678, 0, false, true), "trap gate, 32 bits");
	assert_int_equal(d.offset, 0x80405678);
	assert_int_equal(d.dpl, 3);
	assert_string_equal(decode(0x8040860000085678, 0, false, true), "interrupt gate, 16 bits");
	assert_int_equal(d.offset, 0x5678);
	assert_string_equal(decode(0x0000850000280000, 0, false, true), "task gate");
	assert_int_equal(d.selector, 0x28);
	assert_string_equal(decode(0x80408c0500085678, 0, false, false), "call gate, 32 bits");
	assert_int_equal(d.stack, 5);
	/* A segment has no business in an IDT; a task gate none in long mode. */
	assert_string_equal(decode(0x00af9b000000ffff, 0, true, true), "reserved type 11");
	assert_string_equal(decode(0x0000850000280000, 0, true, true), "reserved type 5");
	assert_string_equal(decode(0x00008b0000280000, 0, false, true), "reserved type 11");
}

/* The upper half is not there at the end of a table. */
static void test_half_of_one(void **state)
{
	uint64_t low = 0x80008b4056780067;

	(void)state;
	descriptor_decode((const uint8_t *)&low, 8, true, false, &d);
	assert_int_equal(d.base, 0x80405678);
	assert_int_equal(d.bytes, 16);
}

/* Each field lies behind the one before. */
static void test_tss_fields(void **state)
{
	static const unsigned bits[] = {16, 32, 64}, size[] = {44, 104, 104};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		unsigned count, end = 0;
		const struct tss_field *field = tss_fields(bits[i], &count);

		for (; count--; field++) {
			assert_true(field->offset >= end);
			end = field->offset + field->bytes;
		}
		assert_int_equal(end, size[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments),	cmocka_unit_test(test_empty),
		cmocka_unit_test(test_system_segments), cmocka_unit_test(test_gates),
		cmocka_unit_test(test_half_of_one),	cmocka_unit_test(test_tss_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
