// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * 16550A UART, from National's PC16550D datasheet ("register addresses", "interrupt identification
 * register"), wired as on a PC: 8 ports, OUT2 of the modem control register gates the interrupt line.
 *
 * What is simpler than the chip: a byte is sent the moment it is written; there is no baud rate, so the
 * receive FIFO's timeout is indicated as soon as it holds anything below its trigger level; the line has
 * no errors, and a break is not seen. The transmitter is busy only while the backend has no room.
 */
#include "devices/devices.h"
#include "devices/serial_registers.h"
#include "devices/stream.h"

#include <errno.h>
#include <stdlib.h>

struct serial {
	struct device device;
	const struct device_host *host;
	struct serial_backend backend;
	struct bus_region region;
	unsigned irq;
	bool level;   /* of the interrupt line */
	bool starved; /* a byte was refused since the guest last emptied the FIFO */
	struct serial_registers r;
};

static const struct {
	const char *name;
	uint16_t base;
	unsigned irq;
} serial_ports[] = {{"serial0", 0x3f8, 4}, {"serial1", 0x2f8, 3}};

static struct serial *serial_of(struct device *device)
{
	return (struct serial *)device;
}

/* ---- interrupts ------------------------------------------------------------------------------- */

static void update_irq(struct serial *s)
{
	bool level = serial_interrupts(&s->r);

	if (level == s->level)
		return;
	s->level = level;
	s->host->irq(s->host->ctx, s->irq, level);
}

/* ---- the two data paths ----------------------------------------------------------------------- */

/* Asked for more only when empty: one wake-up per FIFO, not per byte. */
static void ask_for_more(struct serial *s)
{
	if (!s->starved || s->r.count > 0 || (s->r.mcr & MCR_LOOP))
		return;
	s->starved = false;
	if (s->backend.ready)
		s->backend.ready(s->backend.ctx);
}

size_t serial_receive(struct device *device, const void *bytes, size_t size)
{
	struct serial *s = serial_of(device);
	const uint8_t *from = bytes;
	size_t room = s->r.mcr & MCR_LOOP ? 0 : serial_fifo_capacity(&s->r) - s->r.count;
	size_t taken = size < room ? size : room;

	for (size_t i = 0; i < taken; i++)
		serial_fifo_put(&s->r, from[i]);
	if (taken < size)
		s->starved = true;
	update_irq(s);
	return taken;
}

void serial_transmit_ready(struct device *device)
{
	struct serial *s = serial_of(device);

	if (!s->r.busy)
		return;
	s->r.busy = false;
	s->r.thre = true;
	update_irq(s);
}

static void send(struct serial *s, uint8_t byte)
{
	const struct serial_backend *backend = &s->backend;

	if (s->r.mcr & MCR_LOOP) {
		serial_fifo_put(&s->r, byte);
		return;
	}
	if (backend->write)
		backend->write(backend->ctx, &byte, 1);
	s->r.busy = backend->has_room && !backend->has_room(backend->ctx);
}

/* ---- registers -------------------------------------------------------------------------------- */

static uint8_t read_data(struct serial *s)
{
	uint8_t byte;

	if (s->r.lcr & LCR_DLAB)
		return s->r.dll;
	byte = serial_fifo_get(&s->r);
	update_irq(s);
	ask_for_more(s);
	return byte;
}

static uint8_t read_ier(struct serial *s)
{
	return s->r.lcr & LCR_DLAB ? s->r.dlm : s->r.ier;
}

