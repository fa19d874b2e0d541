// SPDX-License-Identifier: GPL-3.0-or-later
#include "gdbstub/stub.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A peer that refuses the same reply over and over is not heard any more. */
#define NAK_LIMIT 5

struct gdb_session *gdb_session_new(struct debug *debug, const struct gdb_config *config)
{
	struct gdb_session *s = calloc(1, sizeof(*s));
	const struct stop *stop;

	if (!s)
		return NULL;
	s->debug = debug;
	s->config = *config;
	s->resume.kind = THREAD_ANY;
	s->stepped = -1;
	s->space = SPACE_LINEAR;
	s->rip = register_find("rip");
	s->rsp = register_find("rsp");
	packet_reader_init(&s->reader);
	reply_start(&s->reply);
	stop = debug_running(debug) ? NULL : debug_last_stop(debug);
	if (stop && stop->vcpu > 0 && (unsigned)stop->vcpu < debug_vcpu_count(debug))
		s->general = (unsigned)stop->vcpu;
	if (view_renew(s) == 0)
		s->told = calloc(s->layout.count, sizeof(*s->told));
	if (!s->told) {
		gdb_session_free(s);
		return NULL;
	}
	return s;
}

void gdb_session_free(struct gdb_session *s)
{
	if (!s)
		return;
	debug_points_forget(s->debug, OWNER_GDB);
	if (s->killed && !s->exited)
		debug_kill(s->debug, OWNER_GDB, GDB_KILL_STATUS);
	points_free(s);
	layout_free(&s->layout);
	modules_file_free(s);
	free(s->told);
	text_clear(&s->transfer);
	text_clear(&s->kept);
	free(s);
}

static void output(struct gdb_session *s, const void *bytes, size_t size)
{
	s->config.output(s->config.ctx, bytes, size);
}

void session_send(struct gdb_session *s)
{
	if (s->reply.overflow) {
		reply_start(&s->reply);
		reply_format(&s->reply, "E%02x", EMSGSIZE);
	}
	s->last_size = reply_finish(&s->reply);
	s->naks = 0;
	output(s, s->reply.bytes, s->last_size);
}

int reply_ok(struct gdb_session *s)
{
	reply_text(&s->reply, "OK");
	return 0;
}

static void send_error(struct gdb_session *s, int error)
{
	reply_start(&s->reply);
	if (s->error_message && s->error.text[0]) {
		reply_text(&s->reply, "E.");
		reply_sentence(&s->reply, s->error.text);
	} else {
		reply_format(&s->reply, "E%02x", (unsigned)error & 0xff);
	}
	session_send(s);
}

static void print_piece(struct gdb_session *s, const char *text, size_t size)
{
	char packet[4 + 1 + 2 * PRINT_PIECE];
	uint8_t sum = 'O';
	size_t n = 0;

	packet[n++] = '$';
	packet[n++] = 'O';
	for (size_t i = 0; i < size; i++) {
		packet[n++] = hex_digits[(uint8_t)text[i] >> 4];
		packet[n++] = hex_digits[(uint8_t)text[i] & 15];
		sum += (uint8_t)packet[n - 1] + (uint8_t)packet[n - 2];
	}
	packet[n++] = '#';
	packet[n++] = hex_digits[sum >> 4];
	packet[n++] = hex_digits[sum & 15];
	output(s, packet, n);
}

void session_print(struct gdb_session *s, const char *text, size_t size)
{
	while (size) {
		size_t piece = size < PRINT_PIECE ? size : PRINT_PIECE;

		print_piece(s, text, piece);
		text += piece;
		size -= piece;
	}
}

bool vcpu_exists(const struct gdb_session *s, const struct thread_id *id)
{
	return id->kind != THREAD_ONE || id->vcpu < debug_vcpu_count(s->debug);
}

static void tell_late_news(struct gdb_session *s);

/* What gdb may send before its user has been shown anything: between two steps, and when it comes to a breakpoint
 * whose condition it finds false. When it shows a stop it asks for the threads, too. */
static bool is_between_steps(const struct gdb_command *command)
{
	static gdb_command_fn *const quiet[] = {
		command_registers_read, command_register_read, command_memory_read,
		command_thread_set,	command_point_add,     command_point_remove,
		command_resume,		command_continue,      command_continue_signal,
		command_step,		command_step_signal,
	};

	for (size_t i = 0; command && i < sizeof(quiet) / sizeof(quiet[0]); i++) {
		if (command->run == quiet[i])
			return true;
	}
	return false;
}

