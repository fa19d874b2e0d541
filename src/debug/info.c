// SPDX-License-Identifier: GPL-3.0-or-later
/* What a vCPU is like, in words. */
#include "debug/core.h"

#include <errno.h>
#include <stdio.h>

int debug_vcpu_info(struct debug *debug, int vcpu, struct vcpu_info *info)
{
	const struct cpu_state *state = debug_state(debug, vcpu,
						    CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);

	if (!state)
		return -EBUSY;
	*info = (struct vcpu_info){.mode = cpu_mode(state),
				   .cpl = cpu_cpl(state),
				   .interrupts = state->general.rflags & RFLAGS_IF,
				   .run_state = state->events.run_state,
				   .pc = cpu_linear_pc(state),
				   .cr3 = state->system.cr3,
				   .held = debug->vcpu[vcpu].plan.action == PLAN_HOLD};
	if (debug->machine->vcpus[vcpu].halted)
		info->run_state = CPU_HALTED;
	for (int i = 0; i < EXIT_REASON_COUNT; i++)
		info->exits += recorder_exits(&debug->machine->vcpus[vcpu].recorder,
					      (enum exit_reason)i);
	return 0;
}

void debug_vcpu_text(struct debug *debug, int vcpu, char *buf, size_t size)
{
	static const char *const waiting[] = {[CPU_RUNNABLE] = "",
					      [CPU_HALTED] = ", halted",
					      [CPU_WAIT_INIT] = ", waits for INIT",
					      [CPU_WAIT_SIPI] = ", waits for its startup IPI"};
	struct vcpu_info info;

	if (debug_vcpu_info(debug, vcpu, &info) < 0) {
		snprintf(buf, size, "running");
		return;
	}
	snprintf(buf, size, "%s, ring %u, cr3 0x%llx, IF=%d%s", cpu_mode_name(info.mode), info.cpl,
		 (unsigned long long)info.cr3, info.interrupts, waiting[info.run_state]);
}

struct unclaimed_counts debug_unclaimed(struct debug *debug)
{
	struct unclaimed_counts counts;

	machine_lock_devices(debug->machine);
	counts.ports = debug->machine->ports.unclaimed;
	counts.mmio = debug->machine->mmio.unclaimed;
	machine_unlock_devices(debug->machine);
	return counts;
}
