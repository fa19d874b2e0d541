/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All of a machine that stands still, to be compared with another time: what the accelerator and the devices
 * say of themselves, the registers as the debugger sees them, and every byte of RAM. */
#ifndef TESTS_UNIT_PICTURE_H
#define TESTS_UNIT_PICTURE_H

#include "machine/snapshot.h"

struct picture {
	struct machine_parts parts;
	struct cpu_state *state; /* of each vCPU */
	uint8_t *ram;
	uint64_t ram_size;
};

void picture_take(struct picture *picture, struct machine *machine);
/* As a snapshot that was just saved has it: controllers in the kernel go on while the machine stands still,
 * and may have another interrupt to tell by now. */
void picture_take_saved(struct picture *picture, struct machine *machine,
			const struct snapshot *snapshot);
void picture_free(struct picture *picture);

/* Fails the test, and says where, unless they are the same in everything; but for what goes on while the
 * machine stands still: the time stamp counter, KVM's clock, and the counts of running timers. */
void picture_same(const struct picture *a, const struct picture *b);
/* Whether anything differs, clocks aside. */
bool picture_differs(const struct picture *a, const struct picture *b);

#endif
