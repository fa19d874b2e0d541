// SPDX-License-Identifier: GPL-3.0-or-later
/* Resuming, threads, and stop replies: who is told what, and when. */
#include "peer.h"

#include <errno.h>
#include <string.h>

/* ---- threads ------------------------------------------------------------------------------- */

static void threads(void **state)
{
	struct peer *peer = *state;

	ask(peer, "qfThreadInfo", "m1,2,3,4");
	ask(peer, "qsThreadInfo", "l");
	ask(peer, "qC", "QC1");
	ask(peer, "T1", "OK");
	ask(peer, "T4", "OK");
	ask(peer, "T5", "E03");
	ask(peer, "Tp1.2", "OK");
	ask(peer, "qThreadExtraInfo,2", hex_of("long mode, <1> & \"so on\""));
	peer->debug->running = true;
	ask(peer, "qThreadExtraInfo,2", hex_of("running"));
}

static void choosing_a_thread(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Hg2", "OK");
	ask(peer, "qC", "QC2");
	ask(peer, "Hg0", "OK");
	ask(peer, "qC", "QC2");
	ask(peer, "Hg-1", "OK");
	ask(peer, "Hgp1.4", "OK");
	ask(peer, "qC", "QC4");
	ask(peer, "Hc-1", "OK");
	ask(peer, "Hc0", "OK");
	ask(peer, "Hc3", "OK");
	ask(peer, "qC", "QC4");
	ask(peer, "Hg5", "E16");
	ask(peer, "qC", "QC4");
}

static void malformed_thread_packets(void **state)
{
	static const char *const bodies[] = {
		"H",
		"Hg",
		"Hc",
		"Hx1",
		"Hg1x",
		"Hgx",
		"Hg7fffffff",
		"Hgffffffffffffffff",
		"Hg-2",
		"Hg--1",
		"T",
		"Tx",
		"T0",
		"T-1",
		"T1,",
		"Tffffffff",
		"qThreadExtraInfo,",
		"qThreadExtraInfo,0",
		"qThreadExtraInfo,5",
		"qThreadExtraInfo,-1",
		"qThreadExtraInfo,1x",
	};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		ask_error(peer, bodies[i]);
	ask(peer, "qThreadExtraInfo", "");
	ask(peer, "qC", "QC1");
}

/* ---- plans --------------------------------------------------------------------------------- */

static void what_can_be_resumed(void **state)
{
	ask(*state, "vCont?", "vCont;c;C;s;S;t;r");
}

static void plans_by_vcont(void **state)
{
	struct peer *peer = *state;

	expect_plan(peer, "vCont;c", "cccc");
	expect_plan(peer, "vCont;s", "ssss");
	expect_plan(peer, "vCont;C05", "cccc");
	expect_plan(peer, "vCont;S0b:2;c", "cscc");
	expect_plan(peer, "vCont;s:2", "-s--");
	expect_plan(peer, "vCont;s:2;c", "cscc");
	expect_plan(peer, "vCont;s:p1.2;c:p1.-1", "cscc");
	expect_plan(peer, "vCont;c:3;s:1", "s-c-");
	expect_plan(peer, "vCont;c:-1", "cccc");
	/* The first action that fits is the one. */
	expect_plan(peer, "vCont;s:1;c:1;c:4", "s--c");
	expect_plan(peer, "vCont;c;s:1", "cccc");
	expect_plan(peer, "vCont;t:2;c", "c-cc");
	expect_plan(peer, "vCont;t:1;t:4;s:4;c:2", "-c--");
	expect_plan(peer, "vCont;s:3;t", "--s-");
	expect_plan(peer, "vCont;r1000,1010:1;c", "rccc");
	assert_true(peer->debug->plan[0].low == 0x1000 && peer->debug->plan[0].high == 0x1010);
	expect_plan(peer, "vCont;r1000,1000:4", "---r");
}

static void plans_by_c_and_s(void **state)
{
	struct peer *peer = *state;

	expect_plan(peer, "c", "cccc");
	expect_plan(peer, "s", "sccc");
	expect_plan(peer, "C05", "cccc");
	expect_plan(peer, "S05", "sccc");
	ask(peer, "Hc2", "OK");
	expect_plan(peer, "s", "-s--");
	expect_plan(peer, "c", "-c--");
	ask(peer, "Hc-1", "OK");
	ask(peer, "Hg4", "OK");
	expect_plan(peer, "s", "cccs");
	expect_plan(peer, "c400000", "cccc");
	assert_true(peer->debug->state[0].general.rip == 0x400000);
	expect_plan(peer, "S05;500000", "sccc");
	assert_true(peer->debug->state[0].general.rip == 0x500000);
}

static void malformed_resumes(void **state)
{
	static const char *const bodies[] = {
		"vCont",
		"vCont;",
		"vCont;x",
		"vCont;c;",
		"vCont;c:",
		"vCont;c:5",
		"vCont;c:x",
		"vCont;cx",
		"vCont;C",
		"vCont;C5",
		"vCont;Cxx",
		"vCont;S",
		"vCont;s:1;",
		"vCont;tx",
		"vCont;r",
		"vCont;r1",
		"vCont;r1,",
		"vCont;r2,1",
		"vCont;r1,2:9",
		"vCont;c:1:2",
		"vCont:c",
		"vContc",
		"vCont;c:ffffffffffffffff",
		"vCont;s:1;x:2",
		"vCont;c:1;c:9",
		"cx",
		"c1x",
		"c11111111111111111",
		"sx",
		"C",
		"C5",
		"Cx5",
		"C05;",
		"C05x",
		"C05;x",
		"S",
		"S5;100",
	};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		ask_error(peer, bodies[i]);
	assert_int_equal(peer->debug->resumes, 0);
	assert_false(peer->debug->running);
	assert_true(peer->debug->state[0].general.rip == 0x100000);
}

static void a_refused_resume_says_why(void **state)
{
	struct peer *peer = *state;
	const char *out;

	peer->debug->refuse_resume = -ENOTSUP;
	peer_send(peer, "vCont;s:1;c");
	out = strstr(peer_take(peer, NULL), hex_of("no step in ring 3 on this host"));
	assert_non_null(out);
	assert_non_null(strstr(out, text("$T00thread:1;core:0;%s#", expedited(peer, 0))));
	/* No other stop comes. */
	fake_tell(peer->debug, DEBUG_STOPPED, OWNER_NONE);
	expect_silence(peer);
	/* Of a vCPU that gdb holds it wants no news. */
	peer_send(peer, "vCont;c:3");
	out = peer_take(peer, NULL);
	assert_non_null(strstr(out, text("$T00thread:3;core:2;%s#", expedited(peer, 2))));
	peer->debug->refuse_resume = 0;
	expect_plan(peer, "vCont;c", "cccc");
}

int main(void)
{
#define SMP(name) cmocka_unit_test_setup_teardown(name, setup_peer_smp, teardown_peer)
	const struct CMUnitTest tests[] = {
		SMP(threads),
		SMP(choosing_a_thread),
		SMP(malformed_thread_packets),
		SMP(what_can_be_resumed),
		SMP(plans_by_vcont),
		SMP(plans_by_c_and_s),
		SMP(malformed_resumes),
		SMP(a_refused_resume_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
