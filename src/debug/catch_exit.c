// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Catches in the vCPU's thread. An exit is looked at when it was answered, by a table indexed by exit
 * reason: what it was about is noted down, since completing the instruction overwrites it. When the
 * instruction is complete, the catches are asked, with the guest's registers as the access left them.
 */
#include "debug/catch_private.h"

#include "x86/instruction.h"

#include <stdio.h>
#include <string.h>

/* ---- what an exit was about -------------------------------------------------------------- */

static bool covers(const struct point_spec *spec, uint64_t first, uint64_t length, bool write)
{
	if (spec->direction && !(spec->direction & (write ? ON_WRITE : ON_READ)))
		return false;
	return first < spec->address ? spec->address - first < length
				     : first - spec->address < spec->length;
}

static bool is_wanted(struct debug *debug, enum point_kind kind, uint64_t first, uint64_t length,
		      bool write)
{
	for (struct core_point *p = catch_next(debug->points, kind); p;
	     p = catch_next(p->next, kind))
		if (covers(&p->point.spec, first, length, write))
			return true;
	return false;
}

static uint64_t current_pc(struct vcpu *vcpu)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	return state ? cpu_linear_pc(state) : 0;
}

/* One instruction has one access to tell: of those that cross pages or come in pieces the first. */
static struct caught *note(struct debug *debug, struct vcpu *vcpu, enum point_kind kind)
{
	struct caught *caught = &debug->vcpu[vcpu->index].caught;

	vcpu->caught = true;
	if (!caught->kinds)
		caught->pc = current_pc(vcpu);
	if (caught->kinds & KIND_BIT(kind))
		return NULL;
	caught->kinds |= KIND_BIT(kind);
	return caught;
}

static void saw_io(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	uint64_t bytes = (uint64_t)exit->io.size * exit->io.count;
	struct caught *caught;

	if (!is_wanted(debug, POINT_CATCH_IO, exit->io.port, exit->io.size, exit->io.write))
		return;
	caught = note(debug, vcpu, POINT_CATCH_IO);
	if (!caught)
		return;
	caught->address = exit->io.port;
	caught->size = exit->io.size;
	caught->count = exit->io.count;
	caught->write = exit->io.write;
	caught->value = 0;
	memcpy(&caught->value, exit->io.data, bytes < 8 ? bytes : 8);
}

static void saw_mmio(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct caught *caught;

	if (!is_wanted(debug, POINT_CATCH_MMIO, exit->mmio.gpa, exit->mmio.size, exit->mmio.write))
		return;
	caught = note(debug, vcpu, POINT_CATCH_MMIO);
	if (!caught)
		return;
	caught->address = exit->mmio.gpa;
	caught->size = exit->mmio.size;
	caught->count = 1;
	caught->write = exit->mmio.write;
	caught->value = 0;
	memcpy(&caught->value, exit->mmio.data, exit->mmio.size);
}

static void saw_msr(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	bool write = exit->reason == EXIT_WRMSR;
	struct caught *caught;

	if (!is_wanted(debug, POINT_CATCH_MSR, exit->msr.index, 1, write))
		return;
	caught = note(debug, vcpu, POINT_CATCH_MSR);
	if (!caught)
		return;
	caught->address = exit->msr.index;
	caught->size = 8;
	caught->count = 1;
	caught->write = write;
	caught->refused = *exit->msr.fault;
	caught->value = *exit->msr.value;
}

static void saw_hlt(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	if (debug->catches & KIND_BIT(POINT_CATCH_HLT))
		note(debug, vcpu, POINT_CATCH_HLT);
}

static void (*const by_reason[EXIT_REASON_COUNT])(struct debug *debug, struct vcpu *vcpu,
						  const struct vm_exit *exit) = {
	[EXIT_IO] = saw_io,	[EXIT_MMIO] = saw_mmio, [EXIT_RDMSR] = saw_msr,
	[EXIT_WRMSR] = saw_msr, [EXIT_HLT] = saw_hlt,
};

