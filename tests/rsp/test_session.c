// SPDX-License-Identifier: GPL-3.0-or-later
/* Coming, going, acknowledging, and `monitor`. */
#include "peer.h"

#include "gdbstub/packet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- acknowledgments ----------------------------------------------------------------------- */

static int setup_raw(void **state)
{
	*state = peer_new_raw(1);
	return 0;
}

static void every_packet_is_acknowledged(void **state)
{
	struct peer *peer = *state;

	peer_send_raw(peer, "$qC#b4", 6);
	expect_raw(peer, "+$QC1#c5");
	peer_send_raw(peer, "+$vMustReplyEmpty#3a", 20);
	expect_raw(peer, "+$#00");
}

static void a_plus_on_connect_is_swallowed(void **state)
{
	struct peer *peer = *state;

	peer_send_raw(peer, "+", 1);
	expect_silence(peer);
	peer_send_raw(peer, "+++$qC#b4+", 10);
	expect_raw(peer, "+$QC1#c5");
}

static void a_damaged_packet_is_not_obeyed(void **state)
{
	struct peer *peer = *state;

	peer_send_raw(peer, "$vCont;c#a9", 11);
	expect_raw(peer, "-");
	assert_int_equal(peer->debug->resumes, 0);
	peer_send_raw(peer, "$qC#b4", 6);
	expect_raw(peer, "+$QC1#c5");
}

static void a_nak_brings_the_reply_again(void **state)
{
	struct peer *peer = *state;

	peer_send_raw(peer, "-", 1);
	expect_silence(peer);
	peer_send_raw(peer, "$qC#b4-", 7);
	expect_raw(peer, "+$QC1#c5$QC1#c5");
	for (int i = 0; i < 100; i++)
		peer_send_raw(peer, "-", 1);
	assert_true(strlen(peer_take(peer, NULL)) < 10 * strlen("$QC1#c5"));
}

static void acknowledgments_can_be_switched_off(void **state)
{
	struct peer *peer = *state;

	peer_send_raw(peer, "$QStartNoAckMode#b0", 19);
	expect_raw(peer, "+$OK#9a");
	peer_send_raw(peer, "+$qC#b4", 7);
	expect_raw(peer, "$QC1#c5");
	peer_send_raw(peer, "-", 1);
	expect_silence(peer);
	/* Nobody would send it again, so it is answered. */
	peer_send_raw(peer, "$qC#b5", 6);
	expect_raw(peer, "$E54#ae");
}

static void a_packet_that_is_too_long_is_refused(void **state)
{
	struct peer *peer = *state;
	char *bytes = malloc(PACKET_MAX + 1);

	memset(bytes, 'q', PACKET_MAX + 1);
	peer_send_bytes(peer, bytes, PACKET_MAX + 1);
	expect_raw(peer, "+$E5a#db");
	peer_send_raw(peer, "$qC#b4", 6);
	expect_raw(peer, "+$QC1#c5");
	free(bytes);
}

static void packets_may_come_in_one_piece_or_in_many(void **state)
{
	struct peer *peer = *state;
	static const char both[] = "$qC#b4$!#21";

	peer_send_raw(peer, both, sizeof(both) - 1);
	expect_raw(peer, "+$QC1#c5+$OK#9a");
	for (size_t i = 0; i < sizeof(both) - 1; i++)
		peer_send_raw(peer, both + i, 1);
	expect_raw(peer, "+$QC1#c5+$OK#9a");
}

/* ---- introductions ------------------------------------------------------------------------- */

static const char offer[] = "PacketSize=20000;QStartNoAckMode+;vContSupported+;"
			    "ConditionalBreakpoints+;BreakpointCommands+;swbreak+;hwbreak+;"
			    "qXfer:features:read+;qXfer:threads:read+;qXfer:memory-map:read+;"
			    "qXfer:osdata:read+;"
			    "binary-upload+;qXfer:exec-file:read+";

static void what_is_supported(void **state)
{
	struct peer *peer = *state;

	ask(peer, "qSupported", offer);
	ask(peer, "qSupported:", offer);
	ask(peer, "qSupported:multiprocess+;swbreak+;xmlRegisters=i386", offer);
	ask(peer, "qSupported:;;;=;+", offer);
	ask(peer, "qSupported:error-message+", text("%s;error-message+", offer));
	ask(peer, "qSupportedX", "");
}

static void errors_have_words_only_when_gdb_reads_them(void **state)
{
	struct peer *peer = *state;

	peer->debug->refuse_point = -EFAULT;
	ask(peer, "Z0,100,1", "E0e");
	peer_send(peer, "qSupported:error-message+");
	peer_take(peer, NULL);
	ask(peer, "Z0,100,1", "E.no int3 in ring 3 here; use a .watch.");
	ask(peer, "m1000,1", "E0e");
}

static void unknown_packets_get_the_empty_reply(void **state)
{
	struct peer *peer = *state;
	static const char *const unknown[] = {
		"vMustReplyEmpty",
		"",
		"bs",
		"bc",
		"A",
		"qTStatus",
		"QNonStop:1",
		"qSymbol::",
		"i",
		"t",
		"qL1200000000000000000",
		"QPassSignals:e",
		"qCx",
		"qXfer:auxv:read::0,1000",
		"vCtrlC",
		"jThreadsInfo",
		"_M",
		"qsThreadInfoX",
		"\x01\x02",
		"qfThreadInfo;",
		"Q",
		"q",
		"v",
	};

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		ask(peer, unknown[i], "");
}

