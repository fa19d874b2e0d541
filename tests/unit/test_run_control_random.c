// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Run control under random orders: whatever is asked, and whenever, a stop is whole (everybody
 * parked, memory the guest's own, each vCPU between two instructions that follow from each other),
 * nothing is told twice or lost, and a breakpoint is passed by nobody unseen.
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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Without int3 the breakpoints that are always there must fit into the debug registers. */
enum { VCPUS = 4, SLOT_VCPUS = 2, SECONDS = 2, ROUNDS = 60000, OFFSETS = 17 };

#define GUEST_INT3 7 /* not where a #BP would need an IDT */

/* Each of RBX, RCX, RDX counts the rounds, from a different place in the loop. */
static const uint8_t dummy_loop[OFFSETS] = {
	0x43,			   /*  0 inc %ebx */
	0x90,			   /*  1 nop, always with a breakpoint */
	0xe4, 0x60,		   /*  2 in $0x60, %al */
	0x41,			   /*  4 inc %ecx */
	0xe6, 0x80,		   /*  5 out %al, $0x80 */
	0xcc,			   /*  7 int3, the guest's own */
	0x42,			   /*  8 inc %edx */
	0x90,			   /*  9 nop, always with a breakpoint */
	0xa2, 0x00, 0x80, 0x00, 0, /* 10 mov %al, 0x8000 */
	0xeb, 0xef,		   /* 15 jmp 0 */
};
static const uint8_t starts[] = {0, 1, 2, 4, 5, 7, 8, 9, 10, 15};
#define STARTS sizeof(starts)

/* What must come out. */
struct model {
	struct rig rig;
	struct debug *debug;
	uint8_t loop[OFFSETS];
	uint64_t random;
	unsigned stopped, resumed, reset, kinds[STOP_REASON_COUNT];
	bool told_stopped; /* what the last event but a reset was */
	unsigned vcpus;	   /* in use */
	struct {
		uint64_t told[2];    /* stops told at the two constant breakpoints */
		uint64_t excused[2]; /* passes of which nothing need be told */
		bool may_pass;	     /* the next pass is such a one */
		uint64_t r8;
	} vcpu[VCPUS];
	int constant[VCPUS][2]; /* numbers of the constant breakpoints */
};

static const uint8_t constant_at[2] = {1, 9};

static unsigned pick(struct model *m, unsigned below)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (unsigned)(m->random >> 20) % below;
}

static uint64_t address(unsigned vcpu, unsigned offset)
{
	return RIG_CODE + vcpu * RIG_APART + offset;
}

static unsigned offset_of(struct model *m, int vcpu)
{
	return (unsigned)(debug_pc(m->debug, vcpu) - address((unsigned)vcpu, 0));
}

/* ---- what is heard ----------------------------------------------------------------------- */

static void count_told(struct model *m, const struct stop *stop)
{
	for (int i = 0; i < 2; i++)
		if (stop->point && stop->pc == address((unsigned)stop->vcpu, constant_at[i]))
			m->vcpu[stop->vcpu].told[i]++;
}

static void heard(void *ctx, enum debug_event event, enum debug_owner actor)
{
	const struct stop *stop;
	struct model *m = ctx;

	(void)actor;
	if (event == DEBUG_RESET) {
		m->reset++;
		memset(m->vcpu, 0, sizeof(m->vcpu));
		return;
	}
	assert_int_not_equal(event, DEBUG_EXITED);
	assert_int_equal(event == DEBUG_STOPPED, !m->told_stopped);
	m->told_stopped = event == DEBUG_STOPPED;
	if (event == DEBUG_RESUMED) {
		m->resumed++;
		return;
	}
	stop = debug_last_stop(m->debug);
	m->stopped++;
	m->kinds[stop->reason]++;
	assert_int_equal(stop->pc, debug_pc(m->debug, stop->vcpu));
	count_told(m, stop);
}

/* ---- what must hold at a stop ------------------------------------------------------------ */

static void check_memory(struct model *m)
{
	uint8_t now[OFFSETS];

	for (unsigned i = 0; i < m->vcpus; i++) {
		assert_int_equal(
			debug_read(m->debug, 0, SPACE_PHYSICAL, address(i, 0), now, sizeof(now)),
			sizeof(now));
		assert_memory_equal(now, m->loop, sizeof(now));
	}
}

static bool is_start(unsigned offset)
{
	return memchr(starts, (int)offset, STARTS) != NULL;
}

