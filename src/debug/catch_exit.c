// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Catches in the vCPU's thread. An exit is looked at when it was answered, by a table indexed by exit
 * reason: what it was about is noted down, since completing the instruction overwrites it. When the
 * instruction is complete, the catches are asked, with the guest's registers as the access left them.
 */
#include "debug/catch_private.h"

#include "x86/exceptions.h"
#include "x86/instruction.h"
#include "x86/msr.h"

#include <ctype.h>
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

/* Everybody parks for a moment, and handlers are looked up anew. */
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
	if ((debug->catches & KIND_BIT(POINT_CATCH_EXCEPTION)) && catch_gates_moved(debug, vcpu))
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

/* ---- words ------------------------------------------------------------------------------- */

static void value_text(const struct caught *caught, char *buf, size_t size)
{
	int n;

	if (caught->count > 1) {
		snprintf(buf, size, "%u times %u byte%s, the first are 0x%llx", caught->count,
			 caught->size, caught->size == 1 ? "" : "s",
			 (unsigned long long)caught->value);
		return;
	}
	n = snprintf(buf, size, "0x%llx", (unsigned long long)caught->value);
	if (caught->size == 1 && caught->value < 0x7f && isprint((int)caught->value))
		snprintf(buf + n, size - (size_t)n, " '%c'", (int)caught->value);
}

static void io_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		    struct stop *stop)
{
	char value[80];

	(void)debug;
	(void)vcpu;
	value_text(caught, value, sizeof(value));
	snprintf(stop->text, sizeof(stop->text), "%s 0x%llx %s %s, %u byte%s",
		 caught->write ? "out" : "in", (unsigned long long)caught->address,
		 caught->write ? "←" : "→", value, caught->size, caught->size == 1 ? "" : "s");
}

static void mmio_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		      struct stop *stop)
{
	char value[80];

	(void)debug;
	(void)vcpu;
	value_text(caught, value, sizeof(value));
	snprintf(stop->text, sizeof(stop->text), "MMIO %s 0x%llx %s %s, %u byte%s",
		 caught->write ? "write" : "read", (unsigned long long)caught->address,
		 caught->write ? "←" : "→", value, caught->size, caught->size == 1 ? "" : "s");
}

static void msr_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		     struct stop *stop)
{
	const char *name = msr_name((uint32_t)caught->address);
	char value[40] = ": refused, the guest gets #GP";

	(void)debug;
	(void)vcpu;
	if (!caught->refused)
		snprintf(value, sizeof(value), " %s 0x%llx", caught->write ? "←" : "→",
			 (unsigned long long)caught->value);
	snprintf(stop->text, sizeof(stop->text), "%s 0x%llx%s%s%s%s",
		 caught->write ? "wrmsr" : "rdmsr", (unsigned long long)caught->address,
		 name ? " (" : "", name ? name : "", name ? ")" : "", value);
}

static void mode_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		      struct stop *stop)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	const struct core_vcpu *v = &debug->vcpu[vcpu->index];

	(void)caught;
	snprintf(stop->text, sizeof(stop->text), "mode switch: from %s to %s%s",
		 cpu_mode_name(v->mode), state ? cpu_mode_name(cpu_mode(state)) : "?",
		 vcpu->stepping ? "" : ", some instructions ago");
}

static void hlt_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		     struct stop *stop)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL);

	(void)debug;
	(void)caught;
	snprintf(stop->text, sizeof(stop->text), "hlt with interrupts %s",
		 state && (state->general.rflags & RFLAGS_IF)
			 ? "on"
			 : "off: nothing but an NMI or a reset ends it");
}

static void request_text(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
			 struct stop *stop)
{
	(void)vcpu;
	(void)caught;
	core_lock(debug);
	snprintf(stop->text, sizeof(stop->text),
		 "the guest asks for %s (%s); it comes when you continue",
		 debug->request.what == HOST_RESET ? "a reset" : "the end", debug->request.why);
	core_unlock(debug);
}

/* ---- telling ----------------------------------------------------------------------------- */

/* In the order in which they are asked: what happened before where it led. */
static const struct {
	enum point_kind kind;
	void (*text)(struct debug *debug, struct vcpu *vcpu, const struct caught *caught,
		     struct stop *stop);
	bool access; /* has an address and a value */
} tellings[] = {
	{POINT_CATCH_IO, io_text, true},	  {POINT_CATCH_MMIO, mmio_text, true},
	{POINT_CATCH_MSR, msr_text, true},	  {POINT_CATCH_HLT, hlt_text, false},
	{POINT_CATCH_RESET, request_text, false}, {POINT_CATCH_SHUTDOWN, request_text, false},
	{POINT_CATCH_MODE, mode_text, false},
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

static bool tell_kind(struct debug *debug, struct vcpu *vcpu, unsigned i, struct caught *caught,
		      struct stop *stop)
{
	const struct catch_kind *kind = catch_kind_of(tellings[i].kind);

	*stop = (struct stop){.reason = kind->reason, .vcpu = vcpu->index, .pc = current_pc(vcpu)};
	if (tellings[i].access)
		fill_access(debug, vcpu, caught, stop);
	tellings[i].text(debug, vcpu, caught, stop);
	return ask(debug, vcpu, tellings[i].kind, caught, stop);
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
	struct caught caught = *pending;
	bool tell = false;

	if (!debug->catches)
		return false;
	if (mode_changed(debug, vcpu))
		caught.kinds |= KIND_BIT(POINT_CATCH_MODE);
	pending->kinds = 0;
	for (unsigned i = 0; i < sizeof(tellings) / sizeof(tellings[0]); i++) {
		struct stop its;

		if (!(caught.kinds & KIND_BIT(tellings[i].kind)) ||
		    !tell_kind(debug, vcpu, i, &caught, &its))
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

	snprintf(line, sizeof(line), "vCPU %d: %s (%d)", vcpu->index, stop->text,
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
		 "vCPU %d was started, at 0x%llx; it has not executed anything yet", vcpu->index,
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

/* ---- MSRs: the filter has kept the access from the kernel, so it is made here ------------ */

#define MSR_EFER	   0xc0000080u
#define EFER_GUEST_MAY_SET (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | 0x7000ull)

static int slot_of(uint32_t index)
{
	for (int i = 0; i < MSR_SLOT_COUNT; i++)
		if (msr_table[i].index == index)
			return i;
	return -1;
}

/* A guest may write less than the host may: SDM vol. 4, and for EFER vol. 3A, 2.2.1. */
static bool guest_may_write(struct vcpu *vcpu, uint32_t index, uint64_t value)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	int slot = slot_of(index);

	if (!state)
		return false;
	if (index == MSR_EFER)
		return !(value & ~EFER_GUEST_MAY_SET) &&
		       (!(state->system.cr0 & CR0_PG) ||
			!((value ^ state->system.efer) & EFER_LME));
	return slot < 0 || msr_table[slot].clock ||
	       msr_value_valid((enum cpu_msr)slot, value, state);
}

bool core_msr(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct accel_ops *ops = vcpu->accel->ops;
	uint32_t index = exit->msr.index;
	int rc;

	(void)debug;
	if (exit->reason == EXIT_RDMSR)
		rc = ops->msr_get(vcpu->accel, index, exit->msr.value);
	else if (guest_may_write(vcpu, index, *exit->msr.value))
		rc = ops->msr_set(vcpu->accel, index, *exit->msr.value);
	else
		rc = -1;
	*exit->msr.fault = rc < 0;
	vcpu->valid = vcpu->dirty;
	return true;
}