static void gdb_is_told_that_it_attached(void **state)
{
	ask(*state, "qAttached", "1");
	ask(*state, "qAttached:1", "1");
	ask(*state, "qAttachedX", "");
}

static void why_it_stands_still(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Z0,100,1", "OK");
	ask(peer, "?", text("T02thread:1;core:0;%s", expedited(peer, 0)));
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 1);
	ask(peer, "?x", "");
}

static void extended_mode(void **state)
{
	ask(*state, "!", "OK");
	ask(*state, "!1", "");
}

/* ---- monitor ------------------------------------------------------------------------------- */

static void monitor_commands(void **state)
{
	struct peer *peer = *state;

	peer->monitor_answer = "rax 0\n";
	peer_send(peer, text("qRcmd,%s", hex_of("info registers")));
	expect_raw(peer, "$O72617820300a#e4$OK#9a");
	assert_string_equal(peer->monitor_line, "info registers");
	peer->monitor_answer = NULL;
	ask(peer, "qRcmd,", "OK");
	assert_string_equal(peer->monitor_line, "");
	ask(peer, text("qRcmd,%s", hex_of("break $rip *# } weird")), "OK");
	assert_string_equal(peer->monitor_line, "break $rip *# } weird");
}

static void monitor_commands_that_are_none(void **state)
{
	struct peer *peer = *state;

	ask(peer, "qRcmd", "");
	ask_error(peer, "qRcmd,6");
	ask_error(peer, "qRcmd,6g");
	ask_error(peer, "qRcmd,610062"); /* a NUL in the middle */
	ask_error(peer, "qRcmd,info");
	assert_string_equal(peer->monitor_line, "");
}

static void long_answers_come_in_pieces(void **state)
{
	struct peer *peer = *state;
	char *answer = malloc(100001);
	unsigned packets = 0, digits = 0;
	const char *at;

	memset(answer, 'a', 100000);
	answer[100000] = '\0';
	peer->monitor_answer = answer;
	peer_send(peer, "qRcmd,61");
	for (at = peer_take(peer, NULL); !strncmp(at, "$O6", 3); at = strchr(at, '#') + 3) {
		packets++;
		digits += (unsigned)strcspn(at + 2, "#");
	}
	assert_string_equal(at, "$OK#9a");
	assert_int_equal(digits, 200000);
	assert_true(packets > 1);
	free(answer);
}

static void longer_answers_are_cut(void **state)
{
	struct peer *peer = *state;
	size_t size = 5u << 20, digits = 0;
	char *answer = malloc(size + 1), last[200] = "";
	const char *at;

	memset(answer, 'a', size);
	answer[size] = '\0';
	peer->monitor_answer = answer;
	peer_send(peer, "qRcmd,61");
	for (at = peer_take(peer, NULL); !strncmp(at, "$O", 2) && strncmp(at, "$OK", 3);
	     at = strchr(at, '#') + 3) {
		snprintf(last, sizeof(last), "%.*s", (int)strcspn(at + 2, "#"), at + 2);
		digits += strcspn(at + 2, "#");
	}
	assert_string_equal(at, "$OK#9a");
	assert_string_equal(last,
			    hex_of("\n... 1024 KiB more are left out: ask for less at once\n"));
	assert_int_equal(digits - strlen(last), 2 * (4u << 20));
	free(answer);
	/* The next one starts anew. */
	peer->monitor_answer = "short";
	peer_send(peer, "qRcmd,61");
	assert_non_null(strstr(peer_take(peer, NULL), hex_of("short")));
}

static void resume_by_monitor(struct peer *peer)
{
	peer->debug->running = true;
}

static void move_by_monitor(struct peer *peer)
{
	peer->debug->state[0].general.rip++;
}

static void gdb_is_warned_of_a_monitor_command_that_resumes(void **state)
{
	struct peer *peer = *state;

	peer->monitor_action = resume_by_monitor;
	peer_send(peer, "qRcmd,63");
	assert_non_null(strstr(peer_take(peer, NULL), hex_of("`continue` waits")));
	/* A stop is owed to nobody. */
	fake_stop(peer->debug, &(struct stop){.reason = STOP_STEP}, OWNER_CONSOLE);
	expect_silence(peer);
	peer->monitor_action = move_by_monitor;
	peer_send(peer, "qRcmd,73");
	assert_non_null(strstr(peer_take(peer, NULL), hex_of("register-cache")));
}

int main(void)
{
#define RAW(name) cmocka_unit_test_setup_teardown(name, setup_raw, teardown_peer)
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_peer, teardown_peer)
	const struct CMUnitTest tests[] = {
		RAW(every_packet_is_acknowledged),
		RAW(a_plus_on_connect_is_swallowed),
		RAW(a_damaged_packet_is_not_obeyed),
		RAW(a_nak_brings_the_reply_again),
		RAW(acknowledgments_can_be_switched_off),
		RAW(a_packet_that_is_too_long_is_refused),
		RAW(packets_may_come_in_one_piece_or_in_many),
		ONE(what_is_supported),
		ONE(errors_have_words_only_when_gdb_reads_them),
		ONE(unknown_packets_get_the_empty_reply),
		ONE(gdb_is_told_that_it_attached),
		ONE(why_it_stands_still),
		ONE(extended_mode),
		ONE(monitor_commands),
		ONE(monitor_commands_that_are_none),
		ONE(long_answers_come_in_pieces),
		ONE(longer_answers_are_cut),
		ONE(gdb_is_warned_of_a_monitor_command_that_resumes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
