// SPDX-License-Identifier: GPL-3.0-or-later
/* Plans that run until an interrupt's handler has returned, on the host's own KVM: whatever RF is in the frame, to
 * either ring, by each rung that breakpoints have. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "step_place.h"

#include <errno.h>

#define TARGET	     (RIG_CODE + 0x10)
#define OLD_STACK    (STACK + 0x200)
#define RFLAGS_IOPL3 0x3000u

/* Its own frame is read and written before it is used. */
static const uint8_t handler[] = {
	0x48, 0x8b, 0x04, 0x24,				/* mov (%rsp),%rax */
	0x48, 0x89, 0x04, 0x24,				/* mov %rax,(%rsp) */
	0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x48, 0xcf, /* iretq */
	0x90, 0x90, 0xe6, 0xf4, /* where it leads: nop; nop; out %al,$0xf4: the end */
};

static void start(struct place *p, const char *strategy, bool user, uint64_t flags)
{
	const uint64_t open = user ? OPEN : 0;
	const uint64_t frame[5] = {open + TARGET, user ? USER_CODE : CODE_SEL,
				   RFLAGS_FIXED | RFLAGS_IOPL3 | flags, open + OLD_STACK,
				   user ? USER_DATA : DATA_SEL};

	place_start(p, LONG, strategy);
	place_code(p, handler, sizeof(handler));
	place_put(p, STACK, frame, sizeof(frame));
}

/* False: this host has no breakpoint that works there, and says so. */
static bool go(struct place *p, bool user)
{
	const uint64_t open = user ? OPEN : 0;
	const struct plan plan = {.action = PLAN_UNTIL,
				  .address = open + TARGET,
				  .above_sp = open + OLD_STACK - 1,
				  .frame = STACK};
	struct error why = {0};
	int rc = debug_resume(p->rig.debug, &plan, OWNER_CONSOLE, &why);

	if (rc == -ENOTSUP && user)
		print_message("# SKIP needs breakpoints in ring 3\n");
	else
		assert_int_equal(rc, 0);
	return rc == 0;
}

static void is_there(struct place *p, bool user)
{
	const uint64_t open = user ? OPEN : 0;
	const struct stop *stop = rig_wait_stop(&p->rig);

	assert_string_equal(stop->text, "arrived");
	assert_int_equal(stop->reason, STOP_STEP);
	assert_int_equal(stop->point, 0);
	assert_int_equal(debug_pc(p->rig.debug, 0), open + TARGET);
	assert_int_equal(rig_reg(&p->rig, 0, "rsp"), open + OLD_STACK);
	/* Nothing is left behind. */
	assert_null(debug_point_next(p->rig.debug, NULL));
	rig_continue(&p->rig);
	rig_wait_exit(&p->rig);
}

static void returns(const char *strategy, bool user, uint64_t flags)
{
	struct place p;
	bool can;

	rig_needs_kvm();
	start(&p, strategy, user, flags);
	can = go(&p, user);
	if (can)
		is_there(&p, user);
	place_stop(&p);
	if (!can)
		skip();
}

static void test_back_to_the_kernel(void **state)
{
	(void)state;
	returns(NULL, false, 0);
	returns("break=slot", false, 0);
}

static void test_back_to_what_faulted(void **state)
{
	(void)state;
	returns(NULL, false, RFLAGS_RF);
	returns("break=slot", false, RFLAGS_RF);
}

static void test_back_to_ring_3(void **state)
{
	(void)state;
	returns(NULL, true, 0);
}

static void test_back_to_what_faulted_in_ring_3(void **state)
{
	(void)state;
	returns(NULL, true, RFLAGS_RF);
}

/* Somebody else's points take what they need; then the way back is seen where RF does not hide it. */
static void test_no_debug_register_left(void **state)
{
	struct point_spec spec = {.kind = POINT_HARDWARE, .address = 0x10000, .length = 1};
	struct place p;

	(void)state;
	rig_needs_kvm();
	start(&p, "break=slot", false, 0);
	for (int i = 0; i < 3; i++, spec.address++)
		assert_true(debug_point_add(p.rig.debug, &spec, OWNER_CONSOLE, NULL) > 0);
	assert_true(go(&p, false));
	assert_int_equal(rig_wait_stop(&p.rig)->reason, STOP_STEP);
	assert_int_equal(debug_pc(p.rig.debug, 0), TARGET);
	place_stop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back_to_the_kernel),
		cmocka_unit_test(test_back_to_what_faulted),
		cmocka_unit_test(test_back_to_ring_3),
		cmocka_unit_test(test_back_to_what_faulted_in_ring_3),
		cmocka_unit_test(test_no_debug_register_left),
	};

	return cmocka_run_group_tests_name("ways back, on KVM", tests, NULL, NULL);
}
