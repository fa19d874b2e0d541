/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A low megabyte with the tables in it. */
#ifndef TESTS_FIRMWARE_CASE_H
#define TESTS_FIRMWARE_CASE_H

#include "boot_case.h"

#include <stddef.h>
#include <stdint.h>

extern uint8_t low[MIB]; /* the low megabyte of the machine */
extern struct boot_case booted;

void tables_load(unsigned vcpus, bool apic);
int tables_teardown(void **state);
uint8_t u8(uint64_t at);
uint16_t u16(uint64_t at);
uint32_t u32(uint64_t at);
void adds_up(uint64_t at, size_t size);
uint64_t scan(uint64_t from, uint64_t to, const char *signature);

#endif
