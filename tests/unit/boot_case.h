/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the loaders' tests share: bytes become a file, the file goes through boot_load(), and the image
 * is looked at as a guest would see it. */
#ifndef TESTS_UNIT_BOOT_CASE_H
#define TESTS_UNIT_BOOT_CASE_H

#include "boot/boot.h"

#define MIB 0x100000ull

struct boot_case {
	char path[64];
	struct boot_request request; /* 64 MiB of RAM, the file as kernel, nothing else */
	struct boot_image image;
	struct error err;
};

/* Makes a temporary file of these bytes; ends the test when that fails. */
void boot_case_file(char path[64], const void *bytes, size_t size);
void boot_case_init(struct boot_case *c, const void *bytes, size_t size);
/* Removes the file and frees the image. */
void boot_case_end(struct boot_case *c);

/* boot_load() that must succeed: the image must be sound as well. */
void boot_case_loads(struct boot_case *c);
/* boot_load() that must fail with this code and, after the file's name, a sentence that contains words. */
void boot_case_refuses(struct boot_case *c, int code, const char *words);
/* Every segment in RAM, none on another, and the sizes right. */
void boot_case_check_image(const struct boot_image *image, uint64_t ram_size);

/* RAM as the image leaves it: zeros where no segment is. Bytes read; fits paging_read_fn with an image
 * as ctx. */
size_t boot_case_read(void *image, uint64_t gpa, void *buf, size_t len);
uint32_t boot_case_u32(const struct boot_image *image, uint64_t gpa);
uint64_t boot_case_u64(const struct boot_image *image, uint64_t gpa);
/* Up to 255 characters of a string in guest memory. */
const char *boot_case_text(const struct boot_image *image, uint64_t gpa, char buf[256]);
/* The segment called so; ends the test when there is none. */
const struct boot_segment *boot_case_segment(const struct boot_image *image, const char *what);

#endif