/* Passed by without being told of: never, but for a step from a place that nothing was told of. */
static void check_told(struct model *m, int vcpu, int which, uint64_t passed)
{
	bool there = offset_of(m, vcpu) == constant_at[which];
	uint64_t told = m->vcpu[vcpu].told[which], excused;

	if (m->vcpu[vcpu].may_pass && told + m->vcpu[vcpu].excused[which] + 1 == passed)
		m->vcpu[vcpu].excused[which]++;
	excused = m->vcpu[vcpu].excused[which];
	if (told + excused < passed || told + excused > passed + there)
		fail_msg("vCPU %d passed breakpoint %d %llu times; told %llu, excused %llu%s", vcpu,
			 which, (unsigned long long)passed, (unsigned long long)told,
			 (unsigned long long)excused, there ? ", stands on it" : "");
}

static void check_vcpu(struct model *m, int vcpu)
{
	unsigned at = offset_of(m, vcpu);
	uint64_t rbx = rig_reg(&m->rig, vcpu, "rbx");

	if (!is_start(at))
		fail_msg("vCPU %d stands at offset %u", vcpu, at);
	assert_int_equal(rig_reg(&m->rig, vcpu, "rcx"), rbx - (at >= 1 && at < 5));
	assert_int_equal(rig_reg(&m->rig, vcpu, "rdx"), rbx - (at >= 1 && at < 9));
	assert_int_equal(rig_reg(&m->rig, vcpu, "r8"), m->vcpu[vcpu].r8);
	check_told(m, vcpu, 0, rbx - (at == 1));
	check_told(m, vcpu, 1, rbx - (at >= 1 && at <= 9));
	m->vcpu[vcpu].may_pass = false;
}

static void check_stop(struct model *m)
{
	assert_int_equal(m->rig.machine->gate.parked_count, m->vcpus);
	assert_true(m->told_stopped);
	check_memory(m);
	for (unsigned i = 0; i < m->vcpus; i++)
		check_vcpu(m, (int)i);
}

/* ---- the orders -------------------------------------------------------------------------- */

static void add_point(struct model *m)
{
	struct point_spec spec = {.kind = pick(m, 4) ? POINT_SOFTWARE : POINT_HARDWARE,
				  .vcpu = (int)pick(m, m->vcpus)};

	spec.address = address((unsigned)spec.vcpu, starts[pick(m, STARTS)]);
	debug_point_add(m->debug, &spec, OWNER_GDB, NULL);
}

static void remove_point(struct model *m)
{
	for (const struct point *p = NULL; (p = debug_point_next(m->debug, p));)
		if (p->owner == OWNER_GDB && pick(m, 2)) {
			assert_int_equal(debug_point_remove(m->debug, p->number, NULL), 0);
			return;
		}
}

static void forget_points(struct model *m)
{
	debug_points_forget(m->debug, OWNER_GDB);
	assert_int_equal(debug_point_next(m->debug, NULL)->owner, OWNER_CONSOLE);
}

static void reset(struct model *m)
{
	struct error err = {0};

	if (pick(m, 20) == 0 && debug_reset(m->debug, OWNER_CONSOLE, &err) < 0)
		fail_msg("%s", err.text);
}

static void pause(struct model *m)
{
	debug_pause(m->debug, pick(m, 2) ? OWNER_GDB : OWNER_CONSOLE);
}

static void dispatch(struct model *m)
{
	debug_dispatch(m->debug);
}

/* Lets the vCPUs get somewhere, without sleeping: as long as a few thousand instructions. */
static void idle(struct model *m)
{
	for (volatile unsigned i = pick(m, 4000); i > 0; i--)
		;
}

static void (*const orders[])(struct model *m) = {add_point, remove_point, forget_points, reset,
						  pause,     dispatch,	   idle,	  idle};

static void give_orders(struct model *m, unsigned most)
{
	for (unsigned n = pick(m, most + 1); n > 0; n--)
		orders[pick(m, sizeof(orders) / sizeof(orders[0]))](m);
}

static void write_registers(struct model *m)
{
	unsigned i = pick(m, m->vcpus);

	m->vcpu[i].r8 = pick(m, 1000000);
	rig_set_reg(&m->rig, (int)i, "r8", m->vcpu[i].r8);
}

/* ---- plans ------------------------------------------------------------------------------- */

static struct plan random_plan(struct model *m, unsigned vcpu)
{
	static const enum plan_action actions[] = {PLAN_RUN,  PLAN_RUN,	 PLAN_RUN,
						   PLAN_STEP, PLAN_HOLD, PLAN_STEP_RANGE};
	struct plan plan = {.action = actions[pick(m, 6)]};

	plan.low = address(vcpu, 2);
	plan.high = address(vcpu, 5 + pick(m, 12));
	return plan;
}

