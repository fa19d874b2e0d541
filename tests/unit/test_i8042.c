// SPDX-License-Identifier: GPL-3.0-or-later
/* The keyboard controller. */
#include "device_host.h"
#include "device_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- 8042 ------------------------------------------------------------------------------------- */

/* What every kernel does before it writes, and before it reads. */
static void command(uint8_t value)
{
	assert_int_equal(device_in(0x64) & 0x02, 0);
	device_out(0x64, value);
}

static uint8_t answer(void)
{
	assert_int_equal(device_in(0x64) & 0x01, 0x01);
	return device_in(0x60);
}

static void test_i8042_self_test(void **state)
{
	(void)state;
	device_start(i8042_init);
	assert_int_equal(device_in(0x64), 0x1c);
	command(0xaa);
	assert_int_equal(answer(), 0x55);
	assert_int_equal(device_in(0x64) & 0x01, 0);
	assert_int_equal(device_in(0x60), 0x55); /* the buffer keeps its last byte */
	command(0xab);
	assert_int_equal(answer(), 0x00);
	command(0xa9);
	assert_int_equal(answer(), 0x00);
}

static void test_i8042_command_byte(void **state)
{
	(void)state;
	device_start(i8042_init);
	command(0x20);
	assert_int_equal(answer(), 0x65);
	command(0xad);
	command(0xa8);
	command(0x20);
	assert_int_equal(answer(), 0x55);
	command(0xae);
	command(0xa7);
	command(0x20);
	assert_int_equal(answer(), 0x65);
	command(0x60);
	assert_int_equal(device_in(0x64) & 0x08, 0x08);
	device_out(0x60, 0x43);
	assert_int_equal(device_in(0x64), 0x10); /* system flag off, last byte was data */
	command(0x20);
	assert_int_equal(answer(), 0x43);
	command(0x65);
	device_out(0x60, 0x99);
	command(0x25);
	assert_int_equal(answer(), 0x99);
}

static void test_i8042_absent_mouse_says_nothing(void **state)
{
	(void)state;
	device_start(i8042_init);
	command(0xd4);
	device_out(0x60, 0xf4);
	assert_int_equal(device_in(0x64) & 0x01, 0);
	command(0xbb); /* no such command */
	assert_int_equal(device_in(0x64) & 0x01, 0);
	assert_int_equal(one.h.requests, 0);
}

static void test_i8042_interrupts(void **state)
{
	(void)state;
	device_start(i8042_init);
	command(0xaa);
	assert_true(one.h.level[1]);
	device_in(0x60);
	assert_false(one.h.level[1]);
	command(0xd3);
	device_out(0x60, 0x5a);
	assert_int_equal(device_in(0x64) & 0x21, 0x21);
	assert_false(one.h.level[12]); /* not enabled */
	assert_false(one.h.level[1]);
	command(0x60);
	device_out(0x60, 0x02);
	assert_true(one.h.level[12]);
	assert_int_equal(device_in(0x60), 0x5a);
	assert_int_equal(device_in(0x64) & 0x21, 0);
	assert_false(one.h.level[12]);
	command(0xd2);
	device_out(0x60, 0x77);
	assert_false(one.h.level[1]); /* not enabled now */
	assert_int_equal(answer(), 0x77);
}

/* Scan codes come one at a time, each with an edge, and wait while something else is in the buffer. */
static void test_i8042_keys(void **state)
{
	static const uint8_t codes[] = {0x1e, 0x9e, 0x30}, many[513] = {0x39};

	(void)state;
	device_start(i8042_init);
	command(0xaa);
	assert_int_equal(i8042_keys(one.device, codes, 3), 3);
	assert_int_equal(device_in(0x60), 0x55);
	assert_true(one.h.level[1]);
	assert_int_equal(device_in(0x60), 0x1e);
	command(0xad); /* the keyboard's clock stops behind the byte that is there */
	assert_int_equal(answer(), 0x9e);
	assert_int_equal(device_in(0x64) & 0x01, 0);
	assert_false(one.h.level[1]);
	command(0xae);
	assert_int_equal(answer(), 0x30);
	assert_int_equal(device_in(0x64) & 0x01, 0);
	assert_int_equal(i8042_keys(one.device, many, 513), 0); /* all or none */
	assert_int_equal(i8042_keys(one.device, many, 512), 512);
	assert_int_equal(i8042_keys(one.device, many, 2), 0); /* one went on into the buffer */
	assert_int_equal(i8042_keys(one.device, codes, 1), 1);
	check_save_load(one.device, one.copy);
}

static void to_keyboard(uint8_t byte, const uint8_t *answers, unsigned count)
{
	unsigned edges = one.h.edges[1];

	device_out(0x60, byte);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(answer(), answers[i]);
	assert_int_equal(device_in(0x64) & 0x01, 0);
	assert_int_equal(one.h.edges[1] - edges, count);
}

