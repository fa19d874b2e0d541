// SPDX-License-Identifier: GPL-3.0-or-later
/* docs/console.md is up to date with the command table. REFERENCE=write brings it up to date. */
#include "command_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BEGIN "<!-- made by make reference -->\n\n"
#define END   "\n<!-- end -->\n"

static char *path(char buf[4096])
{
	const char *source = getenv("SOURCE");

	snprintf(buf, 4096, "%s/docs/console.md", source ? source : ".");
	return buf;
}

static char *read_page(void)
{
	static char page[1 << 20];
	char name[4096];
	FILE *file = fopen(path(name), "re");

	if (!file)
		fail_msg("cannot read %s", name);
	page[fread(page, 1, sizeof(page) - 1, file)] = 0;
	fclose(file);
	return page;
}

static void write_page(const char *head, int head_size, const char *reference, const char *tail)
{
	char name[4096];
	FILE *file = fopen(path(name), "we");

	if (!file)
		fail_msg("cannot write %s", name);
	fprintf(file, "%.*s%s%s", head_size, head, reference, tail);
	assert_int_equal(fclose(file), 0);
}

static void test_reference(void **state)
{
	struct rig *rig = *state;
	char *page = read_page(), *begin = strstr(page, BEGIN), *end = strstr(page, END);

	answer(rig, "help reference");
	assert_non_null(begin);
	assert_non_null(end);
	begin += strlen(BEGIN);
	if (getenv("REFERENCE"))
		write_page(page, (int)(begin - page), rig->text, end);
	else if (strncmp(begin, rig->text, rig->size) != 0 || begin + rig->size != end)
		fail_msg("docs/console.md is stale: `make reference` makes it anew");
}

/* Every command is told of, and every table of facts belongs to one. */
static void test_names(void **state)
{
	struct rig *rig = *state;
	char heading[64];

	answer(rig, "help reference");
	for (unsigned i = 0; i < command_count; i++) {
		snprintf(heading, sizeof(heading), "#### `%s`\n", commands[i].name);
		contains(rig->text, heading);
	}
}

/* Each is a line that its command understands, and each help text fits a terminal. */
static void test_examples(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];
		const char *example = command_example(command), *rest, *line;
		struct error err = {0};
		struct call call = {
			.monitor = rig->monitor, .out = &rig->out, .command = command, .err = &err};
		char text[128];

		for (line = command->more; line && *line;
		     line += strcspn(line, "\n"), line += *line == '\n')
			if (strcspn(line, "\n") > 79)
				fail_msg("help %s: %s", command->name, line);
		if (command->args[0].kind == ARG_END) {
			assert_null(example);
			continue;
		}
		if (!example || command_lookup(example, &rest, &err) != command)
			fail_msg("%s: %s", command->name, example);
		snprintf(text, sizeof(text), "%s", rest);
		if (arguments_parse(&call, text))
			fail_msg("%s: %s", example, err.text);
	}
	contains(answer(rig, "help pt"), "\nFor example: pt $rsp\n");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_reference, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_names, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_examples, rig_setup, rig_teardown),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
