// SPDX-License-Identifier: GPL-3.0-or-later
/* Accelerators are found by name, and every exit has one. */
#include "accel/accel.h"
#include "accel/dummy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void finds_accelerators(void **unused)
{
	(void)unused;
	assert_ptr_equal(accel_find("kvm"), &accel_kvm);
	assert_ptr_equal(accel_find("dummy"), &accel_dummy);
	assert_null(accel_find("tcg"));
	assert_null(accel_find(""));
}

static void every_reason_has_a_name(void **unused)
{
	(void)unused;
	for (int i = 0; i < EXIT_REASON_COUNT; i++) {
		assert_non_null(exit_reason_name((enum exit_reason)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(exit_reason_name((enum exit_reason)i),
						exit_reason_name((enum exit_reason)j));
	}
	assert_string_equal(exit_reason_name(EXIT_IO), "port I/O");
	assert_string_equal(exit_reason_name(EXIT_REASON_COUNT), "no such exit");
}

static void check(const struct vm_exit *exit, const char *expected)
{
	char text[200];

	vm_exit_describe(exit, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void describes_port_io(void **unused)
{
	uint8_t data[40] = {0x41, 0x42, 0x43, 0x44};
	struct vm_exit exit = {.reason = EXIT_IO, .name = "KVM_EXIT_IO"};

	(void)unused;
	exit.io.port = 0x3f8;
	exit.io.size = 1;
	exit.io.count = 1;
	exit.io.write = true;
	exit.io.data = data;
	check(&exit, "KVM_EXIT_IO: out 0x3f8, 1 byte: 0x41");
	exit.io.size = 4;
	check(&exit, "KVM_EXIT_IO: out 0x3f8, 4 bytes: 0x44434241");
	exit.io.size = 2;
	exit.io.count = 2;
	check(&exit, "KVM_EXIT_IO: out 0x3f8, 2 times 2 bytes: 41 42 43 44");
	exit.io.count = 20;
	check(&exit, "KVM_EXIT_IO: out 0x3f8, 20 times 2 bytes: "
		     "41 42 43 44 00 00 00 00 00 00 00 00 00 00 00 00 …");
	exit.io.write = false;
	check(&exit, "KVM_EXIT_IO: in 0x3f8, 20 times 2 bytes");
}

static void describes_mmio(void **unused)
{
	uint8_t data[8] = {0x41, 7};
	struct vm_exit exit = {.reason = EXIT_MMIO, .name = "KVM_EXIT_MMIO"};

	(void)unused;
	exit.mmio.gpa = 0xb8000;
	exit.mmio.size = 2;
	exit.mmio.write = true;
	exit.mmio.data = data;
	check(&exit, "KVM_EXIT_MMIO: write 0xb8000, 2 bytes: 0x741");
	exit.mmio.write = false;
	check(&exit, "KVM_EXIT_MMIO: read 0xb8000, 2 bytes");
}

static void describes_the_rest(void **unused)
{
	uint64_t value = 0x1234;
	struct vm_exit exit = {.reason = EXIT_DEBUG, .name = "KVM_EXIT_DEBUG"};

	(void)unused;
	exit.debug.pc = 0x2000;
	exit.debug.vector = 1;
	exit.debug.dr6 = 0xffff4ff0;
	check(&exit, "KVM_EXIT_DEBUG: #DB at 0x2000, dr6 0xffff4ff0");

	exit = (struct vm_exit){.reason = EXIT_WRMSR, .name = "KVM_EXIT_X86_WRMSR"};
	exit.msr.index = 0x123456;
	exit.msr.value = &value;
	check(&exit, "KVM_EXIT_X86_WRMSR: MSR 0x123456 = 0x1234");

	exit = (struct vm_exit){.reason = EXIT_SYSTEM_EVENT, .name = "KVM_EXIT_SYSTEM_EVENT"};
	exit.system.event = SYSTEM_RESET;
	exit.system.type = 2;
	check(&exit, "KVM_EXIT_SYSTEM_EVENT: reset (type 2)");

	exit = (struct vm_exit){.reason = EXIT_FAIL_ENTRY, .name = "KVM_EXIT_FAIL_ENTRY"};
	exit.fail_entry.reason = 0x80000021;
	exit.fail_entry.cpu = 3;
	check(&exit, "KVM_EXIT_FAIL_ENTRY: hardware reason 0x80000021 on host CPU 3");

	exit = (struct vm_exit){.reason = EXIT_UNKNOWN, .name = "KVM_EXIT_UNKNOWN"};
	exit.hardware_reason = 77;
	check(&exit, "KVM_EXIT_UNKNOWN: hardware exit reason 0x4d");

	exit = (struct vm_exit){.reason = EXIT_HOST_ERROR, .name = "KVM_RUN"};
	exit.host_errno = EFAULT;
	check(&exit, "KVM_RUN: Bad address");

	exit = (struct vm_exit){.reason = EXIT_OTHER, .name = "KVM_EXIT_NOTIFY"};
	exit.number = 37;
	check(&exit, "KVM_EXIT_NOTIFY: exit reason 37");

	exit = (struct vm_exit){.reason = EXIT_SHUTDOWN};
	check(&exit, "triple fault");
}

static void describes_internal_errors(void **unused)
{
	struct vm_exit exit = {.reason = EXIT_INTERNAL_ERROR, .name = "E"};

	(void)unused;
	exit.internal.suberror = INTERNAL_EMULATION;
	exit.internal.insn_length = 2;
	exit.internal.insn[0] = 0x0f;
	exit.internal.insn[1] = 0xc7;
	check(&exit, "E: sub-error 1, an instruction that KVM cannot emulate: 0f c7");

	exit.internal.insn_length = 0;
	exit.internal.suberror = INTERNAL_DELIVERY;
	exit.internal.data_count = 2;
	exit.internal.data[0] = 0x10;
	exit.internal.data[1] = 0x20;
	check(&exit, "E: sub-error 3, an exit while an event was delivered; data 0x10 0x20");

	exit.internal.suberror = 99;
	exit.internal.data_count = 0;
	check(&exit, "E: sub-error 99, an unknown sub-error");
}

/* A short buffer cuts the text, and nothing behind it is touched. */
static void cuts_long_descriptions(void **unused)
{
	struct vm_exit exit = {.reason = EXIT_INTERNAL_ERROR, .name = "KVM_EXIT_INTERNAL_ERROR"};
	char text[40];

	(void)unused;
	exit.internal.insn_length = 15;
	for (size_t size = 0; size < sizeof(text); size++) {
		memset(text, '#', sizeof(text));
		vm_exit_describe(&exit, text, size);
		assert_int_equal(text[size], '#');
		if (size)
			assert_int_equal(strlen(text), size - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_accelerators),
		cmocka_unit_test(every_reason_has_a_name),
		cmocka_unit_test(describes_port_io),
		cmocka_unit_test(describes_mmio),
		cmocka_unit_test(describes_the_rest),
		cmocka_unit_test(describes_internal_errors),
		cmocka_unit_test(cuts_long_descriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
