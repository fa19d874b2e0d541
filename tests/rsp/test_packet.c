// SPDX-License-Identifier: GPL-3.0-or-later
/* Framing, without a session. */
#include "peer.h"

#include "gdbstub/packet.h"
#include "gdbstub/reply.h"

#include <stdlib.h>
#include <string.h>

static struct packet_reader reader;

static int setup(void **state)
{
	(void)state;
	packet_reader_init(&reader);
	return 0;
}

/* Feeds all bytes; every one but the last completes nothing. */
static enum packet_event feed(const char *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i++)
		assert_int_equal(packet_read(&reader, (uint8_t)bytes[i]), PACKET_MORE);
	return packet_read(&reader, (uint8_t)bytes[size - 1]);
}

static enum packet_event feed_text(const char *text)
{
	return feed(text, strlen(text));
}

static void a_packet(void **state)
{
	(void)state;
	assert_int_equal(feed_text("$qC#b4"), PACKET_WHOLE);
	assert_int_equal(reader.size, 2);
	assert_string_equal(reader.body, "qC");
}

static void the_empty_packet(void **state)
{
	(void)state;
	assert_int_equal(feed_text("$#00"), PACKET_WHOLE);
	assert_int_equal(reader.size, 0);
}

static void capital_digits_in_the_checksum(void **state)
{
	(void)state;
	assert_int_equal(feed_text("$m0,a#2A"), PACKET_WHOLE);
	assert_int_equal(feed_text("$qC#B4"), PACKET_WHOLE);
}

static void a_wrong_checksum(void **state)
{
	(void)state;
	assert_int_equal(feed_text("$qC#b5"), PACKET_DAMAGED);
	assert_int_equal(feed_text("$qC#b4"), PACKET_WHOLE);
}

static void a_checksum_that_is_none(void **state)
{
	(void)state;
	assert_int_equal(feed_text("$qC#zz"), PACKET_DAMAGED);
	assert_int_equal(feed_text("$qC#b\n"), PACKET_DAMAGED);
	assert_int_equal(feed_text("$qC#-4"), PACKET_DAMAGED);
}

static void signs_between_packets(void **state)
{
	(void)state;
	assert_int_equal(feed_text("+"), PACKET_ACK);
	assert_int_equal(feed_text("-"), PACKET_NAK);
	assert_int_equal(feed_text("\x03"), PACKET_INTERRUPT);
	assert_int_equal(feed_text("\n\r noise#00"), PACKET_MORE);
	assert_int_equal(feed_text("$qC#b4"), PACKET_WHOLE);
}

static void signs_inside_a_packet_are_data(void **state)
{
	static const char body[] = "$+-\x03#5b";

	(void)state;
	assert_int_equal(feed(body, sizeof(body) - 1), PACKET_WHOLE);
	assert_memory_equal(reader.body, "+-\x03", 3);
}

static void escapes_are_undone(void **state)
{
	(void)state;
	/* } ] is }, } 0x03 is #, } 0x04 is $, } 0x0a is *; the sum is of what was sent. */
	assert_int_equal(feed_text("$X}]}\x03}\x04}\x0a#ba"), PACKET_WHOLE);
	assert_int_equal(reader.size, 5);
	assert_memory_equal(reader.body, "X}#$*", 5);
}

static void an_escape_without_its_byte(void **state)
{
	(void)state;
	assert_int_equal(feed_text("$X}#d5"), PACKET_DAMAGED);
	assert_int_equal(reader.size, 1);
	assert_int_equal(feed_text("$X}$qC#b4"), PACKET_WHOLE);
	assert_string_equal(reader.body, "qC");
}

static void zero_bytes(void **state)
{
	(void)state;
	assert_int_equal(feed("$a\0b#c3", 7), PACKET_WHOLE);
	assert_int_equal(reader.size, 3);
	assert_memory_equal(reader.body, "a\0b", 3);
}

static void a_dollar_begins_anew(void **state)
{
	(void)state;
	assert_int_equal(feed_text("$qRcmd,6$qC#b4"), PACKET_WHOLE);
	assert_string_equal(reader.body, "qC");
	assert_int_equal(feed_text("$qC#$qC#b4"), PACKET_WHOLE);
	assert_int_equal(feed_text("$qC#b$qC#b4"), PACKET_WHOLE);
}

static enum packet_event feed_long(size_t size)
{
	uint8_t sum = (uint8_t)('a' * size);
	char tail[3] = {'#', hex_digits[sum >> 4], hex_digits[sum & 15]};

