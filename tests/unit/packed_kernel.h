/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kernel of our own making, packed in each way. */
#ifndef TESTS_PACKED_KERNEL_H
#define TESTS_PACKED_KERNEL_H

#include "boot_case.h"

#include <stddef.h>
#include <stdint.h>

#define KERNEL_BASE 0xffffffff80000000ull
#define GPA	    0x1000000ull
#define LINKED	    (KERNEL_BASE + GPA)
#define NAMES	    1200
#define TEXT_SIZE   0x10000u /* the names' addresses are 16 apart */
#define ROOM	    0x40000u
#define SETUP	    (2 * 512)

/* vmlinux: headers, 64 KiB of text, tables of names, section headers; and behind it the list of places. */
struct made {
	uint8_t bytes[ROOM];
	size_t size, elf, names, tokens;
};

extern struct made made;

enum age { AGE_NOW, AGE_RELATIVE, AGE_ABSOLUTE, AGE_COUNT };

#define TEXT_AT	  0x1000u
#define TABLES_AT (TEXT_AT + TEXT_SIZE)

void unpack_put32(uint32_t value);
/* Where the text holds addresses: 64 bits at 0x100, 32 bits that go the other way at 0x200, 32 bits at 0x300. */
void put_places(bool inverse);
void unpack_make(enum age age);
size_t by_zstd(uint8_t *out);
size_t by_lz4(uint8_t *out);

typedef size_t pack_fn(uint8_t *out);

extern uint8_t unpack_file[ROOM + SETUP + 16];

struct setup_header; /* <asm/bootparam.h>, which does not go with debug/debug.h */
struct setup_header *unpack_header(void);
uint8_t *payload(void);
void pack(pack_fn *by);
void unpack_load(struct boot_case *c, const char *append);
void check_text(const struct boot_case *c);

#endif
