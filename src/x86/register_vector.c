// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Registers in the extended region of the XSAVE area. Where a component begins differs between
 * processors: PKRU lies behind MPX on Intel's, and where MPX would be on AMD's (SDM vol. 1, 13.4.3).
 */
#include "x86/register_access.h"

#include <errno.h>
#include <string.h>

#define XSAVE_XSTATE_BV 512

unsigned xsave_component_size(enum xsave_component component)
{
	static const uint16_t sizes[XSAVE_COMPONENTS] = {
		[XSAVE_AVX] = 16 * 16,	    [XSAVE_OPMASK] = 8 * 8, [XSAVE_ZMM_HI256] = 16 * 32,
		[XSAVE_HI16_ZMM] = 16 * 64, [XSAVE_PKRU] = 8,
	};

	return (unsigned)component < XSAVE_COMPONENTS ? sizes[component] : 0;
}

static uint64_t xstate_bv(const struct cpu_state *state)
{
	uint64_t bits;

	memcpy(&bits, state->fpu.xsave + XSAVE_XSTATE_BV, sizeof(bits));
	return bits;
}

static bool is_initial(const struct register_desc *reg, const struct cpu_state *state)
{
	return !(xstate_bv(state) >> reg->component & 1);
}

REGISTER_GET(component)
{
	size_t at = state->fpu.component[reg->component] + reg->offset;

	memset(value, 0, reg->bits / 8);
	if (register_available(reg, state) && !is_initial(reg, state))
		memcpy(value, state->fpu.xsave + at, reg->size);
}

/* All of these have zeros for their initial configuration. */
static void materialise(struct cpu_state *state, enum xsave_component component)
{
	uint64_t bits = xstate_bv(state) | 1ull << component;

	memset(state->fpu.xsave + state->fpu.component[component], 0,
	       xsave_component_size(component));
	memcpy(state->fpu.xsave + XSAVE_XSTATE_BV, &bits, sizeof(bits));
}

REGISTER_SET(component)
{
	if (!register_available(reg, state))
		return -EINVAL;
	if (register_same(reg, state, value))
		return 0;
	if (is_initial(reg, state))
		materialise(state, reg->component);
	memcpy(state->fpu.xsave + state->fpu.component[reg->component] + reg->offset, value,
	       reg->size);
	return 0;
}
