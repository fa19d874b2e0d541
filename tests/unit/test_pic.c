// SPDX-License-Identifier: GPL-3.0-or-later
#include "device_host.h"
#include "pic_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_initialization(void **state)
{
	(void)state;
	assert_int_equal(pic_in(MASTER + 1), 0); /* the mask is open */
	assert_int_equal(pic_in(MASTER), 0);
	pic_out(MASTER + 1, 0xfb);
	pic_out(SLAVE + 1, 0xff);
	assert_int_equal(pic_in(MASTER + 1), 0xfb);
	assert_int_equal(pic_in(SLAVE + 1), 0xff);
	pic_out(MASTER, 0x13); /* single, so no ICW3 */
	pic_out(MASTER + 1, 0x47);
	pic_out(MASTER + 1, 0x01);
	pic_out(MASTER + 1, 0x10);
	assert_int_equal(pic_in(MASTER + 1), 0x10);
	pic_raise(0);
	assert_int_equal(acknowledge(), 0x40); /* the vector's low bits are the line */
	pic_out(MASTER, 0x12);		       /* no ICW4 either */
	pic_out(MASTER + 1, 0x50);
	pic_out(MASTER + 1, 0x55);
	assert_int_equal(pic_in(MASTER + 1), 0x55);
	pic_out(MASTER, 0x10); /* two chips, no ICW4 */
	pic_out(MASTER + 1, 0x50);
	pic_out(MASTER + 1, 0x04);
	pic_out(MASTER + 1, 0xaa);
	assert_int_equal(pic_in(MASTER + 1), 0xaa);
}

static void test_one_interrupt(void **state)
{
	(void)state;
	assert_false(pic_pending(pics.pic));
	pic_raise(3);
	assert_int_equal(irr(MASTER), 0x08);
	assert_int_equal(acknowledge(), 0x23);
	assert_false(pics.intr);
	assert_int_equal(irr(MASTER), 0);
	assert_int_equal(isr(MASTER), 0x08);
	pic_out(MASTER, 0x20);
	assert_int_equal(isr(MASTER), 0);
	assert_false(pics.intr); /* the line is still high, but that was its edge */
	pic_drop(3);
	pic_raise(3);
	assert_int_equal(acknowledge(), 0x23);
}

static void test_priorities_nest(void **state)
{
	(void)state;
	pulse(5);
	pulse(1);
	assert_int_equal(acknowledge(), 0x21);
	assert_false(pics.intr); /* 5 waits */
	pulse(0);
	assert_int_equal(acknowledge(), 0x20);
	pulse(1);
	assert_false(pics.intr);
	pic_out(MASTER, 0x20);
	assert_false(pics.intr); /* 1 is still in service */
	pic_out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x21);
	pic_out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x25);
	pic_out(MASTER, 0x20);
	assert_false(pics.intr);
}

static void test_mask(void **state)
{
	(void)state;
	pic_out(MASTER + 1, 0x10);
	pulse(4);
	assert_false(pics.intr);
	pic_out(MASTER + 1, 0x00);
	assert_int_equal(acknowledge(), 0x24);
	pic_out(MASTER, 0x20);
	pic_out(MASTER + 1, 0x04); /* the cascade: all of the second chip */
	pulse(9);
	assert_false(pics.intr);
	pic_out(MASTER + 1, 0x00);
	assert_true(pics.intr);
}

static void test_specific_eoi(void **state)
{
	(void)state;
	pulse(6);
	acknowledge();
	pulse(2); /* the cascade's pin is not a device's */
	assert_false(pics.intr);
	pulse(1);
	acknowledge();
	assert_int_equal(isr(MASTER), 0x42);
	pic_out(MASTER, 0x66);
	assert_int_equal(isr(MASTER), 0x02);
	pic_out(MASTER, 0x61);
	assert_int_equal(isr(MASTER), 0x00);
}

static void test_cascade(void **state)
{
	(void)state;
	pulse(12);
	assert_int_equal(acknowledge(), 0x2c);
	assert_int_equal(isr(MASTER), 0x04);
	assert_int_equal(isr(SLAVE), 0x10);
	pulse(14);
	assert_false(pics.intr);
	pic_out(SLAVE, 0x20);
	assert_false(pics.intr); /* the first chip still serves its line 2 */
	pic_out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x2e);
	pic_out(SLAVE, 0x20);
	pic_out(MASTER, 0x20);
	pulse(3); /* lower than the whole second chip */
	pulse(15);
	assert_int_equal(acknowledge(), 0x2f);
	pic_out(SLAVE, 0x20);
	pic_out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x23);
}

static void test_both_pending_on_second_chip(void **state)
{
	(void)state;
	pulse(8);
	pulse(9);
	assert_int_equal(acknowledge(), 0x28);
	pic_out(SLAVE, 0x20);
	pic_out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x29);
	pic_out(SLAVE, 0x20);
	pic_out(MASTER, 0x20);
	assert_false(pics.intr);
}

static void test_lines_that_do_not_exist(void **state)
{
	(void)state;
	pic_set(pics.pic, 16, true);
	pic_set(pics.pic, 0xffffffff, true);
	assert_false(pics.intr);
}

static void test_reset(void **state)
{
	(void)state;
	pic_raise(3);
	pulse(12);
	pics.pic->reset(pics.pic);
	assert_false(pics.intr);
	assert_int_equal(irr(MASTER) | isr(MASTER) | irr(SLAVE), 0);
	initialize(0x01);
	pic_raise(3);
	assert_false(pics.intr); /* it never fell: no edge */
	pic_drop(3);
	pic_raise(3);
	assert_int_equal(acknowledge(), 0x23);
}

static void ignore(void *ctx, bool level)
{
	*(bool *)ctx = level;
}

static void test_save_and_load(void **state)
{
	struct test_host h;
	struct device *copy;
	bool intr = false;

	(void)state;
	test_host_init(&h);
	pic_init(&h.host, ignore, &intr, &copy, NULL);
	pic_out(ELCR, 0x20);
	pic_out(MASTER, 0xc4);
	pic_raise(1);
	acknowledge();
	pulse(5);
	pulse(13);
	pic_out(SLAVE, 0x11); /* in the middle of its initialization */
	pic_out(SLAVE + 1, 0x70);
	pulse(13);
	check_save_load(pics.pic, copy);
	assert_int_equal(intr, pics.intr);
	out8(&h, SLAVE + 1, 0x02);
	out8(&h, SLAVE + 1, 0x01);
	out8(&h, MASTER, 0x61);
	assert_true(intr);
	assert_int_equal(pic_acknowledge(copy), 0x75);
	copy->destroy(copy);
}

static void test_load_refuses_nonsense(void **state)
{
	struct device_stream s = {0};

	(void)state;
	for (int i = 0; i < 30; i++)
		stream_put_u64(&s, 8); /* lowest: 8 */
	assert_int_equal(pics.pic->load(pics.pic, &s), -EINVAL);
	stream_free(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pic_setup, pic_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_initialization),
		TEST(test_one_interrupt),
		TEST(test_priorities_nest),
		TEST(test_mask),
		TEST(test_specific_eoi),
		TEST(test_cascade),
		TEST(test_both_pending_on_second_chip),
		TEST(test_lines_that_do_not_exist),
		TEST(test_reset),
		TEST(test_save_and_load),
		TEST(test_load_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
