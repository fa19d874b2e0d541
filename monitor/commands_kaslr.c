// SPDX-License-Identifier: GPL-3.0-or-later
/* Kernels that have moved. */
#include "monitor/commands.h"

#include <errno.h>
#include <inttypes.h>

#define KERNEL_HALF (1ull << 63)

void kaslr_begin(struct monitor *monitor)
{
	monitor->searched = 0;
	if (monitor->symbols && !monitor->placed)
		symbols_set_offset(monitor->symbols, debug_image_slide(monitor->debug));
}

static int find(struct monitor *monitor, int cpu, struct image_slide *slide)
{
	size_t size;
	const void *elf = symbols_file_bytes(monitor->symbols, &size);
	int ret = elf ? debug_find_slide(monitor->debug, cpu, elf, size, slide) : -ENOENT;

	if (!ret && slide->found && !monitor->placed)
		symbols_set_offset(monitor->symbols, slide->slide);
	return ret;
}

/* A search takes a while. A kernel changes its IDT a few times when it starts, and then not again. */
void kaslr_follow(struct monitor *monitor, const struct stop *stop)
{
	const struct cpu_state *state;
	struct image_slide slide;

	if (!monitor->symbols || monitor->placed || stop->vcpu < 0 || stop->pc < KERNEL_HALF ||
	    debug_image_slide(monitor->debug))
		return;
	state = debug_state(monitor->debug, stop->vcpu, CPU_SYSTEM);
	if (!state || state->system.idt.base == monitor->searched)
		return;
	monitor->searched = state->system.idt.base;
	find(monitor, stop->vcpu, &slide);
}

static void tell(struct call *call, const struct image_slide *slide)
{
	uint64_t prepared = debug_image_slide(call->monitor->debug);

	if (slide->slide)
		out_printf(call->out,
			   "0x%" PRIx64 " above where it was linked: it begins at 0x%" PRIx64
			   "%s\n",
			   slide->slide, slide->base + slide->slide,
			   slide->slide == prepared ? ", where vitrine has put it" : "");
	else
		out_printf(call->out, "none: it is where it was linked, at 0x%" PRIx64 "\n",
			   slide->base);
	if (symbols_offset(call->monitor->symbols) != slide->slide)
		out_printf(call->out,
			   "the symbols are 0x%" PRIx64 " above, as symbol-file -o has it\n",
			   symbols_offset(call->monitor->symbols));
	fact_hex(call->out, "slide", slide->slide);
	fact_hex(call->out, "base", slide->base + slide->slide);
	fact_hex(call->out, "prepared", prepared);
}

int run_info_kaslr(struct call *call)
{
	struct image_slide slide;
	int ret = find(call->monitor, call->cpu, &slide);

	if (ret == -ENOENT)
		return error_set(call->err, ret,
				 "no file of the kernel's is there to compare with; give one to "
				 "symbol-file");
	if (ret)
		return error_set(call->err, ret, "the kernel cannot be looked for");
	fact_flag(call->out, "found", slide.found);
	if (slide.found)
		tell(call, &slide);
	else
		out_wrapped(call->out,
			    "not to be seen from here: no code of the kernel's is where this vCPU "
			    "runs, nor where its exceptions go",
			    0, 0);
	return 0;
}
