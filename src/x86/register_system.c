// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Setting segments and control registers. Which values go together is SDM vol. 3A, 2.5 and 4.1,
 * and, for segments, what a processor checks before it enters a guest (SDM vol. 3C, 27.3.1.2): a
 * state that fails there cannot be run any more.
 */
#include "x86/mode.h"
#include "x86/register_access.h"

#include <errno.h>
#include <string.h>

/* PE MP EM TS ET NE WP AM NW CD PG. */
#define CR0_KNOWN 0xe005003full

/* All that any processor defines; whether this one has the feature, the accelerator knows. */
#define CR4_KNOWN 0x11bff7fffull

/* What every x86-64 processor has. The others depend on the processor, and nothing but the
 * processor checks them: they may be kept or cleared, but not set. */
#define EFER_ALWAYS (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

/* Physical addresses have 52 bits at most. */
#define PHYS_MASK	   0xfffffffffffffull

#define APIC_BASE_EXTD	   (1ull << 10)
#define APIC_BASE_EN	   (1ull << 11)
#define APIC_BASE_RESERVED (~PHYS_MASK | 0x2ff)

#define XCR0_X87	   (1ull << 0)
#define XCR0_SSE	   (1ull << 1)
#define XCR0_AVX	   (1ull << 2)
#define XCR0_MPX	   (3ull << 3)
#define XCR0_AVX512	   (7ull << 5)
#define XCR0_PKRU	   (1ull << 9)
#define XCR0_AMX	   (3ull << 17)
#define XCR0_KNOWN	   (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_MPX | XCR0_AVX512 | XCR0_PKRU | XCR0_AMX)

/* ---- segments ----------------------------------------------------------------------------------
 */

/* member: where reg->offset points to within the segment. */
static struct cpu_segment *segment_of(const struct register_desc *reg, struct cpu_state *state,
				      size_t member)
{
	return (struct cpu_segment *)((char *)state + reg->offset - member);
}

REGISTER_SET(selector)
{
	struct cpu_segment *segment = segment_of(reg, state,
						 offsetof(struct cpu_segment, selector));
	uint64_t word = register_wanted(reg, value);
	enum cpu_mode mode = cpu_mode(state);
	bool real = mode == MODE_REAL || mode == MODE_V86;
	bool changed = word != segment->selector;
	int rc = register_store(reg, state, word, real);

	if (rc == 0 && changed)
		segment->base = word << 4;
	return rc;
}

REGISTER_SET(base)
{
	struct cpu_segment *segment = segment_of(reg, state, offsetof(struct cpu_segment, base));
	enum cpu_segment_name name = segment - state->system.seg;
	uint64_t word = register_wanted(reg, value);
	bool valid;

	if (name < SEG_TR && cpu_mode(state) == MODE_V86)
		valid = word == (uint64_t)segment->selector << 4;
	else if (name < SEG_FS)
		valid = !(word >> 32);
	else
		valid = cpu_canonical(state, word);
	return register_store(reg, state, word, valid);
}

/* Limits beyond 1 MiB are counted in pages: G says which, and a limit must be possible with it. */
REGISTER_SET(limit)
{
	struct cpu_segment *segment = segment_of(reg, state, offsetof(struct cpu_segment, limit));
	uint64_t word = register_wanted(reg, value);
	bool valid = segment->g ? (word & 0xfff) == 0xfff : word <= 0xfffff;

	if (segment - state->system.seg < SEG_TR && cpu_mode(state) == MODE_V86)
		valid = word == 0xffff;
	return register_store(reg, state, word, valid);
}

/* The layout of a descriptor's second half (SDM vol. 3A, figure 3-8), bits 8 and up, and "unusable"
 * at bit 16, as in the processor's own access rights (SDM vol. 3C, table 25-2). */
REGISTER_GET(attributes)
{
	struct cpu_segment s;
	uint32_t word;

	memcpy(&s, (const char *)state + reg->offset, sizeof(s));
	word = s.type | s.s << 4 | s.dpl << 5 | s.present << 7 | s.avl << 12 | s.l << 13 |
	       s.db << 14 | s.g << 15 | (uint32_t)s.unusable << 16;
	memcpy(value, &word, sizeof(word));
}

/* ---- control registers -------------------------------------------------------------------------
 */

