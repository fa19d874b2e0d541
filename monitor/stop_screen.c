// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The screen of a stop: why, who, where, the source line, the instructions around it, and the
 * registers with a star behind those that changed since the stop before. It fits 80 columns and
 * 24 lines.
 */
#include "monitor/command.h"

#include <stdio.h>
#include <string.h>

/* ---- source ---------------------------------------------------------------------------------- */

static void show_source(struct monitor *monitor, uint64_t pc, struct monitor_out *out)
{
	const char *file;
	int line;

	if (!symbols_line(monitor->symbols, pc, &file, &line))
		source_show(file, line, line, 0, out, NULL);
}

/* ---- the head ------------------------------------------------------------------------------ */

/* Puts parts on a line with " · " between, and begins a new line where one would be too long. */
struct joined {
	struct monitor_out *out;
	size_t column;
};

static void join(struct joined *joined, const char *part)
{
	size_t width = text_width(part);

	if (!*part)
		return;
	if (joined->column && joined->column + 3 + width <= out_columns(joined->out)) {
		out_printf(joined->out, " · %s", part);
		joined->column += 3 + width;
		return;
	}
	out_printf(joined->out, "%s  %s", joined->column ? "\n" : "", part);
	joined->column = 2 + width;
}

/* A watch is told behind the access: who made it says more than where the vCPU stands now. */
static bool show_access(struct monitor *monitor, const struct stop *stop, int cpu,
			struct joined *joined)
{
	bool watch = stop && stop->vcpu == cpu && stop->reason >= STOP_WATCH_WRITE &&
		     stop->reason <= STOP_WATCH_ACCESS;
	char where[160], text[192];
	uint64_t offset;

	if (watch && symbols_name(monitor->symbols, stop->address, &offset))
		join(joined, address_name(monitor, stop->address, text, sizeof(text)));
	if (!watch || !stop->writer)
		return false;
	snprintf(text, sizeof(text), "by %s",
		 address_text(monitor, stop->writer, where, sizeof(where)));
	join(joined, text);
	return true;
}

static void show_where(struct monitor *monitor, const struct stop *stop, int cpu,
		       struct monitor_out *out)
{
	struct joined joined = {.out = out};
	unsigned others = debug_vcpu_count(monitor->debug) - 1;
	char text[192];

	if (!show_access(monitor, stop, cpu, &joined))
		join(&joined,
		     address_text(monitor, debug_pc(monitor->debug, cpu), text, sizeof(text)));
	debug_vcpu_text(monitor->debug, cpu, text, sizeof(text));
	join(&joined, text);
	snprintf(text, sizeof(text), "%u other%s held", others, others == 1 ? "" : "s");
	join(&joined, others ? text : "");
	out_printf(out, "\n");
}

static void stop_text(const struct stop *stop, char *buf, size_t size)
{
	const char *text = stop->text[0] ? stop->text : stop_reason_name(stop->reason);

	text_clean(text, strnlen(text, sizeof(stop->text)), false, buf, size);
}

void stop_facts(const struct stop *stop, struct monitor_out *out)
{
	char text[TEXT_CLEAN_SIZE(sizeof(stop->text))];

	stop_text(stop, text, sizeof(text));
	fact_text(out, "reason", stop_reason_name(stop->reason));
	fact_text(out, "why", text);
	fact_count(out, "vcpu", stop->vcpu < 0 ? 0 : (uint64_t)stop->vcpu);
	fact_hex(out, "pc", stop->pc);
	if (stop->point)
		fact_count(out, "point", (uint64_t)stop->point);
	if (!stop->size)
		return;
	fact_hex(out, "accessed", stop->address);
	fact_count(out, "size", stop->size);
	fact_hex(out, "old", stop->old_value);
	fact_hex(out, "new", stop->new_value);
}

/* Where the vCPU stands that the screen is about. */
static void tell_here(struct monitor *monitor, int cpu, const char *did, struct monitor_out *out)
{
	uint64_t pc = debug_pc(monitor->debug, cpu);
	const char *file;
	char name[96];
	int line;

	fact_object(out, "here");
	fact_count(out, "vcpu", (uint64_t)cpu);
	fact_text(out, "doing", did);
	fact_hex(out, "pc", pc);
	fact_text(out, "name", address_name(monitor, pc, name, sizeof(name)));
	if (!symbols_line(monitor->symbols, pc, &file, &line)) {
		fact_text(out, "file", file);
		fact_count(out, "line", (uint64_t)line);
	}
	fact_end(out);
}

static bool is_its_stop(const struct stop *stop, int cpu)
{
	return cpu == (stop->vcpu < 0 ? 0 : stop->vcpu);
}

