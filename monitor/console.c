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

void console_drain(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
}

void console_set_timer(int fd, long ns)
{
	struct itimerspec when = {.it_value.tv_nsec = ns};

	timerfd_settime(fd, 0, &when, NULL);
}

/* ---- Ctrl-C -------------------------------------------------------------------------------- */

static void interrupted(void *ctx, int fd, short revents)
{
	struct console *console = ctx;

	(void)revents;
	console_drain(fd);
	console_stop_paging(console);
	if (monitor_guest_running(console->monitor))
		monitor_interrupt(console->monitor);
	else
		console_clear_line(console);
}

/* monitor_enough_fn. The signal was for the command that asks. */
static bool is_interrupted(void *ctx)
{
	const struct console *console = ctx;
	struct pollfd fd = {.fd = console->interrupt_fd, .events = POLLIN};

	if (console->socket)
		return console_socket_wants_stop(console);
	if (poll(&fd, 1, 0) <= 0)
		return false;
	console_drain(fd.fd);
	return true;
}

/* Back from Ctrl-Z: the shell has had the terminal, its modes and the screen. */
static void continued(void *ctx, int fd, short revents)
{
	struct console *console = ctx;

	(void)revents;
	console_drain(fd);
	console_stop_paging(console);
	console_suspend(console);
	console_prompt(console);
}

/* ---- life ---------------------------------------------------------------------------------- */

/* no-color.org: set and not empty. */
static bool wants_color(const struct console *console)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && console->smart;
}

/* They are the terminal's, which a console on a socket does not have. */
static void take_signals(struct console *console)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	if (console->config.address)
		return;
	sigint_fd = console->interrupt_fd;
	sigcont_fd = console->continue_fd;
	sigaction(SIGINT, &action, &console->old_sigint);
	sigaction(SIGCONT, &action, &console->old_sigcont);
}

static void give_signals_back(struct console *console)
{
	if (console->config.address)
		return;
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
		{console->wake_fd, console_woken},
		{console->wait_timer, console_patience_over},
		{console->quiet_timer, console_quiet_over},
		{console->follow_timer, console_follow_looks},
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

/* A program on the other side of a pipe or a socket neither edits nor wants colours. */
static void look_at_terminal(struct console *console)
{
	bool plain = console->config.json || console->config.address;

	console->interactive = !plain && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	console->terminal = !plain && isatty(STDOUT_FILENO);
	console->smart = getenv("TERM") && strcmp(getenv("TERM"), "dumb");
	console->out = (struct monitor_out){.ctx = console,
					    .write = console_write,
					    .json = console->config.json,
					    .color = !plain && wants_color(console),
					    .asks = console->interactive};
}

int console_new(struct monitor *monitor, struct debug *debug, struct event_loop *loop,
		const struct console_config *config, struct console **result, struct error *err)
{
	struct console *console = calloc(1, sizeof(*console));
	int ret;

	if (!console)
		return error_set(err, -ENOMEM, "no memory for the console");
	console->monitor = monitor;
	console->debug = debug;
	console->loop = loop;
	console->config = *config;
	console->active = true;
	look_at_terminal(console);
	ret = start(console, err);
	if (ret) {
		close_fds(console);
		free(console);
		return ret;
	}
	take_signals(console);
	monitor_listen(monitor, console_on_event, console);
	monitor_set_enough(monitor, is_interrupted, console);
	*result = console;
	return 0;
}

void console_free(struct console *console)
{
	if (!console)
		return;
	monitor_listen(console->monitor, NULL, NULL);
	monitor_set_enough(console->monitor, NULL, NULL);
	console_input_stop(console);
	console_output_free(console);
	give_signals_back(console);
	close_fds(console);
	free(console);
}

void console_run_init(struct console *console)
{
	struct monitor_out *out = console_news(console);

	monitor_run_init(console->monitor, out);
	console_told(console, "init");
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
