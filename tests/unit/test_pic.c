// SPDX-License-Identifier: GPL-3.0-or-later
#include "device_host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MASTER = 0x20, SLAVE = 0xa0, ELCR = 0x4d0 };

static struct {
	struct test_host h;
	struct device *pic;
	bool intr;
	unsigned changes;
} the;

static void on_intr(void *ctx, bool level)
{
	(void)ctx;
	assert_int_not_equal(level, the.intr);
	the.intr = level;
	the.changes++;
}

static void out(uint16_t port, uint8_t value)
{
	out8(&the.h, port, value);
}

static uint8_t in(uint16_t port)
{
	return in8(&the.h, port);
}

/* As every PC does it: vectors 0x20 and 0x28, all lines open. */
static void initialize(uint8_t icw4)
{
	out(MASTER, 0x11);
	out(SLAVE, 0x11);
	out(MASTER + 1, 0x20);
	out(SLAVE + 1, 0x28);
	out(MASTER + 1, 0x04);
	out(SLAVE + 1, 0x02);
	out(MASTER + 1, icw4);
	out(SLAVE + 1, icw4);
}

static int setup(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	test_host_init(&the.h);
	assert_int_equal(pic_init(&the.h.host, on_intr, NULL, &the.pic, NULL), 0);
	initialize(0x01);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	the.pic->destroy(the.pic);
	return 0;
}

static void raise(unsigned line)
{
	pic_set(the.pic, line, true);
}

static void drop(unsigned line)
{
	pic_set(the.pic, line, false);
}

static void pulse(unsigned line)
{
	raise(line);
	drop(line);
}

static uint8_t acknowledge(void)
{
	assert_true(pic_pending(the.pic));
	assert_true(the.intr);
	return pic_acknowledge(the.pic);
}

static uint8_t isr(uint16_t port)
{
	out(port, 0x0b);
	return in(port);
}

static uint8_t irr(uint16_t port)
{
	out(port, 0x0a);
	return in(port);
}

static void test_initialization(void **state)
{
	(void)state;
	assert_int_equal(in(MASTER + 1), 0); /* the mask is open */
	assert_int_equal(in(MASTER), 0);
	out(MASTER + 1, 0xfb);
	out(SLAVE + 1, 0xff);
	assert_int_equal(in(MASTER + 1), 0xfb);
	assert_int_equal(in(SLAVE + 1), 0xff);
	out(MASTER, 0x13); /* single, so no ICW3 */
	out(MASTER + 1, 0x47);
	out(MASTER + 1, 0x01);
	out(MASTER + 1, 0x10);
	assert_int_equal(in(MASTER + 1), 0x10);
	raise(0);
	assert_int_equal(acknowledge(), 0x40); /* the vector's low bits are the line */
	out(MASTER, 0x12);		       /* no ICW4 either */
	out(MASTER + 1, 0x50);
	out(MASTER + 1, 0x55);
	assert_int_equal(in(MASTER + 1), 0x55);
	out(MASTER, 0x10); /* two chips, no ICW4 */
	out(MASTER + 1, 0x50);
	out(MASTER + 1, 0x04);
	out(MASTER + 1, 0xaa);
	assert_int_equal(in(MASTER + 1), 0xaa);
}

static void test_one_interrupt(void **state)
{
	(void)state;
	assert_false(pic_pending(the.pic));
	raise(3);
	assert_int_equal(irr(MASTER), 0x08);
	assert_int_equal(acknowledge(), 0x23);
	assert_false(the.intr);
	assert_int_equal(irr(MASTER), 0);
	assert_int_equal(isr(MASTER), 0x08);
	out(MASTER, 0x20);
	assert_int_equal(isr(MASTER), 0);
	assert_false(the.intr); /* the line is still high, but that was its edge */
	drop(3);
	raise(3);
	assert_int_equal(acknowledge(), 0x23);
}

