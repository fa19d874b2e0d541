// SPDX-License-Identifier: GPL-3.0-or-later
#include "device_rig.h"
#include "device_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct alone one;

void device_start(init_fn *init)
{
	assert_int_equal(init(&one.h.host, &one.device, NULL), 0);
	assert_int_equal(init(&one.copy_host.host, &one.copy, NULL), 0);
}

int device_setup(void **state)
{
	(void)state;
	memset(&one, 0, sizeof(one));
	test_host_init(&one.h);
	test_host_init(&one.copy_host);
	return 0;
}

int device_teardown(void **state)
{
	(void)state;
	if (one.device)
		one.device->destroy(one.device);
	if (one.copy)
		one.copy->destroy(one.copy);
	return 0;
}

void device_out(uint16_t port, uint8_t value)
{
	out8(&one.h, port, value);
}

uint8_t device_in(uint16_t port)
{
	return in8(&one.h, port);
}
