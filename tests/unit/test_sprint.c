// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Ranges that are run through end as they do by steps: random programs, on the dummy and on the host's KVM. Without
 * int3 every range is stepped, which is what the other way is compared with.
 *
 * SEED in the environment repeats a run.
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

#define NOP	0x90
#define DATA	0x8000u
#define DATA_TO 0x20000u
#define STACK	0x40000u
#define PAD	96 /* from here on in the code: what lies outside of every range */
#define SIZE	128

/* ---- a program --------------------------------------------------------------------------- */

struct program_text {
	uint8_t code[SIZE];
	unsigned size, count;
	uint8_t start[SIZE]; /* of its instructions */
	unsigned high;	     /* of the range, which begins at 0 */
	unsigned turns;
	int point; /* where a breakpoint is, or -1 */
	unsigned ignore;
};

static uint64_t randomness;

static unsigned some(unsigned below)
{
	randomness = randomness * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(randomness >> 33) % below;
}

static void append(struct program_text *p, const void *bytes, unsigned size)
{
	p->start[p->count++] = (uint8_t)p->size;
	memcpy(p->code + p->size, bytes, size);
	p->size += size;
}

#define CODE(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})

static void add_plain(struct program_text *p)
{
	static const uint8_t counters[] = {0x40, 0x42, 0x43, 0x46}; /* eax, edx, ebx, esi */

	switch (some(6)) {
	case 0: append(p, CODE(NOP)); break;
	case 1: append(p, CODE(0xa2, (uint8_t)some(256), 0x80, 0, 0)); break; /* mov %al, DATA */
	case 2: append(p, CODE(0x88, 0x07)); break;
	case 3: append(p, CODE(0x8a, 0x07)); break;
	case 4: append(p, CODE(0x47)); break; /* inc %edi */
	default: append(p, &counters[some(sizeof(counters))], 1); break;
	}
}

/* What is stepped in any case, and ends what is run through. */
static void add_odd(struct program_text *p)
{
	switch (some(5)) {
	case 0: append(p, CODE(0xe4, 0x60)); break; /* in */
	case 1: append(p, CODE(0xe6, 0x80)); break; /* out */
	case 2: append(p, CODE(0x9c)); break;	    /* pushf */
	case 3: append(p, CODE(0x44)); break;	    /* inc %esp */
	default: append(p, CODE(0xfa)); break;	    /* cli */
	}
}

/* Over the next instruction, whichever it will be; or out of the range. */
static void add_jump(struct program_text *p)
{
	unsigned at = p->size + 1;

	if (some(4) == 0) {
		append(p, CODE(0xe3, (uint8_t)(PAD + some(8) - p->size - 2)));
		return;
	}
	append(p, CODE(some(2) ? 0xeb : 0xe3, 0));
	if (some(2)) {
		add_plain(p);
		p->code[at] = (uint8_t)(p->size - at - 1);
	}
}

static void add_some(struct program_text *p, unsigned count, bool odd)
{
	for (unsigned i = 0; i < count; i++)
		if (odd && some(12) == 0)
			add_odd(p);
		else if (some(5) == 0)
			add_jump(p);
		else
			add_plain(p);
}

/* Something, a loop of thousands of turns, and something; and then nops, of which some are in the range. */
static void make_program(struct program_text *p, unsigned most_turns)
{
	bool odd = some(2);
	unsigned top;

	*p = (struct program_text){.point = -1, .turns = 1 + some(most_turns)};
	memset(p->code, NOP, sizeof(p->code));
	memcpy(p->code + SIZE - 2, (const uint8_t[]){0xeb, 0xfe}, 2);
	add_some(p, some(3), odd);
	top = p->size;
	add_some(p, 1 + some(8), odd);
	append(p, CODE(0xe2, (uint8_t)(top - p->size - 2)));
	add_some(p, some(3), odd);
	p->high = some(4) ? p->size : 1 + some(p->size);
	if (some(4) == 0) {
		p->point = p->start[some(p->count)];
		p->ignore = some(2 * p->turns);
	}
}

