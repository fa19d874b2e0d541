// SPDX-License-Identifier: GPL-3.0-or-later
/* Answers as JSON: one line each, whatever was asked, with the facts beside the text. */
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

/* The one object that line is answered with. */
static json_t *object(struct rig *rig, const char *line, int code)
{
	json_error_t error;
	json_t *object;

	rig->out.json = true;
	assert_int_equal(run_as(rig, OWNER_CONSOLE, line), code);
	rig->out.json = false;
	assert_ptr_equal(strchr(rig->text, '\n'), rig->text + rig->size - 1);
	for (size_t i = 0; i + 1 < rig->size; i++)
		assert_in_range(rig->text[i], ' ', '~');
	object = json_loads(rig->text, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		fail_msg("%s: %s", error.text, rig->text);
	assert_int_equal(json_is_true(json_object_get(object, "ok")), code == 0);
	return object;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	assert_non_null(text);
	return text;
}

static void test_answer(void **state)
{
	json_t *answer = object(*state, "p 2 + 3", 0);

	assert_string_equal(text_of(answer, "command"), "print");
	assert_string_equal(text_of(answer, "line"), "p 2 + 3");
	assert_string_equal(text_of(answer, "text"), "0x5 = 5\n");
	assert_null(json_object_get(answer, "error"));
	json_decref(answer);
}

static void test_error(void **state)
{
	json_t *answer = object(*state, "xp 0x1000000", -EFAULT);

	assert_string_equal(text_of(answer, "command"), "xp");
	assert_string_equal(text_of(answer, "errno"), "EFAULT");
	assert_string_equal(text_of(answer, "error"), "there is no RAM at physical 0x1000000");
	json_decref(answer);
	answer = object(*state, "contniue", -EINVAL);
	assert_null(json_object_get(answer, "command"));
	contains(text_of(answer, "error"), "did you mean `continue`");
	json_decref(answer);
}

/* Whatever bytes come in, ASCII comes out. */
static void test_odd_bytes(void **state)
{
	json_t *answer = object(*state, "echo \x1b[31m \xff \xc2\x9b \xe2\x96\xa0", 0);

	assert_string_equal(text_of(answer, "text"), "\\x1b[31m \\xff \\xc2\\x9b \xe2\x96\xa0\n");
	json_decref(answer);
	json_decref(object(*state, "", 0));
}

static void test_one_command(void **state)
{
	struct rig *rig = *state;

	contains(answer(rig, "json info status"), "{\"command\":\"info status\",");
	contains(answer(rig, "json help json"), "\"ok\":true");
	contains(answer(rig, "json nonsense"), "\"errno\":\"EINVAL\"");
	contains(answer(rig, "json json p 1"), "are JSON here already");
	refusal(rig, "json", -EINVAL);
}

/* Each command, as somebody types it, and a fact that its answer has: KEY=VALUE. */
static const struct {
	const char *line, *fact;
} told[] = {
	{"break twice", "number=1"},
	{"condition 1 $rax == 5", "condition=$rax == 5"},
	{"ignore 1 3", "ignore=3"},
	{"commands 1 bt;continue", "commands=bt\ncontinue\n"},
	{"disable 1", "numbers=[1]"},
	{"enable", "numbers=[1]"},
	{"delete 1", "numbers=[1]"},
	{"set $ax = 0x12", "value=0x12"},
	{"set $rbx = 7", "register=rbx"},
	{"set *(u16 *)0x300000 = -2", "value=0xfffe"},
	{"set *(u16 *)0x300000 = -2", "address=0x300000"},
	{"set *(u16 *)0x300000 = -2", "size=2"},
	{"set scheduler-locking step", "setting=scheduler-locking"},
	{"set pager off", "value=off"},
	{"wrmsr lstar 0x1234", "msr=0xc0000082"},
	{"wrmsr lstar 0x1234", "value=0x1234"},
	{"cpu 1", "vcpu=1"},
	{"nmi", "vcpu=1"},
	{"irq 4", "line=4"},
	{"send-key h i", "keys=2"},
	{"send-text \"hey\"", "size=3"},
	{"symbol-file -o 0x1000", "offset=0x1000"},
	{"trace follow on", "follows=true"},
	{"trace follow off", "follows=false"},
	{"stop", "running=false"},
	{"reset", "running=false"},
	{"step", "vcpu=1"},
};

static char *fact(const json_t *answer, const char *key)
{
	const json_t *value = json_object_get(json_object_get(answer, "result"), key);

	return json_is_string(value) ? strdup(json_string_value(value))
				     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void test_what_was_done(void **state)
{
	for (unsigned i = 0; i < sizeof(told) / sizeof(*told); i++) {
		json_t *answer = object(*state, told[i].line, 0);
		const char *equals = strchr(told[i].fact, '=');
		char key[32], *value;

		snprintf(key, sizeof(key), "%.*s", (int)(equals - told[i].fact), told[i].fact);
		value = fact(answer, key);
		if (!value || strcmp(value, equals + 1) != 0)
			fail_msg("%s: %s is %s, not %s", told[i].line, key, value, equals + 1);
		free(value);
		json_decref(answer);
	}
}

/* Programs can ask for the whole table. */
static void test_help(void **state)
{
	json_t *answer = object(*state, "help", 0), *list, *one;

	list = json_object_get(json_object_get(answer, "result"), "commands");
	assert_int_equal(json_array_size(list), command_count);
	json_decref(answer);
	answer = object(*state, "help x", 0);
	list = json_object_get(json_object_get(answer, "result"), "commands");
	assert_int_equal(json_array_size(list), 1);
	one = json_array_get(list, 0);
	assert_string_equal(text_of(one, "name"), "x");
	assert_string_equal(text_of(one, "usage"), "x[/FMT] [ADDR]");
	contains(text_of(one, "more"), "x/16gx");
	contains(text_of(one, "facts"), "`address`, `size`, `values[]`");
	json_decref(answer);
}

/* What answers with a text alone. */
static void test_all_tell(void **state)
{
	static const char *const silent[] = {"echo", "json", "quit"};

	(void)state;
	for (unsigned i = 0; i < command_count; i++) {
		bool found = command_facts(&commands[i]) != NULL;

		for (unsigned j = 0; j < 3; j++)
			found |= !strcmp(commands[i].name, silent[j]);
		if (!found)
			fail_msg("%s tells nothing", commands[i].name);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_answer, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_error, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_odd_bytes, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_one_command, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_what_was_done, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_help, rig_setup, rig_teardown),
	cmocka_unit_test(test_all_tell),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
