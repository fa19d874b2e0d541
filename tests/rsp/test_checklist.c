// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tests/rsp/checklist against the stub: every packet, document and feature that the stub has is in the list and the other
 * way round; every row names tests that exist; and every packet is sent well-formed, empty, truncated, oversized and as
 * nonsense. Whatever is sent, there is one reply or a silence that the list knows of, nothing resumes or ends
 * the guest that does not say so, and the session goes on.
 */
#include "peer.h"

#include "gdbstub/stub.h"
#include "rows.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONSENSE_ROUNDS 100
#define NONSENSE_MAX	40

static struct rows list;
static char source[200];

static const char *path_of(const char *file)
{
	const char *top = getenv("SOURCE");

	snprintf(source, sizeof(source), "%s/tests/rsp/%s", top ? top : ".", file);
	return source;
}

static int read_list(void **state)
{
	(void)state;
	return rows_read(path_of("checklist"), &list) == 0 && list.count ? 0 : -1;
}

static bool is(const struct row *row, const char *answer)
{
	return !strcmp(row->answer, answer);
}

/* ---- the list and the tables ------------------------------------------------------------ */

static const struct gdb_command *command_of(const struct packet_bytes *packet)
{
	struct request request = {packet->bytes, packet->bytes + packet->size};

	return command_find(&request);
}

/* Whether what is announced, or a name in a table, has no row; says so. */
static bool lacks(bool found, const char *what, const char *name)
{
	if (!found)
		print_error("the stub has the %s \"%s\", and tests/rsp/checklist no row for it\n",
			    what, name);
	return !found;
}

static bool has_row_for(const struct gdb_command *command)
{
	for (unsigned i = 0; i < list.count; i++) {
		if (list.row[i].steps && command_of(row_packet(&list.row[i])) == command)
			return true;
	}
	return false;
}

static bool has_row(const char *name, bool feature)
{
	for (unsigned i = 0; i < list.count; i++) {
		if (!strcmp(list.row[i].name, name))
			return is(&list.row[i], "feature") == feature && !is(&list.row[i], "empty");
	}
	return false;
}

static void every_packet_of_the_stub_is_in_the_list(void **state)
{
	unsigned missing = 0;
	char name[80];

	(void)state;
	for (unsigned i = 0; command_at(i); i++)
		missing += lacks(has_row_for(command_at(i)), "packet", command_at(i)->name);
	for (unsigned i = 0; document_at(i); i++) {
		snprintf(name, sizeof(name), "qXfer:%s:read", document_at(i));
		missing += lacks(has_row(name, false), "document", name);
	}
	assert_int_equal(missing, 0);
}

/* A row that says so is answered empty; any other finds its command. */
static void every_packet_of_the_list_is_in_the_stub(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (unsigned i = 0; i < list.count; i++) {
		const struct row *row = &list.row[i];

		if (!row->steps || is(row, "empty") || command_of(row_packet(row)))
			continue;
		print_error("tests/rsp/checklist has \"%s\", and the stub does not\n", row->name);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* ---- qSupported ------------------------------------------------------------------------- */

/* Everything that gdb 13 and later ones offer and that an answer may depend on. */
static const char offer[] = "qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;"
			    "vfork-events+;exec-events+;vContSupported+;QThreadEvents+;no-resumed+;"
			    "memory-tagging+;error-message+;binary-upload+;xmlRegisters=i386";

static void every_feature_is_in_the_list_and_announced(void **state)
{
	struct peer *peer = peer_new(1);
	unsigned wrong = 0, announced = 0, listed = 0;
	char answer[2048], *word;

	(void)state;
	peer_send(peer, offer);
	snprintf(answer, sizeof(answer), "%s", peer_take(peer, NULL) + 1);
	answer[strcspn(answer, "#")] = '\0';
	for (word = strtok(answer, ";"); word; word = strtok(NULL, ";")) {
		word[strcspn(word, "=")] = '\0';
		wrong += lacks(has_row(word, true), "feature", word);
		announced++;
	}
	for (unsigned i = 0; i < list.count; i++)
		listed += is(&list.row[i], "feature");
	assert_int_equal(wrong, 0);
	assert_int_equal(announced, listed);
	peer_free(peer);
}

/* ---- the tests that are named ----------------------------------------------------------- */

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text;
	size_t n;

	if (!file)
		return NULL;
	text = malloc(1 << 20);
	assert_non_null(text);
	n = fread(text, 1, (1 << 20) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

/* A function of this name, which the program's table of tests has, too. */
static bool has_test(const char *text, const char *name)
{
	char head[160], entry[160];

	snprintf(head, sizeof(head), "static void %s(void **state)", name);
	snprintf(entry, sizeof(entry), "(%s)", name);
	return strstr(text, head) && strstr(text, entry);
}

static bool test_exists(char *test)
{
	char *name = strchr(test, ':');
	char *text;
	bool found;

	if (!name)
		return false;
	*name++ = '\0';
	text = read_file(path_of(test));
	found = text && has_test(text, name);
	free(text);
	return found;
}

static unsigned missing_tests(const struct row *row)
{
	char tests[sizeof(row->tests)], *test, *rest = tests;
	unsigned missing = 0;

	strcpy(tests, row->tests);
	while ((test = strtok_r(rest, ",", &rest))) {
		char whole[sizeof(tests)];

		strcpy(whole, test);
		if (test_exists(test))
			continue;
		print_error("%s: there is no test %s\n", row->name, whole);
		missing++;
	}
	return missing;
}

static void every_row_names_tests_that_exist(void **state)
{
	unsigned missing = 0, unsupported = 0;

	(void)state;
	for (unsigned i = 0; i < list.count; i++) {
		const struct row *row = &list.row[i];

		unsupported += is(row, "empty");
		if (strcmp(row->tests, "-") != 0)
			missing += missing_tests(row);
		else if (!is(row, "empty"))
			fail_msg("%s: no test of its own", row->name);
	}
	assert_int_equal(missing, 0);
	print_message("# checklist: %u rows, %u of them answered \"not supported\"\n", list.count,
		      unsupported);
}

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
		cmocka_unit_test(every_packet_of_the_stub_is_in_the_list),
		cmocka_unit_test(every_packet_of_the_list_is_in_the_stub),
		cmocka_unit_test(every_feature_is_in_the_list_and_announced),
		cmocka_unit_test(every_row_names_tests_that_exist),
		cmocka_unit_test(every_packet_in_every_form),
	};

	return cmocka_run_group_tests(tests, read_list, NULL);
}
