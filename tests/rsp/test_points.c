// SPDX-License-Identifier: GPL-3.0-or-later
/* Z and z. */
#include "peer.h"

#include <errno.h>
#include <string.h>

static void every_kind(void **state)
{
	static const struct {
		char type;
		enum point_kind kind;
		uint64_t length;
	} rows[] = {
		{'0', POINT_SOFTWARE, 1}, {'1', POINT_HARDWARE, 1}, {'2', POINT_WRITE, 8},
		{'3', POINT_READ, 8},	  {'4', POINT_ACCESS, 8},
	};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct point *point = NULL;

		ask(peer, text("Z%c,ffffffff80001000,8", rows[i].type), "OK");
		assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 1);
		point = debug_point_next(peer->debug, NULL);
		assert_int_equal(point->spec.kind, rows[i].kind);
		assert_true(point->spec.address == 0xffffffff80001000);
		assert_true(point->spec.length == rows[i].length);
		assert_int_equal(point->owner, OWNER_GDB);
		ask(peer, text("z%c,ffffffff80001000,8", rows[i].type), "OK");
		assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 0);
	}
	ask(peer, "Z5,100,1", "");
	ask(peer, "z5,100,1", "");
	ask(peer, "Zffffffffffffffff,100,1", "");
}

static void twice_is_once(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Z0,100,1", "OK");
	ask(peer, "Z0,100,1", "OK");
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 1);
	ask(peer, "z0,100,1", "OK");
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 0);
	ask(peer, "z0,100,1", "OK");
	ask(peer, "z2,300,4", "OK");
}

/* The size of a breakpoint instruction says nothing about where it is. */
static void the_kind_of_a_breakpoint_does_not_matter(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Z0,100,1", "OK");
	ask(peer, "Z0,100,0", "OK");
	ask(peer, "z0,100,3", "OK");
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 0);
}

static void a_point_belongs_to_its_owner(void **state)
{
	struct point_spec spec = {.kind = POINT_SOFTWARE, .address = 0x100, .length = 1};
	struct peer *peer = *state;

	debug_point_add(peer->debug, &spec, OWNER_CONSOLE, NULL);
	ask(peer, "z0,100,1", "OK");
	assert_int_equal(fake_point_count(peer->debug, OWNER_CONSOLE), 1);
}

static void the_address_is_that_of_the_current_vcpu(void **state)
{
	struct peer *peer = *state;

	ask(peer, "Hg3", "OK");
	ask(peer, "Z0,100,1", "OK");
	assert_int_equal(debug_point_next(peer->debug, NULL)->spec.vcpu, 2);
}

/* The empty reply would make gdb write int3 bytes into the guest by itself. */
static void a_refusal_is_an_error(void **state)
{
	static const int errors[] = {-EBUSY, -EFAULT, -ENOSYS, -ENOMEM};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		peer->debug->refuse_point = errors[i];
		ask(peer, "Z0,100,1", text("E%02x", -errors[i]));
	}
}

/* gdb would find words of its own, and wrong ones. */
static void what_nothing_carries_is_refused_at_the_resume(void **state)
{
	static const int errors[] = {-ENOTSUP, -ENOSPC};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		const char *out;

		ask(peer, "Z0,200,1", "OK");
		peer->debug->refuse_point = errors[i];
		ask(peer, "Z0,100,1", "OK");
		ask(peer, "Z0,100,1", "OK");
		peer_send(peer, "vCont;s:1;c");
		out = strstr(peer_take(peer, NULL),
			     hex_of("no int3 in ring 3 here; use a *watch*"));
		assert_non_null(out);
		assert_non_null(strstr(out, text("$T00thread:1;core:0;%s#", expedited(peer, 0))));
		assert_int_equal(peer->debug->resumes, i);
		/* A later try may go well. */
		peer->debug->refuse_point = i ? 0 : errors[i];
		ask(peer, i ? "Z0,100,1" : "z0,100,1", "OK");
		peer->debug->refuse_point = 0;
		peer_send(peer, "vCont;c");
		expect_silence(peer);
		fake_stop(peer->debug, &(struct stop){.reason = STOP_PAUSE}, OWNER_GDB);
		peer_take(peer, NULL);
		assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 1 + i);
	}
	assert_int_equal(peer->debug->resumes, 2);
}

static void malformed(void **state)
{
	static const char *const bodies[] = {
		"Z",
		"Z0",
		"Z0,",
		"Z0,100",
		"Z0,100,",
		"Z0,,1",
		"Z,100,1",
		"Z0,x,1",
		"Z0,100,x",
		"Z0,100,1x",
		"Z2,100,0",
		"Z0,100,1;X1,0",
		"Z0,100,1 ",
		"z0,100,1;X3,220127",
		"Z0100,1",
		"Z-1,100,1",
		"Z2,fffffffffffffff0,20",
		"Z2,0,10000000000000000",
		"z",
		"z0",
		"z0,100",
		"z0,100,",
		"z2,100,0",
	};
	struct peer *peer = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		ask_error(peer, bodies[i]);
	assert_int_equal(fake_point_count(peer->debug, OWNER_GDB), 0);
}

int main(void)
{
#define ONE(name) cmocka_unit_test_setup_teardown(name, setup_peer, teardown_peer)
#define SMP(name) cmocka_unit_test_setup_teardown(name, setup_peer_smp, teardown_peer)
	const struct CMUnitTest tests[] = {
		ONE(every_kind),
		ONE(twice_is_once),
		ONE(the_kind_of_a_breakpoint_does_not_matter),
		ONE(a_point_belongs_to_its_owner),
		SMP(the_address_is_that_of_the_current_vcpu),
		ONE(a_refusal_is_an_error),
		cmocka_unit_test_setup_teardown(what_nothing_carries_is_refused_at_the_resume,
						setup_peer_smp, teardown_peer),
		ONE(malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
