// SPDX-License-Identifier: GPL-3.0-or-later
/* The ladder: which rung a wish takes on which host, by force and by itself; first as a table, then
 * with machines on the dummy accelerator. */
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
#include <stdio.h>
#include <string.h>

#define REAL (1u << CAP_REAL)
#define PROT (1u << CAP_PROT)
#define LONG (1u << CAP_LONG)
#define USER (1u << CAP_USER)

/* ---- the table --------------------------------------------------------------------------- */

#define EVERYWHERE(value)                                                                          \
	{                                                                                          \
		value, value, value, value                                                         \
	}

static const struct debug_capabilities complete = {
	.step = EVERYWHERE(1),
	.int3 = EVERYWHERE(INT3_TRAPS),
	.slot = EVERYWHERE(1),
	.watch_write = EVERYWHERE(1),
	.watch_access = EVERYWHERE(1),
	.page_write = EVERYWHERE(1),
	.page_read = EVERYWHERE(1),
};

/* A KVM without hardware virtualisation. */
static const struct debug_capabilities emulating = {
	.step = {1, 1, 1, 0},
	.int3 = {INT3_LOST, INT3_EMULATION_FAILURE, INT3_EMULATION_FAILURE, INT3_LOST},
	.slot = {1, 1, 1, 0},
	.page_write = EVERYWHERE(1),
	.page_read = EVERYWHERE(1),
};

/* int3 in real mode only, which no host is known to do. */
static const struct debug_capabilities odd = {
	.int3 = {INT3_TRAPS, INT3_LOST, INT3_LOST, INT3_LOST},
	.slot = EVERYWHERE(1),
};

static const struct debug_capabilities nothing;

struct ladder_case {
	const char *what;
	const struct debug_capabilities *host;
	const char *strategy;
	enum wish wish;
	struct ladder_place place;
	const char *rung; /* its name; NULL: refused … */
	int code;
	const char *why; /* … with these words in it */
};

#define HERE(m)                                                                                    \
	{                                                                                          \
		.modes = (m), .mapped = true, .address = 0x1000, .length = 4                       \
	}
#define FULL(m)                                                                                    \
	{                                                                                          \
		.modes = (m), .mapped = true, .address = 0x1000, .length = 4, .slots_full = true   \
	}
#define UNMAPPED(m)                                                                                \
	{                                                                                          \
		.modes = (m), .address = 0x1000                                                    \
	}
#define LONG_AREA(m)                                                                               \
	{                                                                                          \
		.modes = (m), .mapped = true, .address = 0x1001, .length = 100                     \
	}
#define NO_PAGE(m)                                                                                 \
	{                                                                                          \
		.modes = (m), .mapped = true, .address = 0x1000, .length = 4,                      \
		.no_pages = "a stack is there"                                                     \
	}
#define NOTHING(m)                                                                                 \
	{                                                                                          \
		.modes = (m), .mapped = true, .address = 0x1000, .length = 4,                      \
		.no_pages = "a stack is there", .no_compare = "no RAM is there"                    \
	}
#define PHYSICAL(m)                                                                                \
	{                                                                                          \
		.modes = (m), .mapped = true, .physical = true, .address = 0x1000, .length = 4     \
	}

