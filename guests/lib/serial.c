// SPDX-License-Identifier: GPL-3.0-or-later
#include "port.h"
#include "print.h"

enum {
	COM1 = 0x3f8,
	DATA = COM1,
	INTERRUPT_ENABLE = COM1 + 1,
	FIFO_CONTROL = COM1 + 2,
	LINE_CONTROL = COM1 + 3,
	MODEM_CONTROL = COM1 + 4,
	LINE_STATUS = COM1 + 5,
};

#define LINE_STATUS_DATA_READY	 0x01
#define LINE_STATUS_EMPTY	 0x20
#define LINE_CONTROL_8N1	 0x03
#define LINE_CONTROL_DLAB	 0x80
#define MODEM_CONTROL_DTR_RTS	 0x03
#define MODEM_CONTROL_OUT2	 0x08 /* lets the interrupt line through */
#define FIFO_ENABLE_AND_CLEAR	 0x07
#define INTERRUPT_ENABLE_RECEIVE 0x01

void serial_init(void)
{
	outb(INTERRUPT_ENABLE, 0);
	outb(LINE_CONTROL, LINE_CONTROL_DLAB);
	outb(DATA, 1); /* divisor 1: 115200 baud */
	outb(INTERRUPT_ENABLE, 0);
	outb(LINE_CONTROL, LINE_CONTROL_8N1);
	outb(FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
	outb(MODEM_CONTROL, MODEM_CONTROL_DTR_RTS);
}

void serial_put(char c)
{
	while (!(inb(LINE_STATUS) & LINE_STATUS_EMPTY))
		;
	outb(DATA, (uint8_t)c);
}

void serial_receive_interrupts(void)
{
	outb(MODEM_CONTROL, MODEM_CONTROL_DTR_RTS | MODEM_CONTROL_OUT2);
	outb(INTERRUPT_ENABLE, INTERRUPT_ENABLE_RECEIVE);
}

int serial_get(void)
{
	if (!(inb(LINE_STATUS) & LINE_STATUS_DATA_READY))
		return -1;
	return inb(DATA);
}
