// SPDX-License-Identifier: GPL-3.0-or-later
/* ELF images, 32 and 64 bits (System V ABI, chapters 4 and 5). Both classes are read into the wide
 * form, and every field is checked there. */
#include "boot/boot_private.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const machine_names[] = {
	[EM_386] = "i386",  [EM_ARM] = "arm",	  [EM_AARCH64] = "aarch64",
	[EM_MIPS] = "mips", [EM_PPC] = "powerpc", [EM_PPC64] = "ppc64",
	[EM_S390] = "s390", [EM_RISCV] = "riscv", [EM_X86_64] = "x86-64",
};

static const char *const type_names[] = {
	[ET_NONE] = "no type",
	[ET_REL] = "relocatable; link it first",
	[ET_EXEC] = "executable",
	[ET_DYN] = "shared or position independent; link it with -no-pie -static",
	[ET_CORE] = "a core dump",
};

static const char *machine_name(unsigned machine)
{
	unsigned count = sizeof(machine_names) / sizeof(machine_names[0]);

	return machine < count && machine_names[machine] ? machine_names[machine]
							 : "another machine";
}

bool elf_recognised(const struct loader *loader)
{
	return loader->size >= SELFMAG && !memcmp(loader->file, ELFMAG, SELFMAG);
}

static int check_ident(struct loader *loader, const unsigned char *ident)
{
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return error_set(loader->err, -EINVAL,
				 "EI_CLASS is %u; 1 (32 bits) and 2 (64 bits) exist",
				 ident[EI_CLASS]);
	if (ident[EI_DATA] != ELFDATA2LSB)
		return error_set(loader->err, -EINVAL, "EI_DATA is %u; x86 is little endian, 1",
				 ident[EI_DATA]);
	if (ident[EI_VERSION] != EV_CURRENT)
		return error_set(loader->err, -EINVAL, "EI_VERSION is %u instead of 1",
				 ident[EI_VERSION]);
	return 0;
}

static void widen_header(const Elf32_Ehdr *from, Elf64_Ehdr *to)
{
	memcpy(to->e_ident, from->e_ident, EI_NIDENT);
	to->e_type = from->e_type;
	to->e_machine = from->e_machine;
	to->e_version = from->e_version;
	to->e_entry = from->e_entry;
	to->e_phoff = from->e_phoff;
	to->e_phentsize = from->e_phentsize;
	to->e_phnum = from->e_phnum;
}

static int read_header(struct loader *loader, Elf64_Ehdr *header)
{
	unsigned char ident[EI_NIDENT];
	Elf32_Ehdr narrow;
	bool is64;
	int rc;

	if (!boot_take(loader, 0, ident, sizeof(ident)))
		return error_set(loader->err, -EINVAL, "is truncated inside e_ident");
	rc = check_ident(loader, ident);
	if (rc < 0)
		return rc;
	is64 = ident[EI_CLASS] == ELFCLASS64;
	if (!(is64 ? boot_take(loader, 0, header, sizeof(*header))
		   : boot_take(loader, 0, &narrow, sizeof(narrow))))
		return error_set(loader->err, -EINVAL,
				 "is truncated inside the ELF header, after %zu bytes",
				 loader->size);
	if (!is64)
		widen_header(&narrow, header);
	return 0;
}

static int check_header(struct loader *loader, const Elf64_Ehdr *h)
{
	bool is64 = h->e_ident[EI_CLASS] == ELFCLASS64;
	unsigned machine = is64 ? EM_X86_64 : EM_386;
	size_t entry = is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	if (h->e_machine != machine)
		return error_set(loader->err, -EOPNOTSUPP,
				 "e_machine is %u (%s); a %u-bit guest must be %u (%s)",
				 h->e_machine, machine_name(h->e_machine), is64 ? 64 : 32, machine,
				 machine_name(machine));
	if (h->e_type != ET_EXEC)
		return error_set(loader->err, -EOPNOTSUPP,
				 "e_type is %u (%s); only executables (2) boot", h->e_type,
				 h->e_type <= ET_CORE ? type_names[h->e_type] : "unknown");
	if (h->e_version != EV_CURRENT)
		return error_set(loader->err, -EINVAL, "e_version is %u instead of 1",
				 h->e_version);
	if (h->e_phnum == 0 || h->e_phnum == PN_XNUM)
		return error_set(loader->err, -EINVAL,
				 "e_phnum is %u: there is nothing that can be loaded", h->e_phnum);
	if (h->e_phentsize != entry)
		return error_set(loader->err, -EINVAL, "e_phentsize is %u instead of %zu",
				 h->e_phentsize, entry);
	if (h->e_phoff > loader->size || h->e_phnum * entry > loader->size - h->e_phoff)
		return error_set(loader->err, -EINVAL,
				 "e_phoff 0x%llx with %u program headers ends beyond the %zu bytes "
				 "of the file; it is truncated",
				 (unsigned long long)h->e_phoff, h->e_phnum, loader->size);
	return 0;
}

