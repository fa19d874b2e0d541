/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Framing of gdb's remote protocol (gdb manual, "Overview" of appendix E): bytes become packets,
 * one byte at a time, in bounded memory, whatever the peer sends.
 */
#ifndef GDBSTUB_PACKET_H
#define GDBSTUB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest packet either side sends, in bytes between `$` and `#`. Announced as PacketSize. */
#define PACKET_MAX 0x20000

enum packet_event {
	PACKET_MORE,	  /* nothing to do yet */
	PACKET_WHOLE,	  /* body holds size bytes, unescaped */
	PACKET_DAMAGED,	  /* the checksum is wrong, or the last byte is an escape for nothing */
	PACKET_TOO_LONG,  /* intact as far as one can tell, but longer than PACKET_MAX */
	PACKET_INTERRUPT, /* 0x03 between packets */
	PACKET_ACK,
	PACKET_NAK,
};

struct packet_reader {
	enum { READ_OUTSIDE, READ_BODY, READ_ESCAPED, READ_SUM_HIGH, READ_SUM_LOW } state;
	uint8_t sum;   /* of the bytes as they came, escapes included */
	int claimed;   /* what the two digits behind `#` say; -1 when they are not hex */
	bool too_long; /* bytes are counted no longer, only summed up */
	bool cut_off;  /* behind an escape */
	size_t size;
	char body[PACKET_MAX + 1]; /* a NUL follows the last byte */
};

void packet_reader_init(struct packet_reader *reader);

/* Takes one byte and says what it completed. A `$` inside a packet begins anew: a peer that was cut
 * off in the middle is understood again at its next packet. */
enum packet_event packet_read(struct packet_reader *reader, uint8_t byte);

/* Hex digits. -1 for anything else. */
int hex_value(char digit);
extern const char hex_digits[16];

#endif
