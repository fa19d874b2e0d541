/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A packet for gdb in the making: bounded, framed at the end. */
#ifndef GDBSTUB_REPLY_H
#define GDBSTUB_REPLY_H

#include "gdbstub/packet.h"

struct reply {
	size_t size;   /* bytes so far, the `$` included */
	bool overflow; /* something did not fit and is not there */
	char bytes[1 + PACKET_MAX + 3];
};

void reply_start(struct reply *reply);
/* Bytes that still fit between `$` and `#`. */
size_t reply_room(const struct reply *reply);
bool reply_empty(const struct reply *reply);

/* text and format are vitrine's own and hold no `$`, `#`, `}` or `*`. */
void reply_text(struct reply *reply, const char *text);
void reply_format(struct reply *reply, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Two digits a byte, in memory order. */
void reply_hex(struct reply *reply, const void *data, size_t size);

/* Bytes as they are, escaped where the protocol wants it; as many as fit, and returns how many. */
size_t reply_binary(struct reply *reply, const void *data, size_t size);

/* A sentence for gdb to print: what would need an escape becomes `.`, since gdb undoes none there.
 */
void reply_sentence(struct reply *reply, const char *text);

/* Appends `#` and the checksum: bytes[0] to bytes[result - 1] are ready to go. */
size_t reply_finish(struct reply *reply);

#endif
