// SPDX-License-Identifier: GPL-3.0-or-later
#include "serial_ports.h"

#include "chardev.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What was typed waits here until the guest takes it. */
#define TYPED_MAX 65536

struct serial_port {
	struct serial_ports *ports;
	unsigned number;
	struct chardev *cd; /* NULL: nothing, or the console */
	struct serial_backend inner;
	uint8_t *typed;
	size_t typed_size;
	atomic_bool typed_waits; /* the guest is to tell when it has room */
	int room_fd;		 /* eventfd: it has */
};

struct serial_ports {
	struct outbox *outbox;
	struct event_loop *loop;
	bool to_console; /* COM1's output goes to the outbox */
	bool terminal;	 /* and that, or COM1 itself, to a terminal */
	bool spoken;	 /* COM1 has sent something; device lock */
	struct machine *machine;
	struct console *console;
	void (*quit)(void *ctx);
	void *quit_ctx;
	struct serial_port port[MAX_SERIALS];
};

static bool any_spec_is(const struct options *options, const char *spec)
{
	for (unsigned i = 0; i < options->serial_count; i++)
		if (strcmp(options->serial[i], spec) == 0)
			return true;
	return false;
}

bool serial_ports_take_terminal(const struct options *options)
{
	return any_spec_is(options, "stdio");
}

bool serial_ports_share_terminal(const struct options *options)
{
	return any_spec_is(options, "mon:stdio");
}

/* ---- opening ----------------------------------------------------------------------------- */

/* COM1's output goes to the console or, where gdb has standard output, to standard error. */
static bool shows_com1(const struct options *options, bool console)
{
	return (console || options->gdb.kind == NET_STDIO) && options->serial_count == 0;
}

static const char *spec_of(const struct options *options, unsigned port, bool console)
{
	if (port < options->serial_count)
		return options->serial[port];
	return port == 0 && !shows_com1(options, console) ? "stdio" : "none";
}

static int open_port(struct serial_port *port, const char *spec, struct event_loop *loop,
		     struct error *err)
{
	int rc = chardev_open(spec, loop, &port->cd, err);

	if (rc < 0)
		return rc;
	/* A pty's name is the host's choice: who does not see it cannot connect. */
	if (strcmp(spec, "pty") == 0)
		log_warn("serial", "COM%u is at %s", port->number + 1, chardev_where(port->cd));
	return 0;
}

static int check_terminal(const struct options *options, bool console, struct error *err)
{
	if (!console || !serial_ports_take_terminal(options))
		return 0;
	return error_set(err, -EBUSY,
			 "-serial stdio and the console cannot both have the terminal: "
			 "use -serial mon:stdio to share it, or -monitor none");
}

/* With -gdb stdio, standard output is gdb's. */
static bool shows_on_terminal(const struct options *options, const char *spec)
{
	bool shown = options->serial_count == 0 || strcmp(spec, "stdio") == 0 ||
		     strcmp(spec, "mon:stdio") == 0;

	return shown && options->gdb.kind != NET_STDIO && isatty(STDOUT_FILENO);
}

static int open_all(struct serial_ports *ports, const struct options *options, bool console,
		    struct event_loop *loop, struct error *err)
{
	int rc = check_terminal(options, console, err);

	ports->to_console = shows_com1(options, console);
	ports->terminal = shows_on_terminal(options, spec_of(options, 0, console));
	for (unsigned i = 0; rc == 0 && i < MAX_SERIALS; i++) {
		ports->port[i] = (struct serial_port){.ports = ports, .number = i, .room_fd = -1};
		rc = open_port(&ports->port[i], spec_of(options, i, console), loop, err);
	}
	return rc;
}

int serial_ports_open(const struct options *options, bool console, struct event_loop *loop,
		      struct outbox *outbox, struct serial_ports **out, struct error *err)
{
	struct serial_ports *ports = calloc(1, sizeof(*ports));
	int rc;

	if (!ports)
		return error_set(err, -ENOMEM, "out of memory");
	ports->outbox = outbox;
	ports->loop = loop;
	rc = open_all(ports, options, console, loop, err);
	if (rc < 0) {
		serial_ports_close(ports);
		return rc;
	}
	*out = ports;
	return 0;
}

void serial_ports_close(struct serial_ports *ports)
{
	if (!ports)
		return;
	for (unsigned i = 0; i < MAX_SERIALS; i++) {
		chardev_close(ports->port[i].cd);
		free(ports->port[i].typed);
		if (ports->port[i].room_fd >= 0)
			close(ports->port[i].room_fd);
	}
	free(ports);
}

/* ---- the machine's side ------------------------------------------------------------------ */

static void write_console(void *ctx, const void *bytes, size_t size)
{
	outbox_put(((struct serial_ports *)ctx)->outbox, bytes, size);
}

static struct serial_backend inner_backend(struct serial_ports *ports, unsigned port)
{
	if (port == 0 && ports->to_console)
		return (struct serial_backend){.ctx = ports, .write = write_console};
	return chardev_serial_backend(ports->port[port].cd);
}

static void on_write(void *ctx, const void *bytes, size_t size)
{
	struct serial_port *port = ctx;

	port->ports->spoken |= port->number == 0;
	port->inner.write(port->inner.ctx, bytes, size);
}

bool serial_ports_silent(const struct serial_ports *ports)
{
	return ports->terminal && !ports->spoken;
}

void serial_ports_show(struct serial_ports *ports, const void *bytes, size_t size)
{
	const struct serial_backend *inner = &ports->port[0].inner;

	inner->write(inner->ctx, bytes, size);
}

