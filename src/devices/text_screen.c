// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * VGA text memory (0xb8000, 32 KiB) and the CRT controller's 25 registers behind 0x3d4/0x3d5, from IBM's
 * VGA reference: 0x0a-0x0b the cursor's shape, 0x0c-0x0d the cell that the screen starts with, 0x0e-0x0f
 * the cursor's cell, high byte first. The registers are storage; nothing is drawn here.
 */
#include "devices/devices.h"
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BASE   0xb8000
#define TEXT_SIZE   0x8000
#define CELL_SIZE   2
#define ROW_SIZE    (80 * CELL_SIZE)
#define SCREEN_SIZE (25 * ROW_SIZE)
#define CRTC_COUNT  25

enum {
	CURSOR_START = 0x0a,
	CURSOR_END = 0x0b,
	START_HIGH = 0x0c,
	START_LOW = 0x0d,
	CURSOR_HIGH = 0x0e,
	CURSOR_LOW = 0x0f
};
enum { CURSOR_OFF = 0x20 };

struct text_registers {
	uint8_t index;
	uint8_t crtc[CRTC_COUNT];
	uint8_t memory[TEXT_SIZE];
};

struct text_screen {
	struct device device;
	struct bus_region memory_region, crtc_region;
	struct text_backend backend;
	bool below; /* what was written last is below the top row */
	bool passing;
	struct text_registers r;
};

static struct text_screen *text_screen_of(struct device *device)
{
	return (struct text_screen *)device;
}

/* A guest that scrolls by moving the start sees its screen; one that moves it too near the end of the
 * memory sees the last screen that fits. */
static size_t first_byte(const struct text_registers *r)
{
	size_t start = (size_t)(r->crtc[START_HIGH] << 8 | r->crtc[START_LOW]) * 2;

	return start <= TEXT_SIZE - SCREEN_SIZE ? start : TEXT_SIZE - SCREEN_SIZE;
}

const uint8_t *text_screen_memory(const struct device *device)
{
	const struct text_registers *r = &((const struct text_screen *)device)->r;

	return r->memory + first_byte(r);
}

int text_screen_cursor(const struct device *device)
{
	const struct text_registers *r = &((const struct text_screen *)device)->r;
	int cell = (r->crtc[CURSOR_HIGH] << 8 | r->crtc[CURSOR_LOW]) - (int)(first_byte(r) / 2);

	if ((r->crtc[CURSOR_START] & CURSOR_OFF) || cell < 0 || cell >= SCREEN_SIZE / 2)
		return -1;
	return cell;
}

static void tell(struct text_screen *t)
{
	if (t->backend.scrolls)
		t->backend.scrolls(t->backend.ctx, t->r.memory + first_byte(&t->r));
}

/* Who scrolls begins at the top: once for each time, the screen is whole then. */
static void before_write(struct text_screen *t, uint64_t offset)
{
	uint64_t start = first_byte(&t->r);
	bool top = offset >= start && offset < start + ROW_SIZE;

	if (top && t->below)
		tell(t);
	t->below = !top;
	if (top)
		t->passing = true;
	else if (offset >= start + SCREEN_SIZE - CELL_SIZE)
		t->passing = false;
}

bool text_screen_is_passing(const struct device *device)
{
	return ((const struct text_screen *)device)->passing;
}

static void memory_io(void *device, struct bus_access *access)
{
	struct text_screen *t = device;
	uint8_t *cell = t->r.memory + access->offset;

	if (access->write)
		before_write(t, access->offset);
	if (access->write)
		memcpy(cell, &access->value, access->size);
	else
		memcpy(&access->value, cell, access->size);
}

static void crtc_io(void *device, struct bus_access *access)
{
	struct text_screen *t = device;
	struct text_registers *r = &t->r;

	if (access->offset == 1 && access->write &&
	    (r->index == START_HIGH || r->index == START_LOW))
		tell(t);
	if (access->offset == 0 && access->write)
		r->index = (uint8_t)access->value;
	else if (access->offset == 0)
		access->value = r->index;
	else if (r->index >= CRTC_COUNT)
		access->value = 0xff;
	else if (access->write)
		r->crtc[r->index] = (uint8_t)access->value;
	else
		access->value = r->crtc[r->index];
}

/* ---- the other verbs -------------------------------------------------------------------------- */

static void text_screen_reset(struct device *device)
{
	struct text_registers *r = &text_screen_of(device)->r;

	*r = (struct text_registers){0};
	r->crtc[CURSOR_START] = 0x0d;
	r->crtc[CURSOR_END] = 0x0e;
	for (size_t i = 0; i < TEXT_SIZE; i += 2) {
		r->memory[i] = ' ';
		r->memory[i + 1] = 0x07;
	}
}

static void text_screen_save(const struct device *device, struct device_stream *out)
{
	const struct text_registers *r = &((const struct text_screen *)device)->r;

	stream_put_u64(out, r->index);
	stream_put(out, r->crtc, sizeof(r->crtc));
	stream_put(out, r->memory, sizeof(r->memory));
}

static int text_screen_load(struct device *device, struct device_stream *in)
{
	struct text_registers *r = &text_screen_of(device)->r;
	uint8_t index = stream_get_u8(in);

	if (in->error || in->size - in->position < sizeof(r->crtc) + sizeof(r->memory))
		return -EINVAL;
	r->index = index;
	stream_get(in, r->crtc, sizeof(r->crtc));
	stream_get(in, r->memory, sizeof(r->memory));
	return 0;
}

static void text_screen_destroy(struct device *device)
{
	free(device);
}

void text_screen_connect(struct device *device, const struct text_backend *backend)
{
	text_screen_of(device)->backend = *backend;
}

int text_screen_init(const struct device_host *host, struct device **device, struct error *err)
{
	struct text_screen *t = calloc(1, sizeof(*t));
	struct device_region regions[2];

	if (!t)
		return error_set(err, -ENOMEM, "out of memory");
	t->device = (struct device){.name = "text-screen",
				    .reset = text_screen_reset,
				    .save = text_screen_save,
				    .load = text_screen_load,
				    .destroy = text_screen_destroy};
	t->memory_region = (struct bus_region){.name = "text-screen",
					       .base = TEXT_BASE,
					       .size = TEXT_SIZE,
					       .max_size = 8,
					       .coalesced = true,
					       .io = memory_io,
					       .device = t};
	t->crtc_region = (struct bus_region){.name = "crtc",
					     .base = 0x3d4,
					     .size = 2,
					     .max_size = 1,
					     .io = crtc_io,
					     .device = t};
	regions[0] = (struct device_region){host->mmio, &t->memory_region};
	regions[1] = (struct device_region){host->ports, &t->crtc_region};
	return device_attach(&t->device, regions, 2, device, err);
}
