/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stop that nobody asked for: what a person would ask first is said without being asked. */
#ifndef TROUBLE_H
#define TROUBLE_H

#include "monitor/console.h"

bool trouble_is(enum stop_reason reason); /* triple fault, emulation failure, host error */

/* The console has shown the stop already; it gets what led to it. */
void trouble_tell_console(struct monitor *monitor, struct console *console);

/* Nobody is there: the stop, the registers and the last exits go to standard error. */
void trouble_tell_stderr(struct monitor *monitor);

#endif