/* ---- both ways --------------------------------------------------------------------------- */

struct outcome {
	enum stop_reason reason;
	uint64_t pc, gpr[GPR_COUNT], hits, debug_exits;
	uint8_t memory[STACK];
};

static void put_point(struct rig *rig, const struct program_text *p)
{
	if (p->point >= 0)
		assert_int_equal(debug_point_ignore(rig->debug,
						    rig_break(rig, RIG_CODE + (unsigned)p->point),
						    p->ignore, NULL),
				 0);
}

static void look(struct rig *rig, struct outcome *out)
{
	const struct cpu_state *state = vcpu_state(&rig->machine->vcpus[0], CPU_GENERAL);
	const struct point *point = debug_point_next(rig->debug, NULL);
	struct trace_share share;

	assert_non_null(state);
	memcpy(out->gpr, state->general.gpr, sizeof(out->gpr));
	out->pc = debug_pc(rig->debug, 0);
	out->hits = point ? point->hits : 0;
	assert_true(debug_trace_share(rig->debug, 0, EXIT_DEBUG, &share));
	out->debug_exits = share.exits;
	assert_int_equal(mem_read_phys(rig->machine->memory, 0, out->memory, sizeof(out->memory)),
			 sizeof(out->memory));
}

static void play(struct rig *rig, const struct program_text *p, struct outcome *out)
{
	const struct plan plan = {
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + p->high};
	struct error err = {0};

	rig_start(rig, 1, IRQCHIP_KERNEL);
	rig_code(rig, 0, p->code, sizeof(p->code));
	rig_set_reg(rig, 0, "rcx", p->turns);
	rig_set_reg(rig, 0, "rdi", DATA + 0x100);
	rig_set_reg(rig, 0, "rsp", STACK - 16);
	put_point(rig, p);
	if (debug_resume(rig->debug, &plan, OWNER_GDB, &err) < 0)
		fail_msg("%s", err.text);
	out->reason = rig_wait_stop(rig)->reason;
	look(rig, out);
	rig_stop(rig);
}

static void compare(const struct program_text *p, const struct outcome *by_steps,
		    const struct outcome *by_sprint, uint64_t seed)
{
	bool same = by_steps->reason == by_sprint->reason && by_steps->pc == by_sprint->pc &&
		    by_steps->hits == by_sprint->hits &&
		    memcmp(by_steps->gpr, by_sprint->gpr, sizeof(by_steps->gpr)) == 0 &&
		    memcmp(by_steps->memory, by_sprint->memory, sizeof(by_steps->memory)) == 0;

	if (same)
		return;
	for (unsigned i = 0; i < p->size; i++)
		print_message("%02x%s", p->code[i], i + 1 == p->high ? " | " : " ");
	fail_msg("SEED=%llu: by steps %s at 0x%llx, rcx %llu, %llu hits; else %s at 0x%llx, rcx "
		 "%llu, %llu hits",
		 (unsigned long long)seed, stop_reason_name(by_steps->reason),
		 (unsigned long long)by_steps->pc, (unsigned long long)by_steps->gpr[GPR_RCX],
		 (unsigned long long)by_steps->hits, stop_reason_name(by_sprint->reason),
		 (unsigned long long)by_sprint->pc, (unsigned long long)by_sprint->gpr[GPR_RCX],
		 (unsigned long long)by_sprint->hits);
}

static void play_both(const struct accel_ops *accel, const struct program_text *p,
		      struct outcome out[2])
{
	for (unsigned i = 0; i < 2; i++) {
		struct rig rig = {.accel = accel};
		struct error err = {0};

		if (i == 0)
			assert_int_equal(
				debug_strategy_parse("break=slot", &rig.config.strategy, &err), 0);
		play(&rig, p, &out[i]);
	}
}

