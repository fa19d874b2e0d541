/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef GUEST_CHECKS_H
#define GUEST_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Prints "ok NAME" or "bad NAME: GOT, not WANT", and counts. */
void check(const char *name, uint64_t got, uint64_t want);
/* Whether the bytes are the same. */
bool same(const void *a, const void *b, size_t size);

/* ---- boot.c: the multiboot information ---- */
struct boot_info;
void boot_checks(uint32_t magic, const struct boot_info *info);
/* KEY=VALUE in the environment, which is the first module; a number, or otherwise when it is not there. */
uint64_t environment_number(const char *key, uint64_t otherwise);
/* The value itself, up to the end of its line. */
const char *environment_text(const char *key);
const char *boot_command_line(const struct boot_info *info);
/* Bytes of RAM that the loader knows of. */
uint64_t boot_memory(void);

/* ---- fwcfg.c ---- */
void fwcfg_checks(void);
unsigned fwcfg_cpus(void);

/* ---- tables.c: ACPI and MP ---- */
void table_checks(void);

/* ---- testdev.c: pc-testdev ---- */
void testdev_checks(void);

#endif
