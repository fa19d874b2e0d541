/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole guests of guests/ in a rig, on the host's own KVM. */
#ifndef TESTS_UNIT_GUEST_H
#define TESTS_UNIT_GUEST_H

#include "rig.h"

/* Boots guests/NAME.elf on so many vCPUs, with 32 MiB, stopped at its first instruction. rig_stop() ends it. */
void guest_start(struct rig *rig, unsigned vcpus, const char *name, const char *append);
/* The same for smp.elf with this many rounds, each of which is to be counted: no interrupt comes meanwhile where one
 * would keep a debug register silent. */
void guest_start_counted(struct rig *rig, unsigned vcpus, unsigned rounds);
/* The linear address of a symbol of it; fails the test when there is none. */
uint64_t guest_symbol(struct rig *rig, const char *name);
/* Waits for a stop, or for the end. False: it has ended. */
bool guest_stops(struct rig *rig);

#endif
