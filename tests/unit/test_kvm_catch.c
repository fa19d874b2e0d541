// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Catches on the host's own KVM, with whole guests that check themselves: what was caught has the values that
 * the guest gave or got, and the guest ends as it would have without. time limit: 120 s
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "guest.h"

#include "x86/exceptions.h"
#include "x86/mode.h"

#include <stdlib.h>
#include <string.h>

#define LEN(a)	  (sizeof(a) / sizeof((a)[0]))
#define MSR_EFER  0xc0000080u
#define ALL_RIGHT 1 /* exit status of a guest that found nothing wrong */

static struct rig rig;

static void start(unsigned vcpus, const char *name, const char *append)
{
	rig_needs_kvm();
	rig = (struct rig){.patience = 60};
	guest_start(&rig, vcpus, name, append);
}

static int catch_range(enum point_kind kind, uint64_t address, uint64_t length,
		       enum point_direction direction)
{
	struct point_spec spec = {
		.kind = kind, .address = address, .length = length, .direction = direction};
	struct error err = {0};
	int number = debug_point_add(rig.debug, &spec, OWNER_CONSOLE, &err);

	if (number < 0)
		fail_msg("%s", err.text);
	return number;
}

static int catch (enum point_kind kind)
{
	return catch_range(kind, 0, 0, 0);
}

static const struct stop *next_stop(void)
{
	rig_continue(&rig);
	if (!guest_stops(&rig))
		fail_msg("the guest has ended: %s", debug_last_stop(rig.debug)->text);
	return debug_last_stop(rig.debug);
}

static void ends_with(int status)
{
	rig_continue(&rig);
	while (guest_stops(&rig))
		fail_msg("stopped once more: %s", debug_last_stop(rig.debug)->text);
	assert_int_equal(debug_last_stop(rig.debug)->exit_status, status);
	rig_stop(&rig);
}

static void says(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("'%s' does not say '%s'", text, what);
}

/* ---- exceptions ------------------------------------------------------------------------------ */

struct expected {
	unsigned vector;
	uint32_t error;
	uint64_t cr2;
	const char *function;
};

/* In the order of the guest's tour. */
static const struct expected tour[] = {
	{VECTOR_DE, 0, 0, "raise_de"},
	{VECTOR_UD, 0, 0, "raise_ud"},
	{VECTOR_NP, 0x30, 0, "raise_np"},
	{VECTOR_SS, 0x30, 0, "raise_ss"},
	{VECTOR_GP, 0xfff8, 0, "raise_gp"},
	{VECTOR_PF, 0, 0x3ff123, "raise_pf"},
	{VECTOR_PF, 3, 0x3fe456, "raise_pf_write"},
	{VECTOR_PF, 0x11, 0x3fd789, NULL},
};

static void check_exception(const struct stop *stop, const struct expected *e)
{
	assert_int_equal(stop->reason, STOP_EXCEPTION);
	assert_int_equal(stop->vector, e->vector);
	if (e->error != 0x30) /* a selector of the guest's choice */
		assert_int_equal(stop->error_code, e->error);
	assert_int_equal(stop->address, e->cr2);
	if (e->function)
		assert_in_range(stop->writer - guest_symbol(&rig, e->function), 0, 0x60);
	else
		assert_int_equal(stop->writer, e->cr2);
	says(stop->text, exception_mnemonic(e->vector));
}

/* One catch at a time: a host that loses int3s has but four debug registers for all of them. */
static void take_the_tour(void)
{
	for (size_t i = 0; i < LEN(tour); i++) {
		int number = catch_range(POINT_CATCH_EXCEPTION, tour[i].vector, 1, 0);

		check_exception(next_stop(), &tour[i]);
		assert_int_equal(debug_point_remove(rig.debug, number, NULL), 0);
	}
	ends_with(ALL_RIGHT);
}

static void test_exceptions(void **state)
{
	struct error err = {0};
	int number;

	(void)state;
	start(1, "faults", "");
	number = rig_break(&rig, guest_symbol(&rig, "raise_de"));
	assert_int_equal(next_stop()->reason, STOP_BREAKPOINT);
	assert_int_equal(debug_point_remove(rig.debug, number, &err), 0);
	take_the_tour();
}

/* Before there is an IDT: the first exit behind its making shows it. */
static void test_exceptions_from_the_start(void **state)
{
	(void)state;
	start(1, "faults", "");
	take_the_tour();
}