/* check_header() has seen that they all lie in the file. */
static void read_segment(const struct loader *loader, const Elf64_Ehdr *h, unsigned i,
			 Elf64_Phdr *to)
{
	uint64_t at = h->e_phoff + (uint64_t)i * h->e_phentsize;
	Elf32_Phdr narrow;

	if (h->e_ident[EI_CLASS] == ELFCLASS64) {
		boot_take(loader, at, to, sizeof(*to));
		return;
	}
	memset(&narrow, 0, sizeof(narrow));
	boot_take(loader, at, &narrow, sizeof(narrow));
	*to = (Elf64_Phdr){
		.p_type = narrow.p_type,
		.p_flags = narrow.p_flags,
		.p_offset = narrow.p_offset,
		.p_vaddr = narrow.p_vaddr,
		.p_paddr = narrow.p_paddr,
		.p_filesz = narrow.p_filesz,
		.p_memsz = narrow.p_memsz,
		.p_align = narrow.p_align,
	};
}

static int check_segment(struct loader *loader, unsigned i, const Elf64_Phdr *p)
{
	uint64_t end;

	if (p->p_filesz > p->p_memsz)
		return error_set(loader->err, -EINVAL,
				 "segment %u: p_filesz 0x%llx is larger than p_memsz 0x%llx", i,
				 (unsigned long long)p->p_filesz, (unsigned long long)p->p_memsz);
	if (p->p_offset > loader->size || p->p_filesz > loader->size - p->p_offset)
		return error_set(loader->err, -EINVAL,
				 "segment %u: p_offset 0x%llx with p_filesz 0x%llx ends beyond the "
				 "%zu bytes of the file; it is truncated",
				 i, (unsigned long long)p->p_offset,
				 (unsigned long long)p->p_filesz, loader->size);
	/* The last byte, because a segment may end at 2^64. */
	if (p->p_memsz && __builtin_add_overflow(p->p_vaddr, p->p_memsz - 1, &end))
		return error_set(loader->err, -EINVAL,
				 "segment %u: p_vaddr 0x%llx with p_memsz 0x%llx ends beyond 2^64",
				 i, (unsigned long long)p->p_vaddr, (unsigned long long)p->p_memsz);
	return 0;
}

static int add_segment(struct loader *loader, unsigned i, const Elf64_Phdr *p)
{
	struct boot_segment segment = {
		.gpa = p->p_paddr,
		.size = p->p_memsz,
		.data = loader->file + p->p_offset,
		.data_size = p->p_filesz,
	};

	snprintf(segment.what, sizeof(segment.what), "segment %u", i);
	return boot_add(loader, &segment);
}

static int load_segment(struct loader *loader, unsigned i, const Elf64_Phdr *p)
{
	int rc;

	if (p->p_type == PT_INTERP)
		return error_set(loader->err, -EOPNOTSUPP,
				 "segment %u is PT_INTERP: this is a program for an operating "
				 "system, not for a bare machine",
				 i);
	if (p->p_type != PT_LOAD)
		return 0;
	rc = check_segment(loader, i, p);
	return rc < 0 ? rc : add_segment(loader, i, p);
}

/* Whether start + [0, p_filesz) holds the entry; an entry behind p_filesz would run zeros. */
static bool holds(const Elf64_Phdr *p, uint64_t start, uint64_t entry)
{
	return p->p_type == PT_LOAD && entry >= start && entry - start < p->p_filesz;
}

/* e_entry is a virtual address by the book, but kernels that are linked high often have the
 * physical one there. */
static int find_entry(struct loader *loader, const Elf64_Ehdr *h, uint64_t *entry)
{
	Elf64_Phdr p;

	for (unsigned i = 0; i < h->e_phnum; i++) {
		read_segment(loader, h, i, &p);
		*entry = h->e_entry - p.p_vaddr + p.p_paddr;
		if (holds(&p, p.p_vaddr, h->e_entry))
			return 0;
	}
	*entry = h->e_entry;
	for (unsigned i = 0; i < h->e_phnum; i++) {
		read_segment(loader, h, i, &p);
		if (holds(&p, p.p_paddr, h->e_entry))
			return 0;
	}
	return error_set(loader->err, -EINVAL,
			 "e_entry 0x%llx is in no segment that the file has bytes for",
			 (unsigned long long)h->e_entry);
}

/* ---- notes (System V ABI, chapter 5, "Note Section") ----------------------------------------- */

#define NOTE_ALIGN(size) (((uint64_t)(size) + 3) & ~3ull)

/* The note at *at, which moves behind it; false at the end, or where what is there is no note. */
static bool next_note(const struct loader *loader, uint64_t end, uint64_t *at, Elf64_Nhdr *note)
{
	uint64_t size;

	if (*at > end || end - *at < sizeof(*note) || !boot_take(loader, *at, note, sizeof(*note)))
		return false;
	size = sizeof(*note) + NOTE_ALIGN(note->n_namesz) + NOTE_ALIGN(note->n_descsz);
	if (size > end - *at)
		return false;
	*at += size;
	return true;
}

