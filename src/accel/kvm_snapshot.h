/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Saving and loading what KVM keeps: of the VM (kvm_snapshot.c) and of a vCPU (kvm_snapshot_cpu.c, its MSRs
 * in kvm_snapshot_msrs.c). */
#ifndef ACCEL_KVM_SNAPSHOT_H
#define ACCEL_KVM_SNAPSHOT_H

#include "accel/kvm_private.h"

/* The operations of struct accel_ops. */
int kvm_vm_save(struct accel_vm *vm, struct parts *out);
int kvm_vm_fits(struct accel_vm *vm, const struct parts *in, struct error *err);
int kvm_vm_load(struct accel_vm *vm, const struct parts *in, struct error *err);
int kvm_vm_load_clocks(struct accel_vm *vm, const struct parts *in, struct error *err);
int kvm_vcpu_save(struct accel_vcpu *vcpu, struct parts *out);
int kvm_vcpu_fits(struct accel_vcpu *vcpu, const struct parts *in, struct error *err);
int kvm_vcpu_load(struct accel_vcpu *vcpu, const struct parts *in, struct error *err);
int kvm_dirty_log(struct accel_vm *vm, unsigned slot, uint64_t *bitmap);

int kvm_save_msrs(struct kvm_vcpu *vcpu, struct parts *out);
int kvm_load_msrs(struct kvm_vcpu *vcpu, const struct parts *in, struct error *err);
int kvm_msrs_fit(const struct kvm_vm *vm, const struct parts *in, struct error *err);
/* Learns which MSRs this KVM can save and load; with the first vCPU, before it has run. */
int kvm_snapshot_prepare(struct kvm_vcpu *vcpu, struct error *err);

#endif
