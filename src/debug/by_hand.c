// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Instructions that vitrine executes itself when they are stepped, on registers alone:
 *
 *   hlt                      KVM variously forgets it, or counts it for the next instruction, with or without
 *                            controllers of its own
 *   endbr                    KVM's emulator takes the next instruction along on some hosts
 *   a jump to itself         a debug register under the present instruction fires before it, where RF is ignored
 *   iret, sysret to ring 3   where nothing stops in ring 3, the program would run on until the kernel is entered
 *
 * Anything out of the ordinary is left to the CPU, which knows better what to raise.
 */
#include "debug/core.h"

#include "x86/exceptions.h"

#include <string.h>

#define RFLAGS_NT	(1u << 14)
#define IRET_FLAGS	0x3d7fd5u /* what ring 0 of long mode may load */
#define SYSRET_FLAGS	0x3c7fd7u
#define TYPE_CODE	0x8
#define TYPE_CONFORMING 0x4

/* ---- halts and jumps --------------------------------------------------------------------- */

static void retire(struct step_at *at, uint64_t rip)
{
	at->state->general.rip = rip;
	at->state->general.rflags &= ~(uint64_t)RFLAGS_RF;
	vcpu_dirty(at->vcpu, CPU_GENERAL);
	if (!vcpu_state(at->vcpu, CPU_EVENTS) || !at->state->events.interrupt.shadow)
		return;
	at->state->events.interrupt.shadow = 0;
	vcpu_dirty(at->vcpu, CPU_EVENTS);
}

/* With controllers of vitrine's own the run loop knows what to do, and who catches hlt hears of it. */
static void halt_in_run_loop(struct step_at *at)
{
	const struct vm_exit exit = {.reason = EXIT_HLT};

	if (atomic_load(&at->debug->machine->attentive))
		core_saw(at->debug, at->vcpu, &exit);
	at->vcpu->halted = true;
}

static bool halt(struct step_at *at, const struct instruction *insn)
{
	if (cpu_cpl(at->state) != 0 || !vcpu_state(at->vcpu, CPU_EVENTS))
		return false;
	if (at->debug->machine->config.irqchip != IRQCHIP_KERNEL) {
		halt_in_run_loop(at);
	} else {
		at->state->events.run_state = CPU_HALTED;
		vcpu_dirty(at->vcpu, CPU_EVENTS);
	}
	retire(at, insn->offset + insn->length);
	return true;
}

/* Does nothing while nobody tracks indirect branches (SDM vol. 2A, ENDBR64). */
static bool endbr(struct step_at *at, const struct instruction *insn)
{
	static const uint8_t opcode[] = {0xf3, 0x0f, 0x1e};

	if (insn->length != 4 || memcmp(insn->bytes, opcode, sizeof(opcode)) != 0 ||
	    (insn->bytes[3] & ~1) != 0xfa || (at->state->system.cr4 & CR4_CET))
		return false;
	retire(at, insn->offset + insn->length);
	return true;
}

/* loop counts down whether or not it jumps. */
static void count_down(struct cpu_state *state, unsigned bits)
{
	uint64_t mask = bits == 16 ? 0xffff : bits == 32 ? 0xffffffff : ~0ull;
	uint64_t *rcx = &state->general.gpr[GPR_RCX], count = (*rcx - 1) & mask;

	*rcx = bits == 16 ? (*rcx & ~mask) | count : count;
}

static bool jump_to_itself(struct step_at *at, const struct instruction *insn)
{
	struct error err;

	if (insn->immediate != -(int64_t)insn->length ||
	    core_step_rung(at->debug, core_mode_of(at->state), &err) != RUNG_SLOT ||
	    (insn->kind == INSN_BRANCH && instruction_taken(insn, at->state) != TAKEN_YES))
		return false;
	if (insn->kind == INSN_BRANCH && insn->condition >= 0xe0 && insn->condition <= 0xe2)
		count_down(at->state, insn->address_bits);
	retire(at, insn->offset);
	return true;
}

/* ---- returns to ring 3 ------------------------------------------------------------------- */

struct user_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Segments whose contents ring 3 may not have become null (SDM vol. 2A, IRET). */
static void drop_segments(struct cpu_system *system)
{
	static const enum cpu_segment_name names[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct cpu_segment *seg = &system->seg[names[i]];
		bool conforming = (seg->type & TYPE_CODE) && (seg->type & TYPE_CONFORMING);

		if (seg->unusable || seg->dpl == 3 || conforming)
			continue;
		*seg = (struct cpu_segment){.unusable = 1};
	}
}

