// SPDX-License-Identifier: GPL-3.0-or-later
#include "devices/bus.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static uint64_t region_last(const struct bus_region *region)
{
	return region->base + (region->size - 1);
}

static int region_check(const struct bus *bus, const struct bus_region *region, struct error *err)
{
	if (region->size == 0 || region_last(region) < region->base)
		return error_set(err, -EINVAL, "%s region \"%s\" is empty or wraps around",
				 bus->name, region->name);
	if (region->max_size == 0 || region->max_size > 8 ||
	    (region->max_size & (region->max_size - 1)))
		return error_set(err, -EINVAL,
				 "%s region \"%s\" takes accesses of %u bytes: use 1, 2, 4 or 8",
				 bus->name, region->name, region->max_size);
	return 0;
}

int bus_add(struct bus *bus, struct bus_region *region, struct error *err)
{
	struct bus_region **link = &bus->regions;
	int rc = region_check(bus, region, err);

	if (rc < 0)
		return rc;
	while (*link && region_last(*link) < region->base)
		link = &(*link)->next;
	if (*link && (*link)->base <= region_last(region))
		return error_set(err, -EEXIST,
				 "%s region \"%s\" at 0x%llx overlaps \"%s\" at 0x%llx", bus->name,
				 region->name, (unsigned long long)region->base, (*link)->name,
				 (unsigned long long)(*link)->base);
	region->next = *link;
	*link = region;
	return 0;
}

void bus_remove(struct bus *bus, struct bus_region *region)
{
	struct bus_region **link = &bus->regions;

	while (*link && *link != region)
		link = &(*link)->next;
	if (*link)
		*link = region->next;
}

/* The region at addr, or else the next one behind it. */
static struct bus_region *find_from(const struct bus *bus, uint64_t addr)
{
	struct bus_region *region = bus->regions;

	while (region && region_last(region) < addr)
		region = region->next;
	return region;
}

const struct bus_region *bus_find(const struct bus *bus, uint64_t addr)
{
	const struct bus_region *region = find_from(bus, addr);

	return region && region->base <= addr ? region : NULL;
}

static unsigned largest_power_of_two(uint64_t limit)
{
	unsigned size = 8;

	while (size > limit)
		size /= 2;
	return size;
}

static uint64_t all_ones(unsigned size)
{
	return ~0ull >> (64 - 8 * size);
}

/* A read that the device does not answer, or that nobody claims, is all ones. */
static void access_piece(struct bus *bus, struct bus_region *region, uint64_t addr,
			 struct bus_access *access)
{
	if (!access->write)
		access->value = all_ones(access->size);
	if (region) {
		access->offset = addr - region->base;
		region->io(region->device, access);
	} else {
		bus->unclaimed++;
	}
	access->value &= all_ones(access->size);
	if (bus->trace)
		bus->trace(bus->trace_ctx, bus, addr, access, region);
}

/* How much of the access the region at addr (or the gap before the next one) takes at once. */
static unsigned piece_size(const struct bus_region *region, uint64_t addr, unsigned left)
{
	uint64_t room = left;

	if (!region)
		return largest_power_of_two(left);
	if (region->base > addr)
		return largest_power_of_two(region->base - addr < room ? region->base - addr
								       : room);
	if (region_last(region) - addr < room)
		room = region_last(region) - addr + 1;
	return largest_power_of_two(room < region->max_size ? room : region->max_size);
}

void bus_access(struct bus *bus, uint64_t addr, unsigned size, bool write, void *data)
{
	uint8_t *bytes = data;

	while (size > 0) {
		struct bus_region *region = find_from(bus, addr);
		unsigned n = piece_size(region, addr, size);
		struct bus_access access = {.size = (uint8_t)n, .write = write};

		if (write)
			memcpy(&access.value, bytes, n);
		access_piece(bus, region && region->base <= addr ? region : NULL, addr, &access);
		if (!write)
			memcpy(bytes, &access.value, n);
		addr += n;
		bytes += n;
		size -= n;
	}
}
