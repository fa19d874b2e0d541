// SPDX-License-Identifier: GPL-3.0-or-later
/* bt: the calls that led here, and why they end; and who called the function that a vCPU is in. */
#include "monitor/commands.h"
#include "monitor/unwind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_FIRST 40
#define SHOWN_LAST  4
/* A stack of pages that lead to themselves never ends. */
#define FRAMES_MAX 100000

static void frame_text(struct unwind *unwind, struct string *line)
{
	char name[96];
	const char *file;
	int number;

	address_name(unwind->monitor, unwind->pc, name, sizeof(name));
	string_printf(line, "#%-2u 0x%" PRIx64 " %s", unwind->number, unwind->pc, name);
	if (!symbols_line(unwind->monitor->symbols, unwind_lookup(unwind), &file, &number))
		string_printf(line, " at %.60s:%d", file_part(file), number);
}

static bool is_users(struct unwind *unwind)
{
	struct paging_walk walk;

	return debug_walk(unwind->monitor->debug, unwind->cpu, unwind->pc, &walk) == PAGING_OK &&
	       walk.user && unwind->state->system.cr0 & CR0_PG;
}

static const char *from(bool user)
{
	return user ? "user mode" : "the kernel";
}

/* What lies between this frame and the inner one. */
static void show_interrupt(struct unwind *unwind, struct monitor_out *out)
{
	char flags[128];

	if (!unwind->number || unwind->how == UNWIND_CALL)
		return;
	out_printf(out, unwind->how == UNWIND_SYSCALL ? "    --- system call from "
						      : "    --- interrupt or exception in ");
	if (!unwind->pushed) {
		out_printf(out, "%s\n", from(is_users(unwind)));
		return;
	}
	register_flags_text("eflags", unwind->pushed_flags, flags, sizeof(flags));
	out_printf(out, "%s, ring %u: cs 0x%" PRIx64 ", eflags 0x%" PRIx64 " [%s]\n",
		   from(unwind->pushed_cs & 3), (unsigned)(unwind->pushed_cs & 3),
		   unwind->pushed_cs, unwind->pushed_flags, flags);
}

static void tell_frame(struct unwind *unwind, struct monitor_out *out)
{
	char name[96];
	const char *file;
	int number;

	fact_object(out, NULL);
	fact_count(out, "number", unwind->number);
	fact_hex(out, "pc", unwind->pc);
	fact_hex(out, "sp", unwind->registers.value[unwind->size == 8 ? 7 : 4]);
	fact_text(out, "name", address_name(unwind->monitor, unwind->pc, name, sizeof(name)));
	if (!symbols_line(unwind->monitor->symbols, unwind_lookup(unwind), &file, &number)) {
		fact_text(out, "file", file);
		fact_count(out, "line", (uint64_t)number);
	}
	fact_flag(out, "interrupted", unwind->number && unwind->how == UNWIND_INTERRUPT);
	fact_flag(out, "system_call", unwind->number && unwind->how == UNWIND_SYSCALL);
	fact_flag(out, "user", is_users(unwind));
	fact_end(out);
}

/* Lines of the outermost frames, of which only the last ones are wanted. */
struct tail {
	struct string line[SHOWN_LAST];
	unsigned count; /* in all */
};

static void show_frame(struct unwind *unwind, struct monitor_out *out, unsigned limit,
		       struct tail *tail)
{
	struct string line = {0};

	frame_text(unwind, &line);
	if (unwind->number < limit) {
		show_interrupt(unwind, out);
		out_wrapped(out, string_text(&line), 0, 4);
		tell_frame(unwind, out);
		string_free(&line);
		return;
	}
	string_free(&tail->line[tail->count % SHOWN_LAST]);
	tail->line[tail->count++ % SHOWN_LAST] = line;
}

static void show_tail(struct tail *tail, struct monitor_out *out)
{
	unsigned shown = tail->count < SHOWN_LAST ? tail->count : SHOWN_LAST;

	if (tail->count > shown)
		out_printf(out, "    ... %u frames ...\n", tail->count - shown);
	for (unsigned i = tail->count - shown; i < tail->count; i++)
		out_wrapped(out, string_text(&tail->line[i % SHOWN_LAST]), 0, 4);
	for (unsigned i = 0; i < SHOWN_LAST; i++)
		string_free(&tail->line[i]);
}

static void show_end(struct unwind *unwind, struct monitor_out *out)
{
	out_printf(out, "    ends here: ");
	if (unwind->number == FRAMES_MAX)
		snprintf(unwind->why, sizeof(unwind->why), "%d frames are enough", FRAMES_MAX);
	out_wrapped(out, unwind->why, 15, 4);
	fact_text(out, "end", unwind->why);
	fact_count(out, "count", unwind->number + 1);
}

int run_backtrace(struct call *call)
{
	uint64_t wanted = call->arg[0].given ? call->arg[0].value : SHOWN_FIRST;
	unsigned limit = wanted < FRAMES_MAX ? (unsigned)wanted : FRAMES_MAX;
	struct tail tail = {0};
	struct unwind unwind;
	int ret = unwind_begin(&unwind, call->monitor, call->cpu, call->err);

	if (ret)
		return ret;
	fact_list(call->out, "frames");
	do
		show_frame(&unwind, call->out, limit, &tail);
	while (unwind.number < FRAMES_MAX && unwind_next(&unwind));
	fact_end(call->out);
	show_tail(&tail, call->out);
	show_end(&unwind, call->out);
	return 0;
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
