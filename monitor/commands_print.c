// SPDX-License-Identifier: GPL-3.0-or-later
/* dprintf: a point that prints a line and goes on. The core does the printing. */
#include "monitor/commands.h"
#include "monitor/points.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first comma that is not inside parentheses: a location may be an expression. */
static char *find_comma(char *text)
{
	int depth = 0;

	for (; *text; text++) {
		depth += *text == '(' || *text == '[';
		depth -= *text == ')' || *text == ']';
		if (*text == ',' && !depth)
			return text;
	}
	return NULL;
}

/* ---- the format ---------------------------------------------------------------------------- */

static char escaped(char c)
{
	static const char from[] = "nta\\\"'", to[] = "\n\t\a\\\"'";
	const char *at = c ? strchr(from, c) : NULL;

	return at ? to[at - from] : 0;
}

/* Reads "..." at *text in place; *text is behind it. NULL with a sentence. */
static char *read_string(struct call *call, char **text)
{
	char *from = *text + strspn(*text, " \t"), *to, *start;

	if (*from++ != '"') {
		error_set(call->err, -EINVAL, "the format is a text in quotes: \"x is %%d\"");
		return NULL;
	}
	for (start = to = from; *from && *from != '"'; from++) {
		if (*from == '\\' && escaped(from[1]))
			*to++ = escaped(*++from);
		else
			*to++ = *from;
	}
	if (!*from) {
		error_set(call->err, -EINVAL, "the closing quote of the format is missing");
		return NULL;
	}
	*text = from + 1;
	*to = 0;
	return start;
}

#define FLAGS	  "-+ #0123456789.lhzjt"
#define FLAGS_MAX 12

/* How many values the format takes; -EINVAL with a sentence for what it cannot print. */
static int count_conversions(struct call *call, const char *format)
{
	int count = 0;

	while ((format = strchr(format, '%'))) {
		size_t flags = strspn(++format, FLAGS);

		if (flags > FLAGS_MAX || !format[flags] || !strchr("diuxXocps%", format[flags]))
			return error_set(
				call->err, -EINVAL,
				"`%%%.8s` cannot be printed: there are %%d %%i %%u %%x %%X "
				"%%o %%c %%p %%s and %%%%, with l for 64 bits",
				format);
		count += format[flags] != '%';
		format += flags + 1;
	}
	return count;
}

static int check_format(struct call *call, const struct point_action *action)
{
	int count = count_conversions(call, action->format);

	if (count < 0)
		return count;
	if ((unsigned)count != action->arg_count)
		return error_set(call->err, -EINVAL,
				 "the format prints %d value%s, and %u follow%s it", count,
				 count == 1 ? "" : "s", action->arg_count,
				 action->arg_count == 1 ? "s" : "");
	return 0;
}

/* ---- the values ---------------------------------------------------------------------------- */

static int read_value(struct call *call, const char **text, struct point_action *action)
{
	if (action->arg_count == ACTION_ARGS)
		return error_set(call->err, -E2BIG, "dprintf prints %d values at most",
				 ACTION_ARGS);
	++*text;
	return monitor_compile(call->monitor, *text, &action->args[action->arg_count++], NULL, text,
			       call->err);
}

/* `"format",value,...` at *text; *text is behind it. */
static int read_action(struct call *call, char *text, struct point_action *action, const char **end)
{
	const char *format = read_string(call, &text);
	int ret = 0;

	if (!format)
		return call->err->code;
	action->go_on = true;
	action->format = strdup(format);
	if (!action->format)
		return error_set(call->err, -ENOMEM, "no memory for the format");
	for (*end = text + strspn(text, " \t"); !ret && **end == ',';)
		ret = read_value(call, end, action);
	return ret ? ret : check_format(call, action);
}

static int create(struct call *call, uint64_t address, struct point_action *action,
		  const char *clauses_text)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = address};
	struct clauses clauses;
	int ret = clauses_parse(call, clauses_text, &clauses);

	if (ret) {
		point_action_free(action);
		return ret;
	}
	if (clauses.commands) {
		program_free(clauses.condition);
		point_action_free(action);
		return error_set(call->err, -EINVAL, "a dprintf does not stop: it has no commands");
	}
	spec.limit = clauses.limit;
	ret = point_create(call, &spec, clauses.condition, action);
	return ret < 0 ? ret : 0;
}

/* All of text is one location. */
static int read_location(struct call *call, const char *text, uint64_t *address)
{
	const char *end;
	int ret = location_parse(call->monitor, call->cpu, text, address, &end, call->err);

	if (!ret && end[strspn(end, " \t")])
		return error_set(call->err, -EINVAL, "`%.40s` does not belong to a location", end);
	return ret;
}

int run_dprintf(struct call *call)
{
	char *text = (char *)(uintptr_t)call->arg[0].text, *comma = find_comma(text);
	struct point_action *action;
	const char *end;
	uint64_t address;
	int ret;

	if (!comma)
		return error_set(call->err, -EINVAL,
				 "write a comma between: dprintf work,\"called with %%d\",$edi");
	*comma = 0;
	ret = read_location(call, text, &address);
	if (ret)
		return ret;
	action = calloc(1, sizeof(*action));
	if (!action)
		return error_set(call->err, -ENOMEM, "no memory for a point");
	ret = read_action(call, comma + 1, action, &end);
	if (!ret)
		return create(call, address, action, end);
	point_action_free(action);
	return ret;
}
