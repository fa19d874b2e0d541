// SPDX-License-Identifier: GPL-3.0-or-later
/* Snapshots on the host's KVM: small pieces of code for what KVM itself keeps, and whole guests, whose own
 * sums tell whether a restore has lost or doubled anything. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "bare_vm.h"
#include "guest.h"
#include "picture.h"

#include "debug/core.h"
#include "kvm_snapshot_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of whatever width. */
static void set_reg(const char *name, uint64_t value)
{
	uint64_t wide[2] = {value, ~value};
	int reg = register_find(name);

	assert_true(reg >= 0);
	assert_int_equal(debug_reg_set(rig.debug, 0, (unsigned)reg, wide), 0);
}

/* Runs until the code's own hlt is stepped on: a breakpoint there. */
static void run_to(uint64_t address)
{
	rig_break(&rig, address);
	rig_continue(&rig);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
	assert_int_equal(debug_pc(rig.debug, 0), address);
}

static void run_on(void)
{
	run_ms(30);
}

/* ---- one vCPU, a few instructions ---------------------------------------------------------------- */

static void writer_comes_back(unsigned vcpus, enum irqchip irqchip)
{
	kvm_snapshot_setup(vcpus, irqchip);
	for (unsigned i = 0; i < vcpus; i++)
		rig_code(&rig, i, kvm_snapshot_writer, sizeof(kvm_snapshot_writer));
	run_ms(20);
	set_reg("xmm3", 0x1122334455667788);
	set_reg("dr2", 0x4000);
	set_reg("lstar", 0x5555);
	comes_back(run_on);
	for (unsigned i = 0; i < 5; i++)
		comes_back(run_on);
	rig_stop(&rig);
}

static void test_everything_comes_back(void **state)
{
	(void)state;
	writer_comes_back(1, IRQCHIP_KERNEL);
	writer_comes_back(1, IRQCHIP_USER);
	writer_comes_back(4, IRQCHIP_KERNEL);
}

static void change_registers(void)
{
	static const char *const names[] = {"rax",   "r15",  "xmm0", "xmm15",
					    "mxcsr", "cr2",  "dr0",  "dr3",
					    "lstar", "star", "pat",  "kernel_gs_base"};
	static const uint64_t values[] = {1, 2, 3, 4, 0x1f00, 5, 6, 7, 8, 9, 0x0007040600070405,
					  10};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		set_reg(names[i], values[i]);
}

/* A CPU in the middle of an NMI, with another one waiting, and the shadow of sti. */
static void change_events(void)
{
	struct vcpu *vcpu = &rig.machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_EVENTS);

	state->events.nmi.masked = !state->events.nmi.masked;
	state->events.nmi.pending = state->events.nmi.masked;
	state->events.interrupt.shadow ^= 2;
	vcpu_dirty(vcpu, CPU_EVENTS);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

static void test_events_come_back(void **state)
{
	(void)state;
	kvm_snapshot_setup(1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, kvm_snapshot_writer, sizeof(kvm_snapshot_writer));
	comes_back(change_events);
	change_events();
	comes_back(change_events);
	rig_stop(&rig);
}

static void test_registers_come_back(void **state)
{
	(void)state;
	kvm_snapshot_setup(1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, kvm_snapshot_writer, sizeof(kvm_snapshot_writer));
	run_ms(5);
	comes_back(change_registers);
	rig_stop(&rig);
}

/* A picture is the same after the same future: a loop that counts to a million, and a snapshot in it. */
static void test_continues_the_same_way(void **state)
{
	/* mov ecx, 20000; loop: add eax, ecx; rol eax, 3; mov [edi], eax; add edi, 4; and edi, 0x2fffc;
	 * or edi, 0x20000; dec ecx; jne loop; hlt */
	static const uint8_t code[] = {0xb9, 0x20, 0x4e, 0x00, 0x00, 0x01, 0xc8, 0xc1,
				       0xc0, 0x03, 0x89, 0x07, 0x83, 0xc7, 0x04, 0x81,
				       0xe7, 0xfc, 0xff, 0x02, 0x00, 0x81, 0xcf, 0x00,
				       0x00, 0x02, 0x00, 0x49, 0x75, 0xe7, 0xf4};
	struct picture first, second;

	(void)state;
	kvm_snapshot_setup(1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, code, sizeof(code));
	rig_set_reg(&rig, 0, "rdi", 0x20000);
	for (unsigned i = 0; i < 200; i++) {
		rig_step(&rig, 0);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	}
	kvm_snapshot_save("early");
	run_to(RIG_CODE + sizeof(code) - 1);
	picture_take(&first, rig.machine);
	for (unsigned i = 0; i < 3; i++) {
		kvm_snapshot_restore("early");
		assert_true(rig_reg(&rig, 0, "rcx") > 19000);
		rig_continue(&rig);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_BREAKPOINT);
		picture_take(&second, rig.machine);
		second.parts.guest_time =
			first.parts.guest_time; /* the host was faster or slower */
		picture_same(&first, &second);
		picture_free(&second);
	}
	picture_free(&first);
	rig_stop(&rig);
}

