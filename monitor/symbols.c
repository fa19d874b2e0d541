// SPDX-License-Identifier: GPL-3.0-or-later
#include "monitor/symbols.h"

#include "monitor/frames.h"
#include "monitor/symbols_private.h"
#include "monitor/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL_HALF (1ull << 63)
#define OTHERS_FROM ((size_t)1 << 40) /* more symbols than an image can have */

static struct symbols *allocate(struct error *err)
{
	struct symbols *symbols = calloc(1, sizeof(*symbols));

	if (!symbols)
		error_set(err, -ENOMEM, "no memory for the symbols");
	return symbols;
}

static bool attach(struct symbols *symbols, const void *elf, size_t size)
{
	elf_version(EV_CURRENT);
	/* libelf reads only, but its signature predates const. */
	symbols->elf = elf_memory((char *)(uintptr_t)elf, size);
	if (symbols->elf && elf_kind(symbols->elf) == ELF_K_ELF)
		symbols->lines = lines_new(symbols->elf);
	if (!symbols->lines) {
		elf_end(symbols->elf);
		symbols->elf = NULL;
		return false;
	}
	symbols->file = elf;
	symbols->file_size = size;
	return true;
}

int symbols_later(symbols_make_fn *make, void *ctx, struct symbols **result, struct error *err)
{
	*result = allocate(err);
	if (!*result)
		return -ENOMEM;
	(*result)->make = make;
	(*result)->make_ctx = ctx;
	return 0;
}

bool symbols_open(struct symbols *symbols)
{
	symbols_make_fn *make = symbols ? symbols->make : NULL;
	const void *elf;
	size_t size;

	if (make) {
		symbols->make = NULL;
		elf = make(symbols->make_ctx, &size);
		if (elf)
			attach(symbols, elf, size);
	}
	return symbols && symbols->elf;
}

int symbols_load(const void *elf, size_t size, struct symbols **result, struct error *err)
{
	struct symbols *symbols = *result = allocate(err);

	if (!symbols)
		return -ENOMEM;
	if (!elf || attach(symbols, elf, size))
		return 0;
	symbols_free(symbols);
	*result = NULL;
	return error_set(err, -ENOEXEC, "the symbols cannot be read: the image is not an ELF file");
}

static void free_names(struct clean_name *name)
{
	while (name) {
		struct clean_name *next = name->next;

		free(name);
		name = next;
	}
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	lines_free(symbols->lines);
	frames_free(symbols->frames);
	elf_end(symbols->elf);
	free(symbols->by_address);
	free(symbols->by_name);
	free_names(symbols->clean);
	free(symbols);
}

const char *symbols_printable(struct symbols *symbols, const char *name)
{
	size_t size = strlen(name), space = TEXT_CLEAN_SIZE(size);
	struct clean_name *clean;

	for (const char *c = name; *c > 0x20 && *c < 0x7f; c++)
		if (!c[1])
			return name;
	clean = malloc(sizeof(*clean) + space);
	if (!clean)
		return NULL;
	text_clean(name, size, false, clean->text, space);
	clean->next = symbols->clean;
	symbols->clean = clean;
	return clean->text;
}

void symbols_set_offset(struct symbols *symbols, uint64_t offset)
{
	symbols->offset = offset;
}

void symbols_set_others(struct symbols *symbols, symbols_ask_fn *ask, symbols_module_fn *module,
			void *ctx)
{
	symbols->ask = ask;
	symbols->module = module;
	symbols->ask_ctx = ctx;
}

static struct symbols *others_of(const struct symbols *symbols)
{
	return symbols && symbols->ask ? symbols->ask(symbols->ask_ctx) : NULL;
}

uint64_t symbols_offset(const struct symbols *symbols)
{
	return symbols ? symbols->offset : 0;
}

const void *symbols_file_bytes(struct symbols *symbols, size_t *size)
{
	bool there = symbols_open(symbols);

	*size = there ? symbols->file_size : 0;
	return there ? symbols->file : NULL;
}

struct frames *symbols_frames(struct symbols *symbols)
{
	if (!symbols_open(symbols))
		return NULL;
	if (!symbols->frames)
		symbols->frames = frames_new(symbols->elf);
	return symbols->frames;
}

