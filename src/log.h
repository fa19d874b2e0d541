/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The log: what vitrine says without being asked. Like stderr it belongs to the process, not to a
 * machine, and it is the one such thing. Any thread may log; a line reaches the sink whole.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* A sink gets one finished line without its newline, and may be called from any thread. */
typedef void log_sink_fn(void *ctx, enum log_level level, const char *line);

/* Lines above this level are dropped. Starts at LOG_WARN. */
void log_set_level(enum log_level level);

/* The same for one area; NULL: for all. -ENOENT: no part of vitrine has that name. */
int log_set_area_level(const char *area, enum log_level level);
/* The index-th area and its level; false when there are no more. */
bool log_area(unsigned index, const char **area, enum log_level *level);

/* Where lines go; NULL restores stderr. */
void log_set_sink(log_sink_fn *sink, void *ctx);

/* area is the part of vitrine that speaks: "boot", "gdb", "accel", … Text that a guest chose must
 * be made printable before it comes here. */
void log_line(enum log_level level, const char *area, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(area, ...) log_line(LOG_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...)  log_line(LOG_WARN, area, __VA_ARGS__)
#define log_info(area, ...)  log_line(LOG_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) log_line(LOG_DEBUG, area, __VA_ARGS__)

#endif
