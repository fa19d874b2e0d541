/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vitrine -doctor: what this host can do for a debugger, in place of a run. */
#ifndef CHECKUP_H
#define CHECKUP_H

#include "options.h"

/* Prints to standard output; the exit status: 0 when guests can be debugged here, else 1. */
int checkup(const struct options *options);

#endif
