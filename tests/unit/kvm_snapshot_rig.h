/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine under KVM that is saved and restored. */
#ifndef TESTS_KVM_SNAPSHOT_RIG_H
#define TESTS_KVM_SNAPSHOT_RIG_H

#include "rig.h"

#include <stdint.h>

extern struct rig rig;

void kvm_snapshot_setup(unsigned vcpus, enum irqchip irqchip);
void kvm_snapshot_save(const char *name);
void kvm_snapshot_restore(const char *name);
void run_ms(unsigned ms);
/* Saves, lets change() happen, restores, and compares everything. */
void comes_back(void (*change)(void));

/* loop: inc ebx; mov [0x20000], ebx; mov [0x30000 + ecx * 4], ebx; inc ecx; and ecx, 0xfff; jmp loop */
static const uint8_t kvm_snapshot_writer[] = {0x43, 0x89, 0x1d, 0x00, 0x00, 0x02, 0x00, 0x89,
					      0x1c, 0x8d, 0x00, 0x00, 0x03, 0x00, 0x41, 0x81,
					      0xe1, 0xff, 0x0f, 0x00, 0x00, 0xeb, 0xe9};

#endif
