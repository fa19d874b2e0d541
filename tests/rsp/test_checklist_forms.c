// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Every packet of the checklist in all its forms: well-formed, empty, truncated, oversized and as nonsense. Whatever is
 * sent, there is one reply or a silence that the list knows of, nothing resumes or ends the guest that does not say so,
 * and the session goes on.
 */
#include "checklist_rig.h"
#include "peer.h"

#include "gdbstub/stub.h"
#include "rows.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONSENSE_ROUNDS 100
#define NONSENSE_MAX	40

/* ---- what comes back -------------------------------------------------------------------- */

/* What is being sent, for a test that fails. */
static struct {
	const struct row *row;
	const char *form, *body;
	size_t size;
} now;

#define claim(condition, ...)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			complain(__VA_ARGS__);                                                     \
	} while (0)

static void __attribute__((format(printf, 1, 2), noreturn)) complain(const char *fmt, ...)
{
	char what[200], shown[400] = "";
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	for (size_t i = 0; i < now.size && i < 90; i++) {
		char c = now.body[i];

		sprintf(shown + strlen(shown), isprint((unsigned char)c) ? "%c" : "\\x%02x",
			(uint8_t)c);
	}
	fail_msg("%s, %s, %zu bytes `%s`: %s", now.row->name, now.form, now.size, shown, what);
	abort();
}

/* The packets in out, each of them intact, without those that print; the last one's body. */
static unsigned count_replies(const char *out, size_t size, const char **last)
{
	unsigned count = 0;
	const char *end;

	for (const char *at = out; at < out + size; at = end + 3) {
		uint8_t sum = 0;

		claim(*at == '$', "byte %#x where a packet should begin", (uint8_t)*at);
		end = memchr(at, '#', (size_t)(out + size - at));
		claim(end && end + 3 <= out + size, "a packet without an end");
		for (const char *c = at + 1; c < end; c++)
			sum += (uint8_t)*c;
		claim(hex_value(end[1]) == sum >> 4 && hex_value(end[2]) == (sum & 15),
		      "a wrong checksum");
		if (at[1] == 'O' && at[2] != 'K')
			continue;
		*last = at + 1;
		count++;
	}
	return count;
}

static bool begins(const char *body, size_t size, const char *text)
{
	return size >= strlen(text) && !memcmp(body, text, strlen(text));
}

/* Packets that go on, or let the guest go. */
static bool may_resume(const char *body, size_t size)
{
	return (size && strchr("cCsSD", body[0])) || begins(body, size, "vCont;");
}

static bool may_kill(const char *body, size_t size)
{
	return (size == 1 && body[0] == 'k') || begins(body, size, "vKill");
}

static bool is_unanswered(const struct peer *peer, const char *body, size_t size)
{
	return peer->session->waiting || peer->debug->kills || begins(body, size, "R");
}

/* Sends, and returns the one reply's body or, where none may come, "". */
static const char *send_and_judge(struct peer *peer, const char *body, size_t size)
{
	const char *out, *reply = "";
	size_t out_size;
	unsigned replies;

	now.body = body;
	now.size = size;
	peer_send_bytes(peer, body, size);
	out = peer_take(peer, &out_size);
	replies = count_replies(out, out_size, &reply);
	claim(!peer->debug->running || may_resume(body, size), "the guest was resumed");
	claim(!peer->debug->kills || may_kill(body, size), "the guest was ended");
	claim(!peer->closed || may_kill(body, size) || body[0] == 'D', "the session was ended");
	claim(replies == 1 || (replies == 0 && is_unanswered(peer, body, size)), "%u replies",
	      replies);
	claim(replies == 0 || !peer->session->waiting, "a reply, and another one is owed");
	return reply;
}

/* The session is there, in step, and the guest stands still again. */
static struct peer *must_go_on(struct peer *peer)
{
	const char *out, *reply = "";
	size_t size;

	if (peer->closed || peer->debug->kills) {
		peer_free(peer);
		return peer_new(2);
	}
	if (peer->debug->running && peer->session->waiting) {
		fake_stop(peer->debug, &(struct stop){.reason = STOP_STEP}, OWNER_NONE);
		peer_take(peer, &size);
		claim(size && !peer->session->waiting, "no reply to the stop");
	}
	peer->debug->running = false;
	peer_send(peer, "vMustReplyEmpty");
	claim(!strcmp(peer_take(peer, NULL), "$#00"), "vMustReplyEmpty has another answer then");
	peer_send(peer, "qC");
	out = peer_take(peer, &size);
	claim(count_replies(out, size, &reply) == 1 && begins(reply, strlen(reply), "QC"),
	      "qC has no answer then");
	return peer;
}

static struct peer *send_form(struct peer *peer, const char *form, const char *body, size_t size)
{
	now.form = form;
	send_and_judge(peer, body, size);
	return must_go_on(peer);
}

/* ---- the forms -------------------------------------------------------------------------- */

