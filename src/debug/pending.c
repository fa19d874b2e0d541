// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Breakpoints on code that is not mapped yet: a kernel linked high, stopped before its first instruction.
 * The image says to which physical address each of its bytes was loaded; where RAM still holds what the
 * image holds, the int3 goes there, and is met as soon as the guest maps the page and comes by.
 *
 * Where the image knows nothing, a debug register waits; those points for which none is left are looked at again at
 * each exit, of any kind.
 */
#include "debug/core.h"

#include <gelf.h>

/* Where the image is linked, or where it is loaded. */
enum address_kind { LINEAR, LOADED };

/* Where the loader put the byte at this address. */
static bool find_place(Elf *elf, enum address_kind kind, uint64_t address, uint64_t *gpa)
{
	size_t count;
	GElf_Phdr p;

	if (elf_getphdrnum(elf, &count) < 0)
		return false;
	for (size_t i = 0; i < count && gelf_getphdr(elf, (int)i, &p); i++) {
		uint64_t into = address - (kind == LINEAR ? p.p_vaddr : p.p_paddr);

		if (p.p_type != PT_LOAD || into >= p.p_filesz)
			continue;
		*gpa = p.p_paddr + into;
		return true;
	}
	return false;
}

/* Compared with what was loaded: in a kernel that has been moved that is not what the file has. */
static bool is_loaded_there(struct debug *debug, uint64_t gpa)
{
	struct boot_sample sample;
	uint8_t now[BOOT_SAMPLE_MAX];

	return boot_sample(&debug->machine->boot, gpa, &sample) &&
	       core_read_original(debug, sample.gpa, now, sample.size) == sample.size &&
	       boot_sample_is(&sample, now);
}

static bool find_loaded(struct debug *debug, enum address_kind kind, uint64_t address,
			uint64_t *gpa, bool *is_64)
{
	const struct boot_image *boot = &debug->machine->boot;
	bool found;
	Elf *elf;

	if (!boot->elf || elf_version(EV_CURRENT) == EV_NONE)
		return false;
	elf = elf_memory((char *)boot->elf, boot->elf_size);
	if (!elf)
		return false;
	found = find_place(elf, kind, address, gpa) && is_loaded_there(debug, *gpa);
	*is_64 = gelf_getclass(elf) == ELFCLASS64;
	elf_end(elf);
	return found;
}

bool core_image_place(struct debug *debug, uint64_t linear, uint64_t *gpa, bool *is_64)
{
	*gpa = 0;
	return find_loaded(debug, LINEAR, linear - debug->machine->boot.slide, gpa, is_64);
}

bool core_image_holds(struct debug *debug, uint64_t gpa)
{
	uint64_t place;
	bool is_64;

	return find_loaded(debug, LOADED, gpa, &place, &is_64);
}

bool core_pending_is_over(struct debug *debug, struct vcpu *vcpu)
{
	for (struct core_point *p = debug->planted.pending ? debug->points : NULL; p; p = p->next) {
		const struct point_spec *spec = &p->point.spec;
		struct paging_walk walk;

		if (p->enabled && p->rung == RUNG_PENDING &&
		    core_point_walk(debug, spec, vcpu, spec->address, &walk) == PAGING_OK &&
		    mem_hva(debug->machine->memory, walk.gpa, NULL))
			return true;
	}
	return false;
}
