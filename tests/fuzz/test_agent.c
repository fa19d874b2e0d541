// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * gdb's bytecode for conditions and dprintfs, by libFuzzer. The first byte says what it is for and how many
 * expressions there are; each but the last begins with its length. What can be translated is run.
 */
#include "gdbstub/agent_expr.h"
#include "run_program.h"

#include <stdlib.h>
#include <string.h>

#define EXPRS_MAX 3

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct layout layout;
static struct agent_view view;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	layout_set(&layout, GDB_ARCH_X86_64, NAMES_64, NULL);
	view = (struct agent_view){.layout = &layout,
				   .rip = register_find("rip"),
				   .rsp = register_find("rsp"),
				   .space = SPACE_LINEAR};
	return 0;
}

/* Copies, so that the sanitizer sees who reads behind the end. */
static unsigned take_exprs(const uint8_t *data, size_t size, unsigned wanted,
			   struct agent_expr exprs[EXPRS_MAX])
{
	unsigned count = 0;

	while (count < wanted) {
		bool last = count + 1 == wanted || size < 2;
		size_t length = last ? size : data[0] < size ? data[0] : size - 1;
		uint8_t *copy = malloc(length ? length : 1);

		if (!copy)
			abort();
		memcpy(copy, data + !last, length);
		exprs[count++] = (struct agent_expr){copy, length};
		if (last)
			break;
		data += 1 + length;
		size -= 1 + length;
	}
	return count;
}

static void try_condition(const struct agent_expr *exprs, unsigned count)
{
	struct program *program = NULL;
	struct error err = {0};

	if (agent_condition(exprs, count, &view, &program, &err) < 0) {
		must_have_words(&err, "a condition");
		return;
	}
	run_program(program);
	program_free(program);
}

static void try_printf(const struct agent_expr *expr)
{
	struct point_action *action = NULL;
	struct error err = {0};

	if (agent_printf(expr, &view, &action, &err) < 0) {
		must_have_words(&err, "a dprintf");
		return;
	}
	for (unsigned i = 0; i < action->arg_count; i++)
		run_program(action->args[i]);
	point_action_free(action);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct agent_expr exprs[EXPRS_MAX];
	unsigned count, how = size ? data[0] : 0;

	count = take_exprs(data + (size > 0), size - (size > 0), how & 4 ? 1 : 1 + how % EXPRS_MAX,
			   exprs);
	view.space = how & 8 ? SPACE_PHYSICAL : SPACE_LINEAR;
	if (how & 4)
		try_printf(&exprs[0]);
	else
		try_condition(exprs, count);
	for (unsigned i = 0; i < count; i++)
		free((void *)exprs[i].bytes);
	return 0;
}
