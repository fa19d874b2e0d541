// SPDX-License-Identifier: GPL-3.0-or-later
#include "gdbstub/point_options.h"
#include "gdbstub/agent_expr.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* gdb sends one for each breakpoint that its user has set in this place. */
#define EXPRS_MAX 64

struct expressions {
	struct agent_expr expr[EXPRS_MAX];
	unsigned count;
	uint8_t *bytes; /* of all of them */
	size_t size;
};

/* ---- expressions ---------------------------------------------------------------------------- */

/* `X len,bytes`: the digits of bytes are decoded behind what is there. There is room for all of the packet. */
static int take_expression(struct request *request, struct expressions *list)
{
	uint8_t *bytes = list->bytes + list->size;
	uint64_t size;

	if (!take_char(request, 'X') || !take_hex(request, &size) || !take_char(request, ',') ||
	    size > request_left(request) / 2)
		return -EINVAL;
	if (list->count == EXPRS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < size; i++) {
		if (!take_byte(request, &bytes[i]))
			return -EINVAL;
	}
	list->expr[list->count++] = (struct agent_expr){bytes, size};
	list->size += size;
	return 0;
}

static bool at_expression(const struct request *request)
{
	return !take_end(request) && *request->at == 'X';
}

static int take_expressions(struct request *request, struct expressions *list)
{
	int ret = 0;

	while (!ret && at_expression(request))
		ret = take_expression(request, list);
	return ret;
}

/* ---- the two lists -------------------------------------------------------------------------- */

static bool take_literal(struct request *request, const char *text)
{
	size_t size = strlen(text);

	if (request_left(request) < size || memcmp(request->at, text, size) != 0)
		return false;
	request->at += size;
	return true;
}

static int take_commands(struct request *request, struct expressions *list, bool *persists)
{
	uint64_t number;

	if (!take_hex(request, &number) || !take_char(request, ',') || !at_expression(request))
		return -EINVAL;
	*persists = number != 0;
	return take_expressions(request, list);
}

static int take_lists(struct request *request, struct expressions *conditions,
		      struct expressions *commands, bool *persists)
{
	int ret = 0;

	while (!ret && !take_end(request)) {
		if (!take_char(request, ';'))
			return -EINVAL;
		if (take_literal(request, "cmds:"))
			ret = take_commands(request, commands, persists);
		else
			ret = at_expression(request) ? take_expressions(request, conditions)
						     : -EINVAL;
	}
	return ret;
}

/* ---- what they mean ------------------------------------------------------------------------- */

/* What is not evaluated here gdb evaluates at each stop, as it does anyway: slow, but right. */
static int make_condition(const struct expressions *list, const struct agent_view *view,
			  struct point_options *options, struct error *err)
{
	int ret;

	if (!list->count)
		return 0;
	ret = agent_condition(list->expr, list->count, view, &options->condition, err);
	if (ret != -ENOTSUP)
		return ret;
	log_warn("gdb", "gdb evaluates a breakpoint's condition itself, at each hit: %s",
		 err->text);
	err->text[0] = '\0';
	return 0;
}

static int make_action(const struct expressions *list, const struct agent_view *view,
		       struct point_options *options, struct error *err)
{
	struct point_action **link = &options->action;
	int ret = 0;

	for (unsigned i = 0; i < list->count && !ret; i++) {
		ret = agent_printf(&list->expr[i], view, link, err);
		if (!ret)
			link = &(*link)->next;
	}
	return ret;
}

static int take_all(struct gdb_session *s, struct request *request, struct expressions *conditions,
		    struct expressions *commands, struct point_options *options)
{
	const struct agent_view view = {
		.layout = &s->layout, .rip = s->rip, .rsp = s->rsp, .space = s->space};
	int ret = take_lists(request, conditions, commands, &options->persists);

	if (!ret)
		ret = make_condition(conditions, &view, options, &s->error);
	if (!ret)
		ret = make_action(commands, &view, options, &s->error);
	return ret;
}

int take_point_options(struct gdb_session *s, struct request *request,
		       struct point_options *options)
{
	struct expressions conditions = {0}, commands = {0};
	size_t room = request_left(request) / 2;
	int ret;

	*options = (struct point_options){0};
	if (take_end(request))
		return 0;
	conditions.bytes = malloc(room + 1);
	commands.bytes = malloc(room + 1);
	ret = conditions.bytes && commands.bytes
		      ? take_all(s, request, &conditions, &commands, options)
		      : -ENOMEM;
	free(conditions.bytes);
	free(commands.bytes);
	if (ret)
		point_options_free(options);
	return ret;
}

void point_options_free(struct point_options *options)
{
	program_free(options->condition);
	point_action_free(options->action);
	*options = (struct point_options){0};
}
