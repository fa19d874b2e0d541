/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the monitor asks of the program around it: what is neither the machine's nor the debugger's. Any function
 * may be NULL: then the command says that there is no such thing here. */
#ifndef MONITOR_HOST_H
#define MONITOR_HOST_H

#include "error.h"

#include <stddef.h>

struct monitor_host {
	void *ctx;
	/* Ends the program, a moment later. */
	void (*quit)(void *ctx);
	/* Takes gdb at this address from now on, and nowhere else; NULL: at none. A gdb that is connected is cut
	 * off. -errno with a sentence. */
	int (*serve_gdb)(void *ctx, const char *address, struct error *err);
	/* Where gdb is taken: "unix:/tmp/s", "none". */
	const char *(*gdb_address)(void *ctx);
	/* Bytes for the guest's COM1 (port 0) or COM2, behind those that wait already. -errno with a sentence. */
	int (*serial_send)(void *ctx, unsigned port, const void *bytes, size_t size,
			   struct error *err);
};

#endif
