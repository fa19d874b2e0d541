// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * From an exit to a stop, in the vCPU's thread: whose was it, ours or the guest's? What KVM
 * reported decides (vector, DR6, pc, instruction bytes), never a guess. What belongs to the guest
 * is given back.
 */
#include "debug/compare.h"
#include "debug/core.h"

#include "log.h"
#include "x86/exceptions.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INT3 0xcc

const char *stop_reason_name(enum stop_reason reason)
{
	static const char *const names[STOP_REASON_COUNT] = {
		[STOP_PAUSE] = "paused",
		[STOP_STEP] = "step",
		[STOP_BREAKPOINT] = "breakpoint",
		[STOP_HW_BREAKPOINT] = "hardware breakpoint",
		[STOP_WATCH_WRITE] = "write watch",
		[STOP_WATCH_READ] = "read watch",
		[STOP_WATCH_ACCESS] = "access watch",
		[STOP_GUEST_INT3] = "guest's own int3",
		[STOP_EXCEPTION] = "exception",
		[STOP_IO] = "port I/O",
		[STOP_MMIO] = "MMIO",
		[STOP_MSR] = "MSR access",
		[STOP_MODE_SWITCH] = "mode switch",
		[STOP_TRIPLE_FAULT] = "triple fault",
		[STOP_RESET] = "reset",
		[STOP_SHUTDOWN] = "shutdown",
		[STOP_EMULATION_FAILURE] = "emulation failure",
		[STOP_HOST_ERROR] = "host error",
		[STOP_HLT] = "hlt",
		[STOP_ONLINE] = "vCPU online",
	};

	return reason < STOP_REASON_COUNT ? names[reason] : "unknown";
}

static struct stop __attribute__((format(printf, 3, 4)))
make_stop(struct vcpu *vcpu, enum stop_reason reason, const char *fmt, ...)
{
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	struct stop stop = {
		.reason = reason, .vcpu = vcpu->index, .pc = state ? cpu_linear_pc(state) : 0};
	va_list args;

	va_start(args, fmt);
	vsnprintf(stop.text, sizeof(stop.text), fmt, args);
	va_end(args);
	return stop;
}

/* ---- points ------------------------------------------------------------------------------ */

static enum stop_reason reason_of(enum point_kind kind)
{
	static const enum stop_reason table[] = {[POINT_SOFTWARE] = STOP_BREAKPOINT,
						 [POINT_HARDWARE] = STOP_HW_BREAKPOINT,
						 [POINT_WRITE] = STOP_WATCH_WRITE,
						 [POINT_READ] = STOP_WATCH_READ,
						 [POINT_ACCESS] = STOP_WATCH_ACCESS};

	return table[kind];
}

static struct stop hit_stop(struct vcpu *vcpu, const struct core_point *point)
{
	struct stop stop = make_stop(vcpu, reason_of(point->point.spec.kind), "%s", "");

	stop.address = point->point.spec.address;
	return stop;
}

/* A copy may lie where a breakpoint waits for it. */
static bool on_stray(struct debug *debug, struct vcpu *vcpu)
{
	struct stop stop = make_stop(vcpu, STOP_BREAKPOINT, "%s", "");
	bool any;

	if (core_judge_here(debug, vcpu, &stop, &any)) {
		core_stop(debug, &stop);
		return false;
	}
	return true;
}

/* ---- breakpoints --------------------------------------------------------------------------- */

/* The vCPU stands on breakpoints, before the instruction there. When all of them let it pass, that one
 * instruction is executed without them: a step, if one was asked for. */
static bool on_breakpoints(struct debug *debug, struct vcpu *vcpu)
{
	struct stop stop = make_stop(vcpu, STOP_BREAKPOINT, "%s", "");
	bool any;

	if (core_aside_ends(debug, vcpu))
		return false;
	if (core_sprint_ends(debug, vcpu)) {
		if (core_step_done(debug, vcpu))
			core_park_briefly(debug);
		return false;
	}
	if (!core_came_back(debug, vcpu) && core_judge_here(debug, vcpu, &stop, &any)) {
		core_stop(debug, &stop);
		return false;
	}
	if (core_pass(debug, vcpu))
		return vcpu->stepping ? core_step_done(debug, vcpu) : true;
	core_pass_slowly(debug, vcpu);
	return false;
}

/* ---- exits, by reason -------------------------------------------------------------------- */

