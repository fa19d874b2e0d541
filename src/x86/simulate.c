// SPDX-License-Identifier: GPL-3.0-or-later
/* Decides whether an instruction is one for simulate_execute.c, and makes what it did the state. */
#include "x86/simulate_private.h"

#define PREFIX_OPERAND_SIZE 0x66
#define PREFIX_LOCK	    0xf0
#define PREFIX_REPNE	    0xf2
#define PREFIX_REP	    0xf3

/* Something besides the instruction itself would happen, or may have to. Under CET a jump may have to end
 * on endbr, and returns have a second stack. (Bounds that jumps reset, MPX, no processor has any more.) */
static bool more_is_going_on(const struct cpu_state *state)
{
	const struct cpu_events *e = &state->events;

	return (state->general.rflags & RFLAGS_TF) || (state->system.cr4 & CR4_CET) ||
	       e->exception.injected || e->exception.pending || e->interrupt.injected ||
	       e->interrupt.shadow || e->nmi.injected || e->nmi.pending || e->smi.smm ||
	       e->smi.pending || e->triple_fault_pending || e->run_state != CPU_RUNNABLE;
}

static bool decode(struct simulation *s, enum cpu_mode mode, const uint8_t *bytes, unsigned length)
{
	static const struct {
		ZydisMachineMode mode;
		ZydisStackWidth stack;
	} machine[] = {
		[MODE_REAL] = {ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16},
		[MODE_PROT16] = {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
		[MODE_PROT32] = {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
		[MODE_COMPAT16] = {ZYDIS_MACHINE_MODE_LONG_COMPAT_16, ZYDIS_STACK_WIDTH_16},
		[MODE_COMPAT32] = {ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32},
		[MODE_LONG] = {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64},
	};
	ZydisDecoder decoder;

	return ZYAN_SUCCESS(ZydisDecoderInit(&decoder, machine[mode].mode, machine[mode].stack)) &&
	       ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, length, &s->insn, s->operand));
}

/* A repeat prefix means nothing to most instructions; those that it does mean something to (pause, endbr)
 * or that compilers put it on (ret, jumps) are known. */
static bool may_repeat(const ZydisDecodedInstruction *insn)
{
	return insn->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE ||
	       insn->mnemonic == ZYDIS_MNEMONIC_NOP || insn->mnemonic == ZYDIS_MNEMONIC_PAUSE ||
	       insn->mnemonic == ZYDIS_MNEMONIC_ENDBR32 || insn->mnemonic == ZYDIS_MNEMONIC_ENDBR64;
}

/* Behind other prefixes alone a REX counts: with one that does not, emulated processors do this or that. */
static bool is_stray_rex(const struct simulation *s, unsigned i)
{
	return s->code_bits == 64 && (s->insn.raw.prefixes[i].value & 0xf0) == 0x40 &&
	       i + 1u < s->insn.raw.prefix_count;
}

/* Processors disagree about the size of a jump with an operand-size prefix in 64-bit code. */
static bool prefixes_are_known(const struct simulation *s)
{
	bool branch = s->insn.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE;

	for (unsigned i = 0; i < s->insn.raw.prefix_count; i++) {
		uint8_t prefix = s->insn.raw.prefixes[i].value;

		if (prefix == PREFIX_LOCK || is_stray_rex(s, i) ||
		    (prefix == PREFIX_OPERAND_SIZE && branch && s->code_bits == 64) ||
		    ((prefix == PREFIX_REP || prefix == PREFIX_REPNE) && !may_repeat(&s->insn)))
			return false;
	}
	return true;
}

/* Where the instruction ends. An instruction pointer of 16 bits that runs over is the processor's to tell. */
static bool falls_through(struct simulation *s)
{
	uint64_t next = next_rip(s);

	return s->before->general.rip <= next && (s->code_bits != 16 || next <= 0xffff) &&
	       set_rip(s, next);
}

static bool execute(struct simulation *s)
{
	execute_fn *fn = execute_opcode(&s->insn);

	if (!fn || !prefixes_are_known(s) || !falls_through(s) || !fn(s))
		return false;
	return !s->store.size ||
	       s->memory->write(s->memory->ctx, s->store.linear, s->store.value, s->store.size);
}

bool simulate_instruction(struct cpu_state *state, const struct simulate_memory *memory,
			  const uint8_t *bytes, unsigned length, unsigned *changed)
{
	struct simulation s = {.before = state, .after = state->general, .memory = memory};
	enum cpu_mode mode = cpu_mode(state);

	if (mode == MODE_V86 || more_is_going_on(state))
		return false;
	s.code_bits = cpu_mode_bits(mode);
	s.stack_bits = mode == MODE_LONG ? 64 : state->system.seg[SEG_SS].db ? 32 : 16;
	if (!decode(&s, mode, bytes, length) || !execute(&s))
		return false;
	state->general = s.after;
	state->general.rflags &= ~(uint64_t)RFLAGS_RF;
	*changed = CPU_GENERAL;
	return true;
}
