/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guest RAM: one memfd, mapped once, shown to the guest through slots. All reads and writes from
 * vitrine's side go through mem_read_phys and mem_write_phys, which survive a page that the host
 * lost (SIGBUS): they stop short there.
 */
#ifndef MACHINE_MEMORY_H
#define MACHINE_MEMORY_H

#include "accel/accel.h"

#include <stddef.h>

struct memory;

/* size: bytes, a multiple of 4 KiB, at least 1 MiB. -ENOMEM and the accelerator's errors. */
int memory_create(uint64_t size, struct accel_vm *vm, struct memory **memory, struct error *err);
void memory_destroy(struct memory *memory); /* the VM must be gone or stopped */

uint64_t memory_size(const struct memory *memory);
int memory_fd(const struct memory *memory);

/* Bytes done: fewer than len when a hole, the end of RAM, or a lost page comes first. Never touches
 * devices. Safe from any thread; the guest may be running (then bytes may be torn). */
size_t mem_read_phys(struct memory *memory, uint64_t gpa, void *buf, size_t len);
size_t mem_write_phys(struct memory *memory, uint64_t gpa, const void *buf, size_t len);
int mem_zero_phys(struct memory *memory, uint64_t gpa, uint64_t len); /* -EFAULT outside RAM */
int memory_clear(struct memory *memory); /* all of RAM reads zero; -EFAULT when a page is lost */

/* Where a byte of RAM lies in this process and how many follow it; NULL outside RAM. */
void *mem_hva(struct memory *memory, uint64_t gpa, uint64_t *contiguous);

/* The ranges of RAM, lowest first: false when there are no more. */
bool memory_range(const struct memory *memory, unsigned index, uint64_t *gpa, uint64_t *size);

/* A SIGBUS that hit a vCPU or vitrine itself while it touched guest RAM is survived from here on.
 * Once per process; idempotent. */
int sigbus_install(struct error *err);
/* memcpy that stops at a lost page: bytes done. */
size_t sigbus_copy(void *dst, const void *src, size_t len);

#endif
