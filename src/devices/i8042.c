// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Intel 8042 keyboard controller of a PC/AT, from IBM's PS/2 hardware interface reference ("keyboard and
 * auxiliary device controller"). Commands are executed at once, so the input buffer is never full.
 *
 * No mouse is plugged in: bytes for one go nowhere and nothing acknowledges them. What the keyboard says is always
 * translated, to scan codes of set 1. A20 is a bit that can be read back; the address line itself is always on.
 */
#include "devices/devices.h"
#include "devices/keyboard.h"
#include "devices/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STATUS_OUTPUT_FULL = 0x01,
	STATUS_SYSTEM = 0x04,
	STATUS_COMMAND = 0x08,
	STATUS_UNLOCKED = 0x10,
	STATUS_AUX = 0x20
};
/* The command byte is byte 0 of the controller's memory. */
enum {
	MODE_KEYBOARD_IRQ = 0x01,
	MODE_AUX_IRQ = 0x02,
	MODE_SYSTEM = 0x04,
	MODE_KEYBOARD_OFF = 0x10,
	MODE_AUX_OFF = 0x20,
	MODE_TRANSLATE = 0x40
};
enum { OUTPUT_NO_RESET = 0x01, OUTPUT_A20 = 0x02, OUTPUT_FULL = 0x10, OUTPUT_IDLE = 0xcf };

#define KEYBOARD_IRQ 1
#define AUX_IRQ	     12

struct i8042_registers {
	uint8_t memory[32]; /* [0]: the command byte */
	uint8_t output;	    /* what port 0x60 reads */
	bool full, aux;	    /* it has not been read; it belongs to the mouse's side */
	uint8_t port;	    /* the output port */
	uint8_t parameter;  /* the command whose parameter port 0x60 takes next; 0: none */
	bool last_command;  /* the last byte written went to port 0x64 */
	struct keyboard keyboard;
};

struct i8042 {
	struct device device;
	const struct device_host *host;
	struct bus_region data_region, command_region;
	bool level[2]; /* of IRQ 1, IRQ 12 */
	struct i8042_registers r;
};

static struct i8042 *i8042_of(struct device *device)
{
	return (struct i8042 *)device;
}

/* ---- output buffer and interrupts ------------------------------------------------------------- */

static bool interrupts(const struct i8042_registers *r, bool aux)
{
	return r->full && r->aux == aux &&
	       (r->memory[0] & (aux ? MODE_AUX_IRQ : MODE_KEYBOARD_IRQ));
}

static void update_irq(struct i8042 *k)
{
	for (unsigned aux = 0; aux < 2; aux++) {
		bool level = interrupts(&k->r, aux);

		if (level == k->level[aux])
			continue;
		k->level[aux] = level;
		k->host->irq(k->host->ctx, aux ? AUX_IRQ : KEYBOARD_IRQ, level);
	}
}

static void reply(struct i8042 *k, uint8_t byte, bool aux)
{
	k->r.output = byte;
	k->r.full = true;
	k->r.aux = aux;
	update_irq(k);
}

/* What the keyboard has to say, when there is room for it and the keyboard's clock runs. */
static void offer_key(struct i8042 *k)
{
	uint8_t code;

	if (k->r.full || (k->r.memory[0] & MODE_KEYBOARD_OFF))
		return;
	if (keyboard_next(&k->r.keyboard, &code))
		reply(k, code, false);
}

static void request_reset(struct i8042 *k, uint8_t command)
{
	char why[64];

	snprintf(why, sizeof(why), "keyboard controller, command 0x%02x", command);
	k->host->request(k->host->ctx, HOST_RESET, 0, why);
}

/* ---- commands --------------------------------------------------------------------------------- */

static void read_memory(struct i8042 *k, uint8_t command)
{
	reply(k, k->r.memory[command & 0x1f], false);
}

static void want_parameter(struct i8042 *k, uint8_t command)
{
	k->r.parameter = command;
}

static void aux_off(struct i8042 *k, uint8_t command)
{
	(void)command;
	k->r.memory[0] |= MODE_AUX_OFF;
}

static void aux_on(struct i8042 *k, uint8_t command)
{
	(void)command;
	k->r.memory[0] &= (uint8_t)~MODE_AUX_OFF;
}

static void keyboard_off(struct i8042 *k, uint8_t command)
{
	(void)command;
	k->r.memory[0] |= MODE_KEYBOARD_OFF;
}

