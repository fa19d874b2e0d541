/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * COM1 and COM2, what -serial connects them to, and who has the terminal when COM1 shares it with the
 * console. Without -serial, COM1's output appears in the console if there is one, else on stdout.
 */
#ifndef SERIAL_PORTS_H
#define SERIAL_PORTS_H

#include "devices/devices.h"
#include "event_loop.h"
#include "machine/machine.h"
#include "monitor/console.h"
#include "options.h"
#include "outbox.h"

struct serial_ports;

/* console: whether there will be one. outbox: where text for it goes. -EBUSY when both want the terminal. */
int serial_ports_open(const struct options *options, bool console, struct event_loop *loop,
		      struct outbox *outbox, struct serial_ports **ports, struct error *err);
void serial_ports_close(struct serial_ports *ports); /* after the machine; NULL is fine */

/* For machine_create(). */
struct serial_backend serial_ports_backend(struct serial_ports *ports, unsigned port);

/* Input flows from here on. console may be NULL; quit is what Ctrl-A x does. */
int serial_ports_connect(struct serial_ports *ports, struct machine *machine,
			 struct console *console, void (*quit)(void *ctx), void *ctx,
			 struct error *err);
/* Bytes for the guest, as if they had come in, behind those that wait. -ENOSPC when too many do. */
int serial_ports_type(struct serial_ports *ports, unsigned port, const void *bytes, size_t size,
		      struct error *err);
/* Whether COM1's output goes to a terminal, and nothing of it has come so far. Device lock held for both. */
bool serial_ports_silent(const struct serial_ports *ports);
/* Shows text where COM1's output goes. */
void serial_ports_show(struct serial_ports *ports, const void *bytes, size_t size);
/* The guest has ended by itself: waits until stdout has taken all of its output, however slow its reader
 * is. A signal ends the wait. */
void serial_ports_drain(struct serial_ports *ports);
void serial_ports_disconnect(
	struct serial_ports *ports); /* before the machine or the console goes */

/* Whether a port takes the terminal for itself, or shares it (mon:stdio). */
bool serial_ports_take_terminal(const struct options *options);
bool serial_ports_share_terminal(const struct options *options);

#endif
