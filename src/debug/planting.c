// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Points go in when the machine starts to run and come out when it has stopped. Lifting runs
 * backwards, so that two points on one byte (an alias) restore what was there before the first.
 */
#include "debug/compare.h"
#include "debug/core.h"

#include "log.h"

#include <stdlib.h>
#include <string.h>

#define INT3 0xcc

static size_t read_ram(void *ctx, uint64_t gpa, void *buf, size_t len)
{
	return mem_read_phys(ctx, gpa, buf, len);
}

struct paging_regs core_paging(const struct vcpu *vcpu, const struct cpu_state *state)
{
	struct paging_regs regs = paging_regs_of(state);

	regs.phys_bits = vcpu->machine->vm->phys_bits;
	return regs;
}

enum paging_fault core_walk(struct debug *debug, struct vcpu *vcpu, uint64_t linear,
			    struct paging_walk *walk)
{
	struct cpu_state *state = vcpu_state(vcpu, CPU_SYSTEM);
	struct paging_regs regs;

	if (!state)
		return PAGING_NO_TABLE;
	regs = core_paging(vcpu, state);
	return paging_walk(&regs, linear, read_ram, debug->machine->memory, walk);
}

enum paging_fault core_point_walk(struct debug *debug, const struct point_spec *spec,
				  struct vcpu *vcpu, uint64_t address, struct paging_walk *walk)
{
	struct cpu_state *state = vcpu_state(vcpu, CPU_SYSTEM);
	struct paging_regs regs;

	if (spec->physical) {
		*walk = (struct paging_walk){.gpa = address};
		return PAGING_OK;
	}
	if (!state)
		return PAGING_NO_TABLE;
	regs = core_paging(vcpu, state);
	if (spec->limit.by & LIMIT_CR3)
		regs.cr3 = spec->limit.cr3;
	return paging_walk(&regs, address, read_ram, debug->machine->memory, walk);
}

size_t core_read_original(struct debug *debug, uint64_t gpa, void *buf, size_t len)
{
	const struct planted *planted = &debug->planted;
	size_t done = mem_read_phys(debug->machine->memory, gpa, buf, len);
	uint8_t *bytes = buf;

	/* Backwards: the first of two on one byte knows what the guest had there. What the guest wrote over
	 * an int3 is its own. */
	for (unsigned i = planted->place_count; i-- > 0;) {
		uint64_t at = planted->place[i].gpa - gpa;

		if (at < done && bytes[at] == INT3)
			bytes[at] = planted->place[i].original;
	}
	return done;
}

static bool make_room(struct planted *planted)
{
	unsigned room = planted->place_room ? planted->place_room * 2 : 16;
	struct place *place;

	if (planted->place_count < planted->place_room)
		return true;
	place = realloc(planted->place, room * sizeof(*place));
	if (!place)
		return false;
	planted->place = place;
	planted->place_room = room;
	return true;
}

static bool planted_already(const struct planted *planted, const struct core_point *point,
			    uint64_t gpa)
{
	for (unsigned i = 0; i < planted->place_count; i++)
		if (planted->place[i].gpa == gpa && planted->place[i].point == point)
			return true;
	return false;
}

static void plant_byte(struct debug *debug, struct core_point *point, uint64_t gpa)
{
	struct planted *planted = &debug->planted;
	struct memory *memory = debug->machine->memory;
	const struct place *source;
	struct place *place;
	uint8_t original;

	if (planted_already(planted, point, gpa) || !make_room(planted))
		return;
	if (mem_read_phys(memory, gpa, &original, 1) != 1 || !mem_plant(memory, gpa, INT3))
		return;
	/* The guest may have brought an int3 of ours along. */
	source = original == INT3 ? core_stray_source(debug, gpa) : NULL;
	original = source ? source->original : original;
	place = &planted->place[planted->place_count++];
	*place = (struct place){.gpa = gpa, .point = point, .original = original};
	core_note_around(debug, place);
}

/* Each vCPU may map the address to a page of its own, and none may map it yet. */
static void plant_int3(struct debug *debug, struct core_point *point)
{
	const struct point_spec *spec = &point->point.spec;
	unsigned before = debug->planted.place_count;
	uint64_t gpa;
	bool is_64;

	for (unsigned i = 0; i < debug->machine->vcpu_count; i++) {
		struct paging_walk walk;

		if (core_point_walk(debug, spec, &debug->machine->vcpus[i], spec->address, &walk) ==
		    PAGING_OK)
			plant_byte(debug, point, walk.gpa);
	}
	if (debug->planted.place_count == before &&
	    core_image_place(debug, spec->address, &gpa, &is_64))
		plant_byte(debug, point, gpa);
}

