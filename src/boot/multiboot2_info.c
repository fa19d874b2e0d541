// SPDX-License-Identifier: GPL-3.0-or-later
/* What a multiboot 2 guest is told: a list of tags (Multiboot2 Specification, 3.6). */
#include "boot/firmware_tables.h"
#include "boot/multiboot2.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOADER_NAME  "vitrine"
#define RSDP_SIZE_1  20 /* of ACPI 1.0, */
#define RSDP_SIZE_2  36 /* and since */
#define FIXED_SIZE   8	/* before the tags */
#define TAG_ALIGN    8u
#define MAP_VERSION  0
#define TEXT_SCREEN  2 /* framebuffer_type */
#define TEXT_COLUMNS 80
#define TEXT_ROWS    25
#define TEXT_CELL    2

enum {
	TAG_END = 0,
	TAG_COMMAND_LINE = 1,
	TAG_LOADER_NAME = 2,
	TAG_MODULE = 3,
	TAG_MEMORY = 4,
	TAG_MEMORY_MAP = 6,
	TAG_SCREEN = 8,
	TAG_ELF_SECTIONS = 9,
	TAG_RSDP_1 = 14,
	TAG_RSDP_2 = 15,
	TAG_LOAD_BASE = 21,
};

struct tag {
	uint32_t type, size; /* without padding */
};

struct map_entry {
	uint64_t base, length;
	uint32_t type, reserved;
};

enum { MAP_AVAILABLE = 1, MAP_RESERVED = 2 };

struct screen {
	uint64_t address;
	uint32_t pitch, width, height;
	uint8_t bits, type;
	uint16_t reserved;
};

/* Grows; the first failure stays. */
struct tags {
	uint8_t *bytes;
	size_t size, capacity;
	bool failed;
};

/* Makes room for size bytes and what aligns them; they are zeros. NULL: there is none. */
static void *grow(struct tags *t, size_t size)
{
	size_t padded = (size + TAG_ALIGN - 1) & ~(size_t)(TAG_ALIGN - 1), at = t->size;

	if (t->failed)
		return NULL;
	if (t->capacity - t->size < padded) {
		size_t capacity = 2 * t->capacity + padded;
		uint8_t *bytes = realloc(t->bytes, capacity);

		t->failed = !bytes;
		if (!bytes)
			return NULL;
		t->bytes = bytes;
		t->capacity = capacity;
	}
	memset(t->bytes + at, 0, padded);
	t->size += padded;
	return t->bytes + at;
}

/* A new tag at the end, with size bytes behind its head: where they go. */
static void *add(struct tags *t, uint32_t type, size_t size)
{
	struct tag *tag = grow(t, sizeof(*tag) + size);

	if (!tag)
		return NULL;
	*tag = (struct tag){htole32(type), htole32((uint32_t)(sizeof(*tag) + size))};
	return tag + 1;
}

static void put(struct tags *t, uint32_t type, const void *bytes, size_t size)
{
	void *to = add(t, type, size);

	if (to && size)
		memcpy(to, bytes, size);
}

static void put_text(struct tags *t, uint32_t type, const char *text)
{
	put(t, type, text, strlen(text) + 1);
}

/* ---- the tags ----------------------------------------------------------------------------------- */

static void put_modules(struct tags *t, const struct boot_modules *modules)
{
	for (unsigned i = 0; i < modules->count; i++) {
		const struct boot_module *m = &modules->module[i];
		uint32_t range[2] = {htole32(m->start), htole32(m->end)};
		uint8_t *to = add(t, TAG_MODULE, sizeof(range) + strlen(m->text) + 1);

		if (!to)
			return;
		memcpy(to, range, sizeof(range));
		memcpy(to + sizeof(range), m->text, strlen(m->text) + 1);
	}
}