/* ---- what any exit can show -------------------------------------------------------------- */

static bool mode_changed(struct debug *debug, struct vcpu *vcpu)
{
	const struct core_vcpu *v = &debug->vcpu[vcpu->index];
	const struct cpu_state *state;

	if (!(debug->catches & KIND_BIT(POINT_CATCH_MODE)) || !v->mode_known)
		return false;
	state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	return state && cpu_mode(state) != v->mode;
}

/* Everybody parks for a moment; handlers, and pages that points wait for, are looked up anew. */
static void plant_anew(struct debug *debug)
{
	core_lock(debug);
	if (debug->state == CORE_RUNNING) {
		debug->passing = true;
		debug->state = CORE_STOPPING;
		gate_hold_all(debug->machine);
	}
	core_unlock(debug);
}

void core_saw(void *ctx, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct debug *debug = ctx;

	if (by_reason[exit->reason])
		by_reason[exit->reason](debug, vcpu, exit);
	if (mode_changed(debug, vcpu))
		note(debug, vcpu, POINT_CATCH_MODE);
	if (((debug->catches & KIND_BIT(POINT_CATCH_EXCEPTION)) &&
	     catch_gates_moved(debug, vcpu)) ||
	    core_pending_is_over(debug, vcpu))
		plant_anew(debug);
}

void core_catch_request(struct debug *debug, enum host_request request)
{
	enum point_kind kind = request == HOST_RESET ? POINT_CATCH_RESET : POINT_CATCH_SHUTDOWN;

	if (!(debug->catches & KIND_BIT(kind)))
		return;
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct vcpu *vcpu = &debug->machine->vcpus[i];

		if (pthread_equal(vcpu->thread, pthread_self()))
			note(debug, vcpu, kind);
	}
}

/* ---- telling ----------------------------------------------------------------------------- */

/* In the order in which they are asked: what happened before where it led. */
static const enum point_kind order[] = {
	POINT_CATCH_IO,	   POINT_CATCH_MMIO,	 POINT_CATCH_MSR,  POINT_CATCH_HLT,
	POINT_CATCH_RESET, POINT_CATCH_SHUTDOWN, POINT_CATCH_MODE,
};

static bool did_access(void *ctx, const struct instruction *insn)
{
	const struct caught *caught = ctx;

	if (caught->kinds & KIND_BIT(POINT_CATCH_IO))
		return insn->kind == INSN_IO || insn->kind == INSN_IO_STRING;
	if (caught->kinds & KIND_BIT(POINT_CATCH_MSR))
		return insn->kind == (caught->write ? INSN_WRMSR : INSN_RDMSR);
	return caught->write ? insn->writes : insn->reads;
}

/* KVM leaves the pc on the instruction until it is complete, or moves it on before: then the code is read
 * backwards. A rep in the middle stands where it stood. */
static uint64_t find_writer(struct debug *debug, struct vcpu *vcpu, struct caught *caught)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	struct core_place place = {debug, vcpu};
	struct instruction insn;
	uint64_t now;

	if (!state)
		return 0;
	now = cpu_linear_pc(state);
	if (now != caught->pc)
		return caught->pc;
	if (instruction_fetch(state, now, core_read_linear, &place, &insn) && insn.repeat &&
	    did_access(caught, &insn))
		return now;
	return instruction_ends_at(state, now, core_read_linear, &place, did_access, caught, &insn)
		       ? insn.linear
		       : 0;
}

static void fill_access(struct debug *debug, struct vcpu *vcpu, struct caught *caught,
			struct stop *stop)
{
	stop->address = caught->address;
	stop->new_value = stop->old_value = caught->value;
	stop->size = caught->size;
	stop->writer = find_writer(debug, vcpu, caught);
}

static bool is_about(const struct core_point *point, const struct caught *caught)
{
	return !debug_catch_ranged(point->point.spec.kind) ||
	       covers(&point->point.spec, caught->address,
		      point->point.spec.kind == POINT_CATCH_MSR ? 1 : caught->size, caught->write);
}

