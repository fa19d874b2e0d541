// SPDX-License-Identifier: GPL-3.0-or-later
#include "dummy_rig.h"
#include "accel/dummy.h"
#include "bare_vm.h"
#include "x86/debug_registers.h"

void open_dummy(struct bare_vm *bare, struct dummy_config *dummy)
{
	struct accel_config config = {.vcpus = 2, .dummy = dummy};

	bare_open(bare, &accel_dummy, &config);
}

uint64_t dummy_rip(struct bare_vm *bare)
{
	bare_get(bare, CPU_GENERAL);
	return bare->state.general.rip;
}