static void test_double_fault(void **state)
{
	const struct stop *stop;

	(void)state;
	start(1, "faults", "fault=df");
	catch_range(POINT_CATCH_EXCEPTION, VECTOR_DF, 1, 0);
	/* No exit is left between the gate's making and the fault, so it must be there at a launch. */
	rig_break(&rig, guest_symbol(&rig, "raise_df"));
	assert_int_equal(next_stop()->reason, STOP_BREAKPOINT);
	stop = next_stop();
	assert_int_equal(stop->reason, STOP_EXCEPTION);
	assert_int_equal(stop->vector, VECTOR_DF);
	ends_with(VECTOR_DF * 2 + 1);
}

static void test_triple_fault(void **state)
{
	struct fault_line line[FAULT_CHAIN];
	const struct stop *stop;

	(void)state;
	start(1, "faults", "fault=triple");
	stop = next_stop();
	assert_int_equal(stop->reason, STOP_TRIPLE_FAULT);
	if (strstr(stop->text, "registers are lost")) {
		rig_stop(&rig);
		print_message("# SKIP this KVM resets a vCPU in shutdown\n");
		skip();
	}
	says(stop->text, "First #PF  at 0x");
	assert_int_equal(debug_fault_chain(rig.debug, 0, line), 3);
	says(line[0].text, ", read of 0x3ff000, error code 0x0");
	assert_string_equal(line[1].text,
			    "2nd  #NP  while delivering it: gate 14 is not present → #DF");
	assert_string_equal(line[2].text,
			    "3rd  #NP  while delivering #DF: gate 8 is not present → shutdown");
	rig_stop(&rig);
}

/* ---- accesses -------------------------------------------------------------------------------- */

static void test_ports(void **state)
{
	const struct stop *stop;
	struct error err = {0};

	(void)state;
	start(1, "io", "");
	catch_range(POINT_CATCH_IO, 0x3ff, 1, 0);
	stop = next_stop();
	assert_string_equal(stop->text, "out 0x3ff ← 0x5a 'Z', 1 byte (catch 1)");
	assert_int_equal(stop->new_value, 0x5a);
	assert_in_range(stop->writer - guest_symbol(&rig, "port_writes"), 0, 0x100);
	assert_true(stop->pc > stop->writer);
	stop = next_stop();
	assert_string_equal(stop->text, "in 0x3ff → 0x5a 'Z', 1 byte (catch 1)");
	assert_int_equal(rig_reg(&rig, 0, "rax") & 0xff, 0x5a);
	assert_true(stop->pc > stop->writer);
	says(next_stop()->text, "out 0x3ff ← 0xa5");
	says(next_stop()->text, "in 0x3ff → 0xa5");
	assert_int_equal(debug_point_remove(rig.debug, 1, &err), 0);
	ends_with(ALL_RIGHT);
}

/* The text screen's writes are collected by the kernel, unless somebody wants to see them. */
static void test_mmio(void **state)
{
	const struct stop *stop;
	struct error err = {0};
	int number;

	(void)state;
	start(1, "io", "");
	number = catch_range(POINT_CATCH_MMIO, 0xb8000, 0x8000, ON_WRITE);
	stop = next_stop();
	assert_int_equal(stop->reason, STOP_MMIO);
	assert_in_range(stop->address, 0xb8000, 0xbffff);
	assert_true(stop->writer && stop->pc > stop->writer);
	assert_int_equal(debug_point_remove(rig.debug, number, &err), 0);
	ends_with(ALL_RIGHT);
}

