// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The stub on the real debugger core, over a machine on the dummy accelerator: no fake in between, and
 * vCPU threads that really run. Two vCPUs in flat 32-bit code; what the dummy executes stands in
 * accel/dummy.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accel/dummy.h"
#include "gdbstub/session.h"
#include "machine/machine.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define CODE  0x1000ull
#define APART 0x100ull

/* inc rax; jmp back: for ever. */
static const uint8_t count_up[] = {0x40, 0xeb, 0xfd};

struct place {
	struct dummy_config dummy;
	struct machine *machine;
	struct debug *debug;
	struct gdb_session *session;
	char out[8192];
	size_t out_size;
	unsigned closed;
};

static void on_output(void *ctx, const void *bytes, size_t size)
{
	struct place *place = ctx;

	assert_true(place->out_size + size < sizeof(place->out));
	memcpy(place->out + place->out_size, bytes, size);
	place->out_size += size;
	place->out[place->out_size] = '\0';
}

static void on_closed(void *ctx, bool detached)
{
	struct place *place = ctx;

	(void)detached;
	place->closed++;
}

static void on_event(void *ctx, enum debug_event event, enum debug_owner actor)
{
	struct place *place = ctx;

	gdb_session_on_event(place->session, event, actor);
}

static void start_vcpu(struct place *place, struct vcpu *vcpu)
{
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	uint64_t at = CODE + (uint64_t)vcpu->index * APART;

	assert_non_null(state);
	for (int i = 0; i < 6; i++)
		cpu_segment_flat(&state->system.seg[i], i == SEG_CS ? 8 : 16, i == SEG_CS, 32);
	state->system.cr0 = CR0_PE;
	state->general.rip = at;
	state->events.run_state = CPU_RUNNABLE;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM | CPU_EVENTS);
	assert_int_equal(vcpu_flush(vcpu), 0);
	assert_int_equal(mem_write_phys(place->machine->memory, at, count_up, sizeof(count_up)),
			 sizeof(count_up));
}

static void feed(struct place *place, const char *body)
{
	char packet[300];
	uint8_t sum = 0;
	int n;

	for (const char *c = body; *c; c++)
		sum += (uint8_t)*c;
	n = snprintf(packet, sizeof(packet), "$%s#%02x", body, sum);
	place->out_size = 0;
	place->out[0] = '\0';
	gdb_session_feed(place->session, packet, (size_t)n);
}

static void ask(struct place *place, const char *body, const char *reply)
{
	char packet[300];
	size_t size = strlen(reply);

	snprintf(packet, sizeof(packet), "$%s#", reply);
	feed(place, body);
	if (strncmp(place->out, packet, size + 2) != 0)
		fail_msg("%s: wanted %s, got %s", body, packet, place->out);
}

/* Hears the core's news until the stub has said something. */
static const char *hear(struct place *place)
{
	struct pollfd fd = {.fd = debug_event_fd(place->debug), .events = POLLIN};

	while (!place->out_size) {
		if (poll(&fd, 1, 10000) != 1)
			fail_msg("the stub said nothing for ten seconds");
		debug_dispatch(place->debug);
	}
	return place->out;
}

static void expect_heard(struct place *place, const char *beginning)
{
	const char *out = hear(place);

	if (strncmp(out, beginning, strlen(beginning)) != 0)
		fail_msg("wanted %s…, got %s", beginning, out);
}

static void resume(struct place *place, const char *body)
{
	feed(place, body);
	assert_int_equal(place->out_size, 0);
}

static uint64_t reg(struct place *place, int vcpu, const char *name)
{
	uint64_t value = 0;

	assert_int_equal(debug_reg_get(place->debug, vcpu, (unsigned)register_find(name), &value),
			 0);
	return value;
}