const struct orc_tables *symbols_orc(struct symbols *symbols)
{
	if (!symbols_open(symbols))
		return NULL;
	if (!symbols->orc_sought)
		orc_find(symbols->elf, &symbols->orc);
	symbols->orc_sought = true;
	return symbols->orc.count ? &symbols->orc : NULL;
}

/* ---- looking up ---------------------------------------------------------------------------- */

/* Index of the first symbol whose address is above. */
static size_t above(const struct symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->by_address[middle].address > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* How far a search looks down for a sized name around labels that lie inside it. */
#define LOOK_BACK 64

static const struct symbol *covering(struct symbols *symbols, uint64_t address)
{
	const struct symbol *label = NULL;
	size_t index = above(symbols, address);

	for (unsigned i = 0; i < LOOK_BACK && index; i++) {
		const struct symbol *symbol = &symbols->by_address[--index];

		if (symbol->size && address - symbol->address < symbol->size)
			return symbol;
		if (!label && !symbol->size && address < symbol->limit)
			label = symbol;
	}
	return label;
}

const char *symbols_name(struct symbols *symbols, uint64_t address, uint64_t *offset)
{
	const struct symbol *symbol = symbols_ready(symbols)
					      ? covering(symbols, address - symbols->offset)
					      : NULL;

	if (!symbol)
		return address >= KERNEL_HALF && others_of(symbols)
			       ? symbols_name(others_of(symbols), address, offset)
			       : NULL;
	*offset = address - symbols->offset - symbol->address;
	return symbol->name;
}

char *symbols_text(struct symbols *symbols, uint64_t address, char *buf, size_t size)
{
	uint64_t offset;
	const char *name = symbols_name(symbols, address, &offset), *module = NULL;

	buf[0] = 0;
	if (!name)
		return buf;
	if (symbols->module &&
	    !(symbols_ready(symbols) && covering(symbols, address - symbols->offset)))
		module = symbols->module(symbols->ask_ctx, address);
	snprintf(buf, size, "%.60s", name);
	if (offset)
		snprintf(buf + strlen(buf), size - strlen(buf), "+0x%" PRIx64, offset);
	if (module)
		snprintf(buf + strlen(buf), size - strlen(buf), " [%s]", module);
	return buf;
}

/* Index by name of the first symbol that is not below text. */
static size_t name_index(const struct symbols *symbols, const char *text)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(symbols->by_name[middle]->name, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int find_here(struct symbols *symbols, const char *name, uint64_t *address, uint64_t *size)
{
	size_t index = symbols_ready(symbols) ? name_index(symbols, name) : 0;

	if (!symbols_ready(symbols) || index == symbols->count ||
	    strcmp(symbols->by_name[index]->name, name))
		return -ENOENT;
	*address = symbols->by_name[index]->address + symbols->offset;
	if (size)
		*size = symbols->by_name[index]->size;
	return 0;
}

int symbols_find(struct symbols *symbols, const char *name, uint64_t *address, uint64_t *size)
{
	struct symbols *others;

	if (!find_here(symbols, name, address, size))
		return 0;
	others = others_of(symbols);
	return others ? find_here(others, name, address, size) : -ENOENT;
}

/* *cursor is one more than the index by name of what was given out last; 0: begin. */
static const char *next_here(struct symbols *symbols, const char *prefix, size_t *cursor)
{
	const char *last = NULL, *name;
	size_t index;

	if (!symbols_ready(symbols))
		return NULL;
	if (*cursor)
		last = symbols->by_name[*cursor - 1]->name;
	for (index = *cursor ? *cursor : name_index(symbols, prefix); index < symbols->count;
	     index++) {
		name = symbols->by_name[index]->name;
		if (strncmp(name, prefix, strlen(prefix)))
			return NULL;
		if (last && !strcmp(name, last))
			continue;
		*cursor = index + 1;
		return name;
	}
	return NULL;
}

/* Of the others, the cursor begins behind all that can be here. */
const char *symbols_next(struct symbols *symbols, const char *prefix, size_t *cursor)
{
	struct symbols *others;
	const char *name = NULL;
	size_t there;

	if (*cursor < OTHERS_FROM)
		name = next_here(symbols, prefix, cursor);
	others = name ? NULL : others_of(symbols);
	if (!others)
		return name;
	there = *cursor < OTHERS_FROM ? 0 : *cursor - OTHERS_FROM;
	name = next_here(others, prefix, &there);
	*cursor = there + OTHERS_FROM;
	return name;
}
