// SPDX-License-Identifier: GPL-3.0-or-later
#include "log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static void log_to_stderr(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "vitrine: %s\n", line);
}

/* Who speaks. Lines of an area that is not listed obey the first row. */
static const char *const areas[] = {"vitrine", "accel", "boot",	   "bus",    "debug",	 "disk",
				    "gdb",     "loop",	"monitor", "serial", "snapshot", "start"};
#define AREAS (sizeof(areas) / sizeof(areas[0]))

static struct {
	pthread_mutex_t lock;
	log_sink_fn *sink;
	void *ctx;
	_Atomic(enum log_level) level[AREAS];
} the_log = {.lock = PTHREAD_MUTEX_INITIALIZER,
	     .sink = log_to_stderr,
	     .level = {[0 ... AREAS - 1] = LOG_WARN}};

static int find(const char *area)
{
	for (unsigned i = 0; i < AREAS; i++)
		if (!strcmp(areas[i], area))
			return (int)i;
	return -1;
}

void log_set_level(enum log_level level)
{
	log_set_area_level(NULL, level);
}

int log_set_area_level(const char *area, enum log_level level)
{
	int index = area ? find(area) : 0;

	if (index < 0)
		return -ENOENT;
	for (unsigned i = 0; i < AREAS; i++)
		if (!area || i == (unsigned)index)
			atomic_store(&the_log.level[i], level);
	return 0;
}

bool log_area(unsigned index, const char **area, enum log_level *level)
{
	if (index >= AREAS)
		return false;
	*area = areas[index];
	*level = atomic_load(&the_log.level[index]);
	return true;
}

static bool is_wanted(enum log_level level, const char *area)
{
	int index = find(area);

	return level <= atomic_load(&the_log.level[index < 0 ? 0 : index]);
}

void log_set_sink(log_sink_fn *sink, void *ctx)
{
	pthread_mutex_lock(&the_log.lock);
	the_log.sink = sink ? sink : log_to_stderr;
	the_log.ctx = ctx;
	pthread_mutex_unlock(&the_log.lock);
}

void log_line(enum log_level level, const char *area, const char *fmt, ...)
{
	char line[600];
	va_list args;
	int n;

	if (!is_wanted(level, area))
		return;
	n = snprintf(line, sizeof(line), "%s: ", area);
	va_start(args, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, args);
	va_end(args);
	pthread_mutex_lock(&the_log.lock);
	the_log.sink(the_log.ctx, level, line);
	pthread_mutex_unlock(&the_log.lock);
}