static int setup(void **state)
{
	static struct place place;
	struct machine_config config = {.accel = &accel_dummy,
					.dummy = &place.dummy,
					.ram_size = 1 << 20,
					.vcpus = 2,
					.debug_exit_port = 0xf4};
	struct gdb_config gdb = {.ctx = &place, .output = on_output, .closed = on_closed};
	struct debug_config debug = {0};
	struct error err = {0};

	memset(&place, 0, sizeof(place));
	if (machine_create(&config, &place.machine, &err) < 0)
		fail_msg("%s", err.text);
	for (unsigned i = 0; i < 2; i++)
		start_vcpu(&place, &place.machine->vcpus[i]);
	if (debug_create(place.machine, &debug, &place.debug, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(debug_pause_wait(place.debug, OWNER_GDB, 5000), 0);
	place.session = gdb_session_new(place.debug, &gdb);
	assert_non_null(place.session);
	assert_int_equal(debug_listen(place.debug, on_event, &place), 0);
	feed(&place, "QStartNoAckMode");
	feed(&place, "qSupported:swbreak+;hwbreak+");
	*state = &place;
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;

	debug_unlisten(place->debug, on_event, place);
	gdb_session_free(place->session);
	debug_destroy(place->debug);
	machine_destroy(place->machine);
	return 0;
}

static void a_breakpoint_is_hit_again_and_again(void **state)
{
	struct place *place = *state;

	ask(place, "Z0,1001,1", "OK");
	for (uint64_t n = 1; n <= 100; n++) {
		resume(place, "vCont;c");
		expect_heard(place, "$T05thread:1;core:0;swbreak:;10:0110000000000000;");
		assert_true(reg(place, 0, "rax") == n);
		/* The guest's memory is its own. */
		ask(place, "m1000,3", "40ebfd");
	}
	ask(place, "z0,1001,1", "OK");
}

static void one_vcpu_steps_and_the_other_stands_still(void **state)
{
	struct place *place = *state;

	for (uint64_t n = 1; n <= 50; n++) {
		resume(place, "vCont;s:2");
		expect_heard(place, n % 2 ? "$T05thread:2;core:1;10:0111000000000000;"
					  : "$T05thread:2;core:1;10:0011000000000000;");
		assert_true(reg(place, 0, "rip") == CODE);
	}
	assert_true(reg(place, 0, "rax") == 0);
	assert_true(reg(place, 1, "rax") == 25);
}

static void one_vcpu_steps_while_the_other_runs(void **state)
{
	struct place *place = *state;

	for (uint64_t n = 1; n <= 50; n++) {
		resume(place, "vCont;s:2;c");
		expect_heard(place, "$T05thread:2;");
	}
	assert_true(reg(place, 1, "rax") == 25);
}

static void a_range_is_one_packet(void **state)
{
	struct place *place = *state;

	/* Two increments, and then the jump: outside. */
	ask(place, "M1000,4:4040ebfc", "OK");
	resume(place, "vCont;r1000,1002:1");
	expect_heard(place, "$T05thread:1;core:0;10:0210000000000000;");
	assert_true(reg(place, 0, "rax") == 2);
}

static void ctrl_c_while_both_run(void **state)
{
	struct place *place = *state;
	uint64_t last = 0;

	for (int n = 0; n < 200; n++) {
		resume(place, "vCont;c");
		gdb_session_feed(place->session, "\x03", 1);
		expect_heard(place, "$T02thread:");
		assert_true(reg(place, 0, "rax") >= last);
		last = reg(place, 0, "rax");
	}
}

/* The stop may come before the 0x03 does: one reply for each resume, whatever the order. */
static void ctrl_c_races_with_a_breakpoint(void **state)
{
	struct place *place = *state;

	ask(place, "Z0,1001,1", "OK");
	for (int n = 0; n < 200; n++) {
		const char *out;

		resume(place, "vCont;c");
		gdb_session_feed(place->session, "\x03", 1);
		out = hear(place);
		assert_true(!strncmp(out, "$T05", 4) || !strncmp(out, "$T02", 4));
		debug_dispatch(place->debug);
		assert_null(strstr(out + 1, "$T"));
		assert_false(debug_running(place->debug));
		ask(place, "qfThreadInfo", "m1,2"); /* it shows the stop */
	}
}

static void the_console_pauses_and_resumes(void **state)
{
	struct place *place = *state;
	struct error err = {0};

	resume(place, "vCont;c");
	debug_pause(place->debug, OWNER_CONSOLE);
	assert_non_null(strstr(hear(place), "$T02thread:"));
	/* Behind gdb's back. */
	place->out_size = 0;
	assert_int_equal(debug_continue(place->debug, OWNER_CONSOLE, &err), 0);
	ask(place, "g", "E10");
	ask(place, "P0=0000000000000000", "E10");
	assert_int_equal(debug_pause_wait(place->debug, OWNER_CONSOLE, 5000), 0);
	place->out_size = 0;
	debug_dispatch(place->debug);
	assert_int_equal(place->out_size, 0);
	/* And gdb goes on. */
	ask(place, "Z0,1001,1", "OK");
	resume(place, "vCont;c");
	expect_heard(place, "$T05thread:1;core:0;swbreak:;");
}

static void a_monitor_breakpoint_at_the_same_place(void **state)
{
	struct place *place = *state;
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = 0x1001, .length = 1};
	struct error err = {0};

	assert_true(debug_point_add(place->debug, &spec, OWNER_CONSOLE, &err) > 0);
	ask(place, "Z0,1001,1", "OK");
	resume(place, "vCont;c");
	hear(place);
	ask(place, "z0,1001,1", "OK");
	resume(place, "vCont;c");
	assert_non_null(strstr(hear(place), "T05thread:1;core:0;10:"));
}

static void what_cannot_be_executed_stops(void **state)
{
	struct place *place = *state;
	const char *out;

	ask(place, "M1000,2:0f0b", "OK");
	resume(place, "vCont;c:1");
	out = hear(place);
	assert_int_equal(strncmp(out, "$O", 2), 0);
	assert_non_null(strstr(out, "$T04thread:1;core:0;10:0010000000000000;"));
	ask(place, "M1000,2:4090", "OK");
	resume(place, "vCont;s:1");
	expect_heard(place, "$T05thread:1;core:0;10:0110000000000000;");
}

static void the_guest_ends(void **state)
{
	struct place *place = *state;

	/* out %al, $0xf4 with al = 0: status 1. */
	ask(place, "M1000,2:e6f4", "OK");
	resume(place, "vCont;c");
	assert_non_null(strstr(hear(place), "$W01#"));
	assert_int_equal(place->closed, 1);
}

static void detach_takes_the_points_and_resumes(void **state)
{
	struct place *place = *state;

	ask(place, "Z0,1001,1", "OK");
	ask(place, "Z1,1100,1", "OK");
	ask(place, "D", "OK");
	assert_null(debug_point_next(place->debug, NULL));
	assert_true(debug_running(place->debug));
	assert_int_equal(debug_pause_wait(place->debug, OWNER_CONSOLE, 5000), 0);
}

/* The machine has stopped, and the news of it are still to be told when gdb says goodbye: the core tells them before it
 * resumes, in the middle of the packet. */
static void old_news_do_not_get_into_a_reply(void **state)
{
	struct place *place = *state;

	resume(place, "vCont;c");
	assert_int_equal(debug_pause_wait(place->debug, OWNER_CONSOLE, 5000), 0);
	feed(place, "D");
	assert_string_equal(place->out, "$OK#9a");
	assert_true(debug_running(place->debug));
	assert_int_equal(debug_pause_wait(place->debug, OWNER_CONSOLE, 5000), 0);
}

static void a_session_that_vanishes_while_the_guest_runs(void **state)
{
	struct place *place = *state;
	struct gdb_config gdb = {.ctx = place, .output = on_output, .closed = on_closed};

	for (int n = 0; n < 100; n++) {
		ask(place, "Z0,1080,1", "OK");
		resume(place, "vCont;c");
		gdb_session_free(place->session);
		assert_true(debug_running(place->debug));
		assert_null(debug_point_next(place->debug, NULL));
		assert_int_equal(debug_pause_wait(place->debug, OWNER_GDB, 5000), 0);
		place->session = gdb_session_new(place->debug, &gdb);
		assert_non_null(place->session);
		debug_dispatch(place->debug);
		feed(place, "QStartNoAckMode");
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_breakpoint_is_hit_again_and_again),
		CASE(one_vcpu_steps_and_the_other_stands_still),
		CASE(one_vcpu_steps_while_the_other_runs),
		CASE(a_range_is_one_packet),
		CASE(ctrl_c_while_both_run),
		CASE(ctrl_c_races_with_a_breakpoint),
		CASE(the_console_pauses_and_resumes),
		CASE(a_monitor_breakpoint_at_the_same_place),
		CASE(what_cannot_be_executed_stops),
		CASE(the_guest_ends),
		CASE(detach_takes_the_points_and_resumes),
		CASE(old_news_do_not_get_into_a_reply),
		CASE(a_session_that_vanishes_while_the_guest_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
