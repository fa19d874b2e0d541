// SPDX-License-Identifier: GPL-3.0-or-later
/* A multiboot 2 kernel that prints what it was told, and finds its own symbol in it.
 * Command line: exit=V  the value to end with (0; 1 when something is wrong). */
#include "arguments.h"
#include "port.h"
#include "print.h"

#include <stddef.h>

#define LOADER_MAGIC 0x36d76289u
#define SYMBOL	     "guest_main"

enum { COMMAND_LINE = 1, LOADER = 2, MODULE = 3, MEMORY = 4, MAP = 6, SECTIONS = 9, RSDP = 15 };

struct info {
	uint32_t size, reserved;
};

struct tag {
	uint32_t type, size;
	uint32_t word[];
};

struct map_entry {
	uint64_t base, length;
	uint32_t type, reserved;
};

struct section {
	uint32_t name, type, flags, address, offset, size, link, info, align, entry_size;
};

struct symbol {
	uint32_t name, value, size;
	uint8_t info, other;
	uint16_t section;
};

enum { SYMBOL_TABLE = 2 };

void print_map(const struct tag *tag);
void print_module(const struct tag *tag);
void take_sections(const struct tag *tag);
void print_tag(const struct tag *tag);
void print_tags(const struct info *info);
uint32_t find_symbol(const struct section *table, const char *names);
void guest_main(uint32_t magic, const struct info *info);

const char *line = "";
uint32_t symbol_address;

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

void print_map(const struct tag *tag)
{
	uint32_t entry_size = tag->word[0];
	const char *end = (const char *)tag + tag->size;

	for (const char *at = (const char *)(tag->word + 2); at + entry_size <= end;
	     at += entry_size) {
		const struct map_entry *entry = (const struct map_entry *)at;

		print("memory 0x%09llx-0x%09llx type %u\n", entry->base,
		      entry->base + entry->length, entry->type);
	}
}

void print_module(const struct tag *tag)
{
	const uint8_t *bytes = (const uint8_t *)tag->word[0];
	uint32_t size = tag->word[1] - tag->word[0], sum = 0;

	for (uint32_t i = 0; i < size; i++)
		sum += bytes[i];
	print("module 0x%x-0x%x, sum 0x%x, \"%s\"\n", tag->word[0], tag->word[1], sum,
	      (const char *)(tag->word + 2));
}

uint32_t find_symbol(const struct section *table, const char *names)
{
	const struct symbol *symbol = (const struct symbol *)table->address;

	for (uint32_t i = 0; i < table->size / sizeof(*symbol); i++)
		if (same(names + symbol[i].name, SYMBOL))
			return symbol[i].value;
	return 0;
}

void take_sections(const struct tag *tag)
{
	uint32_t count = tag->word[0];
	const struct section *section = (const struct section *)(tag->word + 3);

	print("sections %u of %u bytes\n", count, tag->word[1]);
	for (uint32_t i = 0; i < count; i++)
		if (section[i].type == SYMBOL_TABLE && section[i].link < count)
			symbol_address = find_symbol(
				&section[i], (const char *)section[section[i].link].address);
}

void print_tag(const struct tag *tag)
{
	switch (tag->type) {
	case COMMAND_LINE:
		line = (const char *)tag->word;
		print("command line \"%s\"\n", line);
		break;
	case LOADER: print("loader \"%s\"\n", (const char *)tag->word); break;
	case MODULE: print_module(tag); break;
	case MEMORY: print("lower %u KiB, upper %u KiB\n", tag->word[0], tag->word[1]); break;
	case MAP: print_map(tag); break;
	case SECTIONS: take_sections(tag); break;
	case RSDP: print("rsdp revision %u\n", tag->word[3] >> 24); break;
	default: print("tag %u, %u bytes\n", tag->type, tag->size); break;
	}
}

void print_tags(const struct info *info)
{
	uint32_t at = (uint32_t)(info + 1), end = (uint32_t)info + info->size;

	while (at < end && ((const struct tag *)at)->type) {
		print_tag((const struct tag *)at);
		at += (((const struct tag *)at)->size + 7) & ~7u;
	}
	print("%u bytes in all\n", info->size);
}

void guest_main(uint32_t magic, const struct info *info)
{
	serial_init();
	print("mboot2: magic 0x%x\n", magic);
	if (magic != LOADER_MAGIC)
		debug_exit(1);
	print_tags(info);
	print(SYMBOL " is at 0x%x, its symbol says 0x%x\n", (uint32_t)guest_main, symbol_address);
	if (symbol_address != (uint32_t)guest_main)
		debug_exit(1);
	print("mboot2: done\n");
	debug_exit((uint8_t)argument_number(line, "exit", 0));
}
