// SPDX-License-Identifier: GPL-3.0-or-later
/* Where execution can be after one instruction: a function for each kind of transfer, in a table. */
#include "x86/instruction.h"

#include "x86/exceptions.h"
#include "x86/mode.h"

#define RFLAGS_PF (1u << 2)
#define RFLAGS_ZF (1u << 6)
#define RFLAGS_SF (1u << 7)
#define RFLAGS_OF (1u << 11)
#define RFLAGS_NT (1u << 14)

struct flow {
	const struct instruction *insn;
	const struct cpu_state *state;
	linear_read_fn *read;
	void *ctx;
	struct successors *next;
};

static uint64_t mask_of(unsigned bits)
{
	return bits >= 64 ? ~0ull : (1ull << bits) - 1;
}

/* ---- adding ------------------------------------------------------------------------------ */

static void add_linear(struct flow *f, uint64_t linear)
{
	struct successors *next = f->next;

	for (unsigned i = 0; i < next->count; i++)
		if (next->linear[i] == linear)
			return;
	if (next->count < INSTRUCTION_MAX_SUCCESSORS)
		next->linear[next->count++] = linear;
	else
		next->unknown = "there are too many";
}

/* Within the present code segment. */
static void add_near(struct flow *f, uint64_t offset)
{
	add_linear(f, cpu_linear(f->state, SEG_CS, offset));
}

static void give_up(struct flow *f, const char *why)
{
	f->next->unknown = why;
}

static void add_behind(struct flow *f)
{
	add_near(f, f->insn->offset + f->insn->length);
}

static bool far_transfer(struct flow *f, uint16_t selector, uint64_t offset)
{
	uint64_t linear;

	if (far_target(f->state, selector, offset, f->read, f->ctx, &linear) < 0)
		return false;
	add_linear(f, linear);
	return true;
}

/* ---- near -------------------------------------------------------------------------------- */

/* In long mode an operand size prefix before a near transfer is ignored (Intel; AMD truncates). */
static unsigned near_bits(const struct flow *f)
{
	return f->insn->bits == 64 ? 64 : f->insn->operand_bits;
}

static void add_relative(struct flow *f)
{
	uint64_t target = f->insn->offset + f->insn->length + (uint64_t)f->insn->immediate;

	add_near(f, target & mask_of(near_bits(f)));
}

static void flow_plain(struct flow *f)
{
	add_behind(f);
}

static void flow_branch(struct flow *f)
{
	add_behind(f);
	add_relative(f);
}

static void flow_repeat(struct flow *f)
{
	add_behind(f);
	if (f->insn->repeat)
		add_linear(f, f->insn->linear);
}

/* The operand that is read: a call has its stack as another. */
static bool target_access(const struct flow *f, struct instruction_access *target)
{
	struct instruction_access access[INSTRUCTION_MAX_MEMORY];
	unsigned count = instruction_memory(f->insn, f->state, access);

	for (unsigned i = 0; i < count; i++) {
		*target = access[i];
		if (access[i].read)
			return true;
	}
	return false;
}

static void flow_indirect(struct flow *f)
{
	struct instruction_access target;
	uint64_t offset = 0;

	if (f->insn->target_reg < GPR_COUNT)
		offset = f->state->general.gpr[f->insn->target_reg];
	else if (!target_access(f, &target) || target.size > sizeof(offset) ||
		 !f->read(f->ctx, target.linear, &offset, target.size))
		return give_up(f, "the memory that holds the target cannot be read");
	add_near(f, offset & mask_of(near_bits(f)));
}

static bool read_stack(struct flow *f, unsigned word, unsigned size, uint64_t *value)
{
	*value = 0;
	return f->read(f->ctx, cpu_linear_sp(f->state) + (uint64_t)word * size, value, size);
}

static void flow_ret(struct flow *f)
{
	uint64_t offset;

	if (read_stack(f, 0, near_bits(f) / 8, &offset))
		add_near(f, offset);
	else
		give_up(f, "the return address on the stack cannot be read");
}

/* ---- far --------------------------------------------------------------------------------- */

