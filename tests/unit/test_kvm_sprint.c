// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Ranges that are run through, on the host's own KVM: an exception in the middle of one ends it where a step would have
 * ended, at the handler. Without int3 every range is stepped, which is what the other way is compared with.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "step_place.h"

#include "x86/exceptions.h"

#define WINDOW 0x600000u /* the same memory again, with nothing below */
#define BELOW  1500

static const uint8_t reads_down[] = {
	0x8a, 0x07,	  /* 1: mov (%rdi),%al */
	0x48, 0xff, 0xcf, /* dec %rdi */
	0xe2, 0xf9,	  /* loop 1b */
};

struct fault {
	uint64_t pc, turns, error, rip, sp, debug_exits;
};

static void range(struct place *p, uint64_t size)
{
	const struct plan plan = {
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + size};
	struct error err = {0};

	if (debug_resume(p->rig.debug, &plan, OWNER_GDB, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rig_wait_stop(&p->rig)->reason, STOP_STEP);
}

static uint64_t debug_exits(struct place *p)
{
	struct trace_share share;

	assert_true(debug_trace_share(p->rig.debug, 0, EXIT_DEBUG, &share));
	return share.exits;
}

static struct fault read_down(const char *strategy)
{
	struct fault fault;
	struct place p;
	uint64_t frame;

	place_start(&p, LONG, strategy);
	place_put64(&p, PAGE_DIR + 8 * (WINDOW >> 21), 0x83);
	place_code(&p, reads_down, sizeof(reads_down));
	rig_set_reg(&p.rig, 0, "rcx", 100000);
	rig_set_reg(&p.rig, 0, "rdi", WINDOW + BELOW);
	range(&p, sizeof(reads_down));
	frame = rig_reg(&p.rig, 0, "rsp");
	fault = (struct fault){.pc = debug_pc(p.rig.debug, 0),
			       .turns = 100000 - rig_reg(&p.rig, 0, "rcx"),
			       .error = place_get(&p, frame, 8),
			       .rip = place_get(&p, frame + 8, 8),
			       .sp = place_get(&p, frame + 32, 8),
			       .debug_exits = debug_exits(&p)};
	place_stop(&p);
	return fault;
}

static void expect_page_fault(const struct fault *fault)
{
	assert_int_equal(fault->pc, HANDLERS + 16 * VECTOR_PF);
	assert_int_equal(fault->turns, BELOW + 1);
	assert_int_equal(fault->error, 0);
	assert_int_equal(fault->rip, RIG_CODE);
	assert_int_equal(fault->sp, STACK);
}

static void test_page_fault_ends_it(void **state)
{
	struct fault by_steps, by_sprint;

	(void)state;
	rig_needs_kvm();
	by_steps = read_down("break=slot");
	expect_page_fault(&by_steps);
	by_sprint = read_down(NULL);
	expect_page_fault(&by_sprint);
	assert_true(by_sprint.debug_exits <= by_steps.debug_exits);
}

/* Beyond the canonical addresses. */
static void test_general_protection_ends_it(void **state)
{
	static const uint8_t doubles[] = {
		0x8a, 0x07,		      /* 1: mov (%rdi),%al */
		0x48, 0x0f, 0xba, 0xe9,	      /* bts $63,%rcx … */
		0x3f, 0x48, 0x0f, 0xba, 0xf1, /* … and btr: rcx is what it was */
		0x3f, 0xe2, 0xf2,	      /* loop 1b */
		0x48, 0x0f, 0xba, 0xef,	      /* bts $63,%rdi */
		0x3f, 0x8a, 0x07,	      /* mov (%rdi),%al */
	};

	(void)state;
	rig_needs_kvm();
	for (unsigned way = 0; way < 2; way++) {
		struct place p;

		place_start(&p, LONG, way ? NULL : "break=slot");
		place_code(&p, doubles, sizeof(doubles));
		rig_set_reg(&p.rig, 0, "rcx", 1000);
		rig_set_reg(&p.rig, 0, "rdi", STACK);
		range(&p, sizeof(doubles));
		assert_int_equal(debug_pc(p.rig.debug, 0), HANDLERS + 16 * VECTOR_GP);
		assert_int_equal(place_get(&p, rig_reg(&p.rig, 0, "rsp") + 8, 8),
				 RIG_CODE + sizeof(doubles) - 2);
		assert_int_equal(rig_reg(&p.rig, 0, "rcx"), 0);
		place_stop(&p);
	}
}

/* A long loop, to its very end. */
static void test_a_long_loop(void **state)
{
	/* 1: inc %rax; loop 1b; nop */
	static const uint8_t code[] = {0x48, 0xff, 0xc0, 0xe2, 0xfb, NOP};

	(void)state;
	rig_needs_kvm();
	for (unsigned way = 0; way < 2; way++) {
		struct place p;

		place_start(&p, LONG, way ? NULL : "break=slot");
		place_code(&p, code, sizeof(code));
		rig_set_reg(&p.rig, 0, "rax", 0);
		rig_set_reg(&p.rig, 0, "rcx", 3000);
		range(&p, 5);
		assert_int_equal(debug_pc(p.rig.debug, 0), RIG_CODE + 5);
		assert_int_equal(rig_reg(&p.rig, 0, "rax"), 3000);
		assert_int_equal(rig_reg(&p.rig, 0, "rsp"), STACK);
		place_stop(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_fault_ends_it),
		cmocka_unit_test(test_general_protection_ends_it),
		cmocka_unit_test(test_a_long_loop),
	};

	return cmocka_run_group_tests_name("ranges that are run through, on KVM", tests, NULL,
					   NULL);
}
