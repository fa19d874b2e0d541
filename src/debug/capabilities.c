// SPDX-License-Identifier: GPL-3.0-or-later
/* What the core knows of its host: in which of the modes that differ a vCPU is, and what was found there. */
#include "debug/core.h"

const char *capability_mode_name(enum capability_mode mode)
{
	static const char *const names[CAP_MODE_COUNT] = {[CAP_REAL] = "real mode",
							  [CAP_PROT] = "protected mode",
							  [CAP_LONG] = "long mode",
							  [CAP_USER] = "ring 3"};

	return names[mode];
}

enum capability_mode core_mode_of(const struct cpu_state *state)
{
	switch (cpu_mode(state)) {
	case MODE_REAL:
	case MODE_V86: return CAP_REAL;
	default: break;
	}
	if (cpu_cpl(state) == 3)
		return CAP_USER;
	return cpu_mode(state) == MODE_LONG ? CAP_LONG : CAP_PROT;
}

const struct debug_capabilities *debug_capabilities(struct debug *debug)
{
	return &debug->capabilities;
}
