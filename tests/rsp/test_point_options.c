// SPDX-License-Identifier: GPL-3.0-or-later
/* Conditions and commands of points. */
#include "peer.h"

#include <errno.h>
#include <string.h>

static const struct cpu_state *state_of(void *ctx, unsigned groups)
{
	(void)groups;
	return ctx;
}

static int64_t value_of(struct peer *peer, const struct program *program)
{
	const struct program_context context = {.ctx = &peer->debug->state[0], .state = state_of};
	struct program_fault fault;
	int64_t result;

	assert_non_null(program);
	assert_int_equal(program_run(program, &context, &result, &fault), 0);
	return result;
}

static const struct point *only_point(struct peer *peer)
{
	const struct point *point = debug_point_next(peer->debug, NULL);

	assert_non_null(point);
	assert_null(debug_point_next(peer->debug, point));
	return point;
}

/* Another one replaces it, and none takes it away; the point stays the same. */
static void conditions(void **state)
{
	struct peer *peer = *state;
	int number;

	ask(peer, "Z0,100,1;X3,220127", "OK");
	number = only_point(peer)->number;
	assert_int_equal(value_of(peer, only_point(peer)->condition), 1);
	assert_true(only_point(peer)->enabled);
	ask(peer, "Z0,100,1;X3,220227", "OK");
	assert_int_equal(value_of(peer, only_point(peer)->condition), 2);
	ask(peer, "Z0,100,1", "OK");
	assert_null(only_point(peer)->condition);
	ask(peer, "Z0,100,1;X3,220327", "OK");
	assert_int_equal(value_of(peer, only_point(peer)->condition), 3);
	assert_int_equal(only_point(peer)->number, number);
	ask(peer, "z0,100,1", "OK");
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 0);
}

static void conditions_of_every_kind(void **state)
{
	struct peer *peer = *state;

	for (int type = '0'; type <= '4'; type++) {
		ask(peer, text("Z%c,100,1;X3,220527", type), "OK");
		assert_int_equal(value_of(peer, only_point(peer)->condition), 5);
		ask(peer, text("z%c,100,1", type), "OK");
	}
}

/* gdb writes one right behind the other, and the manual has semicolons. */
static void several_conditions(void **state)
{
	static const struct {
		const char *options;
		int64_t value;
	} rows[] = {
		{"X3,220027X3,220027", 0},
		{"X3,220027X3,220427", 4},
		{"X3,220427X3,220027", 1},
		{"X3,220027;X3,220027;X3,220027", 0},
		{"X3,220027;X3,220127;X3,220027", 1},
		{"X3,220027X3,220027X3,220627", 6},
	};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask(peer, text("Z0,100,1;%s", rows[i].options), "OK");
		assert_int_equal(value_of(peer, only_point(peer)->condition), rows[i].value);
	}
}

/* rip is register 16: what its value is depends on the vCPU. */
static void a_condition_of_a_register(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Z0,100,1;X8,260010240010000013", text("E%02x", EINVAL));
	ask(peer, "Z0,100,1;Xa,26001024001000001327", "OK");
	assert_int_equal(value_of(peer, only_point(peer)->condition), 1);
	peer->debug->state[0].general.rip++;
	assert_int_equal(value_of(peer, only_point(peer)->condition), 0);
}

/* gdb evaluates it itself at each stop, and does so in any case. */
static void a_condition_that_is_not_for_us(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Z0,100,1;X3,220127", "OK");
	ask(peer, "Z0,100,1;X4,22011b27", "OK");
	assert_null(only_point(peer)->condition);
	ask(peer, "Z0,100,1;X3,220127X4,22011b27", "OK");
	assert_null(only_point(peer)->condition);
}

/* const8 0, const8 0, printf without values, end */
static const char *print_packet(const char *place, int persists, const char *format)
{
	size_t size = strlen(format) + 1;

	return text("%s;cmds:%d,X%zx,2200220034%02x%04zx%s0027", place, persists, size + 9, 0, size,
		    hex_of(format));
}

static void commands_that_print(void **state)
{
	struct peer *peer = *state;
	const struct point_action *action;

	ask(peer, print_packet("Z0,100,1", 0, "here\\n"), "OK");
	action = only_point(peer)->action;
	assert_non_null(action);
	assert_string_equal(action->format, "here\n");
	assert_int_equal(action->arg_count, 0);
	assert_true(action->go_on);
	assert_true(action->exact);
	assert_null(action->next);
	assert_null(only_point(peer)->condition);
	/* reg 0, const8 0, const8 0, printf of one value, end; twice */
	ask(peer,
	    "Z0,100,1;X3,220127;cmds:1,X11,260000220022003401000425640a0027"
	    "X11,260007220022003401000425640a0027",
	    text("E%02x", EINVAL));
	assert_string_equal(only_point(peer)->action->format, "here\n");
	ask(peer,
	    "Z0,100,1;X3,220127;cmds:1,X10,260000220022003401000425640a0027"
	    "X10,260007220022003401000425640a0027",
	    "OK");
	action = only_point(peer)->action;
	assert_string_equal(action->format, "%d\n");
	assert_int_equal(action->arg_count, 1);
	assert_int_equal(value_of(peer, action->args[0]), 0);
	assert_non_null(action->next);
	assert_int_equal(value_of(peer, action->next->args[0]), 0x8000);
	assert_null(action->next->next);
	assert_int_equal(value_of(peer, only_point(peer)->condition), 1);
	ask(peer, "Z0,100,1", "OK");
	assert_null(only_point(peer)->action);
	assert_null(only_point(peer)->condition);
}

