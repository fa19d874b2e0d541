// SPDX-License-Identifier: GPL-3.0-or-later
/* How long a layout holds, and what a mode switch does to it. */
#include "layout_case.h"
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- how long it holds ---------------------------------------------------------------- */

/* A mode switch changes nothing of what gdb believes; reading the description again does. */
static void a_layout_holds_until_it_is_read_again(void **state)
{
	struct peer *peer = peer_in(MODE_REAL, GDB_ARCH_AUTO, NULL);
	struct cpu_state *cpu = &peer->debug->state[0], in_long_mode = peer->debug->state[1];
	char *xml;

	(void)state;
	*cpu = in_long_mode;
	cpu->general.rip = 0xffffffff80001000;
	assert_int_equal(strlen(peer_answer(peer, "g")), 2 * G_64);
	ask(peer, text("p%x", narrow("eip")), "00100080");
	ask(peer, "p10", "00100080ffffffff");
	xml = description(peer);
	expect_description(xml, "i386:x86-64", true, false);
	ask_error(peer, text("p%x", narrow("eip")));
	free(xml);
	enter_mode(cpu, MODE_PROT32);
	ask_error(peer, text("p%x", narrow("eip")));
	peer->debug->running = true; /* nobody knows its mode */
	xml = description(peer);
	expect_description(xml, "i386:x86-64", true, false);
	free(xml);
	peer->debug->running = false;
	xml = description(peer);
	expect_description(xml, "i386", true, true);
	ask(peer, text("p%x", narrow("eip")), "20000000");
	free(xml);
	peer_free(peer);
}

/* One vCPU may be on its way up while another is in long mode. */
static void the_selected_vcpu_decides(void **state)
{
	struct peer *peer = peer_in(MODE_REAL, GDB_ARCH_AUTO, NULL);
	char *xml;

	(void)state;
	ask(peer, "Hg2", "OK");
	xml = description(peer);
	expect_description(xml, "i386:x86-64", true, false);
	free(xml);
	ask(peer, "Hg1", "OK");
	xml = description(peer);
	expect_description(xml, "i8086", true, true);
	free(xml);
	peer_free(peer);
}

static void what_was_chosen_stays(void **state)
{
	struct peer *peer = peer_in(MODE_REAL, GDB_ARCH_I8086, NULL);
	char *xml;

	(void)state;
	peer->debug->state[0] = peer->debug->state[1];
	xml = description(peer);
	expect_description(xml, "i8086", false, true);
	free(xml);
	peer_free(peer);
}

/* ---- a mode switch that was caught ------------------------------------------------------ */

#define FORCED(arch) "-gdb-arch keeps gdb at " arch "; `monitor x/5i $pc` goes by the mode\n"

// clang-format off
static const struct {
	enum cpu_mode from, to;
	enum gdb_arch wish;
	const struct gdb_file *file;
	const char *words;
} switches[] = {
	{MODE_REAL,   MODE_PROT16, GDB_ARCH_AUTO, NULL, "In gdb, type: set architecture i8086\n"},
	{MODE_REAL,   MODE_PROT32, GDB_ARCH_AUTO, NULL, "In gdb, type: set architecture i386\n"},
	{MODE_REAL,   MODE_LONG,   GDB_ARCH_AUTO, NULL, "In gdb, type: set architecture i386:x86-64\n"},
	{MODE_PROT32, MODE_LONG,   GDB_ARCH_AUTO, NULL, "In gdb, type: set architecture i386:x86-64\n"},
	{MODE_PROT32, MODE_V86,    GDB_ARCH_AUTO, NULL,
	 "In gdb, type: unset tdesc filename, then: set architecture i8086\n"},
	{MODE_PROT32, MODE_REAL,   GDB_ARCH_AUTO, &file64, "In gdb, type: set architecture i8086\n"},
	{MODE_LONG,   MODE_COMPAT32, GDB_ARCH_AUTO, NULL,
	 "In gdb, type: unset tdesc filename, then: set architecture i386\n"},
	{MODE_LONG,   MODE_REAL,   GDB_ARCH_AUTO, &file64,
	 "In gdb, type: unset tdesc filename, then: set architecture i8086\n"},
	{MODE_LONG,   MODE_LONG,   GDB_ARCH_AUTO, NULL, ""},
	{MODE_REAL,   MODE_LONG,   GDB_ARCH_X86_64, NULL, ""},
	{MODE_REAL,   MODE_PROT32, GDB_ARCH_X86_64, NULL, FORCED("i386:x86-64")},
	{MODE_REAL,   MODE_LONG,   GDB_ARCH_I386, NULL, FORCED("i386")},
	{MODE_REAL,   MODE_PROT32, GDB_ARCH_I8086, &file64, FORCED("i8086")},
};
// clang-format on

static void expect_words(const char **out, const char *words)
{
	char wanted[512];

	snprintf(wanted, sizeof(wanted), "$O%s#", hex_of(words));
	if (strncmp(*out, wanted, strlen(wanted)) != 0)
		fail_msg("wanted \"%s\", got \"%.60s\"", words, *out);
	*out += strlen(wanted) + 2;
}

static void a_mode_switch_says_what_to_type(void **state)
{
	struct stop stop = {.reason = STOP_MODE_SWITCH, .point = 1, .text = "mode switch"};

	(void)state;
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		struct peer *peer = peer_in(switches[i].from, switches[i].wish, switches[i].file);
		const char *out;

		peer_send(peer, "vCont;c");
		peer->debug->state[0] = peer->debug->state[1];
		enter_mode(&peer->debug->state[0], switches[i].to);
		fake_stop(peer->debug, &stop, OWNER_GDB);
		out = peer_take(peer, NULL);
		expect_words(&out, "vCPU 0: mode switch\n");
		if (switches[i].words[0])
			expect_words(&out, switches[i].words);
		assert_int_equal(strncmp(out, "$T05", 4), 0);
		peer_free(peer);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(a_layout_holds_until_it_is_read_again),
		T(the_selected_vcpu_decides),
		T(what_was_chosen_stays),
		T(a_mode_switch_says_what_to_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
