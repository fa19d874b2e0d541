// SPDX-License-Identifier: GPL-3.0-or-later
/* Conditions: several expressions become one program. */
#include "gdbstub/agent_code.h"

#include <errno.h>

static int add(struct program_builder *builder, const struct agent_expr *expr,
	       const struct agent_view *view, struct error *err)
{
	struct agent_code code = {0};
	int ret = agent_decode(expr, view, &code, err);

	if (!ret && code.prints)
		ret = error_set(err, -EINVAL, "a condition that prints is none");
	if (!ret)
		agent_copy(&code, 0, code.code.count, builder);
	agent_code_free(&code);
	return ret;
}

/* What was added from here on decides when it is true, and leads on to what follows else. */
static void or_else(struct program_builder *builder, unsigned from)
{
	unsigned tail = builder->count;

	for (unsigned i = from; i < tail; i++) {
		if (builder->insn[i].op == PROGRAM_END)
			builder->insn[i] = (struct program_insn){.op = PROGRAM_GOTO, .arg = tail};
	}
	program_append(builder, PROGRAM_LOG_NOT, 0);
	program_append(builder, PROGRAM_IF_GOTO, tail + 4);
	program_append(builder, PROGRAM_CONST, 1);
	program_append(builder, PROGRAM_END, 0);
}

int agent_condition(const struct agent_expr *exprs, unsigned count, const struct agent_view *view,
		    struct program **program, struct error *err)
{
	struct program_builder builder = {0};
	int ret = 0;

	for (unsigned i = 0; i < count && !ret; i++) {
		unsigned from = builder.count;

		ret = add(&builder, &exprs[i], view, err);
		if (!ret && i + 1 < count)
			or_else(&builder, from);
	}
	if (!ret)
		return program_finish(&builder, NULL, program, err);
	program_abandon(&builder);
	return ret;
}
