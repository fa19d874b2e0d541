// SPDX-License-Identifier: GPL-3.0-or-later
/* What gdb is told of stops. */
#include "peer.h"

#include <string.h>

/* Resumes and stops; what gdb hears, without the expedited registers. */
static void expect_stop(struct peer *peer, const struct stop *stop, const char *words,
			const char *reply)
{
	peer_send(peer, "vCont;c");
	expect_silence(peer);
	fake_stop(peer->debug, stop, OWNER_NONE);
	if (*words) {
		const char *out = peer_take(peer, NULL);
		const char *end = strchr(out, '#');

		assert_non_null(end);
		assert_int_equal(
			strncmp(out, text("$O%s#", hex_of(words)), (size_t)(end - out) + 1), 0);
		assert_int_equal(strncmp(end + 3, text("$%s#", reply), strlen(reply) + 2), 0);
	} else {
		expect_packet(peer, reply);
	}
	/* Once. */
	fake_tell(peer->debug, DEBUG_STOPPED, OWNER_NONE);
	expect_silence(peer);
}

static void signals(void **state)
{
	static const struct {
		enum stop_reason reason;
		const char *signal;
		const char *words;
	} rows[] = {
		{STOP_PAUSE, "T02", ""},
		{STOP_STEP, "T05", ""},
		{STOP_BREAKPOINT, "T05", "vCPU 1: because\n"},
		{STOP_HW_BREAKPOINT, "T05", "vCPU 1: because\n"},
		{STOP_WATCH_WRITE, "T05", "vCPU 1: because\n"},
		{STOP_GUEST_INT3, "T05", "vCPU 1: because\n"},
		{STOP_EXCEPTION, "T05", "vCPU 1: because\n"},
		{STOP_IO, "T05", "vCPU 1: because\n"},
		{STOP_MMIO, "T05", "vCPU 1: because\n"},
		{STOP_MSR, "T05", "vCPU 1: because\n"},
		{STOP_MODE_SWITCH, "T05", "vCPU 1: because\n"},
		{STOP_TRIPLE_FAULT, "T0b", "vCPU 1: because\n"},
		{STOP_RESET, "T05", "vCPU 1: because\n"},
		{STOP_EMULATION_FAILURE, "T04", "vCPU 1: because\n"},
		{STOP_HOST_ERROR, "T06", "vCPU 1: because\n"},
	};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stop stop = {.reason = rows[i].reason, .vcpu = 1, .text = "because"};

		expect_stop(peer, &stop, rows[i].words,
			    text("%sthread:2;core:1;%s", rows[i].signal, expedited(peer, 1)));
		ask(peer, "qC", "QC2");
		ask(peer, "Hg1", "OK");
	}
}

/* What gdb has not asked for ends its step, and SIGTRAP would be the end of one step of many. */
static void what_interrupts_a_step(void **state)
{
	static const struct {
		struct stop stop;
		const char *signal;
		bool words;
	} rows[] = {
		{{.reason = STOP_IO, .vcpu = 1, .point = 9}, "T00", true},
		{{.reason = STOP_BREAKPOINT, .vcpu = 1, .point = 9}, "T00", true},
		{{.reason = STOP_STEP, .vcpu = 1, .point = 9}, "T00", true},
		{{.reason = STOP_RESET, .vcpu = 1}, "T00", true},
		{{.reason = STOP_IO, .vcpu = 2, .point = 9}, "T05", true},
		{{.reason = STOP_STEP, .vcpu = 1}, "T05", false},
		{{.reason = STOP_BREAKPOINT, .vcpu = 1, .point = 1}, "T05", false},
		{{.reason = STOP_STEP, .vcpu = 1, .point = 1}, "T05", false},
		{{.reason = STOP_TRIPLE_FAULT, .vcpu = 1}, "T0b", true},
		{{.reason = STOP_PAUSE, .vcpu = 1}, "T02", false},
	};
	static const char *const packets[] = {"vCont;s:2;c", "vCont;r1000,1010:2", "s"};
	struct peer *peer = *state;

	ask(peer, "Z0,100,1", "OK");
	ask(peer, "Hg2", "OK");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * 3; i++) {
		struct stop stop = rows[i / 3].stop;
		const char *out;

		strcpy(stop.text, "because");
		peer_send(peer, packets[i % 3]);
		fake_stop(peer->debug, &stop, OWNER_NONE);
		out = peer_take(peer, NULL);
		assert_int_equal(!strncmp(out, "$O", 2), rows[i / 3].words);
		assert_non_null(
			strstr(out, text("$%sthread:%x;", rows[i / 3].signal, stop.vcpu + 1)));
		ask(peer, "Hg2", "OK");
	}
	peer_send(peer, "vCont;c");
	fake_stop(peer->debug, &rows[0].stop, OWNER_NONE);
	assert_non_null(strstr(peer_take(peer, NULL), "$T05thread:2;"));
}