static void test_i8042_keyboard_commands(void **state)
{
	static const uint8_t ack[] = {0xfa, 0x00}, passed[] = {0xfa, 0xaa}, resend[] = {0xfe},
			     id[] = {0xfa, 0xab, 0x41}, set[] = {0xfa, 0x41}, echo[] = {0xee},
			     key[] = {0x1e, 0x9e};
	static const uint8_t plain[] = {0xf4, 0xf5, 0xf6, 0xf7, 0xfa};

	(void)state;
	device_start(i8042_init);
	command(0xad);
	to_keyboard(0xff, passed, 2); /* talking to it starts its clock */
	to_keyboard(0xf2, id, 3);
	to_keyboard(0xee, echo, 1);
	to_keyboard(0xfe, echo, 1); /* once more */
	to_keyboard(0xed, ack, 1);
	to_keyboard(0x07, ack, 1);
	to_keyboard(0xf0, ack, 1);
	to_keyboard(0x00, set, 2);
	to_keyboard(0xf0, ack, 1);
	to_keyboard(0x02, ack, 1);
	to_keyboard(0xf0, ack, 1);
	to_keyboard(0x01, resend, 1); /* the controller translates set 2 alone */
	to_keyboard(0xed, ack, 1);
	to_keyboard(0xf2, id, 3); /* in place of a parameter */
	to_keyboard(0x07, resend, 1);
	for (unsigned i = 0; i < sizeof(plain); i++)
		to_keyboard(plain[i], ack, 1);
	assert_int_equal(i8042_keys(one.device, key, 2), 2);
	assert_int_equal(answer(), 0x1e);
	device_out(0x60, 0xed); /* answers come before keys */
	check_save_load(one.device, one.copy);
	assert_int_equal(answer(), 0x9e); /* but the controller had that one */
	assert_int_equal(answer(), 0xfa);
	device_out(0x60, 0xf5);
	assert_int_equal(answer(), 0xfa);
	assert_int_equal(i8042_keys(one.device, key, 2), 2); /* it does not look */
	assert_int_equal(device_in(0x64) & 0x01, 0);
	for (unsigned i = 0; i < 10000; i++) /* and nothing overflows */
		device_out(0x60, (uint8_t)(i * 7));
	check_save_load(one.device, one.copy);
}

static void test_i8042_a20(void **state)
{
	(void)state;
	device_start(i8042_init);
	command(0xd0);
	assert_int_equal(answer() & 0x03, 0x03);
	command(0xd1);
	device_out(0x60, 0xdd);
	command(0xd0);
	assert_int_equal(answer(), 0xcd);
	command(0xdf);
	command(0xd0);
	assert_int_equal(answer(), 0xcf);
	command(0xdd);
	command(0xd0);
	assert_int_equal(answer(), 0xcd);
	assert_int_equal(one.h.requests, 0);
	command(0xc0);
	assert_int_equal(answer(), 0x80);
}

static void test_i8042_reset_line(void **state)
{
	(void)state;
	device_start(i8042_init);
	command(0xff); /* pulses nothing */
	command(0xfd);
	assert_int_equal(one.h.requests, 0);
	command(0xfe);
	assert_int_equal(one.h.requests, 1);
	assert_int_equal(one.h.request, HOST_RESET);
	assert_string_equal(one.h.why, "keyboard controller, command 0xfe");
	command(0xd1);
	device_out(0x60, 0x02);
	assert_int_equal(one.h.requests, 2);
	assert_string_equal(one.h.why, "keyboard controller, output port bit 0");
}

static void test_i8042_save_and_load(void **state)
{
	(void)state;
	device_start(i8042_init);
	command(0xd3);
	device_out(0x60, 0x5a);
	command(0x60);
	device_out(0x60, 0x03);
	command(0xd1); /* its parameter is still to come */
	check_save_load(one.device, one.copy);
	assert_true(one.copy_host.level[12]);
	out8(&one.copy_host, 0x60, 0xfe);
	assert_int_equal(one.copy_host.requests, 1);
	one.copy->reset(one.copy);
	assert_false(one.copy_host.level[12]);
	assert_int_equal(in8(&one.copy_host, 0x64), 0x1c);
}

/* ---- text screen ------------------------------------------------------------------------------ */

#define TEST(name) cmocka_unit_test_setup_teardown(name, device_setup, device_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_i8042_self_test),
		TEST(test_i8042_command_byte),
		TEST(test_i8042_absent_mouse_says_nothing),
		TEST(test_i8042_interrupts),
		TEST(test_i8042_keys),
		TEST(test_i8042_keyboard_commands),
		TEST(test_i8042_a20),
		TEST(test_i8042_reset_line),
		TEST(test_i8042_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