/* ---- whole guests ------------------------------------------------------------------------------------------- */

static void guest(unsigned vcpus, const char *name, const char *append)
{
	rig_needs_kvm();
	rig = (struct rig){0};
	guest_start(&rig, vcpus, name, append);
}

/* Timer, interrupts, text on the serial port; the guest sleeps in hlt. */
static void test_a_guest_with_interrupts(void **state)
{
	(void)state;
	guest(1, "long64", "");
	for (unsigned i = 0; i < 3; i++) {
		run_ms(120);
		comes_back(run_on);
	}
	rig_stop(&rig);
}

/* Ring 3 may run without any exit: its writes are logged all the same. */
static void test_a_guest_with_a_program(void **state)
{
	(void)state;
	guest(1, "user", "rounds=0");
	for (unsigned i = 0; i < 3; i++) {
		run_ms(40);
		comes_back(run_on);
	}
	rig_stop(&rig);
}

static void test_a_guest_on_four_cpus(void **state)
{
	(void)state;
	guest(4, "smp", "");
	for (unsigned i = 0; i < 3; i++) {
		run_ms(40);
		comes_back(run_on);
	}
	rig_stop(&rig);
}

/* From before the others were started, and from any moment behind: the guest's sum is right in the end. */
/* How often each CPU adds in so many milliseconds; fast hosts do in a moment what others never finish. */
static unsigned rounds_in(unsigned ms)
{
	uint64_t counter, before = 0, after = 0;

	guest(4, "smp", "rounds=0");
	counter = guest_symbol(&rig, "shared") + 8;
	run_ms(300);
	debug_read(rig.debug, 0, SPACE_PHYSICAL, counter, &before, sizeof(before));
	run_ms(100);
	debug_read(rig.debug, 0, SPACE_PHYSICAL, counter, &after, sizeof(after));
	rig_stop(&rig);
	return (unsigned)((after - before) * ms / 100 / 4) + 3000;
}

static void test_the_sum_is_right_in_the_end(void **state)
{
	unsigned seed = 9, saved = 1;
	char rounds[32];

	(void)state;
	/* Far more than it gets done before the end is waited for. */
	snprintf(rounds, sizeof(rounds), "rounds=%u", rounds_in(1500));
	guest(4, "smp", rounds);
	kvm_snapshot_save("s0");
	for (unsigned i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%u", (unsigned)rand_r(&seed) % saved);
		run_ms((unsigned)rand_r(&seed) % 12);
		if (rig.count[DEBUG_EXITED] || i % 3 == 0) {
			kvm_snapshot_restore(name);
			continue;
		}
		snprintf(name, sizeof(name), "s%u", saved++);
		kvm_snapshot_save(name);
	}
	for (unsigned i = 0; i < 3; i++) {
		kvm_snapshot_restore("s0");
		if (i == 2)
			break;
		run_ms(100);
	}
	rig_continue(&rig);
	assert_false(guest_stops(&rig));
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	rig_stop(&rig);
}

/* Breakpoints set and hit, snapshots in between: memory in them is the guest's own. */
static void test_with_breakpoints(void **state)
{
	uint64_t add_one;

	(void)state;
	guest(4, "smp", "rounds=200");
	add_one = guest_symbol(&rig, "add_one");
	rig_break(&rig, add_one);
	rig_continue(&rig);
	assert_true(guest_stops(&rig));
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_BREAKPOINT);
	kvm_snapshot_save("hit");
	assert_true(rig_byte(&rig, add_one) != 0xcc);
	for (unsigned i = 0; i < 30; i++) {
		rig_continue(&rig);
		assert_true(guest_stops(&rig));
		assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_BREAKPOINT);
		if (i % 7 == 6)
			kvm_snapshot_restore("hit");
	}
	kvm_snapshot_restore("hit");
	debug_points_forget(rig.debug, OWNER_CONSOLE);
	rig_continue(&rig);
	assert_false(guest_stops(&rig));
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	rig_stop(&rig);
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

