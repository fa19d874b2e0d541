// SPDX-License-Identifier: GPL-3.0-or-later
/* The flight recorder: where the time of a vCPU goes, and its last exits. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR_WIDTH     18
#define SHOWN_TARGETS 3
#define TRACE_DEFAULT 10
#define TRACE_MAX     4096

/* ---- numbers as people read them ------------------------------------------------------------- */

/* "41 210" */
static const char *grouped(uint64_t number, char buf[32])
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, number), used = 0;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			buf[used++] = ' ';
		buf[used++] = digits[i];
	}
	buf[used] = '\0';
	return buf;
}

/* "1.90 s", "210 ms", "9 µs" */
static const char *duration(uint64_t ns, char buf[32])
{
	if (ns >= 1000000000)
		snprintf(buf, 32, "%.2f s", (double)ns / 1e9);
	else if (ns >= 1000000)
		snprintf(buf, 32, "%" PRIu64 " ms", ns / 1000000);
	else
		snprintf(buf, 32, "%" PRIu64 " µs", ns / 1000);
	return buf;
}

/* A bar of part out of whole, in eighths of a column. */
static const char *bar(uint64_t part, uint64_t whole, char buf[BAR_WIDTH * 3 + 4])
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	uint64_t length = (uint64_t)((double)part / (double)whole * BAR_WIDTH * 8);
	size_t used = 0;

	buf[0] = '\0';
	for (uint64_t i = 0; i < length / 8; i++, used += 3)
		memcpy(buf + used, "█", 4);
	snprintf(buf + used, 4, "%s", length ? eighths[length % 8] : "▏");
	return buf;
}

/* Pads by what is seen: µ and the bar's blocks have more bytes than columns. */
static void right(struct call *call, int width, const char *text)
{
	out_printf(call->out, "%*s%s", width - (int)text_width(text), "", text);
}

/* ---- info exits ------------------------------------------------------------------------------ */

struct sums {
	uint64_t exits, ns;
};

static struct sums add_up(struct call *call)
{
	struct sums sums = {0};
	struct trace_share share;

	for (unsigned i = 0; debug_trace_share(call->monitor->debug, call->cpu, i, &share); i++) {
		sums.exits += share.exits;
		sums.ns += share.guest_ns + share.vitrine_ns;
	}
	return sums;
}

/* What the exits for a reason were mostly about. */
static void show_targets(struct call *call, unsigned reason)
{
	struct trace_target targets[SHOWN_TARGETS];
	unsigned seen, count = debug_trace_targets(call->monitor->debug, call->cpu, reason, targets,
						   SHOWN_TARGETS, &seen);
	char number[32];

	for (unsigned i = 0; i < count; i++)
		out_printf(call->out, "%s%s (%s)", i ? ", " : "           ", targets[i].text,
			   grouped(targets[i].count, number));
	if (count)
		out_printf(call->out, " of the last %s exits\n", grouped(seen, number));
}

static void show_share(struct call *call, const struct trace_share *share, const struct sums *sums)
{
	uint64_t ns = share->guest_ns + share->vitrine_ns, whole = sums->ns ? sums->ns : 1;
	char text[BAR_WIDTH * 3 + 4];

	out_printf(call->out, "  %-8s", share->name);
	right(call, 12, grouped(share->exits, text));
	right(call, 10, duration(share->guest_ns, text));
	right(call, 10, duration(share->vitrine_ns, text));
	fact_object(call->out, NULL);
	fact_text(call->out, "reason", share->name);
	fact_count(call->out, "exits", share->exits);
	fact_count(call->out, "guest_ns", share->guest_ns);
	fact_count(call->out, "vitrine_ns", share->vitrine_ns);
	fact_end(call->out);
	out_printf(call->out, "%8.1f %%  %s\n", (double)ns * 100 / (double)whole,
		   bar(ns, whole, text));
}

static void show_shares(struct call *call, const struct sums *sums)
{
	struct trace_share share;

	out_printf(call->out, "  %-8s%12s%10s%10s%10s\n", "reason", "exits", "in guest", "vitrine",
		   "of time");
	for (unsigned i = 0; debug_trace_share(call->monitor->debug, call->cpu, i, &share); i++) {
		if (!share.exits)
			continue;
		show_share(call, &share, sums);
		show_targets(call, i);
	}
}

