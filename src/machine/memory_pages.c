// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The host's pages behind guest RAM. The memory is private and anonymous, because that is what the host gives
 * large pages for: a guest that touches much then costs a fault for each 2 MiB, and the host's KVM walks and
 * builds fewer tables. The low end stays in small ones: small guests live there, and zeroing 2 MiB for each would
 * be most of what they cost.
 */
#include "machine/memory_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE_PAGE  (2ull << 20)
#define SMALL_PAGES (16ull << 20)

/* Documentation/admin-guide/mm/pagemap.rst: a word for each page. */
#define PAGE_THERE (3ull << 62) /* present, or swapped out */
#define PAGES_READ 512

static uint64_t align_up(uint64_t value)
{
	return (value + LARGE_PAGE - 1) & -LARGE_PAGE;
}

/* Bytes whose address is a multiple of 2 MiB, as guest-physical address 0 is; NULL: see errno. */
static uint8_t *map_aligned(uint64_t size)
{
	uint8_t *all = mmap(NULL, size + LARGE_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t skip;

	if (all == MAP_FAILED)
		return NULL;
	skip = align_up((uintptr_t)all) - (uintptr_t)all;
	if (skip)
		munmap(all, skip);
	munmap(all + skip + size, LARGE_PAGE - skip);
	return all + skip;
}

/* Guest RAM is most of a core dump and none of its use, and no business of a child's. */
static void advise(uint8_t *base, uint64_t size)
{
	uint64_t small = size < SMALL_PAGES ? size : SMALL_PAGES;

	madvise(base, size, MADV_DONTDUMP);
	madvise(base, size, MADV_DONTFORK);
	madvise(base, small, MADV_NOHUGEPAGE);
	madvise(base + small, size - small, MADV_HUGEPAGE);
}

int ram_map(struct memory *memory, struct error *err)
{
	memory->base = map_aligned(memory->size);
	if (!memory->base)
		return error_set(err, -errno,
				 "cannot map %llu MiB of guest RAM: %s; give less with -m",
				 (unsigned long long)(memory->size >> 20), strerror(errno));
	advise(memory->base, memory->size);
	memory->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	return 0;
}

void ram_unmap(struct memory *memory)
{
	if (memory->base)
		munmap(memory->base, memory->size);
	if (memory->pagemap >= 0)
		close(memory->pagemap);
}

/* ---- which of them are there ----------------------------------------------------------------- */

/* The words of at most count pages; how many, 0 when they cannot be had. */
static size_t read_pagemap(const struct memory *memory, uint64_t offset, uint64_t *words,
			   size_t count)
{
	uint64_t page = ((uintptr_t)memory->base + offset) / MEMORY_PAGE;
	ssize_t n = pread(memory->pagemap, words, count * sizeof(*words),
			  (off_t)(page * sizeof(*words)));

	return n > 0 ? (size_t)n / sizeof(*words) : 0;
}

static size_t count_while(const uint64_t *words, size_t count, bool there)
{
	size_t n = 0;

	while (n < count && there == ((words[n] & PAGE_THERE) != 0))
		n++;
	return n;
}

/* The end of the pages from at on that all are there, or all are not. False: nobody knows. */
static bool pass(const struct memory *memory, uint64_t at, uint64_t end, bool there,
		 uint64_t *offset)
{
	uint64_t words[PAGES_READ];
	size_t read = 0, same = 0;

	for (*offset = at; *offset < end && same == read;) {
		uint64_t left = (end - *offset + MEMORY_PAGE - 1) / MEMORY_PAGE;

		read = read_pagemap(memory, *offset, words, left < PAGES_READ ? left : PAGES_READ);
		if (!read)
			return false;
		same = count_while(words, read, there);
		if (same)
			*offset = (*offset & -MEMORY_PAGE) + same * MEMORY_PAGE;
	}
	if (*offset > end)
		*offset = end;
	return true;
}

bool ram_touched(const struct memory *memory, uint64_t from, uint64_t end, uint64_t *offset,
		 uint64_t *size)
{
	uint64_t behind;

	if (from >= end)
		return false;
	if (!pass(memory, from, end, false, offset) || !pass(memory, *offset, end, true, &behind)) {
		*offset = from;
		behind = end;
	}
	*size = behind - *offset;
	return *size > 0;
}

/* ---- giving them back, and taking them ------------------------------------------------------- */

bool ram_drop(struct memory *memory, uint64_t offset, uint64_t size)
{
	return madvise(memory->base + offset, size, MADV_DONTNEED) == 0;
}

static bool renew(uint8_t *from, uint64_t size)
{
	if (mmap(from, size, PROT_READ | PROT_WRITE,
		 MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != from)
		return false;
	madvise(from, size, MADV_DONTDUMP);
	madvise(from, size, MADV_DONTFORK);
	return true;
}

bool ram_renew(struct memory *memory, uint64_t offset)
{
	return renew(memory->base + offset, MEMORY_PAGE);
}

/* DONTUNMAP: where they were stays mapped, for nobody else to move in before it is given back. mremap() unmaps what
 * was there before it looks for what it needs. */
bool ram_take(uint8_t *to, uint8_t *from, size_t size)
{
	if (mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) == to)
		return true;
	renew(to, size);
	return false;
}

/* Before Linux 5.14 there is no such thing. */
void ram_populate(uint8_t *from, uint64_t size)
{
	uintptr_t begin = (uintptr_t)from & -(uintptr_t)MEMORY_PAGE;

	madvise((void *)begin, (uintptr_t)from + size - begin, MADV_POPULATE_WRITE);
}