static bool give_back(struct vcpu *vcpu, unsigned vector)
{
	vcpu->debug.inject = (int)vector;
	vcpu->debug_changed = true;
	return true;
}

/* It is the guest's, and will be delivered, whether or not somebody wants to hear of it before. */
static bool guest_int3(struct debug *debug, struct vcpu *vcpu, uint64_t pc)
{
	struct stop stop = make_stop(vcpu, STOP_GUEST_INT3,
				     "the guest's own int3 at 0x%llx; its handler is next",
				     (unsigned long long)pc);

	stop.writer = pc;
	if (!core_caught(debug, vcpu, POINT_CATCH_INT3, &stop))
		return true;
	core_stop(debug, &stop);
	return false;
}

static bool on_breakpoint_trap(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	if (core_planted_at(debug, vcpu, exit->debug.pc))
		return on_breakpoints(debug, vcpu);
	if (core_undo_stray(debug, vcpu, exit->debug.pc))
		return on_stray(debug, vcpu);
	give_back(vcpu, VECTOR_BP);
	return guest_int3(debug, vcpu, exit->debug.pc);
}

/* A watch before a breakpoint: its access is over, and who stands on a breakpoint comes upon it again. */
static struct core_point *slot_hit(struct debug *debug, const struct vcpu *vcpu,
				   const struct vm_exit *exit)
{
	struct core_point *hit = NULL;

	for (unsigned i = 0; vcpu->debug.slots && i < DR_SLOTS; i++) {
		struct core_point *point = debug->planted.slot[i];

		if (!(exit->debug.dr6 >> i & 1) || !point)
			continue;
		if (!hit || core_is_watch(point->point.spec.kind))
			hit = point;
	}
	return hit;
}

/* The access has happened; one instruction may touch what several registers watch. */
static bool on_watches(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	bool go_on = true;

	for (unsigned i = 0; i < DR_SLOTS; i++) {
		struct core_point *point = debug->planted.slot[i];
		struct stop stop;

		if (!(exit->debug.dr6 >> i & 1) || !point || !core_is_watch(point->point.spec.kind))
			continue;
		stop = hit_stop(vcpu, point);
		go_on = core_slot_hit(debug, vcpu, point, &stop) && go_on;
	}
	return go_on && vcpu->stepping ? core_step_done(debug, vcpu) : go_on;
}

/* A watch that fires during a step sets BS as well: the watch is what the user wants to hear of. */
static bool on_debug_trap(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct core_point *point;

	point = slot_hit(debug, vcpu, exit);
	if (point)
		return core_is_watch(point->point.spec.kind) ? on_watches(debug, vcpu, exit)
							     : on_breakpoints(debug, vcpu);
	if (core_step_ends(debug, vcpu, exit))
		return core_step_done(debug, vcpu);
	core_give_debug_trap(debug, vcpu, exit->debug.dr6);
	return true;
}

/* Watches that the same instruction has touched come first: a stop is about them. The guest's own trap may come
 * behind the instruction, or before it. */
static bool on_debug(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct step *step = &debug->vcpu[vcpu->index].step;
	bool trap = exit->debug.vector == VECTOR_DB;
	bool ends = trap && core_step_ends(debug, vcpu, exit);

	if (ends) {
		core_step_retire(debug, vcpu); /* before somebody looks at what it wrote */
		core_moved_on(debug, vcpu);
	}
	core_compare_end(debug, vcpu, ends || (trap && exit->debug.pc != step->insn[0].linear));
	if (!core_pages_settled(debug, vcpu))
		return false;
	return exit->debug.vector == VECTOR_BP ? on_breakpoint_trap(debug, vcpu, exit)
					       : on_debug_trap(debug, vcpu, exit);
}

static bool triple_fault_policy(struct debug *debug, enum host_request what, int status)
{
	core_request(debug, what, status, "triple fault");
	return false;
}

/* KVM on AMD-V gives a vCPU in shutdown an INIT before it tells of it. */
static bool registers_are_lost(struct vcpu *vcpu)
{
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	return state && state->general.rip == 0xfff0 &&
	       state->system.seg[SEG_CS].base == 0xffff0000 && !(state->system.cr0 & CR0_PE);
}

static struct stop triple_fault_stop(struct debug *debug, struct vcpu *vcpu)
{
	char first[140] = "";

