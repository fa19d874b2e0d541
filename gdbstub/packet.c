// SPDX-License-Identifier: GPL-3.0-or-later
#include "gdbstub/packet.h"

const char hex_digits[16] = "0123456789abcdef";

int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

void packet_reader_init(struct packet_reader *reader)
{
	reader->state = READ_OUTSIDE;
	reader->size = 0;
	reader->body[0] = '\0';
}

static enum packet_event begin(struct packet_reader *reader)
{
	reader->state = READ_BODY;
	reader->sum = 0;
	reader->size = 0;
	reader->too_long = reader->cut_off = false;
	return PACKET_MORE;
}

static void store(struct packet_reader *reader, uint8_t byte)
{
	if (reader->size < PACKET_MAX)
		reader->body[reader->size++] = (char)byte;
	else
		reader->too_long = true;
}

static enum packet_event read_outside(struct packet_reader *reader, uint8_t byte)
{
	switch (byte) {
	case '$': return begin(reader);
	case '+': return PACKET_ACK;
	case '-': return PACKET_NAK;
	case 0x03: return PACKET_INTERRUPT;
	}
	return PACKET_MORE;
}

static enum packet_event read_body(struct packet_reader *reader, uint8_t byte)
{
	if (byte == '$')
		return begin(reader);
	if (byte == '#') {
		reader->state = READ_SUM_HIGH;
		return PACKET_MORE;
	}
	reader->sum += byte;
	if (byte == '}')
		reader->state = READ_ESCAPED;
	else
		store(reader, byte);
	return PACKET_MORE;
}

/* `$` and `#` are never what an escape stands before: they end the packet here too, and what it was to say
 * nobody knows. */
static enum packet_event read_escaped(struct packet_reader *reader, uint8_t byte)
{
	reader->state = READ_BODY;
	if (byte == '$' || byte == '#') {
		reader->cut_off = true;
		return read_body(reader, byte);
	}
	reader->sum += byte;
	store(reader, byte ^ 0x20);
	return PACKET_MORE;
}

static enum packet_event read_sum_high(struct packet_reader *reader, uint8_t byte)
{
	if (byte == '$')
		return begin(reader);
	reader->claimed = hex_value((char)byte);
	reader->state = READ_SUM_LOW;
	return PACKET_MORE;
}

static enum packet_event read_sum_low(struct packet_reader *reader, uint8_t byte)
{
	int low = hex_value((char)byte);

	if (byte == '$')
		return begin(reader);
	reader->state = READ_OUTSIDE;
	reader->body[reader->size] = '\0';
	if (low < 0 || reader->claimed < 0 || (reader->claimed << 4 | low) != reader->sum ||
	    reader->cut_off)
		return PACKET_DAMAGED;
	return reader->too_long ? PACKET_TOO_LONG : PACKET_WHOLE;
}

enum packet_event packet_read(struct packet_reader *reader, uint8_t byte)
{
	switch (reader->state) {
	case READ_OUTSIDE: return read_outside(reader, byte);
	case READ_BODY: return read_body(reader, byte);
	case READ_ESCAPED: return read_escaped(reader, byte);
	case READ_SUM_HIGH: return read_sum_high(reader, byte);
	case READ_SUM_LOW: return read_sum_low(reader, byte);
	}
	return PACKET_MORE;
}
