// SPDX-License-Identifier: GPL-3.0-or-later
/* Rungs that the dummy accelerator carries points by. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on
#include "debug/ladder.h"
#include "log.h"
#include "rig.h"

#include <errno.h>
#include <string.h>

/* ---- on the dummy ------------------------------------------------------------------------ */

#define POINTS 6

static const uint8_t nops[] = {0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xeb, 0xf5};

static int add(struct rig *rig, enum point_kind kind, uint64_t address, struct error *err)
{
	const struct point_spec spec = {.kind = kind, .address = address, .length = 1};

	return debug_point_add(rig->debug, &spec, OWNER_CONSOLE, err);
}

static void start(struct rig *rig, const char *strategy)
{
	if (strategy)
		assert_int_equal(debug_strategy_parse(strategy, &rig->config.strategy, NULL), 0);
	rig_start(rig, 1, IRQCHIP_KERNEL);
	rig_code(rig, 0, nops, sizeof(nops));
}

/* As many points as fit; each is hit, one behind the other, whatever carries it. */
static void expect_hits(struct rig *rig, unsigned count)
{
	for (unsigned i = 1; i <= count; i++) {
		const struct stop *stop;

		rig_continue(rig);
		stop = rig_wait_stop(rig);
		if (stop->point == 0 || debug_pc(rig->debug, 0) != RIG_CODE + i)
			fail_msg("'%s' at 0x%llx, not at point %u", stop->text,
				 (unsigned long long)debug_pc(rig->debug, 0), i);
	}
}

struct host_case {
	const char *what, *strategy;
	struct dummy_config dummy;
	enum point_kind kind;
	unsigned fit; /* of six points */
	const char *first, *last;
};

/* clang-format off */
static const struct host_case host_cases[] = {
	{"int3", NULL, {.int3 = DUMMY_INT3_TRAPS}, POINT_SOFTWARE, 6, "int3", "int3"},
	{"emulation failures", NULL, {.int3 = DUMMY_INT3_EMULATION_FAILURE}, POINT_SOFTWARE, 6, "emulation", "emulation"},
	{"slots for want of int3", NULL, {.int3 = DUMMY_INT3_TO_GUEST}, POINT_SOFTWARE, 4, "debug register", "debug register"},
	{"neither", NULL, {.int3 = DUMMY_INT3_TO_GUEST, .no_slots = true}, POINT_SOFTWARE, 0, "", ""},
	{"forced slots", "break=slot", {.int3 = DUMMY_INT3_TRAPS}, POINT_SOFTWARE, 4, "debug register", "debug register"},
	{"forced int3", "break=int3", {.int3 = DUMMY_INT3_TRAPS, .no_slots = true}, POINT_SOFTWARE, 6, "int3", "int3"},
	{"forced failures that do not come", "break=emulation", {.int3 = DUMMY_INT3_TRAPS}, POINT_SOFTWARE, 0, "", ""},
	{"forced failures", "break=emulation", {.int3 = DUMMY_INT3_EMULATION_FAILURE}, POINT_SOFTWARE, 6, "emulation", "emulation"},
	{"hardware overflows", NULL, {.int3 = DUMMY_INT3_TRAPS}, POINT_HARDWARE, 6, "debug register", "int3"},
	{"hardware overflows to failures", NULL, {.int3 = DUMMY_INT3_EMULATION_FAILURE}, POINT_HARDWARE, 6, "debug register", "emulation"},
	{"hardware cannot overflow", NULL, {.int3 = DUMMY_INT3_TO_GUEST}, POINT_HARDWARE, 4, "debug register", "debug register"},
	{"hardware without slots", NULL, {.no_slots = true}, POINT_HARDWARE, 6, "int3", "int3"},
	{"hardware, forced slots", "hbreak=slot", {.int3 = DUMMY_INT3_TRAPS}, POINT_HARDWARE, 4, "debug register", "debug register"},
	{"RF ignored", NULL, {.ignore_rf = true}, POINT_HARDWARE, 6, "debug register", "int3"},
};
/* clang-format on */

