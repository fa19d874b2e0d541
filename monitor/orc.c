// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/orc.h"

#include "elf_section.h"

#include <endian.h>
#include <gelf.h>
#include <string.h>

#define COUNT_MAX 16000000u /* of rules; Debian's kernel has half a million */
#define REGS_RIP                                                                                   \
	128 /* where struct pt_regs has rip, cs, eflags, rsp and ss, as interrupts push them */

/* Numbers of the file format (Linux, arch/x86/include/asm/orc_types.h). */
enum orc_register {
	ORC_UNDEFINED,
	ORC_PREV_SP,
	ORC_DX,
	ORC_DI,
	ORC_BP,
	ORC_SP,
	ORC_R10,
	ORC_R13,
	ORC_BP_INDIRECT,
	ORC_SP_INDIRECT,
};

enum orc_type { TYPE_UNKNOWN, TYPE_END, TYPE_CALL, TYPE_REGS, TYPE_PUSHED };

struct rule {
	enum orc_type type;
	bool signal;
	enum orc_register sp, bp;
	int16_t sp_offset, bp_offset;
};

/* ---- where ---------------------------------------------------------------------------------- */

bool orc_find(Elf *elf, struct orc_tables *tables)
{
	Elf_Data *ips, *entries;
	GElf_Shdr ips_header, entries_header;
	GElf_Ehdr header;

	*tables = (struct orc_tables){0};
	if (!gelf_getehdr(elf, &header) || header.e_machine != EM_X86_64)
		return false;
	ips = elf_section_find(elf, ".orc_unwind_ip", &ips_header);
	entries = elf_section_find(elf, ".orc_unwind", &entries_header);
	if (!ips || !entries || !ips->d_buf || !entries->d_buf || ips->d_size / 4 > COUNT_MAX ||
	    ips->d_size / 4 != entries->d_size / ORC_ENTRY_SIZE || ips->d_size < 4)
		return false;
	tables->ips_at = ips_header.sh_addr;
	tables->entries_at = entries_header.sh_addr;
	tables->ips = ips->d_buf;
	tables->entries = entries->d_buf;
	tables->count = (uint32_t)(ips->d_size / 4);
	tables->kind = orc_guess_kind(tables);
	return true;
}

struct source {
	const struct orc_tables *tables;
	frame_read_fn *read;
	void *ctx;
};

static bool fetch(const struct source *source, const uint8_t *here, uint64_t there, unsigned size,
		  uint64_t *value)
{
	*value = 0;
	if (!here)
		return source->read(source->ctx, there, size, value);
	memcpy(value, here, size);
	*value = le64toh(*value);
	return true;
}

/* Where the stretch with this number begins. */
static bool start_of(const struct source *source, uint32_t index, uint64_t *start)
{
	const struct orc_tables *t = source->tables;
	uint64_t at = t->ips_at + index * 4ull, distance;

	if (!fetch(source, t->ips ? t->ips + index * 4ull : NULL, at, 4, &distance))
		return false;
	*start = at + (uint64_t)(int64_t)(int32_t)distance;
	return true;
}

/* The last stretch that does not begin above an address. */
static bool find_index(const struct source *source, uint64_t lookup, uint32_t *index)
{
	uint32_t low = 0, high = source->tables->count;
	uint64_t start;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (!start_of(source, middle, &start))
			return false;
		if (start <= lookup)
			low = middle + 1;
		else
			high = middle;
	}
	*index = low - 1;
	return low > 0;
}

/* ---- what ----------------------------------------------------------------------------------- */

/* sp and bp: 4 bits each, in every kind. */
static unsigned sp_of(uint16_t flags)
{
	return flags & 15;
}

static uint16_t flags_at(const struct orc_tables *tables, uint32_t index)
{
	const uint8_t *at = tables->entries + (size_t)index * ORC_ENTRY_SIZE + 4;

	return (uint16_t)(at[0] | at[1] << 8);
}

/* Nearly all rules are of code that was called, and those of a register's own are in no kind at the end of a stack. */
enum orc_kind orc_guess_kind(const struct orc_tables *tables)
{
	uint32_t calls_now = 0, calls_before = 0, signals = 0;

	for (uint32_t i = 0; i < tables->count; i++) {
		uint16_t flags = flags_at(tables, i);

		if (sp_of(flags) != ORC_SP && sp_of(flags) != ORC_BP)
			continue;
		calls_now += (flags >> 8) == 2;
		calls_before += (flags >> 8) == 0;
		signals += flags >> 10 & 1;
	}
	if (calls_now > calls_before)
		return ORC_KIND_TYPES;
	return signals ? ORC_KIND_SIGNAL : ORC_KIND_END;
}

static void decode_types(uint16_t flags, struct rule *rule)
{
	unsigned type = flags >> 8 & 7;

	rule->type = type <= TYPE_PUSHED ? (enum orc_type)type : TYPE_UNKNOWN;
	rule->signal = flags >> 11 & 1;
}

static void decode_before(uint16_t flags, enum orc_kind kind, struct rule *rule)
{
	static const enum orc_type types[] = {TYPE_CALL, TYPE_REGS, TYPE_PUSHED, TYPE_UNKNOWN};
	bool end = flags >> (kind == ORC_KIND_END ? 10 : 11) & 1;

	rule->type = types[flags >> 8 & 3];
	rule->signal = kind == ORC_KIND_END ? rule->type != TYPE_CALL : flags >> 10 & 1;
	if (sp_of(flags) == ORC_UNDEFINED)
		rule->type = end ? TYPE_END : TYPE_UNKNOWN;
}

