// SPDX-License-Identifier: GPL-3.0-or-later
#include "pic_rig.h"
#include "device_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct pics pics;

static void on_intr(void *ctx, bool level)
{
	(void)ctx;
	assert_int_not_equal(level, pics.intr);
	pics.intr = level;
	pics.changes++;
}

void pic_out(uint16_t port, uint8_t value)
{
	out8(&pics.h, port, value);
}

uint8_t pic_in(uint16_t port)
{
	return in8(&pics.h, port);
}

void initialize(uint8_t icw4)
{
	pic_out(MASTER, 0x11);
	pic_out(SLAVE, 0x11);
	pic_out(MASTER + 1, 0x20);
	pic_out(SLAVE + 1, 0x28);
	pic_out(MASTER + 1, 0x04);
	pic_out(SLAVE + 1, 0x02);
	pic_out(MASTER + 1, icw4);
	pic_out(SLAVE + 1, icw4);
}

int pic_setup(void **state)
{
	(void)state;
	memset(&pics, 0, sizeof(pics));
	test_host_init(&pics.h);
	assert_int_equal(pic_init(&pics.h.host, on_intr, NULL, &pics.pic, NULL), 0);
	initialize(0x01);
	return 0;
}

int pic_teardown(void **state)
{
	(void)state;
	pics.pic->destroy(pics.pic);
	return 0;
}

void pic_raise(unsigned line)
{
	pic_set(pics.pic, line, true);
}

void pic_drop(unsigned line)
{
	pic_set(pics.pic, line, false);
}

void pulse(unsigned line)
{
	pic_raise(line);
	pic_drop(line);
}

uint8_t acknowledge(void)
{
	assert_true(pic_pending(pics.pic));
	assert_true(pics.intr);
	return pic_acknowledge(pics.pic);
}

uint8_t isr(uint16_t port)
{
	pic_out(port, 0x0b);
	return pic_in(port);
}

uint8_t irr(uint16_t port)
{
	pic_out(port, 0x0a);
	return pic_in(port);
}