static void keyboard_on(struct i8042 *k, uint8_t command)
{
	(void)command;
	k->r.memory[0] &= (uint8_t)~MODE_KEYBOARD_OFF;
	offer_key(k);
}

static void self_test(struct i8042 *k, uint8_t command)
{
	(void)command;
	k->r.memory[0] |= MODE_SYSTEM;
	reply(k, 0x55, false);
}

/* Interface tests: 0, no error. Test inputs: 0, both lines low. */
static void reply_zero(struct i8042 *k, uint8_t command)
{
	(void)command;
	reply(k, 0x00, false);
}

/* The input port: keyboard not inhibited. */
static void read_input_port(struct i8042 *k, uint8_t command)
{
	(void)command;
	reply(k, 0x80, false);
}

static void read_output_port(struct i8042 *k, uint8_t command)
{
	(void)command;
	reply(k, (k->r.port & ~OUTPUT_FULL) | (k->r.full ? OUTPUT_FULL : 0), false);
}

static void set_a20(struct i8042 *k, uint8_t command)
{
	k->r.port &= (uint8_t)~OUTPUT_A20;
	k->r.port |= command & OUTPUT_A20; /* 0xdd: off, 0xdf: on */
}

/* Pulls those of output port bits 0-3 low for 6 us whose bits are 0 in the command; bit 0 is reset. */
static void pulse(struct i8042 *k, uint8_t command)
{
	if (!(command & OUTPUT_NO_RESET))
		request_reset(k, command);
}

struct command {
	uint8_t first, last;
	void (*run)(struct i8042 *k, uint8_t value);
};

static const struct command commands[] = {
	{0x20, 0x3f, read_memory},     {0x60, 0x7f, want_parameter},   {0xa7, 0xa7, aux_off},
	{0xa8, 0xa8, aux_on},	       {0xa9, 0xa9, reply_zero},       {0xaa, 0xaa, self_test},
	{0xab, 0xab, reply_zero},      {0xad, 0xad, keyboard_off},     {0xae, 0xae, keyboard_on},
	{0xc0, 0xc0, read_input_port}, {0xd0, 0xd0, read_output_port}, {0xd1, 0xd4, want_parameter},
	{0xdd, 0xdd, set_a20},	       {0xdf, 0xdf, set_a20},	       {0xe0, 0xe0, reply_zero},
	{0xf0, 0xff, pulse},
};

/* ---- parameters: what port 0x60 takes after a command ----------------------------------------- */

static void write_memory(struct i8042 *k, uint8_t value)
{
	k->r.memory[k->r.parameter & 0x1f] = value;
	update_irq(k);
	offer_key(k);
}

static void write_output_port(struct i8042 *k, uint8_t value)
{
	k->r.port = value;
	if (!(value & OUTPUT_NO_RESET))
		k->host->request(k->host->ctx, HOST_RESET, 0,
				 "keyboard controller, output port bit 0");
}

static void echo_keyboard(struct i8042 *k, uint8_t value)
{
	reply(k, value, false);
}

static void echo_aux(struct i8042 *k, uint8_t value)
{
	reply(k, value, true);
}

/* Talking to the keyboard starts its clock. */
static void to_keyboard(struct i8042 *k, uint8_t value)
{
	k->r.memory[0] &= (uint8_t)~MODE_KEYBOARD_OFF;
	keyboard_take(&k->r.keyboard, value);
	offer_key(k);
}

/* A byte that is no command's parameter is the keyboard's. 0xd4, which is for the mouse, is in no row: nobody is
 * there. */
static const struct command parameters[] = {
	{0x00, 0x00, to_keyboard},   {0x60, 0x7f, write_memory}, {0xd1, 0xd1, write_output_port},
	{0xd2, 0xd2, echo_keyboard}, {0xd3, 0xd3, echo_aux},
};

static const struct command *find(const struct command *table, size_t count, uint8_t command)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].first <= command && command <= table[i].last)
			return &table[i];
	return NULL;
}

static void write_command(struct i8042 *k, uint8_t value)
{
	const struct command *c = find(commands, sizeof(commands) / sizeof(commands[0]), value);

	k->r.parameter = 0;
	k->r.last_command = true;
	if (c)
		c->run(k, value);
}

