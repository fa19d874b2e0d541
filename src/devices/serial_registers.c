// SPDX-License-Identifier: GPL-3.0-or-later
#include "devices/serial_registers.h"

#include <errno.h>
#include <string.h>

/* ---- interrupts ------------------------------------------------------------------------------- */

unsigned serial_fifo_capacity(const struct serial_registers *r)
{
	return r->fcr & FCR_ENABLE ? SERIAL_FIFO : 1;
}

static bool line_error(const struct serial_registers *r)
{
	return r->errors;
}

static bool data_at_trigger(const struct serial_registers *r)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	return r->count >= (r->fcr & FCR_ENABLE ? levels[r->fcr >> 6] : 1);
}

static bool data_waits(const struct serial_registers *r)
{
	return r->count > 0;
}

static bool transmitter_empty(const struct serial_registers *r)
{
	return r->thre;
}

static bool modem_changed(const struct serial_registers *r)
{
	return r->msr & MSR_DELTAS;
}

/* Highest priority first. */
static const struct {
	uint8_t enable, iir;
	bool (*pending)(const struct serial_registers *r);
} sources[] = {
	{IER_LINE, 0x06, line_error},	  {IER_RX, 0x04, data_at_trigger},
	{IER_RX, 0x0c, data_waits},	  {IER_THRE, 0x02, transmitter_empty},
	{IER_MODEM, 0x00, modem_changed},
};

uint8_t serial_identify(const struct serial_registers *r)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if ((r->ier & sources[i].enable) && sources[i].pending(r))
			return sources[i].iir;
	return IIR_NONE;
}

bool serial_interrupts(const struct serial_registers *r)
{
	return (r->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2 && serial_identify(r) != IIR_NONE;
}

/* ---- the FIFO ---------------------------------------------------------------------------------- */

void serial_fifo_put(struct serial_registers *r, uint8_t byte)
{
	if (r->count == serial_fifo_capacity(r)) {
		r->errors |= LSR_OVERRUN;
		if (r->fcr & FCR_ENABLE)
			return;
		r->count = 0;
	}
	r->fifo[r->count++] = byte;
}

uint8_t serial_fifo_get(struct serial_registers *r)
{
	uint8_t byte = r->fifo[0];

	if (r->count == 0)
		return 0;
	memmove(r->fifo, r->fifo + 1, SERIAL_FIFO - 1);
	r->count--;
	return byte;
}

/* ---- modem lines ------------------------------------------------------------------------------ */

/* In loopback the four outputs are wired to the four inputs: RTS-CTS, DTR-DSR, OUT1-RI, OUT2-DCD. */
static uint8_t modem_lines(const struct serial_registers *r)
{
	if (!(r->mcr & MCR_LOOP))
		return MSR_CONNECTED;
	return (uint8_t)((r->mcr & 0x02) << 3 | (r->mcr & 0x01) << 5 | (r->mcr & 0x0c) << 4);
}

/* Each line's delta bit is four below it; RI's tells only the falling edge. */
void serial_update_modem(struct serial_registers *r)
{
	uint8_t lines = modem_lines(r), changed = (r->msr ^ lines) & 0xf0;

	if (lines & MSR_RI)
		changed &= (uint8_t)~MSR_RI;
	r->msr = (uint8_t)(lines | (r->msr & MSR_DELTAS) | changed >> 4);
}

/* ---- saving ------------------------------------------------------------------------------------ */

void serial_registers_save(const struct serial_registers *r, struct device_stream *out)
{
	stream_put_u64(out, r->ier);
	stream_put_u64(out, r->fcr);
	stream_put_u64(out, r->lcr);
	stream_put_u64(out, r->mcr);
	stream_put_u64(out, r->msr);
	stream_put_u64(out, r->scr);
	stream_put_u64(out, r->dll);
	stream_put_u64(out, r->dlm);
	stream_put_u64(out, r->errors);
	stream_put(out, r->fifo, sizeof(r->fifo));
	stream_put_u64(out, r->count);
	stream_put_u64(out, r->thre);
	stream_put_u64(out, r->busy);
}

void serial_registers_load(struct serial_registers *r, struct device_stream *in)
{
	r->ier = stream_get_u8(in) & IER_ALL;
	r->fcr = stream_get_u8(in) & FCR_STORED;
	r->lcr = stream_get_u8(in);
	r->mcr = stream_get_u8(in) & MCR_ALL;
	r->msr = stream_get_u8(in);
	r->scr = stream_get_u8(in);
	r->dll = stream_get_u8(in);
	r->dlm = stream_get_u8(in);
	r->errors = stream_get_u8(in) & LSR_ERRORS;
	stream_get(in, r->fifo, sizeof(r->fifo));
	r->count = stream_get_u8(in);
	r->thre = stream_get_u64(in);
	r->busy = stream_get_u64(in);
	if (r->count > serial_fifo_capacity(r))
		in->error = -EINVAL;
}
