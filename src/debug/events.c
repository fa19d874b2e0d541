// SPDX-License-Identifier: GPL-3.0-or-later
/* News: vCPU threads put it into a small queue, the main thread tells the listeners. */
#include "debug/core.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A guest may print for ever: others want the main thread, too. */
#define LINES_AT_ONCE 8192
/* A step takes less as a rule, even where its vCPU's thread has to be woken. */
#define STEP_NS 100000

static void wake_main(struct debug *debug)
{
	uint64_t one = 1;

	/* Cannot fail: the counter would have to overflow. */
	if (write(debug->event_fd, &one, sizeof(one)) < 0)
		return;
	atomic_store(&debug->woken, true);
}

static bool told_last(const struct debug *debug, enum debug_event event)
{
	return debug->news_count > 0 && debug->news[debug->news_count - 1].event == event;
}

/* The queue cannot overflow: the main thread tells all news before it resumes, and between two
 * resumes a machine makes at most a stop, an exit, and resets, of which one in a row is enough. */
void core_tell(struct debug *debug, enum debug_event event, enum debug_owner actor)
{
	const struct news news = {.event = event,
				  .actor = actor,
				  .point = debug->stop.point,
				  .after = debug->lines_put};

	if (told_last(debug, event))
		debug->news[debug->news_count - 1] = news;
	else if (debug->news_count < MAX_NEWS)
		debug->news[debug->news_count++] = news;
	if (event == DEBUG_RESUMED) /* the main thread itself says that: core_tell_resumed() */
		atomic_store(&debug->woken, false);
	else
		wake_main(debug);
}

void core_wake(struct debug *debug)
{
	wake_main(debug);
}

int debug_listen(struct debug *debug, debug_listener_fn *fn, void *ctx)
{
	if (debug->listener_count == MAX_LISTENERS)
		return -ENOSPC;
	debug->listener[debug->listener_count++] = (struct listener){fn, ctx};
	return 0;
}

void debug_unlisten(struct debug *debug, debug_listener_fn *fn, void *ctx)
{
	for (unsigned i = 0; i < debug->listener_count; i++) {
		if (debug->listener[i].fn != fn || debug->listener[i].ctx != ctx)
			continue;
		debug->listener_count--;
		memmove(&debug->listener[i], &debug->listener[i + 1],
			(debug->listener_count - i) * sizeof(debug->listener[0]));
		return;
	}
}

int debug_event_fd(const struct debug *debug)
{
	return debug->event_fd;
}

static struct news pop_news(struct debug *debug)
{
	const struct news news = debug->news[0];

	debug->news_count--;
	memmove(debug->news, debug->news + 1, debug->news_count * sizeof(debug->news[0]));
	return news;
}

/* What is told next: a line, or news, in the order in which they came about. */
static bool take_next(struct debug *debug, struct news *news, struct line **line)
{
	bool some = true;

	*line = NULL;
	core_lock(debug);
	if (debug->news_count > 0 && debug->news[0].after <= debug->lines_taken)
		*news = pop_news(debug);
	else
		some = (*line = core_take_line(debug)) != NULL;
	core_unlock(debug);
	return some;
}

/* A listener may leave while it is being told, and with it the one behind moves up; telling from a
 * copy would call the dead, so the list is walked as it stands. */
static void tell_listeners(struct debug *debug, const struct news *news)
{
	for (unsigned i = 0; i < debug->listener_count;) {
		struct listener now = debug->listener[i];

		now.fn(now.ctx, news->event, news->actor);
		if (i < debug->listener_count && debug->listener[i].fn == now.fn &&
		    debug->listener[i].ctx == now.ctx)
			i++;
	}
}

static void tell_line(struct debug *debug, struct line *line)
{
	struct line *outer = debug->line;

	debug->line = line;
	tell_listeners(debug, &(struct news){.event = DEBUG_OUTPUT, .actor = line->owner});
	debug->line = outer;
	free(line);
}

/* It has done its work when it has stopped the machine once, and everybody was told. */
static void drop_temporary(struct debug *debug, const struct news *news)
{
	if (news->event == DEBUG_STOPPED && news->point &&
	    core_point_is_temporary(debug, news->point))
		debug_point_remove(debug, news->point, NULL);
}

static void tell_news(struct debug *debug, const struct news *news)
{
	if (news->event == DEBUG_STOPPED && !debug_running(debug))
		core_note_written(debug);
	tell_listeners(debug, news);
	drop_temporary(debug, news);
}

/* So many lines are more than can wait (lines.c), so that no line keeps back news that has come about already. */
void debug_dispatch(struct debug *debug)
{
	unsigned lines = 0;
	struct line *line;
	bool outer = debug->telling;
	struct news news;
	uint64_t count;

	if (read(debug->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	core_serve_request(debug);
	debug->telling = true;
	while (lines < LINES_AT_ONCE && take_next(debug, &news, &line)) {
		if (line)
			tell_line(debug, line);
		else
			tell_news(debug, &news);
		lines += line != NULL;
	}
	debug->telling = outer;
	if (lines == LINES_AT_ONCE)
		wake_main(debug);
}

static bool take_resumed(struct debug *debug, struct news *news)
{
	bool taken;

	core_lock(debug);
	taken = debug->news_count > 0 && debug->news[0].event == DEBUG_RESUMED &&
		debug->news[0].after <= debug->lines_taken;
	if (taken)
		*news = pop_news(debug);
	core_unlock(debug);
	return taken;
}

/* At once, which spares the main thread a round of its loop. While something older is being told it waits for its
 * turn; and what came behind it waits for debug_dispatch(), since whoever resumes is not ready for it. */
void core_tell_resumed(struct debug *debug)
{
	struct news news;

	if (!debug->telling && take_resumed(debug, &news))
		tell_news(debug, &news);
}

/* To fall asleep and be woken takes as long as the step. Whoever else wants the CPU gets it. */
void core_await_step(struct debug *debug)
{
	uint64_t end = recorder_clock_now().ns + STEP_NS;

	while (debug->lingers && !atomic_load(&debug->woken) && recorder_clock_now().ns < end)
		sched_yield();
}