static void run_command(struct gdb_session *s)
{
	struct request request = {s->reader.body, s->reader.body + s->reader.size};
	const struct gdb_command *command = command_find(&request);
	int result;

	reply_start(&s->reply);
	s->error.text[0] = '\0';
	s->between_steps &= is_between_steps(command);
	s->interrupted &= s->waiting || s->between_steps;
	s->busy = true;
	result = command ? command->run(s, &request) : 0;
	s->busy = false;
	if (result < 0)
		send_error(s, -result);
	else if (result != SILENT)
		session_send(s);
	if (s->ended && s->config.closed)
		s->config.closed(s->config.ctx, s->detached);
	else
		tell_late_news(s);
}

static void acknowledge(struct gdb_session *s, char sign)
{
	if (!s->no_ack)
		output(s, &sign, 1);
}

static void send_again(struct gdb_session *s)
{
	if (!s->no_ack && s->last_size && s->naks++ < NAK_LIMIT)
		output(s, s->reply.bytes, s->last_size);
}

/* Without acknowledgments nobody would send a damaged packet again: an answer keeps both in step.
 */
static void on_damaged(struct gdb_session *s)
{
	log_info("gdb", "a packet with a wrong checksum was not obeyed");
	if (s->no_ack)
		send_error(s, EILSEQ);
	else
		acknowledge(s, '-');
}

/* It may cross a stop that is on its way already: the pause is then no news to anybody. */
static void on_interrupt(struct gdb_session *s)
{
	s->interrupted = s->waiting || s->between_steps;
	if (debug_running(s->debug))
		debug_pause(s->debug, OWNER_GDB);
}

static void on_packet_event(struct gdb_session *s, enum packet_event event)
{
	switch (event) {
	case PACKET_MORE:
	case PACKET_ACK: break;
	case PACKET_WHOLE:
		acknowledge(s, '+');
		run_command(s);
		break;
	case PACKET_DAMAGED: on_damaged(s); break;
	case PACKET_TOO_LONG:
		acknowledge(s, '+');
		s->error.text[0] = '\0';
		send_error(s, EMSGSIZE);
		break;
	case PACKET_INTERRUPT: on_interrupt(s); break;
	case PACKET_NAK: send_again(s); break;
	}
}

void gdb_session_feed(struct gdb_session *s, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < size && !s->ended; i++)
		on_packet_event(s, packet_read(&s->reader, byte[i]));
}

static void on_exit_event(struct gdb_session *s, enum debug_owner actor)
{
	s->exited = true;
	if (!s->waiting)
		return;
	stop_tell(s, actor);
	s->ended = true;
	if (s->config.closed)
		s->config.closed(s->config.ctx, false);
}

static bool put_off(struct gdb_session *s, enum debug_event event, enum debug_owner actor)
{
	if (!s->busy || (event != DEBUG_STOPPED && event != DEBUG_EXITED))
		return false;
	if (event == DEBUG_EXITED)
		s->late_exit = true;
	else
		s->late_stop = true;
	s->late_actor = actor;
	return true;
}

static void tell_late_news(struct gdb_session *s)
{
	bool stop = s->late_stop, exit = s->late_exit;

	s->late_stop = s->late_exit = false;
	if (stop && !exit)
		gdb_session_on_event(s, DEBUG_STOPPED, s->late_actor);
	if (exit)
		gdb_session_on_event(s, DEBUG_EXITED, s->late_actor);
}

void gdb_session_on_event(struct gdb_session *s, enum debug_event event, enum debug_owner actor)
{
	if (s->ended || put_off(s, event, actor))
		return;
	if (event == DEBUG_OUTPUT && actor == OWNER_GDB)
		output_text(s, debug_output(s->debug));
	else if (event == DEBUG_EXITED)
		on_exit_event(s, actor);
	else if (event == DEBUG_STOPPED && s->waiting && !debug_running(s->debug))
		stop_tell(s, actor);
	else if (event == DEBUG_RESUMED && !s->waiting && !s->detached && actor != OWNER_GDB)
		log_warn("gdb",
			 "the guest was resumed while gdb believes that it stands still; in gdb, "
			 "`continue` joins it");
}
