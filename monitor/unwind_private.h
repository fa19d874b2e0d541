/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The unwinder: unwind.c (registers, frame pointers), unwind_pushed.c (interrupts), unwind_rules.c (tables). */
#ifndef MONITOR_UNWIND_PRIVATE_H
#define MONITOR_UNWIND_PRIVATE_H

#include "monitor/orc.h"
#include "monitor/unwind.h"

#define KERNEL_HALF (1ull << 63)

/* Says why there is no caller; false. */
bool unwind_ends(struct unwind *unwind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* ... because there is no stack at this address. */
bool unwind_ends_unmapped(struct unwind *unwind, uint64_t address);

uint64_t *unwind_place(struct unwind *unwind, enum cpu_gpr gpr);
frame_read_fn unwind_read; /* ctx: the unwind */
uint64_t unwind_stack_address(struct unwind *unwind, uint64_t offset);

/* Notes cs and flags behind the saved rip, as an interrupt pushes them; false: those are none. An entry for system
 * calls may push what it likes. */
bool unwind_note_pushed(struct unwind *unwind, uint64_t rip_at);
/* Whether syscall or sysenter leads to the code that pc is in. */
bool unwind_is_syscall_entry(struct unwind *unwind);
/* A handler without rules: what was pushed lies somewhere above, behind what the handler has saved. */
bool unwind_past_interrupt(struct unwind *unwind);

/* By tables: 1: there is a caller; 0: there is none; -1: the tables know nothing. */
int unwind_by_rules(struct unwind *unwind);
int unwind_by_orc(struct unwind *unwind);

#endif
