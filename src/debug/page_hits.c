// SPDX-License-Identifier: GPL-3.0-or-later
/* What an access touches: the watches on its bytes, with the values before it and behind it. pages.lock is held
 * throughout. */
#include "debug/pages.h"

#include <string.h>

bool page_minds(enum point_kind kind, bool write)
{
	return kind == POINT_ACCESS || kind == (write ? POINT_WRITE : POINT_READ);
}

struct touching {
	struct debug *debug;
	struct page_vcpu *v;
	const struct page_access *access;
};

/* The part of a linear stretch that lies on this piece, from memory or as it was last seen. */
static void read_part(struct debug *debug, const struct page_piece *piece, bool seen,
		      uint64_t address, unsigned size, uint8_t *bytes)
{
	uint64_t from = address > piece->linear ? address : piece->linear;
	uint64_t end = address + size, piece_end = piece->linear + piece->size;

	end = end < piece_end ? end : piece_end;
	if (from >= end)
		return;
	if (seen && piece->seen)
		memcpy(bytes + (from - address), piece->seen + (from - piece->linear), end - from);
	else
		page_read(debug, piece->gpa + (from - piece->linear), bytes + (from - address),
			  end - from);
}

/* A watch that crosses a page has other pieces; the one that was touched has the last word. */
uint64_t page_value(struct debug *debug, const struct page_piece *touched, bool seen,
		    uint64_t address, unsigned size)
{
	const struct pages *pages = debug->pages;
	uint8_t bytes[8] = {0};
	uint64_t value;

	if (address < touched->linear || address + size > touched->linear + touched->size)
		for (unsigned i = 0; i < pages->count; i++)
			if (pages->piece[i].point == touched->point)
				read_part(debug, &pages->piece[i], seen, address, size, bytes);
	read_part(debug, touched, seen, address, size, bytes);
	memcpy(&value, bytes, sizeof(value));
	return value;
}

struct page_hit *page_hit_of(struct debug *debug, struct page_vcpu *v,
			     const struct page_piece *piece, uint64_t from, unsigned size)
{
	const struct point_spec *spec = &piece->point->point.spec;
	struct page_hit *hit;

	for (unsigned i = 0; i < v->count; i++)
		if (v->hit[i].point == piece->point)
			return &v->hit[i];
	if (v->count == PAGE_HITS)
		return NULL;
	hit = &v->hit[v->count++];
	*hit = (struct page_hit){.point = piece->point, .address = from, .size = size};
	if (spec->length <= sizeof(hit->old_value)) {
		hit->address = spec->address;
		hit->size = (unsigned)spec->length;
	}
	hit->old_value = page_value(debug, piece, false, hit->address, hit->size);
	hit->new_value = hit->old_value;
	return hit;
}

static void overlay(struct page_hit *hit, uint64_t linear, const uint8_t *data, unsigned size)
{
	for (unsigned i = 0; i < size; i++) {
		uint64_t at = linear + i - hit->address;

		if (at < hit->size)
			hit->new_value = (hit->new_value & ~(0xffull << 8 * at)) |
					 (uint64_t)data[i] << 8 * at;
	}
}

/* The same for what was there before, when it is known only afterwards. */
static void restore_old(struct page_hit *hit, uint64_t linear, const uint8_t *before, unsigned size)
{
	struct page_hit old = *hit;

	overlay(&old, linear, before, size);
	hit->old_value = old.new_value;
}

static void touch(void *ctx, const struct page_piece *piece)
{
	struct touching *t = ctx;
	const struct page_access *access = t->access;
	uint64_t from = access->gpa > piece->gpa ? access->gpa : piece->gpa;
	uint64_t end = access->gpa + access->size, piece_end = piece->gpa + piece->size;
	uint64_t linear = piece->linear + (from - piece->gpa);
	unsigned size = (unsigned)((end < piece_end ? end : piece_end) - from);
	struct page_hit *hit;

	if (!page_minds(piece->point->point.spec.kind, access->write))
		return;
	if (t->v->count == 0) {
		t->v->first = *access;
		t->v->first_linear = linear - (from - access->gpa);
	}
	hit = page_hit_of(t->debug, t->v, piece, linear, size);
	if (!hit)
		return;
	hit->write |= access->write;
	if (access->write)
		overlay(hit, linear, access->data + (from - access->gpa), size);
}

void page_note_done(struct debug *debug, struct vcpu *vcpu, const struct page_piece *piece,
		    const struct page_access *access, const uint8_t *before)
{
	struct page_vcpu *v = &debug->pages->vcpu[vcpu->index];
	struct touching t = {debug, v, access};
	unsigned had = v->count;

	touch(&t, piece);
	if (v->count == had)
		return;
	v->by_event = true;
	restore_old(&v->hit[had], piece->linear + (access->gpa - piece->gpa), before, access->size);
}

void page_note(struct debug *debug, struct page_vcpu *v, const struct page_access *access)
{
	struct touching t = {debug, v, access};

	page_each_touched(debug->pages, access->gpa, access->size, touch, &t);
}