static void test_priorities_nest(void **state)
{
	(void)state;
	pulse(5);
	pulse(1);
	assert_int_equal(acknowledge(), 0x21);
	assert_false(the.intr); /* 5 waits */
	pulse(0);
	assert_int_equal(acknowledge(), 0x20);
	pulse(1);
	assert_false(the.intr);
	out(MASTER, 0x20);
	assert_false(the.intr); /* 1 is still in service */
	out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x21);
	out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x25);
	out(MASTER, 0x20);
	assert_false(the.intr);
}

static void test_mask(void **state)
{
	(void)state;
	out(MASTER + 1, 0x10);
	pulse(4);
	assert_false(the.intr);
	out(MASTER + 1, 0x00);
	assert_int_equal(acknowledge(), 0x24);
	out(MASTER, 0x20);
	out(MASTER + 1, 0x04); /* the cascade: all of the second chip */
	pulse(9);
	assert_false(the.intr);
	out(MASTER + 1, 0x00);
	assert_true(the.intr);
}

static void test_specific_eoi(void **state)
{
	(void)state;
	pulse(6);
	acknowledge();
	pulse(2); /* the cascade's pin is not a device's */
	assert_false(the.intr);
	pulse(1);
	acknowledge();
	assert_int_equal(isr(MASTER), 0x42);
	out(MASTER, 0x66);
	assert_int_equal(isr(MASTER), 0x02);
	out(MASTER, 0x61);
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
	assert_false(the.intr);
	out(SLAVE, 0x20);
	assert_false(the.intr); /* the first chip still serves its line 2 */
	out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x2e);
	out(SLAVE, 0x20);
	out(MASTER, 0x20);
	pulse(3); /* lower than the whole second chip */
	pulse(15);
	assert_int_equal(acknowledge(), 0x2f);
	out(SLAVE, 0x20);
	out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x23);
}

static void test_both_pending_on_second_chip(void **state)
{
	(void)state;
	pulse(8);
	pulse(9);
	assert_int_equal(acknowledge(), 0x28);
	out(SLAVE, 0x20);
	out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x29);
	out(SLAVE, 0x20);
	out(MASTER, 0x20);
	assert_false(the.intr);
}

static void test_special_fully_nested(void **state)
{
	(void)state;
	initialize(0x11);
	pulse(12);
	assert_int_equal(acknowledge(), 0x2c);
	pulse(9); /* higher on the second chip: comes through at once */
	assert_int_equal(acknowledge(), 0x29);
	pulse(14);
	assert_false(the.intr);
}

static void test_auto_eoi(void **state)
{
	(void)state;
	initialize(0x03);
	pulse(4);
	assert_int_equal(acknowledge(), 0x24);
	assert_int_equal(isr(MASTER), 0);
	out(MASTER, 0x80); /* rotate with each */
	pulse(4);
	assert_int_equal(acknowledge(), 0x24);
	pulse(3);
	pulse(5);
	assert_int_equal(acknowledge(), 0x25);
	assert_int_equal(acknowledge(), 0x23);
	out(MASTER, 0x00);
	pulse(6);
	pulse(4);
	assert_int_equal(acknowledge(), 0x24); /* 3 stays lowest */
	pulse(4);
	assert_int_equal(acknowledge(), 0x24);
}

static void test_rotation(void **state)
{
	(void)state;
	out(MASTER, 0xc4); /* 4 is lowest, so 5 is highest */
	pulse(4);
	pulse(5);
	pulse(0);
	assert_int_equal(acknowledge(), 0x25);
	out(MASTER, 0xa0); /* ends 5 and makes it lowest */
	pulse(5);
	assert_int_equal(acknowledge(), 0x20);
	out(MASTER, 0xe0); /* ends 0 and makes it lowest */
	pulse(0);
	assert_int_equal(acknowledge(), 0x24);
	out(MASTER, 0x40); /* nothing */
	assert_int_equal(isr(MASTER), 0x10);
	out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x25);
	out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x20);
}

static void test_special_mask_mode(void **state)
{
	(void)state;
	pulse(1);
	acknowledge();
	pulse(4);
	assert_false(the.intr);
	out(MASTER + 1, 0x02);
	out(MASTER, 0x68);
	assert_int_equal(acknowledge(), 0x24); /* lower, and let through */
	out(MASTER, 0x20);
	assert_int_equal(isr(MASTER), 0x02); /* the masked one was not ended */
	pulse(5);
	out(MASTER, 0x48);
	assert_false(the.intr);
}

