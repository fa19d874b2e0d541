/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An agent expression as instructions; between the files that make and use them. */
#ifndef GDBSTUB_AGENT_CODE_H
#define GDBSTUB_AGENT_CODE_H

#include "gdbstub/agent_expr.h"

struct agent_code {
	/* Jumps lead to instructions of this list; it is not checked yet. */
	struct program_builder code;
	/* The stack's depth before each instruction. -1 where that is not known, and in the middle of what
	 * was one bytecode. */
	int *depth;
	/* The last printf: how many instructions stand before it, and what it was given. */
	bool prints;
	unsigned printf_at, printf_args;
	const char *format; /* within the expression; not terminated */
	size_t format_size;
};

/* Starts from zeroes; agent_code_free() is due in any case. Errors as agent_condition(). */
int agent_decode(const struct agent_expr *expr, const struct agent_view *view,
		 struct agent_code *code, struct error *err);
void agent_code_free(struct agent_code *code);

/* Appends the instructions [from, to) of code, and makes jumps among them lead to the copies: false when one leads
 * elsewhere. A jump to `to` leads behind them. */
bool agent_copy(const struct agent_code *code, unsigned from, unsigned to,
		struct program_builder *builder);

#endif
