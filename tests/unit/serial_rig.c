// SPDX-License-Identifier: GPL-3.0-or-later
#include "serial_rig.h"
#include "device_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture serial;

void backend_write(void *ctx, const void *bytes, size_t size)
{
	struct fixture *f = ctx;

	assert_true(f->sent_count + size < sizeof(f->sent));
	memcpy(f->sent + f->sent_count, bytes, size);
	f->sent_count += size;
}

void backend_ready(void *ctx)
{
	((struct fixture *)ctx)->ready++;
}

bool backend_has_room(void *ctx)
{
	return !((struct fixture *)ctx)->full;
}

int serial_setup(void **state)
{
	(void)state;
	memset(&serial, 0, sizeof(serial));
	test_host_init(&serial.h);
	return serial_init(&serial.h.host, 0, &backend, &serial.serial, NULL);
}

int serial_teardown(void **state)
{
	(void)state;
	serial.serial->destroy(serial.serial);
	return 0;
}

uint8_t in(uint16_t port)
{
	return in8(&serial.h, port);
}

void out(uint16_t port, uint8_t value)
{
	out8(&serial.h, port, value);
}

bool irq(void)
{
	return serial.h.level[4];
}