static bool is_hex_reply(const char *reply)
{
	size_t digits = strspn(reply, "0123456789abcdefx");

	return digits && digits % 2 == 0 && reply[digits] == '#';
}

static bool fits(const struct peer *peer, const struct row *row, const char *reply)
{
	if (row->answer[0] == '=')
		return !strncmp(reply, row->answer + 1, strlen(row->answer) - 1);
	if (is(row, "resumes"))
		return peer->session->waiting && peer->debug->running;
	if (is(row, "silence"))
		return !*reply && !peer->closed && !peer->session->waiting;
	if (is(row, "ends"))
		return !*reply && peer->session->ended;
	return (is(row, "OK") && begins(reply, strlen(reply), "OK#")) ||
	       (is(row, "empty") && *reply == '#') || (is(row, "stop") && *reply == 'T') ||
	       (is(row, "hex") && is_hex_reply(reply)) ||
	       (is(row, "error") && *reply == 'E' && reply[3] == '#');
}

static struct peer *well_formed(struct peer *peer, const struct row *row)
{
	const char *reply = "";

	now.form = "well-formed";
	for (unsigned i = 0; i < row->steps; i++)
		reply = send_and_judge(peer, row->step[i].bytes, row->step[i].size);
	claim(fits(peer, row, reply), "answered \"%.60s\", which is not %s", reply, row->answer);
	return must_go_on(peer);
}

static struct peer *cut_short(struct peer *peer, const struct row *row)
{
	const struct packet_bytes *packet = row_packet(row);

	peer = send_form(peer, "empty", row->name, strlen(row->name));
	for (size_t size = 0; size < packet->size; size++)
		peer = send_form(peer, "truncated", packet->bytes, size);
	return peer;
}

/* Each run of hex digits becomes a number that does not fit into 64 bits. */
static struct peer *long_numbers(struct peer *peer, const struct packet_bytes *packet)
{
	char body[sizeof(packet->bytes) + 100];

	for (size_t at = 0; at < packet->size; at++) {
		if (hex_value(packet->bytes[at]) < 0 ||
		    (at && hex_value(packet->bytes[at - 1]) >= 0))
			continue;
		memcpy(body, packet->bytes, at);
		memset(body + at, 'f', 100);
		memcpy(body + at + 100, packet->bytes + at, packet->size - at);
		peer = send_form(peer, "a long number", body, packet->size + 100);
	}
	return peer;
}

/* As long as a packet may be, and longer. */
static struct peer *oversized(struct peer *peer, const struct row *row)
{
	const struct packet_bytes *packet = row_packet(row);
	char *body = malloc(PACKET_MAX + 1);

	assert_non_null(body);
	for (const char *fill = "0;:,x\xff"; *fill; fill++) {
		memset(body, *fill, PACKET_MAX + 1);
		memcpy(body, packet->bytes, packet->size);
		peer = send_form(peer, "one byte more", body, packet->size + 1);
		peer = send_form(peer, "as long as can be", body, PACKET_MAX);
		peer = send_form(peer, "too long", body, PACKET_MAX + 1);
	}
	free(body);
	return long_numbers(peer, packet);
}

static uint64_t seed = 0x9e3779b97f4a7c15;

static unsigned below(unsigned limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % limit;
}

/* Neither `$` nor `#`, which would make another packet of it. */
static char odd_byte(void)
{
	static const char odd[] = "\0\x01\x03\x7f\xff-1:;,.=+*}xgp0f ?";

	return odd[below(sizeof(odd) - 1)];
}

static struct peer *nonsense(struct peer *peer, const struct row *row)
{
	const struct packet_bytes *packet = row_packet(row);
	size_t name = strlen(row->name);
	char body[sizeof(packet->bytes) + NONSENSE_MAX];

	for (size_t at = 0; at < packet->size; at++) {
		memcpy(body, packet->bytes, packet->size);
		do
			body[at] = odd_byte();
		while (at == 0 && body[at] == '}'); /* `}C` is a c */
		peer = send_form(peer, "one byte changed", body, packet->size);
	}
	for (unsigned i = 0; i < NONSENSE_ROUNDS; i++) {
		size_t more = below(NONSENSE_MAX);

		memcpy(body, row->name, name);
		for (size_t at = name; at < name + more; at++)
			body[at] = odd_byte();
		peer = send_form(peer, "nonsense", body, name + more);
	}
	return peer;
}

static void every_packet_in_every_form(void **state)
{
	(void)state;
	for (unsigned i = 0; i < list.count; i++) {
		const struct row *row = &list.row[i];
		struct peer *peer;

		if (!row->steps)
			continue;
		now.row = row;
		peer = well_formed(peer_new(2), row);
		peer = cut_short(peer, row);
		peer = oversized(peer, row);
		peer = nonsense(peer, row);
		/* What came before has not spoilt it. */
		peer_free(peer);
		peer_free(well_formed(peer_new(2), row));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_in_every_form),
	};

	return cmocka_run_group_tests(tests, read_list, NULL);
}
