// SPDX-License-Identifier: GPL-3.0-or-later
/* What TAB finds: commands, and arguments by their kinds. */
#include "log.h"
#include "monitor/keys.h"
#include "monitor/points.h"
#include "x86/msr.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Matches gathered so far; row 0 is kept free for their common beginning. */
struct matches {
	const char *word;
	char **list;
	size_t count, space;
};

static void add_match(struct matches *matches, const char *text, size_t size, const char *prefix,
		      const char *suffix)
{
	char *match;

	if (matches->count + 3 > matches->space) {
		size_t space = matches->space ? matches->space * 2 : 64;
		char **list = realloc(matches->list, space * sizeof(*list));

		if (!list)
			return;
		matches->list = list;
		matches->space = space;
	}
	if (asprintf(&match, "%s%.*s%s", prefix, (int)size, text, suffix) < 0)
		return;
	if (strncmp(match, matches->word, strlen(matches->word)) ||
	    (matches->count && !strcmp(matches->list[matches->count], match)))
		free(match);
	else
		matches->list[++matches->count] = match;
}

static void add_text(struct matches *matches, const char *text)
{
	add_match(matches, text, strlen(text), "", "");
}

/* ---- by kind ------------------------------------------------------------------------------- */

static void add_registers(struct monitor *monitor, struct matches *matches)
{
	bool dollar = matches->word[0] == '$';

	(void)monitor;
	for (unsigned i = 0; i < register_count; i++)
		add_match(matches, registers[i].name, strlen(registers[i].name), dollar ? "$" : "",
			  "");
	for (unsigned i = 0; !dollar && i < REG_GROUP_COUNT; i++)
		add_text(matches, register_group_name(i));
}

static void add_symbols(struct monitor *monitor, struct matches *matches)
{
	size_t cursor = 0;
	const char *name;

	if (matches->word[0] == '$') {
		add_registers(monitor, matches);
		return;
	}
	while ((name = symbols_next(monitor->symbols, matches->word, &cursor)))
		add_text(matches, name);
}

static void add_settings(struct monitor *monitor, struct matches *matches)
{
	const char *name;

	if (matches->word[0] == '$')
		add_registers(monitor, matches);
	for (unsigned i = 0; (name = setting_name(i)); i++)
		add_text(matches, name);
}

static void add_points(struct monitor *monitor, struct matches *matches)
{
	const struct point *point = NULL;
	char number[16];

	while ((point = debug_point_next(monitor->debug, point))) {
		snprintf(number, sizeof(number), "%d", point->number);
		add_text(matches, number);
	}
}

static void add_cpus(struct monitor *monitor, struct matches *matches)
{
	char number[16];

	for (unsigned i = 0; i < debug_vcpu_count(monitor->debug); i++) {
		snprintf(number, sizeof(number), "%u", i);
		add_text(matches, number);
	}
}

/* Of the path that is being typed only what lies behind `before` is the word: readline breaks at slashes and
 * dashes, too. */