static void write_data(struct i8042 *k, uint8_t value)
{
	const struct command *c = find(parameters, sizeof(parameters) / sizeof(parameters[0]),
				       k->r.parameter);

	k->r.last_command = false;
	if (c)
		c->run(k, value);
	k->r.parameter = 0;
}

static uint8_t read_status(const struct i8042_registers *r)
{
	return STATUS_UNLOCKED | (r->memory[0] & MODE_SYSTEM ? STATUS_SYSTEM : 0) |
	       (r->last_command ? STATUS_COMMAND : 0) | (r->full ? STATUS_OUTPUT_FULL : 0) |
	       (r->full && r->aux ? STATUS_AUX : 0);
}

static uint8_t read_data(struct i8042 *k)
{
	uint8_t byte = k->r.output;

	k->r.full = false;
	update_irq(k);
	offer_key(k);
	return byte;
}

/* ---- the five verbs --------------------------------------------------------------------------- */

/* As firmware would leave it: a guest that never sets the controller up relies on that. */
static void i8042_reset(struct device *device)
{
	struct i8042 *k = i8042_of(device);

	k->r = (struct i8042_registers){.port = OUTPUT_IDLE, .last_command = true};
	keyboard_power_on(&k->r.keyboard);
	k->r.memory[0] = MODE_KEYBOARD_IRQ | MODE_SYSTEM | MODE_AUX_OFF | MODE_TRANSLATE;
	update_irq(k);
}

static void i8042_save(const struct device *device, struct device_stream *out)
{
	const struct i8042_registers *r = &((const struct i8042 *)device)->r;

	stream_put(out, r->memory, sizeof(r->memory));
	stream_put_u64(out, r->output);
	stream_put_u64(out, r->full);
	stream_put_u64(out, r->aux);
	stream_put_u64(out, r->port);
	stream_put_u64(out, r->parameter);
	stream_put_u64(out, r->last_command);
	keyboard_save(&r->keyboard, out);
}

static int i8042_load(struct device *device, struct device_stream *in)
{
	struct i8042 *k = i8042_of(device);
	struct i8042_registers r = {0};

	stream_get(in, r.memory, sizeof(r.memory));
	r.output = stream_get_u8(in);
	r.full = stream_get_u64(in);
	r.aux = stream_get_u64(in);
	r.port = stream_get_u8(in);
	r.parameter = stream_get_u8(in);
	r.last_command = stream_get_u64(in);
	if (!keyboard_load(&r.keyboard, in) || in->error)
		return -EINVAL;
	k->r = r;
	k->level[0] = !interrupts(&r, false);
	k->level[1] = !interrupts(&r, true);
	update_irq(k);
	return 0;
}

size_t i8042_keys(struct device *device, const uint8_t *codes, size_t size)
{
	struct i8042 *k = i8042_of(device);
	size_t taken = keyboard_press(&k->r.keyboard, codes, size);

	offer_key(k);
	return taken;
}

static void data_io(void *device, struct bus_access *access)
{
	if (access->write)
		write_data(device, (uint8_t)access->value);
	else
		access->value = read_data(device);
}

static void command_io(void *device, struct bus_access *access)
{
	struct i8042 *k = device;

	if (access->write)
		write_command(k, (uint8_t)access->value);
	else
		access->value = read_status(&k->r);
}

static void i8042_destroy(struct device *device)
{
	free(device);
}

int i8042_init(const struct device_host *host, struct device **device, struct error *err)
{
	struct i8042 *k = calloc(1, sizeof(*k));
	struct device_region regions[2];

	if (!k)
		return error_set(err, -ENOMEM, "out of memory");
	k->device = (struct device){.name = "i8042",
				    .reset = i8042_reset,
				    .save = i8042_save,
				    .load = i8042_load,
				    .destroy = i8042_destroy};
	k->host = host;
	k->data_region = (struct bus_region){.name = "i8042 data",
					     .base = 0x60,
					     .size = 1,
					     .max_size = 1,
					     .io = data_io,
					     .device = k};
	k->command_region = (struct bus_region){.name = "i8042 command",
						.base = 0x64,
						.size = 1,
						.max_size = 1,
						.io = command_io,
						.device = k};
	regions[0] = (struct device_region){host->ports, &k->data_region};
	regions[1] = (struct device_region){host->ports, &k->command_region};
	return device_attach(&k->device, regions, 2, device, err);
}