static bool read_frame(struct step_at *at, struct user_frame *frame)
{
	struct core_place place = {at->debug, at->vcpu};

	return core_read_linear(&place, cpu_linear_sp(at->state), frame, sizeof(*frame));
}

static bool load_ring_3(struct step_at *at, const struct user_frame *frame, struct cpu_segment *cs,
			struct cpu_segment *ss)
{
	struct core_place place = {at->debug, at->vcpu};

	return descriptor_load(at->state, (uint16_t)frame->cs, core_read_linear, &place, cs) == 0 &&
	       descriptor_load(at->state, (uint16_t)frame->ss, core_read_linear, &place, ss) == 0 &&
	       (cs->type & TYPE_CODE) && !(cs->type & TYPE_CONFORMING) && !(ss->type & TYPE_CODE) &&
	       (ss->type & 2) && cs->dpl == 3 && ss->dpl == 3 && (cs->selector & 3) == 3 &&
	       (ss->selector & 3) == 3 && cs->l && !cs->db;
}

static bool iret_by_hand(struct step_at *at)
{
	struct cpu_state *state = at->state;
	struct cpu_segment cs, ss;
	struct user_frame frame;

	if ((state->general.rflags & RFLAGS_NT) || !read_frame(at, &frame) ||
	    !load_ring_3(at, &frame, &cs, &ss) || !cpu_canonical(state, frame.rip) ||
	    !vcpu_state(at->vcpu, CPU_EVENTS))
		return false;
	state->system.seg[SEG_CS] = cs;
	state->system.seg[SEG_SS] = ss;
	drop_segments(&state->system);
	state->general.gpr[GPR_RSP] = frame.rsp;
	state->general.rflags = (frame.rflags & IRET_FLAGS) | RFLAGS_FIXED;
	state->general.rip = frame.rip;
	state->events.interrupt.shadow = 0;
	state->events.nmi.masked = false;
	vcpu_dirty(at->vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	return true;
}

/* SDM vol. 2B, SYSRET: flat segments, whatever the tables say. */
static bool sysret_by_hand(struct step_at *at)
{
	struct cpu_state *state = vcpu_state(at->vcpu, CPU_MSRS);
	uint16_t base;

	if (!state || !cpu_canonical(state, state->general.gpr[GPR_RCX]))
		return false;
	base = (uint16_t)(state->msrs.value[MSR_SLOT_STAR] >> 48);
	cpu_segment_flat(&state->system.seg[SEG_CS], (uint16_t)(base + 16) | 3, true, 64);
	cpu_segment_flat(&state->system.seg[SEG_SS], (uint16_t)(base + 8) | 3, false, 64);
	retire(at, state->general.gpr[GPR_RCX]);
	state->general.rflags = (state->general.gpr[GPR_R11] & SYSRET_FLAGS) | RFLAGS_FIXED;
	vcpu_dirty(at->vcpu, CPU_SYSTEM);
	return true;
}

bool core_returns_by_hand(const struct step_at *at, const struct instruction *insn)
{
	const struct debug_capabilities *can = &at->debug->capabilities;

	return !can->step[CAP_USER] && !can->slot[CAP_USER] && insn->operand_bits == 64 &&
	       (insn->kind == INSN_IRET || insn->kind == INSN_SYSRET) &&
	       cpu_mode(at->state) == MODE_LONG && cpu_cpl(at->state) == 0;
}

static bool return_to_ring_3(struct step_at *at, const struct instruction *insn)
{
	if (!core_returns_by_hand(at, insn))
		return false;
	return insn->kind == INSN_IRET ? iret_by_hand(at) : sysret_by_hand(at);
}

/* ---- which ------------------------------------------------------------------------------- */

bool core_step_by_hand(struct step_at *at, const struct instruction *insn)
{
	static bool (*const table[INSN_KIND_COUNT])(struct step_at *,
						    const struct instruction *) = {
		[INSN_PLAIN] = endbr,		[INSN_HLT] = halt,
		[INSN_JUMP] = jump_to_itself,	[INSN_BRANCH] = jump_to_itself,
		[INSN_IRET] = return_to_ring_3, [INSN_SYSRET] = return_to_ring_3,
	};

	/* The trap of a guest that steps itself comes behind the instruction: by the CPU. */
	if (at->state->general.rflags & RFLAGS_TF || !table[insn->kind])
		return false;
	return table[insn->kind](at, insn);
}
