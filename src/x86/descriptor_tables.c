// SPDX-License-Identifier: GPL-3.0-or-later
#include "x86/descriptor_tables.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Byte 5 of a descriptor, and byte 6. */
#define D_TYPE	  0x0f
#define D_SEGMENT 0x10
#define D_PRESENT 0x80
#define D_LONG	  0x20
#define D_BIG	  0x40
#define D_PAGES	  0x80

/* The types of segments (SDM vol. 3A, table 3-1). */
#define T_ACCESSED 1
#define T_WRITE	   2 /* of code: read */
#define T_DOWN	   4 /* of code: conforming */
#define T_CODE	   8

/* Types of system descriptors, table 3-2. What is left out is reserved. */
struct system_type {
	enum descriptor_kind kind;
	unsigned bits;
};

static const struct system_type types_32[16] = {
	[1] = {DESCRIPTOR_TSS, 16},
	[2] = {DESCRIPTOR_LDT, 32},
	[3] = {DESCRIPTOR_TSS, 16},
	[4] = {DESCRIPTOR_CALL_GATE, 16},
	[5] = {DESCRIPTOR_TASK_GATE, 32},
	[6] = {DESCRIPTOR_INTERRUPT_GATE, 16},
	[7] = {DESCRIPTOR_TRAP_GATE, 16},
	[9] = {DESCRIPTOR_TSS, 32},
	[11] = {DESCRIPTOR_TSS, 32},
	[12] = {DESCRIPTOR_CALL_GATE, 32},
	[14] = {DESCRIPTOR_INTERRUPT_GATE, 32},
	[15] = {DESCRIPTOR_TRAP_GATE, 32},
};

static const struct system_type types_64[16] = {
	[2] = {DESCRIPTOR_LDT, 64},
	[9] = {DESCRIPTOR_TSS, 64},
	[11] = {DESCRIPTOR_TSS, 64},
	[12] = {DESCRIPTOR_CALL_GATE, 64},
	[14] = {DESCRIPTOR_INTERRUPT_GATE, 64},
	[15] = {DESCRIPTOR_TRAP_GATE, 64},
};

static bool is_gate(const struct descriptor *d)
{
	return d->kind >= DESCRIPTOR_CALL_GATE && d->kind <= DESCRIPTOR_TRAP_GATE;
}

static void decode_segment(const uint8_t e[16], struct descriptor *d)
{
	uint32_t limit = e[0] | (uint32_t)e[1] << 8 | (uint32_t)(e[6] & 0xf) << 16;
	uint32_t high = 0;

	if (d->bytes == 16)
		memcpy(&high, e + 8, sizeof(high));
	d->base = e[2] | (uint32_t)e[3] << 8 | (uint32_t)e[4] << 16 | (uint64_t)e[7] << 24 |
		  (uint64_t)high << 32;
	d->limit = e[6] & D_PAGES ? limit << 12 | 0xfff : limit;
}

static void decode_gate(const uint8_t e[16], bool long_mode, struct descriptor *d)
{
	uint16_t low, high;
	uint32_t top = 0;

	memcpy(&low, e, 2);
	memcpy(&d->selector, e + 2, 2);
	memcpy(&high, e + 6, 2);
	if (d->bytes == 16)
		memcpy(&top, e + 8, sizeof(top));
	d->offset = d->bits == 16 ? low : (uint64_t)top << 32 | (uint32_t)high << 16 | low;
	if (long_mode)
		d->stack = d->kind == DESCRIPTOR_CALL_GATE ? 0 : e[4] & 7;
	else
		d->stack = d->kind == DESCRIPTOR_CALL_GATE ? e[4] & 0x1f : 0;
}

static void decode_system(const uint8_t e[16], bool long_mode, bool in_idt, struct descriptor *d)
{
	const struct system_type *type = &(long_mode ? types_64 : types_32)[d->type];

	d->kind = type->kind ? type->kind : DESCRIPTOR_RESERVED;
	d->bits = type->bits;
	d->bytes = long_mode && (in_idt || d->kind != DESCRIPTOR_RESERVED) ? 16 : 8;
	if (is_gate(d))
		decode_gate(e, long_mode, d);
	else
		decode_segment(e, d);
}

static unsigned segment_bits(const uint8_t *e, bool long_mode)
{
	if (long_mode && e[5] & T_CODE && e[6] & D_LONG)
		return 64;
	return e[6] & D_BIG ? 32 : 16;
}

void descriptor_decode(const uint8_t *entry, size_t bytes, bool long_mode, bool in_idt,
		       struct descriptor *d)
{
	static const uint8_t nothing[16];
	uint8_t e[16] = {0};

	memcpy(e, entry, bytes < sizeof(e) ? bytes : sizeof(e));
	*d = (struct descriptor){.type = e[5] & D_TYPE,
				 .present = e[5] & D_PRESENT,
				 .dpl = e[5] >> 5 & 3,
				 .bytes = in_idt && long_mode ? 16 : 8};
	if (!memcmp(e, nothing, d->bytes))
		return;
	if (in_idt || !(e[5] & D_SEGMENT)) {
		decode_system(e, long_mode, in_idt, d);
		if (in_idt && !is_gate(d))
			d->kind = DESCRIPTOR_RESERVED;
		return;
	}
	d->kind = e[5] & T_CODE ? DESCRIPTOR_CODE : DESCRIPTOR_DATA;
	d->bits = segment_bits(e, long_mode);
	d->long_code = d->bits < 64 && segment_bits(e, true) == 64;
	decode_segment(e, d);
}

static unsigned bits_of(const struct cpu_segment *segment, bool long_mode)
{
	if (long_mode && segment->type & T_CODE && segment->l)
		return 64;
	return segment->db ? 32 : 16;
}