static enum dr_type dr_type_of(enum point_kind kind)
{
	return kind == POINT_WRITE ? DR_WRITE : core_is_watch(kind) ? DR_ACCESS : DR_EXEC;
}

static unsigned slots_taken(const struct planted *planted)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < DR_SLOTS; i++)
		taken |= planted->slot[i] ? 1u << i : 0;
	return taken;
}

static void plant_slot(struct debug *debug, struct core_point *point)
{
	struct planted *planted = &debug->planted;
	const struct point_spec *spec = &point->point.spec;
	unsigned slot = (unsigned)__builtin_ctz(~slots_taken(planted));
	unsigned length = core_is_watch(spec->kind) ? (unsigned)spec->length : 1;

	point->slot = slot;
	planted->slot[slot] = point;
	planted->dr[slot] = spec->address;
	planted->dr7 = dr7_enable(planted->dr7, slot, dr_type_of(spec->kind), length);
	core_slot_remember(debug, point);
	core_note_sharing(debug, point);
}

/* Once will do: gdb takes its points away and sets them again at each stop. */
static void note_slowness(struct debug *debug, const struct core_point *point)
{
	if (!debug->slowness_told)
		log_warn("debug",
			 "watch %d is by step and compare: as long as it is there, each "
			 "instruction of the guest is stepped, and the guest is slow",
			 point->point.number);
	debug->slowness_told = true;
}

static void plant_point(struct debug *debug, struct core_point *point)
{
	struct error why = {0};

	if (!point->enabled)
		return;
	point->rung = core_choose_rung(debug, point, slots_taken(&debug->planted), &why);
	if (point->rung == RUNG_COMPARE)
		note_slowness(debug, point);
	if (point->rung == RUNG_INT3)
		plant_int3(debug, point);
	else if (point->rung == RUNG_SLOT)
		plant_slot(debug, point);
	else if (point->rung == RUNG_PENDING)
		debug->planted.pending++;
	else if (point->rung == RUNG_NONE && !point->warned)
		log_warn("debug", "breakpoint %d is not armed: %s", point->point.number, why.text);
	point->warned = point->rung == RUNG_NONE;
}

void core_plant(struct debug *debug)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		plant_point(debug, p);
}

void core_plant_watches(struct debug *debug)
{
	for (struct core_point *p = debug->points; p; p = p->next)
		if (core_is_watch(p->point.spec.kind))
			plant_point(debug, p);
	debug->comparing = false;
	if (core_compare_point(debug))
		core_plant_compared(debug);
}

static void empty_slots(struct planted *planted)
{
	memset(planted->slot, 0, sizeof(planted->slot));
	memset(planted->dr, 0, sizeof(planted->dr));
	planted->dr7 = 0;
}

/* Steps need debug registers. Breakpoints need none then, nor an int3: they are looked for where steps end. */
void core_plant_compared(struct debug *debug)
{
	core_lift(debug);
	core_compare_all(debug);
	for (struct core_point *p = debug->points; p; p = p->next)
		if (p->enabled && p->rung == RUNG_SLOT && core_is_watch(p->point.spec.kind))
			plant_slot(debug, p);
	debug->comparing = true;
}

/* A byte that is no longer our int3 was written by the guest, and is its own. So is one in code that the
 * guest wrote over ours, unless it copied that from elsewhere with an int3 of ours in it. */
static void lift_byte(struct debug *debug, const struct place *place)
{
	struct memory *memory = debug->machine->memory;
	bool overwritten = core_overwritten(debug, place);
	const struct place *from = overwritten ? NULL : place, *source = NULL;
	uint8_t now;

	if (mem_read_phys(memory, place->gpa, &now, 1) != 1 || now != INT3)
		return;
	if (overwritten || place->original == INT3) /* an int3 that came under ours: page_code.c */
		source = core_stray_source(debug, place->gpa);
	from = source ? source : from;
	if (from)
		mem_plant(memory, place->gpa, from->original);
}

void core_lift(struct debug *debug)
{
	struct planted *planted = &debug->planted;

	for (unsigned i = planted->place_count; i-- > 0; planted->place_count = i) {
		core_keep_stray(debug, &planted->place[i]);
		lift_byte(debug, &planted->place[i]);
	}
	empty_slots(planted);
	planted->pending = 0;
}

struct core_point *core_planted_at(struct debug *debug, struct vcpu *vcpu, uint64_t pc)
{
	const struct planted *planted = &debug->planted;
	struct paging_walk walk;

	if (core_walk(debug, vcpu, pc, &walk) != PAGING_OK)
		return NULL;
	for (unsigned i = 0; i < planted->place_count; i++)
		if (planted->place[i].gpa == walk.gpa)
			return planted->place[i].point;
	return NULL;
}
