// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dprintf. gdb makes one expression of it: the values, the last one first, then the numbers of a channel and a
 * function, which are of no use here, then `printf` and `end`. Each value becomes a program of its own, so
 * that one which cannot be read does not take the others with it.
 */
#include "gdbstub/agent_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the values ----------------------------------------------------------------------------- */

static int mark_jumps(const struct agent_code *code, int *over)
{
	int sum = 0;

	for (unsigned i = 0; i < code->printf_at; i++) {
		unsigned from = i, to = (unsigned)code->code.insn[i].arg;

		if (code->code.insn[i].op != PROGRAM_GOTO &&
		    code->code.insn[i].op != PROGRAM_IF_GOTO)
			continue;
		if (to > code->printf_at || to <= from)
			return -EINVAL;
		over[from + 1]++;
		over[to]--;
	}
	for (unsigned i = 0; i <= code->printf_at; i++)
		over[i] = sum += over[i];
	return 0;
}

/* Where the value begins that ends in front of the instruction `to`, above `depth` others: the last place where they
 * were all and over which no jump leads. -1: nowhere. */
static int find_start(const struct agent_code *code, const int *over, unsigned to, int depth)
{
	for (int i = (int)to - 1; i >= 0; i--) {
		if (code->depth[i] == depth && !over[i])
			return i;
	}
	return -1;
}

static int make_value(const struct agent_code *code, unsigned from, unsigned to,
		      struct program **program, struct error *err)
{
	struct program_builder builder = {0};

	if (!agent_copy(code, from, to, &builder)) {
		program_abandon(&builder);
		return error_set(err, -EINVAL, "a jump leads out of a printf's value");
	}
	program_append(&builder, PROGRAM_END, 0);
	return program_finish(&builder, NULL, program, err);
}

/* The first value is the last one on the stack. */
static int make_values(const struct agent_code *code, const int *over, struct point_action *action,
		       struct error *err)
{
	int ret = 0, to = (int)code->printf_at - 2, from;

	while (!ret && action->arg_count < code->printf_args) {
		from = find_start(code, over, (unsigned)to,
				  (int)(code->printf_args - action->arg_count) - 1);
		if (from < 0)
			return error_set(err, -EINVAL, "a printf lacks values");
		ret = make_value(code, (unsigned)from, (unsigned)to,
				 &action->args[action->arg_count], err);
		action->arg_count += !ret;
		to = from;
	}
	return ret || !to ? ret : error_set(err, -EINVAL, "a printf has too many values");
}

static int take_values(const struct agent_code *code, struct point_action *action,
		       struct error *err)
{
	int *over = calloc(code->printf_at + 2, sizeof(*over));
	int ret;

	if (!over)
		return error_set(err, -ENOMEM, "no memory for a dprintf");
	ret = mark_jumps(code, over);
	if (ret)
		error_set(err, ret, "a printf's values are calculated in circles");
	else
		ret = make_values(code, over, action, err);
	free(over);
	return ret;
}

static bool is_const(const struct agent_code *code, unsigned at)
{
	return code->code.insn[at].op == PROGRAM_CONST;
}

/* Channel and function stand before the printf, and nothing but the end behind it. */
static int check_shape(const struct agent_code *code, struct error *err)
{
	unsigned at = code->printf_at;

	if (!code->prints || at < 2 || !is_const(code, at - 2) || !is_const(code, at - 1) ||
	    code->code.count != at + 1 || code->code.insn[at].op != PROGRAM_END ||
	    code->depth[at - 2] != (int)code->printf_args)
		return error_set(err, -EINVAL, "a command that is no printf");
	if (code->printf_args > ACTION_ARGS)
		return error_set(err, -ENOTSUP, "a dprintf prints %d values at most", ACTION_ARGS);
	return 0;
}

/* ---- the format ----------------------------------------------------------------------------- */

/* As between quotes in gdb, where these escapes are all that there are. */
static char escaped(char c)
{
	static const char from[] = "\\abefnrt\"", to[] = "\\\a\b\033\f\n\r\t\"";
	const char *at = memchr(from, c, sizeof(from) - 1);

	return at ? to[at - from] : 0;
}

static int unescape(const char *from, size_t size, char *to, struct error *err)
{
	const char *end = from + size;

	for (; from < end; from++) {
		if (*from == '\\') {
			if (++from == end || !escaped(*from))
				return error_set(err, -EINVAL, "an escape that a format lacks");
			*to++ = escaped(*from);
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return 0;
}

static const char *skip_digits(const char *at)
{
	return at + strspn(at, "0123456789");
}

/* What is behind the conversion, from its % on; NULL for one that the core does not print: floating point,
 * wide characters, and what C would forbid. */
static const char *skip_conversion(const char *at)
{
	size_t length;

	at = skip_digits(at + 1 + strspn(at + 1, "-+ #0'"));
	if (*at == '.')
		at = skip_digits(at + 1);
	length = strspn(at, "hlzjt");
	at += length;
	if (!*at || !strchr(length ? "diuxXo" : "diuxXocps%", *at))
		return NULL;
	return at + 1;
}

static int check_format(const char *format, unsigned values, struct error *err)
{
	unsigned count = 0;

	while ((format = strchr(format, '%'))) {
		const char *end = skip_conversion(format);

		if (!end)
			return error_set(err, -ENOTSUP,
					 "`%.8s` is not printed here: there are %%d %%i %%u %%x "
					 "%%X %%o with h, l, z; %%c %%p %%s and %%%%",
					 format);
		count += end[-1] != '%';
		format = end;
	}
	return count == values ? 0
			       : error_set(err, -EINVAL, "a format for %u values, and there are %u",
					   count, values);
}

static int take_format(const struct agent_code *code, struct point_action *action,
		       struct error *err)
{
	int ret;

	/* "" is what catches have to say. */
	if (!code->format_size)
		return 0;
	action->format = malloc(code->format_size + 1);
	if (!action->format)
		return error_set(err, -ENOMEM, "no memory for a dprintf");
	ret = unescape(code->format, code->format_size, action->format, err);
	return ret ? ret : check_format(action->format, code->printf_args, err);
}

/* --------------------------------------------------------------------------------------------- */

static int make_action(const struct agent_expr *expr, const struct agent_view *view,
		       struct point_action *action, struct error *err)
{
	struct agent_code code = {0};
	int ret = agent_decode(expr, view, &code, err);

	if (!ret)
		ret = check_shape(&code, err);
	if (!ret)
		ret = take_values(&code, action, err);
	if (!ret)
		ret = take_format(&code, action, err);
	agent_code_free(&code);
	return ret;
}

int agent_printf(const struct agent_expr *expr, const struct agent_view *view,
		 struct point_action **result, struct error *err)
{
	struct point_action *action = calloc(1, sizeof(*action));
	int ret;

	if (!action)
		return error_set(err, -ENOMEM, "no memory for a dprintf");
	ret = make_action(expr, view, action, err);
	if (ret) {
		point_action_free(action);
		return ret;
	}
	action->exact = action->go_on = true;
	*result = action;
	return 0;
}