/* clang-format off */
static const struct ladder_case cases[] = {
	{"int3 first", &complete, NULL, WISH_BREAK, HERE(LONG), "int3", 0, NULL},
	{"in ring 3 too", &complete, NULL, WISH_BREAK, HERE(LONG | USER), "int3", 0, NULL},
	{"never a slot when int3 works", &complete, NULL, WISH_BREAK, FULL(LONG), "int3", 0, NULL},
	{"emulation failure", &emulating, NULL, WISH_BREAK, HERE(LONG), "emulation", 0, NULL},
	{"a slot in real mode", &emulating, NULL, WISH_BREAK, HERE(REAL), "slot", 0, NULL},
	{"one vCPU here, one there", &emulating, NULL, WISH_BREAK, HERE(REAL | LONG), "slot", 0, NULL},
	{"no slot left", &emulating, NULL, WISH_BREAK, FULL(REAL), NULL, -ENOSPC, "all four are in use"},
	{"ring 3 refused", &emulating, NULL, WISH_BREAK, HERE(LONG | USER), NULL, -ENOTSUP, "ring 3"},
	{"not mapped: a slot", &complete, NULL, WISH_BREAK, UNMAPPED(LONG), "slot", 0, NULL},
	{"not mapped, no slot: pending", &complete, NULL, WISH_BREAK, {.modes = LONG, .slots_full = true}, "pending", 0, NULL},
	{"not mapped, but loaded", &complete, NULL, WISH_BREAK, {.modes = LONG, .slots_full = true, .loaded = true}, "loaded", 0, NULL},
	{"physical: int3", &complete, NULL, WISH_BREAK, PHYSICAL(LONG), "int3", 0, NULL},
	{"physical: no slot", &emulating, NULL, WISH_BREAK, PHYSICAL(REAL), NULL, -ENOTSUP, "physical"},
	{"a rung that lasts", &odd, NULL, WISH_BREAK, {.modes = REAL, .soon = PROT | LONG, .mapped = true}, "slot", 0, NULL},
	{"or one for now", &odd, NULL, WISH_BREAK, {.modes = REAL, .soon = PROT | LONG, .mapped = true, .slots_full = true}, "int3", 0, NULL},
	{"nothing at all", &nothing, NULL, WISH_BREAK, HERE(LONG), NULL, -ENOTSUP, "nothing on this host"},

	{"hardware: a slot", &complete, NULL, WISH_HBREAK, HERE(LONG), "slot", 0, NULL},
	{"hardware: overflow", &complete, NULL, WISH_HBREAK, FULL(LONG), "int3", 0, NULL},
	{"hardware: overflow to failures", &emulating, NULL, WISH_HBREAK, FULL(LONG), "emulation", 0, NULL},
	{"hardware: no overflow", &emulating, NULL, WISH_HBREAK, FULL(REAL), NULL, -ENOSPC, "all four"},
	{"hardware: never pending", &nothing, NULL, WISH_HBREAK, UNMAPPED(LONG), NULL, -ENOTSUP, "not mapped|nothing"},

	{"watch: a slot", &complete, NULL, WISH_WATCH, HERE(LONG), "slot", 0, NULL},
	{"watch: overflow", &complete, NULL, WISH_WATCH, FULL(LONG), "page", 0, NULL},
	{"watch: any length", &complete, NULL, WISH_WATCH, LONG_AREA(LONG), "page", 0, NULL},
	{"watch: no slots", &emulating, NULL, WISH_WATCH, HERE(LONG | USER), "page", 0, NULL},
	{"watch: nothing", &nothing, NULL, WISH_WATCH, HERE(LONG), NULL, -ENOTSUP, "neither"},
	{"watch: no page, but steps", &emulating, NULL, WISH_WATCH, NO_PAGE(LONG), "compare", 0, NULL},
	{"watch: no page, but a slot", &complete, NULL, WISH_WATCH, NO_PAGE(LONG), "slot", 0, NULL},
	{"watch: by slots of steps", &odd, NULL, WISH_WATCH, HERE(LONG), "compare", 0, NULL},
	{"watch: no page, no steps in ring 3", &emulating, NULL, WISH_WATCH, NO_PAGE(LONG | USER), NULL, -ENOTSUP, "a stack"},
	{"watch: no page, nothing to compare", &emulating, NULL, WISH_WATCH, NOTHING(LONG), NULL, -ENOTSUP, "a stack"},
	{"access: a slot", &complete, NULL, WISH_ACCESS, HERE(LONG), "slot", 0, NULL},
	{"access: no page, but steps", &emulating, NULL, WISH_ACCESS, NO_PAGE(LONG), "compare", 0, NULL},
	{"access: no slots", &emulating, NULL, WISH_ACCESS, HERE(LONG), "page", 0, NULL},

	{"step", &emulating, NULL, WISH_STEP, {.modes = REAL}, "tf", 0, NULL},
	{"step in ring 3", &complete, NULL, WISH_STEP, {.modes = USER}, "tf", 0, NULL},

	{"forced slot", &complete, "break=slot", WISH_BREAK, HERE(LONG), "slot", 0, NULL},
	{"forced slot, full", &complete, "break=slot", WISH_BREAK, FULL(LONG), NULL, -ENOSPC, "-debug-strategy break=slot"},
	{"forced failure", &complete, "break=emulation", WISH_BREAK, HERE(LONG), NULL, -ENOTSUP, "-debug-strategy break=emulation"},
	{"forced int3 waits", &complete, "break=int3", WISH_BREAK, UNMAPPED(LONG), "pending", 0, NULL},
	{"forced slot does not wait", &emulating, "break=slot", WISH_BREAK, {.modes = LONG, .slots_full = true}, NULL, -ENOSPC, "break=slot"},
	{"forcing one leaves the others", &complete, "break=slot", WISH_HBREAK, FULL(LONG), "int3", 0, NULL},
	{"forced int3 for hardware", &complete, "hbreak=int3", WISH_HBREAK, HERE(LONG), "int3", 0, NULL},
	{"forced page", &complete, "watch=page", WISH_WATCH, HERE(LONG), "page", 0, NULL},
	{"forced compare", &complete, "watch=compare", WISH_WATCH, HERE(LONG), "compare", 0, NULL},
	{"forced compare, any length", &complete, "watch=compare", WISH_WATCH, LONG_AREA(LONG), "compare", 0, NULL},
	{"forced compare, reads", &complete, "access=compare", WISH_ACCESS, PHYSICAL(LONG), "compare", 0, NULL},
	{"forced compare in ring 3", &emulating, "watch=compare", WISH_WATCH, HERE(LONG | USER), NULL, -ENOTSUP, "watch=compare"},
	{"forced compare, nothing there", &complete, "watch=compare", WISH_WATCH, NOTHING(LONG), NULL, -ENOTSUP, "no RAM"},
	{"forced watch slot", &emulating, "watch=slot", WISH_WATCH, HERE(LONG), NULL, -ENOTSUP, "watch=slot"},
	{"step by slots", &odd, NULL, WISH_STEP, {.modes = LONG}, "slots", 0, NULL},
	{"no step at all", &emulating, NULL, WISH_STEP, {.modes = USER}, NULL, -ENOTSUP, "ring 3"},
	{"forced slots for steps", &complete, "step=slots", WISH_STEP, {.modes = LONG}, "slots", 0, NULL},
	{"forced step", &emulating, "step=tf", WISH_STEP, {.modes = USER}, NULL, -ENOTSUP, "step=tf"},
	{"several words", &complete, "probe,break=slot,watch=page", WISH_BREAK, HERE(LONG), "slot", 0, NULL},
};
/* clang-format on */

