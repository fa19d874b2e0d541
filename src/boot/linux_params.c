// SPDX-License-Identifier: GPL-3.0-or-later
/* What a Linux kernel is told: the zero page, with the setup header, the memory map and the text screen;
 * the command line; the initial RAM disk. */
#include "boot/firmware_tables.h"
#include "boot/linux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE	       4096
#define LOADER_UNKNOWN 0xff
#define VIDEO_NORMAL   0xffff
#define DEFAULT_LINE   255 /* where the kernel does not say */
#define DEFAULT_INITRD 0x37ffffff

enum { E820_RAM = 1, E820_RESERVED = 2 };

static const struct screen_info text_screen = {
	.orig_video_mode = 3,
	.orig_video_cols = 80,
	.orig_video_lines = 25,
	.orig_video_isVGA = 1,
	.orig_video_points = 16,
};

static uint32_t low_half(uint64_t value)
{
	return (uint32_t)value;
}

/* ---- the initial RAM disk ---- */

int linux_place_initrd(struct loader *loader, uint64_t limit, uint64_t *gpa, uint64_t *size)
{
	struct boot_segment segment = {.what = "initrd"};
	const char *path = loader->request->initrd;
	const uint8_t *bytes;
	int rc;

	*gpa = *size = 0;
	if (!path)
		return 0;
	rc = boot_read_file(loader->image, path, &bytes, &segment.data_size, loader->err);
	if (rc == 0)
		rc = boot_find_below(loader, limit, segment.data_size, PAGE, "initial RAM disk",
				     &segment.gpa);
	if (rc < 0) {
		error_prefix(loader->err, "%s (-initrd)", path);
		return rc;
	}
	segment.size = segment.data_size;
	segment.data = bytes;
	*gpa = segment.gpa;
	*size = segment.size;
	loader->image->initrd = segment;
	return boot_add(loader, &segment);
}

/* ---- the command line ---- */

static int place_command_line(struct loader *loader, const struct setup_header *header,
			      uint64_t *gpa)
{
	const char *line = loader->request->append ? loader->request->append : "";
	size_t most = header->cmdline_size ? header->cmdline_size : DEFAULT_LINE;
	size_t length = strlen(line);
	char *copy;

	if (length > most)
		return error_set(loader->err, -E2BIG,
				 "takes a command line of %zu bytes at most, and -append has %zu",
				 most, length);
	copy = boot_allocate(loader->image, length + 1);
	if (!copy)
		return error_set(loader->err, -ENOMEM, "no memory for the command line");
	memcpy(copy, line, length);
	return boot_put(loader, copy, length + 1, 16, "command line", gpa);
}

/* ---- the zero page ---- */

static void describe_memory(struct boot_params *params, uint64_t ram_size)
{
	struct boot_range ranges[BOOT_MAP_MAX];

	params->e820_entries = (uint8_t)boot_memory_map(ram_size, ranges);
	for (unsigned i = 0; i < params->e820_entries; i++)
		params->e820_table[i] = (struct boot_e820_entry){
			.addr = ranges[i].base,
			.size = ranges[i].size,
			.type = ranges[i].ram ? E820_RAM : E820_RESERVED,
		};
}

static int fill(struct loader *loader, const struct setup_header *header,
		struct boot_params *params)
{
	struct setup_header h = *header;
	uint64_t line, initrd, initrd_size;
	uint64_t limit = h.initrd_addr_max ? h.initrd_addr_max : DEFAULT_INITRD;
	int rc = place_command_line(loader, &h, &line);

	if (rc == 0)
		rc = linux_place_initrd(loader, limit + 1, &initrd, &initrd_size);
	if (rc < 0)
		return rc;
	h.type_of_loader = LOADER_UNKNOWN;
	h.vid_mode = VIDEO_NORMAL;
	h.cmd_line_ptr = low_half(line);
	h.ramdisk_image = low_half(initrd);
	h.ramdisk_size = low_half(initrd_size);
	params->hdr = h;
	params->screen_info = text_screen;
	params->acpi_rsdp_addr = firmware_rsdp(loader);
	describe_memory(params, loader->request->ram_size);
	return 0;
}

int linux_place_params(struct loader *loader, const struct setup_header *header, uint64_t *gpa)
{
	struct boot_params *params = boot_allocate(loader->image, sizeof(*params));
	int rc;

	if (!params)
		return error_set(loader->err, -ENOMEM, "no memory for the zero page");
	rc = boot_put(loader, params, sizeof(*params), PAGE, "zero page", gpa);
	return rc < 0 ? rc : fill(loader, header, params);
}