static bool cr0_valid(const struct cpu_system *s)
{
	if (s->cr0 & ~CR0_KNOWN)
		return false;
	if (s->cr0 & CR0_PG && !(s->cr0 & CR0_PE))
		return false;
	return s->cr0 & CR0_CD || !(s->cr0 & CR0_NW);
}

static bool cr4_valid(const struct cpu_system *s)
{
	if (s->cr4 & ~CR4_KNOWN)
		return false;
	if (s->cr4 & CR4_PCIDE && !(s->efer & EFER_LMA))
		return false;
	return s->cr0 & CR0_WP || !(s->cr4 & CR4_CET);
}

/* LMA is LME and PG; in long mode there is PAE, and only there is 64-bit code. */
static bool long_mode_valid(const struct cpu_system *s)
{
	bool wanted = s->efer & EFER_LME && s->cr0 & CR0_PG;
	bool active = s->efer & EFER_LMA;

	if (wanted != active)
		return false;
	return active ? !!(s->cr4 & CR4_PAE) : !s->seg[SEG_CS].l;
}

/* What must not change while it is in use. */
static bool transition_valid(const struct cpu_state *state, const struct cpu_system *next)
{
	const struct cpu_system *now = &state->system;
	bool paged = now->cr0 & next->cr0 & CR0_PG;

	if (paged && (now->efer ^ next->efer) & EFER_LME)
		return false;
	if (paged && now->efer & EFER_LMA && (now->cr4 ^ next->cr4) & CR4_LA57)
		return false;
	if (now->cr0 & CR0_PE && !(next->cr0 & CR0_PE) && state->general.rflags & RFLAGS_VM)
		return false;
	return !(next->efer & ~now->efer & ~EFER_ALWAYS);
}

/* CR0, CR4 and EFER are checked together, because a processor refuses them together. */
static int set_control(struct cpu_state *state, const struct cpu_system *next)
{
	if (!cr0_valid(next) || !cr4_valid(next) || !long_mode_valid(next) ||
	    !transition_valid(state, next))
		return -EINVAL;
	state->system = *next;
	return 0;
}

REGISTER_SET(cr0)
{
	struct cpu_system next = state->system;

	if (register_same(reg, state, value))
		return 0;
	next.cr0 = register_wanted(reg, value) | CR0_ET;
	next.efer &= ~EFER_LMA;
	if (next.cr0 & CR0_PG && next.efer & EFER_LME)
		next.efer |= EFER_LMA;
	return set_control(state, &next);
}

REGISTER_SET(cr3)
{
	uint64_t word = register_wanted(reg, value);

	return register_store(reg, state, word, !(word & ~PHYS_MASK));
}

REGISTER_SET(cr4)
{
	struct cpu_system next = state->system;

	if (register_same(reg, state, value))
		return 0;
	next.cr4 = register_wanted(reg, value);
	return set_control(state, &next);
}

REGISTER_SET(efer)
{
	struct cpu_system next = state->system;

	if (register_same(reg, state, value))
		return 0;
	next.efer = register_wanted(reg, value);
	return set_control(state, &next);
}

REGISTER_SET(cr8)
{
	uint64_t word = register_wanted(reg, value);

	return register_store(reg, state, word, word < 16);
}

REGISTER_SET(apic_base)
{
	uint64_t word = register_wanted(reg, value);
	bool x2apic_alone = word & APIC_BASE_EXTD && !(word & APIC_BASE_EN);

	return register_store(reg, state, word, !(word & APIC_BASE_RESERVED) && !x2apic_alone);
}

static bool all_or_none(uint64_t word, uint64_t bits)
{
	return !(word & bits) || (word & bits) == bits;
}

/* SDM vol. 1, 13.3. */
REGISTER_SET(xcr0)
{
	uint64_t word = register_wanted(reg, value);
	bool valid = word & XCR0_X87 && !(word & ~XCR0_KNOWN) && all_or_none(word, XCR0_MPX) &&
		     all_or_none(word, XCR0_AVX512) && all_or_none(word, XCR0_AMX);

	if (word & XCR0_AVX && !(word & XCR0_SSE))
		valid = false;
	if (word & XCR0_AVX512 && !(word & XCR0_AVX))
		valid = false;
	return register_store(reg, state, word, valid);
}
