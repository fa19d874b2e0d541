/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A device has five verbs: init, reset, save, load, io. init is each device's own (its arguments
 * differ) and fills in a struct device; io sits in its bus regions; the other three are here. All
 * are called with the device lock held, never by two threads at once.
 */
#ifndef DEVICES_DEVICE_H
#define DEVICES_DEVICE_H

#include "devices/bus.h"

#include <stddef.h>

/* What a device may ask of the machine that it sits in. */
enum host_request { HOST_RESET, HOST_POWER_OFF };

struct device_timer;

struct device_host {
	void *ctx;
	struct bus *ports, *mmio;
	/* line: 0-15, as on the two 8259s; 16-23 are at the IOAPIC alone, where there is one. */
	void (*irq)(void *ctx, unsigned line, bool level);
	uint64_t (*now)(void *ctx); /* guest time, ns; stands still while the guest is stopped */
	/* Calls fn(arg), with the device lock held, when guest time reaches deadline (ns); one call
	 * per timer, a later one replaces it; UINT64_MAX disarms. */
	void (*timer_arm)(void *ctx, struct device_timer *timer, uint64_t deadline);
	/* why becomes part of what the user reads: "keyboard controller, command 0xfe"; it is
	 * copied. status: the exit status for HOST_POWER_OFF. */
	void (*request)(void *ctx, enum host_request request, int status, const char *why);
	void (*debug_output)(void *ctx, const void *bytes, size_t size); /* port 0xe9 */
	/* Guest RAM. Bytes done: fewer than size where there is no RAM. */
	size_t (*memory_read)(void *ctx, uint64_t gpa, void *to, size_t size);
	size_t (*memory_write)(void *ctx, uint64_t gpa, const void *from, size_t size);
};

struct device_timer {
	void (*fn)(void *arg);
	void *arg;
	uint64_t deadline;	   /* the host's own, UINT64_MAX when not armed */
	struct device_timer *next; /* the host's own */
};

struct device_stream; /* devices/stream.h */

struct device {
	const char *name; /* "serial0": unique in a machine */
	void (*reset)(struct device *device);
	void (*save)(const struct device *device, struct device_stream *out);
	/* Whether what was saved can be loaded now, as far as that hangs on more than the state itself; NULL: it
	 * can. -EINVAL, and a sentence. */
	int (*fits)(const struct device *device, struct device_stream *in, struct error *err);
	/* -EINVAL: does not fit, and the device is as it was. Guest time has been restored before. The device
	 * tells its interrupt lines' levels again, so the order among devices and controllers is free. */
	int (*load)(struct device *device, struct device_stream *in);
	void (*destroy)(struct device *device); /* frees the device itself */
	struct device *next;			/* the machine's list */
};

/* One region of a device and the bus that it sits on. */
struct device_region {
	struct bus *bus;
	struct bus_region *region;
};

/* The end of every init: adds the count regions (all or none), resets the device, and hands it out.
 * On failure the device is destroyed and *out is left alone. 0, or what bus_add() said. */
int device_attach(struct device *device, const struct device_region *regions, unsigned count,
		  struct device **out, struct error *err);

#endif
