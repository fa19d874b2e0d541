// SPDX-License-Identifier: GPL-3.0-or-later
/* Answers as JSON: one line each, whatever was asked, with the facts beside the text. */
#include "command_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_answer, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_error, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_odd_bytes, rig_setup, rig_teardown),
	cmocka_unit_test_setup_teardown(test_one_command, rig_setup, rig_teardown),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
