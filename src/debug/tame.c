// SPDX-License-Identifier: GPL-3.0-or-later
/* Instructions of which nothing can come but their end. */
#include "debug/core.h"

static bool is_flat(const struct cpu_state *state)
{
	const struct cpu_segment *seg = state->system.seg;

	return cpu_mode(state) == MODE_LONG ||
	       (seg[SEG_DS].limit == 0xffffffff && seg[SEG_SS].limit == 0xffffffff &&
		seg[SEG_ES].limit == 0xffffffff);
}

/* In RAM, and allowed. */
static bool plain_access(struct step_at *at, const struct instruction_access *access)
{
	uint64_t ends[2] = {access->linear, access->linear + access->size - 1};
	struct paging_walk walk;

	for (unsigned i = 0; i < 2; i++)
		if (access->size == 0 ||
		    core_walk(at->debug, at->vcpu, ends[i], &walk) != PAGING_OK ||
		    (access->write && !walk.write) ||
		    !mem_hva(at->debug->machine->memory, walk.gpa, NULL))
			return false;
	return true;
}

bool core_step_is_tame(struct step_at *at)
{
	static const bool kinds[INSN_KIND_COUNT] = {
		[INSN_PLAIN] = true, [INSN_JUMP] = true,	  [INSN_BRANCH] = true,
		[INSN_CALL] = true,  [INSN_CALL_INDIRECT] = true, [INSN_JUMP_INDIRECT] = true,
		[INSN_RET] = true,
	};
	const struct instruction *insn = &at->step->insn[0];
	struct instruction_access access[INSTRUCTION_MAX_MEMORY];
	unsigned count;

	if (!kinds[insn->kind] || !insn->simple || cpu_cpl(at->state) != 0 ||
	    (insn->operand_count && !is_flat(at->state)))
		return false;
	count = instruction_memory(insn, at->state, access);
	for (unsigned i = 0; i < count; i++)
		if (!plain_access(at, &access[i]))
			return false;
	return true;
}
