/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The other end of the line: sends packets to a session and compares, byte by byte, what comes
 * back. */
#ifndef TESTS_RSP_PEER_H
#define TESTS_RSP_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_debug.h"
#include "gdbstub/session.h"

/* What a peer may read with vFile. */
#define PEER_FILES	 2
#define PEER_KERNEL_SIZE 300000
/* The first is an ELF file, with code from here on, which is linked there. */
#define PEER_CODE	 0x1000
#define PEER_CODE_SIZE	 0x4000
#define PEER_CODE_LINKED 0xffffffff80200000ull
#define PEER_CODE_LOADED 0x30000
extern const struct gdb_file peer_files[PEER_FILES];

struct peer {
	struct debug *debug;
	struct gdb_session *session;
	char *out; /* what the session has said since it was last looked at */
	size_t out_size;
	unsigned closed; /* times that the session asked to be closed */
	bool detached;
	char monitor_line[256]; /* the last one */
	const char *monitor_answer;
	void (*monitor_action)(struct peer *peer);
};

/* With acknowledgments switched off; connected to a machine that stands still. */
struct peer *peer_new(unsigned vcpus);
/* As a new connection finds it: nothing said yet, acknowledgments on. */
struct peer *peer_new_raw(unsigned vcpus);
struct peer *peer_new_on(struct debug *debug); /* of fake_new(); the peer frees it */
/* With this for -gdb-arch, and for the guest's files. */
struct peer *peer_new_with(struct debug *debug, enum gdb_arch arch, const struct gdb_file *files,
			   unsigned file_count);
void peer_free(struct peer *peer);

void peer_send_raw(struct peer *peer, const void *bytes, size_t size);
/* Frames and sends; the two may hold any bytes. */
void peer_send_bytes(struct peer *peer, const void *body, size_t size);
void peer_send(struct peer *peer, const char *body);

/* What the session said, terminated; valid until the next call. Forgets it. */
const char *peer_take(struct peer *peer, size_t *size);

/* The answer's body. Valid until the next call. */
const char *peer_answer(struct peer *peer, const char *request);
/* A document that qXfer reads ("features:read:target.xml"), in pieces of this size; to be freed. */
char *peer_document(struct peer *peer, const char *object, unsigned piece);
/* How often word is in there. */
unsigned text_count(const char *document, const char *word);

/* The session has said exactly these bytes. */
void expect_raw(struct peer *peer, const char *bytes);
/* The session has said exactly one packet with this body; "": the empty reply. */
void expect_packet(struct peer *peer, const char *body);
void expect_silence(struct peer *peer);
/* Sends, and expects one packet. */
void ask(struct peer *peer, const char *body, const char *reply);
/* Sends, and expects an error reply, whichever. */
void ask_error(struct peer *peer, const char *body);

/* Bodies made of pieces: expect_packet(p, text("T05thread:%x;", 1)). Good until 8 calls later. */
const char *text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Hex digits of a string. Good until 8 calls later. */
const char *hex_of(const char *string);

/* `10:…;07:…;06:…;11:…;` as a stop reply has them for this vCPU. */
const char *expedited(struct peer *peer, unsigned vcpu);
/* A number as registers travel: least significant byte first. */
const char *hex_number(uint64_t value, unsigned bytes);
int setup_peer(void **state);	  /* one vCPU */
int setup_peer_smp(void **state); /* four */
int teardown_peer(void **state);
/* Resumes with this packet; the plan for each vCPU: - hold, c run, s step, r range. */
void expect_plan(struct peer *peer, const char *body, const char *plan);

#endif
