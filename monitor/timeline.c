// SPDX-License-Identifier: GPL-3.0-or-later
/* timeline: a line for each vCPU, a column for each moment, from the flight recorder. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS	   64
#define RECORDS	   4000 /* of each vCPU, at most */
#define WINDOW_MAX 1000000000000ull

static const struct {
	const char *name;
	char letter;
} letters[] = {
	{"kick", 'k'},	   {"io", 'i'},	   {"mmio", 'm'},    {"window", 'w'}, {"hlt", 'h'},
	{"shutdown", 'S'}, {"event", 'e'}, {"debug", 'd'},   {"rdmsr", 'r'},  {"wrmsr", 'r'},
	{"error", 'E'},	   {"entry", 'E'}, {"unknown", 'E'}, {"host", 'E'},   {"other", 'o'},
};

static char letter_of(const char *name)
{
	for (unsigned i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (!strcmp(letters[i].name, name))
			return letters[i].letter;
	return 'o';
}

/* What is told of one column: the exit that was there most often. */
struct cell {
	unsigned exits;
	char letter; /* 0: none */
	unsigned votes;
};

struct timeline {
	struct call *call;
	struct trace_record *records;
	uint64_t first, last; /* ns: the window */
	bool used[128];	      /* letters that need a legend */
};

/* Majority vote, one pass (Boyer and Moore): right where one exit makes up half of them. */
static void vote(struct cell *cell, char letter)
{
	cell->exits++;
	if (cell->letter == letter) {
		cell->votes++;
	} else if (!cell->votes) {
		cell->letter = letter;
		cell->votes = 1;
	} else {
		cell->votes--;
	}
}

static unsigned column_of(const struct timeline *t, uint64_t ns)
{
	uint64_t span = t->last - t->first + 1;

	return (unsigned)((ns - t->first) * COLUMNS / span);
}

/* Behind hlt, until the next exit, the vCPU sleeps or has been woken: nobody can tell which. */
static void fill_cells(const struct timeline *t, unsigned count, struct cell cells[COLUMNS],
		       bool asleep[COLUMNS], bool known[COLUMNS])
{
	for (unsigned i = 0; i < count; i++) {
		const struct trace_record *record = &t->records[i];
		bool halts = !strcmp(record->name, "hlt");
		uint64_t next = i + 1 < count ? t->records[i + 1].ns : t->last;

		if (record->ns > t->last)
			break;
		if (next < t->first)
			continue;
		for (uint64_t c = column_of(t, record->ns > t->first ? record->ns : t->first);
		     c <= column_of(t, next < t->last ? next : t->last) && c < COLUMNS; c++) {
			known[c] = true;
			asleep[c] = halts;
		}
		if (record->ns >= t->first)
			vote(&cells[column_of(t, record->ns)], letter_of(record->name));
	}
}

static void show_vcpu(struct timeline *t, int cpu)
{
	struct monitor_out *out = t->call->out;
	struct cell cells[COLUMNS] = {0};
	bool asleep[COLUMNS] = {0}, known[COLUMNS] = {0};
	unsigned count = debug_trace(t->call->monitor->debug, cpu, t->records, RECORDS), exits = 0;
	struct string line = {0};

	fill_cells(t, count, cells, asleep, known);
	for (unsigned c = 0; c < COLUMNS; c++) {
		exits += cells[c].exits;
		if (cells[c].exits) {
			string_printf(&line, "%c", cells[c].letter);
			t->used[(unsigned char)cells[c].letter] = true;
		} else {
			string_printf(&line, "%s", !known[c] ? " " : asleep[c] ? "z" : "─");
			t->used['z'] |= known[c] && asleep[c];
		}
	}
	out_printf(out, "vCPU %-2d │%s│ %u\n", cpu, string_text(&line), exits);
	fact_object(out, NULL);
	fact_count(out, "vcpu", (uint64_t)cpu);
	fact_text(out, "columns", string_text(&line));
	fact_count(out, "exits", exits);
	fact_end(out);
	string_free(&line);
}

static void show_legend(struct timeline *t)
{
	struct string text = {0};

	string_printf(&text, "─ in the guest");
	if (t->used['z'])
		string_printf(&text, ", z behind a hlt");
	for (unsigned i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		if (t->used[(unsigned char)letters[i].letter] && letters[i].letter != 'E')
			string_printf(&text, ", %c %s", letters[i].letter, letters[i].name);
	if (t->used['E'])
		string_printf(&text, ", E error");
	string_printf(&text, "; at the end exits; most of a column's");
	out_wrapped(t->call->out, string_text(&text), 0, 0);
	string_free(&text);
}

/* "1.5 ms" */
static const char *span_text(uint64_t ns, char buf[24])
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "µs"}, {1, "ns"}};
	unsigned i = 0;

	while (i < 3 && ns < units[i].unit)
		i++;
	snprintf(buf, 24, "%.3g %s", (double)ns / (double)units[i].unit, units[i].name);
	return buf;
}

/* Widens the window to what is there of one vCPU; where older records are gone, it begins behind them. */
static void take_in(struct timeline *t, unsigned count, uint64_t *lost)
{
	const struct trace_record *first = &t->records[0], *last = &t->records[count - 1];

	if (last->ns > t->last)
		t->last = last->ns;
	if (first->ns < t->first)
		t->first = first->ns;
	if (first->number > 1 && first->ns > *lost)
		*lost = first->ns;
}

/* Everything that is still known of all vCPUs, or the end of it. */
static int choose_window(struct timeline *t, uint64_t window)
{
	struct debug *debug = t->call->monitor->debug;
	uint64_t lost = 0;

	t->first = UINT64_MAX;
	t->last = 0;
	for (unsigned i = 0; i < debug_vcpu_count(debug); i++) {
		unsigned count = debug_trace(debug, (int)i, t->records, RECORDS);

		if (count)
			take_in(t, count, &lost);
	}
	if (!t->last)
		return error_set(t->call->err, -ENOENT, "no exits yet");
	if (lost > t->first)
		t->first = lost < t->last ? lost : t->last;
	if (window && t->last - t->first > window)
		t->first = t->last - window;
	return 0;
}

static void show(struct timeline *t)
{
	struct monitor_out *out = t->call->out;
	uint64_t span = t->last - t->first;
	char whole[24], column[24];

	out_printf(out, "the last %s, a column is %s\n", span_text(span, whole),
		   span_text(span / COLUMNS, column));
	fact_count(out, "from_ns", t->first);
	fact_count(out, "to_ns", t->last);
	fact_list(out, "vcpus");
	for (unsigned i = 0; i < debug_vcpu_count(t->call->monitor->debug); i++)
		show_vcpu(t, (int)i);
	fact_end(out);
	show_legend(t);
}

/* In milliseconds. */
int run_timeline(struct call *call)
{
	struct timeline t = {.call = call};
	int ret;

	if (call->arg[0].given &&
	    (!call->arg[0].value || call->arg[0].value > WINDOW_MAX / 1000000))
		return error_set(call->err, -EINVAL,
				 "a timeline has from 1 to 1000000 milliseconds");
	t.records = calloc(RECORDS, sizeof(*t.records));
	if (!t.records)
		return error_set(call->err, -ENOMEM, "no memory for the list of exits");
	ret = choose_window(&t, call->arg[0].value * 1000000);
	if (!ret)
		show(&t);
	free(t.records);
	return ret;
}
