// SPDX-License-Identifier: GPL-3.0-or-later
/* The serial port's loopback. */
#include "serial_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_loopback_data(void **state)
{
	(void)state;
	out(MCR, 0x1e);
	out(DATA, 0xae);
	assert_int_equal(serial.sent_count, 0);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(in(DATA), 0xae);
	assert_int_equal(serial_receive(serial.serial, "z", 1), 0);
	assert_int_equal(serial.ready, 0);
	out(MCR, 0x0f);
	assert_int_equal(serial.ready, 1);
	out(DATA, 'k');
	assert_string_equal(serial.sent, "k");
}

static void test_loopback_overrun(void **state)
{
	(void)state;
	out(MCR, 0x10);
	out(IER, 0x05);
	out(DATA, 1);
	out(DATA, 2);
	assert_int_equal(in(IIR), 0x06); /* line status comes first */
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(LSR), 0x61); /* told once */
	assert_int_equal(in(DATA), 2);	 /* the single register holds the later byte */
	out(FCR, 0x01);
	for (int i = 0; i < 17; i++)
		out(DATA, (uint8_t)i);
	assert_int_equal(in(LSR), 0x63);
	for (int i = 0; i < 16; i++)
		assert_int_equal(in(DATA), i); /* the FIFO holds the earlier ones */
	assert_int_equal(in(LSR), 0x60);
}

static void test_loopback_modem_lines(void **state)
{
	static const struct {
		uint8_t mcr, msr;
	} rows[] = {{0x10, 0x00}, {0x11, 0x20}, {0x12, 0x10},
		    {0x14, 0x40}, {0x18, 0x80}, {0x1f, 0xf0}};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		out(MCR, rows[i].mcr);
		in(MSR);
		assert_int_equal(in(MSR), rows[i].msr);
	}
	out(MCR, 0x10);
	in(MSR);
	out(MCR, 0x12);
	assert_int_equal(in(MSR), 0x11); /* CTS rose */
	assert_int_equal(in(MSR), 0x10);
	out(MCR, 0x16);
	assert_int_equal(in(MSR), 0x50); /* RI's rise is not told … */
	out(MCR, 0x12);
	assert_int_equal(in(MSR), 0x14); /* … its fall is */
	out(IER, 0x08);
	out(MCR, 0x10);
	assert_int_equal(in(IIR), 0x00);
	in(MSR);
	assert_int_equal(in(IIR), 0x01);
}

static void test_loopback_shuts_the_line(void **state)
{
	(void)state;
	out(IER, 0x01);
	out(MCR, 0x18);
	out(DATA, 1);
	assert_int_equal(in(IIR), 0x04);
	assert_false(irq());
	out(MCR, 0x08);
	assert_true(irq());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, serial_setup, serial_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_loopback_data),
		TEST(test_loopback_overrun),
		TEST(test_loopback_modem_lines),
		TEST(test_loopback_shuts_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
