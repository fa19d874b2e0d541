/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An address space of registered regions: one for ports, one for physical memory that is not RAM.
 * An access that nobody claims reads all ones, is counted, and can be traced.
 */
#ifndef DEVICES_BUS_H
#define DEVICES_BUS_H

#include "error.h"

#include <stdbool.h>
#include <stdint.h>

struct bus_access {
	uint64_t offset; /* into the region */
	uint8_t size;	 /* 1 … max_size of the region, a power of two */
	bool write;
	uint64_t value; /* little-endian value; for reads, filled in by the device */
};

struct bus_region {
	const char *name;
	uint64_t base, size;
	uint8_t max_size; /* wider accesses are split into several of this size, lowest address
			     first */
	bool coalesced;	  /* writes may be delivered later, in order, before any other access */
	void (*io)(void *device, struct bus_access *access);
	void *device;
	struct bus_region *next; /* the bus' own */
};

struct bus {
	const char *name;	    /* "port", "MMIO" */
	struct bus_region *regions; /* sorted by base */
	uint64_t unclaimed;	    /* accesses that no region wanted */
	void (*trace)(void *ctx, const struct bus *bus, uint64_t addr,
		      const struct bus_access *access,
		      const struct bus_region *region); /* region NULL: unclaimed. May be NULL. */
	void *trace_ctx;
};

/* The region stays the caller's and must outlive the bus or be removed. -EEXIST, naming both, when
 * it overlaps another; -EINVAL when it is empty, wraps, or max_size is not 1, 2, 4 or 8. */
int bus_add(struct bus *bus, struct bus_region *region, struct error *err);
void bus_remove(struct bus *bus, struct bus_region *region); /* does nothing when it is not there */

/* One access of size bytes (1 … 8) at addr; data is little-endian and may cross regions. It is
 * split where a region ends, where max_size says so, and into powers of two. The caller holds the
 * device lock. */
void bus_access(struct bus *bus, uint64_t addr, unsigned size, bool write, void *data);

const struct bus_region *bus_find(const struct bus *bus, uint64_t addr);

#endif