static void add_number(struct stop *stop)
{
	size_t used = strlen(stop->text);

	snprintf(stop->text + used, sizeof(stop->text) - used, " (catch %d)", stop->point);
}

/* All that cover it are asked, since each counts. */
static bool ask(struct debug *debug, struct vcpu *vcpu, enum point_kind kind,
		const struct caught *caught, struct stop *stop)
{
	const struct stop blank = *stop;
	bool tell = false;

	for (struct core_point *p = catch_next(debug->points, kind); p;
	     p = catch_next(p->next, kind)) {
		struct stop its = blank;

		if (!is_about(p, caught) || !core_judge(debug, vcpu, p, &its))
			continue;
		if (!tell)
			*stop = its;
		tell = true;
	}
	if (tell)
		add_number(stop);
	return tell;
}

static bool tell_kind(struct debug *debug, struct vcpu *vcpu, enum point_kind kind,
		      struct caught *caught, struct stop *stop)
{
	const struct catch_kind *catch = catch_kind_of(kind);

	*stop = (struct stop){.reason = catch->reason, .vcpu = vcpu->index, .pc = current_pc(vcpu)};
	if (debug_catch_ranged(kind))
		fill_access(debug, vcpu, caught, stop);
	catch_describe(debug, vcpu, kind, caught, stop);
	return ask(debug, vcpu, kind, caught, stop);
}

static void see_mode(struct debug *debug, struct vcpu *vcpu)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	if (state)
		debug->vcpu[vcpu->index].mode = cpu_mode(state);
}

bool core_take_caught(struct debug *debug, struct vcpu *vcpu, struct stop *stop)
{
	struct caught *pending = &debug->vcpu[vcpu->index].caught;
	struct caught caught;
	bool tell = false;

	catch_finish_wrmsr(vcpu, pending);
	caught = *pending;
	if (!debug->catches)
		return false;
	if (mode_changed(debug, vcpu))
		caught.kinds |= KIND_BIT(POINT_CATCH_MODE);
	pending->kinds = 0;
	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		struct stop its;

		if (!(caught.kinds & KIND_BIT(order[i])) ||
		    !tell_kind(debug, vcpu, order[i], &caught, &its))
			continue;
		if (!tell)
			*stop = its;
		tell = true;
	}
	if (caught.kinds & KIND_BIT(POINT_CATCH_MODE))
		see_mode(debug, vcpu);
	return tell;
}

bool core_catch_settled(struct debug *debug, struct vcpu *vcpu)
{
	struct stop stop;

	if (!core_take_caught(debug, vcpu, &stop))
		return true;
	core_stop(debug, &stop);
	return false;
}

void core_log_stop(struct debug *debug, struct vcpu *vcpu, const struct core_point *point,
		   const struct stop *stop)
{
	char line[sizeof(stop->text) + 48];

	snprintf(line, sizeof(line), "vCPU %d: %s (%d)\n", vcpu->index, stop->text,
		 point->point.number);
	core_print(debug, vcpu, point->point.owner, line);
}

/* ---- events that are told as they are ---------------------------------------------------- */

bool core_started(void *ctx, struct vcpu *vcpu)
{
	struct debug *debug = ctx;
	struct stop stop = {.reason = STOP_ONLINE, .vcpu = vcpu->index, .pc = current_pc(vcpu)};

	debug->vcpu[vcpu->index].waited = false;
	snprintf(stop.text, sizeof(stop.text),
		 "was started, at 0x%llx; it has not executed anything yet",
		 (unsigned long long)stop.pc);
	if (!catch_event(debug, vcpu, POINT_CATCH_ONLINE, &stop))
		return true;
	add_number(&stop);
	core_stop(debug, &stop);
	return false;
}

bool core_caught(struct debug *debug, struct vcpu *vcpu, enum point_kind kind, struct stop *stop)
{
	if (!(debug->catches & KIND_BIT(kind)) || !catch_event(debug, vcpu, kind, stop))
		return false;
	add_number(stop);
	return true;
}
