// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Steps into handlers and out of them, in three modes on the host's own KVM: the step ends at the handler's
 * first instruction, and nothing of the debugger's shows in the frame on the guest's stack.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "step_place.h"

#include "x86/exceptions.h"

/* ---- into a handler ---------------------------------------------------------------------- */

struct entry {
	const char *what;
	uint8_t code[4];
	uint8_t length;
	uint8_t vector;
	bool trap; /* the handler returns behind the instruction */
	bool error_code;
};

static const struct entry entries[] = {
	{"ud2", {0x0f, 0x0b}, 2, VECTOR_UD, false, false},
	{"div by zero", {0xf7, 0xf1}, 2, VECTOR_DE, false, false},
	{"mov to fs", {0x8e, 0xe0}, 2, VECTOR_GP, false, true},
	{"int $0x21", {0xcd, 0x21}, 2, 0x21, true, false},
	{"int3", {0xcc}, 1, VECTOR_BP, true, false},
};

static void check_frame(struct place *p, const struct entry *e)
{
	size_t size = word_size[p->mode];
	uint64_t frame = rig_reg(&p->rig, 0, "rsp") + (e->error_code ? size : 0);

	assert_int_equal(place_get(p, frame, size), RIG_CODE + (e->trap ? e->length : 0));
	if ((place_get(p, frame + 2 * size, size) ^ RFLAGS_FIXED) & ~(uint64_t)RFLAGS_RF)
		fail_msg("%s, %s: flags on the stack are 0x%llx", mode_names[p->mode], e->what,
			 (unsigned long long)place_get(p, frame + 2 * size, size));
	assert_int_equal(rig_reg(&p->rig, 0, "rflags") & ~(uint64_t)RFLAGS_RF, RFLAGS_FIXED);
}

/* Back from the handler of a trap, step by step. */
static void step_back(struct place *p, const struct entry *e)
{
	uint64_t handler = HANDLERS + 16 * e->vector;

	if (place_step(p, e->what, handler + 1) && place_step(p, "iret", RIG_CODE + e->length))
		place_step(p, "behind iret", RIG_CODE + e->length + 1);
	assert_int_equal(rig_reg(&p->rig, 0, "rflags") & ~(uint64_t)RFLAGS_RF, RFLAGS_FIXED);
}

static void test_step_into_a_handler(void **state)
{
	struct place p;

	(void)state;
	rig_needs_kvm();
	for (enum mode mode = REAL; mode < MODES; mode++) {
		place_start(&p, mode, NULL);
		for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
			const struct entry *e = &entries[i];

			if (mode == REAL && e->error_code)
				continue;
			place_code(&p, e->code, e->length);
			if (!place_step(&p, e->what, HANDLERS + 16 * e->vector))
				continue;
			check_frame(&p, e);
			if (e->trap)
				step_back(&p, e);
		}
		place_stop(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step_into_a_handler),
	};

	return cmocka_run_group_tests_name("steps into handlers, on KVM", tests, NULL, NULL);
}