static void a_triple_fault_tells_its_story(void **state)
{
	const struct stop stop = {.reason = STOP_TRIPLE_FAULT, .text = "triple fault. First #PF"};
	struct peer *peer = *state;
	const char *out;

	peer->debug->fault_chain[0] = "1st #PF";
	peer->debug->fault_chain[1] = "2nd #NP";
	peer->debug->fault_chain[2] = "3rd #NP";
	peer_send(peer, "vCont;c");
	fake_stop(peer->debug, &stop, OWNER_NONE);
	out = peer_take(peer, NULL);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const lines[] = {"vCPU 0: triple fault. First #PF\n", "2nd #NP",
						    "3rd #NP"};

		out = strstr(out, text("$O%s#", hex_of(lines[i])));
		assert_non_null(out);
	}
	assert_non_null(strstr(out, "$T0bthread:1;"));
}

static void gdbs_own_points_are_named(void **state)
{
	static const struct {
		const char *packet, *cause;
		enum stop_reason reason;
	} rows[] = {
		{"0,100,1", "swbreak:;", STOP_BREAKPOINT},
		{"1,100,1", "hwbreak:;", STOP_HW_BREAKPOINT},
		{"2,100,8", "watch:ffffffff80000104;", STOP_WATCH_WRITE},
		{"3,100,8", "rwatch:ffffffff80000104;", STOP_WATCH_READ},
		{"4,100,8", "awatch:ffffffff80000104;", STOP_WATCH_ACCESS},
	};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stop stop = {.reason = rows[i].reason,
				    .vcpu = 2,
				    .address = 0xffffffff80000104,
				    .point = (int)i + 1,
				    .text = "hit"};

		ask(peer, text("Z%s", rows[i].packet), "OK");
		expect_stop(peer, &stop, "",
			    text("T05thread:3;core:2;%s%s", rows[i].cause, expedited(peer, 2)));
	}
}

/* gdb would take it for a leftover of its own, and go on without a word. */
static void others_points_are_not(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = 0x100, .length = 1};
	struct peer *peer = *state;
	struct stop stop = {.reason = STOP_BREAKPOINT, .text = "breakpoint 1"};

	stop.point = debug_point_add(peer->debug, &spec, OWNER_CONSOLE, NULL);
	expect_stop(peer, &stop, "vCPU 0: breakpoint 1\n",
		    text("T05thread:1;core:0;%s", expedited(peer, 0)));
}

/* `monitor break` makes points that count as gdb's, but gdb has never heard of them. */
static void a_point_by_monitor_is_not_named(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = 0x100, .length = 1};
	struct peer *peer = *state;
	struct stop stop = {.reason = STOP_BREAKPOINT, .text = "breakpoint 1"};

	stop.point = debug_point_add(peer->debug, &spec, OWNER_GDB, NULL);
	ask(peer, "z0,100,1", "OK");
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 1);
	expect_stop(peer, &stop, "vCPU 0: breakpoint 1\n",
		    text("T05thread:1;core:0;%s", expedited(peer, 0)));
	for (int i = 0; i < 15; i++)
		ask(peer, text("Z0,%x,1", 0x200 + i), "OK");
	for (int i = 0; i < 15; i++)
		ask(peer, text("z0,%x,1", 0x200 + i), "OK");
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 1);
}

