// SPDX-License-Identifier: GPL-3.0-or-later
/* A multiboot 1 kernel that prints what it was given.
 * Command line: exit=V  the value to end with (0; 1 when the loader's magic is wrong). */
#include "arguments.h"
#include "port.h"
#include "print.h"

#define LOADER_MAGIC 0x2badb002u

enum {
	INFO_MEMORY = 1 << 0,
	INFO_COMMAND_LINE = 1 << 2,
	INFO_MODULES = 1 << 3,
	INFO_MEMORY_MAP = 1 << 6,
	INFO_LOADER_NAME = 1 << 9,
};

struct module {
	uint32_t start, end, string, reserved;
};

struct map_entry {
	uint32_t size;
	uint64_t base, length;
	uint32_t type;
} __attribute__((packed));

struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name;
};

void print_map(uint32_t address, uint32_t length);
void print_modules(const struct module *module, uint32_t count);
uint32_t sum_bytes(const uint8_t *bytes, uint32_t size);
void print_info(const struct info *info);
void guest_main(uint32_t magic, const struct info *info);

/* size does not count itself. */
void print_map(uint32_t address, uint32_t length)
{
	uint32_t end = address + length;

	while (address < end) {
		const struct map_entry *entry = (const struct map_entry *)address;

		print("memory 0x%09llx-0x%09llx type %u\n", entry->base,
		      entry->base + entry->length, entry->type);
		address += entry->size + 4;
	}
}

uint32_t sum_bytes(const uint8_t *bytes, uint32_t size)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < size; i++)
		sum += bytes[i];
	return sum;
}

void print_modules(const struct module *module, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, module++) {
		uint32_t size = module->end - module->start;

		print("module %u: 0x%x-0x%x, sum 0x%x, \"%s\"\n", i, module->start, module->end,
		      sum_bytes((const uint8_t *)module->start, size),
		      (const char *)module->string);
	}
}

void print_info(const struct info *info)
{
	print("flags 0x%x\n", info->flags);
	if (info->flags & INFO_MEMORY)
		print("lower %u KiB, upper %u KiB\n", info->mem_lower, info->mem_upper);
	if (info->flags & INFO_COMMAND_LINE)
		print("command line \"%s\"\n", (const char *)info->cmdline);
	if (info->flags & INFO_LOADER_NAME)
		print("loader \"%s\"\n", (const char *)info->boot_loader_name);
	if (info->flags & INFO_MEMORY_MAP)
		print_map(info->mmap_addr, info->mmap_length);
	if (info->flags & INFO_MODULES)
		print_modules((const struct module *)info->mods_addr, info->mods_count);
}

void guest_main(uint32_t magic, const struct info *info)
{
	const char *line = "";

	serial_init();
	print("mboot: magic 0x%x\n", magic);
	if (magic != LOADER_MAGIC)
		debug_exit(1);
	print_info(info);
	if (info->flags & INFO_COMMAND_LINE)
		line = (const char *)info->cmdline;
	print("mboot: done\n");
	debug_exit((uint8_t)argument_number(line, "exit", 0));
}
