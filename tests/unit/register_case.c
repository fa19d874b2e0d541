// SPDX-License-Identifier: GPL-3.0-or-later
#include "register_case.h"

#include "cpu_samples.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

void expect_refused(const char *name, uint64_t word, int rc)
{
	struct cpu_state before = cpu;

	if (set_register(name, word) != rc)
		fail_msg("%s = 0x%llx should have been refused", name, (unsigned long long)word);
	assert_memory_equal(&before, &cpu, sizeof(cpu));
}
