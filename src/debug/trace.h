/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The flight recorder: what each vCPU left the guest for, and where its time went. Part of
 * debug/debug.h, the only door. Everything here works while the machine runs, too, and does not
 * disturb it; the numbers of a running vCPU are then those of a moment ago.
 */
#ifndef DEBUG_TRACE_H
#define DEBUG_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct debug;

/* One exit. */
struct trace_record {
	int vcpu;
	uint64_t number;  /* 1, 2, 3, … on this vCPU */
	uint64_t ns;	  /* since the machine was made, when the guest was left */
	unsigned reason;  /* as debug_trace_share() counts them */
	const char *name; /* "io", "mmio", … */
	const char *exit; /* the accelerator's own name: "KVM_EXIT_IO"; static */
	bool has_pc;   /* a pc costs nothing while points are set or steps made; see the chapter */
	uint64_t pc;   /* linear; of I/O the instruction, or the one behind, as KVM has it */
	char text[80]; /* "out 0x3f8 ← 0x41 'A'" */
};

/* The newest records of a vCPU, at most max (there are some 4000), oldest first. Returns how many. */
unsigned debug_trace(struct debug *debug, int vcpu, struct trace_record *records, unsigned max);

/* The same of all vCPUs in the order of time. */
unsigned debug_trace_all(struct debug *debug, struct trace_record *records, unsigned max);

/* One reason's part in all exits of a vCPU so far. */
struct trace_share {
	const char *name; /* "io" */
	uint64_t exits;
	uint64_t guest_ns;   /* in the guest, and in KVM, until they came */
	uint64_t vitrine_ns; /* in vitrine, until the guest was entered again or the vCPU parked */
};
/* reason: 0, 1, 2, … False: there are no more. */
bool debug_trace_share(struct debug *debug, int vcpu, unsigned reason, struct trace_share *share);

/* What most of the recorded exits for a reason were about. */
struct trace_target {
	uint64_t address;
	bool write;
	unsigned count;
	char text[48]; /* "0x3f8 out", "rdmsr MSR_EFER" */
};
/* The max most frequent ones, most frequent first. Returns how many: 0 where a reason has no such thing.
 * *looked_at (may be NULL): among how many records of this vCPU. */
unsigned debug_trace_targets(struct debug *debug, int vcpu, unsigned reason,
			     struct trace_target *targets, unsigned max, unsigned *looked_at);

/* From the next resume on every exit tells its pc, at the price of a larger exit. Off by default. */
void debug_trace_set_pc(struct debug *debug, bool on);
bool debug_trace_pc(const struct debug *debug);

#endif
