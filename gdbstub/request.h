/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The arguments of a packet, taken off from left to right. Every take_ function returns false, and
 * leaves what it was to fill undefined, when the bytes are not what it wants; a handler answers
 * that with an error and has done nothing yet.
 */
#ifndef GDBSTUB_REQUEST_H
#define GDBSTUB_REQUEST_H

#include "gdbstub/packet.h"

struct request {
	const char *at, *end;
};

/* gdb's thread ids are a vCPU's index plus one; 0 is "any" and -1 is "all". */
enum thread_kind { THREAD_ALL, THREAD_ANY, THREAD_ONE };
struct thread_id {
	enum thread_kind kind;
	unsigned vcpu; /* THREAD_ONE */
};

bool take_end(const struct request *request); /* nothing is left */
bool take_char(struct request *request, char c);
bool take_hex(struct request *request, uint64_t *value); /* 1 to 16 digits */
bool take_byte(struct request *request, uint8_t *value); /* two digits */

/* `addr,length`; the range does not wrap around the end of the address space. */
bool take_range(struct request *request, uint64_t *addr, uint64_t *length);

/* `-1`, `0`, `TID`, and with gdb's multiprocess extension `pPID.TID`, `pPID`, `p-1` and so on; the
 * process does not matter, there is one. -EINVAL is the caller's to say for a vCPU that is not
 * there. */
bool take_thread(struct request *request, struct thread_id *id);

/* Hex digits up to the end, two a byte: exactly size bytes of them. */
bool take_hex_bytes(struct request *request, void *data, size_t size);

/* Bytes up to and without stop, which is taken too; a pointer into the packet, not terminated. */
bool take_word(struct request *request, char stop, const char **word, size_t *size);

/* Whether a word is this text. */
bool word_is(const char *word, size_t size, const char *text);

size_t request_left(const struct request *request);

#endif
