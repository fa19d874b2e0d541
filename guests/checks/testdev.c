// SPDX-License-Identifier: GPL-3.0-or-later
/* pc-testdev: ports and memory that give back what was written, and interrupt lines, which come by the 8259s and
 * by the IOAPIC. */
#include "checks.h"

#include "cpu64.h"
#include "port.h"
#include "print.h"

enum { PORT = 0xe0, LINES = 0x2000, LINE = 5, PIC_VECTOR = VECTOR_TIMER + LINE, APIC_VECTOR = 47 };

#define MEMORY		0xff000000ul
#define APIC_SPURIOUS	((volatile uint32_t *)0xfee000f0)
#define APIC_EOI	((volatile uint32_t *)0xfee000b0)
#define APIC_ID		((volatile uint32_t *)0xfee00020)
#define APIC_ENABLED	0x100
#define IOAPIC_SELECT	((volatile uint32_t *)0xfec00000)
#define IOAPIC_DATA	((volatile uint32_t *)0xfec00010)
#define IOAPIC_ENTRY(n) (0x10 + 2 * (n))
#define IOAPIC_MASKED	(1u << 16)
#define PATIENCE	100000

static volatile unsigned pic_interrupts, apic_interrupts;

static void on_pic(struct frame *frame)
{
	(void)frame;
	pic_interrupts++;
	pic_end_of_interrupt(LINE);
}

static void on_apic(struct frame *frame)
{
	(void)frame;
	apic_interrupts++;
	*APIC_EOI = 0;
}

static void check_port(void)
{
	uint8_t bytes[4] = {1, 2, 3, 4}, back[4] = {0};
	const uint8_t *from = bytes;
	uint8_t *to = back;
	unsigned long count = 4;

	outl(PORT, 0x44332211);
	check("inl gives back", inl(PORT), 0x44332211);
	check("inw gives back", inw(PORT + 2), 0x4433);
	outb(PORT + 1, 0xee);
	outw(PORT + 2, 0xccdd);
	check("bytes and words are parts", inl(PORT), 0xccddee11);
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT) : "memory");
	check("rep outsb leaves its last byte", inb(PORT), 4);
	count = 4;
	__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(PORT) : "memory");
	check("rep insb", same(back, "\4\4\4\4", 4), true);
}

static void check_memory(void)
{
	volatile uint64_t *eight = (volatile uint64_t *)(MEMORY + 0x100);
	volatile uint8_t *last = (volatile uint8_t *)(MEMORY + 0xffff);

	*eight = 0x8877665544332211;
	*last = 0x5a;
	check("memory gives back", *eight, 0x8877665544332211);
	check("memory by words", *(volatile uint16_t *)(MEMORY + 0x102), 0x4433);
	check("memory's last byte", *last, 0x5a);
}

static void raise_until(volatile unsigned *count)
{
	unsigned before = *count;

	interrupts_on();
	outb(LINES + LINE, 1);
	for (unsigned i = 0; i < PATIENCE && *count == before; i++)
		__asm__ volatile("pause");
	outb(LINES + LINE, 0);
	interrupts_off();
}

static void ioapic_write(unsigned index, uint32_t value)
{
	*IOAPIC_SELECT = index;
	*IOAPIC_DATA = value;
}

static void check_lines(void)
{
	pic_init();
	exception_handler(PIC_VECTOR, on_pic);
	pic_unmask(LINE);
	raise_until(&pic_interrupts);
	raise_until(&pic_interrupts);
	check("interrupts by the 8259", pic_interrupts, 2);
	pic_init(); /* all masked */
	exception_handler(APIC_VECTOR, on_apic);
	*APIC_SPURIOUS |= APIC_ENABLED;
	ioapic_write(IOAPIC_ENTRY(LINE) + 1, *APIC_ID);
	ioapic_write(IOAPIC_ENTRY(LINE), APIC_VECTOR);
	raise_until(&apic_interrupts);
	ioapic_write(IOAPIC_ENTRY(LINE), IOAPIC_MASKED);
	check("interrupts by the IOAPIC", apic_interrupts, 1);
	check("none by the 8259 meanwhile", pic_interrupts, 2);
}

void testdev_checks(void)
{
	check_port();
	check_memory();
	check_lines();
}
