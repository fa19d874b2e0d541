// SPDX-License-Identifier: GPL-3.0-or-later
/* Catches of exceptions, by breakpoints on their handlers. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include "catch_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDT	0x4000
#define GDT	0x5000
#define STACK	0x8000
#define HANDLER 0x6000
#define PF	14

static void put(struct rig *rig, uint64_t gpa, const void *bytes, size_t size)
{
	assert_int_equal(mem_write_phys(rig->machine->memory, gpa, bytes, size), size);
}

static void put_gate(struct rig *rig, unsigned vector, uint32_t handler)
{
	const uint16_t gate[4] = {(uint16_t)handler, 8, 0x8e00, (uint16_t)(handler >> 16)};

	put(rig, IDT + 8 * vector, gate, sizeof(gate));
}

static void set_tables(struct rig *rig)
{
	static const uint8_t code[8] = {0xff, 0xff, 0, 0, 0, 0x9a, 0xcf, 0};
	struct vcpu *vcpu = &rig->machine->vcpus[0];
	struct cpu_state *state = vcpu_state(vcpu, CPU_GENERAL | CPU_SYSTEM);

	put(rig, GDT + 8, code, sizeof(code));
	put(rig, HANDLER, catch_spin, sizeof(catch_spin));
	put(rig, HANDLER + 0x100, catch_spin, sizeof(catch_spin));
	put_gate(rig, PF, HANDLER);
	state->system.idt = (struct cpu_table){IDT, 0x7ff};
	state->system.gdt = (struct cpu_table){GDT, 0xf};
	state->system.cr2 = 0x1234;
	state->general.gpr[GPR_RSP] = STACK;
	vcpu_dirty(vcpu, CPU_GENERAL | CPU_SYSTEM);
	assert_int_equal(vcpu_flush(vcpu), 0);
}

/* The dummy raises nothing: the code jumps to the handler, with a frame on the stack as the processor would
 * have pushed it. 1: out 0x10, al; jmp HANDLER (0x6000) by two short jumps would not reach, so the gate is
 * moved to where the jump goes. */
static const uint8_t faults[] = {0xe6, PORT, 0xeb, 0x1c};

#define ENTRY (RIG_CODE + 0x20)

static void push_frame(struct rig *rig, uint32_t error, uint32_t rip, uint32_t cs, uint32_t flags)
{
	const uint32_t frame[4] = {error, rip, cs, flags};

	put(rig, STACK, frame, sizeof(frame));
}

static void start_faulting(struct rig *rig, struct counter *counter)
{
	catch_start(rig, counter, faults, sizeof(faults));
	set_tables(rig);
	put(rig, ENTRY, halts, sizeof(halts));
	put_gate(rig, PF, ENTRY);
}

static void test_an_exception(void **state)
{
	const struct stop *stop;
	struct counter counter;
	struct rig rig = {0};
	int number;

	(void)state;
	start_faulting(&rig, &counter);
	push_frame(&rig, 2, 0x1003, 8, 0x202);
	number = catch (&rig, POINT_CATCH_EXCEPTION, PF, 1, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_EXCEPTION);
	assert_int_equal(stop->point, number);
	assert_int_equal(stop->vector, PF);
	assert_int_equal(stop->error_code, 2);
	assert_int_equal(stop->address, 0x1234);
	assert_int_equal(stop->writer, 0x1003);
	assert_int_equal(stop->pc, ENTRY);
	assert_string_equal(stop->text, "#PF at 0x1003: write to 0x1234 by the kernel, not mapped, "
					"error code 0x2 (catch 1)");
	if (!strstr(rig_point(&rig, number)->rung, "on its handler 0x1020"))
		fail_msg("through %s", rig_point(&rig, number)->rung);
	/* Goes on behind it: the handler spins, and is not told again for standing there. */
	rig_set_reg(&rig, 0, "rip", ENTRY);
	rig_step(&rig, 0);
	assert_int_equal(rig_wait_stop(&rig)->reason, STOP_STEP);
	rig_stop(&rig);
}

