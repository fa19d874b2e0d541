/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the machine tells its guest by fw_cfg, besides the files that the user names. */
#ifndef MACHINE_FW_CFG_H
#define MACHINE_FW_CFG_H

#include "error.h"

#include <stdint.h>

struct device;
struct machine;

/* An entry of the file "etc/e820", little-endian. */
struct e820_entry {
	uint64_t base, size;
	uint32_t type;
} __attribute__((packed));

/* The device, which the caller puts among the others. */
int fw_cfg_create(struct machine *machine, struct device **device, struct error *err);
/* After the machine's boot image has changed. */
void fw_cfg_tell_boot(struct machine *machine);

#endif
