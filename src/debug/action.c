// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a point prints when it is hit, and goes on: gdb's dprintf. The line is made in the vCPU's thread,
 * out of the state at the hit, and told by the main thread.
 */
#include "debug/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE    512
#define STRING_LIMIT 200
/* So many may wait; a vCPU that prints more waits until they are taken. */
#define MAX_LINES 4096

void point_action_free(struct point_action *action)
{
	if (!action)
		return;
	for (unsigned i = 0; i < action->arg_count; i++)
		program_free(action->args[i]);
	free(action->format);
	free(action);
}

/* ---- the queue --------------------------------------------------------------------------- */

static void append(struct debug *debug, struct line *line)
{
	if (!debug->lines)
		debug->lines_tail = &debug->lines;
	*debug->lines_tail = line;
	debug->lines_tail = &line->next;
	debug->line_count++;
	core_wake(debug);
}

/* Nothing is lost, but nobody who is wanted elsewhere is kept waiting for a reader either. */
static void wait_for_room(struct debug *debug, struct vcpu *vcpu)
{
	while (debug->line_count >= MAX_LINES && !atomic_load(&vcpu->attention) &&
	       !debug->machine->gate.quit)
		pthread_cond_wait(&vcpu->work, &debug->machine->gate.lock);
}

void core_print(struct debug *debug, struct vcpu *vcpu, enum debug_owner owner, const char *text)
{
	size_t size = strlen(text) + 1;
	struct line *line = malloc(sizeof(*line) + size);

	if (!line)
		return;
	line->next = NULL;
	line->owner = owner;
	memcpy(line->text, text, size);
	core_lock(debug);
	wait_for_room(debug, vcpu);
	append(debug, line);
	core_unlock(debug);
}

struct line *core_take_line(struct debug *debug)
{
	struct line *line = debug->lines;

	if (!line)
		return NULL;
	debug->lines = line->next;
	if (debug->line_count-- == MAX_LINES)
		for (unsigned i = 0; i < debug->machine->vcpu_count; i++)
			pthread_cond_signal(&debug->machine->vcpus[i].work);
	return line;
}

const char *debug_output(const struct debug *debug)
{
	return debug->line ? debug->line->text : "";
}

/* ---- printf ------------------------------------------------------------------------------ */

struct printer {
	char text[LINE_SIZE];
	size_t length;
	struct core_place place;
	const struct point_action *action;
	unsigned next_arg;
};

static void put(struct printer *printer, const char *text, size_t size)
{
	size_t room = sizeof(printer->text) - 1 - printer->length;

	size = size < room ? size : room;
	memcpy(printer->text + printer->length, text, size);
	printer->length += size;
}

/* False: what is printed in place of the value has been put. */
static bool next_value(struct printer *printer, int64_t *value)
{
	const struct program_context context = core_program_context(&printer->place);
	struct program_fault fault;
	char why[sizeof(fault.text) + 2];
	int n;

	if (printer->next_arg >= printer->action->arg_count) {
		put(printer, "<no value>", 10);
		return false;
	}
	if (program_run(printer->action->args[printer->next_arg++], &context, value, &fault) == 0)
		return true;
	n = snprintf(why, sizeof(why), "<%s>", fault.text);
	put(printer, why, (size_t)n);
	return false;
}

static void put_string(struct printer *printer, uint64_t address)
{
	char c;

	for (unsigned i = 0; i < STRING_LIMIT; i++) {
		if (!core_read_linear(&printer->place, address + i, &c, 1)) {
			put(printer, "<not readable>", 14);
			return;
		}
		if (!c)
			return;
		put(printer, &c, 1);
	}
}

static bool is_long(const char *spec)
{
	return strpbrk(spec, "lzjt") != NULL;
}

static void put_value(struct printer *printer, const char *spec, char kind, int64_t value)
{
	char format[32], text[LINE_SIZE];
	size_t flags = strspn(spec + 1, "-+ #0123456789.");
	bool is_signed = kind == 'd' || kind == 'i';
	int64_t shown = is_long(spec) ? value
			: is_signed   ? (int32_t)value
				      : (int64_t)(uint32_t)value;
	int n;

	if (flags > 12)
		flags = 0;
	if (kind == 's') {
		put_string(printer, (uint64_t)value);
		return;
	}
	if (kind == 'p') {
		n = snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	} else if (kind == 'c') {
		text[0] = (char)value;
		n = 1;
	} else {
		snprintf(format, sizeof(format), "%%%.*sll%c", (int)flags, spec + 1, kind);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n = snprintf(text, sizeof(text), format, (long long)shown);
#pragma GCC diagnostic pop
	}
	put(printer, text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* One conversion, from its % on; returns what is behind it. */
static const char *put_conversion(struct printer *printer, const char *at)
{
	size_t flags = strspn(at + 1, "-+ #0123456789.lhzjt");
	char kind = at[1 + flags];
	char spec[32];
	int64_t value;

	if (!kind || flags >= sizeof(spec) - 2 || !strchr("diuxXocps%", kind)) {
		put(printer, at, 1);
		return at + 1;
	}
	snprintf(spec, sizeof(spec), "%.*s", (int)flags + 1, at);
	if (kind == '%')
		put(printer, "%", 1);
	else if (next_value(printer, &value))
		put_value(printer, spec, kind, value);
	return at + 2 + flags;
}

void core_act(struct debug *debug, struct vcpu *vcpu, const struct core_point *point,
	      const struct stop *stop)
{
	struct printer printer = {.place = {debug, vcpu}, .action = point->action};
	const char *at = point->action->format;

	if (!at)
		return;
	if (!*at) {
		core_log_stop(debug, vcpu, point, stop);
		return;
	}
	while (*at) {
		size_t plain = strcspn(at, "%");

		put(&printer, at, plain);
		at += plain;
		if (*at)
			at = put_conversion(&printer, at);
	}
	while (printer.length > 0 && printer.text[printer.length - 1] == '\n')
		printer.length--;
	printer.text[printer.length] = '\0';
	core_print(debug, vcpu, point->point.owner, printer.text);
}
