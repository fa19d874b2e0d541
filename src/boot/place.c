// SPDX-License-Identifier: GPL-3.0-or-later
/* Where things go in guest RAM. */
#include "boot/boot_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VGA_END	     0xc0000ull
#define IOAPIC_BASE  0xfec00000ull
#define FOUR_GIB     0x100000000ull
#define LOWEST_PLACE 0x1000ull	/* above the real-mode interrupt table */
#define LOW_TOP	     0x9f000ull /* below the page that firmware keeps for itself */

struct ram_layout ram_layout(uint64_t ram_size)
{
	struct ram_layout layout = {.below_4g = ram_size};

	if (ram_size > RAM_BELOW_4G_MAX) {
		layout.below_4g = RAM_BELOW_4G_MAX;
		layout.above_4g = ram_size - RAM_BELOW_4G_MAX;
	}
	return layout;
}

static unsigned map_add(struct boot_range *map, unsigned count, uint64_t base, uint64_t end,
			bool ram)
{
	if (base >= end)
		return count;
	map[count] = (struct boot_range){.base = base, .size = end - base, .ram = ram};
	return count + 1;
}

unsigned boot_memory_map(uint64_t ram_size, struct boot_range map[BOOT_MAP_MAX])
{
	struct ram_layout ram = ram_layout(ram_size);
	unsigned count = map_add(map, 0, 0, RAM_LOW_END, true);

	count = map_add(map, count, RAM_LOW_END, RAM_HIGH_BASE, false);
	count = map_add(map, count, RAM_HIGH_BASE, ram.below_4g, true);
	count = map_add(map, count, IOAPIC_BASE, FOUR_GIB, false);
	return map_add(map, count, FOUR_GIB, FOUR_GIB + ram.above_4g, true);
}

static bool touches(uint64_t gpa, uint64_t end, uint64_t from, uint64_t to)
{
	return gpa < to && end > from;
}

static int not_in_ram(struct loader *loader, const struct boot_segment *s, const char *why)
{
	return error_set(loader->err, -ENOSPC, "%s needs 0x%llx-0x%llx, %s", s->what,
			 (unsigned long long)s->gpa, (unsigned long long)s->gpa + s->size, why);
}

/* The ranges of RAM are those of ram_layout(). */
static int check_in_ram(struct loader *loader, const struct boot_segment *s)
{
	struct ram_layout ram = ram_layout(loader->request->ram_size);
	uint64_t top = ram.above_4g ? FOUR_GIB + ram.above_4g : ram.below_4g, end;
	char text[96];

	if (__builtin_add_overflow(s->gpa, s->size, &end))
		return error_set(loader->err, -EINVAL,
				 "%s at 0x%llx with 0x%llx bytes ends beyond 2^64", s->what,
				 (unsigned long long)s->gpa, (unsigned long long)s->size);
	if (end > top) {
		snprintf(text, sizeof(text), "RAM ends at 0x%llx; give more with -m",
			 (unsigned long long)top);
		return not_in_ram(loader, s, text);
	}
	if (touches(s->gpa, end, RAM_LOW_END, VGA_END))
		return not_in_ram(loader, s, "and 0xa0000-0xc0000 is video memory, not RAM");
	if (touches(s->gpa, end, ram.below_4g, FOUR_GIB))
		return not_in_ram(loader, s, "and 0xc0000000-0x100000000 is for devices, not RAM");
	return 0;
}

/* A segment that [gpa, gpa + size) touches, or NULL. */
static const struct boot_segment *touched(const struct boot_image *image, uint64_t gpa,
					  uint64_t size)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct boot_segment *s = &image->segment[i];

		if (touches(gpa, gpa + size, s->gpa, s->gpa + s->size))
			return s;
	}
	return NULL;
}

bool boot_is_free(const struct loader *loader, uint64_t gpa, uint64_t size)
{
	return !touched(loader->image, gpa, size);
}

