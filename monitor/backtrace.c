// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * bt: the calls that led here, and why they end; and who called the function that a vCPU is in. What a deep recursion
 * leaves on the stack is frames that are all alike, or a few in turns: one line tells of them, unless all are wanted.
 */
#include "monitor/commands.h"
#include "monitor/unwind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_FIRST 40
#define SHOWN_LAST  4
/* A stack of pages that lead to themselves never ends. */
#define FRAMES_MAX 100000

/* So many functions may call one another in turns. */
#define PERIOD_MAX 8

struct frame {
	uint64_t pc, lookup, sp;
	enum unwind_how how;
	bool pushed;
	uint64_t pushed_cs, pushed_flags;
};

/* A line of the answer: a frame; folded: and so many behind it, which are again and again like the last `period`
 * ones. */
struct row {
	unsigned number, folded, period;
};

struct trail {
	struct unwind unwind;
	struct frame *frames;
	struct row *rows;
	unsigned count, row_count;
};

/* ---- the frames ---------------------------------------------------------------------------- */

static bool add_frame(struct trail *trail)
{
	const struct unwind *unwind = &trail->unwind;
	struct frame *frames = trail->frames;

	if (!(trail->count & (trail->count - 1))) { /* full, at each power of two */
		frames = realloc(frames, (trail->count ? trail->count * 2 : 1) * sizeof(*frames));
		if (!frames)
			return false;
		trail->frames = frames;
	}
	frames[trail->count++] = (struct frame){
		.pc = unwind->pc,
		.lookup = unwind_lookup(unwind),
		.sp = unwind->registers.value[unwind->size == 8 ? 7 : 4],
		.how = unwind->number ? unwind->how : UNWIND_CALL,
		.pushed = unwind->pushed,
		.pushed_cs = unwind->pushed_cs,
		.pushed_flags = unwind->pushed_flags,
	};
	return true;
}

static bool gather(struct trail *trail)
{
	do
		if (!add_frame(trail))
			return false;
	while (trail->unwind.number < FRAMES_MAX && unwind_next(&trail->unwind));
	trail->rows = calloc(trail->count, sizeof(*trail->rows));
	return trail->rows != NULL;
}

/* ---- what is alike ------------------------------------------------------------------------- */

static bool alike(const struct trail *trail, unsigned a, unsigned b)
{
	return trail->frames[a].pc == trail->frames[b].pc &&
	       trail->frames[a].how == trail->frames[b].how;
}

/* How many frames from `from` on are like those a period before: whole rounds. 0: not worth a line. */
static unsigned repeated(const struct trail *trail, unsigned from, unsigned period)
{
	unsigned end = from;

	while (end < trail->count && alike(trail, end, end - period))
		end++;
	end -= (end - from) % period;
	return end - from >= 3 && end - from >= 2 * period ? end - from : 0;
}

/* first: the innermost frame that is a row of its own and can be part of what repeats. */
static void fold(const struct trail *trail, unsigned first, struct row *row)
{
	unsigned next = row->number + 1;

	for (unsigned period = 1; period <= PERIOD_MAX && next - first >= period; period++) {
		row->folded = repeated(trail, next, period);
		row->period = row->folded ? period : 0;
		if (row->folded)
			return;
	}
}

static void make_rows(struct trail *trail, bool all)
{
	unsigned first = 0;

	for (unsigned i = 0; i < trail->count; i++) {
		struct row *row = &trail->rows[trail->row_count++];

		row->number = i;
		if (all)
			continue;
		fold(trail, first, row);
		i += row->folded;
		if (row->folded)
			first = i + 1;
	}
}

/* ---- lines --------------------------------------------------------------------------------- */

static bool is_users(const struct trail *trail, const struct frame *frame)
{
	const struct unwind *unwind = &trail->unwind;
	struct paging_walk walk;

	return debug_walk(unwind->monitor->debug, unwind->cpu, frame->pc, &walk) == PAGING_OK &&
	       walk.user && unwind->state->system.cr0 & CR0_PG;
}

static const char *from(bool user)
{
	return user ? "user mode" : "the kernel";
}

/* What lies between this frame and the inner one. */
static void show_interrupt(const struct trail *trail, const struct frame *frame,
			   struct monitor_out *out)
{
	char flags[128];

	if (frame->how == UNWIND_CALL)
		return;
	out_printf(out, frame->how == UNWIND_SYSCALL ? "    --- system call from "
						     : "    --- interrupt or exception in ");
	if (!frame->pushed) {
		out_printf(out, "%s\n", from(is_users(trail, frame)));
		return;
	}
	register_flags_text("eflags", frame->pushed_flags, flags, sizeof(flags));
	out_printf(out, "%s, ring %u: cs 0x%" PRIx64 ", eflags 0x%" PRIx64 " [%s]\n",
		   from(frame->pushed_cs & 3), (unsigned)(frame->pushed_cs & 3), frame->pushed_cs,
		   frame->pushed_flags, flags);
}

/* "add_one+0x15 at fixture.c:19" */
static void add_place(const struct trail *trail, const struct frame *frame, struct string *line)
{
	struct monitor *monitor = trail->unwind.monitor;
	char name[96];
	const char *file;
	int number;

	string_printf(line, "%s", address_name(monitor, frame->pc, name, sizeof(name)));
	if (!symbols_line(monitor->symbols, frame->lookup, &file, &number))
		string_printf(line, " at %.60s:%d", file_part(file), number);
}

