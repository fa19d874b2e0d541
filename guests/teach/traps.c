// SPDX-License-Identifier: GPL-3.0-or-later
/* Segments, gates and the two 8259As; and who is called for which trap. */
#include "kernel.h"
#include "port.h"
#include "print.h"

#define TRAPS	     64
#define GATE_KERNEL  0x8e00
#define GATE_USER    0xee00
#define TASK_PRESENT 0x8900
#define HZ	     100
#define PIT_HZ	     1193182

enum { PIC1 = 0x20, PIC2 = 0xa0, PIC_EOI = 0x20, PIC_INIT = 0x11 };

extern uint8_t trap_entries[][16], trap_system[];

struct pointer {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

struct gate {
	uint16_t low, selector, type, high;
};

static uint64_t gdt[6] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff,
			  0x00cff3000000ffff};
static struct gate idt[256];
static uint32_t task[26]; /* 32-bit TSS: [1] ESP0, [2] SS0 */

static void set_gate(unsigned vector, const void *entry, uint16_t type)
{
	uint32_t at = (uint32_t)entry;

	idt[vector] = (struct gate){(uint16_t)at, KERNEL_CODE, type, (uint16_t)(at >> 16)};
}

/* IRQ 0-15 become vectors 32-47; timer, keyboard, the cascade and the disk may interrupt. */
static void pic_init(void)
{
	static const uint8_t words[][2] = {{VECTOR_IRQ, VECTOR_IRQ + 8}, {4, 2}, {1, 1}};

	outb(PIC1, PIC_INIT);
	outb(PIC2, PIC_INIT);
	for (unsigned i = 0; i < 3; i++) {
		outb(PIC1 + 1, words[i][0]);
		outb(PIC2 + 1, words[i][1]);
	}
	outb(PIC1 + 1, 0xf8);
	outb(PIC2 + 1, 0xbf);
}

static void timer_init(void)
{
	outb(0x43, 0x34);
	outb(0x40, (PIT_HZ / HZ) & 0xff);
	outb(0x40, (PIT_HZ / HZ) >> 8);
}

void traps_init(void)
{
	uint32_t at = (uint32_t)task;

	for (unsigned i = 0; i < TRAPS; i++)
		set_gate(i, trap_entries[i], GATE_KERNEL);
	set_gate(VECTOR_SYSTEM, trap_system, GATE_USER);
	gdt[5] = (sizeof(task) - 1) | (uint64_t)(at & 0xffffff) << 16 |
		 (uint64_t)TASK_PRESENT << 32 | (uint64_t)(at >> 24) << 56;
	task[2] = KERNEL_DATA;
	task[25] = sizeof(task) << 16; /* no map of ports */
	pic_init();
	timer_init();
}

/* DS and ES are those of ring 3 in the kernel, too: so no trap has to change them. The task is the first CPU's,
 * which alone comes from ring 3. */
void traps_load(void)
{
	const struct pointer gdtr = {sizeof(gdt) - 1, (uint32_t)gdt};
	const struct pointer idtr = {sizeof(idt) - 1, (uint32_t)idt};

	__asm__ volatile("lgdt %0; lidt %1" : : "m"(gdtr), "m"(idtr));
	__asm__ volatile("ljmp %0, $1f; 1:" : : "i"(KERNEL_CODE));
	__asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(USER_DATA));
	__asm__ volatile("mov %0, %%ss" : : "r"(KERNEL_DATA));
}

void set_kernel_stack(void *top)
{
	static bool loaded;

	task[1] = (uint32_t)top;
	if (!loaded)
		__asm__ volatile("ltr %w0" : : "r"(TASK));
	loaded = true;
}

/* ---- who is called ----------------------------------------------------------------------------- */

static void exception(struct frame *frame)
{
	uint32_t cr2;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	print("%s: exception %u, error %x, at %x, cr2 %x\n", current ? current->name : "kernel",
	      frame->vector, frame->error, frame->eip, cr2);
	if (!current || !(frame->cs & 3))
		debug_exit((uint8_t)frame->vector);
	current->state = ENDED;
}

static void interrupt(const struct frame *frame)
{
	if (frame->vector == VECTOR_TIMER)
		ticks++;
	else if (frame->vector == VECTOR_KEYBOARD)
		keyboard_interrupt();
	else if (frame->vector == VECTOR_DISK)
		disk_interrupt();
	if (frame->vector >= VECTOR_IRQ + 8)
		outb(PIC2, PIC_EOI);
	outb(PIC1, PIC_EOI);
}

/* Returns the frame to go on with. The second CPU has no processes. */
struct frame *trap(struct frame *frame)
{
	if (frame->vector == VECTOR_JOB) {
		second_job();
		return frame;
	}
	if (!current || frame->vector < VECTOR_IRQ)
		exception(frame);
	else if (frame->vector == VECTOR_SYSTEM)
		system_call(frame);
	else
		interrupt(frame);
	current->frame = frame;
	if (frame->vector == VECTOR_SYSTEM && current->state == READY)
		return frame;
	return next_process();
}
