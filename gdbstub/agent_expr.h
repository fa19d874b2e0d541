/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gdb's agent expressions (gdb manual, "The GDB Agent Expression Mechanism"): the bytecode that gdb makes of
 * a breakpoint's condition, or of a dprintf, so that the other side evaluates it. Here it becomes a struct
 * program, checked and bounded, whatever the peer has sent.
 *
 * Refused with -ENOTSUP, since no condition needs them: floating point, trace frames, trace variables.
 */
#ifndef GDBSTUB_AGENT_EXPR_H
#define GDBSTUB_AGENT_EXPR_H

#include "gdbstub/layout.h"

struct agent_expr {
	const uint8_t *bytes;
	size_t size;
};

/* What names in an expression stand for: registers by their numbers in this layout, rip and rsp (rows of the
 * register table) as the linear addresses that gdb takes them for, memory in this space. */
struct agent_view {
	const struct layout *layout;
	int rip, rsp;
	enum space space;
};

/* A program that is true where one of the expressions is. With a sentence: -ENOTSUP for what is not
 * evaluated here, -EINVAL for what is no expression, -E2BIG, -ENOMEM. */
int agent_condition(const struct agent_expr *exprs, unsigned count, const struct agent_view *view,
		    struct program **program, struct error *err);

/* What a dprintf prints, and goes on. Errors likewise. */
int agent_printf(const struct agent_expr *expr, const struct agent_view *view,
		 struct point_action **action, struct error *err);

#endif
