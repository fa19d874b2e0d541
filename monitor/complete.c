// SPDX-License-Identifier: GPL-3.0-or-later
/* What TAB finds: commands, and arguments by their kinds. */
#include "monitor/matches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void match_add(struct matches *matches, const char *text, size_t size, const char *prefix,
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

void match_text(struct matches *matches, const char *text)
{
	match_add(matches, text, strlen(text), "", "");
}

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
		match_text(matches, name + first + 1);
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
		match_text(matches, value);
	return true;
}

/* Moves *rest behind one argument that ends at a blank; false when nothing else is there. */
static bool skip_word(const char **rest)
{
	const char *word = *rest + strspn(*rest, " \t");
	const char *quote = *word == '"' ? strchr(word + 1, '"') : NULL;
	const char *end = quote ? quote + 1 : word + strcspn(word, " \t");

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
			desc->kind == ARG_SNAPSHOT || desc[1].kind == ARG_FILE ||
			desc[1].kind == ARG_ON_CPU || desc[1].kind == ARG_CLAUSES;

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
		match_text(matches, option + (*word == '-'));
}

static void gather(struct monitor *monitor, const char *before, struct matches *matches);

/* Behind help a topic, behind json a line of its own. */
static void add_line(struct monitor *monitor, enum arg_kind kind, const char *before,
		     struct matches *matches)
{
	if (kind == ARG_LINE) {
		gather(monitor, before, matches);
	} else if (!*before) {
		match_commands(matches);
		match_text(matches, "all");
		match_text(matches, "reference");
	} else {
		add_group(before, strlen(before), matches);
	}
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
			match_files(rest + strspn(rest, " \t"), matches);
			return;
		} else if (desc->kind == ARG_COMMAND || desc->kind == ARG_LINE) {
			add_line(monitor, desc->kind, rest + strspn(rest, " \t"), matches);
			return;
		} else if (!is_typed(desc, &rest) && match_kind(monitor, desc->kind, matches)) {
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

/* before: the commands and arguments that decide what the word can be. */
static void gather(struct monitor *monitor, const char *before, struct matches *matches)
{
	size_t size = strlen(before);

	if (size && before[size - 1] == '/' && !strchr(before, ' '))
		return;
	if (!size)
		match_commands(matches);
	else if (!add_group(before, size, matches))
		add_arguments(monitor, before, matches);
}

char **monitor_complete(struct monitor *monitor, const char *line, size_t start)
{
	struct matches matches = {.word = line + start};
	size_t blanks = strspn(line, " \t");
	char *before = start < blanks ? NULL : strndup(line + blanks, start - blanks);

	if (before && start < LINE_MAX_SIZE)
		gather(monitor, before, &matches);
	free(before);
	if (!matches.count) {
		free(matches.list);
		return NULL;
	}
	matches.list[0] = common_beginning(&matches);
	matches.list[matches.count + 1] = NULL;
	return matches.list;
}
