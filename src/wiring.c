// SPDX-License-Identifier: GPL-3.0-or-later
/* Nothing below this file and main.c knows more than one room of the house. */
#include "wiring.h"

#include "chardev.h"
#include "debug/debug.h"
#include "drives.h"
#include "event_loop.h"
#include "gdbstub/server.h"
#include "log.h"
#include "machine/machine.h"
#include "monitor/console.h"
#include "monitor/monitor.h"
#include "monitor/symbols.h"
#include "outbox.h"
#include "screen_mirror.h"
#include "serial_ports.h"
#include "trouble.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define STATUS_ERROR 1

/* ---- text that is nobody's answer -------------------------------------------------------- */

static void print_plain(void *ctx, const char *text, size_t size)
{
	struct vitrine *v = ctx;

	if (v->console)
		console_print(v->console, text, size);
	if (v->on_terminal)
		return;
	if (v->words)
		chardev_write(v->words, text, size);
	else
		fwrite(text, 1, size, stderr);
}

static void log_to_outbox(void *ctx, enum log_level level, const char *line)
{
	struct vitrine *v = ctx;
	char text[640];
	int n = snprintf(text, sizeof(text), "vitrine: %s\n", line);

	(void)level;
	outbox_put(v->outbox, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void guest_debug_output(void *ctx, const void *bytes, size_t size)
{
	outbox_put(((struct vitrine *)ctx)->outbox, bytes, size);
}

/* ---- events ------------------------------------------------------------------------------ */

static void on_debug_news(void *ctx, int fd, short revents)
{
	(void)fd;
	(void)revents;
	debug_dispatch(((struct vitrine *)ctx)->debug);
}

static void on_timer(void *ctx, int fd, short revents)
{
	(void)fd;
	(void)revents;
	machine_timers(((struct vitrine *)ctx)->machine);
}

static void on_signal(void *ctx, int fd, short revents)
{
	struct vitrine *v = ctx;
	struct signalfd_siginfo info;

	(void)revents;
	if (read(fd, &info, sizeof(info)) == sizeof(info))
		event_loop_quit(v->loop, 128 + (int)info.ssi_signo);
}

/* A stop that nobody asked for and nobody watches: say it where it is seen, and end the run when nobody
 * can ever come to look. */
static void on_trouble(struct vitrine *v)
{
	if (v->console)
		trouble_tell_console(v->monitor, v->console);
	if (v->on_terminal || gdb_server_attached(v->server))
		return;
	trouble_tell_stderr(v->monitor);
	if (v->console)
		fprintf(stderr, "The machine is stopped; the console may look at it.\n");
	else if (!gdb_server_reachable(v->server))
		event_loop_quit(v->loop, STATUS_ERROR);
	else
		fprintf(stderr, "The machine is stopped; gdb may attach to it.\n");
}

static void on_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct vitrine *v = ctx;

	(void)actor;
	if (event == DEBUG_EXITED) {
		serial_ports_drain(v->serial);
		event_loop_quit(v->loop, debug_last_stop(v->debug)->exit_status & 0xff);
	} else if (event == DEBUG_STOPPED && !debug_running(v->debug) &&
		   trouble_is(debug_last_stop(v->debug)->reason)) {
		/* A listener before this one may have resumed: then a vCPU is writing the next stop. */
		on_trouble(v);
	}
}

static void quit(void *ctx)
{
	event_loop_quit(((struct vitrine *)ctx)->loop, 0);
}

/* Nobody may be there to read the answers of a file of commands. */
static void end_of_input(void *ctx, bool failed)
{
	struct vitrine *v = ctx;

	event_loop_quit(v->loop, failed && v->options.batch);
}

/* ---- building ---------------------------------------------------------------------------- */

/* Ctrl-C is the console's; without one it ends vitrine like any other signal. */
static int take_signals(struct vitrine *v, bool console, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (!console)
		sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	v->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (v->signal_fd < 0)
		return error_set(err, -errno, "signalfd failed: %s", strerror(errno));
	return event_loop_watch(v->loop, v->signal_fd, POLLIN, on_signal, v);
}

static int build_loop(struct vitrine *v, struct error *err)
{
	v->loop = event_loop_new();
	v->outbox = v->loop ? outbox_new(v->loop, print_plain, v) : NULL;
	if (!v->outbox)
		return error_set(err, -ENOMEM, "out of memory");
	log_set_level(v->options.log_level);
	log_set_sink(log_to_outbox, v);
	return v->options.gdb.kind == NET_STDIO ? chardev_open("stderr", v->loop, &v->words, err)
						: 0;
}

static int load_image(struct vitrine *v, struct boot_image *image, struct error *err)
{
	const struct options *o = &v->options;
	struct boot_request request = {.kernel = o->kernel,
				       .append = o->append,
				       .initrd = o->initrd,
				       .protocol = o->protocol,
				       .ram_size = o->ram_size,
				       .has_load = o->has_load,
				       .load = o->load,
				       .has_entry = o->has_entry,
				       .entry = o->entry,
				       .vcpus = o->vcpus,
				       .apic = !o->user_irqchip};
	int rc = boot_load(&request, image, err);

	if (rc == 0)
		log_info("boot", "%s: %s", image->protocol, image->why);
	return rc;
}

static int build_machine(struct vitrine *v, struct boot_image *image, struct error *err)
{
	const struct options *o = &v->options;
	struct machine_config config = {.accel = o->accel,
					.kvm_device = o->kvm_device,
					.ram_size = o->ram_size,
					.vcpus = o->vcpus,
					.irqchip = o->user_irqchip ? IRQCHIP_USER : IRQCHIP_KERNEL,
					.stopped_clock = o->stopped_clock,
					.cpu_features = o->cpu,
					.debug_exit_port = o->debug_exit_port,
					.debug_exit_size = o->debug_exit_size,
					.pc_testdev = o->pc_testdev,
					.fw_cfg = v->fw_cfg.file,
					.trace_unclaimed = o->log_level >= LOG_DEBUG};
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < o->fw_cfg_count; i++)
		rc = fw_cfg_files_add(&v->fw_cfg, o->fw_cfg[i], err);
	config.fw_cfg_count = v->fw_cfg.count;
	for (unsigned port = 0; port < MAX_SERIALS; port++)
		config.serial[port] = serial_ports_backend(v->serial, port);
	for (unsigned i = 0; i < MAX_DRIVES; i++)
		config.disk[i] = drives_backend(v->drives, i);
	if (v->mirror)
		config.text = screen_mirror_backend(v->mirror);
	if (rc == 0)
		rc = machine_create(&config, &v->machine, err);
	if (rc == 0)
		drives_connect(v->drives, v->machine);
	if (rc == 0)
		rc = machine_boot(v->machine, image, err);
	if (rc == 0)
		rc = event_loop_watch(v->loop, v->machine->clock.fd, POLLIN, on_timer, v);
	return rc;
}

