// SPDX-License-Identifier: GPL-3.0-or-later
/* The two 8259 interrupt controllers and channel 0 of the 8254 timer. */
#include "cpu64.h"
#include "port.h"

enum {
	PIC1_COMMAND = 0x20,
	PIC1_DATA = 0x21,
	PIC2_COMMAND = 0xa0,
	PIC2_DATA = 0xa1,
	PIT_CHANNEL0 = 0x40,
	PIT_COMMAND = 0x43,
};

#define ICW1_EDGE_CASCADE_ICW4 0x11
#define ICW4_8086	       0x01
#define OCW2_END_OF_INTERRUPT  0x20
#define CASCADE_LINE	       2
#define PIT_RATE_GENERATOR     0x34 /* channel 0, low byte then high, mode 2 */
#define PIT_HZ		       1193182

void pic_init(void)
{
	outb(PIC1_COMMAND, ICW1_EDGE_CASCADE_ICW4);
	outb(PIC2_COMMAND, ICW1_EDGE_CASCADE_ICW4);
	outb(PIC1_DATA, VECTOR_TIMER);
	outb(PIC2_DATA, VECTOR_TIMER + 8);
	outb(PIC1_DATA, 1 << CASCADE_LINE);
	outb(PIC2_DATA, CASCADE_LINE);
	outb(PIC1_DATA, ICW4_8086);
	outb(PIC2_DATA, ICW4_8086);
	outb(PIC1_DATA, 0xff);
	outb(PIC2_DATA, 0xff);
}

void pic_unmask(unsigned line)
{
	uint16_t port = line < 8 ? PIC1_DATA : PIC2_DATA;

	outb(port, (uint8_t)(inb(port) & ~(1u << (line & 7))));
	if (line >= 8)
		pic_unmask(CASCADE_LINE);
}

void pic_end_of_interrupt(unsigned line)
{
	if (line >= 8)
		outb(PIC2_COMMAND, OCW2_END_OF_INTERRUPT);
	outb(PIC1_COMMAND, OCW2_END_OF_INTERRUPT);
}

void timer_init(unsigned hz)
{
	unsigned divisor = PIT_HZ / hz;

	outb(PIT_COMMAND, PIT_RATE_GENERATOR);
	outb(PIT_CHANNEL0, (uint8_t)divisor);
	outb(PIT_CHANNEL0, (uint8_t)(divisor >> 8));
}
