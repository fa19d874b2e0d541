// SPDX-License-Identifier: GPL-3.0-or-later
#include "machine/memory_private.h"

#include "boot/boot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* 640 KiB-768 KiB is where a PC has its video memory: devices live there, no RAM. */
#define VIDEO_END 0xc0000ull
#define FOUR_GIB  0x100000000ull

static void add_range(struct memory *memory, uint64_t gpa, uint64_t end, uint64_t offset)
{
	if (end <= gpa)
		return;
	memory->range[memory->range_count++] = (struct ram_range){
		.gpa = gpa, .size = end - gpa, .offset = offset};
}

static void lay_out(struct memory *memory)
{
	struct ram_layout layout = ram_layout(memory->size);

	add_range(memory, 0, RAM_LOW_END, 0);
	add_range(memory, VIDEO_END, layout.below_4g, VIDEO_END);
	add_range(memory, FOUR_GIB, FOUR_GIB + layout.above_4g, layout.below_4g);
}

int memory_create(uint64_t size, struct accel_vm *vm, struct memory **out, struct error *err)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	int rc;

	if (!memory)
		return error_set(err, -ENOMEM, "out of memory");
	memory->size = size;
	memory->pagemap = -1;
	memory->vm = vm;
	lay_out(memory);
	rc = ram_map(memory, err);
	if (rc == 0)
		rc = memory_show(memory, err);
	if (rc < 0) {
		memory_destroy(memory);
		return rc;
	}
	*out = memory;
	return 0;
}

void memory_destroy(struct memory *memory)
{
	if (!memory)
		return;
	ram_unmap(memory);
	memory_slots_free(memory);
	dirty_free(memory);
	free(memory);
}

uint64_t memory_size(const struct memory *memory)
{
	return memory->size;
}

bool memory_range(const struct memory *memory, unsigned index, uint64_t *gpa, uint64_t *size)
{
	if (index >= memory->range_count)
		return false;
	*gpa = memory->range[index].gpa;
	*size = memory->range[index].size;
	return true;
}

/* The part of a range at or behind from that there are pages for, up to its first hole. */
static bool touched_in(const struct memory *memory, const struct ram_range *r, uint64_t from,
		       uint64_t *gpa, uint64_t *size)
{
	uint64_t skip = from > r->gpa ? from - r->gpa : 0, end = r->offset + r->size, offset;

	if (skip >= r->size || !ram_touched(memory, r->offset + skip, end, &offset, size))
		return false;
	*gpa = r->gpa + (offset - r->offset);
	return true;
}

bool memory_touched(const struct memory *memory, uint64_t from, uint64_t *gpa, uint64_t *size)
{
	for (unsigned i = 0; i < memory->range_count; i++)
		if (touched_in(memory, &memory->range[i], from, gpa, size))
			return true;
	return false;
}

void *mem_hva(struct memory *memory, uint64_t gpa, uint64_t *contiguous)
{
	for (unsigned i = 0; i < memory->range_count; i++) {
		const struct ram_range *r = &memory->range[i];

		if (gpa - r->gpa >= r->size)
			continue;
		if (contiguous)
			*contiguous = r->size - (gpa - r->gpa);
		return memory->base + r->offset + (gpa - r->gpa);
	}
	return NULL;
}

/* The one loop over RAM: hands each contiguous piece to a copy that may stop short. */
static size_t for_each_piece(struct memory *memory, uint64_t gpa, size_t len,
			     size_t (*copy)(void *hva, void *ctx, size_t done, size_t size),
			     void *ctx)
{
	size_t done = 0;

	while (done < len) {
		uint64_t room;
		void *hva = mem_hva(memory, gpa + done, &room);
		size_t piece, copied;

		if (!hva || gpa + done < gpa)
			break;
		piece = len - done < room ? len - done : (size_t)room;
		copied = copy(hva, ctx, done, piece);
		done += copied;
		if (copied < piece)
			break;
	}
	return done;
}

static size_t copy_out(void *hva, void *buf, size_t done, size_t size)
{
	return sigbus_copy((uint8_t *)buf + done, hva, size);
}

struct write {
	struct memory *memory;
	const uint8_t *bytes;
};

static size_t copy_in(void *hva, void *ctx, size_t done, size_t size)
{
	const struct write *write = ctx;

	dirty_mark(write->memory, (uint64_t)((uint8_t *)hva - write->memory->base), size);
	return sigbus_copy(hva, write->bytes + done, size);
}

size_t mem_read_phys(struct memory *memory, uint64_t gpa, void *buf, size_t len)
{
	return for_each_piece(memory, gpa, len, copy_out, buf);
}

size_t mem_write_phys(struct memory *memory, uint64_t gpa, const void *buf, size_t len)
{
	struct write write = {memory, buf};

	return for_each_piece(memory, gpa, len, copy_in, &write);
}

int mem_zero_phys(struct memory *memory, uint64_t gpa, uint64_t len)
{
	static const uint8_t zeros[4096];

	while (len > 0) {
		size_t piece = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		if (mem_write_phys(memory, gpa, zeros, piece) != piece)
			return -EFAULT;
		gpa += piece;
		len -= piece;
	}
	return 0;
}

void memory_populate(struct memory *memory, uint64_t gpa, uint64_t size)
{
	uint64_t room;
	uint8_t *from = mem_hva(memory, gpa, &room);

	if (from)
		ram_populate(from, size < room ? size : room);
}

size_t memory_take(struct memory *memory, uint64_t gpa, uint8_t *data, size_t size)
{
	size_t head = -(uintptr_t)data % MEMORY_PAGE, whole = size > head ? size - head : 0;
	uint64_t room;
	uint8_t *to = mem_hva(memory, gpa, &room);

	whole -= whole % MEMORY_PAGE;
	if (!to || room < size || ((to - data) % (ptrdiff_t)MEMORY_PAGE) != 0 || !whole ||
	    !ram_take(to + head, data + head, whole)) {
		memory_populate(memory, gpa, size);
		return mem_write_phys(memory, gpa, data, size);
	}
	dirty_mark(memory, (uint64_t)(to + head - memory->base), whole);
	if (mem_write_phys(memory, gpa, data, head) != head)
		return 0;
	return head + whole +
	       mem_write_phys(memory, gpa + head + whole, data + head + whole, size - head - whole);
}

int memory_clear(struct memory *memory)
{
	dirty_mark_existing(memory);
	if (ram_drop(memory, 0, memory->size))
		return 0;
	for (unsigned i = 0; i < memory->range_count; i++)
		if (mem_zero_phys(memory, memory->range[i].gpa, memory->range[i].size) < 0)
			return -EFAULT;
	return 0;
}