static void put_memory(struct tags *t, uint64_t ram_size)
{
	struct ram_layout ram = ram_layout(ram_size);
	uint32_t sizes[2] = {htole32(RAM_LOW_END >> 10),
			     htole32((uint32_t)((ram.below_4g - RAM_HIGH_BASE) >> 10))};
	struct boot_range ranges[BOOT_MAP_MAX];
	struct {
		uint32_t entry_size, version;
		struct map_entry entry[BOOT_MAP_MAX];
	} map = {htole32(sizeof(struct map_entry)), htole32(MAP_VERSION), {{0}}};
	unsigned count = boot_memory_map(ram_size, ranges);

	for (unsigned i = 0; i < count; i++)
		map.entry[i] = (struct map_entry){
			.base = htole64(ranges[i].base),
			.length = htole64(ranges[i].size),
			.type = htole32(ranges[i].ram ? MAP_AVAILABLE : MAP_RESERVED),
		};
	put(t, TAG_MEMORY, sizes, sizeof(sizes));
	put(t, TAG_MEMORY_MAP, &map, sizeof(map) - (BOOT_MAP_MAX - count) * sizeof(map.entry[0]));
}

static void put_screen(struct tags *t)
{
	struct screen screen = {.address = htole64(0xb8000),
				.pitch = htole32(TEXT_COLUMNS * TEXT_CELL),
				.width = htole32(TEXT_COLUMNS),
				.height = htole32(TEXT_ROWS),
				.bits = 8 * TEXT_CELL,
				.type = TEXT_SCREEN};

	put(t, TAG_SCREEN, &screen, sizeof(screen));
}

/* A copy of what is going to be at firmware_rsdp(). */
static void put_rsdp(struct tags *t, const struct loader *loader)
{
	uint8_t *tables;

	if (!firmware_rsdp(loader))
		return;
	tables = calloc(1, FIRMWARE_ACPI_ROOM);
	if (!tables) {
		t->failed = true;
		return;
	}
	firmware_acpi(tables, loader->request->vcpus, loader->request->apic);
	put(t, TAG_RSDP_1, tables, RSDP_SIZE_1);
	put(t, TAG_RSDP_2, tables, RSDP_SIZE_2);
	free(tables);
}

static int put_sections(struct tags *t, struct loader *loader)
{
	size_t size = multiboot2_sections_size(loader);
	uint8_t *to = size ? add(t, TAG_ELF_SECTIONS, size) : NULL;

	return to ? multiboot2_place_sections(loader, to) : 0;
}

static int put_all(struct tags *t, struct loader *loader, uint32_t base)
{
	uint32_t load_base = htole32(base), total;
	struct boot_modules modules;
	int rc = boot_place_modules(loader, &modules);

	grow(t, FIXED_SIZE);
	if (rc == 0)
		rc = put_sections(t, loader);
	if (rc < 0)
		return rc;
	put_text(t, TAG_COMMAND_LINE, loader->image->command_line);
	put_text(t, TAG_LOADER_NAME, LOADER_NAME);
	put_modules(t, &modules);
	put_memory(t, loader->request->ram_size);
	put_screen(t);
	put_rsdp(t, loader);
	put(t, TAG_LOAD_BASE, &load_base, sizeof(load_base));
	put(t, TAG_END, NULL, 0);
	if (t->failed)
		return error_set(loader->err, -ENOMEM, "no memory for the multiboot information");
	total = htole32((uint32_t)t->size);
	memcpy(t->bytes, &total, sizeof(total));
	return 0;
}

int multiboot2_place_info(struct loader *loader, uint32_t base, uint64_t *info)
{
	struct tags tags = {0};
	int rc = put_all(&tags, loader, base);
	uint8_t *block = NULL;

	if (rc == 0) {
		block = boot_allocate(loader->image, tags.size);
		if (!block)
			rc = error_set(loader->err, -ENOMEM,
				       "no memory for the multiboot information");
	}
	if (rc == 0) {
		memcpy(block, tags.bytes, tags.size);
		rc = boot_put(loader, block, tags.size, TAG_ALIGN, "multiboot information", info);
	}
	free(tags.bytes);
	return rc;
}