bool boot_is_loaded(const struct loader *loader, uint64_t gpa)
{
	const struct boot_segment *s = touched(loader->image, gpa, 1);

	return s && gpa - s->gpa < s->data_size;
}

int boot_add(struct loader *loader, const struct boot_segment *segment)
{
	struct boot_image *image = loader->image;
	const struct boot_segment *other;
	int rc = check_in_ram(loader, segment);

	if (rc < 0 || segment->size == 0)
		return rc;
	other = touched(image, segment->gpa, segment->size);
	if (other)
		return error_set(loader->err, -EINVAL, "%s at 0x%llx overlaps %s at 0x%llx",
				 segment->what, (unsigned long long)segment->gpa, other->what,
				 (unsigned long long)other->gpa);
	if (image->segment_count == BOOT_MAX_SEGMENTS)
		return error_set(loader->err, -E2BIG, "has more than %d pieces to load",
				 BOOT_MAX_SEGMENTS);
	image->segment[image->segment_count++] = *segment;
	return 0;
}

/* From hi downwards to lo. Every round moves below one more segment, so it ends. */
static bool find_down(const struct boot_image *image, uint64_t lo, uint64_t hi, uint64_t size,
		      uint64_t align, uint64_t *gpa)
{
	while (hi >= lo && hi - lo >= size) {
		uint64_t start = (hi - size) & ~(align - 1);
		const struct boot_segment *s;

		if (start < lo)
			return false;
		s = touched(image, start, size);
		if (!s) {
			*gpa = start;
			return true;
		}
		hi = s->gpa;
	}
	return false;
}

static bool find_up(const struct boot_image *image, uint64_t lo, uint64_t hi, uint64_t size,
		    uint64_t align, uint64_t *gpa)
{
	for (;;) {
		uint64_t start = (lo + align - 1) & ~(align - 1);
		const struct boot_segment *s;

		if (start < lo || start > hi || hi - start < size)
			return false;
		s = touched(image, start, size);
		if (!s) {
			*gpa = start;
			return true;
		}
		lo = s->gpa + s->size;
	}
}

static int no_room(struct loader *loader, uint64_t size, const char *what)
{
	return error_set(
		loader->err, -ENOSPC,
		"no 0x%llx free bytes for the %s in 0x%llx bytes of RAM; give more with -m",
		(unsigned long long)size, what, (unsigned long long)loader->request->ram_size);
}

int boot_find_high(struct loader *loader, uint64_t size, uint64_t align, const char *what,
		   uint64_t *gpa)
{
	uint64_t top = ram_layout(loader->request->ram_size).below_4g;

	if (find_up(loader->image, RAM_HIGH_BASE, top, size, align, gpa))
		return 0;
	return no_room(loader, size, what);
}

int boot_find_below(struct loader *loader, uint64_t limit, uint64_t size, uint64_t align,
		    const char *what, uint64_t *gpa)
{
	uint64_t top = ram_layout(loader->request->ram_size).below_4g;

	if (find_down(loader->image, RAM_HIGH_BASE, limit < top ? limit : top, size, align, gpa))
		return 0;
	return no_room(loader, size, what);
}

int boot_find_low(struct loader *loader, uint64_t size, uint64_t align, const char *what,
		  uint64_t *gpa)
{
	uint64_t top = loader->low_top ? loader->low_top : LOW_TOP;

	if (find_down(loader->image, LOWEST_PLACE, top, size, align, gpa))
		return 0;
	return boot_find_high(loader, size, align, what, gpa);
}

int boot_put(struct loader *loader, const void *data, size_t size, uint64_t align, const char *what,
	     uint64_t *gpa)
{
	struct boot_segment segment = {.size = size, .data = data, .data_size = data ? size : 0};
	int rc = boot_find_low(loader, size, align, what, &segment.gpa);

	if (rc < 0)
		return rc;
	snprintf(segment.what, sizeof(segment.what), "%s", what);
	*gpa = segment.gpa;
	return boot_add(loader, &segment);
}