static void flow_far(struct flow *f)
{
	struct instruction_access target;
	uint64_t offset = (uint64_t)f->insn->immediate, selector = f->insn->selector;

	if (target_access(f, &target)) {
		offset = 0;
		if (target.size < 4 || target.size > 10 ||
		    !f->read(f->ctx, target.linear, &offset, target.size - 2) ||
		    !f->read(f->ctx, target.linear + target.size - 2, &selector, 2))
			return give_up(f, "the memory that holds the target cannot be read");
	}
	offset &= mask_of(f->insn->operand_bits);
	if (!far_transfer(f, (uint16_t)selector, offset))
		give_up(f, "the target is no code segment or call gate");
}

static void flow_ret_far(struct flow *f)
{
	unsigned size = f->insn->operand_bits / 8;
	uint64_t offset, selector;

	if (!read_stack(f, 0, size, &offset) || !read_stack(f, 1, size, &selector))
		give_up(f, "the return address on the stack cannot be read");
	else if (!far_transfer(f, (uint16_t)selector, offset))
		give_up(f, "the return address is in no code segment");
}

/* To virtual-8086 mode, as ring 0 of protected mode may return (SDM vol. 2A, IRET). */
static bool returns_to_v86(const struct flow *f, uint64_t flags)
{
	enum cpu_mode mode = cpu_mode(f->state);

	return (mode == MODE_PROT16 || mode == MODE_PROT32) && f->insn->operand_bits == 32 &&
	       (flags & RFLAGS_VM) && cpu_cpl(f->state) == 0;
}

static void flow_iret(struct flow *f)
{
	unsigned size = f->insn->operand_bits / 8;
	enum cpu_mode mode = cpu_mode(f->state);
	uint64_t offset, selector, flags;

	if ((mode == MODE_PROT16 || mode == MODE_PROT32) && (f->state->general.rflags & RFLAGS_NT))
		return give_up(f, "it returns to another task");
	if (!read_stack(f, 0, size, &offset) || !read_stack(f, 1, size, &selector) ||
	    !read_stack(f, 2, size, &flags))
		return give_up(f, "the frame on the stack cannot be read");
	if (returns_to_v86(f, flags))
		add_linear(f, ((selector & 0xffff) << 4) + (offset & 0xffff));
	else if (!far_transfer(f, (uint16_t)selector, offset))
		give_up(f, "the frame on the stack names no code segment");
}

/* ---- interrupts and system calls --------------------------------------------------------- */

static void add_handler(struct flow *f, uint8_t vector)
{
	uint64_t handler;

	if (interrupt_handler(f->state, vector, f->read, f->ctx, &handler) == 0)
		add_linear(f, handler);
	else
		give_up(f, "its vector has no handler");
}

static void flow_int(struct flow *f)
{
	add_handler(f, (uint8_t)f->insn->immediate);
}

static void flow_int3(struct flow *f)
{
	add_handler(f, VECTOR_BP);
}

static void flow_int1(struct flow *f)
{
	add_handler(f, VECTOR_DB);
}

static void flow_into(struct flow *f)
{
	if (f->state->general.rflags & RFLAGS_OF)
		add_handler(f, VECTOR_OF);
	else
		add_behind(f);
}

static void add_msr(struct flow *f, enum cpu_msr msr, uint64_t mask)
{
	if (f->state->msrs.valid[msr])
		add_linear(f, f->state->msrs.value[msr] & mask);
	else
		give_up(f, "this host's accelerator does not know the MSR with the target");
}

/* Outside long mode, AMD takes the target from STAR (APM vol. 2, 6.1.1). */
static void flow_syscall(struct flow *f)
{
	if (!(f->state->system.efer & EFER_LMA))
		add_msr(f, MSR_SLOT_STAR, mask_of(32));
	else
		add_msr(f, cpu_mode(f->state) == MODE_LONG ? MSR_SLOT_LSTAR : MSR_SLOT_CSTAR,
			~0ull);
}

static void flow_sysenter(struct flow *f)
{
	bool wide = f->state->system.efer & EFER_LMA;

	add_msr(f, MSR_SLOT_SYSENTER_EIP, mask_of(wide ? 64 : 32));
}

