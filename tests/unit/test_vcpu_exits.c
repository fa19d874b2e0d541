// SPDX-License-Identifier: GPL-3.0-or-later
/* Exits that stop the machine, each with its reason, and the debugger alive. */
#include "vcpu_rig.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- exits that stop the machine, each with its reason, and the debugger alive ----------- */

static void scripted_stop(const struct vm_exit *exit, enum stop_reason reason, const char *says)
{
	struct rig rig = {0};
	const struct stop *stop;

	rig_start(&rig, 2, IRQCHIP_KERNEL);
	dummy_play(rig.machine->vcpus[0].accel, exit, 1);
	rig_code(&rig, 0, vcpu_spin, sizeof(vcpu_spin));
	rig_code(&rig, 1, vcpu_spin, sizeof(vcpu_spin));
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, reason);
	assert_int_equal(stop->vcpu, 0);
	if (!strstr(stop->text, says))
		fail_msg("'%s' does not say '%s'", stop->text, says);
	assert_int_equal(rig_reg(&rig, 0, "rip"), RIG_CODE);
	rig_set_reg(&rig, 0, "rbx", 5);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 5);
	rig_stop(&rig);
}

static void test_internal_error(void **state)
{
	struct vm_exit exit = {.reason = EXIT_INTERNAL_ERROR,
			       .name = "KVM_EXIT_INTERNAL_ERROR",
			       .internal = {.suberror = INTERNAL_EMULATION,
					    .insn_length = 3,
					    .insn = {0x0f, 0xae, 0x2f}}};

	(void)state;
	scripted_stop(&exit, STOP_EMULATION_FAILURE, "0f ae 2f");
	exit.internal.suberror = INTERNAL_DELIVERY;
	scripted_stop(&exit, STOP_EMULATION_FAILURE, "");
}

static void test_fail_entry(void **state)
{
	const struct vm_exit exit = {.reason = EXIT_FAIL_ENTRY,
				     .name = "KVM_EXIT_FAIL_ENTRY",
				     .fail_entry = {.reason = 0x80000021}};

	(void)state;
	scripted_stop(&exit, STOP_HOST_ERROR, "0x80000021");
}

static void test_unknown_exit(void **state)
{
	const struct vm_exit exit = {
		.reason = EXIT_UNKNOWN, .name = "KVM_EXIT_UNKNOWN", .hardware_reason = 0x77};

	(void)state;
	scripted_stop(&exit, STOP_HOST_ERROR, "0x77");
}

static void test_host_error(void **state)
{
	const struct vm_exit exit = {
		.reason = EXIT_HOST_ERROR, .name = "KVM_RUN", .host_errno = EFAULT};

	(void)state;
	scripted_stop(&exit, STOP_HOST_ERROR, strerror(EFAULT));
}

static void test_named_but_unhandled_exit(void **state)
{
	const struct vm_exit exit = {.reason = EXIT_OTHER, .name = "KVM_EXIT_XEN", .number = 34};

	(void)state;
	scripted_stop(&exit, STOP_HOST_ERROR, "KVM_EXIT_XEN");
}

static void test_msr_exit(void **state)
{
	static uint64_t value;
	static bool fault;
	struct vm_exit exit = {.reason = EXIT_RDMSR,
			       .name = "KVM_EXIT_X86_RDMSR",
			       .msr = {.index = 0x277, .value = &value, .fault = &fault}};

	(void)state;
	/* A filter kept the access from the kernel: it is made here, and the guest goes on. */
	scripted_io(&exit);
	assert_false(fault);
	assert_int_equal(value, 0x0007040600070406);
	exit.msr.index = 0x1234;
	scripted_io(&exit);
	assert_true(fault);
}

static void test_guest_crash_event(void **state)
{
	const struct vm_exit exit = {.reason = EXIT_SYSTEM_EVENT,
				     .name = "KVM_SYSTEM_EVENT_CRASH",
				     .system = {.event = SYSTEM_CRASH}};

	(void)state;
	scripted_stop(&exit, STOP_HOST_ERROR, "");
}

static void test_triple_fault_stops_and_refuses_to_go_on(void **state)
{
	const struct vm_exit exit = {.reason = EXIT_SHUTDOWN, .name = "KVM_EXIT_SHUTDOWN"};
	struct rig rig = {0};
	struct error err = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	dummy_play(rig.machine->vcpus[0].accel, &exit, 1);
	rig_code(&rig, 0, vcpu_spin, sizeof(vcpu_spin));
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_TRIPLE_FAULT);
	assert_int_equal(debug_continue(rig.debug, OWNER_CONSOLE, &err), -ENOTSUP);
	assert_int_equal(debug_reset(rig.debug, OWNER_CONSOLE, &err), 0);
	rig_stop(&rig);
}

/* KVM on AMD-V resets a vCPU that is in shutdown. The user must not take that for what happened. */
static void test_triple_fault_tells_of_lost_registers(void **state)
{
	const struct vm_exit exit = {.reason = EXIT_SHUTDOWN, .name = "KVM_EXIT_SHUTDOWN"};

	(void)state;
	for (int lost = 0; lost < 2; lost++) {
		struct rig rig = {.as_at_reset = lost};
		const struct stop *stop;

		rig_start(&rig, 1, IRQCHIP_KERNEL);
		dummy_play(rig.machine->vcpus[0].accel, &exit, 1);
		rig_continue(&rig);
		stop = rig_wait_stop(&rig);
		assert_int_equal(stop->reason, STOP_TRIPLE_FAULT);
		assert_int_equal(strstr(stop->text, "registers are lost") != NULL, lost);
		rig_stop(&rig);
	}
}

