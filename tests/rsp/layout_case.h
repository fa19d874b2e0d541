/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A peer, and what it is told of the registers. */
#ifndef TESTS_LAYOUT_CASE_H
#define TESTS_LAYOUT_CASE_H

#include "peer.h"

/* Bytes of g: 17 general registers, eflags and selectors, st0-7 and what belongs to them, xmm and mxcsr, fs_base
 * and gs_base. Where only 32-bit names are known there are 9, and 8 of xmm. */
#define G_64 (17 * 8 + 7 * 4 + 8 * 10 + 8 * 4 + 16 * 16 + 4 + 2 * 8)

static const uint8_t elf64[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
static const struct gdb_file file64 = {.path = "/kernel64", .bytes = elf64, .size = sizeof(elf64)};

void enter_mode(struct cpu_state *cpu, enum cpu_mode mode);
struct peer *peer_in(enum cpu_mode mode, enum gdb_arch wish, const struct gdb_file *file);
char *description(struct peer *peer);
/* Names that stand beside others come behind the table, in its order. */
unsigned narrow(const char *name);
bool has_register(const char *xml, const char *name);
void expect_description(const char *xml, const char *arch, bool names_64, bool names_32);

#endif
