// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Pages: the first 4 MiB are the kernel's, in every address space, as they are in memory; the next 4 MiB are a
 * process', in a table of its own; and one large page has the interrupt controllers (SDM vol. 3, 4.3).
 */
#include "kernel.h"

enum { PRESENT = 0x01, WRITE = 0x02, USER = 0x04, UNCACHED = 0x10, LARGE = 0x80 };

#define CR0_PG	    0x80000000u
#define CR0_WP	    0x00010000u
#define CR4_PSE	    0x00000010u
#define CONTROLLERS 0xfec00000u /* to 0xff000000: IOAPIC and LAPIC */

extern uint8_t user_text[], user_text_end[], user_data[], user_data_end[];

static uint32_t kernel_directory[1024] __attribute__((aligned(4096)));
static uint32_t kernel_table[1024] __attribute__((aligned(4096)));

static void fill_directory(uint32_t *directory)
{
	directory[0] = (uint32_t)kernel_table | PRESENT | WRITE;
	directory[CONTROLLERS >> 22] = CONTROLLERS | PRESENT | WRITE | UNCACHED | LARGE;
}

void paging_init(void)
{
	for (uint32_t i = 0; i < 1024; i++)
		kernel_table[i] = i * PAGE | PRESENT | WRITE;
	fill_directory(kernel_directory);
	kernel_directory[1] = USER_BASE | PRESENT | WRITE | LARGE;
}

void paging_on(void)
{
	uint32_t cr0, cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_PSE));
	space_enter(NULL);
	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_PG | CR0_WP) : "memory");
}

void space_enter(const struct space *space)
{
	const uint32_t *directory = space ? space->directory : kernel_directory;

	__asm__ volatile("mov %0, %%cr3" : : "r"(directory) : "memory");
}

static void map(struct space *space, const void *at, const void *page, uint32_t flags)
{
	space->table[((uint32_t)at - USER_BASE) / PAGE] = (uint32_t)page | PRESENT | USER | flags;
}

/* The program is shared; its data is copied, and its stack is the last page. */
void space_init(struct space *space)
{
	unsigned page = 0;

	fill_directory(space->directory);
	space->directory[1] = (uint32_t)space->table | PRESENT | WRITE | USER;
	for (uint8_t *at = user_text; at < user_text_end; at += PAGE)
		map(space, at, at, 0);
	for (uint8_t *at = user_data; at < user_data_end && page < USER_PAGES; at += PAGE) {
		for (unsigned i = 0; i < PAGE; i++)
			space->data[page][i] = at[i];
		map(space, at, space->data[page++], WRITE);
	}
	map(space, (void *)(USER_END - PAGE), space->stack, WRITE);
}
