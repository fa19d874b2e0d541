// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * PVH, Xen's way into a kernel without firmware (Xen's docs/misc/pvh.pandoc, "x86/HVM direct boot ABI"; its
 * public/arch-x86/hvm/start_info.h): a note names a physical entry, which is entered in flat protected mode
 * with EBX = struct hvm_start_info.
 */
#include "boot/firmware_tables.h"
#include "boot/linux.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOTE_NAME      "Xen"
#define NOTE_ENTRY     18 /* XEN_ELFNOTE_PHYS32_ENTRY */
#define START_MAGIC    0x336ec578
#define START_VERSION  1
#define FOUR_GIB       0x100000000ull
#define PVH_TASK_LIMIT 0x67

enum { MAP_RAM = 1, MAP_RESERVED = 2 };

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp;
	/* Since version 1. */
	uint64_t map;
	uint32_t map_count, reserved;
};

struct module {
	uint64_t address, size, command_line, reserved;
};

struct map_entry {
	uint64_t address, size;
	uint32_t type, reserved;
};

/* Everything in one piece. */
struct block {
	struct start_info info;
	struct module module;
	struct map_entry map[BOOT_MAP_MAX];
	char command_line[];
};

static bool find_entry(const struct loader *loader, uint64_t *entry)
{
	struct elf_note note;

	*entry = 0;
	if (!elf_find_note(loader, NOTE_NAME, NOTE_ENTRY, &note) ||
	    (note.size != 4 && note.size != 8))
		return false;
	memcpy(entry, note.bytes, note.size);
	return true;
}

bool pvh_recognised(const struct loader *loader)
{
	uint64_t entry;

	return find_entry(loader, &entry);
}

static void fill_map(struct block *block, uint64_t ram_size)
{
	struct boot_range ranges[BOOT_MAP_MAX];
	unsigned count = boot_memory_map(ram_size, ranges);

	block->info.map_count = count;
	for (unsigned i = 0; i < count; i++)
		block->map[i] = (struct map_entry){
			.address = ranges[i].base,
			.size = ranges[i].size,
			.type = ranges[i].ram ? MAP_RAM : MAP_RESERVED,
		};
}

static int fill(struct loader *loader, struct block *block, uint64_t gpa, const char *line)
{
	struct start_info *info = &block->info;
	int rc = linux_place_initrd(loader, FOUR_GIB, &block->module.address, &block->module.size);

	info->magic = START_MAGIC;
	info->version = START_VERSION;
	info->module_count = loader->request->initrd ? 1 : 0;
	info->modules = gpa + offsetof(struct block, module);
	info->command_line = gpa + offsetof(struct block, command_line);
	info->rsdp = firmware_rsdp(loader);
	info->map = gpa + offsetof(struct block, map);
	fill_map(block, loader->request->ram_size);
	memcpy(block->command_line, line, strlen(line) + 1);
	return rc;
}

static int place_info(struct loader *loader, uint64_t *gpa)
{
	const char *line = loader->request->append ? loader->request->append : "";
	size_t size = sizeof(struct block) + strlen(line) + 1;
	struct block *block = boot_allocate(loader->image, size);
	int rc;

	if (!block)
		return error_set(loader->err, -ENOMEM, "no memory for the start information");
	rc = boot_put(loader, block, size, 16, "PVH start information", gpa);
	return rc < 0 ? rc : fill(loader, block, *gpa, line);
}

/* Where the note points to must be something that was loaded. */
static int check_entry(struct loader *loader, uint64_t entry)
{
	if (entry < FOUR_GIB && boot_is_loaded(loader, entry))
		return 0;
	return error_set(loader->err, -EINVAL,
			 "has a PVH note whose entry 0x%llx is in no segment that the file has "
			 "bytes for",
			 (unsigned long long)entry);
}

int pvh_load(struct loader *loader)
{
	struct boot_image *image = loader->image;
	uint64_t entry;
	bool is64;
	int rc;

	find_entry(loader, &entry);
	rc = elf_load_segments(loader, NULL, &is64);
	if (rc == 0)
		rc = check_entry(loader, entry);
	if (rc == 0)
		rc = entry_protected_bare(loader, entry, ENTRY_CODE);
	if (rc == 0)
		rc = place_info(loader, &image->start.general.gpr[GPR_RBX]);
	image->start.system.seg[SEG_TR].limit = PVH_TASK_LIMIT;
	image->protocol = "PVH";
	snprintf(image->why, sizeof(image->why), "has a PVH note: protected mode at 0x%llx",
		 (unsigned long long)entry);
	return rc;
}
