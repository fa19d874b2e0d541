// SPDX-License-Identifier: GPL-3.0-or-later
/* Steps on the dummy accelerator, where every rung can be played: test_kvm_steps.c has those that take a
 * real CPU. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <string.h>

/* ---- what cannot be executed ------------------------------------------------------------- */

static const struct {
	uint8_t code[8];
	const char *says[2];
} failures[] = {
	{{0x0f, 0x58, 0xc1}, {"'addps %xmm1, %xmm0'", "-mgeneral-regs-only"}},
	{{0xcd, 0x21}, {"'int $0x21'", "call its handler itself"}},
	{{0xff, 0xff}, {"(ff ff", "no instruction"}},
	{{0x0f, 0xc7, 0x0f}, {"'cmpxchg8b (%edi)' here (bytes 0f c7 0f)", "a host with VT-x"}},
};

/* The instruction, its bytes, and what to do about it. */
static void test_emulation_failures_are_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		const struct stop *stop;
		struct rig rig = {0};

		rig_start(&rig, 1, IRQCHIP_KERNEL);
		rig_code(&rig, 0, failures[i].code, sizeof(failures[i].code));
		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->reason, STOP_EMULATION_FAILURE);
		assert_int_equal(stop->pc, RIG_CODE);
		for (unsigned n = 0; n < 2; n++)
			if (!strstr(stop->text, failures[i].says[n]))
				fail_msg("'%s' does not say '%s'", stop->text, failures[i].says[n]);
		assert_true(strlen(stop->text) < sizeof(stop->text) - 1);
		rig_stop(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emulation_failures_are_explained),
	};

	return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