static void test_spurious(void **state)
{
	(void)state;
	raise(3);
	assert_true(the.intr);
	out(MASTER + 1, 0x08); /* masked before the acknowledge */
	assert_false(the.intr);
	assert_int_equal(pic_acknowledge(the.pic), 0x27);
	assert_int_equal(isr(MASTER), 0);
	out(MASTER + 1, 0x00);
	assert_int_equal(acknowledge(), 0x23);
}

static void test_level_triggered(void **state)
{
	(void)state;
	out(ELCR, 0xff);
	out(ELCR + 1, 0xff);
	assert_int_equal(in(ELCR), 0xf8); /* timer, keyboard, cascade cannot be */
	assert_int_equal(in(ELCR + 1), 0xde);
	raise(11);
	assert_int_equal(acknowledge(), 0x2b);
	out(SLAVE, 0x20);
	out(MASTER, 0x20);
	assert_int_equal(acknowledge(), 0x2b); /* it still asks */
	drop(11);
	out(SLAVE, 0x20);
	out(MASTER, 0x20);
	assert_false(the.intr);
	raise(11);
	drop(11);
	assert_false(the.intr); /* a level that is gone leaves nothing */
	raise(11);
	out(ELCR + 1, 0x00);
	drop(11);
	assert_true(the.intr); /* now it was an edge */
}

static void test_poll(void **state)
{
	(void)state;
	pulse(6);
	out(MASTER, 0x0c);
	assert_int_equal(in(MASTER), 0x86);
	assert_int_equal(isr(MASTER), 0x40);
	assert_false(the.intr);
	out(MASTER, 0x66);
	pulse(0);
	out(MASTER, 0x0c);
	assert_int_equal(in(MASTER), 0x80);
	out(MASTER, 0x0c);
	assert_int_equal(in(MASTER + 1), 0x07); /* nothing; from the data port, too */
	assert_int_equal(in(MASTER + 1), 0x00); /* one read, one poll */
}

static void test_icw1_forgets_edges(void **state)
{
	(void)state;
	out(ELCR, 0x20);
	raise(3);
	raise(5);
	acknowledge();
	out(MASTER, 0x11);
	out(MASTER + 1, 0x20);
	out(MASTER + 1, 0x04);
	out(MASTER + 1, 0x01);
	assert_int_equal(isr(MASTER), 0);
	assert_int_equal(irr(MASTER), 0x20); /* the level asks on */
}

static void test_lines_that_do_not_exist(void **state)
{
	(void)state;
	pic_set(the.pic, 16, true);
	pic_set(the.pic, 0xffffffff, true);
	assert_false(the.intr);
}

static void test_reset(void **state)
{
	(void)state;
	raise(3);
	pulse(12);
	the.pic->reset(the.pic);
	assert_false(the.intr);
	assert_int_equal(irr(MASTER) | isr(MASTER) | irr(SLAVE), 0);
	initialize(0x01);
	raise(3);
	assert_false(the.intr); /* it never fell: no edge */
	drop(3);
	raise(3);
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
	out(ELCR, 0x20);
	out(MASTER, 0xc4);
	raise(1);
	acknowledge();
	pulse(5);
	pulse(13);
	out(SLAVE, 0x11); /* in the middle of its initialization */
	out(SLAVE + 1, 0x70);
	pulse(13);
	check_save_load(the.pic, copy);
	assert_int_equal(intr, the.intr);
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
	assert_int_equal(the.pic->load(the.pic, &s), -EINVAL);
	stream_free(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		TEST(test_special_fully_nested),
		TEST(test_auto_eoi),
		TEST(test_rotation),
		TEST(test_special_mask_mode),
		TEST(test_spurious),
		TEST(test_level_triggered),
		TEST(test_poll),
		TEST(test_icw1_forgets_edges),
		TEST(test_lines_that_do_not_exist),
		TEST(test_reset),
		TEST(test_save_and_load),
		TEST(test_load_refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
