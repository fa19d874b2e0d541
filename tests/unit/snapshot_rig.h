/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine on the dummy accelerator that is saved and restored. */
#ifndef TESTS_SNAPSHOT_RIG_H
#define TESTS_SNAPSHOT_RIG_H

#include "rig.h"

/* loop: inc eax; mov [0x20000], eax; mov [0x30010], eax; inc ebx; jmp loop */
static const uint8_t snapshot_writer[] = {0x40, 0xa3, 0x00, 0x00, 0x02, 0x00, 0xa3,
					  0x10, 0x00, 0x03, 0x00, 0x43, 0xeb, 0xf2};
static const uint8_t snapshot_spin[] = {0xeb, 0xfe};

void snapshot_save(struct rig *rig, const char *name);
void snapshot_restore(struct rig *rig, const char *name);
struct snapshot_info info_of(struct rig *rig, const char *name);
void snapshot_steps(struct rig *rig, unsigned count);
void run_a_little(struct rig *rig);
void port_out(struct machine *machine, uint16_t port, uint8_t value);

#endif