/* gdb takes output while it waits for a stop, and at no other time; the rest is kept until then. */
static void what_points_print(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "vCont;c");
	expect_silence(peer);
	fake_tell(peer->debug, DEBUG_OUTPUT, OWNER_CONSOLE);
	expect_silence(peer);
	fake_tell(peer->debug, DEBUG_OUTPUT, OWNER_GDB);
	expect_raw(peer, "$O72617820697320350a#24");
	fake_stop(peer->debug, &(struct stop){.reason = STOP_PAUSE}, OWNER_GDB);
	expect_packet(peer, text("T02thread:1;core:0;%s", expedited(peer, 0)));
	fake_tell(peer->debug, DEBUG_OUTPUT, OWNER_GDB);
	fake_tell(peer->debug, DEBUG_OUTPUT, OWNER_GDB);
	expect_silence(peer);
	ask(peer, "qC", "QC1");
	peer_send(peer, "vCont;c");
	expect_raw(peer, "$O72617820697320350a72617820697320350a#f9");
	fake_tell(peer->debug, DEBUG_OUTPUT, OWNER_GDB);
	expect_raw(peer, "$O72617820697320350a#24");
}

/* 64 KiB of it, and how many there were beyond. */
static void what_is_printed_for_long_while_gdb_does_not_wait(void **state)
{
	static const char more[] = "(2719 more, printed while gdb did not wait)\n";
	struct peer *peer = *state;
	const char *out;
	size_t size;

	for (int i = 0; i < 10000; i++)
		fake_tell(peer->debug, DEBUG_OUTPUT, OWNER_GDB);
	expect_silence(peer);
	peer_send(peer, "vCont;c");
	out = peer_take(peer, &size);
	assert_in_range(size, 2 * 0x10000, 3 * 0x10000);
	assert_non_null(strstr(out, hex_of(more)));
	fake_tell(peer->debug, DEBUG_OUTPUT, OWNER_GDB);
	expect_raw(peer, "$O72617820697320350a#24");
}

/* The reply names the point, and gdb looks at the condition itself; the reason why it cannot goes ahead. */
static void a_condition_that_cannot_be_evaluated(void **state)
{
	struct peer *peer = *state;
	struct stop stop = {.reason = STOP_BREAKPOINT,
			    .point = 1,
			    .undecided = true,
			    .text = "the condition of 1 cannot be evaluated: division by zero"};

	ask(peer, "Z0,100,1;X3,220127", "OK");
	expect_stop(peer, &stop,
		    "vCPU 0: the condition of 1 cannot be evaluated: division by zero\n",
		    text("T05thread:1;core:0;swbreak:;%s", expedited(peer, 0)));
}

static void causes_are_named_only_to_those_who_asked(void **state)
{
	struct peer *peer = peer_new_raw(1);
	struct stop stop = {.reason = STOP_BREAKPOINT, .point = 1};

	(void)state;
	peer_send(peer, "QStartNoAckMode");
	peer_take(peer, NULL);
	ask(peer, "Z0,100,1", "OK");
	expect_stop(peer, &stop, "", text("T05thread:1;core:0;%s", expedited(peer, 0)));
	peer_free(peer);
}

static void the_console_pauses_and_gdb_hears_of_it(void **state)
{
	struct peer *peer = *state;
	struct stop stop = {.reason = STOP_PAUSE, .text = "paused from the console"};
	const char *out;

	peer_send(peer, "vCont;c");
	fake_stop(peer->debug, &stop, OWNER_CONSOLE);
	out = peer_take(peer, NULL);
	assert_non_null(strstr(out, hex_of("paused from the console")));
	assert_non_null(strstr(out, "$T02thread:1;"));
}