/* In a vCPU's thread, with the device lock held. */
static void on_ready(void *ctx)
{
	struct serial_port *port = ctx;
	uint64_t one = 1;

	if (port->inner.ready)
		port->inner.ready(port->inner.ctx);
	if (atomic_load(&port->typed_waits) && write(port->room_fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

static bool on_has_room(void *ctx)
{
	const struct serial_backend *inner = &((struct serial_port *)ctx)->inner;

	return inner->has_room(inner->ctx);
}

struct serial_backend serial_ports_backend(struct serial_ports *ports, unsigned number)
{
	struct serial_port *port = &ports->port[number];

	port->inner = inner_backend(ports, number);
	return (struct serial_backend){.ctx = port,
				       .write = port->inner.write ? on_write : NULL,
				       .ready = on_ready,
				       .has_room = port->inner.has_room ? on_has_room : NULL};
}

/* ---- what the console sends --------------------------------------------------------------- */

static void pump(struct serial_port *port)
{
	size_t taken = machine_serial_input(port->ports->machine, port->number, port->typed,
					    port->typed_size);

	port->typed_size -= taken;
	memmove(port->typed, port->typed + taken, port->typed_size);
	atomic_store(&port->typed_waits, port->typed_size > 0);
}

static void on_typed_room(void *ctx, int fd, short revents)
{
	struct serial_port *port = ctx;
	uint64_t count;

	(void)revents;
	if (read(fd, &count, sizeof(count)) == sizeof(count) && port->ports->machine)
		pump(port);
}

/* At the first time. */
static int prepare_typing(struct serial_port *port)
{
	if (port->typed)
		return 0;
	port->typed = malloc(TYPED_MAX);
	port->room_fd = port->typed ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
	if (port->room_fd < 0) {
		free(port->typed);
		port->typed = NULL;
		return -ENOMEM;
	}
	return event_loop_watch(port->ports->loop, port->room_fd, POLLIN, on_typed_room, port);
}

int serial_ports_type(struct serial_ports *ports, unsigned number, const void *bytes, size_t size,
		      struct error *err)
{
	struct serial_port *port = &ports->port[number];
	int rc = prepare_typing(port);

	if (rc < 0)
		return error_set(err, rc, "nothing can be sent: %s", strerror(-rc));
	if (size > TYPED_MAX - port->typed_size)
		return error_set(err, -ENOSPC, "the guest does not read: %zu bytes wait for it",
				 port->typed_size);
	memcpy(port->typed + port->typed_size, bytes, size);
	port->typed_size += size;
	/* Before the guest is asked: what it takes from now on it tells. */
	atomic_store(&port->typed_waits, true);
	pump(port);
	return 0;
}

static size_t on_input(void *ctx, const void *bytes, size_t size)
{
	struct serial_port *port = ctx;

	/* While vitrine comes up or goes down there is nobody to read. */
	if (!port->ports->machine)
		return size;
	return machine_serial_input(port->ports->machine, port->number, bytes, size);
}

static void on_room(void *ctx)
{
	struct serial_port *port = ctx;

	if (port->ports->machine)
		machine_serial_room(port->ports->machine, port->number);
}

/* ---- one terminal for two ---------------------------------------------------------------- */

static void switch_to_console(void *ctx)
{
	struct serial_port *port = ctx;

	if (port->ports->console)
		console_set_active(port->ports->console, true);
}

static void switch_to_serial(struct serial_ports *ports)
{
	for (unsigned i = 0; i < MAX_SERIALS; i++) {
		if (!chardev_has_console(ports->port[i].cd))
			continue;
		console_set_active(ports->console, false);
		chardev_set_active(ports->port[i].cd, true);
	}
}

static void on_quit_key(void *ctx)
{
	struct serial_ports *ports = ((struct serial_port *)ctx)->ports;

	if (ports->quit)
		ports->quit(ports->quit_ctx);
}

static void on_escape(void *ctx, char key)
{
	struct serial_ports *ports = ctx;

	if (key == 'x' && ports->quit)
		ports->quit(ports->quit_ctx);
	else if (key == 'c')
		switch_to_serial(ports);
}

static void print_above_prompt(void *ctx, const char *text, size_t size)
{
	struct serial_port *port = ctx;

	if (port->ports->console)
		console_print(port->ports->console, text, size);
}

static int connect_port(struct serial_port *port, struct error *err)
{
	struct chardev_user user = {.ctx = port,
				    .input = on_input,
				    .room = on_room,
				    .switch_to_console = port->ports->console ? switch_to_console
									      : NULL,
				    .quit = on_quit_key,
				    .console_output = print_above_prompt};

	return chardev_connect(port->cd, &user, err);
}

static void share_terminal(struct serial_ports *ports, bool shared)
{
	if (!shared || !ports->console)
		return;
	console_set_active(ports->console, false);
	console_set_escape(ports->console, on_escape, ports);
}

int serial_ports_connect(struct serial_ports *ports, struct machine *machine,
			 struct console *console, void (*quit)(void *ctx), void *ctx,
			 struct error *err)
{
	bool shared = false;
	int rc = 0;

	ports->machine = machine;
	ports->console = console;
	ports->quit = quit;
	ports->quit_ctx = ctx;
	for (unsigned i = 0; i < MAX_SERIALS; i++)
		shared |= chardev_has_console(ports->port[i].cd);
	share_terminal(ports, shared);
	for (unsigned i = 0; rc == 0 && i < MAX_SERIALS; i++)
		rc = connect_port(&ports->port[i], err);
	return rc;
}

void serial_ports_drain(struct serial_ports *ports)
{
	for (unsigned i = 0; i < MAX_SERIALS; i++)
		if (chardev_uses_stdin(ports->port[i].cd))
			chardev_flush(ports->port[i].cd, -1);
}

void serial_ports_disconnect(struct serial_ports *ports)
{
	if (!ports)
		return;
	ports->machine = NULL;
	ports->console = NULL;
}
