// SPDX-License-Identifier: GPL-3.0-or-later
/* ~ in paths that are typed: in every command that takes a file, and for TAB. */
#include "command_rig.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char home[64]; /* with "folder" in it, which is empty at first */
	struct rig *rig;
};

static int setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char path[96];

	snprintf(place->home, sizeof(place->home), "/tmp/test-home-XXXXXX");
	if (!mkdtemp(place->home) || rig_setup((void **)&place->rig))
		return -1;
	snprintf(path, sizeof(path), "%s/folder", place->home);
	mkdir(path, 0700);
	setenv("HOME", place->home, 1);
	*state = place;
	return 0;
}

/* Where it was made: below HOME. Gone afterwards. */
static bool take(const struct place *place, const char *name, char *text, size_t size)
{
	char path[192];
	FILE *file;
	size_t done;

	snprintf(path, sizeof(path), "%s/%s", place->home, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	done = fread(text, 1, size - 1, file);
	text[done] = 0;
	fclose(file);
	unlink(path);
	return true;
}

static int teardown(void **state)
{
	struct place *place = *state;
	char path[96];

	snprintf(path, sizeof(path), "%s/folder", place->home);
	rmdir(path);
	assert_int_equal(rmdir(place->home), 0);
	rig_teardown((void **)&place->rig);
	free(place);
	return 0;
}

static void put(const struct place *place, const char *name, const char *text)
{
	char path[192];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", place->home, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_commands(void **state)
{
	struct place *place = *state;
	struct rig *rig = place->rig;
	char text[64];

	put(place, "lines", "print 6 * 7\n");
	contains(answer(rig, "source ~/lines"), "0x2a = 42\n");
	contains(answer(rig, "source \"~/lines\""), "0x2a = 42\n");
	contains(answer(rig, "json source ~/lines"), place->home);
	assert_true(take(place, "lines", text, sizeof(text)));

	answer(rig, "set *(u32 *)0x2f0000 = 0x6c6c6568");
	answer(rig, "dump ~/folder/bytes 0x2f0000 4");
	assert_true(take(place, "folder/bytes", text, sizeof(text)));
	assert_string_equal(text, "hell");
	answer(rig, "dump \"~/two words\" 0x2f0000 4");
	contains(answer(rig, "restore \"~/two words\" 0x2f0010"), "4 bytes");
	contains(answer(rig, "x/s 0x2f0010"), "\"hell\"");
	assert_true(take(place, "two words", text, sizeof(text)));

	contains(refusal(rig, "symbol-file ~/no-symbols", -ENOENT), place->home);
	answer(rig, "snapshot save now");
	put(place, "now.snap", "");
	contains(answer(rig, "json snapshot write now ~/now.snap"), place->home);
	assert_true(take(place, "now.snap", text, sizeof(text)));
	refusal(rig, "source ~", -EINVAL); /* a folder */
}

static void test_what_is_no_home(void **state)
{
	struct place *place = *state;
	struct rig *rig = place->rig;
	char line[CALL_PATH_SIZE], long_home[300];

	contains(refusal(rig, "source ~nobody/lines", -ENOENT), "~nobody/lines");
	contains(refusal(rig, "source a~/lines", -ENOENT), "a~/lines");
	memset(long_home, 'h', sizeof(long_home));
	long_home[sizeof(long_home) - 1] = 0;
	setenv("HOME", long_home, 1);
	memset(line, 'x', sizeof(line));
	memcpy(line, "source ~/", 9);
	line[LINE_MAX_SIZE - 10] = 0;
	contains(refusal(rig, line, -ENAMETOOLONG), "a path has fewer than 4096 characters");
	unsetenv("HOME");
	contains(refusal(rig, "source ~/lines", -ENOENT), "HOME is not set");
	setenv("HOME", "", 1);
	contains(refusal(rig, "source ~/lines", -ENOENT), "HOME is not set");
}

/* start: where readline begins its word, behind the last slash or blank. */
static void completes(struct place *place, const char *line, const char *wanted)
{
	size_t start = strlen(line);
	char **matches;

	while (start && !strchr(" /", line[start - 1]))
		start--;
	matches = monitor_complete(place->rig->monitor, line, start);
	assert_int_equal(matches != NULL, wanted != NULL);
	if (!matches)
		return;
	assert_string_equal(matches[0], wanted);
	for (char **match = matches; *match; match++)
		free(*match);
	free(matches);
}

static void test_completion(void **state)
{
	struct place *place = *state;
	char text[64];

	put(place, "settings", "");
	put(place, "folder/points", "");
	completes(place, "source ~/se", "settings");
	completes(place, "source ~/fo", "folder/");
	completes(place, "dump ~/folder/po", "points");
	completes(place, "source ~", "~/");
	completes(place, "source ~/nothing", NULL);
	completes(place, "source ~nobody/se", NULL);
	unsetenv("HOME");
	completes(place, "source ~/se", NULL);
	assert_true(take(place, "settings", text, sizeof(text)));
	assert_true(take(place, "folder/points", text, sizeof(text)));
}

/* A call has room for one path. */
static void test_one_path_each(void **state)
{
	(void)state;
	for (unsigned i = 0; i < command_count; i++) {
		unsigned files = 0;

		for (unsigned n = 0; n <= COMMAND_MAX_ARGS; n++)
			files += commands[i].args[n].kind == ARG_FILE;
		if (files > 1)
			fail_msg("%s takes %u files", commands[i].name, files);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_commands, setup, teardown),
	cmocka_unit_test_setup_teardown(test_what_is_no_home, setup, teardown),
	cmocka_unit_test_setup_teardown(test_completion, setup, teardown),
	cmocka_unit_test(test_one_path_each),
};

int main(void)
{
	return cmocka_run_group_tests_name("home", tests, NULL, NULL);
}
