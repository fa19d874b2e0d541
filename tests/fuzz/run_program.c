// SPDX-License-Identifier: GPL-3.0-or-later
#include "run_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cpu_state *state_of(void *ctx, unsigned groups)
{
	return groups & CPU_MSRS ? NULL : ctx;
}

/* Where bit 12 is set there is nothing. */
static bool read_memory(void *ctx, uint64_t address, void *buf, size_t size)
{
	(void)ctx;
	if (address & 0x1000)
		return false;
	memset(buf, (int)(address & 0xff), size);
	return true;
}

void run_program(const struct program *program)
{
	static struct cpu_state state;
	const struct program_context context = {.ctx = &state,
						.vcpu = 1,
						.state = state_of,
						.read = read_memory,
						.read_physical = read_memory};
	struct program_fault fault;
	int64_t result;

	memset(&fault, 0, sizeof(fault));
	cpu_state_reset(&state, true);
	if (program_run(program, &context, &result, &fault) == 0 || fault.text[0])
		return;
	fprintf(stderr, "vitrine: a program fails without a word\n");
	abort();
}

void must_have_words(const struct error *err, const char *what)
{
	if (err->text[0])
		return;
	fprintf(stderr, "vitrine: %s is refused without a word\n", what);
	abort();
}
