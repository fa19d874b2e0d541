// SPDX-License-Identifier: GPL-3.0-or-later
/* Building programs, and the check that lets program_run.c do without. */
#include "debug/program_ops.h"

#include "x86/registers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ---------------------------------------------------------------------------- */

static bool make_room(struct program_builder *builder)
{
	unsigned room = builder->room ? builder->room * 2 : 32;
	struct program_insn *insn;

	if (builder->count < builder->room)
		return true;
	if (builder->count >= PROGRAM_SIZE) {
		builder->failed = -E2BIG;
		return false;
	}
	insn = realloc(builder->insn, room * sizeof(*insn));
	if (!insn) {
		builder->failed = -ENOMEM;
		return false;
	}
	builder->insn = insn;
	builder->room = room;
	return true;
}

unsigned program_append(struct program_builder *builder, enum program_op op, uint64_t arg)
{
	if (builder->failed || !make_room(builder))
		return 0;
	builder->insn[builder->count] = (struct program_insn){.op = op, .arg = arg};
	return builder->count++;
}

void program_aim(struct program_builder *builder, unsigned jump, unsigned target)
{
	if (!builder->failed && jump < builder->count)
		builder->insn[jump].arg = target;
}

void program_abandon(struct program_builder *builder)
{
	free(builder->insn);
	*builder = (struct program_builder){0};
}

/* ---- the check --------------------------------------------------------------------------- */

static bool one_of_sizes(uint64_t arg)
{
	return arg == 1 || arg == 2 || arg == 4 || arg == 8;
}

static const char *argument_fault(const struct program_insn *insn)
{
	uint64_t arg = insn->arg;

	switch (insn->op) {
	case PROGRAM_SIGN_EXTEND:
	case PROGRAM_ZERO_EXTEND: return arg >= 1 && arg <= 64 ? NULL : "a value has 1 to 64 bits";
	case PROGRAM_READ_PHYSICAL:
		return one_of_sizes(arg) ? NULL : "memory is read by 1, 2, 4 or 8 bytes";
	case PROGRAM_REGISTER:
		if (arg >= register_count)
			return "there is no such register";
		return registers[arg].bits <= 64 ? NULL : "the register is wider than 64 bits";
	case PROGRAM_LINEAR: return arg < SEG_COUNT ? NULL : "there is no such segment";
	case PROGRAM_PICK: return arg < PROGRAM_STACK ? NULL : "it reaches below the stack";
	default: return insn->op < PROGRAM_OP_COUNT ? NULL : "there is no such operation";
	}
}

/* Every instruction that can be reached is looked at once, with the depth of the stack before it. */
struct check {
	const struct program_builder *builder;
	struct error *err;
	int *depth; /* -1: not reached yet */
	unsigned *waiting;
	unsigned waiting_count;
};

static int refuse(const struct check *check, unsigned at, const char *why)
{
	const struct program_insn *insn = &check->builder->insn[at];

	return error_set(check->err, -EINVAL, "instruction %u (%s): %s", at,
			 insn->op < PROGRAM_OP_COUNT ? program_operations[insn->op].name : "?",
			 why);
}

static int lead_to(struct check *check, unsigned from, uint64_t to, int depth)
{
	if (to >= check->builder->count)
		return refuse(check, from, "it leads out of the program");
	if (check->depth[to] < 0) {
		check->depth[to] = depth;
		check->waiting[check->waiting_count++] = (unsigned)to;
	}
	return check->depth[to] == depth
		       ? 0
		       : refuse(check, from, "the stack is not as deep as on another way there");
}

static int follow(struct check *check, unsigned at, int depth)
{
	const struct program_insn *insn = &check->builder->insn[at];
	int ret = 0;

	if (insn->op == PROGRAM_END)
		return 0;
	if (insn->op == PROGRAM_GOTO || insn->op == PROGRAM_IF_GOTO)
		ret = lead_to(check, at, insn->arg, depth);
	if (!ret && insn->op != PROGRAM_GOTO)
		ret = lead_to(check, at, at + 1, depth);
	return ret;
}

static int check_insn(struct check *check, unsigned at)
{
	const struct program_insn *insn = &check->builder->insn[at];
	const char *why = argument_fault(insn);
	unsigned depth = (unsigned)check->depth[at], takes, after;

	if (why)
		return refuse(check, at, why);
	takes = insn->op == PROGRAM_PICK ? (unsigned)insn->arg + 1
					 : program_operations[insn->op].takes;
	if (depth < takes)
		return refuse(check, at, "the stack holds too little for it");
	after = depth - program_operations[insn->op].takes + program_operations[insn->op].gives;
	if (after > PROGRAM_STACK)
		return refuse(check, at, "the stack would be too deep");
	return follow(check, at, (int)after);
}

static int check_all(struct check *check)
{
	int ret = 0;

	if (!check->builder->count)
		return error_set(check->err, -EINVAL,
				 "a program without instructions has no result");
	memset(check->depth, -1, check->builder->count * sizeof(*check->depth));
	check->depth[0] = 0;
	check->waiting[check->waiting_count++] = 0;
	while (!ret && check->waiting_count)
		ret = check_insn(check, check->waiting[--check->waiting_count]);
	return ret;
}

static int check_program(const struct program_builder *builder, struct error *err)
{
	struct check check = {.builder = builder, .err = err};
	int ret;

	check.depth = calloc(builder->count + 1, sizeof(*check.depth));
	check.waiting = calloc(builder->count + 1, sizeof(*check.waiting));
	ret = check.depth && check.waiting ? check_all(&check)
					   : error_set(err, -ENOMEM, "no memory for a program");
	free(check.depth);
	free(check.waiting);
	return ret;
}

/* ---- the program ------------------------------------------------------------------------- */

static unsigned groups_of(const struct program_insn *insn)
{
	if (insn->op == PROGRAM_REGISTER && insn->arg < register_count)
		return registers[insn->arg].state;
	switch (insn->op) {
	case PROGRAM_LINEAR:
	case PROGRAM_PC:
	case PROGRAM_SP:
	case PROGRAM_SELECTOR: return CPU_GENERAL | CPU_SYSTEM;
	default: return 0;
	}
}

static int make(const struct program_builder *builder, const char *text, struct program **program,
		struct error *err)
{
	size_t size = builder->count * sizeof(*builder->insn);
	struct program *made = calloc(1, sizeof(*made) + size);

	if (made && text)
		made->text = strdup(text);
	if (!made || (text && !made->text)) {
		free(made);
		return error_set(err, -ENOMEM, "no memory for a program");
	}
	memcpy(made->insn, builder->insn, size);
	made->count = builder->count;
	for (unsigned i = 0; i < made->count; i++)
		made->groups |= groups_of(&made->insn[i]);
	*program = made;
	return 0;
}

int program_finish(struct program_builder *builder, const char *text, struct program **program,
		   struct error *err)
{
	int ret = builder->failed;

	if (ret)
		error_set(err, ret,
			  ret == -E2BIG ? "a program has %d instructions at most"
					: "no memory for a program of %d instructions",
			  PROGRAM_SIZE);
	else
		ret = check_program(builder, err);
	if (!ret)
		ret = make(builder, text, program, err);
	program_abandon(builder);
	return ret;
}

void program_free(struct program *program)
{
	if (!program)
		return;
	free(program->text);
	free(program);
}

const char *program_text(const struct program *program)
{
	return program->text;
}

unsigned program_groups(const struct program *program)
{
	return program->groups;
}