static int build_debug(struct vitrine *v, struct error *err)
{
	struct debug_config config = v->options.debug;
	char cache[4096];
	int rc;

	config.debug_output = guest_debug_output;
	config.debug_output_ctx = v;
	if (debug_cache_path(cache, sizeof(cache)))
		config.cache = cache;
	rc = debug_create(v->machine, &config, &v->debug, err);
	if (rc == 0)
		rc = event_loop_watch(v->loop, debug_event_fd(v->debug), POLLIN, on_debug_news, v);
	return rc;
}

/* The snapshot stays in memory, under the option's name: `snapshot restore loadvm` goes back to it. */
static int load_snapshot(struct vitrine *v, struct error *err)
{
	int rc;

	if (!v->options.loadvm)
		return 0;
	rc = debug_snapshot_read(v->debug, v->options.loadvm, "loadvm", err);
	return rc < 0 ? rc : debug_snapshot_restore(v->debug, "loadvm", OWNER_NONE, err);
}

const void *wiring_make_image(void *ctx, size_t *size)
{
	struct vitrine *v = ctx;
	struct error err = {0};
	const void *elf = debug_image(v->debug, size, &err);

	if (err.code)
		log_warn("boot", "there are no symbols: %s %s", debug_image_file(v->debug).path,
			 err.text);
	return elf;
}

