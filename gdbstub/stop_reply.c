// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * T packets. swbreak, hwbreak and watch are said of gdb's own points alone: when gdb hears of one
 * that it did not set, it takes it for a leftover and silently goes on. Any other stop is a plain
 * signal, which gdb shows, with the reason in words ahead of it. It is SIGTRAP, but for a vCPU that gdb steps:
 * there gdb takes SIGTRAP for the end of its step, and goes on stepping. Signal 0 it shows.
 */
#include "gdbstub/stub.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* gdb's numbers of signals, which are not the host's (gdb manual, "Stop Reply Packets"). */
enum { GDB_SIGINT = 2, GDB_SIGILL = 4, GDB_SIGTRAP = 5, GDB_SIGABRT = 6, GDB_SIGSEGV = 11 };

static const unsigned char signals[STOP_REASON_COUNT] = {
	[STOP_PAUSE] = GDB_SIGINT,
	[STOP_TRIPLE_FAULT] = GDB_SIGSEGV,
	[STOP_EMULATION_FAILURE] = GDB_SIGILL,
	[STOP_HOST_ERROR] = GDB_SIGABRT,
};

static const struct point *gdb_point(struct gdb_session *s, const struct stop *stop)
{
	const struct point *point = NULL;

	while (point_is_known(s, stop->point) && (point = debug_point_next(s->debug, point))) {
		if (point->number == stop->point)
			return point;
	}
	return NULL;
}

/* Neither what gdb asked for nor a point that it knows. */
static bool is_foreign(struct gdb_session *s, const struct stop *stop)
{
	if (stop->reason == STOP_PAUSE || (stop->reason == STOP_STEP && !stop->point))
		return false;
	return !gdb_point(s, stop);
}

static unsigned signal_of(struct gdb_session *s, const struct stop *stop)
{
	unsigned signal = stop->reason < STOP_REASON_COUNT ? signals[stop->reason] : 0;

	if (signal)
		return signal;
	return stop->vcpu == s->stepped && is_foreign(s, stop) ? 0 : GDB_SIGTRAP;
}

static void append_cause(struct gdb_session *s, const struct stop *stop)
{
	static const char *const watches[] = {
		[POINT_WRITE] = "watch", [POINT_READ] = "rwatch", [POINT_ACCESS] = "awatch"};
	const struct point *point = gdb_point(s, stop);

	if (!point)
		return;
	if (point->spec.kind == POINT_SOFTWARE && s->swbreak)
		reply_text(&s->reply, "swbreak:;");
	else if (point->spec.kind == POINT_HARDWARE && s->hwbreak)
		reply_text(&s->reply, "hwbreak:;");
	else if (point->spec.kind >= POINT_WRITE && point->spec.kind <= POINT_ACCESS)
		reply_format(&s->reply, "%s:%llx;", watches[point->spec.kind],
			     (unsigned long long)stop->address);
}

static void append_register(struct gdb_session *s, unsigned vcpu, int reg)
{
	if (reg < 0)
		return;
	reply_format(&s->reply, "%02x:", (unsigned)reg);
	view_append(s, vcpu, (unsigned)reg);
	reply_text(&s->reply, ";");
}

/* What gdb looks at in any case; it asks for the other registers when it needs them. */
static void append_registers(struct gdb_session *s, unsigned vcpu)
{
	static const char *const expedited[] = {"rip", "rsp", "rbp", "eflags"};

	for (size_t i = 0; i < sizeof(expedited) / sizeof(expedited[0]); i++) {
		int row = register_find(expedited[i]);

		append_register(s, vcpu, row);
		append_register(s, vcpu, layout_narrow(&s->layout, (unsigned)row));
	}
}

static void append_head(struct gdb_session *s, unsigned signal)
{
	reply_format(&s->reply, "T%02xthread:%x;core:%x;", signal, s->general + 1, s->general);
}

