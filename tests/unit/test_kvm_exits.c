// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The table of exits, fed with what kernels write into struct kvm_run: also the exits that no KVM can
 * be made to produce here.
 */
#include "accel/kvm_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct vm_exit translate(struct kvm_run *run, uint32_t reason)
{
	struct vm_exit exit;

	memset(&exit, 0xa5, sizeof(exit)); /* nothing may depend on what was there before */
	run->exit_reason = reason;
	kvm_exit_translate(run, &exit);
	return exit;
}

static void translates_io(void **unused)
{
	struct {
		struct kvm_run run;
		uint8_t page[64];
	} shared = {0};
	struct vm_exit exit;

	(void)unused;
	shared.run.io.direction = KVM_EXIT_IO_OUT;
	shared.run.io.size = 2;
	shared.run.io.port = 0x1f0;
	shared.run.io.count = 7;
	shared.run.io.data_offset = offsetof(__typeof__(shared), page);
	exit = translate(&shared.run, KVM_EXIT_IO);
	assert_int_equal(exit.reason, EXIT_IO);
	assert_string_equal(exit.name, "KVM_EXIT_IO");
	assert_true(exit.io.write);
	assert_int_equal(exit.io.size, 2);
	assert_int_equal(exit.io.port, 0x1f0);
	assert_int_equal(exit.io.count, 7);
	assert_ptr_equal(exit.io.data, shared.page);
	shared.run.io.direction = KVM_EXIT_IO_IN;
	assert_false(translate(&shared.run, KVM_EXIT_IO).io.write);
}

static void translates_mmio(void **unused)
{
	struct kvm_run run = {.mmio = {.phys_addr = 0xfed00000, .len = 8, .is_write = 1}};
	struct vm_exit exit = translate(&run, KVM_EXIT_MMIO);

	(void)unused;
	assert_int_equal(exit.reason, EXIT_MMIO);
	assert_int_equal(exit.mmio.gpa, 0xfed00000);
	assert_int_equal(exit.mmio.size, 8);
	assert_true(exit.mmio.write);
	assert_ptr_equal(exit.mmio.data, run.mmio.data);
}

static void translates_debug(void **unused)
{
	struct kvm_run run = {.debug.arch = {.exception = 3, .pc = 0x7c00, .dr6 = 5, .dr7 = 6}};
	struct vm_exit exit = translate(&run, KVM_EXIT_DEBUG);

	(void)unused;
	assert_int_equal(exit.reason, EXIT_DEBUG);
	assert_int_equal(exit.debug.pc, 0x7c00);
	assert_int_equal(exit.debug.vector, 3);
	assert_int_equal(exit.debug.dr6, 5);
	assert_int_equal(exit.debug.dr7, 6);
}

static void translates_msrs(void **unused)
{
	struct kvm_run run = {.msr = {.index = 0xc0000080, .data = 0x500}};
	struct vm_exit exit = translate(&run, KVM_EXIT_X86_WRMSR);

	(void)unused;
	assert_int_equal(exit.reason, EXIT_WRMSR);
	assert_int_equal(exit.msr.index, 0xc0000080);
	assert_int_equal(*exit.msr.value, 0x500);
	assert_false(*exit.msr.fault);
	exit = translate(&run, KVM_EXIT_X86_RDMSR);
	assert_int_equal(exit.reason, EXIT_RDMSR);
	*exit.msr.value = 0x1234567890abcdef;
	*exit.msr.fault = true;
	assert_true(run.msr.data == 0x1234567890abcdef);
	assert_int_equal(run.msr.error, 1);
}

static void translates_system_events(void **unused)
{
	static const struct {
		uint32_t type;
		enum system_event event;
	} rows[] = {
		// clang-format off
		{KVM_SYSTEM_EVENT_SHUTDOWN, SYSTEM_SHUTDOWN},
		{KVM_SYSTEM_EVENT_RESET,    SYSTEM_RESET},
		{KVM_SYSTEM_EVENT_CRASH,    SYSTEM_CRASH},
		{KVM_SYSTEM_EVENT_SUSPEND,  SYSTEM_OTHER},
		{0,                         SYSTEM_OTHER},
		{0xffffffff,                SYSTEM_OTHER},
		// clang-format on
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kvm_run run = {.system_event.type = rows[i].type};
		struct vm_exit exit = translate(&run, KVM_EXIT_SYSTEM_EVENT);

		assert_int_equal(exit.reason, EXIT_SYSTEM_EVENT);
		assert_int_equal(exit.system.event, rows[i].event);
		assert_int_equal(exit.system.type, rows[i].type);
	}
}

static void translates_internal_errors(void **unused)
{
	struct kvm_run run = {.internal = {.suberror = 3, .ndata = 2, .data = {0x11, 0x22}}};
	struct vm_exit exit = translate(&run, KVM_EXIT_INTERNAL_ERROR);

	(void)unused;
	assert_int_equal(exit.reason, EXIT_INTERNAL_ERROR);
	assert_int_equal(exit.internal.suberror, INTERNAL_DELIVERY);
	assert_int_equal(exit.internal.data_count, 2);
	assert_int_equal(exit.internal.data[1], 0x22);
	assert_int_equal(exit.internal.insn_length, 0);
	run.internal.ndata = 0xffffffff; /* more than there is room for */
	assert_int_equal(translate(&run, KVM_EXIT_INTERNAL_ERROR).internal.data_count, 16);
}

static struct vm_exit emulation_failure(uint32_t ndata, uint64_t flags, uint8_t size)
{
	struct kvm_run run = {.emulation_failure = {.suberror = KVM_INTERNAL_ERROR_EMULATION,
						    .ndata = ndata,
						    .flags = flags,
						    .insn_size = size,
						    .insn_bytes = {0xcc, 0x90}}};

