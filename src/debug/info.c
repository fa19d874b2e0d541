// SPDX-License-Identifier: GPL-3.0-or-later
/* What a vCPU is like, in words. */
#include "debug/core.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int debug_vcpu_info(struct debug *debug, int vcpu, struct vcpu_info *info)
{
	const struct cpu_state *state = debug_state(debug, vcpu,
						    CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	const uint64_t *exits;

	if (!state)
		return -EBUSY;
	*info = (struct vcpu_info){.mode = cpu_mode(state),
				   .cpl = cpu_cpl(state),
				   .interrupts = state->general.rflags & RFLAGS_IF,
				   .run_state = state->events.run_state,
				   .pc = cpu_linear_pc(state),
				   .cr3 = state->system.cr3};
	if (debug->machine->vcpus[vcpu].halted)
		info->run_state = CPU_HALTED;
	exits = debug->machine->vcpus[vcpu].exits;
	for (int i = 0; i < EXIT_REASON_COUNT; i++)
		info->exits += exits[i];
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

static size_t __attribute__((format(printf, 4, 5)))
add_text(char *buf, size_t size, size_t at, const char *fmt, ...)
{
	va_list args;
	int n;

	if (at >= size)
		return at;
	va_start(args, fmt);
	n = vsnprintf(buf + at, size - at, fmt, args);
	va_end(args);
	return n < 0 ? at : at + (size_t)n;
}

static size_t add_record(char *buf, size_t size, size_t at, const struct exit_record *r)
{
	unsigned long long address = r->address, value = r->value;

	switch (r->reason) {
	case EXIT_IO:
	case EXIT_MMIO:
		at = add_text(buf, size, at, "%-5s %-3s 0x%llx, %u byte%s",
			      r->reason == EXIT_IO ? "io" : "mmio", r->write ? "out" : "in",
			      address, r->size, r->size == 1 ? "" : "s");
		return r->write ? add_text(buf, size, at, ": 0x%llx\n", value)
				: add_text(buf, size, at, "\n");
	case EXIT_DEBUG: return add_text(buf, size, at, "debug at 0x%llx\n", address);
	case EXIT_INTERNAL_ERROR:
		return add_text(buf, size, at, "internal error, sub-error %llu\n", value);
	case EXIT_HOST_ERROR:
		return add_text(buf, size, at, "host error: %s\n", strerror((int)value));
	default: return add_text(buf, size, at, "%s (%s)\n", exit_reason_name(r->reason), r->name);
	}
}

void debug_exits_text(struct debug *debug, int vcpu, char *buf, size_t size)
{
	const struct vcpu *v;
	size_t at = 0;
	uint64_t first;

	buf[0] = '\0';
	if (vcpu < 0 || (unsigned)vcpu >= debug->machine->vcpu_count || debug_running(debug))
		return;
	v = &debug->machine->vcpus[vcpu];
	first = v->record_count > EXIT_RECORDS ? v->record_count - EXIT_RECORDS : 0;
	for (uint64_t i = first; i < v->record_count; i++)
		at = add_record(buf, size, at, &v->record[i % EXIT_RECORDS]);
}

uint64_t debug_exit_count(struct debug *debug, int vcpu, unsigned reason, const char **name)
{
	if (reason >= EXIT_REASON_COUNT || vcpu < 0 || (unsigned)vcpu >= debug->machine->vcpu_count)
		return *name = NULL, 0;
	*name = exit_reason_name((enum exit_reason)reason);
	return debug_running(debug) ? 0 : debug->machine->vcpus[vcpu].exits[reason];
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
