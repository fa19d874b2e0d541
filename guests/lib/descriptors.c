// SPDX-License-Identifier: GPL-3.0-or-later
#include "cpu64.h"

/* The 64-bit task state segment (SDM vol. 3A, figure 8-11). */
struct task {
	uint32_t reserved0;
	uint64_t rsp[3], reserved1, ist[7], reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));

static struct task task = {.io_map = sizeof(struct task)};
static unsigned own_stacks;

/* Accessed and busy bits are set beforehand where the CPU would set them. */
static uint64_t gdt[9] = {
	[KERNEL_CODE / 8] = 0x00af9b000000ffff, [KERNEL_DATA / 8] = 0x00cf93000000ffff,
	[USER_CODE32 / 8] = 0x00cffb000000ffff, [USER_DATA / 8] = 0x00cff3000000ffff,
	[USER_CODE / 8] = 0x00affb000000ffff,	[NOT_PRESENT_DATA / 8] = 0x00cf13000000ffff,
};

static void set_task_descriptor(void)
{
	uint64_t base = (uint64_t)&task;

	gdt[TASK / 8] = (sizeof(task) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
			(base >> 24 & 0xff) << 56;
	gdt[TASK / 8 + 1] = base >> 32;
}

static void load_gdt(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdtr = {sizeof(gdt) - 1, (uint64_t)gdt};

	__asm__ volatile("lgdt %0" : : "m"(gdtr));
}

/* CS can only be loaded by a far transfer. */
static void load_segments(void)
{
	__asm__ volatile("pushq %0\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %1, %%ds\n\t"
			 "movl %1, %%es\n\t"
			 "movl %1, %%ss\n\t"
			 "movl %2, %%fs\n\t"
			 "movl %2, %%gs"
			 :
			 : "i"(KERNEL_CODE), "r"(KERNEL_DATA), "r"(0)
			 : "rax", "memory");
}

void descriptors_init(uint64_t rsp0)
{
	task.rsp[0] = rsp0;
	set_task_descriptor();
	load_gdt();
	load_segments();
	__asm__ volatile("ltr %w0" : : "r"(TASK));
}

void descriptors_own_stack(unsigned vector, uint64_t top)
{
	task.ist[own_stacks++] = top;
	exception_stack(vector, own_stacks);
}
