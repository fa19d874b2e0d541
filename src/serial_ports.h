/* SPDX-License-Identifier: GPL-3.0-or-later */
/* COM1 and COM2 and what -serial connects them to. */
#ifndef SERIAL_PORTS_H
#define SERIAL_PORTS_H

#include "devices/devices.h"
#include "event_loop.h"
#include "machine/machine.h"
#include "options.h"
#include "outbox.h"

struct serial_ports;

int serial_ports_open(const struct options *options, struct event_loop *loop, struct outbox *outbox,
		      struct serial_ports **ports, struct error *err);
void serial_ports_close(struct serial_ports *ports); /* after the machine; NULL is fine */

/* For machine_create(). */
struct serial_backend serial_ports_backend(struct serial_ports *ports, unsigned port);
/* Input flows from here on. */
void serial_ports_connect(struct serial_ports *ports, struct machine *machine);

/* Whether a port takes the terminal that the console would have by default. */
bool serial_ports_want_terminal(const struct options *options);

#endif