/* Returns how many of them were not stepped through. */
static unsigned random_programs(const struct accel_ops *accel, unsigned count, unsigned most_turns)
{
	static struct outcome out[2];
	const char *seed = getenv("SEED");
	unsigned ran = 0;

	randomness = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
	for (unsigned i = 0; i < count; i++) {
		uint64_t before = randomness;
		struct program_text p;

		make_program(&p, most_turns);
		play_both(accel, &p, out);
		compare(&p, &out[0], &out[1], before);
		ran += 2 * out[1].debug_exits < out[0].debug_exits;
	}
	return ran;
}

static void test_random_programs(void **state)
{
	unsigned count = rig_rounds(3000, 120) / (unsigned)rig_slower();

	(void)state;
	assert_true(random_programs(NULL, count, 1500) > count / 8);
}

static bool has_int3(void)
{
	struct rig rig = {.accel = &accel_kvm};
	bool has;

	rig_start(&rig, 1, IRQCHIP_KERNEL);
	has = debug_capabilities(rig.debug)->int3[CAP_PROT] != INT3_LOST;
	rig_stop(&rig);
	return has;
}

static void test_random_programs_on_kvm(void **state)
{
	(void)state;
	rig_needs_kvm();
	if (!has_int3()) {
		print_message("# SKIP needs int3\n");
		skip();
	}
	assert_true(random_programs(&accel_kvm, rig_rounds(200, 20), 1500) > 0);
}

/* ---- code that changes ------------------------------------------------------------------- */

/* A loop writes nops from below its page on, and first to the instruction that makes it go around. */
static void fill_over(struct rig *rig, const char *strategy, unsigned below, struct outcome *out)
{
	static const uint8_t head[] = {0xeb, 0x45, 0xe2, 0x43, 0xeb, PAD - 6};
	static const uint8_t body[] = {0x43, 0x88, 0x07, 0x47, 0xeb, 0xb5};
	struct program_text p = {.high = 0x47 + sizeof(body), .size = 0x47 + sizeof(body)};
	const struct plan plan = {
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + p.high};

	memset(p.code, NOP, sizeof(p.code));
	memcpy(p.code, head, sizeof(head));
	memcpy(p.code + 0x47, body, sizeof(body));
	if (strategy)
		assert_int_equal(debug_strategy_parse(strategy, &rig->config.strategy, NULL), 0);
	rig_start(rig, 1, IRQCHIP_KERNEL);
	rig_code(rig, 0, p.code, sizeof(p.code));
	rig_set_reg(rig, 0, "rcx", 100000);
	rig_set_reg(rig, 0, "rax", NOP);
	rig_set_reg(rig, 0, "rdi", RIG_CODE - below);
	assert_int_equal(debug_resume(rig->debug, &plan, OWNER_GDB, NULL), 0);
	out->reason = rig_wait_stop(rig)->reason;
	look(rig, out);
	rig_stop(rig);
	assert_int_equal(out->pc, RIG_CODE + PAD);
	/* Once more, since the byte behind the first nop is an inc of its own. */
	assert_int_equal(out->gpr[GPR_RBX], below + 4);
}

static void test_code_that_overwrites_itself(void **state)
{
	static struct outcome by_steps, by_sprint;

	(void)state;
	for (unsigned below = 40; below < RIG_CODE; below += 397u * (unsigned)rig_slower()) {
		struct rig rigs[2] = {0};

		fill_over(&rigs[0], "break=slot", below, &by_steps);
		fill_over(&rigs[1], NULL, below, &by_sprint);
		assert_memory_equal(by_steps.memory, by_sprint.memory, sizeof(by_steps.memory));
	}
	assert_true(by_sprint.debug_exits * 2 < by_steps.debug_exits);
}

