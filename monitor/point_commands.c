// SPDX-License-Identifier: GPL-3.0-or-later
/* Lines that run when a point has stopped the guest: `commands`, and `do` behind a point. */
#include "monitor/commands.h"
#include "monitor/points.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 16384

struct point_commands {
	struct point_commands *next;
	int number;
	char text[]; /* lines, each with its newline */
};

/* Where the entry of a point is linked, or would be. */
static struct point_commands **place_of(struct monitor *monitor, int number)
{
	struct point_commands **link = &monitor->point_commands;

	while (*link && (*link)->number != number)
		link = &(*link)->next;
	return link;
}

static void remove_at(struct point_commands **link)
{
	struct point_commands *gone = *link;

	*link = gone->next;
	free(gone);
}

/* Points go without telling: those that are gone take their lines with them. */
static void prune(struct monitor *monitor)
{
	struct point_commands **link = &monitor->point_commands;

	while (*link)
		if (point_numbered(monitor, (*link)->number))
			link = &(*link)->next;
		else
			remove_at(link);
}

/* A semicolon outside quotes ends a line. */
static void split(char *text)
{
	bool quoted = false;

	for (char *c = text; *c; c++) {
		if (*c == '"')
			quoted = !quoted;
		else if (*c == ';' && !quoted)
			*c = '\n';
	}
}

int point_commands_set(struct monitor *monitor, int number, const char *text, struct error *err)
{
	size_t size = strlen(text), blank = strspn(text, " \t\n;");
	struct point_commands **link, *made;

	prune(monitor);
	link = place_of(monitor, number);
	if (*link)
		remove_at(link);
	if (blank == size)
		return 0;
	if (size > TEXT_MAX)
		return error_set(err, -E2BIG, "the commands of a point have %d characters at most",
				 TEXT_MAX);
	made = malloc(sizeof(*made) + size + 2);
	if (!made)
		return error_set(err, -ENOMEM, "no memory for commands");
	*made = (struct point_commands){.next = monitor->point_commands, .number = number};
	sprintf(made->text, "%s\n", text);
	monitor->point_commands = made;
	return 0;
}

int point_commands_split(struct monitor *monitor, int number, const char *text, struct error *err)
{
	char *copy = strdup(text);
	int ret;

	if (!copy)
		return error_set(err, -ENOMEM, "no memory for commands");
	split(copy);
	ret = point_commands_set(monitor, number, copy, err);
	free(copy);
	return ret;
}

const char *point_commands(struct monitor *monitor, int number)
{
	struct point_commands *entry = *place_of(monitor, number);

	return entry ? entry->text : NULL;
}

void point_commands_free(struct monitor *monitor)
{
	while (monitor->point_commands)
		remove_at(&monitor->point_commands);
}

/* ---- when it stops -------------------------------------------------------------------------- */

/* How much of the lines is run: what lets the guest run is the last one. */
static size_t up_to_resume(const char *text)
{
	const char *line = text, *rest;

	while (*(line += strspn(line, " \t\n"))) {
		const struct command *command = command_lookup(line, &rest, NULL);

		line += strcspn(line, "\n");
		line += *line == '\n';
		if (command && command->flags & COMMAND_RUNS)
			break;
	}
	return (size_t)(line - text);
}

char *monitor_stop_commands(struct monitor *monitor, bool *silent)
{
	const struct stop *stop = debug_last_stop(monitor->debug);
	const struct point *point = stop && stop->point ? point_numbered(monitor, stop->point)
							: NULL;
	const char *text = point ? point_commands(monitor, stop->point) : NULL;
	size_t word;

	*silent = false;
	if (!text || point->owner == OWNER_GDB || monitor->gdb_attached)
		return NULL;
	text += strspn(text, " \t\n");
	word = strcspn(text, " \t\n");
	if (word == strlen("silent") && !strncmp(text, "silent", word)) {
		*silent = true;
		text += word;
		text += strspn(text, " \t\n");
	}
	return strndup(text, up_to_resume(text));
}

/* ---- the command ---------------------------------------------------------------------------- */

static int last_point(struct call *call)
{
	const struct point *point = NULL;
	int number = 0;

	while ((point = debug_point_next(call->monitor->debug, point)))
		if (point->owner != OWNER_GDB || call->owner == OWNER_GDB)
			number = point->number;
	return number ? number
		      : error_set(call->err, -ENOENT,
				  "there is no breakpoint yet to give commands to");
}

int run_commands(struct call *call)
{
	struct view *view = &call->monitor->view[call->owner];
	int number = call->arg[0].given ? (int)call->arg[0].value : last_point(call);
	const struct point *point;

	if (number < 0)
		return number;
	point = point_owned(call, number);
	if (!point)
		return call->err->code;
	if (call->owner == OWNER_GDB && point->owner != OWNER_GDB)
		return error_set(call->err, -EPERM,
				 "the console runs the commands of its points: say them there");
	if (!call->arg[1].given) {
		view->collecting = number;
		string_free(&view->collected);
		return 0;
	}
	number = point_commands_split(call->monitor, number, call->arg[1].text, call->err);
	if (!number)
		point_tell(call, point);
	return number;
}

int commands_collect(struct call *call, const char *line)
{
	struct view *view = &call->monitor->view[call->owner];
	size_t blank = strspn(line, " \t");
	int number = view->collecting, ret;

	if (strcmp(line + blank, "end") != 0) {
		if (view->collected.size < TEXT_MAX + LINE_MAX_SIZE)
			string_printf(&view->collected, "%s\n", line + blank);
		return 0;
	}
	view->collecting = 0;
	ret = point_commands_set(call->monitor, number, string_text(&view->collected), call->err);
	string_free(&view->collected);
	return ret;
}