/* Both return to a flat segment. */
static void flow_sysret(struct flow *f)
{
	add_linear(f,
		   f->state->general.gpr[GPR_RCX] & mask_of(f->insn->operand_bits == 64 ? 64 : 32));
}

static void flow_sysexit(struct flow *f)
{
	add_linear(f,
		   f->state->general.gpr[GPR_RDX] & mask_of(f->insn->operand_bits == 64 ? 64 : 32));
}

static void flow_another_state(struct flow *f)
{
	give_up(f, "it loads a CPU state that is not visible here");
}

/* It never completes. */
static void flow_never(struct flow *f)
{
	(void)f;
}

typedef void flow_fn(struct flow *f);

static flow_fn *const flows[INSN_KIND_COUNT] = {
	[INSN_INVALID] = flow_never,
	[INSN_UNDEFINED] = flow_never,
	[INSN_JUMP] = add_relative,
	[INSN_CALL] = add_relative,
	[INSN_BRANCH] = flow_branch,
	[INSN_JUMP_INDIRECT] = flow_indirect,
	[INSN_CALL_INDIRECT] = flow_indirect,
	[INSN_JUMP_FAR] = flow_far,
	[INSN_CALL_FAR] = flow_far,
	[INSN_RET] = flow_ret,
	[INSN_RET_FAR] = flow_ret_far,
	[INSN_IRET] = flow_iret,
	[INSN_INT] = flow_int,
	[INSN_INT3] = flow_int3,
	[INSN_INT1] = flow_int1,
	[INSN_INTO] = flow_into,
	[INSN_SYSCALL] = flow_syscall,
	[INSN_SYSRET] = flow_sysret,
	[INSN_SYSENTER] = flow_sysenter,
	[INSN_SYSEXIT] = flow_sysexit,
	[INSN_STRING] = flow_repeat,
	[INSN_IO_STRING] = flow_repeat,
	[INSN_RSM] = flow_another_state,
	[INSN_VIRTUALISE] = flow_another_state,
};

void instruction_successors(const struct instruction *insn, const struct cpu_state *state,
			    linear_read_fn *read, void *ctx, struct successors *next)
{
	struct flow f = {insn, state, read, ctx, next};

	*next = (struct successors){0};
	(flows[insn->kind] ? flows[insn->kind] : flow_plain)(&f);
}

/* ---- conditions -------------------------------------------------------------------------- */

/* SDM vol. 2, appendix B.1.4.7: bits 3-1 of the opcode choose, bit 0 negates. */
static bool condition_holds(unsigned condition, uint64_t flags)
{
	bool less = !(flags & RFLAGS_SF) != !(flags & RFLAGS_OF);
	const bool table[8] = {
		flags & RFLAGS_OF,
		flags & RFLAGS_CF,
		flags & RFLAGS_ZF,
		flags & (RFLAGS_CF | RFLAGS_ZF),
		flags & RFLAGS_SF,
		flags & RFLAGS_PF,
		less,
		less || (flags & RFLAGS_ZF),
	};

	return table[condition >> 1 & 7] != (condition & 1);
}

/* loopne, loope, loop, jcxz: opcodes e0 … e3. */
static bool count_holds(unsigned opcode, uint64_t count, uint64_t mask, bool zero)
{
	bool more = (count - 1) & mask;

	switch (opcode & 3) {
	case 0: return more && !zero;
	case 1: return more && zero;
	case 2: return more;
	default: return !(count & mask);
	}
}

enum instruction_taken instruction_taken(const struct instruction *insn,
					 const struct cpu_state *state)
{
	uint64_t flags = state->general.rflags, mask = mask_of(insn->address_bits);
	unsigned opcode = insn->condition;

	if (insn->kind != INSN_BRANCH)
		return TAKEN_UNKNOWN;
	if ((opcode & 0xf0) == 0x70 || (opcode & 0xf0) == 0x80)
		return condition_holds(opcode, flags) ? TAKEN_YES : TAKEN_NO;
	if ((opcode & 0xfc) == 0xe0)
		return count_holds(opcode, state->general.gpr[GPR_RCX], mask, flags & RFLAGS_ZF)
			       ? TAKEN_YES
			       : TAKEN_NO;
	return TAKEN_UNKNOWN;
}
