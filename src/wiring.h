/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole vitrine: the machine, its debugger, its front ends, and who tells whom. */
#ifndef WIRING_H
#define WIRING_H

#include "fw_cfg_files.h"
#include "monitor/host.h"
#include "options.h"
#include "whole_file.h"

struct vitrine {
	struct options options;
	struct event_loop *loop;
	struct outbox *outbox; /* text for the console, from any thread */
	struct chardev *words; /* -gdb stdio: standard error, which gdb reads when it likes */
	struct serial_ports *serial;
	struct fw_cfg_files fw_cfg;
	struct drives *drives;
	struct screen_mirror *mirror;
	struct machine *machine;
	struct debug *debug;
	struct whole_file symbol_file, batch;
	struct symbols *symbols;
	struct monitor *monitor;
	struct console *console;
	bool on_terminal; /* the console is, or on a pipe; not on a socket */
	struct gdb_server *server;
	struct gdb_file files[2]; /* that gdb may read: -symbols, and the image */
	unsigned file_count;
	char *symbols_path;
	struct monitor_host host; /* what the monitor asks of us */
	char gdb_address[160];
	int signal_fd;
};

/* Everything but a running guest. console: there is one on this terminal or pipe. What was built when it fails
 * is wiring_tear_down()'s to take away. */
int wiring_build(struct vitrine *v, bool console, struct error *err);
void wiring_tear_down(struct vitrine *v);

/* The image's ELF file with its symbols, which may have to be made; a warning says once when that cannot be. */
const void *wiring_make_image(void *ctx, size_t *size);
/* wiring_gdb.c */
/* Takes note of the files that gdb may read, and takes it where -gdb says. */
int wiring_offer_gdb(struct vitrine *v, struct error *err);
/* Takes gdb there; there is no server yet. */
int wiring_serve_gdb(struct vitrine *v, const struct net_address *address, struct error *err);
/* monitor_host.c */
const struct monitor_host *wiring_host(struct vitrine *v);

#endif
