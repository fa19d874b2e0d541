// SPDX-License-Identifier: GPL-3.0-or-later
/* The rows of the vCPU loop that a healthy host's KVM hardly ever shows: played by the dummy accelerator. */
#include "vcpu_rig.h"

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
#include <unistd.h>

#define HLT 0xf4

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
	rig_code(&one, 0, vcpu_spin, sizeof(vcpu_spin));
	rig_code(&one, 1, vcpu_spin, sizeof(vcpu_spin));
	rig_continue(&one);
	assert_false(debug_running(two.debug));
	assert_true(debug_running(one.debug));
	rig_stop(&two);
	rig_stop(&one);
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
	rig_code(&rig, 0, vcpu_spin, sizeof(vcpu_spin));
	while (rig.output_size < 6) {
		rig_continue(&rig);
		rig_pause(&rig);
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
	rig_pause(&rig);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vm_creation_fails),
		cmocka_unit_test(test_any_vcpu_creation_fails),
		cmocka_unit_test(test_user_irqchip_carries_one_vcpu),
		cmocka_unit_test(test_two_machines_at_once),
		cmocka_unit_test(test_unclaimed_reads_give_all_ones),
		cmocka_unit_test(test_string_io_goes_element_by_element),
		cmocka_unit_test(test_hlt_sleeps_until_an_interrupt),
		cmocka_unit_test(test_step_over_hlt),
		cmocka_unit_test(test_parked_machine_uses_no_cpu),
	};

	return cmocka_run_group_tests_name("vCPU loop", tests, first_thread, NULL);
}
