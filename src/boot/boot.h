/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loaders: bytes of a file become a boot image, that is, pieces of memory and the state in which
 * the first vCPU starts. Nothing here touches a machine; reset places the same image again. Every
 * header field is hostile: it is bounded, checked, and named in the error.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "error.h"
#include "x86/cpu_state.h"

#include <stdbool.h>
#include <stddef.h>

struct boot_request {
	const char *kernel; /* path, or NULL for the embedded guest */
	const char *append; /* command line, or NULL; a raw real-mode image has no place for one */
	/* A file for Linux and PVH; multiboot modules: "FILE [ARGS][,FILE…]" as QEMU has it; or NULL. */
	const char *initrd;
	const char *protocol; /* by name; NULL, "auto": what the file says */
	uint64_t ram_size;    /* bytes of guest RAM in all */
	bool has_load, has_entry;
	uint64_t load, entry; /* -load, -entry: raw images only; either defaults to the other */
	unsigned vcpus;	      /* for the firmware's tables; 0: there are none */
	bool apic;	      /* there are local APICs and an IOAPIC */
};

struct boot_segment {
	uint64_t gpa, size; /* size >= data_size: the rest is zeros */
	const void *data;   /* the image's own, until boot_free() */
	size_t data_size;
	char what[32]; /* "segment 1", "module 0", "page tables" */
	bool unpacked; /* data is in packed.moved, at `at`: NULL while that is given away */
	bool movable;  /* ... and no other segment's, too: whole pages of it may be taken away */
	size_t at;
	const uint32_t *prints; /* given.c: what data was */
};

#define BOOT_MAX_SEGMENTS    64
#define BOOT_MAX_ALLOCATIONS 48

/* What a bzImage's symbols are made of, when they are asked for. */
struct boot_packed {
	const uint8_t *payload; /* in the file; NULL: the image is none that can be unpacked */
	uint64_t length, most;	/* of it, and what it may become */
	uint8_t *moved;	   /* unpacked, and moved by slide; NULL: not unpacked, or given away */
	size_t moved_size; /* of the ELF file and the list of places behind it */
	size_t moved_elf;  /* of the ELF file alone */
	bool sought;	   /* boot_symbols() has been asked */
	void *symbols;	   /* what it has made; NULL: nothing */
	size_t symbols_size;
};

struct boot_image {
	/* "multiboot 1", "multiboot 2", "PVH", "Linux, unpacked", "Linux, 64-bit", "Linux, 32-bit", "ELF64", "ELF32",
	 * "ELF boot sector", "ELF reset vector", "flat" */
	const char *protocol;
	char why[160]; /* why this protocol: "has a multiboot 1 header at 0x1010" */
	unsigned segment_count;
	struct boot_segment segment[BOOT_MAX_SEGMENTS];
	struct cpu_state start; /* CPU_GENERAL and CPU_SYSTEM of the bootstrap processor */
	/* The whole file, when it is ELF; of a bzImage that vitrine has unpacked, the ELF header and the program
	 * headers of what was in it. Its names are boot_symbols()'. */
	const void *elf;
	size_t elf_size;
	/* By so much the guest's virtual addresses are higher than those of the file with its symbols. */
	uint64_t slide;
	struct boot_packed packed;
	char *path;		    /* of the file, absolute; NULL for the embedded guest */
	const char *command_line;   /* -append, or "" */
	struct boot_segment initrd; /* the RAM disk or the first module; size 0: there is none */
	void *allocations[BOOT_MAX_ALLOCATIONS]; /* what the pointers above point into */
	unsigned allocation_count;
};