void stop_reply(struct gdb_session *s, const struct stop *stop)
{
	static const struct stop nothing_yet = {.reason = STOP_PAUSE};

	if (!stop)
		stop = &nothing_yet;
	/* A caught shutdown is still to come. */
	if (s->exited || (stop->reason == STOP_SHUTDOWN && !stop->point)) {
		reply_format(&s->reply, "W%02x", (unsigned)stop->exit_status & 0xff);
		return;
	}
	if (stop->vcpu >= 0 && (unsigned)stop->vcpu < debug_vcpu_count(s->debug))
		s->general = (unsigned)stop->vcpu;
	append_head(s, signal_of(s, stop));
	append_cause(s, stop);
	append_registers(s, s->general);
}

/* No error: gdb would take the stop for the one before, and might go on by itself. */
void stop_reply_unmoved(struct gdb_session *s, enum unmoved why)
{
	append_head(s, why == UNMOVED_INTERRUPTED ? GDB_SIGINT : 0);
	append_registers(s, s->general);
}

/* Whether the reply alone leaves gdb's user to guess. */
static bool needs_words(struct gdb_session *s, const struct stop *stop, enum debug_owner actor)
{
	const struct point *point;

	if (stop->undecided)
		return true;
	switch (stop->reason) {
	case STOP_STEP: return is_foreign(s, stop);
	case STOP_SHUTDOWN: return stop->exit_status != 0 || stop->point;
	case STOP_PAUSE: return actor == OWNER_CONSOLE;
	default: point = gdb_point(s, stop); return !point || point->spec.kind > POINT_ACCESS;
	}
}

/* What to type so that gdb disassembles the new mode. gdb takes `i8086` for a wish that `i386` in the
 * description fulfils as well, and stays with that. */
static void print_advice(struct gdb_session *s, const struct stop *stop)
{
	const struct cpu_state *state = debug_state(s->debug, stop->vcpu, CPU_GENERAL | CPU_SYSTEM);
	enum gdb_arch now = state ? gdb_arch_of(cpu_mode(state)) : GDB_ARCH_AUTO;
	bool stale = s->layout.names != NAMES_BOTH ||
		     (s->layout.arch == GDB_ARCH_I386 && now == GDB_ARCH_I8086);
	char line[160];
	int n;

	if (now == GDB_ARCH_AUTO || (s->layout.names == NAMES_64 && now == GDB_ARCH_X86_64))
		return;
	if (s->layout.chosen)
		n = snprintf(line, sizeof(line),
			     "-gdb-arch keeps gdb at %s; `monitor x/5i $pc` goes by the mode\n",
			     gdb_arch_name(s->layout.arch));
	else
		n = snprintf(line, sizeof(line), "In gdb, type: %sset architecture %s\n",
			     stale ? "unset tdesc filename, then: " : "", gdb_arch_name(now));
	session_print(s, line, (size_t)n);
}

/* How it went on from the first fault, which the stop's own text has told. */
static void print_fault_chain(struct gdb_session *s, const struct stop *stop)
{
	struct fault_line line[FAULT_CHAIN];
	unsigned count = debug_fault_chain(s->debug, stop->vcpu, line);

	for (unsigned i = 1; i < count; i++) {
		session_print(s, "  ", 2);
		session_print(s, line[i].text, strlen(line[i].text));
		session_print(s, "\n", 1);
	}
}

static void print_words(struct gdb_session *s, const struct stop *stop)
{
	char line[sizeof(stop->text) + 32];
	int n = snprintf(line, sizeof(line), "vCPU %d: %s\n", stop->vcpu, stop->text);

	if (n > 0 && stop->text[0])
		session_print(s, line, (size_t)n);
	if (stop->reason == STOP_TRIPLE_FAULT)
		print_fault_chain(s, stop);
	if (stop->reason == STOP_MODE_SWITCH)
		print_advice(s, stop);
}

void stop_tell(struct gdb_session *s, enum debug_owner actor)
{
	const struct stop *stop = debug_last_stop(s->debug);

	if (stop && needs_words(s, stop, actor))
		print_words(s, stop);
	s->waiting = false;
	s->between_steps = stop && stop->reason != STOP_PAUSE;
	s->interrupted &= s->between_steps;
	reply_start(&s->reply);
	stop_reply(s, stop);
	session_send(s);
}
