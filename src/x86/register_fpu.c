// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * x87 and SSE registers in the legacy region of the XSAVE area (SDM vol. 1, 13.4.1; figure 10-2).
 *
 * A component whose XSTATE_BV bit is 0 is in its initial configuration, whatever the area holds
 * (SDM vol. 1, 13.6). MXCSR is the exception: it is always loaded from the area.
 */
#include "x86/register_access.h"

#include <errno.h>
#include <string.h>

#define XSAVE_FCW	 0
#define XSAVE_FSW	 2
#define XSAVE_FTW	 4
#define XSAVE_MXCSR	 24
#define XSAVE_MXCSR_MASK 28
#define XSAVE_ST	 32
#define XSAVE_XMM	 160
#define XSAVE_LEGACY_END 416
#define XSAVE_XSTATE_BV	 512

#define XSTATE_X87	 1ull
#define XSTATE_SSE	 2ull

#define FCW_INITIAL	 0x37f
#define FCW_FIXED	 0x40 /* reads as 1 on every processor since the 80387 */
#define FCW_KNOWN	 0x1f7f
#define FOP_KNOWN	 0x7ff

/* Where MXCSR_MASK is 0, it stands for this (SDM vol. 1, 11.6.6). */
#define MXCSR_MASK_DEFAULT 0xffbf

#define ST_BYTES	   16 /* from one register to the next */

enum tag { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

static uint64_t xstate_bv(const struct cpu_state *state)
{
	uint64_t bits;

	memcpy(&bits, state->fpu.xsave + XSAVE_XSTATE_BV, sizeof(bits));
	return bits;
}

static uint64_t component_of(size_t at)
{
	return at < XSAVE_XMM ? XSTATE_X87 : XSTATE_SSE;
}

static size_t place_of(const struct register_desc *reg)
{
	return reg->offset - offsetof(struct cpu_state, fpu.xsave);
}

/* What the CPU would have there. */
static const uint8_t *look(const struct cpu_state *state, size_t at)
{
	static const uint8_t initial[XSAVE_LEGACY_END] = {FCW_INITIAL & 0xff, FCW_INITIAL >> 8};
	bool present = xstate_bv(state) & component_of(at);

	return (present ? state->fpu.xsave : initial) + at;
}

/* Writes a component's initial configuration out, so that one register of it can be changed. */
static void materialise(struct cpu_state *state, uint64_t component)
{
	uint64_t bits = xstate_bv(state);
	uint8_t *area = state->fpu.xsave;
	static const uint16_t fcw = FCW_INITIAL;

	if (bits & component)
		return;
	if (component == XSTATE_X87) {
		memset(area, 0, XSAVE_MXCSR);
		memset(area + XSAVE_ST, 0, XSAVE_XMM - XSAVE_ST);
		memcpy(area + XSAVE_FCW, &fcw, sizeof(fcw));
	} else {
		memset(area + XSAVE_XMM, 0, XSAVE_LEGACY_END - XSAVE_XMM);
	}
	bits |= component;
	memcpy(area + XSAVE_XSTATE_BV, &bits, sizeof(bits));
}

REGISTER_GET(fpu)
{
	memset(value, 0, reg->bits / 8);
	memcpy(value, look(state, place_of(reg)), reg->size);
}

/* What reg->size does not hold must be 0: FSW, say, has 16 bits, and gdb shows 32. */
REGISTER_SET(fpu)
{
	const uint8_t *bytes = value;

	if (register_same(reg, state, value))
		return 0;
	for (unsigned i = reg->size; i < reg->bits / 8; i++) {
		if (bytes[i])
			return -EINVAL;
	}
	materialise(state, component_of(place_of(reg)));
	memcpy(state->fpu.xsave + place_of(reg), bytes, reg->size);
	return 0;
}

REGISTER_SET(fctrl)
{
	uint64_t word = register_wanted(reg, value);

	if (register_same(reg, state, value))
		return 0;
	if (word & ~(uint64_t)FCW_KNOWN)
		return -EINVAL;
	word |= FCW_FIXED;
	return register_set_fpu(reg, state, &word);
}

REGISTER_SET(fop)
{
	if (register_same(reg, state, value))
		return 0;
	if (register_wanted(reg, value) & ~(uint64_t)FOP_KNOWN)
		return -EINVAL;
	return register_set_fpu(reg, state, value);
}

/* SDM vol. 1, table 4-3 and 8.1.7; st: ten bytes. */
static enum tag classify(const uint8_t *st)
{
	uint64_t mantissa;
	uint16_t exponent;

	memcpy(&mantissa, st, sizeof(mantissa));
	memcpy(&exponent, st + sizeof(mantissa), sizeof(exponent));
	exponent &= 0x7fff;
	if (exponent == 0 && mantissa == 0)
		return TAG_ZERO;
	if (exponent == 0 || exponent == 0x7fff || !(mantissa >> 63))
		return TAG_SPECIAL;
	return TAG_VALID;
}

/* The area has one bit per register, set where it is not empty; the full tag word has two, and they
 * are those of the physical registers: ST(0) is register TOP. */
REGISTER_GET(ftag)
{
	unsigned abridged = *look(state, XSAVE_FTW);
	unsigned top = look(state, XSAVE_FSW)[1] >> 3 & 7;
	uint32_t word = 0;

	for (unsigned i = 0; i < 8; i++) {
		unsigned st = (i - top) & 7;
		enum tag tag = TAG_EMPTY;

		if (abridged >> i & 1)
			tag = classify(look(state, XSAVE_ST + (size_t)st * ST_BYTES));
		word |= (uint32_t)tag << (2 * i);
	}
	memcpy(value, &word, reg->bits / 8);
}

/* As FLDENV does: empty or not is taken over, the rest follows from what the registers hold. */
REGISTER_SET(ftag)
{
	uint64_t word = register_wanted(reg, value);
	uint8_t abridged = 0;

	if (register_same(reg, state, value))
		return 0;
	if (word >> 16)
		return -EINVAL;
	for (unsigned i = 0; i < 8; i++) {
		if ((word >> (2 * i) & 3) != TAG_EMPTY)
			abridged |= 1u << i;
	}
	materialise(state, XSTATE_X87);
	state->fpu.xsave[XSAVE_FTW] = abridged;
	return 0;
}

REGISTER_SET(mxcsr)
{
	uint64_t word = register_wanted(reg, value);
	uint32_t mask;

	if (register_same(reg, state, value))
		return 0;
	memcpy(&mask, state->fpu.xsave + XSAVE_MXCSR_MASK, sizeof(mask));
	if (word & ~(uint64_t)(mask ? mask : MXCSR_MASK_DEFAULT))
		return -EINVAL;
	materialise(state, XSTATE_SSE);
	return register_store(reg, state, word, true);
}