static bool is_note(const struct loader *loader, uint64_t at, const Elf64_Nhdr *note,
		    const char *name, uint32_t type)
{
	return (type == ELF_NOTE_ANY || note->n_type == type) &&
	       note->n_namesz == strlen(name) + 1 &&
	       !memcmp(loader->file + at + sizeof(*note), name, note->n_namesz);
}

static bool find_in_segment(const struct loader *loader, const Elf64_Phdr *p, const char *name,
			    uint32_t type, struct elf_note *found)
{
	uint64_t at = p->p_offset, next = at, end;
	Elf64_Nhdr note;

	if (p->p_type != PT_NOTE || __builtin_add_overflow(at, p->p_filesz, &end) ||
	    end > loader->size)
		return false;
	for (; next_note(loader, end, &next, &note); at = next) {
		if (!is_note(loader, at, &note, name, type))
			continue;
		found->bytes = loader->file + at + sizeof(note) + NOTE_ALIGN(note.n_namesz);
		found->size = note.n_descsz;
		return true;
	}
	return false;
}

bool elf_find_note(const struct loader *loader, const char *name, uint32_t type,
		   struct elf_note *found)
{
	struct loader quiet = *loader;
	Elf64_Ehdr header = {0};
	Elf64_Phdr segment;

	quiet.err = NULL;
	if (!elf_recognised(loader) || read_header(&quiet, &header) < 0 ||
	    check_header(&quiet, &header) < 0)
		return false;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		read_segment(loader, &header, i, &segment);
		if (find_in_segment(loader, &segment, name, type, found))
			return true;
	}
	return false;
}

/* ---- loading --------------------------------------------------------------------------------- */

bool elf_is64(const struct loader *loader)
{
	return elf_recognised(loader) && loader->size > EI_CLASS &&
	       loader->file[EI_CLASS] == ELFCLASS64;
}

static int load_segments(struct loader *loader, Elf64_Ehdr *header)
{
	Elf64_Phdr segment;
	int rc = read_header(loader, header);

	if (rc == 0)
		rc = check_header(loader, header);
	for (unsigned i = 0; rc == 0 && i < header->e_phnum; i++) {
		read_segment(loader, header, i, &segment);
		rc = load_segment(loader, i, &segment);
	}
	return rc;
}

int elf_load_segments(struct loader *loader, uint64_t *entry, bool *is64)
{
	Elf64_Ehdr header = {0};
	int rc = load_segments(loader, &header);

	if (rc < 0)
		return rc;
	*is64 = header.e_ident[EI_CLASS] == ELFCLASS64;
	if (!entry)
		return 0;
	rc = find_entry(loader, &header, entry);
	if (rc == 0 && *entry > UINT32_MAX)
		rc = error_set(loader->err, -EINVAL,
			       "e_entry 0x%llx is physical 0x%llx; the entry must be below 4 GiB",
			       (unsigned long long)header.e_entry, (unsigned long long)*entry);
	return rc;
}

/* A linked boot sector that kept its symbols: its bytes say real mode, whatever the ELF class. */
static bool is_boot_sector(const struct boot_image *image, uint64_t entry)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct boot_segment *s = &image->segment[i];

		if (s->gpa == BOOT_SECTOR && entry == BOOT_SECTOR)
			return boot_is_sector(s->data, s->data_size);
	}
	return false;
}

static int load_boot_sector(struct loader *loader, uint64_t entry)
{
	loader->image->protocol = "ELF boot sector";
	snprintf(loader->image->why, sizeof(loader->image->why),
		 "is ELF with a boot sector at 0x%llx: real mode", (unsigned long long)entry);
	return entry_real(loader, entry);
}

/* The last 16 bytes below 1 MiB, where ROM shows itself to real mode: an image of the first instruction on. */
static int load_reset_vector(struct loader *loader, uint64_t entry)
{
	loader->image->protocol = "ELF reset vector";
	snprintf(loader->image->why, sizeof(loader->image->why),
		 "is ELF with its entry at the reset vector, 0x%llx: real mode",
		 (unsigned long long)entry);
	return entry_real(loader, entry);
}

int elf_load(struct loader *loader)
{
	struct boot_image *image = loader->image;
	uint64_t entry = 0;
	bool is64 = false;
	int rc = elf_load_segments(loader, &entry, &is64);

	if (rc < 0)
		return rc;
	if (is_boot_sector(image, entry))
		return load_boot_sector(loader, entry);
	if (entry == RESET_VECTOR)
		return load_reset_vector(loader, entry);
	image->protocol = is64 ? "ELF64" : "ELF32";
	snprintf(image->why, sizeof(image->why),
		 "is ELF for %s without a multiboot header: %s at 0x%llx", is64 ? "x86-64" : "i386",
		 is64 ? "long mode" : "protected mode", (unsigned long long)entry);
	return is64 ? entry_long(loader, entry) : entry_protected(loader, entry);
}