/* The image's own symbols, or those of -symbols. */
static int load_symbols(struct vitrine *v, struct error *err)
{
	struct image_file image = debug_image_file(v->debug);
	const void *elf;
	size_t size;

	if (v->options.symbols) {
		int rc = whole_file_read(v->options.symbols, &v->symbol_file, err);

		if (rc == 0 && !v->symbol_file.size)
			rc = error_set(err, -EINVAL, "%s is empty", v->options.symbols);
		if (rc < 0)
			return rc;
		elf = v->symbol_file.bytes;
		size = v->symbol_file.size;
	} else if (image.made) {
		return symbols_later(wiring_make_image, v, &v->symbols, err);
	} else {
		elf = wiring_make_image(v, &size);
	}
	return elf ? symbols_load(elf, size, &v->symbols, err) : 0;
}

static int build_monitor(struct vitrine *v, bool console, struct error *err)
{
	struct console_config config = {.json = v->options.json, .end = end_of_input, .ctx = v};
	int rc = load_symbols(v, err);

	if (rc < 0)
		return rc;
	v->monitor = monitor_new(v->debug, v->symbols, quit, v);
	if (!v->monitor)
		return error_set(err, -ENOMEM, "out of memory");
	monitor_set_host(v->monitor, wiring_host(v));
	if (v->options.monitor == MONITOR_SOCKET)
		config.address = &v->options.monitor_address;
	if (console || config.address)
		rc = console_new(v->monitor, v->debug, v->loop, &config, &v->console, err);
	v->on_terminal = v->console && !config.address;
	return rc;
}

int wiring_build(struct vitrine *v, bool console, struct error *err)
{
	struct boot_image image = {0};
	int rc = build_loop(v, err);

	if (rc == 0 && v->options.batch)
		rc = whole_file_read_stream(v->options.batch, &v->batch, err);
	if (rc == 0)
		rc = take_signals(v, console, err);
	if (rc == 0)
		rc = load_image(v, &image, err);
	if (rc == 0)
		rc = serial_ports_open(&v->options, console, v->loop, v->outbox, &v->serial, err);
	if (rc == 0)
		rc = drives_open(v->options.drive, &v->drives, err);
	if (rc == 0 && serial_ports_silent(v->serial))
		rc = screen_mirror_new(v->serial, v->loop, &v->mirror, err);
	if (rc == 0)
		rc = build_machine(v, &image, err);
	boot_free(&image);
	if (rc == 0)
		rc = build_debug(v, err);
	/* Before the front ends: what the guest has written comes before what they say of its stop. */
	if (rc == 0 && v->mirror)
		rc = screen_mirror_connect(v->mirror, v->machine, v->debug);
	if (rc == 0)
		rc = load_snapshot(v, err);
	if (rc == 0)
		rc = build_monitor(v, console, err);
	if (rc == 0)
		rc = wiring_offer_gdb(v, err);
	/* Behind the console and gdb's stub, who tell their users first. */
	if (rc == 0)
		rc = debug_listen(v->debug, on_event, v);
	if (rc == 0)
		rc = serial_ports_connect(v->serial, v->machine, v->on_terminal ? v->console : NULL,
					  quit, v, err);
	return rc;
}

/* Front ends first, then what they look at, then what that stands on. */
void wiring_tear_down(struct vitrine *v)
{
	gdb_server_free(v->server);
	serial_ports_disconnect(v->serial);
	if (v->outbox)
		outbox_flush(v->outbox);
	console_free(v->console);
	v->console = NULL;
	monitor_free(v->monitor);
	symbols_free(v->symbols);
	screen_mirror_disconnect(v->mirror);
	debug_destroy(v->debug);
	drives_disconnect(v->drives);
	machine_destroy(v->machine);
	fw_cfg_files_free(&v->fw_cfg);
	drives_close(v->drives);
	screen_mirror_free(v->mirror);
	serial_ports_close(v->serial);
	whole_file_free(&v->symbol_file);
	free(v->symbols_path);
	whole_file_free(&v->batch);
	log_set_sink(NULL, NULL);
	outbox_free(v->outbox);
	chardev_close(v->words);
	if (v->signal_fd >= 0)
		close(v->signal_fd);
	event_loop_free(v->loop);
}
