// SPDX-License-Identifier: GPL-3.0-or-later
/* Operands: registers and their parts, addresses, segments with their limits, the stack. */
#include "x86/simulate_private.h"

#define SEGMENT_CODE	    8u /* in a descriptor's type (SDM vol. 3A, 3.4.5.1) */
#define SEGMENT_EXPAND_DOWN 4u
#define SEGMENT_WRITE	    2u /* of data; of code: may be read */
#define RFLAGS_AC	    (1u << 18)
#define CR0_AM		    (1ull << 18)

/* ---- registers --------------------------------------------------------------------------- */

struct part {
	enum cpu_gpr gpr;
	unsigned bits, shift;
};

/* Zydis numbers the registers of each size in the instructions' order, with AH to BH in between. */
static struct part part_of(ZydisRegister reg)
{
	static const struct {
		ZydisRegister first, last;
		unsigned gpr, bits, shift;
	} ranges[] = {
		{ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_R15, GPR_RAX, 64, 0},
		{ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_R15D, GPR_RAX, 32, 0},
		{ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W, GPR_RAX, 16, 0},
		{ZYDIS_REGISTER_AL, ZYDIS_REGISTER_BL, GPR_RAX, 8, 0},
		{ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH, GPR_RAX, 8, 8},
		{ZYDIS_REGISTER_SPL, ZYDIS_REGISTER_R15B, GPR_RSP, 8, 0},
	};

	for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (reg >= ranges[i].first && reg <= ranges[i].last)
			return (struct part){ranges[i].gpr + (reg - ranges[i].first),
					     ranges[i].bits, ranges[i].shift};
	return (struct part){.bits = 0};
}

void put_gpr(struct simulation *s, enum cpu_gpr gpr, unsigned bits, uint64_t value)
{
	uint64_t kept = bits < 32 ? s->after.gpr[gpr] & ~low_bits(~0ull, bits) : 0;

	s->after.gpr[gpr] = kept | low_bits(value, bits);
}

static bool get_register(const struct simulation *s, ZydisRegister reg, uint64_t *value)
{
	struct part part = part_of(reg);

	*value = low_bits(s->before->general.gpr[part.gpr] >> part.shift, part.bits);
	return part.bits > 0;
}

static bool put_register(struct simulation *s, ZydisRegister reg, uint64_t value)
{
	struct part part = part_of(reg);

	if (part.shift)
		put_gpr(s, part.gpr, 16, low_bits(s->after.gpr[part.gpr], 8) | value << 8);
	else
		put_gpr(s, part.gpr, part.bits, value);
	return part.bits > 0;
}

/* ---- addresses --------------------------------------------------------------------------- */

uint64_t next_rip(const struct simulation *s)
{
	return s->before->general.rip + s->insn.length;
}

uint64_t operand_offset(const struct simulation *s, unsigned n)
{
	const ZydisDecodedOperandMem *mem = &s->operand[n].mem;
	uint64_t base = 0, index = 0;

	if (mem->base == ZYDIS_REGISTER_RIP || mem->base == ZYDIS_REGISTER_EIP)
		base = next_rip(s);
	else if (mem->base != ZYDIS_REGISTER_NONE)
		get_register(s, mem->base, &base);
	if (mem->index != ZYDIS_REGISTER_NONE)
		get_register(s, mem->index, &index);
	return low_bits(base + index * mem->scale + (uint64_t)mem->disp.value,
			s->insn.address_width);
}

/* Stacks that grow upwards have limits of their own kind; nobody has them. */
static bool segment_holds(const struct cpu_segment *segment, uint64_t offset, unsigned size,
			  bool write)
{
	bool code = segment->type & SEGMENT_CODE;

	if (!segment->present || segment->unusable || !segment->s)
		return false;
	if (code ? write || !(segment->type & SEGMENT_WRITE)
		 : segment->type & SEGMENT_EXPAND_DOWN ||
			    (write && !(segment->type & SEGMENT_WRITE)))
		return false;
	return offset <= segment->limit && size - 1 <= segment->limit - offset;
}

static bool alignment_is_checked(const struct simulation *s)
{
	return (s->before->system.cr0 & CR0_AM) && (s->before->general.rflags & RFLAGS_AC) &&
	       cpu_cpl(s->before) == 3;
}

static bool locate(const struct simulation *s, enum cpu_segment_name name, uint64_t offset,
		   unsigned size, bool write, uint64_t *linear)
{
	uint64_t at = cpu_linear(s->before, name, offset), last = at + size - 1;

	*linear = at;
	if ((at & (size - 1)) && alignment_is_checked(s))
		return false;
	if (s->code_bits == 64)
		return cpu_canonical(s->before, at) && cpu_canonical(s->before, last) && last >= at;
	return segment_holds(&s->before->system.seg[name], offset, size, write) &&
	       last <= 0xffffffff;
}

/* ---- memory ------------------------------------------------------------------------------ */

static bool load(struct simulation *s, enum cpu_segment_name name, uint64_t offset, unsigned size,
		 uint64_t *value)
{
	uint64_t linear;

	return locate(s, name, offset, size, false, &linear) &&
	       s->memory->read(s->memory->ctx, linear, value, size);
}

static bool store_later(struct simulation *s, enum cpu_segment_name name, uint64_t offset,
			unsigned size, uint64_t value)
{
	s->store.size = size;
	s->store.value = low_bits(value, size * 8);
	return locate(s, name, offset, size, true, &s->store.linear);
}

static enum cpu_segment_name segment_of(const ZydisDecodedOperand *operand)
{
	return SEG_ES + (operand->mem.segment - ZYDIS_REGISTER_ES);
}

static bool is_memory(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       operand->mem.type == ZYDIS_MEMOP_TYPE_MEM &&
	       operand->mem.segment >= ZYDIS_REGISTER_ES &&
	       operand->mem.segment <= ZYDIS_REGISTER_GS && operand->size >= 8 &&
	       operand->size <= 64;
}

bool operand_get(struct simulation *s, unsigned n, uint64_t *value)
{
	const ZydisDecodedOperand *operand = &s->operand[n];

	if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
		return get_register(s, operand->reg.value, value);
	if (operand->type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
		*value = operand->imm.value.u;
		return true;
	}
	return is_memory(operand) &&
	       load(s, segment_of(operand), operand_offset(s, n), operand->size / 8, value);
}

bool operand_put(struct simulation *s, unsigned n, uint64_t value)
{
	const ZydisDecodedOperand *operand = &s->operand[n];

	if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
		return put_register(s, operand->reg.value, low_bits(value, operand->size));
	return is_memory(operand) &&
	       store_later(s, segment_of(operand), operand_offset(s, n), operand->size / 8, value);
}

/* ---- the stack and RIP ------------------------------------------------------------------- */

bool stack_get(struct simulation *s, uint64_t offset, unsigned size, uint64_t *value)
{
	return load(s, SEG_SS, low_bits(offset, s->stack_bits), size, value);
}

bool stack_push(struct simulation *s, unsigned size, uint64_t value)
{
	uint64_t sp = low_bits(s->before->general.gpr[GPR_RSP] - size, s->stack_bits);

	put_gpr(s, GPR_RSP, s->stack_bits, sp);
	return store_later(s, SEG_SS, sp, size, value);
}

bool set_rip(struct simulation *s, uint64_t offset)
{
	s->after.rip = offset;
	if (s->code_bits == 64)
		return cpu_canonical(s->before, offset);
	return offset <= s->before->system.seg[SEG_CS].limit;
}
