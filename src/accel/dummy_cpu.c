// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The dummy's instructions, in a table by opcode, and the order in which a CPU looks at things
 * around each of them: a kick, an interrupt window, a debug slot, the instruction, a watch, the
 * step's trap.
 */
#include "accel/dummy_private.h"

#include "x86/debug_registers.h"
#include "x86/descriptors.h"
#include "x86/exceptions.h"
#include "x86/mode.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#define DR6_FIXED 0xffff0ff0ull /* bits that always read as one (SDM vol. 3B, 18.2.3) */

/* ---- the other instructions ------------------------------------------------------------- */

static enum outcome do_nop(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	(void)in;
	(void)exit;
	vcpu->state.general.rip++;
	return DONE;
}

static enum outcome do_jmp(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	(void)exit;
	vcpu->state.general.rip += 2 + (uint64_t)(int8_t)in->bytes[1];
	return DONE;
}

static enum outcome branch(struct dummy_vcpu *vcpu, const struct dummy_insn *in, bool taken)
{
	vcpu->state.general.rip += 2 + (taken ? (uint64_t)(int8_t)in->bytes[1] : 0);
	return DONE;
}

static enum outcome do_loop(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	uint64_t *rcx = &vcpu->state.general.gpr[GPR_RCX];

	(void)exit;
	*rcx = (uint32_t)(*rcx - 1);
	return branch(vcpu, in, *rcx != 0);
}

static enum outcome do_jecxz(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	(void)exit;
	return branch(vcpu, in, (uint32_t)vcpu->state.general.gpr[GPR_RCX] == 0);
}

static enum outcome do_inc(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	(void)exit;
	vcpu->state.general.gpr[in->bytes[0] & 7]++;
	vcpu->state.general.rip++;
	return DONE;
}

static enum outcome do_cli(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	(void)in;
	(void)exit;
	vcpu->state.general.rflags &= ~(uint64_t)RFLAGS_IF;
	vcpu->state.general.rip++;
	return DONE;
}

static enum outcome do_sti(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	enum { SHADOW_STI = 2 };

	(void)in;
	(void)exit;
	if (!(vcpu->state.general.rflags & RFLAGS_IF))
		vcpu->state.events.interrupt.shadow = SHADOW_STI;
	vcpu->state.general.rflags |= RFLAGS_IF;
	vcpu->state.general.rip++;
	return DONE;
}

/* KVM hides its trap flag where registers are read; the processor does not. */
static enum outcome do_pushf(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	uint64_t *rsp = &vcpu->state.general.gpr[GPR_RSP];
	uint32_t flags = (uint32_t)vcpu->state.general.rflags;

	(void)in;
	(void)exit;
	if (vcpu->debug.step && !dummy_vm_of(vcpu)->config.no_step)
		flags |= RFLAGS_TF;
	*rsp = (uint32_t)(*rsp - sizeof(flags));
	dummy_memory_write(dummy_vm_of(vcpu), *rsp, &flags, sizeof(flags));
	vcpu->state.general.rip++;
	return DONE;
}

static enum outcome do_hlt(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	(void)in;
	vcpu->state.general.rip++;
	dummy_exit(exit, EXIT_HLT);
	return EXITED;
}

enum outcome dummy_emulation_failure(const struct dummy_insn *in, struct vm_exit *exit)
{
	dummy_exit(exit, EXIT_INTERNAL_ERROR);
	exit->internal.suberror = INTERNAL_EMULATION;
	exit->internal.data_count = 0;
	exit->internal.insn_length = (uint8_t)in->known;
	memcpy(exit->internal.insn, in->bytes, sizeof(exit->internal.insn));
	return EXITED;
}

static void exit_debug(const struct dummy_vcpu *vcpu, uint8_t vector, uint64_t dr6,
		       struct vm_exit *exit)
{
	dummy_exit(exit, EXIT_DEBUG);
	exit->debug.pc = cpu_linear_pc(&vcpu->state);
	exit->debug.vector = vector;
	exit->debug.dr6 = DR6_FIXED | dr6;
	exit->debug.dr7 = vcpu->debug.slots ? vcpu->debug.dr7 : vcpu->state.debug.dr7;
}

/* The guest's handler, were there one, would return behind the int3. */
static enum outcome do_int3(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	enum dummy_int3 how = dummy_vm_of(vcpu)->config.int3;

	if (how == DUMMY_INT3_EMULATION_FAILURE)
		return dummy_emulation_failure(in, exit);
	if (how == DUMMY_INT3_TRAPS && vcpu->debug.int3) {
		exit_debug(vcpu, VECTOR_BP, 0, exit);
		return EXITED;
	}
	vcpu->state.general.rip++;
	return DONE;
}

