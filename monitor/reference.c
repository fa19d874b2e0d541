// SPDX-License-Identifier: GPL-3.0-or-later
/* The reference chapter of docs/console.md, made from the command table: `help reference`. */
#include "monitor/command.h"

#include <stdio.h>
#include <string.h>

/* "b, br" of "b br". */
static void show_aliases(struct monitor_out *out, const struct command *command)
{
	const char *alias = command->aliases, *space = strchr(command->name, ' ');
	int first = space ? (int)(space + 1 - command->name) : 0;

	for (const char *before = "Also "; alias; before = ", ") {
		size_t size = strcspn(alias, " ");

		out_printf(out, "%s`%.*s%.*s`", before, first, command->name, (int)size, alias);
		alias = alias[size] ? alias + size + 1 : NULL;
	}
	if (command->aliases)
		out_printf(out, ".\n\n");
}

static void show_flags(struct monitor_out *out, const struct command *command)
{
	static const struct {
		unsigned flag;
		const char *text;
	} flags[] = {
		{COMMAND_STOPPED, "Wants a stopped guest."},
		{COMMAND_RUNS, "Lets the guest run: not while a gdb is attached."},
		{COMMAND_FILES, "Opens a file: from gdb as `set gdb-files` says."},
		{COMMAND_REPEAT, "An empty line does it again."},
		{COMMAND_REPEAT_NEXT, "An empty line goes on behind."},
	};
	const char *before = "";

	for (unsigned i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (command->flags & flags[i].flag) {
			out_printf(out, "%s%s", before, flags[i].text);
			before = " ";
		}
	if (*before)
		out_printf(out, "\n\n");
}

static void show_command(struct monitor_out *out, const struct command *command)
{
	char usage[200];

	command_usage(command, usage, sizeof(usage));
	out_printf(out, "#### `%s`\n\n`%s`: %s.\n\n", command->name, usage, command->help);
	show_aliases(out, command);
	if (command->more)
		out_printf(out, "```\n%s\n```\n\n", command->more);
	if (command_example(command))
		out_printf(out, "For example: `%s`.\n\n", command_example(command));
	show_flags(out, command);
	if (command_facts(command))
		out_printf(out, "As JSON: %s.\n\n", command_facts(command));
}

void reference_show(struct monitor_out *out)
{
	for (enum command_class class = 0; class < CLASS_COUNT; class ++) {
		out_printf(out, "### %s\n\n", class_name(class));
		for (unsigned i = 0; i < command_count; i++)
			if (commands[i].class == class)
				show_command(out, &commands[i]);
	}
}
