// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * qMemoryRegionInfo (LLDB's extensions of the protocol, "qMemoryRegionInfo:<addr>"). The guest may map RAM at any
 * address that its processor can form, at any time; where none can be, LLDB keeps variables of its own. Without an
 * answer for every address its expressions fail, because it then believes the memory map, which has no such place.
 */
#include "gdbstub/stub.h"

#include <errno.h>

/* Where memory can be: [0, low) and from high up to the end of all; high is 0 when there is nothing up there. */
struct reach {
	uint64_t low, high;
};

static struct reach reach_of(const struct cpu_state *state)
{
	unsigned bits = state->system.cr4 & CR4_LA57 ? 56 : 47;

	if (cpu_mode(state) != MODE_LONG)
		return (struct reach){.low = 1ull << 32};
	return (struct reach){.low = 1ull << bits, .high = ~0ull << bits};
}

static void describe(struct gdb_session *s, uint64_t start, uint64_t end, bool memory)
{
	reply_format(&s->reply, "start:%llx;size:%llx;%s", (unsigned long long)start,
		     (unsigned long long)(end - start), memory ? "permissions:rwx;" : "");
}

int command_memory_region(struct gdb_session *s, struct request *request)
{
	const struct cpu_state *state;
	struct reach reach;
	uint64_t addr;

	if (!take_hex(request, &addr) || !take_end(request))
		return -EINVAL;
	state = debug_state(s->debug, (int)s->general, CPU_GENERAL | CPU_SYSTEM);
	if (!state)
		return -EBUSY;
	reach = reach_of(state);
	if (addr < reach.low)
		describe(s, 0, reach.low, true);
	else if (reach.high && addr >= reach.high)
		describe(s, reach.high, 0, true);
	else
		describe(s, reach.low, reach.high, false);
	return 0;
}
