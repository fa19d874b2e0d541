/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guest RAM, seen from inside: memory.c maps it and copies, memory_slots.c shows it to the guest. */
#ifndef MACHINE_MEMORY_PRIVATE_H
#define MACHINE_MEMORY_PRIVATE_H

#include "machine/dirty.h"
#include "machine/memory.h"

#define MEMORY_PAGE   4096ull
#define MEMORY_RANGES 3

struct ram_range {
	uint64_t gpa, size;
	uint64_t offset; /* into the mapping */
};

/* A slot that the guest has. Withdrawn pages have none. */
struct shown {
	uint64_t gpa, size;
	uint64_t offset;
	bool readonly;
	unsigned id;
};

struct memory {
	uint64_t size;
	int pagemap; /* -1: all of RAM counts as touched */
	uint8_t *base;
	unsigned range_count;
	struct ram_range range[MEMORY_RANGES];

	/* memory_slots.c; changes only while every vCPU is parked. */
	struct accel_vm *vm;
	struct shown *shown; /* by gpa */
	unsigned shown_count;
	uint8_t *used;	 /* by slot id */
	uint8_t *access; /* enum memory_access of each page of the mapping; NULL: all open */
	struct memory_run *wanted; /* what access was made from */
	unsigned wanted_count;

	struct dirty_log dirty;
};

/* ---- memory_pages.c: the host's pages; offsets into the mapping ---- */
int ram_map(struct memory *memory, struct error *err);
void ram_unmap(struct memory *memory);
/* The first stretch of pages in [from, end) that somebody has touched; where nobody can know, all of it. */
bool ram_touched(const struct memory *memory, uint64_t from, uint64_t end, uint64_t *offset,
		 uint64_t *size);
/* Gives whole pages back: they read zero, and cost nothing until they are touched. False: they could not be. */
bool ram_drop(struct memory *memory, uint64_t offset, uint64_t size);
/* A fresh page of zeros in place of one that the host has lost. */
bool ram_renew(struct memory *memory, uint64_t offset);
/* Moves these pages, which become zeros or nothing, to RAM. False: they are still there, and what was in RAM may
 * be gone. */
bool ram_take(uint8_t *to, uint8_t *from, size_t size);
/* Its pages all at once, which is cheaper than a fault for each. */
void ram_populate(uint8_t *from, uint64_t size);

/* Shows all of RAM, open. */
int memory_show(struct memory *memory, struct error *err);
void memory_slots_free(struct memory *memory);
/* Tells the accelerator of every slot again, after dirty.on changed. */
int memory_reshow(struct memory *memory, struct error *err);

#endif
