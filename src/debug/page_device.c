// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * What devices write to RAM. It goes past every protection, so it is looked at here. A device is no vCPU:
 * limits are not met by it, and conditions, which look at registers, are not asked.
 */
#include "debug/pages.h"

#include <string.h>

#define PAGE 4096u

static bool counts(struct debug *debug, struct core_point *point)
{
	bool hit = point->enabled && !point->point.spec.limit.by;

	if (!hit)
		return false;
	core_lock(debug);
	point->evaluations++;
	point->hits++;
	hit = point->ignore == 0;
	point->ignore -= !hit;
	core_unlock(debug);
	return hit;
}

static unsigned told_at(struct debug *debug)
{
	unsigned vcpu;

	core_lock(debug);
	vcpu = core_told_at(debug, 0);
	core_unlock(debug);
	return vcpu;
}

static void tell(struct debug *debug, const struct page_vcpu *v)
{
	for (unsigned i = 0; i < v->count; i++) {
		struct stop stop;

		if (!counts(debug, v->hit[i].point))
			continue;
		stop = page_stop(told_at(debug), &v->hit[i]);
		stop.point = v->hit[i].point->point.number;
		page_describe(&stop, &v->hit[i], "by a device");
		core_stop(debug, &stop);
		return;
	}
}

/* As much as one access can be, on one page. */
static size_t write_piece(struct debug *debug, uint64_t gpa, const uint8_t *bytes, size_t len)
{
	struct page_access access = {.gpa = gpa, .write = true};
	struct page_vcpu v = {.count = 0};
	size_t room = PAGE - gpa % PAGE;
	bool done;

	access.size = len < sizeof(access.data) ? (unsigned)len : sizeof(access.data);
	access.size = room < access.size ? (unsigned)room : access.size;
	memcpy(access.data, bytes, access.size);
	pthread_mutex_lock(&debug->pages->lock);
	page_note(debug, &v, &access);
	done = page_write(debug, gpa, access.data, access.size);
	page_seen(debug, gpa, access.size);
	pthread_mutex_unlock(&debug->pages->lock);
	if (done)
		tell(debug, &v);
	return done ? access.size : 0;
}

size_t core_device_write(void *ctx, struct machine *machine, uint64_t gpa, const void *buf,
			 size_t len)
{
	struct debug *debug = ctx;
	size_t done = 0, piece = 1;

	if (debug->pages->count == 0 && debug->planted.place_count == 0)
		return mem_write_phys(machine->memory, gpa, buf, len);
	core_sprint_is_written(debug, NULL, gpa, len);
	while (done < len && piece > 0) {
		piece = write_piece(debug, gpa + done, (const uint8_t *)buf + done, len - done);
		done += piece;
	}
	return done;
}
