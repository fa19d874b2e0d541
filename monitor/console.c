// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/console.h"

#include "monitor/console_private.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* gdb steps and runs through its own stops many times a second; a person is told where it let the
 * machine stand for this long. */
#define QUIET_NS  100000000
#define FOLLOW_NS 100000000

/* Signal handlers have no other way to their console. */
static int sigint_fd = -1, sigcont_fd = -1;

static void on_signal(int signo)
{
	int saved = errno;
	uint64_t one = 1;

	if (write(signo == SIGINT ? sigint_fd : sigcont_fd, &one, sizeof(one)) < 0)
		errno = saved;
	errno = saved;
}

static void drain(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
}

/* ---- Ctrl-C -------------------------------------------------------------------------------- */

static void interrupted(void *ctx, int fd, short revents)
{
	struct console *console = ctx;

	(void)revents;
	drain(fd);
	console_stop_paging(console);
	if (monitor_guest_running(console->monitor))
		monitor_interrupt(console->monitor);
	else
		console_clear_line(console);
}

/* Back from Ctrl-Z: the shell has had the terminal, its modes and the screen. */
static void continued(void *ctx, int fd, short revents)
{
	struct console *console = ctx;

	(void)revents;
	drain(fd);
	console_stop_paging(console);
	console_suspend(console);
	console_prompt(console);
}

/* ---- events -------------------------------------------------------------------------------- */

static void set_timer(int fd, long ns)
{
	struct itimerspec when = {.it_value.tv_nsec = ns};

	timerfd_settime(fd, 0, &when, NULL);
}

static void announce_state(struct console *console)
{
	console_begin(console);
	monitor_show_state(console->monitor, OWNER_GDB, &console->out);
	console_end(console);
}

static void quiet_over(void *ctx, int fd, short revents)
{
	struct console *console = ctx;
	bool running = monitor_guest_running(console->monitor);

	(void)revents;
	drain(fd);
	if (!running || !console->told_running)
		announce_state(console);
	console->told_running = running;
}

static void patience_over(void *ctx, int fd, short revents)
{
	struct console *console = ctx;

	(void)revents;
	drain(fd);
	console->waiting = false;
	console_prompt(console);
}

static void show_followed(struct console *console)
{
	if (!monitor_following(console->monitor))
		return;
	console_begin(console);
	monitor_follow(console->monitor, &console->out);
	console_end(console);
}

static void follow_looks(void *ctx, int fd, short revents)
{
	(void)revents;
	drain(fd);
	show_followed(ctx);
	console_follow(ctx);
}

void console_follow(struct console *console)
{
	bool wanted = monitor_following(console->monitor) &&
		      monitor_guest_running(console->monitor);

	set_timer(console->follow_timer, wanted ? FOLLOW_NS : 0);
}

static void woken(void *ctx, int fd, short revents)
{
	(void)revents;
	drain(fd);
	console_prompt(ctx);
}

/* Lines that wait are run from the loop, not from inside an event. */
void console_wake(struct console *console)
{
	uint64_t one = 1;

	if (write(console->wake_fd, &one, sizeof(one)) < 0)
		console_prompt(console);
}

static void no_more_waiting(struct console *console)
{
	console->waiting = false;
	set_timer(console->wait_timer, 0);
	console_wake(console);
}

static void on_stopped(struct console *console, enum debug_owner actor)
{
	char *commands;
	bool silent;

	if (monitor_gdb_attached(console->monitor) || actor == OWNER_GDB) {
		set_timer(console->quiet_timer, QUIET_NS);
		return;
	}
	commands = monitor_stop_commands(console->monitor, &silent);
	if (!silent) {
		console_begin(console);
		monitor_show_stop(console->monitor, &console->out);
		console_end(console);
	}
	console->told_running = false;
	if (commands)
		console_take_script(console, commands, NULL);
	free(commands);
}

static void on_resumed(struct console *console, enum debug_owner actor)
{
	if (actor == OWNER_GDB)
		set_timer(console->quiet_timer, QUIET_NS);
	else
		console->told_running = true;
}

static void on_reset(struct console *console, enum debug_owner actor)
{
	static const char *const by[OWNER_COUNT] = {"", " by gdb", ""};

	console_begin(console);
	out_printf(&console->out, "■ reset%s: the guest is back at its start%s\n", by[actor],
		   monitor_guest_running(console->monitor) ? " and runs" : "");
	console_end(console);
}

static void on_restored(struct console *console, enum debug_owner actor)
{
	if (actor == OWNER_CONSOLE)
		return; /* the command has said so */
	console_begin(console);
	out_printf(&console->out, "■ %s: the guest is what it was then%s\n",
		   actor == OWNER_GDB ? "gdb restored a snapshot" : "a snapshot was restored",
		   monitor_guest_running(console->monitor) ? ", and runs" : "");
	console_end(console);
}

static void on_exited(struct console *console)
{
	const struct stop *stop = debug_last_stop(console->debug);
	char text[TEXT_CLEAN_SIZE(sizeof(stop->text))] = "";

	if (stop)
		text_clean(stop->text, strnlen(stop->text, sizeof(stop->text)), false, text,
			   sizeof(text));
	console_begin(console);
	out_printf(&console->out, "■ the guest has ended%s%s, exit status %d\n",
		   text[0] ? ": " : "", text, stop ? stop->exit_status : 0);
	console_end(console);
}