	return translate(&run, KVM_EXIT_INTERNAL_ERROR);
}

static void finds_the_bytes_of_an_emulation_failure(void **unused)
{
	const uint64_t flag = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	struct vm_exit exit = emulation_failure(3, flag, 15);

	(void)unused;
	assert_int_equal(exit.internal.suberror, INTERNAL_EMULATION);
	assert_int_equal(exit.internal.insn_length, 15);
	assert_memory_equal(exit.internal.insn, "\xcc\x90", 2);
	assert_int_equal(emulation_failure(3, flag, 200).internal.insn_length, 15);
	assert_int_equal(emulation_failure(3, 0, 15).internal.insn_length, 0);
	assert_int_equal(emulation_failure(1, flag, 15).internal.insn_length, 0);
	assert_int_equal(emulation_failure(0, flag, 15).internal.insn_length, 0);
}

static void translates_refused_entries(void **unused)
{
	struct kvm_run run = {.fail_entry = {.hardware_entry_failure_reason = 7, .cpu = 1}};
	struct vm_exit exit = translate(&run, KVM_EXIT_FAIL_ENTRY);

	(void)unused;
	assert_int_equal(exit.reason, EXIT_FAIL_ENTRY);
	assert_int_equal(exit.fail_entry.reason, 7);
	assert_int_equal(exit.fail_entry.cpu, 1);
	run = (struct kvm_run){.hw.hardware_exit_reason = 0x400};
	exit = translate(&run, KVM_EXIT_UNKNOWN);
	assert_int_equal(exit.reason, EXIT_UNKNOWN);
	assert_int_equal(exit.hardware_reason, 0x400);
}

static void translates_exits_without_details(void **unused)
{
	static const struct {
		uint32_t number;
		enum exit_reason reason;
	} rows[] = {
		// clang-format off
		{KVM_EXIT_INTR,            EXIT_INTR},
		{KVM_EXIT_SET_TPR,         EXIT_INTR},
		{KVM_EXIT_IRQ_WINDOW_OPEN, EXIT_IRQ_WINDOW},
		{KVM_EXIT_HLT,             EXIT_HLT},
		{KVM_EXIT_SHUTDOWN,        EXIT_SHUTDOWN},
		{KVM_EXIT_EXCEPTION,       EXIT_OTHER},
		{KVM_EXIT_HYPERCALL,       EXIT_OTHER},
		{KVM_EXIT_NMI,             EXIT_OTHER},
		{KVM_EXIT_X86_BUS_LOCK,    EXIT_OTHER},
		{KVM_EXIT_NOTIFY,          EXIT_OTHER},
		// clang-format on
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kvm_run run = {0};
		struct vm_exit exit = translate(&run, rows[i].number);

		assert_int_equal(exit.reason, rows[i].reason);
		assert_string_equal(exit.name, kvm_exit_name(rows[i].number));
		if (exit.reason == EXIT_OTHER)
			assert_int_equal(exit.number, rows[i].number);
	}
}

static void survives_exits_of_the_future(void **unused)
{
	struct kvm_run run = {0};

	(void)unused;
	for (uint32_t number = 43; number; number = number < 0x80000000 ? number * 2 : 0) {
		struct vm_exit exit = translate(&run, number);

		assert_int_equal(exit.reason, EXIT_OTHER);
		assert_int_equal(exit.number, number);
		assert_non_null(exit.name);
	}
}

/* ---- every name ------------------------------------------------------------------------- */

/* KVM_EXIT_* that are not exit reasons but details of one. */
static bool is_detail(const char *name)
{
	static const char *const details[] = {"KVM_EXIT_IO_IN",		"KVM_EXIT_IO_OUT",
					      "KVM_EXIT_HYPERV_SYNIC",	"KVM_EXIT_HYPERV_HCALL",
					      "KVM_EXIT_HYPERV_SYNDBG", "KVM_EXIT_XEN_HCALL"};

	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++)
		if (!strcmp(details[i], name))
			return true;
	return false;
}

/* Takes "#define KVM_EXIT_IO 2" apart; false for other lines. */
static bool parse_definition(const char *line, char name[64], uint32_t *number)
{
	char value[16], *end;

	if (sscanf(line, "#define %63s %15s", name, value) != 2 ||
	    strncmp(name, "KVM_EXIT_", strlen("KVM_EXIT_")) != 0 || is_detail(name))
		return false;
	*number = (uint32_t)strtoul(value, &end, 0);
	return !*end;
}

static unsigned check_header(FILE *header)
{
	char line[256], name[64];
	uint32_t number;
	unsigned found = 0;

	while (fgets(line, sizeof(line), header)) {
		if (!parse_definition(line, name, &number))
			continue;
		if (!kvm_exit_name(number))
			fail_msg("%s (%u) has no name", name, number);
		assert_string_equal(kvm_exit_name(number), name);
		found++;
	}
	return found;
}

static void names_every_reason_of_the_kernels_header(void **unused)
{
	FILE *header = fopen("/usr/include/linux/kvm.h", "r");

	(void)unused;
	if (!header) {
		print_message("/usr/include/linux/kvm.h is not here\n");
		skip();
	}
	assert_true(check_header(header) >= 38);
	fclose(header);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(translates_io),
		T(translates_mmio),
		T(translates_debug),
		T(translates_msrs),
		T(translates_system_events),
		T(translates_internal_errors),
		T(finds_the_bytes_of_an_emulation_failure),
		T(translates_refused_entries),
		T(translates_exits_without_details),
		T(survives_exits_of_the_future),
		T(names_every_reason_of_the_kernels_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