/* Another vCPU bends the jump of an endless loop, to where only the new code leads. */
static void bends_the_jump(const char *strategy)
{
	static const uint8_t loop[] = {0x43, NOP, 0xeb, 0xfc};
	static const uint8_t writer[] = {0xe2, 0xfe, 0xa2, RIG_CODE & 0xff, RIG_CODE >> 8, 0, 0,
					 NOP,  0xeb, 0xfe};
	struct plan plans[2] = {
		{.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + sizeof(loop)},
		{.action = PLAN_RUN}};
	uint8_t bytes[sizeof(writer)];
	struct rig rig = {0};

	if (strategy)
		assert_int_equal(debug_strategy_parse(strategy, &rig.config.strategy, NULL), 0);
	memcpy(bytes, writer, sizeof(bytes));
	bytes[3] += 3; /* the displacement */
	rig_start(&rig, 2, IRQCHIP_KERNEL);
	rig_code(&rig, 0, loop, sizeof(loop));
	rig_code(&rig, 1, bytes, sizeof(bytes));
	rig_set_reg(&rig, 1, "rax", 0x20);
	rig_set_reg(&rig, 1, "rcx", 1 + some(300000));
	assert_int_equal(debug_resume(rig.debug, plans, OWNER_GDB, NULL), 0);
	if (rig_wait_stop(&rig)->reason != STOP_STEP)
		fail_msg("%s", debug_last_stop(rig.debug)->text);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 0x24);
	rig_stop(&rig);
}

static void test_code_that_another_changes(void **state)
{
	(void)state;
	bends_the_jump("break=slot");
	for (unsigned i = 0; i < rig_rounds(1000, 20) / (unsigned)rig_slower(); i++)
		bends_the_jump(NULL);
}

/* ---- and the rest goes on ---------------------------------------------------------------- */

static const uint8_t endless[] = {0x43, NOP, 0xeb, 0xfc};

/* A pause, a point that comes meanwhile, and a watch that needs steps. */
static void test_it_can_be_stopped(void **state)
{
	const struct plan plan = {
		.action = PLAN_STEP_RANGE, .low = RIG_CODE, .high = RIG_CODE + sizeof(endless)};
	struct rig rig = {0};

	(void)state;
	rig_start(&rig, 1, IRQCHIP_KERNEL);
	rig_code(&rig, 0, endless, sizeof(endless));
	for (unsigned i = 0; i < 50; i++) {
		uint64_t before = rig_reg(&rig, 0, "rbx"), pc;

		assert_int_equal(debug_resume(rig.debug, &plan, OWNER_GDB, NULL), 0);
		for (unsigned n = 0; n < some(2000); n++)
			sched_yield();
		debug_pause(rig.debug, OWNER_GDB);
		assert_int_equal(rig_wait_stop(&rig)->reason, STOP_PAUSE);
		pc = debug_pc(rig.debug, 0);
		assert_in_range(pc, RIG_CODE, RIG_CODE + sizeof(endless) - 1);
		assert_true(rig_reg(&rig, 0, "rbx") >= before);
		for (unsigned n = 0; n < sizeof(endless); n++)
			assert_int_equal(rig_byte(&rig, RIG_CODE + n), endless[n]);
	}
	assert_int_equal(debug_resume(rig.debug, &plan, OWNER_GDB, NULL), 0);
	rig_break(&rig, RIG_CODE + 1);
	rig_wait_stop(&rig);
	assert_int_equal(debug_pc(rig.debug, 0), RIG_CODE + 1);
	assert_int_equal(debug_point_next(rig.debug, NULL)->hits, 1);
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_programs),
		cmocka_unit_test(test_random_programs_on_kvm),
		cmocka_unit_test(test_code_that_overwrites_itself),
		cmocka_unit_test(test_code_that_another_changes),
		cmocka_unit_test(test_it_can_be_stopped),
	};

	return cmocka_run_group_tests_name("ranges that are run through", tests, NULL, NULL);
}
