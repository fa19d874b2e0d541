// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What a watch by debug register tells. The processor reports that there was an access, and nothing else. So what was
 * there before is remembered, from the launch or from the last access on; and who it was is looked for behind
 * the access, as for a watch by page protection.
 */
#include "debug/pages.h"

#include <string.h>

/* A debug register's bytes are on one page: its address is a multiple of its length. */
static bool look(struct debug *debug, struct vcpu *vcpu, const struct core_point *point,
		 struct slot_value *value)
{
	const struct point_spec *spec = &point->point.spec;
	struct paging_walk walk;

	*value = (struct slot_value){0};
	if (spec->length > sizeof(value->value) ||
	    core_point_walk(debug, spec, vcpu, spec->address, &walk) != PAGING_OK)
		return false;
	value->gpa = walk.gpa;
	value->known = core_read_original(debug, walk.gpa, &value->value, spec->length) ==
		       spec->length;
	return value->known;
}

void core_slot_remember(struct debug *debug, const struct core_point *point)
{
	struct slot_value *value = &debug->planted.value[point->slot];

	*value = (struct slot_value){0};
	for (unsigned i = 0;
	     core_is_watch(point->point.spec.kind) && i < debug->machine->vcpu_count; i++)
		if (look(debug, &debug->machine->vcpus[i], point, value))
			return;
}

/* Returns what was there when it was last looked at. */
static struct slot_value exchange(struct debug *debug, const struct core_point *point,
				  struct slot_value now)
{
	struct slot_value before;

	core_lock(debug);
	before = debug->planted.value[point->slot];
	debug->planted.value[point->slot] = now;
	core_unlock(debug);
	return before;
}

void core_slot_seen(struct debug *debug, struct vcpu *vcpu, const struct core_point *point)
{
	struct slot_value now;

	if (point->rung == RUNG_SLOT && look(debug, vcpu, point, &now))
		exchange(debug, point, now);
}

/* False when what was there is not known, or when nothing says that it was a write. */
static bool values(struct debug *debug, struct vcpu *vcpu, struct core_point *point,
		   struct page_hit *hit, uint64_t *gpa)
{
	const struct point_spec *spec = &point->point.spec;
	struct slot_value before, now;

	look(debug, vcpu, point, &now);
	before = exchange(debug, point, now);
	if (!before.known || !now.known || before.gpa != now.gpa)
		return false;
	*gpa = now.gpa;
	*hit = (struct page_hit){.point = point,
				 .address = spec->address,
				 .size = (unsigned)spec->length,
				 .write = true,
				 .old_value = before.value,
				 .new_value = now.value};
	return spec->kind == POINT_WRITE || before.value != now.value;
}

static void describe(struct debug *debug, struct vcpu *vcpu, const struct page_hit *hit,
		     uint64_t gpa, struct stop *stop)
{
	struct page_access access = {.gpa = gpa, .size = hit->size, .write = true};
	int number = stop->point;

	memcpy(access.data, &hit->new_value, sizeof(access.data));
	*stop = page_stop_of(vcpu, hit, stop->pc,
			     page_find_writer(debug, vcpu, &access, hit->address), false);
	stop->point = number;
}

bool core_slot_hit(struct debug *debug, struct vcpu *vcpu, struct core_point *point,
		   struct stop *stop)
{
	struct page_hit hit;
	uint64_t gpa = 0;
	bool known = values(debug, vcpu, point, &hit, &gpa);

	if (!core_judge(debug, vcpu, point, stop))
		return true;
	if (known && stop->point && !stop->undecided)
		describe(debug, vcpu, &hit, gpa, stop);
	core_stop(debug, stop);
	return false;
}