static void test_triple_fault_by_policy(void **state)
{
	const struct vm_exit exit = {.reason = EXIT_SHUTDOWN, .name = "KVM_EXIT_SHUTDOWN"};
	struct rig resets = {.dummy = {.script = &exit},
			     .config = {.on_triple_fault = ON_TRIPLE_FAULT_RESET}};
	struct rig exits = {.dummy = {.script = &exit},
			    .config = {.on_triple_fault = ON_TRIPLE_FAULT_EXIT}};

	(void)state;
	rig_start(&resets, 1, IRQCHIP_KERNEL);
	dummy_play(resets.machine->vcpus[0].accel, &exit, 1);
	rig_continue(&resets);
	while (resets.count[DEBUG_RESET] == 0)
		assert_true(rig_wait(&resets));
	rig_stop(&resets);

	rig_start(&exits, 1, IRQCHIP_KERNEL);
	dummy_play(exits.machine->vcpus[0].accel, &exit, 1);
	rig_continue(&exits);
	assert_int_equal(rig_wait_exit(&exits)->exit_status, 1);
	rig_stop(&exits);
}

static void system_event(enum system_event event, enum debug_event expect)
{
	const struct vm_exit exit = {.reason = EXIT_SYSTEM_EVENT,
				     .name = "KVM_SYSTEM_EVENT",
				     .system = {.event = event}};
	struct rig rig = {0};

	rig_start(&rig, 1, IRQCHIP_KERNEL);
	dummy_play(rig.machine->vcpus[0].accel, &exit, 1);
	rig_code(&rig, 0, vcpu_spin, sizeof(vcpu_spin));
	rig_continue(&rig);
	while (rig.count[expect] == 0)
		assert_true(rig_wait(&rig));
	rig_stop(&rig);
}

static void test_system_events(void **state)
{
	(void)state;
	system_event(SYSTEM_SHUTDOWN, DEBUG_EXITED);
	system_event(SYSTEM_RESET, DEBUG_RESET);
}

/* ---- a page of RAM that the host lost ---------------------------------------------------- */

static void test_lost_page_reads_short(void **state)
{
	uint8_t buf[8192];
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	assert_int_equal(mem_read_phys(rig.machine->memory, 0x1f000, buf, sizeof(buf)),
			 sizeof(buf));
	rig_lose(&rig, 0x20000, 0x2000);
	assert_int_equal(mem_read_phys(rig.machine->memory, 0x1f000, buf, sizeof(buf)), 4096);
	assert_int_equal(mem_write_phys(rig.machine->memory, 0x20000, buf, 16), 0);
	assert_int_equal(debug_read(rig.debug, 0, SPACE_PHYSICAL, 0x20000, buf, 16), -EFAULT);
	assert_int_equal(debug_read(rig.debug, 0, SPACE_PHYSICAL, 0x1fff0, buf, 32), 16);
	rig_stop(&rig);
}

/* Some KVMs fail KVM_RUN with EFAULT (test_host_error), others show the access as MMIO. */
static void test_lost_page_stops_the_guest(void **state)
{
	const struct vm_exit exit = {
		.reason = EXIT_MMIO, .name = "KVM_EXIT_MMIO", .mmio = {.gpa = 0x5000, .size = 4}};

	(void)state;
	scripted_stop(&exit, STOP_HOST_ERROR, "lost the page of guest RAM at 0x5000");
}

static void test_ram_ends_where_it_ends(void **state)
{
	uint8_t byte = 1;
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	assert_int_equal(mem_read_phys(rig.machine->memory, RIG_RAM - 1, &byte, 1), 1);
	assert_int_equal(mem_read_phys(rig.machine->memory, RIG_RAM, &byte, 1), 0);
	assert_int_equal(mem_read_phys(rig.machine->memory, 0xa0000, &byte, 1), 0);
	assert_int_equal(mem_read_phys(rig.machine->memory, UINT64_MAX, &byte, 1), 0);
	assert_int_equal(mem_write_phys(rig.machine->memory, 0x9ffff, "ab", 2), 1);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_internal_error),
		cmocka_unit_test(test_fail_entry),
		cmocka_unit_test(test_unknown_exit),
		cmocka_unit_test(test_host_error),
		cmocka_unit_test(test_named_but_unhandled_exit),
		cmocka_unit_test(test_msr_exit),
		cmocka_unit_test(test_guest_crash_event),
		cmocka_unit_test(test_triple_fault_stops_and_refuses_to_go_on),
		cmocka_unit_test(test_triple_fault_tells_of_lost_registers),
		cmocka_unit_test(test_triple_fault_by_policy),
		cmocka_unit_test(test_system_events),
		cmocka_unit_test(test_lost_page_reads_short),
		cmocka_unit_test(test_lost_page_stops_the_guest),
		cmocka_unit_test(test_ram_ends_where_it_ends),
	};

	return cmocka_run_group_tests_name("vcpu exits", tests, first_thread, NULL);
}
