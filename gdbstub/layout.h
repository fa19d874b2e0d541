/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which registers gdb is told of, under which names and how wide. gdb matches the description that
 * it reads at the connect against the architecture of the program that it has loaded, and wants
 * `eax` for a 32-bit program and `rax` for a 64-bit one: told of the wrong ones it gives up with
 * "Remote 'g' packet reply is too long". A layout holds for a whole connection, whatever mode the
 * guest goes to.
 */
#ifndef GDBSTUB_LAYOUT_H
#define GDBSTUB_LAYOUT_H

#include "gdbstub/session.h"

/* What GDB_ARCH_AUTO means now: the image's own architecture, as its ELF header has it, since that
 * is the file which gdb will have loaded; but no 32-bit layout for a guest in long mode. */
enum gdb_arch layout_choose(struct debug *debug);

/* Bytes of a register; 0 when the layout does not have it. */
size_t layout_bytes(enum gdb_arch arch, unsigned reg);
const char *layout_type(enum gdb_arch arch, unsigned reg);
const char *layout_feature(enum gdb_arch arch, enum register_group group);
#define LAYOUT_NAME_MAX 24
void layout_name(enum gdb_arch arch, unsigned reg, char name[LAYOUT_NAME_MAX]);

#endif
