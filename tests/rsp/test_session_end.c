// SPDX-License-Identifier: GPL-3.0-or-later
/* How sessions end. */
#include "peer.h"

#include "gdbstub/packet.h"

#include <errno.h>

static void detach(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Z0,100,1", "OK");
	ask(peer, "D", "OK");
	assert_int_equal(peer->closed, 1);
	assert_true(peer->detached);
	assert_true(peer->debug->running);
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 0);
	/* What comes after the goodbye is not heard. */
	peer_send(peer, "k");
	expect_silence(peer);
	assert_int_equal(peer->debug->kills, 0);
}

static void detach_with_a_process(void **state)
{
	ask(*state, "D;1", "OK");
	assert_true(((struct peer *)*state)->detached);
}

static void detach_spelled_wrong(void **state)
{
	struct peer *peer = *state;

	ask(peer, "D1", "");
	assert_int_equal(peer->closed, 0);
	assert_false(peer->debug->running);
}

static void detach_leaves_other_owners_points(void **state)
{
	struct peer *peer = *state;
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = 0x200, .length = 1};

	debug_point_add(peer->debug, &spec, OWNER_CONSOLE, NULL);
	ask(peer, "Z0,200,1", "OK");
	ask(peer, "D", "OK");
	assert_int_equal(fake_point_count(peer->debug, OWNER_CONSOLE), 1);
}

static void detach_and_attach_again_in_extended_mode(void **state)
{
	struct peer *peer = *state;

	ask(peer, "!", "OK");
	ask(peer, "D;1", "OK");
	assert_int_equal(peer->closed, 0);
	assert_true(peer->debug->running);
	ask(peer, "qfThreadInfo", "l");
	/* A stop is nobody's business here now. */
	fake_stop(peer->debug, &(struct stop){.reason = STOP_EXCEPTION}, OWNER_NONE);
	expect_silence(peer);
	peer->debug->running = true;
	peer_send(peer, "vAttach;1");
	assert_false(peer->debug->running);
	expect_packet(peer, text("T05thread:1;core:0;%s", expedited(peer, 0)));
	ask(peer, "qfThreadInfo", "m1");
	peer->debug->running = true;
	peer->debug->refuse_pause = -ETIMEDOUT;
	ask(peer, "vAttach;1", "E6e");
}

static void kill_needs_no_reply(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "k");
	expect_silence(peer);
	assert_int_equal(peer->debug->kills, 1);
	assert_int_equal(peer->debug->kill_status, 0);
	assert_int_equal(peer->debug->last_actor, OWNER_GDB);
	assert_int_equal(peer->closed, 1);
	assert_false(peer->detached);
}

static void kill_spelled_wrong(void **state)
{
	struct peer *peer = *state;

	ask(peer, "kill", "");
	ask(peer, "vKillX", "");
	assert_int_equal(peer->debug->kills, 0);
}

static void kill_with_a_reply(void **state)
{
	struct peer *peer = *state;

	ask(peer, "vKill;1", "OK");
	assert_int_equal(peer->debug->kills, 1);
	assert_int_equal(peer->closed, 1);
}

/* gdb's `run` is vKill and vRun. */
static void run_from_extended_mode(void **state)
{
	struct peer *peer = *state;

	ask(peer, "!", "OK");
	peer_send(peer, "vCont;c");
	ask(peer, "vKill;1", "OK");
	assert_int_equal(peer->debug->kills, 0);
	assert_int_equal(peer->closed, 0);
	assert_false(peer->debug->running);
	ask(peer, "qfThreadInfo", "l");
	ask(peer, "vRun;", text("T05thread:1;core:0;%s", expedited(peer, 0)));
	ask(peer, "qfThreadInfo", "m1");
	gdb_session_free(peer->session);
	peer->session = NULL;
	assert_int_equal(peer->debug->kills, 0);
}

static void killed_and_left_in_extended_mode(void **state)
{
	struct peer *peer = *state;

	ask(peer, "!", "OK");
	ask(peer, "vKill;1", "OK");
	gdb_session_free(peer->session);
	peer->session = NULL;
	assert_int_equal(peer->debug->kills, 1);
}

static void restart(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "R00");
	expect_silence(peer);
	assert_int_equal(peer->debug->resets, 1);
	peer->debug->refuse_reset = -EIO;
	peer_send(peer, "R");
	expect_silence(peer);
	ask_error(peer, "vRun");
}

static void run_again(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Z0,100,1", "OK");
	ask(peer, "vRun;", text("T05thread:1;core:0;%s", expedited(peer, 0)));
	ask(peer, "vRun;6b65726e656c;61", text("T05thread:1;core:0;%s", expedited(peer, 0)));
	assert_int_equal(peer->debug->resets, 2);
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 1);
	ask(peer, "vRunX", "");
}

static void a_session_that_ends_takes_its_points_along(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Z0,100,1", "OK");
	ask(peer, "Z2,200,8", "OK");
	/* peer_free() looks that both are gone. */
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_peer, teardown_peer)
	const struct CMUnitTest tests[] = {
		ONE(detach),
		ONE(detach_with_a_process),
		ONE(detach_spelled_wrong),
		ONE(detach_leaves_other_owners_points),
		ONE(detach_and_attach_again_in_extended_mode),
		ONE(kill_needs_no_reply),
		ONE(kill_spelled_wrong),
		ONE(kill_with_a_reply),
		ONE(run_from_extended_mode),
		ONE(killed_and_left_in_extended_mode),
		ONE(restart),
		ONE(run_again),
		ONE(a_session_that_ends_takes_its_points_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
