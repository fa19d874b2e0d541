// SPDX-License-Identifier: GPL-3.0-or-later
/* A command's arguments, read by kind. */
#include "home_path.h"
#include "monitor/points.h"
#include "x86/msr.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void command_usage(const struct command *command, char *buf, size_t size)
{
	size_t used = snprintf(buf, size, "%s%s", command->name,
			       command->flags & COMMAND_FORMAT ? "[/FMT]" : "");

	for (const struct arg_desc *desc = command->args; desc->kind != ARG_END && used < size;
	     desc++)
		used += snprintf(buf + used, size - used, desc->optional ? " [%s]" : " %s",
				 desc->name);
}

static char *skip_space(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* Ends the word at text; returns what follows it. */
static char *cut_word(char *text)
{
	while (*text && !isspace((unsigned char)*text))
		text++;
	if (*text)
		*text++ = 0;
	return text;
}

/* A reader sets *arg and moves *text behind what it took. */
typedef int reader_fn(struct call *call, const struct arg_desc *desc, struct arg *arg, char **text);

/* In front of a path, whose slash would divide, it is one word. */
static int read_word_expression(struct call *call, struct arg *arg, char **text)
{
	char *word = *text;

	*text = cut_word(word);
	arg->given = true;
	return monitor_evaluate(call->monitor, call->cpu, word, &arg->value, NULL, call->err);
}

static int read_expression(struct call *call, const struct arg_desc *desc, struct arg *arg,
			   char **text)
{
	const char *end = *text;
	int ret;

	if (desc[1].kind == ARG_FILE)
		return read_word_expression(call, arg, text);
	ret = monitor_evaluate(call->monitor, call->cpu, *text, &arg->value, &end, call->err);
	arg->given = true;
	*text += end - *text;
	return ret;
}

static int read_location(struct call *call, const struct arg_desc *desc, struct arg *arg,
			 char **text)
{
	const char *end = *text;
	int ret = location_parse(call->monitor, call->cpu, *text, &arg->value, &end, call->err);

	(void)desc;
	arg->given = true;
	*text += end - *text;
	return ret;
}

static int read_word(struct call *call, const struct arg_desc *desc, struct arg *arg, char **text)
{
	(void)call;
	(void)desc;
	arg->given = true;
	arg->text = *text;
	*text = cut_word(*text);
	return 0;
}

static int read_quoted(struct call *call, struct arg *arg, char **text)
{
	char *quote = strchr(*text + 1, '"');

	if (!quote)
		return error_set(call->err, -EINVAL, "a closing quote is missing");
	arg->given = true;
	arg->text = *text + 1;
	*quote = 0;
	*text = quote + 1;
	return 0;
}

static int read_file(struct call *call, const struct arg_desc *desc, struct arg *arg, char **text)
{
	int ret = **text == '"' ? read_quoted(call, arg, text) : read_word(call, desc, arg, text);

	if (!ret)
		ret = home_path(arg->text, call->path, sizeof(call->path), call->err);
	arg->text = call->path;
	return ret;
}

static int read_rest(struct call *call, const struct arg_desc *desc, struct arg *arg, char **text)
{
	(void)call;
	(void)desc;
	arg->given = true;
	arg->text = *text;
	*text += strlen(*text);
	return 0;
}

static int read_option(struct call *call, const struct arg_desc *desc, struct arg *arg, char **text)
{
	size_t size = strlen(desc->name);

	(void)call;
	if (strncmp(*text, desc->name, size) ||
	    ((*text)[size] && !isspace((unsigned char)(*text)[size])))
		return 0;
	arg->given = true;
	*text += size;
	return 0;
}

static int read_offset(struct call *call, const struct arg_desc *desc, struct arg *arg, char **text)
{
	(void)desc;
	if (strncmp(*text, "-o", 2) || !isspace((unsigned char)(*text)[2]))
		return 0;
	*text = skip_space(*text + 2);
	return read_word_expression(call, arg, text);
}

static int read_point(struct call *call, const struct arg_desc *desc, struct arg *arg, char **text)
{
	char *end, *number = *text;
	long value = strtol(number, &end, 10);

	(void)desc;
	if (desc->optional && end == number)
		return 0; /* it is not there */
	if (end == number || (*end && !isspace((unsigned char)*end)) || value < 1 ||
	    value > INT32_MAX)
		return error_set(call->err, -EINVAL,
				 "%s wants the number of a breakpoint first; `info breakpoints` "
				 "lists them",
				 call->command->name);
	arg->given = true;
	arg->value = (uint64_t)value;
	*text = end;
	return 0;
}

static int read_cpu(struct call *call, const struct arg_desc *desc, struct arg *arg, char **text)
{
	unsigned count = debug_vcpu_count(call->monitor->debug);
	int ret = read_expression(call, desc, arg, text);

	if (!ret && arg->value >= count)
		return error_set(call->err, -EINVAL,
				 count > 1 ? "there is no vCPU %lld; they are 0 to %u"
					   : "there is no vCPU %lld; the only one is %u",
				 (long long)arg->value, count - 1);
	return ret;
}

static bool says_cpu(const char *text)
{
	return !strncmp(text, "cpu", 3) && isspace((unsigned char)text[3]);
}

static int read_on_cpu(struct call *call, const struct arg_desc *desc, struct arg *arg, char **text)
{
	int ret;

	if (!says_cpu(*text))
		return 0; /* there is too much */
	*text = skip_space(*text + 3);
	ret = read_cpu(call, desc, arg, text);
	if (!ret)
		call->cpu = (int)arg->value;
	return ret;
}

/* A name that is no symbol and no number, or an expression. */
static int read_msr(struct call *call, const struct arg_desc *desc, struct arg *arg, char **text)
{
	size_t size = strcspn(*text, " \t");
	char name[64];
	uint32_t index;

	snprintf(name, sizeof(name), "%.*s", (int)size, *text);
	if (size >= sizeof(name) || !msr_find(name, &index)) {
		int ret = read_expression(call, desc, arg, text);

		return ret == -ENOENT ? error_set(call->err, ret,
						  "there is no MSR `%s`, and no symbol; TAB behind "
						  "`%s` lists the names",
						  name, call->command->name)
				      : ret;
	}
	arg->given = true;
	arg->value = index;
	*text += size;
	return 0;
}

static reader_fn *const readers[ARG_KIND_COUNT] = {
	[ARG_EXPRESSION] = read_expression,
	[ARG_LOCATION] = read_location,
	[ARG_REGISTERS] = read_word,
	[ARG_COMMAND] = read_rest,
	[ARG_SETTING] = read_rest,
	[ARG_SHOWN] = read_word,
	[ARG_POINTS] = read_rest,
	[ARG_POINT] = read_point,
	[ARG_PLACE] = read_rest,
	[ARG_CLAUSES] = read_rest,
	[ARG_CPU] = read_cpu,
	[ARG_ON_CPU] = read_on_cpu,
	[ARG_MSR] = read_msr,
	[ARG_SWITCH] = read_word,
	[ARG_OFFSET] = read_offset,
	[ARG_KEYS] = read_rest,
	[ARG_LOG] = read_rest,
	[ARG_ADDRESS] = read_rest,
	[ARG_OPTION] = read_option,
	[ARG_FILE] = read_file,
	[ARG_SNAPSHOT] = read_word,
	[ARG_TEXT] = read_rest,
	[ARG_LINE] = read_rest,
	[ARG_CATCH] = read_rest,
};

static int usage_error(struct call *call, const char *problem)
{
	char usage[160];

	command_usage(call->command, usage, sizeof(usage));
	return error_set(call->err, -EINVAL, "%s; the command is: %s", problem, usage);
}

/* Whether what begins with a slash can be the first argument. */
static bool takes_slash(const struct command *command)
{
	const struct arg_desc *desc = command->args;

	while (desc->kind == ARG_OPTION || desc->kind == ARG_OFFSET)
		desc++;
	return desc->kind == ARG_TEXT || desc->kind == ARG_SNAPSHOT || desc->kind == ARG_LINE ||
	       desc->kind == ARG_FILE;
}

static int parse_format(struct call *call, char **text)
{
	*text = skip_space(*text);
	if (**text != '/' || takes_slash(call->command))
		return 0;
	if (!(call->command->flags & COMMAND_FORMAT))
		return usage_error(call, "no /FMT is wanted here");
	call->format = *text + 1;
	*text = cut_word(*text);
	return 0;
}

/* `break if $rax == 1` says nothing of a place, `step cpu 1` of no count. */
static bool is_left_out(const struct arg_desc *desc, const char *text)
{
	if (desc->optional && desc[1].kind == ARG_ON_CPU)
		return says_cpu(text);
	return desc->optional && desc[1].kind == ARG_CLAUSES && clauses_begin(text);
}

int arguments_parse(struct call *call, char *text)
{
	const struct command *command = call->command;
	int ret = parse_format(call, &text);

	for (unsigned i = 0; !ret && command->args[i].kind != ARG_END; i++) {
		const struct arg_desc *desc = &command->args[i];

		text = skip_space(text);
		if (*text && is_left_out(desc, text))
			continue;
		if (*text)
			ret = readers[desc->kind](call, desc, &call->arg[i], &text);
		else if (!desc->optional)
			return usage_error(call, "something is missing");
	}
	if (!ret && *skip_space(text))
		return usage_error(call, "there is too much behind the command");
	return ret;
}
