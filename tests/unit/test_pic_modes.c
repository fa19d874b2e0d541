// SPDX-License-Identifier: GPL-3.0-or-later
/* The 8259's modes: nesting, rotation, automatic ends, polling, levels. */
#include "pic_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_special_fully_nested(void **state)
{
	(void)state;
	initialize(0x11);
	pulse(12);
	assert_int_equal(acknowledge(), 0x2c);
	pulse(9); /* higher on the second chip: comes through at once */
	assert_int_equal(acknowledge(), 0x29);
	pulse(14);
	assert_false(pics.intr);
}

static void test_auto_eoi(void **state)
{
	(void)state;
	initialize(0x03);
	pulse(4);
	assert_int_equal(acknowledge(), 0x24);
	assert_int_equal(isr(MASTER), 0);
	pic_out(MASTER, 0x80); /* rotate with each */
	pulse(4);
	assert_int_equal(acknowledge(), 0x24);
	pulse(3);
	pulse(5);
	assert_int_equal(acknowledge(), 0x25);
	assert_int_equal(acknowledge(), 0x23);
	pic_out(MASTER, 0x00);
	pulse(6);
	pulse(4);
	assert_int_equal(acknowledge(), 0x24); /* 3 stays lowest */
	pulse(4);
	assert_int_equal(acknowledge(), 0x24);
}

static void test_rotation(void **state)
{
	(void)state;
	pic_out(MASTER, 0xc4); /* 4 is lowest, so 5 is highest */
	pulse(4);
	pulse(5);
	pulse(0);
	assert_int_equal(acknowledge(), 0x25);
	pic_out(MASTER, 0xa0); /* ends 5 and makes it lowest */
	pulse(5);
	assert_int_equal(acknowledge(), 0x20);
	pic_out(MASTER, 0xe0); /* ends 0 and makes it lowest */
	pulse(0);
	assert_int_equal(acknowledge(), 0x24);
	pic_out(MASTER, 0x40); /* nothing */
	assert_int_equal(isr(MASTER), 0x10);
	pic_out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x25);
	pic_out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x20);
}

static void test_special_mask_mode(void **state)
{
	(void)state;
	pulse(1);
	acknowledge();
	pulse(4);
	assert_false(pics.intr);
	pic_out(MASTER + 1, 0x02);
	pic_out(MASTER, 0x68);
	assert_int_equal(acknowledge(), 0x24); /* lower, and let through */
	pic_out(MASTER, 0x20);
	assert_int_equal(isr(MASTER), 0x02); /* the masked one was not ended */
	pulse(5);
	pic_out(MASTER, 0x48);
	assert_false(pics.intr);
}

static void test_spurious(void **state)
{
	(void)state;
	pic_raise(3);
	assert_true(pics.intr);
	pic_out(MASTER + 1, 0x08); /* masked before the acknowledge */
	assert_false(pics.intr);
	assert_int_equal(pic_acknowledge(pics.pic), 0x27);
	assert_int_equal(isr(MASTER), 0);
	pic_out(MASTER + 1, 0x00);
	assert_int_equal(acknowledge(), 0x23);
}

static void test_level_triggered(void **state)
{
	(void)state;
	pic_out(ELCR, 0xff);
	pic_out(ELCR + 1, 0xff);
	assert_int_equal(pic_in(ELCR), 0xf8); /* timer, keyboard, cascade cannot be */
	assert_int_equal(pic_in(ELCR + 1), 0xde);
	pic_raise(11);
	assert_int_equal(acknowledge(), 0x2b);
	pic_out(SLAVE, 0x20);
	pic_out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x2b); /* it still asks */
	pic_drop(11);
	pic_out(SLAVE, 0x20);
	pic_out(MASTER, 0x20);
	assert_false(pics.intr);
	pic_raise(11);
	pic_drop(11);
	assert_false(pics.intr); /* a level that is gone leaves nothing */
	pic_raise(11);
	pic_out(ELCR + 1, 0x00);
	pic_drop(11);
	assert_true(pics.intr); /* now it was an edge */
}

static void test_poll(void **state)
{
	(void)state;
	pulse(6);
	pic_out(MASTER, 0x0c);
	assert_int_equal(pic_in(MASTER), 0x86);
	assert_int_equal(isr(MASTER), 0x40);
	assert_false(pics.intr);
	pic_out(MASTER, 0x66);
	pulse(0);
	pic_out(MASTER, 0x0c);
	assert_int_equal(pic_in(MASTER), 0x80);
	pic_out(MASTER, 0x0c);
	assert_int_equal(pic_in(MASTER + 1), 0x07); /* nothing; from the data port, too */
	assert_int_equal(pic_in(MASTER + 1), 0x00); /* one read, one poll */
}

static void test_icw1_forgets_edges(void **state)
{
	(void)state;
	pic_out(ELCR, 0x20);
	pic_raise(3);
	pic_raise(5);
	acknowledge();
	pic_out(MASTER, 0x11);
	pic_out(MASTER + 1, 0x20);
	pic_out(MASTER + 1, 0x04);
	pic_out(MASTER + 1, 0x01);
	assert_int_equal(isr(MASTER), 0);
	assert_int_equal(irr(MASTER), 0x20); /* the level asks on */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pic_setup, pic_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_special_fully_nested),
		TEST(test_auto_eoi),
		TEST(test_rotation),
		TEST(test_special_mask_mode),
		TEST(test_spurious),
		TEST(test_level_triggered),
		TEST(test_poll),
		TEST(test_icw1_forgets_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
