/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine's side of a device, for tests: two buses, a little RAM, time that a test moves, and a memory of what the
 * device asked for. */
#ifndef TESTS_DEVICE_HOST_H
#define TESTS_DEVICE_HOST_H

#include "devices/devices.h"
#include "devices/stream.h"

struct test_host {
	struct device_host host;
	struct bus ports, mmio;
	uint64_t now;
	struct device_timer *timers;
	bool level[24];
	unsigned edges[24], calls[24]; /* rising edges; calls of host.irq */
	unsigned requests;
	enum host_request request;
	int status;
	char why[100];
	char output[64];
	uint8_t memory[16384]; /* guest RAM, from 0 */
};

void test_host_init(struct test_host *h);

/* Lets guest time pass, with every timer called at its moment. */
void test_host_pass(struct test_host *h, uint64_t ns);

uint8_t in8(struct test_host *h, uint16_t port);
uint16_t in16(struct test_host *h, uint16_t port);
uint32_t in32(struct test_host *h, uint16_t port);
void out8(struct test_host *h, uint16_t port, uint8_t value);
void out16(struct test_host *h, uint16_t port, uint16_t value);
void out32(struct test_host *h, uint16_t port, uint32_t value);

/* Saves from, loads to, saves that again and compares; then tries every shorter stream and expects
 * -EINVAL and an unchanged device. */
void check_save_load(const struct device *from, struct device *to);

#endif