static void ctrl_c(void **state)
{
	struct peer *peer = *state;

	/* Harmless while it stands still. */
	peer_send_raw(peer, "\x03", 1);
	expect_silence(peer);
	assert_int_equal(peer->debug->pauses, 0);
	peer_send(peer, "vCont;c");
	peer_send_raw(peer, "\x03", 1);
	expect_silence(peer);
	assert_int_equal(peer->debug->pauses, 1);
	assert_int_equal(peer->debug->last_actor, OWNER_GDB);
	fake_stop(peer->debug, &(struct stop){.reason = STOP_PAUSE, .text = "paused"}, OWNER_GDB);
	expect_packet(peer, text("T02thread:1;core:0;%s", expedited(peer, 0)));
	/* Too late: the stop was faster. */
	peer_send_raw(peer, "\x03", 1);
	expect_silence(peer);
	assert_int_equal(peer->debug->pauses, 1);
}

static void step_and_stop(struct peer *peer)
{
	peer_send(peer, "vCont;s:2;c");
	expect_silence(peer);
	fake_stop(peer->debug, &(struct stop){.reason = STOP_STEP, .vcpu = 1}, OWNER_NONE);
	expect_packet(peer, text("T05thread:2;core:1;%s", expedited(peer, 1)));
}

/* In the middle of many steps gdb goes on after the one that Ctrl-C came too late for, and would never hear of
 * it. */
static void ctrl_c_between_two_steps(void **state)
{
	struct peer *peer = *state;

	step_and_stop(peer);
	peer_send_raw(peer, "\x03", 1);
	expect_silence(peer);
	ask(peer, "m2000,1", "00");
	ask(peer, "z0,100,1", "OK");
	ask(peer, "vCont;s:2;c", text("T02thread:2;core:1;%s", expedited(peer, 1)));
	assert_int_equal(peer->debug->resumes, 1);
	step_and_stop(peer);
	assert_int_equal(peer->debug->resumes, 2);
}

static void ctrl_c_while_a_step_ends(void **state)
{
	struct peer *peer = *state;

	peer_send(peer, "vCont;s:2");
	fake_stop_quietly(peer->debug, &(struct stop){.reason = STOP_STEP, .vcpu = 1});
	peer_send_raw(peer, "\x03", 1);
	expect_silence(peer);
	fake_tell(peer->debug, DEBUG_STOPPED, OWNER_NONE);
	expect_packet(peer, text("T05thread:2;core:1;%s", expedited(peer, 1)));
	ask(peer, "vCont;s:2", text("T02thread:2;core:1;%s", expedited(peer, 1)));
	assert_int_equal(peer->debug->resumes, 1);
}

/* Whoever looks around has shown the stop to his user. */
static void ctrl_c_that_a_stop_has_answered(void **state)
{
	struct peer *peer = *state;

	step_and_stop(peer);
	peer_send_raw(peer, "\x03", 1);
	ask(peer, "qfThreadInfo", "m1,2,3,4");
	step_and_stop(peer);
	ask(peer, "qfThreadInfo", "m1,2,3,4");
	peer_send_raw(peer, "\x03", 1);
	step_and_stop(peer);
	assert_int_equal(peer->debug->resumes, 3);
	assert_int_equal(peer->debug->pauses, 0);
}

int main(void)
{
#define SMP(name) cmocka_unit_test_setup_teardown(name, setup_peer_smp, teardown_peer)
	const struct CMUnitTest tests[] = {
		SMP(signals),
		SMP(what_interrupts_a_step),
		SMP(a_triple_fault_tells_its_story),
		SMP(gdbs_own_points_are_named),
		SMP(others_points_are_not),
		SMP(a_point_by_monitor_is_not_named),
		SMP(what_points_print),
		SMP(what_is_printed_for_long_while_gdb_does_not_wait),
		SMP(a_condition_that_cannot_be_evaluated),
		cmocka_unit_test(causes_are_named_only_to_those_who_asked),
		SMP(the_console_pauses_and_gdb_hears_of_it),
		SMP(ctrl_c),
		SMP(ctrl_c_between_two_steps),
		SMP(ctrl_c_while_a_step_ends),
		SMP(ctrl_c_that_a_stop_has_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
