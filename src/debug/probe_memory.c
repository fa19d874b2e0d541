// SPDX-License-Identifier: GPL-3.0-or-later
/* The scratch VM's tables: one set for all modes, made once. */
#include "debug/probe.h"

#include <string.h>

#define PRESENT_WRITE_USER 7ull
#define LARGE_PAGE	   0x80ull
#define GATE_INTERRUPT	   0x8e
#define GATE_FROM_RING_3   0xee
#define OP_HLT		   0xf4
#define OP_OUT		   0xe6

static void put64(uint8_t *ram, uint64_t at, uint64_t value)
{
	memcpy(ram + at, &value, sizeof(value));
}

static void put32(uint8_t *ram, uint64_t at, uint32_t value)
{
	memcpy(ram + at, &value, sizeof(value));
}

/* 2 MiB at the bottom and the 2 MiB around the local APIC, identity, open to ring 3. */
static void fill_pages(uint8_t *ram)
{
	const uint64_t pdpt = AT_PML4 + SCRATCH_PAGE, low = pdpt + SCRATCH_PAGE,
		       high = low + SCRATCH_PAGE, large = 2 << 20;

	put64(ram, AT_PML4, pdpt | PRESENT_WRITE_USER);
	put64(ram, pdpt, low | PRESENT_WRITE_USER);
	put64(ram, pdpt + 8 * (APIC_BASE >> 30), high | PRESENT_WRITE_USER);
	put64(ram, low, PRESENT_WRITE_USER | LARGE_PAGE);
	put64(ram, high + 8 * (APIC_BASE / large % 512),
	      (APIC_BASE & ~(large - 1)) | PRESENT_WRITE_USER | LARGE_PAGE);
}

/* Descriptors as SDM vol. 3A, 3.4.5 has them; 7.2.3 for the TSS. */
static void fill_descriptors(uint8_t *ram)
{
	static const struct {
		uint16_t selector;
		uint64_t descriptor;
	} segments[] = {
		{SEL_CODE64, 0x00af9b000000ffff},    {SEL_DATA, 0x00cf93000000ffff},
		{SEL_USER_DATA, 0x00cff3000000ffff}, {SEL_USER64, 0x00affb000000ffff},
		{SEL_CODE32, 0x00cf9b000000ffff},    {SEL_TSS, 0x00008b0000000067 | AT_TSS << 16},
	};

	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		put64(ram, AT_GDT + (segments[i].selector & ~7u), segments[i].descriptor);
	put64(ram, AT_TSS + 4, AT_RING0_STACK + STACK_TOP); /* RSP0 */
}

/* One hlt each, so that the place of the halt tells the vector. */
static void fill_handler(uint8_t *ram, unsigned vector)
{
	const uint8_t interrupt[] = {OP_OUT, HANDLER_PORT, OP_HLT};
	uint32_t handler = HANDLER_OF(vector);
	uint8_t type = vector == 3 ? GATE_FROM_RING_3 : GATE_INTERRUPT;

	ram[handler] = OP_HLT;
	if (vector == INTERRUPT_VECTOR)
		memcpy(ram + handler, interrupt, sizeof(interrupt));
	put32(ram, AT_IVT + 4 * vector, handler);
	put32(ram, AT_IDT32 + 8 * vector, handler | SEL_CODE32 << 16);
	put32(ram, AT_IDT32 + 8 * vector + 4, (uint32_t)type << 8);
	put32(ram, AT_IDT64 + 16 * vector, handler | SEL_CODE64 << 16);
	put32(ram, AT_IDT64 + 16 * vector + 4, (uint32_t)type << 8);
}

void scratch_fill_memory(uint8_t *ram)
{
	memset(ram, 0, SCRATCH_SIZE);
	fill_pages(ram);
	fill_descriptors(ram);
	for (unsigned vector = 0; vector < SCRATCH_VECTORS; vector++)
		fill_handler(ram, vector);
}
