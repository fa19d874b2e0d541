// SPDX-License-Identifier: GPL-3.0-or-later
/* What a multiboot 1 guest is told: one block with the information structure, the memory map, the
 * list of modules and all strings; and the modules themselves (Multiboot Specification, 3.3). */
#include "boot/boot_private.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	INFO_MEMORY = 1 << 0,
	INFO_COMMAND_LINE = 1 << 2,
	INFO_MODULES = 1 << 3,
	INFO_MEMORY_MAP = 1 << 6,
	INFO_LOADER_NAME = 1 << 9,
	INFO_FRAMEBUFFER = 1 << 12,
};

struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name;
	uint32_t apm_table, vbe_control_info, vbe_mode_info;
	uint16_t vbe_mode, vbe_interface_seg, vbe_interface_off, vbe_interface_len;
	uint64_t framebuffer_addr;
	uint32_t framebuffer_pitch, framebuffer_width, framebuffer_height;
	uint8_t framebuffer_bpp, framebuffer_type, color_info[6];
} __attribute__((packed));

struct module {
	uint32_t start, end, string, reserved;
};

enum { MAP_AVAILABLE = 1, MAP_RESERVED = 2 };

struct map_entry {
	uint32_t size; /* of the rest */
	uint64_t base, length;
	uint32_t type;
} __attribute__((packed));

struct parts {
	struct boot_modules modules;
	struct map_entry map[BOOT_MAP_MAX];
	unsigned map_count;
	const char *command_line;
};

#define LOADER_NAME "vitrine"

static void describe_memory(struct parts *parts, uint64_t ram_size)
{
	struct boot_range ranges[BOOT_MAP_MAX];

	parts->map_count = boot_memory_map(ram_size, ranges);
	for (unsigned i = 0; i < parts->map_count; i++)
		parts->map[i] = (struct map_entry){
			.size = htole32(sizeof(struct map_entry) - 4),
			.base = htole64(ranges[i].base),
			.length = htole64(ranges[i].size),
			.type = htole32(ranges[i].ram ? MAP_AVAILABLE : MAP_RESERVED),
		};
}

/* The order in the block: info, modules, map, strings. */
static size_t block_size(const struct parts *parts)
{
	size_t size = sizeof(struct info) + parts->modules.count * sizeof(struct module) +
		      parts->map_count * sizeof(struct map_entry) + sizeof(LOADER_NAME) +
		      strlen(parts->command_line) + 1;

	for (unsigned i = 0; i < parts->modules.count; i++)
		size += strlen(parts->modules.module[i].text) + 1;
	return size;
}

/* Appends to the block; *at moves on. Returns the guest's address of what was appended. */
static uint32_t append(uint8_t *block, uint64_t gpa, size_t *at, const void *data, size_t size)
{
	uint32_t address = htole32((uint32_t)(gpa + *at));

	memcpy(block + *at, data, size);
	*at += size;
	return address;
}

static uint32_t append_text(uint8_t *block, uint64_t gpa, size_t *at, const char *text)
{
	return append(block, gpa, at, text, strlen(text) + 1);
}

/* The text screen is what the machine has by way of video. */
static void describe_screen(struct info *info)
{
	info->framebuffer_addr = htole64(0xb8000);
	info->framebuffer_pitch = htole32(160);
	info->framebuffer_width = htole32(80);
	info->framebuffer_height = htole32(25);
	info->framebuffer_bpp = 16;
	info->framebuffer_type = 2; /* EGA text */
}

/* One behind the other at *list, and their strings at *at. */
static void append_modules(uint8_t *block, uint64_t gpa, size_t *list, size_t *at,
			   const struct boot_modules *modules)
{
	for (unsigned i = 0; i < modules->count; i++) {
		const struct boot_module *from = &modules->module[i];
		struct module module = {.start = htole32(from->start),
					.end = htole32(from->end),
					.string = append_text(block, gpa, at, from->text)};

		append(block, gpa, list, &module, sizeof(module));
	}
}

static void fill_block(uint8_t *block, uint64_t gpa, const struct parts *parts,
		       const struct ram_layout *ram)
{
	struct info info = {
		.flags = htole32(INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP |
				 INFO_LOADER_NAME | INFO_FRAMEBUFFER),
		.mem_lower = htole32(RAM_LOW_END >> 10),
		.mem_upper = htole32((uint32_t)((ram->below_4g - RAM_HIGH_BASE) >> 10)),
		.mods_count = htole32(parts->modules.count),
		.mods_addr = htole32((uint32_t)(gpa + sizeof(info))),
		.mmap_length = htole32(parts->map_count * sizeof(struct map_entry)),
	};
	size_t list = sizeof(info), at = list + parts->modules.count * sizeof(struct module);

	describe_screen(&info);
	info.mmap_addr = append(block, gpa, &at, parts->map,
				parts->map_count * sizeof(struct map_entry));
	info.cmdline = append_text(block, gpa, &at, parts->command_line);
	info.boot_loader_name = append_text(block, gpa, &at, LOADER_NAME);
	append_modules(block, gpa, &list, &at, &parts->modules);
	memcpy(block, &info, sizeof(info));
}

/* The image's name comes first, as test kernels that were written for QEMU expect it. */
static int make_command_line(struct loader *loader, struct parts *parts)
{
	const char *name = loader->request->kernel, *arguments = loader->image->command_line;
	size_t size = strlen(name) + strlen(arguments) + 2;
	char *line = boot_allocate(loader->image, size);

	if (!line)
		return error_set(loader->err, -ENOMEM, "no memory for the command line");
	snprintf(line, size, "%s %s", name, arguments);
	parts->command_line = line;
	return 0;
}

int multiboot_place_info(struct loader *loader, uint64_t *info)
{
	struct ram_layout ram = ram_layout(loader->request->ram_size);
	struct parts parts = {0};
	uint8_t *block;
	size_t size;
	int rc = boot_place_modules(loader, &parts.modules);

	if (rc == 0)
		rc = make_command_line(loader, &parts);
	if (rc < 0)
		return rc;
	describe_memory(&parts, loader->request->ram_size);
	size = block_size(&parts);
	block = boot_allocate(loader->image, size);
	if (!block)
		return error_set(loader->err, -ENOMEM, "no memory for the multiboot information");
	rc = boot_put(loader, block, size, 16, "multiboot information", info);
	if (rc == 0)
		fill_block(block, *info, &parts, &ram);
	return rc;
}
