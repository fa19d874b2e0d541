// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Exceptions. KVM intercepts hardly any of them for us, but each one enters the guest through its IDT
 * gate: there the core puts a breakpoint of its own, which nobody lists. It is looked up anew at every
 * launch, and whenever an exit shows that a gate leads elsewhere by now.
 *
 * Whoever stands at a handler's entry need not have come by its exception: a jump leads there, and so does
 * `int n`. What the processor pushes tells them apart (SDM vol. 3A, 6.12 and 6.14): where the frame lies,
 * what it holds, and what flags the processor cleared.
 */
#include "debug/catch_private.h"

#include "x86/exceptions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RFLAGS_NT    (1u << 14)
#define RFLAGS_NEVER 0xffffffffffc08028ull /* reserved, and 0 */
#define FRAME_MAX    6
#define INT_N	     0xcd
#define PF_PRESENT   1u
#define PF_WRITE     2u
#define PF_USER	     4u
#define PF_RESERVED  8u
#define PF_FETCH     16u

/* ---- the breakpoints --------------------------------------------------------------------- */

static bool handler_of(struct debug *debug, struct vcpu *vcpu, uint8_t vector, uint64_t *address)
{
	struct core_place place = {debug, vcpu};
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	return state && interrupt_handler(state, vector, core_read_linear, &place, address) == 0;
}

static struct core_point *find_entry(struct debug *debug, int number, uint64_t address)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		if (p->catch == number && p->point.spec.address == address)
			return p;
	return NULL;
}

static void say_how(struct debug *debug, struct core_point *catch, const struct core_point *entry)
{
	const struct core_point *other = debug->points;

	while (other && (!other->catch || other->catch == catch->point.number ||
			 other->point.spec.address != entry->point.spec.address))
		other = other->next;
	snprintf(catch->how, sizeof(catch->how), "%s on its handler 0x%llx%s",
		 core_rung_text(debug, entry), (unsigned long long)entry->point.spec.address,
		 other ? ", shared with another vector: told apart by the frame alone" : "");
}

static void add_entry(struct debug *debug, struct core_point *catch, unsigned vcpu,
		      uint64_t address)
{
	struct core_point *entry = find_entry(debug, catch->point.number, address);
	struct error why = {0};

	if (!entry)
		entry = calloc(1, sizeof(*entry));
	if (!entry)
		return;
	if (!entry->catch) {
		entry->catch = catch->point.number;
		entry->point.spec = (struct point_spec){.kind = POINT_SOFTWARE,
							.address = address,
							.vcpu = (int)vcpu,
							.separate = true};
		if (core_point_insert(debug, entry, &why) < 0) {
			snprintf(catch->how, sizeof(catch->how), "not armed: %.90s", why.text);
			catch->refused = address;
			return;
		}
	}
	entry->wanted = true;
}

/* A vCPU that waits for its start has the IDT of its reset, which nobody will use. */
static bool is_started(struct vcpu *vcpu)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_EVENTS);

	return state && state->events.run_state != CPU_WAIT_INIT &&
	       state->events.run_state != CPU_WAIT_SIPI;
}

static void follow(struct debug *debug, struct core_point *catch)
{
	uint8_t vector = (uint8_t) catch->point.spec.address;

	snprintf(catch->how, sizeof(catch->how), "pending: gate %u leads nowhere yet", vector);
	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct vcpu *vcpu = &debug->machine->vcpus[i];
		uint64_t address;

		if (is_started(vcpu) && handler_of(debug, vcpu, vector, &address))
			add_entry(debug, catch, i, address);
	}
}

static void drop_unwanted(struct debug *debug)
{
	struct core_point **link = &debug->points;

	while (*link) {
		struct core_point *p = *link;

		if (!p->catch || p->wanted) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		core_point_free(p);
	}
}

void catch_follow_gates(struct debug *debug)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		p->wanted = false;
	for (struct core_point *p = catch_next(debug->points, POINT_CATCH_EXCEPTION); p;
	     p = catch_next(p->next, POINT_CATCH_EXCEPTION))
		follow(debug, p);
	drop_unwanted(debug);
	for (struct core_point *p = debug->points; p; p = p->next)
		if (p->catch)
			say_how(debug, core_point_numbered(debug, p->catch), p);
}

bool catch_gates_moved(struct debug *debug, struct vcpu *vcpu)
{
	for (struct core_point *p = catch_next(debug->points, POINT_CATCH_EXCEPTION); p;
	     p = catch_next(p->next, POINT_CATCH_EXCEPTION)) {
		uint64_t address;

		if (handler_of(debug, vcpu, (uint8_t)p->point.spec.address, &address) &&
		    address != p->refused && !find_entry(debug, p->point.number, address))
			return true;
	}
	return false;
}

/* ---- the frame --------------------------------------------------------------------------- */

struct frame {
	uint64_t at; /* linear, of what was pushed last */
	unsigned word;
	bool has_error;
	uint64_t error, rip, cs, rflags;
};

static bool read_frame(struct core_place *place, const struct cpu_state *state, bool has_error,
		       struct frame *frame)
{
	uint8_t raw[FRAME_MAX * 8];
	uint64_t words[4] = {0};
	unsigned count = 3 + has_error;

