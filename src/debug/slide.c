// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Code is compared as it lies in the file and in memory. Where it was relocated, or patched, some bytes differ: so a
 * place is found by one of several short stretches, and believed when most of the bytes in samples of the code around
 * agree.
 */
#include "debug/debug.h"
#include "x86/descriptors.h"
#include "x86/exceptions.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>

#define SEGMENTS   16
#define STRETCH	   32 /* bytes that are looked for in the image */
#define STRETCHES  8
#define SAMPLE	   64 /* bytes that are compared */
#define SAMPLES	   16 /* of a segment with code */
#define PAGE_BELOW 0xfffull

struct code {
	const uint8_t *bytes; /* in the file */
	uint64_t size, vaddr, paddr;
};

struct image {
	struct debug *debug;
	int vcpu;
	bool has_base;
	uint64_t base;
	unsigned count;
	struct code code[SEGMENTS];
};

/* ---- the image --------------------------------------------------------------------------- */

static void take_segment(struct image *image, const GElf_Phdr *p, const void *elf, size_t size)
{
	if (p->p_type != PT_LOAD)
		return;
	if (!image->has_base)
		image->base = p->p_vaddr;
	image->has_base = true;
	if (!(p->p_flags & PF_X) || image->count == SEGMENTS || p->p_offset > size ||
	    p->p_filesz > size - p->p_offset || p->p_filesz < SAMPLE)
		return;
	image->code[image->count++] = (struct code){.bytes = (const uint8_t *)elf + p->p_offset,
						    .size = p->p_filesz,
						    .vaddr = p->p_vaddr,
						    .paddr = p->p_paddr};
}

static int read_image(struct image *image, const void *bytes, size_t size)
{
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_memory((char *)bytes, size);
	size_t count = 0;
	GElf_Phdr p;

	if (!elf || elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &count) < 0) {
		elf_end(elf);
		return -ENOEXEC;
	}
	for (size_t i = 0; i < count && gelf_getphdr(elf, (int)i, &p); i++)
		take_segment(image, &p, bytes, size);
	elf_end(elf);
	return 0;
}

/* ---- comparing --------------------------------------------------------------------------- */

/* How many of these bytes are in memory at an address; of the others some may not be mapped. */
static unsigned count_same(const struct image *image, uint64_t address, const uint8_t *bytes,
			   unsigned size)
{
	uint8_t there[SAMPLE] = {0};
	ssize_t done = debug_read(image->debug, image->vcpu, SPACE_LINEAR, address, there, size);
	unsigned same = 0;

	for (ssize_t i = 0; i < done; i++)
		same += there[i] == bytes[i];
	return same;
}

/* Three bytes of four in samples of it. What the image has besides may be gone: a kernel gives the code that it began
 * with away. */
static bool code_is_at(const struct image *image, const struct code *code, uint64_t slide)
{
	unsigned same = 0;

	for (unsigned n = 0; n < SAMPLES; n++) {
		uint64_t at = (code->size - SAMPLE) / (SAMPLES - 1) * n;

		same += count_same(image, code->vaddr + at + slide, code->bytes + at, SAMPLE);
	}
	return same >= SAMPLES * SAMPLE / 4 * 3;
}

/* ---- searching --------------------------------------------------------------------------- */

/* The code that a stretch of memory is from, and where that is linked; not when it is there twice. */
static const struct code *find_stretch(const struct image *image, const uint8_t *stretch,
				       uint64_t *linked)
{
	const struct code *its = NULL;
	unsigned found = 0;

	for (unsigned i = 0; i < image->count; i++) {
		const struct code *code = &image->code[i];
		const uint8_t *at = code->bytes, *end = at + code->size;

		while (found < 2 && (at = memmem(at, (size_t)(end - at), stretch, STRETCH))) {
			*linked = code->vaddr + (uint64_t)(at - code->bytes);
			its = code;
			found++;
			at++;
		}
	}
	return found == 1 ? its : NULL;
}

static bool find_from(const struct image *image, uint64_t address, uint64_t *slide)
{
	for (unsigned i = 0; i < STRETCHES; i++) {
		uint64_t at = address + i * STRETCH, linked = 0;
		uint8_t stretch[STRETCH];
		const struct code *code;

		if (debug_read(image->debug, image->vcpu, SPACE_LINEAR, at, stretch, STRETCH) !=
		    STRETCH)
			return false;
		code = find_stretch(image, stretch, &linked);
		if (!code)
			continue;
		*slide = at - linked;
		if (!(*slide & PAGE_BELOW) && code_is_at(image, code, *slide))
			return true;
	}
	return false;
}

/* Where it is linked; where the loader has prepared it to go; or not moved away from where it was loaded yet: a kernel
 * that is linked high, before it has mapped itself. */
static bool is_where_expected(const struct image *image, uint64_t address, uint64_t *slide)
{
	uint64_t prepared = debug_image_slide(image->debug);

	for (unsigned i = 0; i < image->count; i++) {
		const struct code *code = &image->code[i];

		*slide = 0;
		if (address - code->vaddr < code->size)
			return code_is_at(image, code, 0);
		*slide = prepared;
		if (address - code->vaddr - prepared < code->size)
			return code_is_at(image, code, prepared);
		if (address - code->paddr < code->size)
			return code_is_at(image, code, code->paddr - code->vaddr);
	}
	return false;
}

/* ---- where to look ----------------------------------------------------------------------- */

static bool read_linear(void *ctx, uint64_t linear, void *buf, size_t len)
{
	const struct image *image = ctx;

	return debug_read(image->debug, image->vcpu, SPACE_LINEAR, linear, buf, len) ==
	       (ssize_t)len;
}

#define PLACES 4

static unsigned find_places(struct image *image, const struct cpu_state *state,
			    uint64_t place[PLACES])
{
	static const uint8_t vectors[] = {VECTOR_PF, VECTOR_UD};
	const struct cpu_msrs *msrs = &state->msrs;
	unsigned count = 0;

	place[count++] = cpu_linear_pc(state);
	for (unsigned i = 0; i < sizeof(vectors); i++)
		if (interrupt_handler(state, vectors[i], read_linear, image, &place[count]) == 0)
			count++;
	if (state->system.efer & EFER_SCE && msrs->valid[MSR_SLOT_LSTAR])
		place[count++] = msrs->value[MSR_SLOT_LSTAR];
	return count;
}

int debug_find_slide(struct debug *debug, int vcpu, const void *elf, size_t size,
		     struct image_slide *found)
{
	const struct cpu_state *state = debug_state(debug, vcpu,
						    CPU_GENERAL | CPU_SYSTEM | CPU_MSRS);
	struct image image = {.debug = debug, .vcpu = vcpu};
	uint64_t place[PLACES];
	unsigned count;
	int rc;

	*found = (struct image_slide){0};
	if (!state)
		return -EBUSY;
	rc = read_image(&image, elf, size);
	if (rc < 0 || !image.count)
		return rc;
	found->base = image.base;
	count = find_places(&image, state, place);
	for (unsigned i = 0; i < count && !found->found; i++) {
		found->slide = 0;
		found->found = is_where_expected(&image, place[i], &found->slide) ||
			       find_from(&image, place[i], &found->slide);
	}
	if (!found->found)
		found->slide = 0;
	return 0;
}