static void decode(uint64_t entry, enum orc_kind kind, struct rule *rule)
{
	uint16_t flags = (uint16_t)(entry >> 32);

	*rule = (struct rule){.sp = sp_of(flags),
			      .bp = flags >> 4 & 15,
			      .sp_offset = (int16_t)entry,
			      .bp_offset = (int16_t)(entry >> 16)};
	if (kind == ORC_KIND_TYPES)
		decode_types(flags, rule);
	else
		decode_before(flags, kind, rule);
}

static bool find_rule(const struct source *source, uint64_t lookup, struct rule *rule)
{
	const struct orc_tables *t = source->tables;
	uint32_t index;
	uint64_t entry, at;

	if (!t->count || t->count > COUNT_MAX || !find_index(source, lookup, &index))
		return false;
	at = (uint64_t)index * ORC_ENTRY_SIZE;
	if (!fetch(source, t->entries ? t->entries + at : NULL, t->entries_at + at, ORC_ENTRY_SIZE,
		   &entry))
		return false;
	decode(entry, t->kind, rule);
	return true;
}

/* ---- one frame ------------------------------------------------------------------------------ */

/* DWARF's numbers. */
enum { RDX = 1, RDI = 5, RBP = 6, RSP = 7, R10 = 10, R13 = 13 };

struct walk {
	const struct frame_registers *registers;
	struct frame_registers caller;
	frame_read_fn *read;
	void *ctx;
	struct frame_step *step;
};

static bool load(struct walk *walk, uint64_t at, unsigned number)
{
	walk->caller.known[number] = walk->read(walk->ctx, at, 8, &walk->caller.value[number]);
	if (!walk->caller.known[number])
		walk->step->place = at;
	return walk->caller.known[number];
}

/* What the rule counts from: in a register, or in memory where a register points to. */
static bool find_cfa(struct walk *walk, const struct rule *rule)
{
	static const unsigned char number[16] = {
		[ORC_DX] = RDX,	 [ORC_DI] = RDI,  [ORC_BP] = RBP,	   [ORC_SP] = RSP,
		[ORC_R10] = R10, [ORC_R13] = R13, [ORC_BP_INDIRECT] = RBP, [ORC_SP_INDIRECT] = RSP,
	};
	unsigned n = number[rule->sp];
	uint64_t cfa = walk->registers->value[n], offset = (uint64_t)(int64_t)rule->sp_offset;

	if (!n || !walk->registers->known[n])
		return false;
	walk->step->other_stack = rule->sp != ORC_SP && rule->sp != ORC_BP;
	if (rule->sp != ORC_SP_INDIRECT)
		cfa += offset;
	if (rule->sp == ORC_SP_INDIRECT || rule->sp == ORC_BP_INDIRECT) {
		walk->step->place = cfa;
		if (!walk->read(walk->ctx, cfa, 8, &cfa))
			return false;
		walk->step->place = 0;
	}
	if (rule->sp == ORC_SP_INDIRECT)
		cfa += offset;
	walk->step->cfa = cfa;
	return true;
}

static bool find_bp(struct walk *walk, const struct rule *rule)
{
	uint64_t from = walk->step->cfa;

	if (rule->bp == ORC_UNDEFINED)
		return true; /* as it was, or as it was saved */
	if (rule->bp == ORC_BP)
		from = walk->registers->value[RBP];
	else if (rule->bp != ORC_PREV_SP)
		return false;
	return load(walk, from + (uint64_t)(int64_t)rule->bp_offset, RBP);
}

/* What a function keeps for its caller lies anywhere: only two registers are known then. */
static bool by_call(struct walk *walk)
{
	for (unsigned i = 0; i < FRAME_RIP; i++)
		walk->caller.known[i] &= i == RBP;
	walk->step->rip_at = walk->step->cfa - 8;
	walk->caller.value[RSP] = walk->step->cfa;
	walk->caller.known[RSP] = true;
	return load(walk, walk->step->rip_at, FRAME_RIP);
}

static bool by_pushed(struct walk *walk, uint64_t at)
{
	walk->step->rip_at = at;
	return load(walk, at, FRAME_RIP) && load(walk, at + 24, RSP);
}

/* struct pt_regs, from its beginning. */
static bool by_regs(struct walk *walk)
{
	static const unsigned char order[] = {15, 14, 13, 12, 6, 3, 11, 10, 9, 8, 0, 2, 1, 4, 5};

	for (unsigned i = 0; i < sizeof(order); i++)
		if (!load(walk, walk->step->cfa + i * 8, order[i]))
			return false;
	return by_pushed(walk, walk->step->cfa + REGS_RIP);
}

static bool take_caller(struct walk *walk, const struct rule *rule)
{
	switch (rule->type) {
	case TYPE_CALL: return by_call(walk) && find_bp(walk, rule);
	case TYPE_REGS: return by_regs(walk) && find_bp(walk, rule);
	default: return by_pushed(walk, walk->step->cfa) && find_bp(walk, rule);
	}
}

enum frame_result orc_step(const struct orc_tables *tables, uint64_t lookup,
			   struct frame_registers *registers, frame_read_fn *read, void *ctx,
			   struct frame_step *step)
{
	const struct source source = {.tables = tables, .read = read, .ctx = ctx};
	struct walk walk = {.registers = registers,
			    .caller = *registers,
			    .read = read,
			    .ctx = ctx,
			    .step = step};
	struct rule rule;

	*step = (struct frame_step){0};
	if (!find_rule(&source, lookup, &rule) || rule.type == TYPE_UNKNOWN)
		return FRAME_NO_RULES;
	if (rule.type == TYPE_END)
		return FRAME_OUTERMOST;
	if (!find_cfa(&walk, &rule) || !take_caller(&walk, &rule))
		return FRAME_LOST;
	step->signal = rule.signal;
	step->pushed = rule.type != TYPE_CALL;
	step->rip_saved = true;
	*registers = walk.caller;
	return FRAME_CALLER;
}
