// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What the guest does to a protected page. The write comes here in place of memory, and is done for the
 * guest under one lock, so that all of them happen one after another; nothing else of the guest can change
 * such a page meanwhile. A locked instruction's is computed anew (x86/locked.h), since KVM has read its
 * operand before it came to the lock.
 *
 * A write that touches no watched byte is done, and that is all. When one is touched, the rest of the
 * instruction is collected first: an access that goes over the end of a page, or is wider than 8 bytes,
 * comes out in several pieces. So the stop is behind the instruction, as with a debug register.
 */
#include "debug/pages.h"

#include "x86/locked.h"

#include <stdio.h>
#include <string.h>

#define PAGE 4096u

/* ---- RAM without int3s -------------------------------------------------------------------- */

/* An earlier place holds what was there before any; a later one on the same byte holds an int3. */
static struct place *place_at(struct debug *debug, uint64_t gpa)
{
	for (unsigned i = 0; i < debug->planted.place_count; i++)
		if (debug->planted.place[i].gpa == gpa)
			return &debug->planted.place[i];
	return NULL;
}

static bool any_place_near(const struct debug *debug, uint64_t gpa)
{
	for (unsigned i = 0; i < debug->planted.place_count; i++)
		if (debug->planted.place[i].gpa - (gpa - PLACE_AROUND) < 2 * PLACE_AROUND + 8)
			return true;
	return false;
}

/* A place knows what lies around it (stray.c), which has just changed. */
static void note_around(struct debug *debug, uint64_t gpa)
{
	for (unsigned i = 0; i < debug->planted.place_count; i++) {
		struct place *place = &debug->planted.place[i];

		if (place->gpa - (gpa - PLACE_AROUND) < 2 * PLACE_AROUND + 8)
			core_note_around(debug, place);
	}
}

bool page_read(struct debug *debug, uint64_t gpa, void *buf, size_t len)
{
	return core_read_original(debug, gpa, buf, len) == len;
}

/* Byte by byte around an int3, which stays: what is written there will be there when it is lifted. */
static bool write_around(struct debug *debug, uint64_t gpa, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct place *place = place_at(debug, gpa + i);

		if (place)
			place->original = bytes[i];
		else if (mem_write_phys(debug->machine->memory, gpa + i, &bytes[i], 1) != 1)
			return false;
	}
	note_around(debug, gpa);
	return true;
}

bool page_write(struct debug *debug, uint64_t gpa, const void *buf, size_t len)
{
	if (any_place_near(debug, gpa))
		return write_around(debug, gpa, buf, len);
	return mem_write_phys(debug->machine->memory, gpa, buf, len) == len;
}

/* Before the write is done. */
static void note(struct debug *debug, struct vcpu *vcpu, const struct page_access *access)
{
	page_note(debug, &debug->pages->vcpu[vcpu->index], access);
	if (debug->pages->vcpu[vcpu->index].count)
		vcpu->caught = true;
}

static void remember_minding(void *ctx, const struct page_piece *piece)
{
	if (page_minds(piece->point->point.spec.kind, true))
		*(bool *)ctx = true;
}

static bool is_watched(const struct debug *debug, const struct page_access *access)
{
	bool watched = false;

	page_each_touched(debug->pages, access->gpa, access->size, remember_minding, &watched);
	return watched;
}

/* ---- writes ------------------------------------------------------------------------------- */

static bool do_write(struct debug *debug, struct vcpu *vcpu, const struct page_access *access)
{
	note(debug, vcpu, access);
	return page_write(debug, access->gpa, access->data, access->size);
}

static bool read_now(struct debug *debug, const struct page_access *part, uint64_t *now)
{
	*now = 0;
	return page_read(debug, part->gpa, now, part->size);
}

static uint64_t data_of(const struct page_access *part)
{
	uint64_t value;

	memcpy(&value, part->data, sizeof(value));
	return part->size < 8 ? value & ((1ull << 8 * part->size) - 1) : value;
}

static void set_data(struct page_access *part, uint64_t value)
{
	memcpy(part->data, &value, sizeof(part->data));
}

/* The operand lies in one piece, or in two when it crosses into another page; upper may be NULL. */
static bool do_locked(struct debug *debug, struct vcpu *vcpu, const struct instruction *insn,
		      struct page_access *lower, struct page_access *upper)
{
	unsigned shift = 8 * lower->size;
	uint64_t given = data_of(lower), now, high = 0;
	struct locked_result result;

	if (!read_now(debug, lower, &now) || (upper && !read_now(debug, upper, &high)))
		return false;
	if (upper) {
		given |= data_of(upper) << shift;
		now |= high << shift;
	}
	if (!locked_redo(insn, vcpu_state(vcpu, CPU_GENERAL), given, now, &result))
		return do_write(debug, vcpu, lower) && (!upper || do_write(debug, vcpu, upper));
	if (result.registers) {
		vcpu_dirty(vcpu, CPU_GENERAL);
		vcpu_flush(vcpu);
	}
	if (!result.writes)
		return true;
	set_data(lower, result.data);
	if (upper)
		set_data(upper, result.data >> shift);
	return do_write(debug, vcpu, lower) && (!upper || do_write(debug, vcpu, upper));
}

