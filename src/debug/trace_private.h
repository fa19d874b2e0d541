/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the flight recorder's public face: trace.c reads, trace_text.c finds the words. */
#ifndef DEBUG_TRACE_PRIVATE_H
#define DEBUG_TRACE_PRIVATE_H

#include "machine/recorder.h"

#include <stddef.h>

/* "io"; NULL for a number that is no exit reason. */
const char *trace_reason_name(unsigned reason);

/* "out 0x3f8 ← 0x41 'A'"; "" for reasons that say all. */
void trace_record_text(const struct exit_record *record, char *buf, size_t size);

/* "0x3f8 out", "MSR_EFER". */
void trace_target_text(unsigned reason, uint64_t address, bool write, char *buf, size_t size);

#endif
