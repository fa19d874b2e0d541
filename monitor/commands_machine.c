// SPDX-License-Identifier: GPL-3.0-or-later
/* What a user does to the machine from outside, and to the program around it. */
#include "log.h"
#include "monitor/commands.h"
#include "monitor/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- interrupts and keys -------------------------------------------------------------------- */

int run_nmi(struct call *call)
{
	fact_count(call->out, "vcpu", (uint64_t)call->cpu);
	return debug_nmi(call->monitor->debug, call->cpu, call->err);
}

int run_irq(struct call *call)
{
	if (call->arg[0].value > 15)
		return error_set(call->err, -EINVAL, "interrupt lines are 0 to 15");
	fact_count(call->out, "line", call->arg[0].value);
	return debug_irq(call->monitor->debug, (unsigned)call->arg[0].value, call->err);
}

/* Keys behind each other: all of them, or none. */
int run_send_key(struct call *call)
{
	uint8_t codes[KEYS_MAX];
	const char *text = call->arg[0].text;
	unsigned keys = 0;
	char key[64];

	for (; *text; keys++) {
		size_t size = strcspn(text, " \t");
		int count;

		snprintf(key, sizeof(key), "%.*s", (int)size, text);
		count = keys_parse(key, codes, call->err);
		if (count < 0)
			return count;
		if (debug_keys(call->monitor->debug, codes, (size_t)count) < (size_t)count)
			return error_set(call->err, -ENOSPC,
					 "the keyboard is full: the guest has not read %s and what "
					 "is before it",
					 key);
		text += size;
		text += strspn(text, " \t");
	}
	fact_count(call->out, "keys", keys);
	return 0;
}

/* ---- text ----------------------------------------------------------------------------------- */

/* Returns the size. */
static size_t unescape(const char *text, char *out)
{
	size_t used = 0;

	while (*text) {
		size_t length = text_escape(text, &out[used]);

		if (!length)
			out[used] = *text;
		text += length ? length : 1;
		used++;
	}
	return used;
}

/* A text in quotes is meant as it is; without, a newline follows. Returns the size. */
static size_t line_to_send(const char *text, char bytes[LINE_MAX_SIZE])
{
	size_t size = strlen(text), used;
	bool quoted = size >= 2 && text[0] == '"' && text[size - 1] == '"';
	char line[LINE_MAX_SIZE];

	snprintf(line, sizeof(line), "%.*s", quoted ? (int)size - 2 : (int)size, text + quoted);
	used = unescape(line, bytes);
	if (!quoted)
		bytes[used++] = '\n';
	return used;
}

int run_send_text(struct call *call)
{
	char bytes[LINE_MAX_SIZE];
	uint8_t codes[4 * LINE_MAX_SIZE];
	size_t size = line_to_send(call->arg[0].text, bytes);
	int count = keys_text(bytes, size, codes, sizeof(codes), call->err);

	if (count < 0)
		return count;
	if (debug_keys(call->monitor->debug, codes, (size_t)count) < (size_t)count)
		return error_set(
			call->err, -ENOSPC,
			"the keyboard has no room for this line: the guest has to read what is "
			"there, or the line has to be shorter");
	fact_count(call->out, "size", size);
	return 0;
}

/* "[-2] TEXT" */
int run_serial_send(struct call *call)
{
	const struct monitor_host *host = &call->monitor->host;
	char bytes[LINE_MAX_SIZE];
	size_t size;

	if (!host->serial_send)
		return error_set(call->err, -ENOTSUP, "there is no serial port to send to");
	size = line_to_send(call->arg[1].text, bytes);
	fact_count(call->out, "port", call->arg[0].given ? 2 : 1);
	fact_count(call->out, "size", size);
	return host->serial_send(host->ctx, call->arg[0].given ? 1 : 0, bytes, size, call->err);
}

/* ---- gdb ------------------------------------------------------------------------------------ */

static void show_gdb(struct call *call)
{
	const struct monitor_host *host = &call->monitor->host;
	const char *where = host->gdb_address ? host->gdb_address(host->ctx) : "none";
	char text[TEXT_CLEAN_SIZE(200)];

	text_clean(where, strnlen(where, 200), false, text, sizeof(text));
	if (!strcmp(where, "none"))
		out_printf(call->out, "no gdb is taken\n");
	else
		out_printf(call->out, "gdb is taken at %s%s\n", text,
			   call->monitor->gdb_attached ? "; one is attached" : "");
	fact_text(call->out, "address", where);
	fact_flag(call->out, "attached", call->monitor->gdb_attached);
}

int run_gdbserver(struct call *call)
{
	const struct monitor_host *host = &call->monitor->host;
	const char *address = call->arg[0].text;
	int ret;

	if (!call->arg[0].given) {
		show_gdb(call);
		return 0;
	}
	if (call->owner == OWNER_GDB)
		return error_set(
			call->err, -EPERM,
			"gdb would saw off the branch that it sits on: use `detach`, or the "
			"console's gdbserver");
	if (!host->serve_gdb)
		return error_set(call->err, -ENOTSUP, "there is no gdb server here");
	ret = host->serve_gdb(host->ctx,
			      !strcmp(address, "off") || !strcmp(address, "none") ? NULL : address,
			      call->err);
	if (!ret)
		show_gdb(call);
	return ret;
}

/* ---- log ------------------------------------------------------------------------------------ */

static const char *const levels[] = {"error", "warn", "info", "debug"};

static void show_log(struct call *call)
{
	const char *area;
	enum log_level level;

	fact_object(call->out, "levels");
	for (unsigned i = 0; log_area(i, &area, &level); i++) {
		out_printf(call->out, "  %-10s %s\n", area, levels[level]);
		fact_text(call->out, area, levels[level]);
	}
	fact_end(call->out);
}

const char *log_level_word(unsigned index)
{
	return index < sizeof(levels) / sizeof(*levels) ? levels[index] : NULL;
}

/* "AREA LEVEL", or "LEVEL" for all of them. */
int run_log(struct call *call)
{
	char first[16] = "", second[16] = "", rest[4] = "";
	const char *word;

	if (!call->arg[0].given) {
		show_log(call);
		return 0;
	}
	sscanf(call->arg[0].text, "%15s %15s %3s", first, second, rest);
	word = second[0] ? second : first;
	for (unsigned i = 0; i < sizeof(levels) / sizeof(*levels) && !rest[0]; i++)
		if (!strcmp(word, levels[i]) &&
		    !log_set_area_level(second[0] ? first : NULL, (enum log_level)i))
			return 0;
	return error_set(call->err, -EINVAL,
			 "write: log AREA LEVEL; levels are error, warn, info and debug, and `log` "
			 "lists the areas");
}
