/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A snapshot in a file, little-endian:
 *
 *   header     what made it, and what machine it is of
 *   sections   a head of 48 bytes, then its bytes, filled up with zeros to a multiple of eight:
 *     VM, VCPU, DEVICE     one named part each
 *     RAM                  the number of a page, then it and those behind it, up to 256 in all; in
 *                          ascending order. Pages that are in no section are zeros
 *     END                  how many sections there were before
 *
 * The sum of the header covers the header; that of a section goes on from the one before it and covers
 * head and bytes. So any bit that changes, and any section that is lost or moved, is found.
 */
#ifndef MACHINE_SNAPSHOT_FILE_H
#define MACHINE_SNAPSHOT_FILE_H

#include <stdint.h>

#define FILE_MAGIC   "VITRSNAP"
#define FILE_VERSION 1

struct file_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t size; /* of this structure */
	uint64_t ram_size, vcpus, user_irqchip;
	uint64_t guest_time; /* ns */
	uint64_t saved_at;   /* seconds since 1970 */
	char accel[16];
	uint64_t sum; /* of all that is above */
};

enum section_kind { SECTION_VM = 1, SECTION_VCPU, SECTION_DEVICE, SECTION_RAM, SECTION_END };

struct section_head {
	uint32_t kind;	/* enum section_kind */
	uint32_t index; /* SECTION_VCPU: which */
	uint64_t size;	/* of the bytes behind it, without the filling */
	char name[24];	/* of a part, filled up with zeros */
	uint64_t sum;
};

#define RAM_SECTION_PAGES 256
#define RAM_SECTION_SIZE  (sizeof(uint64_t) + RAM_SECTION_PAGES * 4096)

#endif
