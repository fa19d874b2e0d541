/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names that a Linux kernel carries with it (kernel/kallsyms.c, scripts/kallsyms.c), read from its image. */
#ifndef BOOT_KALLSYMS_H
#define BOOT_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kallsyms {
	const uint8_t *bytes; /* the image; everything below is checked against its size */
	size_t size;
	size_t names;		     /* where the first one is */
	uint32_t count;		     /* of names */
	size_t tokens, token_index;  /* of 256 pieces that names are made of; where each one is */
	size_t addresses;	     /* of the first name */
	uint64_t base;		     /* what addresses are relative to, as linked */
	bool absolute, percpu_apart; /* 64 bits wide; percpu variables have positive ones */
};

/* Finds the tables in an image that has not been moved; text is the address of _text. False: there are none, or they
 * are of a kind that is not known. */
bool kallsyms_find(const uint8_t *bytes, size_t size, uint64_t text, struct kallsyms *k);
/* Of the name with this index; false when there are not so many. */
bool kallsyms_address(const struct kallsyms *k, uint32_t index, uint64_t *address);

/* The names in the order of their addresses. */
struct kallsyms_cursor {
	size_t at;
	uint32_t index;
};
struct kallsyms_name {
	uint64_t address; /* as linked */
	char type;	  /* as nm has it */
	char text[512];
};
/* Starts with a cursor of zeros; false at the end. */
bool kallsyms_next(const struct kallsyms *k, struct kallsyms_cursor *cursor,
		   struct kallsyms_name *name);

#endif
