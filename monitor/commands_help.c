// SPDX-License-Identifier: GPL-3.0-or-later
/* help, from the command table. */
#include "monitor/commands.h"

#include <stdio.h>
#include <string.h>

static const char *const class_names[CLASS_COUNT] = {
	[CLASS_RUN] = "running",
	[CLASS_POINTS] = "breakpoints",
	[CLASS_STATE] = "registers, memory",
	[CLASS_CODE] = "code",
	[CLASS_MACHINE] = "machine",
};

const char *class_name(enum command_class class)
{
	return class_names[class];
}

#define HELP_MARGIN 21
#define HELP_WIDTH  78

/* A wrapped list of names behind a heading. */
struct name_list {
	struct monitor_out *out;
	size_t column;
};

static size_t help_width(const struct monitor_out *out)
{
	size_t columns = out_columns(out);

	return columns < HELP_WIDTH ? columns : HELP_WIDTH;
}

static void list_begin(struct name_list *list, const char *heading)
{
	out_printf(list->out, "  %-*s", HELP_MARGIN - 2, heading);
	list->column = 0;
}

static void list_name(struct name_list *list, const char *name, size_t size)
{
	if (HELP_MARGIN + list->column + 2 + size > help_width(list->out)) {
		out_printf(list->out, "\n%*s", HELP_MARGIN, "");
		list->column = 0;
	}
	out_printf(list->out, "%s%s%.*s%s", list->column ? "  " : "", color(list->out, COLOR_NAME),
		   (int)size, name, color(list->out, COLOR_OFF));
	list->column += size + 2;
}

/* Of two words the first, once; what begins with "info" has a list of its own. */
static bool is_listed(unsigned index)
{
	const char *name = commands[index].name;
	size_t size = strcspn(name, " ");

	if (!strncmp(name, "info ", 5))
		return commands[index].flags & COMMAND_COMMON;
	for (unsigned i = 0; i < index; i++)
		if (!strncmp(commands[i].name, name, size) && strchr(" ", commands[i].name[size]))
			return false;
	return true;
}

static size_t listed_size(const struct command *command)
{
	return strcspn(command->name, command->flags & COMMAND_COMMON ? "" : " ");
}

static void help_class(struct monitor_out *out, enum command_class class)
{
	struct name_list list = {.out = out};

	list_begin(&list, class_names[class]);
	for (unsigned i = 0; i < command_count; i++)
		if (commands[i].class == class && is_listed(i))
			list_name(&list, commands[i].name, listed_size(&commands[i]));
	out_printf(out, "\n");
}

static void help_info(struct monitor_out *out)
{
	struct name_list list = {.out = out};

	list_begin(&list, "info ...");
	for (unsigned i = 0; i < command_count; i++)
		if (!strncmp(commands[i].name, "info ", 5))
			list_name(&list, commands[i].name + 5, strlen(commands[i].name + 5));
	out_printf(out, "\n");
}

/* A row of the table, for programs. */
static void tell_command(struct monitor_out *out, const struct command *command)
{
	char usage[160];

	command_usage(command, usage, sizeof(usage));
	fact_object(out, NULL);
	fact_text(out, "name", command->name);
	fact_text(out, "aliases", command->aliases);
	fact_text(out, "class", class_names[command->class]);
	fact_text(out, "usage", usage);
	fact_text(out, "help", command->help);
	fact_text(out, "more", command->more);
	fact_text(out, "example", command_example(command));
	fact_text(out, "facts", command_facts(command));
	fact_end(out);
}

static int help_overview(struct call *call)
{
	for (unsigned class = 0; class < CLASS_COUNT; class ++)
		help_class(call->out, class);
	for (unsigned i = 0; i < command_count; i++)
		tell_command(call->out, &commands[i]);
	help_info(call->out);
	out_wrapped(call->out,
		    "Names may be shortened (i r, b, c, s); TAB completes; an empty line repeats.",
		    0, 0);
	out_wrapped(call->out, "`help COMMAND` tells more, `help all` has a line for each.", 0, 0);
	return 0;
}

static void help_line(struct monitor_out *out, const struct command *command)
{
	tell_command(out, command);
	out_printf(out, "  %-*s ", HELP_MARGIN - 3, command->name);
	out_wrapped(out, command->help, HELP_MARGIN, HELP_MARGIN);
}

static int help_lines(struct call *call, const char *group)
{
	size_t size = strlen(group);

	for (unsigned i = 0; i < command_count; i++)
		if (!strncmp(commands[i].name, group, size))
			help_line(call->out, &commands[i]);
	return 0;
}

static int help_command(struct call *call, const struct command *command)
{
	char usage[160], line[256];

	tell_command(call->out, command);
	command_usage(command, usage, sizeof(usage));
	snprintf(line, sizeof(line), "%s: %s", usage, command->help);
	out_wrapped(call->out, line, 0, 2);
	if (command->aliases)
		out_printf(call->out, "Also: %s\n", command->aliases);
	for (const char *more = command->more; more; more = *more ? more + 1 : NULL) {
		size_t size = strcspn(more, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)size, more);
		out_wrapped(call->out, line, 0, 2);
		more += size;
	}
	if (command_example(command))
		out_printf(call->out, "For example: %s\n", command_example(command));
	return 0;
}

/* "snapshot", "trace": the first word of several commands. */
static bool is_group(const char *topic)
{
	size_t size = strlen(topic);

	for (unsigned i = 0; i < command_count; i++)
		if (!strncmp(commands[i].name, topic, size) && commands[i].name[size] == ' ')
			return true;
	return false;
}

static int help_group(struct call *call, const char *topic)
{
	char group[64];

	for (unsigned i = 0; i < command_count; i++)
		if (!strcmp(commands[i].name, topic))
			help_command(call, &commands[i]);
	snprintf(group, sizeof(group), "%s ", topic);
	return help_lines(call, group);
}

static int help(struct call *call)
{
	const struct command *command;
	const char *topic = call->arg[0].text, *rest;

	if (!call->arg[0].given)
		return help_overview(call);
	if (!strcmp(topic, "all"))
		return help_lines(call, "");
	if (!strcmp(topic, "reference")) {
		reference_show(call->out);
		return 0;
	}
	if (!strcmp(topic, "i"))
		topic = "info";
	if (is_group(topic))
		return help_group(call, topic);
	command = command_lookup(topic, &rest, call->err);
	return command ? help_command(call, command) : call->err->code;
}

int run_help(struct call *call)
{
	int ret;

	fact_list(call->out, "commands");
	ret = help(call);
	fact_end(call->out);
	return ret;
}
