// SPDX-License-Identifier: GPL-3.0-or-later
/* The state in which the first CPU enters an image, and the tables that this state stands on. */
#include "boot/boot_private.h"
#include "x86/mode.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define PAGE		  4096ull
#define STACK_SIZE	  16384ull
#define CR4_OSXMMEXCPT	  (1ull << 10)

#define GDT_CODE32	  0x00cf9b000000ffffull
#define GDT_CODE64	  0x00af9b000000ffffull
#define GDT_DATA	  0x00cf93000000ffffull

#define PTE_PRESENT_WRITE 0x003ull
#define PTE_LARGE	  0x080ull
#define LARGE_PAGE	  0x200000ull
#define TABLE_ENTRIES	  512
#define DIRECTORIES	  4 /* 1 GiB each */
#define TABLE_PAGES	  (2 + DIRECTORIES)

int entry_real(struct loader *loader, uint64_t entry)
{
	struct cpu_state *state = &loader->image->start;

	if (loader->request->append && loader->request->append[0])
		return error_set(loader->err, -EINVAL,
				 "starts in real mode, where nothing takes a command line; leave "
				 "-append out");
	for (int i = SEG_ES; i <= SEG_GS; i++)
		cpu_segment_real(&state->system.seg[i], 0);
	/* Code around the entry shares one segment when CS starts at a multiple of 64 KiB. */
	cpu_segment_real(&state->system.seg[SEG_CS], (uint16_t)((entry & 0xf0000) >> 4));
	state->system.cr0 = CR0_ET; /* firmware turns the caches on */
	state->system.idt = (struct cpu_table){.limit = 0x3ff};
	state->general = (struct cpu_general){.rip = entry & 0xffff, .rflags = RFLAGS_FIXED};
	state->general.gpr[GPR_RSP] = BOOT_SECTOR;
	state->general.gpr[GPR_RDX] = 0x80; /* the first hard disk, as firmware says it */
	return 0;
}

static void flat_segments(struct cpu_state *state, uint16_t code, unsigned bits)
{
	for (int i = SEG_ES; i <= SEG_GS; i++)
		cpu_segment_flat(&state->system.seg[i], code + 8, false, 32);
	cpu_segment_flat(&state->system.seg[SEG_CS], code, true, bits);
}

/* The code segment's descriptor, and behind it the data segment's. */
static int place_gdt(struct loader *loader, uint16_t code, uint64_t descriptor)
{
	size_t size = code + 16u;
	uint64_t *gdt = boot_allocate(loader->image, size);
	struct cpu_table *table = &loader->image->start.system.gdt;

	if (!gdt)
		return error_set(loader->err, -ENOMEM, "no memory for the GDT");
	gdt[code / 8] = htole64(descriptor);
	gdt[code / 8 + 1] = htole64(GDT_DATA);
	table->limit = (uint16_t)(size - 1);
	return boot_put(loader, gdt, size, 16, "GDT", &table->base);
}

/* The IDT is empty: an exception before the guest has its own is a triple fault, and not a jump to
 * wherever the bytes at address 0 point. */
static int enter_flat(struct loader *loader, uint64_t entry, uint16_t code, unsigned bits)
{
	struct cpu_state *state = &loader->image->start;

	flat_segments(state, code, bits);
	state->system.idt = (struct cpu_table){0};
	state->system.cr0 = CR0_PE | CR0_ET | CR0_NE;
	state->general = (struct cpu_general){.rip = entry, .rflags = RFLAGS_FIXED};
	return place_gdt(loader, code, bits == 64 ? GDT_CODE64 : GDT_CODE32);
}

/* The stack pointer is as behind a call whose return address is 0: rsp + 8, or esp + 4, is a
 * multiple of 16 (System V ABI, AMD64 3.2.2 and i386 2.2.2). */
static int place_stack(struct loader *loader, unsigned word)
{
	uint64_t gpa;
	int rc = boot_put(loader, NULL, STACK_SIZE, 16, "boot stack", &gpa);

	loader->image->start.general.gpr[GPR_RSP] = gpa + STACK_SIZE - word;
	return rc;
}

static int place_command_line(struct loader *loader)
{
	const char *line = loader->request->append ? loader->request->append : "";
	size_t size = strlen(line) + 1;
	char *copy = boot_allocate(loader->image, size);

	if (!copy)
		return error_set(loader->err, -ENOMEM, "no memory for the command line");
	memcpy(copy, line, size);
	return boot_put(loader, copy, size, 16, "command line",
			&loader->image->start.general.gpr[GPR_RSI]);
}

int entry_protected_bare(struct loader *loader, uint64_t entry, uint16_t code)
{
	return enter_flat(loader, entry, code, 32);
}

int entry_protected(struct loader *loader, uint64_t entry)
{
	uint64_t *gpr = loader->image->start.general.gpr;
	int rc = entry_protected_bare(loader, entry, ENTRY_CODE);

	if (!rc)
		rc = place_stack(loader, 4);
	if (!rc)
		rc = place_command_line(loader);
	gpr[GPR_RDI] = ram_layout(loader->request->ram_size).below_4g;
	return rc;
}

/* One PML4, one PDPT, and a directory for each of the first four GiB, in pages that follow each
 * other; all for ring 0 only. */
static void fill_page_tables(uint64_t *tables, uint64_t gpa)
{
	uint64_t *pdpt = tables + TABLE_ENTRIES, *directories = pdpt + TABLE_ENTRIES;

	tables[0] = htole64((gpa + PAGE) | PTE_PRESENT_WRITE);
	for (uint64_t i = 0; i < DIRECTORIES; i++)
		pdpt[i] = htole64((gpa + (2 + i) * PAGE) | PTE_PRESENT_WRITE);
	for (uint64_t i = 0; i < DIRECTORIES * TABLE_ENTRIES; i++)
		directories[i] = htole64(i * LARGE_PAGE | PTE_PRESENT_WRITE | PTE_LARGE);
}

static int place_page_tables(struct loader *loader)
{
	uint64_t *tables = boot_allocate(loader->image, TABLE_PAGES * PAGE);
	uint64_t *cr3 = &loader->image->start.system.cr3;
	int rc;

	if (!tables)
		return error_set(loader->err, -ENOMEM, "no memory for page tables");
	rc = boot_put(loader, tables, TABLE_PAGES * PAGE, PAGE, "page tables", cr3);
	if (!rc)
		fill_page_tables(tables, *cr3);
	return rc;
}

int entry_long_bare(struct loader *loader, uint64_t entry, uint16_t code)
{
	struct cpu_state *state = &loader->image->start;
	struct cpu_segment *task = &state->system.seg[SEG_TR];
	int rc = enter_flat(loader, entry, code, 64);

	state->system.cr0 |= CR0_MP | CR0_WP | CR0_PG;
	state->system.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	state->system.efer = EFER_LME | EFER_LMA;
	/* In long mode the task register must hold a busy 64-bit TSS (SDM vol. 3C, 27.3.1.2). */
	*task = (struct cpu_segment){.limit = 0xffff, .type = 11, .present = 1};
	return rc < 0 ? rc : place_page_tables(loader);
}

int entry_long(struct loader *loader, uint64_t entry)
{
	uint64_t *gpr = loader->image->start.general.gpr;
	int rc = entry_long_bare(loader, entry, ENTRY_CODE);

	if (!rc)
		rc = place_stack(loader, 8);
	if (!rc)
		rc = place_command_line(loader);
	gpr[GPR_RDI] = loader->request->ram_size;
	return rc;
}
