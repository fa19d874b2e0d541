// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A vCPU that sleeps in hlt under -irqchip=user, and interrupts, pauses, steps and breakpoints that
 * come at random. No interrupt is lost or taken twice, a step takes none but what wakes it, and the sleeper
 * always wakes.
 *
 * SEED in the environment repeats a run's orders, though not the threads' timing.
 */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "rig.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SECONDS = 2, ROUNDS = 40000, BREAKPOINT = 2 };

static const uint8_t code[] = {
	0xfb,	    /* 0 sti */
	0xf4,	    /* 1 hlt */
	0x43,	    /* 2 inc %ebx, with a breakpoint now and then */
	0xe4, 0x60, /* 3 in */
	0x41,	    /* 5 inc %ecx */
	0xeb, 0xf9, /* 6 jmp 1 */
};
static const uint8_t starts[] = {0, 1, 2, 3, 5, 6};

struct model {
	struct rig rig;
	uint64_t random;
	unsigned raised;
	int point; /* 0: none */
};

static unsigned pick(struct model *m, unsigned below)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (unsigned)(m->random >> 20) % below;
}

static unsigned taken(struct model *m)
{
	return dummy_counts(m->rig.machine->vcpus[0].accel)->interrupts;
}

/* A line that is up already is one request with the next. */
static void raise_irq(struct model *m)
{
	struct machine *machine = m->rig.machine;

	machine_lock_devices(machine);
	if (!pic_pending(machine->pic))
		m->raised++;
	pic_set(machine->pic, 1, true);
	pic_set(machine->pic, 1, false);
	machine_unlock_devices(machine);
}

static void toggle_point(struct model *m)
{
	if (m->point) {
		assert_int_equal(debug_point_remove(m->rig.debug, m->point, NULL), 0);
		m->point = 0;
	} else {
		m->point = rig_break(&m->rig, RIG_CODE + BREAKPOINT);
	}
}

static void pause(struct model *m)
{
	debug_pause(m->rig.debug, OWNER_GDB);
}

static void dispatch(struct model *m)
{
	debug_dispatch(m->rig.debug);
}

static void (*const orders[])(struct model *m) = {raise_irq,	raise_irq, raise_irq,
						  toggle_point, pause,	   dispatch};

static void give_orders(struct model *m, unsigned most)
{
	for (unsigned n = pick(m, most + 1); n > 0; n--)
		orders[pick(m, sizeof(orders) / sizeof(orders[0]))](m);
}

static void check(struct model *m)
{
	uint64_t at = debug_pc(m->rig.debug, 0) - RIG_CODE;

	assert_non_null(memchr(starts, (int)at, sizeof(starts)));
	assert_int_equal(rig_reg(&m->rig, 0, "rcx"),
			 rig_reg(&m->rig, 0, "rbx") - (at == 3 || at == 5));
	assert_true(taken(m) <= m->raised);
}

/* Asleep, or with an interrupt that was accepted already: a step takes what comes then. */
static bool takes_some(struct model *m)
{
	const struct cpu_state *state = debug_state(m->rig.debug, 0, CPU_EVENTS);
	struct vcpu_info info;

	assert_non_null(state);
	assert_int_equal(debug_vcpu_info(m->rig.debug, 0, &info), 0);
	return info.run_state == CPU_HALTED || state->events.interrupt.injected;
}

static void one_round(struct model *m)
{
	unsigned before = taken(m);
	bool step = pick(m, 3) == 0, open = takes_some(m);

	if (step)
		rig_step(&m->rig, 0);
	else
		rig_continue(&m->rig);
	give_orders(m, 5);
	debug_pause(m->rig.debug, OWNER_CONSOLE);
	rig_wait_stop(&m->rig);
	check(m);
	if (step && !open)
		assert_int_equal(taken(m), before);
}

/* Wherever it stands, and whatever is pending, it comes round to the end of the loop: the first
 * request may be taken in front of the hlt, the second one finds it asleep or on its way. */
static void check_awake(struct model *m)
{
	uint64_t rounds = rig_reg(&m->rig, 0, "rbx");
	time_t end = time(NULL) + 10;

	if (m->point)
		toggle_point(m);
	m->point = rig_break(&m->rig, RIG_CODE + 6);
	rig_continue(&m->rig);
	while (debug_running(m->rig.debug)) {
		if (time(NULL) > end)
			fail_msg("no interrupt wakes the vCPU");
		raise_irq(m);
		sched_yield();
	}
	assert_int_equal(rig_wait_stop(&m->rig)->reason, STOP_BREAKPOINT);
	assert_true(rig_reg(&m->rig, 0, "rbx") - rounds <= 1);
	toggle_point(m);
}

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

static void test_sleeper(void **state)
{
	const char *seed = getenv("SEED");
	struct model m = {.random = seed ? strtoull(seed, NULL, 0) | 1 : 0x1d1e};
	time_t end = time(NULL) + SECONDS;
	unsigned round;

	(void)state;
	print_message("seed 0x%llx\n", (unsigned long long)m.random);
	rig_start(&m.rig, 1, IRQCHIP_USER);
	rig_code(&m.rig, 0, code, sizeof(code));
	program_pic(&m.rig);
	for (round = 0; round < ROUNDS && time(NULL) < end; round++) {
		one_round(&m);
		if (round % 16 == 0)
			check_awake(&m);
	}
	print_message("%u rounds, %u interrupts, %u taken\n", round, m.raised, taken(&m));
	assert_true(m.raised - taken(&m) <= 1);
	rig_stop(&m.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sleeper),
	};

	return cmocka_run_group_tests_name("interrupts at random", tests, NULL, NULL);
}