/* 0f 30, wrmsr; 0f 32, rdmsr; nothing else of the second page. */
static enum outcome do_msr(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	if (in->bytes[1] != 0x30 && in->bytes[1] != 0x32)
		return dummy_emulation_failure(in, exit);
	return dummy_msr_execute(vcpu, in->bytes[1] == 0x30, exit) ? EXITED : DONE;
}

static const struct opcode {
	uint8_t mask, value; /* of the first byte */
	size_t length;
	enum outcome (*execute)(struct dummy_vcpu *vcpu, struct dummy_insn *in,
				struct vm_exit *exit);
} opcodes[] = {
	// clang-format off
	{0xff, 0x90, 1, do_nop},
	{0xff, 0xeb, 2, do_jmp},
	{0xff, 0xe2, 2, do_loop},
	{0xff, 0xe3, 2, do_jecxz},
	{0xfe, 0xe4, 2, dummy_in},
	{0xfe, 0xe6, 2, dummy_out},
	{0xff, 0xf4, 1, do_hlt},
	{0xff, 0xcc, 1, do_int3},
	{0xff, 0x0f, 2, do_msr},
	{0xff, 0xfa, 1, do_cli},
	{0xff, 0xfb, 1, do_sti},
	{0xff, 0x9c, 1, do_pushf},
	{0xf8, 0x40, 1, do_inc},
	{0xfe, 0xa2, 5, dummy_store},
	{0xff, 0x88, 2, dummy_store_at},
	{0xff, 0x8a, 2, dummy_load_at},
	// clang-format on
};

static enum outcome execute(struct dummy_vcpu *vcpu, struct dummy_insn *in, struct vm_exit *exit)
{
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		if ((in->bytes[0] & opcodes[i].mask) == opcodes[i].value &&
		    in->known >= opcodes[i].length)
			return opcodes[i].execute(vcpu, in, exit);
	return dummy_emulation_failure(in, exit);
}

/* ---- debug slots ------------------------------------------------------------------------ */

static bool slot_enabled(uint64_t dr7, unsigned slot)
{
	return dr7 >> (2 * slot) & 3;
}

static enum dr_type slot_type(uint64_t dr7, unsigned slot)
{
	return (enum dr_type)(dr7 >> (16 + 4 * slot) & 3);
}

static unsigned slot_length(uint64_t dr7, unsigned slot)
{
	static const unsigned lengths[] = {1, 2, 8, 4};

	return lengths[dr7 >> (18 + 4 * slot) & 3];
}

static bool slots_work(struct dummy_vcpu *vcpu)
{
	return vcpu->debug.slots && !dummy_vm_of(vcpu)->config.no_slots;
}

/* Slots that the next instruction hits, as bits of DR6. */
static uint64_t execution_hits(struct dummy_vcpu *vcpu)
{
	uint64_t pc = cpu_linear_pc(&vcpu->state), dr7 = vcpu->debug.dr7, hits = 0;
	bool resume = vcpu->state.general.rflags & RFLAGS_RF;

	if (!slots_work(vcpu) || (resume && !dummy_vm_of(vcpu)->config.ignore_rf))
		return 0;
	for (unsigned i = 0; i < DR_SLOTS; i++)
		if (slot_enabled(dr7, i) && slot_type(dr7, i) == DR_EXEC && vcpu->debug.dr[i] == pc)
			hits |= 1ull << i;
	return hits;
}

static bool watches(uint64_t dr7, unsigned slot, bool load)
{
	enum dr_type type = slot_type(dr7, slot);

	return slot_enabled(dr7, slot) && (load ? type == DR_ACCESS : (type & DR_WRITE) != 0);
}

/* Slots that the access which has just been made hits. */
static uint64_t watch_hits(struct dummy_vcpu *vcpu, const struct dummy_insn *in)
{
	uint64_t dr7 = vcpu->debug.dr7, hits = 0;

	if (!slots_work(vcpu) || !in->touched_size || dummy_vm_of(vcpu)->config.no_watches)
		return 0;
	for (unsigned i = 0; i < DR_SLOTS; i++)
		if (watches(dr7, i, in->load) &&
		    in->touched < vcpu->debug.dr[i] + slot_length(dr7, i) &&
		    vcpu->debug.dr[i] < in->touched + in->touched_size)
			hits |= 1ull << i;
	return hits;
}

