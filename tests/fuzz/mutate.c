// SPDX-License-Identifier: GPL-3.0-or-later
#include "mutate.h"

#include "../rsp/rows.h"
#include "script.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* libFuzzer's interface. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *two,
				 size_t two_size, uint8_t *out, size_t room, unsigned seed);

#define PIECE_MAX 0x4000

static struct rows rows;
static struct script script;
static uint8_t piece[PIECE_MAX]; /* the line that a mutation makes */
static uint64_t state;

int mutate_init(const char *checklist)
{
	return rows_read(checklist, &rows) == 0 && rows.count ? 0 : -1;
}

static unsigned below(unsigned limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return limit ? (unsigned)(state >> 33) % limit : 0;
}

/* Not the same for two that follow each other, and never zero. */
static void start(unsigned seed)
{
	state = (seed + 1) * 0x9e3779b97f4a7c15;
}

/* ---- lines ------------------------------------------------------------------------------ */

static void insert(unsigned at, struct script_line line)
{
	if (script.count == SCRIPT_LINES)
		return;
	memmove(&script.line[at + 1], &script.line[at],
		(script.count - at) * sizeof(script.line[0]));
	script.line[at] = line;
	script.count++;
}

static void add_packet(void)
{
	const struct row *row = &rows.row[below(rows.count)];
	const struct packet_bytes *packet;

	if (!row->steps)
		return;
	packet = row_packet(row);
	insert(below(script.count + 1),
	       (struct script_line){
		       '$', piece,
		       script_escape(packet->bytes, packet->size, piece, sizeof(piece))});
}

static void add_event(void)
{
	static const char *const events[] = {
		"stop",		  "go",		  "reset",	    "hear",
		"lost",		  "save",	  "restore",	    "forget",
		"step 0",	  "step 1",	  "point 0 1001 1", "point 1 1004 1",
		"point 2 3000 1", "point 6 f4 1", "point 16 0 1",   "quit 0",
	};
	const char *event = events[below(sizeof(events) / sizeof(events[0]))];

	insert(below(script.count + 1),
	       (struct script_line){'!', (const uint8_t *)event, strlen(event)});
}

static void add_bytes(void)
{
	static const char *const noise[] = {"\x03", "-", "+", "$", "#00", "$m0,4#fd", "$?#"};
	const char *bytes = noise[below(sizeof(noise) / sizeof(noise[0]))];

	insert(below(script.count + 1),
	       (struct script_line){'<', (const uint8_t *)bytes, strlen(bytes)});
}

static void drop_line(void)
{
	unsigned at = below(script.count);

	if (!script.count)
		return;
	script.count--;
	memmove(&script.line[at], &script.line[at + 1],
		(script.count - at) * sizeof(script.line[0]));
}

static void repeat_line(void)
{
	if (script.count)
		insert(below(script.count + 1), script.line[below(script.count)]);
}

static void swap_lines(void)
{
	unsigned a = below(script.count), b = below(script.count);
	struct script_line line = script.line[a];

	if (!script.count)
		return;
	script.line[a] = script.line[b];
	script.line[b] = line;
}

/* ---- inside a line ---------------------------------------------------------------------- */

/* A line to change, copied to where it can be; NULL when there is none. */
static struct script_line *pick_line(void)
{
	struct script_line *line = &script.line[below(script.count)];

	if (!script.count || line->size > PIECE_MAX)
		return NULL;
	memcpy(piece, line->text, line->size);
	line->text = piece;
	return line;
}

static void change_bytes(void)
{
	struct script_line *line = pick_line();

	if (line)
		line->size = LLVMFuzzerMutate(piece, line->size, PIECE_MAX);
}

/* A run of hex digits in the line becomes another number. */
static void change_number(void)
{
	static const char *const numbers[] = {
		"0",
		"1",
		"2",
		"8",
		"f4",
		"fff",
		"1000",
		"1001",
		"1004",
		"1100",
		"3000",
		"fffff",
		"100000",
		"7fffffff",
		"80000000",
		"ffffffff",
		"100000000",
		"ffff800000000000",
		"7fffffffffffffff",
		"ffffffffffffffff",
		"11111111111111111",
		"-1",
	};
	const char *number = numbers[below(sizeof(numbers) / sizeof(numbers[0]))];
	struct script_line *line = pick_line();
	size_t at, end, size = strlen(number);

	if (!line || line->size + size > PIECE_MAX)
		return;
	at = below((unsigned)line->size + 1);
	while (at < line->size && !isxdigit(piece[at]))
		at++;
	for (end = at; end < line->size && isxdigit(piece[end]);)
		end++;
	memmove(piece + at + size, piece + end, line->size - end);
	memcpy(piece + at, number, size);
	line->size = line->size - (end - at) + size;
}

static void cut_line(void)
{
	struct script_line *line = pick_line();

	if (line)
		line->size = below((unsigned)line->size + 1);
}

/* Two packets in one, or an event's word before another's arguments. */
static void join_lines(void)
{
	struct script_line *line = pick_line();
	const struct script_line *other = &script.line[below(script.count)];
	size_t from;

	if (!line || other == line)
		return;
	from = below((unsigned)other->size + 1);
	line->size = below((unsigned)line->size + 1);
	if (line->size + other->size - from > PIECE_MAX)
		return;
	memcpy(piece + line->size, other->text + from, other->size - from);
	line->size += other->size - from;
}

/* ---- libFuzzer's interface -------------------------------------------------------------- */

static void (*const mutations[])(void) = {
	add_packet,    add_packet,    add_packet,    add_event,	   add_bytes,
	drop_line,     repeat_line,   swap_lines,    change_bytes, change_bytes,
	change_number, change_number, change_number, cut_line,	   join_lines,
};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	static uint8_t out[1 << 20];
	size_t room = max_size < sizeof(out) ? max_size : sizeof(out);

	start(seed);
	if (below(50) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	/* The text of the one line that is changed is in piece; two changes would share it. */
	for (unsigned n = 1 + below(4); n; n--) {
		script_read(&script, data, size);
		mutations[below(sizeof(mutations) / sizeof(mutations[0]))]();
		size = script_write(&script, out, room);
		memcpy(data, out, size);
	}
	return size;
}

/* The beginning of one script and the end of the other. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *two,
				 size_t two_size, uint8_t *out, size_t room, unsigned seed)
{
	size_t size;

	start(seed);
	script_read(&script, one, one_size);
	script.count = below(script.count + 1);
	size = script_write(&script, out, room);
	script_read(&script, two, two_size);
	for (unsigned n = below(script.count + 1); n; n--)
		memmove(&script.line[0], &script.line[1], --script.count * sizeof(script.line[0]));
	return size + script_write(&script, out + size, room - size);
}
