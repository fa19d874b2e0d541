// SPDX-License-Identifier: GPL-3.0-or-later
/* Belief and truth about what runs, and the end of the run. */
#include "peer.h"

#include <string.h>

/* ---- when belief and truth differ ---------------------------------------------------------- */

static void no_stop_is_told_that_nobody_waits_for(void **state)
{
	struct peer *peer = *state;

	for (int i = 0; i < 3; i++)
		fake_tell(peer->debug, DEBUG_STOPPED, OWNER_CONSOLE);
	fake_tell(peer->debug, DEBUG_RESET, OWNER_CONSOLE);
	expect_silence(peer);
	ask(peer, "qC", "QC1");
}

/* The pause at the attach raised an event that is told when gdb has resumed already. */
static void an_old_stop_is_not_taken_for_a_new_one(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "vCont;c");
	fake_tell(peer->debug, DEBUG_STOPPED, OWNER_GDB);
	expect_silence(peer);
	fake_stop(peer->debug, &(struct stop){.reason = STOP_STEP}, OWNER_NONE);
	expect_packet(peer, text("T05thread:1;core:0;%s", expedited(peer, 0)));
}

/* Two stops, and both events are told afterwards. */
static void two_events_for_one_stop(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "vCont;c");
	fake_stop_quietly(peer->debug, &(struct stop){.reason = STOP_STEP});
	fake_tell(peer->debug, DEBUG_STOPPED, OWNER_CONSOLE);
	fake_tell(peer->debug, DEBUG_STOPPED, OWNER_NONE);
	expect_packet(peer, text("T05thread:1;core:0;%s", expedited(peer, 0)));
}

static void the_console_resumes_behind_gdbs_back(void **state)
{
	struct peer *peer = *state;

	peer->debug->running = true;
	fake_tell(peer->debug, DEBUG_RESUMED, OWNER_CONSOLE);
	ask(peer, "g", "E10");
	ask(peer, "m0,1", "E10");
	ask(peer, "?", "E10");
	expect_silence(peer);
	fake_stop(peer->debug, &(struct stop){.reason = STOP_STEP}, OWNER_CONSOLE);
	expect_silence(peer);
	expect_plan(peer, "vCont;c", "cccc");
}

static void continue_joins_a_guest_that_runs_already(void **state)
{
	struct peer *peer = *state;

	peer->debug->running = true;
	peer_send(peer, "vCont;c");
	expect_silence(peer);
	assert_int_equal(peer->debug->resumes, 0);
	fake_stop(peer->debug, &(struct stop){.reason = STOP_STEP}, OWNER_NONE);
	expect_packet(peer, text("T05thread:1;core:0;%s", expedited(peer, 0)));
}

static void a_step_does_not_join(void **state)
{
	struct peer *peer = *state;
	const char *out;

	peer->debug->running = true;
	peer_send(peer, "vCont;s:1;c");
	out = peer_take(peer, NULL);
	assert_non_null(strstr(out, hex_of("it runs")));
	assert_non_null(strstr(out, "$E10#"));
	fake_stop(peer->debug, &(struct stop){.reason = STOP_STEP}, OWNER_NONE);
	expect_silence(peer);
}

static void packets_while_the_guest_runs(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "vCont;c");
	ask(peer, "g", "E10");
	ask(peer, "qC", "QC1");
	ask(peer, "qRcmd,61", "OK");
	fake_stop(peer->debug, &(struct stop){.reason = STOP_STEP}, OWNER_NONE);
	expect_packet(peer, text("T05thread:1;core:0;%s", expedited(peer, 0)));
}

/* ---- the end of the run -------------------------------------------------------------------- */

static void the_guest_powers_off(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "vCont;c");
	fake_stop(peer->debug, &(struct stop){.reason = STOP_SHUTDOWN, .exit_status = 0},
		  OWNER_NONE);
	expect_packet(peer, "W00");
	assert_int_equal(peer->closed, 1);
}

/* It is still to come when the guest is continued. */
static void a_shutdown_that_is_caught(void **state)
{
	struct stop stop = {.reason = STOP_SHUTDOWN, .point = 1, .text = "power-off (catch 1)"};
	struct peer *peer = *state;
	const char *out;

	peer_send(peer, "vCont;c");
	fake_stop_quietly(peer->debug, &stop);
	fake_tell(peer->debug, DEBUG_STOPPED, OWNER_NONE);
	out = strstr(peer_take(peer, NULL), hex_of("vCPU 0: power-off (catch 1)\n"));
	assert_non_null(out);
	assert_non_null(strstr(out, "$T05thread:1;core:0;"));
}

static void the_guest_exits_with_a_status(void **state)
{
	struct peer *peer = *state;
	struct stop stop = {
		.reason = STOP_SHUTDOWN, .exit_status = 0x123, .text = "debug-exit port"};

	peer_send(peer, "vCont;c");
	fake_stop(peer->debug, &stop, OWNER_NONE);
	assert_non_null(strstr(peer_take(peer, NULL), "$W23#"));
}

static void an_exit_that_gdb_did_not_wait_for(void **state)
{
	struct peer *peer = *state;

	fake_stop(peer->debug, &(struct stop){.reason = STOP_SHUTDOWN, .exit_status = 3},
		  OWNER_CONSOLE);
	expect_silence(peer);
	assert_int_equal(peer->closed, 0);
	ask(peer, "?", "W03");
	ask(peer, "qfThreadInfo", "l");
	ask_error(peer, "T1");
	ask_error(peer, "vAttach;1");
	ask(peer, "D", "OK");
}

int main(void)
{
#define SMP(name) cmocka_unit_test_setup_teardown(name, setup_peer_smp, teardown_peer)
	const struct CMUnitTest tests[] = {
		SMP(no_stop_is_told_that_nobody_waits_for),
		SMP(an_old_stop_is_not_taken_for_a_new_one),
		SMP(two_events_for_one_stop),
		SMP(the_console_resumes_behind_gdbs_back),
		SMP(continue_joins_a_guest_that_runs_already),
		SMP(a_step_does_not_join),
		SMP(packets_while_the_guest_runs),
		SMP(the_guest_powers_off),
		SMP(a_shutdown_that_is_caught),
		SMP(the_guest_exits_with_a_status),
		SMP(an_exit_that_gdb_did_not_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