static bool has_words(const char *text, const char *words)
{
	size_t first = strcspn(words, "|");
	char one[64];

	snprintf(one, sizeof(one), "%.*s", (int)first, words);
	return strstr(text, one) || (words[first] && strstr(text, words + first + 1));
}

static void test_choices(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ladder_case *c = &cases[i];
		struct debug_strategy strategy = {.probe = false};
		const struct ladder_row *row;
		struct error err = {0};

		if (c->strategy)
			assert_int_equal(debug_strategy_parse(c->strategy, &strategy, &err), 0);
		row = ladder_choose(c->host, &strategy, c->wish, &c->place, &err);
		if (!c->rung && (row || err.code != c->code || !has_words(err.text, c->why)))
			fail_msg("%s: %s (%d) '%s'", c->what, row ? row->name : "refused", err.code,
				 err.text);
		if (c->rung && (!row || strcmp(row->name, c->rung)))
			fail_msg("%s: %s, not %s: '%s'", c->what, row ? row->name : "refused",
				 c->rung, err.text);
	}
}

/* ---- -debug-strategy --------------------------------------------------------------------- */

static void test_strategy_words(void **state)
{
	static const struct {
		const char *text, *word;
	} bad[] = {
		{"", "break"},
		{"break", "break"},
		{"break=", "emulation"},
		{"break=tf", "slot"},
		{"step=int3", "tf"},
		{"fly=slot", "hbreak"},
		{"break=slot,", "probe"},
		{",break=slot", "probe"},
		{"break=slot=int3", "emulation"},
		{"probe=yes", "WISH"},
		{"BREAK=slot", "WISH"},
		{"break=slo", "slot"},
		{"break=slots", "pending"},
	};
	struct debug_strategy before = {.forced = {1}}, strategy = before;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(debug_strategy_parse(bad[i].text, &strategy, &err), -EINVAL);
		if (!strstr(err.text, bad[i].word))
			fail_msg("'%s': %s", bad[i].text, err.text);
		assert_memory_equal(&strategy, &before, sizeof(before));
	}
	assert_int_equal(debug_strategy_parse("probe", &strategy, &err), 0);
	assert_true(strategy.probe);
}

/* Every row can be named, and is then the one that is allowed. */
static void test_every_row_has_its_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ladder_size; i++) {
		struct debug_strategy strategy = {.probe = false};
		char text[64];

		snprintf(text, sizeof(text), "%s=%s", wish_name(ladder[i].wish), ladder[i].name);
		assert_int_equal(debug_strategy_parse(text, &strategy, NULL), 0);
		for (unsigned n = 0; n < ladder_size; n++)
			if (ladder_allowed(&ladder[n], ladder[i].wish, &strategy) && n != i)
				assert_true(ladder[n].needs & NEED_UNMAPPED);
		assert_true(ladder_allowed(&ladder[i], ladder[i].wish, &strategy));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_strategy_words),
		cmocka_unit_test(test_every_row_has_its_name),
	};

	return cmocka_run_group_tests_name("the ladder", tests, NULL, NULL);
}