	assert_int_equal(packet_read(&reader, '$'), PACKET_MORE);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(packet_read(&reader, 'a'), PACKET_MORE);
	return feed(tail, 3);
}

static void the_longest_packet(void **state)
{
	(void)state;
	assert_true(PACKET_MAX >= 0x20000);
	assert_int_equal(feed_long(PACKET_MAX), PACKET_WHOLE);
	assert_int_equal(reader.size, PACKET_MAX);
	assert_int_equal(reader.body[PACKET_MAX - 1], 'a');
}

static void a_packet_that_is_too_long(void **state)
{
	(void)state;
	assert_int_equal(feed_long(PACKET_MAX + 1), PACKET_TOO_LONG);
	assert_int_equal(feed_long(10 * PACKET_MAX), PACKET_TOO_LONG);
	assert_int_equal(feed_text("$qC#b4"), PACKET_WHOLE);
	assert_int_equal(reader.size, 2);
}

/* ---- the other direction ------------------------------------------------------------------- */

static struct reply reply;

static void expect_reply(const char *packet)
{
	size_t size = reply_finish(&reply);

	assert_int_equal(size, strlen(packet));
	assert_memory_equal(reply.bytes, packet, size);
	assert_false(reply.overflow);
}

static void replies(void **state)
{
	(void)state;
	reply_start(&reply);
	assert_true(reply_empty(&reply));
	expect_reply("$#00");
	reply_start(&reply);
	reply_text(&reply, "OK");
	expect_reply("$OK#9a");
	reply_start(&reply);
	reply_format(&reply, "E%02x", 22);
	expect_reply("$E16#ac");
	reply_start(&reply);
	reply_hex(&reply, "\x00\x7f\xff", 3);
	expect_reply("$007fff#c9");
}

static void binary_is_escaped(void **state)
{
	(void)state;
	reply_start(&reply);
	assert_int_equal(reply_binary(&reply, "a#$}*\0b", 7), 7);
	assert_memory_equal(reply.bytes, "$a}\x03}\x04}]}\x0a\0b", 12);
	assert_int_equal(reply.size, 12);
}

static void binary_stops_where_it_no_longer_fits(void **state)
{
	char *bytes = malloc(PACKET_MAX + 10);

	(void)state;
	memset(bytes, '#', PACKET_MAX + 10);
	reply_start(&reply);
	reply_text(&reply, "m");
	assert_int_equal(reply_binary(&reply, bytes, PACKET_MAX + 10), (PACKET_MAX - 1) / 2);
	assert_false(reply.overflow);
	free(bytes);
}

static void sentences_hold_no_special_bytes(void **state)
{
	(void)state;
	reply_start(&reply);
	reply_sentence(&reply, "a$b#c}d*e\nf");
	assert_int_equal(reply.size, 12);
	assert_memory_equal(reply.bytes, "$a.b.c.d.e.f", 12);
}

static void what_does_not_fit_is_noticed(void **state)
{
	char *bytes = calloc(1, PACKET_MAX);

	(void)state;
	reply_start(&reply);
	reply_hex(&reply, bytes, PACKET_MAX / 2);
	assert_false(reply.overflow);
	assert_int_equal(reply_room(&reply), 0);
	reply_text(&reply, "a");
	assert_true(reply.overflow);
	reply_start(&reply);
	reply_hex(&reply, bytes, PACKET_MAX / 2 + 1);
	assert_true(reply.overflow);
	assert_true(reply_empty(&reply));
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_packet, setup),
		cmocka_unit_test_setup(the_empty_packet, setup),
		cmocka_unit_test_setup(capital_digits_in_the_checksum, setup),
		cmocka_unit_test_setup(a_wrong_checksum, setup),
		cmocka_unit_test_setup(a_checksum_that_is_none, setup),
		cmocka_unit_test_setup(signs_between_packets, setup),
		cmocka_unit_test_setup(signs_inside_a_packet_are_data, setup),
		cmocka_unit_test_setup(escapes_are_undone, setup),
		cmocka_unit_test_setup(an_escape_without_its_byte, setup),
		cmocka_unit_test_setup(zero_bytes, setup),
		cmocka_unit_test_setup(a_dollar_begins_anew, setup),
		cmocka_unit_test_setup(the_longest_packet, setup),
		cmocka_unit_test_setup(a_packet_that_is_too_long, setup),
		cmocka_unit_test(replies),
		cmocka_unit_test(binary_is_escaped),
		cmocka_unit_test(binary_stops_where_it_no_longer_fits),
		cmocka_unit_test(sentences_hold_no_special_bytes),
		cmocka_unit_test(what_does_not_fit_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
