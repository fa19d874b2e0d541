/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The 16550A's registers, FIFO and interrupt identification: no backend, no interrupt line. The UART's own. */
#ifndef DEVICES_SERIAL_REGISTERS_H
#define DEVICES_SERIAL_REGISTERS_H

#include "devices/stream.h"

#include <stdbool.h>
#include <stdint.h>

#define SERIAL_FIFO 16

enum { IER_RX = 0x01, IER_THRE = 0x02, IER_LINE = 0x04, IER_MODEM = 0x08, IER_ALL = 0x0f };
enum { IIR_NONE = 0x01, IIR_FIFO = 0xc0 };
enum { FCR_ENABLE = 0x01, FCR_CLEAR_RX = 0x02, FCR_STORED = 0xc9 };
enum { LCR_DLAB = 0x80 };
enum { MCR_OUT2 = 0x08, MCR_LOOP = 0x10, MCR_ALL = 0x1f };
enum { LSR_DATA = 0x01, LSR_OVERRUN = 0x02, LSR_ERRORS = 0x1e, LSR_EMPTY = 0x60 };
enum { MSR_DELTAS = 0x0f, MSR_RI = 0x40, MSR_CONNECTED = 0xb0 };

struct serial_registers {
	uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
	uint8_t errors;			  /* those bits of LSR that a read clears */
	uint8_t fifo[SERIAL_FIFO], count; /* oldest first */
	bool thre;			  /* "transmitter empty" has not been told yet */
	bool busy;			  /* the backend is full */
};

/* The pending interrupt of highest priority, as IIR names it; IIR_NONE. */
uint8_t serial_identify(const struct serial_registers *r);
/* Whether the interrupt line is up. Loopback forces the OUT2 pin, its gate, off, whatever MCR says. */
bool serial_interrupts(const struct serial_registers *r);

unsigned serial_fifo_capacity(const struct serial_registers *r);
/* Full: an overrun. The FIFO keeps what it has; the single register is overwritten. */
void serial_fifo_put(struct serial_registers *r, uint8_t byte);
uint8_t serial_fifo_get(struct serial_registers *r); /* 0 when empty */

void serial_update_modem(struct serial_registers *r); /* after MCR has changed */

void serial_registers_save(const struct serial_registers *r, struct device_stream *out);
void serial_registers_load(struct serial_registers *r,
			   struct device_stream *in); /* nonsense: in->error */

#endif