static void add_files(const char *before, struct matches *matches)
{
	const char *slash = strrchr(before, '/'), *name = slash ? slash + 1 : before;
	size_t typed = strlen(name);
	char folder[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%.*s", (int)(name - before), before);
	dir = opendir(slash ? folder : ".");
	while (dir && (entry = readdir(dir))) {
		const char *found = entry->d_name;

		if (strncmp(found, name, typed) || strchr(found, ' ') ||
		    (found[0] == '.' && name[0] != '.' && matches->word[0] != '.'))
			continue;
		add_match(matches, found + typed, strlen(found + typed), "",
			  entry->d_type == DT_DIR ? "/" : "");
	}
	if (dir)
		closedir(dir);
}

/* As people type them. */
static void add_msrs(struct monitor *monitor, struct matches *matches)
{
	const char *name;

	(void)monitor;
	for (unsigned i = 0; (name = msr_name_at(i)); i++) {
		char lower[64];
		size_t size = 0;

		for (name += 4; size < sizeof(lower) - 1 && name[size]; size++)
			lower[size] = (char)tolower((unsigned char)name[size]);
		add_match(matches, lower, size, "", "");
	}
}

static void add_command_names(struct monitor *monitor, struct matches *matches)
{
	(void)monitor;
	for (unsigned i = 0; i < command_count; i++)
		add_match(matches, commands[i].name, strcspn(commands[i].name, " "), "", "");
}

static void add_keys(struct monitor *monitor, struct matches *matches)
{
	const char *name;

	(void)monitor;
	for (unsigned i = 0; (name = key_name(i)); i++)
		add_text(matches, name);
}

static void add_log(struct monitor *monitor, struct matches *matches)
{
	const char *name;
	enum log_level level;

	(void)monitor;
	for (unsigned i = 0; log_area(i, &name, &level); i++)
		add_text(matches, name);
	for (unsigned i = 0; (name = log_level_word(i)); i++)
		add_text(matches, name);
}

static void add_switch(struct monitor *monitor, struct matches *matches)
{
	(void)monitor;
	add_text(matches, "on");
	add_text(matches, "off");
}

static void add_addresses(struct monitor *monitor, struct matches *matches)
{
	(void)monitor;
	add_text(matches, "off");
	add_text(matches, "unix:");
}

/* What a condition or a limit begins with, and what they are made of. */
static void add_clauses(struct monitor *monitor, struct matches *matches)
{
	const char *name;

	for (unsigned i = 0; (name = clause_name(i)); i++)
		add_text(matches, name);
	add_symbols(monitor, matches);
}

static void add_catches(struct monitor *monitor, struct matches *matches)
{
	const char *name;

	(void)monitor;
	for (unsigned i = 0; (name = catch_name(i)); i++)
		add_text(matches, name);
}

static void (*const by_kind[ARG_KIND_COUNT])(struct monitor *monitor, struct matches *matches) = {
	[ARG_EXPRESSION] = add_symbols,
	[ARG_LOCATION] = add_symbols,
	[ARG_REGISTERS] = add_registers,
	[ARG_COMMAND] = add_command_names,
	[ARG_SETTING] = add_settings,
	[ARG_POINTS] = add_points,
	[ARG_POINT] = add_points,
	[ARG_PLACE] = add_symbols,
	[ARG_CLAUSES] = add_clauses,
	[ARG_CPU] = add_cpus,
	[ARG_CATCH] = add_catches,
	[ARG_MSR] = add_msrs,
	[ARG_SWITCH] = add_switch,
	[ARG_KEYS] = add_keys,
	[ARG_LOG] = add_log,
	[ARG_ADDRESS] = add_addresses,
};

/* ---- by place ------------------------------------------------------------------------------ */

/* Second words of the group that line names: "info ". */
static bool add_group(const char *line, size_t size, struct matches *matches)
{
	size_t word = strcspn(line, " \t");
	bool any = false;

	if (word >= size || strspn(line + word, " \t") + word < size)
		return false;
	for (unsigned i = 0; i < command_count; i++) {
		const char *name = commands[i].name;
		size_t first = strcspn(name, " ");

		if (!name[first] || word > first || strncmp(name, line, word))
			continue;
		add_text(matches, name + first + 1);
		any = true;
	}
	return any;
}

/* Values of the setting that was typed: "set disassembly-flavor ". */
static bool add_values(const char *rest, struct matches *matches)
{
	const char *value;
	char name[64];

	if (sscanf(rest, "%63s", name) != 1 || !setting_value(name, 0))
		return false;
	for (unsigned i = 0; (value = setting_value(name, i)); i++)
		add_text(matches, value);
	return true;
}

/* Moves *rest behind one argument that ends at a blank; false when nothing else is there. */
static bool skip_word(const char **rest)
{
	const char *word = *rest + strspn(*rest, " \t"), *end = word + strcspn(word, " \t");

	if (!*word || !*end)
		return false;
	*rest = end;
	return true;
}

/* Whether the argument that desc stands for is there already, so that it is the next one's turn.
 * Others are not counted: what is offered for an address is right for any of them. */
static bool is_typed(const struct arg_desc *desc, const char **rest)
{
	bool one_word = desc->kind == ARG_POINT || desc->kind == ARG_MSR ||
			desc[1].kind == ARG_CLAUSES;

	return one_word && desc[1].kind != ARG_END && skip_word(rest);
}

/* "-p" stands there, or could. */
static void add_option(const char *option, const char **rest, struct matches *matches)
{
	const char *word = *rest + strspn(*rest, " \t");
	size_t size = strcspn(word, " \t");

	if (word[size] && strlen(option) == size && !strncmp(word, option, size))
		*rest = word + size;
	else if (!*word || (*word == '-' && !word[1]))
		add_text(matches, option + (*word == '-'));
}

static void add_by_kind(struct monitor *monitor, const struct command *command, const char *rest,
			struct matches *matches)
{
	for (const struct arg_desc *desc = command->args; desc->kind != ARG_END; desc++) {
		if (desc->kind == ARG_OFFSET) {
			add_option("-o", &rest, matches);
		} else if (desc->kind == ARG_OPTION) {
			add_option(desc->name, &rest, matches);
		} else if (desc->kind == ARG_FILE && !skip_word(&rest)) {
			add_files(rest + strspn(rest, " \t"), matches);
			return;
		} else if (by_kind[desc->kind] && !is_typed(desc, &rest)) {
			by_kind[desc->kind](monitor, matches);
			return;
		}
	}
}

static void add_arguments(struct monitor *monitor, const char *line, struct matches *matches)
{
	const struct command *command;
	const char *rest;

	command = command_lookup(line, &rest, NULL);
	if (!command || *rest == '/')
		rest = command ? rest + strcspn(rest, " \t") : "";
	if (!command || (command->args[0].kind == ARG_SETTING && add_values(rest, matches)))
		return;
	add_by_kind(monitor, command, rest, matches);
}

static char *common_beginning(const struct matches *matches)
{
	size_t size = strlen(matches->list[1]);

	for (size_t i = 2; i <= matches->count; i++)
		for (size_t j = 0; j < size; j++)
			if (matches->list[i][j] != matches->list[1][j])
				size = j;
	return strndup(matches->list[1], size);
}

/* Cuts what stands before the word: the commands and arguments that decide what it can be. */
static void gather(struct monitor *monitor, const char *line, size_t start, struct matches *matches)
{
	char before[LINE_MAX_SIZE];
	size_t blanks = strspn(line, " \t");

	if (start >= sizeof(before) || start < blanks)
		return;
	memcpy(before, line + blanks, start - blanks);
	before[start - blanks] = 0;
	if (strchr(before, '/') && before[start - blanks - 1] == '/' && !strchr(before, ' '))
		return;
	if (!before[0])
		add_command_names(monitor, matches);
	else if (!add_group(before, start - blanks, matches))
		add_arguments(monitor, before, matches);
}

char **monitor_complete(struct monitor *monitor, const char *line, size_t start)
{
	struct matches matches = {.word = line + start};

	gather(monitor, line, start, &matches);
	if (!matches.count) {
		free(matches.list);
		return NULL;
	}
	matches.list[0] = common_beginning(&matches);
	matches.list[matches.count + 1] = NULL;
	return matches.list;
}
