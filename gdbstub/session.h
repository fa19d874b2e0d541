/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One gdb, talking. Bytes go in, bytes come out through a callback; there is no socket here, so
 * that transcripts and a fuzzer drive it directly.
 */
#ifndef GDBSTUB_SESSION_H
#define GDBSTUB_SESSION_H

#include "debug/debug.h"

/* How long gdb waits for the guest to be paused before it is turned away. */
#define GDB_ATTACH_TIMEOUT_MS 5000

/* Which registers gdb is told of; see gdbstub/layout.h. */
enum gdb_arch { GDB_ARCH_AUTO, GDB_ARCH_X86_64, GDB_ARCH_I386, GDB_ARCH_I8086 };

/* A guest that gdb ended on purpose has not failed. */
#define GDB_KILL_STATUS 0

struct gdb_session;

/* A file that gdb may read, under this absolute path. Bytes and all stay the caller's. Or without bytes: an ELF file
 * of 64 bits, which is made when gdb wants it. make() is asked again and again, and gives the same each time; NULL:
 * there is none. */
struct gdb_file {
	const char *path;
	const void *bytes;
	size_t size;
	const void *(*make)(void *ctx, size_t *size);
	void *ctx;
};

struct gdb_config {
	void *ctx;
	/* Bytes for gdb. Whole packets; the callee takes them all. */
	void (*output)(void *ctx, const void *bytes, size_t size);
	enum gdb_arch arch;
	/* The first is what gdb takes the guest's symbols from, when it was given none. */
	const struct gdb_file *files;
	unsigned file_count;
	/* Bytes may get lost or damaged on the way: packets are acknowledged for ever, so that they are sent
	 * again. */
	bool noisy;
	/* gdb said goodbye (detached true) or asked for the end (k): close the connection. May be
	 * NULL. */
	void (*closed)(void *ctx, bool detached);
	/* `monitor LINE`: runs it and calls write with pieces of its answer. May be NULL. */
	void *monitor_ctx;
	void (*monitor)(void *ctx, const char *line,
			void (*write)(void *wctx, const char *text, size_t size), void *wctx);
};

/* The machine is paused already. NULL when out of memory. */
struct gdb_session *gdb_session_new(struct debug *debug, const struct gdb_config *config);
/* Removes gdb's points. The guest stays as it is, but for one that gdb killed in extended mode and did
 * not run again: it ends now. */
void gdb_session_free(struct gdb_session *session);

void gdb_session_feed(struct gdb_session *session, const void *bytes, size_t size);
void gdb_session_on_event(struct gdb_session *session, enum debug_event event,
			  enum debug_owner actor);

#endif