static void try_host(const struct host_case *c)
{
	struct rig rig = {.dummy = c->dummy};
	struct error err = {0};
	int number[POINTS];
	unsigned fit = 0;

	start(&rig, c->strategy);
	while (fit < POINTS && (number[fit] = add(&rig, c->kind, RIG_CODE + 1 + fit, &err)) > 0)
		fit++;
	if (fit != c->fit)
		fail_msg("%s: %u points fit, not %u: %s", c->what, fit, c->fit, err.text);
	if (fit > 0 && (!strstr(rig_point(&rig, number[0])->rung, c->first) ||
			!strstr(rig_point(&rig, number[fit - 1])->rung, c->last)))
		fail_msg("%s: '%s' … '%s'", c->what, rig_point(&rig, number[0])->rung,
			 rig_point(&rig, number[fit - 1])->rung);
	expect_hits(&rig, fit);
	rig_stop(&rig);
}

static void test_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(host_cases) / sizeof(host_cases[0]); i++)
		try_host(&host_cases[i]);
}

/* Six hardware breakpoints and four watches that only debug registers carry: the watches get
 * them. */
static void test_slots_go_to_those_who_need_them(void **state)
{
	struct rig rig = {.dummy = {.int3 = DUMMY_INT3_TRAPS}};
	int hard[POINTS], watch[4];
	struct error err = {0};

	(void)state;
	start(&rig, "watch=slot");
	for (unsigned i = 0; i < POINTS; i++)
		hard[i] = add(&rig, POINT_HARDWARE, RIG_CODE + 1 + i, &err);
	for (unsigned i = 0; i < 4; i++) {
		watch[i] = add(&rig, POINT_WRITE, 0x8000 + 8 * i, &err);
		if (watch[i] < 0)
			fail_msg("watch %u: %s", i, err.text);
	}
	assert_int_equal(add(&rig, POINT_WRITE, 0x9000, &err), -ENOSPC);
	expect_hits(&rig, POINTS);
	for (unsigned i = 0; i < POINTS; i++)
		assert_string_equal(rig_point(&rig, hard[i])->rung, "int3");
	for (unsigned i = 0; i < 4; i++)
		assert_non_null(strstr(rig_point(&rig, watch[i])->rung, "debug register"));
	assert_int_equal(debug_point_remove(rig.debug, watch[3], &err), 0);
	rig_continue(&rig);
	rig_wait_stop(&rig);
	assert_non_null(strstr(rig_point(&rig, hard[0])->rung, "debug register"));
	rig_stop(&rig);
}

/* ---- debug registers that two want ------------------------------------------------------- */

static unsigned notes;

static void count_notes(void *ctx, enum log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	notes += strstr(line, "takes the debug registers") != NULL;
}

static void test_sharing_is_told_once(void **state)
{
	struct rig rig = {.dummy = {.int3 = DUMMY_INT3_TRAPS}};
	struct error err = {0};

	(void)state;
	notes = 0;
	log_set_sink(count_notes, NULL);
	start(&rig, NULL);
	rig_set_reg(&rig, 0, "dr7", 0x402);
	add(&rig, POINT_SOFTWARE, RIG_CODE + 1, &err);
	expect_hits(&rig, 1);
	assert_int_equal(notes, 0);
	add(&rig, POINT_HARDWARE, RIG_CODE + 2, &err);
	for (unsigned i = 0; i < 4; i++) {
		rig_continue(&rig);
		rig_wait_stop(&rig);
	}
	assert_int_equal(notes, 1);
	rig_stop(&rig);
	log_set_sink(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_slots_go_to_those_who_need_them),
		cmocka_unit_test(test_sharing_is_told_once),
	};

	return cmocka_run_group_tests_name("ladder dummy", tests, NULL, NULL);
}
