// SPDX-License-Identifier: GPL-3.0-or-later
#include "kvm_case.h"
#include "accel/kvm_private.h"
#include "bare_vm.h"
#include "x86/debug_registers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void open_kvm(struct bare_vm *bare, const struct accel_config *config)
{
	if (!bare_available(&accel_kvm))
		skip();
	bare_open(bare, &accel_kvm, config);
}

uint64_t kvm_reg(struct bare_vm *bare, enum cpu_gpr gpr)
{
	bare_get(bare, CPU_GENERAL);
	return bare->state.general.gpr[gpr];
}

uint64_t kvm_rip(struct bare_vm *bare)
{
	bare_get(bare, CPU_GENERAL);
	return bare->state.general.rip;
}

void kvm_answer(struct bare_vm *bare, uint16_t port, unsigned size, const char *bytes)
{
	const struct vm_exit *exit = bare_expect(bare, EXIT_IO);

	assert_false(exit->io.write);
	assert_int_equal(exit->io.port, port);
	assert_int_equal(exit->io.size, size);
	assert_int_equal(exit->io.count, 1);
	memcpy(exit->io.data, bytes, size);
}
