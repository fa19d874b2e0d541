/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A serial port, and a backend that may be full. */
#ifndef TESTS_SERIAL_RIG_H
#define TESTS_SERIAL_RIG_H

#include "device_host.h"

#include <stddef.h>

enum { DATA = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define FCR IIR

struct fixture {
	struct test_host h;
	struct device *serial;
	char sent[256];
	size_t sent_count;
	unsigned ready;
	bool full;
};

extern struct fixture serial;

void backend_write(void *ctx, const void *bytes, size_t size);
void backend_ready(void *ctx);
bool backend_has_room(void *ctx);

static const struct serial_backend backend = {.ctx = &serial,
					      .write = backend_write,
					      .ready = backend_ready,
					      .has_room = backend_has_room};

int serial_setup(void **state);
int serial_teardown(void **state);
uint8_t in(uint16_t port);
void out(uint16_t port, uint8_t value);
bool irq(void);

#endif