/* Reading takes back "transmitter empty", if that is what it told. */
static uint8_t read_iir(struct serial *s)
{
	uint8_t iir = serial_identify(&s->r);

	if (iir == 0x02)
		s->r.thre = false;
	update_irq(s);
	return iir | (s->r.fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint8_t read_lcr(struct serial *s)
{
	return s->r.lcr;
}

static uint8_t read_mcr(struct serial *s)
{
	return s->r.mcr;
}

static uint8_t read_lsr(struct serial *s)
{
	uint8_t lsr = s->r.errors;

	lsr |= s->r.count ? LSR_DATA : 0;
	lsr |= s->r.busy ? 0 : LSR_EMPTY;
	s->r.errors = 0;
	update_irq(s);
	return lsr;
}

static uint8_t read_msr(struct serial *s)
{
	uint8_t msr = s->r.msr;

	s->r.msr &= (uint8_t)~MSR_DELTAS;
	update_irq(s);
	return msr;
}

static uint8_t read_scr(struct serial *s)
{
	return s->r.scr;
}

/* The line falls for the byte and rises behind it: an edge-triggered controller sees each one. */
static void write_data(struct serial *s, uint8_t value)
{
	if (s->r.lcr & LCR_DLAB) {
		s->r.dll = value;
		return;
	}
	s->r.thre = false;
	update_irq(s);
	send(s, value);
	s->r.thre = !s->r.busy;
	update_irq(s);
}

/* Enabling "transmitter empty" while it is empty tells so at once. */
static void write_ier(struct serial *s, uint8_t value)
{
	if (s->r.lcr & LCR_DLAB) {
		s->r.dlm = value;
		return;
	}
	if ((value & ~s->r.ier & IER_THRE) && !s->r.busy)
		s->r.thre = true;
	s->r.ier = value & IER_ALL;
	update_irq(s);
}

/* The transmit FIFO is always empty, so there is nothing to clear in it. */
static void write_fcr(struct serial *s, uint8_t value)
{
	bool toggled = (value ^ s->r.fcr) & FCR_ENABLE;

	s->r.fcr = value & FCR_ENABLE ? value & FCR_STORED : 0;
	if (toggled || (value & FCR_ENABLE && value & FCR_CLEAR_RX))
		s->r.count = 0;
	update_irq(s);
	ask_for_more(s);
}

static void write_lcr(struct serial *s, uint8_t value)
{
	s->r.lcr = value;
}

static void write_mcr(struct serial *s, uint8_t value)
{
	s->r.mcr = value & MCR_ALL;
	serial_update_modem(&s->r);
	update_irq(s);
	ask_for_more(s);
}

static void write_nothing(struct serial *s, uint8_t value)
{
	(void)s;
	(void)value;
}

static void write_scr(struct serial *s, uint8_t value)
{
	s->r.scr = value;
}

/* ---- the five verbs --------------------------------------------------------------------------- */

static void serial_reset(struct device *device)
{
	struct serial *s = serial_of(device);

	s->r = (struct serial_registers){.msr = MSR_CONNECTED, .dll = 12};
	update_irq(s);
	ask_for_more(s);
}

static void serial_save(const struct device *device, struct device_stream *out)
{
	serial_registers_save(&((const struct serial *)device)->r, out);
}

/* Whoever had bytes then may have others now. The interrupt line is told again: controllers are loaded in
 * any order. That a busy transmitter's backend may have room today is told by serial_transmit_ready(), when
 * they all are there to take the interrupt. */
static int serial_load(struct device *device, struct device_stream *in)
{
	struct serial *s = serial_of(device);
	struct serial_registers r = {0};

	serial_registers_load(&r, in);
	if (in->error)
		return -EINVAL;
	s->r = r;
	s->starved = true;
	s->level = !serial_interrupts(&r);
	update_irq(s);
	ask_for_more(s);
	return 0;
}

static void serial_io(void *device, struct bus_access *access)
{
	static uint8_t (*const reads[8])(struct serial *) = {
		read_data, read_ier, read_iir, read_lcr, read_mcr, read_lsr, read_msr, read_scr};
	static void (*const writes[8])(struct serial *, uint8_t) = {
		write_data, write_ier,	   write_fcr,	  write_lcr,
		write_mcr,  write_nothing, write_nothing, write_scr};

	if (access->write)
		writes[access->offset](device, (uint8_t)access->value);
	else
		access->value = reads[access->offset](device);
}

static void serial_destroy(struct device *device)
{
	free(device);
}

int serial_init(const struct device_host *host, unsigned port, const struct serial_backend *backend,
		struct device **device, struct error *err)
{
	struct serial *s = calloc(1, sizeof(*s));

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->device = (struct device){.name = serial_ports[port].name,
				    .reset = serial_reset,
				    .save = serial_save,
				    .load = serial_load,
				    .destroy = serial_destroy};
	s->host = host;
	s->backend = *backend;
	s->irq = serial_ports[port].irq;
	s->region = (struct bus_region){.name = serial_ports[port].name,
					.base = serial_ports[port].base,
					.size = 8,
					.max_size = 1,
					.io = serial_io,
					.device = s};
	return device_attach(&s->device, &(struct device_region){host->ports, &s->region}, 1,
			     device, err);
}