/*
 * Reads and checks; on failure *image is empty and err names the file, the field and the remedy.
 * -EINVAL: a field is wrong; -EOPNOTSUPP: a kind of file that vitrine does not boot; -ENOSPC: does
 * not fit into RAM; or what opening and reading the file said.
 *
 * The protocol is chosen by content, first match first:
 *
 * - multiboot 1: a header with a right checksum in the first 8 KiB (Multiboot Specification
 *   0.6.96). Entered in flat 32-bit protected mode, EAX = 0x2badb002, EBX = the information.
 * - multiboot 2: a header with a right checksum in the first 32 KiB (Multiboot2 Specification 2.0). The same,
 *   with EAX = 0x36d76289.
 * - PVH: ELF with a note of Xen's (pvh.c). Entered in flat protected mode, EBX = the start information.
 * - Linux: a bzImage, or ELF64 with a note of Linux's (linux.c, linux_unpack.c, linux_vmlinux.c). Entered in long
 *   mode, in protected mode where a bzImage cannot be unpacked and has no other entry; RSI = the zero page.
 * - ELF64: entered in long mode at its physical addresses. The first 4 GiB are identity mapped by
 *   2 MiB pages for ring 0, flat GDT (code 8, data 0x10), interrupts off, SSE on, RSP as behind a
 *   call, RDI = bytes of RAM, RSI = the command line.
 * - ELF32: entered in flat protected mode. The same selectors, EDI = bytes of RAM below 4 GiB,
 *   ESI = the command line, ESP as behind a call.
 * - ELF boot sector: ELF of either class whose entry is 0x7c00, where a segment with 0xaa55 at
 *   byte 510 begins. Started as the boot sector that it is; the file serves for its symbols.
 * - ELF reset vector: ELF of either class whose entry is 0xffff0, f000:fff0, where real mode sees the end of
 *   a PC's ROM. Started there in real mode.
 * - flat: raw bytes. With 0xaa55 at byte 510, and neither -load nor -entry: a boot sector at
 *   0x7c00, however long. Otherwise -load and -entry say where it goes. An entry below 1 MiB is
 *   real mode (CS holds the entry's 64 KiB, IP the rest, DL = 0x80, SS:SP = 0:7c00), one above it
 *   is as ELF32.
 *
 * Where a segment has e_entry between p_vaddr and p_vaddr + p_filesz, the entry is the same byte by
 * p_paddr; otherwise e_entry is taken as a physical address.
 */
int boot_load(const struct boot_request *request, struct boot_image *image, struct error *err);
/* Whether there is a protocol of this name, or "auto"; -EINVAL names them all. */
int boot_check_protocol(const char *name, struct error *err);
void boot_free(struct boot_image *image);

/* Whoever puts the image into RAM calls these before and behind that. The first makes again what the second has
 * given away: the data of a kernel that was unpacked, which is worth its memory only until it is in RAM. -errno
 * with a sentence. */
int boot_prepare(struct boot_image *image, struct error *err);
void boot_given(struct boot_image *image);

/* Whether RAM still holds what was loaded around an address: these bytes of it are to be compared. False: the
 * image has none there. */
#define BOOT_SAMPLE_MAX 128
struct boot_sample {
	const struct boot_segment *segment;
	uint64_t gpa;
	size_t size; /* at most BOOT_SAMPLE_MAX */
};
bool boot_sample(const struct boot_image *image, uint64_t gpa, struct boot_sample *sample);
bool boot_sample_is(const struct boot_sample *sample, const uint8_t *bytes);

/* What to read the image's symbols from: an ELF file, as it was linked; NULL: there is none. That of a bzImage is
 * made when it is asked for first, which takes about as long as unpacking it: nothing that waits for a vCPU, or that
 * a vCPU waits for, asks. One thread asks, and always the same. Where it was to be made and could not be, *err says
 * why, that first time. */
const void *boot_symbols(struct boot_image *image, size_t *size, struct error *err);

/* The embedded copy of guests/long64. */
const void *boot_embedded(size_t *size);

/* Guest RAM's shape, for loaders and the machine alike: [0, 640 KiB), [1 MiB, below_4g) and, when
 * there is more, [4 GiB, 4 GiB + above_4g). 768 KiB-1 MiB is RAM too, but not told to guests. */
#define RAM_LOW_END	 0xa0000ull
#define RAM_HIGH_BASE	 0x100000ull
#define RAM_BELOW_4G_MAX 0xc0000000ull
struct ram_layout {
	uint64_t below_4g; /* end of RAM below 4 GiB */
	uint64_t above_4g; /* bytes of RAM from 4 GiB up */
};
struct ram_layout ram_layout(uint64_t ram_size);

/* What guests are told of memory, in ascending order; everything else is nothing at all. Returns how many. */
#define BOOT_MAP_MAX 5
struct boot_range {
	uint64_t base, size;
	bool ram; /* otherwise reserved */
};
unsigned boot_memory_map(uint64_t ram_size, struct boot_range map[BOOT_MAP_MAX]);

#endif
