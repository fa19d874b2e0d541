// SPDX-License-Identifier: GPL-3.0-or-later
/* The rows of the vCPU loop that a healthy host's KVM hardly ever shows: played by the dummy accelerator. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define HLT 0xf4

static const uint8_t spin[] = {0xeb, 0xfe};

static unsigned count_dir(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* ---- creation: whatever fails, nothing is left ------------------------------------------- */

static void creation_fails(struct dummy_config *dummy, unsigned vcpus, const char *says)
{
	struct machine_config config = {
		.accel = &accel_dummy, .dummy = dummy, .ram_size = RIG_RAM, .vcpus = vcpus};
	unsigned fds = count_dir("/proc/self/fd"), threads = count_dir("/proc/self/task");
	struct machine *machine = NULL;
	struct error err = {0};

	assert_true(machine_create(&config, &machine, &err) < 0);
	assert_null(machine);
	assert_non_null(strstr(err.text, says));
	assert_int_equal(count_dir("/proc/self/fd"), fds);
	/* A thread that was joined may be listed for a moment longer. */
	for (unsigned i = 0; i < 100000 && count_dir("/proc/self/task") != threads; i++)
		sched_yield();
	assert_int_equal(count_dir("/proc/self/task"), threads);
}

static void test_vm_creation_fails(void **state)
{
	struct dummy_config dummy = {.fail_vm_create = ENOMEM};

	(void)state;
	creation_fails(&dummy, 2, "");
}

static void test_any_vcpu_creation_fails(void **state)
{
	(void)state;
	for (int i = 1; i <= 4; i++) {
		struct dummy_config dummy = {.fail_vcpu_create = i};

		creation_fails(&dummy, 4, "");
	}
}

static void test_user_irqchip_carries_one_vcpu(void **state)
{
	struct machine_config config = {
		.accel = &accel_dummy, .ram_size = RIG_RAM, .vcpus = 2, .irqchip = IRQCHIP_USER};
	struct machine *machine = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(machine_create(&config, &machine, &err), -EINVAL);
	assert_non_null(strstr(err.text, "-smp 1"));
}

static void test_two_machines_at_once(void **state)
{
	struct rig one = {0}, two = {0};

	(void)state;
	rig_start(&one, 2, IRQCHIP_KERNEL);
	rig_start(&two, 3, IRQCHIP_KERNEL);
	rig_code(&one, 0, spin, sizeof(spin));
	rig_code(&one, 1, spin, sizeof(spin));
	rig_continue(&one);
	assert_false(debug_running(two.debug));
	assert_true(debug_running(one.debug));
	rig_stop(&two);
	rig_stop(&one);
}

/* ---- exits that stop the machine, each with its reason, and the debugger alive ----------- */

static void scripted_stop(const struct vm_exit *exit, enum stop_reason reason, const char *says)
{
	struct rig rig = {0};
	const struct stop *stop;

	rig_start(&rig, 2, IRQCHIP_KERNEL);
	dummy_play(rig.machine->vcpus[0].accel, exit, 1);
	rig_code(&rig, 0, spin, sizeof(spin));
	rig_code(&rig, 1, spin, sizeof(spin));
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

static void scripted_io(const struct vm_exit *exit)
{
	struct rig rig = {0};

	rig_start(&rig, 1, IRQCHIP_KERNEL);
	dummy_play(rig.machine->vcpus[0].accel, exit, 1);
	rig_code(&rig, 0, spin, sizeof(spin));
	rig_continue(&rig);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
	/* A kick can come before the first run: go until the script was played. */
	while (recorder_exits(&rig.machine->vcpus[0].recorder, exit->reason) == 0) {
		rig_continue(&rig);
		assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
	}
	rig_stop(&rig);
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
	rig_code(&rig, 0, spin, sizeof(spin));
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
	rig_code(&rig, 0, spin, sizeof(spin));
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

/* ---- I/O through the buses --------------------------------------------------------------- */

static void test_unclaimed_reads_give_all_ones(void **state)
{
	uint8_t io[4] = {0}, mmio[8] = {0};
	const uint8_t ones[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const struct vm_exit in = {.reason = EXIT_IO,
				   .name = "KVM_EXIT_IO",
				   .io = {.port = 0x9999, .size = 4, .count = 1, .data = io}};
	const struct vm_exit load = {.reason = EXIT_MMIO,
				     .name = "KVM_EXIT_MMIO",
				     .mmio = {.gpa = 0xfe000000, .size = 8, .data = mmio}};

	(void)state;
	scripted_io(&in);
	assert_memory_equal(io, ones, 4);
	scripted_io(&load);
	assert_memory_equal(mmio, ones, 8);
}

static void test_string_io_goes_element_by_element(void **state)
{
	uint8_t text[] = "string";
	struct vm_exit out = {
		.reason = EXIT_IO,
		.name = "KVM_EXIT_IO",
		.io = {.port = 0x3f8, .size = 1, .write = true, .count = 6, .data = text}};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	dummy_play(rig.machine->vcpus[0].accel, &out, 1);
	rig_code(&rig, 0, spin, sizeof(spin));
	while (rig.output_size < 6) {
		rig_continue(&rig);
		assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
	}
	assert_string_equal(rig.output, "string");
	rig_stop(&rig);
}

/* ---- waiting ----------------------------------------------------------------------------- */

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void run_timers(struct rig *rig, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		machine_timers(rig->machine);
		usleep(1000);
	}
}

/* The master 8259 with vectors from 0x20 on, which ends interrupts by itself, and nothing masked. */
static void program_pic(struct rig *rig)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} init[] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 0x04}, {0x21, 0x03}, {0x21, 0x00}};

	machine_lock_devices(rig->machine);
	for (unsigned i = 0; i < sizeof(init) / sizeof(init[0]); i++) {
		uint8_t value = init[i].value;

		bus_access(&rig->machine->ports, init[i].port, 1, true, &value);
	}
	machine_unlock_devices(rig->machine);
}

