// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tests/rsp/checklist against the stub: every packet, document and feature that the stub has is in the list and the
 * other way round, and every row names tests that exist.
 */
#include "checklist_rig.h"
#include "peer.h"

#include "gdbstub/stub.h"
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list and the tables ------------------------------------------------------------ */

static const struct gdb_command *command_of(const struct packet_bytes *packet)
{
	struct request request = {packet->bytes, packet->bytes + packet->size};

	return command_find(&request);
}

/* Whether what is announced, or a name in a table, has no row; says so. */
static bool lacks(bool found, const char *what, const char *name)
{
	if (!found)
		print_error("the stub has the %s \"%s\", and tests/rsp/checklist no row for it\n",
			    what, name);
	return !found;
}

static bool has_row_for(const struct gdb_command *command)
{
	for (unsigned i = 0; i < list.count; i++) {
		if (list.row[i].steps && command_of(row_packet(&list.row[i])) == command)
			return true;
	}
	return false;
}

static bool has_row(const char *name, bool feature)
{
	for (unsigned i = 0; i < list.count; i++) {
		if (!strcmp(list.row[i].name, name))
			return is(&list.row[i], "feature") == feature && !is(&list.row[i], "empty");
	}
	return false;
}

static void every_packet_of_the_stub_is_in_the_list(void **state)
{
	unsigned missing = 0;
	char name[80];

	(void)state;
	for (unsigned i = 0; command_at(i); i++)
		missing += lacks(has_row_for(command_at(i)), "packet", command_at(i)->name);
	for (unsigned i = 0; document_at(i); i++) {
		snprintf(name, sizeof(name), "qXfer:%s:read", document_at(i));
		missing += lacks(has_row(name, false), "document", name);
	}
	assert_int_equal(missing, 0);
}

/* A row that says so is answered empty; any other finds its command. */
static void every_packet_of_the_list_is_in_the_stub(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (unsigned i = 0; i < list.count; i++) {
		const struct row *row = &list.row[i];

		if (!row->steps || is(row, "empty") || command_of(row_packet(row)))
			continue;
		print_error("tests/rsp/checklist has \"%s\", and the stub does not\n", row->name);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* ---- qSupported ------------------------------------------------------------------------- */

/* Everything that gdb 13 and later ones offer and that an answer may depend on. */
static const char offer[] = "qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;"
			    "vfork-events+;exec-events+;vContSupported+;QThreadEvents+;no-resumed+;"
			    "memory-tagging+;error-message+;binary-upload+;xmlRegisters=i386";

static void every_feature_is_in_the_list_and_announced(void **state)
{
	struct peer *peer = peer_new(1);
	unsigned wrong = 0, announced = 0, listed = 0;
	char answer[2048], *word;

	(void)state;
	peer_send(peer, offer);
	snprintf(answer, sizeof(answer), "%s", peer_take(peer, NULL) + 1);
	answer[strcspn(answer, "#")] = '\0';
	for (word = strtok(answer, ";"); word; word = strtok(NULL, ";")) {
		word[strcspn(word, "=")] = '\0';
		wrong += lacks(has_row(word, true), "feature", word);
		announced++;
	}
	for (unsigned i = 0; i < list.count; i++)
		listed += is(&list.row[i], "feature");
	assert_int_equal(wrong, 0);
	assert_int_equal(announced, listed);
	peer_free(peer);
}

/* ---- the tests that are named ----------------------------------------------------------- */

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text;
	size_t n;

	if (!file)
		return NULL;
	text = malloc(1 << 20);
	assert_non_null(text);
	n = fread(text, 1, (1 << 20) - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

/* A function of this name, which the program's table of tests has, too. */
static bool has_test(const char *text, const char *name)
{
	char head[160], entry[160];

	snprintf(head, sizeof(head), "static void %s(void **state)", name);
	snprintf(entry, sizeof(entry), "(%s)", name);
	return strstr(text, head) && strstr(text, entry);
}

static bool test_exists(char *test)
{
	char *name = strchr(test, ':');
	char *text;
	bool found;

	if (!name)
		return false;
	*name++ = '\0';
	text = read_file(path_of(test));
	found = text && has_test(text, name);
	free(text);
	return found;
}

static unsigned missing_tests(const struct row *row)
{
	char tests[sizeof(row->tests)], *test, *rest = tests;
	unsigned missing = 0;

	strcpy(tests, row->tests);
	while ((test = strtok_r(rest, ",", &rest))) {
		char whole[sizeof(tests)];

		strcpy(whole, test);
		if (test_exists(test))
			continue;
		print_error("%s: there is no test %s\n", row->name, whole);
		missing++;
	}
	return missing;
}

static void every_row_names_tests_that_exist(void **state)
{
	unsigned missing = 0, unsupported = 0;

	(void)state;
	for (unsigned i = 0; i < list.count; i++) {
		const struct row *row = &list.row[i];

		unsupported += is(row, "empty");
		if (strcmp(row->tests, "-") != 0)
			missing += missing_tests(row);
		else if (!is(row, "empty"))
			fail_msg("%s: no test of its own", row->name);
	}
	assert_int_equal(missing, 0);
	print_message("# checklist: %u rows, %u of them answered \"not supported\"\n", list.count,
		      unsupported);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_of_the_stub_is_in_the_list),
		cmocka_unit_test(every_packet_of_the_list_is_in_the_stub),
		cmocka_unit_test(every_feature_is_in_the_list_and_announced),
		cmocka_unit_test(every_row_names_tests_that_exist),
	};

	return cmocka_run_group_tests(tests, read_list, NULL);
}
