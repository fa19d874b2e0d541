// SPDX-License-Identifier: GPL-3.0-or-later
#include "checks.h"

#include "print.h"

#define LOADER_MAGIC 0x2badb002u
#define PAGE	     4096
#define GIB4	     0x100000000ull
#define PATTERN	     0x5aa5c33cu

enum { HAS_MEMORY = 1 << 0, HAS_COMMAND_LINE = 1 << 2, HAS_MODULES = 1 << 3, HAS_MAP = 1 << 6 };

struct boot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, command_line, module_count, modules;
	uint32_t symbols[4], map_length, map;
};

struct module {
	uint32_t start, end, string, reserved;
};

struct map_entry {
	uint32_t size;
	uint64_t base, length;
	uint32_t type;
} __attribute__((packed));

enum { MAP_RAM = 1 };

/* The environment's bytes; none is there from the start. */
static const char *environment, *environment_end;
static uint64_t memory;

/* Where the value of key begins in the line at text, or NULL. */
static const char *value_of(const char *text, const char *key)
{
	while (text < environment_end && *key && *text == *key) {
		text++;
		key++;
	}
	return text < environment_end && !*key && *text == '=' ? text + 1 : NULL;
}

const char *environment_text(const char *key)
{
	const char *line = environment;

	while (line < environment_end) {
		const char *value = value_of(line, key);

		if (value)
			return value;
		while (line < environment_end && *line != '\n')
			line++;
		line++;
	}
	return NULL;
}

uint64_t environment_number(const char *key, uint64_t otherwise)
{
	const char *text = environment_text(key);
	uint64_t value = 0;

	if (!text)
		return otherwise;
	for (; text < environment_end && *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

const char *boot_command_line(const struct boot_info *info)
{
	return info->flags & HAS_COMMAND_LINE ? (const char *)(uint64_t)info->command_line : "";
}

uint64_t boot_memory(void)
{
	return memory;
}

/* The last word below 4 GiB that an entry promises must keep what is written. */
static bool keeps(const struct map_entry *entry)
{
	volatile uint32_t *last = (volatile uint32_t *)(entry->base + entry->length - 4);
	uint32_t before = *last;
	bool right;

	*last = PATTERN;
	right = *last == PATTERN;
	*last = before;
	return right;
}

static void check_map(uint64_t at, uint64_t end)
{
	unsigned bad = 0;
	uint64_t above = 0;

	while (at < end) {
		const struct map_entry *entry = (const struct map_entry *)at;

		if (entry->type == MAP_RAM) {
			memory += entry->length;
			if (entry->base < above)
				bad++;
			above = entry->base + entry->length;
			if (above <= GIB4 && !keeps(entry))
				bad++;
		}
		at += entry->size + 4;
	}
	check("the memory map is sorted, and is RAM", bad, 0);
}

static unsigned count_words(const char *line)
{
	unsigned count = 0;

	while (*line) {
		while (*line == ' ')
			line++;
		count += *line != '\0';
		while (*line && *line != ' ')
			line++;
	}
	return count;
}

static void take_environment(const struct module *module)
{
	environment = (const char *)(uint64_t)module->start;
	environment_end = (const char *)(uint64_t)module->end;
	check("the environment begins on a page", module->start % PAGE, 0);
	print("environment \"%s\"\n", (const char *)(uint64_t)module->string);
}

void boot_checks(uint32_t magic, const struct boot_info *info)
{
	const uint32_t needed = HAS_MEMORY | HAS_COMMAND_LINE | HAS_MAP;
	const char *line = boot_command_line(info);

	check("the loader's magic", magic, LOADER_MAGIC);
	check("what the loader tells", info->flags & needed, needed);
	print("command line \"%s\"\n", line);
	if (info->flags & HAS_MODULES && info->module_count)
		take_environment((const struct module *)(uint64_t)info->modules);
	check("words, with the image's name", count_words(line),
	      environment_number("WORDS", count_words(line)));
	check_map(info->map, info->map + info->map_length);
	check("upper memory in the map", memory > (uint64_t)info->mem_upper << 10, true);
}