/* The second half of a locked access that began on the page before. */
static bool join_halves(struct debug *debug, struct vcpu *vcpu, struct page_access *upper)
{
	struct page_vcpu *v = &debug->pages->vcpu[vcpu->index];

	v->half = false;
	return do_locked(debug, vcpu, &v->locked, &v->lower, upper);
}

/* Of a page that is protected for its int3s: it may hold data that is written again and again. */
static void count_write(struct debug *debug, const struct page_access *access)
{
	if (debug->pages->code_count && page_code_written(debug, access->gpa))
		core_park_briefly(debug); /* the next launch opens it */
}

static bool take_write(struct debug *debug, struct vcpu *vcpu, struct page_access *access)
{
	struct page_vcpu *v = &debug->pages->vcpu[vcpu->index];
	struct instruction insn;

	if (v->half && access->size + v->lower.size == v->locked.operand[0].size)
		return join_halves(debug, vcpu, access);
	/* With one vCPU nobody comes in between; but a comparison that failed is no write. */
	if (debug->machine->vcpu_count == 1 && !is_watched(debug, access))
		return page_write(debug, access->gpa, access->data, access->size);
	if (!page_is_locked(debug, vcpu, access, &insn))
		return do_write(debug, vcpu, access);
	if (insn.operand[0].size == access->size)
		return do_locked(debug, vcpu, &insn, access, NULL);
	v->half = vcpu->caught = true;
	v->lower = *access;
	v->locked = insn;
	return true;
}

/* ---- the exit ----------------------------------------------------------------------------- */

/* The processor pushes the debugger's trap flag with the others; the guest never sees it. */
static void clean_flags(struct debug *debug, struct vcpu *vcpu, struct page_access *access)
{
	const struct step *step = &debug->vcpu[vcpu->index].step;

	if (vcpu->stepping && step->how == STEP_BY_TRAP && step->insn[0].kind == INSN_PUSHF &&
	    !(step->rflags & RFLAGS_TF) && access->size > 1)
		access->data[1] &= (uint8_t) ~(RFLAGS_TF >> 8);
}

static bool do_access(struct debug *debug, struct vcpu *vcpu, struct page_access *access,
		      uint8_t *data)
{
	if (access->write) {
		clean_flags(debug, vcpu, access);
		count_write(debug, access);
		return take_write(debug, vcpu, access);
	}
	if (!page_read(debug, access->gpa, data, access->size))
		return false;
	memcpy(access->data, data, access->size);
	note(debug, vcpu, access);
	return true;
}

bool core_page_exit(struct debug *debug, struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct page_access access = {
		.gpa = exit->mmio.gpa, .size = exit->mmio.size, .write = exit->mmio.write};
	bool done;

	if (memory_access_at(debug->machine->memory, access.gpa) == MEMORY_OPEN ||
	    access.size > sizeof(access.data))
		return false;
	if (access.write) {
		memcpy(access.data, exit->mmio.data, access.size);
		core_sprint_is_written(debug, vcpu, access.gpa, access.size);
	}
	pthread_mutex_lock(&debug->pages->lock);
	done = do_access(debug, vcpu, &access, exit->mmio.data);
	pthread_mutex_unlock(&debug->pages->lock);
	return done;
}

/* ---- what is told ------------------------------------------------------------------------- */

static void mention(struct stop *stop, const struct page_hit *also)
{
	size_t used = strlen(stop->text);

	snprintf(stop->text + used, sizeof(stop->text) - used, "; also watch %d",
		 also->point->point.number);
}

static uint64_t writer_of(struct debug *debug, struct vcpu *vcpu, const struct page_vcpu *v)
{
	if (v->by_event)
		return 0;
	return v->writer_known ? v->writer
			       : page_find_writer(debug, vcpu, &v->first, v->first_linear);
}

/* One stop tells of all watches; each is asked, since each counts. */
static bool judge_all(struct debug *debug, struct vcpu *vcpu, struct page_vcpu *v,
		      struct stop *told)
{
	uint64_t writer = writer_of(debug, vcpu, v);
	uint64_t pc = core_linear_pc(debug, (unsigned)vcpu->index);
	bool any = false;

	for (unsigned i = 0; i < v->count; i++) {
		struct stop stop = page_stop_of(vcpu, &v->hit[i], pc, writer, v->by_event);

		core_slot_seen(debug, vcpu, v->hit[i].point);
		if (!core_judge(debug, vcpu, v->hit[i].point, &stop))
			continue;
		if (any)
			mention(told, &v->hit[i]);
		else
			*told = stop;
		any = true;
	}
	v->count = 0;
	v->by_event = v->writer_known = false;
	return any;
}

/* KVM has written the other half itself, on a page that nobody watches. */
static void give_up_half(struct debug *debug, struct vcpu *vcpu, struct page_vcpu *v)
{
	pthread_mutex_lock(&debug->pages->lock);
	v->half = false;
	do_write(debug, vcpu, &v->lower);
	pthread_mutex_unlock(&debug->pages->lock);
}

bool core_pages_settled(struct debug *debug, struct vcpu *vcpu)
{
	struct page_vcpu *v = &debug->pages->vcpu[vcpu->index];
	struct stop stop;

	if (v->half)
		give_up_half(debug, vcpu, v);
	if (v->lifted)
		page_lift_done(debug, vcpu);
	if (v->count == 0 || !judge_all(debug, vcpu, v, &stop))
		return true;
	core_stop(debug, &stop);
	return false;
}