static void show_folded(const struct trail *trail, const struct row *row, struct monitor_out *out)
{
	struct string line = {0};

	if (!row->folded)
		return;
	string_printf(&line, "    ... %u more frames", row->folded);
	if (row->period == 1) {
		string_printf(&line, " of ");
		add_place(trail, &trail->frames[row->number], &line);
	} else {
		string_printf(&line, ": #%u to #%u again and again", row->number + 1 - row->period,
			      row->number);
	}
	out_wrapped(out, string_text(&line), 0, 4);
	string_free(&line);
}

static void show_row(const struct trail *trail, const struct row *row, struct monitor_out *out)
{
	const struct frame *frame = &trail->frames[row->number];
	struct string line = {0};

	show_interrupt(trail, frame, out);
	string_printf(&line, "#%-2u 0x%" PRIx64, row->number, frame->pc);
	if (has_name(trail->unwind.monitor, frame->pc)) {
		string_printf(&line, " ");
		add_place(trail, frame, &line);
	}
	out_wrapped(out, string_text(&line), 0, 4);
	string_free(&line);
	show_folded(trail, row, out);
}

static void tell_row(const struct trail *trail, const struct row *row, struct monitor_out *out)
{
	struct monitor *monitor = trail->unwind.monitor;
	const struct frame *frame = &trail->frames[row->number];
	char name[96];
	const char *file;
	int number;

	fact_object(out, NULL);
	fact_count(out, "number", row->number);
	fact_hex(out, "pc", frame->pc);
	fact_hex(out, "sp", frame->sp);
	fact_text(out, "name", address_name(monitor, frame->pc, name, sizeof(name)));
	if (!symbols_line(monitor->symbols, frame->lookup, &file, &number)) {
		fact_text(out, "file", file);
		fact_count(out, "line", (uint64_t)number);
	}
	fact_flag(out, "interrupted", frame->how == UNWIND_INTERRUPT);
	fact_flag(out, "system_call", frame->how == UNWIND_SYSCALL);
	fact_flag(out, "user", is_users(trail, frame));
	if (row->folded) {
		fact_count(out, "folded", row->folded);
		fact_count(out, "period", row->period);
	}
	fact_end(out);
}

/* ---- the answer ---------------------------------------------------------------------------- */

/* The first `limit` rows, and the last ones, with a word of what is between them. */
static void show_rows(const struct trail *trail, unsigned limit, struct monitor_out *out)
{
	unsigned first = limit < trail->row_count ? limit : trail->row_count;
	unsigned last = trail->row_count - first > SHOWN_LAST ? trail->row_count - SHOWN_LAST
							      : first;

	fact_list(out, "frames");
	for (unsigned i = 0; i < trail->row_count; i++) {
		if (i < first || i >= last)
			show_row(trail, &trail->rows[i], out);
		else if (i == first)
			out_printf(out, "    ... %u frames ...\n",
				   trail->rows[last].number - trail->rows[first].number);
		if (facts_wanted(out) && i < first)
			tell_row(trail, &trail->rows[i], out);
	}
	fact_end(out);
}

static void show_end(struct trail *trail, struct monitor_out *out)
{
	struct unwind *unwind = &trail->unwind;

	out_printf(out, "    ends here: ");
	if (unwind->number == FRAMES_MAX)
		snprintf(unwind->why, sizeof(unwind->why), "%d frames are enough", FRAMES_MAX);
	out_wrapped(out, unwind->why, 15, 4);
	fact_text(out, "end", unwind->why);
	fact_count(out, "count", trail->count);
}

int run_backtrace(struct call *call)
{
	bool all = call->arg[0].given;
	uint64_t wanted = call->arg[1].given ? call->arg[1].value : all ? FRAMES_MAX : SHOWN_FIRST;
	struct trail trail = {0};
	int ret = unwind_begin(&trail.unwind, call->monitor, call->cpu, call->err);

	if (!ret && !gather(&trail))
		ret = error_set(call->err, -ENOMEM, "there is no memory for so many frames");
	if (!ret) {
		make_rows(&trail, all);
		show_rows(&trail, wanted < FRAMES_MAX ? (unsigned)wanted : FRAMES_MAX + 1,
			  call->out);
		show_end(&trail, call->out);
	}
	free(trail.rows);
	free(trail.frames);
	return ret;
}

/* A return takes the address off the stack: the stack pointer is above it then, but not yet when a deeper
 * call of the same function returns to the same place. After an interrupt or a system call it is what
 * it was before, perhaps on another stack. */
int plan_to_caller(struct monitor *monitor, int cpu, struct plan *plan, struct error *err)
{
	struct unwind unwind;
	int ret = unwind_begin(&unwind, monitor, cpu, err);
	uint64_t sp;

	if (ret)
		return ret;
	if (!unwind_next(&unwind))
		return error_set(err, -ENOENT, "nobody is known to have called this: %s",
				 unwind.why);
	if (!unwind.slot)
		return error_set(err, -ENOENT,
				 "the return address lies in a register: advance *0x%" PRIx64
				 " runs until it is used",
				 unwind.pc);
	*plan = (struct plan){.action = PLAN_UNTIL, .address = unwind.pc, .above_sp = unwind.slot};
	if (unwind.how != UNWIND_CALL && unwind_sp(&unwind, &sp))
		plan->above_sp = sp - 1;
	if (unwind.how == UNWIND_INTERRUPT)
		plan->frame = unwind.slot;
	return 0;
}
