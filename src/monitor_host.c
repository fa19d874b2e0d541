// SPDX-License-Identifier: GPL-3.0-or-later
/* What the monitor's commands ask of the whole: where gdb is taken, and what the serial ports are sent. */
#include "event_loop.h"
#include "gdbstub/server.h"
#include "serial_ports.h"
#include "wiring.h"

#include <errno.h>

static void quit(void *ctx)
{
	event_loop_quit(((struct vitrine *)ctx)->loop, 0);
}

static void stop_serving(struct vitrine *v)
{
	gdb_server_free(v->server);
	v->server = NULL;
}

/* The old server goes first: the new one may want the very address. */
static int serve_gdb(void *ctx, const char *text, struct error *err)
{
	struct vitrine *v = ctx;
	struct net_address address = {.kind = NET_NONE};
	int rc = text ? net_address_parse(text, &address, err) : 0;

	if (rc < 0)
		return rc;
	if (address.kind == NET_STDIO)
		return error_set(
			err, -EBUSY,
			"standard input and output are gdb's from the start, by -gdb stdio, or "
			"never: give a port or a path");
	stop_serving(v);
	return address.kind == NET_NONE ? 0 : wiring_serve_gdb(v, &address, err);
}

static const char *gdb_address(void *ctx)
{
	static const struct net_address none = {.kind = NET_NONE};
	struct vitrine *v = ctx;

	net_address_text(v->server ? gdb_server_address(v->server) : &none, v->gdb_address,
			 sizeof(v->gdb_address));
	return v->gdb_address;
}

static int serial_send(void *ctx, unsigned port, const void *bytes, size_t size, struct error *err)
{
	return serial_ports_type(((struct vitrine *)ctx)->serial, port, bytes, size, err);
}

const struct monitor_host *wiring_host(struct vitrine *v)
{
	v->host = (struct monitor_host){.ctx = v,
					.quit = quit,
					.serve_gdb = serve_gdb,
					.gdb_address = gdb_address,
					.serial_send = serial_send};
	return &v->host;
}
