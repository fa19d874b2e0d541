/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The terminal that vitrine was started on. It belongs to the process, not to a machine: one user at a
 * time, and its modes are restored at exit, whoever calls exit().
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>

/* Whether stdin was free and is the caller's now. */
bool terminal_claim(void);
void terminal_release(void); /* restores it, too */

/* No echo, no line editing; output is processed as before. signals: Ctrl-C and Ctrl-Z still send their
 * signals. Does nothing when stdin is no terminal. 0 or -errno. */
int terminal_raw(bool signals);

/* Back to the modes before the first terminal_raw(). Safe in a signal handler, and to call twice. */
void terminal_restore(void);

#endif
