// SPDX-License-Identifier: GPL-3.0-or-later
/* What is wired to gdb: the server, the files that it may read, its `monitor`, and who hears that it came. */
#include "wiring.h"

#include "debug/debug.h"
#include "gdbstub/server.h"
#include "monitor/console.h"
#include "monitor/monitor.h"
#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What gdb calls the guest that is built in. */
#define EMBEDDED_NAME "/vitrine/long64.elf"

static void on_gdb(void *ctx, bool attached)
{
	static const char came[] = "■ gdb attached; it holds the machine until it leaves\n";
	static const char went[] = "■ gdb left\n";
	struct vitrine *v = ctx;

	monitor_set_gdb_attached(v->monitor, attached);
	if (!v->console)
		return;
	outbox_flush(v->outbox);
	console_end_line(v->console);
	outbox_put(v->outbox, attached ? came : went, strlen(attached ? came : went));
}

static void run_monitor_line(void *ctx, const char *line,
			     void (*write)(void *wctx, const char *text, size_t size), void *wctx)
{
	struct vitrine *v = ctx;
	struct monitor_out out = {.ctx = wctx, .write = write};

	monitor_execute(v->monitor, line, OWNER_GDB, &out);
}

static void offer_file(struct vitrine *v, struct gdb_file file)
{
	if (file.bytes || file.make)
		v->files[v->file_count++] = file;
}

static void offer_image(struct vitrine *v)
{
	struct image_file image = debug_image_file(v->debug);
	struct gdb_file file = {.path = image.path ? image.path : EMBEDDED_NAME};

	if (image.made) {
		file.make = wiring_make_image;
		file.ctx = v;
	} else {
		file.bytes = wiring_make_image(v, &file.size);
	}
	offer_file(v, file);
}

/* gdb asks for files by absolute names. The first is what it takes for the guest's program. */
static int offer_files(struct vitrine *v, struct error *err)
{
	if (v->options.symbols) {
		v->symbols_path = realpath(v->options.symbols, NULL);
		if (!v->symbols_path)
			return error_set(err, -errno, "cannot find %s: %s", v->options.symbols,
					 strerror(errno));
		offer_file(v, (struct gdb_file){.path = v->symbols_path,
						.bytes = v->symbol_file.bytes,
						.size = v->symbol_file.size});
	}
	offer_image(v);
	return 0;
}

int wiring_serve_gdb(struct vitrine *v, const struct net_address *address, struct error *err)
{
	struct gdb_server_config config = {.address = *address,
					   .files = v->files,
					   .file_count = v->file_count,
					   .on_disconnect = v->options.on_disconnect,
					   .arch = v->options.gdb_arch,
					   .monitor_ctx = v,
					   .monitor = run_monitor_line,
					   .attached_ctx = v,
					   .attached = on_gdb};

	return gdb_server_new(v->debug, v->loop, &config, &v->server, err);
}

int wiring_offer_gdb(struct vitrine *v, struct error *err)
{
	int rc = offer_files(v, err);

	if (rc < 0 || v->options.gdb.kind == NET_NONE)
		return rc;
	return wiring_serve_gdb(v, &v->options.gdb, err);
}
