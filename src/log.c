// SPDX-License-Identifier: GPL-3.0-or-later
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static void log_to_stderr(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "vitrine: %s\n", line);
}

static struct {
	pthread_mutex_t lock;
	log_sink_fn *sink;
	void *ctx;
	_Atomic(enum log_level) level;
} the_log = {.lock = PTHREAD_MUTEX_INITIALIZER, .sink = log_to_stderr, .level = LOG_WARN};

void log_set_level(enum log_level level)
{
	atomic_store(&the_log.level, level);
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

	if (level > atomic_load(&the_log.level))
		return;
	n = snprintf(line, sizeof(line), "%s: ", area);
	va_start(args, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, args);
	va_end(args);
	pthread_mutex_lock(&the_log.lock);
	the_log.sink(the_log.ctx, level, line);
	pthread_mutex_unlock(&the_log.lock);
}
