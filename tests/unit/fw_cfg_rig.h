/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A fw_cfg device, and what is in it. */
#ifndef TESTS_FW_CFG_RIG_H
#define TESTS_FW_CFG_RIG_H

#include "device_host.h"

#include <stddef.h>

enum {
	ID = 1,
	RAM_SIZE = 3,
	CPUS = 5,
	INITRD_ADDRESS = 0xa,
	INITRD_SIZE = 0xb,
	MAX_CPUS = 0xf,
	INITRD_DATA = 0x12,
	LINE_SIZE = 0x14,
	LINE = 0x15,
	DIRECTORY = 0x19,
};

struct cfg {
	struct test_host h, copy_host;
	struct device *device, *copy;
};

extern struct cfg cfg;

static const struct fw_cfg_file files[] = {
	{"opt/second", "two", 3},
	{"opt/first", "number one", 10},
	{"etc/empty", NULL, 0},
};

static const struct fw_cfg_config fw_cfg_config = {
	.ram_size = 0x123456000, .vcpus = 3, .files = files, .file_count = 3};

int fw_cfg_setup(void **state);
int fw_cfg_teardown(void **state);
void choose(uint16_t key);
void item_is(uint16_t key, const void *bytes, size_t size);

enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

struct request {
	uint32_t control, size;
	uint64_t address;
};

/* Returns the control field as the device leaves it. */
uint32_t dma(uint32_t control, uint32_t size, uint64_t address);

#endif