static void raise_irq(struct rig *rig, unsigned line)
{
	machine_lock_devices(rig->machine);
	pic_set(rig->machine->pic, line, true);
	pic_set(rig->machine->pic, line, false);
	machine_unlock_devices(rig->machine);
}

/* hlt with the interrupt controllers in vitrine: asleep without using the CPU, awake at an
 * interrupt. */
static void test_hlt_sleeps_until_an_interrupt(void **state)
{
	/* sti; hlt; inc %ebx; out to the debug exit port */
	static const uint8_t code[] = {0xfb, HLT, 0x43, 0xe6, 0xf4};
	struct rig rig = {0};
	uint64_t before;

	(void)state;
	rig_start(&rig, 1, IRQCHIP_USER);
	rig_code(&rig, 0, code, sizeof(code));
	program_pic(&rig);
	rig_continue(&rig);
	run_timers(&rig, 20);
	before = cpu_ns();
	usleep(100000);
	assert_true(cpu_ns() - before < 50000000);
	raise_irq(&rig, 1);
	rig_wait_exit(&rig);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->interrupts, 1);
	assert_int_equal(rig_reg(&rig, 0, "rbx"), 1);
	rig_stop(&rig);
}

/* A step ends behind the hlt; the next one waits for the interrupt that wakes the vCPU, and is the next
 * instruction's; a pause ends the wait. */
static void test_step_over_hlt(void **state)
{
	static const uint8_t code[] = {0xfb, HLT, 0x43, 0x43};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_USER);
	rig_code(&rig, 0, code, sizeof(code));
	program_pic(&rig);
	for (unsigned i = 1; i <= 2; i++) {
		rig_step(&rig, 0);
		assert_int_equal(rig_wait_stop(&rig)->pc, RIG_CODE + i);
	}
	rig_step(&rig, 0);
	assert_int_equal(debug_pause_wait(rig.debug, OWNER_CONSOLE, 5000), 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 2);
	rig_step(&rig, 0);
	raise_irq(&rig, 1);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 3);
	assert_int_equal(dummy_counts(rig.machine->vcpus[0].accel)->interrupts, 1);
	rig_stop(&rig);
}

static void test_parked_machine_uses_no_cpu(void **state)
{
	struct rig rig = {0};
	uint64_t before;

	(void)state;
	rig_start(&rig, 4, IRQCHIP_KERNEL);
	before = cpu_ns();
	usleep(200000);
	assert_true(cpu_ns() - before < 50000000);
	rig_stop(&rig);
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
	assert_int_equal(ftruncate(memory_fd(rig.machine->memory), 0x20000), 0);
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

static void *nothing(void *arg)
{
	return arg;
}

/* A sanitizer starts a thread of its own together with the first one: not while a test counts. */
static int first_thread(void **state)
{
	pthread_t thread;

	(void)state;
	return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vm_creation_fails),
		cmocka_unit_test(test_any_vcpu_creation_fails),
		cmocka_unit_test(test_user_irqchip_carries_one_vcpu),
		cmocka_unit_test(test_two_machines_at_once),
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
		cmocka_unit_test(test_unclaimed_reads_give_all_ones),
		cmocka_unit_test(test_string_io_goes_element_by_element),
		cmocka_unit_test(test_hlt_sleeps_until_an_interrupt),
		cmocka_unit_test(test_step_over_hlt),
		cmocka_unit_test(test_parked_machine_uses_no_cpu),
		cmocka_unit_test(test_lost_page_reads_short),
		cmocka_unit_test(test_lost_page_stops_the_guest),
		cmocka_unit_test(test_ram_ends_where_it_ends),
	};

	return cmocka_run_group_tests_name("vCPU loop", tests, first_thread, NULL);
}