/* Whoever is at the handler's entry without the processor's frame has jumped there. */
static void no_exception(uint32_t rip, uint32_t cs, uint32_t flags)
{
	struct counter counter;
	struct rig rig = {0};
	int number;

	start_faulting(&rig, &counter);
	push_frame(&rig, 2, rip, cs, flags);
	number = catch (&rig, POINT_CATCH_EXCEPTION, PF, 1, 0);
	rig_continue(&rig);
	while (counter.writes == 0)
		;
	rig_pause(&rig);
	debug_dispatch(rig.debug);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
	assert_int_equal(rig_point(&rig, number)->hits, 0);
	rig_stop(&rig);
}

static void test_a_jump_is_no_exception(void **state)
{
	static const uint8_t software[] = {0xcd, PF};
	struct rig rig = {0};
	struct counter counter;

	(void)state;
	no_exception(0x1003, 0, 0x202);	     /* no code segment */
	no_exception(0x1003, 8, 0);	     /* no flags */
	no_exception(0x1003, 8, 0xffff0202); /* reserved ones */
	no_exception(0x1003, 0x12345678, 2);
	/* int 14, whose return address is behind it */
	start_faulting(&rig, &counter);
	put(&rig, 0x7000, software, sizeof(software));
	push_frame(&rig, 2, 0x7002, 8, 0x202);
	catch (&rig, POINT_CATCH_EXCEPTION, PF, 1, 0);
	rig_continue(&rig);
	while (counter.writes == 0)
		;
	rig_pause(&rig);
	debug_dispatch(rig.debug);
	assert_int_equal(debug_last_stop(rig.debug)->reason, STOP_PAUSE);
	rig_stop(&rig);
}

static void move_the_gate(struct rig *rig)
{
	put_gate(rig, PF, ENTRY);
}

/* The guest's own doing, after the launch: an exit shows that the gate leads elsewhere now. */
static void test_a_gate_is_followed(void **state)
{
	const struct stop *stop;
	struct counter counter;
	struct rig rig = {0};

	(void)state;
	start_faulting(&rig, &counter);
	put_gate(&rig, PF, HANDLER);
	counter.then = move_the_gate;
	push_frame(&rig, 0, 0x1003, 8, 0x202);
	catch (&rig, POINT_CATCH_EXCEPTION, PF, 1, 0);
	rig_continue(&rig);
	stop = rig_wait_stop(&rig);
	assert_int_equal(stop->reason, STOP_EXCEPTION);
	assert_int_equal(stop->pc, ENTRY);
	rig_stop(&rig);
}

static void test_exceptions_that_cannot_be(void **state)
{
	struct counter counter;
	struct rig rig = {0};
	int number, shared, pf;

	(void)state;
	start_faulting(&rig, &counter);
	refused(&rig,
		(struct point_spec){.kind = POINT_CATCH_EXCEPTION, .address = 33, .length = 1},
		-EINVAL, "0 to 31");
	refused(&rig,
		(struct point_spec){.kind = POINT_CATCH_IO, .address = 0xfff0, .length = 0x20},
		-EINVAL, "0xffff");
	put_gate(&rig, 13, ENTRY);
	shared = catch (&rig, POINT_CATCH_EXCEPTION, 13, 1, 0);
	pf = catch (&rig, POINT_CATCH_EXCEPTION, PF, 1, 0);
	number = catch (&rig, POINT_CATCH_EXCEPTION, 6, 1, 0);
	push_frame(&rig, 0, 0x1003, 8, 0x202);
	rig_continue(&rig);
	/* Both have the handler, and the frame fits both: the first one is told. */
	assert_int_equal(rig_wait_stop(&rig)->point, shared);
	if (!strstr(rig_point(&rig, pf)->rung, "shared") ||
	    !strstr(rig_point(&rig, shared)->rung, "shared"))
		fail_msg("through %s", rig_point(&rig, pf)->rung);
	if (!strstr(rig_point(&rig, number)->rung, "pending: gate 6"))
		fail_msg("through %s", rig_point(&rig, number)->rung);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_exception),
		cmocka_unit_test(test_a_jump_is_no_exception),
		cmocka_unit_test(test_a_gate_is_followed),
		cmocka_unit_test(test_exceptions_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