/* ---- one instruction, and many ---------------------------------------------------------- */

static bool interrupted(struct dummy_vcpu *vcpu, struct vm_exit *exit)
{
	if (atomic_load_explicit(&vcpu->kicked, memory_order_acquire))
		dummy_exit(exit, EXIT_INTR);
	else if (vcpu->window_wanted && accel_dummy.interrupt_ready(&vcpu->base))
		dummy_exit(exit, EXIT_IRQ_WINDOW);
	else
		return false;
	return true;
}

/* A shadow lasts for one instruction, and RF until one has been executed. */
static void retire(struct dummy_vcpu *vcpu, uint8_t old_shadow)
{
	vcpu->state.general.rflags &= ~(uint64_t)RFLAGS_RF;
	if (old_shadow)
		vcpu->state.events.interrupt.shadow = 0;
}

static bool trapped(struct dummy_vcpu *vcpu, const struct dummy_insn *in, struct vm_exit *exit)
{
	uint64_t dr6 = watch_hits(vcpu, in);

	if (vcpu->debug.step && !dummy_vm_of(vcpu)->config.no_step)
		dr6 |= DR6_BS;
	if (dr6)
		exit_debug(vcpu, VECTOR_DB, dr6, exit);
	return dr6;
}

/* Whether there was an exit. */
static bool one_instruction(struct dummy_vcpu *vcpu, struct vm_exit *exit)
{
	uint8_t shadow = vcpu->state.events.interrupt.shadow;
	uint64_t hits = execution_hits(vcpu);
	struct dummy_insn in = {0};

	if (hits) {
		exit_debug(vcpu, VECTOR_DB, hits, exit);
		return true;
	}
	in.known = dummy_memory_read(dummy_vm_of(vcpu), cpu_linear_pc(&vcpu->state), in.bytes,
				     sizeof(in.bytes));
	if (execute(vcpu, &in, exit) == EXITED) {
		if (exit->reason != EXIT_DEBUG && exit->reason != EXIT_INTERNAL_ERROR)
			retire(vcpu, shadow);
		return true;
	}
	retire(vcpu, shadow);
	return trapped(vcpu, &in, exit);
}

/* An endless loop in the guest leaves the host's other threads their share. */
#define POLITE 4096

static bool read_flat(void *ctx, uint64_t linear, void *buf, size_t len)
{
	return dummy_memory_read(ctx, linear, buf, len) == len;
}

/* An accepted interrupt comes before everything else. Nothing is pushed: no test returns from it. */
static void deliver(struct dummy_vcpu *vcpu)
{
	struct cpu_state *state = &vcpu->state;
	uint64_t handler;

	if (!state->events.interrupt.injected)
		return;
	state->events.interrupt.injected = false;
	state->events.run_state = CPU_RUNNABLE;
	if (interrupt_handler(state, state->events.interrupt.vector, read_flat, dummy_vm_of(vcpu),
			      &handler) < 0)
		return;
	vcpu->counts.delivered++;
	vcpu->counts.delivered_stepping += vcpu->debug.step;
	cpu_set_linear_pc(state, handler);
}

void dummy_cpu_run(struct dummy_vcpu *vcpu, struct vm_exit *exit)
{
	if (!atomic_load_explicit(&vcpu->kicked, memory_order_acquire))
		deliver(vcpu);
	for (unsigned n = 1; !interrupted(vcpu, exit); n++) {
		if (one_instruction(vcpu, exit))
			return;
		if (n % POLITE == 0)
			sched_yield();
	}
}

/* A processor with long mode and little else, in leaf 1 with the vCPU's number. */
int dummy_cpuid(struct accel_vcpu *vcpu, struct cpuid_leaf *leaves, unsigned max)
{
	const struct cpuid_leaf all[] = {
		{.leaf = 0, .reg = {1, 0x6d6d7544, 0x636f7250, 0x72502079}}, /* "Dummy Proc" */
		{.leaf = 1, .reg = {0x611, (uint32_t)vcpu->index << 24, 1, 0x00002069}},
		{.leaf = 0x80000000, .reg = {0x80000001}},
		{.leaf = 0x80000001, .reg = {0, 0, 1, 1u << 11 | 1u << 20 | 1u << 29}},
	};
	const unsigned count = sizeof(all) / sizeof(all[0]);

	if (max < count)
		return -E2BIG;
	memcpy(leaves, all, sizeof(all));
	return (int)count;
}
