/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trace instructions: what a vCPU executes, one line an instruction, in a file. */
#ifndef MONITOR_INSTRUCTION_TRACE_H
#define MONITOR_INSTRUCTION_TRACE_H

#include "monitor/command.h"

struct instruction_trace;

/* The file is replaced when all is written. -errno with a sentence. */
int instruction_trace_begin(struct monitor *monitor, int cpu, const char *path, struct error *err);
/* The instruction at the vCPU's pc is about to be executed. */
void instruction_trace_next(struct monitor *monitor);
/* It was, or an interrupt came before it: what has changed. */
void instruction_trace_done(struct monitor *monitor);
/* No more of them. Does nothing when there is no trace. */
void instruction_trace_end(struct monitor *monitor);

#endif
