// SPDX-License-Identifier: GPL-3.0-or-later
#include "cpu64.h"

enum { ENTRIES = 512, GIGABYTES = 4, FINE = 2 };

#define PAGE_ADDRESS 0x000ffffffffff000ull
#define SIZE_4K	     0x1000ull
#define SIZE_2M	     0x200000ull
#define MSR_EFER     0xc0000080
#define EFER_NXE     (1ull << 11)
#define TABLE_FLAGS  (PAGE_PRESENT | PAGE_WRITE | PAGE_USER)

static uint64_t pml4[ENTRIES] __attribute__((aligned(4096)));
static uint64_t pdpt[ENTRIES] __attribute__((aligned(4096)));
static uint64_t directories[GIGABYTES][ENTRIES] __attribute__((aligned(4096)));
static uint64_t tables[FINE][ENTRIES] __attribute__((aligned(4096)));

static void fill_directories(void)
{
	for (uint64_t i = 0; i < GIGABYTES * ENTRIES; i++)
		directories[i / ENTRIES][i % ENTRIES] = i * SIZE_2M | PAGE_PRESENT | PAGE_WRITE |
							PAGE_LARGE;
	for (unsigned i = 0; i < GIGABYTES; i++)
		pdpt[i] = (uint64_t)directories[i] | TABLE_FLAGS;
	pml4[0] = (uint64_t)pdpt | TABLE_FLAGS;
}

static void fill_tables(void)
{
	for (uint64_t i = 0; i < FINE * ENTRIES; i++)
		tables[i / ENTRIES][i % ENTRIES] = i * SIZE_4K | PAGE_PRESENT | PAGE_WRITE;
	for (unsigned i = 0; i < FINE; i++)
		directories[0][i] = (uint64_t)tables[i] | TABLE_FLAGS;
}

void paging_init(void)
{
	fill_directories();
	fill_tables();
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	__asm__ volatile("mov %0, %%cr3" : : "r"(pml4) : "memory");
}

void paging_set(uint64_t address, uint64_t flags)
{
	uint64_t page = address / SIZE_4K;

	tables[page / ENTRIES][page % ENTRIES] = flags ? (address & PAGE_ADDRESS) | flags : 0;
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

void paging_set_range(uint64_t start, uint64_t end, uint64_t flags)
{
	for (uint64_t address = start; address < end; address += SIZE_4K)
		paging_set(address, flags);
}