static void resume(struct model *m)
{
	bool any = false, points = false;
	struct plan plans[VCPUS];
	struct error err = {0};

	for (unsigned i = 0; i < m->vcpus; i++) {
		plans[i] = random_plan(m, i);
		any |= plans[i].action != PLAN_HOLD;
		points |= plans[i].action == PLAN_RUN;
	}
	if (!any)
		plans[0].action = PLAN_RUN;
	/* Who steps from a breakpoint means to pass it, whether or not it was told there. */
	for (unsigned i = 0; i < m->vcpus; i++)
		m->vcpu[i].may_pass = !points && any;
	if (debug_resume(m->debug, plans, OWNER_CONSOLE, &err) < 0)
		fail_msg("%s", err.text);
}

static void wait_stop(struct model *m)
{
	while (debug_running(m->debug))
		if (!rig_wait(&m->rig))
			fail_msg("the machine did not stop for ten seconds");
	debug_dispatch(m->debug);
}

/* ---- a whole run ------------------------------------------------------------------------- */

static void start_everybody(struct model *m)
{
	for (unsigned i = 0; i < m->vcpus; i++) {
		rig_make_flat(&m->rig, i);
		rig_set_reg(&m->rig, (int)i, "rbx", 0);
		rig_set_reg(&m->rig, (int)i, "rcx", 0);
		rig_set_reg(&m->rig, (int)i, "rdx", 0);
		rig_set_reg(&m->rig, (int)i, "r8", 0);
	}
	memset(m->vcpu, 0, sizeof(m->vcpu));
}

static void set_constants(struct model *m)
{
	for (unsigned i = 0; i < m->vcpus; i++)
		for (unsigned j = 0; j < 2; j++)
			m->constant[i][j] = rig_break(&m->rig, address(i, constant_at[j]));
}

static void one_round(struct model *m)
{
	unsigned resets = m->reset;

	give_orders(m, 3);
	debug_dispatch(m->debug);
	if (m->reset != resets)
		start_everybody(m);
	if (pick(m, 4) == 0)
		write_registers(m);
	resets = m->reset;
	resume(m);
	give_orders(m, 6);
	debug_pause(m->debug, OWNER_CONSOLE);
	wait_stop(m);
	if (m->reset != resets)
		start_everybody(m);
	check_stop(m);
}

static uint64_t seed(void)
{
	const char *text = getenv("SEED");

	return text ? strtoull(text, NULL, 0) : 0x5eed0fca11ed;
}

static void random_orders(const struct accel_ops *accel, enum dummy_int3 int3, unsigned vcpus)
{
	struct model m = {.rig = {.accel = accel, .dummy.int3 = int3},
			  .random = seed() | 1,
			  .vcpus = vcpus,
			  .told_stopped = true};
	time_t end = time(NULL) + SECONDS;
	unsigned round;

	rig_start(&m.rig, vcpus, IRQCHIP_KERNEL);
	m.debug = m.rig.debug;
	memcpy(m.loop, dummy_loop, sizeof(m.loop));
	if (accel != &accel_dummy)
		m.loop[GUEST_INT3] = 0x90;
	rig_boot(&m.rig, m.loop, sizeof(m.loop));
	debug_listen(m.debug, heard, &m);
	start_everybody(&m);
	set_constants(&m);
	for (round = 0; round < ROUNDS && time(NULL) < end; round++)
		one_round(&m);
	assert_int_equal(m.stopped, m.resumed);
	print_message("seed 0x%llx: %u rounds, %u stops (%u pauses, %u steps, %u breakpoints, %u "
		      "hardware), %u resets\n",
		      (unsigned long long)seed(), round, m.stopped, m.kinds[STOP_PAUSE],
		      m.kinds[STOP_STEP], m.kinds[STOP_BREAKPOINT], m.kinds[STOP_HW_BREAKPOINT],
		      m.reset);
	rig_stop(&m.rig);
}

static void test_where_int3_traps(void **state)
{
	(void)state;
	random_orders(&accel_dummy, DUMMY_INT3_TRAPS, VCPUS);
}

static void test_where_int3_fails(void **state)
{
	(void)state;
	random_orders(&accel_dummy, DUMMY_INT3_EMULATION_FAILURE, VCPUS);
}

static bool int3_works(void)
{
	struct rig rig = {.accel = &accel_kvm};
	bool works;

	rig_start(&rig, 1, IRQCHIP_KERNEL);
	works = debug_capabilities(rig.debug)->int3[CAP_PROT] != INT3_LOST;
	rig_stop(&rig);
	return works;
}

static void test_under_kvm(void **state)
{
	(void)state;
	rig_needs_kvm();
	random_orders(&accel_kvm, 0, int3_works() ? VCPUS : SLOT_VCPUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_where_int3_traps),
		cmocka_unit_test(test_where_int3_fails),
		cmocka_unit_test(test_under_kvm),
	};

	return cmocka_run_group_tests_name("run control, random orders", tests, NULL, NULL);
}