/* What a vCPU did when another one stopped, or all were. NULL: nobody knows. */
static const char *doing(struct monitor *monitor, int cpu)
{
	static const char *const words[] = {[CPU_RUNNABLE] = "was running",
					    [CPU_HALTED] = "slept in hlt",
					    [CPU_WAIT_INIT] = "waited for INIT",
					    [CPU_WAIT_SIPI] = "waited for its startup IPI"};
	struct vcpu_info info;

	if (debug_vcpu_info(monitor->debug, cpu, &info) < 0)
		return NULL;
	return info.held && info.run_state == CPU_RUNNABLE ? "was held" : words[info.run_state];
}

/* Else the machine was stopped as a whole. */
static bool is_one_vcpus(const struct stop *stop)
{
	return stop->vcpu >= 0 && stop->reason != STOP_PAUSE && stop->reason != STOP_RESET &&
	       stop->reason != STOP_SHUTDOWN;
}

/* "□ vCPU 0: was running when vCPU 1 stopped: breakpoint 1" */
static void show_bystander(struct monitor *monitor, const struct stop *stop, int cpu,
			   struct monitor_out *out)
{
	char why[TEXT_CLEAN_SIZE(sizeof(stop->text))], who[32] = "the guest";
	const char *did = doing(monitor, cpu);
	struct string text = {0};

	if (!did)
		return;
	if (is_one_vcpus(stop))
		snprintf(who, sizeof(who), "vCPU %d", stop->vcpu);
	stop_text(stop, why, sizeof(why));
	string_printf(&text, "□ vCPU %d: %s when %s stopped: %s", cpu, did, who, why);
	out_wrapped(out, string_text(&text), 0, 2);
	string_free(&text);
}

static void show_reason(const struct stop *stop, struct monitor_out *out)
{
	char text[TEXT_CLEAN_SIZE(sizeof(stop->text))], head[32];

	stop_text(stop, text, sizeof(text));
	snprintf(head, sizeof(head), "■ vCPU %d: ", stop->vcpu < 0 ? 0 : stop->vcpu);
	out_printf(out, "%s%s%s", color(out, COLOR_STOP), head, color(out, COLOR_OFF));
	out_wrapped(out, text, text_width(head), 2);
}

/* How it went on from the first fault, which the reason has told. */
static void show_fault_chain(struct monitor *monitor, int cpu, struct monitor_out *out)
{
	struct fault_line line[FAULT_CHAIN];
	unsigned count = debug_fault_chain(monitor->debug, cpu, line);

	for (unsigned i = 1; i < count; i++) {
		out_printf(out, "  ");
		out_wrapped(out, line[i].text, 2, 12);
	}
}

void context_show(struct monitor *monitor, int cpu, bool reason, struct monitor_out *out)
{
	const struct stop *stop = debug_last_stop(monitor->debug);

	bool its = stop && is_its_stop(stop, cpu);

	if (reason && its)
		show_reason(stop, out);
	else if (reason && stop)
		show_bystander(monitor, stop, cpu, out);
	if (reason && stop)
		stop_facts(stop, out);
	tell_here(monitor, cpu, its ? NULL : doing(monitor, cpu), out);
	if (reason && its && stop->reason == STOP_TRIPLE_FAULT)
		show_fault_chain(monitor, cpu, out);
	show_where(monitor, stop, cpu, out);
	show_source(monitor, debug_pc(monitor->debug, cpu), out);
	stop_code_show(monitor, cpu, out);
	registers_show(monitor, cpu, true, out);
}

void monitor_show_stop(struct monitor *monitor, struct monitor_out *out)
{
	const struct stop *stop = debug_last_stop(monitor->debug);

	if (stop)
		context_show(monitor, stop->vcpu < 0 ? 0 : stop->vcpu, true, out);
}

/* ---- one line ------------------------------------------------------------------------------ */

void monitor_show_state(struct monitor *monitor, enum debug_owner actor, struct monitor_out *out)
{
	static const char *const by[OWNER_COUNT] = {"", " (by gdb)", " (by the console)"};
	const struct stop *stop = debug_running(monitor->debug) ? NULL
								: debug_last_stop(monitor->debug);
	char where[160], text[TEXT_CLEAN_SIZE(sizeof(stop->text))] = "stopped";

	fact_flag(out, "running", debug_running(monitor->debug));
	if (debug_running(monitor->debug)) {
		out_printf(out, "running%s\n", by[actor]);
		return;
	}
	if (stop) {
		stop_facts(stop, out);
		stop_text(stop, text, sizeof(text));
	}
	address_text(monitor, debug_pc(monitor->debug, stop ? stop->vcpu : 0), where,
		     sizeof(where));
	out_printf(out, "%s■%s vCPU %d: %s at %s\n", color(out, COLOR_STOP), color(out, COLOR_OFF),
		   stop ? stop->vcpu : 0, text, where);
}
