/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guest RAM: one anonymous mapping, shown to the guest through slots. All reads and writes from
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

/* Bytes done: fewer than len when a hole, the end of RAM, or a lost page comes first. Never touches
 * devices. Safe from any thread; the guest may be running (then bytes may be torn). */
size_t mem_read_phys(struct memory *memory, uint64_t gpa, void *buf, size_t len);
size_t mem_write_phys(struct memory *memory, uint64_t gpa, const void *buf, size_t len);
/* 1, 2, 4 or 8 bytes in one access, as a CPU makes it: no more torn than the guest's own would be. False:
 * not all of it is RAM, or the page is lost. */
bool mem_load(struct memory *memory, uint64_t gpa, unsigned size, uint64_t *value);
bool mem_store(struct memory *memory, uint64_t gpa, unsigned size, uint64_t value);
/* Writes a byte that the guest must not know of: an int3, or what was under one. */
bool mem_plant(struct memory *memory, uint64_t gpa, uint8_t byte);
int mem_zero_phys(struct memory *memory, uint64_t gpa, uint64_t len); /* -EFAULT outside RAM */
/* As mem_write_phys(), but takes whole pages away from data where it can; data's bytes are anything then. data:
 * one private anonymous mapping, and nobody else's; what guest RAM is told by madvise(), it is told, too. */
size_t memory_take(struct memory *memory, uint64_t gpa, uint8_t *data, size_t size);
/* All of it is about to be written; nothing of it changes. */
void memory_populate(struct memory *memory, uint64_t gpa, uint64_t size);
int memory_clear(struct memory *memory); /* all of RAM reads zero; -EFAULT when a page is lost */

/* What the guest may do with a page by itself; everything else exits as EXIT_MMIO. vitrine's own
 * accesses are never hindered. */
enum memory_access { MEMORY_OPEN, MEMORY_READ_ONLY, MEMORY_WITHDRAWN };
struct memory_run {
	uint64_t gpa, size; /* multiples of 4 KiB */
	enum memory_access access;
};

/* Makes these pages, and no others, less than open. Runs may come in any order, overlap (the stricter
 * wins), and reach over holes. Costs little when nothing changes since the last call, and some
 * milliseconds otherwise. Every vCPU must be parked. -ENOSPC (the accelerator has no more slots),
 * -ENOMEM, the accelerator's own errors: then everything is as it was. */
int memory_protect(struct memory *memory, const struct memory_run *runs, unsigned count,
		   struct error *err);
/* Of a page of RAM; MEMORY_OPEN elsewhere. From any thread while the guest runs. */
enum memory_access memory_access_at(const struct memory *memory, uint64_t gpa);
/* How many slots RAM is shown in at present. */
unsigned memory_slot_count(const struct memory *memory);
/* One of them, lowest first; false: there are no more. gate.lock held, or every vCPU parked. */
bool memory_slot_at(const struct memory *memory, unsigned index, struct accel_slot *slot);

/* Where a byte of RAM lies in this process and how many follow it; NULL outside RAM. */
void *mem_hva(struct memory *memory, uint64_t gpa, uint64_t *contiguous);

/* The ranges of RAM, lowest first: false when there are no more. */
bool memory_range(const struct memory *memory, unsigned index, uint64_t *gpa, uint64_t *size);

/* The first stretch of RAM at or behind from that anybody has ever touched; all else reads zero. */
bool memory_touched(const struct memory *memory, uint64_t from, uint64_t *gpa, uint64_t *size);

/* A SIGBUS that hit a vCPU or vitrine itself while it touched guest RAM is survived from here on.
 * Once per process; idempotent. */
int sigbus_install(struct error *err);
/* memcpy that stops at a lost page: bytes done. */
size_t sigbus_copy(void *dst, const void *src, size_t len);
/* One access of 1, 2, 4 or 8 bytes; false where the page is lost. */
bool sigbus_load(const void *src, unsigned size, uint64_t *value);
bool sigbus_store(void *dst, unsigned size, uint64_t value);

#endif