/* Into another machine, as another process would have it, and on to the end there. */
static void test_to_another_machine(void **state)
{
	struct picture before, after;
	struct error err = {0};
	char file[64];

	(void)state;
	snprintf(file, sizeof(file), "/tmp/vitrine-snapshot-%d", (int)getpid());
	guest(4, "smp", "rounds=2000");
	run_ms(25);
	kvm_snapshot_save("a");
	picture_take_saved(&before, rig.machine, snapshots_find(rig.debug->snapshots, "a"));
	if (debug_snapshot_write(rig.debug, "a", file, &err) < 0)
		fail_msg("%s", err.text);
	rig_stop(&rig);
	guest(4, "smp", "rounds=2");
	run_ms(5);
	if (debug_snapshot_read(rig.debug, file, "b", &err) < 0)
		fail_msg("%s", err.text);
	kvm_snapshot_restore("b");
	picture_take(&after, rig.machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
	rig_continue(&rig);
	assert_false(guest_stops(&rig));
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, 1);
	rig_stop(&rig);
	unlink(file);
}

/* Another processor is no home for it, and the sentence says why. */
static void test_another_processor_is_refused(void **state)
{
	struct accel_config config = {
		.vcpus = 1, .irqchip = true, .cpu_features = "max,-hypervisor"};
	struct parts parts = {0}, empty = {0};
	struct error err = {0};
	struct accel_vm *vm;

	(void)state;
	kvm_snapshot_setup(1, IRQCHIP_KERNEL);
	assert_int_equal(rig.machine->vm->ops->vm_save(rig.machine->vm, &parts), 0);
	assert_int_equal(rig.machine->vm->ops->vm_fits(rig.machine->vm, &parts, &err), 0);
	assert_int_equal(accel_kvm.vm_create(&config, &vm, &err), 0);
	assert_int_equal(accel_kvm.vm_fits(vm, &parts, &err), -EINVAL);
	assert_non_null(strstr(err.text, "hypervisor"));
	assert_int_equal(accel_kvm.vm_fits(vm, &empty, &err), -EINVAL);
	parts_free(&parts);
	assert_int_equal(accel_kvm.vm_save(vm, &parts), 0);
	assert_int_equal(rig.machine->vm->ops->vm_fits(rig.machine->vm, &parts, &err), -EINVAL);
	assert_non_null(strstr(err.text, "hypervisor"));
	parts_free(&parts);
	accel_kvm.vm_destroy(vm);
	rig_stop(&rig);
}

/* KVM refuses a state that cannot be; then everything is as before. */
static void test_a_state_that_kvm_refuses(void **state)
{
	struct picture before, after;
	struct error err = {0};
	struct named_part *part;

	(void)state;
	kvm_snapshot_setup(1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, kvm_snapshot_writer, sizeof(kvm_snapshot_writer));
	kvm_snapshot_save("bad");
	part = (struct named_part *)parts_find(
		&snapshots_find(rig.debug->snapshots, "bad")->parts.vcpu[0], "debug");
	part->bytes[part->size / 2 + 3] ^= 0xff;
	memset(part->bytes, 0xff, part->size);
	run_ms(10);
	picture_take(&before, rig.machine);
	assert_int_equal(debug_snapshot_restore(rig.debug, "bad", OWNER_CONSOLE, &err), -EINVAL);
	assert_non_null(strstr(err.text, "debug registers"));
	picture_take(&after, rig.machine);
	picture_same(&before, &after);
	picture_free(&before);
	picture_free(&after);
	run_ms(5);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_comes_back),
		cmocka_unit_test(test_registers_come_back),
		cmocka_unit_test(test_events_come_back),
		cmocka_unit_test(test_continues_the_same_way),
		cmocka_unit_test(test_a_guest_with_interrupts),
		cmocka_unit_test(test_a_guest_with_a_program),
		cmocka_unit_test(test_a_guest_on_four_cpus),
		cmocka_unit_test(test_the_sum_is_right_in_the_end),
		cmocka_unit_test(test_with_breakpoints),
		cmocka_unit_test(test_to_another_machine),
		cmocka_unit_test(test_another_processor_is_refused),
		cmocka_unit_test(test_a_state_that_kvm_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
