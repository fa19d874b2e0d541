// SPDX-License-Identifier: GPL-3.0-or-later
/* Whether pages can carry a watch: some are needed by the processor itself, or by KVM for it. */
#include "debug/pages.h"

#include "x86/mode.h"

#include <errno.h>

#define PAGE	  4096ull
#define PAGE_MASK (PAGE - 1)

struct checking {
	struct debug *debug;
	bool withdraw;
	struct error *err;
};

static int refuse(struct error *err, uint64_t linear, const char *why)
{
	return error_set(err, -ENOTSUP, "0x%llx cannot be watched by page protection: %s",
			 (unsigned long long)linear, why);
}

static bool in_page_range(uint64_t at, uint64_t gpa, uint64_t size)
{
	return at >= (gpa & ~PAGE_MASK) && at < ((gpa + size + PAGE_MASK) & ~PAGE_MASK);
}

static bool walks_to(struct debug *debug, struct vcpu *vcpu, uint64_t linear, uint64_t gpa,
		     uint64_t size)
{
	struct paging_walk walk;

	return core_walk(debug, vcpu, linear, &walk) == PAGING_OK &&
	       in_page_range(walk.gpa, gpa, size);
}

struct stack_search {
	struct debug *debug;
	uint64_t gpa, size;
	bool found;
};

static void look_for_stack(void *ctx, struct vcpu *vcpu, uint64_t top)
{
	struct stack_search *s = ctx;

	s->found |= walks_to(s->debug, vcpu, top - 1, s->gpa, s->size);
}

static bool holds_stack(struct debug *debug, struct vcpu *vcpu, uint64_t gpa, uint64_t size)
{
	struct stack_search s = {debug, gpa, size, false};

	page_each_stack(debug, vcpu, look_for_stack, &s);
	return s.found;
}

/* Where a frame that comes upon a protected page does not come out of the guest, but is lost in KVM. */
static const char *frames_need(struct debug *debug, struct vcpu *vcpu, uint64_t gpa, uint64_t size)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	if (!state || debug->capabilities.page_frame[core_kernel_mode_of(state)] == PAGE_WORKS ||
	    !holds_stack(debug, vcpu, gpa, size))
		return NULL;
	return "a stack is on that page, and on this host interrupts could not get onto it; a "
	       "debug register watches 1, 2, 4 or 8 aligned bytes";
}

/* What the processor, or KVM for it, reads by itself and could not read any more. */
static const char *processor_needs(struct debug *debug, struct vcpu *vcpu, uint64_t gpa,
				   uint64_t size)
{
	const struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);
	const struct cpu_system *s;

	if (!state)
		return NULL;
	s = &state->system;
	if (walks_to(debug, vcpu, cpu_linear_pc(state), gpa, size))
		return "code is executed on that page, and reads of it cannot be taken away";
	if (holds_stack(debug, vcpu, gpa, size))
		return "a stack is on that page, and the processor uses it by itself";
	if (walks_to(debug, vcpu, s->gdt.base, gpa, size) ||
	    walks_to(debug, vcpu, s->idt.base, gpa, size) ||
	    (s->seg[SEG_TR].present && walks_to(debug, vcpu, s->seg[SEG_TR].base, gpa, size)))
		return "the processor reads descriptors on that page by itself";
	return NULL;
}

static int check_stretch(void *ctx, uint64_t linear, uint64_t gpa, uint64_t size)
{
	const struct checking *c = ctx;
	struct machine *machine = c->debug->machine;
	uint64_t room = 0;
	const char *why = NULL;

	if (!mem_hva(machine->memory, gpa, &room) || room < size)
		return refuse(c->err, linear, "there is no RAM, but perhaps a device");
	for (unsigned i = 0; !why && i < machine->vcpu_count; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];

		if (page_waits_for_start(vcpu))
			continue;
		why = c->withdraw ? processor_needs(c->debug, vcpu, gpa, size)
				  : frames_need(c->debug, vcpu, gpa, size);
	}
	if (!why && (c->withdraw || c->debug->capabilities.page_table[CAP_LONG] != PAGE_WORKS) &&
	    page_holds_table(c->debug, gpa, size))
		why = "page tables in use are on that page, and the processor reads them by itself";
	return why ? refuse(c->err, linear, why) : 0;
}

bool core_pages_carry(struct debug *debug, const struct core_point *point, struct error *err)
{
	const struct point_spec *spec = &point->point.spec;
	struct checking c = {debug, page_access_for(spec->kind) == MEMORY_WITHDRAWN, err};
	uint64_t missing;
	int rc;

	if (spec->length == 0 || spec->address + spec->length - 1 < spec->address) {
		error_set(err, -EINVAL, "a watch needs at least one byte, and an end");
		return false;
	}
	rc = page_each_mapping(debug, spec, check_stretch, &c, &missing);
	if (rc == -EFAULT)
		error_set(err, -ENOTSUP,
			  "0x%llx is not mapped at present, so there is no page to protect: "
			  "set the watch when the guest has mapped it",
			  (unsigned long long)missing);
	return rc == 0;
}
