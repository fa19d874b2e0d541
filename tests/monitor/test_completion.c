// SPDX-License-Identifier: GPL-3.0-or-later
/* What the console completes, and how commands are abbreviated. */
#include "command_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_completion(struct rig *rig, const char *line, const char *wanted)
{
	const char *word = strrchr(line, ' ');
	size_t start = word ? (size_t)(word + 1 - line) : 0;
	char **matches = monitor_complete(rig->monitor, line, start), text[4096] = "";

	for (char **match = matches; match && *match; match++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "", *match);
		free(*match);
	}
	free(matches);
	if (strcmp(text, wanted))
		fail_msg("%s: `%s', not `%s'", line, text, wanted);
}

static void test_complete(void **state)
{
	struct rig *rig = *state;

	check_completion(rig, "conti", "continue continue");
	check_completion(rig, "info ca", "capabilities capabilities");
	check_completion(rig, "i reg", "registers registers");
	check_completion(rig, "break add", "add_one add_one");
	check_completion(rig, "b ba", "bare bare bare_inside");
	check_completion(rig, "p $r1", "$r1 $r10 $r11 $r12 $r13 $r14 $r15");
	check_completion(rig, "info registers deb", "debug debug");
	check_completion(rig, "set disas", "disassembly-flavor disassembly-flavor");
	check_completion(rig, "set disassembly-flavor i", "intel intel");
	check_completion(rig, "set disas i", "intel intel");
	check_completion(rig, "show disas", "disassembly-flavor disassembly-flavor");
	check_completion(rig, "info settings gdb", "gdb-files gdb-files");
	check_completion(rig, "set $rsi", "$rsi $rsi");
	check_completion(rig, "cpu ", "0 1");
	check_completion(rig, "x/4gx add", "add_one add_one");
	check_completion(rig, "help conte", "context context");
	check_completion(rig, "nothing ", "");
	check_completion(rig, "zzz", "");
	check_completion(rig, "break add_one i", "if if");
	check_completion(rig, "break add_one if $edi == 1 rin", "ring ring");
	check_completion(rig, "watch coun", "counter counter");
	check_completion(rig, "dprintf add", "add_one add_one");
	answer(rig, "break twice");
	check_completion(rig, "condition ", "1 1");
	check_completion(rig, "condition 1 add", "add_one add_one");
	check_completion(rig, "enable ", "1 1");
	check_completion(rig, "set scheduler-locking o", "o off on");
	check_completion(rig, "quit ", "");
}

/* Whatever the table says, it is shown in 80 columns. */
static void test_help_fits(void **state)
{
	struct rig *rig = *state;
	char line[64];

	for (int i = -1; i < (int)command_count; i++) {
		snprintf(line, sizeof(line), "help %s", i < 0 ? "all" : commands[i].name);
		answer(rig, line);
		for (char *end, *at = rig->text; (end = strchr(at, '\n')); at = end + 1) {
			*end = 0;
			if (text_width(at) > 79)
				fail_msg("%s: %s", line, at);
		}
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_complete, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_help_fits, rig_setup, rig_teardown),
};

int main(void)
{
	return cmocka_run_group_tests_name("completion", tests, NULL, NULL);
}