static void test_msrs(void **state)
{
	const struct stop *stop;
	uint64_t efer;

	(void)state;
	start(1, "faults", "");
	catch_range(POINT_CATCH_MSR, MSR_EFER, 1, 0);
	do {
		stop = next_stop();
		assert_int_equal(stop->reason, STOP_MSR);
		assert_int_equal(stop->address, MSR_EFER);
		efer = debug_state(rig.debug, 0, CPU_SYSTEM)->system.efer;
		if (strstr(stop->text, "rdmsr"))
			assert_int_equal(rig_reg(&rig, 0, "rax"), stop->new_value);
		assert_true(stop->new_value == efer);
		assert_true(stop->pc == stop->writer + 2);
	} while (!(efer & EFER_NXE));
	ends_with(ALL_RIGHT);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* The three others, each before its first instruction. */
static void test_online(void **state)
{
	unsigned started = 0;

	(void)state;
	start(4, "smp", "cpus=4 rounds=100");
	catch (POINT_CATCH_ONLINE);
	for (int i = 0; i < 3; i++) {
		const struct stop *stop = next_stop();

		assert_int_equal(stop->reason, STOP_ONLINE);
		assert_int_equal(stop->pc, 0x8000);
		assert_int_equal(rig_reg(&rig, stop->vcpu, "rip"), 0);
		started |= 1u << stop->vcpu;
	}
	assert_int_equal(started, 0xe);
	ends_with(ALL_RIGHT);
}

/* Steps see the instruction that did it; the last one leads to long mode. */
static void test_mode_switch_by_steps(void **state)
{
	static const enum cpu_mode modes[] = {MODE_PROT16, MODE_PROT32};
	const struct plan range = {.action = PLAN_STEP_RANGE, .low = 0, .high = ~0ull};
	struct error err = {0};

	(void)state;
	start(1, "real16", "");
	catch (POINT_CATCH_MODE);
	for (size_t i = 0; i < LEN(modes); i++) {
		if (debug_resume(rig.debug, &range, OWNER_CONSOLE, &err) < 0)
			fail_msg("%s", err.text);
		assert_true(guest_stops(&rig));
		assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_MODE_SWITCH);
		assert_int_equal(cpu_mode(debug_state(rig.debug, 0, CPU_GENERAL | CPU_SYSTEM)),
				 modes[i]);
		assert_null(strstr(debug_last_stop(rig.debug)->text, "ago"));
	}
	rig_stop(&rig);
}

/* Otherwise the next exit does. */
static void test_mode_switch_by_exits(void **state)
{
	const struct stop *stop;

	(void)state;
	start(1, "real16", "");
	catch (POINT_CATCH_MODE);
	stop = next_stop();
	assert_int_equal(stop->reason, STOP_MODE_SWITCH);
	says(stop->text, "from real mode to ");
	says(stop->text, "some instructions ago");
	rig_stop(&rig);
}

static void test_reset(void **state)
{
	const struct stop *stop;

	(void)state;
	start(1, "io", "reset=port92");
	catch (POINT_CATCH_RESET);
	stop = next_stop();
	assert_int_equal(stop->reason, STOP_RESET);
	says(stop->text, "port 0x92");
	assert_in_range(stop->pc - guest_symbol(&rig, "reset_by_port_92"), 0, 0x40);
	ends_with(ALL_RIGHT);
}

static void test_shutdown(void **state)
{
	(void)state;
	start(1, "faults", "fault=ud");
	catch (POINT_CATCH_SHUTDOWN);
	assert_int_equal(next_stop()->reason, STOP_SHUTDOWN);
	ends_with(VECTOR_UD * 2 + 1);
}

static void test_int3(void **state)
{
	const struct stop *stop;

	(void)state;
	start(1, "faults", "fault=bp");
	if (debug_capabilities(rig.debug)->int3[CAP_LONG] == INT3_LOST) {
		rig_stop(&rig);
		print_message("# SKIP this KVM gives int3 to the guest unseen\n");
		skip();
	}
	catch (POINT_CATCH_INT3);
	stop = next_stop();
	assert_int_equal(stop->reason, STOP_GUEST_INT3);
	assert_in_range(stop->writer - guest_symbol(&rig, "raise_bp"), 0, 0x40);
	ends_with(VECTOR_BP * 2 + 1);
}

/* hlt leaves the kernel only where it has no interrupt controller. */
static void test_hlt(void **state)
{
	static const uint8_t code[] = {0x90, 0xf4, 0xeb, 0xfe};
	struct rig user = {.accel = &accel_kvm};
	const struct stop *stop;
	struct error err = {0};

	(void)state;
	rig_needs_kvm();
	rig_start(&user, 1, IRQCHIP_USER);
	rig_code(&user, 0, code, sizeof(code));
	assert_true(debug_point_add(user.debug, &(struct point_spec){.kind = POINT_CATCH_HLT},
				    OWNER_CONSOLE, &err) > 0);
	rig_continue(&user);
	stop = rig_wait_stop(&user);
	assert_int_equal(stop->reason, STOP_HLT);
	assert_int_equal(stop->pc, RIG_CODE + 2);
	rig_stop(&user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_exceptions_from_the_start),
		cmocka_unit_test(test_double_fault),
		cmocka_unit_test(test_triple_fault),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_mmio),
		cmocka_unit_test(test_msrs),
		cmocka_unit_test(test_online),
		cmocka_unit_test(test_mode_switch_by_steps),
		cmocka_unit_test(test_mode_switch_by_exits),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_shutdown),
		cmocka_unit_test(test_int3),
		cmocka_unit_test(test_hlt),
	};

	return cmocka_run_group_tests_name("catches, on KVM", tests, NULL, NULL);
}