static size_t without_newlines(const char *text)
{
	size_t size = strlen(text);

	while (size && text[size - 1] == '\n')
		size--;
	return size;
}

/* What points print, and go on; the guest may have chosen a part of it. gdb shows what its own print. */
static void on_output(struct console *console, enum debug_owner actor)
{
	const char *line = debug_output(console->debug);
	size_t size = without_newlines(line);
	bool is_gdbs = actor == OWNER_GDB && monitor_gdb_attached(console->monitor);
	char *text = is_gdbs ? NULL : malloc(TEXT_CLEAN_SIZE(size));

	if (!text)
		return;
	text_clean(line, size, true, text, TEXT_CLEAN_SIZE(size));
	console_begin(console);
	out_printf(&console->out, "%s\n", text);
	console_end(console);
	free(text);
}

static void on_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct console *console = ctx;

	if (event == DEBUG_STOPPED)
		show_followed(console);
	switch (event) {
	case DEBUG_STOPPED: on_stopped(console, actor); break;
	case DEBUG_RESUMED: on_resumed(console, actor); break;
	case DEBUG_RESET: on_reset(console, actor); break;
	case DEBUG_RESTORED: on_restored(console, actor); break;
	case DEBUG_EXITED: on_exited(console); break;
	case DEBUG_OUTPUT: on_output(console, actor); break;
	}
	console_follow(console);
	if (console->waiting && !monitor_expects_stop(console->monitor))
		no_more_waiting(console);
}

/* ---- life ---------------------------------------------------------------------------------- */

/* no-color.org: set and not empty. */
static bool wants_color(const struct console *console)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && console->smart;
}

static void take_signals(struct console *console)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigint_fd = console->interrupt_fd;
	sigcont_fd = console->continue_fd;
	sigaction(SIGINT, &action, &console->old_sigint);
	sigaction(SIGCONT, &action, &console->old_sigcont);
}

static void give_signals_back(struct console *console)
{
	sigaction(SIGINT, &console->old_sigint, NULL);
	sigaction(SIGCONT, &console->old_sigcont, NULL);
	sigint_fd = sigcont_fd = -1;
}

static int open_fds(struct console *console)
{
	console->interrupt_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	console->continue_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	console->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	console->wait_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	console->follow_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	console->quiet_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (console->interrupt_fd < 0 || console->continue_fd < 0 || console->wake_fd < 0 ||
	    console->wait_timer < 0 || console->quiet_timer < 0 || console->follow_timer < 0)
		return -errno;
	return 0;
}

static int watch_fds(struct console *console)
{
	const struct {
		int fd;
		event_fn *fn;
	} watched[] = {
		{console->interrupt_fd, interrupted},
		{console->continue_fd, continued},
		{console->wake_fd, woken},
		{console->wait_timer, patience_over},
		{console->quiet_timer, quiet_over},
		{console->follow_timer, follow_looks},
	};
	int ret = 0;

	for (unsigned i = 0; !ret && i < sizeof(watched) / sizeof(*watched); i++)
		ret = event_loop_watch(console->loop, watched[i].fd, POLLIN, watched[i].fn,
				       console);
	return ret;
}

static void close_fds(struct console *console)
{
	int fds[] = {console->interrupt_fd, console->continue_fd, console->wake_fd,
		     console->wait_timer,   console->quiet_timer, console->follow_timer};

	for (unsigned i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (fds[i] < 0)
			continue;
		event_loop_forget(console->loop, fds[i]);
		close(fds[i]);
	}
}

static int start(struct console *console, struct error *err)
{
	int ret = open_fds(console);

	if (!ret)
		ret = watch_fds(console);
	if (ret)
		return error_set(err, ret, "the console cannot be set up: %s", strerror(-ret));
	return console_input_start(console, err);
}

int console_new(struct monitor *monitor, struct debug *debug, struct event_loop *loop,
		void (*end)(void *ctx), void *ctx, struct console **result, struct error *err)
{
	struct console *console = calloc(1, sizeof(*console));
	int ret;

	if (!console)
		return error_set(err, -ENOMEM, "no memory for the console");
	console->monitor = monitor;
	console->debug = debug;
	console->loop = loop;
	console->end = end;
	console->end_ctx = ctx;
	console->interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	console->active = true;
	console->smart = getenv("TERM") && strcmp(getenv("TERM"), "dumb");
	console->out = (struct monitor_out){.ctx = console,
					    .write = console_write,
					    .color = wants_color(console),
					    .asks = console->interactive};
	ret = start(console, err);
	if (ret) {
		close_fds(console);
		free(console);
		return ret;
	}
	take_signals(console);
	monitor_listen(monitor, on_event, console);
	*result = console;
	return 0;
}

void console_free(struct console *console)
{
	if (!console)
		return;
	monitor_listen(console->monitor, NULL, NULL);
	console_input_stop(console);
	console_output_free(console);
	give_signals_back(console);
	close_fds(console);
	free(console);
}

void console_run_init(struct console *console)
{
	console_begin(console);
	monitor_run_init(console->monitor, &console->out);
	console_end(console);
}

void console_set_active(struct console *console, bool active)
{
	if (console->active == active || console->ended)
		return;
	if (!active) {
		console_stop_paging(console);
		console_suspend(console);
		event_loop_forget(console->loop, STDIN_FILENO);
	}
	console->active = active;
	console_prompt(console);
}
