/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bare VM under KVM, or a skip. */
#ifndef TESTS_KVM_CASE_H
#define TESTS_KVM_CASE_H

#include "accel/kvm_private.h"
#include "bare_vm.h"
#include "x86/debug_registers.h"

static const struct accel_config with_controllers = {.vcpus = 2, .irqchip = true};

void open_kvm(struct bare_vm *bare, const struct accel_config *config);
uint64_t kvm_reg(struct bare_vm *bare, enum cpu_gpr gpr);
uint64_t kvm_rip(struct bare_vm *bare);
void kvm_answer(struct bare_vm *bare, uint16_t port, unsigned size, const char *bytes);

#endif
