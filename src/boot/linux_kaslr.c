// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Behind the vmlinux in a bzImage stand the addresses that need to be changed when it moves, each as the low half of
 * a kernel address (arch/x86/tools/relocs.c): a zero, then places of 64 bits; a zero, places of 32 bits that go
 * the other way; a zero, places of 32 bits. Since Linux 6.15 there are none that go the other way, and no zero for
 * them.
 */
#include "boot/linux_kaslr.h"

#include "boot/boot.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#define KERNEL_BASE 0xffffffff80000000ull /* __START_KERNEL_map: maps physical address 0 */
#define KERNEL_ROOM 0x40000000ull	  /* KERNEL_IMAGE_SIZE of a kernel that moves */
#define ALIGN	    0x200000ull		  /* the least that CONFIG_PHYSICAL_ALIGN can be */

/* ---- by how much --------------------------------------------------------------------------- */

static bool has_word(const char *line, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = line; (at = strstr(at, word)); at += length) {
		bool begins = at == line || at[-1] == ' ';

		if (begins && (at[length] == ' ' || !at[length]))
			return true;
	}
	return false;
}

uint64_t kaslr_slide(const char *command_line, const struct setup_header *header)
{
	uint64_t align = header->kernel_alignment > ALIGN ? header->kernel_alignment : ALIGN;
	uint64_t end = header->pref_address + header->init_size, chance = 0;

	if ((command_line && has_word(command_line, "nokaslr")) || end >= KERNEL_ROOM ||
	    getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
		return 0;
	return chance % ((KERNEL_ROOM - end) / align + 1) * align;
}

/* ---- the list ------------------------------------------------------------------------------- */

struct list {
	const uint8_t *at;
	size_t count;
};

enum { WIDE, INVERSE, NARROW, LISTS };

static uint32_t word_at(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

/* Splits the words at zeros: each list begins with one. How many lists, or -1. */
static int split(const uint8_t *at, size_t size, struct list lists[LISTS])
{
	int count = 0;

	if (size % 4)
		return -1;
	for (const uint8_t *end = at + size; at < end; at += 4) {
		if (word_at(at) == 0) {
			if (count == LISTS)
				return -1;
			lists[count++] = (struct list){.at = at + 4};
		} else if (count == 0) {
			return -1;
		} else {
			lists[count - 1].count++;
		}
	}
	return count;
}

static bool find_lists(const uint8_t *at, size_t size, struct list lists[LISTS])
{
	struct list found[LISTS] = {0};
	int count = split(at, size, found);

	memset(lists, 0, LISTS * sizeof(*lists));
	if (count != 2 && count != 3)
		return false;
	lists[WIDE] = found[0];
	lists[NARROW] = found[count - 1];
	if (count == 3)
		lists[INVERSE] = found[1];
	return true;
}

/* ---- the places ------------------------------------------------------------------------------- */

/* What the headers say. The segment that was looked for last is tried first, since places follow each other by the
 * hundred thousand. */
struct vmlinux {
	uint8_t *elf;
	uint64_t table, table_end; /* the program headers */
	struct stretch {
		uint64_t gpa, size;
		uint8_t *at;
	} segment[BOOT_MAX_SEGMENTS];
	unsigned count, last;
};

static bool add_segment(struct vmlinux *v, uint8_t *elf, size_t elf_size, const Elf64_Phdr *p)
{
	if (v->count == BOOT_MAX_SEGMENTS || p->p_offset > elf_size ||
	    p->p_filesz > elf_size - p->p_offset)
		return false;
	v->segment[v->count++] = (struct stretch){p->p_paddr, p->p_filesz, elf + p->p_offset};
	return true;
}

static bool read_segments(struct vmlinux *v, uint8_t *elf, size_t elf_size)
{
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)elf;
	Elf64_Phdr p;

	if (h->e_phentsize != sizeof(p) || h->e_phoff > elf_size ||
	    h->e_phnum * sizeof(p) > elf_size - h->e_phoff)
		return false;
	v->elf = elf;
	v->table = h->e_phoff;
	v->table_end = h->e_phoff + h->e_phnum * sizeof(p);
	for (unsigned i = 0; i < h->e_phnum; i++) {
		memcpy(&p, elf + h->e_phoff + i * sizeof(p), sizeof(p));
		if (p.p_type == PT_LOAD && !add_segment(v, elf, elf_size, &p))
			return false;
	}
	return true;
}

/* Bytes of the file's head and of the table that says where its segments are. They are nobody's place. */
static bool in_headers(const struct vmlinux *v, const uint8_t *place, size_t size)
{
	uint64_t offset = (uint64_t)(place - v->elf);

	return offset < sizeof(Elf64_Ehdr) || (offset < v->table_end && offset + size > v->table);
}

static uint8_t *place_in(const struct stretch *s, uint64_t gpa, size_t size)
{
	uint64_t into = gpa - s->gpa;

	return into < s->size && size <= s->size - into ? s->at + into : NULL;
}

/* Where the image has the bytes for a kernel address; NULL: nowhere, or fewer than size. */
static uint8_t *place_of(struct vmlinux *v, uint32_t low, size_t size)
{
	uint64_t gpa = (uint64_t)(int64_t)(int32_t)low - KERNEL_BASE;
	uint8_t *place = v->count ? place_in(&v->segment[v->last], gpa, size) : NULL;

	for (unsigned i = 0; !place && i < v->count; i++) {
		place = place_in(&v->segment[i], gpa, size);
		v->last = i;
	}
	return place && !in_headers(v, place, size) ? place : NULL;
}

static bool all_there(struct vmlinux *v, const struct list *list, size_t size)
{
	for (size_t i = 0; i < list->count; i++)
		if (!place_of(v, word_at(list->at + i * 4), size))
			return false;
	return true;
}

static void add32(uint8_t *place, uint64_t slide)
{
	uint32_t value = htole32(word_at(place) + (uint32_t)slide);

	memcpy(place, &value, sizeof(value));
}

static void add64(uint8_t *place, uint64_t slide)
{
	uint64_t value;

	memcpy(&value, place, sizeof(value));
	value = htole64(le64toh(value) + slide);
	memcpy(place, &value, sizeof(value));
}

static void apply(struct vmlinux *v, const struct list *list, size_t size, uint64_t slide)
{
	for (size_t i = 0; i < list->count; i++) {
		uint8_t *place = place_of(v, word_at(list->at + i * 4), size);

		if (size == 8)
			add64(place, slide);
		else
			add32(place, slide);
	}
}

int kaslr_relocate(uint8_t *elf, size_t size, const uint8_t *list, size_t list_size, uint64_t slide)
{
	static const size_t sizes[LISTS] = {[WIDE] = 8, [INVERSE] = 4, [NARROW] = 4};
	struct vmlinux v = {0};
	struct list lists[LISTS];

	if (!read_segments(&v, elf, size) || !find_lists(list, list_size, lists))
		return -ENOTSUP;
	for (unsigned i = 0; i < LISTS; i++)
		if (!all_there(&v, &lists[i], sizes[i]))
			return -ENOTSUP;
	for (unsigned i = 0; i < LISTS; i++)
		apply(&v, &lists[i], sizes[i], i == INVERSE ? -slide : slide);
	return 0;
}
