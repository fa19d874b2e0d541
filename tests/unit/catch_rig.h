/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rig with a device that counts, and may do something to the guest. */
#ifndef TESTS_CATCH_RIG_H
#define TESTS_CATCH_RIG_H

#include "rig.h"

#include <stddef.h>

#define PORT 0x10
#define MMIO 0xfe000000ull

struct counter {
	struct bus_region port, mmio;
	atomic_uint reads, writes;
	void (*then)(struct rig *rig);
	struct rig *rig;
};

void catch_start(struct rig *rig, struct counter *counter, const void *code, size_t size);
int catch (struct rig *rig, enum point_kind kind, uint64_t address, uint64_t length,
	   enum point_direction direction);
void refused(struct rig *rig, struct point_spec spec, int code, const char *says);
void says(const struct stop *stop, const char *text);

/* inc eax; out 0x10, al; in al, 0x11; 1: jmp 1b */
static const uint8_t catch_talk[] = {0x40, 0xe6, PORT, 0xe4, PORT + 1, 0xeb, 0xfe};

/* nop; hlt; 1: jmp 1b */
static const uint8_t halts[] = {0x90, 0xf4, 0xeb, 0xfe};
static const uint8_t catch_spin[] = {0xeb, 0xfe};

#endif