void descriptor_of_segment(const struct cpu_segment *segment, bool long_mode, struct descriptor *d)
{
	const struct system_type *type = &(long_mode ? types_64 : types_32)[segment->type & D_TYPE];

	*d = (struct descriptor){.type = segment->type,
				 .present = segment->present,
				 .dpl = segment->dpl,
				 .base = segment->base,
				 .limit = segment->limit,
				 .bytes = 8};
	if (segment->s) {
		d->kind = segment->type & T_CODE ? DESCRIPTOR_CODE : DESCRIPTOR_DATA;
		d->bits = bits_of(segment, long_mode);
	} else {
		d->kind = type->kind ? type->kind : DESCRIPTOR_RESERVED;
		d->bits = type->bits;
		d->bytes = long_mode ? 16 : 8;
	}
}

/* ---- words --------------------------------------------------------------------------------- */

static const char *segment_rights(const struct descriptor *d)
{
	if (d->kind == DESCRIPTOR_CODE)
		return d->type & T_WRITE ? ", readable" : ", execute-only";
	return d->type & T_WRITE ? ", writable" : ", read-only";
}

char *descriptor_text(const struct descriptor *d, char *buf, size_t size)
{
	static const char *const names[] = {
		[DESCRIPTOR_EMPTY] = "empty",
		[DESCRIPTOR_CODE] = "code",
		[DESCRIPTOR_DATA] = "data",
		[DESCRIPTOR_LDT] = "LDT",
		[DESCRIPTOR_TSS] = "TSS",
		[DESCRIPTOR_CALL_GATE] = "call gate",
		[DESCRIPTOR_TASK_GATE] = "task gate",
		[DESCRIPTOR_INTERRUPT_GATE] = "interrupt gate",
		[DESCRIPTOR_TRAP_GATE] = "trap gate",
	};

	if (d->kind == DESCRIPTOR_RESERVED)
		snprintf(buf, size, "reserved type %u", d->type);
	else if (d->kind == DESCRIPTOR_CODE || d->kind == DESCRIPTOR_DATA)
		snprintf(buf, size, "%s, %u bits%s%s%s%s", names[d->kind], d->bits,
			 d->long_code ? " (64 in long mode)" : "", segment_rights(d),
			 !(d->type & T_DOWN)	      ? ""
			 : d->kind == DESCRIPTOR_CODE ? ", conforming"
						      : ", expand-down",
			 d->type & T_ACCESSED ? ", accessed" : "");
	else if (d->kind == DESCRIPTOR_TSS)
		snprintf(buf, size, "TSS, %u bits, %s", d->bits,
			 d->type & 2 ? "busy" : "available");
	else if (is_gate(d) && d->kind != DESCRIPTOR_TASK_GATE)
		snprintf(buf, size, "%s, %u bits", names[d->kind], d->bits);
	else
		snprintf(buf, size, "%s", names[d->kind]);
	return buf;
}

/* ---- the task state segment ----------------------------------------------------------------- */

// clang-format off
/* SDM vol. 3A, figures 7-2, 7-10 and 7-11. */
static const struct tss_field fields_16[] = {
	{"link", 0, 2}, {"sp0", 2, 2}, {"ss0", 4, 2}, {"sp1", 6, 2}, {"ss1", 8, 2}, {"sp2", 10, 2},
	{"ss2", 12, 2}, {"ip", 14, 2}, {"flags", 16, 2}, {"ax", 18, 2}, {"cx", 20, 2}, {"dx", 22, 2},
	{"bx", 24, 2}, {"sp", 26, 2}, {"bp", 28, 2}, {"si", 30, 2}, {"di", 32, 2}, {"es", 34, 2},
	{"cs", 36, 2}, {"ss", 38, 2}, {"ds", 40, 2}, {"ldt", 42, 2},
};
static const struct tss_field fields_32[] = {
	{"link", 0, 2}, {"esp0", 4, 4}, {"ss0", 8, 2}, {"esp1", 12, 4}, {"ss1", 16, 2}, {"esp2", 20, 4},
	{"ss2", 24, 2}, {"cr3", 28, 4}, {"eip", 32, 4}, {"eflags", 36, 4}, {"eax", 40, 4}, {"ecx", 44, 4},
	{"edx", 48, 4}, {"ebx", 52, 4}, {"esp", 56, 4}, {"ebp", 60, 4}, {"esi", 64, 4}, {"edi", 68, 4},
	{"es", 72, 2}, {"cs", 76, 2}, {"ss", 80, 2}, {"ds", 84, 2}, {"fs", 88, 2}, {"gs", 92, 2},
	{"ldt", 96, 2}, {"trap", 100, 2}, {"iomap", 102, 2},
};
static const struct tss_field fields_64[] = {
	{"rsp0", 4, 8}, {"rsp1", 12, 8}, {"rsp2", 20, 8}, {"ist1", 36, 8}, {"ist2", 44, 8}, {"ist3", 52, 8},
	{"ist4", 60, 8}, {"ist5", 68, 8}, {"ist6", 76, 8}, {"ist7", 84, 8}, {"iomap", 102, 2},
};
// clang-format on

const struct tss_field *tss_fields(unsigned bits, unsigned *count)
{
	*count = bits == 64   ? ARRAY_SIZE(fields_64)
		 : bits == 32 ? ARRAY_SIZE(fields_32)
			      : ARRAY_SIZE(fields_16);
	return bits == 64 ? fields_64 : bits == 32 ? fields_32 : fields_16;
}

unsigned tss_bits(const struct cpu_system *system)
{
	if (system->efer & EFER_LMA)
		return 64;
	return system->seg[SEG_TR].type & T_CODE ? 32 : 16;
}
