// SPDX-License-Identifier: GPL-3.0-or-later
#include "screen_mirror.h"

#include "monitor/screen.h"
#include "screen_text.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define CELLS_SIZE (SCREEN_TEXT_ROWS * SCREEN_TEXT_COLUMNS * 2)
#define SOON_MS	   50
#define IDLE_MS	   250
#define SETTLED	   4 /* looks without a change */

struct screen_mirror {
	struct serial_ports *serial;
	struct event_loop *loop;
	struct machine *machine;
	struct debug *debug;
	int fd;	     /* timerfd */
	unsigned ms; /* to the next look */

	/* Device lock. */
	struct screen_text text;
	struct screen_text_out out;
	uint8_t last[CELLS_SIZE];
	unsigned same; /* looks that have found it */
};

/* ---- what is seen ---------------------------------------------------------------------------- */

static void show(void *ctx, const uint8_t *characters, size_t count)
{
	struct screen_mirror *mirror = ctx;
	struct string text = {0};

	for (size_t i = 0; i < count; i++)
		screen_add_character(&text, characters[i]);
	serial_ports_show(mirror->serial, string_text(&text), text.size);
	string_free(&text);
}

static void show_newline(void *ctx)
{
	serial_ports_show(((struct screen_mirror *)ctx)->serial, "\r\n", 2);
}

static void on_scroll(void *ctx, const uint8_t *cells)
{
	struct screen_mirror *mirror = ctx;

	if (serial_ports_silent(mirror->serial))
		screen_text_grow(&mirror->text, cells, &mirror->out);
}

/* Whether it is worth another look soon. What changes is not looked at closely before it is the same twice, or longer
 * where it may be in the middle of being scrolled; and a screen that has not grown is told of when it has settled. */
static bool look(struct screen_mirror *mirror, bool ended)
{
	const struct device *screen = mirror->machine->text_screen;
	const uint8_t *cells = text_screen_memory(screen);
	bool changed = memcmp(mirror->last, cells, CELLS_SIZE) != 0, settled;

	memcpy(mirror->last, cells, CELLS_SIZE);
	mirror->same = changed ? 0 : mirror->same + 1;
	settled = mirror->same >= SETTLED || ended;
	if ((settled || (mirror->same && !text_screen_is_passing(screen))) &&
	    !screen_text_grow(&mirror->text, cells, &mirror->out) && settled)
		screen_text_change(&mirror->text, cells, &mirror->out);
	return mirror->same < SETTLED;
}

/* ---- when it is looked at ------------------------------------------------------------------- */

static void look_in(struct screen_mirror *mirror, unsigned ms)
{
	struct itimerspec when = {
		.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l}};

	mirror->ms = ms;
	timerfd_settime(mirror->fd, 0, &when, NULL);
}

static void look_now(struct screen_mirror *mirror, bool ended)
{
	bool silent, soon = false;

	machine_lock_devices(mirror->machine);
	silent = serial_ports_silent(mirror->serial);
	if (silent)
		soon = look(mirror, ended);
	machine_unlock_devices(mirror->machine);
	if (silent && soon)
		look_in(mirror, SOON_MS);
	else if (!silent || !debug_running(mirror->debug))
		look_in(mirror, 0);
	else
		look_in(mirror, mirror->ms && mirror->ms * 2 < IDLE_MS ? mirror->ms * 2 : IDLE_MS);
}

static void on_timer(void *ctx, int fd, short revents)
{
	uint64_t count;

	(void)revents;
	if (read(fd, &count, sizeof(count)) == sizeof(count))
		look_now(ctx, false);
}

static void on_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct screen_mirror *mirror = ctx;

	(void)actor;
	if (event == DEBUG_STOPPED || event == DEBUG_EXITED)
		look_now(mirror, event == DEBUG_EXITED);
	else if (event != DEBUG_OUTPUT)
		look_in(mirror, SOON_MS);
}

/* ---- life ------------------------------------------------------------------------------------ */

int screen_mirror_new(struct serial_ports *serial, struct event_loop *loop,
		      struct screen_mirror **out, struct error *err)
{
	struct screen_mirror *mirror = calloc(1, sizeof(*mirror));

	if (!mirror)
		return error_set(err, -ENOMEM, "out of memory");
	*mirror = (struct screen_mirror){.serial = serial, .loop = loop};
	mirror->out = (struct screen_text_out){
		.text = show, .newline = show_newline, .ctx = mirror};
	mirror->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	*out = mirror;
	return mirror->fd < 0 ? error_set(err, -errno, "no timer: %s", strerror(errno)) : 0;
}

struct text_backend screen_mirror_backend(struct screen_mirror *mirror)
{
	return (struct text_backend){.ctx = mirror, .scrolls = on_scroll};
}

int screen_mirror_connect(struct screen_mirror *mirror, struct machine *machine,
			  struct debug *debug)
{
	int rc = event_loop_watch(mirror->loop, mirror->fd, POLLIN, on_timer, mirror);

	mirror->machine = machine;
	mirror->debug = debug;
	machine_lock_devices(machine);
	memcpy(mirror->last, text_screen_memory(machine->text_screen), CELLS_SIZE);
	machine_unlock_devices(machine);
	return rc < 0 ? rc : debug_listen(debug, on_event, mirror);
}

void screen_mirror_disconnect(struct screen_mirror *mirror)
{
	if (!mirror || !mirror->machine)
		return;
	event_loop_forget(mirror->loop, mirror->fd);
	debug_unlisten(mirror->debug, on_event, mirror);
}

void screen_mirror_free(struct screen_mirror *mirror)
{
	if (!mirror)
		return;
	if (mirror->fd >= 0)
		close(mirror->fd);
	free(mirror);
}
