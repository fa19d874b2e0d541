/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two 8259s, cascaded, and their lines. */
#ifndef TESTS_PIC_RIG_H
#define TESTS_PIC_RIG_H

#include "device_host.h"

enum { MASTER = 0x20, SLAVE = 0xa0, ELCR = 0x4d0 };

struct pics {
	struct test_host h;
	struct device *pic;
	bool intr;
	unsigned changes;
};

extern struct pics pics;

void pic_out(uint16_t port, uint8_t value);
uint8_t pic_in(uint16_t port);
/* As every PC does it: vectors 0x20 and 0x28, all lines open. */
void initialize(uint8_t icw4);
int pic_setup(void **state);
int pic_teardown(void **state);
void pic_raise(unsigned line);
void pic_drop(unsigned line);
void pulse(unsigned line);
uint8_t acknowledge(void);
uint8_t isr(uint16_t port);
uint8_t irr(uint16_t port);

#endif
