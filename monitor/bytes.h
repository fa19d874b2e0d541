/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands about memory in bulk share: their first argument is -p. */
#ifndef MONITOR_BYTES_H
#define MONITOR_BYTES_H

#include "monitor/command.h"

/* Physical behind -p, else linear. */
enum space bytes_space(const struct call *call);
/* All of it; -EFAULT with a sentence that says where it ended. */
int bytes_write(struct call *call, enum space space, uint64_t address, const void *bytes,
		size_t size);

#endif