	*frame = (struct frame){.at = cpu_linear_sp(state),
				.word = cpu_mode_bits(cpu_mode(state)) / 8,
				.has_error = has_error};
	if (!core_read_linear(place, frame->at, raw, (size_t)count * frame->word))
		return false;
	for (unsigned i = 0; i < count; i++)
		memcpy(&words[i + !has_error], raw + (size_t)i * frame->word, frame->word);
	frame->error = words[0];
	frame->rip = words[1];
	frame->cs = words[2];
	frame->rflags = words[3];
	return true;
}

/* In long mode the stack pointer was rounded down to 16 before five words were pushed. */
static bool is_aligned(const struct cpu_state *state, const struct frame *frame)
{
	return cpu_mode(state) != MODE_LONG || (frame->at & 15) == (frame->has_error ? 0 : 8);
}

static bool flags_make_sense(const struct frame *frame)
{
	uint64_t mask = frame->word == 2 ? 0xffff : frame->word == 4 ? 0xffffffff : ~0ull;

	return (frame->rflags & RFLAGS_FIXED) && !(frame->rflags & RFLAGS_NEVER & mask);
}

/* Entering cleared TF and NT; the selector is one that code can have. */
static bool is_frame(const struct cpu_state *state, const struct frame *frame)
{
	if (state->general.rflags & (RFLAGS_TF | RFLAGS_NT | RFLAGS_VM))
		return false;
	if (cpu_mode(state) == MODE_REAL)
		return (frame->rflags & RFLAGS_FIXED) != 0;
	return is_aligned(state, frame) && flags_make_sense(frame) && (frame->cs & ~3ull) != 0 &&
	       frame->cs <= 0xffff && (!frame->has_error || frame->error <= 0xffffffff);
}

/* What was interrupted need not be in the mode that the handler is in; its base matters in real mode. */
static uint64_t interrupted_at(const struct cpu_state *state, const struct frame *frame)
{
	uint64_t base = 0;

	if (cpu_mode(state) == MODE_REAL)
		base = frame->cs << 4;
	else if (cpu_mode(state) != MODE_LONG && frame->cs == state->system.seg[SEG_CS].selector)
		base = state->system.seg[SEG_CS].base;
	return base + frame->rip;
}

/* Behind an `int n` of this vector: faults leave RIP on the instruction instead. */
static bool is_software(struct core_place *place, uint64_t behind, uint8_t vector)
{
	uint8_t code[2];

	return core_read_linear(place, behind - 2, code, sizeof(code)) && code[0] == INT_N &&
	       code[1] == vector;
}

static bool came_by_exception(struct core_place *place, const struct cpu_state *state,
			      uint8_t vector, struct frame *frame)
{
	bool has_error = cpu_mode(state) != MODE_REAL && exception_has_error_code(vector);

	return read_frame(place, state, has_error, frame) && is_frame(state, frame) &&
	       !is_software(place, interrupted_at(state, frame), vector);
}

/* ---- words ------------------------------------------------------------------------------- */

/* "write to 0x0 by the kernel: not present" */
static void page_fault_text(uint32_t code, uint64_t cr2, char *buf, size_t size)
{
	snprintf(buf, size, ": %s 0x%llx by %s, %s",
		 code & PF_FETCH   ? "execution at"
		 : code & PF_WRITE ? "write to"
				   : "read of",
		 (unsigned long long)cr2, code & PF_USER ? "ring 3" : "the kernel",
		 code & PF_RESERVED  ? "a reserved bit is set in its page tables"
		 : code & PF_PRESENT ? "not allowed there"
				     : "not mapped");
}

static void describe(const struct core_point *catch, const struct cpu_state *state,
		     const struct frame *frame, struct stop *stop)
{
	char detail[120] = "", error[32] = "";

	if (stop->vector == VECTOR_PF)
		page_fault_text(stop->error_code, state->system.cr2, detail, sizeof(detail));
	if (frame->has_error)
		snprintf(error, sizeof(error), ", error code 0x%x", stop->error_code);
	snprintf(stop->text, sizeof(stop->text), "%s at 0x%llx%s%s (catch %d)",
		 exception_mnemonic(stop->vector), (unsigned long long)stop->writer, detail, error,
		 catch->point.number);
}

bool core_catch_entry(struct debug *debug, struct vcpu *vcpu, const struct core_point *entry,
		      struct stop *stop)
{
	struct core_point *catch = core_point_numbered(debug, entry->catch);
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	struct core_place place = {debug, vcpu};
	struct frame frame;
	uint8_t vector;

	if (!catch || !state)
		return false;
	vector = (uint8_t) catch->point.spec.address;
	if (!came_by_exception(&place, state, vector, &frame))
		return false;
	stop->reason = STOP_EXCEPTION;
	stop->vector = vector;
	stop->error_code = (uint32_t)frame.error;
	stop->address = vector == VECTOR_PF ? state->system.cr2 : 0;
	stop->writer = interrupted_at(state, &frame);
	describe(catch, state, &frame, stop);
	return core_judge(debug, vcpu, catch, stop);
}