	if (registers_are_lost(vcpu))
		return make_stop(
			vcpu, STOP_TRIPLE_FAULT,
			"triple fault; this host's KVM has reset the vCPU, so its registers "
			"are lost and only memory tells what happened");
	core_fault_chain_text(debug, vcpu, first, sizeof(first));
	return make_stop(vcpu, STOP_TRIPLE_FAULT,
			 "triple fault; the guest would have been reset, it is stopped instead%s%s",
			 first[0] ? ". First " : "", first);
}

static bool on_shutdown(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct stop stop;

	(void)exit;
	if (core_pages_lift(debug, vcpu, true))
		return false;
	stop = triple_fault_stop(debug, vcpu);
	if (core_caught(debug, vcpu, POINT_CATCH_TRIPLE_FAULT, &stop)) {
		core_stop(debug, &stop);
		return false;
	}
	if (debug->config.on_triple_fault == ON_TRIPLE_FAULT_RESET)
		return triple_fault_policy(debug, HOST_RESET, 0);
	if (debug->config.on_triple_fault == ON_TRIPLE_FAULT_EXIT)
		return triple_fault_policy(debug, HOST_POWER_OFF, 1);
	core_stop(debug, &stop);
	return false;
}

/* Whatever has no answer stops the machine, and the debugger keeps working. */
static bool on_anything_else(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	char what[200];
	struct stop stop;

	vm_exit_describe(exit, what, sizeof(what));
	stop = make_stop(vcpu, STOP_HOST_ERROR, "%s", what);
	core_stop(debug, &stop);
	return false;
}

/* The rung below the #BP intercept: the host's KVM cannot execute int3 and says so, with RIP still
 * on it. */
static bool on_int3_failure(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);

	if (!state)
		return on_anything_else(debug, vcpu, exit);
	if (core_planted_at(debug, vcpu, cpu_linear_pc(state)))
		return on_breakpoints(debug, vcpu);
	if (core_undo_stray(debug, vcpu, cpu_linear_pc(state)))
		return on_stray(debug, vcpu);
	/* The guest's own. int3 is a trap: the handler returns behind it. */
	state->general.rip++;
	state->events.exception.injected = true;
	state->events.exception.vector = VECTOR_BP;
	state->events.exception.has_error_code = false;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_EVENTS);
	return guest_int3(debug, vcpu, cpu_linear_pc(state) - 1);
}

static bool on_internal_error(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	bool emulation = exit->internal.suberror == INTERNAL_EMULATION;
	char what[sizeof(((struct stop *)0)->text)];
	struct stop stop;

	if (emulation && exit->internal.insn_length > 0 && exit->internal.insn[0] == INT3)
		return on_int3_failure(debug, vcpu, exit);
	if (core_pages_lift(debug, vcpu, exit->internal.suberror == INTERNAL_DELIVERY))
		return false;
	if (emulation)
		core_describe_emulation_failure(debug, vcpu, exit, what, sizeof(what));
	else
		vm_exit_describe(exit, what, sizeof(what));
	stop = make_stop(vcpu, STOP_EMULATION_FAILURE, "%s", what);
	core_caught(debug, vcpu, POINT_CATCH_EMULATION, &stop);
	core_stop(debug, &stop);
	return false;
}

/* RAM comes out of the guest where it is protected; else the page's backing was truncated, or the hardware
 * found it bad. */
static bool on_ram(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct stop stop;

	if (core_page_exit(debug, vcpu, exit))
		return true;
	stop = make_stop(
		vcpu, STOP_HOST_ERROR,
		"the host lost the page of guest RAM at 0x%llx; the guest cannot go on as it was",
		(unsigned long long)exit->mmio.gpa);
	stop.address = exit->mmio.gpa;
	core_stop(debug, &stop);
	return false;
}

bool core_exit(void *ctx, struct vcpu *vcpu, const struct vm_exit *exit)
{
	static bool (*const table[EXIT_REASON_COUNT])(struct debug *, struct vcpu *,
						      const struct vm_exit *) = {
		[EXIT_DEBUG] = on_debug,       [EXIT_MMIO] = on_ram,
		[EXIT_SHUTDOWN] = on_shutdown, [EXIT_RDMSR] = core_msr,
		[EXIT_WRMSR] = core_msr,       [EXIT_INTERNAL_ERROR] = on_internal_error,
	};

	return (table[exit->reason] ? table[exit->reason] : on_anything_else)(ctx, vcpu, exit);
}
