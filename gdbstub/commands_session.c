// SPDX-License-Identifier: GPL-3.0-or-later
/* Coming and going, and `monitor`. */
#include "gdbstub/stub.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int command_extended(struct gdb_session *s, struct request *request)
{
	(void)request;
	s->extended = true;
	return reply_ok(s);
}

/* The OK to this packet is the last thing that is acknowledged. Not on a noisy line. */
int command_acknowledge_off(struct gdb_session *s, struct request *request)
{
	(void)request;
	if (s->config.noisy)
		return 0;
	s->no_ack = true;
	return reply_ok(s);
}

/* 1: the guest was there before gdb came, so that gdb detaches when it quits, and does not kill. */
int command_attached(struct gdb_session *s, struct request *request)
{
	(void)request;
	reply_text(&s->reply, "1");
	return 0;
}

/* With `target extended-remote` the connection stays, for another attach or run. */
int command_detach(struct gdb_session *s, struct request *request)
{
	(void)request;
	points_leave(s);
	if (!s->exited && !debug_running(s->debug) &&
	    debug_continue(s->debug, OWNER_GDB, &s->error) < 0)
		log_warn("gdb", "detached, but the guest stays paused: %s", s->error.text);
	s->waiting = false;
	s->detached = true;
	s->ended = !s->extended;
	return reply_ok(s);
}

int command_kill(struct gdb_session *s, struct request *request)
{
	(void)request;
	s->ended = true;
	debug_kill(s->debug, OWNER_GDB, GDB_KILL_STATUS);
	return SILENT;
}

/* ---- extended-remote ------------------------------------------------------------ */

static int pause_guest(struct gdb_session *s)
{
	if (s->exited)
		return -ESRCH;
	return debug_running(s->debug)
		       ? debug_pause_wait(s->debug, OWNER_GDB, GDB_ATTACH_TIMEOUT_MS)
		       : 0;
}

/* gdb's `run` kills first. So with extended-remote the machine stays, paused, until gdb runs it again, or
 * leaves. */
int command_v_kill(struct gdb_session *s, struct request *request)
{
	int ret;

	if (!s->extended) {
		command_kill(s, request);
		return reply_ok(s);
	}
	ret = pause_guest(s);
	if (ret)
		return ret;
	s->waiting = false;
	s->detached = s->killed = true;
	return reply_ok(s);
}

int command_v_attach(struct gdb_session *s, struct request *request)
{
	int ret;

	(void)request;
	ret = pause_guest(s);
	if (ret)
		return ret;
	s->detached = s->killed = false;
	stop_reply(s, debug_last_stop(s->debug));
	return 0;
}

/* `run`: which program is not gdb's to choose, it is the image that the guest was started with. */
int command_v_run(struct gdb_session *s, struct request *request)
{
	const struct stop at_start = {.reason = STOP_RESET};
	int ret;

	(void)request;
	ret = pause_guest(s);
	if (!ret)
		ret = debug_reset(s->debug, OWNER_GDB, &s->error);
	if (ret)
		return ret;
	s->detached = s->killed = false;
	stop_reply(s, &at_start);
	return 0;
}

/* gdb expects no answer to this one, not even to a refusal. */
int command_restart(struct gdb_session *s, struct request *request)
{
	(void)request;
	if (debug_reset(s->debug, OWNER_GDB, &s->error) < 0)
		log_warn("gdb", "the guest was not restarted: %s", s->error.text);
	return SILENT;
}

/* ---- monitor -------------------------------------------------------------------- */

/* Of one command; what people read ends long before. It all waits in vitrine while gdb is slow to take it. */
#define ANSWER_MAX (4u << 20)

struct answer {
	struct gdb_session *s;
	size_t size, left_out;
	size_t kept; /* bytes of piece: commands print word by word, and a packet for each would be many */
	char piece[PRINT_PIECE];
};

static void flush(struct answer *answer)
{
	session_print(answer->s, answer->piece, answer->kept);
	answer->kept = 0;
}

static void print(void *ctx, const char *text, size_t size)
{
	struct answer *answer = ctx;
	size_t room = ANSWER_MAX - answer->size, shown = size < room ? size : room;

	answer->size += shown;
	answer->left_out += size - shown;
	while (shown) {
		size_t n = PRINT_PIECE - answer->kept;

		n = shown < n ? shown : n;
		memcpy(answer->piece + answer->kept, text, n);
		answer->kept += n;
		text += n;
		shown -= n;
		if (answer->kept == PRINT_PIECE)
			flush(answer);
	}
}

static void finish(struct answer *answer)
{
	char text[80];
	int n = snprintf(text, sizeof(text),
			 "\n... %zu KiB more are left out: ask for less at once\n",
			 (answer->left_out + 1023) / 1024);

	flush(answer);
	if (answer->left_out)
		session_print(answer->s, text, (size_t)n);
}

/* gdb keeps the registers that it read, and cannot be told that a command changed them. */
static void warn_of_changes(struct gdb_session *s, bool was_running, uint64_t old_pc)
{
	static const char runs[] =
		"The guest runs now, and gdb does not know: `continue` waits with it "
		"for the next stop.\n";
	static const char moved[] = "The guest moved, and gdb does not know: `maintenance flush "
				    "register-cache` makes it look again.\n";
	bool running = debug_running(s->debug);

	if (!was_running && running)
		session_print(s, runs, sizeof(runs) - 1);
	else if (!was_running && debug_pc(s->debug, (int)s->general) != old_pc)
		session_print(s, moved, sizeof(moved) - 1);
}

static void run_monitor(struct gdb_session *s, const char *line)
{
	bool was_running = debug_running(s->debug);
	uint64_t old_pc = was_running ? 0 : debug_pc(s->debug, (int)s->general);
	struct answer answer = {.s = s};

	s->config.monitor(s->config.monitor_ctx, line, print, &answer);
	finish(&answer);
	if (!s->waiting && !s->exited)
		warn_of_changes(s, was_running, old_pc);
}

/* `monitor physical [on|off]` is about this connection, of which the console knows nothing. */
static bool run_own_line(struct gdb_session *s, const char *line)
{
	char name[12], mode[12] = "", answer[200];
	int words = sscanf(line, "%11s %11s", name, mode);
	bool on = strcmp(mode, "on") == 0, changes = on || strcmp(mode, "off") == 0;

	if (words < 1 || strcmp(name, "physical") != 0)
		return false;
	if (changes)
		s->space = on ? SPACE_PHYSICAL : SPACE_LINEAR;
	snprintf(answer, sizeof(answer), "gdb reads and writes at %s addresses.%s\n",
		 s->space == SPACE_PHYSICAL ? "physical" : "linear",
		 changes ? " `maintenance flush dcache` makes it forget what it has read."
			 : " `monitor physical on` or `off` changes that.");
	session_print(s, answer, strlen(answer));
	return true;
}

int command_monitor(struct gdb_session *s, struct request *request)
{
	size_t size = request_left(request) / 2;
	char *line;
	int ret = -EINVAL;

	if (!s->config.monitor)
		return 0;
	line = calloc(1, size + 1);
	if (!line)
		return -ENOMEM;
	if (take_hex_bytes(request, line, size) && strlen(line) == size) {
		if (!run_own_line(s, line))
			run_monitor(s, line);
		ret = reply_ok(s);
	}
	free(line);
	return ret;
}
