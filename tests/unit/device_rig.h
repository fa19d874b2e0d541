/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One device alone on its buses. */
#ifndef TESTS_DEVICE_RIG_H
#define TESTS_DEVICE_RIG_H

#include "device_host.h"

struct alone {
	struct test_host h;
	struct device *device, *copy;
	struct test_host copy_host;
};

extern struct alone one;

typedef int init_fn(const struct device_host *host, struct device **device, struct error *err);

/* The device under test, and a second one on a host of its own to load saved state into. */
void device_start(init_fn *init);
int device_setup(void **state);
int device_teardown(void **state);
void device_out(uint16_t port, uint8_t value);
uint8_t device_in(uint16_t port);

#endif