/* gdb does not know what else to do with it. */
static void a_command_that_is_not_for_us(void **state)
{
	struct peer *peer = *state;

	ask(peer, print_packet("Z0,100,1", 0, "%f"), text("E%02x", ENOTSUP));
	ask(peer, "Z0,100,1;cmds:0,X3,220127", text("E%02x", EINVAL));
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 0);
}

static void wrong_options(void **state)
{
	static const char *const options[] = {
		";",
		";;X3,220127",
		";X",
		";X3",
		";X3,",
		";X3,2201",
		";X3,22012",
		";X3,2201277",
		";X3,22012g",
		";X,220127",
		";Xffffffffffffffff,220127",
		";X8000000000000000,220127",
		";X0,",
		";X3,220127;",
		";X3,220127;cmds",
		";cmds:",
		";cmds:0",
		";cmds:0,",
		";cmds:0,X",
		";cmds:x,X3,220127",
		";cmds:0,X3,220127",
		";cmd:0,X3,220127",
		"X3,220127",
		";X3,220127 ",
		";X1,27",
		";X2,2201",
		";X3,200000",
		";X3,213027",
	};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		ask_error(peer, text("Z0,100,1%s", options[i]));
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 0);
}

static void many_conditions(void **state)
{
	struct peer *peer = *state;
	char packet[1024] = "Z0,100,1;";

	for (int i = 0; i < 64; i++)
		strcat(packet, i == 63 ? "X3,220927" : "X3,220027");
	ask(peer, packet, "OK");
	assert_int_equal(value_of(peer, only_point(peer)->condition), 9);
	strcat(packet, "X3,220027");
	ask(peer, packet, text("E%02x", E2BIG));
}

/* The user's own by `monitor` is left alone. */
static void a_point_by_monitor_in_the_same_place(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = 0x100, .length = 1};
	struct peer *peer = *state;
	int number = debug_point_add(peer->debug, &spec, OWNER_GDB, NULL);

	ask(peer, "Z0,100,1;X3,220127", "OK");
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 2);
	assert_null(debug_point_next(peer->debug, NULL)->condition);
	ask(peer, "z0,100,1", "OK");
	assert_int_equal(only_point(peer)->number, number);
}

/* `monitor delete` */
static void a_point_that_went_behind_gdbs_back(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Z0,100,1;X3,220127", "OK");
	debug_point_remove(peer->debug, only_point(peer)->number, NULL);
	ask(peer, "Z0,100,1;X3,220227", "OK");
	assert_int_equal(value_of(peer, only_point(peer)->condition), 2);
	debug_point_remove(peer->debug, only_point(peer)->number, NULL);
	ask(peer, "z0,100,1", "OK");
}

static void what_stays_when_gdb_detaches(void **state)
{
	struct peer *peer = *state;

	ask(peer, print_packet("Z0,100,1", 1, "stays"), "OK");
	ask(peer, print_packet("Z0,200,1", 0, "goes"), "OK");
	ask(peer, print_packet("Z0,300,1", 1, "goes, too"), "OK");
	ask(peer, print_packet("Z0,300,1", 0, "goes, too"), "OK");
	ask(peer, "Z0,400,1", "OK");
	ask(peer, "D;1", "OK");
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 0);
	assert_int_equal(only_point(peer)->owner, OWNER_CONSOLE);
	assert_string_equal(only_point(peer)->action->format, "stays");
}

static void nothing_stays_when_gdb_is_lost(void **state)
{
	struct debug *debug = fake_new(1);
	struct peer *peer = peer_new_on(debug);

	(void)state;
	peer_send(peer, "QStartNoAckMode");
	peer_take(peer, NULL);
	ask(peer, print_packet("Z0,100,1", 1, "goes"), "OK");
	gdb_session_free(peer->session);
	assert_int_equal(fake_point_count(debug, OWNER_GDB), 0);
	assert_int_equal(fake_point_count(debug, OWNER_CONSOLE), 0);
	peer->session = NULL;
	peer_free(peer);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_peer, teardown_peer)
#define SMP(name) cmocka_unit_test_setup_teardown(name, setup_peer_smp, teardown_peer)
	const struct CMUnitTest tests[] = {
		ONE(conditions),
		ONE(conditions_of_every_kind),
		ONE(several_conditions),
		ONE(a_condition_of_a_register),
		ONE(a_condition_that_is_not_for_us),
		ONE(commands_that_print),
		ONE(a_command_that_is_not_for_us),
		ONE(wrong_options),
		ONE(many_conditions),
		ONE(a_point_by_monitor_in_the_same_place),
		ONE(a_point_that_went_behind_gdbs_back),
		ONE(what_stays_when_gdb_detaches),
		cmocka_unit_test(nothing_stays_when_gdb_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