/* A driver that looks for a device which is not there shows here first. */
static void show_unclaimed(struct call *call)
{
	struct unclaimed_counts counts = debug_unclaimed(call->monitor->debug);

	fact_count(call->out, "unclaimed_ports", counts.ports);
	fact_count(call->out, "unclaimed_mmio", counts.mmio);
	if (counts.ports || counts.mmio)
		out_printf(call->out,
			   "no device answered: ports %" PRIu64 " times, memory %" PRIu64
			   " times (-log debug shows each)\n",
			   counts.ports, counts.mmio);
}

int run_info_exits(struct call *call)
{
	struct sums sums = add_up(call);
	char number[32], time[32];

	out_printf(call->out, "vCPU %d: %s running, %s exits\n", call->cpu, duration(sums.ns, time),
		   grouped(sums.exits, number));
	fact_count(call->out, "vcpu", (uint64_t)call->cpu);
	fact_count(call->out, "exits", sums.exits);
	fact_count(call->out, "ns", sums.ns);
	if (!sums.exits)
		return 0;
	fact_list(call->out, "reasons");
	show_shares(call, &sums);
	fact_end(call->out);
	show_unclaimed(call);
	return 0;
}

/* ---- trace ----------------------------------------------------------------------------------- */

void trace_record_show(struct monitor *monitor, const struct trace_record *record, bool all,
		       struct monitor_out *out)
{
	char where[160];

	out_printf(out, "  +%" PRIu64 ".%06" PRIu64, record->ns / 1000000000,
		   record->ns / 1000 % 1000000);
	if (all)
		out_printf(out, "  vCPU %d", record->vcpu);
	out_printf(out, "  %-8s", record->name);
	if (!record->has_pc) {
		out_printf(out, "%s%s\n", record->text[0] ? " " : "", record->text);
		return;
	}
	out_printf(out, " %s%*s %s\n", record->text, 30 - (int)text_width(record->text), "",
		   address_name(monitor, record->pc, where, sizeof(where)));
}

static void tell_record(struct monitor_out *out, const struct trace_record *record)
{
	fact_object(out, NULL);
	fact_count(out, "vcpu", (uint64_t)record->vcpu);
	fact_count(out, "number", record->number);
	fact_count(out, "ns", record->ns);
	fact_text(out, "reason", record->name);
	fact_text(out, "exit", record->exit);
	if (record->has_pc)
		fact_hex(out, "pc", record->pc);
	fact_text(out, "text", record->text);
	fact_end(out);
}

static void show_records(struct call *call, const struct trace_record *records, unsigned count,
			 bool all)
{
	unsigned places = 0;

	fact_list(call->out, "exits");
	for (unsigned i = 0; i < count; i++) {
		trace_record_show(call->monitor, &records[i], all, call->out);
		tell_record(call->out, &records[i]);
		places += records[i].has_pc;
	}
	fact_end(call->out);
	if (!count)
		out_printf(call->out, "no exits yet\n");
	else if (!places)
		out_printf(
			call->out,
			"where each happened: `set trace-pc on` before (exits cost more then)\n");
}

int run_trace(struct call *call)
{
	struct debug *debug = call->monitor->debug;
	uint64_t max = call->arg[1].given ? call->arg[1].value : TRACE_DEFAULT;
	bool all = call->arg[0].given;
	struct trace_record *records;
	unsigned count;

	if (!max || max > TRACE_MAX)
		return error_set(call->err, -EINVAL, "trace shows from 1 to %d exits", TRACE_MAX);
	records = calloc(max, sizeof(*records));
	if (!records)
		return error_set(call->err, -ENOMEM, "no memory for the list of exits");
	count = all ? debug_trace_all(debug, records, (unsigned)max)
		    : debug_trace(debug, call->cpu, records, (unsigned)max);
	show_records(call, records, count, all);
	free(records);
	return 0;
}
